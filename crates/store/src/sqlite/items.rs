//! Rows of items. A row that is read back is verified against its checksum.

use std::collections::BTreeMap;

use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Item, ItemKey, decode_item_of};
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{params, params_from_iter};

use crate::rules::rows::{First, ItemRows, State, Stored};
use crate::{Result, StoreError};

use super::columns::{damaged, dropped, get, ident, limit};
use super::firsts;
use super::log::Transaction;
use super::sums::{OTHER_SUM, sound};

/// What a row of items is called where it is damaged.
pub(super) const ITEM: &str = "item";

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            State::Live => 0_i64,
            State::Deleted => 1,
            State::Gone => 2,
        }))
    }
}

/// When an item of a key was last seen, and whether that is as it was written.
const SEEN: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4";
/// The same in every Region of the account.
const SEEN_ANYWHERE: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM shards CROSS JOIN items ON items.account = shards.account AND items.region = shards.region
     WHERE shards.account = ?1 AND type = ?2 AND id = ?3";
/// The same of whatever type: it reaches all that the shard holds, or the account.
const SEEN_OF_ANY_TYPE: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND region = ?2 AND id = ?3";
const SEEN_AT_ALL: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND id = ?2";

impl ItemRows for Transaction<'_> {
    fn item(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let mut statement = self.prepare_cached(
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

    fn put_item(&self, key: &ItemKey, state: State, seen_ms: i64, body: &[u8]) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT OR REPLACE INTO items (account, region, type, id, state, seen_ms, body, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7))",
        )?;
        statement.execute(params![
            key.account.as_str(),
            key.region.as_str(),
            key.resource_type.as_str(),
            key.id.as_str(),
            state,
            seen_ms,
            body
        ])?;
        Ok(())
    }

    fn put_first_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        firsts: &[First<'_>],
    ) -> Result<()> {
        firsts::put(self, shard, resource_type, firsts)
    }

    fn see_item(&self, key: &ItemKey, seen_ms: i64, state: State) -> Result<()> {
        let mut statement = self.prepare_cached(
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

    fn sweep(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        mark_ms: i64,
    ) -> Result<Vec<ResourceId>> {
        // Mostly there are none, and then an UPDATE with RETURNING would make its table for nothing.
        let mut statement = self.prepare_cached(
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
        let mut statement = self.prepare_cached(
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

    fn live_item(&self, key: &ItemKey) -> Result<Option<Item>> {
        let mut statement = self.prepare_cached(
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

    fn live_items_of(
        &self,
        id: &ShardId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<ResourceId, Item>> {
        let mut statement = self.prepare_cached(
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

    fn live_items(
        &self,
        id: &ShardId,
    ) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>> {
        let mut statement = self.prepare_cached(
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

    fn live_items_after(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        rows_max: usize,
    ) -> Result<Vec<Item>> {
        let mut statement = self.prepare_cached(
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

    fn live_items_beside(&self, shard: &ShardId, types: &[ResourceType; 2]) -> Result<Vec<Item>> {
        // Shards first, so that of each one only these types are looked up.
        let mut statement = self.prepare_cached(
            "SELECT i.region, i.type, i.id, i.body,
               i.sum IS row_sum(i.account, i.region, i.type, i.id, i.state, i.seen_ms, i.body)
             FROM shards s CROSS JOIN items i
             ON i.account = s.account AND i.region = s.region
               AND i.type IN (?4, ?5)
             WHERE s.account = ?1 AND s.region <> ?2 AND (i.state = ?3 OR
               i.sum IS NOT row_sum(i.account, i.region, i.type, i.id, i.state, i.seen_ms, i.body))
             ORDER BY s.region, i.type, i.id",
        )?;
        let [one, other] = types;
        let mut rows = statement.query(params![
            shard.account.as_str(),
            shard.region.as_str(),
            State::Live,
            one.as_str(),
            other.as_str()
        ])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let key = ItemKey {
                account: shard.account.clone(),
                region: ident(row, 0, ITEM)?,
                resource_type: ident(row, 1, ITEM)?,
                id: ident(row, 2, ITEM)?,
            };
            sound_of(|| key.clone(), row, 4)?;
            items.push(decoded(&key, row, 3)?);
        }
        Ok(items)
    }

    fn live_groups_elsewhere(&self, shard: &ShardId, id: &str) -> Result<Vec<Item>> {
        let mut statement = self.prepare_cached(
            "SELECT account, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
             FROM items
             WHERE type = 'AWS::EC2::SecurityGroup' AND id = ?1 AND region = ?2 AND account <> ?3
               AND (state = ?4 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
        )?;
        let mut rows = statement.query(params![
            id,
            shard.region.as_str(),
            shard.account.as_str(),
            State::Live
        ])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let Ok(id) = ResourceId::try_from(id) else { continue };
            let key = ItemKey {
                account: ident(row, 0, ITEM)?,
                region: shard.region.clone(),
                resource_type: ResourceType::SECURITY_GROUP,
                id,
            };
            sound_of(|| key.clone(), row, 2)?;
            items.push(decoded(&key, row, 1)?);
        }
        Ok(items)
    }

    fn tombstones(&self, shard: &ShardId, resource_type: &ResourceType) -> Result<Vec<ResourceId>> {
        let mut statement = self.prepare_cached(
            "SELECT id FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND state = ?4",
        )?;
        let mut rows = statement.query(params![
            shard.account.as_str(),
            shard.region.as_str(),
            resource_type.as_str(),
            State::Deleted
        ])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.push(ident(row, 0, ITEM)?);
        }
        Ok(ids)
    }

    fn last_seen_ms(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        resource_type: Option<&ResourceType>,
        id: &str,
    ) -> Result<Option<i64>> {
        let region = region.map(Region::as_str);
        let resource_type = resource_type.map(ResourceType::as_str);
        let sql = match (region, resource_type) {
            (Some(_), Some(_)) => SEEN,
            (None, Some(_)) => SEEN_ANYWHERE,
            (Some(_), None) => SEEN_OF_ANY_TYPE,
            (None, None) => SEEN_AT_ALL,
        };
        let asked = [Some(account.as_str()), region, resource_type, Some(id)];
        let mut statement = self.prepare_cached(sql)?;
        let row = statement.query_row(params_from_iter(asked.into_iter().flatten()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        match row? {
            (seen_ms, true) => Ok(seen_ms),
            (_, false) => Err(damaged(ITEM, OTHER_SUM)),
        }
    }

    fn drop_tombstones(&self, before_ms: i64, but: &ResourceType) -> Result<u64> {
        Ok(dropped(self.execute(
            "DELETE FROM items WHERE state <> 0 AND state = ?1 AND seen_ms < ?2 AND type <> ?3
               AND sum IS row_sum(account, region, type, id, state, seen_ms, body)",
            params![State::Deleted, before_ms, but.as_str()],
        )?))
    }

    fn drop_gone(&self, before_ms: i64) -> Result<u64> {
        Ok(dropped(self.execute(
            "DELETE FROM items WHERE state <> 0 AND state = ?1 AND seen_ms < ?2
             AND sum IS row_sum(account, region, type, id, state, seen_ms, body) AND EXISTS (
               SELECT 1 FROM coverage
               WHERE coverage.account = items.account AND coverage.region = items.region
                 AND coverage.type = items.type AND coverage.mark_ms < ?2)",
            params![State::Gone, before_ms],
        )?))
    }
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
