//! Facts about intake that need a look below the trait.

use std::sync::Arc;

use palisade_core::inventory::{Body, Item};
use rusqlite::types::Value;

use crate::contract::facts::*;
use crate::sqlite::SqliteStore;
use crate::sqlite::firsts::AT_ONCE_MAX as FIRSTS_AT_ONCE;
use crate::{Control, ControlChange, Inventory, Keys, Ledger, StoreError, Want, Work};

fn new_store() -> SqliteStore {
    SqliteStore::in_memory([7; 32]).unwrap()
}

/// All rows of a query.
fn rows(store: &SqliteStore, sql: &str) -> Vec<Vec<Value>> {
    store
        .connections
        .read(|tx| {
            let mut statement = tx.prepare(sql)?;
            let columns = statement.column_count();
            let rows =
                statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap()
}

fn change(store: &SqliteStore, sql: &str) {
    store.connections.write(|tx| Ok(tx.execute_batch(sql)?)).unwrap();
}

/// As [`change`], written as another edition would have.
fn rewrite(store: &SqliteStore, sql: &str) {
    change(store, sql);
    store.connections.write(|tx| Ok(crate::sqlite::sum_rows(tx)?)).unwrap();
}

/// Every byte of the inventory that facts decide; receipts and sequences tell when, not what.
fn inventory(store: &SqliteStore) -> Vec<Vec<Vec<Value>>> {
    [
        "SELECT account, region, snapshot_accepted FROM shards ORDER BY account, region",
        "SELECT * FROM coverage ORDER BY account, region, type",
        "SELECT * FROM items ORDER BY account, region, type, id",
    ]
    .map(|sql| rows(store, sql))
    .to_vec()
}

#[test]
fn deliveries_in_any_order_leave_the_same_bytes() {
    let (one, two) = (shard(1), shard(2));
    let story = [
        delivery(&[deleted(&one, "sg-1", 5), group(&one, "sg-2", 5), group(&two, "sg-2", 5)]),
        delivery(&[group(&one, "sg-1", 10), group(&one, "sg-3", 29), recorder(&two, 3)]),
        delivery(&[unseen(&one, "sg-1", 4), unseen(&one, "sg-2", 31), unseen(&two, "sg-2", 2)]),
        snapshot(&one, 20, &[group(&one, "sg-2", 5)]),
        snapshot(&one, 30, &[group(&one, "sg-1", 8), recorder(&one, 1)]),
        snapshot(&two, 25, &[recorder(&two, 3)]),
    ];
    let end = |order: &[usize]| {
        let store = new_store();
        for at in order {
            store.accept(&story[*at], 1000, None).unwrap();
        }
        inventory(&store)
    };
    let first = end(&[0, 1, 2, 3, 4, 5]);
    assert!(first[2].len() >= 6);
    for order in [
        [5, 4, 3, 2, 1, 0],
        [2, 0, 4, 5, 3, 1],
        [3, 1, 5, 0, 4, 2],
        [1, 4, 3, 0, 2, 5],
        [2, 5, 0, 1, 3, 4],
    ] {
        assert_eq!(end(&order), first, "{order:?}");
    }
}

/// So many groups, and one of them twice.
fn many(count: usize) -> Vec<palisade_core::inventory::Observation> {
    let mut seen: Vec<_> = (0..count).map(|n| group(&shard(1), &format!("sg-{n:02}"), 5)).collect();
    seen.push(group(&shard(1), "sg-03", 6));
    seen
}

#[test]
fn first_states_are_kept_however_many_statements_they_take() {
    for count in 4..=2 * FIRSTS_AT_ONCE + 1 {
        let store = new_store();
        let answer = store.accept(&delivery(&many(count)), 10, None).unwrap();
        assert_eq!(answer.accepted[&GROUP], count as u64 + 1, "{count}");
        let held = groups(&store, &shard(1));
        let expected: Vec<String> =
            (0..count).map(|n| format!("sg-{n:02} {}", if n == 3 { 6 } else { 5 })).collect();
        assert_eq!(held, expected.join(", "), "{count}");
    }
}

#[test]
fn a_statement_that_breaks_off_leaves_none_of_its_rows() {
    for broken in ["sg-00", "sg-05", "sg-08"] {
        let store = new_store();
        change(
            &store,
            &format!(
                "CREATE TRIGGER broken BEFORE INSERT ON items WHEN new.id = '{broken}'
                 BEGIN SELECT raise(FAIL, 'on purpose'); END"
            ),
        );
        let before = inventory(&store);
        let error = store.accept(&delivery(&many(9)), 10, None).unwrap_err();
        assert!(error.to_string().contains("on purpose"), "{error}");
        assert_eq!(inventory(&store), before, "{broken}");
    }
}

/// The group `sg` captured at 10 as the editions of layouts 1 and 2 stored it, and with a later
/// state without a body at 15.
const OLDER: [&str; 3] = [
    "0100140000000305617420313000000000",
    "020014000000030561742031300000000000",
    "020014000000030561742031300000000001001e000000",
];

#[test]
fn what_an_earlier_edition_stored_is_unseen_until_it_is_delivered_again() {
    let one = shard(1);
    for older in OLDER {
        let store = new_store();
        let delivered = delivery(&[group(&one, "sg-1", 10), group(&one, "sg-2", 10)]);
        store.accept(&delivered, 1000, None).unwrap();
        clear_work(&store, 1000);
        rewrite(&store, &format!("UPDATE items SET body = x'{older}' WHERE id = 'sg-1'"));
        let bodies = || {
            let shard = loaded(&store, &one).shard;
            let shown = |item: &Item| (item.body.clone(), item.tags.is_some());
            shard.of_type(&GROUP).map(shown).collect::<Vec<_>>()
        };
        let group_at_10 = group(&one, "sg-1", 10).item.body;
        let known = (group_at_10, true);
        assert_eq!(bodies(), [(Body::OlderLayout, false), known.clone()], "{older}");
        // The very same version, equal or not in all that the older layout told, is news.
        let answer = store.accept(&delivered, 1000, None).unwrap();
        assert_eq!((answer.accepted[&GROUP], answer.stale), (1, 1), "{older}");
        assert_eq!(bodies(), [known.clone(), known], "{older}");
        assert!(!due(&store, 1000).is_empty(), "{older}: judged again");
        let later = if older == OLDER[2] { "+15" } else { "" };
        assert_eq!(groups(&store, &one), format!("sg-1 10{later}, sg-2 10"), "{older}");
    }
}

#[test]
fn a_delivery_that_fails_leaves_nothing() {
    let store = new_store();
    store.accept(&delivery(&[group(&shard(2), "sg-1", 5)]), 10, None).unwrap();
    // The layout byte stays, what follows does not decode.
    rewrite(&store, "UPDATE items SET body = x'01ffffffffffffffffffffff'");
    let before = (inventory(&store), rows(&store, "SELECT * FROM work"));
    let seen = [group(&shard(1), "sg-1", 5), group(&shard(2), "sg-1", 6)];
    let error = store.accept(&delivery(&seen), 20, None).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { what: "item", .. }), "{error}");
    assert_eq!((inventory(&store), rows(&store, "SELECT * FROM work")), before);
    let error =
        store.load(&Want::whole(&shard(2), &Default::default(), &[])).unwrap_err().to_string();
    assert!(error.contains("`sg-1` of account 000000000002 in eu-west-1"), "{error}");
}

#[test]
fn an_item_of_another_layout_is_replaced_when_it_is_delivered_again() {
    let store = new_store();
    let seen = delivery(&[group(&shard(1), "sg-1", 5)]);
    store.accept(&seen, 10, None).unwrap();
    rewrite(&store, "UPDATE items SET body = x'fe'");
    assert!(store.load(&Want::whole(&shard(1), &Default::default(), &[])).is_err());
    store.accept(&seen, 10, None).unwrap();
    assert_eq!(groups(&store, &shard(1)), "sg-1 5");
}

#[test]
fn rows_that_do_not_read_back_are_told_by_kind() {
    let store = new_store();
    put_policies(&store, &["p"]);
    judge(&store, 1, "p", &judgement(&["sg-1"], &["gap"]), 10);
    type Ask<'a> = &'a dyn Fn() -> Option<StoreError>;
    let damage: [(&str, &str, Ask<'_>); 5] = [
        ("UPDATE entries SET status = 'MAYBE'", "ledger entry", &|| {
            store.entry(&policy_id("p"), &account(1)).err()
        }),
        ("UPDATE violators SET violations = '['", "violator", &|| {
            store.violators(&policy_id("p"), &account(1), None, 9).err()
        }),
        ("UPDATE history SET issues = '[]'", "history row", &|| {
            store.history(&policy_id("p"), &account(1), 9).err()
        }),
        ("UPDATE policies SET record = '{}'", "policy", &|| store.control().err()),
        ("UPDATE store SET sealing_key = x'00'", "sealing key", &|| store.sealing_key().err()),
    ];
    for (sql, kind, ask) in damage {
        assert!(ask().is_none(), "{kind} reads before");
        change(&store, sql);
        let error = ask();
        assert!(
            matches!(&error, Some(StoreError::Damaged { what, .. }) if *what == kind),
            "{kind}: {error:?}"
        );
    }
}

#[test]
fn a_control_change_that_fails_undoes_those_before_it() {
    let store = new_store();
    let apps = list("apps", crate::ListContent::Protocols(vec!["tcp".into()]));
    store.commit(0, &[ControlChange::PutList(apps.clone())], 0).unwrap();
    change(&store, "UPDATE lists SET record = '{}'");
    let changes =
        [ControlChange::PutPolicy(policy("p", 1)), ControlChange::RemoveList(apps.id.clone())];
    assert!(matches!(store.commit(1, &changes, 0), Err(StoreError::Damaged { what: "list", .. })));
    assert_eq!(store.control_revision().unwrap(), 1);
    assert!(store.fan_outs().unwrap().is_empty());
    assert!(rows(&store, "SELECT * FROM policies").is_empty());
}

/// A row that cannot be read tells whether it is.
#[test]
fn accounts_of_an_organization_that_is_known_are_not_read() {
    let store = new_store();
    let organization = Arc::new(organization(&[1, 2, 3]));
    commit(&store, &[ControlChange::PutOrganization(organization)], 0);
    let known = store.control().unwrap();
    commit(&store, &[ControlChange::PutPolicy(policy("p", 1))], 0);
    change(&store, "UPDATE accounts SET status = ']'");
    assert!(store.control().is_err());
    assert_eq!(store.control_since(Some(&known)).unwrap().policies.len(), 1);
    // What an earlier edition wrote tells no revision: it is read anew.
    change(&store, "UPDATE organization SET head = json_remove(head, '$.revision')");
    assert!(store.control_since(Some(&known)).is_err());
}

#[test]
fn statuses_bodies_and_states_are_stored_as_the_schema_says() {
    let store = new_store();
    let seen = [
        group(&shard(1), "sg-1", 5),
        deleted(&shard(1), "sg-2", 5),
        observed(&shard(1), palisade_core::ident::ResourceType::VPC, "vpc-1", 5, Body::Unwanted),
    ];
    store.accept(&delivery(&seen), 10, None).unwrap();
    let vpc = palisade_core::ident::ResourceType::VPC;
    store.accept(&snapshot_of(&shard(1), 50, &[], [vpc]), 10, None).unwrap();
    let states = rows(&store, "SELECT state FROM items ORDER BY type, id");
    assert_eq!(states, [[0], [1], [2]].map(|row| row.map(Value::Integer).to_vec()));
}

#[test]
fn readers_see_one_moment_while_a_writer_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), super::beds::serving()).unwrap();
    let one = shard(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for at in 1..=50 {
                let both = [group(&one, "sg-1", at), group(&one, "sg-2", at)];
                store.accept(&delivery(&both), at, None).unwrap();
            }
        });
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let shard = loaded(&store, &one).shard;
                        let times: std::collections::BTreeSet<i64> = shard
                            .of_type(&GROUP)
                            .map(|item| item.version.captured_ms)
                            .chain(shard.newest_ms)
                            .collect();
                        assert!(times.len() <= 1, "{times:?}");
                        if times.contains(&50) {
                            return;
                        }
                    }
                })
            })
            .collect();
        writer.join().unwrap();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
