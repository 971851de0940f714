//! No message, log line, answer or audit event holds a secret, however it was given.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};
use std::thread;

/// What stands for every secret.
const NEEDLE: &str = "Hunter2Needle";
/// A sealing key, as it may be given where its file was to be named.
const SEALING_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn palisade(line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(line).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

#[track_caller]
fn told(output: &Output) -> String {
    let told = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert!(!told.contains(NEEDLE) && !told.contains(SEALING_KEY), "{told}");
    told
}

const STORED: [&[&str]; 9] = [
    &["serve"],
    &["doctor"],
    &["keys", "create", "--operator"],
    &["keys", "list"],
    &["keys", "disable", "AKIA1"],
    &["keys", "enable", "AKIA1"],
    &["keys", "rotate", "AKIA1"],
    &["keys", "delete", "AKIA1"],
    &["keys", "reseal", "--new-key-file", "x"],
];

const ASKING: [&[&str]; 6] = [
    &["compliance"],
    &["policies", "list"],
    &["audit"],
    &["keys", "list", "--remote"],
    &["violators", "p", "111122223333"],
    &["doctor"],
];

#[test]
fn a_store_that_is_refused_is_not_repeated() {
    for address in [
        format!("postgres://palisade:{NEEDLE}"),
        NEEDLE.to_owned(),
        format!("mysql:{NEEDLE}"),
        format!("my {NEEDLE}:x"),
    ] {
        for line in STORED {
            let flag = palisade(&[line, &["--store", &address]].concat()).output().unwrap();
            assert_eq!(flag.status.code(), Some(64), "{line:?}");
            assert!(told(&flag).contains("sqlite:PATH"), "{line:?}: {}", told(&flag));
            let set = palisade(line).env("PALISADE_STORE", &address).output().unwrap();
            assert_eq!(set.status.code(), Some(64), "{line:?}");
            told(&set);
        }
    }
    let stray = format!("postgres://palisade:{NEEDLE}@db.example/fms");
    told(&palisade(&["serve", &stray]).output().unwrap());
    told(&palisade(&[&stray]).output().unwrap());
    told(&palisade(&["serve", "--listen", &stray]).output().unwrap());
}

/// Nothing listens there.
#[test]
fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    for address in [
        format!("postgres://palisade:{NEEDLE}@127.0.0.1:9/fms"),
        format!("postgres://127.0.0.1:9/fms?password={NEEDLE}"),
        format!("postgres://127.0.0.1:9/fms?passwort={NEEDLE}"),
        format!("postgres://palisade:{NEEDLE}@127.0.0.1:port/fms"),
    ] {
        for line in [&["serve"][..], &["keys", "list"]] {
            let flag = palisade(&[line, &["--store", &address]].concat()).output().unwrap();
            assert_ne!(flag.status.code(), Some(0), "{line:?}");
            told(&flag);
            let set = palisade(line).env("PALISADE_STORE", &address).output().unwrap();
            assert_ne!(set.status.code(), Some(0), "{line:?}");
            told(&set);
        }
    }
}

#[test]
fn help_does_not_show_what_variables_hold() {
    let address = format!("postgres://palisade:{NEEDLE}@db.example/fms");
    for line in STORED.iter().chain(&ASKING) {
        let mut command = palisade(&[*line, &["--help"]].concat());
        for name in ["PALISADE_STORE", "PALISADE_ENDPOINT", "PALISADE_KEY_FILE"] {
            command.env(name, &address);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line:?}");
        assert!(told(&output).contains("[env: PALISADE_"), "{line:?}");
    }
}

#[test]
fn an_endpoint_is_told_without_user_and_password() {
    for endpoint in [
        format!("http://user:{NEEDLE}@127.0.0.1:9"),
        format!("https://{NEEDLE}@127.0.0.1:9"),
        format!("ftp://user:{NEEDLE}@127.0.0.1"),
        format!("user:{NEEDLE}@127.0.0.1"),
        format!("http://user:{NEEDLE}@127.0.0.1/x/y"),
    ] {
        for line in ASKING {
            let mut command = palisade(&[line, &["--endpoint", &endpoint]].concat());
            command.env("AWS_ACCESS_KEY_ID", "AKIA1").env("AWS_SECRET_ACCESS_KEY", NEEDLE);
            let output = command.env("AWS_SESSION_TOKEN", NEEDLE).output().unwrap();
            assert_ne!(output.status.code(), Some(0), "{line:?}");
            assert!(told(&output).contains("palisade: "), "{line:?}");
        }
    }
}

#[test]
fn a_sealing_key_is_not_repeated_and_names_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("store.db").display());
    let create = ["keys", "create", "--operator", "--store", &store];
    let wrong = palisade(&create).env("PALISADE_KEY", NEEDLE).output().unwrap();
    assert_eq!(wrong.status.code(), Some(64));
    told(&wrong);
    let mut named = palisade(&[&create[..], &["--key-file", SEALING_KEY]].concat());
    let named = named.current_dir(folder.path()).output().unwrap();
    assert_eq!(named.status.code(), Some(64));
    told(&named);
    assert!(!folder.path().join(SEALING_KEY).exists());
    let file = folder.path().join("key");
    std::fs::write(&file, NEEDLE).unwrap();
    let file = file.display().to_string();
    told(&palisade(&[&create[..], &["--key-file", &file]].concat()).output().unwrap());
}

/// At its most talkative, with whatever callers send.
#[test]
fn a_log_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = format!("sqlite:{}", path.display());
    let make = || {
        let mut create = palisade(&["keys", "create", "--operator", "--store", &store]);
        let output = create.args(["--output", "json"]).output().unwrap();
        let key: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        ["AccessKeyId", "SecretAccessKey"].map(|name| key[name].as_str().unwrap().to_owned())
    };
    let (first, second) = (make(), make());
    let sealing = std::fs::read_to_string(folder.path().join("store.db.key")).unwrap();
    let mut serve = palisade(&["serve", "--listen", "127.0.0.1:0", "--store", &store]);
    let serve = serve.env("PALISADE_LOG", "trace").env("PALISADE_UNKNOWN", NEEDLE);
    let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = server.stderr.take().unwrap();
    let log = thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let endpoint = endpoint.trim_end_matches(';');
    let ask = |line: &[&str], secret: &str| {
        let mut command = palisade(&[line, &["--endpoint", endpoint]].concat());
        command.env("AWS_ACCESS_KEY_ID", &first[0]).env("AWS_SECRET_ACCESS_KEY", secret);
        command.output().unwrap()
    };
    let rotated = ask(&["keys", "rotate", &second[0], "--remote", "--output", "json"], &first[1]);
    let rotated: serde_json::Value = serde_json::from_slice(&rotated.stdout).unwrap();
    let rotated = rotated["SecretAccessKey"].as_str().unwrap();
    let audit = ask(&["audit", "--output", "json"], &first[1]);
    assert!(told(&audit).contains("RotateKey"));
    told(&ask(&["policies", "list"], NEEDLE));
    // A connection for each: a refusal may end it.
    let agent = || ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answers = String::new();
    for (name, value) in [
        ("authorization", format!("Bearer {NEEDLE}")),
        ("authorization", format!("Basic {NEEDLE}")),
        ("authorization", format!("AWS4-HMAC-SHA256 {NEEDLE}")),
        (
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={}/20260101/r/fms/aws4_request, {NEEDLE}=1",
                first[0]
            ),
        ),
        ("x-amz-security-token", NEEDLE.to_owned()),
        ("cookie", format!("session={NEEDLE}")),
        ("x-api-key", NEEDLE.to_owned()),
    ] {
        for path in ["/", "/palisade/v1/keys", "/palisade/v1/work"] {
            let url = format!("{endpoint}{path}?X-Amz-Security-Token={NEEDLE}&password={NEEDLE}");
            let request = ureq::http::Request::post(url).header(name, &value);
            let request = request.header("x-amz-target", "AWSFMS_20180101.ListPolicies");
            let mut answer = agent().run(request.body(NEEDLE.to_owned()).unwrap()).unwrap();
            answers.push_str(&answer.body_mut().read_to_string().unwrap());
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let log = log.join().unwrap();
    assert!(log.contains("answered"), "the log was on: {log}");
    for (what, text) in [("log", &log), ("answers", &answers)] {
        for secret in [NEEDLE, &first[1], &second[1], rotated, sealing.trim()] {
            let at = text.find(secret).unwrap_or_default();
            let around = text.get(at.saturating_sub(200)..).unwrap_or_default();
            assert!(!text.contains(secret), "{what}: {}", &around[..around.len().min(400)]);
        }
    }
}
