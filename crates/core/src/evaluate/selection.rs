//! Which resources of a shard a policy is about.

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard};
use crate::policy::Policy;

use super::{DependentService, Gap, Verdict};

/// Live resources of a listed type whose tags put them in scope, ascending by id. Where nothing of a
/// resource was recorded its tags were not either: no tag filter may then take it out of sight.
pub(super) fn selected<'a>(
    policy: &Policy,
    shard: &'a Shard,
    resource_type: &ResourceType,
) -> Vec<&'a Item> {
    if !policy.scope.lists(resource_type) {
        return Vec::new();
    }
    let items = shard.items.get(resource_type).into_iter().flatten();
    let untold = |item: &Item| item.body == Body::Unseen && item.tags.is_empty();
    let selects = |item: &&Item| untold(item) || policy.scope.has_tags(&item.tags);
    items.map(|(_, item)| item).filter(selects).collect()
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
