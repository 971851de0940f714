//! Rules as evaluators get them, and what is checked of each type's data.

use super::*;
use crate::ident::ResourceId;
use crate::inventory::RuleGroupId;
use crate::policy::content_audit::*;
use crate::policy::dns_firewall::DnsRuleGroup;
use crate::policy::network_firewall::{Placement, Zone};
use crate::policy::shield_advanced::{ShieldAdvanced, WantedResponse};
use crate::policy::usage_audit::UsageAudit;
use crate::policy::waf::ClassicRuleGroup;
use crate::policy::wafv2::{RuleGroup, Wafv2};

fn audit(data: &str) -> ContentAudit {
    match parsed(&document(CONTENT, GROUP, data)).unwrap().rule {
        Rule::ContentAudit(audit) => audit,
        rule => panic!("{rule:?}"),
    }
}

fn web(data: &str) -> Wafv2 {
    match parsed(&document("WAFV2", ALB, data)).unwrap().rule {
        Rule::Wafv2(web) => web,
        rule => panic!("{rule:?}"),
    }
}

#[test]
fn a_custom_audit_names_groups_and_an_action() {
    let groups = |action| AuditGroups { ids: vec!["sg-1".parse::<ResourceId>().unwrap()], action };
    for (data, action) in [
        (
            r#"{"securityGroups":[{"id":" sg-1 "}],"securityGroupAction":{"type":"ALLOW"}}"#,
            AuditAction::Allow,
        ),
        (
            r#"{"securityGroups":[{"id":"sg-1"}],"securityGroupAction":{"type":"DENY","excludeRules":[]}}"#,
            AuditAction::Deny,
        ),
        (
            r#"{"securityGroups":[{"id":"sg-1"},{"id":"sg-1"}],"securityGroupAction":"ALLOW"}"#,
            AuditAction::Allow,
        ),
        (
            r#"{"securityGroups":[{"id":"sg-1"}],"securityGroupAction":"DENY","preManagedOptions":[]}"#,
            AuditAction::Deny,
        ),
    ] {
        let wanted = ContentAudit { audit: Some(groups(action)), managed: None };
        assert_eq!(audit(data), wanted, "{data}");
    }
}

#[test]
fn managed_options_are_joined_from_their_elements() {
    let id = "36a2e5e3-6032-41f4-836d-1599690bc624";
    let found = audit(&format!(
        r#"{{"preManagedOptions":[
            {{"denyProtocolAllValue":true}},
            {{"allowedProtocolsLists":{{"customListIds":["{id}"],"defaultListId":null}}}},
            {{"allowedPublicAccessAppLists":{{"customListIds":[],"defaultListId":"{id}","defaultListVersion":"1"}}}},
            {{"deniedPublicAccessAppLists":{{"customListIds":[],"defaultListId":null,"defaultListVersion":null}}}},
            {{"allowedPortCountPerSgRule":1}},
            {{"minIpv4CidrPrefixLenPerSgRule":16,"minIpv6CidrPrefixLenPerSgRule":48}},
            {{"auditSgDirection":{{"type":"INGRESS"}}}}]}}"#
    ));
    let list: crate::ident::ListId = id.parse().unwrap();
    let wanted = ManagedOptions {
        direction: AuditDirection::Ingress,
        deny_protocol_all: true,
        allowed_protocols: Some(ListReference { custom: vec![list.clone()], default: None }),
        port_count_max: Some(1),
        ipv4_prefix_len_min: Some(16),
        ipv6_prefix_len_min: Some(48),
        allowed_public_apps: Some(ListReference {
            custom: vec![],
            default: Some((list, Some("1".into()))),
        }),
        denied_public_apps: None,
    };
    assert_eq!(found, ContentAudit { audit: None, managed: Some(wanted) });
}

#[test]
fn managed_options_may_have_an_audit_group_as_override() {
    let found = audit(
        r#"{"preManagedOptions":[{"auditSgDirection":{"type":"ALL"}}],"securityGroups":[{"id":"sg-1"}],"securityGroupAction":{"type":"ALLOW"}}"#,
    );
    assert!(found.audit.is_some() && found.managed.is_some());
    let found = audit(
        r#"{"preManagedOptions":[{"denyProtocolAllValue":false}],"securityGroups":[],"securityGroupAction":{"type":"ALLOW"}}"#,
    );
    assert_eq!(found.audit, None);
    assert_eq!(found.managed, Some(ManagedOptions::default()));
}

/// Answers show every element with all keys; `false` there is an option that is not set.
#[test]
fn an_element_that_does_not_deny_all_protocols_unsets_nothing() {
    for (elements, denied) in [
        (
            r#"[{"denyProtocolAllValue":true},{"denyProtocolAllValue":false,"allowedPortCountPerSgRule":1}]"#,
            true,
        ),
        (r#"[{"denyProtocolAllValue":false},{"denyProtocolAllValue":true}]"#, true),
        (r#"[{"denyProtocolAllValue":false},{"denyProtocolAllValue":false}]"#, false),
    ] {
        let found = audit(&format!(r#"{{"preManagedOptions":{elements}}}"#));
        assert_eq!(found.managed.unwrap().deny_protocol_all, denied, "{elements}");
    }
}

#[test]
fn bad_content_audits_are_refused() {
    let id = "36a2e5e3-6032-41f4-836d-1599690bc624";
    let table = r#"
        {} => neither `preManagedOptions` nor `securityGroups`
        {"preManagedOptions":[],"securityGroups":[]} => neither `preManagedOptions` nor
        {"securityGroups":[{"id":"sg-1"}]} => `securityGroupAction` in ManagedServiceData is missing
        {"securityGroups":[{"id":"sg-1"}],"securityGroupAction":{}} => `securityGroupAction.type` in ManagedServiceData is missing
        {"securityGroups":[{"id":"sg-1"}],"securityGroupAction":{"type":"PERMIT"}} => must be ALLOW or DENY, not `PERMIT`
        {"securityGroups":[{"id":"sg-1"}],"securityGroupAction":"allow"} => must be ALLOW or DENY, not `allow`
        {"securityGroups":[{"id":" "}],"securityGroupAction":"ALLOW"} => `securityGroups[0].id` in ManagedServiceData is missing
        {"securityGroups":[null],"securityGroupAction":"ALLOW"} => `securityGroups[0].id` in ManagedServiceData is missing
        {"securityGroups":["sg-1"],"securityGroupAction":"ALLOW"} => `securityGroups[0]` in ManagedServiceData must be an object, not a text
        {"securityGroups":[],"securityGroupAction":"ALLOW"} => `securityGroups` in ManagedServiceData is empty
        {"preManagedOptions":[{"minIpv4CidrPrefixLenPerSgRule":-1}]} => must be 0 to 32, not -1
        {"preManagedOptions":[{"minIpv4CidrPrefixLenPerSgRule":0}]} => ok
        {"preManagedOptions":[{"minIpv4CidrPrefixLenPerSgRule":32}]} => ok
        {"preManagedOptions":[{},{"minIpv4CidrPrefixLenPerSgRule":33}]} => `preManagedOptions[1].minIpv4CidrPrefixLenPerSgRule` in ManagedServiceData must be 0 to 32, not 33
        {"preManagedOptions":[{"minIpv6CidrPrefixLenPerSgRule":127}]} => ok
        {"preManagedOptions":[{"minIpv6CidrPrefixLenPerSgRule":128}]} => ok
        {"preManagedOptions":[{"minIpv6CidrPrefixLenPerSgRule":129}]} => must be 0 to 128, not 129
        {"preManagedOptions":[{"allowedPortCountPerSgRule":-1}]} => must be 0 to 65536, not -1
        {"preManagedOptions":[{"allowedPortCountPerSgRule":0}]} => ok
        {"preManagedOptions":[{"allowedPortCountPerSgRule":65535}]} => ok
        {"preManagedOptions":[{"allowedPortCountPerSgRule":65536}]} => ok
        {"preManagedOptions":[{"allowedPortCountPerSgRule":65537}]} => must be 0 to 65536, not 65537
        {"preManagedOptions":[{"allowedPortCountPerSgRule":18446744073709551615}]} => must be 0 to 65536
        {"preManagedOptions":[{"auditSgDirection":{"type":"BOTH"}}]} => must be ALL or INGRESS or EGRESS, not `BOTH`
        {"preManagedOptions":[{"auditSgDirection":{"type":"EGRESS"}}]} => ok
        {"preManagedOptions":[{"allowedPublicAccessAppLists":{"customListIds":["ID"]}},{"deniedPublicAccessAppLists":{"defaultListId":"ID"}}]} => `preManagedOptions` in ManagedServiceData has both `allowedPublicAccessAppLists` and
        {"preManagedOptions":[{"allowedPublicAccessAppLists":{"customListIds":["ID"]}},{"deniedPublicAccessAppLists":null}]} => ok
        {"preManagedOptions":[{"allowedProtocolsLists":{"customListIds":["a b"]}}]} => `preManagedOptions[0].allowedProtocolsLists.customListIds[0]` in ManagedServiceData `a b` is not a list id
        {"preManagedOptions":[{"allowedProtocolsLists":{"defaultListVersion":"1"}}]} => is given without `defaultListId`
        {"preManagedOptions":[{"allowedPortCountPerSgRule":1},{"allowedPortCountPerSgRule":2}]} => `preManagedOptions[1].allowedPortCountPerSgRule` in ManagedServiceData sets an option that an earlier
        {"preManagedOptions":[{"allowedPortCountPerSgRule":1},{"allowedPortCountPerSgRule":1}]} => ok
    "#;
    check_data(CONTENT, GROUP, &table.replace("ID", id));
}

#[test]
fn rule_groups_are_read_in_order() {
    let found = web(
        r#"{"defaultAction":{"type":"BLOCK"},"overrideCustomerWebACLAssociation":true,"webACLSource":"RETROFIT_EXISTING",
        "preProcessRuleGroups":[
          {"ruleGroupArn":"arn:own","overrideAction":{"type":"COUNT"},"ruleGroupType":"RuleGroup","managedRuleGroupIdentifier":null},
          {"ruleGroupArn":null,"overrideAction":{"type":"NONE"},"ruleGroupType":"ManagedRuleGroup",
           "managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A","version":"V1","versionEnabled":true}}],
        "postProcessRuleGroups":[
          {"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"B","version":"V1"}}]}"#,
    );
    let group = |id, version: Option<&str>, count| RuleGroup {
        id,
        version: version.map(Into::into),
        count,
        rule_actions: vec![],
        configs: vec![],
        scope_down: Box::default(),
    };
    let managed = |name: &str, version: Option<&str>| {
        let id = RuleGroupId::Managed { vendor: "AWS".into(), name: name.into() };
        group(id, version, false)
    };
    let own = group(RuleGroupId::Own { arn: "arn:own".into() }, None, true);
    assert_eq!(found.first, [own, managed("A", Some("V1"))]);
    assert_eq!(found.last, [managed("B", None)], "a version counts only with versionEnabled");
    assert!(found.retrofit && found.override_customer_web_acl);
    for source in ["null", "\"DEFAULT\""] {
        let data = format!(r#"{{"defaultAction":{{"type":"ALLOW"}},"webACLSource":{source}}}"#);
        assert_eq!(web(&data), Wafv2::default());
    }
}

#[test]
fn bad_web_acl_policies_are_refused() {
    let group = |text: &str| {
        format!(r#"{{"defaultAction":{{"type":"ALLOW"}},"preProcessRuleGroups":[{text}]}}"#)
    };
    for (text, wanted) in [
        ("{}", "`preProcessRuleGroups[0].ruleGroupArn` in ManagedServiceData is missing"),
        ("null", "is missing"),
        (r#"{"ruleGroupType":"RuleGroup","ruleGroupArn":"arn:a"}"#, "ok"),
        (r#"{"ruleGroupType":"rulegroup","ruleGroupArn":"arn:a"}"#, "must be RuleGroup or"),
        (
            r#"{"ruleGroupType":"RuleGroup","ruleGroupArn":"arn:a","managedRuleGroupIdentifier":{"vendorName":"AWS"}}"#,
            "is given for a `RuleGroup`",
        ),
        (
            r#"{"ruleGroupType":"ManagedRuleGroup"}"#,
            "managedRuleGroupIdentifier` in ManagedServiceData is missing",
        ),
        (
            r#"{"ruleGroupType":"ManagedRuleGroup","managedRuleGroupIdentifier":{"vendorName":"AWS"}}"#,
            "managedRuleGroupName` in ManagedServiceData is missing",
        ),
        (
            r#"{"managedRuleGroupIdentifier":{"managedRuleGroupName":"A"}}"#,
            "vendorName` in ManagedServiceData is missing",
        ),
        (
            r#"{"ruleGroupArn":"arn:a","managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A"}}"#,
            "set it to null",
        ),
        (
            r#"{"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A","versionEnabled":true}}"#,
            "`versionEnabled` is true; give the version",
        ),
        (
            r#"{"ruleGroupArn":"arn:a","overrideAction":{"type":"BLOCK"}}"#,
            "must be NONE or COUNT, not `BLOCK`",
        ),
        (
            r#"{"ruleGroupArn":"arn:a","ruleActionOverrides":[{"name":"r","actionToUse":{"count":{}}}]}"#,
            "for managed rule groups alone",
        ),
        (
            r#"{"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A"},"ruleActionOverrides":[{"name":"r","actionToUse":{"count":{}}}]}"#,
            "ok",
        ),
        (
            r#"{"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A"},"ruleActionOverrides":[{"name":"r","actionToUse":{"tarpit":{}}}]}"#,
            "must be an object with one key",
        ),
        (
            r#"{"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"A"},"ruleActionOverrides":[{"actionToUse":{"count":{}}}]}"#,
            "name the rule to override",
        ),
    ] {
        expect(text, parsed(&document("WAFV2", ALB, &group(text))), wanted);
    }
    check_data(
        "WAFV2",
        ALB,
        r#"
        {} => `defaultAction` in ManagedServiceData is missing
        {"defaultAction":{}} => `defaultAction.type` in ManagedServiceData is missing
        {"defaultAction":{"type":"COUNT"}} => must be ALLOW or BLOCK, not `COUNT`
        {"defaultAction":{"type":"ALLOW"},"webACLSource":"NEW"} => must be DEFAULT or RETROFIT_EXISTING
        {"defaultAction":{"type":"ALLOW"},"captchaConfig":{"immunityTimeProperty":{"immunityTime":0}}} => must be 1 to
        {"defaultAction":{"type":"ALLOW"},"captchaConfig":{"immunityTimeProperty":{"immunityTime":300}}} => ok
        "#,
    );
}

#[test]
fn the_anti_ddos_rule_set_needs_its_configuration_in_either_place() {
    let text = "AWSManagedRulesAntiDDoSRuleSet can't have null or empty ManagedRuleGroupConfigs.";
    let config = r#"[{"awsManagedRulesAntiDDoSRuleSet":{"sensitivityToBlock":"LOW"}}]"#;
    let lower = r#"[{"awsmanagedRulesAntiDDoSRuleSet":{"sensitivityToBlock":"LOW"}}]"#;
    for (inside, beside, wanted) in [
        ("null", "null", text),
        ("[]", "[]", text),
        (config, "null", "ok"),
        ("null", config, "ok"),
        (lower, "null", "ok"),
    ] {
        let data = format!(
            r#"{{"defaultAction":{{"type":"ALLOW"}},"preProcessRuleGroups":[{{"managedRuleGroupConfigs":{beside},
            "managedRuleGroupIdentifier":{{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesAntiDDoSRuleSet",
            "managedRuleGroupConfigs":{inside}}}}}]}}"#
        );
        expect(&data, parsed(&document("WAFV2", ALB, &data)), wanted);
    }
    // A key in another letter case is unknown, so it is dropped, and the configuration is missing.
    let data = format!(
        r#"{{"defaultAction":{{"type":"ALLOW"}},"preProcessRuleGroups":[{{"managedRuleGroupIdentifier":
        {{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesAntiDDoSRuleSet","ManagedRuleGroupConfigs":{config}}}}}]}}"#
    );
    assert_eq!(parsed(&document("WAFV2", ALB, &data)), Err(Refusal::input(text)));
}

#[test]
fn logging_has_one_destination_with_the_right_name() {
    let logging = |text: &str| {
        let data =
            format!(r#"{{"defaultAction":{{"type":"ALLOW"}},"loggingConfiguration":{text}}}"#);
        parsed(&document("WAFV2", ALB, &data))
    };
    let bucket = r#""logDestinationConfigs":["arn:aws:s3:::aws-waf-logs-b"]"#;
    for (text, wanted) in [
        ("null".to_owned(), "ok"),
        (format!("{{{bucket}}}"), "ok"),
        (r#"{"logDestinationConfigs":["arn:aws:firehose:us-east-1:1:deliverystream/aws-waf-logs-s"]}"#.into(), "ok"),
        (r#"{"logDestinationConfigs":["arn:aws:s3:::logs"]}"#.into(), "begins with `aws-waf-logs-`"),
        (r#"{"logDestinationConfigs":["arn:aws:logs:us-east-1:1:log-group:aws-waf-logs-s"]}"#.into(), "must be the ARN of a Firehose stream or an S3 bucket"),
        (r#"{"logDestinationConfigs":[]}"#.into(), "has 0 destinations; give exactly one"),
        (r#"{"logDestinationConfigs":["a","b"]}"#.into(), "has 2 destinations; give exactly one"),
        (format!(r#"{{{bucket},"redactedFields":[{{"redactedFieldType":"SingleHeader","redactedFieldValue":"Cookies"}},{{"redactedFieldType":"Method"}}]}}"#), "ok"),
        (format!(r#"{{{bucket},"redactedFields":[{{"redactedFieldType":"HEADER"}}]}}"#), "name the header to redact"),
        (format!(r#"{{{bucket},"redactedFields":[{{"redactedFieldType":"BODY"}}]}}"#), "not `BODY`"),
        (format!(r#"{{{bucket},"redactedFields":[{{}}]}}"#), "redactedFieldType` in ManagedServiceData is missing"),
        (format!(r#"{{{bucket},"loggingFilterConfigs":{{"defaultBehavior":"KEEP","filters":[{{"behavior":"DROP","requirement":"MEETS_ALL","conditions":[{{"actionCondition":"COUNT"}}]}}]}}}}"#), "ok"),
        (format!(r#"{{{bucket},"loggingFilterConfigs":{{"filters":[]}}}}"#), "defaultBehavior` in ManagedServiceData is missing"),
        (format!(r#"{{{bucket},"loggingFilterConfigs":{{"defaultBehavior":"KEEP","filters":[{{"behavior":"DROP","requirement":"ALL"}}]}}}}"#), "must be MEETS_ALL or MEETS_ANY"),
        (format!(r#"{{{bucket},"loggingFilterConfigs":{{"defaultBehavior":"KEEP","filters":[{{"behavior":"DROP","requirement":"MEETS_ANY","conditions":[{{}}]}}]}}}}"#), "either `actionCondition` or"),
    ] {
        expect(&text, logging(&text), wanted);
    }
    for (count, fits) in [(19, true), (20, true), (21, false)] {
        let fields = vec![r#"{"redactedFieldType":"URI"}"#; count].join(",");
        let found = logging(&format!(r#"{{{bucket},"redactedFields":[{fields}]}}"#));
        assert_eq!(found.is_ok(), fits, "{count} redacted fields");
    }
}

#[test]
fn a_shield_policy_tells_the_automatic_response() {
    let shield = |data: &str| match parsed(&document("SHIELD_ADVANCED", ALB, data)).unwrap().rule {
        Rule::ShieldAdvanced(shield) => shield,
        rule => panic!("{rule:?}"),
    };
    assert_eq!(shield(""), ShieldAdvanced::default());
    for (configuration, wanted) in [
        ("null", WantedResponse::Ignored),
        ("{}", WantedResponse::Ignored),
        (r#"{"automaticResponseStatus":"IGNORED"}"#, WantedResponse::Ignored),
        (r#"{"automaticResponseStatus":"DISABLED"}"#, WantedResponse::Disabled),
        (
            r#"{"automaticResponseStatus":"DISABLED","automaticResponseAction":"BLOCK"}"#,
            WantedResponse::Disabled,
        ),
        (
            r#"{"automaticResponseStatus":"ENABLED","automaticResponseAction":"BLOCK"}"#,
            WantedResponse::Enabled { block: true },
        ),
        (
            r#"{"automaticResponseStatus":"ENABLED","automaticResponseAction":"COUNT"}"#,
            WantedResponse::Enabled { block: false },
        ),
    ] {
        let data = format!(r#"{{"automaticResponseConfiguration":{configuration}}}"#);
        assert_eq!(shield(&data).automatic_response, wanted, "{data}");
    }
    let flags = shield(r#"{"overrideCustomerWebaclClassic":true}"#);
    assert!(flags.override_classic_web_acl && !flags.optimize_unassociated_web_acl);
    let flags = shield(r#"{"optimizeUnassociatedWebACL":true}"#);
    assert!(!flags.override_classic_web_acl && flags.optimize_unassociated_web_acl);
}

#[test]
fn a_usage_audit_tells_its_rules_and_the_delay() {
    let usage = "SECURITY_GROUPS_USAGE_AUDIT";
    for (data, unused_after_ms, unique) in [
        ("{}", None, false),
        (r#"{"coalesceRedundantSecurityGroups":true}"#, None, true),
        (r#"{"deleteUnusedSecurityGroups":true}"#, Some(0), false),
        (
            r#"{"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":null}"#,
            Some(0),
            false,
        ),
        (
            r#"{"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":90}"#,
            Some(5_400_000),
            false,
        ),
        (
            r#"{"deleteUnusedSecurityGroups":true,"coalesceRedundantSecurityGroups":true,"optionalDelayForUnusedInMinutes":525600}"#,
            Some(31_536_000_000),
            true,
        ),
    ] {
        let rule = parsed(&document(usage, GROUP, data)).unwrap().rule;
        assert_eq!(rule, Rule::UsageAudit(UsageAudit { unused_after_ms, unique }), "{data}");
    }
}

#[test]
fn a_classic_waf_policy_tells_its_rule_groups_and_which_count() {
    let groups = |data: &str| match parsed(&document("WAF", ALB, data)).unwrap().rule {
        Rule::Waf(waf) => waf.groups,
        rule => panic!("{rule:?}"),
    };
    let group = |id: &str, count| ClassicRuleGroup { id: id.into(), count };
    let two = r#"{"ruleGroups":[{"id":"g-2","overrideAction":{"type":"COUNT"}},{"id":"g-1","overrideAction":{"type":"NONE"}},{"id":"g-3"}],"defaultAction":{"type":"ALLOW"}}"#;
    assert_eq!(groups(two), [group("g-2", true), group("g-1", false), group("g-3", false)]);
    assert_eq!(groups(r#"{"defaultAction":{"type":"BLOCK"}}"#), []);
}

#[test]
fn a_third_party_policy_tells_the_vendor_and_where_its_endpoints_are() {
    let of = |model: &str, option: &str| {
        let data = format!(
            r#"{{"thirdPartyFirewall":"FORTIGATE_CLOUD_NATIVE_FIREWALL","firewallDeploymentModel":{model}}}"#
        );
        let mut document = document("THIRD_PARTY_FIREWALL", VPC, &data);
        document.security_service_policy_data.policy_option = serde_json::from_str(&format!(
            r#"{{"ThirdPartyFirewallPolicy":{{"FirewallDeploymentModel":"{option}"}}}}"#
        ))
        .unwrap();
        match parsed(&document).unwrap().rule {
            Rule::ThirdPartyFirewall(firewall) => {
                assert_eq!(&*firewall.vendor, "FORTIGATE_CLOUD_NATIVE_FIREWALL");
                firewall.placement
            }
            rule => panic!("{rule:?}"),
        }
    };
    let creation = r#""firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"us-east-1a"},{"availabilityZoneId":"use1-az2"}]}}"#;
    let zones = vec![Zone::Name("us-east-1a".into()), Zone::Id("use1-az2".into())];
    let distributed = |inner: &str| {
        format!(
            r#"{{"distributedFirewallDeploymentModel":{{"distributedFirewallOrchestrationConfig":{{{inner}}}}}}}"#
        )
    };
    assert_eq!(of(&distributed(""), "DISTRIBUTED"), Placement::default());
    assert_eq!(
        of(&distributed(creation), "DISTRIBUTED"),
        Placement::Listed { zones: zones.clone(), single: false }
    );
    let central = format!(
        r#"{{"centralizedFirewallDeploymentModel":{{"centralizedFirewallOrchestrationConfig":{{"inspectionVpcIds":[{{"resourceId":"vpc-1","accountId":"222222222222"}}],{creation}}}}}}}"#
    );
    let Placement::Inspection { vpcs, zones: listed } = of(&central, "CENTRALIZED") else {
        panic!()
    };
    assert_eq!((vpcs.len(), &*vpcs[0].id, listed), (1, "vpc-1", zones));
}

#[test]
fn a_dns_firewall_policy_tells_its_rule_groups_and_their_priorities() {
    let groups = |data: &str| match parsed(&document("DNS_FIREWALL", VPC, data)).unwrap().rule {
        Rule::DnsFirewall(dns) => dns.groups,
        rule => panic!("{rule:?}"),
    };
    let group = |id: &str, priority| DnsRuleGroup { id: id.into(), priority };
    let both = r#"{"postProcessRuleGroups":[{"ruleGroupId":"rg-b","priority":"9901"}],"preProcessRuleGroups":[{"ruleGroupId":"rg-c","priority":99},{"ruleGroupId":"rg-a","priority":1.0}]}"#;
    assert_eq!(groups(both), [group("rg-c", 99), group("rg-a", 1), group("rg-b", 9901)]);
    assert_eq!(groups("{}"), []);
}

#[test]
fn the_other_types_are_checked_as_far_as_is_clear() {
    check_data(
        "WAF",
        ALB,
        r#"
        {"ruleGroups":[{"id":"78cb36c0","overrideAction":{"type":"COUNT"}}],"defaultAction":{"type":"BLOCK"}} => ok
        {"ruleGroups":[{"overrideAction":{"type":"COUNT"}}],"defaultAction":{"type":"BLOCK"}} => `ruleGroups[0].id` in ManagedServiceData is missing
        {"ruleGroups":[]} => `defaultAction` in ManagedServiceData is missing
        "#,
    );
    check_data(
        "SHIELD_ADVANCED",
        ALB,
        r#"
        {} => ok
        {"automaticResponseConfiguration":{"automaticResponseStatus":"IGNORED"}} => ok
        {"automaticResponseConfiguration":{"automaticResponseStatus":"ENABLED","automaticResponseAction":"COUNT"}} => ok
        {"automaticResponseConfiguration":{"automaticResponseStatus":"ENABLED"}} => with ENABLED give BLOCK or COUNT
        {"automaticResponseConfiguration":{"automaticResponseStatus":"ON"}} => must be ENABLED or IGNORED or DISABLED, not `ON`
        "#,
    );
    check_data(
        "SECURITY_GROUPS_COMMON",
        "AWS::EC2::Instance",
        r#"
        {"securityGroups":[{"id":" sg-1"}],"applyToAllEC2InstanceENIs":true} => ok
        {"securityGroups":[]} => `securityGroups` in ManagedServiceData is empty
        {} => `securityGroups` in ManagedServiceData is empty
        {"securityGroups":[{"id":""}]} => `securityGroups[0].id` in ManagedServiceData is missing
        {"securityGroups":[{"id":"sg-1"}],"enableTagDistribution":true} => needs `revertManualSecurityGroupChanges`
        {"securityGroups":[{"id":"sg-1"}],"enableTagDistribution":true,"revertManualSecurityGroupChanges":true} => ok
        "#,
    );
    check_data(
        "SECURITY_GROUPS_USAGE_AUDIT",
        GROUP,
        r#"
        {} => ok
        {"deleteUnusedSecurityGroups":false,"coalesceRedundantSecurityGroups":false} => ok
        {"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":0} => ok
        {"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":525599} => ok
        {"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":525600} => ok
        {"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":525601} => must be 0 to 525600, not 525601
        {"deleteUnusedSecurityGroups":true,"optionalDelayForUnusedInMinutes":-1} => must be 0 to 525600, not -1
        {"deleteUnusedSecurityGroups":false,"optionalDelayForUnusedInMinutes":60} => needs `deleteUnusedSecurityGroups`
        "#,
    );
    check_data(
        "DNS_FIREWALL",
        VPC,
        r#"
        {"preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":1}],"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-2","priority":9901}]} => ok
        {"preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":99}],"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-2","priority":10000}]} => ok
        {"preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":0}]} => must be 1 to 99, not 0
        {"preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":100}]} => must be 1 to 99, not 100
        {"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":9900}]} => must be 9901 to 10000, not 9900
        {"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":10001}]} => must be 9901 to 10000, not 10001
        {"preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1"}]} => `preProcessRuleGroups[0].priority` in ManagedServiceData is missing
        {"preProcessRuleGroups":[{"priority":1}]} => `preProcessRuleGroups[0].ruleGroupId` in ManagedServiceData is missing
        {"preProcessRuleGroups":[{"ruleGroupId":"a","priority":1},{"ruleGroupId":"b","priority":1}]} => is taken by another rule group
        "#,
    );
    check_data(
        "NETWORK_FIREWALL",
        VPC,
        r#"
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:a","priority":1}]} => ok
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:a","priority":65535}]} => ok
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:a","priority":65536}]} => must be 1 to 65535, not 65536
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:a","priority":0}]} => must be 1 to 65535, not 0
        {"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:a"}]} => priority` in ManagedServiceData is missing
        {"networkFirewallStatefulRuleGroupReferences":[{"resourceARN":"arn:a"}]} => ok
        {"networkFirewallStatefulRuleGroupReferences":[{"priority":1}]} => resourceARN` in ManagedServiceData is missing
        {"networkFirewallStatefulRuleGroupReferences":[{"resourceARN":"arn:a","override":{"action":"PASS"}}]} => must be DROP_TO_ALERT
        {"networkFirewallStatefulEngineOptions":{"ruleOrder":"LOOSE"}} => must be STRICT_ORDER or DEFAULT_ACTION_ORDER
        {"networkFirewallStatefulDefaultActions":["aws:drop_strict"]} => needs networkFirewallStatefulEngineOptions.ruleOrder STRICT_ORDER
        {"networkFirewallStatefulDefaultActions":["aws:drop_strict"],"networkFirewallStatefulEngineOptions":{"ruleOrder":"STRICT_ORDER","streamExceptionPolicy":"FMS_IGNORE"}} => ok
        {"networkFirewallOrchestrationConfig":{"allowedIPV4CidrList":["10.0.0.0/28"],"routeManagementAction":"OFF"}} => ok
        {"networkFirewallOrchestrationConfig":{"allowedIPV4CidrList":["10.0.0.0/27"]}} => `networkFirewallOrchestrationConfig.allowedIPV4CidrList[0]` in ManagedServiceData must be an IPv4 CIDR of /28
        {"networkFirewallOrchestrationConfig":{"routeManagementAction":"MONITOR"}} => give ["InternetGateway"]
        {"networkFirewallOrchestrationConfig":{"routeManagementAction":"MONITOR","routeManagementTargetTypes":["InternetGateway"]}} => ok
        {"networkFirewallOrchestrationConfig":{"routeManagementAction":"MONITOR","routeManagementTargetTypes":["Nat"]}} => must be InternetGateway
        {"networkFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"a","availabilityZoneId":null}]}}}} => ok
        {"networkFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"a","availabilityZoneId":"b"}]}}}} => either `availabilityZoneName` or
        {"networkFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{}]}}}} => either `availabilityZoneName` or
        "#,
    );
    check_data(
        "THIRD_PARTY_FIREWALL",
        VPC,
        r#"
        {"thirdPartyFirewall":"PALO_ALTO_NETWORKS_CLOUD_NGFW","thirdPartyFirewallConfig":{"thirdPartyFirewallPolicyList":["global-1"]},"firewallDeploymentModel":{"distributedFirewallDeploymentModel":{}}} => ok
        {"thirdPartyFirewall":"ACME","firewallDeploymentModel":{"distributedFirewallDeploymentModel":{}}} => must be PALO_ALTO_NETWORKS_CLOUD_NGFW or FORTIGATE_CLOUD_NATIVE_FIREWALL, not `ACME`
        {"firewallDeploymentModel":{"distributedFirewallDeploymentModel":{}}} => `thirdPartyFirewall` in ManagedServiceData is missing
        {"thirdPartyFirewall":"FORTIGATE_CLOUD_NATIVE_FIREWALL"} => either `distributedFirewallDeploymentModel` or
        "#,
    );
}
