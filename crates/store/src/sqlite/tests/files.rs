//! A store whose files are moved about while it is open, and whose disk is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::contract::Bed;
use crate::contract::facts::*;
use crate::contract::keys::{change_keys, key};
use crate::sqlite::SqliteStore;
use crate::sqlite::log::Claim;
use crate::{KeyChange, Keys, Store, StoreError, Want};

use super::beds::{OnDisk, looking, serving};

/// For what comes by itself.
const PATIENCE: Duration = Duration::from_secs(60);

fn put(store: &dyn Store, id: &str, state: i64) -> Result<(), StoreError> {
    store.accept(&delivery(&[group(&shard(1), id, state)]), 10, None).map(drop)
}

fn why(store: &dyn Store) -> String {
    store.ready().err().map(|error| error.to_string()).unwrap_or_default()
}

fn beside(bed: &OnDisk, name: &str) -> PathBuf {
    bed.folder.path().join(name)
}

fn is_in_use(path: &Path) -> bool {
    matches!(SqliteStore::open(path, serving()), Err(StoreError::InUse(_)))
}

/// What happens to the files of a store that is open, and what is told of it.
type Harm = fn(&OnDisk);
const HARMS: [(&str, &str, Harm); 7] = [
    ("the file is removed", "file was removed", |bed| {
        fs::remove_file(bed.path()).unwrap();
    }),
    ("the file is moved away", "file was removed", |bed| {
        fs::rename(bed.path(), beside(bed, "away")).unwrap();
    }),
    ("another file takes its name", "file was replaced", |bed| {
        fs::copy(bed.path(), beside(bed, "copy")).unwrap();
        fs::rename(beside(bed, "copy"), bed.path()).unwrap();
    }),
    ("the log is removed", "log was removed", |bed| {
        fs::remove_file(beside(bed, "store.db-wal")).unwrap();
    }),
    ("another log takes its name", "log was replaced", |bed| {
        fs::write(beside(bed, "copy"), b"").unwrap();
        fs::rename(beside(bed, "copy"), beside(bed, "store.db-wal")).unwrap();
    }),
    ("the log's index is removed", "log's index was removed", |bed| {
        fs::remove_file(beside(bed, "store.db-shm")).unwrap();
    }),
    ("the whole folder is moved away", "file was removed", |bed| {
        let away = bed.folder.path().with_extension("away");
        fs::rename(bed.folder.path(), &away).unwrap();
        // So that it is removed after all.
        fs::create_dir(bed.folder.path()).unwrap();
        fs::rename(&away, beside(bed, "away")).unwrap();
    }),
];

#[test]
fn nothing_is_acknowledged_that_nobody_would_find() {
    for (what, told, harm) in HARMS {
        let bed = OnDisk::new();
        put(bed.store(), "sg-1", 5).unwrap();
        assert_eq!(why(bed.store()), "", "{what}");
        harm(&bed);
        assert!(why(bed.store()).contains(told), "{what}: {}", why(bed.store()));
        let refused = put(bed.store(), "sg-2", 6).unwrap_err().to_string();
        assert!(refused.contains(told), "{what}: {refused}");
        assert!(bed.store().probe().is_err(), "{what}");
        // From connections that are open, what was acknowledged is still read.
        assert!(groups_or_error(bed.store()).is_none_or(|held| held == "sg-1 5"), "{what}");
    }
}

fn groups_or_error(store: &dyn Store) -> Option<String> {
    store
        .load(&Want::whole(&shard(1), &Default::default(), &[]))
        .ok()
        .map(|_| groups(store, &shard(1)))
}

#[test]
fn a_file_that_is_put_back_is_the_store_again() {
    let bed = OnDisk::new();
    put(bed.store(), "sg-1", 5).unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        fs::rename(beside(&bed, name), beside(&bed, "away")).unwrap();
        assert!(put(bed.store(), "sg-2", 6).is_err(), "{name}");
        fs::rename(beside(&bed, "away"), beside(&bed, name)).unwrap();
        put(bed.store(), "sg-1", 5).unwrap();
        assert_eq!(why(bed.store()), "", "{name}");
    }
}

/// Another store took the name, with a log of its own: neither is written to, moved or removed.
#[test]
fn a_store_that_took_the_name_is_left_alone_when_the_first_is_closed() {
    let mut bed = OnDisk::new();
    put(bed.store(), "sg-1", 5).unwrap();
    let other = OnDisk::new();
    put(other.store(), "sg-9", 9).unwrap();
    for name in ["store.db", "store.db-wal"] {
        fs::copy(beside(&other, name), beside(&bed, "copy")).unwrap();
        fs::rename(beside(&bed, "copy"), beside(&bed, name)).unwrap();
    }
    let bytes = |bed: &OnDisk| {
        ["store.db", "store.db-wal"].map(|name| fs::read(beside(bed, name)).unwrap())
    };
    let before = bytes(&bed);
    bed.store = None;
    assert!(bytes(&bed) == before);
}

#[test]
fn what_a_log_held_that_is_removed_is_in_the_file_when_the_store_is_opened_again() {
    for probed in [true, false] {
        let mut bed = OnDisk::new();
        for n in 1..=9 {
            put(bed.store(), &format!("sg-{n}"), 5).unwrap();
        }
        fs::remove_file(beside(&bed, "store.db-wal")).unwrap();
        if probed {
            assert!(bed.store().probe().is_err());
            // As `kill -9` leaves them.
            fs::copy(bed.path(), beside(&bed, "copy")).unwrap();
            fs::rename(beside(&bed, "copy"), bed.path()).unwrap();
        }
        bed.store = None;
        bed.reopen();
        assert_eq!(groups(bed.store(), &shard(1)).matches("sg-").count(), 9, "{probed}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_is_served_once_under_whatever_name() {
    let mut bed = OnDisk::new();
    let (hard, soft) = (beside(&bed, "hard.db"), beside(&bed, "soft.db"));
    fs::hard_link(bed.path(), &hard).unwrap();
    std::os::unix::fs::symlink(bed.path(), &soft).unwrap();
    for path in [&bed.path(), &hard, &soft] {
        assert!(is_in_use(path), "{}", path.display());
    }
    // A file that is there without a lock beside it is locked as well.
    fs::remove_file(beside(&bed, "store.db.lock")).unwrap();
    assert!(is_in_use(&bed.path()));
    fs::rename(bed.path(), beside(&bed, "away.db")).unwrap();
    assert!(is_in_use(&beside(&bed, "away.db")));
    fs::rename(beside(&bed, "away.db"), bed.path()).unwrap();
    bed.store = None;
    fs::remove_file(&hard).unwrap();
    let by_link = SqliteStore::open(&soft, serving()).unwrap();
    assert!(is_in_use(&bed.path()));
    put(&by_link, "sg-1", 5).unwrap();
    fs::remove_file(&soft).unwrap();
    assert!(why(&by_link).contains("file was removed"), "the name it was given leads nowhere");
}

#[test]
fn a_lock_that_is_removed_is_taken_again() {
    let bed = OnDisk::new();
    fs::remove_file(beside(&bed, "store.db.lock")).unwrap();
    bed.store().probe().unwrap();
    assert!(beside(&bed, "store.db.lock").exists());
    put(bed.store(), "sg-1", 5).unwrap();
    assert!(is_in_use(&bed.path()));
}

#[test]
fn keys_are_made_beside_a_server_and_by_the_next_one() {
    let mut bed = OnDisk::new();
    for name in ["a", "b"] {
        let beside = SqliteStore::open(&bed.path(), looking()).unwrap();
        change_keys(&beside, &[KeyChange::Create(key(name, 1))]).unwrap();
        drop(beside);
        bed.store().probe().unwrap();
        put(bed.store(), "sg-1", 5).unwrap();
    }
    bed.store = None;
    let alone = SqliteStore::open(&bed.path(), looking()).unwrap();
    change_keys(&alone, &[KeyChange::Create(key("c", 1))]).unwrap();
    // What only looks locks nobody out.
    let served = SqliteStore::open(&bed.path(), serving()).unwrap();
    assert_eq!(served.keys().unwrap().len(), 3);
}

fn set(bed: &OnDisk, pragma: &str, value: u32) {
    let store = bed.store.as_ref().unwrap();
    store.connections.write(|tx| Ok(tx.pragma_update(None, pragma, value)?)).unwrap();
}

/// As on a disk without room for one page more.
#[test]
fn a_write_that_failed_is_remembered_until_one_succeeds() {
    let bed = OnDisk::new();
    put(bed.store(), "sg-1", 5).unwrap();
    set(&bed, "max_page_count", 1);
    let many: Vec<_> = (0..400).map(|n| group(&shard(2), &format!("sg-{n}"), 5)).collect();
    for _ in 0..3 {
        let failed = bed.store().accept(&delivery(&many), 10, None).unwrap_err().to_string();
        assert!(failed.contains("full"), "{failed}");
        assert!(why(bed.store()).contains("the last write failed"), "{}", why(bed.store()));
        // A small write has room, but says nothing of those that follow each other.
        assert!(bed.store().probe().is_err());
    }
    // What the caller asked for in vain is no failure, and no success.
    assert!(matches!(bed.store().commit(99, &[], 0), Err(StoreError::Conflict)));
    assert!(why(bed.store()).contains("the last write failed"));
    let begun = Instant::now();
    while bed.store().probe().is_err() {
        assert!(begun.elapsed() < PATIENCE, "it is well again by itself");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(why(bed.store()), "");
    assert!(bed.store().accept(&delivery(&many), 10, None).is_err());
    put(bed.store(), "sg-1", 6).unwrap();
    assert_ne!(why(bed.store()), "", "one that is small says nothing of them");
    assert_eq!(groups(bed.store(), &shard(1)), "sg-1 6");
}

#[test]
fn a_write_that_waits_for_another_process_is_told() {
    let bed = OnDisk::new();
    let other = rusqlite::Connection::open(bed.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let waits = scope.spawn(|| put(bed.store(), "sg-1", 5));
        let begun = Instant::now();
        while !why(bed.store()).contains("another process has been writing") {
            assert!(begun.elapsed() < Duration::from_secs(9), "{}", why(bed.store()));
            thread::sleep(Duration::from_millis(20));
        }
        other.execute_batch("ROLLBACK").unwrap();
        waits.join().unwrap().unwrap();
    });
    assert_eq!(why(bed.store()), "");
}

/// Whether the store is checked must not hang on an error.
#[test]
fn a_lock_that_fails_is_told_to_whoever_looks_as_well() {
    let mut bed = OnDisk::new();
    bed.store = None;
    fs::remove_file(beside(&bed, "store.db.lock")).unwrap();
    fs::create_dir(beside(&bed, "store.db.lock")).unwrap();
    for opening in [serving(), looking()] {
        let refused = SqliteStore::open(&bed.path(), opening).err().unwrap().to_string();
        assert!(refused.contains("store.db.lock"), "{refused}");
    }
}

#[test]
fn a_store_is_not_said_to_be_taken_as_it_is_when_that_failed() {
    use rusqlite::ffi;
    let mut bed = OnDisk::new();
    put(bed.store(), "sg-1", 5).unwrap();
    bed.store = None;
    let fails = |code| {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        Claim::believe(&bed.path(), |_| Err(error))
    };
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_READ, ffi::SQLITE_FULL, ffi::SQLITE_READONLY] {
        assert!(fails(code).is_err(), "{code}");
    }
    fails(ffi::SQLITE_CORRUPT).unwrap();
    // Nor when somebody keeps the log.
    fs::write(beside(&bed, "store.db-wal"), [0; 40]).unwrap();
    let stays = Claim::believe(&bed.path(), |_| Ok(())).unwrap_err().to_string();
    assert!(stays.contains("cannot be emptied"), "{stays}");
}
