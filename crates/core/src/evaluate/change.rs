//! A change of a resource, and how far it may reach.

use crate::inventory::{Item, ItemKey};

/// A resource as it was when its shard was last judged, and as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// Which.
    pub key: ItemKey,
    /// As it was; `None`: it was not live.
    pub before: Option<Item>,
    /// As it is; `None`: it is not live.
    pub after: Option<Item>,
}

/// How far changes reach, in ascending order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Footprint {
    /// The judgement stays as it is.
    Nothing,
    /// What is found about these resources may change, and about no other: [`judge_changed`](super::judge_changed) tells.
    Resource,
    /// Anything in the shard may be judged otherwise.
    Shard,
}
