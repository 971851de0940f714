//! How the worker judges, whatever it judges.

use palisade_core::inventory::Assumed;

/// After how long a shard is tried again whose judgement failed, milliseconds.
pub const FAILED_RETRY_MS: i64 = 60_000;
/// After how long a shard is tried again of which something could not be read, milliseconds.
pub const DAMAGED_RETRY_MS: i64 = 10 * 60_000;

/// Age at which inventory counts as stale, hours (semantics §11 row 40): half more than the day within
/// which AWS Config delivers a snapshot.
pub const STALE_AFTER_HOURS: u32 = 36;

/// How the worker judges.
#[derive(Clone, Debug)]
pub struct Judging {
    /// Age of what the newest delivery says at which inventory counts as stale, milliseconds; `None` is
    /// never.
    pub stale_after_ms: Option<i64>,
    /// Types that count as recorded, whatever was delivered (semantics §11 row 36).
    pub assumed: Assumed,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            stale_after_ms: Some(i64::from(STALE_AFTER_HOURS) * 60 * 60 * 1_000),
            assumed: Assumed::Nothing,
        }
    }
}
