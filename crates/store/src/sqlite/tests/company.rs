//! What callers of one file do to each other: who writes, who reads, and whose log it is.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::beds::OnDisk;
use super::file::spells;
use crate::contract::Bed as _;
use crate::contract::facts::*;
use crate::contract::keys::{change_keys, event, key};
use crate::engine::MOMENT;
use crate::sqlite::SqliteStore;
use crate::{Inventory, KeyChange, KeyRecord, Keys, Loaded, Result, StoredSecret, Want, Work};

fn store(bed: &OnDisk) -> &SqliteStore {
    bed.store.as_ref().unwrap()
}

#[test]
fn many_loads_do_not_hold_one_moment_for_longer_than_it_may_last() {
    let bed = OnDisk::new();
    let store = store(&bed);
    let ids: Vec<_> = (1..=3).map(shard).collect();
    let (references, types) = (BTreeSet::new(), BTreeSet::from([GROUP]));
    let want = |shard| Want { shard, references: &references, policies: &[], types: Some(&types) };
    let wants: Vec<_> = ids.iter().map(want).collect();
    let last = &ids[2];
    store.accept(&delivery(&[group(last, "sg", 1)]), 1, None).unwrap();
    let mut captured = Vec::new();
    let mut take = |nth: usize, loaded: Result<Loaded>| {
        captured.extend(loaded.unwrap().shard.of_type(&GROUP).map(|item| item.version.captured_ms));
        if nth == 1 {
            store.accept(&delivery(&[group(last, "sg", 2)]), 2, None).unwrap();
            std::thread::sleep(MOMENT);
        }
    };
    store.load_each(&wants, &mut take).unwrap();
    assert_eq!(captured, [2]);
}

/// While the log is being emptied others write, and who reads for a while does not keep secrets in
/// it.
#[test]
fn a_reader_keeps_neither_secrets_in_the_log_nor_others_from_writing() {
    let bed = OnDisk::new();
    let store = store(&bed);
    let plain = |text: &str| StoredSecret::Plain(text.to_owned());
    let clear = KeyRecord { secret: plain("plain-as-day"), ..key("a", 1) };
    change_keys(store, &[KeyChange::Create(clear)]).unwrap();
    let reader = Connection::open(bed.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM keys").unwrap();
    std::thread::scope(|scope| {
        let sealing = scope.spawn(|| {
            let KeyRecord { access_key_id, secret, .. } = key("a", 1);
            change_keys(store, &[KeyChange::Seal { access_key_id, secret }]).unwrap();
        });
        while store.keys().unwrap() != [key("a", 1)] {
            std::thread::yield_now();
        }
        store.mark(&[mark_of(&shard(1), None)], 1, None).unwrap();
        assert!(!sealing.is_finished(), "it waits for the reader");
        reader.execute_batch("COMMIT").unwrap();
    });
    assert!(!spells(&bed.path(), "plain-as-day"));
}

/// What somebody kept in the log goes when the store is next served, or when it is closed.
#[test]
fn what_was_to_be_emptied_is_when_the_store_is_served_again() {
    let mut bed = OnDisk::new();
    let plain = |text: &str| StoredSecret::Plain(text.to_owned());
    let clear = KeyRecord { secret: plain("plain-as-day"), ..key("a", 1) };
    change_keys(store(&bed), &[KeyChange::Create(clear)]).unwrap();
    let seal = |store: &SqliteStore| {
        let KeyRecord { access_key_id, secret, .. } = key("a", 1);
        store.connections.write(|tx| {
            let change = KeyChange::Seal { access_key_id, secret };
            crate::sqlite::forgetting(tx, |tx| {
                crate::rules::keys::commit(tx, 1, &[change], &event("Seal", 1))
            })
        })
    };
    // As if the process ended before the log was emptied, beside one that has the store open.
    let other = Connection::open(bed.path()).unwrap();
    other.execute_batch("SELECT * FROM keys").unwrap();
    seal(store(&bed)).unwrap();
    bed.store = None;
    assert!(spells(&bed.path(), "plain-as-day"), "the search can find it");
    bed.reopen();
    assert!(!spells(&bed.path(), "plain-as-day"));
    drop(other);
}
