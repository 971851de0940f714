//! The system's clock and source of random bytes: the one place that asks for either.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use palisade_api::{Clock, Entropy};

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's source of random bytes.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(|error| std::io::Error::other(error.to_string()))
    }
}

/// The room on a disk, bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Room {
    /// All there is.
    pub bytes: u64,
    /// What is left to us.
    pub free_bytes: u64,
}

impl Room {
    /// The room on the disk of a folder; `None` where the system does not tell it.
    #[cfg(unix)]
    pub fn at(folder: &Path) -> Option<Room> {
        let disk = rustix::fs::statvfs(folder).ok()?;
        let bytes = disk.f_blocks.saturating_mul(disk.f_frsize);
        Some(Room { bytes, free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize) })
    }

    /// The same.
    #[cfg(not(unix))]
    pub fn at(_: &Path) -> Option<Room> {
        None
    }
}
