//! What GetPolicy and PutPolicy answer for what was sent.

use super::*;

#[track_caller]
fn echoed(policy_type: &str, data: &str) -> String {
    let document = document(policy_type, ALB, data);
    echo(&document).security_service_policy_data.managed_service_data.unwrap()
}

#[test]
fn known_keys_come_back_in_order_and_unknown_ones_where_they_stood() {
    for (policy_type, sent, answered) in [
        (
            CONTENT,
            r#"{"securityGroupAction":{"type":"ALLOW"},"securityGroups":[{"id":"sg-1","x":1}],"made":"up"}"#,
            r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":"sg-1","x":1}],"securityGroupAction":{"type":"ALLOW","excludeRules":[]},"preManagedOptions":null,"made":"up"}"#,
        ),
        (
            CONTENT,
            r#"{"securityGroupAction":"DENY","securityGroups":[{"id":" sg-1"}]}"#,
            r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":" sg-1"}],"securityGroupAction":"DENY","preManagedOptions":null}"#,
        ),
        (
            CONTENT,
            r#"{"preManagedOptions":[{"allowedPortCountPerSgRule":1},{"allowedProtocolsLists":{"customListIds":["l"]}}]}"#,
            r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":null,"securityGroupAction":null,"preManagedOptions":[{"denyProtocolAllValue":null,"allowedProtocolsLists":null,"deniedPublicAccessAppLists":null,"allowedPublicAccessAppLists":null,"allowedPortCountPerSgRule":1,"minIpv4CidrPrefixLenPerSgRule":null,"minIpv6CidrPrefixLenPerSgRule":null,"auditSgDirection":null},{"denyProtocolAllValue":null,"allowedProtocolsLists":{"customListIds":["l"],"defaultListId":null,"defaultListVersion":null},"deniedPublicAccessAppLists":null,"allowedPublicAccessAppLists":null,"allowedPortCountPerSgRule":null,"minIpv4CidrPrefixLenPerSgRule":null,"minIpv6CidrPrefixLenPerSgRule":null,"auditSgDirection":null}]}"#,
        ),
        (
            "SECURITY_GROUPS_USAGE_AUDIT",
            r#"{"deleteUnusedSecurityGroups":true}"#,
            r#"{"type":"SECURITY_GROUPS_USAGE_AUDIT","deleteUnusedSecurityGroups":true,"coalesceRedundantSecurityGroups":null,"optionalDelayForUnusedInMinutes":null}"#,
        ),
        (
            "SHIELD_ADVANCED",
            "{}",
            r#"{"type":"SHIELD_ADVANCED","automaticResponseConfiguration":null,"overrideCustomerWebaclClassic":null,"optimizeUnassociatedWebACL":null}"#,
        ),
        (
            "WAF",
            r#"{"ruleGroups":[{"id":"g"}],"defaultAction":{"type":"BLOCK"}}"#,
            r#"{"type":"WAF","ruleGroups":[{"id":"g","overrideAction":null}],"overrideCustomerWebACLAssociation":null,"defaultAction":{"type":"BLOCK"}}"#,
        ),
        ("NETWORK_ACL_COMMON", r#"{"x":[]}"#, r#"{"type":"NETWORK_ACL_COMMON","x":[]}"#),
        (
            "DNS_FIREWALL",
            r#"{"preProcessRuleGroups":[{"priority":1,"ruleGroupId":"g"}],"postProcessRuleGroups":null}"#,
            r#"{"type":"DNS_FIREWALL","preProcessRuleGroups":[{"ruleGroupId":"g","priority":1}],"postProcessRuleGroups":null}"#,
        ),
    ] {
        assert_eq!(echoed(policy_type, sent), answered, "{policy_type} {sent}");
    }
}

#[test]
fn rule_groups_come_back_with_every_key() {
    let sent = r#"{"defaultAction":{"type":"ALLOW"},"ManagedRuleGroupConfigs":[1],"preProcessRuleGroups":[
        {"ruleGroupType":"ManagedRuleGroup","managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A","managedRuleGroupConfigs":[{"awsmanagedRulesATPRuleSet":{"loginPath":"/x"}}]}}]}"#;
    let answered: Value = serde_json::from_str(&echoed("WAFV2", sent)).unwrap();
    assert_eq!(
        answered["preProcessRuleGroups"][0],
        json!({
            "ruleGroupArn": null,
            "overrideAction": null,
            "managedRuleGroupIdentifier": {
                "versionEnabled": null, "version": null,
                "vendorName": "AWS", "managedRuleGroupName": "A",
                "managedRuleGroupConfigs": [{"awsmanagedRulesATPRuleSet": {"loginPath": "/x"}}],
            },
            "managedRuleGroupConfigs": null,
            "ruleGroupType": "ManagedRuleGroup",
            "excludeRules": [],
            "sampledRequestsEnabled": null,
            "ruleActionOverrides": null,
        })
    );
    let keys: Vec<&str> = answered.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(keys.contains(&"loggingConfiguration"));
    assert_eq!(answered["ManagedRuleGroupConfigs"], json!([1]), "unknown, and kept");
}

/// Semantics §11 row 46.
#[test]
fn scalars_written_as_text_come_back_typed() {
    for (sent, answered) in
        [(r#""TRUE""#, "true"), (r#""False""#, "false"), ("true", "true"), ("null", "null")]
    {
        let data = echoed(
            "SECURITY_GROUPS_USAGE_AUDIT",
            &format!(r#"{{"deleteUnusedSecurityGroups":{sent}}}"#),
        );
        assert!(data.contains(&format!(r#""deleteUnusedSecurityGroups":{answered},"#)), "{data}");
    }
    for (sent, answered) in [(r#""60""#, "60"), ("60.0", "60"), (r#""60.00""#, "60"), ("60", "60")]
    {
        let data = format!(
            r#"{{"optionalDelayForUnusedInMinutes":{sent},"deleteUnusedSecurityGroups":"true"}}"#
        );
        let typed = format!(
            r#"{{"optionalDelayForUnusedInMinutes":{answered},"deleteUnusedSecurityGroups":true}}"#
        );
        let of = |data: &str| document("SECURITY_GROUPS_USAGE_AUDIT", GROUP, data);
        assert_eq!(parsed(&of(&data)), parsed(&of(&typed)));
        assert!(parsed(&of(&data)).is_ok());
        assert_eq!(echo(&of(&data)), echo(&of(&typed)), "{sent}");
    }
    check_data(
        "SECURITY_GROUPS_USAGE_AUDIT",
        GROUP,
        r#"
        {"deleteUnusedSecurityGroups":"yes"} => must be true or false, not a text
        {"deleteUnusedSecurityGroups":1} => must be true or false, not this number
        {"optionalDelayForUnusedInMinutes":"60.5"} => must be a whole number, not a text
        {"optionalDelayForUnusedInMinutes":60.5} => must be a whole number, not this number
        {"optionalDelayForUnusedInMinutes":"60."} => must be a whole number, not a text
        {"optionalDelayForUnusedInMinutes":""} => must be a whole number, not a text
        "#,
    );
}

/// Semantics §11 row 47.
#[test]
fn unknown_members_are_named_with_their_place() {
    let named = |policy_type: &str, data: &str| {
        let found = unknown_members(&document(policy_type, ALB, data));
        found.iter().map(Unknown::to_string).collect::<Vec<_>>().join(", ")
    };
    for (data, want) in [
        (r#"{"defaultAction":{"type":"ALLOW"}}"#, ""),
        (
            r#"{"defaultAction":{"type":"ALLOW","customResponseCode":1}}"#,
            "`defaultAction.customResponseCode` is not known",
        ),
        (
            r#"{"DefaultAction":{},"defaultAction":{"type":"ALLOW"},"x":null}"#,
            "`DefaultAction` is not known; `defaultAction` is, `x` is not known",
        ),
        (
            r#"{"preProcessRuleGroups":[{},{"managedRuleGroupIdentifier":{"ManagedRuleGroupConfigs":[]},"overideAction":{}}]}"#,
            "`preProcessRuleGroups[1].managedRuleGroupIdentifier.ManagedRuleGroupConfigs` is not known; `managedRuleGroupConfigs` is, \
             `preProcessRuleGroups[1].overideAction` is not known; `overrideAction` is",
        ),
        (
            r#"{"preProcessRuleGroups":[{"scopeDownStatement":{"x":1}}],"customResponse":{"y":1}}"#,
            "",
        ),
        ("nonsense", ""),
    ] {
        assert_eq!(named("WAFV2", data), want, "{data}");
    }
}

#[test]
fn what_is_known_but_unpublished_is_answered_only_when_it_was_sent() {
    let group = |more: &str| {
        format!(
            r#"{{"defaultAction":{{"type":"ALLOW"}},"preProcessRuleGroups":[{{"managedRuleGroupIdentifier":{{"vendorName":"AWS","managedRuleGroupName":"A"}}{more}}}]}}"#
        )
    };
    assert!(!echoed("WAFV2", &group("")).contains("scopeDownStatement"));
    assert!(
        !echoed("WAFV2", &group(r#","scopeDownStatement":null"#)).contains("scopeDownStatement")
    );
    let sent = r#""scopeDownStatement":{"geoMatchStatement":{"countryCodes":["DE"]}}"#;
    assert!(echoed("WAFV2", &group(&format!(",{sent}"))).contains(sent));
}

/// Row 26 of semantics §10: nothing is added but null and `[]`.
#[test]
fn no_default_is_ever_added() {
    for policy_type in PolicyType::ALL {
        let answered: Value = serde_json::from_str(&echoed(policy_type.as_str(), "{}")).unwrap();
        for (key, value) in answered.as_object().unwrap() {
            let added = value.is_null() || *value == json!([]);
            assert!(added || key == "type", "{policy_type:?}: {key} {value}");
        }
        assert_eq!(answered["type"], policy_type.as_str());
    }
}

#[test]
fn empty_and_absent_data_come_back_as_sent() {
    for policy_type in PolicyType::ALL {
        assert_eq!(echoed(policy_type.as_str(), ""), "");
        let mut document = document(policy_type.as_str(), ALB, "");
        document.security_service_policy_data.managed_service_data = None;
        assert_eq!(echo(&document).security_service_policy_data.managed_service_data, None);
    }
}

#[test]
fn data_that_is_not_valid_comes_back_as_it_is() {
    for sent in ["nonsense", "[]", r#"{"type":"WAF"}"#] {
        assert_eq!(echoed("WAFV2", sent), sent);
    }
}

#[test]
fn no_line_escape_is_answered() {
    // What the pattern of ManagedServiceData forbids may arrive spelled otherwise.
    let sent = r#"{"customResponse":{"body":"a\u000ab\u000d\u005cn\\\\\u005cr\"\u00e9\u0085\u2028\u2029"},"tokenDomains":["\t\\"]}"#;
    let answered = echoed("WAFV2", sent);
    assert!(!answered.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{answered}");
    assert!(!answered.contains(r"\n") && !answered.contains(r"\r"), "{answered}");
    let (sent, answered): (Value, Value) =
        (serde_json::from_str(sent).unwrap(), serde_json::from_str(&answered).unwrap());
    assert_eq!(answered["customResponse"], sent["customResponse"]);
    assert_eq!(answered["tokenDomains"], sent["tokenDomains"]);
}

#[test]
fn the_document_comes_back_with_the_defaults_that_aws_adds() {
    let sent = edited(
        CONTENT,
        "ResourceTypeList",
        AUDIT,
        json!({
            "ResourceTypeList": [GROUP], "PolicyDescription": "", "ResourceSetIds": [],
            "IncludeMap": {"ACCOUNT": [], "ORG_UNIT": ["ou-a"]},
            "ResourceTags": [{"Key": "a"}, {"Key": "b", "Value": "c"}],
            "PolicyStatus": "OUT_OF_ADMIN_SCOPE",
        }),
    );
    let answered = serde_json::to_value(echo(&sent)).unwrap();
    assert_eq!(
        answered["ResourceTags"],
        json!([{"Key": "a", "Value": ""}, {"Key": "b", "Value": "c"}])
    );
    assert_eq!(answered["IncludeMap"], json!({"ACCOUNT": [], "ORG_UNIT": ["ou-a"]}));
    assert_eq!(answered["PolicyStatus"], "ACTIVE", "requests cannot set it");
    assert_eq!(answered["ResourceTagLogicalOperator"], "AND");
    let present = ["PolicyDescription", "ResourceSetIds", "ResourceTypeList", "ResourceType"];
    assert!(present.iter().all(|key| answered.get(key).is_some()));
    let absent = ["ExcludeMap", "DeleteUnusedFMManagedResources", "PolicyId", "PolicyUpdateToken"];
    assert!(absent.iter().all(|key| answered.get(key).is_none()));
    let bare = serde_json::to_value(echo(&document(CONTENT, GROUP, AUDIT))).unwrap();
    assert_eq!(bare["ResourceTags"], json!([]));
    assert_eq!(bare.get("ResourceTypeList"), None);
}
