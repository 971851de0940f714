//! Which resources of a shard a policy is about.

use crate::ident::ResourceType;
use crate::inventory::{Item, Shard};
use crate::policy::{DependentService, Policy};

use super::gap::Gap;
use super::security_groups::{is_own, is_terminated};
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
    if policy.scope.tags.tags.is_empty() {
        return Membership::In;
    }
    let later_untold = item.unseen_since.as_ref().is_some_and(|later| later.tags.is_none());
    match item.latest_tags() {
        Some(tags) if policy.scope.has_tags(tags) => Membership::In,
        Some(_) if !later_untold => Membership::Out,
        Some(_) | None => Membership::Undecided,
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
) -> impl Iterator<Item = Gap> + 'a {
    let listed = shard.items.iter().filter(|(kind, _)| policy.scope.lists(kind));
    let items = listed.flat_map(|(_, items)| items.values());
    let may_be_in = items
        .map(|item| (item, membership(policy, item)))
        .filter(|(_, membership)| *membership != Membership::Out);
    may_be_in.filter_map(|(item, membership)| {
        if is_terminated(item) || !is_own(item, &shard.id.account) {
            return None;
        }
        if let Some(gap) = kind_gap(item) {
            return Some(gap);
        }
        let is_undecided = membership == Membership::Undecided && is_protectable(item);
        is_undecided.then(|| outdated(item).unwrap_or_else(|| untagged_gap(item)))
    })
}

/// That the tags of a resource were not told.
fn untagged_gap(item: &Item) -> Gap {
    if item.body.is_unseen() {
        return unseen_gap(item);
    }
    let text = format!("The tags of {} {} were not recorded.", item.key.resource_type, item.key.id);
    Gap::new(DependentService::Config, &text)
}

#[cfg(test)]
mod tests;
