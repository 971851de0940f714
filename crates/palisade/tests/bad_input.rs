//! Bad input from outside: each is refused with a text that says what, where and what to do, nothing
//! of it is written, and the server goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use palisade_core::ident::{Region, ShardId};
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_store::{Inventory, Want};
use serde_json::{Value, json};
use support::*;

struct Server {
    child: Child,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Serves an organization of six accounts with one policy and one snapshot.
    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["serve", "--auth", "open", "--listen", &format!("127.0.0.1:{port}"), "--store"])
            .arg(format!("sqlite:{}", folder.path().join("palisade.db").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, endpoint: format!("http://127.0.0.1:{port}"), folder };
        for _ in 0..2_000 {
            if ureq::get(format!("{}/readyz", server.endpoint)).call().is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let (status, answer) = server.organization(&organization(6).to_string());
        assert_eq!(status, 200, "{answer}");
        let items = [group(&account(2), "sg-1", 1, "0.0.0.0/0", 22)];
        let (name, text) = snapshot(&account(2), 1, &items);
        let (status, answer) = server.ingest(&name, text.as_bytes());
        assert_eq!(status, 200, "{answer}");
        server
    }

    fn answer(call: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
        let mut answer = call.unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn organization(&self, text: &str) -> (u16, String) {
        Self::answer(
            Self::agent().put(format!("{}/palisade/v1/organization", self.endpoint)).send(text),
        )
    }

    fn ingest(&self, name: &str, bytes: &[u8]) -> (u16, String) {
        let at =
            format!("{}/palisade/v1/inventory?name={}", self.endpoint, name.replace(':', "%3A"));
        Self::answer(Self::agent().post(at).send(bytes))
    }

    fn call(&self, operation: &str, parameters: &Value) -> (u16, Value) {
        let (status, text) = Self::answer(
            Self::agent()
                .post(&self.endpoint)
                .header("X-Amz-Target", format!("AWSFMS_20180101.{operation}"))
                .header("Content-Type", "application/x-amz-json-1.1")
                .send(parameters.to_string()),
        );
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn refused(&self, operation: &str, parameters: &Value, kind: &str, fragments: &[&str]) {
        let (status, answer) = self.call(operation, parameters);
        assert_eq!((status, answer["__type"].as_str()), (400, Some(kind)), "{answer}");
        let message = answer["Message"].as_str().unwrap();
        for fragment in fragments {
            assert!(message.contains(fragment), "{message:?} does not say {fragment:?}");
        }
    }

    /// What the store holds for the account that the bad deliveries speak of.
    fn held(&self) -> String {
        let opening =
            Opening { fresh_sealing_key: [0; 32], serve: false, synchronous: Synchronous::Grouped };
        let store = SqliteStore::open(&self.folder.path().join("palisade.db"), opening).unwrap();
        let shard =
            ShardId { account: account(3).try_into().unwrap(), region: Region::home_of_global() };
        let shard = store.load(&Want::whole(&shard, &BTreeSet::new(), &[])).unwrap().shard;
        // That a file was refused is held as a gap (semantics §11 row 39), and nothing else of it.
        format!("{:?} {:?} {:?}", shard.items, shard.held_types, shard.newest_ms)
    }

    /// A refused delivery: status, what its text says, and that nothing was written.
    fn refuses_delivery(&self, bytes: &[u8], status: u16, fragments: &[&str]) {
        let before = self.held();
        let (answered, text) = self.ingest(
            "100000000003_Config_us-east-1_ConfigSnapshot_20261101T060000Z_0.json.gz",
            bytes,
        );
        assert_eq!(answered, status, "{text}");
        for fragment in fragments {
            assert!(text.contains(fragment), "{text} does not say {fragment:?}");
        }
        assert_eq!(self.held(), before, "something of a refused file was written");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bad_deliveries_are_refused_whole_and_the_server_goes_on() {
    let server = Server::start();
    let items: Vec<Value> =
        (0..50).map(|at| group(&account(3), &format!("sg-{at}"), 1, "10.0.0.0/8", 1)).collect();
    let (name, text) = snapshot(&account(3), 2, &items);
    // A snapshot cut in the middle, plain and inside its gzip framing.
    let cut = &text.as_bytes()[..text.len() / 2];
    server.refuses_delivery(cut, 400, &["cut"]);
    server.refuses_delivery(&gzip(cut), 400, &["cut"]);
    let packed = gzip(text.as_bytes());
    server.refuses_delivery(
        &packed[..packed.len() / 2],
        400,
        &["ends in the middle", "deliver the whole file"],
    );
    // A bomb: half a gigabyte of spaces in half a megabyte.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..512 {
        bomb.write_all(&spaces).unwrap();
    }
    server.refuses_delivery(&bomb.finish().unwrap(), 413, &["200"]);
    // A megabyte of brackets, bare and as a body.
    let brackets = "[".repeat(1 << 20);
    server.refuses_delivery(brackets.as_bytes(), 400, &["cut off"]);
    let inside = format!(r#"{{"configurationItems":[{{"configuration":{brackets}"#);
    server.refuses_delivery(inside.as_bytes(), 400, &["cut off"]);
    // What is no delivery.
    server.refuses_delivery(b"", 400, &[]);
    server.refuses_delivery(b"\x89PNG\r\n\x1a\n", 400, &[]);
    server.refuses_delivery(br#"{"Reservations":[]}"#, 400, &[]);
    // The whole file afterwards.
    let (status, answer) = server.ingest(&name, text.as_bytes());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((status, &answer["accepted"]["AWS::EC2::SecurityGroup"]), (200, &json!(50)));
    assert!(server.held().contains("sg-49"), "what is held can be seen here");
}

#[test]
fn a_bad_item_is_quarantined_and_its_file_goes_on() {
    let server = Server::start();
    let mut bad = group(&account(3), "sg-bad", 1, "10.0.0.0/8", 1);
    bad["configuration"]["ipPermissions"][0]["ipv4Ranges"][0]["cidrIp"] = json!("ten");
    let items = [
        group(&account(3), "sg-1", 1, "10.0.0.0/8", 1),
        bad,
        json!({"resourceType": 5}),
        group(&account(3), "sg-2", 1, "10.0.0.0/8", 1),
    ];
    let (name, text) = snapshot(&account(3), 2, &items);
    let (status, answer) = server.ingest(&name, text.as_bytes());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 200, "{answer}");
    let quarantined = answer["quarantined"].as_array().unwrap();
    assert_eq!(quarantined.len(), 2, "{answer}");
    assert_eq!(
        (&quarantined[0]["index"], &quarantined[0]["resourceId"]),
        (&json!(1), &json!("sg-bad"))
    );
    assert!(quarantined[0]["reason"].as_str().unwrap().contains("ten"), "{answer}");
    assert_eq!(quarantined[1]["index"], json!(2));
}

#[test]
fn bad_calls_get_the_modelled_error() {
    let server = Server::start();
    let good =
        audit("good", &["AWS::EC2::SecurityGroup"], &json!([{"denyProtocolAllValue": true}]));
    let with = |member: &str, value: Value| {
        let mut policy = good.clone();
        policy[member] = value;
        json!({"Policy": policy})
    };
    let data = |text: &str| {
        with(
            "SecurityServicePolicyData",
            json!({"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": text}),
        )
    };
    let bad_input = "InvalidInputException";
    server.refused("PutPolicy", &data("{\"type\":"), bad_input, &["ManagedServiceData", "JSON"]);
    server.refused("PutPolicy", &data("<xml/>"), bad_input, &["ManagedServiceData"]);
    server.refused("PutPolicy", &data(&"[".repeat(20_000)), bad_input, &["ManagedServiceData"]);
    let stranger = with("IncludeMap", json!({"ACCOUNT": ["999999999999"]}));
    server.refused("PutPolicy", &stranger, bad_input, &["999999999999"]);
    let root = with("IncludeMap", json!({"ORG_UNIT": ["r-root"]}));
    server.refused("PutPolicy", &root, bad_input, &["Input ORG_UNIT map contains invalid IDs."]);
    server.refused(
        "PutPolicy",
        &json!({}),
        bad_input,
        &["1 validation error detected", "'policy'"],
    );
    let (status, first) = server.call("PutPolicy", &json!({"Policy": good}));
    assert_eq!(status, 200, "{first}");
    let (status, second) = server.call("PutPolicy", &json!({"Policy": first["Policy"]}));
    assert_eq!(status, 200, "{second}");
    server.refused(
        "PutPolicy",
        &json!({"Policy": first["Policy"]}),
        bad_input,
        &["PolicyUpdateToken"],
    );
    let token = json!({"PolicyId": first["Policy"]["PolicyId"], "NextToken": "bm90IG91cnM="});
    server.refused("ListComplianceStatus", &token, "ValidationException", &["NextToken"]);
}

#[test]
fn a_truncated_organization_file_changes_nothing() {
    let server = Server::start();
    let text = organization(9).to_string();
    for cut in [0, 1, text.len() / 2, text.len() - 1] {
        let (status, answer) = server.organization(&text[..cut]);
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains("line") || answer.contains("empty"), "{answer}");
    }
    let held = ureq::get(format!("{}/palisade/v1/organization", server.endpoint))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let held: Value = serde_json::from_str(&held).unwrap();
    assert_eq!(held["Accounts"].as_array().unwrap().len(), 6);
}

#[test]
fn a_second_server_on_one_store_is_told_so() {
    let server = Server::start();
    let store = server.folder.path().join("palisade.db");
    let run = |words: &[&str]| -> Output {
        Command::new(env!("CARGO_BIN_EXE_palisade")).args(words).output().unwrap()
    };
    let store = format!("sqlite:{}", store.display());
    let second = run(&["serve", "--auth", "open", "--listen", "127.0.0.1:0", "--store", &store]);
    let text = String::from_utf8(second.stderr).unwrap();
    assert_ne!(second.status.code(), Some(0));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("palisade.db") && text.contains("in use"), "{text}");
    // Keys are made beside a running server.
    let keys = run(&["keys", "create", "--operator", "--store", &store]);
    assert_eq!(keys.status.code(), Some(0), "{keys:?}");
}
