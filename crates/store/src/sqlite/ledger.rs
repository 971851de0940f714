//! Entries, violators and history of (policy, account).
//!
//! `LastUpdated` of an entry moves with every judgement, also one that changes nothing. To write
//! one row a judgement instead of one a policy, a judgement of a shard under every policy of its
//! Region moves the shard's row in `judged`; a judgement under some policies moves `evaluated_ms`
//! of their entries. The later of the two is what holds.

mod columns;
mod write;

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::{Entry, ViolatorRow};
use rusqlite::{Row, params};

use crate::rules::rows::{LedgerRows, Noting};
use crate::{EntryRow, HistoryRow, Occasion, Result};

use super::columns::{get, ident, json, limit};
use super::log::Transaction;
use super::sums::sound;
use columns::{issues, status};

const ENTRY: &str = "ledger entry";
const VIOLATOR: &str = "violator";
const HISTORY: &str = "history row";

/// Sorts after every account id, which is all digits.
pub(super) const PAST_ALL_ACCOUNTS: &str = ":";

/// Rows that room is made for before any is read: a page of what AWS's operations answer.
const ROWS_EXPECTED: usize = 100;

// Reading.

/// Columns of an entry `e` of policy `?1`, with what its shard's row in `judged` adds.
pub(super) const ENTRY_COLUMNS: &str =
    "e.account, e.status, e.violator_count, e.in_scope, e.issues, e.since_ms, e.policy_revision,
       max(e.evaluated_ms, coalesce(j.evaluated_ms, e.evaluated_ms)),
       e.sum IS row_sum(e.policy, e.account, e.status, e.violator_count, e.in_scope, e.issues,
           e.since_ms, e.policy_revision, e.evaluated_ms)
         AND (j.account IS NULL OR j.sum IS row_sum(j.account, j.region, j.evaluated_ms))
         AND coalesce((SELECT sum IS row_sum(policy, region, revision, record)
           FROM policies WHERE policy = ?1), 1)
     FROM entries e LEFT JOIN judged j ON j.account = e.account
       AND j.region = (SELECT region FROM policies WHERE policy = ?1)";

fn entry_row(row: &Row<'_>) -> Result<EntryRow> {
    sound(row, 8, ENTRY)?;
    Ok(EntryRow {
        account: ident(row, 0, ENTRY)?,
        entry: Entry {
            status: status(row, 1, ENTRY)?,
            violator_count: get(row, 2, ENTRY)?,
            in_scope: get(row, 3, ENTRY)?,
            issues: issues(row, 4, ENTRY)?,
            since_ms: get(row, 5, ENTRY)?,
            policy_revision: get(row, 6, ENTRY)?,
        },
        last_updated_ms: get(row, 7, ENTRY)?,
    })
}

/// A state in nine columns from this one on, the last of which tells whether the row is as it was written.
pub(super) fn history_row(row: &Row<'_>, at: usize) -> Result<HistoryRow> {
    sound(row, at + 8, HISTORY)?;
    Ok(HistoryRow {
        at_ms: get(row, at, HISTORY)?,
        status: status(row, at + 1, HISTORY)?,
        violator_count: get(row, at + 2, HISTORY)?,
        issues: issues(row, at + 3, HISTORY)?,
        policy_revision: get(row, at + 4, HISTORY)?,
        closed: get(row, at + 5, HISTORY)?,
        noted_ms: get(row, at + 6, HISTORY)?,
        occasion: get::<Option<i16>>(row, at + 7, HISTORY)?.and_then(Occasion::numbered),
    })
}

/// A violator in six columns, the last of which tells whether the row is as it was written.
pub(super) fn violator_row(row: &Row<'_>) -> Result<ViolatorRow> {
    sound(row, 5, VIOLATOR)?;
    Ok(ViolatorRow {
        resource_type: ident(row, 0, VIOLATOR)?,
        id: ident(row, 1, VIOLATOR)?,
        violations: json(row, 2, VIOLATOR)?,
        since_ms: get(row, 3, VIOLATOR)?,
        captured_ms: get(row, 4, VIOLATOR)?,
    })
}

impl LedgerRows for Transaction<'_> {
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        rows_max: usize,
    ) -> Result<Vec<EntryRow>> {
        let mut statement = self.prepare_cached(&format!(
            "SELECT {ENTRY_COLUMNS}
             WHERE e.policy = ?1 AND e.account > ?2 AND e.account <= ?3 ORDER BY e.account LIMIT ?4"
        ))?;
        let mut rows = statement.query(params![
            policy.as_str(),
            after.map_or("", |account| account.as_str()),
            through.map_or(PAST_ALL_ACCOUNTS, |account| account.as_str()),
            limit(rows_max)
        ])?;
        let mut entries = Vec::with_capacity(rows_max.min(ROWS_EXPECTED));
        while let Some(row) = rows.next()? {
            entries.push(entry_row(row)?);
        }
        Ok(entries)
    }

    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        let mut statement = self.prepare_cached(&format!(
            "SELECT {ENTRY_COLUMNS} WHERE e.policy = ?1 AND e.account = ?2"
        ))?;
        let mut rows = statement.query([policy.as_str(), account.as_str()])?;
        rows.next()?.map(entry_row).transpose()
    }

    fn with_entry(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        rows_max: usize,
    ) -> Result<Vec<AccountId>> {
        let mut statement = self.prepare_cached(
            "SELECT account FROM entries WHERE policy = ?1 AND account > ?2 ORDER BY account LIMIT ?3",
        )?;
        let after = after.map_or("", |account| account.as_str());
        let mut rows = statement.query(params![policy.as_str(), after, limit(rows_max)])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            accounts.push(ident(row, 0, "ledger entry")?);
        }
        Ok(accounts)
    }

    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        rows_max: usize,
    ) -> Result<Vec<ViolatorRow>> {
        let mut statement = self.prepare_cached(
            "SELECT type, id, violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms)
             FROM violators
             WHERE policy = ?1 AND account = ?2 AND (type, id) > (?3, ?4) ORDER BY type, id LIMIT ?5",
        )?;
        let (after_type, after_id) =
            after.map_or(("", ""), |(resource_type, id)| (resource_type.as_str(), id.as_str()));
        let mut rows = statement.query(params![
            policy.as_str(),
            account.as_str(),
            after_type,
            after_id,
            limit(rows_max)
        ])?;
        let mut violators = Vec::new();
        while let Some(row) = rows.next()? {
            violators.push(violator_row(row)?);
        }
        Ok(violators)
    }

    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        let (resource_type, id) = resource;
        let mut statement = self.prepare_cached(
            "SELECT violations, since_ms, captured_ms,
               sum IS row_sum(policy, account, type, id, violations, since_ms, captured_ms,
                 noted_ms)
             FROM violators
             WHERE policy = ?1 AND account = ?2 AND type = ?3 AND id = ?4",
        )?;
        let key = [policy.as_str(), account.as_str(), resource_type.as_str(), id.as_str()];
        let mut rows = statement.query(key)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        sound(row, 3, VIOLATOR)?;
        Ok(Some(ViolatorRow {
            resource_type: resource_type.clone(),
            id: id.clone(),
            violations: json(row, 0, VIOLATOR)?,
            since_ms: get(row, 1, VIOLATOR)?,
            captured_ms: get(row, 2, VIOLATOR)?,
        }))
    }

    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        rows_max: usize,
    ) -> Result<Vec<HistoryRow>> {
        let mut statement = self.prepare_cached(
            "SELECT at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion,
               sum IS row_sum(policy, account, sequence, at_ms, status, violator_count, issues,
                 policy_revision, closed, noted_ms, occasion)
             FROM history
             WHERE policy = ?1 AND account = ?2 ORDER BY sequence DESC LIMIT ?3",
        )?;
        let mut rows =
            statement.query(params![policy.as_str(), account.as_str(), limit(rows_max)])?;
        let mut states = Vec::new();
        while let Some(row) = rows.next()? {
            states.push(history_row(row, 0)?);
        }
        Ok(states)
    }

    fn put_entry(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        evaluated_ms: i64,
    ) -> Result<()> {
        write::put_entry(self, policy, account, entry, evaluated_ms)
    }

    fn raise_entry(&self, policy: &PolicyId, account: &AccountId, evaluated_ms: i64) -> Result<()> {
        write::move_entry(self, policy, account, evaluated_ms)
    }

    fn raise_judged(&self, shard: &ShardId, evaluated_ms: i64) -> Result<()> {
        write::move_judged(self, shard, evaluated_ms)
    }

    fn put_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        put: &[ViolatorRow],
        noted_ms: i64,
    ) -> Result<()> {
        write::put_violators(self, policy, account, put, noted_ms)
    }

    fn drop_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        removed: &[(ResourceType, ResourceId)],
        noted_ms: i64,
    ) -> Result<()> {
        write::remove_violators(self, policy, account, removed, noted_ms)
    }

    fn put_history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        noting: Noting,
    ) -> Result<()> {
        write::append_history(self, policy, account, entry, noting)
    }

    fn close_entries(
        &self,
        policy: &PolicyId,
        account: Option<&AccountId>,
        at_ms: i64,
        noting: Noting,
    ) -> Result<()> {
        match account {
            Some(account) => write::close(self, policy, account, at_ms, noting),
            None => write::remove_policy(self, policy, at_ms, noting),
        }
    }

    fn drop_history(&self, before_ms: i64) -> Result<u64> {
        write::expire(self, before_ms)
    }
}
