//! API stages of the acquired companies, behind web ACLs of WAF Classic (formats §9).

use serde_json::{Value, json};

use super::item::{ConfigurationItem, Place};
use super::policies::CLASSIC_RULE_GROUP;
use super::prng::Prng;

/// What stands before the stage of an account, if it has one.
enum Front {
    /// The web ACL that Firewall Manager made.
    Managed,
    /// The same, after somebody took the rule group out.
    Bare,
    /// One that the company had before it was acquired.
    Foreign,
}

/// The stage of an account with the web ACL in front of it.
pub fn stage(place: &Place, account_name: &str, captured_ms: i64) -> Vec<ConfigurationItem> {
    let front = match account_name {
        "northbay-outdoor" | "tannery-direct" => Front::Managed,
        "harborline-wms" => Front::Bare,
        "legacy-erp" => Front::Foreign,
        _ => return Vec::new(),
    };
    let mut prng = Prng::labelled(4, &format!("{}/{}", place.account, place.region));
    let acl = prng.uuid();
    let stage =
        format!("arn:aws:apigateway:{}::/restapis/{}/stages/partners", place.region, prng.hex16());
    let acl_arn = format!("arn:aws:waf-regional:{}:{}:webacl/{acl}", place.region, place.account);
    let item = ConfigurationItem::new(place, "AWS::ApiGateway::Stage", &stage, captured_ms);
    vec![
        item.named("partners").arn(stage.clone()).configuration(json!({
            "stageName": "partners",
            "webAclArn": acl_arn,
        })),
        web_acl(place, &acl, acl_arn, &stage, &front, captured_ms),
    ]
}

fn web_acl(
    place: &Place,
    id: &str,
    arn: String,
    stage: &str,
    front: &Front,
    captured_ms: i64,
) -> ConfigurationItem {
    let group = json!({"ruleId": CLASSIC_RULE_GROUP, "priority": 1, "type": "GROUP",
        "overrideAction": {"type": "NONE"}, "excludedRules": []});
    let (name, rules): (String, Vec<Value>) = match front {
        Front::Managed => (format!("FMManagedWebACL{id}"), vec![group]),
        Front::Bare => (format!("FMManagedWebACL{id}"), Vec::new()),
        Front::Foreign => ("partners".to_owned(), Vec::new()),
    };
    ConfigurationItem::new(place, "AWS::WAFRegional::WebACL", id, captured_ms)
        .named(&name)
        .arn(arn)
        .configuration(json!({
            "webACLId": id,
            "name": name,
            "metricName": "partners",
            "defaultAction": {"type": "ALLOW"},
            "rulesList": rules,
            "associationList": [{"resourceARN": stage}],
        }))
}
