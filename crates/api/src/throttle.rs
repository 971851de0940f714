//! How often one access key may call: a token bucket for each, on the clock that was handed over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use palisade_wire::{ErrorKind, Fault};

/// Keys whose buckets are kept; those that are full again are forgotten first.
const BUCKETS_MAX: usize = 10_000;
/// Parts of a call, so that a rate is a whole number of parts a millisecond.
const PARTS: u64 = 1_000;

/// How often one access key may call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Calls a second in the long run.
    pub per_second: u32,
    /// Calls at once after a pause; at least one.
    pub burst_max: u32,
}

/// Buckets by access key.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    parts: u64,
    at_ms: i64,
}

impl Bucket {
    /// The bucket at a later moment. A clock that goes back fills nothing, and it fills from then on.
    fn at(self, rate: Rate, now_ms: i64) -> Bucket {
        let passed = u64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or(0);
        let parts = self.parts.saturating_add(passed.saturating_mul(u64::from(rate.per_second)));
        Bucket { parts: parts.min(full(rate)), at_ms: now_ms }
    }
}

fn full(rate: Rate) -> u64 {
    u64::from(rate.burst_max.max(1)).saturating_mul(PARTS)
}

impl Throttle {
    /// Takes one call from the bucket of a key.
    ///
    /// # Errors
    /// ThrottlingException, which SDKs retry after a pause, when the bucket is empty.
    pub fn take(&self, rate: Rate, key: &str, now_ms: i64) -> Result<(), Fault> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| bucket.at(rate, now_ms).parts < full(rate));
            if buckets.len() >= BUCKETS_MAX {
                buckets.pop_first();
            }
        }
        let bucket =
            buckets.entry(key.to_owned()).or_insert(Bucket { parts: full(rate), at_ms: now_ms });
        *bucket = bucket.at(rate, now_ms);
        match bucket.parts.checked_sub(PARTS) {
            Some(left) => {
                bucket.parts = left;
                Ok(())
            }
            None => Err(Fault::new(ErrorKind::Throttling, "Rate exceeded")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 2, burst_max: 3 };

    fn taken(throttle: &Throttle, key: &str, now_ms: i64) -> usize {
        (0..10).take_while(|_| throttle.take(RATE, key, now_ms).is_ok()).count()
    }

    #[test]
    fn a_key_has_its_burst_and_then_its_rate() {
        let throttle = Throttle::default();
        assert_eq!(taken(&throttle, "a", 1_000), 3);
        assert_eq!(taken(&throttle, "b", 1_000), 3, "each key has its own");
        assert_eq!(taken(&throttle, "a", 1_499), 0);
        assert_eq!(taken(&throttle, "a", 1_500), 1);
        assert_eq!(taken(&throttle, "a", 500), 0, "a clock that goes back");
        assert_eq!(taken(&throttle, "a", 1_000), 1, "and is followed from there");
        assert_eq!(taken(&throttle, "a", 9_000), 3, "never more than the burst");
    }

    #[test]
    fn buckets_are_bounded() {
        let throttle = Throttle::default();
        for n in 0..=BUCKETS_MAX {
            throttle.take(RATE, &format!("{n:06}"), 0).unwrap();
            assert!(throttle.buckets.lock().unwrap().len() <= BUCKETS_MAX);
        }
        throttle.take(RATE, "later", 60_000).unwrap();
        assert_eq!(throttle.buckets.lock().unwrap().len(), 1, "full ones are forgotten");
    }
}
