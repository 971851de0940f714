//! What commands print, where it cannot be printed, and what of it a terminal would obey.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;

const MEMBER: &str = "111122223333";

/// What a terminal would obey or not show: of C0, C1, bidirectional and zero-width.
const NASTY: &str = "a\u{1b}[2J\nb\u{9b}c\u{202e}d\u{200b}e";

fn palisade(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

/// Files whose one account breaks the one policy; account and group have the name given.
fn world(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let organization = json!({
        "Organization": {"Id": "o-test000001", "ManagementAccountId": MEMBER},
        "Roots": [{"Id": "r-test"}], "OrganizationalUnits": [],
        "Accounts": [{"Id": MEMBER, "Name": name, "Status": "ACTIVE", "ParentId": "r-test"}],
        "DefaultAdministrator": MEMBER,
    });
    write("organization.json", organization.to_string());
    let policy = json!({
        "PolicyName": "narrow",
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_CONTENT_AUDIT\",\"preManagedOptions\":[{\"minIpv4CidrPrefixLenPerSgRule\":16}]}",
        },
        "ResourceType": "AWS::EC2::SecurityGroup", "ExcludeResourceTags": false, "RemediationEnabled": false,
    });
    write("policy.json", policy.to_string());
    let permission = json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "userIdGroupPairs": [], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}], "ipv6Ranges": [],
        "ipRanges": ["0.0.0.0/0"], "prefixListIds": []});
    let group = json!({"groupId": "sg-1", "groupName": name, "ownerId": MEMBER, "vpcId": "vpc-1",
        "ipPermissions": [permission], "ipPermissionsEgress": []});
    let snapshot = json!({"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": [{
        "configuration": group, "supplementaryConfiguration": {}, "relationships": [], "tags": {},
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-11-01T06:00:00.000Z",
        "configurationStateId": 1, "awsAccountId": MEMBER, "configurationItemStatus": "OK",
        "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-1", "awsRegion": "us-east-1",
    }]});
    let snapshot_name = format!(
        "{MEMBER}_Config_us-east-1_ConfigSnapshot_20261101T060000Z_00000000-0000-4000-8000-000000000000.json"
    );
    write(&format!("files/{snapshot_name}"), snapshot.to_string());
    folder
}

fn check(world: &TempDir, more: &[&str]) -> Command {
    let path = |name: &str| world.path().join(name).display().to_string();
    let (policy, organization, files) =
        (path("policy.json"), path("organization.json"), path("files"));
    let mut line = vec!["check", "--policy", &policy, "--organization", &organization];
    line.extend(more);
    line.push(&files);
    palisade(&line)
}

/// A pipe that nobody reads any more.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// Commands that print a result, and the files that they read.
fn commands() -> (TempDir, Vec<Command>) {
    let world = world("sg-1");
    let path = |name: &str| world.path().join(name).display().to_string();
    let (policy, organization, files) =
        (path("policy.json"), path("organization.json"), path("files"));
    let store = format!("sqlite:{}", path("store.db"));
    assert!(
        palisade(&["keys", "create", "--operator", "--store", &store])
            .output()
            .unwrap()
            .status
            .success()
    );
    let of_check = ["check", "--policy", &policy, "--organization", &organization];
    let check = |output: &str| palisade(&[&of_check[..], &["--output", output, &files]].concat());
    let commands = vec![
        check("table"),
        check("csv"),
        check("json"),
        palisade(&["keys", "create", "--operator", "--store", &store]),
        palisade(&["keys", "list", "--store", &store]),
        palisade(&["doctor", "--store", &store]),
        palisade(&["completions", "bash"]),
        palisade(&["--help"]),
        palisade(&["check", "--help"]),
        palisade(&["--version"]),
    ];
    (world, commands)
}

#[test]
fn a_result_that_is_not_written_is_no_result() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let (_world, commands) = commands();
    for mut command in commands {
        let output = command.stdout(full()).output().unwrap();
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(code(&output), 74, "{command:?}: {told}");
        assert!(told.contains("standard output cannot be written"), "{command:?}: {told}");
        assert!(!told.contains("panicked"), "{told}");
        let output = command.stdout(full()).stderr(full()).output().unwrap();
        assert_eq!(code(&output), 74, "{command:?} with nobody left to tell");
    }
}

#[test]
fn when_the_reader_goes_a_command_ends_as_others_do() {
    let (_world, commands) = commands();
    for mut command in commands {
        let output = command.stdout(closed_pipe()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(code(&output), 141, "{command:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("panicked") && !told.contains("standard output"), "{told}");
    }
}

#[test]
fn who_cannot_be_warned_gets_the_same_result() {
    let world = world("sg-1");
    std::fs::write(world.path().join("files/README.md"), "# Notes").unwrap();
    let output = check(&world, &[]).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(String::from_utf8(output.stderr).unwrap().contains("warning: "));
    for stderr in [closed_pipe(), full().into()] {
        let blind = check(&world, &[]).stderr(stderr).stdout(Stdio::piped()).output().unwrap();
        assert_eq!((code(&blind), blind.stdout), (1, output.stdout.clone()));
    }
    let usage = palisade(&["check"]).stderr(full()).output().unwrap();
    assert_eq!(code(&usage), 64);
}

#[test]
fn names_from_files_move_no_cursor_and_break_no_line() {
    let (nasty, plain) = (world(NASTY), world("plain"));
    std::fs::write(nasty.path().join(format!("files/{NASTY}.md")), "# Notes").unwrap();
    std::fs::write(plain.path().join("files/plain.md"), "# Notes").unwrap();
    for output in ["table", "csv", "json"] {
        let more = ["--output", output, "--violators"];
        let (shown, expected) =
            (check(&nasty, &more).output().unwrap(), check(&plain, &more).output().unwrap());
        assert_eq!(code(&shown), 1, "{shown:?}");
        for (shown, expected) in
            [(&shown.stdout, &expected.stdout), (&shown.stderr, &expected.stderr)]
        {
            let shown = String::from_utf8(shown.clone()).unwrap();
            let hidden = |c: char| c != '\n' && palisade::printable::is_hidden(c);
            assert!(!shown.contains(hidden), "{output}: {shown:?}");
            let lines = |text: &str| text.lines().count();
            assert_eq!(lines(&shown), lines(std::str::from_utf8(expected).unwrap()), "{output}");
        }
        let told = String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap();
        assert!(told.contains("a\\u{1b}[2J\\nb\\u{9b}c\\u{202e}d\\u{200b}e"), "{told}");
    }
}
