//! `palisade check` of inventory that comes without the recorder's item (semantics §11 row 36).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

mod tests {
    use std::process::Command;

    use super::support::*;
    use serde_json::{Value, json};

    /// Exit code and status of a check of one account by one file, and what went to standard error.
    fn check(items: &[Value], more: &[&str]) -> (i32, Option<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("organization.json"), organization(2).to_string()).unwrap();
        let deny = json!([{"denyProtocolAllValue": true}]);
        let mut policy = audit("narrow", &["AWS::EC2::SecurityGroup"], &deny);
        policy["IncludeMap"] = json!({"ACCOUNT": [account(0)]});
        std::fs::write(place("policy.json"), policy.to_string()).unwrap();
        let (name, text) = history(&account(0), items);
        std::fs::write(place(&name), text).unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["check", "--output", "json", "--region", "us-east-1", "--policy"])
            .arg(place("policy.json"))
            .arg("--organization")
            .arg(place("organization.json"))
            .args(more)
            .arg(place(&name))
            .output()
            .unwrap();
        let answer: Value = serde_json::from_slice(&run.stdout).unwrap_or(Value::Null);
        let result = &answer["PolicyComplianceStatusList"][0]["EvaluationResults"][0];
        let status = result["ComplianceStatus"].as_str().map(str::to_owned);
        (run.status.code().unwrap(), status, String::from_utf8(run.stderr).unwrap())
    }

    fn good() -> Value {
        group(&account(0), "sg-1", 1, "10.0.0.0/16", 443)
    }

    #[test]
    fn a_history_makes_its_type_judged_and_the_operators_word_makes_it_known() {
        let bad = {
            let mut bad = group(&account(0), "sg-2", 1, "10.0.0.0/16", 443);
            bad["configuration"]["ipPermissions"][0]["ipProtocol"] = json!("-1");
            bad
        };
        let word = |status: &str| Some(status.to_owned());
        for (items, more, want) in [
            (vec![good()], vec![], (2, None)),
            (vec![good(), recorder(&account(0))], vec![], (0, word("COMPLIANT"))),
            (vec![good()], vec!["--assume-recorded", "all"], (0, word("COMPLIANT"))),
            (
                vec![good()],
                vec!["--assume-recorded", "AWS::EC2::SecurityGroup"],
                (0, word("COMPLIANT")),
            ),
            (vec![good()], vec!["--assume-recorded", "AWS::EC2::Instance"], (2, None)),
            (vec![bad], vec![], (1, word("NON_COMPLIANT"))),
        ] {
            let (code, status, said) = check(&items, &more);
            assert_eq!((code, status), want, "{more:?}: {said}");
        }
    }

    #[test]
    fn a_word_that_changes_nothing_is_refused() {
        let (code, _, said) = check(&[good()], &["--assume-recorded", "AWS::EC2::Volume"]);
        assert_eq!(code, 64, "{said}");
        assert!(said.contains("no policy reads resources of type `AWS::EC2::Volume`"), "{said}");
    }
}
