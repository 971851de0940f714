//! `SECURITY_GROUPS_COMMON` (semantics §5.4): a replica of each primary group on every resource.

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::security_groups::{GROUP_ID, group_id};
use super::shape::Shape::{Flag, List, Object};
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

/// What a SECURITY_GROUPS_COMMON policy demands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the policy's own")]
pub struct CommonGroups {
    /// `securityGroups`: the primary groups, owned by the policy's administrator in the policy's
    /// Region. Never empty, without repeats, in the policy's order.
    pub primaries: Vec<ResourceId>,
    /// `revertManualSecurityGroupChanges`: a replica that differs from its primary breaks the policy.
    pub reverts_edits: bool,
    /// `exclusiveResourceSecurityGroupManagement`: no other group may be on a resource.
    pub is_exclusive: bool,
    /// `applyToAllEC2InstanceENIs`: every interface of an instance counts, not only the primary one.
    pub all_interfaces: bool,
    /// `includeSharedVPC`: VPCs that other accounts share are in scope.
    pub shared_vpcs: bool,
    /// `enableTagDistribution`: replicas have the tags of their primary.
    pub copies_tags: bool,
    /// `enableSecurityGroupReferencesDistribution`: replicas have the references of their primary to
    /// groups of peered VPCs.
    pub copies_references: bool,
}

/// Reads the data of a SECURITY_GROUPS_COMMON policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<CommonGroups, Refusal> {
    let groups = data.get("securityGroups");
    if !groups.is_filled() {
        return Err(groups.refuse("is empty; name the primary group as [{\"id\":\"sg-…\"}]"));
    }
    let mut primaries: Vec<ResourceId> = Vec::new();
    for group in groups.items() {
        let id = group_id(&group)?;
        if !primaries.contains(&id) {
            primaries.push(id);
        }
    }
    counts.push(Count {
        what: "`securityGroups` (primary security groups)",
        count: groups.items().len(),
        max: |quotas| quotas.primary_groups_max,
    });
    let reverts_edits = data.get("revertManualSecurityGroupChanges").flag();
    let distribution = data.get("enableTagDistribution");
    if distribution.flag() && !reverts_edits {
        return Err(distribution.refuse(
            "needs `revertManualSecurityGroupChanges`; set both to true or leave tag distribution \
             off",
        ));
    }
    Ok(CommonGroups {
        primaries,
        reverts_edits,
        is_exclusive: data.get("exclusiveResourceSecurityGroupManagement").flag(),
        all_interfaces: data.get("applyToAllEC2InstanceENIs").flag(),
        shared_vpcs: data.get("includeSharedVPC").flag(),
        copies_tags: distribution.flag(),
        copies_references: data.get("enableSecurityGroupReferencesDistribution").flag(),
    })
}
