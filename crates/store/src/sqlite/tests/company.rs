//! What callers of one file do to each other: who writes, who reads, and whose log it is.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use rusqlite::Connection;

use super::beds::OnDisk;
use super::file::spells;
use crate::contract::Bed as _;
use crate::contract::facts::*;
use crate::contract::keys::{change_keys, event, key};
use crate::sqlite::writer::{SHARED_ROWS_MAX, Transaction};
use crate::sqlite::{MOMENT, SqliteStore};
use crate::{KeyChange, KeyRecord, Loaded, Result, Store, StoredSecret, Want};

type Call<'c> = &'c (dyn Fn(&SqliteStore) + Sync);

fn store(bed: &OnDisk) -> &SqliteStore {
    bed.store.as_ref().unwrap()
}

fn synchronous(store: &SqliteStore) -> i64 {
    let ask =
        |tx: &Transaction<'_>| Ok(tx.pragma_query_value(None, "synchronous", |row| row.get(0))?);
    store.connections.write(ask).unwrap()
}

#[test]
fn commits_wait_for_the_disk_again_after_one_that_did_not() {
    let bed = OnDisk::new();
    let unawaited = |act: fn() -> Result<()>| {
        let store = store(&bed);
        catch_unwind(AssertUnwindSafe(|| store.connections.write_unawaited(|_| act()))).is_ok()
    };
    for (act, returns) in [
        ((|| Ok(())) as fn() -> Result<()>, true),
        (|| Err(crate::StoreError::Conflict), true),
        (|| panic!("on purpose"), false),
    ] {
        assert_eq!(unawaited(act), returns);
        assert_eq!(synchronous(store(&bed)), 2, "FULL");
    }
}

/// How many commits it takes when some call has its turn and `call` waits for it.
fn commits(call: Call<'_>) -> u32 {
    let bed = OnDisk::new();
    let store = store(&bed);
    let commits = Arc::new(AtomicU32::new(0));
    std::thread::scope(|scope| {
        let first = store.connections.write(|tx| {
            let counted = commits.clone();
            tx.commit_hook(Some(move || {
                counted.fetch_add(1, SeqCst);
                false
            }));
            scope.spawn(|| call(store));
            while store.connections.writers_waiting() == 0 {
                std::thread::yield_now();
            }
            Ok(tx.execute("UPDATE store SET keys_revision = keys_revision", [])?)
        });
        first.unwrap();
    });
    commits.load(SeqCst)
}

#[test]
fn what_may_write_any_number_of_rows_shares_its_transaction_with_nobody() {
    let shards = |count: usize| (0..count).map(|_| mark_of(&shard(1), None));
    let few: Vec<_> = shards(10).collect();
    let many: Vec<_> = shards(SHARED_ROWS_MAX).collect();
    let calls: [(&str, Call<'_>, u32); 6] = [
        ("few marks", &|store| store.mark(&few, 1).unwrap(), 1),
        ("many marks", &|store| store.mark(&many, 1).unwrap(), 2),
        ("no settlement", &|store| store.settle(&[]).unwrap(), 1),
        ("expire", &|store| assert_eq!(store.expire(1).unwrap(), 0), 2),
        ("expire audit", &|store| assert_eq!(store.expire_audit(1).unwrap(), 0), 2),
        ("commit", &|store| assert_eq!(store.commit(0, &[], 1).unwrap(), 1), 2),
    ];
    for (name, call, wanted) in calls {
        assert_eq!(commits(call), wanted, "{name}");
    }
}

/// What pages were before a savepoint goes to a file at last: memory holds so much of it.
#[test]
fn what_a_savepoint_keeps_in_memory_is_limited() {
    let bed = OnDisk::new();
    let (limit, in_memory) = store(&bed)
        .connections
        .write(|tx| {
            let mut options = tx.prepare("PRAGMA compile_options")?;
            let options: Vec<String> =
                options.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let limit = options.iter().find_map(|option| option.strip_prefix("STMTJRNL_SPILL="));
            let limit = limit.map(|bytes| bytes.parse::<u32>().unwrap());
            let in_memory =
                tx.pragma_query_value(None, "temp_store", |row| row.get::<_, i64>(0))?;
            Ok((limit, in_memory))
        })
        .unwrap();
    assert_eq!((limit, in_memory), (Some(16 << 20), 0));
}

#[test]
fn many_loads_do_not_hold_one_moment_for_longer_than_it_may_last() {
    let bed = OnDisk::new();
    let store = store(&bed);
    let ids: Vec<_> = (1..=3).map(shard).collect();
    let (references, types) = (BTreeSet::new(), BTreeSet::from([GROUP]));
    let want = |shard| Want { shard, references: &references, policies: &[], types: &types };
    let wants: Vec<_> = ids.iter().map(want).collect();
    let last = &ids[2];
    store.accept(&delivery(&[group(last, "sg", 1)]), 1).unwrap();
    let mut captured = Vec::new();
    let mut take = |nth: usize, loaded: Result<Loaded>| {
        captured.extend(loaded.unwrap().shard.of_type(&GROUP).map(|item| item.version.captured_ms));
        if nth == 1 {
            store.accept(&delivery(&[group(last, "sg", 2)]), 2).unwrap();
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
        store.mark(&[mark_of(&shard(1), None)], 1).unwrap();
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
        store.connections.write_many(|tx| {
            let change = KeyChange::Seal { access_key_id, secret };
            crate::sqlite::keys::commit(tx, 1, &[change], &event("Seal", 1))
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
