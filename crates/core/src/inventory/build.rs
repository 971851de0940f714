//! Accumulates observations of one shard in memory, by exactly the rules a store applies.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};

use super::{
    Age, Assumed, Held, Merged, Missed, Observation, Shard, is_live, is_service_linked, merge,
    open_gaps, seen_ms,
};

/// A shard under construction. What [`ShardBuilder::seal`] gives depends on the set of what was
/// observed, marked and accepted, never on the order.
#[derive(Clone, Debug)]
pub struct ShardBuilder {
    id: ShardId,
    held: BTreeMap<ResourceType, BTreeMap<ResourceId, Held>>,
    marks: BTreeMap<ResourceType, i64>,
    snapshot_types: BTreeSet<ResourceType>,
    listed_types: BTreeSet<ResourceType>,
    snapshot_accepted: bool,
    missed: BTreeSet<Missed>,
    /// By what is told of it.
    own: Age,
    /// By `global` items alone, which come in any Region's delivery.
    global: Age,
}

impl ShardBuilder {
    /// A shard of which nothing is known yet.
    pub fn new(id: ShardId) -> ShardBuilder {
        ShardBuilder {
            id,
            held: BTreeMap::new(),
            marks: BTreeMap::new(),
            snapshot_types: BTreeSet::new(),
            listed_types: BTreeSet::new(),
            snapshot_accepted: false,
            missed: BTreeSet::new(),
            own: Age::default(),
            global: Age::default(),
        }
    }

    /// Takes in one state; `snapshot_moment_ms` when a whole snapshot contained it. An observation
    /// of another shard says nothing about this one and is left out.
    pub fn observe(&mut self, observation: Observation, snapshot_moment_ms: Option<i64>) {
        let Observation { item, global, is_ahead } = observation;
        if item.key.account != self.id.account || item.key.region != self.id.region {
            return;
        }
        let seen_ms = seen_ms(&item.version, snapshot_moment_ms);
        // A snapshot speaks at its moment of its own shard, which is heard apart, and of `global` items;
        // what it holds of another Region tells no more than when it was captured.
        if !is_ahead {
            self.hear(global, if global { seen_ms } else { item.version.captured_ms });
        }
        let of_type = self.held.entry(item.key.resource_type.clone()).or_default();
        let id = item.key.id.clone();
        match merge(of_type.get(&id), Held { item, seen_ms }) {
            Merged::Replaced(held) | Merged::Seen(held) => {
                of_type.insert(id, held);
            }
            Merged::Stale => {}
        }
    }

    /// A delivery tells of this moment; `global` when only of items that come in any Region's.
    pub fn hear(&mut self, global: bool, moment_ms: i64) {
        let age = if global { &mut self.global } else { &mut self.own };
        // Whoever judges the shard knows what time it is, and takes what lies ahead for now.
        age.hear(moment_ms, i64::MAX);
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

    /// A whole snapshot held an item of the type.
    pub fn contain(&mut self, resource_type: ResourceType) {
        self.snapshot_types.insert(resource_type);
    }

    /// A source listed all resources of the type at this moment: those not seen since are gone.
    pub fn list(&mut self, resource_type: ResourceType, moment_ms: i64) {
        self.listed_types.insert(resource_type.clone());
        self.hear(false, moment_ms);
        self.mark(resource_type, moment_ms);
    }

    /// A whole snapshot of this shard was accepted.
    pub fn accept_snapshot(&mut self) {
        self.snapshot_accepted = true;
    }

    /// Something was missed that may belong here. What is of another account or Region is left out.
    pub fn miss(&mut self, missed: Missed) {
        let ShardId { account, region } = &self.id;
        let is_here = missed.account.as_ref().is_none_or(|one: &AccountId| one == account)
            && missed.region.as_ref().is_none_or(|one: &Region| one == region);
        if is_here {
            self.missed.insert(missed);
        }
    }

    /// When the resource of an item that was missed was seen last here, milliseconds since the epoch.
    pub fn seen_ms(&self, missed: &Missed) -> Option<i64> {
        let id = missed.what.as_deref()?;
        let of = |resource_type: &ResourceType| self.held.get(resource_type)?.get(id);
        match &missed.resource_type {
            Some(resource_type) => of(resource_type).map(|held| held.seen_ms),
            None => self.held.keys().filter_map(of).map(|held| held.seen_ms).max(),
        }
    }

    /// The live items and what is known of their completeness.
    pub fn seal(self) -> Shard {
        let mark_ms = |resource_type: &ResourceType| self.marks.get(resource_type).copied();
        let open_gaps = open_gaps(&self.missed, mark_ms, |missed| self.seen_ms(missed));
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
        let mut shard = Shard {
            id: self.id,
            items,
            held_types,
            snapshot_types: self.snapshot_types,
            listed_types: self.listed_types,
            assumed: Assumed::Nothing,
            snapshot_accepted: self.snapshot_accepted,
            recorder_deleted: false,
            open_gaps,
            newest_ms: self.own.newest_ms.or(self.global.newest_ms),
        };
        shard.recorder_deleted = recorder_tombstone && shard.recorders().next().is_none();
        shard
    }
}

/// A deleted recorder, but for service-linked ones.
fn is_tombstone(held: &Held) -> bool {
    held.item.is_tombstone() && !is_service_linked(&held.item)
}
