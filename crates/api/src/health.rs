//! What keeps the server from being well, or strains it, by the name of what found it. Whoever watches a
//! part notes it here; `/readyz` only reads, so that it answers at once whatever is stuck.
//!
//! A part that is *unwell* takes the server out of service: sending callers elsewhere, or nowhere, is
//! better than sending them here. One that is *degraded* is told of and does not: callers that are sent
//! elsewhere would only strain others, or would not bring what mends it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use palisade_core::ident::ShardId;

/// What is known of the server's parts.
#[derive(Debug, Default)]
pub struct Health(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    unwell: BTreeMap<&'static str, String>,
    degraded: BTreeMap<&'static str, String>,
    /// What cannot last, and when it was last met.
    strained: BTreeMap<&'static str, (&'static str, Instant)>,
    /// Shards whose judging failed the last time.
    unjudged: BTreeSet<ShardId>,
    /// Tasks and threads that ended and do not come back.
    ended: BTreeMap<&'static str, String>,
    moves: BTreeMap<&'static str, Move>,
}

#[derive(Debug)]
struct Move {
    last: Instant,
    patience: Duration,
}

/// How long it is told that something was used up: as long as a prober waits between two looks.
pub const STRAIN_TOLD: Duration = Duration::from_secs(10);

/// One part that is not well, or degraded.
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

    /// Notes why a part is degraded, or that it is not.
    pub fn degrade(&self, part: &'static str, why: Option<String>) {
        let mut known = self.known();
        match why {
            Some(why) => known.degraded.insert(part, why),
            None => known.degraded.remove(part),
        };
    }

    /// Notes that something is used up just now, which is told of for [`STRAIN_TOLD`]. Answers whether
    /// that is news.
    pub fn strain(&self, part: &'static str, why: &'static str) -> bool {
        let before = self.known().strained.insert(part, (why, Instant::now()));
        before.is_none_or(|(_, at)| at.elapsed() >= STRAIN_TOLD)
    }

    /// Notes of these shards whether judging them, and writing what was found, succeeded.
    pub fn judged<'s>(&self, shards: impl IntoIterator<Item = &'s ShardId>, is_done: bool) {
        let mut known = self.known();
        for shard in shards {
            if is_done {
                known.unjudged.remove(shard);
            } else {
                known.unjudged.insert(shard.clone());
            }
        }
    }

    /// Every part that is degraded, by name.
    pub fn degraded(&self) -> Vec<Unwell> {
        let known = self.known();
        let mut all = known.degraded.clone();
        let unjudged = known.unjudged.len();
        if unjudged > 0 {
            let why = format!(
                "judging fails for {unjudged} accounts, counted by Region; the log names them, and what is \
                 answered of them is as old as their last judgement"
            );
            all.insert("shards", why);
        }
        let lasting = known.strained.iter().filter(|(_, (_, at))| at.elapsed() < STRAIN_TOLD);
        all.extend(lasting.map(|(part, (why, _))| (*part, (*why).to_owned())));
        all.into_iter().map(|(part, why)| Unwell { part, why }).collect()
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
    fn what_is_degraded_is_so_until_it_is_noted_or_time_passes() {
        let health = Health::default();
        let told = || health.degraded().iter().map(|one| one.part).collect::<Vec<_>>();
        health.degrade("clock", Some("ahead".to_owned()));
        assert!(health.strain("connections", "all are taken"));
        assert!(!health.strain("connections", "all are taken"), "no news");
        assert_eq!(told(), ["clock", "connections"]);
        assert!(health.unwell().is_empty(), "it serves");
        health.degrade("clock", None);
        assert_eq!(told(), ["connections"]);
        health.known().strained.get_mut("connections").unwrap().1 -= STRAIN_TOLD;
        assert!(told().is_empty());
        assert!(health.strain("connections", "all are taken"), "it is news again");
    }

    #[test]
    fn a_shard_that_cannot_be_judged_is_told_of_until_it_is() {
        let health = Health::default();
        let shards = ["eu-west-1", "us-east-1"].map(|region| ShardId {
            account: "111111111111".try_into().unwrap(),
            region: region.try_into().unwrap(),
        });
        health.judged(&shards, false);
        health.judged(&shards[..1], true);
        let [one] = &health.degraded()[..] else { panic!("{:?}", health.degraded()) };
        assert!(one.part == "shards" && one.why.contains("for 1 accounts"), "{one:?}");
        assert!(health.unwell().is_empty(), "it serves");
        health.judged(&shards, true);
        assert!(health.degraded().is_empty());
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
