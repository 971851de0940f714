//! How far what another shard told of a fact holds by now: its age, and what was missed of it.

use std::collections::BTreeSet;

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Cause, OpenGap, Shard};

/// What a fact of another shard is worth.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Freshness {
    /// Moment of the newest that is told of its shard, milliseconds since the epoch; `None`: none is
    /// known, as of a shard of which nothing was delivered.
    pub newest_ms: Option<i64>,
    /// What was missed that may be a later state of it.
    pub missed: BTreeSet<OpenGap>,
}

impl Freshness {
    /// Of one resource, by what tells how complete its shard is. An item that cannot be read and is
    /// known to be another resource's says nothing of this one.
    pub fn of(shard: &Shard, resource_type: &ResourceType, id: &ResourceId) -> Freshness {
        let nothing = BTreeSet::new();
        Freshness::by(shard.newest_ms, shard.open_gaps.get(resource_type).unwrap_or(&nothing), id)
    }

    /// Of one resource, by the newest moment and the open gaps of its type in its shard.
    pub(super) fn by(
        newest_ms: Option<i64>,
        open: &BTreeSet<OpenGap>,
        id: &ResourceId,
    ) -> Freshness {
        let is_others = |gap: &&OpenGap| {
            gap.cause == Cause::Item && gap.what.as_deref().is_some_and(|what| what != id.as_str())
        };
        Freshness {
            newest_ms,
            missed: open.iter().filter(|gap| !is_others(gap)).cloned().collect(),
        }
    }
}
