//! What is asked beyond the ledger of now, as users ask it: the past, waivers, and how commands end.

use serde_json::{Value, json};

use super::world::*;

const REGION: [&str; 2] = ["--region", "eu-west-1"];

/// A server with the policy judged.
fn judged() -> (World, Server) {
    let world = World::new("10.0.0.0/8");
    let server = Server::start(world.0.path(), "open");
    server.done(&["organization", "apply", &world.path("organization.json")]);
    server.done(&["ingest", &world.path("AWSLogs")]);
    server.done(&[&["policies", "put", &world.path("policy.json")][..], &REGION].concat());
    settled(&server, &[&["compliance", "narrow", "--output", "json"][..], &REGION].concat());
    (world, server)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// In the Region of the tests: exit code, and what is written to either stream.
fn ask(server: &Server, line: &[&str]) -> (i32, String) {
    let output = server.run(&[line, &REGION].concat(), None);
    (code(&output), stdout(&output) + &stderr(&output))
}

#[test]
fn a_finding_is_told_from_a_server_that_refuses() {
    let (_world, server) = judged();
    let start = "2020-01-01T00:00:00Z";
    let (status, told) = ask(&server, &["diff", "--exit-code", "--from", start]);
    assert_eq!((status, told.contains("is before the past that is kept")), (69, true), "{told}");
    let (_, page) = ask(&server, &["changes", "--output", "json"]);
    let page: Value = serde_json::from_str(&page).unwrap();
    let from = page["From"].as_str().unwrap();
    assert_eq!(ask(&server, &["diff", "--exit-code", "--from", from]).0, 1);
    assert_eq!(ask(&server, &["diff", "--from", from]).0, 0);
    let at = now();
    let (status, told) = ask(&server, &["diff", "--exit-code", "--from", &at, "--to", &at]);
    assert_eq!((status, told.starts_with("0 changes")), (0, true), "{told}");
    // Neither is nothing told read as compliance.
    let fail_on = ["compliance", "--fail-on", "violators"];
    assert_eq!(ask(&server, &fail_on).0, 1);
    let elsewhere = server.run(&[&fail_on[..], &["--region", "us-west-2"]].concat(), None);
    assert_eq!(code(&elsewhere), 2, "{}", stderr(&elsewhere));
    let down = palisade(&fail_on).env("PALISADE_ENDPOINT", "http://127.0.0.1:9").output().unwrap();
    assert_eq!(code(&down), 69);
}

#[test]
fn a_policy_that_was_deleted_is_asked_for_by_its_name() {
    let (_world, server) = judged();
    let at = now();
    server.done(&[&["policies", "delete", "narrow"][..], &REGION].concat());
    let (status, told) = ask(&server, &["history", "narrow", "one"]);
    assert_eq!((status, told.contains("with --at")), (64, true), "{told}");
    for account in ["one", MEMBER] {
        let (status, told) = ask(&server, &["history", "narrow", account, "--at", &at]);
        assert_eq!((status, told.contains("1 violator")), (0, true), "{told}");
    }
    let (status, told) = ask(&server, &["compliance", "narrow", "--at", &at]);
    assert_eq!(status, 0);
    // Its age is told, and since when it was told so.
    assert!(told.starts_with(&format!("As it was told at {at}, ")), "{told}");
    assert!(told.contains(" s ago:") && told.contains("Since"), "{told}");
    let (_, told) = ask(&server, &["compliance", "narrow", "--at", &at, "--output", "csv"]);
    let mut lines = told.lines();
    assert!(lines.next().unwrap().ends_with(",UnitPath,At,ToldSince"), "{told}");
    assert!(lines.next().unwrap().contains(&format!(",Root,{at},")), "{told}");
    let (_, told) = ask(&server, &["violators", "narrow", "one", "--at", &at]);
    assert!(told.contains(" s ago") && told.contains(", so since "), "{told}");
}

#[test]
fn waivers_are_kept_in_a_repository_and_applied_in_one_step() {
    let (world, server) = judged();
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 30);
    let until = format!("{until:.0}");
    let waiver = |resource: &str| {
        json!({"policy": "narrow", "resource": resource, "accounts": ["one"], "reason": "moves",
            "owner": "net", "until": until})
    };
    world.write("waivers/a.json", &json!({"waivers": [waiver("sg-1")]}));
    let mut wrong = waiver("sg-2");
    wrong["resourceType"] = json!("AWS::EC2::SecurityGroups");
    world.write("waivers/b.json", &json!({"waivers": [waiver("sg-3"), wrong]}));
    let folder = world.path("waivers");
    let (status, told) = ask(&server, &["waivers", "apply", &folder]);
    assert_eq!(status, 69);
    assert!(told.contains("b.json`: waiver 2: ") && told.contains("SecurityGroups"), "{told}");
    let (_, told) = ask(&server, &["waivers", "list", "--output", "csv"]);
    assert_eq!(told.lines().count(), 1, "nothing of the folder was applied: {told}");
    world.write("waivers/b.json", &json!({"waivers": [waiver("sg-3"), waiver("sg-*")]}));
    let (status, told) = ask(&server, &["waivers", "apply", &folder]);
    assert_eq!((status, told.contains("say so with --confirm")), (69, true), "{told}");
    world.write("waivers/b.json", &json!({"waivers": [waiver("sg-3")]}));
    let (status, told) = ask(&server, &["waivers", "apply", &folder]);
    assert_eq!((status, told.matches(" made: ").count()), (0, 2), "{told}");
    let (_, told) = ask(&server, &["waivers", "apply", &folder]);
    assert_eq!(told.matches(" stays: ").count(), 2, "{told}");
    // A table and a spreadsheet have the same words.
    let (_, table) = ask(&server, &["waivers", "list"]);
    let (_, csv) = ask(&server, &["waivers", "list", "--output", "csv"]);
    for word in ["in force", "covers nothing", "narrow", "Owner", "Reason", "State"] {
        assert!(table.contains(word) && csv.contains(word), "{word}: {table}{csv}");
    }
    assert!(csv.contains(&format!(",{MEMBER},")), "a name became an id: {csv}");
    let (_, told) = ask(&server, &["explain", "narrow", "one", "sg-1"]);
    assert!(told.contains("below Root\n"), "{told}");
    assert!(told.contains(&format!("Waived until {until} by net:")), "{told}");
    let add = ["waivers", "add", "narrow", "sg-9", "--account", "one", "--until", &until];
    let add = [&add[..], &["--reason", "r", "--owner", "o"]].concat();
    let (status, told) = ask(&server, &add);
    assert_eq!((status, told.contains(" made: sg-9 of narrow")), (0, true), "{told}");
    let nobody: Vec<&str> =
        add.iter().map(|word| if *word == "one" { "none" } else { word }).collect();
    let (status, told) = ask(&server, &nobody);
    assert_eq!((status, told.contains("no account named `none`")), (64, true), "{told}");
}
