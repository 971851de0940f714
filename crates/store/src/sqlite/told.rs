//! A delivery made ready to be taken in: all that can be done before its turn to write comes, so
//! that writers wait for each other's statements alone.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Observation, append_item};

/// What a delivery says, by shard.
pub(super) struct Prepared<'a> {
    pub(super) moment_ms: Option<i64>,
    pub(super) shards: BTreeMap<ShardId, Spoken<'a>>,
    bodies: Vec<u8>,
}

/// What a delivery says of one shard.
#[derive(Default)]
pub(super) struct Spoken<'a> {
    /// Ascending by key, then in file order: rows are written where the last one was.
    pub(super) observations: Vec<Told<'a>>,
    pub(super) covers: Option<&'a BTreeSet<ResourceType>>,
    /// It is the whole snapshot of this shard.
    pub(super) snapshot: bool,
    /// It says more of the shard than `global` items, which come in any Region's delivery.
    pub(super) own: bool,
}

/// One observation.
pub(super) struct Told<'a> {
    pub(super) observation: &'a Observation,
    /// The delivery says more than this of the resource, and something of it before this.
    pub(super) again: bool,
    /// Where its item lies in the bodies.
    from: usize,
    to: usize,
}

impl<'a> Prepared<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Prepared<'a> {
        let mut observations: Vec<&Observation> = delivery.observations.iter().collect();
        observations.sort_by(|a, b| a.item.key.cmp(&b.item.key));
        let mut bodies = Vec::new();
        let mut before: Option<&Observation> = None;
        let mut told = |observation: &'a Observation| {
            let again = before.replace(observation);
            let again = again.is_some_and(|other| other.item.key == observation.item.key);
            let from = bodies.len();
            bodies = append_item(std::mem::take(&mut bodies), &observation.item);
            Told { observation, again, from, to: bodies.len() }
        };
        let mut shards: BTreeMap<ShardId, Spoken<'_>> = BTreeMap::new();
        let same = |a: &&Observation, b: &&Observation| {
            a.item.key.account == b.item.key.account && a.item.key.region == b.item.key.region
        };
        for group in observations.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            let spoken = shards.entry(first.item.key.shard()).or_default();
            spoken.own = group.iter().any(|observation| !observation.global);
            spoken.observations = group.iter().map(|observation| told(observation)).collect();
        }
        if let Some(snapshot) = &delivery.snapshot {
            for (shard, types) in &snapshot.covers {
                shards.entry(shard.clone()).or_default().covers = Some(types);
            }
            if let Some(shard) = &snapshot.shard {
                let spoken = shards.entry(shard.clone()).or_default();
                spoken.snapshot = true;
                spoken.own = true;
            }
        }
        let moment_ms = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
        Prepared { moment_ms, shards, bodies }
    }

    /// How many rows of items it may write.
    pub(super) fn rows(&self) -> usize {
        self.shards.values().map(|spoken| spoken.observations.len()).sum()
    }

    /// The item of an observation, as it is stored.
    pub(super) fn body(&self, told: &Told<'_>) -> &[u8] {
        self.bodies.get(told.from..told.to).unwrap_or_default()
    }
}
