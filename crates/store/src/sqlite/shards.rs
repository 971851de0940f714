//! Rows of shards, and of what is known of each type in a shard.

use std::collections::BTreeMap;

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::Age;
use rusqlite::params;

use crate::rules::rows::{Coverage, Of, ShardRow, ShardRows};
use crate::{InventoryAges, Result, Revision};

use super::columns::{get, ident, shard as shard_id};
use super::log::Transaction;
use super::sums::sound;

const SHARD: &str = "shard";

impl ShardRows for Transaction<'_> {
    fn coverage(&self, shard: &ShardId, which: Of) -> Result<BTreeMap<ResourceType, Coverage>> {
        const COVERAGE: &str = "coverage row";
        let mut statement = self.prepare_cached(match which {
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

    fn put_coverage(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        coverage: Coverage,
    ) -> Result<()> {
        let mut statement = self.prepare_cached(
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

    /// In one statement, for it is asked of every shard that is judged.
    fn shard(&self, shard: &ShardId) -> Result<Option<ShardRow>> {
        let mut statement = self.prepare_cached(
            "SELECT snapshot_accepted, newest_ms, ahead_ms, global_newest_ms, global_ahead_ms, changed,
               EXISTS (SELECT 1 FROM changes WHERE account = ?1 AND region = ?2),
               sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
                 ahead_ms, global_ahead_ms)
             FROM shards WHERE account = ?1 AND region = ?2",
        )?;
        let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        sound(row, 7, SHARD)?;
        Ok(Some(ShardRow {
            snapshot_accepted: get(row, 0, SHARD)?,
            own: Age { newest_ms: get(row, 1, SHARD)?, ahead_ms: get(row, 2, SHARD)? },
            global: Age { newest_ms: get(row, 3, SHARD)?, ahead_ms: get(row, 4, SHARD)? },
            revision: Revision(get(row, 5, SHARD)?),
            is_logged: get(row, 6, SHARD)?,
        }))
    }

    fn put_shard(&self, shard: &ShardId, row: &ShardRow) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT INTO shards
               (account, region, snapshot_accepted, newest_ms, ahead_ms, global_newest_ms,
                global_ahead_ms, changed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (account, region) DO UPDATE SET
               snapshot_accepted = excluded.snapshot_accepted,
               newest_ms = excluded.newest_ms,
               ahead_ms = excluded.ahead_ms,
               global_newest_ms = excluded.global_newest_ms,
               global_ahead_ms = excluded.global_ahead_ms,
               changed = excluded.changed",
        )?;
        statement.execute(params![
            shard.account.as_str(),
            shard.region.as_str(),
            row.snapshot_accepted,
            row.own.newest_ms,
            row.own.ahead_ms,
            row.global.newest_ms,
            row.global.ahead_ms,
            row.revision.0
        ])?;
        Ok(())
    }

    fn regions_of(&self, account: &AccountId) -> Result<Vec<Region>> {
        let mut statement = self.prepare_cached("SELECT region FROM shards WHERE account = ?1")?;
        let mut rows = statement.query([account.as_str()])?;
        let mut regions = Vec::new();
        while let Some(row) = rows.next()? {
            regions.push(ident(row, 0, SHARD)?);
        }
        Ok(regions)
    }

    fn all_shards(&self) -> Result<Vec<ShardId>> {
        let mut statement = self.prepare_cached("SELECT account, region FROM shards")?;
        let mut rows = statement.query([])?;
        let mut shards = Vec::new();
        while let Some(row) = rows.next()? {
            shards.push(shard_id(row, 0, SHARD)?);
        }
        Ok(shards)
    }

    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        let mut statement = self.prepare_cached(
            "SELECT account, coalesce(newest_ms, global_newest_ms),
               sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
                 ahead_ms, global_ahead_ms)
             FROM shards WHERE account > ?1 AND account <= ?2 AND region = ?3 ORDER BY account",
        )?;
        let after = after.map_or("", AccountId::as_str);
        let mut rows = statement.query([after, through.as_str(), region.as_str()])?;
        let mut newest = Vec::new();
        while let Some(row) = rows.next()? {
            sound(row, 2, SHARD)?;
            if let Some(newest_ms) = get(row, 1, SHARD)? {
                newest.push((ident(row, 0, SHARD)?, newest_ms));
            }
        }
        Ok(newest)
    }

    fn ages(&self) -> Result<InventoryAges> {
        let mut statement = self.prepare_cached(
            "SELECT count(newest), min(newest), max(newest), ifnull(min(is_sound), 1) FROM (
               SELECT coalesce(newest_ms, global_newest_ms) AS newest,
                 sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
                   ahead_ms, global_ahead_ms) AS is_sound
               FROM shards WHERE account IN (SELECT account FROM accounts))",
        )?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(InventoryAges::default()) };
        sound(row, 3, SHARD)?;
        Ok(InventoryAges {
            shards: get(row, 0, SHARD)?,
            oldest_ms: get(row, 1, SHARD)?,
            newest_ms: get(row, 2, SHARD)?,
        })
    }

    fn cap_ages(&self, now_ms: i64) -> Result<()> {
        self.execute(
            "UPDATE shards SET ahead_ms = max(coalesce(ahead_ms, newest_ms), newest_ms), newest_ms = ?1
             WHERE newest_ms > ?1",
            [now_ms],
        )?;
        self.execute(
            "UPDATE shards SET
               global_ahead_ms = max(coalesce(global_ahead_ms, global_newest_ms), global_newest_ms),
               global_newest_ms = ?1
             WHERE global_newest_ms > ?1",
            [now_ms],
        )?;
        Ok(())
    }
}
