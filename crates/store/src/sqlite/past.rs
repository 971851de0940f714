//! What was answered at earlier moments: versions of what is decided, past states of entries and violators.
//! Moments are no keys: a row that is damaged is read whatever moment it tells, so that it is an error.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use rusqlite::{Row, params};

use crate::rules::rows::PastRows;
use crate::{HistoryRow, PastViolator, Result, Span, Version, Versioned};

use super::columns::{damaged, dropped, get, ident, limit, text_or_null};
use super::ledger::{PAST_ALL_ACCOUNTS, history_row, violator_row};
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;

const VERSION: &str = "past version";
const TOUCHED: &str = "history row";
const PAST_VIOLATOR: &str = "past violator";

impl PastRows for Transaction<'_> {
    fn span(&self) -> Result<Span> {
        let from_ms = of_store(self, "past_from_ms")?;
        Ok(Span { from_ms, noted_ms: of_store(self, "noted_ms")? })
    }

    fn put_span(&self, span: Span) -> Result<()> {
        self.prepare_cached("UPDATE store SET past_from_ms = ?1, noted_ms = ?2")?
            .execute([span.from_ms, span.noted_ms])?;
        Ok(())
    }

    fn cap_noted(&self, now_ms: i64) -> Result<()> {
        for statement in [
            "UPDATE history SET noted_ms = ?1,
               sum = CASE WHEN sum IS row_sum(policy, account, sequence, at_ms, status, violator_count,
                 issues, policy_revision, closed, noted_ms, occasion)
                 THEN row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                   policy_revision, closed, ?1, occasion) END
             WHERE noted_ms > ?1",
            "UPDATE versions SET noted_ms = ?1,
               sum = CASE WHEN sum IS row_sum(object, sequence, noted_ms, record)
                 THEN row_sum(object, sequence, ?1, record) END
             WHERE noted_ms > ?1",
            "UPDATE violators SET noted_ms = ?1,
               sum = CASE WHEN sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms)
                 THEN row_sum(policy, account, type, id, violations, since_ms, captured_ms, ?1) END
             WHERE noted_ms > ?1",
            "DELETE FROM past_violators WHERE from_ms >= ?1",
            "UPDATE past_violators SET until_ms = ?1,
               sum = CASE WHEN sum IS row_sum(policy, account, type, id, until_ms, from_ms, violations,
                 since_ms, captured_ms, ended)
                 THEN row_sum(policy, account, type, id, ?1, from_ms, violations, since_ms,
                   captured_ms, ended) END
             WHERE until_ms > ?1",
        ] {
            self.execute(statement, [now_ms])?;
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
        let mut statement = self.prepare_cached(
            "INSERT OR REPLACE INTO versions (object, sequence, noted_ms, record, sum)
             VALUES (?1, ?2, ?3, ?4, row_sum(?1, ?2, ?3, ?4))",
        )?;
        statement.execute(params![object.text(), sequence, noted_ms, record])?;
        Ok(())
    }

    fn versions_at(&self, at_ms: i64) -> Result<Vec<Version>> {
        let mut statement = self.prepare_cached(
            "SELECT object, noted_ms, record, sum IS row_sum(object, sequence, noted_ms, record)
             FROM versions version
             WHERE sum IS NOT row_sum(object, sequence, noted_ms, record)
               OR (noted_ms <= ?1 AND record IS NOT NULL AND sequence = (
                 SELECT later.sequence FROM versions later
                 WHERE later.object = version.object AND later.noted_ms <= ?1
                 ORDER BY later.sequence DESC LIMIT 1))
             ORDER BY object",
        )?;
        let mut rows = statement.query([at_ms])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(version(row)?);
        }
        Ok(found)
    }

    fn versions_between(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        let mut statement = self.prepare_cached(
            "SELECT object, noted_ms, record, sum IS row_sum(object, sequence, noted_ms, record)
             FROM versions
             WHERE sum IS NOT row_sum(object, sequence, noted_ms, record)
               OR (noted_ms > ?1 AND noted_ms <= ?2)
             ORDER BY sequence, object",
        )?;
        let mut rows = statement.query([after_ms, through_ms])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(version(row)?);
        }
        Ok(found)
    }

    fn drop_versions(&self, before_ms: i64) -> Result<u64> {
        Ok(dropped(self.execute(
            "DELETE FROM versions WHERE noted_ms < ?1
               AND sum IS row_sum(object, sequence, noted_ms, record)
               AND (record IS NULL OR EXISTS (
               SELECT 1 FROM versions later
               WHERE later.object = versions.object AND later.sequence > versions.sequence
                 AND later.noted_ms <= ?1))",
            [before_ms],
        )?))
    }

    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        rows_max: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>> {
        let mut statement = self.prepare_cached(
            "SELECT account, at_ms, status, violator_count, issues, policy_revision, closed, noted_ms,
               occasion,
               sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                 policy_revision, closed, noted_ms, occasion)
             FROM history state
             WHERE policy = ?1 AND account > ?2 AND account <= ?3 AND (
               sum IS NOT row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                 policy_revision, closed, noted_ms, occasion)
               OR (noted_ms <= ?5 AND closed = 0 AND sequence = (
                 SELECT later.sequence FROM history later
                 WHERE later.policy = state.policy AND later.account = state.account
                   AND later.noted_ms <= ?5
                 ORDER BY later.sequence DESC LIMIT 1)))
             ORDER BY account LIMIT ?4",
        )?;
        let mut rows = statement.query(params![
            policy.as_str(),
            after.map_or("", |account| account.as_str()),
            through.map_or(PAST_ALL_ACCOUNTS, |account| account.as_str()),
            limit(rows_max),
            at_ms
        ])?;
        let mut states = Vec::new();
        while let Some(row) = rows.next()? {
            states.push((ident(row, 0, TOUCHED)?, history_row(row, 1)?));
        }
        Ok(states)
    }

    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>> {
        let mut statement = self.prepare_cached(
            "SELECT at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion,
               sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                 policy_revision, closed, noted_ms, occasion)
             FROM history
             WHERE policy = ?1 AND account = ?2 AND (noted_ms <= ?3
               OR sum IS NOT row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                 policy_revision, closed, noted_ms, occasion))
             ORDER BY sequence DESC LIMIT 1",
        )?;
        let mut rows = statement.query(params![policy.as_str(), account.as_str(), at_ms])?;
        let held = rows.next()?.map(|row| history_row(row, 0)).transpose()?;
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
        let mut statement = self.prepare_cached(
            "SELECT type, id, violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms)
             FROM violators
             WHERE policy = ?1 AND account = ?2 AND (type, id) > (?3, ?4) AND (noted_ms <= ?6
               OR sum IS NOT row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms))
             UNION ALL
             SELECT type, id, violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, until_ms, from_ms, violations, since_ms,
                 captured_ms, ended)
             FROM past_violators
             WHERE policy = ?1 AND account = ?2 AND (type, id) > (?3, ?4)
               AND until_ms > ?6 AND (from_ms <= ?6
                 OR sum IS NOT row_sum(policy, account, type, id, until_ms, from_ms, violations,
                   since_ms, captured_ms, ended))
             ORDER BY type, id LIMIT ?5",
        )?;
        let (after_type, after_id) =
            after.map_or(("", ""), |(resource_type, id)| (resource_type.as_str(), id.as_str()));
        let mut rows = statement.query(params![
            policy.as_str(),
            account.as_str(),
            after_type,
            after_id,
            limit(rows_max),
            at_ms
        ])?;
        let mut violators = Vec::new();
        while let Some(row) = rows.next()? {
            violators.push(violator_row(row)?);
        }
        Ok(violators)
    }

    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>> {
        let mut statement = self.prepare_cached(
            "SELECT type, id, violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, until_ms, from_ms, violations, since_ms,
                 captured_ms, ended),
               from_ms, until_ms, ended
             FROM past_violators
             WHERE policy = ?1 AND account = ?2 AND until_ms > ?3 AND until_ms <= ?4
             ORDER BY type, id, until_ms",
        )?;
        let mut rows =
            statement.query(params![policy.as_str(), account.as_str(), after_ms, through_ms])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(PastViolator {
                row: violator_row(row)?,
                from_ms: get(row, 6, PAST_VIOLATOR)?,
                until_ms: get(row, 7, PAST_VIOLATOR)?,
                ended: get(row, 8, PAST_VIOLATOR)?,
            });
        }
        Ok(found)
    }

    fn drop_past_violators(&self, before_ms: i64) -> Result<u64> {
        Ok(dropped(self.execute(
            "DELETE FROM past_violators WHERE until_ms <= ?1
               AND sum IS row_sum(policy, account, type, id, until_ms, from_ms, violations, since_ms,
                 captured_ms, ended)",
            [before_ms],
        )?))
    }
}

fn version(row: &Row<'_>) -> Result<Version> {
    sound(row, 3, VERSION)?;
    let text: String = get(row, 0, VERSION)?;
    let object = Versioned::named(&text)
        .ok_or_else(|| damaged(VERSION, format!("`{text}` names no object")))?;
    let record = text_or_null(row, 2, VERSION)?.map(str::to_owned);
    Ok(Version { object, noted_ms: get(row, 1, VERSION)?, record })
}
