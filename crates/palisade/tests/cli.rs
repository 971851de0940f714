//! The program as its users run it: command lines in, exit codes and texts out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test"
)]

#[path = "cli/knowing.rs"]
mod knowing;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A command of the program with nothing of the tester's own surroundings.
fn palisade(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn run(line: &[&str]) -> Output {
    palisade(line).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const MEMBER: &str = "111122223333";
const OTHER: &str = "444455556666";

/// A folder with an organization of two accounts, a policy against ssh from everywhere, and a
/// snapshot of the first account with one group.
struct World(TempDir);

impl World {
    fn new(cidr: &str) -> World {
        let world = World(tempfile::tempdir().unwrap());
        world.write(
            "organization.json",
            &json!({
                "Organization": {"Id": "o-test000001", "ManagementAccountId": MEMBER},
                "Roots": [{"Id": "r-test"}],
                "OrganizationalUnits": [],
                "Accounts": [
                    {"Id": MEMBER, "Name": "one", "Status": "ACTIVE", "ParentId": "r-test"},
                    {"Id": OTHER, "Name": "two", "Status": "SUSPENDED", "ParentId": "r-test"},
                ],
                "DefaultAdministrator": MEMBER,
            }),
        );
        world.write("policy.json", &policy(&json!({})));
        world.write(&snapshot_name(), &snapshot(cidr));
        world
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, content: &Value) {
        self.write_text(name, &content.to_string());
    }

    fn write_text(&self, name: &str, content: &str) {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn check(&self, more: &[&str]) -> Output {
        let (policy, organization) = (self.path("policy.json"), self.path("organization.json"));
        let deliveries = self.path("AWSLogs");
        let mut line = vec!["check", "--policy", &policy, "--organization", &organization];
        line.extend(more);
        line.push(&deliveries);
        run(&line)
    }
}

/// A policy that no rule may name addresses wider than /16, with more members.
fn policy(more: &Value) -> Value {
    let mut policy = json!({
        "PolicyName": "narrow",
        "SecurityServicePolicyData": {
            "Type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_CONTENT_AUDIT\",\"preManagedOptions\":[{\"minIpv4CidrPrefixLenPerSgRule\":16}]}",
        },
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    });
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "Policy": policy })
}

/// The policy with a member that nobody knows and a tag filter that nothing can meet.
fn policy_in_vain(more: &Value) -> Value {
    let data = r#"{"preManagedOptions":[{"minIpv4CidrPrefixLenPerSgRule":"16","denyAll":true}]}"#;
    let mut policy = policy(&json!({
        "PolicyName": "in-vain",
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data},
        "ResourceTags": [{"Key": "env", "Value": "a"}, {"Key": "env", "Value": "b"}],
    }));
    let members = policy["Policy"].as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    policy
}

fn snapshot_name() -> String {
    format!(
        "AWSLogs/{MEMBER}/Config/eu-west-1/2026/2/3/ConfigSnapshot/{MEMBER}_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_00000000-0000-4000-8000-000000000000.json"
    )
}

fn snapshot(cidr: &str) -> Value {
    json!({
        "fileVersion": "1.0",
        "configSnapshotId": "00000000-0000-4000-8000-000000000000",
        "configurationItems": [{
            "configuration": {
                "groupId": "sg-1", "groupName": "web", "ownerId": MEMBER, "vpcId": "vpc-1",
                "ipPermissions": [{
                    "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
                    "ipv4Ranges": [{"cidrIp": cidr}], "ipv6Ranges": [], "ipRanges": [cidr],
                    "prefixListIds": [], "userIdGroupPairs": [],
                }],
                "ipPermissionsEgress": [],
            },
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": "2026-02-03T04:00:00.000Z",
            "configurationStateId": 1_770_091_200_000_i64,
            "awsAccountId": MEMBER,
            "configurationItemStatus": "ResourceDiscovered",
            "resourceType": "AWS::EC2::SecurityGroup",
            "resourceId": "sg-1",
            "awsRegion": "eu-west-1",
        }],
    })
}

#[test]
fn wrong_usage_is_64_and_help_is_0() {
    for line in [&["chek"][..], &["check"], &["serve", "--store", "x.db"], &["keys", "create"], &[]]
    {
        assert_eq!(code(&run(line)), 64, "{line:?}");
    }
    for line in [&["--help"][..], &["check", "--help"], &["--version"], &["completions", "bash"]] {
        let output = run(line);
        assert_eq!((code(&output), stdout(&output).is_empty()), (0, false), "{line:?}");
    }
}

#[test]
fn check_tells_by_its_exit_code() {
    assert_eq!(code(&World::new("10.1.0.0/16").check(&[])), 0, "everything complies");
    assert_eq!(code(&World::new("10.0.0.0/8").check(&[])), 1, "something does not");
    let elsewhere = World::new("10.1.0.0/16").check(&["--region", "us-east-1"]);
    assert_eq!(code(&elsewhere), 2, "nothing is known of that Region");
    let nowhere = World::new("10.1.0.0/16").check(&["--region", "mars"]);
    assert_eq!(code(&nowhere), 64, "there is no such Region");
    assert!(stderr(&nowhere).contains("`mars` is not a Region"), "{}", stderr(&nowhere));
}

#[test]
fn a_stray_file_in_a_folder_is_left_out_with_a_warning() {
    let world = World::new("10.1.0.0/16");
    world.write_text("AWSLogs/README.md", "# About these files");
    world.write_text("AWSLogs/INDEX.tsv", "file\titems");
    let output = world.check(&[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("INDEX.tsv` and 1 more left out"), "{}", stderr(&output));
}

#[test]
fn check_prints_a_table_and_csv_and_json() {
    let world = World::new("10.0.0.0/8");
    insta::assert_snapshot!("check_table", ageless(&world.check(&["--violators"])));
    insta::assert_snapshot!("check_csv", ageless(&world.check(&["--output", "csv"])));
    let json = ageless(&world.check(&["--output", "json", "--violators"]));
    insta::assert_snapshot!("check_json", json);
}

/// What was printed, with a zero for what grows from day to day: an age at the end of a line, or a
/// member of its own; and rules of one length.
fn ageless(output: &Output) -> String {
    let line = |line: &str| {
        let (text, unit) = match line.strip_suffix(" d") {
            Some(text) => (text, " d"),
            None => (line, ""),
        };
        let is_member = text.trim_start().starts_with("\"AgeSeconds\": ");
        let (text, comma) = text.strip_suffix(',').map_or((text, ""), |text| (text, ","));
        let at = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (before, digits) = text.split_at(at);
        let is_cell = before.ends_with("Z,") && !digits.is_empty();
        match is_member || is_cell || !unit.is_empty() {
            true => format!("{before}0{comma}{unit}\n"),
            false if line.starts_with(['─', '═']) => {
                line.chars().take(40).chain(['\n']).collect()
            }
            false => format!("{line}\n"),
        }
    };
    stdout(output).lines().map(line).collect()
}

#[test]
fn check_says_what_is_wrong_with_what_is_asked() {
    let cases: [(&str, &str, &str); 6] = [
        ("policy.json", "{", "`, the policy file cannot be read"),
        (
            "policy.json",
            &policy(&json!({"IncludeMap": {"ACCOUNT": ["999999999999"]}})).to_string(),
            "999999999999",
        ),
        (
            "policy.json",
            &policy(
                &json!({"SecurityServicePolicyData": {"Type": "WAFV2", "ManagedServiceData": "{"}}),
            )
            .to_string(),
            "policy.json",
        ),
        (
            "organization.json",
            "{\"Organization\":{\"Id\":\"o-test000001\",\"Man",
            "organization.json",
        ),
        ("organization.json", "{}", "organization.json"),
        ("organization.json", "[1]", "organization.json"),
    ];
    for (file, text, says) in cases {
        let world = World::new("10.1.0.0/16");
        world.write_text(file, text);
        let output = world.check(&[]);
        let said = stderr(&output);
        assert_eq!(code(&output), 64, "{file} {text}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        let says = says.trim_start_matches("`, ");
        assert!(said.contains(says), "{said}");
    }
    let world = World::new("10.1.0.0/16");
    let output = world.check(&["--admin", "999999999999"]);
    assert_eq!(code(&output), 64, "{}", stderr(&output));
}

#[test]
fn what_a_policy_cannot_do_is_told_beside_the_results() {
    let world = World::new("10.1.0.0/16");
    let output = world.check(&[]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    world.write("policy.json", &policy_in_vain(&json!({})));
    let output = world.check(&[]);
    // Its group's item tells no tags, which may be any.
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.contains("`preManagedOptions[0].denyAll` is not known"), "{said}");
    assert!(
        said.contains("two values of `env` at once, which no resource has: nothing is in scope")
    );
    assert!(
        said.contains("policy `in-vain`: no resource in its scope is in the files given"),
        "{said}"
    );
    world.write("policy.json", &policy(&json!({"ExcludeResourceTag": true})));
    let output = world.check(&[]);
    assert_eq!(code(&output), 64);
    assert!(stderr(&output).contains("is not a member of Policy; `ExcludeResourceTags` is"));
}

#[test]
fn input_that_cannot_be_read_is_74_and_never_read_as_compliant() {
    let whole = snapshot("10.1.0.0/16").to_string();
    let brackets = "[".repeat(1 << 20);
    for (what, text) in [("cut", &whole[..whole.len() / 2]), ("brackets", &brackets), ("empty", "")]
    {
        let world = World::new("10.1.0.0/16");
        let broken = snapshot_name().replace("040506Z", "050506Z");
        world.write_text(&broken, text);
        let output = world.check(&["--output", "json"]);
        assert_eq!(code(&output), 74, "{what}");
        let said = stderr(&output);
        assert!(said.contains("050506Z") && said.lines().count() == 1, "{what}: {said}");
        let rows: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let row = &rows["PolicyComplianceStatusList"][0];
        assert_eq!(row["EvaluationResults"], json!([]), "{what}: {row}");
    }
    let missing = run(&["check", "--policy", "p", "--organization", "o", "nowhere"]);
    assert_eq!(code(&missing), 74);
    assert!(stderr(&missing).starts_with("palisade: `o` cannot be read: "), "{}", stderr(&missing));
}

#[test]
fn no_server_is_said_in_one_line() {
    for line in [
        &["compliance"][..],
        &["policies", "list"],
        &["violators", "p", MEMBER],
        &["explain", "p", MEMBER, "sg-1"],
    ] {
        let output =
            palisade(line).env("PALISADE_ENDPOINT", "http://127.0.0.1:9").output().unwrap();
        assert_eq!((code(&output), stderr(&output).lines().count()), (69, 1), "{line:?}");
    }
}

/// A server of its own on a port of its own; ended when dropped.
struct Server {
    child: Child,
    endpoint: String,
    store: String,
}

impl Server {
    fn start(folder: &Path, auth: &str) -> Server {
        Server::over(&folder.join("deep/palisade.db"), auth)
    }

    fn over(store: &Path, auth: &str) -> Server {
        let store = format!("sqlite:{}", store.display());
        let mut child =
            // What the files tell is of a fixed day.
            palisade(&["serve", "--listen", "127.0.0.1:0", "--auth", auth, "--store", &store, "--stale-after", "0"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        Server { child, endpoint: endpoint.trim_end_matches(';').to_owned(), store }
    }

    fn run(&self, line: &[&str], keys: Option<(&str, &str)>) -> Output {
        let mut command = palisade(line);
        command.env("PALISADE_ENDPOINT", &self.endpoint);
        if let Some((id, secret)) = keys {
            command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        }
        command.output().unwrap()
    }

    fn done(&self, line: &[&str]) -> String {
        let output = self.run(line, None);
        assert_eq!(code(&output), 0, "{line:?}: {}", stderr(&output));
        stdout(&output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn client_commands_tell_a_server_and_hear_of_it() {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "open");
    let (organization, policy) = (world.path("organization.json"), world.path("policy.json"));
    let said = server.done(&["organization", "apply", &organization]);
    assert_eq!(said, "organization o-test000001: 2 accounts in 0 organizational units\n");
    let said = server.done(&["ingest", &world.path("AWSLogs")]);
    assert_eq!(said, "1 file: 1 new state, 0 already known, 0 gone\n");
    server.done(&["policies", "put", &policy, "--region", "eu-west-1"]);
    let listed = server.done(&["policies", "list", "--region", "eu-west-1", "--output", "csv"]);
    assert!(listed.contains("\nnarrow,"), "{listed}");
    let got = server.done(&["policies", "get", "narrow", "--region", "eu-west-1"]);
    let got: Value = serde_json::from_str(&got).unwrap();
    assert_eq!(got["Policy"]["PolicyName"], "narrow");

    let compliance =
        settled(&server, &["compliance", "narrow", "--region", "eu-west-1", "--output", "json"]);
    let row = &compliance["PolicyComplianceStatusList"][0];
    assert_eq!(row["EvaluationResults"][0]["ComplianceStatus"], "NON_COMPLIANT", "{row}");
    let violators =
        server.done(&["violators", "narrow", MEMBER, "--region", "eu-west-1", "--output", "json"]);
    let violators: Value = serde_json::from_str(&violators).unwrap();
    assert_eq!(violators["Violators"][0]["ResourceId"], "sg-1");
    assert!(violators["Violators"][0]["Evidence"][0].as_str().unwrap().contains("10.0.0.0/8"));

    let region = ["--region", "eu-west-1"];
    let explain = [&["explain", "narrow", MEMBER, "sg-1"][..], &region].concat();
    let told = server.done(&explain);
    assert!(told.contains("▲ violates, since "), "{told}");
    assert!(told.contains("What would end it\n"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let told = server.done(&[&explain[..], &["--output", "json"]].concat());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["verdict"], &told["resourceId"]), (&json!("violates"), &json!("sg-1")));
    let told = server.done(&[&explain[..], &["--output", "csv"]].concat());
    assert!(told.starts_with("Policy,Account,") && told.contains(",violates,"), "{told}");
    // Whoever has just begun has no past of an hour.
    let told = server.done(&[&["changes"][..], &region].concat());
    assert!(told.contains("narrow"), "{told}");
    // The file as it is in force, then a wider one of the same name.
    let preview = |file: &str, output: &str| {
        let line = ["preview", file, "--output", output, "--region", "eu-west-1"];
        let output = server.run(&line, None);
        (code(&output), stdout(&output) + &stderr(&output))
    };
    let (status, told) = preview(&policy, "table");
    assert_eq!((status, told.contains("Nothing would change.")), (0, true), "{told}");
    world.write(
        "wider.json",
        &json!({"PolicyName": "narrow", "ExcludeResourceTags": false,
        "RemediationEnabled": false, "ResourceType": "AWS::EC2::SecurityGroup",
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData":
            json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT", "preManagedOptions":
                [{"minIpv4CidrPrefixLenPerSgRule": 1}]}).to_string()}}),
    );
    let wider = world.path("wider.json");
    let (status, told) = preview(&wider, "table");
    assert_eq!((status, told.contains("~ edited: narrow (eu-west-1)")), (2, true), "{told}");
    assert!(told.contains("- ") && told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let (status, told) = preview(&wider, "csv");
    assert_eq!((status, told.contains("violator lost")), (2, true), "{told}");

    // What `check` prints of the same files is the same.
    let checked = stdout(&world.check(&["--output", "json"]));
    let checked: Value = serde_json::from_str(&checked).unwrap();
    for member in [
        "EvaluationResults",
        "IssueInfoMap",
        "MemberAccount",
        "PolicyOwner",
        "PolicyName",
        "Region",
    ] {
        assert_eq!(checked["PolicyComplianceStatusList"][0][member], row[member], "{member}");
    }

    let put = |files: &[&str]| {
        let line = [&["policies", "put"], files, &["--region", "eu-west-1"]].concat();
        server.done(&line)
    };
    assert!(put(&[&policy]).starts_with("unchanged "));
    world.write("more/policy.json", &self::policy(&json!({"PolicyDescription": "Nothing wide."})));
    assert!(put(&[&world.path("more")]).starts_with("updated "), "a folder's, by its name");
    let rivals = [policy.as_str(), &world.path("more")];
    let line = [&["policies", "put"], &rivals[..], &["--region", "eu-west-1"]].concat();
    let both = server.run(&line, None);
    assert_eq!(code(&both), 64);
    assert!(stderr(&both).contains("both hold a policy named `narrow`"), "{}", stderr(&both));
    let second = put(&[&policy, "--new"]);
    assert!(second.starts_with("created "), "{second}");
    let id = second.split(' ').nth(1).unwrap();
    server.done(&["policies", "delete", id, "--region", "eu-west-1"]);
    world.write("nobody.json", &policy_in_vain(&json!({"IncludeMap": {"ACCOUNT": [OTHER]}})));
    let put = ["policies", "put", &world.path("nobody.json"), "--region", "eu-west-1"];
    let output = server.run(&put, None);
    assert_eq!(code(&output), 0);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(said.contains("`preManagedOptions[0].denyAll` is not known"), "{said}");
    assert!(said.contains("two values of `env` at once"), "{said}");
    assert!(said.contains("no account is in its scope"), "{said}");
    server.done(&["policies", "delete", "narrow", "--region", "eu-west-1"]);
    let gone = server.run(&["policies", "get", "narrow", "--region", "eu-west-1"], None);
    assert_eq!(code(&gone), 64);
    assert!(stderr(&gone).contains("no policy `narrow` in eu-west-1"), "{}", stderr(&gone));
}

/// Asks until every account in scope has an answer; the harness's own time limit ends it.
fn settled(server: &Server, line: &[&str]) -> Value {
    loop {
        let answer: Value = serde_json::from_str(&server.done(line)).unwrap();
        let rows = answer["PolicyComplianceStatusList"].as_array().unwrap();
        if rows.iter().all(|row| row["EvaluationResults"] != json!([])) && !rows.is_empty() {
            return answer;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_refused_file_does_not_keep_the_others_out() {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "open");
    world.write_text("AWSLogs/0-broken.json", "{\"configurationItems\":[{");
    let output = server.run(&["ingest", &world.path("AWSLogs")], None);
    assert_eq!(code(&output), 74, "{}", stderr(&output));
    assert!(stderr(&output).contains("0-broken.json"), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 new state,") && stdout(&output).contains("1 file refused"));
}

#[test]
fn ingest_tells_of_items_of_nobody_and_leaves_other_services_files_out() {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "open");
    let event = json!({"eventVersion": "1", "eventSource": "x"});
    world.write("AWSLogs/trail.json", &json!({"Records": [event]}));
    let output = server.run(&["ingest", &world.path("AWSLogs")], None);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let left_out = "1 file of other services left out";
    assert!(stdout(&output).trim_end().ends_with(left_out), "{}", stdout(&output));
    world.write("AWSLogs/bad.json", &json!({"configurationItems": [7, 8]}));
    let output = server.run(&["ingest", &world.path("AWSLogs")], None);
    assert_eq!(code(&output), 74, "{}", stderr(&output));
    let said = "2 unreadable items set aside, 2 of them of an unknown account";
    assert!(stdout(&output).contains(said), "{}", stdout(&output));
}

#[test]
fn calls_are_signed_with_keys_of_the_store() {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "sigv4");
    let organization = world.path("organization.json");
    let apply = ["organization", "apply", organization.as_str()];
    let made = run(&["keys", "create", "--store", &server.store, "--operator", "--output", "json"]);
    let made: Value = serde_json::from_str(&stdout(&made)).unwrap();
    let (id, secret) =
        (made["AccessKeyId"].as_str().unwrap(), made["SecretAccessKey"].as_str().unwrap());
    assert_eq!(made["Account"], Value::Null);
    let keyless = server.run(&apply, None);
    assert_eq!(code(&keyless), 69);
    assert!(stderr(&keyless).contains("`palisade keys create`"), "{}", stderr(&keyless));
    let wrong = server.run(&apply, Some((id, "wrong")));
    assert_eq!(code(&wrong), 69, "{}", stderr(&wrong));
    world.write_text("AWSLogs/another.json", "[]");
    let unwelcome = server.run(&["ingest", &world.path("AWSLogs")], Some((id, "wrong")));
    assert_eq!(code(&unwelcome), 69, "{}", stderr(&unwelcome));
    assert_eq!(stderr(&unwelcome).lines().count(), 1, "the first is enough: {unwelcome:?}");
    assert_eq!(stdout(&unwelcome), "");
    std::fs::remove_file(world.path("AWSLogs/another.json")).unwrap();
    let right = server.run(&apply, Some((id, secret)));
    assert_eq!(code(&right), 0, "{}", stderr(&right));
    let ingested = server.run(&["ingest", &world.path("AWSLogs")], Some((id, secret)));
    assert_eq!(code(&ingested), 0, "{}", stderr(&ingested));
    let listed = run(&["keys", "list", "--store", &server.store]);
    assert!(stdout(&listed).contains(id) && !stdout(&listed).contains(secret));
    let doctor = run(&["doctor", "--store", &server.store]);
    assert!(stdout(&doctor).contains("o-test000001: 2 accounts"), "{}", stdout(&doctor));
}

#[test]
fn the_doctor_says_of_a_server_where_its_time_went() {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "open");
    let organization = world.path("organization.json");
    server.done(&["organization", "apply", &organization]);
    server.done(&["ingest", &world.path("AWSLogs")]);
    server.done(&["policies", "list"]);
    let line = ["doctor", "--store", &server.store, "--endpoint", &server.endpoint];
    let told = stdout(&run(&line));
    let row = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.trim_start_matches(name).trim().to_owned()
    };
    assert!(
        row("organization").starts_with("o-test000001: 2 accounts"),
        "the store's part\n{told}"
    );
    assert!(row("items").ends_with("1 accepted"), "{told}");
    for stage in ["accept ", "verify ", "decode ", "act ", "encode "] {
        assert!(row("call time").contains(stage), "{stage}\n{told}");
    }
    for stage in ["spool ", "parse ", "accept "] {
        assert!(row("ingest time").contains(stage), "{stage}\n{told}");
    }
    assert!(row("store time").contains(" MiB, "), "{told}");
    assert!(row("queue").contains(" being done, "), "{told}");
    assert!(!row("advice").is_empty(), "{told}");

    let elsewhere = run(&["doctor", "--store", "sqlite:none.db", "--endpoint", &server.endpoint]);
    assert_eq!(code(&elsewhere), 0, "the store may be on another machine");
    assert!(stdout(&elsewhere).starts_with("server "), "{}", stdout(&elsewhere));
    let nobody = run(&["doctor", "--store", &server.store, "--endpoint", "http://127.0.0.1:1"]);
    assert_eq!(code(&nobody), 69);
    assert!(stderr(&nobody).contains("is the server running?"), "{}", stderr(&nobody));
}

#[test]
fn a_store_and_an_address_serve_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "open");
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--store", &server.store]);
    assert_eq!(code(&second), 69);
    assert!(
        stderr(&second).contains("is in use by another palisade process"),
        "{}",
        stderr(&second)
    );
    let address = server.endpoint.trim_start_matches("http://");
    let other = format!("sqlite:{}", folder.path().join("other.db").display());
    let third = run(&["serve", "--listen", address, "--store", &other]);
    assert_eq!(code(&third), 69);
    let said = stderr(&third);
    assert_eq!(
        said,
        format!(
            "palisade: address {address} is in use; stop what listens there, or give another with --listen\n"
        )
    );
}

#[cfg(unix)]
#[test]
fn a_request_to_terminate_ends_the_server_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), "open");
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn looking_at_a_store_does_not_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let store = format!("sqlite:{}", path.display());
    for line in [["doctor", "--store", &store].as_slice(), &["keys", "list", "--store", &store]] {
        let output = run(line);
        assert_eq!(code(&output), 64, "{line:?}");
    }
    assert!(!path.exists());
}

#[test]
fn quickstart_shows_its_tables_again_and_again() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data").display().to_string();
    let line = ["quickstart", "--data", &folder, "--listen", "127.0.0.1:0", "--exit"];
    let first = run(&line);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    let text = stdout(&first);
    for promised in [
        "Compliance in us-east-1",
        "Compliance in eu-west-1",
        " 137 violators ",
        " 100 violators ",
        " 101 violators ",
        " no result ",
        "old-marketing-site (suspended)",
    ] {
        assert!(text.contains(promised), "{promised}: {text}");
    }
    let second = run(&line);
    assert_eq!(code(&second), 0, "{}", stderr(&second));
    let tables = |text: &str| {
        text.split("Compliance in ").skip(1).take(2).map(str::to_owned).collect::<Vec<_>>().concat()
    };
    let cut = |text: String| text.split("\nA number counts").next().unwrap_or_default().to_owned();
    assert_eq!(cut(tables(&text)), cut(tables(&stdout(&second))));
    same_as_check(Path::new(&folder));
}

/// What the server answers of the sample is what `check` says of the same files.
fn same_as_check(folder: &Path) {
    let server = Server::over(&folder.join("quickstart.db"), "open");
    let at = |name: &str| folder.join("sample").join(name).display().to_string();
    let (policies, organization, deliveries) =
        (at("policies"), at("organization.json"), at("AWSLogs"));
    for region in ["us-east-1", "eu-west-1"] {
        let asked = server.done(&["compliance", "--region", region, "--output", "json"]);
        let checked = run(&[
            "check",
            "--policy",
            &policies,
            "--organization",
            &organization,
            "--region",
            region,
            "--output",
            "json",
            &deliveries,
        ]);
        assert_eq!(code(&checked), 1, "{}", stderr(&checked));
        let (asked, checked) = (rows(&asked), rows(&stdout(&checked)));
        assert!(asked.len() > 100, "{}", asked.len());
        assert_eq!(asked, checked, "{region}");
    }
}

/// The rows of an answer without what only a server knows, in an order of their own.
fn rows(text: &str) -> Vec<String> {
    let mut answer: Value = serde_json::from_str(text).unwrap();
    let rows = answer["PolicyComplianceStatusList"].as_array_mut().unwrap();
    for row in rows.iter_mut() {
        // An age goes on while the two are asked; the moment beside it does not.
        for member in ["PolicyId", "LastUpdated", "AgeSeconds"] {
            row.as_object_mut().unwrap().remove(member);
        }
    }
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

#[test]
fn flags_come_from_the_environment_too() {
    let world = World::new("10.0.0.0/8");
    let output = palisade(&["check", &world.path("AWSLogs")])
        .env("PALISADE_POLICY", world.path("policy.json"))
        .env("PALISADE_ORGANIZATION", world.path("organization.json"))
        .env("PALISADE_OUTPUT", "csv")
        .env("PALISADE_VIOLATORS", "1")
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).lines().nth(1).unwrap().contains(",sg-1,"), "{}", stdout(&output));
}
