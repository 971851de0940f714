//! A ledger that another version of the rules judged is judged again when it is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use palisade::args::Role;
use palisade::edge::Edge;
use palisade::serve::{Plan, Running};
use palisade::worker::{self, Judging};
use palisade_api::Auth;
use palisade_core::evaluate::RULES;
use palisade_core::inventory::Assumed;
use palisade_core::policy::Quotas;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous, sum_rows};
use palisade_store::{Inventory, Ledger, Premises};
use rusqlite::Connection;
use serde_json::json;
use support::*;

const ACCOUNTS: u64 = 5;
/// The tests' deliveries are old, and time alone is to change nothing.
const JUDGING: Judging = Judging { stale_after_ms: None, assumed: Assumed::Nothing };
const NEVER: Duration = Duration::from_secs(120);

fn open(path: &Path, serve: bool) -> SqliteStore {
    let opening = Opening { fresh_sealing_key: [7; 32], serve, synchronous: Synchronous::Off };
    SqliteStore::open(path, opening).unwrap()
}

async fn serve(path: &Path) -> Running {
    serve_assuming(path, Assumed::Nothing).await
}

async fn serve_assuming(path: &Path, assumed: Assumed) -> Running {
    let plan = Plan {
        new: false,
        store: path.to_owned().into(),
        role: Role::All,
        spool: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        auth: Auth::Open,
        any_host: false,
        onboarding_ms: 0,
        quotas: Quotas::default(),
        fms_policies: BTreeSet::new(),
        judging: Judging { assumed, ..JUDGING },
        keep_history_ms: None,
        keep_audit_ms: None,
        key_file: None,
        rate: None,
        partition: "aws".to_owned(),
        synchronous: Synchronous::Off,
        edge: Edge::default(),
        sources: None,
    };
    Running::start(plan).await.unwrap()
}

/// A settled fleet with an open group in every account.
fn settled(path: &Path) -> String {
    let store = open(path, true);
    let types = ["AWS::EC2::SecurityGroup"];
    let policy = audit("narrow", &types, &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
    decide(&store, &organization(ACCOUNTS), &[policy]);
    for number in 0..ACCOUNTS {
        let id = account(number);
        let (name, text) = snapshot(&id, 10, &[group(&id, "sg-1", 10, "0.0.0.0/0", 22)]);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    store.judge_by(RULES, "", NOW_MS).unwrap();
    store.stale_by(JUDGING.stale_after_ms, NOW_MS).unwrap();
    let fixed = view(&store).unwrap();
    while worker::round(&store, &|| Ok(fixed.clone()), JUDGING, NOW_MS).unwrap() > 0 {}
    ledger(&store)
}

/// What rules that find nothing wrong with an open group would have recorded.
const OTHERWISE: &str = "UPDATE entries SET status = 'COMPLIANT', violator_count = 0;
                         DELETE FROM violators;";

fn meddle(path: &Path, sql: &str) {
    let rows = Connection::open(path).unwrap();
    rows.execute_batch(sql).unwrap();
    sum_rows(&rows).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_rules_judged_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    let before = settled(&path);
    meddle(&path, OTHERWISE);
    meddle(&path, "UPDATE store SET rules = rules + 1");
    let running = serve(&path).await;
    let is_right = || before.lines().count() == ledger(&open(&path, false)).lines().count();
    let wait = async {
        while !is_right() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(NEVER, wait).await.expect("is judged again");
    running.stop().await.unwrap();
    let store = open(&path, true);
    assert_eq!(
        assert_ledger_is_a_fresh_judgement(&store, NOW_MS),
        usize::try_from(ACCOUNTS).unwrap()
    );
    assert_eq!(store.judge_by(RULES, "", NOW_MS).unwrap(), 0, "that is noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_these_rules_judged_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    settled(&path);
    meddle(&path, OTHERWISE);
    let otherwise = ledger(&open(&path, false));
    serve(&path).await.stop().await.unwrap();
    let store = open(&path, true);
    settle(&store);
    assert_eq!(ledger(&store), otherwise);
}

/// Semantics §11 row 36: which types count as recorded decides whole accounts.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_setting_of_recorded_types_judged_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    let store = open(&path, true);
    let types = ["AWS::EC2::SecurityGroup"];
    let policy = audit("narrow", &types, &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
    decide(&store, &organization(2), &[policy]);
    let only = json!([group(&account(0), "sg-1", 10, "10.0.0.0/16", 22)]).to_string();
    store.accept(&read("", &only), NOW_MS, None).unwrap();
    store.judge_by(RULES, "", NOW_MS).unwrap();
    settle(&store);
    assert!(!ledger(&store).contains("\"Compliant\""), "{}", ledger(&store));
    drop(store);
    let groups = Assumed::parse(types).unwrap();
    for (assumed, is_known) in [(Assumed::All, true), (Assumed::Nothing, false), (groups, true)] {
        let running = serve_assuming(&path, assumed).await;
        let is_right = || {
            let found =
                open(&path, false).entry(&policy_id(0), &account(0).as_str().try_into().unwrap());
            let status = found.unwrap().and_then(|row| row.entry.status);
            status.is_some() == is_known
        };
        let wait = async {
            while !is_right() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(NEVER, wait).await.expect("is judged again");
        running.stop().await.unwrap();
    }
}
