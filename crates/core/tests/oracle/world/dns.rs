//! Worlds of DNS firewalls: VPCs and the rule groups associated with them, most of them nearly as a
//! policy wants them.

use serde_json::{Value, json};

use super::audit::in_words;
use super::items::{Ids, captured, deleted, delivery, histories, item, not_recorded, recorder};
use super::{OTHER, policy};
use crate::random::Random;

const VPC: &str = "AWS::EC2::VPC";
const ASSOCIATION: &str = "AWS::Route53Resolver::FirewallRuleGroupAssociation";
/// What the recorder may record.
const TYPES: [&str; 6] = [
    ASSOCIATION,
    VPC,
    "AWS::EC2::Subnet",
    "AWS::EC2::Instance",
    "AWS::EC2::RouteTable",
    "AWS::S3::Bucket",
];
const GROUPS: [&str; 3] = ["rslvr-frg-0a", "rslvr-frg-0b", "rslvr-frg-0c"];

pub(super) fn dns_case(case: &mut Value, random: &mut Random) {
    let region = "eu-west-1";
    case["region"] = json!(region);
    let (first, last) = [(1, 0), (1, 0), (0, 1), (1, 1), (2, 0)][random.below(5)];
    let from = random.below(3);
    let mut wanted: Vec<(&str, i64)> = vec![];
    for at in 0..first + last {
        let priority = if at < first { [1, 2, 99][random.below(3)] } else { 9_901 };
        if wanted.iter().any(|(_, taken)| *taken == priority) {
            continue;
        }
        wanted.push((GROUPS[(from + at) % 3], priority));
    }
    let as_wanted = |lower: bool| -> Vec<Value> {
        let of_side = wanted.iter().filter(|(_, priority)| (*priority < 9_000) == lower);
        of_side.map(|(id, at)| json!({"ruleGroupId": id, "priority": at})).collect()
    };
    let mut data = json!({"type": "DNS_FIREWALL", "preProcessRuleGroups": as_wanted(true),
        "postProcessRuleGroups": as_wanted(false)});
    in_words(case, &mut data, random);
    case["policy"] = policy("dns", "DNS_FIREWALL", &data, &[VPC]);

    let account = case["account"].as_str().expect("an account").to_owned();
    let mut ids = Ids(0);
    let mut items = vec![];
    let mut vpcs = vec!["vpc-01".to_owned()];
    for at in 0..random.below(3) {
        let id = format!("vpc-0{}", at + 2);
        let owner = if random.chance(20) { OTHER } else { &account };
        let body = json!({"vpcId": id, "cidrBlock": "10.9.0.0/16", "ownerId": owner, "tags": []});
        let made = item(random, &account, region, VPC, &id, body);
        items.push(if random.chance(2) { not_recorded(&made) } else { made });
        vpcs.push(id);
    }
    let right = [15, 40, 90][random.below(3)];
    for vpc in &vpcs {
        for want in &wanted {
            if random.chance(22) {
                continue;
            }
            items.push(association(random, (&account, region), vpc, want, right, &mut ids));
        }
        if random.chance(25) {
            let own = (random.pick(&GROUPS), 200);
            items.push(association(random, (&account, region), vpc, &own, 50, &mut ids));
        }
    }
    if random.chance(10) {
        let at = random.below(items.len().max(1));
        if let Some(gone) = items.get(at).cloned() {
            items.push(deleted(&gone, if random.chance(50) { 5 } else { -5 }));
        }
    }
    histories(random, &mut items);
    recorder(random, &account, region, &mut items, &TYPES);
    case["delivery"] = delivery(random, &account, region, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

/// An association as wanted, or one thing off.
fn association(
    random: &mut Random,
    (account, region): (&str, &str),
    vpc: &str,
    (group, priority): &(&str, i64),
    right: usize,
    ids: &mut Ids,
) -> Value {
    let id = ids.next("rslvr-frgassoc");
    let mut body = json!({"Id": id, "Name": "of the fleet", "FirewallRuleGroupId": group, "VpcId": vpc,
        "Priority": priority, "MutationProtection": "ENABLED", "Status": "COMPLETE"});
    if random.chance(50) {
        body["ManagedOwnerName"] = json!("Firewall Manager");
    }
    if !random.chance(right) {
        match random.below(7) {
            0 => body["FirewallRuleGroupId"] = json!(random.pick(&GROUPS)),
            1 => body["VpcId"] = json!("vpc-09"),
            2 | 3 => body["Priority"] = json!(priority + [1, -1, 100][random.below(3)]),
            4 | 5 => body["Status"] = json!(random.pick(&["UPDATING", "DELETING"])),
            _ => {
                let members = ["FirewallRuleGroupId", "VpcId", "Priority", "Status"];
                let body = body.as_object_mut().expect("built as one");
                body.remove(random.pick(&members));
            }
        }
    }
    let mut made = item(random, account, region, ASSOCIATION, &id, body);
    if random.chance(20) {
        captured(&mut made, 1);
    }
    if random.chance(3) { not_recorded(&made) } else { made }
}
