//! Worlds of WAF Classic: resources with web ACLs of Firewall Manager's, of customers, and of WAFv2.

use serde_json::{Value, json};

use super::items::{
    Ids, captured, deleted, delivery, histories, item, not_recorded, push, recorder,
};
use super::web::{Place, resource};
use super::{WEB_ACL, policy};
use crate::random::Random;

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGE: &str = "AWS::ApiGateway::Stage";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const GROUPS: [&str; 3] = [
    "6a0b0000-0000-4000-8000-00000000000a",
    "6a0b0000-0000-4000-8000-00000000000b",
    "6a0b0000-0000-4000-8000-00000000000c",
];

pub(super) fn classic_case(case: &mut Value, random: &mut Random) {
    let global = random.chance(25);
    let region = if global { "us-east-1" } else { "eu-west-1" };
    let home = if global { "global" } else { region };
    case["region"] = json!(region);
    let types: &[&str] = match (global, random.below(4)) {
        (true, _) => &[DISTRIBUTION],
        (_, 0) => &[STAGE],
        (_, 1) => &[BALANCER, STAGE],
        _ => &[BALANCER],
    };
    let from = random.below(3);
    let wanted: Vec<(&str, &str)> = (0..random.below(3))
        .map(|at| (GROUPS[(from + at) % 3], random.pick(&["NONE", "COUNT"])))
        .collect();
    let groups: Vec<Value> = wanted
        .iter()
        .map(|(id, action)| json!({"id": id, "overrideAction": {"type": action}}))
        .collect();
    let data = json!({"type": "WAF", "ruleGroups": groups, "defaultAction": {"type": "ALLOW"},
        "overrideCustomerWebACLAssociation": random.chance(40)});
    case["policy"] = policy("classic", "WAF", &data, types);

    let account = case["account"].as_str().expect("an account").to_owned();
    let kind_of_acls = if global { "AWS::WAF::WebACL" } else { "AWS::WAFRegional::WebACL" };
    let mut items = vec![];
    let mut acls = vec![];
    for at in 0..1 + random.below(2) {
        let id = format!("6c1a0000-0000-4000-8000-00000000000{at}");
        let made = acl(random, (&account, home), kind_of_acls, &id, &wanted, !global);
        items.push(made);
        acls.push(id);
    }
    let scope = if global { "global" } else { "regional" };
    let name = random.pick(&["mine", "FMManagedWebACLV2-classic-1770000000001"]);
    let new = format!("arn:aws:wafv2:{region}:{account}:{scope}/webacl/{name}/00000001");
    if random.chance(30) {
        let body = json!({"ARN": new, "Id": "00000001", "Name": name, "DefaultAction": {"Allow": {}},
            "Rules": [], "ManagedByFirewallManager": random.chance(50)});
        items.push(item(random, &account, home, WEB_ACL, &new, body));
    }
    let mut ids = Ids(0);
    for _ in 0..1 + random.below(3) {
        let kind =
            if random.chance(90) { random.pick(types) } else { random.pick(&[BALANCER, STAGE]) };
        let own = &acls[random.below(acls.len())];
        let attribute = match random.below(14) {
            0 => Some(new.clone()),
            1 => Some("6c2c3f5e-0000-4000-8000-0000000000aa".to_owned()),
            2 | 3 => Some(String::new()),
            4 | 5 => None,
            _ if kind == STAGE => {
                Some(format!("arn:aws:waf-regional:{region}:{account}:webacl/{own}"))
            }
            _ => Some(own.clone()),
        };
        let balancer =
            random.pick(&["application", "application", "application", "network", "gateway"]);
        let place = Place {
            account: &account,
            region,
            home: if kind == DISTRIBUTION { home } else { region },
        };
        let mut made = resource(random, &place, &mut ids, kind, balancer, attribute.as_deref());
        let id = made["resourceId"].as_str().expect("an id").to_owned();
        if random.chance(40) {
            claim(random, &mut items, kind, &id);
            if *super::DOUBTS && random.chance(12) {
                claim(random, &mut items, kind, &id);
            }
        }
        if random.chance(3) && !id.contains("/net/") && !id.contains("/gwy/") {
            made = not_recorded(&made);
        }
        items.push(made);
    }
    if random.chance(8) {
        let at = random.below(items.len());
        let gone = deleted(&items[at], if random.chance(50) { 5 } else { -5 });
        items.push(gone);
    }
    histories(random, &mut items);
    recorder(
        random,
        &account,
        region,
        &mut items,
        &[BALANCER, STAGE, DISTRIBUTION, kind_of_acls, WEB_ACL],
    );
    case["delivery"] = delivery(random, &account, region, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

/// A web ACL tells that it is on a resource.
fn claim(random: &mut Random, items: &mut [Value], kind: &str, id: &str) {
    let acls: Vec<usize> = (0..items.len())
        .filter(|at| {
            items[*at]["resourceType"].as_str().is_some_and(|kind| kind.contains("WebACL"))
        })
        .filter(|at| items[*at]["configuration"].is_object())
        .collect();
    let Some(at) = acls.get(random.below(acls.len().max(1))) else { return };
    let body = &mut items[*at]["configuration"];
    if body["associationList"].is_array() && random.chance(80) {
        push(body, "associationList", json!({"resourceARN": id}));
    } else if items[*at]["relationships"].is_array() {
        let relation =
            json!({"resourceId": id, "resourceType": kind, "name": "Is associated with "});
        push(&mut items[*at], "relationships", relation);
    }
}

/// A Classic web ACL as the policy makes them, or one thing off.
fn acl(
    random: &mut Random,
    (account, home): (&str, &str),
    kind: &str,
    id: &str,
    wanted: &[(&str, &str)],
    regional: bool,
) -> Value {
    let name = random.pick(&[
        "FMManagedWebACLclassic1770000000001",
        "FMManagedWebACLclassic1770000000001",
        "FMManagedWebACLclassic1770000000001",
        "FMManagedWebACL",
        "FMManagedWebAcl1",
        "mine",
    ]);
    let mut rules: Vec<Value> = vec![];
    let mut priority = 1;
    for (group, action) in wanted {
        rules.push(json!({"ruleId": group, "priority": priority, "type": "GROUP",
            "overrideAction": {"type": action}}));
        priority += 1 + random.below(2);
    }
    if random.chance(40) {
        rules.push(json!({"ruleId": "7a0b0000-0000-4000-8000-00000000000a", "priority": priority,
            "type": "REGULAR", "action": {"type": "BLOCK"}}));
    }
    if !random.chance(70) && !rules.is_empty() {
        let at = random.below(rules.len());
        let rule = &mut rules[at];
        match random.below(6) {
            0 => drop(rules.remove(at)),
            1 => rule["priority"] = json!(at as i64 * 10 + 5 - 20 * random.below(2) as i64),
            2 => rule["overrideAction"] = json!({"type": random.pick(&["NONE", "COUNT"])}),
            3 if at < wanted.len() => rule["ruleId"] = json!(random.pick(&GROUPS)),
            4 if wanted.len() == 1 && at == 0 => {
                let member = random.pick(&["ruleId", "priority", "overrideAction", "type"]);
                rule.as_object_mut().expect("built as one").remove(member);
                rules.truncate(1);
            }
            _ => rules.reverse(),
        }
    }
    let mut body = json!({"webACLId": id, "name": name, "metricName": "classic",
        "defaultAction": {"type": "ALLOW"}, "rulesList": rules});
    if regional {
        body["associationList"] = json!([]);
    }
    if random.chance(4) {
        let member = random.pick(&["name", "rulesList", "associationList"]);
        body.as_object_mut().expect("built as one").remove(member);
    }
    let mut made = item(random, account, home, kind, id, body);
    if random.chance(15) {
        captured(&mut made, 1);
    }
    if random.chance(3) { not_recorded(&made) } else { made }
}
