//! Which groups, interfaces and instances policies about security groups are about.

use std::collections::BTreeSet;

use crate::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use crate::inventory::{Body, Instance, Item, NetworkInterface, SecurityGroup, Subnet, Vpc};
use crate::policy::Policy;

use super::{DependentService, Fact, Gap, Reference, References, unseen_gap};

/// Begins the names of groups that Firewall Manager made (semantics §5.4), and may begin others'.
const REPLICA_PREFIX: &str = "FMManagedSecurityGroup";

/// Which groups are Firewall Manager's own; none of them is audited (semantics §5.6, §10 rows 8, 14).
/// Those are whose name carries the id of a `SECURITY_GROUPS_COMMON` policy that is or was known
/// (semantics §11 row 57): were the prefix enough, a name would be enough to escape an audit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas<'a>(Option<&'a BTreeSet<PolicyId>>);

/// Whose a group is, by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Maker {
    /// Firewall Manager, for a policy that is or was known.
    FirewallManager,
    /// Anybody, under a name with Firewall Manager's prefix.
    Lookalike,
    /// Anybody.
    Anybody,
}

impl<'a> Replicas<'a> {
    pub fn of(references: &'a References) -> Replicas<'a> {
        match references.get(&Reference::CommonPolicies) {
            Some(Fact::Policies(known)) => Replicas(Some(known)),
            _ => Replicas(None),
        }
    }

    /// By the pattern `FMManagedSecurityGroup<PolicyId>-<primary group>…` (semantics §10 row 19).
    pub fn maker(&self, group: &SecurityGroup) -> Maker {
        let Some(rest) = group.group_name.strip_prefix(REPLICA_PREFIX) else {
            return Maker::Anybody;
        };
        let carries = |id: &PolicyId| {
            rest.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('-'))
        };
        match self.0.into_iter().flatten().any(carries) {
            true => Maker::FirewallManager,
            false => Maker::Lookalike,
        }
    }
}

/// The primary group of which a group of this name is a replica under the policy, by its place among
/// `primaries` (semantics §7.2, §10 row 19). A name that goes on with a VPC is told by the group's own,
/// where that is known.
pub(super) fn replica_of(
    group_name: &str,
    vpc: Option<&str>,
    policy: &PolicyId,
    primaries: &[ResourceId],
) -> Option<usize> {
    let rest = group_name.strip_prefix(REPLICA_PREFIX)?.strip_prefix(policy.as_str())?;
    let rest = rest.strip_prefix('-')?;
    primaries.iter().position(|primary| {
        let after =
            rest.strip_prefix(primary.as_str()).map(|after| after.strip_prefix('-').ok_or(after));
        match after {
            Some(Ok(named)) => vpc.is_none_or(|vpc| vpc == named),
            Some(Err(after)) => after.is_empty(),
            None => false,
        }
    })
}

/// The reference to a group of the policy's administrator: an audit group, or a primary one.
pub(super) fn administrators_group(policy: &Policy, id: &ResourceId) -> Reference {
    Reference::Item {
        account: policy.owner.clone(),
        region: policy.region.clone(),
        resource_type: ResourceType::SECURITY_GROUP,
        id: id.clone(),
    }
}

/// That the name of a group is not told: it may be a VPC's default one, or a replica.
pub(super) fn unnamed_gap(item: &Item) -> Gap {
    let text = format!("The name of security group {} was not recorded.", item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// A group, interface, subnet or VPC of another account, seen because a VPC is shared, is not the shard's own
/// (semantics §10 row 28, §11 row 41).
pub(super) fn is_own(item: &Item, account: &AccountId) -> bool {
    owner(item).is_none_or(|owner| owner == account)
}

/// Whose such a resource is, where it tells.
pub(super) fn owner(item: &Item) -> Option<&AccountId> {
    match &item.body {
        Body::SecurityGroup(SecurityGroup { owner, .. })
        | Body::NetworkInterface(NetworkInterface { owner, .. })
        | Body::Subnet(Subnet { owner, .. })
        | Body::Vpc(Vpc { owner }) => owner.as_ref(),
        _ => None,
    }
}

/// That the groups which a resource uses were not recorded.
pub(super) fn untold_groups_gap(item: &Item) -> Gap {
    match &item.body {
        Body::LoadBalancer(_) | Body::ClassicLoadBalancer(_) => {
            let text = format!("The security groups of {} were not recorded.", item.key.id);
            Gap::new(DependentService::Config, &text)
        }
        _ => unseen_gap(item),
    }
}

/// That some of a group's rules may not be told.
pub(super) fn untold_rules_gap(item: &Item) -> Gap {
    let text = format!("The rules of security group {} were not recorded.", item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// A terminated instance lingers in the inventory for a while; it is in no scope and uses nothing.
pub(super) fn is_terminated(item: &Item) -> bool {
    match &item.body {
        Body::Instance(instance) => {
            instance.state.as_ref().is_some_and(|state| state.eq_ignore_ascii_case("terminated"))
        }
        _ => false,
    }
}

/// That nothing tells whether an instance is terminated, and uses nothing any more (semantics §11 row
/// 38).
pub(super) fn stateless_gap(item: &Item) -> Option<Gap> {
    let Body::Instance(Instance { state: None, .. }) = &item.body else { return None };
    let text = format!("The state of {} {} was not recorded.", item.key.resource_type, item.key.id);
    Some(Gap::new(DependentService::Config, &text))
}
