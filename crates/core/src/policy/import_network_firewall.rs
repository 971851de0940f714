//! `IMPORT_NETWORK_FIREWALL` (semantics §5.8): what is clear of it before it is judged.

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::firewall::*;
use super::shape::Shape::Object;
use super::shape::{Node, Shape, TYPE};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    needs_resource_sets: true,
    check_put,
    ..Facts::new(
        "IMPORT_NETWORK_FIREWALL",
        &[ResourceType::VPC, ResourceType::NETWORK_FIREWALL],
        DependentService::Vpc,
        &DATA,
    )
};

static DATA: Shape = Object(&[TYPE, ("awsNetworkFirewallConfig", Object(FIREWALL))]);

pub(super) fn check(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let config = data.get("awsNetworkFirewallConfig");
    check_firewall(
        config.required("give the rule groups and actions that the firewalls must have")?,
        counts,
    )
}

/// What is asked of a policy that is put, beyond what must hold for it to be read: its texts are ones
/// that a firewall can have.
fn check_put(data: &Node<'_>) -> Result<(), Refusal> {
    check_firewall_put(&data.get("awsNetworkFirewallConfig"))
}
