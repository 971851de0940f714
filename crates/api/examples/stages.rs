//! `stages decode|judge|ingest TIMES`: one stage of the data flow, again and again over the same
//! generated snapshot, so that `cargo xtask instructions` can hold its cost against a budget.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_core::evaluate::{self, Evidence};
use palisade_core::ident::{PolicyId, Region, ShardId};
use palisade_core::inventory::{Delivery, DeliveryReader};
use palisade_core::organization::Organization;
use palisade_core::policy::PolicyFile;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Administrator, Control, ControlChange, Inventory, PolicyRecord, Want};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 2026-02-03T04:50:00Z
const NOW_MS: i64 = 1_770_094_200_000;
const REGION: &str = "us-east-1";
/// Accounts with a snapshot each, which is how many times one can be taken in.
const ACCOUNTS: u64 = 8;
/// Items of one snapshot: of these the first 50 are groups, the next 20 load balancers, the next
/// their web ACL.
const ITEMS: u64 = 500;
/// Name of the policy whose web ACL most of the load balancers have.
const WEB_ACL_POLICY: &str = "web-acl";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let stage = arguments.next().unwrap_or_default();
    let times: usize = arguments.next().unwrap_or_default().parse()?;
    match stage.as_str() {
        "decode" => decode(&snapshot(2), times),
        "judge" => judge(&read(&name(2), &snapshot(2))?, times),
        "ingest" => ingest(times),
        _ => Err("usage: stages decode|judge|ingest TIMES".into()),
    }
}

fn decode(text: &str, times: usize) -> Result<()> {
    for _ in 0..times {
        let items = read(&name(2), text)?.encoded.len();
        if items as u64 != ITEMS {
            return Err(format!("{items} items were read").into());
        }
    }
    Ok(())
}

/// One shard under a content audit and a WAFV2 policy.
fn judge(delivery: &Delivery, times: usize) -> Result<()> {
    let store = store()?;
    store.accept(delivery, NOW_MS, None)?;
    let shard = ShardId { account: account(2).as_str().try_into()?, region: region()? };
    let view = ControlView::new(store.control()?);
    let loaded = store.load(&Want::whole(&shard, &BTreeSet::new(), &[]))?;
    let evidence = Evidence {
        shard: &loaded.shard,
        references: &loaded.references,
        account: &loaded.account,
        evaluated_ms: NOW_MS,
        stale_after_ms: None,
    };
    for _ in 0..times {
        let found: Vec<usize> = view
            .policies()
            .map(|policy| evaluate::judge(policy, &evidence).violators.len())
            .collect();
        if found != [10, 4] {
            return Err(format!("{found:?} violators").into());
        }
    }
    Ok(())
}

/// Snapshots of different accounts, each new to the store.
fn ingest(times: usize) -> Result<()> {
    let store = store()?;
    // All of them, however many are taken in.
    let deliveries: Vec<Delivery> =
        (2..ACCOUNTS + 2).map(|n| read(&name(n), &snapshot(n))).collect::<Result<_>>()?;
    if times > deliveries.len() {
        return Err(format!("at most {ACCOUNTS} times").into());
    }
    for delivery in deliveries.iter().take(times) {
        let taken: u64 = store.accept(delivery, NOW_MS, None)?.accepted.values().sum();
        if taken != ITEMS {
            return Err(format!("{taken} items were taken in").into());
        }
    }
    Ok(())
}

/// A store with an organization, its administrator and the two policies.
fn store() -> Result<SqliteStore> {
    let store = SqliteStore::in_memory([7; 32])?;
    let organization = Organization::parse(organization().to_string().as_bytes())?;
    let admin = organization.default_administrator.clone().ok_or("no administrator")?;
    let mut changes = vec![
        ControlChange::PutOrganization(Arc::new(organization)),
        ControlChange::PutAdministrator(admin.clone(), Administrator::default_one(0)),
    ];
    for (n, policy) in [audit(), web_acl()].into_iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-{n:012}");
        changes.push(ControlChange::PutPolicy(Arc::new(PolicyRecord {
            id: PolicyId::try_from(id.as_str())?,
            owner: admin.clone(),
            region: region()?,
            revision: 1,
            token: "1:AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
            former_names: Vec::new(),
            former_entry_sets: None,
            document: PolicyFile::parse(policy.to_string().as_bytes())?.policy,
            tags: BTreeMap::new(),
            created_ms: 0,
            updated_ms: 0,
        })));
    }
    store.commit(store.control_revision()?, &changes, NOW_MS)?;
    Ok(store)
}

fn region() -> Result<Region> {
    Ok(Region::try_from(REGION)?)
}

fn account(n: u64) -> String {
    (100_000_000_000 + n).to_string()
}

fn organization() -> Value {
    let account = |n: u64| json!({"Id": account(n), "Name": format!("account {n}"), "Status": "ACTIVE", "ParentId": "r-abcd"});
    json!({
        "Organization": {"Id": "o-palisade01", "ManagementAccountId": self::account(0)},
        "Roots": [{"Id": "r-abcd"}],
        "OrganizationalUnits": [],
        "Accounts": (0..ACCOUNTS + 2).map(account).collect::<Vec<_>>(),
        "DefaultAdministrator": self::account(1),
    })
}

fn policy(name: &str, resource_type: &str, data: &Value) -> Value {
    json!({
        "PolicyName": name, "ResourceType": resource_type,
        "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": data["type"], "ManagedServiceData": data.to_string()},
    })
}

fn audit() -> Value {
    let data = json!({
        "type": "SECURITY_GROUPS_CONTENT_AUDIT",
        "preManagedOptions": [{"denyProtocolAllValue": true}, {"minIpv4CidrPrefixLenPerSgRule": 16}],
    });
    policy("narrow rules", "AWS::EC2::SecurityGroup", &data)
}

fn web_acl() -> Value {
    let data = json!({
        "type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
        "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false,
    });
    policy(WEB_ACL_POLICY, "AWS::ElasticLoadBalancingV2::LoadBalancer", &data)
}

fn read(name: &str, text: &str) -> Result<Delivery> {
    let mut reader = DeliveryReader::new(name).encoding();
    // Chunks as files are read, so that items span them.
    for chunk in text.as_bytes().chunks(128 * 1024) {
        reader.push(chunk)?;
    }
    Ok(reader.finish()?)
}

fn name(n: u64) -> String {
    format!(
        "{}_Config_{REGION}_ConfigSnapshot_20260203T040506Z_00000000-0000-4000-8000-{n:012}.json",
        account(n)
    )
}

/// A snapshot as AWS Config writes it: on one line, two kilobytes or so an item.
fn snapshot(n: u64) -> String {
    let items: Vec<Value> = (0..ITEMS).map(|at| item(n, at)).collect();
    json!({
        "fileVersion": "1.0",
        "configSnapshotId": format!("00000000-0000-4000-8000-{n:012}"),
        "configurationItems": items,
    })
    .to_string()
}

fn item(n: u64, at: u64) -> Value {
    let account = account(n);
    let (resource_type, id, configuration) = match at {
        0..50 => group(&account, at),
        50..70 => balancer(&account, at),
        70 => made_web_acl(&account),
        _ => bystander(&account, at),
    };
    let supplementary = match (50..70).contains(&at) {
        // Every fifth load balancer goes without.
        true if at.is_multiple_of(5) => {
            json!({"LoadBalancerAttributes": [{"key": "waf.enabled", "value": "false"}]})
        }
        true => json!({"LoadBalancerAttributes": [{"key": "waf.enabled", "value": "true"},
            {"key": "waf.web_acl_id", "value": web_acl_arn(&account)}]}),
        false => json!({}),
    };
    json!({
        "relatedEvents": [], "relationships": [], "configuration": configuration,
        "supplementaryConfiguration": supplementary,
        "tags": {"team": "platform", "managed-by": "terraform", "Name": format!("item {at}")},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-02-01T03:04:05.123Z",
        "configurationStateId": 1_769_915_045_123_u64 + at,
        "awsAccountId": account, "configurationItemStatus": "ResourceDiscovered",
        "resourceType": resource_type, "resourceId": id, "ARN": id, "awsRegion": REGION,
        "availabilityZone": "Not Applicable", "configurationStateMd5Hash": "",
        "resourceCreationTime": "2025-03-04T05:06:07.000Z",
    })
}

fn web_acl_arn(account: &str) -> String {
    format!(
        "arn:aws:wafv2:{REGION}:{account}:regional/webacl/FMManagedWebACLV2-{WEB_ACL_POLICY}-1760000000000/1"
    )
}

/// The web ACL that the policy would have made.
fn made_web_acl(account: &str) -> (&'static str, String, Value) {
    let arn = web_acl_arn(account);
    let body = json!({"ARN": arn, "Id": "1", "Capacity": 0, "Rules": [],
        "Name": format!("FMManagedWebACLV2-{WEB_ACL_POLICY}-1760000000000"),
        "DefaultAction": {"Allow": {}}, "ManagedByFirewallManager": true,
        "RetrofittedByFirewallManager": false, "PreProcessFirewallManagerRuleGroups": [],
        "PostProcessFirewallManagerRuleGroups": [],
        "LabelNamespace": format!("awswaf:{account}:webacl:{WEB_ACL_POLICY}:")});
    ("AWS::WAFv2::WebACL", arn, body)
}

/// A group of four rules; every fifth opens a range wider than the audit takes.
fn group(account: &str, at: u64) -> (&'static str, String, Value) {
    let id = format!("sg-{at:017x}");
    let rule = |port: u64, cidr: &str| {
        json!({"fromPort": port, "toPort": port, "ipProtocol": "tcp", "ipv6Ranges": [], "prefixListIds": [],
            "userIdGroupPairs": [], "ipv4Ranges": [{"cidrIp": cidr}], "ipRanges": [cidr]})
    };
    let wide = if at.is_multiple_of(5) { "10.0.0.0/8" } else { "10.7.0.0/16" };
    let rules = [rule(443, "10.1.0.0/16"), rule(8080, "10.2.3.0/24"), rule(5432, wide)];
    let body = json!({"description": "made", "groupName": format!("group {at}"), "groupId": id,
        "ownerId": account, "vpcId": "vpc-1", "tags": [], "ipPermissions": rules,
        "ipPermissionsEgress": [rule(443, "10.9.0.0/16")]});
    ("AWS::EC2::SecurityGroup", id, body)
}

fn balancer(account: &str, at: u64) -> (&'static str, String, Value) {
    let arn = format!(
        "arn:aws:elasticloadbalancing:{REGION}:{account}:loadbalancer/app/front-{at}/{at:016x}"
    );
    let body = json!({"loadBalancerArn": arn, "loadBalancerName": format!("front-{at}"),
        "scheme": "internet-facing", "vpcId": "vpc-1", "state": {"code": "active", "reason": null},
        "type": "application", "securityGroups": ["sg-00000000000000001"], "ipAddressType": "ipv4"});
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", arn, body)
}

/// A type that no policy reads.
fn bystander(account: &str, at: u64) -> (&'static str, String, Value) {
    let arn = format!("arn:aws:lambda:{REGION}:{account}:function:job-{at}");
    let variables: BTreeMap<String, String> =
        (0..16).map(|n| (format!("SETTING_{n}"), format!("value {n} of \"job {at}\""))).collect();
    let body = json!({"functionName": format!("job-{at}"), "functionArn": arn, "runtime": "python3.13",
        "handler": "main.handle", "codeSize": 4_096 + at, "timeout": 30, "memorySize": 512,
        "environment": {"variables": variables}, "layers": [], "vpcConfig": {"subnetIds": [], "securityGroupIds": []}});
    ("AWS::Lambda::Function", arn, body)
}
