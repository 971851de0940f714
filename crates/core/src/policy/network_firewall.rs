//! `NETWORK_FIREWALL` (semantics §5.7): what it demands, and what an update may not change.

use super::facts::{Count, DependentService, Facts, OptionMember};
use super::firewall::*;
use super::firewall_rules::rules;
use super::shape::Shape::{Flag, ListOrNull, Object, Text};
use super::shape::{Node, Shape, TYPE};
use super::{DeploymentOption, Document, Refusal};
use crate::ident::{AccountId, ResourceType};
use crate::inventory::FirewallRules;

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

/// What a NETWORK_FIREWALL policy wants of VPCs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NetworkFirewall {
    /// What the firewalls filter by.
    pub rules: FirewallRules,
    /// Which VPCs have one, and where in them its endpoints are.
    pub placement: Placement,
    /// `routeManagementAction` is `MONITOR`: routes to and from the internet are held against the
    /// endpoints.
    pub monitors: bool,
    /// `routeManagementConfig.allowCrossAZTrafficIfNoEndpoint`: traffic of a zone without an endpoint
    /// may go through another zone's, where zones are listed.
    pub may_cross: bool,
}

/// Which VPCs have a firewall, and in which Availability Zones it has endpoints.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Placement {
    /// Every VPC in scope; zones whose subnets reach the internet.
    Automatic {
        /// `singleFirewallEndpointPerVPC`: one endpoint serves all of a VPC.
        single: bool,
    },
    /// Every VPC in scope; these zones, whatever is in them.
    Listed {
        /// `availabilityZoneConfigList`, without repeats.
        zones: Vec<Zone>,
        /// `singleFirewallEndpointPerVPC`
        single: bool,
    },
    /// The inspection VPCs alone; these zones of them.
    Inspection {
        /// `inspectionVpcIds`
        vpcs: Vec<InspectionVpc>,
        /// `availabilityZoneConfigList`, without repeats.
        zones: Vec<Zone>,
    },
}

impl Default for Placement {
    fn default() -> Placement {
        Placement::Automatic { single: false }
    }
}

impl Placement {
    /// The zones that are listed; `None` where subnets decide.
    pub fn zones(&self) -> Option<&[Zone]> {
        match self {
            Placement::Automatic { .. } => None,
            Placement::Listed { zones, .. } | Placement::Inspection { zones, .. } => Some(zones),
        }
    }

    /// Whether one endpoint serves all of a VPC.
    pub fn is_single(&self) -> bool {
        match self {
            Placement::Automatic { single } | Placement::Listed { single, .. } => *single,
            Placement::Inspection { .. } => false,
        }
    }
}

/// An Availability Zone, as a policy names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Zone {
    /// `availabilityZoneName`
    Name(Box<str>),
    /// `availabilityZoneId`
    Id(Box<str>),
}

impl Zone {
    /// Its name or id.
    pub fn as_str(&self) -> &str {
        match self {
            Zone::Name(text) | Zone::Id(text) => text,
        }
    }
}

/// The VPC in which the firewall of a centralized policy is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct InspectionVpc {
    /// Whose: `accountId`; `None` where that is no account, as none was asked for once.
    pub account: Option<AccountId>,
    /// `resourceId`
    pub id: Box<str>,
}

/// Reads the data of a NETWORK_FIREWALL policy.
pub(super) fn parse(
    document: &Document,
    data: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<NetworkFirewall, Refusal> {
    check(document, data, counts)?;
    let inner = data.get("awsNetworkFirewallConfig");
    let own = orchestration(data);
    let central = centralized_orchestration(data);
    let zones_of = |config: &Node<'_>| listed(&zones(config));
    let single = own.get("singleFirewallEndpointPerVPC").flag();
    let placement = match (central.is_set(), zones(&own).is_filled()) {
        (true, _) => {
            Placement::Inspection { vpcs: inspection_vpcs(&central), zones: zones_of(&central) }
        }
        (false, true) => Placement::Listed { zones: zones_of(&own), single },
        (false, false) => Placement::Automatic { single },
    };
    Ok(NetworkFirewall {
        rules: rules(if inner.is_set() { &inner } else { data }),
        placement,
        monitors: own.get("routeManagementAction").text() == Some("MONITOR"),
        may_cross: own.get("routeManagementConfig").get("allowCrossAZTrafficIfNoEndpoint").flag(),
    })
}

/// Of a distributed policy, at either place.
fn orchestration<'a>(data: &Node<'a>) -> Node<'a> {
    let root = data.get("networkFirewallOrchestrationConfig");
    let model = data.get("firewallDeploymentModel").get("distributedFirewallDeploymentModel");
    let nested = model.get("distributedFirewallOrchestrationConfig");
    if root.is_set() { root } else { nested }
}

pub(super) fn listed(zones: &Node<'_>) -> Vec<Zone> {
    let mut all: Vec<Zone> = Vec::new();
    for zone in zones.items() {
        let name = zone.get("availabilityZoneName").text().map(|name| Zone::Name(name.into()));
        let id = zone.get("availabilityZoneId").text().map(|id| Zone::Id(id.into()));
        all.extend(name.or(id).filter(|zone| !all.contains(zone)));
    }
    all
}

pub(super) fn inspection_vpcs(config: &Node<'_>) -> Vec<InspectionVpc> {
    let vpcs = config.get("inspectionVpcIds").items().into_iter().map(|vpc| {
        let text = |key: &str| vpc.get(key).text().unwrap_or_default().trim().to_owned();
        InspectionVpc {
            account: AccountId::try_from(text("accountId").as_str()).ok(),
            id: text("resourceId").into(),
        }
    });
    vpcs.collect()
}

fn check(document: &Document, data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
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
