//! What was answered at earlier moments: versions of what is decided, past states of entries and violators.
//!
//! A question costs what it answers, however long the history is: moments never decrease in the order of the
//! sequence, so the sequence of a moment is one seek, and the state that held then is another. Both it and the
//! state behind it are held against their checksums and the moment, so that a damaged moment is an error.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use rusqlite::{CachedStatement, Params, Row, params};

use crate::rules::rows::PastRows;
use crate::{HistoryRow, PastViolator, Result, Span, Version, Versioned};

use super::columns::{damaged, dropped, get, limit, text_or_null};
use super::ledger::{PAST_ALL_ACCOUNTS, history_row, violator_row};
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;

const VERSION: &str = "past version";
const TOUCHED: &str = "history row";
const PAST_VIOLATOR: &str = "past violator";
const OUT_OF_ORDER: &str =
    "moments are not in the order of the sequence: an index is not as it was written";

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
        let last = last_noted(
            self,
            "SELECT sequence FROM versions WHERE noted_ms <= ?1
             ORDER BY noted_ms DESC, sequence DESC LIMIT 1",
            at_ms,
        )?;
        let mut objects = self.prepare_cached(
            "SELECT object FROM versions WHERE object > ?1 ORDER BY object LIMIT 1",
        )?;
        let mut held = self.prepare_cached(
            "SELECT object, noted_ms, record, sum IS row_sum(object, sequence, noted_ms, record)
             FROM versions WHERE object = ?1 AND sequence <= ?2 ORDER BY sequence DESC LIMIT 1",
        )?;
        let mut later = self.prepare_cached(
            "SELECT noted_ms, sum IS row_sum(object, sequence, noted_ms, record)
             FROM versions WHERE object = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1",
        )?;
        let (mut found, mut object) = (Vec::new(), String::new());
        while let Some(next) = first_text(&mut objects, [&object], VERSION)? {
            object = next;
            if let Some(row) = later.query(params![object, last])?.next()? {
                is_later(row, at_ms, VERSION)?;
            }
            let mut rows = held.query(params![object, last])?;
            let Some(row) = rows.next()? else { continue };
            let version = version(row)?;
            is_reached(version.noted_ms, at_ms, VERSION)?;
            found.extend(version.record.is_some().then_some(version));
        }
        Ok(found)
    }

    fn versions_between(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        let mut statement = self.prepare_cached(
            "SELECT object, noted_ms, record, sum IS row_sum(object, sequence, noted_ms, record)
             FROM versions
             WHERE noted_ms > ?1 AND noted_ms <= ?2
             ORDER BY noted_ms, sequence, object",
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
        let last = last_state(self, at_ms)?;
        let mut accounts = self.prepare_cached(
            "SELECT account FROM history
             WHERE policy = ?1 AND account > ?2 AND account <= ?3 ORDER BY account LIMIT 1",
        )?;
        let policy = policy.as_str();
        let through = through.map_or(PAST_ALL_ACCOUNTS, AccountId::as_str);
        let mut states = Vec::new();
        let mut account = after.map_or("", AccountId::as_str).to_owned();
        while states.len() < rows_max {
            let next = first_text(&mut accounts, [policy, &account, through], TOUCHED)?;
            let Some(next) = next else { break };
            account = next;
            if let Some(state) = state_at(self, [policy, &account], last, at_ms)? {
                let id = AccountId::try_from(&*account).map_err(|it| damaged(TOUCHED, it))?;
                states.push((id, state));
            }
        }
        Ok(states)
    }

    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>> {
        let last = last_state(self, at_ms)?;
        state_at(self, [policy.as_str(), account.as_str()], last, at_ms)
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
        let mut statement = self.prepare_cached(
            "SELECT type, id, violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms)
             FROM violators
             WHERE policy = ?1 AND account = ?2 AND (type, id) > (?3, ?4) AND (noted_ms <= ?6
               OR sum IS NOT row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms))
             ORDER BY type, id LIMIT ?5",
        )?;
        let (policy, account) = (policy.as_str(), account.as_str());
        let mut rows = statement.query(params![
            policy,
            account,
            after_type,
            after_id,
            limit(rows_max),
            at_ms
        ])?;
        let mut violators = Vec::new();
        while let Some(row) = rows.next()? {
            violators.push(violator_row(row)?);
        }
        ended_later(
            self,
            [policy, account, after_type, after_id],
            rows_max,
            at_ms,
            &mut violators,
        )?;
        violators
            .sort_unstable_by(|a, b| (&a.resource_type, &a.id).cmp(&(&b.resource_type, &b.id)));
        violators.truncate(rows_max);
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

/// The sequence of the last row that a statement finds noted up to a moment; before all of them if there is none.
fn last_noted(tx: &Transaction<'_>, statement: &str, at_ms: i64) -> Result<i64> {
    let mut statement = tx.prepare_cached(statement)?;
    let mut rows = statement.query([at_ms])?;
    rows.next()?.map_or(Ok(-1), |row| get(row, 0, TOUCHED))
}

/// The sequence of the last state of any entry up to a moment.
fn last_state(tx: &Transaction<'_>, at_ms: i64) -> Result<i64> {
    let newest = "SELECT sequence FROM history WHERE noted_ms <= ?1
                  ORDER BY noted_ms DESC, sequence DESC LIMIT 1";
    last_noted(tx, newest, at_ms)
}

/// The text that a statement finds first.
fn first_text(
    statement: &mut CachedStatement<'_>,
    values: impl Params,
    what: &'static str,
) -> Result<Option<String>> {
    let mut rows = statement.query(values)?;
    rows.next()?.map(|row| get(row, 0, what)).transpose()
}

/// The last state of one entry up to a sequence, which is the last of this moment; `None` where it was closed.
fn state_at(
    tx: &Transaction<'_>,
    [policy, account]: [&str; 2],
    last: i64,
    at_ms: i64,
) -> Result<Option<HistoryRow>> {
    let mut later = tx.prepare_cached(
        "SELECT noted_ms,
           sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
             policy_revision, closed, noted_ms, occasion)
         FROM history
         WHERE policy = ?1 AND account = ?2 AND sequence > ?3 ORDER BY sequence LIMIT 1",
    )?;
    if let Some(row) = later.query(params![policy, account, last])?.next()? {
        is_later(row, at_ms, TOUCHED)?;
    }
    let mut held = tx.prepare_cached(
        "SELECT at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion,
           sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
             policy_revision, closed, noted_ms, occasion)
         FROM history
         WHERE policy = ?1 AND account = ?2 AND sequence <= ?3 ORDER BY sequence DESC LIMIT 1",
    )?;
    let mut rows = held.query(params![policy, account, last])?;
    let Some(state) = rows.next()?.map(|row| history_row(row, 0)).transpose()? else {
        return Ok(None);
    };
    is_reached(state.noted_ms, at_ms, TOUCHED)?;
    Ok((!state.closed).then_some(state))
}

/// Adds the violators behind a position that held at a moment and ended since, up to `rows_max`.
fn ended_later(
    tx: &Transaction<'_>,
    [policy, account, after_type, after_id]: [&str; 4],
    rows_max: usize,
    at_ms: i64,
    found: &mut Vec<ViolatorRow>,
) -> Result<()> {
    // A comparison of pairs would not seek past the versions of one resource.
    let mut resources = tx.prepare_cached(
        "SELECT * FROM (SELECT type, id FROM past_violators
           WHERE policy = ?1 AND account = ?2 AND type = ?3 AND id > ?4 ORDER BY id LIMIT 1)
         UNION ALL
         SELECT * FROM (SELECT type, id FROM past_violators
           WHERE policy = ?1 AND account = ?2 AND type > ?3 ORDER BY type, id LIMIT 1)
         LIMIT 1",
    )?;
    // Versions of one resource follow each other: the first that ended later held then, or none did.
    let mut held = tx.prepare_cached(
        "SELECT type, id, violations, since_ms, captured_ms,
           sum IS row_sum(policy, account, type, id, until_ms, from_ms, violations, since_ms,
             captured_ms, ended),
           from_ms
         FROM past_violators
         WHERE policy = ?1 AND account = ?2 AND type = ?3 AND id = ?4 AND until_ms > ?5
         ORDER BY until_ms LIMIT 1",
    )?;
    let mut at = (after_type.to_owned(), after_id.to_owned());
    let most = found.len().saturating_add(rows_max);
    while found.len() < most {
        let mut rows = resources.query(params![policy, account, at.0, at.1])?;
        let Some(row) = rows.next()? else { break };
        at = (get(row, 0, PAST_VIOLATOR)?, get(row, 1, PAST_VIOLATOR)?);
        let mut rows = held.query(params![policy, account, at.0, at.1, at_ms])?;
        if let Some(row) = rows.next()? {
            let violator = violator_row(row)?;
            if get::<i64>(row, 6, PAST_VIOLATOR)? <= at_ms {
                found.push(violator);
            }
        }
    }
    Ok(())
}

/// What is behind the last row of a moment is later, in a row of its moment and whether it is as it was written.
fn is_later(row: &Row<'_>, at_ms: i64, what: &'static str) -> Result<()> {
    sound(row, 1, what)?;
    if get::<i64>(row, 0, what)? > at_ms { Ok(()) } else { Err(damaged(what, OUT_OF_ORDER)) }
}

/// What is told of a moment was noted by then.
fn is_reached(noted_ms: i64, at_ms: i64, what: &'static str) -> Result<()> {
    if noted_ms <= at_ms { Ok(()) } else { Err(damaged(what, OUT_OF_ORDER)) }
}

fn version(row: &Row<'_>) -> Result<Version> {
    sound(row, 3, VERSION)?;
    let text: String = get(row, 0, VERSION)?;
    let object = Versioned::named(&text)
        .ok_or_else(|| damaged(VERSION, format!("`{text}` names no object")))?;
    let record = text_or_null(row, 2, VERSION)?.map(str::to_owned);
    Ok(Version { object, noted_ms: get(row, 1, VERSION)?, record })
}
