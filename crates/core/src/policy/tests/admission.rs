//! What depends on the organization, the Region, quotas and the version before.

use super::*;
use crate::organization::Organization;

fn organization() -> Organization {
    let accounts: Vec<Value> = (1..=250)
        .map(|number| {
            json!({"Id": format!("{number:03}"), "Status": "ACTIVE",
                   "ParentId": if number > 200 { "ou-01" } else { "r-1" }})
        })
        .collect();
    let units: Vec<Value> = (1..=25)
        .map(|number| json!({"Id": format!("ou-{number:02}"), "ParentId": "r-1"}))
        .collect();
    let file = json!({
        "Organization": {"Id": "o-1", "ManagementAccountId": "001"}, "Roots": [{"Id": "r-1"}],
        "OrganizationalUnits": units, "Accounts": accounts,
    });
    Organization::parse(file.to_string().as_bytes()).unwrap()
}

fn put(document: &Document, quotas: &Quotas) -> Result<(), Refusal> {
    admit(document, &organization(), &"us-east-1".parse().unwrap(), quotas, Purpose::Create)
}

#[test]
fn ids_of_maps_belong_to_the_organization() {
    for (maps, wanted) in [
        (json!({"IncludeMap": {"ACCOUNT": ["001"], "ORG_UNIT": ["ou-01"]}}), None),
        (json!({"ExcludeMap": {"ACCOUNT": ["250"]}}), None),
        (
            json!({"IncludeMap": {"ORG_UNIT": ["r-1"]}}),
            Some(
                "Input ORG_UNIT map contains invalid IDs. `r-1` in IncludeMap.ORG_UNIT is a root of the organization, \
                 which no policy may name; a policy without IncludeMap is about every account",
            ),
        ),
        (
            json!({"ExcludeMap": {"ORG_UNIT": ["r-1"]}}),
            Some(
                "Input ORG_UNIT map contains invalid IDs. `r-1` in ExcludeMap.ORG_UNIT is a root of the organization, \
                 which no policy may name; a policy without IncludeMap is about every account",
            ),
        ),
        (
            json!({"IncludeMap": {"ORG_UNIT": ["ou-99"]}}),
            Some(
                "Input ORG_UNIT map contains invalid IDs. `ou-99` in IncludeMap.ORG_UNIT is not an \
                 organizational unit of the organization; correct or remove it",
            ),
        ),
        (
            json!({"IncludeMap": {"ACCOUNT": ["999"]}}),
            Some(
                "Input ACCOUNT map contains invalid IDs. `999` in IncludeMap.ACCOUNT is not an \
                 account of the organization; correct or remove it",
            ),
        ),
    ] {
        let document = edited(CONTENT, GROUP, AUDIT, maps.clone());
        let found = put(&document, &Quotas::default());
        assert_eq!(found, wanted.map_or(Ok(()), |text| Err(Refusal::input(text))), "{maps}");
        // Vanished from the organization later, it stays valid.
        assert!(parsed(&document).is_ok(), "{maps}");
    }
}

#[test]
fn an_update_may_keep_ids_that_vanished_from_the_organization() {
    let naming = |maps: Value| edited(CONTENT, GROUP, AUDIT, maps);
    let before = naming(json!({
        "IncludeMap": {"ACCOUNT": ["999"], "ORG_UNIT": ["ou-99"]}, "ExcludeMap": {"ACCOUNT": ["998"]},
    }));
    for (maps, fits) in [
        (json!({"IncludeMap": {"ACCOUNT": ["999"], "ORG_UNIT": ["ou-99"]}}), true),
        (json!({"IncludeMap": {"ACCOUNT": ["999", "001"], "ORG_UNIT": ["ou-01"]}}), true),
        (json!({"IncludeMap": {"ACCOUNT": ["998"]}}), true),
        (json!({"ExcludeMap": {"ORG_UNIT": ["ou-99"]}}), true),
        (json!({"IncludeMap": {"ACCOUNT": ["997"]}}), false),
        (json!({"IncludeMap": {"ORG_UNIT": ["ou-98"]}}), false),
        (json!({"IncludeMap": {"ORG_UNIT": ["r-1"]}}), false),
    ] {
        let (document, region) = (naming(maps.clone()), "us-east-1".parse().unwrap());
        let put = |purpose| {
            admit(&document, &organization(), &region, &Quotas::default(), purpose).is_ok()
        };
        assert_eq!(put(Purpose::Update(&before)), fits, "{maps}");
        let all_there = maps["IncludeMap"]["ACCOUNT"] == json!(["001"]);
        assert_eq!([put(Purpose::Create), put(Purpose::Judge)], [all_there; 2], "{maps}");
    }
}

#[test]
fn cloudfront_is_global() {
    let document = document("WAFV2", CLOUDFRONT, WEB);
    let at = |region: &str| {
        let region: Region = region.parse().unwrap();
        admit(&document, &organization(), &region, &Quotas::default(), Purpose::Create)
    };
    assert_eq!(at("us-east-1"), Ok(()));
    let text = "Resource [\"AWS::CloudFront::Distribution\"] can not be used in region: us-west-2.";
    assert_eq!(at("us-west-2"), Err(Refusal::input(text)));
}

#[test]
fn a_content_audit_is_created_with_remediation_off() {
    for (policy_type, resource_type, data, creating, enabled, fits) in [
        (CONTENT, GROUP, AUDIT, true, true, false),
        (CONTENT, GROUP, AUDIT, true, false, true),
        (CONTENT, GROUP, AUDIT, false, true, true),
        ("WAFV2", ALB, WEB, true, true, true),
    ] {
        let edits = json!({"RemediationEnabled": enabled});
        let document = edited(policy_type, resource_type, data, edits);
        let region = "us-east-1".parse().unwrap();
        let purpose = if creating { Purpose::Create } else { Purpose::Update(&document) };
        let found = admit(&document, &organization(), &region, &Quotas::default(), purpose);
        assert_eq!(found.is_ok(), fits, "{policy_type} creating {creating} enabled {enabled}");
        if let Err(refused) = found {
            assert_eq!(refused.kind, RefusalKind::InvalidInput);
            assert!(refused.message.contains("`RemediationEnabled` false"), "{refused}");
        }
    }
}

#[test]
fn what_is_invalid_by_itself_is_not_admitted() {
    let refused = put(&document(CONTENT, GROUP, "{}"), &Quotas::default()).unwrap_err();
    assert!(refused.message.contains("neither `preManagedOptions`"), "{refused}");
}

/// At the quota it fits, one over does not: `make(n)` uses n of what is limited.
#[track_caller]
fn limited(quota: usize, quotas: &Quotas, make: impl Fn(usize) -> Document) {
    for count in [quota.saturating_sub(1), quota] {
        assert_eq!(put(&make(count), quotas), Ok(()), "{count} of {quota}");
    }
    let refused = put(&make(quota + 1), quotas).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::LimitExceeded, "{refused}");
    let wanted = format!("{} are given and the quota is {quota}", quota + 1);
    assert!(refused.message.contains(&wanted), "{refused}");
}

fn numbered(count: usize, one: impl Fn(usize) -> Value) -> Vec<Value> {
    (1..=count).map(one).collect()
}

fn with(edits: Value) -> Document {
    edited(CONTENT, GROUP, AUDIT, edits)
}

#[test]
fn quotas_of_scope_hold_at_their_number() {
    let quotas = Quotas::default();
    limited(20, &quotas, |count| {
        let units = numbered(count, |number| json!(format!("ou-{number:02}")));
        with(json!({"IncludeMap": {"ORG_UNIT": units}}))
    });
    limited(8, &quotas, |count| {
        with(json!({"ResourceTags": numbered(count, |number| json!({"Key": number.to_string()}))}))
    });
    limited(5, &quotas, |count| {
        with(json!({"ResourceSetIds": numbered(count, |number| json!(number.to_string()))}))
    });
    let accounts = |count| {
        let ids = numbered(count, |number| json!(format!("{number:03}")));
        with(json!({"ExcludeMap": {"ACCOUNT": ids}}))
    };
    limited(200, &Quotas::aws(), accounts);
    limited(200, &Quotas::aws(), |count| {
        let ids = numbered(count, |number| json!(format!("{number:03}")));
        with(json!({"IncludeMap": {"ACCOUNT": ["001"]}, "ExcludeMap": {"ACCOUNT": ids}}))
    });
    assert_eq!(put(&accounts(201), &quotas), Ok(()), "accounts are unlimited by default");
}

#[test]
fn the_quota_of_accounts_in_scope_is_for_policies_that_name_none() {
    let fifty_in_unit = with(json!({"IncludeMap": {"ORG_UNIT": ["ou-01"]}}));
    for (quota, fits) in [(49, false), (50, true), (51, true)] {
        let quotas = Quotas { accounts_in_scope_max: Some(quota), ..Quotas::default() };
        assert_eq!(put(&fifty_in_unit, &quotas).is_ok(), fits, "{quota}");
    }
    let quotas = Quotas { accounts_in_scope_max: Some(249), ..Quotas::default() };
    assert!(put(&with(json!({})), &quotas).is_err());
    let named = with(json!({"ExcludeMap": {"ACCOUNT": ["001"]}}));
    assert_eq!(put(&named, &Quotas { accounts_in_scope_max: Some(1), ..quotas }), Ok(()));
}

#[test]
fn quotas_of_each_types_data_hold_at_their_number() {
    let quotas = Quotas::default();
    let groups = |count| json!(numbered(count, |number| json!({"id": format!("sg-{number}")})));
    let data = |policy_type: &str, resource_type: &str, data: Value| {
        document(policy_type, resource_type, &data.to_string())
    };
    limited(1, &quotas, |count| {
        let groups = groups(count);
        data(
            CONTENT,
            GROUP,
            json!({"securityGroups": groups, "securityGroupAction": "ALLOW",
                   "preManagedOptions": [{"denyProtocolAllValue": true}]}),
        )
    });
    limited(1, &quotas, |count| {
        let ids = numbered(count, |number| json!(format!("00000000-0000-0000-0000-{number:012}")));
        let lists = json!({"allowedProtocolsLists": {"customListIds": ids}});
        data(CONTENT, GROUP, json!({"preManagedOptions": [lists, {"denyProtocolAllValue": true}]}))
    });
    let allow = json!({"type": "ALLOW"});
    limited(50, &quotas, |count| {
        let mut groups = numbered(count, |number| json!({"ruleGroupArn": format!("arn:{number}")}));
        let last = groups.split_off(count / 2);
        data(
            "WAFV2",
            ALB,
            json!({"defaultAction": allow, "preProcessRuleGroups": groups,
                   "postProcessRuleGroups": last}),
        )
    });
    limited(1, &quotas, |count| {
        let partner = |number: usize| {
            json!({"managedRuleGroupIdentifier":
                   {"vendorName": "Acme", "managedRuleGroupName": number.to_string()}})
        };
        let aws = json!({"managedRuleGroupIdentifier":
                         {"vendorName": "AWS", "managedRuleGroupName": "A"}});
        data(
            "WAFV2",
            ALB,
            json!({"defaultAction": allow, "preProcessRuleGroups": numbered(count, partner),
                   "postProcessRuleGroups": [aws, aws]}),
        )
    });
    limited(2, &quotas, |count| {
        let groups = numbered(count, |number| json!({"id": number.to_string()}));
        data("WAF", ALB, json!({"defaultAction": allow, "ruleGroups": groups}))
    });
    limited(3, &quotas, |count| {
        data(
            "SECURITY_GROUPS_COMMON",
            "AWS::EC2::Instance",
            json!({"securityGroups": groups(count)}),
        )
    });
    limited(2, &quotas, |count| {
        let groups = numbered(count, |number| json!({"ruleGroupId": "g", "priority": number}));
        data("DNS_FIREWALL", VPC, json!({"preProcessRuleGroups": groups}))
    });
    for key in [
        "networkFirewallStatelessRuleGroupReferences",
        "networkFirewallStatefulRuleGroupReferences",
    ] {
        limited(20, &quotas, |count| {
            let groups =
                numbered(count, |number| json!({"resourceARN": "arn:a", "priority": number}));
            data("NETWORK_FIREWALL", VPC, json!({key: groups}))
        });
    }
    limited(50, &quotas, |count| {
        let cidrs = numbered(count, |number| json!(format!("10.0.{number}.0/28")));
        let config = json!({"allowedIPV4CidrList": cidrs});
        data("NETWORK_FIREWALL", VPC, json!({"networkFirewallOrchestrationConfig": config}))
    });
    for egress in [false, true] {
        limited(5, &quotas, |count| {
            let entry = json!({"Protocol": "-1", "RuleAction": "deny", "Egress": egress,
                               "CidrBlock": "10.0.0.0/8"});
            let other = json!({"Protocol": "-1", "RuleAction": "deny", "Egress": !egress,
                               "CidrBlock": "10.0.0.0/8"});
            let first: Vec<Value> = vec![entry.clone(); count.min(3)];
            let last: Vec<Value> =
                vec![entry; count.saturating_sub(3)].into_iter().chain([other]).collect();
            let set = json!({"FirstEntries": first, "ForceRemediateForFirstEntries": false,
                             "LastEntries": last, "ForceRemediateForLastEntries": false});
            edited(
                "NETWORK_ACL_COMMON",
                "AWS::EC2::Subnet",
                "",
                json!({"SecurityServicePolicyData": {"PolicyOption":
                       {"NetworkAclCommonPolicy": {"NetworkAclEntrySet": set}}}}),
            )
        });
    }
}

/// Lines `data => ok` or `data => part of the message`, each put as a policy of the type.
#[track_caller]
fn check_put(policy_type: &str, resource_type: &str, edits: &Value, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (data, wanted) = line.split_once(" => ").unwrap_or_else(|| panic!("`{line}`"));
        let document = edited(policy_type, resource_type, data, edits.clone());
        let read = parsed(&document);
        assert!(read.is_ok(), "{line}\nwhat was accepted once is read: {read:?}");
        match put(&document, &Quotas::default()) {
            Ok(()) => assert_eq!(wanted, "ok", "{line}"),
            Err(refused) => {
                assert_eq!(refused.kind, RefusalKind::InvalidInput, "{line}");
                let fits = wanted != "ok" && refused.message.contains(wanted);
                assert!(fits, "{line}\nfound: {refused}");
            }
        }
    }
}

#[test]
fn a_content_audit_that_audits_nothing_is_not_put() {
    let table = r#"
        [{}] => `preManagedOptions` in ManagedServiceData sets no option, so that nothing would be audited; set one of `denyProtocolAllValue`, `allowedProtocolsLists`,
        [{"auditSgDirection":{"type":"ALL"}}] => nothing would be audited; set one of `deny
        [{"denyProtocolAllValue":false}] => nothing would be audited; set one of
        [{"allowedProtocolsLists":{"customListIds":[]}}] => nothing would be audited; set
        [{"colour":1}] => nothing would be audited; set
        [{"minIPv4CidrPrefixLenPerSgRule":16}] => audited; `minIPv4CidrPrefixLenPerSgRule` is not known: `minIpv4CidrPrefixLenPerSgRule` is; set one of
        [{"minIPv6CidrPrefixLenPerSgRule":16}] => is not known: `minIpv6CidrPrefixLenPerSgRule` is;
        [{"auditSgDirection":{"type":"ALL"}},{"denyProtocolAll":true}] => `denyProtocolAll` is not known: `denyProtocolAllValue` is
        [{"DenyProtocolAllValue":true}] => `DenyProtocolAllValue` is not known: `denyProtocolAllValue` is
        [{"allowedPortsCountPerSgRule":1}] => `allowedPortsCountPerSgRule` is not known: `allowedPortCountPerSgRule` is
        [{"deniedPublicAccessAppList":{"customListIds":["l"]}}] => is not known: `deniedPublicAccessAppLists` is
        [{"minIPv4CidrPrefixLenPerSgRule":16},{"denyProtocolAllValue":true}] => ok
        [{"minIpv4CidrPrefixLenPerSgRule":0}] => ok
        [{"allowedPortCountPerSgRule":0}] => ok
    "#;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (options, wanted) = line.split_once(" => ").unwrap();
        let with = |rest: &str| format!("{{\"preManagedOptions\":{options}{rest}}} => ");
        check_put(CONTENT, GROUP, &json!({}), &(with("") + wanted));
        let group = |action| {
            format!(
                ",\"securityGroups\":[{{\"id\":\"sg-1\"}}],\"securityGroupAction\":\"{action}\""
            )
        };
        // An override that denies finds something, one that allows does not.
        check_put(CONTENT, GROUP, &json!({}), &(with(&group("ALLOW")) + wanted));
        check_put(CONTENT, GROUP, &json!({}), &(with(&group("DENY")) + "ok"));
    }
    let long = format!("[{{\"{}\":1}}]", "denyProtocolAllValue".repeat(500));
    let table = format!("{{\"preManagedOptions\":{long}}} => audited; set one of");
    check_put(CONTENT, GROUP, &json!({}), &table);
}

#[test]
fn firewall_policies_that_say_nothing_sensible_are_not_put() {
    check_put(
        "NETWORK_FIREWALL",
        VPC,
        &json!({}),
        r#"
        {} => `networkFirewallStatelessDefaultActions` in ManagedServiceData is missing, and so is everything else
        {"type":"NETWORK_FIREWALL"} => is missing, and so is everything else
        {"networkFirewallStatelessDefaultActions":["aws:pass","aws:drop","aws:forward_to_sfe"]} => ok
        {"networkFirewallStatelessDefaultActions":[""]} => `networkFirewallStatelessDefaultActions[0]` in ManagedServiceData must be aws:pass or aws:drop or aws:forward_to_sfe, or an action of
        {"networkFirewallStatelessFragmentDefaultActions":["aws:pass","ZZZ"]} => `networkFirewallStatelessFragmentDefaultActions[1]` in ManagedServiceData must be
        {"networkFirewallStatelessFragmentDefaultActions":["ZZZ"],"networkFirewallStatelessCustomActions":[{"actionName":"ZZZ","actionDefinition":{"publishMetricAction":{"dimensions":[{"value":"v"}]}}}]} => ok
        {"networkFirewallStatelessCustomActions":[{"a":1}]} => `networkFirewallStatelessCustomActions[0].actionName` in ManagedServiceData is missing
        {"networkFirewallStatelessCustomActions":[{"actionName":"a"}]} => dimensions` in ManagedServiceData is empty
        {"networkFirewallStatefulRuleGroupReferences":[{"resourceARN":"ZZZ"}]} => `networkFirewallStatefulRuleGroupReferences[0].resourceARN` in ManagedServiceData must be the ARN
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"","priority":1}]} => must be the ARN of a rule group
        {"networkFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":""}]}}}} => availabilityZoneConfigList[0].availabilityZoneName` in ManagedServiceData is empty
        {"networkFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"us-east-1a"}]}}}} => ok
        "#,
    );
    let vpcs = |vpcs: &str, wanted: &str| {
        format!(
            r#"{{"awsNetworkFirewallConfig":{{"networkFirewallStatelessDefaultActions":["aws:drop"]}},"firewallDeploymentModel":{{"centralizedFirewallDeploymentModel":{{"centralizedFirewallOrchestrationConfig":{{"inspectionVpcIds":{vpcs}}}}}}}}} => {wanted}"#
        )
    };
    let central = json!({"SecurityServicePolicyData": {"PolicyOption":
        {"NetworkFirewallPolicy": {"FirewallDeploymentModel": "CENTRALIZED"}}}});
    for (given, wanted) in [
        ("[{}]", "inspectionVpcIds[0].resourceId` in ManagedServiceData is missing"),
        (r#"[{"resourceId":"","accountId":"1"}]"#, "resourceId` in ManagedServiceData is empty"),
        (r#"[{"resourceId":"vpc-1","accountId":""}]"#, "accountId` in ManagedServiceData is empty"),
        (r#"[{"resourceId":"vpc-1","accountId":"111111111111"}]"#, "ok"),
    ] {
        check_put("NETWORK_FIREWALL", VPC, &central, &vpcs(given, wanted));
    }
    check_put(
        "DNS_FIREWALL",
        VPC,
        &json!({}),
        r#"
        {} => `preProcessRuleGroups` in ManagedServiceData is empty, and so is `postProcessRuleGroups`
        {"preProcessRuleGroups":[],"postProcessRuleGroups":[]} => is empty, and so is
        {"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":9901}]} => ok
        "#,
    );
    for (config, wanted) in [
        (r#"{"thirdPartyFirewallPolicyList":["global-1"]}"#, "ok"),
        (r#"{"vendorsOwn":{"a":1}}"#, "ok"),
        ("null", "ok"),
        ("7", "`thirdPartyFirewallConfig` in ManagedServiceData must be an object"),
        (r#""ZZZ""#, "must be an object"),
        ("[]", "must be an object"),
        (r#"{"thirdPartyFirewallPolicyList":"a"}"#, "List` in ManagedServiceData must be an array"),
        (
            r#"{"thirdPartyFirewallPolicyList":[true]}"#,
            "PolicyList[0]` in ManagedServiceData is not",
        ),
        (
            r#"{"thirdPartyFirewallPolicyList":[""]}"#,
            "PolicyList[0]` in ManagedServiceData is empty",
        ),
    ] {
        let table = format!(
            r#"{{"thirdPartyFirewall":"PALO_ALTO_NETWORKS_CLOUD_NGFW","thirdPartyFirewallConfig":{config},"firewallDeploymentModel":{{"distributedFirewallDeploymentModel":{{"distributedFirewallOrchestrationConfig":{{}}}}}}}} => {wanted}"#
        );
        check_put("THIRD_PARTY_FIREWALL", VPC, &json!({}), &table);
    }
}

#[test]
fn the_type_of_a_policy_cannot_change() {
    let before = document("WAFV2", ALB, WEB);
    assert_eq!(
        admit_update(&before, &edited("WAFV2", ALB, WEB, json!({"PolicyName": "q"}))),
        Ok(())
    );
    let refused = admit_update(&before, &document("WAF", ALB, WEB)).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::InvalidInput);
    assert!(refused.message.contains("cannot change from WAFV2 to WAF"), "{refused}");
}

#[test]
fn one_way_settings_of_network_firewall_stay() {
    let routes = |action: &str| {
        json!({"networkFirewallOrchestrationConfig": {"routeManagementAction": action,
               "routeManagementTargetTypes": ["InternetGateway"]}})
    };
    let central = |vpc: &str| {
        json!({"firewallDeploymentModel": {"centralizedFirewallDeploymentModel":
               {"centralizedFirewallOrchestrationConfig":
                {"inspectionVpcIds": [{"resourceId": vpc, "accountId": "1"}]}}}})
    };
    let zones = json!({"networkFirewallOrchestrationConfig": {"firewallCreationConfig":
        {"endpointLocation": {"availabilityZoneConfigList": [{"availabilityZoneName": "a"}]}}}});
    for (before, after, wanted) in [
        (routes("OFF"), routes("MONITOR"), None),
        (routes("MONITOR"), routes("MONITOR"), None),
        (routes("MONITOR"), routes("OFF"), Some("cannot leave MONITOR")),
        (routes("MONITOR"), json!({}), Some("cannot leave MONITOR")),
        (central("vpc-1"), central("vpc-1"), None),
        (central("vpc-1"), central("vpc-2"), Some("send the inspection VPC that the policy has")),
        (central("vpc-1"), json!({}), Some("deployment model of a Network Firewall policy")),
        (zones.clone(), zones.clone(), None),
        (zones, json!({}), Some("how a Network Firewall policy chooses Availability Zones")),
    ] {
        let of = |data: &Value| document("NETWORK_FIREWALL", VPC, &data.to_string());
        let found = admit_update(&of(&before), &of(&after)).err().map(|refused| refused.message);
        match (wanted, found) {
            (None, None) => {}
            (Some(wanted), Some(found)) => assert!(found.contains(wanted), "{found}"),
            (wanted, found) => panic!("{before} {after}: wanted {wanted:?}, found {found:?}"),
        }
    }
}
