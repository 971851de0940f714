//! What keeps the server from being well, by the name of what found it. Whoever watches a part notes
//! it here; `/readyz` only reads, so that it answers at once whatever is stuck.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is known of the server's parts.
#[derive(Debug, Default)]
pub struct Health(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    unwell: BTreeMap<&'static str, String>,
    /// Tasks and threads that ended and do not come back.
    ended: BTreeMap<&'static str, String>,
    moves: BTreeMap<&'static str, Move>,
}

#[derive(Debug)]
struct Move {
    last: Instant,
    patience: Duration,
}

/// One part that is not well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unwell {
    /// Its name.
    pub part: &'static str,
    /// Why, in one line that anybody may read: no secrets, no paths.
    pub why: String,
}

impl Health {
    /// Notes how a part is: why it is not well, or that it is. Answers whether that is news.
    pub fn note(&self, part: &'static str, why: Option<String>) -> bool {
        let mut known = self.known();
        match why {
            Some(why) => known.unwell.insert(part, why).is_none(),
            None => known.unwell.remove(part).is_some(),
        }
    }

    /// Notes that a part ended that the server cannot do without: only another start brings it back.
    pub fn ended(&self, part: &'static str) {
        let why = "it has ended; start the server again".to_owned();
        self.known().ended.insert(part, why);
    }

    /// Notes that a part moves. From then on it must do so within `patience`, or is said to be stuck.
    pub fn moves(&self, part: &'static str, patience: Duration) {
        self.known().moves.insert(part, Move { last: Instant::now(), patience });
    }

    /// Every part that is not well, by name.
    pub fn unwell(&self) -> Vec<Unwell> {
        let known = self.known();
        let mut all = known.unwell.clone();
        for (part, Move { last, patience }) in &known.moves {
            let still = last.elapsed();
            if still > *patience {
                all.insert(part, format!("it has not moved for {} s", still.as_secs()));
            }
        }
        all.extend(known.ended.iter().map(|(part, why)| (*part, why.clone())));
        all.into_iter().map(|(part, why)| Unwell { part, why }).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(health: &Health) -> String {
        let all = health.unwell();
        all.iter().map(|one| format!("{}: {}", one.part, one.why)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_part_is_unwell_until_it_is_noted_to_be_well() {
        let health = Health::default();
        assert!(!health.note("log", None), "no news");
        assert!(health.note("log", Some("full".to_owned())));
        assert!(
            !health.note("log", Some("gone".to_owned())),
            "no news, but the reason is the last"
        );
        assert_eq!(told(&health), "log: gone");
        assert!(health.note("log", None));
        assert_eq!(told(&health), "");
    }

    #[test]
    fn what_ended_does_not_come_back() {
        let health = Health::default();
        health.ended("worker");
        health.note("worker", None);
        assert_eq!(told(&health), "worker: it has ended; start the server again");
    }

    #[test]
    fn what_must_move_and_does_not_is_stuck() {
        let health = Health::default();
        health.moves("watch", Duration::from_secs(600));
        assert_eq!(told(&health), "");
        health.moves("watch", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(told(&health), "watch: it has not moved for 0 s");
        health.moves("watch", Duration::from_secs(600));
        assert_eq!(told(&health), "");
    }
}
