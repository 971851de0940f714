//! Rows of items, read back: each verified against its checksum.

use std::collections::BTreeMap;

use palisade_core::ident::{ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Item, ItemKey, Recorder, decode_item_of};
use rusqlite::params;

use crate::{Result, StoreError};

use super::columns::{damaged, get, ident, limit};
use super::held::State;
use super::log::Transaction;
use super::sums::OTHER_SUM;

/// What a row of items is called where it is damaged.
pub(super) const ITEM: &str = "item";

/// An item, while it is live.
pub(super) fn live_item(tx: &Transaction<'_>, key: &ItemKey) -> Result<Option<Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4
           AND (state = ?5 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows = statement.query(params![
        key.account.as_str(),
        key.region.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
        State::Live
    ])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound_of(|| key.clone(), row, 1)?;
    decoded(key, row, 0).map(Some)
}

/// Live items of one type.
pub(super) fn live_items_of(
    tx: &Transaction<'_>,
    id: &ShardId,
    resource_type: &ResourceType,
) -> Result<BTreeMap<ResourceId, Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3
           AND (state = ?4 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows = statement.query(params![
        id.account.as_str(),
        id.region.as_str(),
        resource_type.as_str(),
        State::Live
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let resource: ResourceId = ident(row, 0, ITEM)?;
        let key = || ItemKey {
            account: id.account.clone(),
            region: id.region.clone(),
            resource_type: resource_type.clone(),
            id: resource.clone(),
        };
        sound_of(key, row, 2)?;
        let item = decoded_of(key, row, 1)?;
        items.push((resource, item));
    }
    // They come in order: a map is made of them at once.
    Ok(items.into_iter().collect())
}

/// Live items of a shard.
pub(super) fn live_items(
    tx: &Transaction<'_>,
    id: &ShardId,
) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>> {
    let mut statement = tx.prepare_cached(
        "SELECT type, id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2
           AND (state = ?3 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows =
        statement.query(params![id.account.as_str(), id.region.as_str(), State::Live])?;
    let mut items: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = ItemKey {
            account: id.account.clone(),
            region: id.region.clone(),
            resource_type: ident(row, 0, ITEM)?,
            id: ident(row, 1, ITEM)?,
        };
        sound_of(|| key.clone(), row, 3)?;
        let item = decoded(&key, row, 2)?;
        items.entry(key.resource_type).or_default().insert(key.id, item);
    }
    Ok(items)
}

/// Live items of one type after a position, ascending by id.
pub(super) fn items(
    tx: &Transaction<'_>,
    shard: &ShardId,
    resource_type: &ResourceType,
    after: Option<&ResourceId>,
    rows_max: usize,
) -> Result<Vec<Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id > ?4
           AND (state = ?5 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))
         ORDER BY id LIMIT ?6",
    )?;
    let mut rows = statement.query(params![
        shard.account.as_str(),
        shard.region.as_str(),
        resource_type.as_str(),
        after.map_or("", ResourceId::as_str),
        State::Live,
        limit(rows_max)
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let key = ItemKey {
            account: shard.account.clone(),
            region: shard.region.clone(),
            resource_type: resource_type.clone(),
            id: ident(row, 0, ITEM)?,
        };
        sound_of(|| key.clone(), row, 2)?;
        items.push(decoded(&key, row, 1)?);
    }
    Ok(items)
}

/// The item whose body is in this column.
pub(super) fn decoded(key: &ItemKey, row: &rusqlite::Row<'_>, column: usize) -> Result<Item> {
    decoded_of(|| key.clone(), row, column)
}

fn decoded_of(key: impl Fn() -> ItemKey, row: &rusqlite::Row<'_>, column: usize) -> Result<Item> {
    let value = row.get_ref(column).map_err(|error| damaged(ITEM, error))?;
    let bytes = value.as_blob().map_err(|error| damaged(ITEM, error))?;
    decode_item_of(&key, bytes).map(Item::shown).map_err(|error| damaged_item(&key(), error))
}

/// Whether an item is as it was written, which the statement tells in this column.
pub(super) fn sound_of(
    key: impl Fn() -> ItemKey,
    row: &rusqlite::Row<'_>,
    column: usize,
) -> Result<()> {
    if get(row, column, ITEM)? { Ok(()) } else { Err(damaged_item(&key(), OTHER_SUM)) }
}

fn damaged_item(key: &ItemKey, why: impl std::fmt::Display) -> StoreError {
    let ItemKey { account, region, resource_type, id } = key;
    damaged(ITEM, format!("`{resource_type}` `{id}` of account {account} in {region}: {why}"))
}

/// Whether a recorder of the shard was deleted, other than a service-linked one.
pub(super) fn has_recorder_tombstone(tx: &Transaction<'_>, id: &ShardId) -> Result<bool> {
    let mut statement = tx.prepare_cached(
        "SELECT 1 FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND state = ?4
           AND substr(id, 1, length(?5)) <> ?5",
    )?;
    Ok(statement.exists(params![
        id.account.as_str(),
        id.region.as_str(),
        ResourceType::CONFIGURATION_RECORDER.as_str(),
        State::Deleted,
        Recorder::SERVICE_LINKED
    ])?)
}
