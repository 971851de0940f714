//! Rows of the inventory: what is held of items, types and shards.

use std::collections::BTreeMap;

use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{
    Age, Held, ItemDecodeError, ItemKey, decode_item, encode_item, is_live_unless,
};
use rusqlite::params;
use rusqlite::types::{ToSql, ToSqlOutput};

use crate::{InventoryAges, Result};

use super::columns::{damaged, get, ident};
use super::log::Transaction;
use super::sums::sound;

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
    pub(super) fn of(held: &Held, mark_ms: Option<i64>) -> State {
        State::of_item(held.item.is_tombstone(), held.seen_ms, mark_ms)
    }

    /// By core's rule ([`is_live_unless`]).
    pub(super) fn of_item(is_tombstone: bool, seen_ms: i64, mark_ms: Option<i64>) -> State {
        if is_live_unless(is_tombstone, seen_ms, mark_ms) {
            State::Live
        } else if is_tombstone {
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

// Items.

/// What a look for a resource's row finds.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, nearly always the large one"
)]
pub(super) enum Row {
    /// None.
    Absent,
    /// A state, live or not.
    Held(Held),
    /// One of another version's layout: what it tells nobody knows. Delivering it again is the cure.
    Foreign,
}

impl Row {
    pub(super) fn held(&self) -> Option<&Held> {
        match self {
            Row::Held(held) => Some(held),
            Row::Absent | Row::Foreign => None,
        }
    }
}

/// What is held of a resource.
pub(super) fn item(tx: &Transaction<'_>, key: &ItemKey) -> Result<Row> {
    row(tx, key)?.map_or(Ok(Row::Absent), |stored| stored.decoded(key))
}

/// An item's row as it lies in the store.
pub(super) struct Stored {
    pub(super) body: Vec<u8>,
    pub(super) seen_ms: i64,
}

impl Stored {
    pub(super) fn decoded(&self, key: &ItemKey) -> Result<Row> {
        match decode_item(key, &self.body) {
            Ok(item) => Ok(Row::Held(Held { item, seen_ms: self.seen_ms })),
            Err(ItemDecodeError::Layout { .. }) => Ok(Row::Foreign),
            Err(error @ ItemDecodeError::Damaged(_)) => Err(damaged("item", error)),
        }
    }
}

/// The row of a resource.
pub(super) fn row(tx: &Transaction<'_>, key: &ItemKey) -> Result<Option<Stored>> {
    let mut statement = tx.prepare_cached(
        "SELECT body, seen_ms,
           sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4",
    )?;
    let mut rows = statement.query([
        key.account.as_str(),
        key.region.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
    ])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 2, "item")?;
    Ok(Some(Stored { body: get(row, 0, "item")?, seen_ms: get(row, 1, "item")? }))
}

/// Keeps a state in place of the one before.
pub(super) fn put_item(tx: &Transaction<'_>, held: &Held, state: State) -> Result<()> {
    let key = &held.item.key;
    let mut statement = tx.prepare_cached(
        "INSERT OR REPLACE INTO items (account, region, type, id, state, seen_ms, body, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7))",
    )?;
    statement.execute(params![
        key.account.as_str(),
        key.region.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
        state,
        held.seen_ms,
        encode_item(&held.item)
    ])?;
    Ok(())
}

/// Moves the moment at which the held state was last seen.
pub(super) fn see_item(
    tx: &Transaction<'_>,
    key: &ItemKey,
    seen_ms: i64,
    state: State,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "UPDATE items SET state = ?5, seen_ms = ?6,
           sum = CASE WHEN sum IS row_sum(account, region, type, id, state, seen_ms, body)
             THEN row_sum(account, region, type, id, ?5, ?6, body) END
         WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4",
    )?;
    statement.execute(params![
        key.account.as_str(),
        key.region.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
        state,
        seen_ms
    ])?;
    Ok(())
}

/// Turns live items of a type that were last seen before the mark into gone ones; answers which.
pub(super) fn sweep(
    tx: &Transaction<'_>,
    shard: &ShardId,
    resource_type: &ResourceType,
    mark_ms: i64,
) -> Result<Vec<ResourceId>> {
    // Mostly there are none, and then an UPDATE with RETURNING would make its table for nothing.
    let mut statement = tx.prepare_cached(
        "SELECT id FROM items
         WHERE account = ?1 AND region = ?2 AND type = ?3 AND state = ?4 AND seen_ms < ?5",
    )?;
    let mut rows = statement.query(params![
        shard.account.as_str(),
        shard.region.as_str(),
        resource_type.as_str(),
        State::Live,
        mark_ms
    ])?;
    let mut gone: Vec<ResourceId> = Vec::new();
    while let Some(row) = rows.next()? {
        gone.push(ident(row, 0, "item")?);
    }
    drop(rows);
    let mut statement = tx.prepare_cached(
        "UPDATE items SET state = ?5,
           sum = CASE WHEN sum IS row_sum(account, region, type, id, state, seen_ms, body)
             THEN row_sum(account, region, type, id, ?5, seen_ms, body) END
         WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4",
    )?;
    for id in &gone {
        statement.execute(params![
            shard.account.as_str(),
            shard.region.as_str(),
            resource_type.as_str(),
            id.as_str(),
            State::Gone
        ])?;
    }
    Ok(gone)
}

// Types.

/// What is known of a type in a shard.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(super) struct Coverage {
    /// An item of the type, live or not, was accepted. Stays, whatever expires.
    pub(super) held: bool,
    /// Moment of the newest snapshot or listing that is the whole truth about the type.
    pub(super) mark_ms: Option<i64>,
    /// Moment of the newest whole snapshot that held an item of it.
    pub(super) snapshot_ms: Option<i64>,
    /// Moment of the newest complete listing of it.
    pub(super) listed_ms: Option<i64>,
}

/// Which coverage is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Of {
    All,
    /// That of types which some source listed; a store without such sources answers without a look
    /// at the others.
    Listed,
}

/// All types of a shard of which anything is known.
pub(super) fn coverage(
    tx: &Transaction<'_>,
    shard: &ShardId,
    which: Of,
) -> Result<BTreeMap<ResourceType, Coverage>> {
    const COVERAGE: &str = "coverage row";
    let mut statement = tx.prepare_cached(match which {
        Of::All => {
            "SELECT type, held, mark_ms, snapshot_ms, listed_ms,
               sum IS row_sum(account, region, type, held, mark_ms, snapshot_ms, listed_ms)
             FROM coverage WHERE account = ?1 AND region = ?2"
        }
        Of::Listed => {
            "SELECT type, held, mark_ms, snapshot_ms, listed_ms,
               sum IS row_sum(account, region, type, held, mark_ms, snapshot_ms, listed_ms)
             FROM coverage WHERE account = ?1 AND region = ?2 AND listed_ms IS NOT NULL"
        }
    })?;
    let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
    let mut types = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 5, COVERAGE)?;
        let coverage = Coverage {
            held: get(row, 1, COVERAGE)?,
            mark_ms: get(row, 2, COVERAGE)?,
            snapshot_ms: get(row, 3, COVERAGE)?,
            listed_ms: get(row, 4, COVERAGE)?,
        };
        types.insert(ident(row, 0, COVERAGE)?, coverage);
    }
    Ok(types)
}

/// Keeps what is known of a type.
pub(super) fn put_coverage(
    tx: &Transaction<'_>,
    shard: &ShardId,
    resource_type: &ResourceType,
    coverage: Coverage,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT OR REPLACE INTO coverage
           (account, region, type, held, mark_ms, snapshot_ms, listed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        shard.account.as_str(),
        shard.region.as_str(),
        resource_type.as_str(),
        coverage.held,
        coverage.mark_ms,
        coverage.snapshot_ms,
        coverage.listed_ms
    ])?;
    Ok(())
}

// Shards.

/// What is known of a shard as a whole.
#[derive(Clone, Copy, Default)]
pub(super) struct ShardRow {
    /// A whole snapshot of it was accepted.
    pub(super) snapshot_accepted: bool,
    /// By what is told of the shard itself.
    pub(super) own: Age,
    /// By `global` items, which come in any Region's delivery.
    pub(super) global: Age,
}

impl ShardRow {
    /// The moment from which staleness counts. A delivery of another Region says nothing of what is
    /// not `global`: it counts only where nothing was told of the shard itself.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        self.own.newest_ms.or(self.global.newest_ms)
    }
}

/// The row of a shard, `None` when nothing was ever delivered for it.
pub(super) fn shard_row(tx: &Transaction<'_>, shard: &ShardId) -> Result<Option<ShardRow>> {
    let mut statement = tx.prepare_cached(
        "SELECT snapshot_accepted, newest_ms, ahead_ms, global_newest_ms, global_ahead_ms,
           sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
             ahead_ms, global_ahead_ms)
         FROM shards WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 5, "shard")?;
    Ok(Some(ShardRow {
        snapshot_accepted: get(row, 0, "shard")?,
        own: Age { newest_ms: get(row, 1, "shard")?, ahead_ms: get(row, 2, "shard")? },
        global: Age { newest_ms: get(row, 3, "shard")?, ahead_ms: get(row, 4, "shard")? },
    }))
}

/// The newest moment told of each shard of a Region, of the accounts after one through another.
pub(super) fn newest_each_ms(
    tx: &Transaction<'_>,
    region: &Region,
    after: Option<&AccountId>,
    through: &AccountId,
) -> Result<Vec<(AccountId, i64)>> {
    let mut statement = tx.prepare_cached(
        "SELECT account, coalesce(newest_ms, global_newest_ms),
           sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
             ahead_ms, global_ahead_ms)
         FROM shards WHERE account > ?1 AND account <= ?2 AND region = ?3 ORDER BY account",
    )?;
    let after = after.map_or("", AccountId::as_str);
    let mut rows = statement.query([after, through.as_str(), region.as_str()])?;
    let mut newest = Vec::new();
    while let Some(row) = rows.next()? {
        sound(row, 2, "shard")?;
        if let Some(newest_ms) = get(row, 1, "shard")? {
            newest.push((ident(row, 0, "shard")?, newest_ms));
        }
    }
    Ok(newest)
}

/// How old the shards of the organization's accounts are.
pub(super) fn ages(tx: &Transaction<'_>) -> Result<InventoryAges> {
    let mut statement = tx.prepare_cached(
        "SELECT count(newest), min(newest), max(newest), ifnull(min(is_sound), 1) FROM (
           SELECT coalesce(newest_ms, global_newest_ms) AS newest,
             sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
               ahead_ms, global_ahead_ms) AS is_sound
           FROM shards WHERE account IN (SELECT account FROM accounts))",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(InventoryAges::default()) };
    sound(row, 3, "shard")?;
    Ok(InventoryAges {
        shards: get(row, 0, "shard")?,
        oldest_ms: get(row, 1, "shard")?,
        newest_ms: get(row, 2, "shard")?,
    })
}

/// Sequence of the last change of a shard's facts.
pub(super) fn last_change(tx: &Transaction<'_>, shard: &ShardId) -> Result<u64> {
    let mut statement = tx.prepare_cached(
        "SELECT changed,
           sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
             ahead_ms, global_ahead_ms)
         FROM shards WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(0) };
    sound(row, 1, "shard")?;
    get(row, 0, "shard")
}

/// Keeps a shard's row; `changed` is the sequence of the change of its facts, if there was one.
pub(super) fn put_shard_row(
    tx: &Transaction<'_>,
    shard: &ShardId,
    row: &ShardRow,
    changed: Option<u64>,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO shards
           (account, region, snapshot_accepted, newest_ms, ahead_ms, global_newest_ms,
            global_ahead_ms, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?8, 0))
         ON CONFLICT (account, region) DO UPDATE SET
           snapshot_accepted = excluded.snapshot_accepted,
           newest_ms = excluded.newest_ms,
           ahead_ms = excluded.ahead_ms,
           global_newest_ms = excluded.global_newest_ms,
           global_ahead_ms = excluded.global_ahead_ms,
           changed = coalesce(?8, changed)",
    )?;
    statement.execute(params![
        shard.account.as_str(),
        shard.region.as_str(),
        row.snapshot_accepted,
        row.own.newest_ms,
        row.own.ahead_ms,
        row.global.newest_ms,
        row.global.ahead_ms,
        changed
    ])?;
    Ok(())
}
