//! Who listens to a judgement of a whole shard: keeps what is said of one resource. Nothing is
//! decided here, and without a listener nothing is kept.

use std::collections::BTreeSet;

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Item, ItemKey, Version};

use super::gap::Gap;

/// Members that are told of one resource; of more, the rest is counted.
pub const HELD_MAX: usize = 200;
/// Items that are told to have been read for one resource.
pub const READ_MAX: usize = 100;

/// Keeps what a judgement says of one resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listener {
    asked: (ResourceType, ResourceId),
    heard: Heard,
}

/// What was said of the resource.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    /// It was counted in scope.
    pub in_scope: bool,
    /// Nothing could be claimed of it.
    pub is_undecided: bool,
    /// What stood in the way of knowing of this resource.
    pub own: BTreeSet<Gap>,
    /// What it was held against, and what was read for it.
    pub told: Told,
}

/// What a resource was held against, member by member, and the items that were read for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Told {
    pub held: Vec<Held>,
    pub read: Vec<ItemSeen>,
    pub more: u64,
}

/// One member of what a resource was held against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Which member, as `web ACL` or `ingress rule`.
    pub what: Box<str>,
    /// What the policy wants, in words.
    pub wanted: Box<str>,
    /// What is there, in words.
    pub found: Box<str>,
    /// Whether that is as wanted; `None`: it was not told.
    pub fits: Option<bool>,
}

/// An item that a judgement was made by, and which version of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemSeen {
    /// Whose and which.
    pub key: ItemKey,
    /// `resourceName`, where it was told.
    pub name: Option<Box<str>>,
    /// The version that was read.
    pub version: Version,
    /// A later one that tells nothing of the configuration.
    pub unseen_since: Option<Version>,
    /// Whether the version that was read tells a configuration.
    pub is_told: bool,
}

impl ItemSeen {
    /// An item as it is held.
    pub fn of(item: &Item) -> ItemSeen {
        ItemSeen {
            key: item.key.clone(),
            name: item.name.clone(),
            version: item.version.clone(),
            unseen_since: item.unseen_since.as_ref().map(|later| later.version.clone()),
            is_told: !item.body.is_unseen(),
        }
    }
}

impl Listener {
    pub fn to(resource_type: &ResourceType, id: &ResourceId) -> Listener {
        Listener { asked: (resource_type.clone(), id.clone()), heard: Heard::default() }
    }

    pub(super) fn is_asked_of(&self, item: &Item) -> bool {
        self.asked.1 == item.key.id && self.asked.0 == item.key.resource_type
    }

    /// Something stands in the way of knowing of the resource.
    pub(super) fn doubt(&mut self, gap: &Gap) {
        self.heard.own.insert(gap.clone());
    }

    pub(super) fn counted(&mut self, item: &Item, is_undecided: bool) {
        if self.is_asked_of(item) {
            self.heard.in_scope = true;
            self.heard.is_undecided |= is_undecided;
        }
    }

    pub(super) fn told(&mut self) -> &mut Told {
        &mut self.heard.told
    }

    pub(super) fn into_heard(self) -> Heard {
        self.heard
    }
}

impl Told {
    /// A member was held against what is wanted.
    pub fn holds(
        &mut self,
        what: impl Into<Box<str>>,
        wanted: impl Into<Box<str>>,
        found: impl Into<Box<str>>,
        fits: Option<bool>,
    ) {
        if self.held.len() < HELD_MAX {
            let (what, wanted, found) = (what.into(), wanted.into(), found.into());
            self.held.push(Held { what, wanted, found, fits });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// An item was read.
    pub fn reads(&mut self, item: &Item) {
        let is_new = self.read.iter().all(|seen| seen.key != item.key);
        if is_new && self.read.len() < READ_MAX {
            self.read.push(ItemSeen::of(item));
        }
    }
}
