//! Worlds of web ACLs: load balancers, API stages and distributions.

use serde_json::{Value, json};

use super::audit::in_words;
use super::files::note;
use super::items::{Ids, deleted, delivery, item, not_recorded, push, recorder};
use super::rule_groups::{self, Choice};
use super::{WEB_ACL, policy};
use crate::random::Random;

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGE: &str = "AWS::ApiGateway::Stage";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

/// Where a resource is: its account, its Region, and the Region that its items are under.
pub(super) struct Place<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub home: &'a str,
}

/// A resource that can have a web ACL, with what its own attribute says of it.
pub(super) fn resource(
    random: &mut Random,
    place: &Place<'_>,
    ids: &mut Ids,
    kind: &str,
    kind_of_balancer: &str,
    attribute: Option<&str>,
) -> Value {
    let Place { account, region, home } = place;
    match kind {
        DISTRIBUTION => {
            let id = ids.next("E");
            let mut config = json!({"enabled": true, "aliases": {"quantity": 0}});
            if let Some(attribute) = attribute {
                config["webACLId"] = json!(attribute);
            }
            let body = json!({"arn": format!("arn:aws:cloudfront::{account}:distribution/{id}"),
                "distributionConfig": config});
            item(random, account, home, kind, &id, body)
        }
        BALANCER => {
            let short = match kind_of_balancer {
                "application" => "app",
                "network" => "net",
                _ => "gwy",
            };
            let id = format!(
                "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{short}/{}/1",
                ids.next("lb")
            );
            let body = json!({"loadBalancerArn": id, "type": kind_of_balancer,
                "scheme": "internal", "vpcId": "vpc-01", "securityGroups": []});
            let mut made = item(random, account, home, kind, &id, body);
            let mut attributes =
                vec![json!({"key": "deletion_protection.enabled", "value": "false"})];
            if let Some(attribute) = attribute {
                let on = (!attribute.is_empty()).to_string();
                attributes.push(json!({"key": "waf.web_acl_id", "value": attribute}));
                attributes.push(json!({"key": "waf.enabled", "value": on}));
            }
            made["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attributes});
            made
        }
        _ => {
            let id =
                format!("arn:aws:apigateway:{region}::/restapis/{}/stages/live", ids.next("api"));
            let mut body = json!({"stageName": "live", "createdDate": "Feb 21, 2022 6:37:48 PM"});
            if let Some(attribute) = attribute {
                body["webAclArn"] = json!(attribute);
            } else if random.chance(50) {
                body["webAclArn"] = Value::Null;
            }
            item(random, account, home, kind, &id, body)
        }
    }
}

/// Other policies, and names that the policy had.
fn neighbours(case: &mut Value, name: &str, random: &mut Random) {
    if random.chance(20) {
        case["formerNames"] = json!([random.pick(&["border", "edge-old"])]);
        note(case, "names of web ACLs");
    }
    let mut others = vec![];
    for other in ["edge", "edge1", "edge-two", "edge-7", "-edge-", "shield"] {
        if other != name && random.chance(18) {
            let kinds =
                ["WAFV2", "WAFV2", "WAFV2", "SHIELD_ADVANCED", "SECURITY_GROUPS_USAGE_AUDIT"];
            let mut made =
                json!({"name": other, "service": random.pick(&kinds), "formerNames": []});
            if random.chance(10) {
                made["region"] = json!("ap-south-1");
            }
            if random.chance(10) {
                made["formerNames"] = json!(["edge11"]);
            }
            others.push(made);
        }
    }
    case["otherPolicies"] = json!(others);
}

/// A name of a web ACL: of the policy in either generation, of another policy, of a customer.
fn name_of_acl(case: &mut Value, name: &str, at: usize, random: &mut Random) -> String {
    let former = case["formerNames"][0].as_str().unwrap_or("edge-old").to_owned();
    let moment = ["177000000000", "177000000", "1770000000", "17700000000"][random.below(4)];
    let made = match random.below(18) {
        0 => format!("FMManagedWebACLV2-{name}-two-177000000000{at}"),
        1 => format!("FMManagedWebACLV2-{name}-"),
        2 | 3 => "customer".to_owned(),
        4 => format!("FMManagedWebACLV2-edge-177000000000{at}"),
        5 => format!("FMManagedWebACLV2{name}177000000000{at}"),
        6 => format!("FMManagedWebACLV2{name}{moment}{at}"),
        7 => format!("FMManagedWebACLV2edge1{moment}{at}"),
        8 => format!("FMManagedWebACLV2-edge-{moment}{at}"),
        9 => format!("FMManagedWebACLV2-{former}-177000000000{at}"),
        10 => format!("FMManagedWebACLV2{former}{moment}{at}"),
        _ => return format!("FMManagedWebACLV2-{name}-177000000000{at}"),
    };
    note(case, "names of web ACLs");
    made
}

pub(super) fn waf_case(case: &mut Value, random: &mut Random) {
    let global = random.chance(20);
    let region = if global { "us-east-1" } else { "eu-west-1" };
    let home = if global { "global" } else { region };
    case["region"] = json!(region);
    let types: &[&str] = match (global, random.below(4)) {
        (true, _) => &[DISTRIBUTION],
        (_, 0) => &[STAGE],
        (_, 1) => &[BALANCER, STAGE],
        _ => &[BALANCER],
    };
    let mut wanted: [Vec<Choice>; 2] = [vec![], vec![]];
    if random.chance(70) {
        for (side, most) in wanted.iter_mut().zip([3, 2]) {
            for _ in 0..random.below(most) {
                side.push(Choice::any(random));
            }
        }
    }
    let [first, last] = wanted
        .each_ref()
        .map(|side| side.iter().map(|choice| choice.as_wanted(random)).collect::<Vec<_>>());
    let mut data = json!({
        "type": "WAFV2", "preProcessRuleGroups": first, "postProcessRuleGroups": last,
        "defaultAction": {"type": "ALLOW"},
        "overrideCustomerWebACLAssociation": random.chance(40), "loggingConfiguration": null,
        "webACLSource": random.pick(&["", "", "DEFAULT", "RETROFIT_EXISTING", "RETROFIT_EXISTING"]),
    });
    if data["webACLSource"] == "" {
        data["webACLSource"] = Value::Null;
    }
    let name = random.pick(&["edge", "edge", "edge-two", "edge-7", "edge1"]);
    in_words(case, &mut data, random);
    case["policy"] = policy(name, "WAFV2", &data, types);
    neighbours(case, name, random);
    let account = case["account"].as_str().expect("an account").to_owned();
    let (scope, place) = if global { ("global", "us-east-1") } else { ("regional", region) };

    let mut acls = vec![];
    let mut items = vec![];
    for at in 0..random.below(3) {
        let acl_name = name_of_acl(case, name, at, random);
        let arn = format!("arn:aws:wafv2:{place}:{account}:{scope}/webacl/{acl_name}/0000000{at}");
        let mut body = json!({
            "ARN": arn, "Id": format!("0000000{at}"), "Name": acl_name, "Capacity": 1,
            "DefaultAction": {"Allow": {}}, "Rules": [], "ManagedByFirewallManager": random.chance(80),
            "RetrofittedByFirewallManager": random.chance(25),
        });
        if random.chance(3) {
            let members = body.as_object_mut().expect("built as one");
            members
                .remove(random.pick(&["ManagedByFirewallManager", "RetrofittedByFirewallManager"]));
        }
        rule_groups::put(case, &mut body, &wanted, random);
        if random.chance(6) {
            body = rule_groups::in_older_letters(&body);
        }
        items.push(item(random, &account, home, WEB_ACL, &arn, body));
        acls.push(arn);
    }
    let stranger = format!("arn:aws:wafv2:{place}:{account}:{scope}/webacl/elsewhere/99");
    let mut ids = Ids(0);
    for _ in 0..1 + random.below(3) {
        let attribute = match random.below(12) {
            0 => Some("6c2c3f5e-0000-4000-8000-0000000000aa".to_owned()),
            1 if random.chance(30) => Some(
                stranger.replace("elsewhere", &format!("FMManagedWebACLV2-{name}-1770000000009")),
            ),
            1 => Some(stranger.clone()),
            2 | 3 => Some(String::new()),
            4 | 5 => None,
            _ if acls.is_empty() => None,
            _ => Some(acls[random.below(acls.len())].clone()),
        };
        let kind = if global { DISTRIBUTION } else { random.pick(&[BALANCER, BALANCER, STAGE]) };
        let kind_of_balancer =
            random.pick(&["application", "application", "application", "network", "gateway"]);
        let place = Place { account: &account, region, home };
        let mut made =
            resource(random, &place, &mut ids, kind, kind_of_balancer, attribute.as_deref());
        if !acls.is_empty() && random.chance(35) {
            let at = random.below(acls.len());
            let relation = json!({"resourceId": made["resourceId"], "resourceName": null,
                "resourceType": kind, "name": "Is associated with "});
            let acl = items.iter_mut().find(|i| i["resourceId"] == acls[at]).expect("made above");
            push(acl, "relationships", relation.clone());
            if *super::DOUBTS && acls.len() > 1 && random.chance(12) {
                // Another one says so as well.
                let other = &acls[(at + 1) % acls.len()];
                let acl = items.iter_mut().find(|i| i["resourceId"] == *other).expect("made above");
                push(acl, "relationships", relation);
            }
        }
        if !acls.is_empty() && random.chance(15) {
            // On something else too, that is gone or of a type no policy is about.
            let (kind, id) = match random.below(3) {
                0 => ("AWS::AppSync::GraphQLApi", "api-00001"),
                1 => (STAGE, "arn:aws:apigateway:eu-west-1::/restapis/api-0dead/stages/live"),
                _ => (DISTRIBUTION, "E-0dead"),
            };
            let relation =
                json!({"resourceId": id, "resourceType": kind, "name": "Is associated with "});
            let at = random.below(acls.len());
            let acl = items.iter_mut().find(|i| i["resourceId"] == acls[at]).expect("made above");
            push(acl, "relationships", relation);
        }
        if random.chance(4)
            && !made["resourceId"].as_str().expect("an id").contains("/net/")
            && !made["resourceId"].as_str().expect("an id").contains("/gwy/")
        {
            made = not_recorded(&made);
        }
        items.push(made);
    }
    if random.chance(5)
        && let Some(acl) = items.iter_mut().find(|item| item["resourceType"] == WEB_ACL)
    {
        acl.as_object_mut().expect("an item is an object").remove("relationships");
        note(case, "projections");
    }
    if random.chance(6)
        && let Some(acl) = items.iter_mut().find(|item| item["resourceType"] == WEB_ACL)
    {
        *acl = not_recorded(acl);
    }
    if random.chance(25) {
        let at = random.below(items.len() + 1);
        let other = items.get(at).filter(|item| item["resourceType"] != WEB_ACL);
        if let Some(other) = other.cloned() {
            let tombstone = deleted(&other, if random.chance(50) { 5 } else { -5 });
            items.push(tombstone);
        }
    }
    recorder(random, &account, region, &mut items, &[BALANCER, STAGE, WEB_ACL, DISTRIBUTION]);
    case["delivery"] = delivery(random, &account, region, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}
