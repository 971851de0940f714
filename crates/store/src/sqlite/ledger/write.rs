//! Writing the ledger: what a judgement changed, and what ends.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::{Entry, ViolatorRow};
use rusqlite::params;

use crate::Result;
use crate::rules::rows::Noting;

use super::super::columns::{dropped, to_json};
use super::super::log::Transaction;
use super::columns::{issues_text, status_text};

pub(super) fn put_entry(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    entry: &Entry,
    evaluated_ms: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT OR REPLACE INTO entries (policy, account, status, violator_count, in_scope, issues,
           since_ms, policy_revision, evaluated_ms, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
           row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
    )?;
    statement.execute(params![
        policy.as_str(),
        account.as_str(),
        status_text(entry.status),
        entry.violator_count,
        entry.in_scope,
        issues_text(&entry.issues)?,
        entry.since_ms,
        entry.policy_revision,
        evaluated_ms
    ])?;
    Ok(())
}

pub(super) fn remove_violators(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    removed: &[(ResourceType, ResourceId)],
    noted_ms: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM violators WHERE policy = ?1 AND account = ?2 AND type = ?3 AND id = ?4",
    )?;
    for (resource_type, id) in removed {
        let key = [policy.as_str(), account.as_str(), resource_type.as_str(), id.as_str()];
        keep_violator(tx, key, noted_ms, true)?;
        statement.execute(key)?;
    }
    Ok(())
}

pub(super) fn put_violators(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    put: &[ViolatorRow],
    noted_ms: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT OR REPLACE INTO violators (policy, account, type, id, violations, since_ms, captured_ms,
           noted_ms, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))",
    )?;
    for violator in put {
        let (resource_type, id) = (violator.resource_type.as_str(), violator.id.as_str());
        keep_violator(tx, [policy.as_str(), account.as_str(), resource_type, id], noted_ms, false)?;
        statement.execute(params![
            policy.as_str(),
            account.as_str(),
            resource_type,
            id,
            to_json(&violator.violations)?,
            violator.since_ms,
            violator.captured_ms,
            noted_ms
        ])?;
    }
    Ok(())
}

/// Keeps the version of a violator that holds no more, if there is one that held for any time. One that
/// is damaged stays so.
fn keep_violator(
    tx: &Transaction<'_>,
    [policy, account, resource_type, id]: [&str; 4],
    until_ms: i64,
    ended: bool,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations, since_ms,
           captured_ms, ended, sum)
         SELECT policy, account, type, id, ?5, noted_ms, violations, since_ms, captured_ms, ?6,
           CASE WHEN sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
             noted_ms)
             THEN row_sum(policy, account, type, id, ?5, noted_ms, violations, since_ms,
               captured_ms, ?6) END
         FROM violators
         WHERE policy = ?1 AND account = ?2 AND type = ?3 AND id = ?4 AND noted_ms < ?5",
    )?;
    statement.execute(params![policy, account, resource_type, id, until_ms, ended])?;
    Ok(())
}

pub(super) fn append_history(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    entry: &Entry,
    noting: Noting,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
           policy_revision, closed, sum, noted_ms, occasion)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0,
           row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10), ?9, ?10)",
    )?;
    statement.execute(params![
        policy.as_str(),
        account.as_str(),
        noting.sequence,
        entry.since_ms,
        status_text(entry.status),
        entry.violator_count,
        issues_text(&entry.issues)?,
        entry.policy_revision,
        noting.noted_ms,
        noting.occasion.number()
    ])?;
    Ok(())
}

/// A judgement of the shard under every policy of its Region.
pub(super) fn move_judged(tx: &Transaction<'_>, shard: &ShardId, evaluated_ms: i64) -> Result<()> {
    let mut statement = tx.prepare_cached(
        // A damaged one is replaced: the shard was judged just now.
        "INSERT INTO judged (account, region, evaluated_ms, sum)
         VALUES (?1, ?2, ?3, row_sum(?1, ?2, ?3))
         ON CONFLICT (account, region) DO UPDATE
         SET evaluated_ms = excluded.evaluated_ms, sum = excluded.sum
         WHERE excluded.evaluated_ms > evaluated_ms
           OR sum IS NOT row_sum(account, region, evaluated_ms)",
    )?;
    statement.execute(params![shard.account.as_str(), shard.region.as_str(), evaluated_ms])?;
    Ok(())
}

/// A judgement under this policy that changed nothing.
pub(super) fn move_entry(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    evaluated_ms: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "UPDATE entries SET evaluated_ms = max(evaluated_ms, ?3),
           sum = CASE WHEN sum IS row_sum(policy, account, status, violator_count, in_scope, issues, since_ms,
             policy_revision, evaluated_ms)
             THEN row_sum(policy, account, status, violator_count, in_scope, issues, since_ms,
               policy_revision, max(evaluated_ms, ?3)) END
         WHERE policy = ?1 AND account = ?2",
    )?;
    statement.execute(params![policy.as_str(), account.as_str(), evaluated_ms])?;
    Ok(())
}

// Ending.

/// The account is out of the policy's scope.
pub(super) fn close(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
    at_ms: i64,
    noting: Noting,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
           policy_revision, closed, sum, noted_ms, occasion)
         SELECT policy, account, ?3, ?4, NULL, 0, NULL, policy_revision, 1,
           CASE WHEN sum IS row_sum(policy, account, status, violator_count, in_scope, issues, since_ms,
             policy_revision, evaluated_ms)
             THEN row_sum(policy, account, ?3, ?4, NULL, 0, NULL, policy_revision, 1, ?5, ?6) END, ?5, ?6
         FROM entries WHERE policy = ?1 AND account = ?2",
    )?;
    let (policy, account) = (policy.as_str(), account.as_str());
    let Noting { sequence, noted_ms, occasion } = noting;
    statement.execute(params![policy, account, sequence, at_ms, noted_ms, occasion.number()])?;
    tx.prepare_cached("DELETE FROM entries WHERE policy = ?1 AND account = ?2")?
        .execute([policy, account])?;
    tx.prepare_cached(
        "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations, since_ms,
           captured_ms, ended, sum)
         SELECT policy, account, type, id, ?3, noted_ms, violations, since_ms, captured_ms, 1,
           CASE WHEN sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
             noted_ms)
             THEN row_sum(policy, account, type, id, ?3, noted_ms, violations, since_ms,
               captured_ms, 1) END
         FROM violators WHERE policy = ?1 AND account = ?2 AND noted_ms < ?3",
    )?
    .execute(params![policy, account, noted_ms])?;
    tx.prepare_cached("DELETE FROM violators WHERE policy = ?1 AND account = ?2")?
        .execute([policy, account])?;
    Ok(())
}

/// The policy is gone: closes what it has in every account.
pub(super) fn remove_policy(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    at_ms: i64,
    noting: Noting,
) -> Result<()> {
    let Noting { sequence, noted_ms, occasion } = noting;
    tx.execute(
        "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
           policy_revision, closed, sum, noted_ms, occasion)
         SELECT policy, account, ?2, ?3, NULL, 0, NULL, policy_revision, 1,
           CASE WHEN sum IS row_sum(policy, account, status, violator_count, in_scope, issues, since_ms,
             policy_revision, evaluated_ms)
             THEN row_sum(policy, account, ?2, ?3, NULL, 0, NULL, policy_revision, 1, ?4, ?5) END, ?4, ?5
         FROM entries WHERE policy = ?1",
        params![policy.as_str(), sequence, at_ms, noted_ms, occasion.number()],
    )?;
    tx.execute("DELETE FROM entries WHERE policy = ?1", [policy.as_str()])?;
    tx.execute(
        "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations, since_ms,
           captured_ms, ended, sum)
         SELECT policy, account, type, id, ?2, noted_ms, violations, since_ms, captured_ms, 1,
           CASE WHEN sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
             noted_ms)
             THEN row_sum(policy, account, type, id, ?2, noted_ms, violations, since_ms,
               captured_ms, 1) END
         FROM violators WHERE policy = ?1 AND noted_ms < ?2",
        params![policy.as_str(), noted_ms],
    )?;
    tx.execute("DELETE FROM violators WHERE policy = ?1", [policy.as_str()])?;
    Ok(())
}

/// States that ended before the moment. One that still held then stays, so that what is kept
/// answers for every moment since.
pub(super) fn expire(tx: &Transaction<'_>, before_ms: i64) -> Result<u64> {
    Ok(dropped(tx.execute(
        "DELETE FROM history WHERE noted_ms < ?1
           AND sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
             policy_revision, closed, noted_ms, occasion)
           AND (closed <> 0 OR EXISTS (
           SELECT 1 FROM history later
           WHERE later.policy = history.policy AND later.account = history.account
             AND later.sequence > history.sequence AND later.noted_ms <= ?1))",
        [before_ms],
    )?))
}
