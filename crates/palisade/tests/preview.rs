//! A preview is what PutPolicy then finds, and leaves no trace: on generated fleets a draft is previewed,
//! then put and judged, and both must tell the same. An explanation is what the ledger holds.
//!
//! `PALISADE_PREVIEWS` sets how many fleets, `PALISADE_SEED` which.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use house::{House, escaped};
use palisade_core::ident::AccountId;
use palisade_store::{Control as _, Ledger as _, Work as _};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use support::*;

#[path = "support/house.rs"]
mod house;

/// Fleets of an ordinary run.
const FLEETS: u64 = 100;
const SEED: u64 = 20_261_201;
const ACCOUNTS: u64 = 4;
const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const SUBNET: &str = "AWS::EC2::Subnet";
const REGION: &str = "us-east-1";
const CIDRS: [&str; 4] = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.168.7.0/24"];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A policy of any kind that the fleet has resources for, as PutPolicy takes it.
fn policy(name: &str, dice: &mut Rng) -> Value {
    let mut policy = match dice.u64(..5) {
        0 => audit(
            name,
            &[GROUP, INTERFACE],
            &json!([{"minIpv4CidrPrefixLenPerSgRule": dice.u64(8..25)}]),
        ),
        1 => audit(
            name,
            &[GROUP],
            &json!([{"denyProtocolAllValue": true, "minIpv4CidrPrefixLenPerSgRule": dice.u64(8..25)}]),
        ),
        2 => custom_audit(name, "sg-1-0"),
        3 => network_acl(name, dice),
        _ => {
            let data = json!({"type": "SECURITY_GROUPS_USAGE_AUDIT",
                "deleteUnusedSecurityGroups": true, "coalesceRedundantSecurityGroups": dice.bool(),
                "optionalDelayForUnusedInMinutes": 0});
            json!({"PolicyName": name, "ResourceType": GROUP, "ExcludeResourceTags": false,
                "RemediationEnabled": false, "SecurityServicePolicyData":
                    {"Type": data["type"], "ManagedServiceData": data.to_string()}})
        }
    };
    scope(&mut policy, dice);
    policy
}

fn scope(policy: &mut Value, dice: &mut Rng) {
    let some = account(dice.u64(..ACCOUNTS));
    match dice.u64(..6) {
        0 => policy["IncludeMap"] = json!({"ACCOUNT": [some]}),
        1 => policy["ExcludeMap"] = json!({"ACCOUNT": [some]}),
        2 => policy["IncludeMap"] = json!({"ORG_UNIT": ["ou-root-outer001"]}),
        3 => policy["ExcludeMap"] = json!({"ORG_UNIT": ["ou-root-inner001"]}),
        _ => {}
    }
    if dice.u64(..3) == 0 {
        policy["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
        policy["ExcludeResourceTags"] = json!(dice.bool());
    }
}

/// A policy on network ACLs: of several that are about a subnet the oldest judges it.
fn network_acl(name: &str, dice: &mut Rng) -> Value {
    let port = [22, 3389][dice.u64(..2) as usize];
    json!({
        "PolicyName": name, "ResourceType": SUBNET, "ExcludeResourceTags": false,
        "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": "NETWORK_ACL_COMMON", "PolicyOption":
            {"NetworkAclCommonPolicy": {"NetworkAclEntrySet": {
                "ForceRemediateForFirstEntries": false, "ForceRemediateForLastEntries": false,
                "FirstEntries": [{"Protocol": "tcp", "PortRange": {"From": port, "To": port},
                    "CidrBlock": "0.0.0.0/0", "RuleAction": "deny", "Egress": false}],
            }}}},
    })
}

fn subnet(account: &str, id: &str) -> Value {
    let body = json!({"subnetId": id, "vpcId": format!("vpc-{account}"), "ownerId": account,
        "availabilityZone": "us-east-1a"});
    item(account, SUBNET, id, 1, &body)
}

fn acl(account: &str, id: &str, subnets: &[String], port: u64) -> Value {
    let associations: Vec<Value> = subnets
        .iter()
        .map(|subnet| json!({"networkAclAssociationId": format!("a-{subnet}"), "networkAclId": id, "subnetId": subnet}))
        .collect();
    let entry = |number: u64, action: &str, from: u64, to: u64, egress: bool| {
        json!({"ruleNumber": number, "protocol": "6", "ruleAction": action, "egress": egress,
            "cidrBlock": "0.0.0.0/0", "portRange": {"from": from, "to": to}})
    };
    let body = json!({"networkAclId": id, "vpcId": format!("vpc-{account}"), "isDefault": false,
        "ownerId": account, "associations": associations,
        "entries": [entry(1, "deny", port, port, false), entry(100, "allow", 0, 65535, false),
            entry(100, "allow", 0, 65535, true)]});
    item(account, "AWS::EC2::NetworkAcl", id, 1, &body)
}

/// A server with an organization, some policies in force, and inventory of most accounts, judged.
fn fleet(dice: &mut Rng) -> House {
    let house = House::open();
    house.own("PUT", "/palisade/v1/organization", organization(ACCOUNTS).to_string()).ok();
    for number in 0..ACCOUNTS {
        if dice.u64(..8) == 0 {
            continue;
        }
        let id = account(number);
        let mut items = Vec::new();
        for at in 0..dice.u64(1..5) {
            let cidr = CIDRS[dice.u64(..4) as usize];
            let group_id = format!("sg-{number}-{at}");
            items.push(group(&id, &group_id, 1, cidr, [22, 443][dice.u64(..2) as usize]));
            if dice.bool() {
                items.push(interface(&id, &format!("eni-{number}-{at}"), 1, &[&group_id]));
            }
        }
        let subnets: Vec<String> = (0..3).map(|at| format!("subnet-{number}-{at}")).collect();
        items.extend(subnets.iter().map(|subnet_id| subnet(&id, subnet_id)));
        items.push(acl(
            &id,
            &format!("acl-{number}"),
            &subnets,
            [22, 3389][dice.u64(..2) as usize],
        ));
        for item in &mut items {
            match dice.u64(..8) {
                0..=2 => item["tags"] = json!({"env": "prod"}),
                3 => item["configuration"] = Value::Null,
                _ => {}
            }
        }
        let (name, text) = snapshot(&id, 1, &items);
        house.ingest(&name, text.as_bytes()).ok();
    }
    for at in 0..dice.u64(0..4) {
        put(&house, &policy(&format!("policy {at}"), dice));
    }
    house.settle();
    // What is put later is younger.
    house.advance_ms(1);
    house
}

fn put(house: &House, policy: &Value) {
    house.call(REGION, "PutPolicy", &json!({"Policy": policy})).ok();
}

/// What a ledger holds of a policy.
#[derive(Debug, Default, PartialEq)]
struct Held {
    accounts: BTreeSet<String>,
    in_scope: u64,
    /// By account, type and id what is wrong.
    violators: BTreeMap<(String, String, String), String>,
    statuses: BTreeMap<String, String>,
}

/// By policy's name.
fn held(house: &House) -> BTreeMap<String, Held> {
    let control = house.store.control().unwrap();
    let mut all = BTreeMap::new();
    for (id, record) in &control.policies {
        let mut held = Held::default();
        for row in house.store.entries(id, None, None, 1_000).unwrap() {
            let account = row.account.to_string();
            held.accounts.insert(account.clone());
            held.in_scope += row.entry.in_scope;
            held.statuses.insert(account.clone(), format!("{:?}", row.entry.status));
            for one in house.store.violators(id, &row.account, None, 10_000).unwrap() {
                let key = (account.clone(), one.resource_type.to_string(), one.id.to_string());
                held.violators.insert(key, serde_json::to_string(&one.violations).unwrap());
            }
        }
        all.insert(record.document.policy_name.clone(), held);
    }
    all
}

/// Everything that a store holds, as text: whatever leaves a trace changes it.
fn digest(house: &House) -> String {
    let control = house.store.control().unwrap();
    let work = house.store.work(NOW_MS).unwrap();
    let audit = house.own("GET", "/palisade/v1/audit?limit=100", "").ok();
    format!("{control:?} {work:?} {audit} {}", ledger(&*house.store))
}

/// A draft: policies as PutPolicy takes them, and another organization now and then.
fn draft(house: &House, dice: &mut Rng) -> Value {
    let mut policies = Vec::new();
    let control = house.store.control().unwrap();
    for record in control.policies.values() {
        if dice.bool() {
            continue;
        }
        let known = house.call(REGION, "GetPolicy", &json!({"PolicyId": record.id})).ok();
        let mut edited = known["Policy"].clone();
        let members = edited.as_object_mut().unwrap();
        members.remove("IncludeMap");
        members.remove("ExcludeMap");
        scope(&mut edited, dice);
        policies.push(json!({"Policy": edited}));
    }
    if policies.is_empty() || dice.bool() {
        policies.push(json!({"Policy": policy("the draft", dice)}));
    }
    let mut draft = json!({"policies": policies});
    if dice.u64(..3) == 0 {
        let mut moved = organization(ACCOUNTS);
        let at = dice.u64(2..ACCOUNTS) as usize;
        let parents = ["r-root", "ou-root-outer001", "ou-root-inner001"];
        moved["Accounts"][at]["ParentId"] = json!(parents[dice.u64(..3) as usize]);
        if dice.u64(..4) == 0 {
            moved["Accounts"][at]["Status"] = json!("SUSPENDED");
        }
        draft["organization"] = moved;
        if dice.bool() {
            draft["policies"] = json!([]);
        }
    }
    draft
}

fn make_real(house: &House, draft: &Value) {
    if draft["organization"].is_object() {
        let path = "/palisade/v1/organization?confirm=true";
        house.own("PUT", path, draft["organization"].to_string()).ok();
    }
    for request in draft["policies"].as_array().unwrap() {
        // In the order of the draft, one after the other.
        house.advance_ms(1);
        house.call(REGION, "PutPolicy", request).ok();
    }
    house.settle();
}

fn keys(list: &Value) -> BTreeSet<(String, String, String)> {
    let first = list["first"].as_array().unwrap();
    assert_eq!(list["count"], first.len() as u64, "nothing is cut");
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    first
        .iter()
        .map(|one| (text(one, "account"), text(one, "resourceType"), text(one, "resourceId")))
        .collect()
}

fn accounts(list: &Value) -> BTreeSet<String> {
    let first = list["first"].as_array().unwrap();
    first.iter().map(|one| one["account"].as_str().unwrap().to_owned()).collect()
}

/// That a preview told what the ledger held before and holds after.
fn is_what_was_found(
    preview: &Value,
    before: &BTreeMap<String, Held>,
    after: &BTreeMap<String, Held>,
) {
    let told: BTreeMap<&str, &Value> = preview["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one))
        .collect();
    let nothing = Held::default();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = false;
    for name in names {
        let (was, is) = (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
        let Some(one) = told.get(name.as_str()) else {
            assert_eq!(was, is, "{name} is not previewed and changes");
            continue;
        };
        let subtract = |a: &BTreeMap<(String, String, String), String>,
                        b: &BTreeMap<(String, String, String), String>| {
            a.keys().filter(|key| !b.contains_key(*key)).cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(keys(&one["gained"]), subtract(&is.violators, &was.violators), "{name} gains");
        assert_eq!(keys(&one["lost"]), subtract(&was.violators, &is.violators), "{name} loses");
        let altered: BTreeSet<_> = is
            .violators
            .iter()
            .filter(|(key, now)| was.violators.get(*key).is_some_and(|then| then != *now))
            .map(|(key, _)| key.clone())
            .collect();
        assert_eq!(keys(&one["altered"]), altered, "{name} alters");
        let entered: BTreeSet<String> = is.accounts.difference(&was.accounts).cloned().collect();
        let left: BTreeSet<String> = was.accounts.difference(&is.accounts).cloned().collect();
        assert_eq!(accounts(&one["entered"]), entered, "{name}");
        assert_eq!(accounts(&one["left"]), left, "{name}");
        assert_eq!(one["accounts"]["after"], is.accounts.len() as u64, "{name}");
        assert_eq!(one["accounts"]["before"], was.accounts.len() as u64, "{name}");
        if one["becomes"] != "kept" {
            assert_eq!(one["resourcesInScope"]["before"], was.in_scope, "{name}");
            assert_eq!(one["resourcesInScope"]["after"], is.in_scope, "{name}");
            assert_eq!(one["violators"]["after"], is.violators.len() as u64, "{name}");
            let is_empty = is.accounts.is_empty() || is.in_scope == 0;
            let told = preview["nothingInScope"].as_array().unwrap().contains(&json!(name));
            assert_eq!(told, is_empty, "{name}: nothing in scope");
        }
        changes |= was != is;
    }
    // An edit may change nothing that is found.
    assert_eq!(preview["changes"], changes, "something changes");
}

#[test]
fn a_preview_is_what_putting_then_finds_and_leaves_no_trace() {
    let (seed, fleets) = (setting("PALISADE_SEED", SEED), setting("PALISADE_PREVIEWS", FLEETS));
    println!("seed {seed}, {fleets} fleets");
    let (mut changed, mut unchanged, mut gained, mut lost) = (0, 0, 0, 0);
    for number in 0..fleets {
        let dice = &mut Rng::with_seed(seed.wrapping_add(number));
        let house = fleet(dice);
        let draft = draft(&house, dice);
        let (before, untouched) = (held(&house), digest(&house));
        let preview = house.own("POST", "/palisade/v1/preview", draft.to_string()).ok();
        assert_eq!(digest(&house), untouched, "fleet {number}: a preview leaves a trace");
        make_real(&house, &draft);

        let after = held(&house);
        let same = || is_what_was_found(&preview, &before, &after);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(same)).is_err() {
            panic!("PALISADE_SEED={} PALISADE_PREVIEWS=1\n{draft:#}\n{preview:#}", seed + number);
        }
        *(if preview["changes"] == true { &mut changed } else { &mut unchanged }) += 1;
        for one in preview["policies"].as_array().unwrap() {
            gained += one["gained"]["count"].as_u64().unwrap();
            lost += one["lost"]["count"].as_u64().unwrap();
        }
    }
    println!("{changed} changed, {unchanged} not; {gained} violators gained, {lost} lost");
    assert!(fleets < FLEETS || changed > 20 && gained > 20 && lost > 5, "little happens");
}

#[test]
fn a_draft_with_mistakes_is_refused_as_putting_it_is() {
    let house = fleet(&mut Rng::with_seed(7));
    put(&house, &audit("known", &[GROUP], &json!([{"denyProtocolAllValue": true}])));
    let control = house.store.control().unwrap();
    let known = control.policies.values().find(|one| one.document.policy_name == "known").unwrap();
    let good = audit("draft", &[GROUP], &json!([{"denyProtocolAllValue": true}]));
    let with = |member: &str, value: Value| {
        let mut policy = good.clone();
        policy[member] = value;
        policy
    };
    for policy in [
        with("PolicyName", json!("")),
        with("ResourceTypeList", json!(["AWS::EC2::Nothing"])),
        with("IncludeMap", json!({"ACCOUNT": ["999999999999"]})),
        with("PolicyId", json!("00000000-0000-4000-8000-00000000dead")),
        with("PolicyId", json!(known.id)),
        with("SecurityServicePolicyData", json!({"Type": "NONE_SUCH"})),
        with("SecurityServicePolicyData", json!({"Type": "WAFV2", "ManagedServiceData": "{"})),
        json!({"PolicyName": 5}),
    ] {
        let request = json!({"Policy": policy});
        let refused = house.call(REGION, "PutPolicy", &request);
        let body = json!({"policies": [request]}).to_string();
        let previewed = house.own("POST", "/palisade/v1/preview", body);
        assert_ne!(previewed.status, 200, "{policy}");
        let (put, own) = (refused.json(), previewed.json());
        let text = put["Message"].as_str().or(put["message"].as_str()).unwrap().to_owned();
        assert_eq!(own["error"]["message"], text, "{policy}");
        assert_eq!(own["error"]["policy"], 0);
    }
    for (body, words) in [
        ("", "the body cannot be read"),
        ("{}", "nothing to preview"),
        (r#"{"policy": []}"#, "unknown field `policy`"),
        (r#"{"organization": {"Accounts": 5}}"#, "`organization`"),
    ] {
        let refused = house.own("POST", "/palisade/v1/preview", body);
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.text.contains(words), "{body}: {}", refused.text);
    }
    let many = vec![json!({"Policy": good}); 101];
    let refused = house.own("POST", "/palisade/v1/preview", json!({"policies": many}).to_string());
    assert!(refused.text.contains("101 policies; give up to 100"), "{}", refused.text);
    let hundred: Vec<Value> = (0..100)
        .map(|at| json!({"Policy": with("PolicyName", json!(format!("draft {at}")))}))
        .collect();
    let taken = house.own("POST", "/palisade/v1/preview", json!({"policies": hundred}).to_string());
    assert!(!taken.text.contains("give up to 100"), "{}", taken.text);
}

/// Every resource of a fleet is explained as the ledger holds it.
#[test]
fn an_explanation_is_what_the_ledger_holds() {
    let (mut violating, mut others) = (0, 0);
    for number in 0..12 {
        let house = fleet(&mut Rng::with_seed(SEED + number));
        let control = house.store.control().unwrap();
        for (name, held) in held(&house) {
            let find = |one: &&std::sync::Arc<palisade_store::PolicyRecord>| {
                one.document.policy_name == name
            };
            let id = &control.policies.values().find(find).unwrap().id;
            for account_number in 0..ACCOUNTS {
                let account = account(account_number);
                let shard = palisade_core::ident::ShardId {
                    account: AccountId::try_from(account.as_str()).unwrap(),
                    region: REGION.try_into().unwrap(),
                };
                let nothing = BTreeSet::new();
                let want = palisade_store::Want::whole(&shard, &nothing, &[]);
                let loaded = palisade_store::Inventory::load(&*house.store, &want).unwrap();
                for item in loaded.shard.items.values().flat_map(|items| items.values()) {
                    let (kind, resource) = (&item.key.resource_type, &item.key.id);
                    let path = format!(
                        "/palisade/v1/explain?policy={id}&account={account}&type={}&id={}",
                        escaped(kind.as_str()),
                        escaped(resource.as_str())
                    );
                    let told = house.own("GET", &path, "").ok();
                    let key = (account.clone(), kind.to_string(), resource.to_string());
                    let is_held = held.violators.contains_key(&key);
                    assert_eq!(told["verdict"] == "violates", is_held, "{name} {key:?}: {told}");
                    assert_eq!(told.get("since").is_some(), is_held, "{told}");
                    if told["verdict"] == "out-of-scope" {
                        assert!(told["filter"].is_string(), "{told}");
                    }
                    if !held.accounts.contains(&account) {
                        assert_eq!(told["verdict"], "out-of-scope", "{told}");
                        let filter = told["filter"].as_str().unwrap();
                        assert!(["include-map", "exclude-map"].contains(&filter), "{told}");
                    }
                    *(if is_held { &mut violating } else { &mut others }) += 1;
                }
            }
        }
    }
    println!("{violating} violators and {others} others are explained");
    assert!(violating > 20 && others > 100);
}

#[test]
fn what_cannot_be_explained_is_refused_with_what_to_do() {
    let house = fleet(&mut Rng::with_seed(SEED + 1));
    put(&house, &audit("known", &[GROUP], &json!([{"denyProtocolAllValue": true}])));
    let (name, text) = snapshot(
        &account(2),
        2,
        &[
            group(&account(2), "sg-2-9", 5, "10.0.0.0/8", 22),
            group(&account(2), "sg-2-8", 5, "10.0.0.0/8", 22),
        ],
    );
    house.ingest(&name, text.as_bytes()).ok();
    let control = house.store.control().unwrap();
    let id = &control.policies.values().find(|one| one.document.policy_name == "known").unwrap().id;
    let member = account(2);
    for (query, status, words) in [
        (format!("account={member}&id=sg-2-9"), 400, "`policy` is missing"),
        (format!("policy=gone&account={member}&id=sg-2-9"), 404, "policy `gone` does not exist"),
        (format!("policy={id}&account=999999999999&id=sg-2-9"), 404, "is not in the organization"),
        (format!("policy={id}&account={member}&id=sg-none"), 404, "is not known in account"),
        (
            format!("policy={id}&account={member}&id=sg-2-9&type=AWS%3A%3AEC2%3A%3AVPC"),
            404,
            "is not known in account",
        ),
        (format!("policy={id}&account={member}&id=sg-2-9&type=five"), 400, "`type` is `five`"),
        (
            format!("policy={id}&account={member}&id=sg-2-9&region=nowhere"),
            400,
            "`region` is `nowhere`",
        ),
        (
            format!("policy={id}&account={member}&id=sg-2-9&region=eu-west-1"),
            404,
            "Region `eu-west-1`",
        ),
        (format!("policy={id}&account={member}"), 400, "`id` is missing"),
        (format!("policy={id}&account={member}&id=sg-2-9"), 200, "complies"),
    ] {
        let answer = house.own("GET", &format!("/palisade/v1/explain?{query}"), "");
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        assert!(answer.text.contains(words), "{query}: {}", answer.text);
    }
}
