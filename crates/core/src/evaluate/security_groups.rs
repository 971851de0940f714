//! Which groups and instances audits of security groups are about.

use crate::ident::AccountId;
use crate::inventory::{Body, Item, SecurityGroup};

/// Begins the names of groups that Firewall Manager made (semantics §5.4).
const REPLICA_PREFIX: &str = "FMManagedSecurityGroup";

/// A group that Firewall Manager made; none is audited (semantics §5.6, §10 row 8).
pub(super) fn is_replica(group: &SecurityGroup) -> bool {
    group.group_name.starts_with(REPLICA_PREFIX)
}

/// A group of another account, seen through a shared VPC, is not the shard's own (semantics §10
/// row 28).
pub(super) fn is_own(item: &Item, account: &AccountId) -> bool {
    match &item.body {
        Body::SecurityGroup(SecurityGroup { owner: Some(owner), .. }) => owner == account,
        _ => true,
    }
}

/// A terminated instance lingers in the inventory for a while; it is in no scope and uses nothing.
pub(super) fn is_terminated(item: &Item) -> bool {
    match &item.body {
        Body::Instance(instance) => instance.state.as_deref() == Some("terminated"),
        _ => false,
    }
}
