//! Which resources of a shard a policy is about.

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard};
use crate::policy::Policy;

use super::security_groups::{is_own, is_terminated};
use super::web_acls::is_protectable;
use super::{DependentService, Gap, Verdict};

/// Live resources of a listed type whose tags put them in scope, ascending by id. Where nothing of a
/// resource was recorded its tags were not either: no tag filter may then take it out of sight. Of
/// one that later was seen without its configuration, the tags told last count.
pub(super) fn selected<'a>(
    policy: &Policy,
    shard: &'a Shard,
    resource_type: &ResourceType,
) -> Vec<&'a Item> {
    if !policy.scope.lists(resource_type) {
        return Vec::new();
    }
    shard.of_type(resource_type).filter(|item| has_tags(policy, item)).collect()
}

/// Whether the tags of a resource of a listed type put it in scope, as far as they were told.
pub(super) fn has_tags(policy: &Policy, item: &Item) -> bool {
    let untold = item.body == Body::Unseen && item.tags.is_empty();
    untold || policy.scope.has_tags(item.latest_tags())
}

/// Resources that their tags kept out of scope and of which a later state tells no tags: they may
/// be in scope by now, and their old configuration says nothing of that.
pub(super) fn perhaps_selected<'a>(
    policy: &'a Policy,
    shard: &'a Shard,
) -> impl Iterator<Item = &'a Item> {
    let listed = shard.items.iter().filter(|(kind, _)| policy.scope.lists(kind));
    listed.flat_map(|(_, items)| items.values()).filter(|item| {
        may_have_tags(policy, item)
            && is_protectable(item)
            && !is_terminated(item)
            && is_own(item, &shard.id.account)
    })
}

/// Whether tags that were not told may have put a resource in scope since its old ones kept it out.
pub(super) fn may_have_tags(policy: &Policy, item: &Item) -> bool {
    let later_untold = item.unseen_since.as_ref().is_some_and(|later| later.tags.is_empty());
    later_untold && !policy.scope.has_tags(&item.tags)
}

/// That a resource was later seen without its configuration: what is found by the one held may no
/// longer be so.
pub(super) fn outdated(item: &Item) -> Option<Gap> {
    item.unseen_since.as_ref()?;
    let text = format!(
        "The latest configuration of {} {} was not recorded.",
        item.key.resource_type, item.key.id
    );
    Some(Gap::new(DependentService::Config, &text))
}

/// What is said of a resource whose configuration was not recorded.
pub(super) fn unseen(item: &Item) -> Verdict {
    Verdict::Undecided(unseen_gap(item))
}

/// That the configuration of a resource was not recorded.
pub(super) fn unseen_gap(item: &Item) -> Gap {
    let text = format!(
        "The configuration of {} {} was not recorded.",
        item.key.resource_type, item.key.id
    );
    Gap::new(DependentService::Config, &text)
}
