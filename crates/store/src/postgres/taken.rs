//! Files that were taken in, by hash.

use crate::rules::rows::FileRows;
use crate::{FileHash, Repeated, Result};

use super::columns::{number, with};
use super::turn::Turn;

const TAKEN: &str = "file that was taken in";

impl FileRows for Turn<'_> {
    fn file(&self, FileHash(file): &FileHash) -> Result<Option<Repeated>> {
        let row = self.one("SELECT items, ignored FROM files WHERE file = $1", with![&file[..]])?;
        let told = |row: &tokio_postgres::Row| {
            Ok(Repeated { items: number(row, 0, TAKEN)?, ignored: number(row, 1, TAKEN)? })
        };
        row.as_ref().map(told).transpose()
    }

    fn put_file(&self, FileHash(file): &FileHash, told: Repeated, at_ms: i64) -> Result<()> {
        self.send(
            "INSERT INTO files (file, items, ignored, at_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (file) DO UPDATE SET
               items = excluded.items, ignored = excluded.ignored, at_ms = excluded.at_ms",
            with![&file[..], told.items, told.ignored, at_ms],
        )
    }

    fn drop_files(&self, before_ms: i64) -> Result<u64> {
        self.count("DELETE FROM files WHERE at_ms < $1", with![before_ms])
    }
}
