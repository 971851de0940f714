//! Rows of what items were before deliveries changed them.

use palisade_core::ident::ShardId;
use palisade_core::inventory::{Item, ItemKey};
use rusqlite::types::ValueRef;
use rusqlite::{Row, params};

use crate::rules::rows::{Before, ChangeRows};
use crate::{Result, Revision};

use super::columns::{ident, limit};
use super::items::decoded;
use super::log::Transaction;
use super::sums::sound;

const CHANGE: &str = "change of an item";

impl ChangeRows for Transaction<'_> {
    fn log_changes(&self, shard: &ShardId, sequence: u64, before: &Before) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT INTO changes (account, region, sequence, type, id, before)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for ((resource_type, id), before) in before {
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

    fn logged(&self, shard: &ShardId, rows_max: usize) -> Result<Vec<(ItemKey, Option<Item>)>> {
        let mut statement = self.prepare_cached(
            "SELECT type, id, before, sum IS row_sum(account, region, sequence, type, id, before)
             FROM changes WHERE account = ?1 AND region = ?2
             ORDER BY sequence LIMIT ?3",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        let mut rows = statement.query(params![account, region, limit(rows_max)])?;
        let mut logged = Vec::new();
        while let Some(row) = rows.next()? {
            sound(row, 3, CHANGE)?;
            let key = ItemKey {
                account: shard.account.clone(),
                region: shard.region.clone(),
                resource_type: ident(row, 0, CHANGE)?,
                id: ident(row, 1, CHANGE)?,
            };
            let before = before(&key, row)?;
            logged.push((key, before));
        }
        Ok(logged)
    }

    fn are_logged(&self, shard: &ShardId, count: usize) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "SELECT 1 FROM changes WHERE account = ?1 AND region = ?2
             ORDER BY sequence LIMIT 1 OFFSET ?3",
        )?;
        let last = limit(count.saturating_sub(1));
        Ok(statement.exists(params![shard.account.as_str(), shard.region.as_str(), last])?)
    }

    fn drop_logged(&self, shard: &ShardId, Revision(through): Revision) -> Result<()> {
        let mut statement = self.prepare_cached(
            "DELETE FROM changes WHERE account = ?1 AND region = ?2 AND sequence <= ?3",
        )?;
        statement.execute(params![shard.account.as_str(), shard.region.as_str(), through])?;
        Ok(())
    }
}

fn before(key: &ItemKey, row: &Row<'_>) -> Result<Option<Item>> {
    let is_null = matches!(row.get_ref(2), Ok(ValueRef::Null));
    if is_null { Ok(None) } else { decoded(key, row, 2).map(Some) }
}
