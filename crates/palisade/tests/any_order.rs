//! Whatever the order of deliveries, and however often each comes, they end in one ledger, byte for
//! byte: a fleet's files in a few orders, and a small world of every kind of container in a
//! thousand, half of them with each delivery ten times.
//!
//! A failure says which seed repeats it: `PALISADE_SEED=… PALISADE_SHUFFLES=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod containers;
mod support;

use std::collections::BTreeSet;

use palisade_core::ident::{Region, ShardId};
use palisade_core::inventory::Delivery;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Inventory, Want};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use support::*;

const ACCOUNTS: u64 = 2_000;
const SHUFFLES: u64 = 4;

/// Files of a fleet: a snapshot of every account, for every third an older one too (which shows a
/// group that is gone since), for every fifth a history file with older, newer and deleted states.
fn files(dice: &mut Rng) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for number in 0..ACCOUNTS {
        let id = account(number);
        if number % 50 == 49 {
            continue; // Nothing was ever delivered for these.
        }
        let cidr = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"][dice.u64(..3) as usize];
        let mut items =
            vec![group(&id, "sg-1", 10, cidr, 22), group(&id, "sg-2", 10, "10.0.0.0/16", 443)];
        items.push(interface(&id, "eni-1", 10, &["sg-1", "sg-2"]));
        if number == 1 {
            items.push(group(&id, "sg-audit", 10, "10.0.0.0/8", 22));
        }
        files.push(snapshot(&id, 30, &items));
        if number % 3 == 0 {
            let older = [
                group(&id, "sg-1", 3, "0.0.0.0/0", 3389),
                group(&id, "sg-gone", 3, "0.0.0.0/0", 22),
            ];
            files.push(snapshot(&id, 10, &older));
        }
        if number % 5 == 0 {
            let mut deleted =
                item(&id, "AWS::EC2::SecurityGroup", "sg-2", 50_000_000, &Value::Null);
            deleted["configurationItemStatus"] = json!("ResourceDeleted");
            let states = [
                group(&id, "sg-1", 5, "0.0.0.0/0", 1),
                group(&id, "sg-1", 40_000_000, "10.2.0.0/24", 22),
                deleted,
            ];
            files.push(history(&id, &states));
        }
    }
    files
}

fn policies() -> Vec<Value> {
    let types = ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface"];
    let mut scoped = audit(
        "inner only",
        &types[..1],
        &json!([{"allowedPortCountPerSgRule": 1}, {"denyProtocolAllValue": true}]),
    );
    scoped["IncludeMap"] = json!({"ORG_UNIT": ["ou-root-inner001"]});
    vec![
        audit("narrow", &types, &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}])),
        custom_audit("as the audit group", "sg-audit"),
        scoped,
    ]
}

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn any_order_of_files_ends_in_one_ledger() {
    let seed = setting("PALISADE_SEED", 20_261_101);
    println!("seed {seed}");
    let mut dice = Rng::with_seed(seed);
    let mut files = files(&mut dice);
    let mut first: Option<String> = None;
    for shuffle in 0..SHUFFLES {
        let store = SqliteStore::in_memory([7; 32]).unwrap();
        let decided_first = shuffle % 2 == 0;
        if decided_first {
            decide(&store, &organization(ACCOUNTS), &policies());
        }
        for (at, (name, text)) in files.iter().enumerate() {
            store.accept(&read(name, text), NOW_MS, None).unwrap();
            if decided_first && at % 700 == 0 {
                settle(&store);
            }
            if at % 11 == 0 {
                store.accept(&read(name, text), NOW_MS, None).unwrap();
            }
        }
        if !decided_first {
            decide(&store, &organization(ACCOUNTS), &policies());
        }
        settle(&store);
        let ledger = ledger(&store);
        if let Some(first) = &first {
            let different = first.lines().zip(ledger.lines()).find(|(one, other)| one != other);
            assert_eq!(different, None, "shuffle {shuffle} of seed {seed}");
            assert_eq!(first.len(), ledger.len(), "shuffle {shuffle} of seed {seed}");
        } else {
            let counted = ledger.lines().filter(|line| !line.starts_with("  ")).count();
            assert!(counted > 4_000, "{counted} entries are compared");
            assert!(
                ledger.contains("NON_COMPLIANT")
                    && ledger.contains("\"COMPLIANT\"")
                    && ledger.contains("AWSCONFIG")
            );
            assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
            first = Some(ledger);
        }
        dice.shuffle(&mut files);
    }
}

/// How often each delivery of the small world comes in every second shuffle.
const REPEATS: usize = 10;

/// What a store holds and has judged, as text.
fn end(store: &SqliteStore) -> String {
    let mut text = ledger(store);
    for number in 0..containers::ACCOUNTS {
        for region in ["us-east-1", "eu-west-1"] {
            let id = account(number).try_into().unwrap();
            let shard = ShardId { account: id, region: Region::try_from(region).unwrap() };
            let loaded = store.load(&Want::whole(&shard, &BTreeSet::new(), &[])).unwrap();
            text.push_str(&format!("\n{:?} {:?}", loaded.shard, loaded.account));
        }
    }
    text
}

/// Takes everything in once, in the order listed.
fn in_order(deliveries: &[Delivery]) -> String {
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    decide(&store, &organization(containers::ACCOUNTS), &containers::policies());
    for delivery in deliveries {
        store.accept(delivery, NOW_MS, None).unwrap();
    }
    settle(&store);
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
    end(&store)
}

/// Takes everything in, in an order of the dice, which also say when the policies come and when the
/// worker gets its turn. Half of the time each delivery comes ten times; the other half once, as
/// what a wrong order does wrong, a repeat may put right.
fn shuffled(deliveries: &[Delivery], dice: &mut Rng) -> String {
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    let repeats = if dice.u64(..2) == 0 { REPEATS } else { 1 };
    let mut order: Vec<&Delivery> = std::iter::repeat_n(deliveries, repeats).flatten().collect();
    dice.shuffle(&mut order);
    let decided_at = match dice.u64(..3) {
        0 => 0,
        1 => order.len(),
        _ => dice.u64(..order.len() as u64) as usize,
    };
    for (at, delivery) in order.iter().enumerate() {
        if at == decided_at {
            decide(&store, &organization(containers::ACCOUNTS), &containers::policies());
        }
        if at >= decided_at && dice.u64(..8 * repeats as u64) == 0 {
            settle(&store);
        }
        store.accept(delivery, NOW_MS, None).unwrap();
    }
    if decided_at == order.len() {
        decide(&store, &organization(containers::ACCOUNTS), &containers::policies());
    }
    settle(&store);
    end(&store)
}

#[test]
fn any_order_and_any_repeats_of_every_container_end_in_one_ledger() {
    let seed = setting("PALISADE_SEED", 20_261_102);
    let shuffles = setting("PALISADE_SHUFFLES", 1_000);
    let deliveries: Vec<Delivery> =
        containers::all().iter().map(|(name, text)| read(name, text)).collect();
    println!("seed {seed}, {shuffles} shuffles of {} deliveries", deliveries.len());
    let first = in_order(&deliveries);
    for word in [
        "\"NON_COMPLIANT\"",
        "\"COMPLIANT\"",
        "AWSCONFIG",
        "RESOURCE_VIOLATES_AUDIT",
        "MISSING_WEB_ACL",
        "SHIELD_PROTECTION",
        "SECURITY_GROUP_UNUSED",
        "SECURITY_GROUP_REDUNDANT",
    ] {
        assert!(first.contains(word), "the world shows {word}");
    }
    for shuffle in 0..shuffles {
        let seed = seed.wrapping_add(shuffle);
        let found = shuffled(&deliveries, &mut Rng::with_seed(seed));
        let different = first.lines().zip(found.lines()).find(|(one, other)| one != other);
        assert_eq!(different, None, "PALISADE_SEED={seed} PALISADE_SHUFFLES=1 repeats it");
        assert_eq!(first.len(), found.len(), "PALISADE_SEED={seed} PALISADE_SHUFFLES=1 repeats it");
    }
}
