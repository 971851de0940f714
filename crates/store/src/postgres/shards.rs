//! Rows of shards, and of what is known of each type in a shard.

use std::collections::BTreeMap;

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::Age;

use crate::rules::rows::{Coverage, Of, ShardRow, ShardRows};
use crate::{InventoryAges, Result, Revision};

use super::columns::{get, ident, number, shard_id, with};
use super::turn::Turn;

const SHARD: &str = "shard";

impl ShardRows for Turn<'_> {
    fn coverage(&self, shard: &ShardId, which: Of) -> Result<BTreeMap<ResourceType, Coverage>> {
        const COVERAGE: &str = "coverage row";
        let of = with![shard.account.as_str(), shard.region.as_str()];
        let rows = match which {
            Of::All => self.rows(
                "SELECT type, held, mark_ms, snapshot_ms, listed_ms FROM coverage
                 WHERE account = $1 AND region = $2",
                of,
            ),
            Of::Listed => self.rows(
                "SELECT type, held, mark_ms, snapshot_ms, listed_ms FROM coverage
                 WHERE account = $1 AND region = $2 AND listed_ms IS NOT NULL",
                of,
            ),
        };
        let mut types = BTreeMap::new();
        for row in rows? {
            let coverage = Coverage {
                held: get(&row, 1, COVERAGE)?,
                mark_ms: get(&row, 2, COVERAGE)?,
                snapshot_ms: get(&row, 3, COVERAGE)?,
                listed_ms: get(&row, 4, COVERAGE)?,
            };
            types.insert(ident(&row, 0, COVERAGE)?, coverage);
        }
        Ok(types)
    }

    fn put_coverage(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        coverage: Coverage,
    ) -> Result<()> {
        self.send(
            "INSERT INTO coverage (account, region, type, held, mark_ms, snapshot_ms, listed_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (account, region, type) DO UPDATE SET
               held = excluded.held, mark_ms = excluded.mark_ms,
               snapshot_ms = excluded.snapshot_ms, listed_ms = excluded.listed_ms",
            with![
                shard.account.as_str(),
                shard.region.as_str(),
                resource_type.as_str(),
                coverage.held,
                coverage.mark_ms,
                coverage.snapshot_ms,
                coverage.listed_ms
            ],
        )
    }

    /// In one statement, for it is asked of every shard that is judged.
    fn shard(&self, shard: &ShardId) -> Result<Option<ShardRow>> {
        let row = self.one(
            "SELECT snapshot_accepted, newest_ms, ahead_ms, global_newest_ms, global_ahead_ms, changed,
               EXISTS (SELECT 1 FROM changes WHERE account = $1 AND region = $2)
             FROM shards WHERE account = $1 AND region = $2",
            with![shard.account.as_str(), shard.region.as_str()],
        )?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ShardRow {
            snapshot_accepted: get(&row, 0, SHARD)?,
            own: Age { newest_ms: get(&row, 1, SHARD)?, ahead_ms: get(&row, 2, SHARD)? },
            global: Age { newest_ms: get(&row, 3, SHARD)?, ahead_ms: get(&row, 4, SHARD)? },
            revision: Revision(number(&row, 5, SHARD)?),
            is_logged: get(&row, 6, SHARD)?,
        }))
    }

    fn put_shard(&self, shard: &ShardId, row: &ShardRow) -> Result<()> {
        self.send(
            "INSERT INTO shards
               (account, region, snapshot_accepted, newest_ms, ahead_ms, global_newest_ms,
                global_ahead_ms, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (account, region) DO UPDATE SET
               snapshot_accepted = excluded.snapshot_accepted,
               newest_ms = excluded.newest_ms,
               ahead_ms = excluded.ahead_ms,
               global_newest_ms = excluded.global_newest_ms,
               global_ahead_ms = excluded.global_ahead_ms,
               changed = excluded.changed",
            with![
                shard.account.as_str(),
                shard.region.as_str(),
                row.snapshot_accepted,
                row.own.newest_ms,
                row.own.ahead_ms,
                row.global.newest_ms,
                row.global.ahead_ms,
                row.revision.0
            ],
        )
    }

    fn regions_of(&self, account: &AccountId) -> Result<Vec<Region>> {
        let rows = self.rows(
            "SELECT region FROM shards WHERE account = $1 ORDER BY region",
            with![account.as_str()],
        )?;
        rows.iter().map(|row| ident(row, 0, SHARD)).collect()
    }

    fn all_shards(&self) -> Result<Vec<ShardId>> {
        let rows = self.rows("SELECT account, region FROM shards", with![])?;
        rows.iter().map(|row| shard_id(row, 0, SHARD)).collect()
    }

    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        let rows = self.rows(
            "SELECT account, coalesce(newest_ms, global_newest_ms) FROM shards
             WHERE account > $1 AND account <= $2 AND region = $3
               AND coalesce(newest_ms, global_newest_ms) IS NOT NULL
             ORDER BY account",
            with![after.map_or("", AccountId::as_str), through.as_str(), region.as_str()],
        )?;
        rows.iter().map(|row| Ok((ident(row, 0, SHARD)?, get(row, 1, SHARD)?))).collect()
    }

    fn ages(&self) -> Result<InventoryAges> {
        let row = self.one(
            "SELECT count(newest), min(newest), max(newest) FROM (
               SELECT coalesce(newest_ms, global_newest_ms) AS newest
               FROM shards WHERE account IN (SELECT account FROM accounts)) AS ages",
            with![],
        )?;
        let Some(row) = row else { return Ok(InventoryAges::default()) };
        Ok(InventoryAges {
            shards: number(&row, 0, SHARD)?,
            oldest_ms: get(&row, 1, SHARD)?,
            newest_ms: get(&row, 2, SHARD)?,
        })
    }

    fn cap_ages(&self, now_ms: i64) -> Result<()> {
        self.send(
            "UPDATE shards SET ahead_ms = greatest(ahead_ms, newest_ms), newest_ms = $1
             WHERE newest_ms > $1",
            with![now_ms],
        )?;
        self.send(
            "UPDATE shards SET global_ahead_ms = greatest(global_ahead_ms, global_newest_ms),
               global_newest_ms = $1
             WHERE global_newest_ms > $1",
            with![now_ms],
        )
    }
}
