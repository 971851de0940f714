//! SHIELD_ADVANCED (semantics §5.3, §10 rows 4, 17, 18), worked by hand.

use serde_json::{Value, json};

use super::words::*;
use super::{ACCOUNT, check};
use crate::naive::Outcome;

/// Resource, and `acl` when a web ACL is on it | its protections | outcome. A protection is where it
/// is recorded (`global`, `regional`, or another Region), then its automatic response; `@2` when it
/// was captured later, `x` behind when it names another resource.
const PROTECTIONS: &str = "
alb              |                          | mwos
alb acl          |                          | msp
alb              | global                   | mwos
alb acl          | global                   | comply
alb acl          | regional                 | comply
alb acl          | us-east-1                | comply
alb acl          | sa-east-1                | comply
alb acl          | global-in-us-east-1      | comply
alb acl          | regionalx                | msp
alb acl          | deleted                  | msp
alb acl          | unseen                   | undecided
alb              | unseen                   | mwos
clb              |                          | msp
clb              | regional                 | comply
eip              |                          | msp
eip              | global                   | comply
eip              | sa-east-1                | comply
nlb              |                          | comply
gwlb             |                          | comply
alb classic      | regional                 | comply
";

#[test]
fn protections_worked_by_hand() {
    for [resource, protections, want] in rows(PROTECTIONS) {
        let mut case = world(resource, protections, json!({"type": "SHIELD_ADVANCED"}));
        record(&mut case);
        check(&format!("{resource} | {protections}"), &case, &outcome(resource, want));
    }
}

/// What is wanted | resource and its protections | outcome.
const RESPONSES: &str = "
ENABLED BLOCK    | alb acl, regional:block            | comply
ENABLED BLOCK    | alb acl, regional:count            | mwos
ENABLED COUNT    | alb acl, regional:count            | comply
ENABLED BLOCK    | alb acl, regional:untold           | undecided
ENABLED BLOCK    | alb acl, regional:off              | mwos
ENABLED BLOCK    | alb acl, regional                  | mwos
ENABLED BLOCK    | alb acl                            | msp
ENABLED BLOCK    | alb, regional:block                | mwos
DISABLED         | alb acl, regional:block            | mwos
DISABLED         | alb acl, regional:untold           | mwos
DISABLED         | alb acl, regional:off              | comply
DISABLED         | alb acl, regional                  | comply
IGNORED          | alb acl, regional:block            | comply
IGNORED          | alb acl, regional                  | comply
ENABLED BLOCK    | eip, regional                      | comply
DISABLED         | clb, regional:block                | comply
ENABLED BLOCK    | alb acl, regional:count global:block@2 | comply
ENABLED BLOCK    | alb acl, regional:count@2 global:block | mwos
";

#[test]
fn automatic_responses_worked_by_hand() {
    for [wanted, world_words, want] in rows(RESPONSES) {
        let (status, action) = wanted.split_once(' ').unwrap_or((wanted, ""));
        let mut response = json!({"automaticResponseStatus": status});
        if !action.is_empty() {
            response["automaticResponseAction"] = json!(action);
        }
        let data = json!({"type": "SHIELD_ADVANCED", "automaticResponseConfiguration": response});
        let (resource, protections) = world_words.split_once(", ").unwrap_or((world_words, ""));
        let mut case = world(resource, protections, data);
        record(&mut case);
        check(&format!("{wanted} | {world_words}"), &case, &outcome(resource, want));
    }
}

/// Regions that record everything, or `Region:Type` | resource and its protections | outcome (§11 row
/// 44).
const SEEN: &str = "
eu-west-1                               | eip, regional   | comply
eu-west-1                               | eip             | msp
eu-west-1                               | eip, global     | comply
eu-west-1                               | alb, regional   | mwos
eu-west-1:EIP sa-east-1                 | eip, sa-east-1  | comply
eu-west-1:EIP sa-east-1                 | eip             | msp
eu-west-1:EIP us-east-1:Protection      | eip             | undecided
eu-west-1:EIP us-east-1:Protection      | eip, global     | comply +AWSCONFIG
eu-west-1:EIP                           | eip             | undecided
eu-west-1:EIP                           | eip, regional   | undecided
eu-west-1:LoadBalancer                  | alb, regional   | mwos +AWSCONFIG
";

#[test]
fn what_shield_needs_to_see_worked_by_hand() {
    for [seen, world_words, want] in rows(SEEN) {
        let (resource, protections) = world_words.split_once(", ").unwrap_or((world_words, ""));
        let mut case = world(resource, protections, json!({"type": "SHIELD_ADVANCED"}));
        let mut recorders = vec![("us-east-1", None), ("sa-east-1", None), ("eu-west-1", None)];
        for word in seen.split_whitespace() {
            let (region, kind) = word.split_once(':').unwrap_or((word, "*"));
            recorders.iter_mut().filter(|one| one.0 == region).for_each(|one| one.1 = Some(kind));
        }
        for (region, kind) in recorders {
            let group = match kind {
                Some("*") => json!({"AllSupported": true}),
                Some("Protection") => {
                    json!({"AllSupported": false, "ResourceTypes": ["AWS::Shield::Protection"]})
                }
                Some("EIP") => json!({"AllSupported": false, "ResourceTypes": ["AWS::EC2::EIP"]}),
                Some(_) => json!({"AllSupported": false,
                    "ResourceTypes": ["AWS::ElasticLoadBalancingV2::LoadBalancer"]}),
                None => json!({"AllSupported": false, "ResourceTypes": ["AWS::EC2::VPC"]}),
            };
            let body = json!({"Recording": true, "RecordingGroup": group});
            let recorder = item("AWS::Config::ConfigurationRecorder", "default", body, json!({}));
            match region {
                "us-east-1" => push_elsewhere(&mut case, 0, region, recorder),
                "sa-east-1" => push_elsewhere(&mut case, 1, region, recorder),
                _ => {
                    let items = case["delivery"]["configurationItems"].as_array_mut();
                    items.unwrap().push(recorder);
                }
            }
        }
        // What is protected though not all protections are told has no violator, and no result.
        let mut outcome = outcome(resource, want);
        if want == "comply +AWSCONFIG" {
            outcome.status = None;
        }
        check(&format!("{seen} | {world_words}"), &case, &outcome);
    }
}

fn outcome(resource: &str, want: &str) -> Outcome {
    let (kind, id, _) = named(resource.split(' ').next().unwrap());
    let mut outcome = match want.split(' ').next().unwrap() {
        "comply" => compliant(),
        "undecided" => undecided("AWSCONFIG"),
        "msp" => noncompliant(&[(kind, &id, "RESOURCE_MISSING_SHIELD_PROTECTION")]),
        "mwos" => noncompliant(&[(kind, &id, "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION")]),
        other => panic!("`{other}` is no outcome"),
    };
    if want.ends_with("+AWSCONFIG") {
        outcome.issues.insert("AWSCONFIG".to_owned());
    }
    outcome
}

/// Type, id and the ARN by which a protection names it.
fn named(word: &str) -> (&'static str, String, String) {
    let balancer = |short: &str| {
        let arn =
            format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/{short}/a/1");
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", arn.clone(), arn)
    };
    match word {
        "alb" => balancer("app"),
        "nlb" => balancer("net"),
        "gwlb" => balancer("gwy"),
        "clb" => (
            "AWS::ElasticLoadBalancing::LoadBalancer",
            "old".to_owned(),
            format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/old"),
        ),
        "eip" => (
            "AWS::EC2::EIP",
            "eipalloc-1".to_owned(),
            format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:eip-allocation/eipalloc-1"),
        ),
        other => panic!("`{other}` is no resource"),
    }
}

fn world(resource: &str, protections: &str, data: Value) -> Value {
    let words: Vec<&str> = resource.split(' ').collect();
    let (kind, id, arn) = named(words[0]);
    let acl = match words.get(1) {
        Some(&"acl") => format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/mine/1"),
        Some(_) => "6c2c3f5e-0000-4000-8000-0000000000aa".to_owned(),
        None => String::new(),
    };
    let body = match words[0] {
        "alb" => json!({"loadBalancerArn": id, "type": "application"}),
        "nlb" => json!({"loadBalancerArn": id, "type": "network"}),
        "gwlb" => json!({"loadBalancerArn": id, "type": "gateway"}),
        "clb" => json!({"loadBalancerName": id, "vpcid": "vpc-1"}),
        _ => json!({"allocationId": id, "domain": "vpc"}),
    };
    let mut made = item(kind, &id, body, json!({}));
    made["supplementaryConfiguration"] =
        json!({"LoadBalancerAttributes": [{"key": "waf.web_acl_id", "value": acl}]});

    let mut case = empty_case();
    case["policy"] = policy("shield", "SHIELD_ADVANCED", &data, kind);
    case["delivery"]["configurationItems"].as_array_mut().unwrap().push(made);
    case["elsewhere"] = json!([]);
    for (at, region) in ["us-east-1", "sa-east-1"].into_iter().enumerate() {
        let delivery = json!({"fileVersion": "1.0", "configurationItems": [],
            "configSnapshotId": "dededede-0000-4000-8000-000000000000"});
        case["elsewhere"]
            .as_array_mut()
            .unwrap()
            .push(json!({"region": region, "delivery": delivery}));
        let vpc = item("AWS::EC2::VPC", "vpc-9", json!({"vpcId": "vpc-9"}), json!({}));
        push_elsewhere(&mut case, at, region, vpc);
    }
    for (at, words) in protections.split_whitespace().enumerate() {
        protect(&mut case, words, &format!("5b1e-{at}"), &arn);
    }
    case
}

fn push_elsewhere(case: &mut Value, at: usize, region: &str, mut item: Value) {
    item["awsRegion"] = json!(region);
    let items = case["elsewhere"][at]["delivery"]["configurationItems"].as_array_mut();
    items.unwrap().push(item);
}

fn protect(case: &mut Value, words: &str, id: &str, arn: &str) {
    let (words, later) = words.strip_suffix("@2").map_or((words, false), |words| (words, true));
    let (place, response) = words.split_once(':').unwrap_or((words, ""));
    let mut body = json!({"Id": id, "Name": "p", "ResourceArn": arn});
    if place.ends_with('x') {
        body["ResourceArn"] = json!(format!("{arn}x"));
    }
    let response = match response {
        "block" => json!({"Status": "ENABLED", "Action": {"Block": {}}}),
        "count" => json!({"Status": "ENABLED", "Action": {"Count": {}}}),
        "untold" => json!({"Status": "ENABLED"}),
        "off" => json!({"Status": "DISABLED"}),
        _ => Value::Null,
    };
    if !response.is_null() {
        body["ApplicationLayerAutomaticResponseConfig"] = response;
    }
    let kind = match place {
        "global" | "global-in-us-east-1" => "AWS::Shield::Protection",
        _ => "AWS::ShieldRegional::Protection",
    };
    let mut made = item(kind, id, body, json!({}));
    if later {
        made["configurationItemCaptureTime"] = json!("2026-02-03T04:05:06.008Z");
    }
    match place {
        "unseen" | "deleted" => {
            let status = if place == "unseen" { "ResourceNotRecorded" } else { "ResourceDeleted" };
            made["configurationItemStatus"] = json!(status);
            made["configuration"] = Value::Null;
        }
        "global" => made["awsRegion"] = json!("global"),
        "global-in-us-east-1" => return push_elsewhere(case, 0, "global", made),
        "us-east-1" => return push_elsewhere(case, 0, "us-east-1", made),
        "sa-east-1" => return push_elsewhere(case, 1, "sa-east-1", made),
        _ => {}
    }
    case["delivery"]["configurationItems"].as_array_mut().unwrap().push(made);
}
