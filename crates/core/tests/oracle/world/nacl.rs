//! Worlds of network ACLs: subnets, and the entries of their ACLs, most of them nearly as a policy wants
//! them.

use serde_json::{Value, json};

use super::items::{Ids, captured, delivery, histories, item, not_recorded, recorder};
use super::{OTHER, policy};
use crate::boundary;
use crate::random::Random;

const SUBNET: &str = "AWS::EC2::Subnet";
const ACL: &str = "AWS::EC2::NetworkAcl";
const REGION: &str = "eu-west-1";
const IPV4: [&str; 6] =
    ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/24", "52.94.0.0/22", "8.8.8.8/32"];
const IPV6: [&str; 3] = ["::/0", "fd00::/8", "2a05:d018:1::/48"];
const PORTS: [(i64, i64); 5] = [(22, 22), (80, 80), (443, 443), (1024, 65535), (0, 65535)];

pub(super) fn nacl_case(case: &mut Value, random: &mut Random) {
    case["region"] = json!(REGION);
    let [first, last] = entry_sets(random);
    case["policy"] = nacl_policy("acls", &first, &last);
    let mut older = vec![];
    for at in 0..[0, 0, 0, 1, 2][random.below(5)] {
        let mut one = nacl_policy(&format!("older-{at}"), &[wanted(random)], &[]);
        super::scope(&mut one, random);
        if one["ResourceTags"].is_null() && random.chance(75) {
            one["ResourceTags"] = json!([{"Key": "env", "Value": random.pick(&["prod", "test"])}]);
        }
        older.push(one);
    }
    case["olderPolicies"] = json!(older);

    let account = case["account"].as_str().expect("an account").to_owned();
    let mut ids = Ids(0);
    let mut items = vec![];
    let right = [20, 60, 95][random.below(3)];
    for _ in 0..1 + random.below(2) {
        let acl_id = ids.next("acl");
        let mut associations = vec![];
        for _ in 0..1 + random.below(2) {
            let id = ids.next("subnet");
            let owner = if random.chance(8) { OTHER } else { &account };
            let mut body = json!({"subnetId": id, "vpcId": "vpc-01", "availabilityZone": "eu-west-1a",
                "cidrBlock": "10.0.1.0/24", "ownerId": owner, "tags": []});
            if random.chance(5) {
                body.as_object_mut().expect("built as one").remove("ownerId");
            }
            let made = item(random, &account, REGION, SUBNET, &id, body);
            items.push(if random.chance(3) { not_recorded(&made) } else { made });
            if !random.chance(3) {
                associations.push(json!({"networkAclAssociationId": ids.next("aclassoc"),
                    "networkAclId": acl_id, "subnetId": id}));
            }
        }
        let mut entries = vec![];
        for egress in [false, true] {
            let of = |all: &[Value]| -> Vec<Value> {
                all.iter().filter(|entry| entry["Egress"] == egress).cloned().collect()
            };
            entries.extend(direction(random, &of(&first), &of(&last), egress, right));
            for (key, all) in [("cidrBlock", "0.0.0.0/0"), ("ipv6CidrBlock", "::/0")] {
                if key == "cidrBlock" || random.chance(30) {
                    entries.push(json!({"ruleNumber": 32_767, "protocol": "-1",
                        "ruleAction": "deny", "egress": egress, key: all}));
                }
            }
        }
        if random.chance(50) {
            entries.reverse();
        }
        let mut body = json!({"networkAclId": acl_id, "vpcId": "vpc-01", "isDefault": random.chance(40),
            "ownerId": account, "associations": associations, "entries": entries, "tags": []});
        if random.chance(5) {
            let member = random.pick(&["associations", "entries"]);
            body.as_object_mut().expect("built as one").remove(member);
        }
        let mut made = item(random, &account, REGION, ACL, &acl_id, body);
        if random.chance(10) && made["tags"].is_object() {
            made["tags"]["FMManaged"] = json!(random.pick(&["true", "false"]));
        }
        if random.chance(20) {
            captured(&mut made, 1);
        }
        items.push(if random.chance(4) { not_recorded(&made) } else { made });
    }
    histories(random, &mut items);
    recorder(random, &account, REGION, &mut items, &[SUBNET, ACL]);
    case["delivery"] = delivery(random, &account, REGION, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

fn nacl_policy(name: &str, first: &[Value], last: &[Value]) -> Value {
    let data = json!({"type": "NETWORK_ACL_COMMON"});
    let mut made = policy(name, "NETWORK_ACL_COMMON", &data, &[SUBNET]);
    made["SecurityServicePolicyData"]["PolicyOption"] = json!({"NetworkAclCommonPolicy": {"NetworkAclEntrySet": {
            "FirstEntries": first, "ForceRemediateForFirstEntries": false,
            "LastEntries": last, "ForceRemediateForLastEntries": false}}});
    made
}

/// First and last entries, one at least.
fn entry_sets(random: &mut Random) -> [Vec<Value>; 2] {
    let (first, last) = [(1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (1, 2), (3, 2)][random.below(7)];
    let mut set = |count: usize| (0..count).map(|_| wanted(random)).collect();
    [set(first), set(last)]
}

/// An entry as policies write it.
fn wanted(random: &mut Random) -> Value {
    let protocol = random.pick(&["tcp", "tcp", "6", "udp", "17", "icmp", "1", "-1", "50"]);
    let mut entry = json!({"Protocol": protocol, "RuleAction": random.pick(&["allow", "deny"]),
        "Egress": random.chance(35)});
    match random.chance(80) {
        true => entry["CidrBlock"] = json!(random.pick(&IPV4)),
        false => entry["Ipv6CidrBlock"] = json!(random.pick(&IPV6)),
    }
    match protocol {
        "tcp" | "6" | "udp" | "17" => {
            let (from, to) = PORTS[random.below(PORTS.len())];
            entry["PortRange"] = json!({"From": from, "To": to});
        }
        "icmp" | "1" => {
            let (kind, code) = [(8, 0), (-1, -1), (3, 4)][random.below(3)];
            entry["IcmpTypeCode"] = json!({"Type": kind, "Code": code});
        }
        _ => {}
    }
    entry
}

/// The same entry as network ACLs hold it, with its number.
fn held(wanted: &Value, number: i64) -> Value {
    let protocol = match wanted["Protocol"].as_str().unwrap_or_default() {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        other => other,
    };
    let mut entry = json!({"ruleNumber": number, "protocol": protocol,
        "ruleAction": wanted["RuleAction"], "egress": wanted["Egress"]});
    for (policy, inventory) in [("CidrBlock", "cidrBlock"), ("Ipv6CidrBlock", "ipv6CidrBlock")] {
        if !wanted[policy].is_null() {
            entry[inventory] = wanted[policy].clone();
        }
    }
    let (ports, icmp) = (&wanted["PortRange"], &wanted["IcmpTypeCode"]);
    if !ports.is_null() {
        entry["portRange"] = json!({"from": ports["From"], "to": ports["To"]});
    }
    if !icmp.is_null() {
        entry["icmpTypeCode"] = json!({"type": icmp["Type"], "code": icmp["Code"]});
    }
    entry
}

/// The entries of one direction: first, the account's own, last; or one thing off.
fn direction(
    random: &mut Random,
    first: &[Value],
    last: &[Value],
    egress: bool,
    right: usize,
) -> Vec<Value> {
    let mut order: Vec<Value> = first.to_vec();
    for _ in 0..random.below(3) {
        let mut own = wanted(random);
        own["Egress"] = json!(egress);
        order.push(own);
    }
    order.extend(last.iter().cloned());
    if !random.chance(right) && !order.is_empty() {
        let at = random.below(order.len());
        match random.below(5) {
            0 => drop(order.remove(at)),
            1 => order.swap(0, at),
            2 => {
                let end = order.len() - 1;
                order.swap(at, end);
            }
            3 => {
                let mut own = wanted(random);
                own["Egress"] = json!(egress);
                order.insert(at, own);
            }
            _ => boundary::change_one(&mut order[at], random),
        }
    }
    let step = [10, 100][random.below(2)];
    let mut made: Vec<Value> =
        order.iter().enumerate().map(|(at, one)| held(one, (at as i64 + 1) * step)).collect();
    if random.chance(2)
        && let Some(entry) = made.first_mut().and_then(Value::as_object_mut)
    {
        let members = ["ruleNumber", "protocol", "ruleAction", "egress", "cidrBlock", "portRange"];
        entry.remove(random.pick(&members));
    }
    made
}
