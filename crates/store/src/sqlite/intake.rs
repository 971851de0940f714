//! Taking in one delivery: what is held moves by core's rules, and what follows is marked due.
//!
//! Nothing is forgotten when a snapshot shows a resource to be gone: its row stays with
//! [`State::Gone`] until it expires, as tombstones do. So what is held is a function of the set of
//! deliveries taken in, never of their order.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Held, ItemKey, Merged, is_live, merge, seen_ms};

use crate::{Accepted, Result, StoreError};

use super::changes::{self, Log};
use super::held::{self, Coverage, ItemInsert, Row, ShardRow, State};
use super::protections::Served;
use super::told::{Prepared, Spoken, Told};
use super::writer::Transaction;
use super::{control, readers, sequence, work};

/// A delivery that changes nothing marks nothing, unless the one before it is older than this:
/// then the shard may have been judged stale since, and is judged again. No longer than any
/// interval at which AWS Config delivers snapshots, so any setting of staleness that makes sense
/// is longer.
const RECENT_MS: i64 = 60 * 60 * 1000;

pub(super) fn accept(
    tx: &Transaction<'_>,
    delivery: &Prepared<'_>,
    received_ms: i64,
) -> Result<Accepted> {
    let sequence = sequence::next(tx)?;
    let moment = delivery.moment_ms;
    let mut accepted = Accepted::default();
    for (id, spoken) in &delivery.shards {
        if !control::is_member(tx, &id.account)? {
            accepted.strangers =
                accepted.strangers.saturating_add(spoken.observations.len() as u64);
        }
        let mut shard = Intake::open(tx, id.clone())?;
        for told in &spoken.observations {
            shard.observe(told, delivery.body(told), moment, &mut accepted)?;
        }
        if let Some(moment) = moment {
            for resource_type in spoken.covers.into_iter().flatten() {
                shard.cover(resource_type, moment, &mut accepted)?;
            }
        }
        shard.close(spoken, sequence, received_ms)?;
    }
    Ok(accepted)
}

/// One shard while a delivery is taken in.
struct Intake<'t> {
    tx: &'t Transaction<'t>,
    id: ShardId,
    insert: ItemInsert<'t>,
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
            insert: ItemInsert::into_items(tx)?,
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
        told: &Told<'_>,
        body: &[u8],
        moment: Option<i64>,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let item = &told.observation.item;
        let resource_type = &item.key.resource_type;
        let coverage = self.coverage.entry(resource_type.clone()).or_default();
        coverage.held = true;
        let mark = coverage.mark_ms;
        if !told.again && !self.held_before(resource_type) {
            return self.observe_first(told, body, mark, moment, accepted);
        }
        let row = held::item(self.tx, &item.key)?;
        let is_foreign = matches!(row, Row::Foreign);
        let held = row.held();
        let was_live = held.is_some_and(|held| is_live(held, mark));
        let incoming = Held { item: item.clone(), seen_ms: seen_ms(&item.version, moment) };
        let (state, news) = match merge(held, incoming) {
            Merged::Replaced(now) => {
                let state = State::of(&now, mark);
                held::put_item(self.tx, &now, state)?;
                let is_shown = match held {
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
        count(accepted, resource_type, news, state);
        // The tombstone of what was not there changes nothing that is judged, but for a recorder's:
        // it tells why the shard is not recorded.
        let is_judged = was_live
            || is_foreign
            || state == State::Live
            || *resource_type == ResourceType::CONFIGURATION_RECORDER;
        if news && is_judged {
            if Served::concerns(resource_type) {
                self.served.note(item);
                held.iter().for_each(|held| self.served.note(&held.item));
            }
            // What it was when the shard was judged is not known any more.
            self.is_whole |= is_foreign;
            self.change(&item.key, held.filter(|_| was_live));
        }
        Ok(())
    }

    /// Whether anything was held of the type when the delivery came. What it says itself of it is
    /// not held before.
    fn held_before(&self, resource_type: &ResourceType) -> bool {
        self.coverage_before.get(resource_type).is_some_and(|before| before.held)
    }

    /// As [`Intake::observe`], of a resource that nothing is held of: no row of its type is in the
    /// store, so there is none to look for.
    fn observe_first(
        &mut self,
        told: &Told<'_>,
        body: &[u8],
        mark: Option<i64>,
        moment: Option<i64>,
        accepted: &mut Accepted,
    ) -> Result<()> {
        let item = &told.observation.item;
        let resource_type = &item.key.resource_type;
        let seen_ms = seen_ms(&item.version, moment);
        let state = State::of_item(item, seen_ms, mark);
        self.insert.put(&item.key, state, seen_ms, body)?;
        count(accepted, resource_type, state != State::Gone, state);
        let tells_of_recording = *resource_type == ResourceType::CONFIGURATION_RECORDER;
        // A type that is held for the first time is known from now on.
        self.is_whole = true;
        if state == State::Live || state == State::Deleted && tells_of_recording {
            if Served::concerns(resource_type) {
                self.served.note(item);
            }
            self.change(&item.key, None);
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
        if !self.held_before(resource_type) {
            // All that is held of it is of this snapshot.
            return Ok(());
        }
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
            self.change(&key, gone.as_ref());
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
            Ok(Row::Held(held)) => return Ok(Some(held)),
            Ok(Row::Absent | Row::Foreign) => {}
            Err(StoreError::Damaged { .. }) if !is_served => {}
            Err(error) => return Err(error),
        }
        // Nobody can tell what it was, but all the same that it is gone.
        self.is_whole = true;
        Ok(None)
    }

    /// An item changes, of which this was held while it was live.
    fn change(&mut self, key: &ItemKey, before: Option<&Held>) {
        self.changed = true;
        // What recorders tell is of the whole shard, and a deleted one is known by its tombstone.
        self.is_whole |= key.resource_type == ResourceType::CONFIGURATION_RECORDER;
        if !self.is_whole {
            self.log.note(key, before);
        }
        if self.is_referenced {
            self.told.insert(key.clone());
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
        let is_whole = self.is_whole
            || self.log.is_over()
            || self.may_have_been_stale(&after)
            || (self.changed && changes::are_many(self.tx, &self.id)?);
        if is_whole {
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

/// Counts what became of one observation.
fn count(accepted: &mut Accepted, resource_type: &ResourceType, news: bool, state: State) {
    match (news, state) {
        (false, _) | (true, State::Gone) => add(&mut accepted.stale),
        (true, State::Deleted) => add(&mut accepted.deleted),
        (true, State::Live) => match accepted.accepted.get_mut(resource_type) {
            Some(known) => add(known),
            None => {
                accepted.accepted.insert(resource_type.clone(), 1);
            }
        },
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}
