//! The embedded engine: one SQLite file.
//!
//! Write-ahead log, on disk before a call is acknowledged: what it wrote survives `kill -9` and power
//! loss. Writers queue for one connection; readers have their own and do not wait for writers.

mod audit;
mod changes;
mod checksums;
mod columns;
mod control;
mod copies;
mod examine;
mod firsts;
mod integrity;
mod items;
mod keys;
mod ledger;
mod log;
mod missed;
mod opening;
mod past;
mod readers;
mod recheck;
mod schema;
mod shards;
mod shown;
mod spent;
mod store_row;
mod sums;
mod support;
mod taken;
#[cfg(test)]
mod tests;
mod unusable;
mod work;

use std::path::Path;

use crate::engine::Engine;
use crate::{Effort, KeyChange, Result, StoreError};

use log::{Connections, MOVED_PAGES, Transaction};

pub use opening::{Opening, Synchronous};
#[doc(hidden)]
pub use sums::sum_rows;

/// A store in one SQLite file, or in memory.
pub struct SqliteStore {
    connections: Connections,
}

impl SqliteStore {
    /// Opens the store at `path`, made when there is none, migrated when it is of an older schema.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process serves from it (asked only with
    /// [`Opening::serve`], or when it must be migrated), [`StoreError::TooNew`] when a newer
    /// Palisade wrote it, [`StoreError::Engine`] when the file cannot be opened, is no SQLite
    /// database or another program's.
    pub fn open(path: &Path, opening: Opening) -> Result<SqliteStore> {
        SqliteStore::open_with_log(path, opening, MOVED_PAGES)
    }

    /// As [`SqliteStore::open`], with a log that is moved into the file when it has `long` pages: for
    /// tests, which write little, and see it begin anew all the same.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[doc(hidden)]
    pub fn open_with_log(path: &Path, opening: Opening, long: u32) -> Result<SqliteStore> {
        Ok(SqliteStore { connections: Connections::open(path, &opening, long)? })
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// [`StoreError::Engine`] when SQLite cannot make it.
    pub fn in_memory(sealing_key: [u8; 32]) -> Result<SqliteStore> {
        Ok(SqliteStore { connections: Connections::in_memory(&sealing_key)? })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Engine(error.into())
    }
}

impl Engine for SqliteStore {
    type Rows<'r> = Transaction<'r>;

    fn read<T>(&self, mut ask: impl FnMut(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connections.read(|tx| ask(tx))
    }

    fn read_one<T>(&self, mut ask: impl FnMut(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connections.read_one(|connection| ask(&Transaction::on(connection)))
    }

    fn write<T>(&self, mut act: impl FnMut(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connections.write(|tx| act(tx))
    }

    fn write_unawaited<T>(&self, mut act: impl FnMut(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.connections.write_unawaited(|tx| act(tx))
    }

    fn write_keys<T>(
        &self,
        changes: &[KeyChange],
        mut act: impl FnMut(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let done = self.connections.write(|tx| forgetting(tx, &mut act))?;
        if changes.iter().any(|change| matches!(change, KeyChange::Seal { .. })) {
            // The log may still hold in the clear what was sealed.
            self.connections.empty_log()?;
        }
        Ok(done)
    }

    fn takes_writes(&self) -> Result<()> {
        self.connections.takes_writes()
    }

    fn recover(&self) -> Result<()> {
        self.connections.probe()
    }

    fn spent(&self) -> Result<Effort> {
        self.connections.effort()
    }
}

/// Runs what deletes or replaces secrets: their bytes are not left in the file.
fn forgetting<T>(
    tx: &Transaction<'_>,
    act: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    tx.pragma_update(None, "secure_delete", true)?;
    let done = act(tx);
    tx.pragma_update(None, "secure_delete", false)?;
    done
}
