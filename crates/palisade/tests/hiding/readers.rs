//! Takes the files in on every way and asks every reader.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_wire::cbor::{Head, Reader};
use serde_json::{Map, Value, json};

use super::house::{self, House};
use palisade_testkit::Rng;

use super::support::{decide, ledger, organization, policy_id, settle};

/// Of how many accounts the command for violators is run.
const VIOLATORS_RUN: usize = 6;

/// What there is to judge.
pub struct Delivered {
    pub accounts: u64,
    pub policies: Vec<Value>,
    /// Names and texts.
    pub files: Vec<(String, String)>,
}

/// What one reader says of one account under one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub status: Option<String>,
    count: u64,
    issues: BTreeMap<String, String>,
    /// Type, id and reason of each.
    violators: Vec<[String; 3]>,
}

impl Said {
    pub fn complies(&self) -> bool {
        self.status.as_deref() == Some("COMPLIANT")
    }
}

/// By policy, in order, and account.
type Everything = BTreeMap<(usize, String), Said>;

/// What all readers say; they say the same.
pub fn all_agree(delivered: &Delivered, seed: u64) -> Everything {
    let folder = tempfile::tempdir().unwrap();
    let first = policies_first(delivered, seed);
    let house = files_first_with_restarts(delivered, seed, &folder.path().join("store"));
    same_lines(&ledger(&*first.store), &ledger(&*house.store));
    drop(first);
    let listed = listed(&house, delivered);
    assert_eq!(listed.len() as u64, delivered.accounts * delivered.policies.len() as u64);
    commands_agree(&house, delivered, &listed);
    check_agrees(&house, delivered, folder.path(), &listed);
    listed
}

fn same_lines(one: &str, other: &str) {
    let different = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert_eq!(different, None, "another order and restarts end in another ledger");
    assert_eq!(one.len(), other.len());
}

/// What the ledger says, of one way and without readers: for the negative controls.
pub fn by_worker(delivered: &Delivered) -> Everything {
    let house = policies_first(delivered, 1);
    statuses(&house, delivered, Protocol::Json)
}

/// Intake in an order of the dice, judged now and then in between.
fn policies_first(delivered: &Delivered, seed: u64) -> House {
    let house = House::open();
    decide(&*house.store, &organization(delivered.accounts), &delivered.policies);
    let mut dice = Rng::with_seed(seed);
    let mut files: Vec<&(String, String)> = delivered.files.iter().collect();
    dice.shuffle(&mut files);
    let turn = files.len() / 3 + 1;
    for (number, (name, text)) in files.into_iter().enumerate() {
        deliver(&house, name, text);
        if number % turn == turn - 1 {
            house.settle();
        }
    }
    house.settle();
    house
}

/// A file that cannot be read is refused, and noted all the same.
fn deliver(house: &House, name: &str, text: &str) {
    let answer = house.ingest(name, text.as_bytes());
    assert!([200, 400].contains(&answer.status), "{name}: {answer:?}");
}

/// Intake from the last file to the first, closed and opened again on the way, before the policies come
/// and after all is judged.
fn files_first_with_restarts(delivered: &Delivered, seed: u64, path: &Path) -> House {
    let open = || {
        let (fresh_sealing_key, synchronous) = ([7; 32], Synchronous::Off);
        SqliteStore::open(path, Opening { fresh_sealing_key, serve: true, synchronous }).unwrap()
    };
    let store = open();
    decide(&store, &organization(delivered.accounts), &[]);
    let mut house = House::on(store);
    let close_at = seed as usize % delivered.files.len();
    for (number, (name, text)) in delivered.files.iter().rev().enumerate() {
        deliver(&house, name, text);
        if number == close_at {
            drop(house);
            house = House::on(open());
        }
    }
    drop(house);
    let store = open();
    decide(&store, &organization(delivered.accounts), &delivered.policies);
    settle(&store);
    drop(store);
    House::on(open())
}

#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    Json,
    Cbor,
}

/// What the operations of AWS, in both protocols, and the endpoint for violators say.
fn listed(house: &House, delivered: &Delivered) -> Everything {
    let mut listed = statuses(house, delivered, Protocol::Json);
    assert_eq!(listed, statuses(house, delivered, Protocol::Cbor), "JSON, then CBOR");
    for ((policy, account), said) in &mut listed {
        let id = policy_id(*policy as u64).to_string();
        let input = json!({"PolicyId": id, "MemberAccount": account});
        let detail = [Protocol::Json, Protocol::Cbor].map(|protocol| {
            let detail =
                &call(house, "GetComplianceDetail", &input, protocol)["PolicyComplianceDetail"];
            (violators(&detail["Violators"]), issues(&detail["IssueInfoMap"]))
        });
        let path = format!("/palisade/v1/policies/{id}/accounts/{account}/violators");
        let page = house.own("GET", &path, "").ok();
        said.violators = violators(&page["violators"]);
        let own = Said {
            status: page["status"].as_str().map(str::to_owned),
            count: page["violatorCount"].as_u64().unwrap_or_default(),
            issues: issues(&page["issues"]),
            violators: said.violators.clone(),
        };
        assert_eq!(own, *said, "{account}: the endpoint for violators, then ListComplianceStatus");
        let expected = (said.violators.clone(), said.issues.clone());
        assert_eq!(detail, [expected.clone(), expected], "{account}: GetComplianceDetail");
    }
    listed
}

/// ListComplianceStatus, page by page.
fn statuses(house: &House, delivered: &Delivered, protocol: Protocol) -> Everything {
    let mut everything = Everything::new();
    for policy in 0..delivered.policies.len() {
        let id = policy_id(policy as u64).to_string();
        let mut input = json!({"PolicyId": id, "MaxResults": 100});
        loop {
            let page = call(house, "ListComplianceStatus", &input, protocol);
            for entry in page["PolicyComplianceStatusList"].as_array().unwrap() {
                everything.insert((policy, text(entry, "MemberAccount")), overall(entry));
            }
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
    }
    everything
}

/// An account's status and issues, with AWS's names.
fn overall(entry: &Value) -> Said {
    let result = &entry["EvaluationResults"][0];
    Said {
        status: result["ComplianceStatus"].as_str().map(str::to_owned),
        count: result["ViolatorCount"].as_f64().unwrap_or_default() as u64,
        issues: issues(&entry["IssueInfoMap"]),
        violators: Vec::new(),
    }
}

fn issues(map: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(map.clone()).unwrap()
}

fn violators(list: &Value) -> Vec<[String; 3]> {
    let names = ["ResourceType", "ResourceId", "ViolationReason"];
    list.as_array().unwrap().iter().map(|one| names.map(|name| text(one, name))).collect()
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_else(|| panic!("{of} has no {member}")).to_owned()
}

/// `palisade compliance` and `palisade violators`, over a socket.
fn commands_agree(house: &House, delivered: &Delivered, expected: &Everything) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = house.router();
    runtime.spawn(async move { axum::serve(listener, router).await });
    let ask = |line: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(line).args([
            "--output",
            "json",
            "--region",
            "us-east-1",
            "--endpoint",
            &endpoint,
        ]);
        command.env_clear().env("HOME", "/nonexistent");
        command.env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR").env("AWS_SECRET_ACCESS_KEY", "x");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let found = rows(&ask(&["compliance"]), delivered);
    let bare = |said: &Said| Said { violators: Vec::new(), ..said.clone() };
    let without: Everything =
        expected.iter().map(|(key, said)| (key.clone(), bare(said))).collect();
    no_difference(&found, &without, "the command for compliance");
    // Those without result have reasons to tell, and those that violate what to list.
    let mut picked: Vec<&(usize, String)> = Vec::new();
    for status in [None, Some("NON_COMPLIANT"), Some("COMPLIANT")] {
        let of = expected.iter().filter(|(_, said)| said.status.as_deref() == status);
        let keys: Vec<_> = of.map(|(key, _)| key).collect();
        let step = keys.len() / (VIOLATORS_RUN / 3) + 1;
        picked.extend(keys.into_iter().step_by(step));
    }
    for (policy, account) in picked {
        let answer = ask(&["violators", policy_id(*policy as u64).as_str(), account]);
        let said = Said { violators: violators(&answer["Violators"]), ..overall(&answer) };
        assert_eq!(said, expected[&(*policy, account.clone())], "{account}: the command");
    }
    runtime.shutdown_background();
}

/// Rows that are printed as JSON, by the names of their policies.
fn rows(answer: &Value, delivered: &Delivered) -> Everything {
    let entries = answer["PolicyComplianceStatusList"].as_array().unwrap().iter();
    let by_name = entries.map(|entry| {
        let is_it = |policy: &Value| policy["PolicyName"] == entry["PolicyName"];
        let policy = delivered.policies.iter().position(is_it).unwrap();
        let said = Said {
            violators: if entry["Violators"].is_null() {
                Vec::new()
            } else {
                violators(&entry["Violators"])
            },
            ..overall(entry)
        };
        ((policy, text(entry, "MemberAccount")), said)
    });
    by_name.collect()
}

/// `palisade check` of the same files, in folders in two orders, as JSON and as a table.
fn check_agrees(house: &House, delivered: &Delivered, folder: &Path, expected: &Everything) {
    let policies = folder.join("policies");
    std::fs::create_dir(&policies).unwrap();
    for number in 0..delivered.policies.len() {
        let input = json!({"PolicyId": policy_id(number as u64).to_string()});
        let policy = house.call("us-east-1", "GetPolicy", &input).ok()["Policy"].to_string();
        std::fs::write(policies.join(format!("{number}.json")), policy).unwrap();
    }
    std::fs::write(folder.join("organization.json"), organization(delivered.accounts).to_string())
        .unwrap();
    let run = |name: &str, order: &dyn Fn(usize) -> usize, more: &[&str]| {
        let inventory = folder.join(name);
        for (number, (name, text)) in delivered.files.iter().enumerate() {
            let place = inventory.join(format!("{:06}", order(number)));
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join(name), text).unwrap();
        }
        let output = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .env_clear()
            .args(["check", "--region", "us-east-1"])
            .args(more)
            .arg("--policy")
            .arg(&policies)
            .arg("--organization")
            .arg(folder.join("organization.json"))
            .arg(inventory)
            .output()
            .unwrap();
        // Halves of files cannot be read.
        assert!([1, 74].contains(&output.status.code().unwrap()), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let json = run("forth", &|number| number, &["--output", "json", "--violators"]);
    let found = rows(&serde_json::from_str(&json).unwrap(), delivered);
    no_difference(&found, expected, "check");
    let table = run("back", &|number| delivered.files.len() - number, &[]);
    for ((policy, account), said) in expected {
        let name = delivered.policies[*policy]["PolicyName"].as_str().unwrap();
        let status = match said.status.as_deref() {
            Some("COMPLIANT") => "complies",
            Some(_) => "violator",
            None => "no result",
        };
        let is_it =
            |line: &&str| line.contains(&format!("{name} ")) && line.contains(account.as_str());
        let line =
            table.lines().find(is_it).unwrap_or_else(|| panic!("{account} is not in the table"));
        let shown = line.contains(&format!(" {status}"));
        assert!(shown, "{status}, and the table: {line}");
    }
}

fn no_difference(found: &Everything, expected: &Everything, place: &str) {
    assert!(found.keys().eq(expected.keys()), "{place}: the same accounts");
    let other = found.iter().filter(|(key, said)| **said != expected[*key]);
    let told: Vec<String> = other
        .map(|(key, said)| format!("{key:?}: {place} {said:?}, the server {:?}", expected[key]))
        .collect();
    assert!(told.is_empty(), "{} differences\n{}", told.len(), told.join("\n"));
}

/// The answer of one operation.
fn call(house: &House, operation: &str, input: &Value, protocol: Protocol) -> Value {
    if protocol == Protocol::Json {
        return house.call("us-east-1", operation, input).ok();
    }
    let mut body = Vec::new();
    in_cbor(input, &mut body);
    let request = Request::post(format!("/service/AWSFMS_20180101/operation/{operation}"))
        .header("host", "localhost")
        .header("content-type", "application/cbor")
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("authorization", house::authorization("us-east-1"))
        .body(Body::from(body))
        .unwrap();
    let (status, answer) = house.send_bytes(request);
    assert_eq!(status, 200, "{operation}");
    of_cbor(&mut Reader::new(&answer)).unwrap()
}

fn in_cbor(value: &Value, bytes: &mut Vec<u8>) {
    let head = |major: u8, number: u64, bytes: &mut Vec<u8>| {
        bytes.push(major << 5 | 27);
        bytes.extend(number.to_be_bytes());
    };
    match value {
        Value::Number(number) => head(0, number.as_u64().unwrap(), bytes),
        Value::String(text) => {
            head(3, text.len() as u64, bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Object(members) => {
            head(5, members.len() as u64, bytes);
            for (name, value) in members {
                in_cbor(&json!(name), bytes);
                in_cbor(value, bytes);
            }
        }
        other => panic!("no input has {other:?}"),
    }
}

/// Any CBOR as JSON; a moment is its seconds, `None` the end of a list or map.
fn of_cbor(reader: &mut Reader<'_>) -> Option<Value> {
    let left = |at: u64, length: Option<u64>| length.is_none_or(|length| at < length);
    Some(match reader.head().unwrap() {
        Head::Unsigned(number) => json!(number),
        Head::Negative(number) => json!(-1.0 - number as f64),
        Head::Float(number) => json!(number),
        Head::Text(length) => json!(reader.text(length).unwrap()),
        Head::Tag(1) => of_cbor(reader).unwrap(),
        Head::Simple(value @ 20..=21) => json!(value == 21),
        Head::Array(length) => {
            let mut items = Vec::new();
            while left(items.len() as u64, length)
                && let Some(item) = of_cbor(reader)
            {
                items.push(item);
            }
            Value::Array(items)
        }
        Head::Map(length) => {
            let mut members = Map::new();
            while left(members.len() as u64, length)
                && let Some(name) = of_cbor(reader)
            {
                members.insert(name.as_str().unwrap().to_owned(), of_cbor(reader).unwrap());
            }
            Value::Object(members)
        }
        Head::Break => return None,
        other => panic!("no answer has {other:?}"),
    })
}
