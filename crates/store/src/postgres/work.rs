//! Rows of what is due: marks on shards, leases on them, and policies still to be fanned out.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, ShardId};
use tokio_postgres::Row;

use crate::rules::rows::{Counted, MarkRows};
use crate::{Due, FanOut, LeasedMark, Result, Revision};

use super::columns::{get, ident, ident_or_null, number, shard_id, with};
use super::turn::Turn;

const MARK: &str = "work mark";
const FAN_OUT: &str = "fan-out";

/// How [`Due::Shard`] is written where a policy's id stands: none is empty.
const SHARD: &str = "";
/// How [`Due::Changes`] is.
const CHANGES: &str = "~";

/// Due marks that are looked at, and held, at one time.
const DUE_AT_ONCE_MAX: i64 = 512;

fn column(due: &Due) -> &str {
    match due {
        Due::Shard => SHARD,
        Due::Changes => CHANGES,
        Due::Policy(policy) => policy.as_str(),
    }
}

fn due(row: &Row) -> Result<Due> {
    match get::<&str>(row, 0, MARK)? {
        SHARD => Ok(Due::Shard),
        CHANGES => Ok(Due::Changes),
        _ => ident(row, 0, MARK).map(Due::Policy),
    }
}

impl MarkRows for Turn<'_> {
    fn put_mark(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        self.send(
            "INSERT INTO work (account, region, policy, not_before, version)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, region, policy) DO UPDATE SET
               not_before = least(work.not_before, excluded.not_before), version = excluded.version",
            with![shard.account.as_str(), shard.region.as_str(), column(due), not_before, version],
        )
    }

    fn bring_forward(
        &self,
        shard: &ShardId,
        due: &Due,
        version: u64,
        not_before: i64,
    ) -> Result<()> {
        self.send(
            "INSERT INTO work (account, region, policy, not_before, version)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, region, policy) DO UPDATE SET
               not_before = excluded.not_before, version = excluded.version
             WHERE excluded.not_before < work.not_before",
            with![shard.account.as_str(), shard.region.as_str(), column(due), not_before, version],
        )
    }

    fn mark_all_shards(&self, version: u64, not_before: i64) -> Result<()> {
        self.send(
            "INSERT INTO work (account, region, policy, not_before, version)
             SELECT account, region, '', $1::bigint, $2::bigint FROM shards
             ON CONFLICT (account, region, policy) DO UPDATE SET
               not_before = least(work.not_before, excluded.not_before), version = excluded.version",
            with![not_before, version],
        )
    }

    fn drop_mark(&self, shard: &ShardId, due: &Due, version: u64) -> Result<()> {
        self.send(
            "DELETE FROM work WHERE account = $1 AND region = $2 AND policy = $3 AND version = $4",
            with![shard.account.as_str(), shard.region.as_str(), column(due), version],
        )
    }

    fn drop_marks(&self, policy: &PolicyId) -> Result<()> {
        self.send("DELETE FROM work WHERE policy = $1", with![policy.as_str()])
    }

    fn put_off(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        self.send(
            "UPDATE work SET not_before = greatest(not_before, $5)
             WHERE account = $1 AND region = $2 AND policy = $3 AND version = $4",
            with![shard.account.as_str(), shard.region.as_str(), column(due), version, not_before],
        )
    }

    fn cap_marks(&self, now_ms: i64) -> Result<()> {
        self.send("UPDATE work SET not_before = $1 WHERE not_before > $1", with![now_ms])
    }

    fn any_due(&self, now_ms: i64) -> Result<bool> {
        self.exists("SELECT 1 FROM work WHERE not_before <= $1 LIMIT 1", with![now_ms])
    }

    /// Takes hold of the marks that it hands out; those that another node is taking are passed over.
    fn due_shards(&self, now_ms: i64, take: &mut dyn FnMut(ShardId) -> bool) -> Result<()> {
        let mut after = (i64::MIN, String::new(), String::new(), String::new());
        loop {
            let rows = self.rows(
                "SELECT account, region, policy, not_before FROM work
                 WHERE not_before <= $1 AND (not_before, account, region, policy) > ($2, $3, $4, $5)
                   AND NOT EXISTS (
                     SELECT 1 FROM leases
                     WHERE leases.account = work.account AND leases.region = work.region
                       AND leases.until_ms > $1)
                 ORDER BY not_before, account, region, policy LIMIT $6
                 FOR UPDATE SKIP LOCKED",
                with![now_ms, after.0, &after.1, &after.2, &after.3, DUE_AT_ONCE_MAX],
            )?;
            let Some(last) = rows.last() else { return Ok(()) };
            for row in &rows {
                if !take(shard_id(row, 0, MARK)?) {
                    return Ok(());
                }
            }
            after = (
                get(last, 3, MARK)?,
                get(last, 0, MARK)?,
                get(last, 1, MARK)?,
                get(last, 2, MARK)?,
            );
        }
    }

    fn due_marks(&self, shard: &ShardId, now_ms: i64) -> Result<(Vec<LeasedMark>, Revision)> {
        let rows = self.rows(
            "SELECT policy, version,
               (SELECT changed FROM shards WHERE account = $1 AND region = $2)
             FROM work
             WHERE account = $1 AND region = $2 AND not_before <= $3 ORDER BY policy",
            with![shard.account.as_str(), shard.region.as_str(), now_ms],
        )?;
        let (mut marks, mut revision) = (Vec::with_capacity(rows.len()), Revision::default());
        for row in &rows {
            marks.push(LeasedMark { due: due(row)?, version: number(row, 1, MARK)? });
            let changed: Option<i64> = get(row, 2, MARK)?;
            revision = changed.map_or_else(Revision::default, |it| Revision(it.cast_unsigned()));
        }
        Ok((marks, revision))
    }

    fn counted(&self, now_ms: i64) -> Result<Counted> {
        let row = self.one(
            "SELECT
               (SELECT count(*) FROM work WHERE not_before <= $1),
               (SELECT min(not_before) FROM work WHERE not_before <= $1),
               (SELECT count(*) FROM work),
               (SELECT count(*) FROM leases JOIN work USING (account, region)
                WHERE until_ms > $1 AND not_before <= $1),
               (SELECT count(*) FROM fan_outs),
               (SELECT min(least(created_ms, $1)) FROM fan_outs)",
            with![now_ms],
        )?;
        let Some(row) = row else { return Ok(Counted::default()) };
        Ok(Counted {
            due: number(&row, 0, MARK)?,
            oldest_due_ms: get(&row, 1, MARK)?,
            all: number(&row, 2, MARK)?,
            leased: number(&row, 3, MARK)?,
            fan_outs: number(&row, 4, MARK)?,
            oldest_fan_out_ms: get(&row, 5, MARK)?,
        })
    }

    fn leased(&self, now_ms: i64) -> Result<BTreeSet<ShardId>> {
        let rows =
            self.rows("SELECT account, region FROM leases WHERE until_ms > $1", with![now_ms])?;
        rows.iter().map(|row| shard_id(row, 0, "lease")).collect()
    }

    fn put_lease(&self, shard: &ShardId, fence: u64, now_ms: i64, until_ms: i64) -> Result<bool> {
        let taken = self.count(
            "INSERT INTO leases (account, region, fence, until_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, region) DO UPDATE
             SET fence = excluded.fence, until_ms = excluded.until_ms WHERE leases.until_ms <= $5",
            with![shard.account.as_str(), shard.region.as_str(), fence, until_ms, now_ms],
        )?;
        Ok(taken > 0)
    }

    fn move_lease(&self, shard: &ShardId, fence: u64, until_ms: i64) -> Result<()> {
        self.send(
            "UPDATE leases SET until_ms = $4 WHERE account = $1 AND region = $2 AND fence = $3",
            with![shard.account.as_str(), shard.region.as_str(), fence, until_ms],
        )
    }

    fn drop_lease(&self, shard: &ShardId, fence: u64) -> Result<bool> {
        let dropped = self.count(
            "DELETE FROM leases WHERE account = $1 AND region = $2 AND fence = $3",
            with![shard.account.as_str(), shard.region.as_str(), fence],
        )?;
        Ok(dropped > 0)
    }

    fn drop_each_lease(&self, leases: &[(&ShardId, u64)]) -> Result<Vec<bool>> {
        let accounts: Vec<String> = leases.iter().map(|(it, _)| it.account.to_string()).collect();
        let regions: Vec<String> = leases.iter().map(|(it, _)| it.region.to_string()).collect();
        let fences: Vec<i64> = leases.iter().map(|(_, fence)| fence.cast_signed()).collect();
        let rows = self.rows(
            "DELETE FROM leases WHERE (account, region, fence) IN (
               SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]))
             RETURNING account, region, fence",
            with![accounts, regions, fences],
        )?;
        self.wrote();
        let mut dropped = BTreeSet::new();
        for row in &rows {
            dropped.insert((shard_id(row, 0, "lease")?, number(row, 2, "lease")?));
        }
        // Of one that is named twice only the first is.
        Ok(leases
            .iter()
            .map(|(shard, fence)| dropped.remove(&((*shard).clone(), *fence)))
            .collect())
    }

    fn drop_leases(&self) -> Result<()> {
        self.send("DELETE FROM leases", with![])
    }

    fn put_fan_out(&self, policy: &PolicyId, revision: u64, now_ms: i64) -> Result<()> {
        self.send(
            "INSERT INTO fan_outs (policy, revision, cursor, created_ms) VALUES ($1, $2, NULL, $3)
             ON CONFLICT (policy) DO UPDATE SET
               revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
            with![policy.as_str(), revision, now_ms],
        )
    }

    fn put_all_fan_outs(&self, now_ms: i64) -> Result<usize> {
        let put = self.count(
            "INSERT INTO fan_outs (policy, revision, cursor, created_ms)
             SELECT policy, revision, NULL, $1::bigint FROM policies
             ON CONFLICT (policy) DO UPDATE SET
               revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
            with![now_ms],
        )?;
        Ok(usize::try_from(put).unwrap_or(usize::MAX))
    }

    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        let rows = self.rows(
            "SELECT policy, revision, cursor FROM fan_outs ORDER BY created_ms, policy",
            with![],
        )?;
        let one = |row| {
            Ok(FanOut {
                policy: ident(row, 0, FAN_OUT)?,
                revision: number(row, 1, FAN_OUT)?,
                cursor: ident_or_null(row, 2, FAN_OUT)?,
            })
        };
        rows.iter().map(one).collect()
    }

    fn move_fan_out(&self, fan_out: &FanOut, next: Option<&AccountId>) -> Result<bool> {
        let moved = self.count(
            "UPDATE fan_outs SET cursor = $4
             WHERE policy = $1 AND revision = $2 AND cursor IS NOT DISTINCT FROM $3",
            with![
                fan_out.policy.as_str(),
                fan_out.revision,
                fan_out.cursor.as_ref().map(AccountId::as_str),
                next.map(AccountId::as_str)
            ],
        )?;
        Ok(moved > 0)
    }

    fn drop_fan_out(&self, policy: &PolicyId) -> Result<()> {
        self.send("DELETE FROM fan_outs WHERE policy = $1", with![policy.as_str()])
    }
}
