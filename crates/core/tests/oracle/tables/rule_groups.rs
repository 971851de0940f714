//! Rule groups of web ACLs (semantics §5.1 test 3, §11 row 33), worked by hand.

use serde_json::{Value, json};

use super::words::*;
use super::{ACCOUNT, check};

/// First / last groups of the policy | those of its web ACL | outcome. A letter is an own group,
/// `m` a managed one, with what [`Parts`] says behind; `?` a side that is not told.
const RULE_GROUPS: &str = "
/        | /        | comply
/        | ? / ?    | undecided
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
m /      | m@2 /    | comply
m /      | m:v /    | missing
m@1 /    | m@1 /    | comply
m@1 /    | m /      | missing
m@1 /    | m@2 /    | missing
a /      | ? /      | undecided
a / b    | ? / b    | undecided
a / b    | ? /      | missing
m#x=count /      | m#x=count /      | comply
m#x=count /      | m /              | missing
m /              | m#x=count /      | missing
m#x=count /      | m#x=block /      | missing
m#x=count#y=block / | m#y=block#x=count / | comply
m#x=count#y=block / | m#x=count /    | missing
m-x /            | m-x /            | comply
m-x /            | m#x=count /      | comply
m#x=count /      | m-x /            | comply
m-x /            | m#x=block /      | missing
m-x /            | m /              | missing
a /              | a#x=count /      | missing
m /              | m-x /            | missing
m+c /            | m+c /            | comply
m+c^ /           | m+c /            | comply
m+c /            | m+d /            | missing
m+c /            | m /              | missing
m /              | m+c /            | missing
m /              | m~ /             | missing
a /              | a~ /             | missing
a b /            | b%1 a%0 /        | comply
a b /            | a%1 b%0 /        | missing
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
                body[key] =
                    side.iter().enumerate().map(|(at, group)| as_found(group, at)).collect();
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

/// What a word says of a group: its name; `:v` another vendor, `@1` its version, `!` a count override,
/// `#x=count` what becomes of a rule, `-x` a rule that is excluded, `+c` its configuration (`^` beside
/// its name), `~` a scope-down statement, `%1` its priority.
#[derive(Default)]
struct Parts<'w> {
    name: &'w str,
    vendor: Option<&'w str>,
    version: Option<&'w str>,
    count: bool,
    overrides: Vec<(&'w str, &'w str)>,
    excluded: Vec<&'w str>,
    config: Option<&'w str>,
    beside: bool,
    scope_down: bool,
    priority: Option<i64>,
}

fn parts(word: &str) -> Parts<'_> {
    let is_mark = |c: char| ":@!#-+^~%".contains(c);
    let end = word.find(is_mark).unwrap_or(word.len());
    let mut parts = Parts { name: &word[..end], ..Parts::default() };
    let mut rest = &word[end..];
    while let Some(mark) = rest.chars().next() {
        let end = rest[1..].find(is_mark).map_or(rest.len(), |end| end + 1);
        let said = &rest[1..end];
        match mark {
            ':' => parts.vendor = Some(said),
            '@' => parts.version = Some(said),
            '!' => parts.count = true,
            '#' => parts.overrides.push(said.split_once('=').unwrap()),
            '-' => parts.excluded.push(said),
            '+' => parts.config = Some(said),
            '^' => parts.beside = true,
            '~' => parts.scope_down = true,
            _ => parts.priority = Some(said.parse().unwrap()),
        }
        rest = &rest[end..];
    }
    parts
}

fn arn(name: &str) -> String {
    format!("arn:aws:wafv2:eu-west-1:111111111111:regional/rulegroup/{name}/1")
}

fn as_wanted(word: &str) -> Value {
    let parts = parts(word);
    let action = json!({"type": if parts.count { "COUNT" } else { "NONE" }});
    let named = |rule: &&str| json!({"name": rule});
    let excluded: Vec<Value> = parts.excluded.iter().map(named).collect();
    if parts.name != "m" {
        return json!({"ruleGroupArn": arn(parts.name), "ruleGroupType": "RuleGroup",
            "overrideAction": action, "excludeRules": excluded});
    }
    let mut identifier = json!({"vendorName": parts.vendor.unwrap_or("AWS"),
        "managedRuleGroupName": "m", "versionEnabled": parts.version.is_some(),
        "version": parts.version});
    let overrides = parts.overrides.iter();
    let overrides: Vec<Value> = overrides
        .map(|(rule, action)| json!({"name": rule, "actionToUse": { *action: {} }}))
        .collect();
    let config = parts.config.map(|said| {
        json!([{"awsmanagedRulesATPRuleSet": {"loginPath": said, "enableRegexInPath": null}}])
    });
    if !parts.beside {
        identifier["managedRuleGroupConfigs"] = json!(config);
    }
    let mut group = json!({"ruleGroupArn": null, "managedRuleGroupIdentifier": identifier,
        "ruleGroupType": "ManagedRuleGroup", "overrideAction": action, "excludeRules": excluded,
        "ruleActionOverrides": overrides});
    if parts.beside {
        group["managedRuleGroupConfigs"] = json!(config);
    }
    group
}

/// Where a word does not say it, its place is its priority.
fn as_found(word: &str, at: usize) -> Value {
    let parts = parts(word);
    let priority = parts.priority.unwrap_or_else(|| i64::try_from(at).unwrap());
    let action = if parts.count { json!({"Count": {}}) } else { json!({"None": {}}) };
    let mut inner = match parts.name {
        "m" => json!({"VendorName": parts.vendor.unwrap_or("AWS"), "Name": "m"}),
        name => json!({"ARN": arn(name)}),
    };
    if let Some(version) = parts.version {
        inner["Version"] = json!(version);
    }
    if !parts.excluded.is_empty() {
        let named = |rule: &&str| json!({"Name": rule});
        inner["ExcludedRules"] = parts.excluded.iter().map(named).collect();
    }
    if !parts.overrides.is_empty() {
        let upper = |action: &str| format!("{}{}", action[..1].to_uppercase(), &action[1..]);
        let overrides = parts.overrides.iter();
        inner["RuleActionOverrides"] = overrides
            .map(|(rule, action)| json!({"Name": rule, "ActionToUse": { upper(action): {} }}))
            .collect();
    }
    if let Some(said) = parts.config {
        inner["ManagedRuleGroupConfigs"] =
            json!([{"AWSManagedRulesATPRuleSet": {"LoginPath": said}}]);
    }
    if parts.scope_down {
        inner["ScopeDownStatement"] = json!({"GeoMatchStatement": {"CountryCodes": ["CH"]}});
    }
    let kind = match parts.name {
        "m" => "ManagedRuleGroupStatement",
        _ => "RuleGroupReferenceStatement",
    };
    json!({"Name": parts.name, "Priority": priority,
        "FirewallManagerStatement": { kind: inner }, "OverrideAction": action})
}
