//! `IMPORT_NETWORK_FIREWALL` (semantics §5.8): firewalls that their owners made, named by resource sets.

use super::facts::{Count, DependentService, Facts};
use super::firewall::*;
use super::firewall_rules::rules;
use super::shape::Shape::Object;
use super::shape::{Node, Shape, TYPE};
use super::{Document, Refusal};
use crate::ident::{ResourceSetId, ResourceType};
use crate::inventory::FirewallRules;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    needs_resource_sets: true,
    oldest_judges: true,
    check_put,
    ..Facts::new(
        "IMPORT_NETWORK_FIREWALL",
        &[ResourceType::VPC, ResourceType::NETWORK_FIREWALL],
        DependentService::Vpc,
        &DATA,
    )
};

static DATA: Shape = Object(&[TYPE, ("awsNetworkFirewallConfig", Object(FIREWALL))]);

/// What an IMPORT_NETWORK_FIREWALL policy wants of firewalls.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ImportNetworkFirewall {
    /// What the firewalls filter by, beside what their owners add. Stream exceptions are the owners'.
    pub rules: FirewallRules,
    /// `ResourceSetIds`: the sets that name the firewalls, ascending.
    pub resource_sets: Vec<ResourceSetId>,
}

/// Reads the data of an IMPORT_NETWORK_FIREWALL policy.
pub(super) fn parse(
    document: &Document,
    data: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<ImportNetworkFirewall, Refusal> {
    let config = data.get("awsNetworkFirewallConfig");
    check_firewall(
        config.required("give the rule groups and actions that the firewalls must have")?,
        counts,
    )?;
    let rules = FirewallRules { stream_exceptions: None, ..rules(&config) };
    let sets = document.resource_set_ids.iter().flatten();
    let mut resource_sets: Vec<ResourceSetId> =
        sets.filter_map(|set| ResourceSetId::try_from(set.as_str()).ok()).collect();
    resource_sets.sort();
    resource_sets.dedup();
    Ok(ImportNetworkFirewall { rules, resource_sets })
}

/// What is asked of a policy that is put, beyond what must hold for it to be read: its texts are ones
/// that a firewall can have.
fn check_put(data: &Node<'_>) -> Result<(), Refusal> {
    check_firewall_put(&data.get("awsNetworkFirewallConfig"))
}
