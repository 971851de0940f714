//! `SECURITY_GROUPS_COMMON` (semantics §5.4): what is clear of it before it is judged.

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::shape::Shape::{Flag, List, Object, Text};
use super::shape::{Node, Shape, TYPE};
use crate::ident::{ResourceId, ResourceType};

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    makes_security_groups: true,
    ..Facts::new(
        "SECURITY_GROUPS_COMMON",
        &[
            ResourceType::INSTANCE,
            ResourceType::NETWORK_INTERFACE,
            ResourceType::CLASSIC_LOAD_BALANCER,
            ResourceType::LOAD_BALANCER,
        ],
        DependentService::Vpc,
        &DATA,
    )
};

static DATA: Shape = Object(&[
    TYPE,
    ("securityGroups", List(&GROUP_ID)),
    ("revertManualSecurityGroupChanges", Flag),
    ("exclusiveResourceSecurityGroupManagement", Flag),
    ("applyToAllEC2InstanceENIs", Flag),
    ("includeSharedVPC", Flag),
    ("enableTagDistribution", Flag),
    ("enableSecurityGroupReferencesDistribution", Flag),
]);

/// The id of a security group.
pub(super) const GROUP_ID: Shape = Object(&[("id", Text)]);

pub(super) fn check_common(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let groups = data.get("securityGroups");
    if !groups.is_filled() {
        return Err(groups.refuse("is empty; name the primary group as [{\"id\":\"sg-…\"}]"));
    }
    let groups = groups.items();
    for group in &groups {
        group_id(group)?;
    }
    counts.push(Count {
        what: "`securityGroups` (primary security groups)",
        count: groups.len(),
        max: |quotas| quotas.primary_groups_max,
    });
    let distribution = data.get("enableTagDistribution");
    if distribution.flag() && !data.get("revertManualSecurityGroupChanges").flag() {
        return Err(distribution.refuse(
            "needs `revertManualSecurityGroupChanges`; set both to true or leave tag distribution \
             off",
        ));
    }
    Ok(())
}

/// The id in `{"id":"sg-…"}`. AWS's own sample has stray blanks around it.
pub(super) fn group_id(group: &Node<'_>) -> Result<ResourceId, Refusal> {
    let node = group.get("id");
    let id = node.text().unwrap_or_default().trim();
    if id.is_empty() {
        return Err(node.refuse("is missing; give the id of a security group, `sg-…`"));
    }
    ResourceId::try_from(id).map_err(|error| node.refuse(error))
}
