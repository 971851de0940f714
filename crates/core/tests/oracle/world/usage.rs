//! Worlds of usage audits: groups that repeat one another nearly, and what lists them.

use serde_json::{Value, json};

use super::audit::{group, in_words, permission};
use super::files::push_snapshot;
use super::items::{Ids, delivery, histories, item, push, recorder};
use super::policy;
use super::shared::{attach_twice, name_of_group, name_policies, part, share};
use crate::boundary;
use crate::random::Random;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
/// An account beside the case's.
const OWNER: &str = "444444444444";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";

/// When groups were captured, milliseconds since 1970; and that moment as items write it.
const CAPTURED_MS: i64 = 1_770_091_506_007;
const CAPTURED: [&str; 3] =
    ["2026-02-03T04:05:06.007Z", "2026-02-03T04:05:06.008Z", "2026-02-03T05:05:06.007Z"];

pub(super) fn usage_case(case: &mut Value, random: &mut Random) {
    let region = "eu-west-1";
    case["region"] = json!(region);
    let (used, unique) = match random.below(28) {
        0 => (false, false),
        1..5 => (true, false),
        5..11 => (false, true),
        _ => (true, true),
    };
    let delays = [json!(null), json!(0), json!(1), json!(60), json!(525_600)];
    let delay = if used { delays[random.below(delays.len())].clone() } else { Value::Null };
    let mut data = json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": used,
        "coalesceRedundantSecurityGroups": unique, "optionalDelayForUnusedInMinutes": delay});
    in_words(case, &mut data, random);
    case["policy"] = policy("usage", "SECURITY_GROUPS_USAGE_AUDIT", &data, &[GROUP]);
    let after = [-1, 0, 1, 3_600_000, 3_600_001, 40_000_000_000, 40_000_000_000];
    let delay_ms = delay.as_i64().unwrap_or(0) * 60_000;
    case["evaluatedMs"] = json!(CAPTURED_MS + delay_ms + after[random.below(after.len())]);

    let account = case["account"].as_str().expect("an account").to_owned();
    let mut ids = Ids(0);
    let (mut items, groups) = groups(random, &account, &mut ids);
    users(random, &account, &groups, &mut ids, &mut items);
    histories(random, &mut items);
    recorder(random, &account, region, &mut items, &[GROUP, INTERFACE, INSTANCE]);
    case["delivery"] = delivery(random, &account, region, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
    name_policies(case, random);
    if random.chance(18) {
        share(case, random);
    }
    tell_owner(case, random);
    if random.chance(15) {
        part(case, random);
    }
    if *super::DOUBTS && random.chance(4) {
        attach_twice(case, random);
    }
}

/// Who owns a group in the account's VPC, and so is in it, tells of its interfaces, mostly.
fn tell_owner(case: &mut Value, random: &mut Random) {
    let items = case["delivery"]["configurationItems"].as_array();
    let shown = items
        .is_some_and(|items| items.iter().any(|item| item["configuration"]["ownerId"] == OWNER));
    let mut files = case["files"].as_array().into_iter().flatten();
    let told = files.any(|file| file["name"].as_str().is_some_and(|name| name.contains(OWNER)));
    if shown && !told {
        let mut items = vec![];
        recorder(random, OWNER, "eu-west-1", &mut items, &[GROUP, INTERFACE]);
        if items.is_empty() && random.chance(70) {
            let body = json!({"groups": [], "vpcId": "vpc-01", "tagSet": []});
            items.push(item(random, OWNER, "eu-west-1", INTERFACE, "eni-00444", body));
        }
        push_snapshot(case, OWNER, "eu-west-1", items);
    }
}

/// Groups made of the same few permissions.
fn groups(random: &mut Random, account: &str, ids: &mut Ids) -> (Vec<Value>, Vec<String>) {
    let mut shared: Vec<Vec<Value>> = vec![];
    for most in [3, 2] {
        let mut side = vec![];
        for _ in 0..random.below(most) {
            let mut permission = permission(random);
            permission["userIdGroupPairs"] = json!([]);
            side.push(permission);
        }
        shared.push(side);
    }
    let refers = random.below(5);
    let (mut items, mut made) = (vec![], vec![]);
    for _ in 0..2 + random.below(4) {
        let id = ids.next("sg");
        let mut sides = shared.clone();
        match refers {
            0 => sides[0].push(reference(&id)),
            1 => sides[0].push(reference("sg-00001")),
            _ => {}
        }
        if random.chance(25) {
            let side = &mut sides[random.below(2)];
            if side.is_empty() {
                side.push(permission(random));
                side[0]["userIdGroupPairs"] = json!([]);
            } else {
                let at = random.below(side.len());
                boundary::change_one(&mut side[at], random);
            }
        }
        for side in &mut sides {
            rewrite(side, random);
        }
        let name = name_of_group(random);
        let mut body = json!({
            "groupId": id, "groupName": name, "description": format!("number {id}"),
            "ownerId": account, "vpcId": "vpc-01", "ipPermissions": sides[0],
            "ipPermissionsEgress": sides[1], "tags": [],
        });
        match random.below(14) {
            0 => body["vpcId"] = json!("vpc-02"),
            1 => body["vpcId"] = Value::Null,
            2 => body["ownerId"] = json!(OWNER),
            3 if random.chance(18) => {
                body.as_object_mut().expect("built as one").remove("groupName");
            }
            _ => {}
        }
        let mut item = item(random, account, "eu-west-1", GROUP, &id, body);
        let moment = random.below(CAPTURED.len());
        if item["configurationStateId"] == CAPTURED_MS {
            item["configurationStateId"] = json!(CAPTURED_MS + [0, 1, 3_600_000][moment]);
        }
        item["configurationItemCaptureTime"] = json!(CAPTURED[moment]);
        items.push(item);
        made.push(id);
    }
    if random.chance(3) {
        items.push(group(random, "sg-0f0f0", account, "web", &[], &[]));
        made.push("sg-0f0f0".to_owned());
    }
    (items, made)
}

fn reference(id: &str) -> Value {
    json!({"ipProtocol": "-1", "ipv4Ranges": [], "ipv6Ranges": [], "ipRanges": [], "prefixListIds": [],
        "userIdGroupPairs": [{"groupId": id, "userId": "222222222222"}]})
}

/// The same rules, written in another way.
pub(super) fn rewrite(side: &mut Vec<Value>, random: &mut Random) {
    if random.chance(40) {
        side.reverse();
    }
    if random.chance(30)
        && let Some(permission) = side.first_mut()
    {
        for range in permission["ipv4Ranges"].as_array_mut().into_iter().flatten() {
            range["description"] = json!("another");
        }
        let protocol = match permission["ipProtocol"].as_str() {
            Some("tcp") => "6",
            Some("6") => "tcp",
            Some("udp") => "17",
            Some("17") => "udp",
            Some("icmp") => "1",
            Some(other) => other,
            None => return,
        };
        permission["ipProtocol"] = json!(protocol);
    }
    if random.chance(30)
        && let Some(permission) = side.first().cloned()
    {
        // One permission with two peers, or two with one each: a permission of its own for each kind.
        for key in ["ipv6Ranges", "prefixListIds"] {
            if permission[key].as_array().is_some_and(|peers| !peers.is_empty()) {
                let mut apart = permission.clone();
                for other in
                    ["ipv4Ranges", "ipRanges", "ipv6Ranges", "prefixListIds", "userIdGroupPairs"]
                {
                    if other != key {
                        apart[other] = json!([]);
                    }
                }
                side[0][key] = json!([]);
                side.push(apart);
            }
        }
    }
}

/// Interfaces, instances and load balancers that list some of the groups.
fn users(
    random: &mut Random,
    account: &str,
    groups: &[String],
    ids: &mut Ids,
    items: &mut Vec<Value>,
) {
    let region = "eu-west-1";
    let share = if random.chance(80) { 14 } else { 60 };
    let some = |random: &mut Random| -> Vec<Value> {
        groups.iter().filter(|_| random.chance(share)).map(|id| json!({"groupId": id})).collect()
    };
    for _ in 0..random.below(4) {
        let id = ids.next("eni");
        let body = json!({"networkInterfaceId": id, "groups": some(random), "vpcId": "vpc-01",
            "status": random.pick(&["in-use", "available"]), "interfaceType": "interface",
            "requesterManaged": random.chance(20), "tagSet": []});
        items.push(item(random, account, region, INTERFACE, &id, body));
    }
    for _ in 0..random.below(3) {
        let id = ids.next("i");
        let state = random.pick(&["running", "stopped", "terminated", "terminated"]);
        let listed = some(random);
        let mut body = json!({"instanceId": id, "state": {"name": state}, "vpcId": "vpc-01",
            "securityGroups": listed, "networkInterfaces": [], "tags": []});
        // Its own groups are those of its first interface.
        let interfaces = if random.chance(50) { 1 + random.below(2) } else { 0 };
        for at in 0..interfaces {
            let eni = ids.next("eni");
            let groups = if at == 0 { listed.clone() } else { some(random) };
            let interface = json!({"networkInterfaceId": eni, "groups": groups,
                "attachment": {"deviceIndex": at}});
            push(&mut body, "networkInterfaces", interface);
            if random.chance(50) {
                let body = json!({"networkInterfaceId": eni, "groups": groups, "vpcId": "vpc-01",
                    "attachment": {"instanceId": id, "deviceIndex": at}, "tagSet": []});
                items.push(item(random, account, region, INTERFACE, &eni, body));
            }
        }
        items.push(item(random, account, region, INSTANCE, &id, body));
    }
    for kind in [BALANCER, CLASSIC] {
        if !random.chance(30) {
            continue;
        }
        let listed: Vec<Value> =
            some(random).iter().map(|group| group["groupId"].clone()).collect();
        let (id, body) = match kind {
            BALANCER => {
                let arn = format!(
                    "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{}/1",
                    ids.next("lb")
                );
                let body = json!({"loadBalancerArn": arn, "type": "application", "securityGroups": listed});
                (arn, body)
            }
            _ => (ids.next("clb"), json!({"vpcid": "vpc-01", "securityGroups": listed})),
        };
        items.push(item(random, account, region, kind, &id, body));
    }
}
