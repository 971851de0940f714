//! `change ITEMS TIMES`: one security group of a shard changes and is judged, again and again, so that
//! `cargo xtask instructions` can hold what a change costs against a budget, and against the size of
//! the shard that it is in.

use std::error::Error;
use std::sync::Arc;

use palisade::worker::{self, Judging};
use palisade_api::ControlView;
use palisade_core::evaluate::Status;
use palisade_core::ident::{AccountId, PolicyId, Region};
use palisade_core::inventory::{Delivery, DeliveryReader};

use palisade_core::organization::Organization;
use palisade_core::policy::PolicyFile;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{
    Administrator, Control, ControlChange, Inventory, Ledger, PolicyRecord, Store,
};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 2026-02-03T04:50:00Z
const NOW_MS: i64 = 1_770_094_200_000;
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "100000000002";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().unwrap_or_default().parse::<u64>();
    let (Ok(items), Ok(times)) = (number(), number()) else {
        return Err("usage: change ITEMS TIMES".into());
    };
    let store = SqliteStore::in_memory([7; 32])?;
    decide(&store)?;
    let groups = (0..items).map(|n| group(n, 0, false));
    let all: Vec<Value> = groups.chain([recorder()]).collect();
    store.accept(&read(&all)?, NOW_MS, None)?;
    let view = Arc::new(ControlView::new(store.control()?));
    let work_off = || -> Result<()> {
        while worker::round(&store, &|| Ok(view.clone()), Judging::default(), NOW_MS)? > 0 {}
        Ok(())
    };
    work_off()?;
    for time in 0..times {
        let opens = time.is_multiple_of(2);
        store.accept(&read(&[group(items / 2, time + 1, opens)])?, NOW_MS, None)?;
        work_off()?;
        let entry = store.entry(&policy_id()?, &AccountId::try_from(ACCOUNT)?)?;
        let found =
            entry.map(|row| (row.entry.in_scope, row.entry.violator_count, row.entry.status));
        let status = if opens { Status::NonCompliant } else { Status::Compliant };
        if found != Some((items, u64::from(opens), Some(status))) {
            return Err(format!("after {time} changes the ledger holds {found:?}").into());
        }
    }
    Ok(())
}

fn policy_id() -> Result<PolicyId> {
    Ok(PolicyId::try_from("00000000-0000-4000-8000-000000000001")?)
}

fn decide(store: &dyn Store) -> Result<()> {
    let account =
        |id: &str| json!({"Id": id, "Name": id, "Status": "ACTIVE", "ParentId": "r-abcd"});
    let organization = json!({
        "Organization": {"Id": "o-palisade01", "ManagementAccountId": "100000000000"},
        "Roots": [{"Id": "r-abcd"}], "OrganizationalUnits": [],
        "Accounts": [account("100000000000"), account("100000000001"), account(ACCOUNT)],
        "DefaultAdministrator": "100000000001",
    });
    let organization = Organization::parse(organization.to_string().as_bytes())?;
    let owner = organization.default_administrator.clone().ok_or("no administrator")?;
    let data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT",
        "preManagedOptions": [{"minIpv4CidrPrefixLenPerSgRule": 16}]});
    let policy = json!({"Policy": {
        "PolicyName": "narrow rules", "ResourceType": "AWS::EC2::SecurityGroup",
        "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData":
            {"Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": data.to_string()},
    }});
    let record = PolicyRecord {
        id: policy_id()?,
        owner: owner.clone(),
        region: Region::try_from(REGION)?,
        revision: 1,
        token: "1:AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        former_names: Vec::new(),
        former_entry_sets: None,
        document: PolicyFile::parse(policy.to_string().as_bytes())?.policy,
        tags: Default::default(),
        created_ms: 0,
        updated_ms: 0,
    };
    let changes = [
        ControlChange::PutOrganization(Arc::new(organization)),
        ControlChange::PutAdministrator(owner, Administrator::default_one(0)),
        ControlChange::PutPolicy(Arc::new(record)),
    ];
    store.commit(store.control_revision()?, &changes, NOW_MS)?;
    Ok(())
}

fn read(items: &[Value]) -> Result<Delivery> {
    let mut reader = DeliveryReader::new("");
    reader.push(json!({"configurationItems": items}).to_string().as_bytes())?;
    Ok(reader.finish()?)
}

/// What makes groups known in the shard, so that the account has a result.
fn recorder() -> Value {
    item(
        "AWS::Config::ConfigurationRecorder",
        "default",
        0,
        &json!({"Recording": true, "RecordingGroup": {"AllSupported": true}}),
    )
}

/// A group of one rule, which is narrow or opens to everyone.
fn group(n: u64, state: u64, opens: bool) -> Value {
    let id = format!("sg-{n:017x}");
    let cidr = if opens { "0.0.0.0/0" } else { "10.7.0.0/16" };
    let rule = json!({"fromPort": 22, "toPort": 22, "ipProtocol": "tcp", "ipv6Ranges": [],
        "prefixListIds": [], "userIdGroupPairs": [], "ipv4Ranges": [{"cidrIp": cidr}],
        "ipRanges": [cidr]});
    let body = json!({"description": "made", "groupName": "made", "groupId": id, "ownerId": ACCOUNT,
        "vpcId": "vpc-1", "tags": [], "ipPermissions": [rule], "ipPermissionsEgress": []});
    item("AWS::EC2::SecurityGroup", &id, state, &body)
}

fn item(resource_type: &str, id: &str, state: u64, body: &Value) -> Value {
    json!({
        "relatedEvents": [], "relationships": [], "configuration": body,
        "supplementaryConfiguration": {}, "tags": {}, "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-02-03T03:04:05.123Z",
        "configurationStateId": 1_770_087_845_123_u64 + state,
        "awsAccountId": ACCOUNT, "configurationItemStatus": "ResourceDiscovered",
        "resourceType": resource_type, "resourceId": id, "awsRegion": REGION,
    })
}
