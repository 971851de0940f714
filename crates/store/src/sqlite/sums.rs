//! Checksums of rows: written with each row that an answer is made of, and verified whenever it is read.
//!
//! The checksums of pages are verified when a store is opened after an orderly close. These tell what is
//! damaged while a server has the store open, or after a crash. A row's `sum` is over its key and all its
//! other columns in the order of the table, so that neither a flipped bit nor the values of another row
//! pass. Readers compute it by an SQL function that every connection has:
//!
//! ```text
//! SELECT record, sum IS row_sum(list, record) FROM lists
//! ```
//!
//! The writing connection has triggers which give each row its checksum; statements that run for each of
//! many rows give it themselves, and no trigger then changes the row once more. Who changes some columns
//! of a damaged row leaves no checksum: a new one would make the damage good. Who looks only for some rows
//! by a column that is no key takes the damaged ones as well. A row that is not found by its key any more
//! has no checksum to tell so; the scan of `palisade doctor --verify` finds it.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Result;

use super::columns::{damaged, get};

/// Tables whose rows have checksums: all from which answers are made. Not `work`, `leases`, `fan_outs` and
/// `readers`, which say what is to be done.
pub(super) const SUMMED: [&str; 27] = [
    "store",
    "organization",
    "accounts",
    "administrators",
    "offboarded",
    "policies",
    "lists",
    "resource_sets",
    "channels",
    "associations",
    "common_policies",
    "keys",
    "audit",
    "shards",
    "coverage",
    "missed",
    "shown",
    "items",
    "changes",
    "entries",
    "judged",
    "violators",
    "history",
    "past_violators",
    "versions",
    "waivers",
    "files",
];

/// Tables of which every statement gives the checksum itself.
const BY_STATEMENT: [&str; 7] =
    ["items", "entries", "judged", "violators", "history", "past_violators", "versions"];

/// Whether the one row of the store is as it was written.
pub(super) const STORE_SOUND: &str = "sum IS row_sum(one, control_revision, sequence, lists_changed,
    sealing_key, keys_revision, sealed_under, rules, common_policies_changed, clock_ms, wall_ms, told_ms,
    stale_after_ms, assumed, groups_changed, vpcs_changed, past_from_ms, noted_ms)";

/// Columns of a table but for `sum`, in its order.
pub(super) struct Columns {
    pub(super) all: Vec<String>,
    pub(super) key: Vec<String>,
}

impl Columns {
    /// `None` where its rows have no checksums: it is of an older schema.
    pub(super) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Option<Columns>> {
        let mut ask =
            connection.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let (mut all, mut key, mut has_sums) = (Vec::new(), Vec::new(), false);
        let mut rows = ask.query([table])?;
        while let Some(row) = rows.next()? {
            let (name, is_key): (String, bool) = (row.get(0)?, row.get(1)?);
            if name == "sum" {
                has_sums = true;
                continue;
            }
            if is_key {
                key.push(name.clone());
            }
            all.push(name);
        }
        Ok(has_sums.then_some(Columns { all, key }))
    }

    /// The checksum of a row's columns, whose names begin with `of`.
    pub(super) fn sum(&self, of: &str) -> String {
        let names: Vec<String> = self.all.iter().map(|name| format!("{of}{name}")).collect();
        format!("row_sum({})", names.join(", "))
    }
}

/// Makes `row_sum` known to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("row_sum", -1, flags, |values| Ok(sum_of(values)))
}

fn sum_of(values: &Context<'_>) -> i64 {
    (0..values.len()).fold(0, |sum, at| add(sum, values.get_raw(at))).cast_signed()
}

/// As [`register`], and counts the rows of which the checksum is computed.
#[cfg(test)]
pub(super) fn count(
    connection: &Connection,
    rows: std::sync::Arc<std::sync::atomic::AtomicUsize>,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("row_sum", -1, flags, move |values| {
        rows.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(sum_of(values))
    })
}

/// The checksum of the columns before, and this one.
fn add(sum: u64, value: ValueRef<'_>) -> u64 {
    // The kind of a value is part of it; the length is hashed with the bytes.
    let seed = |kind: u64| sum.wrapping_add(kind);
    match value {
        ValueRef::Null => xxh3_64_with_seed(&[], seed(1)),
        ValueRef::Integer(number) => xxh3_64_with_seed(&number.to_le_bytes(), seed(2)),
        ValueRef::Real(number) => xxh3_64_with_seed(&number.to_le_bytes(), seed(3)),
        ValueRef::Text(bytes) => xxh3_64_with_seed(bytes, seed(4)),
        ValueRef::Blob(bytes) => xxh3_64_with_seed(bytes, seed(5)),
    }
}

/// Has rows that this connection writes keep their checksums.
pub(super) fn keep(connection: &Connection) -> rusqlite::Result<()> {
    for table in SUMMED.iter().filter(|table| !BY_STATEMENT.contains(table)) {
        let Some(columns) = Columns::of(connection, table)? else { continue };
        let (was, is) = (columns.sum("old."), columns.sum("new."));
        let key: Vec<String> =
            columns.key.iter().map(|name| format!("{name} IS new.{name}")).collect();
        let (key, all) = (key.join(" AND "), columns.all.join(", "));
        connection.execute_batch(&format!(
            "CREATE TEMP TRIGGER {table}_first AFTER INSERT ON main.{table}
             BEGIN UPDATE {table} SET sum = {is} WHERE {key}; END;
             CREATE TEMP TRIGGER {table}_next AFTER UPDATE OF {all} ON main.{table}
             BEGIN UPDATE {table} SET sum = CASE WHEN old.sum IS {was} THEN {is} END
               WHERE {key}; END;"
        ))?;
    }
    Ok(())
}

/// Whether the row is as it was written, which the statement tells in this column.
///
/// # Errors
/// It is not.
pub(super) fn sound(row: &Row<'_>, column: usize, what: &'static str) -> Result<()> {
    if get(row, column, what)? { Ok(()) } else { Err(damaged(what, OTHER_SUM)) }
}

/// What is told of a row that is not.
pub(super) const OTHER_SUM: &str = "its checksum is another: it is not as it was written";

/// A row that is not as it was written.
pub(super) struct Unsound {
    table: &'static str,
    key: Vec<(String, Value)>,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.table)?;
        self.key.iter().try_for_each(|(_, value)| match value {
            Value::Null => f.write_str(" NULL"),
            Value::Integer(number) => write!(f, " {number}"),
            Value::Real(number) => write!(f, " {number}"),
            Value::Text(text) => write!(f, " {text}"),
            Value::Blob(bytes) => write!(f, " {}", String::from_utf8_lossy(bytes)),
        })
    }
}

/// Rows of a table that are not as they were written, found without looking for any by its key.
pub(super) fn unsound(
    connection: &Connection,
    table: &'static str,
) -> rusqlite::Result<Vec<Unsound>> {
    let Some(columns) = Columns::of(connection, table)? else { return Ok(Vec::new()) };
    let (key, sum) = (columns.key.join(", "), columns.sum(""));
    let sql = format!("SELECT {key} FROM {table} NOT INDEXED WHERE sum IS NOT {sum}");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let value = |(at, name): (usize, &String)| Ok((name.clone(), value(row.get_ref(at)?)));
        let key = columns.key.iter().enumerate().map(value).collect::<rusqlite::Result<_>>()?;
        all.push(Unsound { table, key });
    }
    Ok(all)
}

/// As it lies in the row; text that is none as far as it is.
fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        other => Value::try_from(other).unwrap_or(Value::Null),
    }
}

/// As [`sum_rows`], but for these: what was damaged before does not become good.
pub(super) fn sum_rows_but(connection: &Connection, damaged: &[Unsound]) -> rusqlite::Result<()> {
    sum_rows(connection)?;
    for Unsound { table, key } in damaged {
        let names: Vec<String> = key.iter().map(|(name, _)| format!("{name} IS ?")).collect();
        let sql = format!("UPDATE {table} SET sum = NULL WHERE {}", names.join(" AND "));
        connection.execute(&sql, params_from_iter(key.iter().map(|(_, value)| value)))?;
    }
    Ok(())
}

/// Gives every row the checksum of what it holds now, as a migration does: for what writes rows by itself.
///
/// # Errors
/// A statement fails.
pub fn sum_rows(connection: &Connection) -> rusqlite::Result<()> {
    register(connection)?;
    for table in SUMMED {
        if let Some(columns) = Columns::of(connection, table)? {
            let sum = columns.sum("");
            connection.execute(&format!("UPDATE {table} SET sum = {sum}"), [])?;
        }
    }
    Ok(())
}
