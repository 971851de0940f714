//! How long transactions took, counted as they end.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::{Effort, Result};

use super::log::Transaction;

/// Time spent since the store was opened.
#[derive(Default)]
pub(super) struct Spent {
    reads: AtomicU64,
    read_ns: AtomicU64,
    writes: AtomicU64,
    write_ns: AtomicU64,
    write_wait_ns: AtomicU64,
    sync_ns: AtomicU64,
}

impl Spent {
    pub(super) fn read(&self, took: Duration) {
        self.reads.fetch_add(1, Relaxed);
        self.read_ns.fetch_add(nanoseconds(took), Relaxed);
    }

    /// `waited` is until the turn came, `took` to its end, `synced` until what was written was on disk.
    pub(super) fn write(&self, waited: Duration, took: Duration, synced: Duration) {
        self.writes.fetch_add(1, Relaxed);
        self.write_wait_ns.fetch_add(nanoseconds(waited), Relaxed);
        self.write_ns.fetch_add(nanoseconds(took), Relaxed);
        self.sync_ns.fetch_add(nanoseconds(synced), Relaxed);
    }

    /// With the size that `tx` sees.
    pub(super) fn effort(&self, tx: &Transaction<'_>) -> Result<Effort> {
        let number = |pragma| tx.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
        let page = number("page_size")?;
        Ok(Effort {
            reads: self.reads.load(Relaxed),
            read_ns: self.read_ns.load(Relaxed),
            writes: self.writes.load(Relaxed),
            write_ns: self.write_ns.load(Relaxed),
            write_wait_ns: self.write_wait_ns.load(Relaxed),
            sync_ns: self.sync_ns.load(Relaxed),
            bytes: number("page_count")?.saturating_mul(page),
            free_bytes: number("freelist_count")?.saturating_mul(page),
        })
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
