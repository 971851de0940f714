//! A row of the store that cannot be read is an issue of those it concerns, and stops nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use palisade::worker::{self, DAMAGED_RETRY_MS, Judging, LEASE_SHARDS_MAX};
use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ledger::Entry;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous, sum_rows};
use palisade_store::{Inventory, Ledger, Mark, Work};
use rusqlite::Connection;
use serde_json::{Value, json};
use support::*;

/// More than are leased together.
const ACCOUNTS: u64 = LEASE_SHARDS_MAX as u64 + 6;
const GROUP: &str = "AWS::EC2::SecurityGroup";
const ISSUE: &str = "The stored inventory of the account could not be read.";
/// Breaks any item: the layout byte stays, what follows does not decode.
const BREAK: &str = "UPDATE items SET body = CAST(substr(body, 1, 1) || x'ff' AS BLOB) WHERE";

/// A settled fleet on disk, of which every account has one open group, and a way at its rows.
struct Fleet {
    store: SqliteStore,
    rows: Connection,
    policies: Vec<Value>,
    _folder: tempfile::TempDir,
}

impl Fleet {
    /// Policy 0 audits every account's groups, 1 holds them against the administrator's.
    fn settled() -> Fleet {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let synchronous = Synchronous::Off;
        let opening = Opening { fresh_sealing_key: [7; 32], serve: true, synchronous };
        let store = SqliteStore::open(&path, opening).unwrap();
        let narrow = audit("narrow", &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
        let policies = vec![narrow, custom_audit("as the audit group", "sg-audit")];
        decide(&store, &organization(ACCOUNTS), &policies);
        for number in 0..ACCOUNTS {
            let id = account(number);
            let mut items = vec![group(&id, "sg-1", 10, "0.0.0.0/0", 22)];
            if number == 1 {
                items.push(group(&id, "sg-audit", 10, "0.0.0.0/0", 22));
            }
            let (name, text) = snapshot(&id, 10, &items);
            store.accept(&read(&name, &text), NOW_MS, None).unwrap();
        }
        settle(&store);
        let rows = Connection::open(&path).unwrap();
        Fleet { store, rows, policies, _folder: folder }
    }

    fn damage(&self, account_number: u64, id: &str) {
        let rows = "account = ?1 AND id = ?2";
        let changed = self.rows.execute(&format!("{BREAK} {rows}"), [&account(account_number), id]);
        assert_eq!(changed.unwrap(), 1);
    }

    /// Everything once more.
    fn judge_all(&self, now_ms: i64) {
        let of = |number| palisade_core::ident::ShardId {
            account: account(number).try_into().unwrap(),
            region: "us-east-1".try_into().unwrap(),
        };
        let marks: Vec<Mark> =
            (0..ACCOUNTS).map(|number| Mark { shard: of(number), policy: None }).collect();
        self.store.mark(&marks, now_ms, None).unwrap();
        settle_at(&self.store, now_ms);
    }

    fn entry(&self, policy: u64, account_number: u64) -> Entry {
        let account = account(account_number).try_into().unwrap();
        self.store.entry(&policy_id(policy), &account).unwrap().unwrap().entry
    }

    /// Accounts whose entry of a policy has the issue.
    fn unreadable(&self, policy: u64) -> Vec<u64> {
        let issue = |number: &u64| {
            let issues = self.entry(policy, *number).issues;
            issues.get(&DependentService::Config).is_some_and(|text| text == ISSUE)
        };
        (0..ACCOUNTS).filter(issue).collect()
    }
}

#[test]
fn an_item_that_cannot_be_read_is_an_issue_of_its_account_and_stops_nobody() {
    let fleet = Fleet::settled();
    fleet.damage(3, "sg-1");
    fleet.judge_all(NOW_MS);
    assert_eq!((fleet.unreadable(0), fleet.unreadable(1)), (vec![3], vec![3]));
    let held = fleet.entry(0, 3);
    assert_eq!((held.status, held.violator_count), (Some(Status::NonCompliant), 1), "as before");
    let complied = fleet.entry(1, 3);
    assert_eq!((complied.status, complied.violator_count), (None, 0), "not seen, not compliant");
    assert_eq!(fleet.entry(0, 4).status, Some(Status::NonCompliant));
    assert_eq!(fleet.entry(1, 4).status, Some(Status::Compliant));

    // A policy that comes later finds every account, and of that one nothing.
    let mut policies = fleet.policies.clone();
    policies.push(audit("later", &[GROUP], &json!([{"allowedPortCountPerSgRule": 1}])));
    decide(&fleet.store, &organization(ACCOUNTS), &policies);
    settle(&fleet.store);
    assert_eq!(fleet.unreadable(2), [3]);
    assert_eq!(fleet.entry(2, 3).status, None);
    let judged = (0..ACCOUNTS).filter(|n| fleet.entry(2, *n).status == Some(Status::Compliant));
    assert_eq!(judged.count() as u64, ACCOUNTS - 1);
}

#[test]
fn what_could_not_be_read_is_tried_again_until_it_can() {
    let fleet = Fleet::settled();
    let shards_due = |now_ms| {
        let view = view(&fleet.store).unwrap();
        worker::round(&fleet.store, &|| Ok(view.clone()), Judging::default(), now_ms).unwrap()
    };
    fleet.damage(3, "sg-1");
    fleet.judge_all(NOW_MS);
    let next = NOW_MS + DAMAGED_RETRY_MS;
    assert_eq!(shards_due(next - 1), 0, "not round after round");
    assert_eq!(shards_due(next), 1);
    assert_eq!(fleet.unreadable(0), [3]);

    let whole = "(SELECT body FROM items WHERE account = ?2 AND id = 'sg-1')";
    let repair = format!("UPDATE items SET body = {whole} WHERE account = ?1 AND id = 'sg-1'");
    assert_eq!(fleet.rows.execute(&repair, [account(3), account(4)]).unwrap(), 1);
    // Nobody damaged it then: it was written.
    sum_rows(&fleet.rows).unwrap();
    assert_eq!(shards_due(next + DAMAGED_RETRY_MS), 1);
    assert_eq!(fleet.unreadable(0), [0; 0]);
    assert!(assert_ledger_is_a_fresh_judgement(&fleet.store, NOW_MS) > 100);
}

#[test]
fn a_referenced_fact_that_cannot_be_read_is_an_issue_of_the_policy_that_names_it() {
    let fleet = Fleet::settled();
    fleet.damage(1, "sg-audit");
    fleet.judge_all(NOW_MS);
    assert_eq!(fleet.unreadable(0), [1], "whose shard it is");
    assert_eq!(fleet.unreadable(1), (0..ACCOUNTS).collect::<Vec<_>>());
    assert_eq!(fleet.entry(0, 4).status, Some(Status::NonCompliant));
}

#[test]
fn an_entry_that_cannot_be_read_stops_no_other_policy() {
    let fleet = Fleet::settled();
    let damage = "UPDATE entries SET status = 'MAYBE' WHERE policy = ?1 AND account = ?2";
    let of = [policy_id(1).as_str().to_owned(), account(3)];
    assert_eq!(fleet.rows.execute(damage, of).unwrap(), 1);
    let narrowed = group(&account(3), "sg-1", 20, "10.1.0.0/16", 22);
    fleet.store.accept(&read("", &json!([narrowed]).to_string()), NOW_MS, None).unwrap();
    settle(&fleet.store);
    assert_eq!(fleet.entry(0, 3).status, Some(Status::Compliant));
    let account = account(3).try_into().unwrap();
    assert!(fleet.store.entry(&policy_id(1), &account).is_err(), "left as it is");
}
