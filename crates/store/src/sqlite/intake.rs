//! Taking in one delivery: what is held moves by core's rules, and what follows is marked due.
//!
//! Nothing is forgotten when a snapshot shows a resource to be gone: its row stays with
//! [`State::Gone`] until it expires, as tombstones do. So what is held is a function of the set of
//! deliveries taken in, never of their order.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{
    Body, Delivery, Held, ItemDecodeError, ItemKey, Merged, Observation, decode_item, encode_item,
    is_live, merge, seen_ms,
};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{Accepted, Result};

use super::columns::{damaged, get, ident};
use super::{control, readers, sequence, work};

/// A delivery that changes nothing marks nothing, unless the one before it is older than this:
/// then the shard may have been judged stale since, and is judged again. Shorter than any interval
/// at which AWS Config delivers snapshots.
pub(super) const RECENT_MS: i64 = 60 * 60 * 1000;

/// What an item's row counts as: a function of what is held and of its type's mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// There, as far as is known.
    Live,
    /// A tombstone.
    Deleted,
    /// A snapshot from after it was last seen does not contain it.
    Gone,
}

impl State {
    fn of(held: &Held, mark_ms: Option<i64>) -> State {
        if is_live(held, mark_ms) {
            State::Live
        } else if held.item.body == Body::Deleted {
            State::Deleted
        } else {
            State::Gone
        }
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            State::Live => 0_i64,
            State::Deleted => 1,
            State::Gone => 2,
        }))
    }
}

pub(super) fn accept(
    tx: &Transaction<'_>,
    delivery: &Delivery,
    received_ms: i64,
) -> Result<Accepted> {
    let sequence = sequence::next(tx)?;
    let moment = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
    let mut accepted = Accepted::default();
    for (id, spoken) in by_shard(delivery) {
        let mut shard = Intake::open(tx, id)?;
        if !control::is_member(tx, &shard.id.account)? {
            accepted.strangers =
                accepted.strangers.saturating_add(spoken.observations.len() as u64);
        }
        for observation in &spoken.observations {
            shard.observe(observation, moment, &mut accepted)?;
        }
        if let Some(moment) = moment {
            for resource_type in spoken.covers.into_iter().flatten() {
                shard.cover(resource_type, moment, &mut accepted)?;
            }
        }
        shard.snapshot_accepted |= spoken.snapshot;
        shard.close(spoken.own, sequence, received_ms)?;
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

/// What is known of a type in a shard.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
struct Coverage {
    held: bool,
    mark_ms: Option<i64>,
}

/// A row of `shards`.
#[derive(Clone, Copy, Default)]
struct ShardRow {
    snapshot_accepted: bool,
    received_ms: Option<i64>,
    global_received_ms: Option<i64>,
}

impl ShardRow {
    /// The receipt that staleness counts from.
    fn counted_ms(&self) -> Option<i64> {
        self.received_ms.or(self.global_received_ms)
    }
}

/// One shard while a delivery is taken in.
struct Intake<'t> {
    tx: &'t Transaction<'t>,
    id: ShardId,
    before: ShardRow,
    coverage_before: BTreeMap<ResourceType, Coverage>,
    coverage: BTreeMap<ResourceType, Coverage>,
    snapshot_accepted: bool,
    /// Whether anybody reads items of this shard from outside.
    is_referenced: bool,
    /// Items whose change readers must be told of.
    told: BTreeSet<ItemKey>,
    changed: bool,
}

impl<'t> Intake<'t> {
    fn open(tx: &'t Transaction<'t>, id: ShardId) -> Result<Intake<'t>> {
        let before = shard_row(tx, &id)?;
        let coverage = coverage(tx, &id)?;
        Ok(Intake {
            tx,
            before,
            coverage_before: coverage.clone(),
            coverage,
            snapshot_accepted: before.snapshot_accepted,
            is_referenced: readers::any_of(tx, &id)?,
            told: BTreeSet::new(),
            changed: false,
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
        let coverage = self.coverage.entry(item.key.resource_type.clone()).or_default();
        coverage.held = true;
        let mark = coverage.mark_ms;
        let held = self.held(&item.key)?;
        let was_live = held.as_ref().is_some_and(|held| is_live(held, mark));
        let incoming = Held { item: item.clone(), seen_ms: seen_ms(&item.version, moment) };
        let (state, news) = match merge(held.as_ref(), incoming) {
            Merged::Replaced(held) => {
                let state = State::of(&held, mark);
                self.put(&held, state)?;
                (state, was_live || state != State::Gone)
            }
            Merged::Seen(held) => {
                let state = State::of(&held, mark);
                self.see(&held, state)?;
                (state, !was_live && state == State::Live)
            }
            Merged::Stale => (State::Gone, false),
        };
        match (news, state) {
            (false, _) | (true, State::Gone) => add(&mut accepted.stale),
            (true, State::Deleted) => add(&mut accepted.deleted),
            (true, State::Live) => {
                add(accepted.accepted.entry(item.key.resource_type.clone()).or_default());
            }
        }
        if news {
            self.change(&item.key);
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
        let mut statement = self.tx.prepare_cached(
            "UPDATE items SET state = ?5
             WHERE account = ?1 AND region = ?2 AND type = ?3 AND state = ?4 AND seen_ms < ?6
             RETURNING id",
        )?;
        let mut rows = statement.query(params![
            self.id.account.as_str(),
            self.id.region.as_str(),
            resource_type.as_str(),
            State::Live,
            State::Gone,
            moment
        ])?;
        while let Some(row) = rows.next()? {
            let key = ItemKey {
                account: self.id.account.clone(),
                region: self.id.region.clone(),
                resource_type: resource_type.clone(),
                id: ident(row, 0, "item")?,
            };
            add(&mut accepted.deleted);
            self.changed = true;
            if self.is_referenced {
                self.told.insert(key);
            }
        }
        Ok(())
    }

    fn change(&mut self, key: &ItemKey) {
        self.changed = true;
        if self.is_referenced {
            self.told.insert(key.clone());
        }
    }

    fn held(&self, key: &ItemKey) -> Result<Option<Held>> {
        let mut statement = self.tx.prepare_cached(
            "SELECT body, seen_ms FROM items
             WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4",
        )?;
        let row: Option<(Vec<u8>, i64)> = statement
            .query_row(
                [
                    self.id.account.as_str(),
                    self.id.region.as_str(),
                    key.resource_type.as_str(),
                    key.id.as_str(),
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((body, seen_ms)) = row else { return Ok(None) };
        match decode_item(key, &body) {
            Ok(item) => Ok(Some(Held { item, seen_ms })),
            // Delivering it again is the cure for another version's layout.
            Err(ItemDecodeError::Layout { .. }) => Ok(None),
            Err(error @ ItemDecodeError::Damaged(_)) => Err(damaged("item", error)),
        }
    }

    fn put(&self, held: &Held, state: State) -> Result<()> {
        let mut statement = self.tx.prepare_cached(
            "INSERT OR REPLACE INTO items (account, region, type, id, state, seen_ms, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        statement.execute(params![
            self.id.account.as_str(),
            self.id.region.as_str(),
            held.item.key.resource_type.as_str(),
            held.item.key.id.as_str(),
            state,
            held.seen_ms,
            encode_item(&held.item)
        ])?;
        Ok(())
    }

    fn see(&self, held: &Held, state: State) -> Result<()> {
        let mut statement = self.tx.prepare_cached(
            "UPDATE items SET state = ?5, seen_ms = ?6
             WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4",
        )?;
        statement.execute(params![
            self.id.account.as_str(),
            self.id.region.as_str(),
            held.item.key.resource_type.as_str(),
            held.item.key.id.as_str(),
            state,
            held.seen_ms
        ])?;
        Ok(())
    }

    /// Writes what is known of the shard and marks what follows.
    fn close(mut self, own: bool, sequence: u64, received_ms: i64) -> Result<()> {
        self.put_coverage()?;
        let mut after = ShardRow { snapshot_accepted: self.snapshot_accepted, ..self.before };
        let receipt = if own { &mut after.received_ms } else { &mut after.global_received_ms };
        *receipt = Some(receipt.map_or(received_ms, |before| before.max(received_ms)));
        self.changed |= after.snapshot_accepted != self.before.snapshot_accepted;
        self.put_shard(&after, sequence)?;
        if self.changed || self.may_have_been_stale(&after) {
            work::mark(self.tx, &self.id, None, sequence, received_ms)?;
        }
        for key in &self.told {
            readers::mark_of_item(self.tx, key, sequence, received_ms)?;
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
        let mut statement = self.tx.prepare_cached(
            "INSERT OR REPLACE INTO coverage (account, region, type, held, mark_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (resource_type, coverage) in &self.coverage {
            let before = self.coverage_before.get(resource_type);
            if before == Some(coverage) {
                continue;
            }
            // A type that is held for the first time is known from now on.
            self.changed |= coverage.held && !before.is_some_and(|before| before.held);
            statement.execute(params![
                self.id.account.as_str(),
                self.id.region.as_str(),
                resource_type.as_str(),
                coverage.held,
                coverage.mark_ms
            ])?;
        }
        Ok(())
    }

    fn put_shard(&self, row: &ShardRow, sequence: u64) -> Result<()> {
        let mut statement = self.tx.prepare_cached(
            "INSERT INTO shards
               (account, region, snapshot_accepted, received_ms, global_received_ms, changed)
             VALUES (?1, ?2, ?3, ?4, ?5, iif(?6, ?7, 0))
             ON CONFLICT (account, region) DO UPDATE SET
               snapshot_accepted = excluded.snapshot_accepted,
               received_ms = excluded.received_ms,
               global_received_ms = excluded.global_received_ms,
               changed = iif(?6, ?7, changed)",
        )?;
        statement.execute(params![
            self.id.account.as_str(),
            self.id.region.as_str(),
            row.snapshot_accepted,
            row.received_ms,
            row.global_received_ms,
            self.changed,
            sequence
        ])?;
        Ok(())
    }
}

fn add(count: &mut u64) {
    *count = count.saturating_add(1);
}

fn shard_row(tx: &Transaction<'_>, id: &ShardId) -> Result<ShardRow> {
    let mut statement = tx.prepare_cached(
        "SELECT snapshot_accepted, received_ms, global_received_ms FROM shards
         WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([id.account.as_str(), id.region.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(ShardRow::default()) };
    Ok(ShardRow {
        snapshot_accepted: get(row, 0, "shard")?,
        received_ms: get(row, 1, "shard")?,
        global_received_ms: get(row, 2, "shard")?,
    })
}

fn coverage(tx: &Transaction<'_>, id: &ShardId) -> Result<BTreeMap<ResourceType, Coverage>> {
    let mut statement = tx.prepare_cached(
        "SELECT type, held, mark_ms FROM coverage WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([id.account.as_str(), id.region.as_str()])?;
    let mut types = BTreeMap::new();
    while let Some(row) = rows.next()? {
        const COVERAGE: &str = "coverage row";
        let coverage = Coverage { held: get(row, 1, COVERAGE)?, mark_ms: get(row, 2, COVERAGE)? };
        types.insert(ident(row, 0, COVERAGE)?, coverage);
    }
    Ok(types)
}
