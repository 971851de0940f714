//! Rows of what items were before deliveries changed them.

use palisade_core::ident::ShardId;
use palisade_core::inventory::{Item, ItemKey};

use crate::rules::rows::{Before, ChangeRows};
use crate::{Result, Revision};

use super::columns::{get, ident, limit, with};
use super::items::decoded;
use super::turn::Turn;

const CHANGE: &str = "change of an item";

impl ChangeRows for Turn<'_> {
    fn log_changes(&self, shard: &ShardId, sequence: u64, before: &Before) -> Result<()> {
        let types: Vec<String> = before.keys().map(|(of, _)| of.to_string()).collect();
        let ids: Vec<String> = before.keys().map(|(_, id)| id.to_string()).collect();
        let bodies: Vec<Option<Vec<u8>>> = before.values().cloned().collect();
        self.send(
            "INSERT INTO changes (account, region, sequence, type, id, before)
             SELECT $1::text, $2::text, $3::bigint, was.type, was.id, was.before
             FROM unnest($4::text[], $5::text[], $6::bytea[]) AS was (type, id, before)",
            with![shard.account.as_str(), shard.region.as_str(), sequence, types, ids, bodies],
        )
    }

    fn logged(&self, shard: &ShardId, rows_max: usize) -> Result<Vec<(ItemKey, Option<Item>)>> {
        let rows = self.rows(
            "SELECT type, id, before FROM changes WHERE account = $1 AND region = $2
             ORDER BY sequence, type, id LIMIT $3",
            with![shard.account.as_str(), shard.region.as_str(), limit(rows_max)],
        )?;
        let mut logged = Vec::with_capacity(rows.len());
        for row in rows {
            let key = ItemKey {
                account: shard.account.clone(),
                region: shard.region.clone(),
                resource_type: ident(&row, 0, CHANGE)?,
                id: ident(&row, 1, CHANGE)?,
            };
            let before: Option<&[u8]> = get(&row, 2, CHANGE)?;
            let before = before.map(|body| decoded(|| key.clone(), body)).transpose()?;
            logged.push((key, before));
        }
        Ok(logged)
    }

    fn are_logged(&self, shard: &ShardId, count: usize) -> Result<bool> {
        self.exists(
            "SELECT 1 FROM changes WHERE account = $1 AND region = $2 LIMIT 1 OFFSET $3",
            with![shard.account.as_str(), shard.region.as_str(), limit(count.saturating_sub(1))],
        )
    }

    fn drop_logged(&self, shard: &ShardId, Revision(through): Revision) -> Result<()> {
        self.send(
            "DELETE FROM changes WHERE account = $1 AND region = $2 AND sequence <= $3",
            with![shard.account.as_str(), shard.region.as_str(), through],
        )
    }
}
