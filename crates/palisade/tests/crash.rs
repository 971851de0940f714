//! Kills the server at random moments of ingest and PutPolicy, 200 times, and finds everything that
//! was acknowledged; then does the same with a power cut, which takes back what was not synced.
//!
//! The counter-proof runs the same harness with `synchronous=OFF` and sees a loss: so it can.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palisade_core::ident::{AccountId, PolicyId, ShardId};
use palisade_core::inventory::Body;
use palisade_core::policy::Document;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_store::{AuditFilter, AuditLog, AuditRow, Control, ControlState, Inventory, Want};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use support::*;

const KILLS: u64 = 200;
const POWER_CUTS: u64 = 40;
const ACCOUNTS: u64 = 6;
/// Pages of the log at which [`special_server`] moves it: those of a few writes.
const SHORT_LOG_PAGES: u32 = 48;

/// What the clients were promised.
#[derive(Default)]
struct Acknowledged {
    /// Newest acknowledged version of each account's group.
    items: BTreeMap<String, u64>,
    /// Newest acknowledged version of each policy.
    policies: BTreeMap<String, u64>,
    /// Ids of acknowledged requests.
    requests: BTreeSet<String>,
    /// Versions handed out, acknowledged or not.
    version: u64,
}

/// What the audit log told so far.
#[derive(Default)]
struct Told {
    /// The newest place that was read.
    sequence: u64,
    requests: BTreeSet<String>,
    /// The last version it tells of each policy.
    policies: BTreeMap<String, u64>,
}

/// A server as `palisade serve` puts it together, over a store that does not sync, or moves its log
/// often: this test binary, told by the environment to be one. The program itself has no such
/// settings.
#[test]
fn special_server() {
    let Ok(store) = std::env::var("CRASH_STORE") else { return };
    let listen = std::env::var("CRASH_LISTEN").unwrap();
    let synchronous = match std::env::var("CRASH_OFF") {
        Ok(_) => Synchronous::Off,
        Err(_) => Synchronous::Grouped,
    };
    let opening = Opening { fresh_sealing_key: [9; 32], serve: true, synchronous };
    let store = SqliteStore::open_with_log(Path::new(&store), opening, SHORT_LOG_PAGES).unwrap();
    let store = Arc::new(store);
    let settings = palisade_api::Settings::new(palisade_api::Auth::Open, std::env::temp_dir());
    let app = palisade_api::App::new(
        store,
        Arc::new(palisade::system::SystemClock),
        Arc::new(palisade::system::SystemEntropy),
        settings,
    );
    palisade::serve::runtime().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        axum::serve(listener, palisade_api::router(app)).await.unwrap();
    });
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let harness = Harness::new("kill", Synchronous::Grouped, None);
    let lost = harness.rounds(KILLS);
    assert_eq!(lost, Vec::<String>::new(), "seed {}", harness.seed);
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let Some(shim) = shim() else { return };
    let harness = Harness::new("cut", Synchronous::Grouped, Some(shim));
    let lost = harness.rounds(POWER_CUTS);
    assert_eq!(lost, Vec::<String>::new(), "seed {}", harness.seed);
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_while_the_log_begins_anew() {
    let Some(shim) = shim() else { return };
    let harness =
        Harness { special: true, ..Harness::new("anew", Synchronous::Grouped, Some(shim)) };
    let lost = harness.rounds(POWER_CUTS);
    assert_eq!(lost, Vec::<String>::new(), "seed {}", harness.seed);
    let anew = harness.anew.load(Ordering::Relaxed);
    println!("the log began anew in {anew} rounds that were cut");
    assert!(anew > POWER_CUTS / 8, "{anew}");
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_where_sqlite_syncs() {
    let Some(shim) = shim() else { return };
    let harness = Harness::new("full", Synchronous::Full, Some(shim));
    let lost = harness.rounds(POWER_CUTS);
    assert_eq!(lost, Vec::<String>::new(), "seed {}", harness.seed);
}

#[test]
fn without_syncs_a_power_cut_shows_a_loss() {
    let Some(shim) = shim() else { return };
    let harness = Harness { special: true, ..Harness::new("off", Synchronous::Off, Some(shim)) };
    let lost = harness.rounds(POWER_CUTS);
    assert!(!lost.is_empty(), "the harness cannot see a loss, seed {}", harness.seed);
    println!("seen as it should be: {}", lost.first().unwrap());
}

/// What a disk that failed to take a write lost, it does not tell a second time.
#[test]
fn after_the_disk_failed_nothing_more_is_acknowledged_until_the_server_is_started_again() {
    let Some(shim) = shim() else { return };
    let mut harness = Harness::new("fail", Synchronous::Grouped, Some(shim));
    decide(&harness.open().unwrap(), &organization(ACCOUNTS), &[]);
    let acknowledged = Mutex::default();
    let mut dice = Rng::with_seed(harness.seed);
    let mut ingest = |endpoint: &str| ingest_once(endpoint, &acknowledged, &mut dice).is_some();
    let ready = |endpoint: &str| ureq::get(format!("{endpoint}/readyz")).call().is_ok();
    let fails = harness.fails();
    let live = |harness: &Harness, steps: &mut dyn FnMut(&str)| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = harness.spawn(port);
        let endpoint = format!("http://127.0.0.1:{port}");
        wait_ready(&endpoint, &mut server);
        steps(&endpoint);
        server.kill().unwrap();
        server.wait().unwrap();
    };
    live(&harness, &mut |endpoint| {
        assert!(ingest(endpoint) && ready(endpoint));
        fs::write(&fails, "").unwrap();
        assert!(!ingest(endpoint));
        fs::remove_file(&fails).unwrap();
        assert!(!ingest(endpoint), "it takes writes again");
        assert!(!ready(endpoint));
    });
    live(&harness, &mut |endpoint| assert!(ingest(endpoint) && ready(endpoint)));
    // Where the log is moved to fails as well.
    harness.special = true;
    live(&harness, &mut |endpoint| {
        assert!(ingest(endpoint) && ready(endpoint));
        fs::write(&fails, "file").unwrap();
        let taken = (0..1_000).take_while(|_| ingest(endpoint)).count();
        assert!(0 < taken && taken < 1_000, "{taken}: commits are on disk, until the log is moved");
        fs::remove_file(&fails).unwrap();
        assert!(!ingest(endpoint) && !ready(endpoint));
    });
    harness.special = false;
    live(&harness, &mut |endpoint| assert!(ingest(endpoint) && ready(endpoint)));
    assert_eq!(harness.lost(&acknowledged.lock().unwrap()), Vec::<String>::new());
}

/// One harness at a time: a child forked for one would for a moment hold the other's store lock too.
static ALONE: Mutex<()> = Mutex::new(());

struct Harness {
    _alone: MutexGuard<'static, ()>,
    folder: tempfile::TempDir,
    synchronous: Synchronous,
    shim: Option<PathBuf>,
    /// The server is [`special_server`].
    special: bool,
    seed: u64,
    told: Mutex<Told>,
    /// In how many rounds the log began anew before the server was ended.
    anew: AtomicU64,
}

impl Harness {
    fn new(name: &str, synchronous: Synchronous, shim: Option<PathBuf>) -> Harness {
        let seed =
            std::env::var("PALISADE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(77);
        let folder =
            tempfile::Builder::new().prefix(&format!("palisade-{name}-")).tempdir().unwrap();
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, anew) = (Mutex::default(), AtomicU64::new(0));
        Harness { _alone, folder, synchronous, shim, special: false, seed, told, anew }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("palisade.db")
    }

    fn undo_log(&self) -> PathBuf {
        self.folder.path().join("undo")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("palisade.db-wal")
    }

    fn fails(&self) -> PathBuf {
        self.folder.path().join("fails")
    }

    fn open(&self) -> Result<SqliteStore, String> {
        let opening =
            Opening { fresh_sealing_key: [9; 32], serve: true, synchronous: Synchronous::Grouped };
        SqliteStore::open(&self.store(), opening).map_err(|error| error.to_string())
    }

    /// Plays rounds until something is lost; answers what.
    fn rounds(&self, count: u64) -> Vec<String> {
        let mut dice = Rng::with_seed(self.seed);
        let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
        {
            let store = self.open().unwrap();
            decide(
                &store,
                &organization(ACCOUNTS),
                &[audit(
                    "first",
                    &["AWS::EC2::SecurityGroup"],
                    &json!([{"allowedPortCountPerSgRule": 1}]),
                )],
            );
        }
        let mut compared = 0;
        for round in 0..count {
            self.play(&acknowledged, dice.u64(..150), round);
            let lost = self.lost(&acknowledged.lock().unwrap());
            if !lost.is_empty() {
                return lost;
            }
            let store = self.open().unwrap();
            // The server stamped its work with the real time.
            let now_ms = jiff::Timestamp::now().as_millisecond() + 1_000;
            settle_at(&store, now_ms);
            compared += assert_ledger_is_a_fresh_judgement(&store, now_ms);
        }
        let acknowledged = acknowledged.lock().unwrap();
        println!(
            "{count} ends, seed {}: {} states handed out, {} policies acknowledged, {compared} entries compared",
            self.seed,
            acknowledged.version,
            acknowledged.policies.len()
        );
        assert!(acknowledged.version > count, "the rounds did too little");
        assert!(!acknowledged.policies.is_empty() && !acknowledged.items.is_empty());
        Vec::new()
    }

    /// One life of the server, ended at a random moment.
    fn play(&self, acknowledged: &Arc<Mutex<Acknowledged>>, kill_after_ms: u64, round: u64) {
        let _ = fs::remove_file(self.undo_log());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = self.spawn(port);
        let endpoint = format!("http://127.0.0.1:{port}");
        wait_ready(&endpoint, &mut server);
        let over = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let clients: Vec<_> = [0, 1, 2]
            .map(|which| {
                let (endpoint, over, answered) = (endpoint.clone(), over.clone(), answered.clone());
                let acknowledged = acknowledged.clone();
                std::thread::spawn(move || {
                    let mut dice = Rng::with_seed(round * 3 + which + 1);
                    while !over.load(Ordering::Relaxed) {
                        let done = if which < 2 {
                            ingest_once(&endpoint, &acknowledged, &mut dice)
                        } else {
                            put_policy_once(&endpoint, &acknowledged, &mut dice)
                        };
                        if done.is_none() {
                            break;
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .into_iter()
            .collect();
        while answered.load(Ordering::Relaxed) == 0 && server.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(kill_after_ms));
        server.kill().unwrap();
        server.wait().unwrap();
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
        self.anew.fetch_add(u64::from(began_anew(&self.log()) > 0), Ordering::Relaxed);
        if self.shim.is_some() {
            take_back_unsynced(&self.undo_log());
            let _ = fs::remove_file(self.store().with_extension("db-shm"));
        }
    }

    fn spawn(&self, port: u16) -> Child {
        let listen = format!("127.0.0.1:{port}");
        let mut command = if self.special {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["special_server", "--exact", "--nocapture"]);
            if self.synchronous == Synchronous::Off {
                command.env("CRASH_OFF", "");
            }
            command.env("CRASH_STORE", self.store()).env("CRASH_LISTEN", &listen);
            command
        } else {
            let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
            let store = format!("sqlite:{}", self.store().display());
            command.args(["serve", "--auth", "open", "--listen", &listen, "--store", &store]);
            if self.synchronous == Synchronous::Full {
                command.args(["--synchronous", "full"]);
            }
            command
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(shim) = &self.shim {
            command.env("LD_PRELOAD", shim).env("POWER_CUT_LOG", self.undo_log());
            command.env("POWER_CUT_FAIL", self.fails());
        }
        command.spawn().unwrap()
    }

    /// Everything acknowledged that the store no longer holds.
    fn lost(&self, acknowledged: &Acknowledged) -> Vec<String> {
        let store = match self.open() {
            Ok(store) => store,
            Err(error) => return vec![format!("the store does not open: {error}")],
        };
        let control = match store.control() {
            Ok(control) => control,
            Err(error) => return vec![format!("the control state is lost: {error}")],
        };
        let mut lost = Vec::new();
        for (id, version) in &acknowledged.policies {
            let held = control.policies.get(&PolicyId::try_from(id.as_str()).unwrap());
            let held = held.map(|record| version_of(&record.document));
            if held.is_none_or(|held| held < *version) {
                lost.push(format!("policy {id} at {version}: {held:?} is held"));
            }
        }
        for (account, version) in &acknowledged.items {
            let shard = ShardId {
                account: AccountId::try_from(account.as_str()).unwrap(),
                region: palisade_core::ident::Region::home_of_global(),
            };
            let loaded = store.load(&Want::whole(&shard, &Default::default(), &[])).unwrap();
            let held =
                loaded.shard.items.values().flat_map(BTreeMap::values).find_map(|item| match &item
                    .body
                {
                    Body::SecurityGroup(group) => group.ingress.first()?.from_port,
                    _ => None,
                });
            if held.is_none_or(|held| (held as u64) < *version) {
                lost.push(format!("group of {account} at {version}: {held:?} is held"));
            }
        }
        lost.extend(self.lost_of_the_log(&store, &control, acknowledged));
        lost
    }

    /// What the audit log lacks of what was acknowledged, and where it and the state differ: a change
    /// and its event are one transaction.
    fn lost_of_the_log(
        &self,
        store: &SqliteStore,
        control: &ControlState,
        acknowledged: &Acknowledged,
    ) -> Vec<String> {
        let mut told = self.told.lock().unwrap();
        let mut fresh = store.audit(&AuditFilter::default(), 1_000_000).unwrap();
        fresh.retain(|row| row.sequence > told.sequence);
        let mut lost = Vec::new();
        for AuditRow { sequence, event } in fresh.into_iter().rev() {
            told.sequence = sequence;
            told.requests.insert(event.request_id);
            let [change] = &event.changes[..] else { continue };
            if event.operation != "PutPolicy" {
                continue;
            }
            let id = change.object.rsplit('/').next().unwrap().to_owned();
            let version = |state: &Option<Value>| Some(version_in(&state.as_ref()?["document"]));
            let known = told.policies.insert(id.clone(), version(&change.after).unwrap());
            if version(&change.before) != known {
                lost.push(format!("the log's event before {sequence} of policy {id}"));
            }
        }
        for (id, version) in &told.policies {
            let held = control.policies.get(&PolicyId::try_from(id.as_str()).unwrap());
            let held = held.map(|record| version_of(&record.document));
            if held != Some(*version) {
                lost.push(format!("policy {id} at {version} as logged: {held:?} is held"));
            }
        }
        let missing = acknowledged.requests.difference(&told.requests);
        lost.extend(missing.map(|id| format!("the event of acknowledged request {id}")));
        lost
    }
}

/// How often the log that is in the file began anew. Its header counts that, and as the first the time
/// when the server opened the store and emptied it.
fn began_anew(log: &Path) -> u64 {
    let bytes = fs::read(log).unwrap_or_default();
    let counted = bytes.get(12..16).map(|count| u32::from_be_bytes(count.try_into().unwrap()));
    counted.map_or(0, |count| u64::from(count).saturating_sub(1))
}

fn version_of(document: &Document) -> u64 {
    version_in(&serde_json::to_value(document).unwrap())
}

fn version_in(document: &Value) -> u64 {
    document["PolicyDescription"]
        .as_str()
        .and_then(|text| text.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0)
}

fn wait_ready(endpoint: &str, server: &mut Child) {
    for _ in 0..6_000 {
        if ureq::get(format!("{endpoint}/readyz")).call().is_ok() {
            return;
        }
        assert!(server.try_wait().unwrap().is_none(), "the server ended before it was ready");
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the server did not become ready");
}

/// Ingests the next version of one account's group; `None` once the server is gone.
fn ingest_once(endpoint: &str, acknowledged: &Mutex<Acknowledged>, dice: &mut Rng) -> Option<()> {
    let account = account(dice.u64(..ACCOUNTS));
    let version = next(acknowledged);
    let cidr = ["10.0.0.0/8", "0.0.0.0/0"][dice.u64(..2) as usize];
    let mut state = group(&account, "sg-1", version, cidr, version);
    state["configuration"]["ipPermissions"][0]["toPort"] = json!(version + dice.u64(..2));
    let (name, text) = history(&account, &[state]);
    let mut answer =
        ureq::post(format!("{endpoint}/palisade/v1/inventory?name={}", name.replace(':', "%3A")))
            .send(text)
            .ok()?;
    assert_eq!(answer.status(), 200);
    let told: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
    let mut acknowledged = acknowledged.lock().unwrap();
    // One that the other client's newer version overtook changes nothing, and leaves no event.
    if told["stale"] == 0 {
        acknowledged.requests.insert(request_id(&answer));
    }
    let newest = acknowledged.items.entry(account).or_default();
    *newest = version.max(*newest);
    Some(())
}

/// Creates a policy or updates one; `None` once the server is gone.
fn put_policy_once(
    endpoint: &str,
    acknowledged: &Mutex<Acknowledged>,
    dice: &mut Rng,
) -> Option<()> {
    let known: Vec<String> = acknowledged.lock().unwrap().policies.keys().cloned().collect();
    let version = next(acknowledged);
    let mut policy = if known.len() < 8 {
        audit("made", &["AWS::EC2::SecurityGroup"], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]))
    } else {
        let id = &known[dice.u64(..known.len() as u64) as usize];
        call(endpoint, "GetPolicy", &json!({"PolicyId": id}))?.0["Policy"].clone()
    };
    policy["PolicyDescription"] = json!(format!("version {version}"));
    let (answer, request) = call(endpoint, "PutPolicy", &json!({"Policy": policy}))?;
    let id = answer["Policy"]["PolicyId"].as_str().unwrap().to_owned();
    let mut acknowledged = acknowledged.lock().unwrap();
    acknowledged.requests.insert(request);
    let newest = acknowledged.policies.entry(id).or_default();
    *newest = version.max(*newest);
    Some(())
}

/// An operation's output and the id of the request.
fn call(endpoint: &str, operation: &str, parameters: &Value) -> Option<(Value, String)> {
    let mut answer = ureq::post(endpoint)
        .header("X-Amz-Target", format!("AWSFMS_20180101.{operation}"))
        .header("Content-Type", "application/x-amz-json-1.1")
        .send(parameters.to_string())
        .ok()?;
    let request = request_id(&answer);
    Some((serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?, request))
}

fn request_id<T>(answer: &ureq::http::Response<T>) -> String {
    answer.headers()["x-amzn-requestid"].to_str().unwrap().to_owned()
}

fn next(acknowledged: &Mutex<Acknowledged>) -> u64 {
    let mut acknowledged = acknowledged.lock().unwrap();
    acknowledged.version += 1;
    acknowledged.version
}

/// The preload library, built once; without a C compiler the test says that it is skipped.
fn shim() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c");
    let built =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("power_cut_{}.so", std::process::id()));
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut done = BUILT.lock().unwrap();
    if !*done {
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&built)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status();
        match status {
            Ok(status) => assert!(status.success(), "the preload library does not build"),
            Err(error) => {
                palisade_testkit::skipped(&format!("no C compiler `cc`: {error}"));
                return None;
            }
        }
        *done = true;
    }
    Some(built)
}

/// Takes back, newest first, every write since the last sync of its file began.
fn take_back_unsynced(log: &Path) {
    let mut bytes = Vec::new();
    let Ok(mut file) = File::open(log) else { return };
    file.read_to_end(&mut bytes).unwrap();
    let mut unsynced: BTreeMap<PathBuf, Vec<(u64, Undo)>> = BTreeMap::new();
    let (mut at, mut index) = (0, 0);
    while let Some((record, path, next)) = Record::read(&bytes, at) {
        at = next;
        let of_file = unsynced.entry(path).or_default();
        match record {
            Record::Write(undo) => of_file.push((index, undo)),
            Record::Sync { began } => of_file.retain(|(index, _)| *index >= began),
        }
        index += 1;
    }
    for (path, undos) in unsynced {
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        for (_, undo) in undos.iter().rev() {
            file.write_all_at(&undo.old, undo.offset).unwrap();
            file.set_len(undo.size_before).unwrap();
        }
    }
}

/// What one write replaced.
struct Undo {
    offset: u64,
    old: Vec<u8>,
    size_before: u64,
}

/// What the preload library tells.
enum Record {
    Write(Undo),
    /// What was written before the record of this number is on disk.
    Sync {
        began: u64,
    },
}

impl Record {
    /// Reads one record. A record cut off by the kill ends the log.
    fn read(bytes: &[u8], at: usize) -> Option<(Record, PathBuf, usize)> {
        let word = |index: usize| -> Option<u64> {
            let from = at + index * 8;
            Some(u64::from_ne_bytes(bytes.get(from..from + 8)?.try_into().ok()?))
        };
        let (kind, path_len, offset, old_len, size_before, began) =
            (word(0)?, word(1)?, word(2)?, word(3)?, word(4)?, word(5)?);
        let path_from = at + 56;
        let old_from = path_from + path_len as usize;
        let next = old_from + old_len as usize;
        let path = PathBuf::from(std::str::from_utf8(bytes.get(path_from..old_from)?).ok()?);
        let old = bytes.get(old_from..next)?.to_vec();
        let record = match kind == u64::from(b'W') {
            true => Record::Write(Undo { offset, old, size_before }),
            false => Record::Sync { began },
        };
        Some((record, path, next))
    }
}
