//! What PutPolicy refuses, by itself and word for word.

use super::*;

#[test]
fn a_policy_carries_what_its_document_and_identity_say() {
    let policy = parsed(&edited(
        CONTENT,
        GROUP,
        AUDIT,
        json!({"PolicyName": "audit", "RemediationEnabled": true}),
    ))
    .unwrap();
    assert_eq!(policy.id.as_str(), "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111");
    assert_eq!((&*policy.name, policy.revision, policy.remediation_enabled), ("audit", 7, true));
    assert_eq!(policy.former_names, ["old".into()]);
    assert_eq!(policy.policy_type(), PolicyType::SecurityGroupsContentAudit);
    assert_eq!(policy.resource_types(), [ResourceType::SECURITY_GROUP]);
    assert_eq!(policy.scope.accounts, crate::scope::AccountScope::Everyone);
}

#[test]
fn an_unknown_type_of_policy_is_an_invalid_type() {
    let refused = parsed(&document("WAFV3", ALB, WEB)).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::InvalidType);
    assert!(refused.message.starts_with("`WAFV3` in SecurityServicePolicyData.Type"), "{refused}");
}

#[test]
fn types_are_named_as_the_model_names_them() {
    for policy_type in PolicyType::ALL {
        let text = serde_json::to_value(policy_type).unwrap();
        assert_eq!(text, policy_type.as_str());
        let found = document(policy_type.as_str(), VPC, "").policy_type();
        assert_eq!(found, Ok(policy_type));
    }
}

#[test]
fn resource_types_fit_the_type_of_policy() {
    let all: Vec<&str> = PolicyType::ALL
        .iter()
        .flat_map(|policy_type| policy_type.resource_types())
        .map(ResourceType::as_str)
        .chain(["AWS::Cognito::UserPool", "AWS::AppSync::GraphQLApi"])
        .collect();
    for policy_type in PolicyType::ALL {
        for text in &all {
            let document = document(policy_type.as_str(), text, "");
            let scope = scope_of::scope_of(&document, policy_type, &"us-east-1".parse().unwrap());
            let allowed =
                policy_type.resource_types().iter().any(|allowed| allowed.as_str() == *text);
            match scope {
                Ok(scope) => {
                    assert!(allowed, "{policy_type:?} {text}");
                    assert_eq!(scope.resource_types[0].as_str(), *text);
                }
                Err(refused) => {
                    assert!(!allowed, "{policy_type:?} {text}");
                    assert!(refused.message.contains(text), "{refused}");
                }
            }
        }
    }
}

#[test]
fn resource_type_lists_are_read() {
    let cases = [
        ("ResourceTypeList", json!([GROUP]), "ok"),
        ("ResourceTypeList", json!([GROUP, "AWS::EC2::Instance", GROUP]), "ok"),
        ("ResourceTypeList", json!([]), "ResourceTypeList is empty"),
        ("ResourceTypeList", Value::Null, "ResourceTypeList is empty"),
        ("ResourceTypeList", json!([GROUP, VPC]), "`AWS::EC2::VPC` in ResourceTypeList[1]"),
        (GROUP, json!([]), "ok"),
        (GROUP, json!([GROUP]), "ok"),
        (GROUP, json!(["AWS::EC2::Instance"]), "ResourceTypeList names other types"),
        (VPC, Value::Null, "`AWS::EC2::VPC` in ResourceType is not a resource type of SECURITY_"),
    ];
    for (one, list, wanted) in cases {
        let case = format!("{one} {list}");
        let document = edited(CONTENT, one, AUDIT, json!({"ResourceTypeList": list}));
        expect(&case, parsed(&document), wanted);
    }
    let document =
        edited(CONTENT, "ResourceTypeList", AUDIT, json!({"ResourceTypeList": [GROUP, GROUP]}));
    assert_eq!(parsed(&document).unwrap().resource_types(), [ResourceType::SECURITY_GROUP]);
}

#[test]
fn cloudfront_in_a_list_is_refused_word_for_word() {
    let list = json!({"ResourceTypeList": [ALB, CLOUDFRONT]});
    let coral = "Resource [\"AWS::CloudFront::Distribution\"] can not be in the \
                 CoralResourceTypeList, use CoralResourceType instead.";
    let shield = "Unsupported Shield resource type AWS::CloudFront::Distribution";
    for (policy_type, region, wanted) in [
        ("WAFV2", "us-east-1", coral),
        ("WAFV2", "eu-west-1", coral),
        ("WAF", "eu-west-1", coral),
        ("SHIELD_ADVANCED", "us-east-1", coral),
        ("SHIELD_ADVANCED", "eu-west-1", shield),
    ] {
        let document = edited(policy_type, "ResourceTypeList", WEB, list.clone());
        let refused = parse(&document, identity(region)).unwrap_err();
        assert_eq!(refused, Refusal::input(wanted), "{policy_type} {region}");
    }
    let route = document("SHIELD_ADVANCED", "AWS::Route53::HostedZone", "");
    let refused = parsed(&route).unwrap_err();
    assert_eq!(refused.message, "Unsupported Shield resource type AWS::Route53::HostedZone");
}

#[test]
fn names_have_1_to_128_characters() {
    for (length, fits) in [(0, false), (1, true), (127, true), (128, true), (129, false)] {
        let document = edited(CONTENT, GROUP, AUDIT, json!({"PolicyName": "n".repeat(length)}));
        assert_eq!(parsed(&document).is_ok(), fits, "{length}");
    }
}

#[test]
fn account_maps_become_a_scope() {
    use crate::scope::AccountScope;
    let scope =
        |edits: Value| parsed(&edited(CONTENT, GROUP, AUDIT, edits)).map(|p| p.scope.accounts);
    let everyone = [
        json!({}),
        json!({"IncludeMap": {}, "ExcludeMap": {}}),
        json!({"IncludeMap": {"ACCOUNT": [], "ORG_UNIT": []}}),
        json!({"ExcludeMap": {"ORG_UNIT": []}}),
    ];
    for edits in everyone {
        assert_eq!(scope(edits.clone()), Ok(AccountScope::Everyone), "{edits}");
    }
    let both = json!({"IncludeMap": {"ACCOUNT": ["1"], "ORG_UNIT": ["ou-a"]},
                      "ExcludeMap": {"ACCOUNT": ["2"]}});
    let AccountScope::Only(set) = scope(both).unwrap() else { panic!("include wins") };
    assert!(set.accounts.contains("1") && set.units.contains("ou-a"));
    let only_exclude = json!({"IncludeMap": {"ACCOUNT": []}, "ExcludeMap": {"ACCOUNT": ["2"]}});
    let AccountScope::AllBut(set) = scope(only_exclude).unwrap() else { panic!("empty include") };
    assert!(set.accounts.contains("2") && set.units.is_empty());
}

#[test]
fn unknown_keys_of_maps_are_refused_with_a_hint() {
    for (key, wanted) in [
        ("ORGUNIT", "`ORGUNIT` is not a key of IncludeMap; write `ORG_UNIT`"),
        ("orgunit", "write `ORG_UNIT`"),
        ("account", "write `ACCOUNT`"),
        ("Region", "the keys are `ACCOUNT` and `ORG_UNIT`"),
    ] {
        let document = edited(CONTENT, GROUP, AUDIT, json!({"IncludeMap": {key: ["1"]}}));
        expect(key, parsed(&document), wanted);
    }
    for edits in [json!({"ACCOUNT": ["12a"]}), json!({"ACCOUNT": [""]}), json!({"ORG_UNIT": [""]})]
    {
        let document = edited(CONTENT, GROUP, AUDIT, json!({"ExcludeMap": edits}));
        expect("bad ids", parsed(&document), "correct or remove it");
    }
}

#[test]
fn tags_become_a_scope() {
    let tags = json!({
        "ResourceTags": [{"Key": "a", "Value": "b"}, {"Key": "disable"}],
        "ResourceTagLogicalOperator": "OR",
        "ExcludeResourceTags": true,
    });
    let scope = parsed(&edited(CONTENT, GROUP, AUDIT, tags)).unwrap().scope;
    let wanted = [("a".into(), "b".into()), ("disable".into(), "".into())];
    assert_eq!(scope.tags.tags, wanted);
    assert!(scope.tags.any && scope.tags.exclude);
    for (operator, any) in [("AND", Some(false)), ("OR", Some(true)), ("XOR", None)] {
        let document =
            edited(CONTENT, GROUP, AUDIT, json!({"ResourceTagLogicalOperator": operator}));
        assert_eq!(parsed(&document).ok().map(|policy| policy.scope.tags.any), any);
    }
    for (count, fits) in [(49, true), (50, true), (51, false)] {
        let tags = vec![json!({"Key": "k"}); count];
        let document = edited(CONTENT, GROUP, AUDIT, json!({"ResourceTags": tags}));
        assert_eq!(parsed(&document).is_ok(), fits, "{count} tags");
    }
    let document = edited(CONTENT, GROUP, AUDIT, json!({"ResourceTags": [{"Key": ""}]}));
    expect("no key", parsed(&document), "ResourceTags[0].Key is empty");
}

#[test]
fn clean_up_is_refused_where_it_is_not_available() {
    for (policy_type, resource_type, data, cleans_up, wanted) in [
        ("SHIELD_ADVANCED", ALB, "", true, "`DeleteUnusedFMManagedResources` is not available for"),
        ("WAF", ALB, WEB, true, "`DeleteUnusedFMManagedResources` is not available for WAF"),
        ("WAF", ALB, WEB, false, "ok"),
        ("SHIELD_ADVANCED", ALB, "", false, "ok"),
        ("WAFV2", ALB, WEB, true, "ok"),
    ] {
        let edits = json!({"DeleteUnusedFMManagedResources": cleans_up});
        expect(policy_type, parsed(&edited(policy_type, resource_type, data, edits)), wanted);
    }
}

#[test]
fn importing_firewalls_needs_a_resource_set() {
    let data = r#"{"awsNetworkFirewallConfig":{}}"#;
    let set = "AbCdEfGhIjKlMnOpQrStUv";
    for resource_type in ["AWS::NetworkFirewall::Firewall", VPC] {
        for edits in [json!({}), json!({"ResourceSetIds": []})] {
            let refused =
                parsed(&edited("IMPORT_NETWORK_FIREWALL", resource_type, data, edits)).unwrap_err();
            let wanted = "You must specify an Resource Set ID in \"resourceSetIds\".";
            assert!(refused.message.starts_with(wanted), "{refused}");
            assert!(refused.message.contains("beside SecurityServicePolicyData"), "{refused}");
        }
        let edits = json!({"ResourceSetIds": [set]});
        let document = edited("IMPORT_NETWORK_FIREWALL", resource_type, data, edits);
        expect("with a set", parsed(&document), "ok");
    }
    let edits = json!({"ResourceSetIds": [set]});
    let document = edited("IMPORT_NETWORK_FIREWALL", VPC, "{}", edits);
    expect("no config", parsed(&document), "`awsNetworkFirewallConfig` in ManagedServiceData is");
}

#[test]
fn policy_options_fit_the_type() {
    let option = |policy_type: &str, data: &str, option: Value| {
        let edits = json!({"SecurityServicePolicyData": {"PolicyOption": option}});
        parsed(&edited(policy_type, VPC, data, edits))
    };
    let central = json!({"FirewallDeploymentModel": "CENTRALIZED"});
    let model = r#"{"firewallDeploymentModel":{"centralizedFirewallDeploymentModel":{"centralizedFirewallOrchestrationConfig":{"inspectionVpcIds":[{"resourceId":"vpc-1","accountId":"1"}]}}}}"#;
    let cases = [
        ("NETWORK_FIREWALL", "{}", json!({}), "exactly one member"),
        (
            "NETWORK_FIREWALL",
            model,
            json!({"NetworkFirewallPolicy": central, "ThirdPartyFirewallPolicy": central}),
            "exactly one member",
        ),
        ("NETWORK_FIREWALL", model, json!({"NetworkFirewallPolicy": central}), "ok"),
        (
            "NETWORK_FIREWALL",
            "{}",
            json!({"NetworkFirewallPolicy": {"FirewallDeploymentModel": "DISTRIBUTED"}}),
            "ok",
        ),
        (
            "NETWORK_FIREWALL",
            "{}",
            json!({"NetworkFirewallPolicy": {"FirewallDeploymentModel": "SPREAD"}}),
            "not `SPREAD`",
        ),
        (
            "NETWORK_FIREWALL",
            model,
            json!({"ThirdPartyFirewallPolicy": central}),
            "`SecurityServicePolicyData.PolicyOption.ThirdPartyFirewallPolicy` belongs to",
        ),
        (
            "DNS_FIREWALL",
            "{}",
            json!({"NetworkFirewallPolicy": central}),
            "belongs to NETWORK_FIREWALL, not to DNS_FIREWALL",
        ),
        (
            "NETWORK_FIREWALL",
            "{}",
            json!({"NetworkFirewallPolicy": central}),
            "PolicyOption says CENTRALIZED",
        ),
    ];
    for (policy_type, data, value, wanted) in cases {
        expect(&format!("{policy_type} {value}"), option(policy_type, data, value), wanted);
    }
    expect(
        "central unsaid",
        parsed(&document("NETWORK_FIREWALL", VPC, model)),
        "PolicyOption is not",
    );
}

#[test]
fn data_that_is_not_what_it_should_be_is_refused_with_its_place() {
    check_data(
        "WAFV2",
        ALB,
        r#"
        {"defaultAction":{"type":"ALLOW"}} => ok
        {"type":"WAFV2","defaultAction":{"type":"ALLOW"}} => ok
        {"type":null,"defaultAction":{"type":"ALLOW"}} => ok
        {"type":"WAF","defaultAction":{"type":"ALLOW"}} => `type` in ManagedServiceData is `WAF` and SecurityServicePolicyData.Type is `WAFV2`
        {"type":7} => `type` in ManagedServiceData is `7`
        nonsense => SecurityServicePolicyData.ManagedServiceData is not JSON: expected ident at line 1 column 2
        {"type":"WAFV2" => is not JSON: EOF while parsing an object at line 1 column 15
        {"type":"WAFV2"}} => is not JSON: trailing characters at line 1 column 17
        [1] => SecurityServicePolicyData.ManagedServiceData is not a JSON object
        "text" => is not a JSON object
        {"preProcessRuleGroups":{}} => `preProcessRuleGroups` in ManagedServiceData must be an array, not an object
        {"preProcessRuleGroups":[7]} => `preProcessRuleGroups[0]` in ManagedServiceData must be an object, not this number
        {"preProcessRuleGroups":[{"overrideAction":{"type":true}}]} => `preProcessRuleGroups[0].overrideAction.type` in ManagedServiceData must be a text
        {"overrideCustomerWebACLAssociation":"yes"} => `overrideCustomerWebACLAssociation` in ManagedServiceData must be true or false, not a text
        {"captchaConfig":{"immunityTimeProperty":{"immunityTime":1.5}}} => must be a whole number, not this number
        "#,
    );
}

#[test]
fn data_is_needed_by_most_types() {
    for policy_type in PolicyType::ALL {
        let resource_type = policy_type.resource_types()[0].as_str();
        for (data, what) in [(None, "is missing"), (Some(""), "is empty")] {
            let mut document = document(policy_type.as_str(), resource_type, "");
            document.security_service_policy_data.managed_service_data = data.map(String::from);
            document.resource_set_ids = Some(vec!["s".into()]);
            let refused = parsed(&document).err().map(|refused| refused.message);
            match policy_type {
                PolicyType::ShieldAdvanced => assert_eq!(refused, None),
                PolicyType::NetworkAclCommon => {
                    assert!(refused.unwrap().contains("NetworkAclCommonPolicy` is missing"));
                }
                _ => {
                    let refused = refused.unwrap();
                    assert!(refused.contains(what), "{policy_type:?}: {refused}");
                    assert!(refused.contains(policy_type.as_str()), "{refused}");
                }
            }
        }
    }
}

#[test]
fn data_is_64_levels_deep_at_most() {
    // The object itself is the first level, customResponse is kept as it comes.
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        format!(r#"{{"defaultAction":{{"type":"ALLOW"}},"customResponse":{open}{close}}}"#)
    };
    for (levels, fits) in [(63, true), (64, true), (65, false), (30_000, false)] {
        let found = parsed(&document("WAFV2", ALB, &nested(levels)));
        assert_eq!(found.is_ok(), fits, "{levels} levels");
        if let Err(refused) = found {
            assert!(
                refused.message.contains("deeper than 64 levels at line 1 column"),
                "{refused}"
            );
        }
    }
    let in_a_text = format!(r#"{{"defaultAction":{{"type":"ALLOW"}},"x":"\"{}"}}"#, "[".repeat(99));
    expect("brackets in a text", parsed(&document("WAFV2", ALB, &in_a_text)), "ok");
}

#[test]
fn policy_files_are_requests_or_policies() {
    let policy = serde_json::to_string(&document("WAFV2", ALB, WEB)).unwrap();
    let bare = PolicyFile::parse(policy.as_bytes()).unwrap();
    let request = format!(r#"{{"Policy":{policy},"TagList":[{{"Key":"k","Value":"v"}}]}}"#);
    let request = PolicyFile::parse(format!("\u{feff}{request}").as_bytes()).unwrap();
    assert_eq!(bare.policy, request.policy);
    let wide: Vec<u8> = policy.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(bare.policy, PolicyFile::parse(&wide).unwrap().policy, "UTF-16");
    assert!(bare.tags.is_empty());
    assert_eq!(request.tags, [Tag { key: "k".into(), value: "v".into() }]);
    let answer = format!(r#"{{"Policy":{policy},"PolicyArn":"arn:…"}}"#);
    assert_eq!(PolicyFile::parse(answer.as_bytes()).unwrap(), bare);
    for (text, wanted) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("7", "expected a Policy object or a PutPolicy request"),
        (r#"{"PolicyName":"p"}"#, "missing field `SecurityServicePolicyData`"),
        (r#"{"Policy":7}"#, "expected a Policy object"),
        (&policy[..40], "line 1 column 40"),
    ] {
        let refused = PolicyFile::parse(text.as_bytes()).unwrap_err();
        assert!(refused.message.contains(wanted), "{text}\n{refused}");
    }
}

#[test]
fn data_written_as_an_object_is_told_how_to_write_it() {
    let mut policy = serde_json::to_value(document("WAFV2", ALB, WEB)).unwrap();
    policy["SecurityServicePolicyData"]["ManagedServiceData"] = json!({"type": "WAFV2"});
    for file in [policy.clone(), json!({"Policy": policy})] {
        let refused = PolicyFile::parse(file.to_string().as_bytes()).unwrap_err();
        for wanted in ["ManagedServiceData is written as an object", r#""{\"type\":\"WAFV2\",…}""#]
        {
            assert!(refused.message.contains(wanted), "{refused}");
        }
    }
}

/// Semantics §11 row 47.
#[test]
fn a_member_that_policy_does_not_have_is_refused_in_a_file() {
    let policy = serde_json::to_value(document("WAFV2", ALB, WEB)).unwrap();
    for (member, wanted) in [
        ("resourcetype", "`resourcetype` is not a member of Policy; `ResourceType` is"),
        (
            "ExcludeResourceTag",
            "`ExcludeResourceTag` is not a member of Policy; `ExcludeResourceTags` is",
        ),
        ("PolicyNmae", "`PolicyNmae` is not a member of Policy; `PolicyName` is"),
        ("Owner", "`Owner` is not a member of Policy; it has PolicyId, PolicyName,"),
    ] {
        let mut policy = policy.clone();
        policy[member] = json!("x");
        for file in [policy.clone(), json!({"Policy": policy, "Other": 1})] {
            let refused = PolicyFile::parse(file.to_string().as_bytes()).unwrap_err();
            assert!(refused.message.contains(wanted), "{member}\n{refused}");
        }
    }
    let every = json!({
        "PolicyId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111", "PolicyUpdateToken": "1:x", "ResourceTypeList": [],
        "ResourceTags": [], "DeleteUnusedFMManagedResources": false, "IncludeMap": {}, "ExcludeMap": {},
        "ResourceSetIds": [], "PolicyDescription": "", "PolicyStatus": "ACTIVE", "ResourceTagLogicalOperator": "OR",
    });
    let whole = serde_json::to_value(edited("WAFV2", ALB, WEB, every)).unwrap();
    assert_eq!(whole.as_object().unwrap().len(), 16);
    assert!(PolicyFile::parse(whole.to_string().as_bytes()).is_ok());
}
