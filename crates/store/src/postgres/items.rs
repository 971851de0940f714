//! Rows of items.

use std::collections::BTreeMap;

use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Item, ItemKey, decode_item_of};
use tokio_postgres::Row;

use crate::Result;
use crate::rules::rows::{First, ItemRows, State, Stored};

use super::columns::{damaged, escaped, get, ident, limit, with};
use super::turn::Turn;

/// What a row of items is called where it is damaged.
const ITEM: &str = "item";

/// Rows, and bytes of bodies, of one statement that adds items.
const FIRSTS_AT_ONCE_MAX: usize = 1_000;
const FIRST_BYTES_AT_ONCE_MAX: usize = 4 << 20;
/// Bodies of a statement from which on it is waited for.
const UNANSWERED_BYTES_MAX: usize = 1 << 20;

fn number(state: State) -> i16 {
    match state {
        State::Live => 0,
        State::Deleted => 1,
        State::Gone => 2,
    }
}

impl ItemRows for Turn<'_> {
    fn expect_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        ids: &[&str],
    ) -> Result<()> {
        let asked: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let rows = self.rows(
            "SELECT id, body, seen_ms FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND id = ANY ($4)",
            with![shard.account.as_str(), shard.region.as_str(), resource_type.as_str(), asked],
        )?;
        let mut expected: BTreeMap<String, Option<Stored>> =
            ids.iter().map(|id| ((*id).to_owned(), None)).collect();
        for row in &rows {
            let stored = Stored { body: get(row, 1, ITEM)?, seen_ms: get(row, 2, ITEM)? };
            expected.insert(get(row, 0, ITEM)?, Some(stored));
        }
        self.expected.put_items(shard, resource_type, expected);
        Ok(())
    }

    fn item(&self, key: &ItemKey) -> Result<Option<Stored>> {
        if let Some(expected) = self.expected.take_item(key) {
            return Ok(expected);
        }
        let row = self.one(
            "SELECT body, seen_ms FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND id = $4",
            with![
                key.account.as_str(),
                key.region.as_str(),
                key.resource_type.as_str(),
                key.id.as_str()
            ],
        )?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Stored { body: get(&row, 0, ITEM)?, seen_ms: get(&row, 1, ITEM)? }))
    }

    fn put_item(&self, key: &ItemKey, state: State, seen_ms: i64, body: &[u8]) -> Result<()> {
        self.expected.take_item(key);
        self.send(
            "INSERT INTO items (account, region, type, id, state, seen_ms, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (account, region, type, id) DO UPDATE
             SET state = excluded.state, seen_ms = excluded.seen_ms, body = excluded.body",
            with![
                key.account.as_str(),
                key.region.as_str(),
                key.resource_type.as_str(),
                key.id.as_str(),
                number(state),
                seen_ms,
                body
            ],
        )
    }

    fn put_first_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        firsts: &[First<'_>],
    ) -> Result<()> {
        for first in firsts {
            self.expected.forget_item(shard, resource_type, first.id);
        }
        let mut rest = firsts;
        while !rest.is_empty() {
            let mut bytes = 0_usize;
            let fits = |first: &&First<'_>| {
                bytes = bytes.saturating_add(first.body.len());
                bytes <= FIRST_BYTES_AT_ONCE_MAX
            };
            let count = rest.iter().take(FIRSTS_AT_ONCE_MAX).take_while(fits).count().max(1);
            let (some, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            rest = others;
            self.put_some(shard, resource_type, some)?;
            if bytes >= UNANSWERED_BYTES_MAX {
                // Else all that a large delivery holds would be on its way at one time.
                self.flush()?;
            }
        }
        Ok(())
    }

    fn see_item(&self, key: &ItemKey, seen_ms: i64, state: State) -> Result<()> {
        self.expected.take_item(key);
        self.send(
            "UPDATE items SET state = $5, seen_ms = $6
             WHERE account = $1 AND region = $2 AND type = $3 AND id = $4",
            with![
                key.account.as_str(),
                key.region.as_str(),
                key.resource_type.as_str(),
                key.id.as_str(),
                number(state),
                seen_ms
            ],
        )
    }

    fn sweep(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        mark_ms: i64,
    ) -> Result<Vec<ResourceId>> {
        self.expected.forget_type(shard, resource_type);
        let rows = self.rows(
            "UPDATE items SET state = $5
             WHERE account = $1 AND region = $2 AND type = $3 AND state = $4 AND seen_ms < $6
             RETURNING id",
            with![
                shard.account.as_str(),
                shard.region.as_str(),
                resource_type.as_str(),
                number(State::Live),
                number(State::Gone),
                mark_ms
            ],
        )?;
        self.wrote();
        let mut gone = ids(&rows)?;
        gone.sort();
        Ok(gone)
    }

    fn live_item(&self, key: &ItemKey) -> Result<Option<Item>> {
        let row = self.one(
            "SELECT body FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND id = $4 AND state = 0",
            with![
                key.account.as_str(),
                key.region.as_str(),
                key.resource_type.as_str(),
                key.id.as_str()
            ],
        )?;
        row.map(|row| decoded(|| key.clone(), get(&row, 0, ITEM)?)).transpose()
    }

    fn live_items_of(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<ResourceId, Item>> {
        let rows = self.rows(
            "SELECT id, body FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND state = 0 ORDER BY id",
            with![shard.account.as_str(), shard.region.as_str(), resource_type.as_str()],
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let id: ResourceId = ident(&row, 0, ITEM)?;
            let item = decoded(|| key(shard, resource_type, &id), get(&row, 1, ITEM)?)?;
            items.push((id, item));
        }
        // They come in order: a map is made of them at once.
        Ok(items.into_iter().collect())
    }

    fn live_items(
        &self,
        shard: &ShardId,
    ) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>> {
        let rows = self.rows(
            "SELECT type, id, body FROM items WHERE account = $1 AND region = $2 AND state = 0",
            with![shard.account.as_str(), shard.region.as_str()],
        )?;
        let mut items: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for row in rows {
            let (resource_type, id) = (ident(&row, 0, ITEM)?, ident(&row, 1, ITEM)?);
            let item = decoded(|| key(shard, &resource_type, &id), get(&row, 2, ITEM)?)?;
            items.entry(resource_type).or_default().insert(id, item);
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
        let rows = self.rows(
            "SELECT id, body FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND id > $4 AND state = 0
             ORDER BY id LIMIT $5",
            with![
                shard.account.as_str(),
                shard.region.as_str(),
                resource_type.as_str(),
                after.map_or("", ResourceId::as_str),
                limit(rows_max)
            ],
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let id = ident(&row, 0, ITEM)?;
            items.push(decoded(|| key(shard, resource_type, &id), get(&row, 1, ITEM)?)?);
        }
        Ok(items)
    }

    fn live_items_beside(&self, shard: &ShardId, types: &[ResourceType; 2]) -> Result<Vec<Item>> {
        let [one, other] = types;
        let rows = self.rows(
            "SELECT i.region, i.type, i.id, i.body FROM shards s JOIN items i
               ON i.account = s.account AND i.region = s.region
             WHERE s.account = $1 AND s.region <> $2 AND i.account = $1 AND i.type IN ($3, $4)
               AND i.state = 0
             ORDER BY i.region, i.type, i.id",
            with![shard.account.as_str(), shard.region.as_str(), one.as_str(), other.as_str()],
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let key = ItemKey {
                account: shard.account.clone(),
                region: ident(&row, 0, ITEM)?,
                resource_type: ident(&row, 1, ITEM)?,
                id: ident(&row, 2, ITEM)?,
            };
            items.push(decoded(|| key.clone(), get(&row, 3, ITEM)?)?);
        }
        Ok(items)
    }

    fn live_groups_elsewhere(&self, shard: &ShardId, id: &str) -> Result<Vec<Item>> {
        let Ok(id) = ResourceId::try_from(id) else { return Ok(Vec::new()) };
        let rows = self.rows(
            "SELECT account, body FROM items
             WHERE type = 'AWS::EC2::SecurityGroup' AND id = $1 AND region = $2 AND account <> $3
               AND state = 0
             ORDER BY account",
            with![id.as_str(), shard.region.as_str(), shard.account.as_str()],
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let key = ItemKey {
                account: ident(&row, 0, ITEM)?,
                region: shard.region.clone(),
                resource_type: ResourceType::SECURITY_GROUP,
                id: id.clone(),
            };
            items.push(decoded(|| key.clone(), get(&row, 1, ITEM)?)?);
        }
        Ok(items)
    }

    fn tombstones(&self, shard: &ShardId, resource_type: &ResourceType) -> Result<Vec<ResourceId>> {
        let rows = self.rows(
            "SELECT id FROM items
             WHERE account = $1 AND region = $2 AND type = $3 AND state = 1 ORDER BY id",
            with![shard.account.as_str(), shard.region.as_str(), resource_type.as_str()],
        )?;
        ids(&rows)
    }

    fn last_seen_ms(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        resource_type: Option<&ResourceType>,
        id: &str,
    ) -> Result<Option<i64>> {
        let (account, id) = (account.as_str(), escaped(id));
        let row = match (region, resource_type) {
            (Some(region), Some(of)) => self.one(
                "SELECT max(seen_ms) FROM items
                 WHERE account = $1 AND region = $2 AND type = $3 AND id = $4",
                with![account, region.as_str(), of.as_str(), id],
            ),
            (None, Some(of)) => self.one(
                "SELECT max(i.seen_ms) FROM shards s JOIN items i
                   ON i.account = s.account AND i.region = s.region
                 WHERE s.account = $1 AND i.account = $1 AND i.type = $2 AND i.id = $3",
                with![account, of.as_str(), id],
            ),
            (Some(region), None) => self.one(
                "SELECT max(seen_ms) FROM items WHERE account = $1 AND region = $2 AND id = $3",
                with![account, region.as_str(), id],
            ),
            (None, None) => self.one(
                "SELECT max(seen_ms) FROM items WHERE account = $1 AND id = $2",
                with![account, id],
            ),
        };
        row?.map_or(Ok(None), |row| get(&row, 0, ITEM))
    }

    fn drop_tombstones(&self, before_ms: i64, but: &ResourceType) -> Result<u64> {
        self.count(
            "DELETE FROM items WHERE state <> 0 AND state = 1 AND seen_ms < $1 AND type <> $2",
            with![before_ms, but.as_str()],
        )
    }

    fn drop_gone(&self, before_ms: i64) -> Result<u64> {
        self.count(
            "DELETE FROM items WHERE state <> 0 AND state = 2 AND seen_ms < $1 AND EXISTS (
               SELECT 1 FROM coverage
               WHERE coverage.account = items.account AND coverage.region = items.region
                 AND coverage.type = items.type AND coverage.mark_ms < $1)",
            with![before_ms],
        )
    }
}

impl Turn<'_> {
    fn put_some(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        firsts: &[First<'_>],
    ) -> Result<()> {
        let ids: Vec<String> = firsts.iter().map(|first| first.id.to_owned()).collect();
        let states: Vec<i16> = firsts.iter().map(|first| number(first.state)).collect();
        let seen: Vec<i64> = firsts.iter().map(|first| first.seen_ms).collect();
        let bodies: Vec<Vec<u8>> = firsts.iter().map(|first| first.body.to_vec()).collect();
        self.send(
            "INSERT INTO items (account, region, type, id, state, seen_ms, body)
             SELECT $1::text, $2::text, $3::text, first.id, first.state, first.seen_ms, first.body
             FROM unnest($4::text[], $5::smallint[], $6::bigint[], $7::bytea[])
               AS first (id, state, seen_ms, body)",
            with![
                shard.account.as_str(),
                shard.region.as_str(),
                resource_type.as_str(),
                ids,
                states,
                seen,
                bodies
            ],
        )
    }
}

fn key(shard: &ShardId, resource_type: &ResourceType, id: &ResourceId) -> ItemKey {
    ItemKey {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: resource_type.clone(),
        id: id.clone(),
    }
}

fn ids(rows: &[Row]) -> Result<Vec<ResourceId>> {
    rows.iter().map(|row| ident(row, 0, ITEM)).collect()
}

/// An item of this body.
pub(super) fn decoded(key: impl Fn() -> ItemKey, body: &[u8]) -> Result<Item> {
    decode_item_of(&key, body).map(Item::shown).map_err(|error| {
        let ItemKey { account, region, resource_type, id } = key();
        damaged(ITEM, format!("`{resource_type}` `{id}` of account {account} in {region}: {error}"))
    })
}
