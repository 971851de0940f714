//! The sample's policies, each a PutPolicy request as a user would write it.

use palisade_core::lists::default_apps_lists;
use serde_json::{Value, json};

use super::company::{self, ACQUISITIONS, DATA, INFRASTRUCTURE, PAYMENTS, SANDBOXES};

/// Id of the audit group in the administrator's account. In AWS it would differ from Region to
/// Region; here it is one, so that a policy file serves both.
pub const AUDIT_GROUP: &str = "sg-0a5d17c0ffee0a0d1";
/// Id of the group in the administrator's account of which the common policy wants replicas: one for
/// both Regions as well.
pub const PRIMARY_GROUP: &str = "sg-0c0335500c1a1ad31";
/// The tag of what the common policy is about.
pub const ADMINISTERED: (&str, &str) = ("administered", "yes");
/// Name of the policy whose web ACLs the sample's load balancers carry.
pub const WEB_ACL_POLICY: &str = "web-acl-on-load-balancers";
/// The AWS-managed rule group that this policy puts in front.
pub const RULE_GROUP: &str = "AWSManagedRulesCommonRuleSet";
/// The rule group in the administrator's account that the DNS Firewall policy puts first.
pub const DNS_RULE_GROUP: &str = "rslvr-frg-0b10c4ed0d0a1a15";
/// Where it is put.
pub const DNS_PRIORITY: u16 = 10;
/// The rule group of WAF Classic that the acquired companies' stages are behind.
pub const CLASSIC_RULE_GROUP: &str = "5d8bb3a2-0c1a-4551-ac1d-0fca11ed1a57";
/// Name of the policy by whose count the accounts with many violators are made.
pub const REMOTE_ADMIN_POLICY: &str = "no-remote-administration";

const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup";

/// File name and PutPolicy request of every sample policy.
pub fn all() -> [(&'static str, Value); 9] {
    [
        ("no-remote-administration.json", no_remote_administration()),
        ("public-web-only.json", public_web_only()),
        ("web-acl-on-load-balancers.json", web_acl_on_load_balancers()),
        ("payments-single-ports.json", payments_single_ports()),
        ("administration-group.json", administration_group()),
        ("known-bad-domains.json", known_bad_domains()),
        ("inspected-data.json", inspected_data()),
        ("partner-stages.json", partner_stages()),
        ("vendor-firewall.json", vendor_firewall()),
    ]
}

/// A policy about those of its accounts that a smaller organization has; `None` where it has none of them.
pub fn about(mut put: Value, present: &[String]) -> Option<Value> {
    for map in ["IncludeMap", "ExcludeMap"] {
        let named = put.get_mut("Policy").and_then(|policy| policy.get_mut(map));
        let Some(named) = named.and_then(Value::as_object_mut) else { continue };
        let accounts = named.get_mut("ACCOUNT").and_then(Value::as_array_mut);
        let is_left = accounts.map(|accounts| {
            accounts.retain(|account| present.iter().any(|id| *account == **id));
            !accounts.is_empty()
        });
        if is_left == Some(false) {
            named.remove("ACCOUNT");
        }
        if named.is_empty() && map == "IncludeMap" {
            return None;
        }
    }
    Some(put)
}

fn no_remote_administration() -> Value {
    put(
        json!({
            "PolicyName": REMOTE_ADMIN_POLICY,
            "PolicyDescription": "No group opens ssh or rdp to anyone. Use Session Manager.",
            "ResourceType": SECURITY_GROUP,
            "ExcludeMap": {"ORG_UNIT": [SANDBOXES]},
        }),
        "SECURITY_GROUPS_CONTENT_AUDIT",
        json!({
            "type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "securityGroups": [{"id": AUDIT_GROUP}],
            "securityGroupAction": {"type": "DENY"},
        }),
    )
}

fn public_web_only() -> Value {
    let administrator = company::account_id("security-tooling");
    // The AWS-managed list of what the internet may reach: http and https.
    let web = default_apps_lists().into_iter().find(|list| list.name.ends_with("-Allowed"));
    put(
        json!({
            "PolicyName": "public-web-only",
            "PolicyDescription": "The internet reaches web ports alone and no rule names every protocol.",
            "ResourceType": "ResourceTypeList",
            "ResourceTypeList": ["AWS::EC2::Instance", "AWS::EC2::NetworkInterface", SECURITY_GROUP],
            "ExcludeMap": {"ACCOUNT": [administrator], "ORG_UNIT": [SANDBOXES]},
        }),
        "SECURITY_GROUPS_CONTENT_AUDIT",
        json!({
            "type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "preManagedOptions": [
                {"auditSgDirection": {"type": "INGRESS"}},
                {"denyProtocolAllValue": true},
                {"allowedPublicAccessAppLists": {
                    "customListIds": [],
                    "defaultListId": web.map(|list| list.id.to_string()),
                    "defaultListVersion": null,
                }},
            ],
        }),
    )
}

fn web_acl_on_load_balancers() -> Value {
    put(
        json!({
            "PolicyName": WEB_ACL_POLICY,
            "PolicyDescription": "Every application load balancer stands behind the company web ACL unless tagged waf=exempt.",
            "ResourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "ResourceTags": [{"Key": "waf", "Value": "exempt"}],
            "ExcludeResourceTags": true,
            "ExcludeMap": {"ORG_UNIT": [SANDBOXES]},
        }),
        "WAFV2",
        json!({
            "type": "WAFV2",
            "preProcessRuleGroups": [{
                "ruleGroupArn": null,
                "overrideAction": {"type": "NONE"},
                "managedRuleGroupIdentifier": {
                    "vendorName": "AWS",
                    "managedRuleGroupName": RULE_GROUP,
                    "version": null,
                },
                "ruleGroupType": "ManagedRuleGroup",
                "excludeRules": [],
            }],
            "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"},
            "overrideCustomerWebACLAssociation": false,
            "loggingConfiguration": null,
        }),
    )
}

fn payments_single_ports() -> Value {
    put(
        json!({
            "PolicyName": "payments-single-ports",
            "PolicyDescription": "Where cards are handled a rule opens one port and no more.",
            "ResourceType": SECURITY_GROUP,
            "IncludeMap": {"ORG_UNIT": [PAYMENTS]},
        }),
        "SECURITY_GROUPS_CONTENT_AUDIT",
        json!({
            "type": "SECURITY_GROUPS_CONTENT_AUDIT",
            "preManagedOptions": [
                {"auditSgDirection": {"type": "INGRESS"}},
                {"allowedPortCountPerSgRule": 1},
            ],
        }),
    )
}

fn administration_group() -> Value {
    let (key, value) = ADMINISTERED;
    put(
        json!({
            "PolicyName": "administration-group",
            "PolicyDescription": "What administrators reach carries the group that lets them in.",
            "ResourceType": "ResourceTypeList",
            "ResourceTypeList": ["AWS::EC2::Instance", "AWS::EC2::NetworkInterface"],
            "ResourceTags": [{"Key": key, "Value": value}],
            "ExcludeMap": {"ORG_UNIT": [SANDBOXES]},
        }),
        "SECURITY_GROUPS_COMMON",
        json!({
            "type": "SECURITY_GROUPS_COMMON",
            "securityGroups": [{"id": PRIMARY_GROUP}],
            "revertManualSecurityGroupChanges": true,
            "exclusiveResourceSecurityGroupManagement": false,
            "applyToAllEC2InstanceENIs": true,
        }),
    )
}

fn known_bad_domains() -> Value {
    let half_recorded = company::account_id("ml-platform-prod");
    put(
        json!({
            "PolicyName": "known-bad-domains",
            "PolicyDescription": "No VPC of the shared infrastructure resolves known bad domains.",
            "ResourceType": "AWS::EC2::VPC",
            "IncludeMap": {"ACCOUNT": [half_recorded], "ORG_UNIT": [INFRASTRUCTURE]},
        }),
        "DNS_FIREWALL",
        json!({
            "type": "DNS_FIREWALL",
            "preProcessRuleGroups": [{"ruleGroupId": DNS_RULE_GROUP, "priority": DNS_PRIORITY}],
            "postProcessRuleGroups": [],
        }),
    )
}

fn partner_stages() -> Value {
    let half_recorded = company::account_id("ml-platform-prod");
    put(
        json!({
            "PolicyName": "partner-stages",
            "PolicyDescription": "Stages of acquired companies stay behind the classic web ACL until they are migrated.",
            "ResourceType": "AWS::ApiGateway::Stage",
            "IncludeMap": {"ACCOUNT": [half_recorded], "ORG_UNIT": [ACQUISITIONS]},
        }),
        "WAF",
        json!({
            "type": "WAF",
            "ruleGroups": [{"id": CLASSIC_RULE_GROUP, "overrideAction": {"type": "NONE"}}],
            "overrideCustomerWebACLAssociation": false,
            "defaultAction": {"type": "ALLOW"},
        }),
    )
}

fn inspected_data() -> Value {
    let administrator = company::account_id("security-tooling");
    let group = format!(
        "arn:aws:network-firewall:us-east-1:{}:stateful-rulegroup/known-bad-domains",
        administrator.unwrap_or_default()
    );
    let policy = put(
        json!({
            "PolicyName": "inspected-data",
            "PolicyDescription": "Where data is kept nothing reaches the internet but through a firewall.",
            "ResourceType": "AWS::EC2::VPC",
            "IncludeMap": {"ORG_UNIT": [DATA]},
        }),
        "NETWORK_FIREWALL",
        json!({
            "type": "NETWORK_FIREWALL",
            "networkFirewallStatelessRuleGroupReferences": [],
            "networkFirewallStatelessDefaultActions": ["aws:forward_to_sfe"],
            "networkFirewallStatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "networkFirewallStatefulRuleGroupReferences": [{"resourceARN": group}],
            "networkFirewallOrchestrationConfig": {
                "singleFirewallEndpointPerVPC": false,
                "allowedIPV4CidrList": [],
            },
        }),
    );
    remediated(policy)
}

fn vendor_firewall() -> Value {
    let accounts = ["network-hub", "warehouse-prod", "ml-platform-prod"].map(company::account_id);
    let policy = put(
        json!({
            "PolicyName": "vendor-firewall",
            "PolicyDescription": "Traffic of the hub and of the warehouses passes the firewall that was bought for it.",
            "ResourceType": "AWS::EC2::VPC",
            "IncludeMap": {"ACCOUNT": accounts},
        }),
        "THIRD_PARTY_FIREWALL",
        json!({
            "type": "THIRD_PARTY_FIREWALL",
            "thirdPartyFirewall": "PALO_ALTO_NETWORKS_CLOUD_NGFW",
            "thirdPartyFirewallConfig": {"thirdPartyFirewallPolicyList": ["global-1"]},
            "firewallDeploymentModel": {
                "distributedFirewallDeploymentModel": {
                    "distributedFirewallOrchestrationConfig": {"allowedIPV4CidrList": null},
                },
            },
        }),
    );
    remediated(policy)
}

/// Firewalls are always remediated (semantics §4.5).
fn remediated(mut put: Value) -> Value {
    if let Some(policy) = put.get_mut("Policy") {
        policy["RemediationEnabled"] = Value::Bool(true);
    }
    put
}

/// A PutPolicy request: what all have in common, remediation off.
fn put(policy: Value, policy_type: &str, managed_service_data: Value) -> Value {
    let mut whole = json!({
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
        "SecurityServicePolicyData": {
            "Type": policy_type,
            "ManagedServiceData": managed_service_data.to_string(),
        },
    });
    if let (Some(whole), Value::Object(policy)) = (whole.as_object_mut(), policy) {
        whole.extend(policy);
    }
    json!({"Policy": whole, "TagList": [{"Key": "sample", "Value": "larkfield"}]})
}
