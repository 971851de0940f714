//! Dropping what is too old to be asked for.

use palisade_core::ident::ResourceType;
use rusqlite::params;

use crate::Result;

use super::held::State;
use super::log::Transaction;
use super::missed;

pub(super) fn expire(tx: &Transaction<'_>, before_ms: i64) -> Result<u64> {
    let rows = [
        history(tx, before_ms)?,
        // Before the items that close them.
        missed::expire(tx, before_ms)?,
        tombstones(tx, before_ms)?,
        gone(tx, before_ms)?,
    ];
    Ok(rows.iter().map(|rows| u64::try_from(*rows).unwrap_or(u64::MAX)).sum())
}

/// States that ended before the moment. One that still held then stays, so that what is kept
/// answers for every moment since.
fn history(tx: &Transaction<'_>, before_ms: i64) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM history WHERE at_ms < ?1
           AND sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
             policy_revision, closed)
           AND (closed <> 0 OR EXISTS (
           SELECT 1 FROM history later
           WHERE later.policy = history.policy AND later.account = history.account
             AND later.sequence > history.sequence AND later.at_ms <= ?1))",
        [before_ms],
    )?)
}

/// Tombstones, but for those of recorders: without a living recorder they are why a shard counts
/// as not recorded, however long ago that was.
fn tombstones(tx: &Transaction<'_>, before_ms: i64) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM items WHERE state <> 0 AND state = ?1 AND seen_ms < ?2 AND type <> ?3
           AND sum IS row_sum(account, region, type, id, state, seen_ms, body)",
        params![State::Deleted, before_ms, ResourceType::CONFIGURATION_RECORDER.as_str()],
    )?)
}

/// Items that a snapshot from before the moment showed to be gone.
fn gone(tx: &Transaction<'_>, before_ms: i64) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM items WHERE state <> 0 AND state = ?1 AND seen_ms < ?2
         AND sum IS row_sum(account, region, type, id, state, seen_ms, body) AND EXISTS (
           SELECT 1 FROM coverage
           WHERE coverage.account = items.account AND coverage.region = items.region
             AND coverage.type = items.type AND coverage.mark_ms < ?2)",
        params![State::Gone, before_ms],
    )?)
}
