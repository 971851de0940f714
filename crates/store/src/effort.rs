//! What a store's calls cost, and how large it is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the calls of a store came to since it was opened, and its size now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Effort {
    /// Transactions that read.
    pub reads: u64,
    /// How long they took together, waiting for a connection included, nanoseconds.
    pub read_ns: u64,
    /// Transactions that write.
    pub writes: u64,
    /// How long they took together once they had their turn, nanoseconds.
    pub write_ns: u64,
    /// How long they waited for their turn together, nanoseconds.
    pub write_wait_ns: u64,
    /// How long they waited for the disk afterwards together, while others wrote, nanoseconds.
    pub sync_ns: u64,
    /// Size of the database, bytes.
    pub bytes: u64,
    /// Of these, bytes that hold nothing and are used again.
    pub free_bytes: u64,
}

/// Time spent since the store was opened, counted as transactions end.
#[derive(Default)]
pub(crate) struct Spent {
    reads: AtomicU64,
    read_ns: AtomicU64,
    writes: AtomicU64,
    write_ns: AtomicU64,
    write_wait_ns: AtomicU64,
    sync_ns: AtomicU64,
}

impl Spent {
    pub fn read(&self, took: Duration) {
        self.reads.fetch_add(1, Relaxed);
        self.read_ns.fetch_add(nanoseconds(took), Relaxed);
    }

    /// `waited` is until the turn came, `took` to its end, `synced` until what was written was on disk.
    pub fn write(&self, waited: Duration, took: Duration, synced: Duration) {
        self.writes.fetch_add(1, Relaxed);
        self.write_wait_ns.fetch_add(nanoseconds(waited), Relaxed);
        self.write_ns.fetch_add(nanoseconds(took), Relaxed);
        self.sync_ns.fetch_add(nanoseconds(synced), Relaxed);
    }

    /// What it came to, without the size.
    pub fn so_far(&self) -> Effort {
        Effort {
            reads: self.reads.load(Relaxed),
            read_ns: self.read_ns.load(Relaxed),
            writes: self.writes.load(Relaxed),
            write_ns: self.write_ns.load(Relaxed),
            write_wait_ns: self.write_wait_ns.load(Relaxed),
            sync_ns: self.sync_ns.load(Relaxed),
            bytes: 0,
            free_bytes: 0,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
