//! Two thousand accounts' files in any order end in one ledger, byte for byte.

mod support;

use palisade_store::Store;
use palisade_store::sqlite::SqliteStore;
use serde_json::{Value, json};
use support::*;

const ACCOUNTS: u64 = 2_000;
const SHUFFLES: u64 = 4;

/// Files of a fleet: a snapshot of every account, for every third an older one too (which shows a
/// group that is gone since), for every fifth a history file with older, newer and deleted states.
fn files(dice: &mut Dice) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for number in 0..ACCOUNTS {
        let id = account(number);
        if number % 50 == 49 {
            continue; // Nothing was ever delivered for these.
        }
        let cidr = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"][dice.roll(3) as usize];
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

#[test]
fn any_order_of_files_ends_in_one_ledger() {
    let seed = std::env::var("PALISADE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_101);
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let mut files = files(&mut dice);
    let mut first: Option<String> = None;
    for shuffle in 0..SHUFFLES {
        let store = SqliteStore::in_memory([7; 32]).unwrap();
        let decided_first = shuffle % 2 == 0;
        if decided_first {
            decide(&store, &organization(ACCOUNTS), &policies());
        }
        for (at, (name, text)) in files.iter().enumerate() {
            store.accept(&read(name, text), NOW_MS).unwrap();
            if decided_first && at % 700 == 0 {
                settle(&store);
            }
            if at % 11 == 0 {
                store.accept(&read(name, text), NOW_MS).unwrap();
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
