//! Which items of a shard changed since it was judged, and what they were then.
//!
//! A row is what an item was before one delivery. Unless the shard is due whole, the oldest row of an
//! item is what it was when the shard was judged. Settling takes away the rows that were judged, and
//! no later ones.

use std::collections::BTreeMap;

use palisade_core::evaluate::Changed;
use palisade_core::ident::{ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Held, Item, ItemKey, encode_item};
use rusqlite::{Row, params};

use crate::{CHANGES_MAX, Result, Revision};

use super::columns::{ident, limit};
use super::items::{decoded, live_item};
use super::log::Transaction;
use super::sums::sound;

const CHANGE: &str = "change of an item";

/// Changes of one shard's items by one delivery, as far as they are judged one by one.
#[derive(Default)]
pub(super) struct Log {
    /// By type and id, what the item was; `None`: it was not live. Of what cannot be told nothing is
    /// logged: the shard is judged whole then.
    before: BTreeMap<(ResourceType, ResourceId), Option<Vec<u8>>>,
    /// There are more than [`CHANGES_MAX`].
    is_over: bool,
}

impl Log {
    /// An item changes; `before` is what is held of it while it was live.
    pub(super) fn note(&mut self, key: &ItemKey, before: Option<&Held>) {
        let key = (key.resource_type.clone(), key.id.clone());
        if self.is_over || self.before.contains_key(&key) {
            return;
        }
        if self.before.len() >= CHANGES_MAX {
            self.is_over = true;
            self.before.clear();
            return;
        }
        self.before.insert(key, before.map(|held| encode_item(&held.item)));
    }

    /// Whether the shard has to be judged whole.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Keeps what the items were before the delivery of this sequence.
    pub(super) fn write(&self, tx: &Transaction<'_>, shard: &ShardId, sequence: u64) -> Result<()> {
        let mut statement = tx.prepare_cached(
            "INSERT INTO changes (account, region, sequence, type, id, before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for ((resource_type, id), before) in &self.before {
            statement.execute(params![
                shard.account.as_str(),
                shard.region.as_str(),
                sequence,
                resource_type.as_str(),
                id.as_str(),
                before
            ])?;
        }
        Ok(())
    }
}

/// The items of a shard that changed since it was judged, ascending; `None` when they are more than
/// [`CHANGES_MAX`]. One that is as it was has not changed.
pub(super) fn pending(tx: &Transaction<'_>, shard: &ShardId) -> Result<Option<Vec<Changed>>> {
    let Some(rows) = rows(tx, shard)? else { return Ok(None) };
    let mut changed = Vec::with_capacity(rows.len());
    for ((resource_type, id), before) in rows {
        let (account, region) = (shard.account.clone(), shard.region.clone());
        let key = ItemKey { account, region, resource_type, id };
        let after = live_item(tx, &key)?;
        if before != after {
            changed.push(Changed { key, before, after });
        }
    }
    Ok(Some(changed))
}

/// Whether so many changes are logged that the shard had better be judged whole: no more are to be
/// logged then.
pub(super) fn are_many(tx: &Transaction<'_>, shard: &ShardId) -> Result<bool> {
    let mut statement = tx.prepare_cached(
        "SELECT 1 FROM changes WHERE account = ?1 AND region = ?2
         ORDER BY sequence LIMIT 1 OFFSET ?3",
    )?;
    let last = limit(CHANGES_MAX.saturating_sub(1));
    Ok(statement.exists(params![shard.account.as_str(), shard.region.as_str(), last])?)
}

type Before = BTreeMap<(ResourceType, ResourceId), Option<Item>>;

fn rows(tx: &Transaction<'_>, shard: &ShardId) -> Result<Option<Before>> {
    let mut statement = tx.prepare_cached(
        "SELECT type, id, before, sum IS row_sum(account, region, sequence, type, id, before)
         FROM changes WHERE account = ?1 AND region = ?2
         ORDER BY sequence LIMIT ?3",
    )?;
    let over = limit(CHANGES_MAX.saturating_add(1));
    let mut rows = statement.query(params![shard.account.as_str(), shard.region.as_str(), over])?;
    let (mut read, mut items) = (0_usize, Before::new());
    while let Some(row) = rows.next()? {
        read = read.saturating_add(1);
        if read > CHANGES_MAX {
            return Ok(None);
        }
        sound(row, 3, CHANGE)?;
        let key = ItemKey {
            account: shard.account.clone(),
            region: shard.region.clone(),
            resource_type: ident(row, 0, CHANGE)?,
            id: ident(row, 1, CHANGE)?,
        };
        let before = before(&key, row)?;
        items.entry((key.resource_type, key.id)).or_insert(before);
    }
    Ok(Some(items))
}

fn before(key: &ItemKey, row: &Row<'_>) -> Result<Option<Item>> {
    let is_null = matches!(row.get_ref(2), Ok(rusqlite::types::ValueRef::Null));
    if is_null { Ok(None) } else { decoded(key, row, 2).map(Some) }
}

/// Takes away what was judged: the changes up to a revision.
pub(super) fn settle(
    tx: &Transaction<'_>,
    shard: &ShardId,
    Revision(last): Revision,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM changes WHERE account = ?1 AND region = ?2 AND sequence <= ?3",
    )?;
    statement.execute(params![shard.account.as_str(), shard.region.as_str(), last])?;
    Ok(())
}
