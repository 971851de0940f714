//! Networks that accounts share, parts of which the newer tells, and groups that bear the names of
//! replicas (semantics §11 rows 41, 42, 57).

use serde_json::{Value, json};

use super::audit::{group, permission};
use super::files::{note, push_snapshot};
use super::items::{Ids, captured, item, push, recorder};
use super::{ADMIN, MEMBER, OTHER};
use crate::random::Random;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const ASSOCIATION: &str = "AWS::EC2::SecurityGroupVpcAssociation";

/// Policies of common groups whose replicas there may be.
pub const COMMON: [&str; 3] = [
    "00000000-0000-4000-8000-000000000000",
    "c0c0c0c0-0000-4000-8000-000000000001",
    "c0c0c0c0-0000-4000-8000-000000000002",
];

/// Names of groups: of customers, AWS's own, Firewall Manager's, and such as look like them.
pub fn name_of_group(random: &mut Random) -> String {
    match random.below(18) {
        0 | 1 => "default".to_owned(),
        2 => "Default".to_owned(),
        3 | 4 => format!("FMManagedSecurityGroup{}-sg-0b", COMMON[random.below(3)]),
        5 => format!("FMManagedSecurityGroup{}-sg-0b-vpc-01", COMMON[random.below(2)]),
        6 => match random.below(5) {
            0 => "FMManagedSecurityGroup".to_owned(),
            1 => format!("FMManagedSecurityGroup-{}-sg-0b", COMMON[0]),
            2 => format!("xFMManagedSecurityGroup{}-sg-0b", COMMON[0]),
            3 => format!("FMManagedSecurityGroup{}", COMMON[0]),
            _ => "FMManagedSecurityGroup0-sg-0b".to_owned(),
        },
        _ => "web".to_owned(),
    }
}

/// Which of the policies the store knows, and which the setting names.
pub fn name_policies(case: &mut Value, random: &mut Random) {
    for (key, share) in [("commonPolicies", 45), ("fmsPolicies", 25)] {
        let known: Vec<&str> = COMMON.into_iter().filter(|_| random.chance(share)).collect();
        case[key] = json!(known);
    }
    let named = |item: &Value| {
        let name = item["configuration"]["groupName"].as_str().unwrap_or_default();
        name.contains("FMManagedSecurityGroup")
    };
    let items = case["delivery"]["configurationItems"].as_array();
    if items.is_some_and(|items| items.iter().any(named)) {
        note(case, "names of replicas");
    }
}

/// Other accounts in the same network.
pub fn share(case: &mut Value, random: &mut Random) {
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    let other = random.pick(&[OTHER, OTHER, "444444444444", ADMIN, MEMBER]).to_owned();
    if other == account || other == ADMIN {
        return;
    }
    let mut ids = Ids(0x500);
    let own: Vec<String> = case["delivery"]["configurationItems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item["resourceType"] == GROUP)
        .filter_map(|item| item["resourceId"].as_str().map(str::to_owned))
        .collect();
    let mut theirs = vec![];
    let mut ours = vec![];
    // A group of theirs, told by their inventory or by ours.
    let foreign = ids.next("sg");
    let rules: Vec<Value> = (0..random.below(3)).map(|_| permission(random)).collect();
    let name = name_of_group(random);
    let mut told = group(random, &foreign, &other, &name, &rules, &[]);
    match random.below(4) {
        0 => {
            if random.chance(40) {
                // Both tell of it, one of them later.
                let mut again = group(random, &foreign, &other, &name, &[], &[]);
                captured(&mut again, [-3, 0, 3][random.below(3)]);
                if random.chance(20) {
                    again = super::not_recorded(&again);
                }
                theirs.push(again);
            }
            told["awsAccountId"] = json!(account);
            ours.push(told);
        }
        1 => {}
        _ => theirs.push(told),
    }
    let some = |random: &mut Random| -> Vec<Value> {
        let mut some = vec![];
        for id in own.iter().chain([&foreign]) {
            if random.chance(40) {
                some.push(json!({"groupId": id, "groupName": "web"}));
            }
        }
        some
    };
    for _ in 0..1 + random.below(2) {
        let id = ids.next("eni");
        let owner = if random.chance(50) { account.clone() } else { other.clone() };
        let teller = if random.chance(50) { account.clone() } else { other.clone() };
        let body = json!({
            "networkInterfaceId": id, "groups": some(random), "status": "in-use",
            "vpcId": random.pick(&["vpc-01", "vpc-02"]), "interfaceType": "interface",
            "requesterManaged": false, "ownerId": owner, "tagSet": [],
        });
        let mut made = item(random, &teller, "eu-west-1", INTERFACE, &id, body);
        if random.chance(50) {
            captured(&mut made, 3);
        }
        if teller == account { ours.push(made) } else { theirs.push(made) }
    }
    if random.chance(12) {
        let id = ids.next("i");
        let state = ["running", "running", "terminated", ""][random.below(4)];
        let mut body = json!({"vpcId": "vpc-01", "securityGroups": some(random), "tags": [],
            "networkInterfaces": []});
        if !state.is_empty() {
            body["state"] = json!({"name": state});
        }
        theirs.push(item(random, &other, "eu-west-1", INSTANCE, &id, body));
    }
    // One of the account's own carriers has their group on it.
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    let carrier = items.iter_mut().find(|item| {
        item["resourceType"] == INTERFACE && item["configuration"]["groups"].is_array()
    });
    if let Some(carrier) = carrier.filter(|_| random.chance(60)) {
        push(&mut carrier["configuration"], "groups", json!({"groupId": foreign}));
    }
    items.extend(ours);
    for id in own.iter().chain([&foreign]).take(2) {
        if random.chance(15) {
            let state = ["associated", "associated", "disassociated"][random.below(3)];
            let body = json!({
                "GroupId": id, "VpcId": "vpc-02", "VpcOwnerId": other, "State": state,
            });
            let (teller, id) = (random.pick(&[&account, &other]), format!("{id}|vpc-02"));
            let made = item(random, teller, "eu-west-1", ASSOCIATION, &id, body);
            if *teller == account { items.push(made) } else { theirs.push(made) }
        }
    }
    recorder(random, &other, "eu-west-1", &mut theirs, &[GROUP, INTERFACE, INSTANCE]);
    if random.chance(90) {
        push_snapshot(case, &other, "eu-west-1", theirs);
    }
    note(case, "shared networks");
}

/// An interface and its instance of which one is newer and tells other groups.
pub fn part(case: &mut Value, random: &mut Random) {
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    let with_interfaces = |item: &Value| {
        let entries = item["configuration"]["networkInterfaces"].as_array();
        item["resourceType"] == INSTANCE && entries.is_some_and(|entries| !entries.is_empty())
    };
    let Some(at) = items.iter().position(with_interfaces) else { return };
    // Of two states of one version neither is the newer.
    if items.iter().filter(|item| item["resourceId"] == items[at]["resourceId"]).count() > 1 {
        return;
    }
    let entries = items[at]["configuration"]["networkInterfaces"].as_array().cloned();
    let entries = entries.unwrap_or_default();
    let entry_at = random.below(entries.len());
    let entry = &entries[entry_at];
    let interface = items.iter().position(|item| {
        item["resourceType"] == INTERFACE
            && item["resourceId"] == entry["networkInterfaceId"]
            && item["configuration"].is_object()
    });
    let groups: Vec<Value> = items
        .iter()
        .filter(|item| item["resourceType"] == GROUP && random.chance(50))
        .map(|item| json!({"groupId": item["resourceId"]}))
        .collect();
    captured(&mut items[at], [-1, 0, 2][random.below(3)]);
    if let Some(interface) = interface {
        captured(&mut items[interface], [-1, 0, 2][random.below(3)]);
        if items[interface]["configuration"]["groups"].is_array() && random.chance(60) {
            items[interface]["configuration"]["groups"] = json!(groups);
        } else {
            items[at]["configuration"]["networkInterfaces"][entry_at]["groups"] = json!(groups);
            if entry["attachment"]["deviceIndex"] == 0 {
                items[at]["configuration"]["securityGroups"] = json!(groups);
            }
        }
        match random.below(8) {
            0 => items[interface] = super::not_recorded(&items[interface]),
            1 => items[interface] = super::items::deleted(&items[interface], 5),
            2 => items[interface]["configuration"]["attachment"] = Value::Null,
            _ => {}
        }
    }
    note(case, "newer parts");
}

/// An interface that two instances say is on them, of one moment or of two.
pub fn attach_twice(case: &mut Value, random: &mut Random) {
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    let with_interfaces = |item: &&Value| {
        let entries = item["configuration"]["networkInterfaces"].as_array();
        item["resourceType"] == INSTANCE && entries.is_some_and(|entries| !entries.is_empty())
    };
    let Some(one) = items.iter().find(with_interfaces).cloned() else { return };
    let groups: Vec<Value> = items
        .iter()
        .filter(|item| item["resourceType"] == GROUP && random.chance(40))
        .map(|item| json!({"groupId": item["resourceId"]}))
        .collect();
    let mut other = one.clone();
    other["resourceId"] = json!("i-0f0f0");
    let entries = other["configuration"]["networkInterfaces"].as_array_mut().expect("seen above");
    let at = random.below(entries.len());
    let mut entry = entries.swap_remove(at);
    if random.chance(75) {
        entry["groups"] = json!(groups);
    }
    if random.chance(30) {
        entry["attachment"]["deviceIndex"] = json!(random.below(2));
    }
    if entry["attachment"]["deviceIndex"] == 0 {
        other["configuration"]["securityGroups"] = entry["groups"].clone();
    }
    other["configuration"]["instanceId"] = json!("i-0f0f0");
    other["configuration"]["networkInterfaces"] = json!([entry]);
    captured(&mut other, [-1, 0, 0, 0, 2][random.below(5)]);
    items.push(other);
    note(case, "newer parts");
}
