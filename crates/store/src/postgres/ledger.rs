//! Entries, violators and history of (policy, account).
//!
//! `LastUpdated` of an entry is the later of its own `evaluated_ms` and that of its shard in `judged`, as in
//! the embedded engine.

use std::collections::BTreeMap;

use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::{Entry, ViolatorRow};
use tokio_postgres::Row;

use crate::rules::rows::{LedgerRows, Noting};
use crate::{EntryRow, HistoryRow, Occasion, Result};

use super::columns::{damaged, get, ident, json, limit, number, to_json, with};
use super::turn::Turn;

const ENTRY: &str = "ledger entry";
const VIOLATOR: &str = "violator";
const HISTORY: &str = "history row";

/// Sorts after every account id, which is all digits.
pub(super) const PAST_ALL_ACCOUNTS: &str = ":";

/// Violators that are written by one statement.
const VIOLATORS_AT_ONCE_MAX: usize = 1_000;

impl LedgerRows for Turn<'_> {
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        rows_max: usize,
    ) -> Result<Vec<EntryRow>> {
        let rows = self.rows(
            "SELECT e.account, e.status, e.violator_count, e.in_scope, e.issues, e.since_ms,
               e.policy_revision, greatest(e.evaluated_ms, j.evaluated_ms)
             FROM entries e LEFT JOIN judged j ON j.account = e.account
               AND j.region = (SELECT region FROM policies WHERE policy = $1)
             WHERE e.policy = $1 AND e.account > $2 AND e.account <= $3
             ORDER BY e.account LIMIT $4",
            with![
                policy.as_str(),
                after.map_or("", AccountId::as_str),
                through.map_or(PAST_ALL_ACCOUNTS, AccountId::as_str),
                limit(rows_max)
            ],
        )?;
        rows.iter().map(entry_row).collect()
    }

    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        let row = self.one(
            "SELECT e.account, e.status, e.violator_count, e.in_scope, e.issues, e.since_ms,
               e.policy_revision, greatest(e.evaluated_ms, j.evaluated_ms)
             FROM entries e LEFT JOIN judged j ON j.account = e.account
               AND j.region = (SELECT region FROM policies WHERE policy = $1)
             WHERE e.policy = $1 AND e.account = $2",
            with![policy.as_str(), account.as_str()],
        )?;
        row.as_ref().map(entry_row).transpose()
    }

    fn with_entry(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        rows_max: usize,
    ) -> Result<Vec<AccountId>> {
        let rows = self.rows(
            "SELECT account FROM entries WHERE policy = $1 AND account > $2
             ORDER BY account LIMIT $3",
            with![policy.as_str(), after.map_or("", AccountId::as_str), limit(rows_max)],
        )?;
        rows.iter().map(|row| ident(row, 0, "ledger entry")).collect()
    }

    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        rows_max: usize,
    ) -> Result<Vec<ViolatorRow>> {
        let (after_type, after_id) =
            after.map_or(("", ""), |(resource_type, id)| (resource_type.as_str(), id.as_str()));
        let rows = self.rows(
            "SELECT type, id, violations, since_ms, captured_ms FROM violators
             WHERE policy = $1 AND account = $2 AND (type, id) > ($3, $4)
             ORDER BY type, id LIMIT $5",
            with![policy.as_str(), account.as_str(), after_type, after_id, limit(rows_max)],
        )?;
        rows.iter().map(violator_row).collect()
    }

    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        let (resource_type, id) = resource;
        let row = self.one(
            "SELECT type, id, violations, since_ms, captured_ms FROM violators
             WHERE policy = $1 AND account = $2 AND type = $3 AND id = $4",
            with![policy.as_str(), account.as_str(), resource_type.as_str(), id.as_str()],
        )?;
        row.as_ref().map(violator_row).transpose()
    }

    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        rows_max: usize,
    ) -> Result<Vec<HistoryRow>> {
        let rows = self.rows(
            "SELECT at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion
             FROM history
             WHERE policy = $1 AND account = $2 ORDER BY sequence DESC LIMIT $3",
            with![policy.as_str(), account.as_str(), limit(rows_max)],
        )?;
        rows.iter().map(|row| history_row(row, 0)).collect()
    }

    fn put_entry(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        evaluated_ms: i64,
    ) -> Result<()> {
        self.send(
            "INSERT INTO entries (policy, account, status, violator_count, in_scope, issues, since_ms,
               policy_revision, evaluated_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (policy, account) DO UPDATE SET
               status = excluded.status, violator_count = excluded.violator_count,
               in_scope = excluded.in_scope, issues = excluded.issues, since_ms = excluded.since_ms,
               policy_revision = excluded.policy_revision, evaluated_ms = excluded.evaluated_ms",
            with![
                policy.as_str(),
                account.as_str(),
                status_text(entry.status),
                entry.violator_count,
                entry.in_scope,
                issues_text(&entry.issues)?,
                entry.since_ms,
                entry.policy_revision,
                evaluated_ms
            ],
        )
    }

    fn raise_entry(&self, policy: &PolicyId, account: &AccountId, evaluated_ms: i64) -> Result<()> {
        self.send(
            "UPDATE entries SET evaluated_ms = greatest(evaluated_ms, $3)
             WHERE policy = $1 AND account = $2",
            with![policy.as_str(), account.as_str(), evaluated_ms],
        )
    }

    fn raise_judged(&self, shard: &ShardId, evaluated_ms: i64) -> Result<()> {
        self.send(
            "INSERT INTO judged (account, region, evaluated_ms) VALUES ($1, $2, $3)
             ON CONFLICT (account, region) DO UPDATE SET evaluated_ms = excluded.evaluated_ms
             WHERE excluded.evaluated_ms > judged.evaluated_ms",
            with![shard.account.as_str(), shard.region.as_str(), evaluated_ms],
        )
    }

    fn put_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        put: &[ViolatorRow],
        noted_ms: i64,
    ) -> Result<()> {
        for some in put.chunks(VIOLATORS_AT_ONCE_MAX) {
            let types: Vec<String> = some.iter().map(|row| row.resource_type.to_string()).collect();
            let ids: Vec<String> = some.iter().map(|row| row.id.to_string()).collect();
            self.keep_violators(policy, account, (&types, &ids), noted_ms, false)?;
            let violations = some.iter().map(|row| to_json(&row.violations));
            let violations = violations.collect::<Result<Vec<String>>>()?;
            let since: Vec<i64> = some.iter().map(|row| row.since_ms).collect();
            let captured: Vec<Option<i64>> = some.iter().map(|row| row.captured_ms).collect();
            self.send(
                "INSERT INTO violators (policy, account, type, id, violations, since_ms, captured_ms, noted_ms)
                 SELECT $1::text, $2::text, found.type, found.id, found.violations, found.since_ms,
                   found.captured_ms, $8::bigint
                 FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
                   AS found (type, id, violations, since_ms, captured_ms)
                 ON CONFLICT (policy, account, type, id) DO UPDATE SET
                   violations = excluded.violations, since_ms = excluded.since_ms,
                   captured_ms = excluded.captured_ms, noted_ms = excluded.noted_ms",
                with![
                    policy.as_str(),
                    account.as_str(),
                    types,
                    ids,
                    violations,
                    since,
                    captured,
                    noted_ms
                ],
            )?;
        }
        Ok(())
    }

    fn drop_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        removed: &[(ResourceType, ResourceId)],
        noted_ms: i64,
    ) -> Result<()> {
        for some in removed.chunks(VIOLATORS_AT_ONCE_MAX) {
            let types: Vec<String> = some.iter().map(|(of, _)| of.to_string()).collect();
            let ids: Vec<String> = some.iter().map(|(_, id)| id.to_string()).collect();
            self.keep_violators(policy, account, (&types, &ids), noted_ms, true)?;
            self.send(
                "DELETE FROM violators
                 WHERE policy = $1 AND account = $2 AND (type, id) IN (
                   SELECT * FROM unnest($3::text[], $4::text[]))",
                with![policy.as_str(), account.as_str(), types, ids],
            )?;
        }
        Ok(())
    }

    fn put_history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        noting: Noting,
    ) -> Result<()> {
        self.send(
            "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
               policy_revision, closed, noted_ms, occasion)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false, $9, $10)",
            with![
                policy.as_str(),
                account.as_str(),
                noting.sequence,
                entry.since_ms,
                status_text(entry.status),
                entry.violator_count,
                issues_text(&entry.issues)?,
                entry.policy_revision,
                noting.noted_ms,
                noting.occasion.number()
            ],
        )
    }

    fn close_entries(
        &self,
        policy: &PolicyId,
        account: Option<&AccountId>,
        at_ms: i64,
        noting: Noting,
    ) -> Result<()> {
        match account {
            Some(account) => self.close_one(policy, account, at_ms, noting),
            None => self.close_all(policy, at_ms, noting),
        }
    }

    /// States that ended before the moment. One that still held then stays, so that what is kept
    /// answers for every moment since.
    fn drop_history(&self, before_ms: i64) -> Result<u64> {
        self.count(
            "DELETE FROM history WHERE noted_ms < $1 AND (closed OR EXISTS (
               SELECT 1 FROM history later
               WHERE later.policy = history.policy AND later.account = history.account
                 AND later.sequence > history.sequence AND later.noted_ms <= $1))",
            with![before_ms],
        )
    }
}

impl Turn<'_> {
    /// Keeps versions of violators that hold no more, those that held for any time.
    fn keep_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        (types, ids): (&[String], &[String]),
        until_ms: i64,
        ended: bool,
    ) -> Result<()> {
        self.send(
            "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations,
               since_ms, captured_ms, ended)
             SELECT policy, account, type, id, $5::bigint, noted_ms, violations, since_ms,
               captured_ms, $6::boolean
             FROM violators
             WHERE policy = $1 AND account = $2 AND noted_ms < $5 AND (type, id) IN (
               SELECT * FROM unnest($3::text[], $4::text[]))",
            with![policy.as_str(), account.as_str(), types.to_vec(), ids.to_vec(), until_ms, ended],
        )
    }

    /// The account is out of the policy's scope.
    fn close_one(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
        noting: Noting,
    ) -> Result<()> {
        let (policy, account) = (policy.as_str(), account.as_str());
        let Noting { sequence, noted_ms, occasion } = noting;
        self.send(
            "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
               policy_revision, closed, noted_ms, occasion)
             SELECT policy, account, $3::bigint, $4::bigint, NULL, 0, NULL, policy_revision, true,
               $5::bigint, $6::smallint
             FROM entries WHERE policy = $1 AND account = $2",
            with![policy, account, sequence, at_ms, noted_ms, occasion.number()],
        )?;
        self.send(
            "DELETE FROM entries WHERE policy = $1 AND account = $2",
            with![policy, account],
        )?;
        self.send(
            "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations,
               since_ms, captured_ms, ended)
             SELECT policy, account, type, id, $3::bigint, noted_ms, violations, since_ms,
               captured_ms, true
             FROM violators WHERE policy = $1 AND account = $2 AND noted_ms < $3",
            with![policy, account, noted_ms],
        )?;
        self.send(
            "DELETE FROM violators WHERE policy = $1 AND account = $2",
            with![policy, account],
        )
    }

    /// The policy is gone: closes what it has in every account.
    fn close_all(&self, policy: &PolicyId, at_ms: i64, noting: Noting) -> Result<()> {
        let policy = policy.as_str();
        let Noting { sequence, noted_ms, occasion } = noting;
        self.send(
            "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
               policy_revision, closed, noted_ms, occasion)
             SELECT policy, account, $2::bigint, $3::bigint, NULL, 0, NULL, policy_revision, true,
               $4::bigint, $5::smallint
             FROM entries WHERE policy = $1",
            with![policy, sequence, at_ms, noted_ms, occasion.number()],
        )?;
        self.send("DELETE FROM entries WHERE policy = $1", with![policy])?;
        self.send(
            "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations,
               since_ms, captured_ms, ended)
             SELECT policy, account, type, id, $2::bigint, noted_ms, violations, since_ms,
               captured_ms, true
             FROM violators WHERE policy = $1 AND noted_ms < $2",
            with![policy, noted_ms],
        )?;
        self.send("DELETE FROM violators WHERE policy = $1", with![policy])
    }
}

/// A state in eight columns from this one on.
pub(super) fn history_row(row: &Row, at: usize) -> Result<HistoryRow> {
    Ok(HistoryRow {
        at_ms: get(row, at, HISTORY)?,
        status: status(row, at + 1, HISTORY)?,
        violator_count: number(row, at + 2, HISTORY)?,
        issues: issues(row, at + 3, HISTORY)?,
        policy_revision: number(row, at + 4, HISTORY)?,
        closed: get(row, at + 5, HISTORY)?,
        noted_ms: get(row, at + 6, HISTORY)?,
        occasion: get::<Option<i16>>(row, at + 7, HISTORY)?.and_then(Occasion::numbered),
    })
}

fn entry_row(row: &Row) -> Result<EntryRow> {
    Ok(EntryRow {
        account: ident(row, 0, ENTRY)?,
        entry: Entry {
            status: status(row, 1, ENTRY)?,
            violator_count: number(row, 2, ENTRY)?,
            in_scope: number(row, 3, ENTRY)?,
            issues: issues(row, 4, ENTRY)?,
            since_ms: get(row, 5, ENTRY)?,
            policy_revision: number(row, 6, ENTRY)?,
        },
        last_updated_ms: get(row, 7, ENTRY)?,
    })
}

pub(super) fn violator_row(row: &Row) -> Result<ViolatorRow> {
    Ok(ViolatorRow {
        resource_type: ident(row, 0, VIOLATOR)?,
        id: ident(row, 1, VIOLATOR)?,
        violations: json(row, 2, VIOLATOR)?,
        since_ms: get(row, 3, VIOLATOR)?,
        captured_ms: get(row, 4, VIOLATOR)?,
    })
}

fn status_text(status: Option<Status>) -> Option<&'static str> {
    status.map(|status| match status {
        Status::Compliant => "COMPLIANT",
        Status::NonCompliant => "NON_COMPLIANT",
    })
}

fn status(row: &Row, column: usize, what: &'static str) -> Result<Option<Status>> {
    match get::<Option<&str>>(row, column, what)? {
        None => Ok(None),
        Some("COMPLIANT") => Ok(Some(Status::Compliant)),
        Some("NON_COMPLIANT") => Ok(Some(Status::NonCompliant)),
        Some(other) => Err(damaged(what, format!("`{other}` is no status"))),
    }
}

type Issues = BTreeMap<DependentService, String>;

fn issues_text(issues: &Issues) -> Result<Option<String>> {
    if issues.is_empty() { Ok(None) } else { to_json(issues).map(Some) }
}

fn issues(row: &Row, column: usize, what: &'static str) -> Result<Issues> {
    match get::<Option<&str>>(row, column, what)? {
        None => Ok(Issues::new()),
        Some(text) => serde_json::from_str(text).map_err(|error| damaged(what, error)),
    }
}
