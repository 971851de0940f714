//! Worlds of Shield policies: what can be protected, and protections recorded all over the account.

use serde_json::{Value, json};

use super::items::{Ids, captured, deleted, delivery, item, not_recorded, push, recorder};
use super::web::{Place, resource};
use super::{WEB_ACL, policy};
use crate::random::Random;

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";
const ADDRESS: &str = "AWS::EC2::EIP";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const GLOBAL: &str = "AWS::Shield::Protection";
const REGIONAL: &str = "AWS::ShieldRegional::Protection";
const TYPES: [&str; 7] = [BALANCER, CLASSIC, ADDRESS, DISTRIBUTION, GLOBAL, REGIONAL, WEB_ACL];

pub(super) fn shield_case(case: &mut Value, random: &mut Random) {
    let region = if random.chance(40) { "us-east-1" } else { "eu-west-1" };
    case["region"] = json!(region);
    let mut types: Vec<&str> = vec![];
    if region == "us-east-1" && random.chance(60) {
        types.push(DISTRIBUTION);
    } else {
        types.extend([BALANCER, CLASSIC, ADDRESS].iter().filter(|_| random.chance(50)));
        if types.is_empty() {
            types.push(BALANCER);
        }
    }
    case["policy"] = policy("shield", "SHIELD_ADVANCED", &data(random), &types);

    let account = case["account"].as_str().expect("an account").to_owned();
    let others: &[&str] = match region {
        "us-east-1" => &["eu-west-1"],
        _ => &["us-east-1", "sa-east-1"],
    };
    let mut here = vec![];
    let mut away: Vec<Vec<Value>> = others.iter().map(|_| vec![]).collect();
    let mut ids = Ids(0);
    let acls = web_acls(random, &account, region, &mut here);
    let bare = random.chance(35);
    for _ in 0..1 + random.below(3) {
        let kind = if random.chance(90) { random.pick(&types) } else { BALANCER };
        let (made, arn) = protectable(random, &account, region, kind, &mut ids, &acls, &mut here);
        here.push(made);
        let protected = if bare { 55 } else { 88 };
        for _ in 0..usize::from(random.chance(protected)) + usize::from(random.chance(7)) {
            let home = random.below(2 + others.len());
            let (kind, recorded) = match home {
                0 => (GLOBAL, "global"),
                1 => (REGIONAL, region),
                at => random.pick(&[&(GLOBAL, "global"), &(REGIONAL, others[at - 2])]).to_owned(),
            };
            let made = protection(random, &account, recorded, kind, &arn, &mut ids);
            match home {
                0 | 1 => here.push(made),
                at => away[at - 2].push(made),
            }
        }
    }
    for items in [&mut here, &mut away[0]] {
        if random.chance(12) {
            // Gone, now or long ago.
            let shown = items.iter().find(|item| item["resourceType"] != WEB_ACL).cloned();
            if let Some(shown) = shown.filter(|_| !items.is_empty()) {
                items.push(deleted(&shown, if random.chance(50) { 5 } else { -5 }));
            }
        }
    }
    recorder(random, &account, region, &mut here, &TYPES);
    case["delivery"] = delivery(random, &account, region, here);
    let mut elsewhere = vec![];
    for (other, mut items) in others.iter().zip(away) {
        let silent = if items.is_empty() { 25 } else { 0 };
        if *other != "sa-east-1" && random.chance(silent) {
            continue;
        }
        if random.chance(50) {
            recorder(random, &account, other, &mut items, &TYPES);
        }
        elsewhere
            .push(json!({"region": other, "delivery": delivery(random, &account, other, items)}));
    }
    case["elsewhere"] = Value::Array(elsewhere);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

fn data(random: &mut Random) -> Value {
    let mut data = json!({"type": "SHIELD_ADVANCED"});
    let response = match random.below(8) {
        0 => return data,
        1 => json!({"automaticResponseStatus": "IGNORED", "automaticResponseAction": null}),
        2 | 3 => json!({"automaticResponseStatus": "DISABLED"}),
        at => json!({"automaticResponseStatus": "ENABLED",
            "automaticResponseAction": if at % 2 == 0 { "BLOCK" } else { "COUNT" }}),
    };
    data["automaticResponseConfiguration"] = response;
    data["overrideCustomerWebaclClassic"] = json!(random.chance(30));
    data
}

fn web_acls(
    random: &mut Random,
    account: &str,
    region: &str,
    items: &mut Vec<Value>,
) -> Vec<String> {
    let mut acls = vec![];
    for at in 0..random.below(3) {
        let arn = format!("arn:aws:wafv2:{region}:{account}:regional/webacl/mine{at}/0000000{at}");
        let body = json!({"ARN": arn, "Id": format!("0000000{at}"), "Name": format!("mine{at}"),
            "DefaultAction": {"Allow": {}}, "Rules": [], "ManagedByFirewallManager": false});
        items.push(item(random, account, region, WEB_ACL, &arn, body));
        acls.push(arn);
    }
    acls
}

/// A resource, and the ARN that a protection names it by. Web ACLs learn that they are on it.
fn protectable(
    random: &mut Random,
    account: &str,
    region: &str,
    kind: &str,
    ids: &mut Ids,
    acls: &[String],
    items: &mut [Value],
) -> (Value, String) {
    let mut made = match kind {
        ADDRESS => {
            let id = ids.next("eipalloc");
            let body =
                json!({"publicIp": "52.94.0.1", "allocationId": id, "domain": "vpc", "tags": []});
            item(random, account, region, kind, &id, body)
        }
        CLASSIC => {
            let id = ids.next("clb");
            let body = json!({"loadBalancerName": id, "vpcid": "vpc-01", "securityGroups": [],
                "createdTime": 1_600_000_000_000_i64});
            item(random, account, region, kind, &id, body)
        }
        _ => {
            let attribute = match random.below(12) {
                0 => Some("6c2c3f5e-0000-4000-8000-0000000000aa"),
                1 => Some("arn:aws:wafv2:eu-west-1:444444444444:regional/webacl/elsewhere/99"),
                2 => Some(""),
                3 | 4 => None,
                _ => Some(acls.first().map_or("6c2c3f5e-0000-4000-8000-0000000000ab", |a| a)),
            };
            let balancer =
                random.pick(&["application", "application", "application", "network", "gateway"]);
            let home = if kind == DISTRIBUTION { "global" } else { region };
            let place = Place { account, region, home };
            resource(random, &place, ids, kind, balancer, attribute)
        }
    };
    let id = made["resourceId"].as_str().expect("an id").to_owned();
    if ![ADDRESS, CLASSIC].contains(&kind) && !acls.is_empty() && random.chance(30) {
        let acl = &acls[random.below(acls.len())];
        let relation =
            json!({"resourceId": id, "resourceType": kind, "name": "Is associated with "});
        let acl = items.iter_mut().find(|i| i["resourceId"] == **acl).expect("made before");
        push(acl, "relationships", relation);
    }
    if random.chance(4) && !id.contains("/net/") && !id.contains("/gwy/") {
        made = not_recorded(&made);
    }
    let arn = match kind {
        ADDRESS => format!("arn:aws:ec2:{region}:{account}:eip-allocation/{id}"),
        CLASSIC => format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{id}"),
        DISTRIBUTION => format!("arn:aws:cloudfront::{account}:distribution/{id}"),
        _ => id,
    };
    (made, arn)
}

fn protection(
    random: &mut Random,
    account: &str,
    region: &str,
    kind: &str,
    arn: &str,
    ids: &mut Ids,
) -> Value {
    let id = ids.next("5b1e-0");
    let mut body =
        json!({"Id": id, "Name": "of the fleet", "ResourceArn": arn, "HealthCheckIds": []});
    if random.chance(8) {
        body["ResourceArn"] = json!(format!("{arn}x"));
    } else if random.chance(2) {
        body["ResourceArn"] = Value::Null;
    }
    let response = match random.below(12) {
        0 | 1 => Value::Null,
        2 => json!({"Status": "DISABLED", "Action": {"Block": {}}}),
        3 => json!({"Status": "ENABLED"}),
        at => {
            json!({"Status": "ENABLED", "Action": if at % 2 == 0 { json!({"Block": {}}) } else { json!({"Count": {}}) }})
        }
    };
    if !response.is_null() {
        let key = if random.chance(70) {
            "ApplicationLayerAutomaticResponseConfig"
        } else {
            "ApplicationLayerAutomaticResponseConfiguration"
        };
        body[key] = response;
    }
    let mut made = item(random, account, region, kind, &id, body);
    if random.chance(40) {
        captured(&mut made, 1);
    }
    match random.chance(3) {
        true => not_recorded(&made),
        false => made,
    }
}
