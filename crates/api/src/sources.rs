//! What this server reads by itself: of each source when it was read, what it came to and why it failed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls that failed which a source tells one by one; of more it is told how many.
pub const FAILURES_TOLD_MAX: usize = 20;

/// What is known of one source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Source {
    /// Of which kind: `organization`, `live`, `s3`, `sqs`.
    pub kind: &'static str,
    /// When reading it began last, milliseconds since the epoch.
    pub begun_ms: Option<i64>,
    /// When it ended last.
    pub ended_ms: Option<i64>,
    /// When it was last read with nothing missing: what the source tells is as old as that.
    pub whole_ms: Option<i64>,
    /// How long the last reading took, milliseconds.
    pub took_ms: i64,
    /// When it is read next.
    pub next_ms: Option<i64>,
    /// New states that it brought since the server began.
    pub accepted: u64,
    /// Calls that failed since the server began.
    pub calls_failed: u64,
    /// What the last reading could not read: (account, Region, type) each.
    pub gaps: u64,
    /// Messages that wait in its queue.
    pub backlog: Option<u64>,
    /// Messages and files that were set aside, since they cannot be read, since the server began.
    pub set_aside: u64,
    /// The last failure, and when.
    pub last_error: Option<(i64, String)>,
    /// Failures of the last reading, each once; the first [`FAILURES_TOLD_MAX`].
    pub failures: Vec<String>,
}

/// Every source of this server, by name.
#[derive(Debug, Default)]
pub struct Sources(Mutex<BTreeMap<String, Source>>);

impl Sources {
    /// Notes something of a source, which is there from now on.
    pub fn note(&self, name: &str, note: impl FnOnce(&mut Source)) {
        note(self.held().entry(name.to_owned()).or_default());
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<String, Source> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    /// A failure of the reading that is under way.
    pub fn failed(&mut self, at_ms: i64, why: &str) {
        self.calls_failed = self.calls_failed.saturating_add(1);
        self.last_error = Some((at_ms, why.to_owned()));
        let is_new = !self.failures.iter().any(|known| known == why);
        if is_new && self.failures.len() < FAILURES_TOLD_MAX {
            self.failures.push(why.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_once_each_and_up_to_a_limit() {
        let sources = Sources::default();
        for number in 0..=FAILURES_TOLD_MAX {
            for _ in 0..2 {
                sources.note("live", |live| live.failed(7, &format!("call {number}")));
            }
        }
        let all = sources.all();
        let live = all.get("live").unwrap();
        assert_eq!(live.failures.len(), FAILURES_TOLD_MAX);
        assert_eq!(live.calls_failed as usize, 2 * (FAILURES_TOLD_MAX + 1));
        assert_eq!(live.last_error, Some((7, format!("call {FAILURES_TOLD_MAX}"))));
    }
}
