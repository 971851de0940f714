//! Rows of what deliveries and their sources had and did not give.

use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Missed};
use tokio_postgres::Row;

use crate::Result;
use crate::rules::rows::MissedRows;

use super::columns::{damaged, escaped, get, ident, unescaped, with};
use super::turn::Turn;

const MISSED: &str = "missed row";

impl MissedRows for Turn<'_> {
    fn missed(&self, id: &ShardId) -> Result<Vec<Missed>> {
        let rows = self.rows(
            "SELECT account, region, type, what, cause, moment_ms FROM missed
             WHERE account IN ('', $1) AND region IN ('', $2)
             ORDER BY account, region, type, what, cause",
            with![id.account.as_str(), id.region.as_str()],
        )?;
        rows.iter().map(missed_row).collect()
    }

    fn put_missed(&self, missed: &Missed) -> Result<bool> {
        let changed = self.count(
            "INSERT INTO missed (account, region, type, what, cause, moment_ms)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account, region, type, what, cause) DO UPDATE
             SET moment_ms = excluded.moment_ms WHERE excluded.moment_ms > missed.moment_ms",
            with![
                missed.account.as_ref().map_or("", AccountId::as_str),
                missed.region.as_ref().map_or("", Region::as_str),
                missed.resource_type.as_ref().map_or("", ResourceType::as_str),
                escaped(missed.what.as_deref().unwrap_or_default()),
                cause_number(missed.cause),
                missed.moment_ms
            ],
        )?;
        Ok(changed > 0)
    }

    fn is_item_missed_anywhere(&self, account: &AccountId) -> Result<bool> {
        self.exists(
            "SELECT 1 FROM missed
             WHERE account IN ('', $1) AND region = '' AND what <> '' LIMIT 1",
            with![account.as_str()],
        )
    }

    fn regions_missing(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<Vec<Region>> {
        let rows = self.rows(
            "SELECT region FROM missed
             WHERE account IN ('', $1) AND region <> '' AND type IN ('', $2)
             UNION SELECT region FROM shards WHERE account = $1 AND EXISTS (
               SELECT 1 FROM missed WHERE account IN ('', $1) AND region = '' AND type IN ('', $2))
             ORDER BY region",
            with![account.as_str(), resource_type.as_str()],
        )?;
        rows.iter().map(|row| ident(row, 0, MISSED)).collect()
    }

    fn drop_closed(&self, before_ms: i64) -> Result<u64> {
        self.count(
            "DELETE FROM missed WHERE moment_ms < $1 AND account <> '' AND (
               EXISTS (
                 SELECT 1 FROM coverage
                 WHERE coverage.account = missed.account AND coverage.region = missed.region
                   AND coverage.type = missed.type AND coverage.mark_ms >= missed.moment_ms)
               OR cause = $2 AND what <> '' AND EXISTS (
                 SELECT 1 FROM items
                 WHERE items.account = missed.account
                   AND (missed.region = '' OR items.region = missed.region)
                   AND (missed.type = '' OR items.type = missed.type)
                   AND items.id = missed.what AND items.seen_ms >= missed.moment_ms))",
            with![before_ms, cause_number(Cause::Item)],
        )
    }
}

fn missed_row(row: &Row) -> Result<Missed> {
    // Empty text stands for any.
    let any = |column: usize| -> Result<Option<&str>> {
        Ok(Some(get(row, column, MISSED)?).filter(|text: &&str| !text.is_empty()))
    };
    let account = any(0)?.map(AccountId::try_from).transpose();
    let region = any(1)?.map(Region::try_from).transpose();
    let resource_type = any(2)?.map(ResourceType::try_from).transpose();
    Ok(Missed {
        account: account.map_err(|error| damaged(MISSED, error))?,
        region: region.map_err(|error| damaged(MISSED, error))?,
        resource_type: resource_type.map_err(|error| damaged(MISSED, error))?,
        what: any(3)?.map(|what| unescaped(what).into()),
        cause: cause(get(row, 4, MISSED)?)?,
        moment_ms: get(row, 5, MISSED)?,
    })
}

fn cause(number: i16) -> Result<Cause> {
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
fn cause_number(cause: Cause) -> i16 {
    match cause {
        Cause::GoesOn => 0,
        Cause::LeftOut => 1,
        Cause::Item => 2,
        Cause::File => 3,
        Cause::Call => 4,
    }
}
