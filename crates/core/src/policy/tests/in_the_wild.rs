//! Policies that real tools send: accepted, and echoed without a difference that such a tool would
//! plan a change for.

use super::*;
use crate::organization::Organization;

/// How infrastructure-as-code tools compare ManagedServiceData: null and `[]` do not count.
fn without_empties(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_empties(value)))
            .filter(|(_, value)| !value.is_null() && *value != json!([]))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empties).collect(),
        other => other,
    }
}

/// Members that a tool would plan a change for.
fn planned_changes(sent: &Document, answered: &Document) -> Vec<String> {
    let data = |document: &Document| {
        let text = document.security_service_policy_data.managed_service_data.clone();
        match text.as_deref().map(serde_json::from_str) {
            Some(Ok(value)) => without_empties(value),
            _ => json!(text),
        }
    };
    let (mut before, mut after) =
        (serde_json::to_value(sent).unwrap(), serde_json::to_value(answered).unwrap());
    for (value, document) in [(&mut before, sent), (&mut after, answered)] {
        value["SecurityServicePolicyData"]["ManagedServiceData"] = data(document);
    }
    let mut changes = Vec::new();
    for (key, after) in after.as_object().unwrap() {
        let before = before.get(key);
        let added_by_aws = match key.as_str() {
            "ResourceTags" => before.is_none() && *after == json!([]),
            "ResourceTagLogicalOperator" => before.is_none() && after == "AND",
            "PolicyStatus" => after == "ACTIVE",
            _ => false,
        };
        if before != Some(after) && !added_by_aws {
            changes.push(format!("{key}: {before:?} became {after}"));
        }
    }
    let gone = before.as_object().unwrap().keys().filter(|key| after.get(key).is_none());
    changes.extend(gone.map(|key| format!("{key} is gone")));
    changes
}

#[track_caller]
fn accept(name: &str, document: &Document, creating: bool) {
    let organization = json!({
        "Organization": {"Id": "o-1", "ManagementAccountId": "111111111111"},
        "Roots": [{"Id": "r-1"}],
        "OrganizationalUnits": [{"Id": "ou-ab12-abcdefgh", "ParentId": "r-1"}],
        "Accounts": [{"Id": "111111111111", "Status": "ACTIVE", "ParentId": "r-1"}],
    });
    let organization = Organization::parse(organization.to_string().as_bytes()).unwrap();
    let region = "us-east-1".parse().unwrap();
    let purpose = if creating { Purpose::Create } else { Purpose::Update(document) };
    let found = admit(document, &organization, &region, &Quotas::default(), purpose);
    assert_eq!(found, Ok(()), "{name}");
    let answered = echo(document);
    assert_eq!(planned_changes(document, &answered), Vec::<String>::new(), "{name}");
    // Sent back as answered, it is the same policy.
    assert_eq!(parsed(&answered), parsed(document), "{name}");
    assert!(parsed(document).is_ok(), "{name}");
}

#[test]
fn usage_audits() {
    let data = r#"{"type":"SECURITY_GROUPS_USAGE_AUDIT","deleteUnusedSecurityGroups":true,"coalesceRedundantSecurityGroups":true,"optionalDelayForUnusedInMinutes":60}"#;
    let base = json!({
        "ResourceTypeList": [GROUP], "ResourceSetIds": ["AbCdEfGhIjKlMnOpQrStUv"],
        "ExcludeMap": {"ACCOUNT": ["111111111111"]}, "PolicyDescription": "described",
        "DeleteUnusedFMManagedResources": false,
    });
    let steps = [
        ("created", json!({})),
        (
            "renamed",
            json!({"PolicyName": "other", "RemediationEnabled": true, "PolicyDescription": ""}),
        ),
        ("included", json!({"ExcludeMap": null, "IncludeMap": {"ACCOUNT": ["111111111111"]}})),
        (
            "by unit",
            json!({"ExcludeMap": null, "IncludeMap": {"ACCOUNT": [], "ORG_UNIT": ["ou-ab12-abcdefgh"]}}),
        ),
        ("one tag", json!({"ResourceTags": [{"Key": "key1", "Value": "value1"}]})),
        (
            "two tags",
            json!({"ResourceTags": [{"Key": "key1", "Value": "value1"}, {"Key": "key2", "Value": ""}]}),
        ),
        ("no sets", json!({"ResourceSetIds": []})),
        ("one type", json!({"ResourceType": GROUP, "ResourceTypeList": []})),
    ];
    for (name, edits) in steps {
        let mut all = base.clone();
        merge(&mut all, edits);
        let document = edited("SECURITY_GROUPS_USAGE_AUDIT", "ResourceTypeList", data, all);
        accept(name, &document, name == "created");
    }
}

#[test]
fn web_acls_on_cloudfront_with_logging() {
    let data = r#"{"type":"WAFV2","preProcessRuleGroups":[{"excludeRules":[],"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesAmazonIpReputationList","version":null},"overrideAction":{"type":"NONE"},"ruleGroupArn":null,"ruleGroupType":"ManagedRuleGroup","sampledRequestsEnabled":true}],"postProcessRuleGroups":[],"defaultAction":{"type":"ALLOW"},"overrideCustomerWebACLAssociation":false,"loggingConfiguration":{"logDestinationConfigs":["arn:aws:firehose:us-east-1:111111111111:deliverystream/aws-waf-logs-here"],"redactedFields":[{"redactedFieldType":"SingleHeader","redactedFieldValue":"Cookies"},{"redactedFieldType":"Method"}]}}"#;
    accept("logging", &document("WAFV2", CLOUDFRONT, data), true);
}

#[test]
fn web_acls_on_load_balancers_without_a_tag() {
    let data = r#"{"type":"WAFV2","preProcessRuleGroups":[{"ruleGroupArn":null,"overrideAction":{"type":"NONE"},"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesAmazonIpReputationList","version":null,"versionEnabled":null},"ruleGroupType":"ManagedRuleGroup","excludeRules":[{"name":"NoUserAgent_HEADER"}]},{"managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesCommonRuleSet","version":"Version_1.3","versionEnabled":true},"overrideAction":{"type":"COUNT"},"ruleGroupType":"ManagedRuleGroup"}],"postProcessRuleGroups":[],"defaultAction":{"type":"ALLOW"},"overrideCustomerWebACLAssociation":true}"#;
    let edits = json!({
        "ResourceTypeList": [ALB], "ExcludeResourceTags": true, "RemediationEnabled": true,
        "ResourceTags": [{"Key": "disable", "Value": ""}],
    });
    accept("tagged", &edited("WAFV2", "ResourceTypeList", data, edits), true);
}

#[test]
fn web_acls_with_all_that_aws_documents() {
    for data in [
        r#"{"type":"WAFV2","preProcessRuleGroups":[{"ruleGroupArn":null,"overrideAction":{"type":"NONE"},"managedRuleGroupIdentifier":{"versionEnabled":null,"version":null,"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesATPRuleSet","managedRuleGroupConfigs":[{"awsmanagedRulesATPRuleSet":{"loginPath":"/login","requestInspection":{"payloadType":"JSON","usernameField":{"identifier":"/user"},"passwordField":{"identifier":"/pass"}}}}]},"ruleGroupType":"ManagedRuleGroup","excludeRules":[],"sampledRequestsEnabled":true,"ruleActionOverrides":[{"name":"Rule1","actionToUse":{"captcha":{}}}]}],"postProcessRuleGroups":[],"defaultAction":{"type":"ALLOW"},"customRequestHandling":null,"customResponse":null,"overrideCustomerWebACLAssociation":false,"loggingConfiguration":null,"sampledRequestsEnabledForDefaultActions":true,"optimizeUnassociatedWebACL":true,"webACLSource":"RETROFIT_EXISTING"}"#,
        r#"{"type":"WAFV2","preProcessRuleGroups":[],"postProcessRuleGroups":[],"defaultAction":{"type":"BLOCK"},"customResponse":{"responseCode":403,"responseHeaders":[{"name":"x","value":"y"}]},"captchaConfig":{"immunityTimeProperty":{"immunityTime":500}},"challengeConfig":{"immunityTimeProperty":{"immunityTime":800}},"tokenDomains":["example.com"],"associationConfig":{"requestBody":{"CLOUDFRONT":{"defaultSizeInspectionLimit":"KB_16"}}},"webACLSource":"DEFAULT"}"#,
    ] {
        accept(data, &document("WAFV2", ALB, data), true);
    }
}

#[test]
fn content_audits() {
    let custom = r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":"sg-049b2393a25468971"}],"securityGroupAction":{"type":"ALLOW"}}"#;
    accept("custom", &document(CONTENT, GROUP, custom), true);
    let bare = r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":"sg-049b2393a25468971"}],"securityGroupAction":"ALLOW"}"#;
    accept("bare action", &document(CONTENT, GROUP, bare), true);
    let managed = r#"{"type":"SECURITY_GROUPS_CONTENT_AUDIT","preManagedOptions":[{"denyProtocolAllValue":true},{"allowedPortCountPerSgRule":1},{"minIpv4CidrPrefixLenPerSgRule":16},{"minIpv6CidrPrefixLenPerSgRule":48},{"auditSgDirection":{"type":"ALL"}}]}"#;
    let types =
        json!({"ResourceTypeList": ["AWS::EC2::Instance", "AWS::EC2::NetworkInterface", GROUP]});
    accept("managed", &edited(CONTENT, "ResourceTypeList", managed, types), true);
}

#[test]
fn network_acls() {
    let entry = |port: u16| {
        json!({"Protocol": "6", "RuleAction": "deny", "Egress": false, "CidrBlock": "0.0.0.0/0",
               "PortRange": {"From": port, "To": port}})
    };
    let option = json!({"NetworkAclCommonPolicy": {"NetworkAclEntrySet": {
        "FirstEntries": [entry(1234), entry(2345)], "ForceRemediateForFirstEntries": false,
        "ForceRemediateForLastEntries": false}}});
    for data in [None, Some(""), Some(r#"{"type":"NETWORK_ACL_COMMON"}"#)] {
        let edits = json!({"SecurityServicePolicyData": {"PolicyOption": option}});
        let mut document = edited("NETWORK_ACL_COMMON", "AWS::EC2::Subnet", "", edits);
        document.security_service_policy_data.managed_service_data = data.map(String::from);
        accept("acl", &document, true);
    }
}

#[test]
fn shield_policies() {
    let plain = r#"{"type":"SHIELD_ADVANCED"}"#;
    let response = r#"{"type":"SHIELD_ADVANCED","automaticResponseConfiguration":{"automaticResponseStatus":"ENABLED","automaticResponseAction":"COUNT"}}"#;
    let all = r#"{"type":"SHIELD_ADVANCED","automaticResponseConfiguration":{"automaticResponseStatus":"IGNORED"},"overrideCustomerWebaclClassic":true,"optimizeUnassociatedWebACL":false}"#;
    accept("plain", &document("SHIELD_ADVANCED", ALB, plain), true);
    accept("all", &document("SHIELD_ADVANCED", CLOUDFRONT, all), true);
    accept("empty", &document("SHIELD_ADVANCED", ALB, ""), true);
    accept("global", &document("SHIELD_ADVANCED", CLOUDFRONT, response), true);
    let list = json!({"ResourceTypeList":
        [ALB, "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::EC2::EIP"]});
    accept("regional", &edited("SHIELD_ADVANCED", "ResourceTypeList", response, list), true);
}

#[test]
fn classic_dns_common_and_firewall_policies() {
    let classic = r#"{"type":"WAF","ruleGroups":[{"id":"78cb36c0-1b5e-4d7d-82b2-cf48d3ad9659","overrideAction":{"type":"COUNT"}}],"defaultAction":{"type":"BLOCK"},"overrideCustomerWebACLAssociation":false}"#;
    accept("classic", &document("WAF", ALB, classic), true);
    let dns = r#"{"type":"DNS_FIREWALL","preProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-1","priority":10}],"postProcessRuleGroups":[{"ruleGroupId":"rslvr-frg-2","priority":9911}]}"#;
    accept("dns", &document("DNS_FIREWALL", VPC, dns), true);
    accept(
        "dns list",
        &edited("DNS_FIREWALL", "ResourceTypeList", dns, json!({"ResourceTypeList": [VPC]})),
        true,
    );
    let common = r#"{"type":"SECURITY_GROUPS_COMMON","revertManualSecurityGroupChanges":false,"exclusiveResourceSecurityGroupManagement":false,"applyToAllEC2InstanceENIs":true,"securityGroups":[{"id":" sg-000e55995d61a06bd"}]}"#;
    accept("common", &document("SECURITY_GROUPS_COMMON", "AWS::EC2::Instance", common), true);
    let common = r#"{"type":"SECURITY_GROUPS_COMMON","securityGroups":[{"id":"sg-1"}],"revertManualSecurityGroupChanges":true,"exclusiveResourceSecurityGroupManagement":true,"applyToAllEC2InstanceENIs":false,"includeSharedVPC":true,"enableTagDistribution":true,"enableSecurityGroupReferencesDistribution":true}"#;
    accept("common, all", &document("SECURITY_GROUPS_COMMON", "AWS::EC2::Instance", common), true);
    let firewall = r#"{"networkFirewallStatelessRuleGroupReferences":[{"resourceARN":"arn:aws:network-firewall:us-east-1:111111111111:stateless-rulegroup/test","priority":1}],"networkFirewallStatelessDefaultActions":["aws:forward_to_sfe","custom"],"networkFirewallStatelessFragmentDefaultActions":["aws:drop"],"networkFirewallStatelessCustomActions":[{"actionName":"custom","actionDefinition":{"publishMetricAction":{"dimensions":[{"value":"d"}]}}}],"networkFirewallStatefulRuleGroupReferences":[{"resourceARN":"arn:aws:network-firewall:us-east-1:aws-managed:stateful-rulegroup/Threat","priority":8,"override":{"action":"DROP_TO_ALERT"}}],"networkFirewallStatefulEngineOptions":{"ruleOrder":"STRICT_ORDER"},"networkFirewallStatefulDefaultActions":["aws:drop_strict"],"networkFirewallLoggingConfiguration":{"logDestinationConfigs":[{"logDestinationType":"S3","logType":"ALERT","logDestination":{"bucketName":"b"}}],"overrideExistingConfig":true}"#;
    let distributed = format!(
        r#"{firewall},"type":"NETWORK_FIREWALL","networkFirewallOrchestrationConfig":{{"singleFirewallEndpointPerVPC":false,"allowedIPV4CidrList":null,"routeManagementAction":"MONITOR","routeManagementTargetTypes":["InternetGateway"],"firewallCreationConfig":{{"endpointLocation":{{"availabilityZoneConfigList":[{{"availabilityZoneName":"us-east-1a","allowedIPV4CidrList":["10.0.0.0/28"]}}]}}}},"routeManagementConfig":{{"allowCrossAZTrafficIfNoEndpoint":true}}}}}}"#
    );
    accept("distributed", &document("NETWORK_FIREWALL", VPC, &distributed), true);
    let central = format!(
        r#"{{"type":"NETWORK_FIREWALL","awsNetworkFirewallConfig":{firewall}}},"firewallDeploymentModel":{{"centralizedFirewallDeploymentModel":{{"centralizedFirewallOrchestrationConfig":{{"inspectionVpcIds":[{{"resourceId":"vpc-1234","accountId":"111111111111"}}],"firewallCreationConfig":{{"endpointLocation":{{"availabilityZoneConfigList":[{{"availabilityZoneId":null,"availabilityZoneName":"us-east-1a","allowedIPV4CidrList":["10.0.0.0/28"]}}]}}}},"allowedIPV4CidrList":[]}}}}}}}}"#
    );
    let option = |member: &str, model: &str| json!({"SecurityServicePolicyData": {"PolicyOption": {member: {"FirewallDeploymentModel": model}}}});
    let edits = option("NetworkFirewallPolicy", "CENTRALIZED");
    accept("centralized", &edited("NETWORK_FIREWALL", VPC, &central, edits), true);
    let import =
        format!(r#"{{"type":"IMPORT_NETWORK_FIREWALL","awsNetworkFirewallConfig":{firewall}}}}}"#);
    let sets = json!({"ResourceSetIds": ["AbCdEfGhIjKlMnOpQrStUv"]});
    for resource_type in ["AWS::NetworkFirewall::Firewall", VPC] {
        let document = edited("IMPORT_NETWORK_FIREWALL", resource_type, &import, sets.clone());
        accept("import", &document, true);
    }
    let third = r#"{"type":"THIRD_PARTY_FIREWALL","thirdPartyFirewall":"PALO_ALTO_NETWORKS_CLOUD_NGFW","thirdPartyFirewallConfig":{"thirdPartyFirewallPolicyList":["global-1"]},"firewallDeploymentModel":{"distributedFirewallDeploymentModel":{"distributedFirewallOrchestrationConfig":{"firewallCreationConfig":{"endpointLocation":{"availabilityZoneConfigList":[{"availabilityZoneName":"us-east-1a"}]}},"allowedIPV4CidrList":[]}}}}"#;
    let edits = option("ThirdPartyFirewallPolicy", "DISTRIBUTED");
    accept("third party", &edited("THIRD_PARTY_FIREWALL", VPC, third, edits), true);
}

/// The policy sets of a public solution, where they are at hand.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test reads its data; core is not asked to")]
fn real_data_policies_of_a_public_solution() {
    let Some(folder) = palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data") else {
        return;
    };
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join("fms-policy")).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let file: Value = serde_json::from_slice(&text).unwrap();
        for (name, policy) in
            file.as_object().unwrap().values().flat_map(|set| set.as_object().unwrap())
        {
            let details = policy["policyDetails"].clone();
            let edits = json!({
                "PolicyName": policy["policyName"],
                "RemediationEnabled": policy["remediationEnabled"],
                "ResourceTypeList": policy["resourceTypeList"],
            });
            let document = edited(
                details["type"].as_str().unwrap(),
                policy["resourceType"].as_str().unwrap(),
                &details.to_string(),
                edits,
            );
            accept(name, &document, true);
            count += 1;
        }
    }
    assert!(count >= 14, "{count} policies");
}
