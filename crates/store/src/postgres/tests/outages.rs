//! The database, or the way to it, fails in the middle.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use palisade_testkit::postgres::{Postgres, programs, shared};
use palisade_testkit::skipped;

use crate::contract::facts::*;
use crate::engine::Engine as _;
use crate::postgres::ANSWER;
use crate::postgres::columns::with;
use crate::rules::rows::StoreRow as _;
use crate::{Control as _, Health as _, Inventory as _, Work as _};

use super::beds::node;

/// A server of its own, to be harmed.
fn own() -> Option<Postgres> {
    let newest = programs().pop();
    if newest.is_none() {
        skipped("no PostgreSQL to be harmed");
    }
    newest.map(|programs| Postgres::start(&programs))
}

#[test]
fn a_call_waits_for_a_database_that_comes_back() {
    let Some(mut server) = own() else { return };
    let store = node(&server.fresh_url());
    commit(&store, &[], 1);
    server.crash();
    thread::scope(|scope| {
        let calls = scope.spawn(|| (store.control_revision(), commit(&store, &[], 2)));
        thread::sleep(Duration::from_millis(1_500));
        server.begin();
        let (read, written) = calls.join().unwrap();
        assert_eq!((read.unwrap(), written), (1, 2));
    });
}

#[test]
fn health_tells_of_an_outage_within_ten_seconds_and_of_its_end() {
    let Some(mut server) = own() else { return };
    let store = node(&server.fresh_url());
    store.probe().unwrap();
    let told_within = |is_well: bool| {
        let begun = Instant::now();
        while store.probe().is_ok() != is_well {
            assert!(begun.elapsed() < Duration::from_secs(10), "not told: {:?}", store.probe());
            thread::sleep(Duration::from_millis(100));
        }
    };
    // It hangs, and answers again.
    server.freeze(true);
    told_within(false);
    server.freeze(false);
    told_within(true);
    // It ends, and comes back.
    server.crash();
    told_within(false);
    assert!(store.mark(&[mark_of(&shard(1), None)], 1, None).is_err(), "it is not acknowledged");
    server.begin();
    told_within(true);
    store.mark(&[mark_of(&shard(1), None)], 1, None).unwrap();
    assert_eq!(due(&store, 1), "1 *");
}

#[test]
fn backends_that_are_ended_at_random_lose_and_repeat_nothing() {
    const CALLS: usize = 120;

    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let (store, killer) = (node(&url), node(&url));
    let place = store.server.connect(ANSWER).unwrap();
    place.batch("SET application_name = 'spared'").unwrap();
    let done = AtomicUsize::new(0);
    let (acknowledged, kills) = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut acknowledged = 0_u64;
            for n in 0..CALLS {
                let at = i64::try_from(n).unwrap();
                let before = store.control_revision().unwrap();
                assert_eq!(before, acknowledged, "call {n}");
                // The revision is checked by each: what is made twice conflicts.
                acknowledged = store.commit(before, &[], at).unwrap();
                done.fetch_add(1, Relaxed);
            }
            acknowledged
        });
        let mut kills = 0;
        while !writing.is_finished() {
            let schema = url.split("schema=").nth(1).unwrap();
            let ended = place.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'palisade test' AND query LIKE '%' || $1::text || '%'
                    OR application_name = 'palisade test' AND state <> 'idle' AND backend_type = 'client backend'
                      AND pid IN (SELECT pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                                  WHERE c.relnamespace = $1::text::regnamespace)",
                &with![schema],
            );
            let ended = ended.unwrap().len();
            kills += ended;
            // A call that is ended as often as it tries again gives up, and should.
            let before = done.load(Relaxed);
            while ended > 0 && done.load(Relaxed) == before && !writing.is_finished() {
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_millis(7));
        }
        (writing.join().unwrap(), kills)
    });
    assert_eq!(acknowledged, u64::try_from(CALLS).unwrap());
    assert_eq!(killer.control_revision().unwrap(), acknowledged);
    assert!(kills > 0, "no backend was ended");
}

/// The primary ends in the middle of writing, and its synchronous standby is promoted. `PALISADE_TAKEOVERS`
/// sets how often.
#[test]
fn a_promoted_standby_goes_on_with_all_that_was_acknowledged() {
    let takeovers = std::env::var("PALISADE_TAKEOVERS").ok().and_then(|text| text.parse().ok());
    for round in 0..takeovers.unwrap_or(2) {
        let Some(mut primary) = own() else { return };
        let mut standby = primary.standby();
        let store = node(&primary.url_with(&standby, &format!("takeover_{round}")));
        let (done, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let acknowledged = thread::scope(|scope| {
            let writing = scope.spawn(|| {
                let mut acknowledged = 0_u64;
                while !is_over.load(Relaxed) {
                    let before = store.control_revision().unwrap();
                    assert_eq!(before, acknowledged, "round {round}");
                    acknowledged = store.commit(before, &[], 1).unwrap();
                    done.fetch_add(1, Relaxed);
                }
                acknowledged
            });
            let until_done = |count: usize| {
                while done.load(Relaxed) < count && !writing.is_finished() {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            until_done(20 + usize::try_from(round).unwrap() % 7);
            primary.crash();
            standby.promote();
            until_done(done.load(Relaxed) + 20);
            is_over.store(true, Relaxed);
            writing.join().unwrap()
        });
        assert_eq!(store.control_revision().unwrap(), acknowledged, "round {round}");
    }
}

/// The answer to a commit is lost: whether it was made is read, and neither guessed nor repeated.
#[test]
fn a_commit_whose_answer_is_lost_is_resolved_by_reading() {
    let Some(server) = shared() else { return };
    let store = node(&server.fresh_url());
    let session = store.server.connect(ANSWER).unwrap();
    for is_made in [true, false] {
        let turn =
            super::super::turn::Turn::begin(&session, super::super::turn::Mode::Write).unwrap();
        turn.put_control_revision(5).unwrap();
        let mark = turn.mark().unwrap();
        if is_made {
            assert!(matches!(turn.commit().unwrap(), super::super::turn::Ended::Committed));
        } else {
            turn.undo();
        }
        let lost = super::super::fault::Fault::silent(&store.server.place, 0);
        assert_eq!(store.resolve(&mark, lost).is_ok(), is_made);
    }
}

/// While the transaction whose answer was lost is still under way, it is waited for.
#[test]
fn a_commit_that_is_still_under_way_is_waited_for() {
    let Some(server) = shared() else { return };
    let store = node(&server.fresh_url());
    let session = store.server.connect(ANSWER).unwrap();
    let mark = session.next_mark().unwrap();
    session.batch("BEGIN").unwrap();
    let update = "UPDATE commits SET number = $2 WHERE connection = $1::text::uuid";
    session.query(update, &with![&mark.connection, mark.number]).unwrap();
    thread::scope(|scope| {
        let lost = super::super::fault::Fault::silent(&store.server.place, 0);
        let resolving = scope.spawn(|| store.resolve(&mark, lost));
        thread::sleep(Duration::from_millis(300));
        assert!(!resolving.is_finished(), "nothing is known yet");
        session.batch("COMMIT").unwrap();
        resolving.join().unwrap().unwrap();
    });
}

/// A node that stops in the middle of a writing transaction holds the others up for some seconds, no longer,
/// and writes nothing when it goes on.
#[test]
fn a_node_stopped_in_a_transaction_holds_nobody_up_for_long() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let (stopped, other) = (node(&url), node(&url));
    let paused = AtomicUsize::new(0);
    thread::scope(|scope| {
        let stopping = scope.spawn(|| {
            stopped.write(|rows| {
                rows.put_control_revision(77)?;
                rows.control_revision()?;
                if paused.fetch_add(1, Relaxed) == 0 {
                    thread::sleep(Duration::from_secs(8));
                }
                rows.put_keys_revision(5)
            })
        });
        while paused.load(Relaxed) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        let begun = Instant::now();
        other.accept(&delivery(&[group(&shard(1), "sg-1", 1)]), 2, None).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
        assert_eq!(other.control_revision().unwrap(), 0, "nothing of it is seen");
        // It is told, or does all of it again.
        let ended = stopping.join().unwrap();
        let expected = if ended.is_ok() { 77 } else { 0 };
        assert_eq!(other.control_revision().unwrap(), expected);
    });
    assert_eq!(groups(&other, &shard(1)), "sg-1 1");
}
