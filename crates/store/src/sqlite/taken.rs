//! Files that were taken in, by hash.

use rusqlite::params;

use crate::rules::rows::FileRows;
use crate::{FileHash, Repeated, Result};

use super::columns::{dropped, get};
use super::log::Transaction;
use super::sums::sound;

const TAKEN: &str = "file that was taken in";

impl FileRows for Transaction<'_> {
    fn file(&self, FileHash(file): &FileHash) -> Result<Option<Repeated>> {
        let mut statement = self.prepare_cached(
            "SELECT items, ignored, sum IS row_sum(file, items, ignored, at_ms)
             FROM files WHERE file = ?1",
        )?;
        let mut rows = statement.query([&file[..]])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        sound(row, 2, TAKEN)?;
        Ok(Some(Repeated { items: get(row, 0, TAKEN)?, ignored: get(row, 1, TAKEN)? }))
    }

    fn put_file(&self, FileHash(file): &FileHash, told: Repeated, at_ms: i64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT OR REPLACE INTO files (file, items, ignored, at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?;
        statement.execute(params![&file[..], told.items, told.ignored, at_ms])?;
        Ok(())
    }

    fn drop_files(&self, before_ms: i64) -> Result<u64> {
        Ok(dropped(self.execute("DELETE FROM files WHERE at_ms < ?1", [before_ms])?))
    }
}
