//! Policies on network ACLs that share subnets (semantics §4.7, §11 rows 53, 64), and policies that import
//! firewalls (§5.8): a subnet has one network ACL, and a firewall is managed by one policy, so of several
//! policies whose scope holds one of them the one created first manages it and judges it. For the others it
//! is out of scope.

use std::sync::Arc;

use crate::ident::AccountId;

use super::{Elder, Policy};

/// For each policy of a list, which is in the order of creation, its elders ([`Policy::elders`]): of the
/// same type, if it is one whose oldest policy judges, and Region, the oldest first. `accounts` tells which accounts a
/// policy judges, ascending, and is only asked about policies that have younger ones.
pub fn elders<'a>(
    by_age: impl IntoIterator<Item = &'a Policy>,
    accounts: impl Fn(&Policy) -> Arc<[AccountId]>,
) -> Vec<Vec<Elder>> {
    let by_age: Vec<&Policy> = by_age.into_iter().collect();
    let is_one = |policy: &&&Policy| policy.policy_type().facts().oldest_judges;
    let mut found: Vec<Vec<Elder>> = by_age.iter().map(|_| Vec::new()).collect();
    for (at, elder) in by_age.iter().enumerate().filter(|(_, policy)| is_one(policy)) {
        let mut known: Option<Elder> = None;
        let younger = by_age.iter().zip(&mut found).skip(at.saturating_add(1));
        for (policy, elders) in younger.filter(|(policy, _)| is_one(policy)) {
            let is_alike = policy.policy_type() == elder.policy_type();
            if policy.region != elder.region || !is_alike {
                continue;
            }
            let elder = known.get_or_insert_with(|| Elder {
                id: elder.id.clone(),
                name: elder.name.clone(),
                accounts: accounts(elder),
                tags: elder.scope.tags.clone(),
                owner: elder.owner.clone(),
                resource_sets: elder.rule.resource_sets().into(),
            });
            elders.push(elder.clone());
        }
    }
    found
}
