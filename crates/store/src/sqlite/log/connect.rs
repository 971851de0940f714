//! One connection to a database file, set as all are.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::checkpoint::BUSY_WAIT;
use crate::sqlite::sums;

/// Prepared statements kept per connection; there are fewer in this crate.
const STATEMENTS_MAX: usize = 128;

/// Opens one.
pub(in crate::sqlite) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    keep_statements(&connection)?;
    keep_log(&connection, true)?;
    // Where `fsync` stops at the drive's cache (macOS), SQLite must ask for more.
    connection.pragma_update(None, "fullfsync", true)?;
    Ok(connection)
}

/// Whether the log stays where it is when this is the last connection that is closed.
pub(in crate::sqlite) fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Prepared statements are kept, and with the plan that they got first: where plans may depend on
/// what is bound, SQLite would prepare a statement with a bound range anew for every call.
pub(super) fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    sums::register(connection)
}
