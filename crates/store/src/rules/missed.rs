//! What deliveries and their sources had and did not give: kept, and the shards it concerns marked
//! (semantics §11 rows 37 and 39). What of it is still a gap is told by [`super::gaps`].

use palisade_core::ident::{AccountId, ShardId};
use palisade_core::inventory::Missed;

use crate::{Result, Revision};

use super::protections::Served;
use super::rows::ShardRow;
use super::{Rows, marks, networks, readers};

/// Keeps what a delivery missed, and marks the shards that it may concern due. What is held is the
/// latest moment of each, so a repeat changes nothing; answers whether it did.
pub fn keep(rows: &impl Rows, missed: &[Missed], sequence: u64, now_ms: i64) -> Result<bool> {
    let mut is_news = false;
    for one in missed {
        if rows.put_missed(one)? {
            mark(rows, one, sequence, now_ms)?;
            is_news = true;
        }
    }
    Ok(is_news)
}

fn mark(rows: &impl Rows, missed: &Missed, sequence: u64, now_ms: i64) -> Result<()> {
    let Missed { account, region, resource_type, .. } = missed;
    if let (Some(account), Some(region)) = (account, region) {
        let id = ShardId { account: account.clone(), region: region.clone() };
        mark_shard(rows, id, sequence, now_ms)?;
    }
    // Protections are read in every Region of the account.
    let serves_all = resource_type.as_ref().is_none_or(Served::concerns);
    if account.is_some() && region.is_some() && !serves_all {
        return Ok(());
    }
    match account {
        Some(account) => mark_shards_of(rows, account, sequence, now_ms),
        None => {
            // One of which nothing was delivered has no result to lose.
            for id in rows.all_shards()? {
                marks::mark(rows, &id, None, sequence, now_ms)?;
                changed(rows, &id, sequence)?;
            }
            Ok(())
        }
    }
}

/// Marks the shards of an account.
fn mark_shards_of(rows: &impl Rows, account: &AccountId, sequence: u64, now_ms: i64) -> Result<()> {
    for region in rows.regions_of(account)? {
        mark_shard(rows, ShardId { account: account.clone(), region }, sequence, now_ms)?;
    }
    Ok(())
}

/// Marks a shard of which something was missed, or is no longer, and those who rely on what it tells.
fn mark_shard(rows: &impl Rows, id: ShardId, sequence: u64, now_ms: i64) -> Result<()> {
    marks::mark(rows, &id, None, sequence, now_ms)?;
    changed(rows, &id, sequence)?;
    networks::mark_sharing(rows, &id, sequence, now_ms)?;
    readers::mark_of_shard(rows, &id, sequence, now_ms)
}

/// Whoever relies on a shard for the first time, and read it before this, is told by its revision.
fn changed(rows: &impl Rows, id: &ShardId, sequence: u64) -> Result<()> {
    let Some(row) = rows.shard(id)? else { return Ok(()) };
    rows.put_shard(id, &ShardRow { revision: Revision(sequence), ..row })
}

/// A shard's gaps were closed by what came: those of items of which no Region was told were with it
/// in every Region of the account.
pub fn closed(rows: &impl Rows, id: &ShardId, sequence: u64, now_ms: i64) -> Result<()> {
    if rows.is_item_missed_anywhere(&id.account)? {
        mark_shards_of(rows, &id.account, sequence, now_ms)?;
    }
    Ok(())
}
