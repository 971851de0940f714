//! Accumulates observations of one shard in memory, by exactly the rules a store applies.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ResourceId, ResourceType, ShardId};

use super::{Held, Merged, Observation, Shard, is_live, merge};

/// A shard under construction. What [`ShardBuilder::seal`] gives depends on the set of what was
/// observed, marked and accepted, never on the order.
#[derive(Clone, Debug)]
pub struct ShardBuilder {
    id: ShardId,
    held: BTreeMap<ResourceType, BTreeMap<ResourceId, Held>>,
    marks: BTreeMap<ResourceType, i64>,
    snapshot_accepted: bool,
}

impl ShardBuilder {
    /// A shard of which nothing is known yet.
    pub fn new(id: ShardId) -> ShardBuilder {
        ShardBuilder { id, held: BTreeMap::new(), marks: BTreeMap::new(), snapshot_accepted: false }
    }

    /// Takes in one state; `snapshot_moment_ms` when a whole snapshot contained it. An observation
    /// of another shard says nothing about this one and is left out.
    pub fn observe(&mut self, observation: Observation, snapshot_moment_ms: Option<i64>) {
        let item = observation.item;
        if item.key.account != self.id.account || item.key.region != self.id.region {
            return;
        }
        let seen_ms = seen_ms(&item.version, snapshot_moment_ms);
        let of_type = self.held.entry(item.key.resource_type.clone()).or_default();
        let id = item.key.id.clone();
        match merge(of_type.get(&id), Held { item, seen_ms }) {
            Merged::Replaced(held) | Merged::Seen(held) => {
                of_type.insert(id, held);
            }
            Merged::Stale => {}
        }
    }

    /// An item of the type, that is not wanted itself, is held.
    pub fn show(&mut self, resource_type: ResourceType) {
        self.held.entry(resource_type).or_default();
    }

    /// A snapshot of this moment is the whole truth about the type (semantics §10 row 3).
    pub fn mark(&mut self, resource_type: ResourceType, moment_ms: i64) {
        let mark = self.marks.entry(resource_type).or_insert(moment_ms);
        *mark = moment_ms.max(*mark);
    }

    /// A whole snapshot of this shard was accepted.
    pub fn accept_snapshot(&mut self) {
        self.snapshot_accepted = true;
    }

    /// The live items and what is known of their completeness.
    pub fn seal(self) -> Shard {
        let held_types: BTreeSet<ResourceType> = self.held.keys().cloned().collect();
        let recorder_tombstone = self
            .held
            .get(&ResourceType::CONFIGURATION_RECORDER)
            .is_some_and(|held| held.values().any(is_tombstone));
        let mut items = BTreeMap::new();
        for (resource_type, held) in self.held {
            let mark = self.marks.get(&resource_type).copied();
            let live: BTreeMap<_, _> = held
                .into_iter()
                .filter(|(_, held)| is_live(held, mark))
                .map(|(id, held)| (id, held.item.shown()))
                .collect();
            if !live.is_empty() {
                items.insert(resource_type, live);
            }
        }
        let recorder_deleted =
            recorder_tombstone && !items.contains_key(&ResourceType::CONFIGURATION_RECORDER);
        Shard {
            id: self.id,
            items,
            held_types,
            snapshot_accepted: self.snapshot_accepted,
            recorder_deleted,
            received_ms: None,
        }
    }
}

fn is_tombstone(held: &Held) -> bool {
    held.item.is_tombstone()
}

/// The moment at which a delivery shows a state: its capture time, or that of the snapshot that
/// still contains it, whichever is later.
pub fn seen_ms(version: &super::Version, snapshot_moment_ms: Option<i64>) -> i64 {
    snapshot_moment_ms.map_or(version.captured_ms, |moment| moment.max(version.captured_ms))
}
