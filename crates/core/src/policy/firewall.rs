//! What policies of firewalls have in common (semantics §5.7, §5.8, §5.10).

use super::facts::Count;
use super::shape::Shape::{Any, Flag, List, ListOrNull, Object, Text, Whole};
use super::shape::{Key, Node, Shape};
use super::{Refusal, shown};

/// `FirewallDeploymentModel` of firewalls in an inspection VPC.
pub(super) const CENTRALIZED: &str = "CENTRALIZED";

/// Keys that all Network Firewall policies have.
pub(super) const FIREWALL: &[Key] = &[
    FIREWALL_STATELESS_GROUPS,
    FIREWALL_STATELESS_DEFAULTS,
    FIREWALL_FRAGMENT_DEFAULTS,
    FIREWALL_CUSTOM_ACTIONS,
    FIREWALL_STATEFUL_GROUPS,
    FIREWALL_ENGINE,
    FIREWALL_STATEFUL_DEFAULTS,
    FIREWALL_LOGGING,
];

pub(super) const FIREWALL_STATELESS_GROUPS: Key = (
    "networkFirewallStatelessRuleGroupReferences",
    ListOrNull(&Object(&[("resourceARN", Text), ("priority", Whole)])),
);
pub(super) const FIREWALL_STATELESS_DEFAULTS: Key =
    ("networkFirewallStatelessDefaultActions", ListOrNull(&Text));
pub(super) const FIREWALL_FRAGMENT_DEFAULTS: Key =
    ("networkFirewallStatelessFragmentDefaultActions", ListOrNull(&Text));
pub(super) const FIREWALL_CUSTOM_ACTIONS: Key = (
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
pub(super) const FIREWALL_STATEFUL_GROUPS: Key = (
    "networkFirewallStatefulRuleGroupReferences",
    ListOrNull(&Object(&[
        ("resourceARN", Text),
        ("priority", Whole),
        ("override", Object(&[("action", Text)])),
    ])),
);
pub(super) const FIREWALL_ENGINE: Key = (
    "networkFirewallStatefulEngineOptions",
    Object(&[("ruleOrder", Text), ("streamExceptionPolicy", Text)]),
);
pub(super) const FIREWALL_STATEFUL_DEFAULTS: Key =
    ("networkFirewallStatefulDefaultActions", ListOrNull(&Text));
pub(super) const FIREWALL_LOGGING: Key = (
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

pub(super) const FIREWALL_CREATION: Shape = Object(&[(
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

pub(super) const DEPLOYMENT_MODEL: Shape = Object(&[
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
pub(super) fn centralized_orchestration<'a>(data: &Node<'a>) -> Node<'a> {
    data.get("firewallDeploymentModel")
        .get("centralizedFirewallDeploymentModel")
        .get("centralizedFirewallOrchestrationConfig")
}

/// The fields that all Network Firewall policies have, wherever they are.
pub(super) fn check_firewall(config: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    for (key, what, has_priority) in [
        (
            "networkFirewallStatelessRuleGroupReferences",
            "`networkFirewallStatelessRuleGroupReferences`",
            true,
        ),
        (
            "networkFirewallStatefulRuleGroupReferences",
            "`networkFirewallStatefulRuleGroupReferences`",
            false,
        ),
    ] {
        let groups = config.get(key).items();
        for group in &groups {
            group.get("resourceARN").required("give the ARN of the rule group")?;
            let priority = group.get("priority");
            if has_priority {
                priority.required("give a priority of 1 to 65535")?;
            }
            priority.whole_within(1, 65_535)?;
            group.get("override").get("action").one_of(&["DROP_TO_ALERT"])?;
        }
        counts.push(Count {
            what,
            count: groups.len(),
            max: |quotas| quotas.firewall_rule_groups_max,
        });
    }
    let engine = config.get("networkFirewallStatefulEngineOptions");
    let order = engine.get("ruleOrder").one_of(&["STRICT_ORDER", "DEFAULT_ACTION_ORDER"])?;
    engine.get("streamExceptionPolicy").one_of(&["DROP", "CONTINUE", "REJECT", "FMS_IGNORE"])?;
    let defaults = config.get("networkFirewallStatefulDefaultActions");
    if defaults.is_filled() && order != Some("STRICT_ORDER") {
        return Err(defaults.refuse(
            "needs networkFirewallStatefulEngineOptions.ruleOrder STRICT_ORDER; set it or leave \
             the default actions out",
        ));
    }
    Ok(())
}

/// Zones by name or id, CIDRs of /28; answers how many CIDRs there are.
pub(super) fn check_orchestration(config: &Node<'_>) -> Result<usize, Refusal> {
    let mut cidrs = check_cidrs(&config.get("allowedIPV4CidrList"))?;
    for zone in zones(config).items() {
        if zone.get("availabilityZoneName").is_set() == zone.get("availabilityZoneId").is_set() {
            return Err(
                zone.refuse("must have either `availabilityZoneName` or `availabilityZoneId`")
            );
        }
        cidrs = cidrs.saturating_add(check_cidrs(&zone.get("allowedIPV4CidrList"))?);
    }
    Ok(cidrs)
}

pub(super) fn zones<'a>(config: &Node<'a>) -> Node<'a> {
    config.get("firewallCreationConfig").get("endpointLocation").get("availabilityZoneConfigList")
}

fn check_cidrs(list: &Node<'_>) -> Result<usize, Refusal> {
    let cidrs = list.items();
    for cidr in &cidrs {
        let text = cidr.text().unwrap_or_default();
        if !text.parse::<ipnet::Ipv4Net>().is_ok_and(|net| net.prefix_len() == 28) {
            return Err(cidr.refuse(format!("must be an IPv4 CIDR of /28, not `{}`", shown(text))));
        }
    }
    Ok(cidrs.len())
}

/// A text that is not empty.
pub(super) fn filled<'a>(node: &Node<'a>, what_to_do: &str) -> Result<&'a str, Refusal> {
    match node.text().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) => Err(node.refuse(format!("is empty; {what_to_do}"))),
        None if node.is_set() => Err(node.refuse(format!("is not a text; {what_to_do}"))),
        None => Err(node.refuse(format!("is missing; {what_to_do}"))),
    }
}

const STATELESS_ACTIONS: [&str; 3] = ["aws:pass", "aws:drop", "aws:forward_to_sfe"];

pub(super) fn check_firewall_put(config: &Node<'_>) -> Result<(), Refusal> {
    let mut custom = Vec::new();
    for action in config.get("networkFirewallStatelessCustomActions").items() {
        custom.push(filled(&action.get("actionName"), "name the custom action")?);
        let metric = action.get("actionDefinition").get("publishMetricAction");
        let dimensions = metric.get("dimensions");
        if !dimensions.is_filled() {
            return Err(dimensions.refuse("is empty; give [{\"value\":\"…\"}]"));
        }
        for dimension in dimensions.items() {
            filled(&dimension.get("value"), "give the value of the metric's dimension")?;
        }
    }
    for key in
        ["networkFirewallStatelessDefaultActions", "networkFirewallStatelessFragmentDefaultActions"]
    {
        for action in config.get(key).items() {
            let name = action.text().unwrap_or_default();
            if !STATELESS_ACTIONS.contains(&name) && !custom.contains(&name.trim()) {
                return Err(action.refuse(format!(
                    "must be {}, or an action of networkFirewallStatelessCustomActions, not `{}`",
                    STATELESS_ACTIONS.join(" or "),
                    shown(name)
                )));
            }
        }
    }
    for key in [
        "networkFirewallStatelessRuleGroupReferences",
        "networkFirewallStatefulRuleGroupReferences",
    ] {
        for group in config.get(key).items() {
            let arn = group.get("resourceARN");
            if !arn.text().unwrap_or_default().starts_with("arn:") {
                return Err(arn.refuse(format!(
                    "must be the ARN of a rule group, `arn:…`, not `{}`",
                    shown(arn.text().unwrap_or_default())
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn check_zones_put(config: &Node<'_>) -> Result<(), Refusal> {
    for zone in zones(config).items() {
        for key in ["availabilityZoneName", "availabilityZoneId"] {
            let name = zone.get(key);
            if name.is_set() {
                filled(&name, "give an Availability Zone, or leave the key out")?;
            }
        }
    }
    Ok(())
}

pub(super) fn check_central_put(data: &Node<'_>) -> Result<(), Refusal> {
    let config = centralized_orchestration(data);
    for vpc in config.get("inspectionVpcIds").items() {
        filled(&vpc.get("resourceId"), "give the id of the inspection VPC, `vpc-…`")?;
        filled(&vpc.get("accountId"), "give the account that owns the inspection VPC")?;
    }
    check_zones_put(&config)
}
