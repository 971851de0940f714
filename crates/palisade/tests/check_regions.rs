//! Which Regions `palisade check` judges, and what it answers when nothing was seen of one.

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

    /// Checks one account's European snapshot, in which a `global` item lies, under `policy`.
    fn check(policy: &Value, more: &[&str]) -> (i32, Vec<Value>) {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let mut org = organization(1);
        org["DefaultAdministrator"] = json!(account(0));
        std::fs::write(place("organization.json"), org.to_string()).unwrap();
        std::fs::write(place("policy.json"), policy.to_string()).unwrap();
        let mut clean = group(&account(0), "sg-1", 1, "10.0.0.0/16", 443);
        clean["awsRegion"] = json!("eu-west-1");
        let mut role = item(&account(0), "AWS::IAM::Role", "AROA1", 1, &json!({"roleName": "r"}));
        role["awsRegion"] = json!("global");
        let (name, text) = snapshot(&account(0), 1, &[role, clean]);
        std::fs::write(place(&name.replace("us-east-1", "eu-west-1")), text).unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["check", "--output", "json", "--policy"])
            .arg(place("policy.json"))
            .arg("--organization")
            .arg(place("organization.json"))
            .args(more)
            .arg(folder.path().join(name.replace("us-east-1", "eu-west-1")))
            .output()
            .unwrap();
        let answer: Value =
            serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        let rows = answer["PolicyComplianceStatusList"].as_array().unwrap().clone();
        (run.status.code().unwrap(), rows)
    }

    #[test]
    fn global_items_in_a_regional_file_do_not_make_their_home_a_region_to_judge() {
        let policy =
            audit("narrow", &["AWS::EC2::SecurityGroup"], &json!([{"denyProtocolAllValue": true}]));
        let (code, rows) = check(&policy, &[]);
        let regions: Vec<&str> = rows.iter().map(|row| row["Region"].as_str().unwrap()).collect();
        assert_eq!((code, regions), (0, vec!["eu-west-1"]), "{rows:?}");
    }

    #[test]
    fn a_file_that_may_be_anybodys_and_cannot_be_read_is_held_against_everybody() {
        let policy =
            audit("narrow", &["AWS::EC2::SecurityGroup"], &json!([{"denyProtocolAllValue": true}]));
        let folder = tempfile::tempdir().unwrap();
        let cut_off = folder.path().join("cut-off.json");
        std::fs::write(&cut_off, r#"{"configurationItems":[{"configuration":{"#).unwrap();
        let (code, rows) = check(&policy, &[cut_off.to_str().unwrap()]);
        assert_eq!((code, rows.len()), (74, 1), "{rows:?}");
        assert_eq!(rows[0]["EvaluationResults"], json!([]));
        let issue = rows[0]["IssueInfoMap"]["AWSCONFIG"].as_str().unwrap();
        assert_eq!(issue, "Delivery file cut-off.json could not be read.");
    }

    #[test]
    fn a_policy_about_distributions_of_which_nothing_was_seen_is_not_known_to_be_kept() {
        let data = json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
        let policy = json!({"PolicyName": "edge", "ResourceType": "AWS::CloudFront::Distribution",
            "ExcludeResourceTags": false, "RemediationEnabled": false,
            "SecurityServicePolicyData": {"Type": "WAFV2", "ManagedServiceData": data.to_string()}});
        let (code, rows) = check(&policy, &[]);
        assert_eq!(code, 2, "{rows:?}");
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (&rows[0]["Region"], &rows[0]["EvaluationResults"]),
            (&json!("us-east-1"), &json!([]))
        );
        let (code, rows) = check(&policy, &["--region", "eu-west-1"]);
        assert_eq!((code, rows.len()), (2, 0), "{rows:?}");
    }
}
