//! How commands end and what they say where they are used wrongly, and where flags come from.

use super::world::*;

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
