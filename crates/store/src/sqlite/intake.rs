//! Taking in one delivery: what is held moves by core's rules, and what follows is marked due.
//!
//! Nothing is forgotten when a snapshot shows a resource to be gone: its row stays with
//! [`State::Gone`] until it expires, as tombstones do. So what is held is a function of the set of
//! deliveries taken in, never of their order.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{
    Delivery, Held, ItemKey, Merged, Observation, is_live, merge, seen_ms,
};
use rusqlite::Transaction;

use crate::{Accepted, Result, StoreError};

use super::changes::Log;
use super::held::{self, Coverage, ShardRow, State};
use super::protections::Served;
use super::{control, readers, sequence, work};

/// A delivery that changes nothing marks nothing, unless the one before it is older than this:
/// then the shard may have been judged stale since, and is judged again. No longer than any
/// interval at which AWS Config delivers snapshots, so any setting of staleness that makes sense
/// is longer.
const RECENT_MS: i64 = 60 * 60 * 1000;

pub(super) fn accept(
    tx: &Transaction<'_>,
    delivery: &Delivery,
    received_ms: i64,
) -> Result<Accepted> {
    let sequence = sequence::next(tx)?;
    let moment = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
    let mut accepted = Accepted::default();
    for (id, spoken) in by_shard(delivery) {
        if !control::is_member(tx, &id.account)? {
            accepted.strangers =
                accepted.strangers.saturating_add(spoken.observations.len() as u64);
        }
        let mut shard = Intake::open(tx, id)?;
        for observation in &spoken.observations {
            shard.observe(observation, moment, &mut accepted)?;
        }
        if let Some(moment) = moment {
            for resource_type in spoken.covers.into_iter().flatten() {
                shard.cover(resource_type, moment, &mut accepted)?;
            }
        }
        shard.close(&spoken, sequence, received_ms)?;
    }
    Ok(accepted)
}

/// What a delivery says of one shard.
#[derive(Default)]
struct Spoken<'a> {
    /// Ascending by key, then in file order: rows are written where the last one was.
    observations: Vec<&'a Observation>,
    covers: Option<&'a BTreeSet<ResourceType>>,
    /// It is the whole snapshot of this shard.
    snapshot: bool,
    /// It says more of the shard than `global` items, which come in any Region's delivery.
    own: bool,
}

fn by_shard(delivery: &Delivery) -> BTreeMap<ShardId, Spoken<'_>> {
    let mut observations: Vec<&Observation> = delivery.observations.iter().collect();
    observations.sort_by(|a, b| a.item.key.cmp(&b.item.key));
    let mut shards: BTreeMap<ShardId, Spoken<'_>> = BTreeMap::new();
    let same = |a: &&Observation, b: &&Observation| {
        a.item.key.account == b.item.key.account && a.item.key.region == b.item.key.region
    };
    for group in observations.chunk_by(same) {
        let Some(first) = group.first() else { continue };
        let spoken = shards.entry(first.item.key.shard()).or_default();
        spoken.own = group.iter().any(|observation| !observation.global);
        spoken.observations = group.to_vec();
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
    shards
}

/// One shard while a delivery is taken in.
struct Intake<'t> {
    tx: &'t Transaction<'t>,
    id: ShardId,
    before: ShardRow,
    coverage_before: BTreeMap<ResourceType, Coverage>,
    coverage: BTreeMap<ResourceType, Coverage>,
    /// Whether anybody reads items of this shard from outside.
    is_referenced: bool,
    /// Items whose change readers must be told of.
    told: BTreeSet<ItemKey>,
    /// Other shards of the account that read what changed.
    served: Served,
    /// Whether what is judged changed.
    changed: bool,
    /// Whether what is known of the shard as a whole did: it is judged whole.
    is_whole: bool,
    /// The items that did.
    log: Log,
}

impl<'t> Intake<'t> {
    fn open(tx: &'t Transaction<'t>, id: ShardId) -> Result<Intake<'t>> {
        let coverage = held::coverage(tx, &id)?;
        Ok(Intake {
            tx,
            before: held::shard_row(tx, &id)?.unwrap_or_default(),
            coverage_before: coverage.clone(),
            coverage,
            is_referenced: readers::any_of(tx, &id)?,
            told: BTreeSet::new(),
            served: Served::open(tx, &id)?,
            changed: false,
            is_whole: false,
            log: Log::default(),
            id,
        })
    }

    fn observe(
        &mut self,
        observation: &Observation,
        moment: Option<i64>,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let item = &observation.item;
        let resource_type = &item.key.resource_type;
        let coverage = self.coverage.entry(resource_type.clone()).or_default();
        coverage.held = true;
        let mark = coverage.mark_ms;
        let held = held::item(self.tx, &item.key)?;
        let was_live = held.as_ref().is_some_and(|held| is_live(held, mark));
        let incoming = Held { item: item.clone(), seen_ms: seen_ms(&item.version, moment) };
        let (state, news) = match merge(held.as_ref(), incoming) {
            Merged::Replaced(now) => {
                let state = State::of(&now, mark);
                held::put_item(self.tx, &now, state)?;
                let is_shown = match &held {
                    Some(before) if was_live && state == State::Live => shows_other(before, &now),
                    _ => state != State::Gone,
                };
                (state, is_shown)
            }
            Merged::Seen(held) => {
                let state = State::of(&held, mark);
                held::see_item(self.tx, &held, state)?;
                (state, state == State::Live && !was_live)
            }
            Merged::Stale => (State::Gone, false),
        };
        match (news, state) {
            (false, _) | (true, State::Gone) => add(&mut accepted.stale),
            (true, State::Deleted) => add(&mut accepted.deleted),
            (true, State::Live) => {
                add(accepted.accepted.entry(resource_type.clone()).or_default());
            }
        }
        // The tombstone of what was not there changes nothing that is judged, but for a recorder's:
        // it tells why the shard is not recorded.
        let is_judged = was_live
            || state == State::Live
            || *resource_type == ResourceType::CONFIGURATION_RECORDER;
        if news && is_judged {
            if Served::concerns(resource_type) {
                self.served.note(item);
                held.iter().for_each(|held| self.served.note(&held.item));
            }
            self.change(item.key.clone(), held.as_ref().filter(|_| was_live));
        }
        Ok(())
    }

    /// A snapshot of this moment is the whole truth about the type: what was last seen before is
    /// gone.
    fn cover(
        &mut self,
        resource_type: &ResourceType,
        moment: i64,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let coverage = self.coverage.entry(resource_type.clone()).or_default();
        if coverage.mark_ms.is_some_and(|mark| mark >= moment) {
            return Ok(());
        }
        coverage.mark_ms = Some(moment);
        for id in held::sweep(self.tx, &self.id, resource_type, moment)? {
            add(&mut accepted.deleted);
            let key = ItemKey {
                account: self.id.account.clone(),
                region: self.id.region.clone(),
                resource_type: resource_type.clone(),
                id,
            };
            let gone = self.what_went(&key)?;
            if Served::concerns(resource_type) {
                gone.iter().for_each(|held| self.served.note(&held.item));
            }
            self.change(key, gone.as_ref());
        }
        Ok(())
    }

    /// What was held of an item that a snapshot shows to be gone, where anybody asks.
    fn what_went(&mut self, key: &ItemKey) -> Result<Option<Held>> {
        let is_served = Served::concerns(&key.resource_type);
        if !is_served && self.log.is_over() {
            return Ok(None);
        }
        match held::item(self.tx, key) {
            // Nobody can tell what it was, but all the same that it is gone.
            Err(StoreError::Damaged { .. }) if !is_served => {
                self.is_whole = true;
                Ok(None)
            }
            held => held,
        }
    }

    /// An item changes, of which this was held while it was live.
    fn change(&mut self, key: ItemKey, before: Option<&Held>) {
        self.changed = true;
        // What recorders tell is of the whole shard, and a deleted one is known by its tombstone.
        self.is_whole |= key.resource_type == ResourceType::CONFIGURATION_RECORDER;
        self.log.note(&key, before);
        if self.is_referenced {
            self.told.insert(key);
        }
    }

    /// Writes what is known of the shard and marks what follows.
    fn close(mut self, spoken: &Spoken<'_>, sequence: u64, received_ms: i64) -> Result<()> {
        self.put_coverage()?;
        let mut after = self.before;
        after.snapshot_accepted |= spoken.snapshot;
        self.is_whole |= after.snapshot_accepted != self.before.snapshot_accepted;
        self.changed |= self.is_whole;
        let receipt =
            if spoken.own { &mut after.received_ms } else { &mut after.global_received_ms };
        *receipt = Some(receipt.map_or(received_ms, |before| before.max(received_ms)));
        held::put_shard_row(self.tx, &self.id, &after, self.changed.then_some(sequence))?;
        if self.is_whole || self.log.is_over() || self.may_have_been_stale(&after) {
            work::mark(self.tx, &self.id, None, sequence, received_ms)?;
        } else if self.changed {
            self.log.write(self.tx, &self.id, sequence)?;
            work::mark_changes(self.tx, &self.id, sequence, received_ms)?;
        }
        for key in &self.told {
            readers::mark_of_item(self.tx, key, sequence, received_ms)?;
        }
        if self.changed {
            self.served.mark(self.tx, &self.id, sequence, received_ms)?;
        }
        Ok(())
    }

    fn may_have_been_stale(&self, after: &ShardRow) -> bool {
        match (self.before.counted_ms(), after.counted_ms()) {
            (Some(before), Some(after)) => after.saturating_sub(before) > RECENT_MS,
            (None, _) => true,
            (Some(_), None) => false,
        }
    }

    fn put_coverage(&mut self) -> Result<()> {
        for (resource_type, coverage) in &self.coverage {
            let before = self.coverage_before.get(resource_type).copied().unwrap_or_default();
            if before != *coverage {
                held::put_coverage(self.tx, &self.id, resource_type, *coverage)?;
            }
            // A type that is held for the first time is known from now on.
            self.is_whole |= coverage.held && !before.held;
        }
        Ok(())
    }
}

/// Whether anything is known otherwise now: a late deletion below a later state without a body is
/// kept and changes nothing.
fn shows_other(before: &Held, now: &Held) -> bool {
    now.item.unseen_since.is_none() || before.item.clone().shown() != now.item.clone().shown()
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}
