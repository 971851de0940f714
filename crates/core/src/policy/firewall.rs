//! `NETWORK_FIREWALL`, `IMPORT_NETWORK_FIREWALL` and `THIRD_PARTY_FIREWALL` (semantics §5.7, §5.8,
//! §5.10): what is clear of them before they are judged, and what an update may not change.

use super::shape::Node;
use super::{Count, DeploymentOption, Document, Refusal, shown};

const CENTRALIZED: &str = "CENTRALIZED";

pub(super) fn check_network_firewall(
    document: &Document,
    data: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<(), Refusal> {
    let option = document.security_service_policy_data.policy_option.as_ref();
    let option = option.and_then(|option| option.network_firewall_policy.as_ref());
    let model = data.get("firewallDeploymentModel").get("centralizedFirewallDeploymentModel");
    if is_centralized(option) {
        model.required("PolicyOption says CENTRALIZED; give the inspection VPC there")?;
        let vpcs = centralized_orchestration(data).get("inspectionVpcIds");
        if !vpcs.is_filled() {
            return Err(vpcs.refuse("is empty; give the inspection VPC"));
        }
    } else if model.is_set() {
        return Err(model.refuse(
            "is given and PolicyOption is not; set \
             PolicyOption.NetworkFirewallPolicy.FirewallDeploymentModel to CENTRALIZED",
        ));
    }
    let inner = data.get("awsNetworkFirewallConfig");
    check_firewall(if inner.is_set() { &inner } else { data }, counts)?;
    check_routes(&data.get("networkFirewallOrchestrationConfig"))?;
    let mut cidrs = 0usize;
    for orchestration in
        [data.get("networkFirewallOrchestrationConfig"), centralized_orchestration(data)]
    {
        cidrs = cidrs.saturating_add(check_orchestration(&orchestration)?);
    }
    counts.push(Count {
        what: "CIDRs of `allowedIPV4CidrList`",
        count: cidrs,
        max: |quotas| quotas.firewall_cidrs_max,
    });
    Ok(())
}

pub(super) fn check_import(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let config = data.get("awsNetworkFirewallConfig");
    check_firewall(
        config.required("give the rule groups and actions that the firewalls must have")?,
        counts,
    )
}

pub(super) fn check_third_party(document: &Document, data: &Node<'_>) -> Result<(), Refusal> {
    let vendors = ["PALO_ALTO_NETWORKS_CLOUD_NGFW", "FORTIGATE_CLOUD_NATIVE_FIREWALL"];
    let vendor = data.get("thirdPartyFirewall");
    vendor.required(&format!("give {}", vendors.join(" or ")))?.one_of(&vendors)?;
    let model = data.get("firewallDeploymentModel");
    let distributed = model.get("distributedFirewallDeploymentModel");
    let centralized = model.get("centralizedFirewallDeploymentModel");
    if distributed.is_set() == centralized.is_set() {
        return Err(model.refuse(
            "must have either `distributedFirewallDeploymentModel` or \
             `centralizedFirewallDeploymentModel`",
        ));
    }
    let option = document.security_service_policy_data.policy_option.as_ref();
    let option = option.and_then(|option| option.third_party_firewall_policy.as_ref());
    let says = option.and_then(|option| option.firewall_deployment_model.as_deref());
    if says.is_some_and(|says| (says == CENTRALIZED) != centralized.is_set()) {
        return Err(model.refuse(format!(
            "does not fit PolicyOption, which says {}; make them agree",
            shown(says.unwrap_or_default())
        )));
    }
    check_orchestration(&distributed.get("distributedFirewallOrchestrationConfig"))?;
    check_orchestration(&centralized_orchestration(data))?;
    Ok(())
}

fn is_centralized(option: Option<&DeploymentOption>) -> bool {
    option.and_then(|option| option.firewall_deployment_model.as_deref()) == Some(CENTRALIZED)
}

fn centralized_orchestration<'a>(data: &Node<'a>) -> Node<'a> {
    data.get("firewallDeploymentModel")
        .get("centralizedFirewallDeploymentModel")
        .get("centralizedFirewallOrchestrationConfig")
}

/// The fields that all Network Firewall policies have, wherever they are.
fn check_firewall(config: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
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
fn check_orchestration(config: &Node<'_>) -> Result<usize, Refusal> {
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

fn zones<'a>(config: &Node<'a>) -> Node<'a> {
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

fn check_routes(config: &Node<'_>) -> Result<(), Refusal> {
    let action = config.get("routeManagementAction").one_of(&["OFF", "MONITOR"])?;
    let targets = config.get("routeManagementTargetTypes");
    for target in targets.items() {
        target.one_of(&["InternetGateway"])?;
    }
    if action == Some("MONITOR") && !targets.is_filled() {
        return Err(targets.refuse(
            "is missing and routeManagementAction is MONITOR; give [\"InternetGateway\"]",
        ));
    }
    Ok(())
}

/// What is asked of a Network Firewall policy that is put, beyond what must hold for it to be read:
/// it says something, and its texts are ones that a firewall can have (semantics §5.7).
pub(super) fn check_network_firewall_put(data: &Node<'_>) -> Result<(), Refusal> {
    let inner = data.get("awsNetworkFirewallConfig");
    let says = |node: &Node<'_>| node.map().is_some_and(|map| map.keys().any(|key| key != "type"));
    if !says(data) || (inner.is_set() && !says(&inner)) {
        return Err(data.get("networkFirewallStatelessDefaultActions").refuse(
            "is missing, and so is everything else; say which rule groups and default actions the \
             firewalls must have",
        ));
    }
    check_firewall_put(if inner.is_set() { &inner } else { data })?;
    check_zones_put(&data.get("networkFirewallOrchestrationConfig"))?;
    check_central_put(data)
}

/// The same of an import policy.
pub(super) fn check_import_put(data: &Node<'_>) -> Result<(), Refusal> {
    check_firewall_put(&data.get("awsNetworkFirewallConfig"))
}

/// The same of a third-party policy (semantics §5.10). Vendors' own keys of the configuration are
/// not published and stay as they came.
pub(super) fn check_third_party_put(data: &Node<'_>) -> Result<(), Refusal> {
    let config = data.get("thirdPartyFirewallConfig");
    if config.is_set() && config.map().is_none() {
        return Err(config.refuse(
            "must be an object, such as {\"thirdPartyFirewallPolicyList\":[\"global-1\"]}",
        ));
    }
    let policies = config.get("thirdPartyFirewallPolicyList");
    if policies.is_set() && !policies.is_array() {
        return Err(policies.refuse("must be an array of names of the vendor's policies"));
    }
    for policy in policies.items() {
        filled(&policy, "give the name of one of the vendor's firewall policies, as a text")?;
    }
    let distributed = data
        .get("firewallDeploymentModel")
        .get("distributedFirewallDeploymentModel")
        .get("distributedFirewallOrchestrationConfig");
    check_zones_put(&distributed)?;
    check_central_put(data)
}

/// A text that is not empty.
fn filled<'a>(node: &Node<'a>, what_to_do: &str) -> Result<&'a str, Refusal> {
    match node.text().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) => Err(node.refuse(format!("is empty; {what_to_do}"))),
        None if node.is_set() => Err(node.refuse(format!("is not a text; {what_to_do}"))),
        None => Err(node.refuse(format!("is missing; {what_to_do}"))),
    }
}

const STATELESS_ACTIONS: [&str; 3] = ["aws:pass", "aws:drop", "aws:forward_to_sfe"];

fn check_firewall_put(config: &Node<'_>) -> Result<(), Refusal> {
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

fn check_zones_put(config: &Node<'_>) -> Result<(), Refusal> {
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

fn check_central_put(data: &Node<'_>) -> Result<(), Refusal> {
    let config = centralized_orchestration(data);
    for vpc in config.get("inspectionVpcIds").items() {
        filled(&vpc.get("resourceId"), "give the id of the inspection VPC, `vpc-…`")?;
        filled(&vpc.get("accountId"), "give the account that owns the inspection VPC")?;
    }
    check_zones_put(&config)
}

/// What an update of a Network Firewall policy may not change (semantics §6.7).
pub(super) fn check_update(before: &Node<'_>, after: &Node<'_>) -> Result<(), Refusal> {
    let is_central = |data: &Node<'_>| {
        data.get("firewallDeploymentModel").get("centralizedFirewallDeploymentModel").is_set()
    };
    if is_central(before) != is_central(after) {
        return Err(Refusal::input(
            "the deployment model of a Network Firewall policy cannot change; create another \
             policy",
        ));
    }
    let vpcs = |data: &Node<'_>| -> Vec<(String, String)> {
        let text = |node: Node<'_>| node.text().unwrap_or_default().to_owned();
        let list = centralized_orchestration(data).get("inspectionVpcIds").items();
        list.iter().map(|vpc| (text(vpc.get("resourceId")), text(vpc.get("accountId")))).collect()
    };
    if vpcs(before) != vpcs(after) {
        return Err(centralized_orchestration(after).get("inspectionVpcIds").refuse(
            "cannot change; send the inspection VPC that the policy has, or create another policy",
        ));
    }
    let orchestration = |data: &Node<'_>| {
        if is_central(data) {
            None
        } else {
            Some(zones(&data.get("networkFirewallOrchestrationConfig")).is_set())
        }
    };
    if orchestration(before) != orchestration(after) {
        return Err(Refusal::input(
            "how a Network Firewall policy chooses Availability Zones cannot change; keep \
             firewallCreationConfig as it is, or create another policy",
        ));
    }
    let action = after.get("networkFirewallOrchestrationConfig").get("routeManagementAction");
    let was = before.get("networkFirewallOrchestrationConfig").get("routeManagementAction");
    if was.text() == Some("MONITOR") && action.text() != Some("MONITOR") {
        return Err(action.refuse("cannot leave MONITOR; send MONITOR, or create another policy"));
    }
    Ok(())
}
