//! What a server depends on fails while it is served from: standard error and output, the disk, the
//! store's files, other processes, descriptors, the clock. While it fails every answer is right or an
//! error and `/readyz` says so; afterwards the server recovers by itself, or said that it must be
//! started again. Nothing that was acknowledged is lost either way.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use palisade::watch::Watch;
use palisade_api::{App, Auth, Clock, Settings};
use palisade_store::sqlite::SqliteStore;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use support::*;
use tempfile::TempDir;

/// Within which `/readyz` is to say what fails.
const SAID: Duration = Duration::from_secs(10);
/// For what only has to come at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of its own process over a store of its own folder, and what it acknowledged.
struct Server {
    folder: TempDir,
    child: Child,
    endpoint: String,
    acknowledged: BTreeSet<String>,
    /// Asked for, whatever came of it.
    asked: BTreeSet<String>,
}

struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    /// Whether the server says that it failed; Firewall Manager's own answer for that is a 400.
    fn is_error(&self) -> bool {
        self.status >= 500 || self.text.contains("InternalErrorException")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// One whose standard error somebody reads.
    fn start() -> Server {
        let mut server = Server::with(Stdio::piped());
        let mut stderr = server.child.stderr.take().unwrap();
        thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        server.organize();
        server
    }

    fn with(stderr: Stdio) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (child, endpoint) = spawned(&folder.path().join("store.db"), stderr);
        let (acknowledged, asked) = Default::default();
        Server { folder, child, endpoint, acknowledged, asked }
    }

    fn organize(&self) {
        let organization = organization(3).to_string();
        let answer = self.send("PUT", "/palisade/v1/organization", &[], &organization);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header("authorization", AUTHORIZATION);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = agent.run(request.body(body.to_owned()).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        Answer { status: answer.status().as_u16(), text }
    }

    fn call(&self, operation: &str, input: &Value) -> Answer {
        let target = format!("AWSFMS_20180101.{operation}");
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        self.send("POST", "/", &headers, &input.to_string())
    }

    /// Puts a policy with a name of its own; answers whether that was acknowledged.
    fn put(&mut self) -> bool {
        let name = format!("policy-{}", self.asked.len());
        let padding = "x".repeat(100);
        let mut policy = audit(&name, &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
        policy["PolicyDescription"] = padding.into();
        self.asked.insert(name.clone());
        let answer = self.call("PutPolicy", &json!({"Policy": policy}));
        match answer.status {
            200 => self.acknowledged.insert(name),
            _ if answer.is_error() => false,
            _ => panic!("{} {}", answer.status, answer.text),
        }
    }

    /// The policies that the server lists; `None` where it answers with an error.
    fn listed(&self) -> Option<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        let mut input = json!({"MaxResults": 100});
        loop {
            let answer = self.call("ListPolicies", &input);
            if answer.is_error() {
                return None;
            }
            assert_eq!(answer.status, 200, "{}", answer.text);
            let page = answer.json();
            let list = page["PolicyList"].as_array().unwrap();
            names.extend(list.iter().map(|one| one["PolicyName"].as_str().unwrap().to_owned()));
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return Some(names),
            }
        }
    }

    /// That what is listed, if anything, is what was acknowledged, and nothing that was not asked for.
    #[track_caller]
    fn assert_right(&self) {
        if let Some(listed) = self.listed() {
            assert_eq!(lost(&self.acknowledged, &listed), BTreeSet::new());
            assert!(listed.is_subset(&self.asked));
        }
    }

    /// The parts that are not well, or nothing.
    fn unwell(&self) -> String {
        let answer = self.send("GET", "/readyz", &[], "");
        match answer.status {
            200 => String::new(),
            503 => answer.text,
            _ => panic!("{} {}", answer.status, answer.text),
        }
    }

    #[track_caller]
    fn says(&self, part: &str) {
        let begun = Instant::now();
        let named = format!("\"part\":\"{part}\"");
        while !self.unwell().contains(&named) {
            // The machine may be busy: the promise is measured, not the scheduler.
            assert!(begun.elapsed() < SAID + SAID, "`{part}` is not said: {}", self.unwell());
            thread::sleep(Duration::from_millis(100));
        }
    }

    #[track_caller]
    fn is_well_again(&self) {
        let begun = Instant::now();
        while !self.unwell().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.unwell());
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    fn limit(&self, resource: Resource, soft: Option<u64>) {
        // The server inherited ours.
        let maximum = rustix::process::getrlimit(resource).maximum;
        prlimit(self.pid(), resource, Rlimit { current: soft, maximum }).unwrap();
    }

    /// Stopped as an operator does, and started again.
    fn restart(&mut self) {
        let terminate = rustix::process::Signal::TERM;
        rustix::process::kill_process(self.pid().unwrap(), terminate).unwrap();
        self.child.wait().unwrap();
        let (child, endpoint) = spawned(&self.path("store.db"), Stdio::null());
        (self.child, self.endpoint) = (child, endpoint);
    }
}

const GROUP: &str = "AWS::EC2::SecurityGroup";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20261101/us-east-1/fms/aws4_request, SignedHeaders=host, Signature=00";

fn lost(acknowledged: &BTreeSet<String>, listed: &BTreeSet<String>) -> BTreeSet<String> {
    acknowledged.difference(listed).cloned().collect()
}

fn serve(store: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let store = format!("sqlite:{}", store.display());
    command
        .args(["serve", "--auth", "open", "--listen", listen, "--store", &store])
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null());
    command
}

/// A server, and where it answers.
fn spawned(store: &Path, stderr: Stdio) -> (Child, String) {
    let mut command = serve(store, "127.0.0.1:0");
    let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.split_whitespace().find(|word| word.starts_with("http://"));
    let endpoint = endpoint.unwrap_or_else(|| panic!("no address: {line}"));
    (child, endpoint.trim_end_matches(';').to_owned())
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
fn a_log_that_nobody_reads_any_more_fails_no_call() {
    let mut server = Server::with(Stdio::piped());
    drop(server.child.stderr.take());
    server.organize();
    for _ in 0..20 {
        assert!(server.put());
    }
    server.says("log");
    assert!(server.put());
    server.assert_right();
    assert_eq!(server.listed().unwrap(), server.acknowledged);
    assert!(server.child.try_wait().unwrap().is_none(), "it lives");
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
        let (acknowledged, asked) = Default::default();
        let endpoint = format!("http://127.0.0.1:{port}");
        let mut server = Server { folder, child, endpoint, acknowledged, asked };
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

/// No file may grow beyond what the log has now, as on a full disk.
#[test]
fn a_full_disk_loses_nothing_and_is_said_until_there_is_room() {
    let mut server = Server::start();
    assert!(server.put());
    let log = fs::metadata(server.path("store.db-wal")).unwrap().len();
    server.limit(Resource::Fsize, Some(log + 32 * 1024));
    let begun = Instant::now();
    while server.put() {
        assert!(begun.elapsed() < PATIENCE, "the limit is never met");
    }
    server.says("store");
    for _ in 0..10 {
        assert!(!server.put(), "no page more has room");
        assert!(server.unwell().contains("the last write failed"), "{}", server.unwell());
    }
    server.assert_right();
    server.limit(Resource::Fsize, None);
    server.is_well_again();
    assert!(server.put());
    server.assert_right();
    server.restart();
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()), BTreeSet::new());
}

#[test]
fn a_store_that_is_moved_away_takes_nothing_until_it_is_back() {
    let mut server = Server::start();
    assert!(server.put());
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let (here, away) = (server.path(name), server.path("away"));
        fs::rename(&here, &away).unwrap();
        assert!(!server.put(), "{name}");
        server.says("store");
        server.assert_right();
        fs::rename(&away, &here).unwrap();
        server.is_well_again();
        assert!(server.put(), "{name}");
    }
    // Another store under its name is not mixed with it.
    let other = Server::start();
    fs::copy(other.path("store.db"), server.path("copy")).unwrap();
    fs::rename(server.path("store.db"), server.path("away")).unwrap();
    fs::rename(server.path("copy"), server.path("store.db")).unwrap();
    server.says("store");
    assert!(!server.put());
    server.assert_right();
    fs::rename(server.path("away"), server.path("store.db")).unwrap();
    server.is_well_again();
    server.restart();
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()), BTreeSet::new());
}

#[test]
fn a_log_of_the_store_that_is_removed_takes_nothing_with_it() {
    let mut server = Server::start();
    for _ in 0..20 {
        assert!(server.put());
    }
    fs::remove_file(server.path("store.db-wal")).unwrap();
    assert!(!server.put());
    server.says("store");
    assert!(server.unwell().contains("start the server again"), "{}", server.unwell());
    server.assert_right();
    // The server itself is killed: nothing is left to its end.
    thread::sleep(Duration::from_secs(2));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let (child, endpoint) = spawned(&server.path("store.db"), Stdio::null());
    (server.child, server.endpoint) = (child, endpoint);
    assert_eq!(lost(&server.acknowledged, &server.listed().unwrap()), BTreeSet::new());
    assert!(server.put());
}

#[test]
fn a_store_that_another_process_holds_is_said_and_served_again() {
    let mut server = Server::start();
    assert!(server.put());
    let other = rusqlite::Connection::open(server.path("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let watched = &server;
        let writes = scope.spawn(|| watched.call("PutPolicy", &json!({"Policy": audit("late", &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]))})));
        watched.says("store");
        other.execute_batch("ROLLBACK").unwrap();
        let answer = writes.join().unwrap();
        assert!(answer.status == 200 || answer.is_error(), "{}", answer.text);
    });
    server.asked.insert("late".to_owned());
    server.is_well_again();
    assert!(server.put());
    server.assert_right();
}

/// Asked on a connection that is open already: there is none to be had.
#[test]
fn a_server_without_descriptors_says_so_and_recovers() {
    let mut server = Server::start();
    assert!(server.put());
    let address = server.endpoint.trim_start_matches("http://").to_owned();
    let mut connection = BufReader::new(TcpStream::connect(&address).unwrap());
    let mut ready = || {
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\n\r\n");
        connection.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let mut line = String::new();
            assert!(connection.read_line(&mut line).unwrap() > 0, "closed after {head}");
            if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    };
    assert_eq!(ready(), "ok\n");
    let open = fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    server.limit(Resource::Nofile, Some(u64::try_from(open).unwrap().saturating_sub(4)));
    let begun = Instant::now();
    loop {
        let told = ready();
        if told.contains("\"part\":\"files\"") {
            break;
        }
        assert!(begun.elapsed() < SAID + SAID, "{told}");
        thread::sleep(Duration::from_millis(200));
    }
    server.limit(Resource::Nofile, Some(1_024));
    server.is_well_again();
    assert!(server.put());
    server.assert_right();
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
    let _watch = Watch::start(app.clone()).unwrap();
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
    refused(1, "its version was set");
    assert_eq!(set(version + 1), 1, "nothing was changed");
    refused(1, "use a newer palisade");
    assert_eq!(set(version), version + 1);
    let (child, endpoint) = spawned(&store, Stdio::null());
    (server.child, server.endpoint) = (child, endpoint);
    assert_eq!(server.listed().unwrap(), server.acknowledged);
}
