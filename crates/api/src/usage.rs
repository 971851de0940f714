//! When access keys were last used: noted in memory, written for many calls at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use palisade_store::SET_BACK_MS_MAX;

/// Uses that are not written yet. Only keys of the store are noted, so there are no more than those.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<BTreeMap<String, i64>>);

impl Uses {
    /// Notes that a call of this key was believed.
    pub fn note(&self, access_key_id: &str, at_ms: i64) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(access_key_id) {
            // A use of a moment that has not come was noted before the clock was set back.
            Some(known) if *known > at_ms.saturating_add(SET_BACK_MS_MAX) => *known = at_ms,
            Some(known) => *known = at_ms.max(*known),
            None => {
                uses.insert(access_key_id.to_owned(), at_ms);
            }
        }
    }

    /// The last use that is not written yet.
    pub fn of(&self, access_key_id: &str) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(access_key_id).copied()
    }

    /// Takes all that was noted, to be written.
    pub fn take(&self) -> Vec<(String, i64)> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_after_the_clock_was_set_back_is_the_latest() {
        for (behind, latest) in [(SET_BACK_MS_MAX, 1_000_000), (SET_BACK_MS_MAX + 1, 939_999)] {
            let uses = Uses::default();
            uses.note("a", 1_000_000);
            uses.note("a", 1_000_000 - behind);
            assert_eq!(uses.of("a"), Some(latest));
        }
    }

    #[test]
    fn the_latest_use_of_each_key_is_taken_once() {
        let uses = Uses::default();
        for (key, at_ms) in [("a", 5), ("b", 1), ("a", 3)] {
            uses.note(key, at_ms);
        }
        assert_eq!((uses.of("a"), uses.of("c")), (Some(5), None));
        assert_eq!(uses.take(), [("a".to_owned(), 5), ("b".to_owned(), 1)]);
        assert_eq!((uses.of("a"), uses.take()), (None, Vec::new()));
    }
}
