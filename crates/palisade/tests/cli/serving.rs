//! Servers: what the doctor says of one, where one cannot start, how one ends, and quickstart's.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::world::*;

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
