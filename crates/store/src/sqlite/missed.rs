//! What deliveries and their sources had and did not give: kept, and the shards it concerns marked
//! (semantics §11 rows 37 and 39). What of it is still a gap is told by [`super::gaps`].

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Missed};
use rusqlite::{params, params_from_iter};

use crate::Result;

use super::columns::shard;
use super::gaps::{MISSED, cause_number};
use super::log::Transaction;
use super::protections::Served;
use super::{networks, work};

/// Keeps what a delivery missed, and marks the shards that it may concern due. What is held is the
/// latest moment of each, so a repeat changes nothing.
pub(super) fn keep(
    tx: &Transaction<'_>,
    missed: &[Missed],
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    for one in missed {
        let mut statement = tx.prepare_cached(
            "INSERT INTO missed (account, region, type, what, cause, moment_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account, region, type, what, cause) DO UPDATE
             SET moment_ms = excluded.moment_ms WHERE excluded.moment_ms > moment_ms",
        )?;
        let changed = statement.execute(params![
            one.account.as_ref().map_or("", AccountId::as_str),
            one.region.as_ref().map_or("", Region::as_str),
            one.resource_type.as_ref().map_or("", ResourceType::as_str),
            one.what.as_deref().unwrap_or_default(),
            cause_number(one.cause),
            one.moment_ms
        ])?;
        if changed > 0 {
            mark(tx, one, sequence, now_ms)?;
        }
    }
    Ok(())
}

fn mark(tx: &Transaction<'_>, missed: &Missed, sequence: u64, now_ms: i64) -> Result<()> {
    let Missed { account, region, resource_type, .. } = missed;
    if let (Some(account), Some(region)) = (account, region) {
        let id = ShardId { account: account.clone(), region: region.clone() };
        work::mark(tx, &id, None, sequence, now_ms)?;
        networks::mark_sharing(tx, &id, sequence, now_ms)?;
    }
    // Protections are read in every Region of the account.
    let serves_all = resource_type.as_ref().is_none_or(Served::concerns);
    if account.is_some() && region.is_some() && !serves_all {
        return Ok(());
    }
    mark_shards(tx, account.as_ref(), sequence, now_ms)
}

/// Marks the shards of an account, or all that there are. One of which nothing was delivered has no
/// result to lose.
fn mark_shards(
    tx: &Transaction<'_>,
    account: Option<&AccountId>,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let mut statement = tx.prepare_cached(match account {
        Some(_) => "SELECT account, region FROM shards WHERE account = ?1",
        None => "SELECT account, region FROM shards",
    })?;
    let mut rows = statement.query(params_from_iter(account.map(AccountId::as_str)))?;
    while let Some(row) = rows.next()? {
        let id = shard(row, 0, MISSED)?;
        work::mark(tx, &id, None, sequence, now_ms)?;
        // Of every account each is marked already.
        if account.is_some() {
            networks::mark_sharing(tx, &id, sequence, now_ms)?;
        }
    }
    Ok(())
}

/// A shard's gaps were closed by what came: those of items of which no Region was told were with it
/// in every Region of the account.
pub(super) fn closed(tx: &Transaction<'_>, id: &ShardId, sequence: u64, now_ms: i64) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "SELECT 1 FROM missed WHERE account IN ('', ?1) AND region = '' AND what <> ''",
    )?;
    if statement.exists([id.account.as_str()])? {
        mark_shards(tx, Some(&id.account), sequence, now_ms)?;
    }
    Ok(())
}

/// Drops gaps from before a moment that are closed for good, by a mark or by the resource's own row,
/// which may be dropped next.
pub(super) fn expire(tx: &Transaction<'_>, before_ms: i64) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM missed WHERE moment_ms < ?1 AND account <> '' AND (
           EXISTS (
             SELECT 1 FROM coverage
             WHERE coverage.account = missed.account AND coverage.region = missed.region
               AND coverage.type = missed.type AND coverage.mark_ms >= missed.moment_ms)
           OR cause = ?2 AND what <> '' AND EXISTS (
             SELECT 1 FROM items
             WHERE items.account = missed.account
               AND (missed.region = '' OR items.region = missed.region)
               AND (missed.type = '' OR items.type = missed.type)
               AND items.id = missed.what AND items.seen_ms >= missed.moment_ms))",
        params![before_ms, cause_number(Cause::Item)],
    )?)
}
