//! Rule groups of web ACLs (semantics §5.1 test 3), worked by hand.

use serde_json::{Value, json};

use super::words::*;
use super::{ACCOUNT, check};

/// First / last groups of the policy | those of its web ACL | outcome. A letter is an own group,
/// `m` a managed one, `@1` its version, `!` a count override, `?` a side that is not told.
const RULE_GROUPS: &str = "
/        | /        | comply
/        | ? / ?    | comply
a /      | a /      | comply
a /      | /        | missing
a /      | b /      | missing
a b /    | a b /    | comply
a b /    | b a /    | missing
a b /    | a /      | missing
a / b    | a / b    | comply
a / b    | b / a    | missing
a / b    | a /      | missing
a /      | a! /     | missing
a! /     | a! /     | comply
m /      | m /      | comply
m@1 /    | m@1 /    | comply
m@1 /    | m /      | missing
m@1 /    | m@2 /    | missing
a /      | ? /      | undecided
a / b    | ? / b    | undecided
a / b    | ? /      | missing
";

#[test]
fn rule_groups_worked_by_hand() {
    for [wanted, found, want] in rows(RULE_GROUPS) {
        let mut case = empty_case();
        let [first, last] =
            sides(wanted).map(|side| side.iter().map(|g| as_wanted(g)).collect::<Vec<_>>());
        let data = json!({"type": "WAFV2", "preProcessRuleGroups": first, "postProcessRuleGroups": last,
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
        case["policy"] = policy("edge", "WAFV2", &data, "AWS::ApiGateway::Stage");
        let name = "FMManagedWebACLV2-edge-1770000000000";
        let arn = format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/{name}/1");
        let mut body = json!({"ARN": arn, "Id": "1", "Name": name, "ManagedByFirewallManager": true,
                // Between the policy's groups the account may have rules of its own.
                "Rules": [{"Name": "own", "Priority": 0, "Statement": {}, "Action": {"Block": {}}}]});
        for (key, side) in
            ["PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups"]
                .iter()
                .zip(sides(found))
        {
            if side != ["?"] {
                body[key] = side.iter().map(|group| as_found(group)).collect();
            }
        }
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
        let want = match want {
            "comply" => compliant(),
            "undecided" => undecided("AWSCONFIG"),
            _ => noncompliant(&[("AWS::ApiGateway::Stage", stage, "WEB_ACL_MISSING_RULE_GROUP")]),
        };
        check(&format!("{wanted} | {found}"), &case, &want);
    }
}

fn sides(words: &str) -> [Vec<&str>; 2] {
    let (first, last) = words.split_once('/').unwrap();
    [first, last].map(|side| side.split_whitespace().collect())
}

/// Name, version and count override of a word.
fn parts(word: &str) -> (&str, Option<&str>, bool) {
    let (word, count) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
    let (name, version) =
        word.split_once('@').map_or((word, None), |(name, version)| (name, Some(version)));
    (name, version, count)
}

fn arn(name: &str) -> String {
    format!("arn:aws:wafv2:eu-west-1:111111111111:regional/rulegroup/{name}/1")
}

fn as_wanted(word: &str) -> Value {
    let (name, version, count) = parts(word);
    let action = json!({"type": if count { "COUNT" } else { "NONE" }});
    if name == "m" {
        let identifier = json!({"vendorName": "AWS", "managedRuleGroupName": "m",
            "versionEnabled": version.is_some(), "version": version});
        return json!({"ruleGroupArn": null, "managedRuleGroupIdentifier": identifier,
            "ruleGroupType": "ManagedRuleGroup", "overrideAction": action});
    }
    json!({"ruleGroupArn": arn(name), "ruleGroupType": "RuleGroup", "overrideAction": action})
}

fn as_found(word: &str) -> Value {
    let (name, version, count) = parts(word);
    let action = if count { json!({"Count": {}}) } else { json!({"None": {}}) };
    let mut managed = json!({"VendorName": "AWS", "Name": "m"});
    if let Some(version) = version {
        managed["Version"] = json!(version);
    }
    let statement = match name {
        "m" => json!({"ManagedRuleGroupStatement": managed}),
        name => json!({"RuleGroupReferenceStatement": {"ARN": arn(name)}}),
    };
    json!({"Name": name, "Priority": 0, "FirewallManagerStatement": statement, "OverrideAction": action})
}
