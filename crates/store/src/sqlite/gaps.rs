//! Gaps of shards: what was missed of them and nothing has closed since (semantics §11 rows 37 and 39).

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Missed, OpenGaps, open_gaps};
use rusqlite::params_from_iter;

use crate::Result;

use super::columns::{damaged, get};
use super::held;
use super::items::ITEM;
use super::log::Transaction;
use super::sums::{OTHER_SUM, sound};

/// What a row of what was missed is called where it is damaged.
pub(super) const MISSED: &str = "missed row";

/// The gaps of a shard that nothing has closed.
pub(super) fn open(tx: &Transaction<'_>, id: &ShardId) -> Result<OpenGaps> {
    let missed = concerning(tx, id)?;
    if missed.is_empty() {
        return Ok(OpenGaps::new());
    }
    let coverage = held::coverage(tx, id, held::Of::All)?;
    let mark_ms = |resource_type: &ResourceType| coverage.get(resource_type)?.mark_ms;
    let mut failed = None;
    let open = open_gaps(&missed, mark_ms, |one| match seen_ms(tx, id, one) {
        Ok(seen_ms) => seen_ms,
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    failed.map_or(Ok(open), Err)
}

fn concerning(tx: &Transaction<'_>, id: &ShardId) -> Result<Vec<Missed>> {
    let mut statement = tx.prepare_cached(
        "SELECT account, region, type, what, cause, moment_ms,
           sum IS row_sum(account, region, type, what, cause, moment_ms)
         FROM missed WHERE account IN ('', ?1) AND region IN ('', ?2)",
    )?;
    let mut rows = statement.query([id.account.as_str(), id.region.as_str()])?;
    let mut missed = Vec::new();
    while let Some(row) = rows.next()? {
        sound(row, 6, MISSED)?;
        missed.push(Missed {
            account: any(row, 0)?.map(|text| account(&text)).transpose()?,
            region: any(row, 1)?.map(|text| region(&text)).transpose()?,
            resource_type: any(row, 2)?.map(|text| resource_type(&text)).transpose()?,
            what: any(row, 3)?.map(Into::into),
            cause: cause(get(row, 4, MISSED)?)?,
            moment_ms: get(row, 5, MISSED)?,
        });
    }
    Ok(missed)
}

/// A column in which empty text stands for any.
fn any(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<String>> {
    let text: String = get(row, column, MISSED)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn account(text: &str) -> Result<AccountId> {
    AccountId::try_from(text).map_err(|error| damaged(MISSED, error))
}

fn region(text: &str) -> Result<Region> {
    Region::try_from(text).map_err(|error| damaged(MISSED, error))
}

fn resource_type(text: &str) -> Result<ResourceType> {
    ResourceType::try_from(text).map_err(|error| damaged(MISSED, error))
}

fn cause(number: i64) -> Result<Cause> {
    match number {
        0 => Ok(Cause::GoesOn),
        1 => Ok(Cause::LeftOut),
        2 => Ok(Cause::Item),
        3 => Ok(Cause::File),
        other => Err(damaged(MISSED, format!("cause {other}"))),
    }
}

/// The number under which a cause is kept.
pub(super) fn cause_number(cause: Cause) -> i64 {
    match cause {
        Cause::GoesOn => 0,
        Cause::LeftOut => 1,
        Cause::Item => 2,
        Cause::File => 3,
    }
}

/// When an item of a key was last seen, and whether that is as it was written.
const SEEN: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4";
/// The same in every Region of the account.
const SEEN_ANYWHERE: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM shards CROSS JOIN items ON items.account = shards.account AND items.region = shards.region
     WHERE shards.account = ?1 AND type = ?2 AND id = ?3";
/// The same of whatever type: it reaches all that the shard holds, or the account.
const SEEN_OF_ANY_TYPE: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND region = ?2 AND id = ?3";
const SEEN_AT_ALL: &str = "SELECT max(seen_ms), coalesce(min(items.sum IS
       row_sum(items.account, items.region, type, id, state, seen_ms, body)), 1)
     FROM items WHERE account = ?1 AND id = ?2";

/// When the resource of an item that was missed was last seen in the account.
fn seen_ms(tx: &Transaction<'_>, id: &ShardId, missed: &Missed) -> Result<Option<i64>> {
    let region = missed.region.as_ref().map(Region::as_str);
    let resource_type = missed.resource_type.as_ref().map(ResourceType::as_str);
    let sql = match (region, resource_type) {
        (Some(_), Some(_)) => SEEN,
        (None, Some(_)) => SEEN_ANYWHERE,
        (Some(_), None) => SEEN_OF_ANY_TYPE,
        (None, None) => SEEN_AT_ALL,
    };
    let what = missed.what.as_deref().unwrap_or_default();
    let asked = [Some(id.account.as_str()), region, resource_type, Some(what)];
    let mut statement = tx.prepare_cached(sql)?;
    let row = statement.query_row(params_from_iter(asked.into_iter().flatten()), |row| {
        Ok((row.get(0)?, row.get(1)?))
    });
    match row? {
        (seen_ms, true) => Ok(seen_ms),
        (_, false) => Err(damaged(ITEM, OTHER_SUM)),
    }
}
