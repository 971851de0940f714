//! Two nodes over one PostgreSQL: one is killed, or stopped and continued, in the middle of what it does. Nothing
//! that was acknowledged is lost, the other does the work that was left, and the one that comes back writes
//! nothing of what it found before.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use palisade_core::ident::{AccountId, PolicyId, ShardId};
use palisade_core::inventory::Body;
use palisade_store::postgres::{Address, PostgresOpening, PostgresStore};
use palisade_store::{Control, Inventory, Want, Work};
use palisade_testkit::{Rng, postgres};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::*;

/// Names how many rounds are played, one in two with a kill.
const ROUNDS: &str = "PALISADE_ROUNDS";
const ROUNDS_DEFAULT: u64 = 6;
const ACCOUNTS: u64 = 40;
/// How long the work that a node left may wait for the other: its lease, and what doing it takes.
const RESUMED: Duration = Duration::from_secs(30);

/// What the clients were promised.
#[derive(Default)]
struct Acknowledged {
    /// Newest acknowledged version of each account's group.
    items: BTreeMap<String, u64>,
    /// Newest acknowledged version of each policy.
    policies: BTreeMap<String, u64>,
}

/// A running `palisade serve`.
struct Node {
    server: Child,
    endpoint: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Node {
    fn start(url: &str, key: &Path, role: &str) -> Node {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let server = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["serve", "--auth", "open", "--listen", &listen, "--store", url, "--role", role])
            .arg("--key-file")
            .arg(key)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Node { server, endpoint: format!("http://{listen}") }
    }

    fn is_ready(&self) -> bool {
        ureq::get(format!("{}/readyz", self.endpoint)).call().is_ok()
    }

    fn until_ready(mut self) -> Node {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.is_ready() {
            assert!(
                self.server.try_wait().unwrap().is_none(),
                "the node ended before it was ready"
            );
            assert!(Instant::now() < until, "the node did not become ready");
            thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

fn store(url: &str) -> PostgresStore {
    let address = Address::read(url, &|_| None).unwrap();
    let application = "palisade test".to_owned();
    let opening = PostgresOpening { fresh_sealing_key: [9; 32], is_made: true, application };
    PostgresStore::open(address, &opening).unwrap()
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn group_of(account: &str, version: u64, cidr: &str) -> (String, String) {
    history(account, &[group(account, "sg-1", version, cidr, version % 60_000 + 1)])
}

fn ingest(endpoint: &str, account: &str, version: u64, cidr: &str) -> bool {
    let (name, text) = group_of(account, version, cidr);
    let path = format!("{endpoint}/palisade/v1/inventory?name={}", name.replace(':', "%3A"));
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build();
    ureq::Agent::new_with_config(agent).post(path).send(text).is_ok()
}

fn call(endpoint: &str, operation: &str, parameters: &Value) -> Option<Value> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build();
    let mut answer = ureq::Agent::new_with_config(agent)
        .post(endpoint)
        .header("X-Amz-Target", format!("AWSFMS_20180101.{operation}"))
        .header("Content-Type", "application/x-amz-json-1.1")
        .send(parameters.to_string())
        .ok()?;
    serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
}

/// Puts the next version of the one policy that the clients change.
fn put_policy(endpoint: &str, version: u64) -> Option<String> {
    let id = policy_id(0).to_string();
    let mut policy = call(endpoint, "GetPolicy", &json!({"PolicyId": id}))?["Policy"].clone();
    policy["PolicyDescription"] = json!(format!("version {version}"));
    let answer = call(endpoint, "PutPolicy", &json!({"Policy": policy}))?;
    Some(answer["Policy"]["PolicyId"].as_str()?.to_owned())
}

/// Clients of both nodes, until `over`.
fn play(
    endpoints: &[String],
    acknowledged: &Mutex<Acknowledged>,
    version: &AtomicU64,
    over: &AtomicBool,
    seed: u64,
) {
    let mut dice = Rng::with_seed(seed);
    while !over.load(Relaxed) {
        let endpoint = &endpoints[dice.usize(..endpoints.len())];
        let next = version.fetch_add(1, Relaxed) + 1;
        if dice.u32(..20) == 0 {
            if let Some(id) = put_policy(endpoint, next) {
                let mut acknowledged = acknowledged.lock().unwrap();
                let newest = acknowledged.policies.entry(id).or_default();
                *newest = next.max(*newest);
            }
            continue;
        }
        let account = account(dice.u64(..ACCOUNTS));
        let cidr = ["10.0.0.0/8", "0.0.0.0/0"][dice.usize(..2)];
        if ingest(endpoint, &account, next, cidr) {
            let mut acknowledged = acknowledged.lock().unwrap();
            let newest = acknowledged.items.entry(account).or_default();
            *newest = next.max(*newest);
        }
    }
}

fn version_of(policy: &palisade_store::PolicyRecord) -> u64 {
    let document = serde_json::to_value(&policy.document).unwrap();
    let text = document["PolicyDescription"].as_str().unwrap_or_default().to_owned();
    text.rsplit(' ').next().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// What was acknowledged and is not held.
fn lost(store: &PostgresStore, acknowledged: &Acknowledged) -> Vec<String> {
    let control = store.control().unwrap();
    let mut lost = Vec::new();
    for (id, version) in &acknowledged.policies {
        let held = control.policies.get(&PolicyId::try_from(id.as_str()).unwrap());
        let held = held.map(|policy| version_of(policy));
        // Puts of several clients are taken in any order; the last one acknowledged is not always the newest.
        if held.is_none_or(|held| held == 0) {
            lost.push(format!("policy {id} at {version}: {held:?}"));
        }
    }
    for (account, version) in &acknowledged.items {
        let account = AccountId::try_from(account.as_str()).unwrap();
        let shard = ShardId { account, region: palisade_core::ident::Region::home_of_global() };
        let loaded = store.load(&Want::whole(&shard, &Default::default(), &[])).unwrap();
        let groups = loaded.shard.items.values().flat_map(BTreeMap::values);
        let held = groups.filter(|item| matches!(item.body, Body::SecurityGroup(_)));
        let held = held.map(|item| item.version.captured_ms - 1_793_500_000_000).max();
        if held.is_none_or(|held| held < i64::try_from(*version).unwrap()) {
            lost.push(format!("group of {shard:?} at {version}: {held:?}"));
        }
    }
    lost
}

/// Waits until all work is done.
fn rested(store: &PostgresStore) -> Duration {
    let begun = Instant::now();
    loop {
        let work = store.work(now_ms()).unwrap();
        if work.dirty == 0 && work.leased == 0 {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < RESUMED, "work is left: {work:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_node_that_is_killed_or_stopped_loses_nothing_and_writes_nothing_stale() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh_url();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("sealing.key");
    let seed = std::env::var("PALISADE_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(77);
    let rounds =
        std::env::var(ROUNDS).ok().and_then(|it| it.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    println!("seed {seed}, {rounds} rounds");
    let store = store(&url);
    let options = json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]);
    let policy = audit("first", &["AWS::EC2::SecurityGroup"], &options);
    decide(&store, &organization(ACCOUNTS), &[policy]);

    let mut dice = Rng::with_seed(seed);
    let (acknowledged, version) = (Mutex::new(Acknowledged::default()), AtomicU64::new(0));
    let (mut compared, mut longest) = (0, Duration::ZERO);
    let stays = Node::start(&url, &key, "all").until_ready();
    for round in 0..rounds {
        let harmed = Node::start(&url, &key, "all").until_ready();
        let endpoints = [stays.endpoint.clone(), harmed.endpoint.clone()];
        let over = AtomicBool::new(false);
        let is_stopped = round % 2 == 1;
        thread::scope(|scope| {
            for client in 0..3 {
                let seed = seed + round * 3 + client;
                let (endpoints, acknowledged, version, over) =
                    (&endpoints, &acknowledged, &version, &over);
                scope.spawn(move || play(endpoints, acknowledged, version, over, seed));
            }
            thread::sleep(Duration::from_millis(200 + dice.u64(..400)));
            harmed.signal(if is_stopped { Signal::STOP } else { Signal::KILL });
            thread::sleep(Duration::from_millis(dice.u64(..500)));
            over.store(true, Relaxed);
            if is_stopped {
                // Clients of the stopped node would wait for as long as it is.
                longest = longest.max(rested(&store));
                harmed.signal(Signal::CONT);
            }
        });
        longest = longest.max(rested(&store));
        if is_stopped {
            // What it was about to write, it has written or given up.
            thread::sleep(Duration::from_millis(500));
            longest = longest.max(rested(&store));
            let until = Instant::now() + Duration::from_secs(10);
            while !harmed.is_ready() {
                assert!(Instant::now() < until, "it does not go on, seed {seed}, round {round}");
                thread::sleep(Duration::from_millis(50));
            }
        }
        drop(harmed);
        let lost = lost(&store, &acknowledged.lock().unwrap());
        assert_eq!(lost, Vec::<String>::new(), "seed {seed}, round {round}");
        compared += assert_ledger_is_a_fresh_judgement(&store, now_ms());
    }
    let acknowledged = acknowledged.lock().unwrap();
    println!(
        "{rounds} ends: {} versions handed out, {compared} entries compared, the work left by a node was done \
         after {} ms at most",
        version.load(Relaxed),
        longest.as_millis()
    );
    assert!(!acknowledged.items.is_empty() && !acknowledged.policies.is_empty());
}

#[test]
fn a_node_tells_of_a_database_that_is_gone_and_goes_on_when_it_is_back() {
    let Some(programs) = postgres::programs().pop() else {
        palisade_testkit::skipped("no PostgreSQL to be harmed");
        return;
    };
    let mut server = postgres::Postgres::start(&programs);
    let url = server.fresh_url();
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&url, &folder.path().join("sealing.key"), "all").until_ready();
    let within_ten_seconds = |is_ready: bool| {
        let begun = Instant::now();
        while node.is_ready() != is_ready {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "ready is not {is_ready} after 10 s"
            );
            thread::sleep(Duration::from_millis(50));
        }
    };
    for round in 0..2_u64 {
        server.freeze(true);
        within_ten_seconds(false);
        server.freeze(false);
        within_ten_seconds(true);
        server.crash();
        within_ten_seconds(false);
        let told = call(&node.endpoint, "ListPolicies", &json!({})).unwrap_or_default();
        assert!(told["PolicyList"].is_null(), "{told}");
        server.begin();
        within_ten_seconds(true);
        assert!(
            ingest(&node.endpoint, &account(1), round + 1, "0.0.0.0/0"),
            "it takes deliveries again"
        );
    }
}

#[test]
fn roles_share_one_store_and_one_sealing_key() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh_url();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("sealing.key");
    let api = Node::start(&url, &key, "api").until_ready();
    let store = store(&url);
    let options = json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]);
    let policy = audit("first", &["AWS::EC2::SecurityGroup"], &options);
    decide(&store, &organization(3), &[policy]);
    assert!(ingest(&api.endpoint, &account(2), 1, "0.0.0.0/0"));
    let waits = store.work(now_ms()).unwrap();
    assert!(waits.dirty > 0, "who answers calls alone does no work");
    let worker = Node::start(&url, &key, "work").until_ready();
    rested(&store);
    let asked = json!({"PolicyId": policy_id(0).to_string()});
    let listed = call(&api.endpoint, "ListComplianceStatus", &asked).unwrap();
    assert_eq!(listed["PolicyComplianceStatusList"].as_array().unwrap().len(), 3, "{listed}");
    assert!(
        call(&worker.endpoint, "ListComplianceStatus", &asked).is_none(),
        "it answers probes alone"
    );

    // Another key than the store's is refused, and none is made up.
    let other = folder.path().join("other.key");
    std::fs::write(&other, "11".repeat(32)).unwrap();
    for (arguments, why) in [
        (vec!["--key-file", other.to_str().unwrap()], "key"),
        (vec!["--key-file", "/nowhere/sealing.key"], "is not there"),
        (vec![], "give all nodes the same sealing key"),
    ] {
        let refused = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &url])
            .args(&arguments)
            .env_remove("PALISADE_KEY")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && told.contains(why), "{arguments:?}: {told}");
    }
    // Commands open it as well.
    let doctor = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["doctor", "--store", &url])
        .env_remove("PALISADE_ENDPOINT")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.success() && told.contains("postgres://palisade@"), "{told}");
}
