//! What the whole-program tests share: a small generator, deliveries as text, a store that judges.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod meddled;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade::worker::{self, Judging};
use palisade_api::ControlView;
use palisade_core::evaluate::{self, Evidence};
use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};
use palisade_core::inventory::{Delivery, DeliveryReader};
use palisade_core::ledger::{self, Entry, Record};
use palisade_core::organization::Organization;
use palisade_core::policy::PolicyFile;
use palisade_store::{Administrator, ControlChange, PolicyRecord, Store, StoreError, Want};
use serde_json::{Value, json};

/// The moment at which the tests' clock stands, milliseconds since the epoch.
pub const NOW_MS: i64 = 1_793_520_000_000;

pub fn account(number: u64) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

/// `count` accounts below two nested units; the first is the management account and the second
/// the default administrator.
pub fn organization(count: u64) -> Value {
    let accounts: Vec<Value> = (0..count)
        .map(|number| {
            let parent = ["r-root", "ou-root-outer001", "ou-root-inner001"][(number % 3) as usize];
            json!({"Id": account(number), "Name": format!("account {number}"), "Status": "ACTIVE", "ParentId": parent})
        })
        .collect();
    json!({
        "Organization": {"Id": "o-shuffled01", "ManagementAccountId": account(0)},
        "Roots": [{"Id": "r-root"}],
        "OrganizationalUnits": [
            {"Id": "ou-root-outer001", "Name": "outer", "ParentId": "r-root"},
            {"Id": "ou-root-inner001", "Name": "inner", "ParentId": "ou-root-outer001"},
        ],
        "Accounts": accounts,
        "DefaultAdministrator": account(1),
    })
}

pub fn item(account: &str, kind: &str, id: &str, state: u64, configuration: &Value) -> Value {
    let captured = 1_793_500_000_000_u64 + state;
    json!({
        "configuration": configuration,
        "supplementaryConfiguration": {}, "relationships": [], "tags": {},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": captured,
        "configurationStateId": captured,
        "awsAccountId": account, "configurationItemStatus": "OK", "resourceType": kind,
        "resourceId": id, "awsRegion": "us-east-1",
    })
}

/// A security group that opens one port to one range.
pub fn group(account: &str, id: &str, state: u64, cidr: &str, port: u64) -> Value {
    let permission = json!({"ipProtocol": "tcp", "fromPort": port, "toPort": port, "userIdGroupPairs": [],
        "ipv4Ranges": [{"cidrIp": cidr}], "ipv6Ranges": [], "ipRanges": [cidr], "prefixListIds": []});
    let body = json!({"groupId": id, "groupName": format!("name {id}"), "ownerId": account,
        "vpcId": format!("vpc-{account}"), "ipPermissions": [permission], "ipPermissionsEgress": []});
    item(account, "AWS::EC2::SecurityGroup", id, state, &body)
}

pub fn interface(account: &str, id: &str, state: u64, groups: &[&str]) -> Value {
    let groups: Vec<Value> =
        groups.iter().map(|id| json!({"groupId": id, "groupName": "x"})).collect();
    let vpc = format!("vpc-{account}");
    let body =
        json!({"networkInterfaceId": id, "groups": groups, "vpcId": vpc, "status": "in-use"});
    item(account, "AWS::EC2::NetworkInterface", id, state, &body)
}

pub const RECORDER: &str = "AWS::Config::ConfigurationRecorder";

/// The item of a recorder that records everything.
pub fn recorder(account: &str) -> Value {
    let body = json!({"Recording": true, "RecordingGroup": {"AllSupported": true}});
    item(account, RECORDER, "default", 1, &body)
}

/// A snapshot's file name and text; `minute` is its moment past 06:00 on a fixed day.
pub fn snapshot(account: &str, minute: u64, items: &[Value]) -> (String, String) {
    let name = format!(
        "{account}_Config_us-east-1_ConfigSnapshot_20261101T06{minute:02}00Z_00000000-0000-4000-8000-000000000000.json"
    );
    let mut items = items.to_vec();
    // A delivered snapshot holds the recorder's item.
    if items.iter().all(|item| item["resourceType"] != RECORDER) {
        let mut recorder = recorder(account);
        let region =
            items.iter().map(|item| &item["awsRegion"]).find(|region| **region != "global");
        recorder["awsRegion"] = region.cloned().unwrap_or_else(|| json!("us-east-1"));
        items.push(recorder);
    }
    let text = json!({"fileVersion": "1.0", "configSnapshotId": "00000000-0000-4000-8000-000000000000",
        "configurationItems": items});
    (name, text.to_string())
}

pub fn history(account: &str, items: &[Value]) -> (String, String) {
    let name = format!(
        "{account}_Config_us-east-1_ConfigHistory_AWS::EC2::SecurityGroup_20261101T060000Z_20261101T120000Z_1.json"
    );
    (name, json!({"fileVersion": "1.0", "configurationItems": items}).to_string())
}

pub fn read(name: &str, text: &str) -> Delivery {
    let mut reader = DeliveryReader::new(name);
    reader.push(text.as_bytes()).unwrap();
    let delivery = reader.finish().unwrap();
    assert!(delivery.quarantined.is_empty(), "{:?}", delivery.quarantined);
    delivery
}

/// A content audit with managed options, as PutPolicy receives it.
pub fn audit(name: &str, types: &[&str], options: &Value) -> Value {
    let data =
        json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT", "preManagedOptions": options}).to_string();
    json!({"PolicyName": name, "ResourceType": "ResourceTypeList", "ResourceTypeList": types,
        "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data}})
}

/// A policy whose audit group lives in the administrator's account.
pub fn custom_audit(name: &str, group: &str) -> Value {
    let data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT", "securityGroups": [{"id": group}],
        "securityGroupAction": {"type": "ALLOW"}})
    .to_string();
    json!({"PolicyName": name, "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data}})
}

/// Policy ids of the tests: 36 characters.
pub fn policy_id(number: u64) -> PolicyId {
    PolicyId::try_from(format!("00000000-0000-4000-8000-{number:012}").as_str()).unwrap()
}

/// Applies an organization and policies to a store, as the API would.
pub fn decide(store: &dyn Store, organization: &Value, policies: &[Value]) {
    let organization = Organization::parse(organization.to_string().as_bytes()).unwrap();
    let admin = organization.default_administrator.clone().unwrap();
    let mut changes = vec![
        ControlChange::PutOrganization(Arc::new(organization)),
        ControlChange::PutAdministrator(admin.clone(), Administrator::default_one(0)),
    ];
    for (number, policy) in policies.iter().enumerate() {
        let file = PolicyFile::parse(policy.to_string().as_bytes()).unwrap();
        changes.push(ControlChange::PutPolicy(Arc::new(PolicyRecord {
            id: policy_id(number as u64),
            owner: admin.clone(),
            region: Region::try_from("us-east-1").unwrap(),
            revision: 1,
            token: "1:AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
            former_names: Vec::new(),
            former_entry_sets: None,
            document: file.policy,
            tags: BTreeMap::new(),
            created_ms: 0,
            updated_ms: 0,
        })));
    }
    store.commit(store.control_revision().unwrap(), &changes, NOW_MS).unwrap();
    store.stale_by(Judging::default().stale_after_ms, NOW_MS).unwrap();
}

/// The current view of a store's control state.
pub fn view(store: &dyn Store) -> Result<Arc<ControlView>, StoreError> {
    Ok(Arc::new(ControlView::new(store.control()?)))
}

/// Does all work that is due.
pub fn settle(store: &dyn Store) {
    settle_at(store, NOW_MS);
}

pub fn settle_at(store: &dyn Store, now_ms: i64) {
    let fixed = view(store).unwrap();
    while worker::round(store, &|| Ok(fixed.clone()), Judging::default(), now_ms).unwrap() > 0 {}
    let work = store.work(now_ms).unwrap();
    assert_eq!((work.dirty, work.leased), (0, 0), "{work:?}");
}

/// The whole ledger as text, one line an entry or violator. Not told is which state broke the policy
/// first: as the moment of judging, that depends on what was judged before, and so on the order.
pub fn ledger(store: &dyn Store) -> String {
    let control = store.control().unwrap();
    let mut lines = Vec::new();
    for policy in control.policies.keys() {
        let mut after: Option<AccountId> = None;
        loop {
            let rows = store.entries(policy, after.as_ref(), None, 500).unwrap();
            let Some(last) = rows.last() else { break };
            after = Some(last.account.clone());
            for row in rows {
                lines.push(format!(
                    "{policy} {} {}",
                    row.account,
                    serde_json::to_string(&row.entry).unwrap()
                ));
                for mut violator in store.violators(policy, &row.account, None, 100_000).unwrap() {
                    violator.captured_ms = None;
                    lines.push(format!("  {}", serde_json::to_string(&violator).unwrap()));
                }
            }
        }
    }
    lines.join("\n")
}

/// Judges everything anew from what the store holds and compares with its ledger, times apart.
/// Answers how many entries were compared.
pub fn assert_ledger_is_a_fresh_judgement(store: &dyn Store, now_ms: i64) -> usize {
    let view = view(store).unwrap();
    let organization = view.organization().unwrap();
    let mut compared = 0;
    for policy in view.policies() {
        let references = evaluate::references(policy);
        for account in organization.accounts.keys() {
            let shard = ShardId { account: account.clone(), region: policy.region.clone() };
            let recorded = store.entry(&policy.id, account).unwrap();
            if !policy.scope.has_account(organization, account) {
                assert!(recorded.is_none(), "{account} is out of scope of {}", policy.name);
                continue;
            }
            let loaded = store.load(&Want::whole(&shard, &references, &[])).unwrap();
            let evidence = Evidence {
                shard: &loaded.shard,
                references: &loaded.references,
                account: &loaded.account,
                evaluated_ms: now_ms,
                stale_after_ms: Judging::default().stale_after_ms,
            };
            let fresh = evaluate::judge(policy, &evidence);
            let recorded =
                recorded.unwrap_or_else(|| panic!("{account} has no entry of {}", policy.name));
            let first = ledger::advance(&Record::default(), &fresh, policy.revision, now_ms);
            let since_ms = recorded.entry.since_ms;
            let expected = Entry { since_ms, ..first.unwrap().entry };
            assert_eq!(recorded.entry, expected, "{account} {}", policy.name);
            let rows = store.violators(&policy.id, account, None, 100_000).unwrap();
            let rows: BTreeSet<String> = rows
                .iter()
                .map(|row| {
                    format!(
                        "{} {} {}",
                        row.resource_type,
                        row.id,
                        serde_json::to_string(&row.violations).unwrap()
                    )
                })
                .collect();
            let fresh: BTreeSet<String> = fresh
                .violators
                .iter()
                .map(|found| {
                    format!(
                        "{} {} {}",
                        found.resource_type,
                        found.id,
                        serde_json::to_string(&found.violations).unwrap()
                    )
                })
                .collect();
            assert_eq!(rows, fresh, "{account} {}", policy.name);
            compared += 1;
        }
    }
    compared
}
