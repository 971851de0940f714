//! Worlds of content audits: groups, the interfaces and instances that carry them, the audit group.

use serde_json::{Value, json};

use super::files::note;
use super::items::{Ids, delivery, histories, item, not_recorded, push, recorder};
use super::shared::{attach_twice, name_of_group, name_policies, part, share};
use super::{
    ADMIN, CUSTOM_APPS, CUSTOM_PROTOCOLS, DefaultLists, MEMBER, PORTS, list_reference, policy,
};
use crate::boundary;
use crate::random::Random;

const AUDIT_GROUP: &str = "sg-0aad17";
const SECURITY_TYPES: [&str; 3] =
    ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"];

/// Blocks at and beside the edges of those that are not globally reachable.
const IPV4: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "10.0.0.0/7",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.128.0.0/9",
    "10.0.0.0/16",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "11.0.0.0/8",
    "172.16.0.0/11",
    "172.16.0.0/12",
    "172.31.0.0/16",
    "172.32.0.0/16",
    "192.168.0.0/15",
    "192.168.0.0/16",
    "192.168.7.0/24",
    "192.169.0.0/16",
    "100.64.0.0/10",
    "100.127.0.0/16",
    "100.128.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "198.18.0.0/15",
    "203.0.113.0/24",
    "8.8.8.8/32",
    "52.94.0.0/22",
    "224.0.0.0/4",
];
const IPV6: &[&str] = &[
    "::/0",
    "::/0",
    "fc00::/7",
    "fc00::/6",
    "fd00::/8",
    "fd00:1::/48",
    "fe80::/10",
    "fec0::/10",
    "::1/128",
    "2600::/12",
    "2001:db8::/32",
    "2a05:d018::/36",
    "2a05:d018:1::/48",
    "fe00::/7",
];

pub(super) fn audit_case(case: &mut Value, random: &mut Random, defaults: &DefaultLists) {
    let region = "eu-west-1";
    case["region"] = json!(region);
    let mut types: Vec<&str> =
        SECURITY_TYPES.iter().copied().filter(|_| random.chance(55)).collect();
    // Groups alone often: what carries them concerns all that is on it.
    if types.is_empty() || random.chance(30) {
        types = vec![SECURITY_TYPES[0]];
    }
    let custom = random.chance(45);
    let with_audit_group = custom || random.chance(35);
    let mut data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT"});
    if with_audit_group {
        data["securityGroups"] = json!([{"id": AUDIT_GROUP}]);
        data["securityGroupAction"] = json!({"type": random.pick(&["ALLOW", "DENY"])});
    }
    if !custom {
        data["preManagedOptions"] = managed_options(random, defaults);
    } else if random.chance(30) {
        data["preManagedOptions"] = Value::Null;
    }
    in_words(case, &mut data, random);
    case["policy"] = policy("audit", "SECURITY_GROUPS_CONTENT_AUDIT", &data, &types);

    let mut ids = Ids(0);
    let (audit, near) = audit_group(random);
    let mut account_items = security_items(random, case, &near, &mut ids);
    let mut admin_items = vec![];
    match random.below(100) {
        0..2 => {}
        2 => admin_items.push(not_recorded(&audit)),
        _ => admin_items.push(audit),
    }
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    if account == ADMIN {
        account_items.extend(admin_items.iter().cloned());
    }
    recorder(random, &account, region, &mut account_items, &SECURITY_TYPES);
    case["delivery"] = delivery(random, &account, region, account_items);
    if account != ADMIN {
        if random.chance(15) {
            // Lists of another account are not this account's to know.
            admin_items.push(prefix_list(random, ADMIN, "pl-0b"));
        }
        case["administratorDelivery"] =
            json!({"fileVersion": "1.0", "configurationItems": admin_items});
    }
    if case.to_string().contains("prefixListId\":") {
        note(case, "prefix lists");
    }
    name_policies(case, random);
    if random.chance(16) {
        share(case, random);
    }
    if random.chance(25) {
        part(case, random);
    }
    if *super::DOUBTS && random.chance(4) {
        attach_twice(case, random);
    }
}

/// A prefix list with its entries, or without.
fn prefix_list(random: &mut Random, account: &str, id: &str) -> Value {
    let entries = match random.below(8) {
        0 => json!([{"Cidr": "10.1.0.0/16"}, {"Cidr": "10.2.0.0/16", "Description": "two"}]),
        1 => json!([{"Cidr": "10.1.0.0/16"}, {"Cidr": "52.94.0.0/22"}]),
        2 => json!([{"Cidr": "192.168.0.0/24"}]),
        3 => json!([{"Cidr": random.pick(IPV4)}, {"Cidr": random.pick(IPV4)}]),
        4 => json!([{"Cidr": random.pick(IPV6)}]),
        5 => json!([]),
        6 => Value::Null,
        _ => json!([{"Cidr": random.pick(IPV4)}]),
    };
    let body = json!({"PrefixListId": id, "PrefixListName": "offices", "AddressFamily": "IPv4",
        "Entries": entries, "Tags": []});
    item(random, account, "eu-west-1", "AWS::EC2::PrefixList", id, body)
}

fn managed_options(random: &mut Random, defaults: &DefaultLists) -> Value {
    let mut options = vec![];
    let mut add = |key: &str, value: Value| options.push(json!({ key: value }));
    let one = random.chance(45).then(|| random.below(7));
    let chosen = |random: &mut Random, at: usize| match one {
        Some(only) => only == at,
        None => random.chance(30),
    };
    if chosen(random, 0) {
        add("denyProtocolAllValue", json!(random.chance(90)));
    }
    if chosen(random, 1) {
        add("allowedProtocolsLists", list_reference(random, CUSTOM_PROTOCOLS, &defaults.protocols));
    }
    if chosen(random, 2) {
        let most = [1, 2, 80, 443, 65534, 65535, 65536];
        add("allowedPortCountPerSgRule", json!(most[random.below(most.len())]));
    }
    if chosen(random, 3) {
        let least = [1, 8, 9, 16, 24, 32];
        add("minIpv4CidrPrefixLenPerSgRule", json!(least[random.below(least.len())]));
    }
    if chosen(random, 4) {
        let least = [1, 7, 8, 36, 48, 128];
        add("minIpv6CidrPrefixLenPerSgRule", json!(least[random.below(least.len())]));
    }
    // The two lists of apps exclude each other.
    if chosen(random, 5) {
        add(
            "allowedPublicAccessAppLists",
            list_reference(random, CUSTOM_APPS, &defaults.allowed_apps),
        );
    } else if chosen(random, 6) {
        add(
            "deniedPublicAccessAppLists",
            list_reference(random, CUSTOM_APPS, &defaults.denied_apps),
        );
    }
    if options.is_empty() || random.chance(40) {
        let direction = random.pick(&["ALL", "INGRESS", "EGRESS"]);
        options.push(json!({"auditSgDirection": {"type": direction}}));
    }
    if random.chance(15) {
        // As GetPolicy prints them: every element with every key.
        for option in &mut options {
            for key in [
                "auditSgDirection",
                "denyProtocolAllValue",
                "allowedProtocolsLists",
                "allowedPortCountPerSgRule",
                "minIpv4CidrPrefixLenPerSgRule",
                "minIpv6CidrPrefixLenPerSgRule",
                "deniedPublicAccessAppLists",
                "allowedPublicAccessAppLists",
            ] {
                if option[key].is_null() {
                    option[key] = Value::Null;
                }
            }
        }
    }
    Value::Array(options)
}

/// Numbers and switches as texts (semantics §11 row 46).
pub(super) fn in_words(case: &mut Value, data: &mut Value, random: &mut Random) {
    if random.chance(6) && word(data, random) {
        note(case, "words");
    }
}

fn word(data: &mut Value, random: &mut Random) -> bool {
    match data {
        Value::Bool(said) => {
            *data = json!(if random.chance(50) {
                said.to_string()
            } else {
                said.to_string().to_uppercase()
            });
            true
        }
        Value::Number(number) => {
            *data = match random.chance(50) {
                true => json!(number.to_string()),
                false => json!(number.as_f64()),
            };
            true
        }
        Value::Array(elements) => elements.iter_mut().any(|element| word(element, random)),
        Value::Object(map) => map.values_mut().any(|value| word(value, random)),
        _ => false,
    }
}

/// The audit group, and permissions near to what it says.
fn audit_group(random: &mut Random) -> (Value, Vec<Value>) {
    let mut near = vec![];
    let mut sides = [vec![], vec![]];
    for (side, most) in sides.iter_mut().zip([4, 3]) {
        for _ in 0..random.below(most) {
            let whole = permission(random);
            match halves(&whole) {
                Some(halves) if random.chance(30) => side.extend(halves),
                _ => side.push(whole.clone()),
            }
            near.push(whole);
        }
    }
    (group(random, AUDIT_GROUP, ADMIN, "audit", &sides[0], &sides[1]), near)
}

/// A range of ports in two adjacent permissions.
fn halves(permission: &Value) -> Option<[Value; 2]> {
    let (from, to) = (permission["fromPort"].as_i64()?, permission["toPort"].as_i64()?);
    if from >= to || !["tcp", "udp", "6", "17"].iter().any(|name| permission["ipProtocol"] == *name)
    {
        return None;
    }
    let mut halves = [permission.clone(), permission.clone()];
    halves[0]["toPort"] = json!(from + (to - from) / 2);
    halves[1]["fromPort"] = json!(from + (to - from) / 2 + 1);
    Some(halves)
}

pub(super) fn permission(random: &mut Random) -> Value {
    let protocol = random.pick(&[
        "tcp", "tcp", "tcp", "tcp", "udp", "6", "17", "icmp", "icmpv6", "1", "58", "-1", "50",
    ]);
    let mut permission = json!({
        "ipProtocol": protocol, "ipv4Ranges": [], "ipv6Ranges": [], "ipRanges": [],
        "prefixListIds": [], "userIdGroupPairs": [],
    });
    boundary::set_ports(&mut permission, random, PORTS);
    let old_layout = random.chance(15);
    loop {
        let peer = match random.below(100) {
            0..70 => {
                let cidr = random.pick(IPV4);
                if !old_layout {
                    push(&mut permission, "ipv4Ranges", json!({"cidrIp": cidr}));
                }
                push(&mut permission, "ipRanges", json!(cidr));
                70
            }
            70..83 if !old_layout => {
                push(&mut permission, "ipv6Ranges", json!({"cidrIpv6": random.pick(IPV6)}));
                85
            }
            83..93 => {
                let id = random.pick(&["pl-0a", "pl-0a", "pl-0b", "pl-0c"]);
                push(&mut permission, "prefixListIds", json!({"prefixListId": id}));
                92
            }
            93..100 => {
                let id = random.pick(&["sg-00001", "sg-00002", "sg-0ffff"]);
                let user = random.pick(&[MEMBER, MEMBER, "amazon-elb"]);
                push(&mut permission, "userIdGroupPairs", json!({"groupId": id, "userId": user}));
                100
            }
            _ => continue,
        };
        if peer > 0 && random.chance(70) {
            break;
        }
    }
    if old_layout {
        let permission = permission.as_object_mut().expect("built as one");
        permission.remove("ipv4Ranges");
        permission.remove("ipv6Ranges");
    }
    permission
}

pub(super) fn group(
    random: &mut Random,
    id: &str,
    account: &str,
    name: &str,
    ingress: &[Value],
    egress: &[Value],
) -> Value {
    let body = json!({
        "groupId": id, "groupName": name, "description": "of \"the\" sample", "ownerId": account,
        "vpcId": "vpc-01", "ipPermissions": ingress, "ipPermissionsEgress": egress, "tags": [],
    });
    item(random, account, "eu-west-1", "AWS::EC2::SecurityGroup", id, body)
}

fn security_items(random: &mut Random, case: &Value, near: &[Value], ids: &mut Ids) -> Vec<Value> {
    let account = case["account"].as_str().expect("an account").to_owned();
    let mut items = vec![];
    let mut groups = vec![];
    let busy = random.chance(60);
    for _ in 0..1 + random.below(if busy { 5 } else { 2 }) {
        let id = ids.next("sg");
        let name = name_of_group(random);
        let mut sides = [vec![], vec![]];
        for side in &mut sides {
            for _ in 0..random.below(3) {
                if near.is_empty() || random.chance(45) {
                    side.push(permission(random));
                } else {
                    let mut permission = near[random.below(near.len())].clone();
                    if random.chance(75) {
                        boundary::change_one(&mut permission, random);
                    }
                    side.push(permission);
                }
            }
        }
        let mut item = group(random, &id, &account, &name, &sides[0], &sides[1]);
        if random.chance(6) && item["configuration"].is_object() {
            item["configuration"]["ownerId"] = json!("444444444444");
        }
        groups.push(id);
        items.push(item);
    }
    let attach = |random: &mut Random| {
        let mut own: Vec<Value> = vec![];
        if random.chance(3) {
            // Of another account that shares its VPC, say: not in this inventory.
            own.push(json!({"groupId": "sg-0abc00", "groupName": "shared"}));
        }
        for id in &groups {
            if random.chance(35) {
                own.push(json!({"groupId": id, "groupName": "web"}));
            }
        }
        Value::Array(own)
    };
    for _ in 0..random.below(3) {
        let id = ids.next("eni");
        let body = json!({
            "networkInterfaceId": id, "groups": attach(random), "vpcId": "vpc-01", "subnetId": "subnet-01",
            "status": "in-use", "interfaceType": random.pick(&["interface", "lambda", "nat_gateway"]),
            "requesterManaged": random.chance(20), "tagSet": [],
        });
        items.push(item(random, &account, "eu-west-1", "AWS::EC2::NetworkInterface", &id, body));
    }
    for _ in 0..random.below(3) {
        let id = ids.next("i");
        let running = random.chance(85);
        let (mut first, second) = (attach(random), attach(random));
        let mut interfaces = vec![];
        if running {
            for (at, groups) in [&first, &second].into_iter().enumerate().take(1 + random.below(2))
            {
                let eni = ids.next("eni");
                interfaces.push(json!({
                    "networkInterfaceId": eni, "groups": groups, "attachment": {"deviceIndex": at},
                }));
                let body = json!({
                    "networkInterfaceId": eni, "groups": groups, "vpcId": "vpc-01", "subnetId": "subnet-01",
                    "status": "in-use", "interfaceType": "interface", "requesterManaged": false,
                    "attachment": {"instanceId": id, "deviceIndex": at}, "tagSet": [],
                });
                items.push(item(
                    random,
                    &account,
                    "eu-west-1",
                    "AWS::EC2::NetworkInterface",
                    &eni,
                    body,
                ));
            }
        } else if random.chance(60) {
            first = json!([]);
        }
        let body = json!({
            "instanceId": id, "state": {"code": 16, "name": if running { "running" } else { "terminated" }},
            "vpcId": "vpc-01", "subnetId": "subnet-01", "securityGroups": first,
            "networkInterfaces": interfaces, "tags": [],
        });
        items.push(item(random, &account, "eu-west-1", "AWS::EC2::Instance", &id, body));
    }
    for (id, share) in [("pl-0a", 65), ("pl-0b", 35)] {
        if random.chance(share) {
            items.push(prefix_list(random, &account, id));
        }
    }
    histories(random, &mut items);
    items
}
