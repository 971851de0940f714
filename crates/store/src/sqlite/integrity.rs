//! What SQLite itself tells of a damaged file.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;

use super::log::{connect, keep_log};

/// Faults that SQLite's own check tells at most.
const TOLD_MAX: u32 = 100;

/// What SQLite's own check of tables and indexes finds.
pub(super) fn integrity(connection: &Connection) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = || -> rusqlite::Result<()> {
        let mut check = connection.prepare(&format!("PRAGMA integrity_check({TOLD_MAX})"))?;
        let mut told = check.query([])?;
        while let Some(row) = told.next()? {
            match row.get::<_, String>(0)? {
                line if line == "ok" => {}
                line => found.push(line),
            }
        }
        Ok(())
    };
    if let Err(error) = check() {
        found.push(format!("the check of the database ends: {error}"));
    }
    found
}

/// What is wrong with a log of which a frame is damaged.
pub(super) const LOG_DAMAGED: &str = "it is not as it was written, and commits come behind it";

/// The refusal of a store whose log has a damaged frame.
pub(super) fn damaged_log(name: &str, frame: u64) -> StoreError {
    StoreError::Damaged {
        what: "log",
        why: format!(
            "frame {frame} of the log beside `{name}`: {LOG_DAMAGED}, which would be lost; put a copy of \
             both in place, or see `palisade doctor --verify`"
        ),
    }
}

/// What is wrong with a log of which a frame is lost that was on disk.
pub(super) const FRAME_LOST: &str =
    "it is not as it was written, and changes that were acknowledged are lost without it";

/// What is wrong where a log is gone.
pub(super) const LOG_LOST: &str =
    "the store's log is gone, and with it changes that were acknowledged";

/// The refusal of a store whose log lacks a frame that was on disk.
pub(super) fn lost_frame(name: &str, frame: u64) -> StoreError {
    StoreError::Damaged {
        what: "log",
        why: format!(
            "frame {frame} of the log beside `{name}`: {FRAME_LOST}; put a copy of both in place, or see \
             `palisade doctor --verify`"
        ),
    }
}

/// The refusal of a store whose log was removed before it was moved into the file.
pub(super) fn lost_log(name: &str) -> StoreError {
    StoreError::Damaged {
        what: "log",
        why: format!(
            "{LOG_LOST}: put `{name}-wal` back where it was. If `{name}` was restored from a copy, remove \
             `{name}.synced`, which belongs to the store that was there before; see also `palisade doctor \
             --verify`"
        ),
    }
}

/// The refusal of a store of which these pages, and so many more, are damaged.
pub(super) fn damaged_pages(path: &Path, name: &str, pages: &[u64], more: u64) -> StoreError {
    let list: Vec<String> = pages.iter().map(ToString::to_string).collect();
    let of = owners(path, pages);
    let of = if of.is_empty() { String::new() } else { format!(" (of {})", of.join(", ")) };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    StoreError::Damaged {
        what: "page",
        why: format!(
            "{}{more} of `{name}`{of} are not as they were when the store was closed; put a copy of it \
             in place, or see `palisade doctor --verify`",
            list.join(", ")
        ),
    }
}

/// Which tables and indexes pages belong to, as far as that can be found out.
fn owners(path: &Path, pages: &[u64]) -> Vec<String> {
    let ask = || -> rusqlite::Result<Vec<String>> {
        let connection = connect(path)?;
        keep_log(&connection, false)?;
        let list: Vec<String> = pages.iter().map(ToString::to_string).collect();
        let sql = format!("SELECT DISTINCT name FROM dbstat WHERE pageno IN ({})", list.join(","));
        let mut statement = connection.prepare(&sql)?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect()
    };
    ask().unwrap_or_default()
}
