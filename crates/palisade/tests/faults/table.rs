//! What a server depends on, how each of it fails, and the one property that holds of all.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use palisade_api::Clock as _;
use palisade_store::sqlite::sum_rows;
use rustix::process::Resource;
use serde_json::json;

use crate::server::*;
use crate::support::*;

/// One way in which something fails.
pub struct Fault {
    /// What `/readyz` says of it.
    pub said: Said,
    /// Whether it mends by itself.
    pub ends: Ends,
    /// Makes it fail; answers what mends it.
    pub fail: fn(&mut Server) -> Mend,
}

type Mend = Box<dyn FnOnce(&mut Server)>;

/// What is said, of a part of this name.
pub enum Said {
    /// That the server is not ready.
    Unwell(&'static str),
    /// That it is degraded, and ready all the same.
    Degraded(&'static str),
}

pub enum Ends {
    /// When its cause is gone.
    ByItself,
    /// With another start, which the server asks for.
    ByRestart,
}

/// While it fails each answer is right or an error and `/readyz` says so; afterwards the server recovers by
/// itself, or has said that it must be started again; nothing that was acknowledged is lost.
pub fn holds(fault: &Fault) {
    let mut server = Server::start();
    // Without it, all is well.
    server.is_well_again();
    for _ in 0..3 {
        assert!(server.put());
    }
    assert_eq!(server.listed().unwrap(), server.acknowledged);
    server.is_well_again();

    let mend = (fault.fail)(&mut server);
    let says = |server: &Server| match fault.said {
        Said::Unwell(part) => server.says(part),
        Said::Degraded(part) => server.says_degraded(part),
    };
    for round in 0..2 {
        let names = (0..2).map(|n| format!("meanwhile-{round}-{n}"));
        // Somebody writes all the while: of some faults nobody knows otherwise.
        let answers = thread::scope(|scope| {
            let watched = &server;
            let writes = scope.spawn(move || {
                names.map(|name| (watched.attempt(&name), name)).collect::<Vec<_>>()
            });
            says(watched);
            writes.join().unwrap()
        });
        for (answer, name) in answers {
            server.note(name, &answer);
        }
        server.assert_right();
    }
    says(&server);

    match fault.ends {
        Ends::ByItself => {
            mend(&mut server);
            server.is_well_again();
        }
        Ends::ByRestart => {
            assert!(server.unwell().contains("start the server again"), "{}", server.unwell());
            // Nothing is left to its end, and a moment for what it does by itself.
            thread::sleep(Duration::from_secs(2));
            mend(&mut server);
            server.resurrect();
        }
    }
    assert!(server.put());
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()), BTreeSet::new());
    server.restart();
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()), BTreeSet::new());
    server.assert_right();
    server.is_well_again();
}

/// Nobody reads standard error any more.
pub fn log_is_hung_up(server: &mut Server) -> Mend {
    server.hung_up.store(true, SeqCst);
    // The reader wakes by what is written.
    server.send("GET", "/nothing", &[], "");
    Box::new(Server::restart)
}

/// Standard error goes to a full disk.
pub fn log_is_full(server: &mut Server) -> Mend {
    server.stop();
    server.start_again(OpenOptions::new().write(true).open("/dev/full").unwrap().into());
    Box::new(Server::restart)
}

/// No file may grow beyond what the store's log has now, as on a full disk.
pub fn disk_is_full(server: &mut Server) -> Mend {
    room(server, 0)
}

/// Small writes, as the worker's, have room; others do not.
pub fn disk_is_nearly_full(server: &mut Server) -> Mend {
    let mend = room(server, 32 * 1024);
    let begun = std::time::Instant::now();
    while server.put() {
        assert!(begun.elapsed() < PATIENCE, "the limit is never met");
    }
    mend
}

fn room(server: &Server, left: u64) -> Mend {
    let log = fs::metadata(server.path("store.db-wal")).unwrap().len();
    server.limit(Resource::Fsize, Some(log + left));
    Box::new(|server| server.limit(Resource::Fsize, None))
}

pub fn store_is_moved_away(server: &mut Server) -> Mend {
    moved_away(server, "store.db")
}

pub fn log_of_the_store_is_moved_away(server: &mut Server) -> Mend {
    moved_away(server, "store.db-wal")
}

pub fn index_of_the_store_is_moved_away(server: &mut Server) -> Mend {
    moved_away(server, "store.db-shm")
}

fn moved_away(server: &Server, name: &str) -> Mend {
    let (here, away) = (server.path(name), server.path("away"));
    fs::rename(&here, &away).unwrap();
    Box::new(move |_| fs::rename(&away, &here).unwrap())
}

/// Another store under its name is not mixed with it.
pub fn store_is_replaced(server: &mut Server) -> Mend {
    let other = Server::start();
    fs::copy(other.path("store.db"), server.path("copy")).unwrap();
    let mend = moved_away(server, "store.db");
    fs::rename(server.path("copy"), server.path("store.db")).unwrap();
    mend
}

pub fn log_of_the_store_is_removed(server: &mut Server) -> Mend {
    fs::remove_file(server.path("store.db-wal")).unwrap();
    Box::new(|_| {})
}

/// Another process writes, and does not end.
pub fn store_is_locked(server: &mut Server) -> Mend {
    let other = rusqlite::Connection::open(server.path("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    Box::new(move |_| other.execute_batch("ROLLBACK").unwrap())
}

/// Asked on connections that are open already: there are none to be had.
pub fn descriptors_are_used_up(server: &mut Server) -> Mend {
    let open = fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    server.limit(Resource::Nofile, Some(u64::try_from(open).unwrap().saturating_sub(4)));
    Box::new(|server| server.limit(Resource::Nofile, Some(1_024)))
}

/// All connections that one peer may have are of calls under way.
pub fn connections_are_used_up(server: &mut Server) -> Mend {
    let of_one_max = palisade::edge::CONNECTIONS_MAX - palisade::edge::CONNECTIONS_MAX / 16;
    let calls: Vec<TcpStream> = (0..of_one_max)
        .map(|_| {
            let mut call = begun(server, 2, "expect: 100-continue\r\n");
            // The server says this when it wants the body: the call is under way.
            let mut go_on = [0; 25];
            call.read_exact(&mut go_on).unwrap();
            call
        })
        .collect();
    Box::new(move |_| drop(calls))
}

/// More bodies are sent at once than are held; of none the end comes.
pub fn memory_for_bodies_is_used_up(server: &mut Server) -> Mend {
    const SIZE: usize = 1024 * 1024;
    const HELD_MAX: usize = 300;
    let ended = Arc::new(AtomicBool::new(false));
    let mut first = VecDeque::from([begun(server, SIZE, "")]);
    let address = first[0].peer_addr().unwrap();
    let flag = ended.clone();
    let sending = thread::spawn(move || {
        let body = vec![b' '; SIZE - 1];
        while !flag.load(SeqCst) {
            let mut call = begun_at(&address.to_string(), SIZE, "");
            // One that gave way meanwhile takes no more.
            let _ = call.write_all(&body);
            first.push_back(call);
            if first.len() > HELD_MAX {
                first.pop_front();
                thread::sleep(Duration::from_millis(50));
            }
        }
    });
    Box::new(move |_| {
        ended.store(true, SeqCst);
        sending.join().unwrap();
    })
}

fn begun(server: &Server, length: usize, more: &str) -> TcpStream {
    begun_at(server.endpoint.trim_start_matches("http://"), length, more)
}

/// A call whose head is sent.
fn begun_at(address: &str, length: usize, more: &str) -> TcpStream {
    let mut call = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\n\
         x-amz-target: AWSFMS_20180101.ListPolicies\r\nauthorization: {AUTHORIZATION}\r\n\
         content-length: {length}\r\n{more}\r\n"
    );
    call.write_all(head.as_bytes()).unwrap();
    call
}

/// The clock is a month ahead of anything that the store ever heard of, when the server starts.
pub fn clock_is_ahead_from_the_start(server: &mut Server) -> Mend {
    const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1000;
    let now_ms = palisade::system::SystemClock.now_ms();
    server.stop();
    let raw = rusqlite::Connection::open(server.path("store.db")).unwrap();
    let set = "UPDATE store SET clock_ms = ?1, wall_ms = ?1, told_ms = NULL";
    assert_eq!(raw.execute(set, [now_ms - MONTH_MS]).unwrap(), 1);
    sum_rows(&raw).unwrap();
    drop(raw);
    server.start_again(Stdio::null());
    // It was right: a delivery says so.
    Box::new(move |server| {
        let mut item = group(&account(0), "sg-1", 1, "10.0.0.0/16", 22);
        item["configurationItemCaptureTime"] = now_ms.into();
        item["configurationStateId"] = now_ms.into();
        let delivery = json!([item]).to_string();
        let answer = server.send("POST", "/palisade/v1/inventory?name=x.json", &[], &delivery);
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
}
