//! Networks that several accounts share (semantics §11 row 41), through the worker and through `check`.

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
    use palisade_core::ident::AccountId;
    use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
    use palisade_store::{Inventory, Ledger};
    use serde_json::{Value, json};

    /// Accounts 0 to 3, of which the first owns the network; none has users of its own.
    const OWNER: u64 = 0;
    const GUEST: u64 = 2;
    const STRANGE: u64 = 3;

    fn usage() -> Value {
        let data =
            json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true});
        json!({"PolicyName": "used", "ResourceType": "AWS::EC2::SecurityGroup",
            "ExcludeResourceTags": false, "RemediationEnabled": false, "SecurityServicePolicyData":
                {"Type": "SECURITY_GROUPS_USAGE_AUDIT", "ManagedServiceData": data.to_string()}})
    }

    fn content() -> Value {
        let types = ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface"];
        audit("narrow", &types, &json!([{"minIpv4CidrPrefixLenPerSgRule": 8}]))
    }

    fn recorder(account: u64, types: &[&str]) -> Value {
        let body = json!({"Recording": true, "RecordingGroup": {"AllSupported": false, "ResourceTypes": types}});
        item(
            &super::support::account(account),
            "AWS::Config::ConfigurationRecorder",
            "default",
            1,
            &body,
        )
    }

    const ALL: [&str; 3] =
        ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"];

    /// The item in the VPC that the owner shares with the others.
    fn shared(mut item: Value) -> Value {
        item["configuration"]["vpcId"] = json!(format!("vpc-{}", account(OWNER)));
        item
    }

    /// One file of each account: the owner's two groups, of which the guest's interface lists one, and a
    /// group of the strange account that the guest sees and carries. All are in the owner's VPC.
    fn files(guest_knows: bool) -> Vec<(String, String)> {
        let (owner, guest, strange) = (account(OWNER), account(GUEST), account(STRANGE));
        let types = if guest_knows { &ALL[..] } else { &["AWS::EC2::SecurityGroup"] };
        let mut seen = shared(group(&guest, "sg-seen", 1, "10.0.0.0/16", 443));
        seen["configuration"]["ownerId"] = json!(owner);
        vec![
            snapshot(
                &owner,
                1,
                &[
                    group(&owner, "sg-lent", 1, "10.0.0.0/16", 443),
                    group(&owner, "sg-idle", 1, "10.0.0.0/16", 443),
                    recorder(OWNER, &ALL),
                ],
            ),
            snapshot(
                &guest,
                1,
                &[
                    seen,
                    shared(interface(&guest, "eni-1", 1, &["sg-lent", "sg-far"])),
                    recorder(GUEST, types),
                ],
            ),
            snapshot(
                &strange,
                1,
                &[
                    shared(group(&strange, "sg-far", 1, "10.0.0.0/7", 443)),
                    shared(interface(&strange, "eni-2", 1, &["sg-far"])),
                    recorder(STRANGE, &ALL),
                ],
            ),
        ]
    }

    /// What is found, as `account policy violators status`, `?` where there is none.
    fn want(guest_knows: bool) -> Vec<String> {
        let mut want = vec![
            format!("{} narrow 1", account(GUEST)),
            format!("{} narrow 2", account(STRANGE)),
            format!("{} narrow 0", account(OWNER)),
            format!("{} used {}", account(OWNER), if guest_knows { "1" } else { "0 ?" }),
        ];
        want.sort();
        want
    }

    #[test]
    fn the_worker_judges_each_by_what_the_others_tell_in_any_order() {
        for guest_knows in [true, false] {
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let folder = tempfile::tempdir().unwrap();
                let opening = Opening {
                    fresh_sealing_key: [1; 32],
                    serve: true,
                    synchronous: Synchronous::Grouped,
                };
                let store = SqliteStore::open(&folder.path().join("store.db"), opening).unwrap();
                decide(&store, &organization(4), &[usage(), content()]);
                settle(&store);
                let files = files(guest_knows);
                for at in order {
                    let (name, text) = &files[at];
                    store.accept(&read(name, text), NOW_MS, None).unwrap();
                    settle(&store);
                }
                assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
                let mut found = Vec::new();
                for (policy, name) in [(policy_id(0), "used"), (policy_id(1), "narrow")] {
                    for n in [OWNER, GUEST, STRANGE] {
                        let account = AccountId::try_from(account(n).as_str()).unwrap();
                        let entry = store.entry(&policy, &account).unwrap().unwrap().entry;
                        let status = if entry.status.is_none() { " ?" } else { "" };
                        found.push(format!("{account} {name} {}{status}", entry.violator_count));
                    }
                }
                for want in want(guest_knows) {
                    assert!(found.contains(&want), "{want} in {found:?}, order {order:?}");
                }
            }
        }
    }

    #[test]
    fn check_judges_each_by_what_the_others_tell() {
        for guest_knows in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let place = |name: &str| folder.path().join(name);
            std::fs::create_dir(place("logs")).unwrap();
            std::fs::write(place("organization.json"), organization(4).to_string()).unwrap();
            std::fs::write(place("used.json"), usage().to_string()).unwrap();
            std::fs::write(place("narrow.json"), content().to_string()).unwrap();
            for (name, text) in files(guest_knows) {
                std::fs::write(place("logs").join(name), text).unwrap();
            }
            let run = Command::new(env!("CARGO_BIN_EXE_palisade"))
                .args(["check", "--output", "json", "--policy"])
                .arg(place("used.json"))
                .arg("--policy")
                .arg(place("narrow.json"))
                .arg("--organization")
                .arg(place("organization.json"))
                .arg(place("logs"))
                .output()
                .unwrap();
            let answer: Value =
                serde_json::from_slice(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
            let rows = answer["PolicyComplianceStatusList"].as_array().unwrap();
            let found: Vec<String> = rows
                .iter()
                .map(|row| {
                    let results = row["EvaluationResults"].as_array().unwrap();
                    let count =
                        results.first().map_or(0, |first| first["ViolatorCount"].as_u64().unwrap());
                    let (account, policy) = (
                        row["MemberAccount"].as_str().unwrap(),
                        row["PolicyName"].as_str().unwrap(),
                    );
                    let status = if results.is_empty() { " ?" } else { "" };
                    format!("{account} {policy} {count}{status}")
                })
                .collect();
            for want in want(guest_knows) {
                assert!(found.contains(&want), "{want} in {found:?}");
            }
        }
    }
}
