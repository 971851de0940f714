//! Where what a changed item was cannot be told, or is not what was judged: the whole is judged then.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade::worker::{self, Judging};
use palisade_core::ident::ShardId;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous, sum_rows};
use palisade_store::{Inventory, Mark, Store, Work};
use rusqlite::Connection;
use serde_json::{Value, json};
use support::meddled::Meddled;
use support::*;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const NARROW: &str = "10.1.0.0/16";
const WIDE: &str = "0.0.0.0/0";
/// Past the moment of the first snapshots.
const LATER: u64 = 18_000_000;

/// A judged account with these items, and a second way into its rows.
struct House {
    store: SqliteStore,
    rows: Connection,
    _folder: tempfile::TempDir,
}

impl House {
    fn new(policies: &[Value], items: &[Value]) -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let opening =
            Opening { fresh_sealing_key: [7; 32], serve: true, synchronous: Synchronous::Off };
        let store = SqliteStore::open(&path, opening).unwrap();
        decide(&store, &organization(2), policies);
        let other = group(&account(1), "sg-other", 10, NARROW, 22);
        for (id, items) in [(account(0), items), (account(1), std::slice::from_ref(&other))] {
            let (name, text) = snapshot(&id, 10, items);
            store.accept(&read(&name, &text), NOW_MS, None).unwrap();
        }
        settle(&store);
        assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
        House { store, rows: Connection::open(&path).unwrap(), _folder: folder }
    }

    /// As a Palisade of another layout would have written it.
    fn make_foreign(&self, id: &str) {
        let sql = "UPDATE items SET body = CAST(x'fe' || substr(body, 2) AS BLOB) WHERE id = ?1";
        assert_eq!(self.rows.execute(sql, [id]).unwrap(), 1);
        sum_rows(&self.rows).unwrap();
    }
}

/// Something that happens to a store.
type Happens<'a> = &'a dyn Fn(&SqliteStore);

fn audit_of(name: &str, resource_type: &str) -> Value {
    audit(name, &[resource_type], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]))
}

fn accept(store: &dyn Store, items: &[Value]) {
    store.accept(&read("", &json!(items).to_string()), NOW_MS, None).unwrap();
}

fn gone(mut item: Value) -> Value {
    item["configurationItemStatus"] = json!("ResourceDeleted");
    item["configuration"] = Value::Null;
    item
}

#[test]
fn what_becomes_of_a_row_of_another_layout_is_judged_with_the_whole() {
    let id = account(0);
    let (first, second) =
        (|state, cidr| group(&id, "sg-1", state, cidr, 22), group(&id, "sg-2", 10, NARROW, 22));
    let changes: [(&str, Happens<'_>); 3] = [
        ("delivered again", &|store| accept(store, &[first(LATER, NARROW)])),
        ("deleted", &|store| accept(store, &[gone(first(LATER, WIDE))])),
        ("not in a snapshot", &|store| {
            let (name, text) = snapshot(&id, 20, std::slice::from_ref(&second));
            store.accept(&read(&name, &text), NOW_MS, None).unwrap();
        }),
    ];
    for (what, change) in changes {
        let house = House::new(&[audit_of("groups", GROUP)], &[first(10, WIDE), second.clone()]);
        house.make_foreign("sg-1");
        change(&house.store);
        settle(&house.store);
        println!("{what}");
        assert_ledger_is_a_fresh_judgement(&house.store, NOW_MS);
    }
}

#[test]
fn what_changes_while_policies_are_judged_apart_is_counted_once() {
    let id = account(0);
    let items = [group(&id, "sg-1", 10, NARROW, 22), interface(&id, "eni-1", 10, &["sg-1"])];
    let policies = [audit_of("groups", GROUP), audit_of("interfaces", INTERFACE)];
    let House { store, rows, _folder } = House::new(&policies, &items);
    let body: Vec<u8> =
        rows.query_row("SELECT body FROM items WHERE id = 'eni-1'", [], |row| row.get(0)).unwrap();
    let put = |rows: &Connection, body: &[u8]| {
        rows.execute("UPDATE items SET body = ?1 WHERE id = 'eni-1'", [body]).unwrap();
        sum_rows(rows).unwrap();
    };
    put(&rows, &[3, 0xff]);
    let shard = ShardId {
        account: id.as_str().try_into().unwrap(),
        region: "us-east-1".try_into().unwrap(),
    };
    let mark = |policy| Mark { shard: shard.clone(), policy: Some(policy_id(policy)) };
    store.mark(&[mark(0), mark(1)], NOW_MS, None).unwrap();
    let (looks, rows) = (AtomicUsize::new(0), Mutex::new(rows));
    let store = Meddled {
        store,
        // The first look is at the whole and finds damage; the next are at one policy each.
        before_load: |store: &SqliteStore, _: &ShardId| {
            if looks.fetch_add(1, Ordering::SeqCst) == 1 {
                put(&rows.lock().unwrap(), &body);
                accept(store, &[group(&account(0), "sg-9", LATER, NARROW, 22)]);
            }
            Ok(())
        },
    };
    settle(&store);
    assert!(looks.load(Ordering::SeqCst) > 3, "they were judged apart, and again");
    assert_ledger_is_a_fresh_judgement(&store.store, NOW_MS);
}

#[test]
fn a_shard_of_which_only_changes_were_judged_grows_stale_as_well() {
    const HOUR_MS: i64 = 3_600_000;
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    decide(&store, &organization(2), &[audit_of("groups", GROUP)]);
    let ids = [account(0), account(1)];
    for id in &ids {
        let (name, text) = snapshot(id, 10, &[group(id, "sg-1", 10, NARROW, 22)]);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    // Judged whole while nothing grew stale.
    let (fixed, never) =
        (view(&store).unwrap(), Judging { stale_after_ms: None, ..Judging::default() });
    while worker::round(&store, &|| Ok(fixed.clone()), never.clone(), NOW_MS).unwrap() > 0 {}
    assert_eq!(store.work(NOW_MS).unwrap().future, 0);
    let mut now_ms = NOW_MS;
    for nth in 0..3 {
        now_ms += HOUR_MS / 4;
        for id in &ids {
            let item = group(id, "sg-1", LATER + nth, NARROW, 22 + nth);
            store.accept(&read("", &json!([item]).to_string()), now_ms, None).unwrap();
        }
        settle_at(&store, now_ms);
    }
    let stale_ms = now_ms + 45 * HOUR_MS;
    settle_at(&store, stale_ms);
    assert_ledger_is_a_fresh_judgement(&store, stale_ms);
}
