//! What is due: marks on shards, leases on them, and policies still to be fanned out.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, ShardId};
use rusqlite::params;

use crate::{Due, FanOut, Fence, Lease, LeasedMark, Mark, Result, Revision, WorkCounts};

use super::columns::{damaged, get, ident, ident_or_null, shard};
use super::log::Transaction;
use super::sequence;
use super::store_row::of_store;

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

/// Marks a shard due at `not_before` under one policy or all, or sooner if it already is.
pub(super) fn mark(
    tx: &Transaction<'_>,
    shard: &ShardId,
    policy: Option<&PolicyId>,
    sequence: u64,
    not_before: i64,
) -> Result<()> {
    put(tx, shard, policy.map_or(SHARD, |policy| policy.as_str()), sequence, not_before)
}

/// As [`mark`] for a shard that its lease's holder settles: it will be due by itself. A mark for as
/// soon is left as it is.
pub(super) fn schedule(
    tx: &Transaction<'_>,
    shard: &ShardId,
    sequence: u64,
    not_before: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO work (account, region, policy, not_before, version)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account, region, policy) DO UPDATE
         SET not_before = excluded.not_before, version = excluded.version
         WHERE excluded.not_before < not_before",
    )?;
    let (account, region) = (shard.account.as_str(), shard.region.as_str());
    statement.execute(params![account, region, SHARD, not_before, sequence])?;
    Ok(())
}

/// As [`mark`], for the changes of its items that were logged.
pub(super) fn mark_changes(
    tx: &Transaction<'_>,
    shard: &ShardId,
    sequence: u64,
    not_before: i64,
) -> Result<()> {
    put(tx, shard, CHANGES, sequence, not_before)
}

/// The version moves, so that a lease taken before does not clear this mark.
fn put(
    tx: &Transaction<'_>,
    shard: &ShardId,
    due: &str,
    sequence: u64,
    not_before: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO work (account, region, policy, not_before, version)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (account, region, policy) DO UPDATE
         SET not_before = min(not_before, excluded.not_before), version = excluded.version",
    )?;
    statement.execute(params![
        shard.account.as_str(),
        shard.region.as_str(),
        due,
        not_before,
        sequence
    ])?;
    Ok(())
}

pub(super) fn mark_all(tx: &Transaction<'_>, marks: &[Mark], now_ms: i64) -> Result<()> {
    let sequence = sequence::next(tx)?;
    marks.iter().try_for_each(|due| mark(tx, &due.shard, due.policy.as_ref(), sequence, now_ms))
}

/// Marks every shard of which anything was delivered due, as a whole and under every policy.
pub(super) fn mark_every_shard(tx: &Transaction<'_>, sequence: u64, now_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO work (account, region, policy, not_before, version)
         SELECT account, region, ?1, ?2, ?3 FROM shards WHERE true
         ON CONFLICT (account, region, policy) DO UPDATE
         SET not_before = min(not_before, excluded.not_before), version = excluded.version",
        params![SHARD, now_ms, sequence],
    )?;
    Ok(())
}

// Leases.

/// Whether anything is due, leased or not.
pub(super) fn is_due(tx: &Transaction<'_>, now_ms: i64) -> Result<bool> {
    Ok(tx.prepare_cached("SELECT 1 FROM work WHERE not_before <= ?1")?.exists([now_ms])?)
}

pub(super) fn lease(
    tx: &Transaction<'_>,
    now_ms: i64,
    lease_ms: i64,
    shards_max: usize,
) -> Result<Vec<Lease>> {
    let free = free_shards(tx, now_ms, shards_max)?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let fence = sequence::next(tx)?;
    let mut take = tx.prepare_cached(
        "INSERT INTO leases (account, region, fence, until_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account, region) DO UPDATE
         SET fence = excluded.fence, until_ms = excluded.until_ms",
    )?;
    let until = now_ms.saturating_add(lease_ms);
    let mut leases = Vec::with_capacity(free.len());
    for shard in free {
        take.execute(params![shard.account.as_str(), shard.region.as_str(), fence, until])?;
        let (marks, revision) = due_marks(tx, &shard, now_ms)?;
        leases.push(Lease { shard, marks, fence: Fence(fence), revision });
    }
    Ok(leases)
}

/// Shards with due marks and without a living lease, the one that waits longest first.
fn free_shards(tx: &Transaction<'_>, now_ms: i64, shards_max: usize) -> Result<Vec<ShardId>> {
    let mut taken = living_leases(tx, now_ms)?;
    let mut free = Vec::new();
    let mut statement = tx.prepare_cached(
        "SELECT account, region FROM work WHERE not_before <= ?1
         ORDER BY not_before, account, region",
    )?;
    let mut rows = statement.query([now_ms])?;
    // Read row by row, so that a long backlog costs no more than what is taken of it.
    while free.len() < shards_max {
        let Some(row) = rows.next()? else { break };
        let shard = shard(row, 0, MARK)?;
        if taken.insert(shard.clone()) {
            free.push(shard);
        }
    }
    Ok(free)
}

fn living_leases(tx: &Transaction<'_>, now_ms: i64) -> Result<BTreeSet<ShardId>> {
    let mut statement =
        tx.prepare_cached("SELECT account, region FROM leases WHERE until_ms > ?1")?;
    let mut rows = statement.query([now_ms])?;
    let mut living = BTreeSet::new();
    while let Some(row) = rows.next()? {
        living.insert(shard(row, 0, "lease")?);
    }
    Ok(living)
}

/// The due marks of a shard, and its revision. A shard whose row is damaged is leased at the revision of
/// one without facts: loading it tells of the damage, and no change is taken for judged.
fn due_marks(
    tx: &Transaction<'_>,
    shard: &ShardId,
    now_ms: i64,
) -> Result<(Vec<LeasedMark>, Revision)> {
    let mut statement = tx.prepare_cached(
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

pub(super) fn prolong(tx: &Transaction<'_>, leases: &[Lease], until_ms: i64) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "UPDATE leases SET until_ms = ?4 WHERE account = ?1 AND region = ?2 AND fence = ?3",
    )?;
    for Lease { shard, fence: Fence(fence), .. } in leases {
        statement.execute(params![
            shard.account.as_str(),
            shard.region.as_str(),
            fence,
            until_ms
        ])?;
    }
    Ok(())
}

/// Gives up leases. Their marks, if not marked again since, are due no sooner than that.
pub(super) fn release_all(
    tx: &Transaction<'_>,
    leases: &[Lease],
    not_before_ms: Option<i64>,
) -> Result<()> {
    let mut put_off = tx.prepare_cached(
        "UPDATE work SET not_before = max(not_before, ?5)
         WHERE account = ?1 AND region = ?2 AND policy = ?3 AND version = ?4",
    )?;
    for lease in leases {
        if !release(tx, lease)? {
            continue;
        }
        let Some(not_before_ms) = not_before_ms else { continue };
        for mark in &lease.marks {
            put_off.execute(params![
                lease.shard.account.as_str(),
                lease.shard.region.as_str(),
                column(&mark.due),
                mark.version,
                not_before_ms
            ])?;
        }
    }
    Ok(())
}

/// Ends a lease. `false` when it is not the shard's lease any more: it ran out and another worker
/// took the shard, whose findings count.
pub(super) fn release(tx: &Transaction<'_>, lease: &Lease) -> Result<bool> {
    let mut statement =
        tx.prepare_cached("DELETE FROM leases WHERE account = ?1 AND region = ?2 AND fence = ?3")?;
    let (account, region) = (lease.shard.account.as_str(), lease.shard.region.as_str());
    Ok(statement.execute(params![account, region, lease.fence.0])? > 0)
}

/// Clears the marks of a lease that were not marked again since.
pub(super) fn clear(tx: &Transaction<'_>, lease: &Lease) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM work WHERE account = ?1 AND region = ?2 AND policy = ?3 AND version = ?4",
    )?;
    for mark in &lease.marks {
        statement.execute(params![
            lease.shard.account.as_str(),
            lease.shard.region.as_str(),
            column(&mark.due),
            mark.version
        ])?;
    }
    Ok(())
}

// Fan-outs.

pub(super) fn put_fan_out(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    revision: u64,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO fan_outs (policy, revision, cursor, created_ms) VALUES (?1, ?2, NULL, ?3)
         ON CONFLICT (policy) DO UPDATE SET
           revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
        params![policy.as_str(), revision, now_ms],
    )?;
    Ok(())
}

pub(super) fn judge_by(
    tx: &Transaction<'_>,
    rules: u32,
    assumed: &str,
    now_ms: i64,
) -> Result<usize> {
    of_store::<u32>(tx, "rules")?;
    let noted = tx.execute(
        "UPDATE store SET rules = ?1, assumed = ?2 WHERE rules <> ?1 OR assumed <> ?2",
        params![rules, assumed],
    )?;
    if noted == 0 {
        return Ok(0);
    }
    Ok(tx.execute(
        "INSERT INTO fan_outs (policy, revision, cursor, created_ms)
         SELECT policy, revision, NULL, ?1 FROM policies WHERE true
         ON CONFLICT (policy) DO UPDATE SET
           revision = excluded.revision, cursor = NULL, created_ms = excluded.created_ms",
        [now_ms],
    )?)
}

pub(super) fn fan_outs(tx: &Transaction<'_>) -> Result<Vec<FanOut>> {
    let mut statement = tx.prepare_cached(
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

pub(super) fn advance_fan_out(
    tx: &Transaction<'_>,
    fan_out: &FanOut,
    shards: &[ShardId],
    next: Option<&AccountId>,
    now_ms: i64,
) -> Result<bool> {
    // The cursor is held against, too: two workers may have read the same fan-out.
    let moved = tx
        .prepare_cached(
            "UPDATE fan_outs SET cursor = ?4 WHERE policy = ?1 AND revision = ?2 AND cursor IS ?3",
        )?
        .execute(params![
            fan_out.policy.as_str(),
            fan_out.revision,
            fan_out.cursor.as_ref().map(|account| account.as_str()),
            next.map(|account| account.as_str()),
        ])?;
    if moved == 0 {
        return Ok(false);
    }
    if next.is_none() {
        tx.execute("DELETE FROM fan_outs WHERE policy = ?1", [fan_out.policy.as_str()])?;
    }
    let sequence = sequence::next(tx)?;
    for shard in shards {
        mark(tx, shard, Some(&fan_out.policy), sequence, now_ms)?;
    }
    Ok(true)
}

/// The policy is gone.
pub(super) fn remove_policy(tx: &Transaction<'_>, policy: &PolicyId) -> Result<()> {
    tx.execute("DELETE FROM fan_outs WHERE policy = ?1", [policy.as_str()])?;
    tx.execute("DELETE FROM work WHERE policy = ?1", [policy.as_str()])?;
    Ok(())
}

// Counts.

pub(super) fn counts(tx: &Transaction<'_>, now_ms: i64) -> Result<WorkCounts> {
    let ask = |sql: &str| -> Result<(u64, Option<i64>)> {
        let mut statement = tx.prepare_cached(sql)?;
        Ok(statement.query_row([now_ms], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    let (due, oldest_mark) =
        ask("SELECT count(*), min(not_before) FROM work WHERE not_before <= ?1")?;
    let (all, _) = ask("SELECT count(*), ?1 FROM work")?;
    let (leased, _) = ask("SELECT count(*), NULL FROM leases JOIN work USING (account, region)
         WHERE until_ms > ?1 AND not_before <= ?1")?;
    // Fan-outs wait whatever the clock says.
    let (fan_outs, oldest_fan_out) =
        ask("SELECT count(*), min(min(created_ms, ?1)) FROM fan_outs")?;
    let oldest = oldest_mark.into_iter().chain(oldest_fan_out).min();
    let age_ms = oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest));
    Ok(WorkCounts {
        dirty: due.saturating_sub(leased).saturating_add(fan_outs),
        leased,
        future: all.saturating_sub(due),
        oldest_seconds: u64::try_from(age_ms / 1000).unwrap_or(0),
    })
}
