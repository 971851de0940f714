//! What a server depends on fails while it is served from: standard error and output, the disk, the
//! store's files, other processes, descriptors, connections, memory, the clock. Of all of it one property
//! holds ([`table::holds`]).

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

#[path = "faults/server.rs"]
mod server;
mod support;
#[path = "faults/table.rs"]
mod table;

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use palisade::timekeeper::Timekeeper;
use palisade::watch::{Beside, Watch};
use palisade_api::{App, Auth, Clock, Settings};
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Inventory, Premises};
use serde_json::json;
use server::*;
use support::*;
use table::{Ends, Fault, Said, holds};

macro_rules! table {
    ($($name:ident is $said:expr, ends $ends:expr;)*) => {$(
        #[test]
        fn $name() {
            holds(&Fault { said: $said, ends: $ends, fail: table::$name });
        }
    )*};
}

table! {
    log_is_hung_up is Said::Unwell("log"), ends Ends::ByItself;
    log_is_full is Said::Unwell("log"), ends Ends::ByItself;
    disk_is_full is Said::Unwell("store"), ends Ends::ByItself;
    disk_is_nearly_full is Said::Unwell("store"), ends Ends::ByItself;
    store_is_moved_away is Said::Unwell("store"), ends Ends::ByItself;
    log_of_the_store_is_moved_away is Said::Unwell("store"), ends Ends::ByItself;
    index_of_the_store_is_moved_away is Said::Unwell("store"), ends Ends::ByItself;
    store_is_replaced is Said::Unwell("store"), ends Ends::ByItself;
    log_of_the_store_is_removed is Said::Unwell("store"), ends Ends::ByRestart;
    store_is_locked is Said::Unwell("store"), ends Ends::ByItself;
    descriptors_are_used_up is Said::Unwell("files"), ends Ends::ByItself;
    connections_are_used_up is Said::Degraded("connections"), ends Ends::ByItself;
    memory_for_bodies_is_used_up is Said::Degraded("bodies"), ends Ends::ByItself;
    clock_is_ahead_from_the_start is Said::Degraded("clock"), ends Ends::ByItself;
}

#[test]
fn nothing_fails_and_nothing_is_said() {
    let mut server = Server::start();
    server.is_well_again();
    for _ in 0..20 {
        assert!(server.put());
        assert_eq!(server.unwell(), "");
        thread::sleep(Duration::from_millis(100));
    }
    server.assert_right();
    server.restart();
    assert_eq!(server.listed().unwrap(), server.acknowledged);
    // What the other tests would say of a server that forgot one.
    server.acknowledged.insert("never put".to_owned());
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()).len(), 1);
}

#[test]
fn a_log_on_a_full_disk_fails_no_call_and_is_counted() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut server = Server::with(full.into());
    server.organize();
    server.says("log");
    assert!(server.put());
    server.assert_right();
    let metrics = server.send("GET", "/metrics", &[], "").text;
    assert!(metrics.contains("palisade_unwell{part=\"log\"} 1"), "{metrics}");
    assert!(!metrics.contains("palisade_log_failures_total 0\n"), "{metrics}");
    // The work is done all the same: every account is judged.
    let begun = Instant::now();
    loop {
        let work = server.send("GET", "/palisade/v1/work", &[], "").json();
        if (work["dirty"].as_u64(), work["leased"].as_u64()) == (Some(0), Some(0)) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{work}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// As `| less` does it.
#[test]
fn a_log_whose_reader_sleeps_holds_no_call_up_and_is_taken_when_it_wakes() {
    let mut server = Server::with(Stdio::piped());
    let mut stderr = server.child.stderr.take().unwrap();
    server.organize();
    let long = format!("/{}", "x".repeat(8_000));
    for _ in 0..30 {
        assert_eq!(server.send("GET", &long, &[], "").status, 404);
    }
    server.says("log");
    assert!(server.put());
    server.assert_right();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    server.is_well_again();
    server.child.kill().unwrap();
    assert!(reader.join().unwrap().contains("answered"));
}

#[test]
fn a_server_that_cannot_say_where_it_is_serves() {
    for stdout in [None, Some("/dev/full")] {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = serve(&folder.path().join("store.db"), &format!("127.0.0.1:{port}"));
        let stdout = match stdout {
            Some(path) => OpenOptions::new().write(true).open(path).unwrap().into(),
            None => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                Stdio::from(writer)
            }
        };
        let child = command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Server::of(folder, child, format!("http://127.0.0.1:{port}"));
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE && server.child.try_wait().unwrap().is_none());
            thread::sleep(Duration::from_millis(20));
        }
        server.organize();
        assert!(server.put());
        server.is_well_again();
    }
}

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        palisade::system::SystemClock.now_ms().saturating_add(self.0.load(SeqCst))
    }
}

/// Ahead and back: of both it is said, and of neither once it is right.
#[test]
fn a_clock_that_is_set_is_said() {
    let clock = Arc::new(SetClock(AtomicI64::new(0)));
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let settings = Settings::new(Auth::Open, "unused".into());
    let entropy = Arc::new(palisade::system::SystemEntropy);
    let app = App::new(store, clock.clone(), entropy, settings);
    let _watch = Watch::start(app.clone(), true, Beside::default()).unwrap();
    let is_said = || app.health.unwell().iter().any(|one| one.part == "clock");
    let until = |said: bool| {
        let begun = Instant::now();
        while is_said() != said {
            assert!(begun.elapsed() < SAID + SAID, "{:?}", app.health.unwell());
            thread::sleep(Duration::from_millis(50));
        }
    };
    thread::sleep(Duration::from_millis(1_500));
    assert!(!is_said());
    for set_ms in [10 * 365 * 86_400_000, -365 * 86_400_000] {
        clock.0.store(set_ms, SeqCst);
        until(true);
        clock.0.store(0, SeqCst);
        until(false);
    }
}

/// Of a store's time and of what deliveries told, though no clock was ever seen to be set.
#[test]
fn a_clock_that_is_wrong_from_the_start_is_said_until_it_is_right() {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    for (wrong_ms, heard) in
        [(0, false), (400 * 24 * HOUR_MS, false), (-2 * HOUR_MS, false), (-2 * HOUR_MS, true)]
    {
        let clock = Arc::new(SetClock(AtomicI64::new(0)));
        let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
        decide(&*store, &organization(2), &[]);
        store.look_at_clock(clock.now_ms(), 0).unwrap();
        if heard {
            let mut item = group(&account(0), "sg-1", 1, "10.0.0.0/16", 22);
            item["configurationItemCaptureTime"] = clock.now_ms().into();
            let delivery = read("", &json!([item]).to_string());
            store.accept(&delivery, clock.now_ms(), None).unwrap();
            // It is wrong for long, and another start does not hide it.
            store.look_at_clock(clock.now_ms() + wrong_ms, 0).unwrap();
        }
        clock.0.store(wrong_ms, SeqCst);
        let settings = Settings::new(Auth::Open, "unused".into());
        let entropy = Arc::new(palisade::system::SystemEntropy);
        let app = App::new(store, clock.clone(), entropy, settings);
        let mut time = Timekeeper::start(&app).unwrap();
        let said = || app.health.degraded().iter().map(|one| one.part).collect::<Vec<_>>();
        let expected: &[&str] = if wrong_ms == 0 { &[] } else { &["clock"] };
        assert_eq!(said(), expected, "{wrong_ms} {heard}");
        time.look(&app).unwrap();
        assert_eq!(said(), expected, "{wrong_ms} {heard}");
        clock.0.store(0, SeqCst);
        time.look(&app).unwrap();
        assert!(said().is_empty(), "{wrong_ms} {heard}: {said:?}", said = said());
    }
}

#[test]
fn a_store_that_is_gone_or_set_back_is_told_of_and_not_begun_anew() {
    let mut server = Server::start();
    assert!(server.put());
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let store = server.path("store.db");
    let refused = |code: i32, told: &str| {
        let output = serve(&store, "127.0.0.1:0").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(told), "{text}");
    };
    // A store is made beside its key; this one's secrets are sealed with it.
    assert!(server.path("store.db.key").exists());
    fs::rename(&store, server.path("away")).unwrap();
    refused(64, "say --new");
    assert!(!store.exists(), "none was made");
    fs::write(&store, b"").unwrap();
    refused(64, "say --new");
    fs::rename(server.path("away"), &store).unwrap();
    let set = |version: i64| {
        let raw = rusqlite::Connection::open(&store).unwrap();
        let before = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        raw.pragma_update(None, "user_version", version).unwrap();
        before
    };
    let version: i64 = set(1);
    refused(69, "its version was set");
    assert_eq!(set(version + 1), 1, "nothing was changed");
    refused(69, "use a newer palisade");
    assert_eq!(set(version), version + 1);
    server.start_again(Stdio::null());
    assert_eq!(server.listed().unwrap(), server.acknowledged);
}
