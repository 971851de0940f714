//! Facts about the file: who may open it, and which files are refused.

use std::fs;
use std::path::Path;

use palisade_core::evaluate::{Fact, Reference};
use rusqlite::Connection;

use crate::contract::Bed;
use crate::contract::facts::*;
use crate::contract::keys::{change_keys, event, key};
use crate::sqlite::{Opening, SqliteStore, Synchronous, schema};
use crate::{
    AuditChange, AuditLog, Control, ControlChange, Health, Inventory, KeyChange, KeyRecord, Keys,
    StoreError, StoredSecret, Want,
};

use super::beds::{OnDisk, looking, serving};

fn refused(path: &Path, opening: Opening) -> StoreError {
    match SqliteStore::open(path, opening) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[test]
fn a_second_server_is_refused_until_the_first_is_gone() {
    let mut bed = OnDisk::new();
    let error = refused(&bed.path(), serving());
    assert!(matches!(&error, StoreError::InUse(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("store.db` is in use by another palisade process"), "{text}");
    bed.store = None;
    SqliteStore::open(&bed.path(), serving()).unwrap();
}

#[test]
fn keys_are_made_beside_a_server() {
    let bed = OnDisk::new();
    let beside = SqliteStore::open(&bed.path(), looking()).unwrap();
    change_keys(&beside, &[KeyChange::Create(key("a", 1))]).unwrap();
    assert_eq!(bed.store().key("a").unwrap(), Some(key("a", 1)));
    assert_eq!(beside.sealing_key().unwrap(), [7; 32], "drawn once, when the store was made");
}

#[test]
fn a_store_of_a_newer_palisade_is_refused_and_left_as_it_is() {
    let mut bed = OnDisk::new();
    bed.store = None;
    let raw = Connection::open(bed.path()).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    for opening in [serving(), looking()] {
        let error = refused(&bed.path(), opening);
        let known = schema::known_version();
        assert!(
            matches!(&error, StoreError::TooNew { found: 99, known: told, .. } if *told == known),
            "{error}"
        );
    }
    let raw = Connection::open(bed.path()).unwrap();
    let version: i64 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    let notes = "not a database at all ".repeat(400);
    fs::write(&text, &notes).unwrap();
    let error = refused(&text, serving()).to_string();
    assert!(error.contains("notes.txt` cannot be used as a store"), "{error}");
    assert!(error.contains("not a database"), "{error}");
    assert_eq!(fs::read_to_string(&text).unwrap(), notes);

    let foreign = folder.path().join("foreign.db");
    let raw = Connection::open(&foreign).unwrap();
    raw.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    drop(raw);
    let before = fs::read(&foreign).unwrap();
    let error = refused(&foreign, serving()).to_string();
    assert!(error.contains("another program's database"), "{error}");
    assert_eq!(fs::read(&foreign).unwrap(), before);
}

#[test]
fn a_folder_that_does_not_exist_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for opening in [serving(), looking()] {
        let error = refused(&folder.path().join("no/such/store.db"), opening).to_string();
        assert!(error.contains("no/such/store.db"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let bed = OnDisk::new();
    commit(bed.store(), &[], 0);
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", bed.path().display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[test]
fn the_log_is_on_disk_before_it_is_moved() {
    let bed = OnDisk::new();
    let setting = |synchronous| {
        let path = bed.folder.path().join(format!("{synchronous:?}.db"));
        let opening = Opening { synchronous, ..serving() };
        let store = SqliteStore::open(&path, opening).unwrap();
        let ask = |name| {
            store.connections.write(|tx| {
                Ok(tx.pragma_query_value(None, name, |row| {
                    row.get::<_, rusqlite::types::Value>(0)
                })?)
            })
        };
        (ask("synchronous").unwrap(), ask("journal_mode").unwrap())
    };
    for (synchronous, expected) in [(Synchronous::Grouped, 1), (Synchronous::Off, 0)] {
        let connection = crate::sqlite::log::connections::moving(&bed.path(), synchronous).unwrap();
        let level: i64 =
            connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(level, expected, "who moves it: {synchronous:?}");
    }
    let wal = rusqlite::types::Value::Text("wal".to_owned());
    assert_eq!(setting(Synchronous::Full), (2.into(), wal.clone()));
    assert_eq!(setting(Synchronous::Grouped), (1.into(), wal.clone()));
    assert_eq!(setting(Synchronous::Off), (0.into(), wal));
}

#[test]
fn under_full_sqlite_syncs_and_moves_the_log_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let opening = Opening { synchronous: Synchronous::Full, ..serving() };
    let open = || SqliteStore::open_with_log(&path, opening.clone(), 64).unwrap();
    let store = open();
    let size = || fs::metadata(&path).unwrap().len();
    let before = size();
    for n in 0..200 {
        let id = format!("sg-{n}");
        store.accept(&delivery(&[group(&shard(n), &id, 5)]), 10, None).unwrap();
    }
    assert!(size() > before, "what was committed came into the file");
    let log = fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    assert!(log < 4 << 20, "and the log began anew: {log} bytes");
    store.ready().unwrap();
    // A sync that failed is not followed by others, here as well.
    store.connections.fail_disk();
    assert!(store.ready().is_err());
    assert!(store.accept(&delivery(&[group(&shard(1), "sg-1", 6)]), 10, None).is_err());
    drop(store);
    let store = open();
    for n in 0..200 {
        assert_eq!(groups(&store, &shard(n)), format!("sg-{n} 5"));
    }
}

/// What the log holds is safe there, if anywhere: a file that a disk failed to take it may not take
/// the next time either, without telling.
#[test]
fn after_the_disk_failed_the_log_stays_as_it_is_until_the_store_is_opened_again() {
    for (fails, reads) in [(false, true), (true, false), (true, true)] {
        let mut bed = OnDisk::new();
        let store = bed.store.as_ref().unwrap();
        store.accept(&delivery(&[group(&shard(1), "sg-1", 5)]), 10, None).unwrap();
        if reads {
            assert_eq!(groups(store, &shard(1)), "sg-1 5");
        }
        store.ready().unwrap();
        if fails {
            store.connections.fail_disk();
            assert!(store.ready().is_err());
            assert!(store.accept(&delivery(&[group(&shard(1), "sg-2", 6)]), 11, None).is_err());
            assert!(store.connections.empty_log().is_err());
        }
        let (file, log) = (bed.path(), bed.path().with_extension("db-wal"));
        let bytes = || (fs::read(&file).unwrap(), fs::read(&log).ok());
        let before = bytes();
        assert!(before.1.as_ref().is_some_and(|log| !log.is_empty()));
        bed.store = None;
        match fails {
            true => assert!(bytes() == before, "nothing is moved"),
            false => assert!(bytes().1.is_none(), "all of it is moved"),
        }
        bed.reopen();
        assert_eq!(groups(bed.store(), &shard(1)), "sg-1 5");
        bed.store().ready().unwrap();
    }
}

/// Versions before have a defect by which a log that begins anew while it is moved loses what was
/// committed to it (<https://sqlite.org/wal.html>, "The WAL-reset bug").
#[test]
fn the_engine_is_one_that_does_not_lose_what_a_log_holds_that_begins_anew() {
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

/// As a backup is brought back: such a copy has no log, and is not set to have one.
#[test]
fn a_copy_without_a_log_is_opened_by_whoever_comes_first() {
    for opening in [looking(), serving()] {
        let bed = OnDisk::new();
        bed.store().accept(&delivery(&[group(&shard(1), "sg-1", 5)]), 10, None).unwrap();
        let path = bed.folder.path().join("copy.db");
        let source = Connection::open(bed.path()).unwrap();
        source.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
        let copy = SqliteStore::open(&path, opening).unwrap();
        copy.accept(&delivery(&[group(&shard(1), "sg-2", 6)]), 11, None).unwrap();
        assert_eq!(groups(&copy, &shard(1)), "sg-1 5, sg-2 6");
    }
}

/// A copy of the files of a store that is open, as `kill -9` would leave them.
fn torn_from(bed: &OnDisk) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("store.db{suffix}");
        fs::copy(bed.folder.path().join(&name), folder.path().join(&name)).unwrap();
    }
    let path = folder.path().join("store.db");
    (folder, path)
}

#[test]
fn what_was_acknowledged_is_in_the_files_before_the_store_is_closed() {
    let bed = OnDisk::new();
    bed.store().accept(&delivery(&[group(&shard(1), "sg-1", 5)]), 10, None).unwrap();
    let (_folder, path) = torn_from(&bed);
    let copy = SqliteStore::open(&path, serving()).unwrap();
    assert_eq!(groups(&copy, &shard(1)), "sg-1 5");
    assert_eq!(due(&copy, 10), "1 *");
}

#[test]
fn a_log_cut_anywhere_holds_a_delivery_whole_or_not_at_all() {
    let bed = OnDisk::new();
    bed.store().accept(&delivery(&[group(&shard(1), "sg-0", 5)]), 10, None).unwrap();
    let (_folder, path) = torn_from(&bed);
    let log = path.with_extension("db-wal");
    let before = fs::metadata(&log).unwrap().len();
    let many: Vec<_> = (1..200).map(|n| group(&shard(1), &format!("sg-{n}"), 5)).collect();
    bed.store().accept(&delivery(&many), 10, None).unwrap();
    let (_folder, whole_path) = torn_from(&bed);
    let (file, whole) =
        (fs::read(&whole_path).unwrap(), fs::read(whole_path.with_extension("db-wal")).unwrap());
    assert!(whole.len() as u64 > before + 8 * 4096);
    let mut seen = std::collections::BTreeSet::new();
    let start = usize::try_from(before).unwrap();
    for cut in (start..whole.len()).step_by(1009).chain([whole.len()]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        fs::write(&path, &file).unwrap();
        fs::write(path.with_extension("db-wal"), &whole[..cut]).unwrap();
        let copy = SqliteStore::open(&path, looking()).unwrap();
        let items = loaded(&copy, &shard(1)).shard.of_type(&GROUP).count();
        assert!(items == 1 || items == 200, "cut at {cut}: {items}");
        seen.insert(items);
    }
    assert_eq!(seen.len(), 2, "both ends were seen");
}

#[test]
fn a_store_of_version_1_is_migrated_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../schema/0001.sql")).unwrap();
    let record = serde_json::to_string(&*policy("p", 3)).unwrap();
    raw.execute_batch(
        "PRAGMA application_id = 0x50414c49;
         PRAGMA user_version = 1;
         INSERT INTO store VALUES (1, 41, 7, 0, x'0707070707070707070707070707070707070707070707070707070707070707');
         INSERT INTO administrators VALUES ('000000000001', 1, 5), ('000000000002', 0, 6);",
    )
    .unwrap();
    raw.execute("INSERT INTO policies VALUES ('p', 'eu-west-1', 3, ?1)", [record]).unwrap();
    drop(raw);

    let store = SqliteStore::open(&path, serving()).unwrap();

    let control = store.control().unwrap();
    assert_eq!(control.revision, 41);
    let told: Vec<_> = control
        .administrators
        .iter()
        .map(|(account, known)| (account.as_str(), known.default, known.scope.is_none()))
        .collect();
    assert_eq!(told, [("000000000001", true, true), ("000000000002", false, true)]);
    assert_eq!(control.policies.into_values().collect::<Vec<_>>(), [policy("p", 3)]);
    assert!(control.resource_sets.is_empty() && control.channels.is_empty());
    assert!(control.associations.is_empty() && control.offboarded.is_none());
    assert_eq!(store.sealing_key().unwrap(), [7; 32]);
    drop(store);
    let raw = Connection::open(&path).unwrap();
    let version: i64 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, i64::from(schema::known_version()));
    SqliteStore::open(&path, serving()).unwrap();
}

/// Semantics §11 row 57: what a store of the first edition knows of policies of common groups.
#[test]
fn a_store_of_version_6_knows_the_policies_of_common_groups_that_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let raw = Connection::open(&path).unwrap();
    for migration in [
        include_str!("../schema/0001.sql"),
        include_str!("../schema/0002.sql"),
        include_str!("../schema/0003.sql"),
        include_str!("../schema/0004.sql"),
        include_str!("../schema/0005.sql"),
        include_str!("../schema/0006.sql"),
    ] {
        raw.execute_batch(migration).unwrap();
    }
    raw.execute_batch(
        "PRAGMA application_id = 0x50414c49;
         PRAGMA user_version = 6;
         INSERT INTO store (one, control_revision, sequence, lists_changed, sealing_key)
         VALUES (1, 41, 7, 0, zeroblob(32));",
    )
    .unwrap();
    let gone = "0a1b2c3d-0000-4000-8000-00000000000";
    let held = |name: &str, policy_type: &str| {
        let mut record = (*policy(name, 3)).clone();
        policy_type.clone_into(&mut record.document.security_service_policy_data.policy_type);
        let record = serde_json::to_string(&record).unwrap();
        raw.execute("INSERT INTO policies VALUES (?1, 'eu-west-1', 3, ?2)", [name, &record])
            .unwrap();
    };
    held("common", "SECURITY_GROUPS_COMMON");
    held("other", "WAFV2");
    for (n, policy_type) in [(1, "SECURITY_GROUPS_COMMON"), (2, "WAFV2")] {
        let change = AuditChange {
            object_type: "policy".to_owned(),
            object: format!("arn:aws:fms:eu-west-1:000000000001:policy/{gone}{n}"),
            before: Some(serde_json::json!({"SecurityServicePolicyData": {"Type": policy_type}})),
            after: None,
        };
        let changes = serde_json::to_string(&[change]).unwrap();
        raw.execute(
            "INSERT INTO audit VALUES (?1, 5, 'r', NULL, '\"member\"', '', '', 'DeletePolicy', ?2)",
            rusqlite::params![n, changes],
        )
        .unwrap();
    }
    drop(raw);
    let store = SqliteStore::open(&path, serving()).unwrap();
    let asked = [Reference::CommonPolicies].into();
    let facts = store.load(&Want::whole(&shard(1), &asked, &[])).unwrap().references;
    let known = [format!("{gone}1"), "common".to_owned()].map(|id| policy_id(&id));
    assert_eq!(facts[&Reference::CommonPolicies], Fact::Policies(known.into()));
}

#[test]
fn keys_of_version_2_are_kept_enabled_and_in_the_clear_until_they_are_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(include_str!("../schema/0001.sql")).unwrap();
    raw.execute_batch(include_str!("../schema/0002.sql")).unwrap();
    raw.execute_batch(
        "PRAGMA application_id = 0x50414c49;
         PRAGMA user_version = 2;
         PRAGMA journal_mode = WAL;
         INSERT INTO store VALUES (1, 41, 7, 0, x'0707070707070707070707070707070707070707070707070707070707070707');
         INSERT INTO keys VALUES ('a', 'plain-as-day', NULL, 1), ('b', 'plain-as-night', '000000000001', 2);",
    )
    .unwrap();
    drop(raw);
    assert!(spells(&path, "plain-as-day"), "the search can find it");

    let store = SqliteStore::open(&path, serving()).unwrap();
    let plain = |text: &str| StoredSecret::Plain(text.to_owned());
    let (a, b) = (key("a", 1), key("b", 2));
    let migrated = [
        KeyRecord { secret: plain("plain-as-day"), ..a.clone() },
        KeyRecord { secret: plain("plain-as-night"), ..b.clone() },
    ];
    assert_eq!(store.keys().unwrap(), migrated);

    let seal = |key: &KeyRecord| KeyChange::Seal {
        access_key_id: key.access_key_id.clone(),
        secret: key.secret.clone(),
    };
    change_keys(&store, &[seal(&a), seal(&b)]).unwrap();
    assert_eq!(store.keys().unwrap(), [a, b]);
    for secret in ["plain-as-day", "plain-as-night"] {
        assert!(!spells(&path, secret), "`{secret}` is still in the files");
    }
}

#[test]
fn a_store_of_version_3_remembers_what_its_secrets_are_sealed_under() {
    for (secrets, remembered) in [("", None), ("('a', 'x', 'k7', 1, 1)", Some("k7"))] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let raw = Connection::open(&path).unwrap();
        for migration in [
            include_str!("../schema/0001.sql"),
            include_str!("../schema/0002.sql"),
            include_str!("../schema/0003.sql"),
        ] {
            raw.execute_batch(migration).unwrap();
        }
        let columns = "access_key_id, secret, sealed_under, enabled, created_ms";
        if !secrets.is_empty() {
            raw.execute_batch(&format!("INSERT INTO keys ({columns}) VALUES {secrets};")).unwrap();
        }
        raw.execute_batch(
            "PRAGMA application_id = 0x50414c49;
             PRAGMA user_version = 3;
             INSERT INTO store VALUES (1, 41, 7, 0, zeroblob(32), 5);",
        )
        .unwrap();
        drop(raw);
        let store = SqliteStore::open(&path, serving()).unwrap();
        assert_eq!(store.sealed_under().unwrap().as_deref(), remembered);
        assert_eq!(store.keys_revision().unwrap(), 5);
    }
}

/// Whether any file of the store contains the text.
pub(super) fn spells(path: &Path, text: &str) -> bool {
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    files.into_iter().any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_log_cut_anywhere_holds_a_change_with_its_event_or_neither() {
    let bed = OnDisk::new();
    commit(bed.store(), &[ControlChange::PutPolicy(policy("first", 1))], 0);
    let (_folder, path) = torn_from(&bed);
    let before = fs::metadata(path.with_extension("db-wal")).unwrap().len();
    for n in 0..20_u32 {
        let tell = ControlChange::Audit(std::sync::Arc::new(event(&format!("put {n}"), 1)));
        commit(bed.store(), &[ControlChange::PutPolicy(policy(&format!("p{n}"), 1)), tell], 0);
    }
    let (_folder, whole_path) = torn_from(&bed);
    let (file, whole) =
        (fs::read(&whole_path).unwrap(), fs::read(whole_path.with_extension("db-wal")).unwrap());
    let mut seen = std::collections::BTreeSet::new();
    let start = usize::try_from(before).unwrap();
    for cut in (start..whole.len()).step_by(1009).chain([whole.len()]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        fs::write(&path, &file).unwrap();
        fs::write(path.with_extension("db-wal"), &whole[..cut]).unwrap();
        let copy = SqliteStore::open(&path, looking()).unwrap();
        let policies = copy.control().unwrap().policies.len() - 1;
        assert_eq!(copy.audit(&Default::default(), 99).unwrap().len(), policies, "cut at {cut}");
        seen.insert(policies);
    }
    assert_eq!(seen.len(), 21, "each number of changes was seen: {seen:?}");
}
