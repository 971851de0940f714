//! `NETWORK_FIREWALL` (semantics §5.7): what is clear of it before it is judged, and what an update may
//! not change.

use super::facts::{Count, DependentService, Facts, OptionMember};
use super::firewall::*;
use super::shape::Shape::{Flag, ListOrNull, Object, Text};
use super::shape::{Node, Shape, TYPE};
use super::{DeploymentOption, Document, Refusal};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    option: Some(OptionMember {
        name: "NetworkFirewallPolicy",
        is_set: |option| option.network_firewall_policy.is_some(),
    }),
    check_put,
    check_update,
    ..Facts::new("NETWORK_FIREWALL", &[ResourceType::VPC], DependentService::Vpc, &DATA)
};

/// Keys of a distributed policy are at the root, those of a centralized one inside
/// `awsNetworkFirewallConfig`; both are known, since either may be sent.
static DATA: Shape = Object(&[
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

pub(super) fn check(
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

fn is_centralized(option: Option<&DeploymentOption>) -> bool {
    option.and_then(|option| option.firewall_deployment_model.as_deref()) == Some(CENTRALIZED)
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
fn check_put(data: &Node<'_>) -> Result<(), Refusal> {
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

/// What an update of a Network Firewall policy may not change (semantics §6.7).
fn check_update(before: &Node<'_>, after: &Node<'_>) -> Result<(), Refusal> {
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
