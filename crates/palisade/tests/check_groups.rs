//! What `palisade check` makes of security groups that Firewall Manager made, or that only bear such a
//! name.

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

    const KNOWN: &str = "0a1b2c3d-0000-4000-8000-000000000001";

    /// Semantics §11 row 57.
    #[test]
    fn groups_are_firewall_managers_own_by_the_policies_given_and_the_setting() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let mut org = organization(1);
        org["DefaultAdministrator"] = json!(account(0));
        std::fs::write(place("organization.json"), org.to_string()).unwrap();
        let options = json!([{"allowedPortCountPerSgRule": 0}]);
        let policy = audit("narrow", &["AWS::EC2::SecurityGroup"], &options);
        std::fs::write(place("audit.json"), policy.to_string()).unwrap();
        let data = json!({"type": "SECURITY_GROUPS_COMMON", "revertManualSecurityGroupChanges": false,
            "exclusiveResourceSecurityGroupManagement": false, "applyToAllEC2InstanceENIs": false,
            "securityGroups": [{"id": "sg-9"}]});
        let common = json!({"PolicyId": KNOWN, "PolicyName": "common",
            "ResourceType": "AWS::EC2::Instance", "ExcludeResourceTags": false,
            "RemediationEnabled": false, "SecurityServicePolicyData":
                {"Type": "SECURITY_GROUPS_COMMON", "ManagedServiceData": data.to_string()}});
        std::fs::write(place("common.json"), common.to_string()).unwrap();
        let mut made = group(&account(0), "sg-1", 1, "10.0.0.0/16", 443);
        made["configuration"]["groupName"] = json!(format!("FMManagedSecurityGroup{KNOWN}-sg-9"));
        let (name, text) = snapshot(&account(0), 1, &[made]);
        std::fs::write(place(&name), text).unwrap();
        let count = |more: &[&str]| {
            let run = Command::new(env!("CARGO_BIN_EXE_palisade"))
                .args(["check", "--output", "json", "--violators", "--policy"])
                .arg(place("audit.json"))
                .arg("--organization")
                .arg(place("organization.json"))
                .args(more)
                .arg(place(&name))
                .output()
                .unwrap();
            let answer: Value =
                serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
            let rows = answer["PolicyComplianceStatusList"].as_array().unwrap();
            let row = rows.iter().find(|row| row["PolicyName"] == "narrow").unwrap();
            let told = row.to_string();
            let count = told.matches("RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP").count();
            assert_eq!(told.contains("only bears a name like"), count > 0, "{told}");
            count
        };
        let common = place("common.json");
        let common = common.to_str().unwrap();
        assert_eq!(count(&[]), 1);
        assert_eq!(count(&["--fms-policy", KNOWN]), 0);
        assert_eq!(count(&["--fms-policy", "0a1b2c3d-0000-4000-8000-000000000002"]), 1);
        assert_eq!(count(&["--policy", common]), 0);
    }
}
