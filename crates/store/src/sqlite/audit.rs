//! The audit log: rows appended by the transactions they tell of, read newest first.

use rusqlite::{Row, params};

use crate::{AuditEvent, AuditFilter, AuditRow, Result};

use super::columns::{get, ident_or_null, json, limit, to_json};
use super::log::Transaction;
use super::sums::sound;

const EVENT: &str = "row of the audit log";

pub(super) fn append(tx: &Transaction<'_>, sequence: u64, event: &AuditEvent) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO audit (sequence, at_ms, request_id, access_key_id, caller, account, region,
           operation, changes, key_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        sequence,
        event.at_ms,
        event.request_id,
        event.access_key_id,
        to_json(&event.caller)?,
        event.account.as_ref().map_or("", |account| account.as_str()),
        event.region,
        event.operation,
        to_json(&event.changes)?,
        event.key_name
    ])?;
    Ok(())
}

pub(super) fn page(
    tx: &Transaction<'_>,
    filter: &AuditFilter,
    rows_max: usize,
) -> Result<Vec<AuditRow>> {
    // SQLite's integers end where those of the sequence cannot get.
    let before = filter.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let rows_max = limit(rows_max);
    let account = filter.account.as_ref().map(|account| account.as_str());
    match (account, &filter.operation) {
        (None, None) => read(
            tx,
            "SELECT sequence, at_ms, request_id, access_key_id, caller, nullif(account, ''),
               region, operation, changes, key_name, sum IS row_sum(sequence, at_ms, request_id,
                 access_key_id, caller, account, region, operation, changes, key_name)
             FROM audit WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2",
            params![before, rows_max],
        ),
        (Some(account), None) => read(
            tx,
            "SELECT sequence, at_ms, request_id, access_key_id, caller, nullif(account, ''),
               region, operation, changes, key_name, sum IS row_sum(sequence, at_ms, request_id,
                 access_key_id, caller, account, region, operation, changes, key_name)
             FROM audit INDEXED BY audit_by_account
             WHERE account = ?3 AND sequence < ?1 ORDER BY sequence DESC LIMIT ?2",
            params![before, rows_max, account],
        ),
        (None, Some(operation)) => read(
            tx,
            "SELECT sequence, at_ms, request_id, access_key_id, caller, nullif(account, ''),
               region, operation, changes, key_name, sum IS row_sum(sequence, at_ms, request_id,
                 access_key_id, caller, account, region, operation, changes, key_name)
             FROM audit INDEXED BY audit_by_operation
             WHERE operation = ?3 AND sequence < ?1 ORDER BY sequence DESC LIMIT ?2",
            params![before, rows_max, operation],
        ),
        (Some(account), Some(operation)) => read(
            tx,
            "SELECT sequence, at_ms, request_id, access_key_id, caller, nullif(account, ''),
               region, operation, changes, key_name, sum IS row_sum(sequence, at_ms, request_id,
                 access_key_id, caller, account, region, operation, changes, key_name)
             FROM audit INDEXED BY audit_by_account
             WHERE account = ?3 AND operation = ?4 AND sequence < ?1
             ORDER BY sequence DESC LIMIT ?2",
            params![before, rows_max, account, operation],
        ),
    }
}

fn read(
    tx: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<AuditRow>> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        sound(row, 10, EVENT)?;
        events.push(AuditRow { sequence: get(row, 0, EVENT)?, event: event(row)? });
    }
    Ok(events)
}

fn event(row: &Row<'_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        at_ms: get(row, 1, EVENT)?,
        request_id: get(row, 2, EVENT)?,
        access_key_id: get(row, 3, EVENT)?,
        caller: json(row, 4, EVENT)?,
        account: ident_or_null(row, 5, EVENT)?,
        region: get(row, 6, EVENT)?,
        operation: get(row, 7, EVENT)?,
        changes: json(row, 8, EVENT)?,
        key_name: get(row, 9, EVENT)?,
    })
}

pub(super) fn expire(tx: &Transaction<'_>, before_ms: i64) -> Result<u64> {
    let rows = tx.execute("DELETE FROM audit WHERE at_ms < ?1", [before_ms])?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}
