//! `palisade check`: files judged without a server.

use std::process::Output;

use serde_json::{Value, json};

use super::world::*;

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
        // A column is as wide as the age in it.
        if let Some(before) = text.strip_suffix("Age").filter(|before| before.ends_with(' ')) {
            return format!("{}   Age\n", before.trim_end());
        }
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
