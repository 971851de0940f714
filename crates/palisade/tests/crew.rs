//! Who does due work: slow rounds, rounds that fail, and shards that fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use palisade::crew::{Crew, Keep, PROLONGING};
use palisade::serve;
use palisade::system::SystemEntropy;
use palisade::timekeeper::Timekeeper;
use palisade::worker::{self, FAILED_RETRY_MS, FAILURES_MAX, Judging, LEASE_MS, LEASE_SHARDS_MAX};
use palisade_api::health::Health;
use palisade_api::metrics::Metrics;
use palisade_api::{App, Auth, Clock, Settings};
use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ident::{AccountId, ShardId};
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_store::{Inventory, Ledger, Result, Store, StoreError, Work};
use rusqlite::Connection;
use serde_json::json;
use support::meddled::Meddled;
use support::*;
use tokio::sync::watch;

const GROUP: &str = "AWS::EC2::SecurityGroup";

/// One open group in each account, under one policy: as many shards are due.
fn fleet(accounts: usize) -> SqliteStore {
    with_fleet(SqliteStore::in_memory([7; 32]).unwrap(), accounts)
}

fn with_fleet(store: SqliteStore, accounts: usize) -> SqliteStore {
    let narrow = audit("narrow", &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
    decide(&store, &organization(accounts as u64), &[narrow]);
    for number in 0..accounts as u64 {
        let id = account(number);
        let (name, text) = snapshot(&id, 10, &[group(&id, "sg-1", 10, "0.0.0.0/0", 22)]);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    while let [fan_out] = &store.fan_outs().unwrap()[..] {
        assert!(store.advance_fan_out(fan_out, &[], None, NOW_MS).unwrap());
    }
    assert_eq!(store.work(NOW_MS).unwrap().dirty, accounts as u64);
    store
}

fn unreadable() -> StoreError {
    StoreError::Engine("the disk is gone, on purpose".into())
}

/// Waits for what another thread brings about; answers whether it did.
fn comes(is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > Duration::from_secs(60) {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

#[derive(Clone)]
struct SetClock(Arc<AtomicI64>);

impl SetClock {
    fn new() -> SetClock {
        SetClock(Arc::new(AtomicI64::new(NOW_MS)))
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(SeqCst)
    }
}

/// Has a crew do the work of a store while `meanwhile` looks on, then stops it.
fn while_they_work(
    store: Arc<dyn Store>,
    clock: SetClock,
    prolonging: Duration,
    meanwhile: impl FnOnce(&App),
) -> Arc<App> {
    let keep = Keep { history_ms: None, audit_ms: None };
    while_they_keep(store, clock, prolonging, keep, meanwhile)
}

/// As [`while_they_work`], for so long as they keep the past.
fn while_they_keep(
    store: Arc<dyn Store>,
    clock: SetClock,
    prolonging: Duration,
    keep: Keep,
    meanwhile: impl FnOnce(&App),
) -> Arc<App> {
    let spool = tempfile::tempdir().unwrap();
    let settings = Settings::new(Auth::Open, spool.path().into());
    let app = App::new(store, Arc::new(clock), Arc::new(SystemEntropy), settings);
    let crew = Crew::new(app.clone(), Judging::default(), keep, prolonging);
    let runtime = serve::runtime().unwrap();
    let (stop, stopped) = watch::channel(false);
    let time = Timekeeper::start(&app).unwrap();
    let working = runtime.spawn(crew.work(time, stopped));
    meanwhile(&app);
    stop.send_replace(true);
    runtime.block_on(working).unwrap();
    app
}

#[test]
fn a_clock_far_ahead_drops_nothing_until_a_delivery_tells_of_that_time() {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let store: Arc<dyn Store> = Arc::new(fleet(2));
    let clock = SetClock::new();
    let keep = Keep { history_ms: Some(30 * DAY_MS), audit_ms: Some(30 * DAY_MS) };
    let work = |meanwhile: &dyn Fn(&App)| {
        while_they_keep(store.clone(), clock.clone(), PROLONGING, keep, |app| meanwhile(app));
    };
    let member = account(0);
    let id = AccountId::try_from(member.as_str()).unwrap();
    // What the group was at first: a state that has ended since.
    let is_first_kept = || {
        let history = store.history(&policy_id(0), &id, 9).unwrap();
        history.iter().any(|row| (row.at_ms, row.violator_count) == (NOW_MS, 1))
    };
    let idle = |app: &App| {
        let work = || app.store.work(app.clock.now_ms()).unwrap();
        assert!(comes(|| (work().dirty, work().leased) == (0, 0)));
    };
    work(&idle);
    let mended = group(&member, "sg-1", 99, "10.1.0.0/16", 22);
    store.accept(&read("", &json!([mended]).to_string()), NOW_MS, None).unwrap();
    work(&idle);
    assert!(is_first_kept());
    // Started with a clock that is years ahead. What was due by then is judged after the old was
    // dropped, so that it has been by now.
    let far_ms = NOW_MS + 4_000 * DAY_MS;
    clock.0.store(far_ms, SeqCst);
    work(&idle);
    assert!(is_first_kept(), "nothing that is stored tells of that time");
    // As it is right, when something does.
    let captured = u64::try_from(far_ms - 1_793_500_000_000 - 1_000).unwrap();
    let told = group(&member, "sg-1", captured, "10.2.0.0/16", 22);
    store.accept(&read("", &json!([told]).to_string()), far_ms, None).unwrap();
    work(&|_| assert!(comes(|| !is_first_kept()), "what ended long ago goes"));
}

#[test]
fn a_round_keeps_its_shards_however_long_it_takes() {
    const SHARDS: usize = 3 * LEASE_SHARDS_MAX;
    let store = fleet(SHARDS);
    let clock = SetClock::new();
    let (goes_on, looks) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
    let (held, moved) = (goes_on.clone(), clock.clone());
    let leased = |store: &SqliteStore, now_ms| store.work(now_ms).unwrap().leased;
    let before_load = move |store: &SqliteStore, _: &ShardId| {
        match looks.fetch_add(1, SeqCst) {
            // One of the two rounds waits until there is nothing else to do.
            0 => assert!(comes(|| held.load(SeqCst))),
            // Of the other, the first look outlasts what both were leased for.
            1 => {
                let now_ms = moved.0.fetch_add(2 * LEASE_MS, SeqCst) + 2 * LEASE_MS;
                let both = 2 * LEASE_SHARDS_MAX as u64;
                assert!(comes(|| leased(store, now_ms) == both), "both are prolonged");
            }
            _ => {}
        }
        Ok(())
    };
    let store = Arc::new(Meddled { store, before_load });
    let work = |app: &App| app.store.work(app.clock.now_ms()).unwrap();
    let app = while_they_work(store.clone(), clock, Duration::from_millis(20), |app| {
        let only_one_left = || (work(app).dirty, work(app).leased) == (0, LEASE_SHARDS_MAX as u64);
        assert!(comes(only_one_left), "{:?}", work(app));
        goes_on.store(true, SeqCst);
        assert!(comes(|| work(app).leased == 0), "{:?}", work(app));
    });
    assert_eq!(work(&app).dirty, 0);
    assert_eq!(app.metrics.judgements().shard, SHARDS as u64, "each once");
    assert_ledger_is_a_fresh_judgement(&*store, NOW_MS);
}

#[test]
fn while_rounds_fail_few_shards_are_leased_away() {
    const SHARDS: usize = 8 * LEASE_SHARDS_MAX;
    let (tried, fails) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
    let (counted, failing) = (tried.clone(), fails.clone());
    let before_load = move |_: &SqliteStore, _: &ShardId| {
        counted.fetch_add(1, SeqCst);
        if failing.load(SeqCst) { Err(unreadable()) } else { Ok(()) }
    };
    let store = Arc::new(Meddled { store: fleet(SHARDS), before_load });
    let clock = SetClock::new();
    let later = clock.clone();
    while_they_work(store.clone(), clock, PROLONGING, |app| {
        let work = || app.store.work(app.clock.now_ms()).unwrap();
        let begun = Instant::now();
        assert!(comes(|| tried.load(SeqCst) > LEASE_SHARDS_MAX), "both tried");
        thread::sleep(Duration::from_millis(300));
        let rounds = 2 * (2 + begun.elapsed().as_secs());
        let (away, most) = (SHARDS as u64 - work().dirty, 2 * LEASE_SHARDS_MAX as u64);
        let most = most + rounds * FAILURES_MAX as u64;
        assert!(away <= most, "{away} in {rounds} rounds");
        fails.store(false, SeqCst);
        assert!(comes(|| work().dirty == 0), "{:?}", work());
        later.0.fetch_add(FAILED_RETRY_MS, SeqCst);
        assert!(comes(|| (work().dirty, work().leased) == (0, 0)), "{:?}", work());
    });
    assert_ledger_is_a_fresh_judgement(&*store, NOW_MS);
}

/// How many are due at once and how many later after each of these rounds, of a fleet in which the
/// first so many shards cannot be judged.
fn rounds(failing: usize, shards: usize) -> Vec<(u64, u64)> {
    let bad: BTreeSet<String> = (0..failing as u64).map(account).collect();
    let healed = AtomicBool::new(false);
    let before_load = |_: &SqliteStore, shard: &ShardId| {
        let is_bad = bad.contains(shard.account.as_str()) && !healed.load(SeqCst);
        if is_bad { Err(unreadable()) } else { Ok(()) }
    };
    let store = Meddled { store: fleet(shards), before_load };
    let fixed = view(&store).unwrap();
    let round = |now_ms| {
        let view = || Ok(fixed.clone());
        let done: Result<usize> = worker::round(&store, &view, Judging::default(), now_ms);
        let [now, later] = [now_ms, now_ms + FAILED_RETRY_MS].map(|at| store.work(at).unwrap());
        assert_eq!(now.leased, 0);
        (done.is_err(), (now.dirty, later.dirty - now.dirty))
    };
    let mut left = Vec::new();
    for _ in 0..5 {
        let (fails, after) = round(NOW_MS);
        left.push(after);
        if !fails {
            break;
        }
    }
    healed.store(true, SeqCst);
    assert!(!round(NOW_MS + FAILED_RETRY_MS).0);
    assert_eq!(store.work(NOW_MS + FAILED_RETRY_MS).unwrap().dirty, 0);
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
    left
}

#[test]
fn a_shard_that_cannot_be_settled_holds_up_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let synchronous = Synchronous::Off;
    let opening = Opening { fresh_sealing_key: [7; 32], serve: true, synchronous };
    let store = with_fleet(SqliteStore::open(&path, opening).unwrap(), LEASE_SHARDS_MAX);
    let rows = Connection::open(&path).unwrap();
    let refuse = format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.account = '{}'
         BEGIN SELECT RAISE(ABORT, 'on purpose'); END",
        account(5)
    );
    rows.execute_batch(&refuse).unwrap();
    let fixed = view(&store).unwrap();
    let round = |at| worker::round(&store, &|| Ok(fixed.clone()), Judging::default(), at);
    assert!(round(NOW_MS).unwrap_err().to_string().contains("on purpose"));
    let work = store.work(NOW_MS).unwrap();
    assert_eq!((work.dirty, work.leased), (0, 0), "the others are settled");
    rows.execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!(round(NOW_MS + FAILED_RETRY_MS - 1).unwrap(), 0);
    assert_eq!(round(NOW_MS + FAILED_RETRY_MS).unwrap(), 1);
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
}

/// What was recorded of it claims nothing any more, and whoever watches the server is told.
#[test]
fn a_shard_whose_judging_fails_is_an_issue_until_it_succeeds() {
    let bad = account(1);
    let fails = AtomicBool::new(false);
    let before_load = |_: &SqliteStore, shard: &ShardId| {
        let is_bad = bad == shard.account.as_str() && fails.load(SeqCst);
        if is_bad { Err(unreadable()) } else { Ok(()) }
    };
    let store = Meddled { store: fleet(3), before_load };
    let (fixed, health) = (view(&store).unwrap(), Health::default());
    let round = |now_ms| {
        let (judging, metrics) = (Judging::default(), Metrics::default());
        let fixed = || Ok(fixed.clone());
        worker::measured_round(&store, &fixed, judging, &|| now_ms, &metrics, &health, &|_| {})
    };
    let deliver = |state, cidr: &str| {
        let (name, text) = snapshot(&bad, state, &[group(&bad, "sg-1", state, cidr, 22)]);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    };
    let id = fixed.policies().next().unwrap().id.clone();
    let entry = |number| {
        let account = account(number).try_into().unwrap();
        store.entry(&id, &account).unwrap().unwrap().entry
    };
    deliver(20, "10.0.0.0/16");
    round(NOW_MS).unwrap();
    assert_eq!(entry(1).status, Some(Status::Compliant));
    fails.store(true, SeqCst);
    deliver(30, "0.0.0.0/0");
    for at in [NOW_MS, NOW_MS + FAILED_RETRY_MS] {
        assert!(round(at).is_err());
        assert_eq!(entry(1).status, None, "it claims nothing");
        assert!(entry(1).issues[&DependentService::Config].contains("could not be judged"));
        assert_eq!(entry(2).status, Some(Status::NonCompliant), "the others stand");
        assert_eq!(round(at).unwrap(), 0, "nothing is due now");
        assert_eq!(health.degraded()[0].part, "shards", "nor does that make it well");
    }
    fails.store(false, SeqCst);
    round(NOW_MS + 2 * FAILED_RETRY_MS).unwrap();
    assert_eq!(entry(1).status, Some(Status::NonCompliant));
    assert!(health.degraded().is_empty());
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
}

#[test]
fn what_is_leased_when_there_is_no_view_is_given_back() {
    let store = fleet(3);
    let none = || Err(unreadable());
    assert!(worker::round(&store, &none, Judging::default(), NOW_MS).is_err());
    let work = store.work(NOW_MS).unwrap();
    assert_eq!((work.dirty, work.leased), (3, 0));
}

#[test]
fn shards_that_fail_hold_up_no_others() {
    const MAX: u64 = FAILURES_MAX as u64;
    let shards = LEASE_SHARDS_MAX;
    // All that follow are judged in the same round.
    assert_eq!(rounds(1, shards), [(0, 1), (0, 1)]);
    assert_eq!(rounds(FAILURES_MAX - 1, shards), [(0, MAX - 1), (0, MAX - 1)]);
    assert_eq!(rounds(FAILURES_MAX, shards), [(0, MAX), (0, MAX)]);
    // After so many failures no more are tried: that one is free at once.
    assert_eq!(rounds(FAILURES_MAX + 1, shards), [(1, MAX), (0, MAX + 1), (0, MAX + 1)]);
}
