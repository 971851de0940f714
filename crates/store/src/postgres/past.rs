//! What was answered at earlier moments: versions of what is decided, past states of entries and violators.
//!
//! A question costs what it answers, however long the history is: moments never decrease in the order of the
//! sequence, so the sequence of a moment is one seek, and the state that held then is another.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use tokio_postgres::Row;

use crate::rules::rows::PastRows;
use crate::{HistoryRow, PastViolator, Result, Span, Version, Versioned};

use super::columns::{damaged, get, ident, limit, with};
use super::ledger::{PAST_ALL_ACCOUNTS, history_row, violator_row};
use super::turn::Turn;

const VERSION: &str = "past version";
const TOUCHED: &str = "history row";
const PAST_VIOLATOR: &str = "past violator";

impl PastRows for Turn<'_> {
    fn span(&self) -> Result<Span> {
        let row = self.one("SELECT past_from_ms, noted_ms FROM store", with![])?;
        let row = row.ok_or_else(|| damaged("store row", "it is missing"))?;
        Ok(Span { from_ms: get(&row, 0, "store row")?, noted_ms: get(&row, 1, "store row")? })
    }

    fn put_span(&self, span: Span) -> Result<()> {
        let update = "UPDATE store SET past_from_ms = $1, noted_ms = $2";
        self.send(update, with![span.from_ms, span.noted_ms])
    }

    fn cap_noted(&self, now_ms: i64) -> Result<()> {
        for statement in [
            "UPDATE history SET noted_ms = $1 WHERE noted_ms > $1",
            "UPDATE versions SET noted_ms = $1 WHERE noted_ms > $1",
            "UPDATE violators SET noted_ms = $1 WHERE noted_ms > $1",
            "DELETE FROM past_violators WHERE from_ms >= $1",
            "UPDATE past_violators SET until_ms = $1 WHERE until_ms > $1",
        ] {
            self.send(statement, with![now_ms])?;
        }
        Ok(())
    }

    fn put_version(
        &self,
        object: &Versioned,
        record: Option<&str>,
        sequence: u64,
        noted_ms: i64,
    ) -> Result<()> {
        self.send(
            "INSERT INTO versions (object, sequence, noted_ms, record) VALUES ($1, $2, $3, $4)
             ON CONFLICT (object, sequence) DO UPDATE SET
               noted_ms = excluded.noted_ms, record = excluded.record",
            with![object.text(), sequence, noted_ms, record],
        )
    }

    fn versions_at(&self, at_ms: i64) -> Result<Vec<Version>> {
        let rows = self.rows(
            "SELECT held.object, held.noted_ms, held.record
             FROM (WITH RECURSIVE asked (object) AS (
                 SELECT min(object) FROM versions
                 UNION ALL
                 SELECT (SELECT min(object) FROM versions WHERE object > asked.object)
                 FROM asked WHERE asked.object IS NOT NULL)
               SELECT object FROM asked WHERE object IS NOT NULL) AS each
             CROSS JOIN LATERAL (
               SELECT object, noted_ms, record FROM versions
               WHERE versions.object = each.object AND sequence <= (
                 SELECT sequence FROM versions WHERE noted_ms <= $1
                 ORDER BY noted_ms DESC, sequence DESC LIMIT 1)
               ORDER BY sequence DESC LIMIT 1) AS held
             WHERE held.record IS NOT NULL ORDER BY held.object",
            with![at_ms],
        )?;
        rows.iter().map(version).collect()
    }

    fn versions_between(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        let rows = self.rows(
            "SELECT object, noted_ms, record FROM versions
             WHERE noted_ms > $1 AND noted_ms <= $2 ORDER BY noted_ms, sequence, object",
            with![after_ms, through_ms],
        )?;
        rows.iter().map(version).collect()
    }

    fn drop_versions(&self, before_ms: i64) -> Result<u64> {
        self.count(
            "DELETE FROM versions WHERE noted_ms < $1 AND (record IS NULL OR EXISTS (
               SELECT 1 FROM versions later
               WHERE later.object = versions.object AND later.sequence > versions.sequence
                 AND later.noted_ms <= $1))",
            with![before_ms],
        )
    }

    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        rows_max: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>> {
        let Some(last) = self.last_state(at_ms)? else { return Ok(Vec::new()) };
        let rows = self.rows(
            "SELECT each.account, at_ms, status, violator_count, issues, policy_revision, closed, noted_ms,
               occasion
             FROM (WITH RECURSIVE asked (account) AS (
                 SELECT min(account) FROM history
                 WHERE policy = $1 AND account > $2 AND account <= $3
                 UNION ALL
                 SELECT (SELECT min(account) FROM history
                   WHERE policy = $1 AND account > asked.account AND account <= $3)
                 FROM asked WHERE asked.account IS NOT NULL)
               SELECT account FROM asked WHERE account IS NOT NULL) AS each
             CROSS JOIN LATERAL (
               SELECT * FROM history
               WHERE policy = $1 AND history.account = each.account AND sequence <= $5
               ORDER BY sequence DESC LIMIT 1) AS held
             WHERE NOT closed ORDER BY each.account LIMIT $4",
            with![
                policy.as_str(),
                after.map_or("", AccountId::as_str),
                through.map_or(PAST_ALL_ACCOUNTS, AccountId::as_str),
                limit(rows_max),
                last
            ],
        )?;
        rows.iter().map(|row| Ok((ident(row, 0, TOUCHED)?, history_row(row, 1)?))).collect()
    }

    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>> {
        let Some(last) = self.last_state(at_ms)? else { return Ok(None) };
        let row = self.one(
            "SELECT at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion
             FROM history
             WHERE policy = $1 AND account = $2 AND sequence <= $3 ORDER BY sequence DESC LIMIT 1",
            with![policy.as_str(), account.as_str(), last],
        )?;
        let held = row.map(|row| history_row(&row, 0)).transpose()?;
        Ok(held.filter(|row| !row.closed))
    }

    fn violators_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        rows_max: usize,
        at_ms: i64,
    ) -> Result<Vec<ViolatorRow>> {
        let (after_type, after_id) =
            after.map_or(("", ""), |(resource_type, id)| (resource_type.as_str(), id.as_str()));
        // Past versions of one resource follow each other: the first that ended later held then, or none did.
        let rows = self.rows(
            "SELECT type, id, violations, since_ms, captured_ms FROM violators
             WHERE policy = $1 AND account = $2 AND (type, id) > ($3, $4) AND noted_ms <= $6
             UNION ALL
             SELECT each.type, each.id, violations, since_ms, captured_ms
             FROM (WITH RECURSIVE asked (type, id) AS (
                 (SELECT type, id FROM past_violators
                  WHERE policy = $1 AND account = $2 AND (type, id) > ($3, $4)
                  ORDER BY type, id LIMIT 1)
                 UNION ALL
                 SELECT next.type, next.id FROM asked CROSS JOIN LATERAL (
                   SELECT type, id FROM past_violators
                   WHERE policy = $1 AND account = $2 AND (type, id) > (asked.type, asked.id)
                   ORDER BY type, id LIMIT 1) AS next)
               SELECT type, id FROM asked) AS each
             CROSS JOIN LATERAL (
               SELECT from_ms, violations, since_ms, captured_ms FROM past_violators
               WHERE policy = $1 AND account = $2 AND past_violators.type = each.type
                 AND past_violators.id = each.id AND until_ms > $6
               ORDER BY until_ms LIMIT 1) AS held
             WHERE held.from_ms <= $6
             ORDER BY type, id LIMIT $5",
            with![policy.as_str(), account.as_str(), after_type, after_id, limit(rows_max), at_ms],
        )?;
        rows.iter().map(violator_row).collect()
    }

    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>> {
        let rows = self.rows(
            "SELECT type, id, violations, since_ms, captured_ms, from_ms, until_ms, ended
             FROM past_violators
             WHERE policy = $1 AND account = $2 AND until_ms > $3 AND until_ms <= $4
             ORDER BY type, id, until_ms",
            with![policy.as_str(), account.as_str(), after_ms, through_ms],
        )?;
        let one = |row| {
            Ok(PastViolator {
                row: violator_row(row)?,
                from_ms: get(row, 5, PAST_VIOLATOR)?,
                until_ms: get(row, 6, PAST_VIOLATOR)?,
                ended: get(row, 7, PAST_VIOLATOR)?,
            })
        };
        rows.iter().map(one).collect()
    }

    fn drop_past_violators(&self, before_ms: i64) -> Result<u64> {
        self.count("DELETE FROM past_violators WHERE until_ms <= $1", with![before_ms])
    }
}

impl Turn<'_> {
    /// The sequence of the last state of any entry up to a moment.
    fn last_state(&self, at_ms: i64) -> Result<Option<i64>> {
        let row = self.one(
            "SELECT sequence FROM history WHERE noted_ms <= $1
             ORDER BY noted_ms DESC, sequence DESC LIMIT 1",
            with![at_ms],
        )?;
        row.map(|row| get(&row, 0, TOUCHED)).transpose()
    }
}

fn version(row: &Row) -> Result<Version> {
    let text: &str = get(row, 0, VERSION)?;
    let object = Versioned::named(text)
        .ok_or_else(|| damaged(VERSION, format!("`{text}` names no object")))?;
    Ok(Version { object, noted_ms: get(row, 1, VERSION)?, record: get(row, 2, VERSION)? })
}
