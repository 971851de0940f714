//! What becomes of a store whose file was damaged while nobody had it open.

use std::fs;
use std::path::Path;

use palisade_testkit::Rng;
use rusqlite::Connection;

use super::beds::{OnDisk, looking, serving};
use palisade_core::evaluate::{Changed, Reference, Support};

use crate::contract::Bed as _;
use crate::contract::control::resource_set;
use crate::contract::facts::*;
use crate::contract::keys::{change_keys, event, key};
use crate::contract::networks::{eni, sg};
use crate::rules::rows::FileRows as _;
use crate::sqlite::SqliteStore;
use crate::sqlite::checksums::{self, Checked, DAMAGED_TOLD_MAX};
use crate::{
    Administrator, Association, AuditFilter, AuditLog, Channel, Control, ControlChange, FileHash,
    Inventory, KeyChange, Keys, Ledger, ListContent, Offboarded, StoreError, Want, Work,
};

/// Bytes that are flipped, one at a time.
const FLIPS: usize = 300;
const SHARDS: u32 = 6;
const POLICIES: [&str; 2] = ["a", "b"];

/// A store with something in every table that a reader answers from, closed.
fn settled() -> OnDisk {
    let mut bed = served();
    bed.store = None;
    bed
}

/// The same, open.
pub(super) fn served() -> OnDisk {
    let bed = OnDisk::new();
    let store = bed.store();
    let owner = account(1);
    let channel = Channel { topic: "topic".to_owned(), role: "role".to_owned() };
    let changes = [
        ControlChange::PutAdministrator(owner.clone(), Administrator::default_one(9)),
        ControlChange::PutOffboarded(Some(Offboarded { account: account(9), at_ms: 5 })),
        ControlChange::PutList(list("apps", ListContent::Protocols(vec!["tcp".into()]))),
        ControlChange::PutResourceSet(resource_set("set")),
        ControlChange::PutChannel(owner.clone(), region("eu-west-1"), Some(channel)),
        ControlChange::PutAssociation(
            owner,
            region("eu-west-1"),
            "F".into(),
            Association::Associated,
        ),
    ];
    let changes = [changes.to_vec(), vec![ControlChange::PutWaiver(waiver("w"))]].concat();
    commit(store, &changes, 0);
    store.name_common_policies(&[policy_id("common")].into(), 0).unwrap();
    let all: Vec<u32> = (1..=SHARDS).collect();
    commit(store, &[ControlChange::PutOrganization(organization(&all).into())], 1);
    put_policies(store, &POLICIES);
    change_keys(store, &[KeyChange::Create(key("a", 1)), KeyChange::Create(key("b", 2))]).unwrap();
    for n in all {
        let shard = shard(n);
        let groups: Vec<_> = (0..20).map(|at| group(&shard, &format!("sg-{at}"), 10)).collect();
        let (file, told) = (file(n), snapshot(&shard, 10, &groups));
        store.accept_file(Some(&file), &told, 10, Some(&|_| event("Post", 10))).unwrap();
        for policy in POLICIES {
            judge(store, n, policy, &judgement(&["sg-0", "sg-1", "sg-2"], &["lost"]), 15);
            judge(store, n, policy, &judgement(&["sg-1", "sg-2"], &["not recorded"]), 20);
        }
        let next = [group(&shard, "sg-3", 30), deleted(&shard, "sg-4", 30)];
        let lacks = [gap(&shard, Some(GROUP), "sg-1", 5), gap(&shard, None, "sg-1", 40)];
        store.accept(&missing(&next, &lacks), 30, None).unwrap();
    }
    // A network that two accounts share.
    let seen = [
        eni(1, "eni-1", 10, &["sg-lent"], None),
        eni(1, "eni-2", 10, &["sg-lent"], Some(2)),
        sg(2, "sg-lent", 10, "vpc-1", None),
    ];
    store.accept(&delivery(&seen), 30, None).unwrap();
    bed
}

fn file(n: u32) -> FileHash {
    FileHash([u8::try_from(n).unwrap(); 32])
}

fn list_reference() -> Reference {
    list("apps", ListContent::Protocols(Vec::new())).reference()
}

/// What each reader answers; an error is none.
pub(super) fn answers(store: &SqliteStore) -> Vec<Option<String>> {
    let mut all = vec![
        store.control().ok().map(|all| format!("{all:?}")),
        store.keys().ok().map(|all| format!("{all:?}")),
        store.key("a").ok().map(|key| format!("{key:?}")),
        store.sealing_key().ok().map(|all| format!("{all:?}")),
        store.audit(&AuditFilter::default(), 100).ok().map(|all| format!("{all:?}")),
        store.work(i64::MAX).ok().map(|all| format!("{:?}", (all.dirty, all.leased, all.future))),
    ];
    for n in 1..=SHARDS {
        let known = store.connections.read(|tx| tx.file(&file(n)));
        all.push(known.ok().map(|known| format!("{known:?}")));
        let references = [list_reference(), Reference::CommonPolicies].into();
        let read = store.load(&Want::whole(&shard(n), &references, &POLICIES.map(policy_id)));
        all.push(read.ok().map(|loaded| format!("{loaded:?}")));
        let support = |_: &[Changed]| Support::default();
        let read = store.load_changed(&shard(n), &references, &POLICIES.map(policy_id), &support);
        all.push(read.ok().map(|loaded| format!("{loaded:?}")));
        let read = store.items(&shard(n), &GROUP, None, 100);
        all.push(read.ok().map(|items| format!("{items:?}")));
        for policy in POLICIES.map(policy_id) {
            let read = store.violators(&policy, &account(n), None, 100);
            all.push(read.ok().map(|rows| format!("{rows:?}")));
            let read = store.history(&policy, &account(n), 100);
            all.push(read.ok().map(|rows| format!("{rows:?}")));
            let read = store.entry(&policy, &account(n));
            all.push(read.ok().map(|row| format!("{row:?}")));
        }
    }
    for at_ms in [15, 17, 20] {
        let read = store.control_at(at_ms);
        all.push(read.ok().map(|state| format!("{state:?}")));
        for policy in POLICIES.map(policy_id) {
            let read = store.entries_at(&policy, None, None, 100, at_ms);
            all.push(read.ok().map(|rows| format!("{rows:?}")));
            for n in 1..=SHARDS {
                let read = store.entry_at(&policy, &account(n), at_ms);
                all.push(read.ok().map(|row| format!("{row:?}")));
                let read = store.violators_at(&policy, &account(n), None, 100, at_ms);
                all.push(read.ok().map(|rows| format!("{rows:?}")));
            }
        }
    }
    all.push(store.versions(0, 17).ok().map(|versions| format!("{versions:?}")));
    all.push(store.span().ok().map(|span| format!("{span:?}")));
    for n in 1..=SHARDS {
        let read = store.past_violators(&policy_id("a"), &account(n), 0, 100);
        all.push(read.ok().map(|rows| format!("{rows:?}")));
    }
    for policy in POLICIES.map(policy_id) {
        let read = store.entries(&policy, None, None, 100);
        all.push(read.ok().map(|rows| format!("{rows:?}")));
    }
    all
}

/// Whether every answer is the right one or none.
pub(super) fn is_right(told: &[Option<String>], right: &[Option<String>]) -> bool {
    told.iter().zip(right).all(|(told, right)| told.is_none() || told == right)
}

#[test]
fn one_flipped_byte_is_never_another_answer() {
    let bed = settled();
    let whole = fs::read(bed.path()).unwrap();
    let right = answers(&SqliteStore::open(&bed.path(), serving()).unwrap());
    assert!(right.iter().all(Option::is_some), "{right:?}");
    let folder = tempfile::tempdir().unwrap();
    let (mut random, mut refused, mut wrong_without) = (Rng::with_seed(7), 0, 0);
    for _ in 0..FLIPS {
        let mut bytes = whole.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        let path = folder.path().join("store.db");
        fs::write(&path, &bytes).unwrap();
        match SqliteStore::open(&path, serving()) {
            Ok(store) => assert!(is_right(&answers(&store), &right), "byte {at}"),
            Err(error @ StoreError::Damaged { what: "page", .. }) => {
                refused += 1;
                assert!(error.to_string().contains("doctor --verify"), "{error}");
                assert!(!SqliteStore::examine(&path).unwrap().is_empty(), "byte {at}");
                // With nothing to hold it against, it is believed.
                SqliteStore::accept_damage(&path).unwrap();
                let believed = SqliteStore::open(&path, serving());
                let fine = believed.is_ok_and(|store| !is_right(&answers(&store), &right));
                wrong_without += usize::from(fine);
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
        for left in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(left.unwrap().path()).unwrap();
        }
    }
    println!("{refused} of {FLIPS} refused, {wrong_without} would be another answer");
    assert!(refused > FLIPS / 2 && wrong_without > 0, "{refused} {wrong_without}");
}

fn checked(path: &Path) -> Checked {
    checksums::check(&fs::File::open(path).unwrap()).unwrap()
}

#[test]
fn who_closes_last_writes_the_checksums_and_who_opens_first_takes_them_off() {
    let mut bed = settled();
    let closed = fs::metadata(bed.path()).unwrap().len();
    assert_eq!(checked(&bed.path()), Checked::Intact);
    bed.reopen();
    assert!(fs::metadata(bed.path()).unwrap().len() < closed);
    // Beside a server nobody checks, and who closes while others go on writes none.
    let beside = SqliteStore::open(&bed.path(), looking()).unwrap();
    change_keys(&beside, &[KeyChange::Create(key("c", 3))]).unwrap();
    bed.store = None;
    assert_eq!(checked(&bed.path()), Checked::Unknown);
    change_keys(&beside, &[KeyChange::Create(key("d", 4))]).unwrap();
    drop(beside);
    assert_eq!(checked(&bed.path()), Checked::Intact);
    bed.reopen();
    assert_eq!(bed.store().keys().unwrap().len(), 4);
}

#[test]
fn another_program_that_writes_takes_the_checksums_off() {
    let mut bed = settled();
    let other = Connection::open(bed.path()).unwrap();
    let told: String = other.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok", "what lies behind the pages is none of SQLite's business");
    drop(other);
    assert_eq!(checked(&bed.path()), Checked::Intact, "it only looked");
    let other = Connection::open(bed.path()).unwrap();
    other.execute("UPDATE keys SET created_ms = 9 WHERE access_key_id = 'b'", []).unwrap();
    drop(other);
    assert_eq!(checked(&bed.path()), Checked::Unknown);
    let refused = SqliteStore::open(&bed.path(), serving()).err().unwrap();
    assert!(refused.to_string().contains("keys that are not as they were"), "{refused}");
    SqliteStore::accept_damage(&bed.path()).unwrap();
    bed.reopen();
    let error = bed.store().key("b").unwrap_err();
    assert!(matches!(error, StoreError::Damaged { what: "key", .. }), "{error}");
    assert!(bed.store().key("a").unwrap().is_some());
}

#[test]
fn damaged_pages_are_told_to_the_limit() {
    let bed = settled();
    let whole = fs::read(bed.path()).unwrap();
    for (count, more) in
        [(DAMAGED_TOLD_MAX - 1, 0), (DAMAGED_TOLD_MAX, 0), (DAMAGED_TOLD_MAX + 1, 1)]
    {
        let mut bytes = whole.clone();
        (1..=count).for_each(|page| bytes[page * 4096 + 9] ^= 1);
        fs::write(bed.path(), &bytes).unwrap();
        let Checked::Damaged { pages, more: told } = checked(&bed.path()) else { panic!() };
        assert_eq!((pages.len(), told), (count.min(DAMAGED_TOLD_MAX), more));
        assert_eq!(pages[0], 2);
    }
    fs::write(bed.path(), &whole).unwrap();
    let error = {
        let mut bytes = whole;
        bytes[4096 + 9] ^= 1;
        fs::write(bed.path(), &bytes).unwrap();
        SqliteStore::open(&bed.path(), looking()).map(drop).unwrap_err()
    };
    assert!(error.to_string().contains("2 of `"), "{error}");
}

#[test]
fn rows_that_cannot_be_read_are_told_one_by_one() {
    let bed = settled();
    assert_eq!(SqliteStore::examine(&bed.path()).unwrap(), Vec::<String>::new());
    let rows = Connection::open(bed.path()).unwrap();
    rows.execute_batch(
        "UPDATE items SET body = CAST(substr(body, 1, 1) || x'ff' AS BLOB) WHERE id = 'sg-7';
         UPDATE violators SET violations = '[' WHERE id = 'sg-2' AND policy LIKE '%a%';",
    )
    .unwrap();
    let (items, violators) = (SHARDS as usize, rows.changes() as usize);
    drop(rows);
    let found = SqliteStore::examine(&bed.path()).unwrap();
    let count = |start: &str| found.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("items "), count("violators ")), (items, violators), "{found:?}");
    assert!(violators > 0);
}
