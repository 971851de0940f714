//! RETROFIT_EXISTING (semantics §5.1 tests 2 to 4), worked by hand.

use serde_json::{Value, json};

use super::words::*;
use super::{ACCOUNT, check};

const STAGE: &str = "AWS::ApiGateway::Stage";
const WEB_ACL: &str = "AWS::WAFv2::WebACL";

/// Source of web ACLs, whether a first group is wanted | the web ACL on the stage: managed by
/// Firewall Manager, retrofitted, carrying the group, and what else it is on | what becomes of the
/// stage and of the web ACL.
const RETROFITS: &str = "
new               | customer                          | incorrect -
new               | customer retrofitted carrying     | incorrect -
retrofit          | customer                          | comply -
retrofit          | customer managed retrofitted      | comply -
retrofit          | customer managed                  | incorrect scope
retrofit          | own managed                       | comply -
retrofit group    | customer                          | missing -
retrofit group    | customer retrofitted              | missing -
retrofit group    | customer retrofitted carrying     | comply -
retrofit group    | own managed carrying              | comply -
retrofit group    | own managed                       | missing -
retrofit          | bare                              | bare -
retrofit          | customer on=api                   | comply scope
retrofit          | customer on=balancer              | comply scope
retrofit          | customer on=gone                  | comply -
retrofit          | customer says=acl                 | comply scope
retrofit          | customer on=balancer says=acl     | comply scope
retrofit          | customer on=balancer says=        | comply -
retrofit          | customer on=balancer says=other   | comply -
retrofit          | customer on=api says=             | comply scope
retrofit          | own managed on=api                | comply -
new               | customer on=api                   | incorrect -
";

#[test]
fn retrofits_worked_by_hand() {
    for [source, words, want] in rows(RETROFITS) {
        let mut case = empty_case();
        let rule_group = format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/rulegroup/one/1");
        let mut data = json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
        if source.starts_with("retrofit") {
            data["webACLSource"] = json!("RETROFIT_EXISTING");
        }
        if source.ends_with("group") {
            data["preProcessRuleGroups"] = json!([{"ruleGroupArn": rule_group,
                "ruleGroupType": "RuleGroup", "overrideAction": {"type": "NONE"}}]);
        }
        case["policy"] = policy("edge", "WAFV2", &data, STAGE);
        let words: Vec<&str> = words.split_whitespace().collect();
        let name = match words[0] {
            "own" => "FMManagedWebACLV2-edge-1770000000000",
            _ => "mine",
        };
        let arn = format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/{name}/1");
        let groups = if words.contains(&"carrying") {
            json!([{"Name": "one", "OverrideAction": {"None": {}}, "FirewallManagerStatement":
                {"RuleGroupReferenceStatement": {"ARN": rule_group}}}])
        } else {
            json!([])
        };
        let body = json!({"ARN": arn, "Id": "1", "Name": name,
            "ManagedByFirewallManager": words.contains(&"managed"),
            "RetrofittedByFirewallManager": words.contains(&"retrofitted"),
            "PreProcessFirewallManagerRuleGroups": groups,
            "PostProcessFirewallManagerRuleGroups": []});
        let stage = "arn:aws:apigateway:eu-west-1::/restapis/a/stages/live";
        let balancer =
            format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/app/b/1");
        let balancer_type = "AWS::ElasticLoadBalancingV2::LoadBalancer";
        let attribute = if words[0] == "bare" { "" } else { &arn };
        let mut acl = item(WEB_ACL, &arn, body, json!({}));
        acl["relationships"] = match words.iter().find_map(|word| word.strip_prefix("on=")) {
            Some("api") => related("AWS::AppSync::GraphQLApi", "api-1"),
            Some("balancer") => related(balancer_type, &balancer),
            Some(_) => related(STAGE, "arn:aws:apigateway:eu-west-1::/restapis/z/stages/live"),
            None => json!([]),
        };
        let mut other = item(
            balancer_type,
            &balancer,
            json!({"loadBalancerArn": balancer, "type": "application"}),
            json!({}),
        );
        // What the balancer, which is out of scope, says of itself (row 16).
        if let Some(says) = words.iter().find_map(|word| word.strip_prefix("says=")) {
            let value = if says == "acl" { &arn } else { says };
            other["supplementaryConfiguration"] =
                json!({"LoadBalancerAttributes": [{"key": "waf.web_acl_id", "value": value}]});
        }
        case["delivery"]["configurationItems"] = json!([
            acl,
            other,
            item(STAGE, stage, json!({"stageName": "live", "webAclArn": attribute}), json!({})),
        ]);
        let (of_stage, of_acl) = want.split_once(' ').unwrap();
        let reason = match of_stage {
            "comply" => None,
            "bare" => Some("RESOURCE_MISSING_WEB_ACL"),
            "missing" => Some("WEB_ACL_MISSING_RULE_GROUP"),
            _ => Some("RESOURCE_INCORRECT_WEB_ACL"),
        };
        let mut violators: Vec<_> =
            reason.map(|reason| (STAGE, stage, reason)).into_iter().collect();
        if of_acl == "scope" {
            violators.push((WEB_ACL, &arn, "WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE"));
        }
        let want = if violators.is_empty() { compliant() } else { noncompliant(&violators) };
        check(&format!("{source} | {words:?}"), &case, &want);
    }
}

fn related(kind: &str, id: &str) -> Value {
    json!([{"resourceType": kind, "resourceId": id, "name": "Is associated with "}])
}
