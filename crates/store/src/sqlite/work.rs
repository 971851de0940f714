//! Rows of what is due: marks on shards, leases on them, and policies still to be fanned out.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, ShardId};
use rusqlite::params;

use crate::rules::rows::{Counted, MarkRows};
use crate::{Due, FanOut, LeasedMark, Result, Revision};

use super::columns::{damaged, get, ident, ident_or_null, shard as shard_id};
use super::log::Transaction;

const MARK: &str = "work mark";
const FAN_OUT: &str = "fan-out";

/// How [`Due::Shard`] is written where a policy's id stands: none is empty.
const SHARD: &str = "";
/// How [`Due::Changes`] is.
const CHANGES: &str = "~";

fn column(due: &Due) -> &str {
    match due {
        Due::Shard => SHARD,
        Due::Changes => CHANGES,
        Due::Policy(policy) => policy.as_str(),
    }
}

fn due(row: &rusqlite::Row<'_>) -> Result<Due> {
    let text = row.get_ref(0).and_then(|value| Ok(value.as_str()?));
    match text.map_err(|error| damaged(MARK, error))? {
        SHARD => Ok(Due::Shard),
        CHANGES => Ok(Due::Changes),
        _ => ident(row, 0, MARK).map(Due::Policy),
    }
}

impl MarkRows for Transaction<'_> {
    fn put_mark(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT INTO work (account, region, policy, not_before, version)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account, region, policy) DO UPDATE
             SET not_before = min(not_before, excluded.not_before), version = excluded.version",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, column(due), not_before, version])?;
        Ok(())
    }

    fn bring_forward(
        &self,
        shard: &ShardId,
        due: &Due,
        version: u64,
        not_before: i64,
    ) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT INTO work (account, region, policy, not_before, version)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account, region, policy) DO UPDATE
             SET not_before = excluded.not_before, version = excluded.version
             WHERE excluded.not_before < not_before",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, column(due), not_before, version])?;
        Ok(())
    }

    fn mark_all_shards(&self, version: u64, not_before: i64) -> Result<()> {
        self.execute(
            "INSERT INTO work (account, region, policy, not_before, version)
             SELECT account, region, ?1, ?2, ?3 FROM shards WHERE true
             ON CONFLICT (account, region, policy) DO UPDATE
             SET not_before = min(not_before, excluded.not_before), version = excluded.version",
            params![SHARD, not_before, version],
        )?;
        Ok(())
    }

    fn drop_mark(&self, shard: &ShardId, due: &Due, version: u64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "DELETE FROM work WHERE account = ?1 AND region = ?2 AND policy = ?3 AND version = ?4",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, column(due), version])?;
        Ok(())
    }

    fn drop_marks(&self, policy: &PolicyId) -> Result<()> {
        self.execute("DELETE FROM work WHERE policy = ?1", [policy.as_str()])?;
        Ok(())
    }

    fn put_off(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "UPDATE work SET not_before = max(not_before, ?5)
             WHERE account = ?1 AND region = ?2 AND policy = ?3 AND version = ?4",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, column(due), version, not_before])?;
        Ok(())
    }

    fn cap_marks(&self, now_ms: i64) -> Result<()> {
        self.execute("UPDATE work SET not_before = ?1 WHERE not_before > ?1", [now_ms])?;
        Ok(())
    }

    fn any_due(&self, now_ms: i64) -> Result<bool> {
        Ok(self.prepare_cached("SELECT 1 FROM work WHERE not_before <= ?1")?.exists([now_ms])?)
    }

    fn due_shards(&self, now_ms: i64, take: &mut dyn FnMut(ShardId) -> bool) -> Result<()> {
        let mut statement = self.prepare_cached(
            "SELECT account, region FROM work WHERE not_before <= ?1
             ORDER BY not_before, account, region",
        )?;
        let mut rows = statement.query([now_ms])?;
        while let Some(row) = rows.next()? {
            if !take(shard_id(row, 0, MARK)?) {
                break;
            }
        }
        Ok(())
    }

    fn due_marks(&self, shard: &ShardId, now_ms: i64) -> Result<(Vec<LeasedMark>, Revision)> {
        let mut statement = self.prepare_cached(
            "SELECT policy, version,
               (SELECT CASE WHEN sum IS row_sum(account, region, snapshot_accepted, newest_ms,
                  global_newest_ms, changed, ahead_ms, global_ahead_ms) THEN changed END
                FROM shards WHERE account = ?1 AND region = ?2)
             FROM work
             WHERE account = ?1 AND region = ?2 AND not_before <= ?3 ORDER BY policy",
        )?;
        let mut rows =
            statement.query(params![shard.account.as_str(), shard.region.as_str(), now_ms])?;
        let (mut marks, mut revision) = (Vec::new(), Revision::default());
        while let Some(row) = rows.next()? {
            marks.push(LeasedMark { due: due(row)?, version: get(row, 1, MARK)? });
            revision = get::<Option<u64>>(row, 2, MARK)?.map_or_else(Revision::default, Revision);
        }
        Ok((marks, revision))
    }

    fn counted(&self, now_ms: i64) -> Result<Counted> {
        let ask = |sql: &str| -> Result<(u64, Option<i64>)> {
            let mut statement = self.prepare_cached(sql)?;
            Ok(statement.query_row([now_ms], |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        let (due, oldest_due_ms) =
            ask("SELECT count(*), min(not_before) FROM work WHERE not_before <= ?1")?;
        let (all, _) = ask("SELECT count(*), ?1 FROM work")?;
        let (leased, _) =
            ask("SELECT count(*), NULL FROM leases JOIN work USING (account, region)
             WHERE until_ms > ?1 AND not_before <= ?1")?;
        let (fan_outs, oldest_fan_out_ms) =
            ask("SELECT count(*), min(min(created_ms, ?1)) FROM fan_outs")?;
        Ok(Counted { due, oldest_due_ms, all, leased, fan_outs, oldest_fan_out_ms })
    }

    fn leased(&self, now_ms: i64) -> Result<BTreeSet<ShardId>> {
        let mut statement =
            self.prepare_cached("SELECT account, region FROM leases WHERE until_ms > ?1")?;
        let mut rows = statement.query([now_ms])?;
        let mut leased = BTreeSet::new();
        while let Some(row) = rows.next()? {
            leased.insert(shard_id(row, 0, "lease")?);
        }
        Ok(leased)
    }

    fn put_lease(&self, shard: &ShardId, fence: u64, _: i64, until_ms: i64) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "INSERT INTO leases (account, region, fence, until_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account, region) DO UPDATE
             SET fence = excluded.fence, until_ms = excluded.until_ms",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, fence, until_ms])?;
        Ok(true)
    }

    fn move_lease(&self, shard: &ShardId, fence: u64, until_ms: i64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "UPDATE leases SET until_ms = ?4 WHERE account = ?1 AND region = ?2 AND fence = ?3",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        statement.execute(params![account, region, fence, until_ms])?;
        Ok(())
    }

    fn drop_lease(&self, shard: &ShardId, fence: u64) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "DELETE FROM leases WHERE account = ?1 AND region = ?2 AND fence = ?3",
        )?;
        let (account, region) = (shard.account.as_str(), shard.region.as_str());
        Ok(statement.execute(params![account, region, fence])? > 0)
    }

    fn drop_leases(&self) -> Result<()> {
        self.execute("DELETE FROM leases", [])?;
        Ok(())
    }

    fn put_fan_out(&self, policy: &PolicyId, revision: u64, now_ms: i64) -> Result<()> {
        self.execute(
            "INSERT INTO fan_outs (policy, revision, cursor, created_ms) VALUES (?1, ?2, NULL, ?3)
             ON CONFLICT (policy) DO UPDATE SET
               revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
            params![policy.as_str(), revision, now_ms],
        )?;
        Ok(())
    }

    fn put_all_fan_outs(&self, now_ms: i64) -> Result<usize> {
        Ok(self.execute(
            "INSERT INTO fan_outs (policy, revision, cursor, created_ms)
             SELECT policy, revision, NULL, ?1 FROM policies WHERE true
             ON CONFLICT (policy) DO UPDATE SET
               revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
            [now_ms],
        )?)
    }

    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        let mut statement = self.prepare_cached(
            "SELECT policy, revision, cursor FROM fan_outs ORDER BY created_ms, policy",
        )?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(FanOut {
                policy: ident(row, 0, FAN_OUT)?,
                revision: get(row, 1, FAN_OUT)?,
                cursor: ident_or_null(row, 2, FAN_OUT)?,
            });
        }
        Ok(all)
    }

    fn move_fan_out(&self, fan_out: &FanOut, next: Option<&AccountId>) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "UPDATE fan_outs SET cursor = ?4 WHERE policy = ?1 AND revision = ?2 AND cursor IS ?3",
        )?;
        let moved = statement.execute(params![
            fan_out.policy.as_str(),
            fan_out.revision,
            fan_out.cursor.as_ref().map(AccountId::as_str),
            next.map(AccountId::as_str),
        ])?;
        Ok(moved > 0)
    }

    fn drop_fan_out(&self, policy: &PolicyId) -> Result<()> {
        self.execute("DELETE FROM fan_outs WHERE policy = ?1", [policy.as_str()])?;
        Ok(())
    }
}
