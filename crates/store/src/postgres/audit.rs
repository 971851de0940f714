//! The audit log: rows appended by the transactions they tell of, read newest first.

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::{AuditChange, AuditEvent, AuditFilter, AuditRow, CallerKind, Result};

use super::columns::{escaped, get, ident_or_null, json, limit, number, to_json, unescaped, with};
use super::turn::Turn;

const EVENT: &str = "row of the audit log";

/// What nobody filters by.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rest {
    request_id: String,
    access_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_name: Option<String>,
    caller: CallerKind,
    region: String,
    changes: Vec<AuditChange>,
}

pub(super) fn append(turn: &Turn<'_>, sequence: u64, event: &AuditEvent) -> Result<()> {
    let rest = Rest {
        request_id: event.request_id.clone(),
        access_key_id: event.access_key_id.clone(),
        key_name: event.key_name.clone(),
        caller: event.caller,
        region: event.region.clone(),
        changes: event.changes.clone(),
    };
    let account = event.account.as_ref().map(|account| account.as_str());
    turn.send(
        "INSERT INTO audit (sequence, at_ms, account, operation, record) VALUES ($1, $2, $3, $4, $5)",
        with![sequence, event.at_ms, account, escaped(&event.operation), to_json(&rest)?],
    )
}

pub(super) fn page(
    turn: &Turn<'_>,
    filter: &AuditFilter,
    rows_max: usize,
) -> Result<Vec<AuditRow>> {
    // The numbers of the sequence end far below.
    let before = filter.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let rows_max = limit(rows_max);
    let account = filter.account.as_ref().map(|account| account.as_str());
    let operation = filter.operation.as_deref().map(escaped);
    let rows = match (account, operation) {
        (None, None) => turn.rows(
            "SELECT sequence, at_ms, account, operation, record FROM audit
             WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2",
            with![before, rows_max],
        ),
        (Some(account), None) => turn.rows(
            "SELECT sequence, at_ms, account, operation, record FROM audit
             WHERE account = $3 AND sequence < $1 ORDER BY sequence DESC LIMIT $2",
            with![before, rows_max, account],
        ),
        (None, Some(operation)) => turn.rows(
            "SELECT sequence, at_ms, account, operation, record FROM audit
             WHERE operation = $3 AND sequence < $1 ORDER BY sequence DESC LIMIT $2",
            with![before, rows_max, operation],
        ),
        (Some(account), Some(operation)) => turn.rows(
            "SELECT sequence, at_ms, account, operation, record FROM audit
             WHERE account = $3 AND operation = $4 AND sequence < $1
             ORDER BY sequence DESC LIMIT $2",
            with![before, rows_max, account, operation],
        ),
    };
    rows?.iter().map(audit_row).collect()
}

fn audit_row(row: &Row) -> Result<AuditRow> {
    let rest: Rest = json(row, 4, EVENT)?;
    let event = AuditEvent {
        at_ms: get(row, 1, EVENT)?,
        request_id: rest.request_id,
        access_key_id: rest.access_key_id,
        key_name: rest.key_name,
        caller: rest.caller,
        account: ident_or_null(row, 2, EVENT)?,
        region: rest.region,
        operation: unescaped(get(row, 3, EVENT)?),
        changes: rest.changes,
    };
    Ok(AuditRow { sequence: number(row, 0, EVENT)?, event })
}
