//! How long the log is, and moving what is in it into the file.

use std::cell::Cell;
use std::os::raw::c_int;
use std::time::Duration;

use rusqlite::Connection;

use super::mark::Marks;

/// How long a call waits for another process, such as `keys create`, to finish its write.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(10);

/// How long readers of the log are waited for, with the writer's turn, before it is emptied.
const EMPTYING_WAIT: Duration = Duration::from_millis(200);

thread_local! {
    /// Pages of the log after this thread's last commit. SQLite's hook is a function without a
    /// state, which leaves the number where whoever commits picks it up.
    pub(super) static COMMITTED: Cell<u32> = const { Cell::new(0) };
}

/// SQLite's hook after each commit to the log.
pub(super) fn note(pages: c_int) -> rusqlite::Result<()> {
    COMMITTED.set(u32::try_from(pages).unwrap_or_default());
    Ok(())
}

/// Moves all of the log and cuts it off. Answers whether that is done: somebody may be reading from
/// it, who is waited for a little, for nobody writes meanwhile.
pub(in crate::sqlite) fn emptied(
    connection: &Connection,
    marks: Option<&Marks>,
) -> rusqlite::Result<bool> {
    // Who begins to read when all of it is in the file does not need it.
    moved(connection)?;
    // What is moved unmarked must not be looked for in a log that is cut off.
    let _forgotten = match marks.map(Marks::forget) {
        Some(Err(error)) => {
            tracing::error!(%error, "the mark beside the store's log cannot be written: the log stays");
            return Ok(false);
        }
        Some(Ok(open)) => Some(open),
        None => None,
    };
    connection.busy_timeout(EMPTYING_WAIT)?;
    let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        let busy: i64 = row.get(0)?;
        Ok(busy == 0)
    });
    connection.busy_timeout(BUSY_WAIT)?;
    emptied
}

/// The log after a move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sqlite) struct Log {
    pub(super) pages: u32,
    /// Of which so many are not moved: they were committed meanwhile, or some reader looks at the
    /// store as it was before them.
    pub(super) left: u32,
}

pub(in crate::sqlite) fn moved(connection: &Connection) -> rusqlite::Result<Log> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        // Both -1 while another process moves it.
        let [pages, moved]: [i64; 2] = [row.get(1)?, row.get(2)?];
        let count = |pages: i64| u32::try_from(pages).unwrap_or_default();
        Ok(Log { pages: count(pages), left: count(pages.saturating_sub(moved)) })
    })
}
