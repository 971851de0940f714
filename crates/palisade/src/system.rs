//! The system's clock and source of random bytes: the one place that asks for either.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use palisade_api::metrics::Process;
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

/// Ticks of a second in `/proc`: the same on every Linux.
const TICKS: f64 = 100.0;

/// What this process uses of its machine; `None` where the system does not tell it.
pub fn process(begun_secs: i64) -> Option<Process> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    let status = read("status")?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<i64>().ok()
    };
    // The name, in parentheses, may hold anything.
    let stat = read("stat")?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    let cpu_secs = (ticks()? + ticks()?) / TICKS;
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(Process {
        begun_secs,
        cpu_secs,
        resident_bytes: of("VmRSS:")?.saturating_mul(1024),
        threads: of("Threads:")?,
        open_files: i64::try_from(open).ok()?,
    })
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
