//! Rule groups from the text of a policy and of an item (semantics §11 row 33): one part is altered
//! at a time.

use serde_json::{Map, Value, json};

use crate::inventory::read_item;
use crate::policy::{Document, Identity, parse};

use super::*;

const LACKING: &str = "WEB_ACL_MISSING_RULE_GROUP";

/// A first managed group, a first own one and a last managed one, as a policy writes them.
fn wanted() -> Value {
    json!({
        "type": "WAFV2", "defaultAction": {"type": "ALLOW"},
        "preProcessRuleGroups": [
            {"ruleGroupArn": null, "ruleGroupType": "ManagedRuleGroup", "overrideAction": {"type": "NONE"},
             "excludeRules": [{"name": "NoUserAgent_HEADER"}],
             "ruleActionOverrides": [{"name": "SizeRestrictions_BODY", "actionToUse": {"block": {}}}],
             "managedRuleGroupIdentifier": {"vendorName": "AWS", "managedRuleGroupName": "Common",
                "versionEnabled": true, "version": "Version_1.3"}},
            {"ruleGroupArn": "arn:rg:one", "ruleGroupType": "RuleGroup", "overrideAction": {"type": "COUNT"},
             "excludeRules": [{"name": "mine"}]}],
        "postProcessRuleGroups": [
            {"ruleGroupType": "ManagedRuleGroup", "overrideAction": {"type": "NONE"},
             "managedRuleGroupIdentifier": {"vendorName": "AWS", "managedRuleGroupName": "ATP",
                "managedRuleGroupConfigs": [{"awsmanagedRulesATPRuleSet": {"loginPath": "/in",
                    "requestInspection": {"payloadType": "JSON", "usernameField": {"identifier": "/u"}}}}]}}],
    })
}

/// The same as AWS Config tells them of the web ACL.
fn told() -> Value {
    let visible = |name: &str| json!({"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": name});
    json!({
        "ARN": acl_arn(OWN), "Name": OWN, "ManagedByFirewallManager": true,
        "RetrofittedByFirewallManager": false, "Rules": [],
        "PreProcessFirewallManagerRuleGroups": [
            {"Name": "PREFMManaged-a", "Priority": 0, "OverrideAction": {"None": {}}, "VisibilityConfig": visible("a"),
             "FirewallManagerStatement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "Common",
                "Version": "Version_1.3", "ExcludedRules": [{"Name": "NoUserAgent_HEADER"}],
                "RuleActionOverrides": [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Block": {}}}]}}},
            {"Name": "PREFMManaged-b", "Priority": 1, "OverrideAction": {"Count": {}}, "VisibilityConfig": visible("b"),
             "FirewallManagerStatement": {"RuleGroupReferenceStatement": {"ARN": "arn:rg:one",
                "ExcludedRules": [{"Name": "mine"}]}}}],
        "PostProcessFirewallManagerRuleGroups": [
            {"Name": "POSTFMManaged-c", "Priority": 0, "OverrideAction": {"None": {}}, "VisibilityConfig": visible("c"),
             "FirewallManagerStatement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "ATP",
                "ManagedRuleGroupConfigs": [{"AWSManagedRulesATPRuleSet": {"LoginPath": "/in",
                    "RequestInspection": {"PayloadType": "JSON", "UsernameField": {"Identifier": "/u"}}}}]}}}],
    })
}

/// The JSON with the value at a path put, or taken out when it is null.
fn edited(mut json: Value, path: &str, value: Value) -> Value {
    let (parent, member) = path.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).unwrap_or_else(|| panic!("{path}"));
    match (parent, value) {
        (Value::Object(members), Value::Null) => {
            members.remove(member);
        }
        (Value::Object(members), value) => {
            members.insert(member.to_owned(), value);
        }
        (Value::Array(items), Value::Null) => {
            items.remove(member.parse().unwrap());
        }
        (Value::Array(items), value) => items.insert(member.parse().unwrap(), value),
        _ => panic!("{path}"),
    }
    json
}

/// Names of members as the earlier generation of items writes them.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let mut letters = name.chars();
                    let first = letters.next().map(|first| first.to_ascii_lowercase());
                    (first.into_iter().chain(letters).collect(), camel(value))
                })
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.into_iter().map(camel).collect(),
        other => other,
    }
}

/// What is found of the one load balancer that has the web ACL.
fn judged_of(data: &Value, configuration: &Value) -> Judgement {
    let document: Document = serde_json::from_value(json!({
        "PolicyName": "web", "ResourceType": ALBS, "ExcludeResourceTags": false, "RemediationEnabled": false,
        "SecurityServicePolicyData": {"Type": "WAFV2", "ManagedServiceData": data.to_string()},
    }))
    .unwrap();
    let identity = Identity {
        id: "01234567-89ab-cdef-0123-456789abcdef".parse().unwrap(),
        owner: "999999999999".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        revision: 1,
        former_names: vec![],
    };
    let policy = parse(&document, identity).unwrap();
    let item = json!({"configurationItemCaptureTime": "2026-02-03T04:05:06.789Z", "awsAccountId": "111111111111",
        "awsRegion": "us-east-1", "resourceType": "AWS::WAFv2::WebACL", "resourceId": acl_arn(OWN),
        "configurationItemStatus": "OK", "configuration": configuration, "relationships": [], "tags": {}});
    let item = read_item(item.to_string().as_bytes()).unwrap().item;
    judged(&policy, &world([item, alb("alb-1", OWN)]), &References::new())
}

/// `comply`, `undecided`, or the differences in words.
fn said(data: &Value, configuration: &Value) -> String {
    let judgement = judged_of(data, configuration);
    match (judgement.violators.as_slice(), judgement.gaps.len()) {
        ([], 0) => "comply".to_owned(),
        ([], _) => "undecided".to_owned(),
        ([one], 0) => {
            assert_eq!(one.violations[0].reason, ViolationReason::WebAclMissingRuleGroup);
            let Finding::Waf(WafFinding::WebAcl { differences, .. }) = &one.violations[0].finding
            else {
                panic!()
            };
            differences.join("; ")
        }
        other => panic!("{other:?}"),
    }
}

const PRE: &str = "/PreProcessFirewallManagerRuleGroups";
const POST: &str = "/PostProcessFirewallManagerRuleGroups";
const COMMON: &str =
    "/PreProcessFirewallManagerRuleGroups/0/FirewallManagerStatement/ManagedRuleGroupStatement";
const MINE: &str =
    "/PreProcessFirewallManagerRuleGroups/1/FirewallManagerStatement/RuleGroupReferenceStatement";
const ATP: &str =
    "/PostProcessFirewallManagerRuleGroups/0/FirewallManagerStatement/ManagedRuleGroupStatement";

#[test]
fn the_same_groups_comply_in_both_generations_of_items() {
    assert_eq!(said(&wanted(), &told()), "comply");
    assert_eq!(said(&wanted(), &camel(told())), "comply");
}

#[test]
fn each_part_that_is_altered_is_named_with_its_group() {
    let config = |path: &str| {
        format!(
            r#"{{"awsmanagedrulesatpruleset":{{"loginpath":"{path}","requestinspection":{{"payloadtype":"JSON","usernamefield":{{"identifier":"/u"}}}}}}}}"#
        )
    };
    let lacks = format!("last rule group AWS ATP: its configuration lacks {}", config("/in"));
    let has = format!("last rule group AWS ATP: its configuration has {}", config("/out"));
    let other_path = format!("{has}; {lacks}");
    #[rustfmt::skip]
    let rows: Vec<(String, Value, &str)> = vec![
        (format!("{COMMON}/VendorName"), json!("Other"), "first rule group AWS Common is lacking; first rule group Other Common is not one of the policy's"),
        (format!("{COMMON}/Name"), json!("Linux"), "first rule group AWS Common is lacking; first rule group AWS Linux is not one of the policy's"),
        (format!("{COMMON}/Version"), json!("Version_1.4"), "first rule group AWS Common: its version is Version_1.4, wanted: Version_1.3"),
        (format!("{COMMON}/Version"), json!(null), "first rule group AWS Common: its version is the default, wanted: Version_1.3"),
        (format!("{COMMON}/ExcludedRules"), json!(null), "first rule group AWS Common: rule NoUserAgent_HEADER is not overridden, wanted: count"),
        (format!("{COMMON}/ExcludedRules"), json!([]), "first rule group AWS Common: rule NoUserAgent_HEADER is not overridden, wanted: count"),
        (format!("{COMMON}/ExcludedRules/0"), json!({"Name": "Log4J"}), "first rule group AWS Common: rule Log4J is overridden to count, wanted: not overridden"),
        (format!("{COMMON}/RuleActionOverrides"), json!([]), "first rule group AWS Common: rule SizeRestrictions_BODY is not overridden, wanted: block"),
        (format!("{COMMON}/RuleActionOverrides/0/ActionToUse"), json!({"Count": {}}), "first rule group AWS Common: rule SizeRestrictions_BODY is overridden to count, wanted: block"),
        (format!("{COMMON}/RuleActionOverrides/0/ActionToUse"), json!({"Block": {"CustomResponse": {"ResponseCode": 403}}}),
            r#"first rule group AWS Common: rule SizeRestrictions_BODY is overridden to {"block":{"customresponse":{"responsecode":"403"}}}, wanted: block"#),
        (format!("{COMMON}/RuleActionOverrides/0"), json!({"Name": "Log4J", "ActionToUse": {"Allow": {}}}),
            "first rule group AWS Common: rule Log4J is overridden to allow, wanted: not overridden"),
        (format!("{COMMON}/ScopeDownStatement"), json!({"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": "arn:ips"}}}}),
            "first rule group AWS Common: it has a scope-down statement, wanted: none"),
        (format!("{COMMON}/ManagedRuleGroupConfigs"), json!([{"LoginPath": "/in"}]), r#"first rule group AWS Common: its configuration has {"loginpath":"/in"}"#),
        (format!("{PRE}/0/OverrideAction"), json!({"Count": {}}), "first rule group AWS Common: its override action is count, wanted: none"),
        (format!("{PRE}/1/OverrideAction"), json!({"None": {}}), "first rule group arn:rg:one: its override action is none, wanted: count"),
        (format!("{MINE}/ARN"), json!("arn:rg:two"), "first rule group arn:rg:one is lacking; first rule group arn:rg:two is not one of the policy's"),
        (format!("{MINE}/ExcludedRules"), json!(null), "first rule group arn:rg:one: rule mine is not overridden, wanted: count"),
        (format!("{MINE}/RuleActionOverrides"), json!([{"Name": "x", "ActionToUse": {"Allow": {}}}]), "first rule group arn:rg:one: rule x is overridden to allow, wanted: not overridden"),
        (format!("{PRE}/0/Priority"), json!(5), "first rule group AWS Common is not in its place"),
        (format!("{PRE}/1"), json!(null), "first rule group arn:rg:one is lacking"),
        (format!("{POST}/0"), json!(null), "last rule group AWS ATP is lacking"),
        (format!("{ATP}/ManagedRuleGroupConfigs/0/AWSManagedRulesATPRuleSet/LoginPath"), json!("/out"), &other_path),
        (format!("{ATP}/ManagedRuleGroupConfigs"), json!(null), &lacks),
        (format!("{ATP}/ExcludedRules"), json!([{"Name": "x"}]), "last rule group AWS ATP: rule x is overridden to count, wanted: not overridden"),
    ];
    for (path, value, want) in rows {
        let altered = edited(told(), &path, value.clone());
        assert_eq!(said(&wanted(), &altered), want, "{path} {value}");
        assert_eq!(said(&wanted(), &camel(altered)), want, "{path} {value}");
    }
    let mut more = told();
    let mut first = more["PreProcessFirewallManagerRuleGroups"][0].clone();
    first["Priority"] = json!(1);
    more["PostProcessFirewallManagerRuleGroups"].as_array_mut().unwrap().push(first);
    assert_eq!(said(&wanted(), &more), "last rule group AWS Common is not one of the policy's");
}

#[test]
fn what_says_the_same_in_another_way_is_no_alteration() {
    let count = json!([{"Name": "NoUserAgent_HEADER", "ActionToUse": {"Count": {}}},
        {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Block": {}}}]);
    let overridden = edited(told(), &format!("{COMMON}/RuleActionOverrides"), count);
    let overridden = edited(overridden, &format!("{COMMON}/ExcludedRules"), json!(null));
    assert_eq!(said(&wanted(), &overridden), "comply", "excluded is overridden to count");
    for (path, value) in [
        (format!("{COMMON}/ManagedRuleGroupConfigs"), json!([])),
        (format!("{ATP}/ExcludedRules"), json!([])),
        (format!("{ATP}/RuleActionOverrides"), json!([])),
        (format!("{ATP}/Version"), json!("Version_7")),
        (format!("{PRE}/0/Priority"), json!("0")),
        (format!("{PRE}/0/OverrideAction"), json!({"None": {}, "Count": null})),
        (format!("{PRE}/0/VisibilityConfig/SampledRequestsEnabled"), json!(false)),
    ] {
        assert_eq!(said(&wanted(), &edited(told(), &path, value)), "comply", "{path}");
    }
    // The policy's configurations beside the identifier, in other letter case.
    let config = json!([{"AWSMANAGEDRulesATPRuleSet": {"LOGINPATH": "/in",
        "requestInspection": {"usernameField": {"identifier": "/u"}, "payloadType": "JSON"}}}]);
    let identifier = "/postProcessRuleGroups/0/managedRuleGroupIdentifier/managedRuleGroupConfigs";
    let beside = edited(wanted(), identifier, json!(null));
    let beside = edited(beside, "/postProcessRuleGroups/0/managedRuleGroupConfigs", config);
    assert_eq!(said(&beside, &told()), "comply");
}

#[test]
fn a_scope_down_statement_that_is_asked_for_must_be_that_one() {
    let statement = |arn: &str| json!({"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": arn}}}});
    let asked =
        edited(wanted(), "/preProcessRuleGroups/0/scopeDownStatement", camel(statement("arn:ips")));
    let path = format!("{COMMON}/ScopeDownStatement");
    assert_eq!(said(&asked, &edited(told(), &path, statement("arn:ips"))), "comply");
    for (found, want) in [
        (statement("arn:x"), "first rule group AWS Common: it has another scope-down statement"),
        (json!(null), "first rule group AWS Common: it has no scope-down statement"),
    ] {
        assert_eq!(said(&asked, &edited(told(), &path, found)), want);
    }
}

#[test]
fn what_a_projection_left_out_is_not_claimed_to_be_as_wanted() {
    let projected = |at: &str| {
        let told = edited(told(), &format!("{at}/Name"), json!(null));
        edited(told, &format!("{at}/VisibilityConfig"), json!(null))
    };
    let first = projected(&format!("{PRE}/0"));
    for (base, path) in [
        (told(), PRE.to_owned()),
        (told(), POST.to_owned()),
        (told(), format!("{PRE}/0/Priority")),
        (told(), format!("{PRE}/0/OverrideAction")),
        (told(), format!("{PRE}/0/FirewallManagerStatement")),
        (told(), COMMON.to_owned()),
        (told(), format!("{COMMON}/VendorName")),
        (told(), format!("{COMMON}/Name")),
        (told(), format!("{MINE}/ARN")),
        (told(), "/ManagedByFirewallManager".to_owned()),
        (first.clone(), format!("{COMMON}/Version")),
        (first.clone(), format!("{COMMON}/ExcludedRules")),
        (first.clone(), format!("{COMMON}/RuleActionOverrides")),
        (projected(&format!("{POST}/0")), format!("{ATP}/ManagedRuleGroupConfigs")),
        (projected(&format!("{POST}/0")), format!("{ATP}/ScopeDownStatement")),
    ] {
        let hidden = edited(base, &path, json!(null));
        assert_eq!(said(&wanted(), &hidden), "undecided", "{path}");
    }
    // What is told of it still counts.
    let altered = edited(first, &format!("{PRE}/0/OverrideAction"), json!({"Count": {}}));
    let said = said(&wanted(), &altered);
    assert_eq!(said, "first rule group AWS Common: its override action is count, wanted: none");
}

#[test]
fn untold_lists_of_groups_are_undecided_even_where_none_is_wanted() {
    let untold = WebAcl { pre_process: None, post_process: None, ..own(OWN) };
    check(&Wafv2::default(), std::slice::from_ref(&untold), &format!("{OWN} | undecided"));
    let rule = Wafv2 { last: vec![group("z")], ..Wafv2::default() };
    check(&rule, std::slice::from_ref(&untold), &format!("{OWN} | undecided"));
    let rule = Wafv2 { first: vec![group("a")], ..rule };
    let half = WebAcl { pre_process: Some(vec![]), ..untold };
    check(&rule, &[half], &format!("{OWN} | {LACKING}"));
}

#[test]
fn groups_among_the_rules_of_a_retrofitted_web_acl_are_read() {
    let mut data = wanted();
    data["webACLSource"] = json!("RETROFIT_EXISTING");
    let rule = |path: String, priority: i64| {
        let mut group = told().pointer(&path).unwrap().clone();
        group["Priority"] = json!(priority);
        group["Statement"] = group["FirewallManagerStatement"].take();
        group.as_object_mut().unwrap().remove("FirewallManagerStatement");
        group
    };
    let custom = json!({"Name": "mine", "Priority": 2, "Action": {"Block": {}}, "Statement": {"GeoMatchStatement": {}}});
    let with = |rules: Vec<Value>| {
        let mut told = told();
        told["ManagedByFirewallManager"] = json!(false);
        told["RetrofittedByFirewallManager"] = json!(true);
        told["Rules"] = Value::Array(rules);
        edited(edited(told, PRE, json!(null)), POST, json!(null))
    };
    let (one, two) = (format!("{PRE}/0"), format!("{PRE}/1"));
    let last = rule(format!("{POST}/0"), 5);
    let rules = vec![custom.clone(), last.clone(), rule(two.clone(), 1), rule(one.clone(), 0)];
    assert_eq!(said(&data, &with(rules)), "comply");
    let behind = vec![rule(one, 0), custom.clone(), rule(two, 4), last];
    assert_eq!(said(&data, &with(behind)), "first rule group arn:rg:one is lacking");
    assert_eq!(said(&data, &with(vec![custom])), "undecided");
}
