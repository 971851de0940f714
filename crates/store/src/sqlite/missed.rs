//! Rows of what deliveries and their sources had and did not give.

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Missed};
use rusqlite::params;

use crate::Result;
use crate::rules::rows::MissedRows;

use super::columns::{damaged, dropped, get, ident};
use super::log::Transaction;
use super::sums::sound;

/// What a row of what was missed is called where it is damaged.
const MISSED: &str = "missed row";

impl MissedRows for Transaction<'_> {
    fn missed(&self, id: &ShardId) -> Result<Vec<Missed>> {
        let mut statement = self.prepare_cached(
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

    fn put_missed(&self, missed: &Missed) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "INSERT INTO missed (account, region, type, what, cause, moment_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account, region, type, what, cause) DO UPDATE
             SET moment_ms = excluded.moment_ms WHERE excluded.moment_ms > moment_ms",
        )?;
        let changed = statement.execute(params![
            missed.account.as_ref().map_or("", AccountId::as_str),
            missed.region.as_ref().map_or("", Region::as_str),
            missed.resource_type.as_ref().map_or("", ResourceType::as_str),
            missed.what.as_deref().unwrap_or_default(),
            cause_number(missed.cause),
            missed.moment_ms
        ])?;
        Ok(changed > 0)
    }

    fn is_item_missed_anywhere(&self, account: &AccountId) -> Result<bool> {
        let mut statement = self.prepare_cached(
            "SELECT 1 FROM missed WHERE account IN ('', ?1) AND region = '' AND what <> ''",
        )?;
        Ok(statement.exists([account.as_str()])?)
    }

    fn regions_missing(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<Vec<Region>> {
        let mut statement = self.prepare_cached(
            "SELECT region FROM missed WHERE account IN ('', ?1) AND region <> '' AND type IN ('', ?2)
             UNION SELECT region FROM shards WHERE account = ?1 AND EXISTS (
               SELECT 1 FROM missed WHERE account IN ('', ?1) AND region = '' AND type IN ('', ?2))",
        )?;
        let mut rows = statement.query([account.as_str(), resource_type.as_str()])?;
        let mut regions = Vec::new();
        while let Some(row) = rows.next()? {
            regions.push(ident(row, 0, MISSED)?);
        }
        Ok(regions)
    }

    fn drop_closed(&self, before_ms: i64) -> Result<u64> {
        Ok(dropped(self.execute(
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
        )?))
    }
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
        4 => Ok(Cause::Call),
        other => Err(damaged(MISSED, format!("cause {other}"))),
    }
}

/// The number under which a cause is kept.
fn cause_number(cause: Cause) -> i64 {
    match cause {
        Cause::GoesOn => 0,
        Cause::LeftOut => 1,
        Cause::Item => 2,
        Cause::File => 3,
        Cause::Call => 4,
    }
}
