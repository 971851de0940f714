//! What is wrong with a store, looked for everywhere and told one by one.

use std::fs::File;
use std::path::Path;

use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{ItemDecodeError, ItemKey, decode_item};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::Result;
use crate::rules::rows::{ControlRows, KeyRows};

use super::checksums::{self, Checked};
use super::columns::damaged;
use super::integrity::{FRAME_LOST, LOG_DAMAGED, LOG_LOST, integrity};
use super::log::{Claim, Left, Mark, Transaction, connect, has_no_log, keep_log, left, sibling};
use super::sums::{Columns, OTHER_SUM, SUMMED, unsound};
use super::unusable::engine;
use super::{SqliteStore, recheck, schema};

/// Columns that hold JSON, by table, and the columns that name a row.
const JSON: [(&str, &str, &[&str]); 13] = [
    ("organization", "head", &["one"]),
    ("administrators", "scope", &["account"]),
    ("policies", "record", &["policy"]),
    ("lists", "record", &["list"]),
    ("resource_sets", "record", &["resource_set"]),
    ("associations", "state", &["account", "region", "firewall"]),
    ("entries", "issues", &["policy", "account"]),
    ("violators", "violations", &["policy", "account", "type", "id"]),
    ("history", "issues", &["policy", "account", "sequence"]),
    ("past_violators", "violations", &["policy", "account", "type", "id", "until_ms"]),
    ("versions", "record", &["object", "sequence"]),
    ("waivers", "record", &["waiver"]),
    ("audit", "changes", &["sequence"]),
];

impl SqliteStore {
    /// Looks for damage in the store at `path`: each page against its checksum, if it was closed in
    /// order; SQLite's own check of tables and indexes; whether each row can be read. Answers what was
    /// found, one line each; nothing of the store is changed. Beside a server it sees one moment. Rows of a
    /// store of an older schema are not looked at.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn examine(path: &Path) -> Result<Vec<String>> {
        let name = path.display().to_string();
        let failed = |error: std::io::Error| engine(&name, error);
        let is_closed = has_no_log(path);
        // Before SQLite has it open: whoever closes a file ends SQLite's locks on it.
        let mut found = if is_closed { Vec::new() } else { in_log(path).map_err(failed)? };
        if is_closed {
            let file = File::open(path).map_err(failed)?;
            match checksums::check(&file).map_err(failed)? {
                Checked::Intact => {}
                Checked::Unknown => {
                    let mark = Mark::of(path).map_err(failed)?;
                    let moved = mark.map(|mark| mark.is_moved(&file)).transpose();
                    if moved.map_err(failed)? == Some(false) {
                        found.push(LOG_LOST.to_owned());
                    }
                }
                Checked::Damaged { pages, more } => {
                    found.extend(
                        pages.iter().map(|page| format!("page {page}: its checksum is another")),
                    );
                    if more > 0 {
                        found.push(format!("{more} more pages: their checksums are others"));
                    }
                }
            }
        }
        let mut connection = connect(path).map_err(|error| engine(&name, error))?;
        // What a crash left is for whoever serves the store next.
        keep_log(&connection, !is_closed)?;
        connection.pragma_update(None, "query_only", true)?;
        let looked = looked(&mut connection, &mut found);
        if let Err(error) = looked {
            found.push(format!("the rest cannot be looked at: {error}"));
        }
        Ok(found)
    }

    /// Goes on with a store in which something is not as it was written: its pages get checksums as they
    /// are, so that it opens. What is damaged stays so, and is told of where it is found to be.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when it is open; the file cannot be written.
    pub fn accept_damage(path: &Path) -> Result<()> {
        Claim::believe(path, recheck::accept)
    }
}

/// What is wrong with the log that a crash left, if nobody serves the store.
fn in_log(path: &Path) -> std::io::Result<Vec<String>> {
    let file = File::open(path)?;
    if !cfg!(target_os = "linux") || file.try_lock_shared().is_err() {
        return Ok(Vec::new());
    }
    Ok(match left(&sibling(path, "-wal"), Mark::of(path)?)? {
        Left::Lost { frame } => vec![format!("frame {frame} of the log: {FRAME_LOST}")],
        Left::Damaged { frame } => vec![format!("frame {frame} of the log: {LOG_DAMAGED}")],
        Left::Torn | Left::Whole => Vec::new(),
    })
}

fn looked(connection: &mut Connection, found: &mut Vec<String>) -> Result<()> {
    let tx = connection.transaction()?;
    found.extend(integrity(&tx));
    if !schema::is_current(schema::version(&tx, "the store")?) {
        // Its rows are not as they are read here; who serves it migrates it first.
        return Ok(());
    }
    for table in SUMMED {
        unsound_rows(&tx, table, found);
    }
    for (table, column, key) in JSON {
        json_rows(&tx, table, column, key, found);
    }
    item_rows(&tx, found);
    let tx = Transaction::on(&tx);
    let mut whole = |what: &str, read: Result<()>| {
        if let Err(error) = read {
            found.push(format!("{what}: {error}"));
        }
    };
    whole("the control state", tx.control(None).map(drop));
    whole("the keys", tx.keys().map(drop));
    Ok(())
}

/// Whether every row is as it was written. What is not is told here, and not by what follows.
fn unsound_rows(tx: &Connection, table: &'static str, found: &mut Vec<String>) {
    match unsound(tx, table) {
        Ok(bad) => found.extend(bad.iter().map(|row| format!("{row}: {OTHER_SUM}"))),
        Err(error) => found.push(format!("{table}: {error}")),
    }
}

/// Whether a column holds JSON in every row that is as it was written, or nothing.
fn json_rows(tx: &Connection, table: &str, column: &str, key: &[&str], found: &mut Vec<String>) {
    let read = || -> rusqlite::Result<Vec<String>> {
        let Some(columns) = Columns::of(tx, table)? else { return Ok(Vec::new()) };
        let (names, sum) = (key.join(", "), columns.sum(""));
        let sql = format!("SELECT {names}, {column} FROM {table} WHERE sum IS {sum}");
        let mut statement = tx.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut bad = Vec::new();
        while let Some(row) = rows.next()? {
            let text = match row.get_ref(key.len())? {
                ValueRef::Null => continue,
                other => other.as_str().unwrap_or_default().to_owned(),
            };
            if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                let named: Vec<String> = (0..key.len())
                    .map(|at| row.get_ref(at).map(shown))
                    .collect::<Result<_, _>>()?;
                bad.push(format!("{table} {}: {column}: {error}", named.join(" ")));
            }
        }
        Ok(bad)
    };
    match read() {
        Ok(bad) => found.extend(bad),
        Err(error) => found.push(format!("{table}: {error}")),
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Whether every item that is as it was written can be read.
fn item_rows(tx: &Connection, found: &mut Vec<String>) {
    let read = |found: &mut Vec<String>| -> rusqlite::Result<()> {
        let mut statement = tx.prepare(
            "SELECT account, region, type, id, body FROM items
                 WHERE sum IS row_sum(account, region, type, id, state, seen_ms, body)",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |at: usize| row.get_ref(at).map(shown);
            let names = [text(0)?, text(1)?, text(2)?, text(3)?];
            let body: Vec<u8> = row.get(4)?;
            let [account, region, resource_type, id] = &names;
            let why = match item_key(account, region, resource_type, id) {
                Some(key) => unreadable(&key, &body),
                None => Some("its key is none".to_owned()),
            };
            if let Some(why) = why {
                found.push(format!("items {}: {why}", names.join(" ")));
            }
        }
        Ok(())
    };
    if let Err(error) = read(found) {
        found.push(format!("items: {error}"));
    }
}

/// Why an item cannot be read. One of another version's layout can be: delivering it again is the cure.
fn unreadable(key: &ItemKey, body: &[u8]) -> Option<String> {
    match decode_item(key, body) {
        Ok(_) | Err(ItemDecodeError::Layout { .. }) => None,
        Err(error @ ItemDecodeError::Damaged(_)) => Some(damaged("item", error).to_string()),
    }
}

fn item_key(account: &str, region: &str, resource_type: &str, id: &str) -> Option<ItemKey> {
    let shard = ShardId {
        account: AccountId::try_from(account).ok()?,
        region: Region::try_from(region).ok()?,
    };
    Some(ItemKey {
        account: shard.account,
        region: shard.region,
        resource_type: ResourceType::try_from(resource_type).ok()?,
        id: ResourceId::try_from(id).ok()?,
    })
}
