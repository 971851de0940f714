//! A delivery made ready to be taken in: all that can be done before its turn to write comes, so
//! that writers wait for each other's statements alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Encoded, Missed, OfType};

/// What a delivery says, by shard.
pub struct Prepared<'a> {
    pub moment_ms: Option<i64>,
    pub shards: BTreeMap<&'a ShardId, Spoken<'a>>,
    /// What it did not give.
    pub missed: &'a [Missed],
}

/// What a delivery says of one shard.
#[derive(Default)]
pub struct Spoken<'a> {
    /// Ascending by type, so that rows are written where the last one was.
    pub types: Vec<OfType<'a>>,
    pub covers: Option<&'a BTreeSet<ResourceType>>,
    /// A whole snapshot holds an item of these.
    pub holds: Option<&'a BTreeSet<ResourceType>>,
    /// A source listed these completely, as of a moment each.
    pub lists: Option<&'a BTreeMap<ResourceType, i64>>,
    /// It is the whole snapshot of this shard.
    pub snapshot: bool,
    /// The newest moment that it tells of the shard itself.
    pub own_ms: Option<i64>,
    /// The newest that it tells by `global` items, which come in any Region's delivery.
    pub global_ms: Option<i64>,
}

/// The observations of a delivery, all of them encoded.
pub fn encoded(delivery: &Delivery) -> Cow<'_, Encoded> {
    let mut encoded = Cow::Borrowed(&delivery.encoded);
    for observation in &delivery.observations {
        encoded.to_mut().push(observation);
    }
    encoded
}

impl<'a> Prepared<'a> {
    /// `encoded` are the delivery's observations.
    pub fn of(delivery: &'a Delivery, encoded: &'a Encoded) -> Prepared<'a> {
        let moment_ms = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
        let mut shards: BTreeMap<&ShardId, Spoken<'_>> = BTreeMap::new();
        for of_type in encoded.by_type() {
            let spoken = shards.entry(of_type.shard).or_default();
            // What is only believed to be of the receipt tells no moment.
            for item in of_type.items.iter().filter(|item| !item.is_ahead) {
                // Of another Region's items a snapshot tells no more than when they were captured.
                let seen_ms = item.seen_ms(moment_ms.filter(|_| item.global));
                let newest = if item.global { &mut spoken.global_ms } else { &mut spoken.own_ms };
                *newest = (*newest).max(Some(seen_ms));
            }
            spoken.types.push(of_type);
        }
        if let Some(snapshot) = &delivery.snapshot {
            for (shard, types) in &snapshot.covers {
                shards.entry(shard).or_default().covers = Some(types);
            }
            for (shard, types) in &snapshot.holds {
                shards.entry(shard).or_default().holds = Some(types);
            }
            if let Some(shard) = &snapshot.shard {
                let spoken = shards.entry(shard).or_default();
                spoken.snapshot = true;
                spoken.own_ms = spoken.own_ms.max(moment_ms);
            }
        }
        for (shard, types) in &delivery.listings {
            let spoken = shards.entry(shard).or_default();
            spoken.lists = Some(types);
            spoken.own_ms = spoken.own_ms.max(types.values().max().copied());
        }
        Prepared { moment_ms, shards, missed: &delivery.missed }
    }
}

impl Spoken<'_> {
    pub fn rows(&self) -> usize {
        self.types.iter().map(|of_type| of_type.items.len()).sum()
    }
}
