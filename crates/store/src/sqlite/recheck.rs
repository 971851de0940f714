//! Looks through a store that was not closed in order, before anything is answered from it.
//!
//! It has no checksums of pages ([`super::checksums`]), and those of rows cannot tell that a row is not found
//! any more. So SQLite's own check is run, which finds pages, keys and indexes that do not fit each other, and
//! every row is held against its checksum by a scan that looks for none by its key. A store in which
//! something is not as it was written is refused, as one with a damaged page is.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::{Result, StoreError};

use super::integrity::integrity;
use super::log::{connect, is_of_damage, keep_log};
use super::sums::{Columns, SUMMED};

/// Faults that are told one by one.
const TOLD_MAX: usize = 3;

/// # Errors
/// [`StoreError::Damaged`] where something is not as it was written.
pub(super) fn look_through(connection: &Connection, name: &str) -> Result<()> {
    tracing::warn!("the store was not closed in order: it is looked through before it is served");
    let begun = Instant::now();
    // All at one moment.
    let tx = connection.unchecked_transaction()?;
    let mut found = integrity(&tx);
    for table in SUMMED {
        match unsound(&tx, table) {
            Ok(0) => {}
            Ok(count) => {
                found.push(format!("rows of {table} that are not as they were written: {count}"));
            }
            Err(error) => found.push(format!("{table}: {error}")),
        }
    }
    if found.is_empty() {
        let seconds = begun.elapsed().as_secs_f64();
        tracing::info!(seconds, "nothing in the store is damaged");
        return Ok(());
    }
    let more = found.len().saturating_sub(TOLD_MAX);
    found.truncate(TOLD_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Err(StoreError::Damaged {
        what: "store",
        why: format!(
            "`{name}` was not closed in order, and not all of it is as it was written ({}{more}); put a \
             copy of it in place, or see `palisade doctor --verify`",
            found.join("; ")
        ),
    })
}

/// Rows that are not as they were written. Those without a checksum were found to be so before, and whoever
/// reads them is told.
const UNSOUND: &str = "sum IS NOT NULL AND sum IS NOT";

fn unsound(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let Some(columns) = Columns::of(connection, table)? else { return Ok(0) };
    let sum = columns.sum("");
    let sql = format!("SELECT count(*) FROM {table} NOT INDEXED WHERE {UNSOUND} {sum}");
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Goes on with a store in which something is not as it was written, as far as that can be: takes the
/// checksums from such rows, makes indexes of what the tables hold, and empties the log.
///
/// # Errors
/// Something fails otherwise than at what is damaged; the log cannot be emptied.
pub(super) fn accept(path: &Path) -> rusqlite::Result<()> {
    let connection = connect(path)?;
    keep_log(&connection, false)?;
    let mut done: Vec<rusqlite::Result<()>> = Vec::new();
    for table in SUMMED {
        done.push(Columns::of(&connection, table).and_then(|columns| {
            let Some(columns) = columns else { return Ok(()) };
            let sum = columns.sum("");
            let sql = format!("UPDATE {table} NOT INDEXED SET sum = NULL WHERE {UNSOUND} {sum}");
            connection.execute(&sql, []).map(drop)
        }));
    }
    done.push(connection.execute_batch("REINDEX"));
    // What is lost is told again by whoever delivers it again.
    done.push(
        Columns::of(&connection, "files").and_then(|files| {
            files.map_or(Ok(()), |_| connection.execute_batch("DELETE FROM files"))
        }),
    );
    for error in done.into_iter().filter_map(Result::err) {
        if !is_of_damage(&error) {
            return Err(error);
        }
        tracing::warn!(%error, "some of what is damaged cannot be told of where it is read");
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
