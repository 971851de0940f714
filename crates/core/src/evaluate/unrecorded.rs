//! What is said of a resource whose configuration, or whose latest one, was not recorded.

use crate::inventory::{Body, Item, ItemKey};
use crate::policy::DependentService;

use super::gap::Gap;

/// That a resource was later seen without its configuration: what is found by the one held may no
/// longer be so.
pub(super) fn outdated(item: &Item) -> Option<Gap> {
    item.unseen_since.as_ref().map(|_| outdated_gap(item))
}

/// That a later state of a resource tells nothing of it, or that its states contradict each other.
pub(super) fn outdated_gap(item: &Item) -> Gap {
    let ItemKey { resource_type, id, .. } = &item.key;
    let text = match item.is_contradicted() {
        true => format!("States of {resource_type} {id} of one version contradict each other."),
        false => format!("The latest configuration of {resource_type} {id} was not recorded."),
    };
    Gap::new(DependentService::Config, &text)
}

/// That the configuration of a resource was not recorded, or is held in a form that does not tell
/// what is judged.
pub(super) fn unseen_gap(item: &Item) -> Gap {
    let ItemKey { resource_type, id, .. } = &item.key;
    let text = match item.body {
        Body::OlderLayout | Body::Unwanted => format!(
            "The configuration of {resource_type} {id} was stored by an earlier version of \
             Palisade: deliver its inventory again."
        ),
        _ => format!("The configuration of {resource_type} {id} was not recorded."),
    };
    Gap::new(DependentService::Config, &text)
}
