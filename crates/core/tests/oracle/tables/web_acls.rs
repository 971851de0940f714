//! Web ACLs on load balancers, and whose they are (semantics §5.1, §10 rows 16 and 18, §11 rows 34,
//! 52), worked by hand.

use serde_json::json;

use super::words::*;
use super::{ACCOUNT, check};

/// Load balancer: kind, its attribute, whose relationship names it | web ACLs | outcome.
/// A web ACL is `letter:name[!]`, `!` when Firewall Manager does not manage it.
const WEB_ACLS: &str = "
application bare          |                                          | missing
application absent        |                                          | missing
application a             | a:FMManagedWebACLV2-edge-1770000000000   | comply
application a             | a:FMManagedWebACLV2-edge-1770000000000!  | incorrect
application a             | a:FMManagedWebACLV2-edge-two-1770000000000 | incorrect
application a             | a:FMManagedWebACLV2-edg-1770000000000    | incorrect
application a             | a:FMManagedWebACLV2-edge-                | incorrect
application a             | a:FMManagedWebACLV2edge1770000000000     | comply
application a             | a:FMManagedWebACLV2edge1770000000000!    | incorrect
application a             | a:FMManagedWebACLV2-edge-1770000000      | comply
application a             | a:FMManagedWebACLV2-edge-177000000       | incorrect
application a             | a:FMManagedWebACLV2-edge-17700000000000  | incorrect
application a             | a:FMManagedWebACLV2edge177000000         | incorrect
application a             | a:FMManagedWebACLV2-edge-177x            | incorrect
application a             | a:FMManagedWebACLV2-Edge-1770000000000   | incorrect
application a             | a:xFMManagedWebACLV2-edge-1770000000000  | incorrect
application a             | a:mine                                   | incorrect
application a             |                                          | incorrect
application classic       |                                          | incorrect
application absent of a   | a:FMManagedWebACLV2-edge-1770000000000   | comply
application absent of a   | a:mine                                   | incorrect
application bare of a     | a:FMManagedWebACLV2-edge-1770000000000   | missing
application b of a        | a:FMManagedWebACLV2-edge-1770000000000 b:mine | incorrect
application b of a        | b:FMManagedWebACLV2-edge-1770000000000 a:mine | comply
network bare              |                                          | comply
network a                 | a:mine                                   | comply
gateway bare              |                                          | comply
";

#[test]
fn web_acls_worked_by_hand() {
    for overriding in [false, true] {
        for [balancer, acls, want] in rows(WEB_ACLS) {
            let data = json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
                "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": overriding});
            let mut case = empty_case();
            case["policy"] =
                policy("edge", "WAFV2", &data, "AWS::ElasticLoadBalancingV2::LoadBalancer");
            let arn = |acl: &str| {
                let name =
                    acls.split_whitespace().find_map(|word| word.strip_prefix(&format!("{acl}:")));
                let name = name.unwrap_or("gone").trim_end_matches('!');
                format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/{name}/{acl}")
            };
            let mut words = balancer.split_whitespace();
            let (kind, attribute) = (words.next().unwrap(), words.next().unwrap());
            let related = words.nth(1);
            let short = match kind {
                "application" => "app",
                "network" => "net",
                _ => "gwy",
            };
            let id = format!(
                "arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/{short}/lb/1"
            );
            let value = match attribute {
                "bare" => Some(String::new()),
                "absent" => None,
                "classic" => Some("6c2c3f5e-0000-4000-8000-0000000000aa".to_owned()),
                acl => Some(arn(acl)),
            };
            let mut items = vec![];
            let mut made = item(
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                &id,
                json!({"loadBalancerArn": id, "type": kind}),
                json!({}),
            );
            let mut attributes =
                vec![json!({"key": "idle_timeout.timeout_seconds", "value": "60"})];
            attributes.extend(value.map(|value| json!({"key": "waf.web_acl_id", "value": value})));
            made["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attributes});
            items.push(made);
            for word in acls.split_whitespace() {
                let (acl, name) = word.split_once(':').unwrap();
                let body = json!({"ARN": arn(acl), "Id": acl, "Name": name.trim_end_matches('!'),
                    "ManagedByFirewallManager": !name.ends_with('!'),
                    "PreProcessFirewallManagerRuleGroups": [],
                    "PostProcessFirewallManagerRuleGroups": []});
                let mut made = item("AWS::WAFv2::WebACL", &arn(acl), body, json!({}));
                if related == Some(acl) {
                    made["relationships"] = json!([{"resourceId": id, "name": "Is associated with ",
                        "resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer"}]);
                }
                items.push(made);
            }
            case["delivery"]["configurationItems"] = json!(items);
            record(&mut case);
            let reason = match want {
                "missing" => "RESOURCE_MISSING_WEB_ACL",
                "incorrect" => "RESOURCE_INCORRECT_WEB_ACL",
                _ => "",
            };
            let want = match reason {
                "" => compliant(),
                reason => {
                    noncompliant(&[("AWS::ElasticLoadBalancingV2::LoadBalancer", &id, reason)])
                }
            };
            check(&format!("{balancer} | {acls}"), &case, &want);
        }
    }
}

/// Names of the policy, former ones behind | those of other policies | name of the web ACL | whose.
const NAMES: &str = "
edge              |                | FMManagedWebACLV2-edge-1770000000000      own
edge border       |                | FMManagedWebACLV2-border-1770000000000    own
edge border       |                | FMManagedWebACLV2border1770000000000      own
edge              | border         | FMManagedWebACLV2-border-1770000000000    other
edge              |                | FMManagedWebACLV2edge11770000000000       other
edge              |                | FMManagedWebACLV2edge1177000000000        own
edge              | edge1          | FMManagedWebACLV2edge1177000000000        other
edge1             | edge           | FMManagedWebACLV2edge1177000000000        own
edge              | edge1@other    | FMManagedWebACLV2edge1177000000000        own
edge              | edge1          | FMManagedWebACLV2-edge-1770000000000      own
edge              | -edge-         | FMManagedWebACLV2-edge-1770000000000      other
edge              | edge           | FMManagedWebACLV2-edge-1770000000000      own
";

#[test]
fn names_of_web_acls_worked_by_hand() {
    for [names, others, acl] in rows(NAMES) {
        let (acl, want) = acl.split_once(' ').unwrap();
        let data = json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
        let mut case = empty_case();
        let words: Vec<&str> = names.split_whitespace().collect();
        case["policy"] = policy(words[0], "WAFV2", &data, "AWS::ApiGateway::Stage");
        case["formerNames"] = json!(words[1..]);
        let other = |word: &str| {
            let (name, place) = word.split_once('@').unwrap_or((word, "eu-west-1"));
            let region = if place == "other" { "ap-south-1" } else { place };
            json!({"name": name, "service": "WAFV2", "formerNames": [], "region": region})
        };
        case["otherPolicies"] = others.split_whitespace().map(other).collect();
        let arn = format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/{acl}/1");
        let body = json!({"ARN": arn, "Id": "1", "Name": acl, "ManagedByFirewallManager": true,
            "RetrofittedByFirewallManager": false, "PreProcessFirewallManagerRuleGroups": [],
            "PostProcessFirewallManagerRuleGroups": []});
        let stage = "arn:aws:apigateway:eu-west-1::/restapis/a/stages/live";
        case["delivery"]["configurationItems"] = json!([
            item("AWS::WAFv2::WebACL", &arn, body, json!({})),
            item(
                "AWS::ApiGateway::Stage",
                stage,
                json!({"stageName": "live", "webAclArn": arn}),
                json!({})
            ),
        ]);
        let violator = ("AWS::ApiGateway::Stage", stage, "RESOURCE_INCORRECT_WEB_ACL");
        let want = if want.trim() == "own" { compliant() } else { noncompliant(&[violator]) };
        check(&format!("{names} | {others} | {acl}"), &case, &want);
    }
}
