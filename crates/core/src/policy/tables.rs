//! Known keys of ManagedServiceData for each of the eleven types, in the order in which they are
//! answered. Sources: the published examples of `SecurityServicePolicyData` and semantics §5.

use super::PolicyType;
use super::shape::Key;
use super::shape::Shape::{
    self, Any, Flag, IfSent, List, ListOrNull, Object, Text, TextOrObject, Whole,
};

/// The shape of a type's data.
pub(super) const fn shape_of(policy_type: PolicyType) -> &'static Shape {
    match policy_type {
        PolicyType::Waf => &WAF,
        PolicyType::Wafv2 => &WAFV2,
        PolicyType::ShieldAdvanced => &SHIELD_ADVANCED,
        PolicyType::SecurityGroupsCommon => &SECURITY_GROUPS_COMMON,
        PolicyType::SecurityGroupsContentAudit => &SECURITY_GROUPS_CONTENT_AUDIT,
        PolicyType::SecurityGroupsUsageAudit => &SECURITY_GROUPS_USAGE_AUDIT,
        PolicyType::NetworkFirewall => &NETWORK_FIREWALL,
        PolicyType::DnsFirewall => &DNS_FIREWALL,
        PolicyType::ThirdPartyFirewall => &THIRD_PARTY_FIREWALL,
        PolicyType::ImportNetworkFirewall => &IMPORT_NETWORK_FIREWALL,
        PolicyType::NetworkAclCommon => &NETWORK_ACL_COMMON,
    }
}

const TYPE: Key = ("type", Text);

/// `{"type": …}`
const TYPED: Shape = Object(&[TYPE]);

static WAF: Shape = Object(&[
    TYPE,
    ("ruleGroups", List(&Object(&[("id", Text), ("overrideAction", TYPED)]))),
    ("overrideCustomerWebACLAssociation", Flag),
    ("defaultAction", TYPED),
]);

static WAFV2: Shape = Object(&[
    TYPE,
    ("preProcessRuleGroups", List(&RULE_GROUP)),
    ("postProcessRuleGroups", List(&RULE_GROUP)),
    ("defaultAction", TYPED),
    ("customRequestHandling", Any),
    ("customResponse", Any),
    ("overrideCustomerWebACLAssociation", Flag),
    ("loggingConfiguration", LOGGING),
    ("sampledRequestsEnabledForDefaultActions", Flag),
    ("captchaConfig", IMMUNITY),
    ("challengeConfig", IMMUNITY),
    ("tokenDomains", ListOrNull(&Text)),
    // Keys of requestBody are kinds of resource; the set grows.
    ("associationConfig", Object(&[("requestBody", Any)])),
    ("optimizeUnassociatedWebACL", Flag),
    ("webACLSource", Text),
]);

const RULE_GROUP: Shape = Object(&[
    ("ruleGroupArn", Text),
    ("overrideAction", TYPED),
    (
        "managedRuleGroupIdentifier",
        Object(&[
            ("versionEnabled", Flag),
            ("version", Text),
            ("vendorName", Text),
            ("managedRuleGroupName", Text),
            ("managedRuleGroupConfigs", GROUP_CONFIGS),
        ]),
    ),
    // Met beside the identifier as well as inside it (semantics §5.1).
    ("managedRuleGroupConfigs", GROUP_CONFIGS),
    ("ruleGroupType", Text),
    ("excludeRules", List(&Object(&[("name", Text)]))),
    ("sampledRequestsEnabled", Flag),
    // In no published example; a web ACL's own rules have one.
    ("scopeDownStatement", IfSent(&Any)),
    ("ruleActionOverrides", ListOrNull(&Object(&[("name", Text), ("actionToUse", Any)]))),
]);

/// One object a rule set, under a key met in several casings; its members are WAF's own.
const GROUP_CONFIGS: Shape = ListOrNull(&Any);

const LOGGING: Shape = Object(&[
    ("logDestinationConfigs", List(&Text)),
    ("redactedFields", List(&Object(&[("redactedFieldType", Text), ("redactedFieldValue", Text)]))),
    (
        "loggingFilterConfigs",
        Object(&[
            ("defaultBehavior", Text),
            (
                "filters",
                List(&Object(&[
                    ("behavior", Text),
                    ("requirement", Text),
                    (
                        "conditions",
                        List(&Object(&[("actionCondition", Text), ("labelNameCondition", Text)])),
                    ),
                ])),
            ),
        ]),
    ),
]);

const IMMUNITY: Shape = Object(&[("immunityTimeProperty", Object(&[("immunityTime", Whole)]))]);

static SHIELD_ADVANCED: Shape = Object(&[
    TYPE,
    (
        "automaticResponseConfiguration",
        Object(&[("automaticResponseStatus", Text), ("automaticResponseAction", Text)]),
    ),
    ("overrideCustomerWebaclClassic", Flag),
    ("optimizeUnassociatedWebACL", Flag),
]);

const GROUP_ID: Shape = Object(&[("id", Text)]);

static SECURITY_GROUPS_COMMON: Shape = Object(&[
    TYPE,
    ("securityGroups", List(&GROUP_ID)),
    ("revertManualSecurityGroupChanges", Flag),
    ("exclusiveResourceSecurityGroupManagement", Flag),
    ("applyToAllEC2InstanceENIs", Flag),
    ("includeSharedVPC", Flag),
    ("enableTagDistribution", Flag),
    ("enableSecurityGroupReferencesDistribution", Flag),
]);

static SECURITY_GROUPS_CONTENT_AUDIT: Shape = Object(&[
    TYPE,
    ("securityGroups", ListOrNull(&GROUP_ID)),
    ("securityGroupAction", TextOrObject(&[TYPE, ("excludeRules", List(&Any))])),
    (
        "preManagedOptions",
        ListOrNull(&Object(&[
            ("denyProtocolAllValue", Flag),
            ("allowedProtocolsLists", LIST_REFERENCE),
            ("deniedPublicAccessAppLists", LIST_REFERENCE),
            ("allowedPublicAccessAppLists", LIST_REFERENCE),
            ("allowedPortCountPerSgRule", Whole),
            ("minIpv4CidrPrefixLenPerSgRule", Whole),
            ("minIpv6CidrPrefixLenPerSgRule", Whole),
            ("auditSgDirection", TYPED),
        ])),
    ),
]);

const LIST_REFERENCE: Shape = Object(&[
    ("customListIds", List(&Text)),
    ("defaultListId", Text),
    ("defaultListVersion", Text),
]);

static SECURITY_GROUPS_USAGE_AUDIT: Shape = Object(&[
    TYPE,
    ("deleteUnusedSecurityGroups", Flag),
    ("coalesceRedundantSecurityGroups", Flag),
    ("optionalDelayForUnusedInMinutes", Whole),
]);

/// Keys of a distributed policy are at the root, those of a centralized one inside
/// `awsNetworkFirewallConfig`; both are known, since either may be sent.
static NETWORK_FIREWALL: Shape = Object(&[
    TYPE,
    ("awsNetworkFirewallConfig", Object(FIREWALL)),
    ("firewallDeploymentModel", DEPLOYMENT_MODEL),
    FIREWALL_STATELESS_GROUPS,
    FIREWALL_STATELESS_DEFAULTS,
    FIREWALL_FRAGMENT_DEFAULTS,
    FIREWALL_CUSTOM_ACTIONS,
    FIREWALL_STATEFUL_GROUPS,
    FIREWALL_ENGINE,
    FIREWALL_STATEFUL_DEFAULTS,
    FIREWALL_LOGGING,
    (
        "networkFirewallOrchestrationConfig",
        Object(&[
            ("firewallCreationConfig", FIREWALL_CREATION),
            ("singleFirewallEndpointPerVPC", Flag),
            ("allowedIPV4CidrList", ListOrNull(&Text)),
            ("routeManagementAction", Text),
            ("routeManagementTargetTypes", ListOrNull(&Text)),
            ("routeManagementConfig", Object(&[("allowCrossAZTrafficIfNoEndpoint", Flag)])),
        ]),
    ),
]);

static IMPORT_NETWORK_FIREWALL: Shape =
    Object(&[TYPE, ("awsNetworkFirewallConfig", Object(FIREWALL))]);

const FIREWALL: &[Key] = &[
    FIREWALL_STATELESS_GROUPS,
    FIREWALL_STATELESS_DEFAULTS,
    FIREWALL_FRAGMENT_DEFAULTS,
    FIREWALL_CUSTOM_ACTIONS,
    FIREWALL_STATEFUL_GROUPS,
    FIREWALL_ENGINE,
    FIREWALL_STATEFUL_DEFAULTS,
    FIREWALL_LOGGING,
];

const FIREWALL_STATELESS_GROUPS: Key = (
    "networkFirewallStatelessRuleGroupReferences",
    ListOrNull(&Object(&[("resourceARN", Text), ("priority", Whole)])),
);
const FIREWALL_STATELESS_DEFAULTS: Key =
    ("networkFirewallStatelessDefaultActions", ListOrNull(&Text));
const FIREWALL_FRAGMENT_DEFAULTS: Key =
    ("networkFirewallStatelessFragmentDefaultActions", ListOrNull(&Text));
const FIREWALL_CUSTOM_ACTIONS: Key = (
    "networkFirewallStatelessCustomActions",
    ListOrNull(&Object(&[
        ("actionName", Text),
        (
            "actionDefinition",
            Object(&[(
                "publishMetricAction",
                Object(&[("dimensions", List(&Object(&[("value", Text)])))]),
            )]),
        ),
    ])),
);
const FIREWALL_STATEFUL_GROUPS: Key = (
    "networkFirewallStatefulRuleGroupReferences",
    ListOrNull(&Object(&[
        ("resourceARN", Text),
        ("priority", Whole),
        ("override", Object(&[("action", Text)])),
    ])),
);
const FIREWALL_ENGINE: Key = (
    "networkFirewallStatefulEngineOptions",
    Object(&[("ruleOrder", Text), ("streamExceptionPolicy", Text)]),
);
const FIREWALL_STATEFUL_DEFAULTS: Key =
    ("networkFirewallStatefulDefaultActions", ListOrNull(&Text));
const FIREWALL_LOGGING: Key = (
    "networkFirewallLoggingConfiguration",
    Object(&[
        (
            "logDestinationConfigs",
            List(&Object(&[
                ("logDestinationType", Text),
                ("logType", Text),
                // Keys differ by destination; `bucketName` for S3.
                ("logDestination", Any),
            ])),
        ),
        ("overrideExistingConfig", Flag),
    ]),
);

const FIREWALL_CREATION: Shape = Object(&[(
    "endpointLocation",
    Object(&[(
        "availabilityZoneConfigList",
        List(&Object(&[
            ("availabilityZoneId", Text),
            ("availabilityZoneName", Text),
            ("allowedIPV4CidrList", ListOrNull(&Text)),
        ])),
    )]),
)]);

const DEPLOYMENT_MODEL: Shape = Object(&[
    (
        "centralizedFirewallDeploymentModel",
        Object(&[(
            "centralizedFirewallOrchestrationConfig",
            Object(&[
                ("inspectionVpcIds", List(&Object(&[("resourceId", Text), ("accountId", Text)]))),
                ("firewallCreationConfig", FIREWALL_CREATION),
                ("allowedIPV4CidrList", ListOrNull(&Text)),
            ]),
        )]),
    ),
    (
        "distributedFirewallDeploymentModel",
        Object(&[(
            "distributedFirewallOrchestrationConfig",
            Object(&[
                ("firewallCreationConfig", FIREWALL_CREATION),
                ("allowedIPV4CidrList", ListOrNull(&Text)),
            ]),
        )]),
    ),
]);

static DNS_FIREWALL: Shape = Object(&[
    TYPE,
    ("preProcessRuleGroups", List(&DNS_RULE_GROUP)),
    ("postProcessRuleGroups", List(&DNS_RULE_GROUP)),
]);

const DNS_RULE_GROUP: Shape = Object(&[("ruleGroupId", Text), ("priority", Whole)]);

static THIRD_PARTY_FIREWALL: Shape = Object(&[
    TYPE,
    ("thirdPartyFirewall", Text),
    // Vendors add keys of their own, such as Palo Alto's logging.
    ("thirdPartyFirewallConfig", Any),
    ("firewallDeploymentModel", DEPLOYMENT_MODEL),
]);

static NETWORK_ACL_COMMON: Shape = TYPED;
