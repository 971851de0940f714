//! Client commands and the server that they speak to.

use serde_json::{Value, json};

use super::world::*;

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
    assert_eq!((&told["Verdict"], &told["ResourceId"]), (&json!("violates"), &json!("sg-1")));
    let told = server.done(&[&explain[..], &["--output", "csv"]].concat());
    assert!(
        told.starts_with("PolicyId,PolicyName,Region,") && told.contains(",violates,"),
        "{told}"
    );
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
