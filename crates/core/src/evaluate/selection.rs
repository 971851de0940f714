//! Which resources of a shard a policy is about.

use crate::ident::{AccountId, ResourceType};
use crate::inventory::{Item, Shard};
use crate::policy::{DependentService, Elder, Policy};
use crate::scope::TagScope;

use super::filter::{Filter, Special};
use super::gap::Gap;
use super::security_groups::{is_own, is_terminated, owner};
use super::unrecorded::{outdated, unseen_gap};
use super::web_acls::{is_protectable, kind_gap};

/// Whether a policy that lists a resource's type is about the resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Membership {
    /// Its tags put it in scope, or there is no filter.
    In,
    /// Its tags keep it out.
    Out,
    /// They were not told: it counts neither as in scope nor as out of it (semantics §11 row 38).
    Undecided,
}

/// By the tags told last. Where a later state without a configuration does not tell them, old tags
/// that kept the resource out say nothing of that any more; old ones that put it in still do, with
/// the gap that [`outdated`] makes.
pub(super) fn membership(policy: &Policy, item: &Item) -> Membership {
    membership_by(&policy.scope.tags, item)
}

pub(super) fn membership_by(filter: &TagScope, item: &Item) -> Membership {
    if filter.tags.is_empty() {
        return Membership::In;
    }
    match item.latest_tags() {
        Some(tags) if filter.has(tags) => Membership::In,
        Some(_) if !is_later_untold(item) => Membership::Out,
        Some(_) | None => Membership::Undecided,
    }
}

/// Whether an elder whose tags let a resource in holds it for certain: old tags of which the latest are not told
/// do not prove it.
pub(super) fn is_certain(elder: &Elder, item: &Item) -> bool {
    elder.tags.tags.is_empty() || !is_later_untold(item)
}

fn is_later_untold(item: &Item) -> bool {
    item.unseen_since.as_ref().is_some_and(|later| later.tags.is_none())
}

/// Whose a resource is that several policies are about (semantics §11 row 53).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Holder<'p> {
    /// The policy's own: no older one holds it.
    Own,
    /// An older policy's: it is out of scope.
    Elder(&'p Elder),
    /// An older policy may hold it: it counts neither way.
    Undecided(Gap),
}

/// Who of a policy and its elders holds a resource of an account that the policy's own scope holds.
/// What elders hold by
/// resource sets is not looked at here ([`super::import_network_firewall`]).
pub(super) fn holder<'p>(policy: &'p Policy, account: &AccountId, item: &Item) -> Holder<'p> {
    let mut undecided = false;
    let by_tags = policy.elders.iter().filter(|elder| elder.resource_sets.is_empty());
    for elder in by_tags.filter(|elder| elder.has_account(account)) {
        match membership_by(&elder.tags, item) {
            Membership::In if is_certain(elder, item) => return Holder::Elder(elder),
            Membership::Out => {}
            Membership::In | Membership::Undecided => undecided = true,
        }
    }
    match undecided {
        true => Holder::Undecided(outdated(item).unwrap_or_else(|| untagged_gap(item))),
        false => Holder::Own,
    }
}

/// Live resources of a listed type whose tags put them in scope, ascending by id.
pub(super) fn selected<'a>(
    policy: &Policy,
    shard: &'a Shard,
    resource_type: &ResourceType,
) -> Vec<&'a Item> {
    if !policy.scope.lists(resource_type) {
        return Vec::new();
    }
    let items = shard.of_type(resource_type);
    items.filter(|item| membership(policy, item) == Membership::In).collect()
}

/// Why it is not known of resources whether they are in scope: their tags, or their latest ones, or
/// which kind of load balancer they are, were not told.
pub(super) fn undecided<'a>(
    policy: &'a Policy,
    shard: &'a Shard,
) -> impl Iterator<Item = (&'a Item, Gap)> + 'a {
    let listed = shard.items.iter().filter(|(kind, _)| policy.scope.lists(kind));
    let items = listed.flat_map(|(_, items)| items.values());
    items.filter_map(|item| Some((item, undecided_of(policy, shard, item)?)))
}

/// Why it is not known of one of them.
fn undecided_of(policy: &Policy, shard: &Shard, item: &Item) -> Option<Gap> {
    let membership = membership(policy, item);
    if membership == Membership::Out || is_terminated(item) || !is_own(item, &shard.id.account) {
        return None;
    }
    if let Some(gap) = kind_gap(item) {
        return Some(gap);
    }
    let is_undecided = membership == Membership::Undecided && is_protectable(item);
    let is_elders = || matches!(holder(policy, &shard.id.account, item), Holder::Elder(_));
    (is_undecided && !is_elders()).then(|| outdated(item).unwrap_or_else(|| untagged_gap(item)))
}

/// What leaves a resource out that is not known to be in scope, whatever the policy's type: the same
/// questions that every evaluator asks.
pub(super) fn filter(policy: &Policy, account: &AccountId, item: &Item) -> Option<Filter> {
    if !policy.scope.lists(&item.key.resource_type) {
        return Some(Filter::Type(policy.resource_types().to_vec()));
    }
    if membership(policy, item) == Membership::Out {
        return Some(Filter::Tags(policy.scope.tags.clone()));
    }
    if !is_own(item, account) {
        return owner(item).cloned().map(Filter::Owner);
    }
    if is_terminated(item) {
        return Some(Filter::Special(Special::Terminated));
    }
    if !is_protectable(item) {
        return Some(Filter::Special(Special::NotApplicationLoadBalancer));
    }
    match holder(policy, account, item) {
        Holder::Elder(elder) => Some(Filter::elder(elder)),
        Holder::Own | Holder::Undecided(_) => None,
    }
}

/// That the tags of a resource were not told.
pub(super) fn untagged_gap(item: &Item) -> Gap {
    if item.body.is_unseen() {
        return unseen_gap(item);
    }
    let text = format!("The tags of {} {} were not recorded.", item.key.resource_type, item.key.id);
    Gap::new(DependentService::Config, &text)
}

#[cfg(test)]
mod tests;
