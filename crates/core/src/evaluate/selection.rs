//! Which resources of a shard a policy is about.

use crate::ident::ResourceType;
use crate::inventory::{Item, Shard};
use crate::policy::Policy;

use super::{DependentService, Gap, Verdict};

/// Live resources of a listed type whose tags put them in scope, ascending by id.
pub(super) fn selected<'a>(
    policy: &Policy,
    shard: &'a Shard,
    resource_type: &ResourceType,
) -> Vec<&'a Item> {
    if !policy.scope.lists(resource_type) {
        return Vec::new();
    }
    let items = shard.items.get(resource_type).into_iter().flatten();
    items.map(|(_, item)| item).filter(|item| policy.scope.has_tags(&item.tags)).collect()
}

/// What is said of a resource whose configuration was not recorded.
pub(super) fn unseen(item: &Item) -> Verdict {
    let text = format!(
        "The configuration of {} {} was not recorded.",
        item.key.resource_type, item.key.id
    );
    Verdict::Undecided(Gap::new(DependentService::Config, &text))
}
