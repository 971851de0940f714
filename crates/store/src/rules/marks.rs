//! What is due: marks on shards, leases on them, and policies still to be fanned out.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};

use crate::{AuditEvent, Due, FanOut, Lease, LeasedMark, Mark, Result, WorkCounts};

use super::{Rows, keys};

/// Marks a shard due under one policy or all, or sooner if it already is.
pub fn mark(
    rows: &impl Rows,
    shard: &ShardId,
    policy: Option<&PolicyId>,
    sequence: u64,
    not_before: i64,
) -> Result<()> {
    let due = policy.map_or(Due::Shard, |policy| Due::Policy(policy.clone()));
    rows.put_mark(shard, &due, sequence, not_before)
}

/// Marks work that somebody asked for.
pub fn mark_all(
    rows: &impl Rows,
    marks: &[Mark],
    now_ms: i64,
    event: Option<&AuditEvent>,
) -> Result<()> {
    let sequence = rows.next_sequence()?;
    for due in marks {
        mark(rows, &due.shard, due.policy.as_ref(), sequence, now_ms)?;
    }
    event.map_or(Ok(()), |event| keys::append(rows, event))
}

// Leases.

/// Leases shards with due marks and without a living lease, the one that waits longest first.
pub fn lease(
    rows: &impl Rows,
    now_ms: i64,
    lease_ms: i64,
    shards_max: usize,
) -> Result<Vec<Lease>> {
    let mut taken = rows.leased(now_ms)?;
    let mut free = Vec::new();
    // One after the other, so that a long backlog costs no more than what is taken of it.
    rows.due_shards(now_ms, &mut |shard| {
        if free.len() < shards_max && taken.insert(shard.clone()) {
            free.push(shard);
        }
        free.len() < shards_max
    })?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let fence = rows.next_fence()?;
    let until_ms = now_ms.saturating_add(lease_ms);
    let mut leases = Vec::with_capacity(free.len());
    for shard in free {
        if !rows.put_lease(&shard, fence.number, now_ms, until_ms)? {
            continue;
        }
        let (mut marks, revision) = rows.due_marks(&shard, now_ms)?;
        marks.sort_by(|one, other| one.due.cmp(&other.due));
        leases.push(Lease { shard, marks, fence, revision });
    }
    Ok(leases)
}

/// Moves the end of leases that are still held.
pub fn prolong(rows: &impl Rows, leases: &[Lease], until_ms: i64) -> Result<()> {
    leases.iter().try_for_each(|lease| rows.move_lease(&lease.shard, lease.fence.number, until_ms))
}

/// Gives up leases. Their marks, if not marked again since, are due no sooner than that.
pub fn release(rows: &impl Rows, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()> {
    for lease in leases {
        if !rows.drop_lease(&lease.shard, lease.fence.number)? {
            continue;
        }
        let Some(not_before_ms) = not_before_ms else { continue };
        for mark in &lease.marks {
            rows.put_off(&lease.shard, &mark.due, mark.version, not_before_ms)?;
        }
    }
    Ok(())
}

/// Ends what a lease was for, that its shard be judged: the marks that were not made again since. The lease is
/// dropped already; where it was not the shard's any more, as it ran out and another worker took the shard, that
/// one's findings count, and these marks are its.
pub fn end(rows: &impl Rows, lease: &Lease) -> Result<()> {
    let drop = |mark: &LeasedMark| rows.drop_mark(&lease.shard, &mark.due, mark.version);
    lease.marks.iter().try_for_each(drop)
}

// Fan-outs.

/// Notes by which rules is judged, and has every policy fanned out where others were noted.
pub fn judge_by(rows: &impl Rows, rules: u32, assumed: &str, now_ms: i64) -> Result<usize> {
    let (noted, taken) = rows.judged_by()?;
    if noted == rules && taken == assumed {
        return Ok(0);
    }
    rows.put_judged_by(rules, assumed)?;
    rows.put_all_fan_outs(now_ms)
}

/// Accounts after a fan-out's cursor that have an entry under its policy or get one by who holds a lease.
pub fn reached(
    rows: &impl Rows,
    fan_out: &FanOut,
    region: &Region,
    limit: usize,
) -> Result<Vec<AccountId>> {
    let FanOut { policy, cursor, .. } = fan_out;
    let mut reached: BTreeSet<AccountId> =
        rows.with_entry(policy, cursor.as_ref(), limit)?.into_iter().collect();
    // Of leases that ran out, too: what they find counts until another worker takes the shard.
    let leased = rows.leased(i64::MIN)?.into_iter().filter(|shard| shard.region == *region);
    let leased = leased.map(|shard| shard.account);
    reached.extend(leased.filter(|account| cursor.as_ref().is_none_or(|cursor| account > cursor)));
    Ok(reached.into_iter().take(limit).collect())
}

/// One step of a fan-out.
pub fn advance_fan_out(
    rows: &impl Rows,
    fan_out: &FanOut,
    shards: &[ShardId],
    next: Option<&AccountId>,
    now_ms: i64,
) -> Result<bool> {
    // The cursor is compared, too: two workers may have read the same fan-out.
    if !rows.move_fan_out(fan_out, next)? {
        return Ok(false);
    }
    if next.is_none() {
        rows.drop_fan_out(&fan_out.policy)?;
    }
    let (sequence, due) = (rows.next_sequence()?, Due::Policy(fan_out.policy.clone()));
    shards.iter().try_for_each(|shard| rows.put_mark(shard, &due, sequence, now_ms))?;
    Ok(true)
}

// Counts.

/// How much work there is.
pub fn counts(rows: &impl Rows, now_ms: i64) -> Result<WorkCounts> {
    let counted = rows.counted(now_ms)?;
    // Fan-outs wait whatever the clock says.
    let oldest = counted.oldest_due_ms.into_iter().chain(counted.oldest_fan_out_ms).min();
    let age_ms = oldest.map_or(0, |oldest| now_ms.saturating_sub(oldest));
    Ok(WorkCounts {
        dirty: counted.due.saturating_sub(counted.leased).saturating_add(counted.fan_outs),
        leased: counted.leased,
        future: counted.all.saturating_sub(counted.due),
        oldest_seconds: u64::try_from(age_ms / 1000).unwrap_or(0),
    })
}
