//! What becomes of rows that were damaged while nothing but their own checksums can tell.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use palisade_testkit::Rng;
use rusqlite::Connection;

use super::checksums::{answers, is_right, served};
use crate::sqlite::log::{Left, Mark, left};
use crate::sqlite::sums::{Columns, SUMMED, keep, sum_rows};
use crate::sqlite::{Opening, SqliteStore, Synchronous, checksums, schema};

/// Bytes that are flipped, one at a time.
const FLIPS: usize = 400;

fn opening() -> Opening {
    Opening { fresh_sealing_key: [8; 32], serve: true, synchronous: Synchronous::Off }
}

/// The file of a settled store whose server was killed.
fn killed() -> Vec<u8> {
    let bed = served();
    let other = Connection::open(bed.path()).unwrap();
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    fs::read(bed.path()).unwrap()
}

/// A varint of the file format, and where the next byte is.
fn varint(bytes: &[u8], at: usize) -> (usize, usize) {
    let mut value = 0;
    for (n, byte) in bytes[at..].iter().enumerate().take(8) {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return (value, at + n + 1);
        }
    }
    panic!("no number is that long")
}

/// Bytes of a value of this serial type (file format §2.1).
fn value_len(serial: usize) -> usize {
    match serial {
        0 | 8 | 9 => 0,
        1..=4 => serial,
        5 => 6,
        6 | 7 => 8,
        text => (text - 12) / 2,
    }
}

/// Where the bytes of rows' columns are that are no key, headers and values, by table; and those of keys.
struct Places {
    payload: Vec<usize>,
    keys: Vec<usize>,
    tables: BTreeSet<String>,
}

fn places(path: &Path, bytes: &[u8]) -> Places {
    let connection = Connection::open(path).unwrap();
    let page_size: usize =
        connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    let mut places = Places { payload: Vec::new(), keys: Vec::new(), tables: BTreeSet::new() };
    for table in SUMMED {
        let columns = Columns::of(&connection, table).unwrap().unwrap();
        let mut pages = connection
            .prepare("SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype <> 'overflow'")
            .unwrap();
        let pages = pages.query_map([table], |row| row.get::<_, usize>(0)).unwrap();
        for page in pages {
            let page = (page.unwrap() - 1) * page_size;
            let kind = bytes[page];
            // Of tables with row ids only leaves hold rows.
            let (head, before) = match kind {
                0x02 => (12, 4),
                0x0a | 0x0d => (8, 0),
                _ => continue,
            };
            let is_leaf_of_ids = kind == 0x0d;
            let cells = usize::from(u16::from_be_bytes([bytes[page + 3], bytes[page + 4]]));
            for cell in 0..cells {
                let pointer = page + head + 2 * cell;
                let at = u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]);
                let (len, mut at) = varint(bytes, page + usize::from(at) + before);
                let (most, least) = (if is_leaf_of_ids { page_size - 35 } else { 1002 }, 489);
                let spilt = least + (len.max(least) - least) % (page_size - 4);
                let local = match (len <= most, spilt <= most) {
                    (true, _) => len,
                    (false, true) => spilt,
                    (false, false) => least,
                };
                if is_leaf_of_ids {
                    at = varint(bytes, at).1;
                }
                let (header, mut next) = varint(bytes, at);
                let (mut value, end) = (at + header, at + local);
                let mut column = 0;
                while next < at + header {
                    let begin = next;
                    let (serial, after) = varint(bytes, begin);
                    next = after;
                    let is_key = column < columns.key.len();
                    let of = if is_key { &mut places.keys } else { &mut places.payload };
                    of.extend(begin..next);
                    of.extend((value..value + value_len(serial)).filter(|at| *at < end));
                    value += value_len(serial);
                    column += 1;
                }
                assert_eq!(column, columns.all.len() + 1, "{table}");
                places.tables.insert(table.to_owned());
            }
        }
    }
    places
}

/// What was made of so many flips.
#[derive(Debug, Default)]
struct Count {
    /// Something was not answered.
    noticed: usize,
    /// Something was answered otherwise.
    wrong: usize,
    /// Something is, when each row counts as it is.
    wrong_without: usize,
}

fn flip(whole: &[u8], places: &[usize], flips: usize, seed: u64) -> Count {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let ask = |bytes: &[u8], as_it_is: bool| -> Option<Vec<Option<String>>> {
        for left in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(left.unwrap().path()).unwrap();
        }
        fs::write(&path, bytes).unwrap();
        if as_it_is {
            sum_rows(&Connection::open(&path).unwrap()).ok()?;
            let file = fs::File::options().read(true).append(true).open(&path).unwrap();
            checksums::write(&file).unwrap();
        }
        Some(answers(&SqliteStore::open(&path, opening()).ok()?))
    };
    let right = ask(whole, false).unwrap();
    assert!(right.iter().all(Option::is_some), "{right:?}");
    let (mut random, mut count) = (Rng::with_seed(seed), Count::default());
    for _ in 0..flips {
        let place = places[random.usize(..places.len())];
        let mut bytes = whole.to_vec();
        bytes[place] ^= 1 << random.u8(..8);
        match ask(&bytes, false) {
            None => count.noticed += 1,
            Some(told) if !is_right(&told, &right) => {
                println!("byte {place} is another answer");
                count.wrong += 1;
            }
            Some(told) => count.noticed += usize::from(told != right),
        }
        // As if there were no checksums and nobody looked through.
        let believed = ask(&bytes, true);
        count.wrong_without += usize::from(believed.is_some_and(|told| !is_right(&told, &right)));
    }
    count
}

#[test]
fn one_flipped_byte_of_a_row_after_a_crash_is_never_another_answer() {
    let whole = killed();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::write(&path, &whole).unwrap();
    let places = places(&path, &whole);
    assert_eq!(places.tables, SUMMED.map(str::to_owned).into(), "rows of every table");
    let count = flip(&whole, &places.payload, FLIPS, 7);
    println!("of {FLIPS} flips in columns: {count:?}");
    assert_eq!(count.wrong, 0);
    assert!(count.wrong_without > FLIPS / 20, "{count:?}");
    // A row that is not found by its key has nothing to tell so by: it is found when all are looked through.
    let keys = flip(&whole, &places.keys, FLIPS / 4, 8);
    println!("of {} flips in keys: {keys:?}", FLIPS / 4);
    assert_eq!((keys.wrong, keys.noticed), (0, FLIPS / 4));
    assert!(keys.wrong_without > FLIPS / 20, "{keys:?}");
}

/// Commits that are not in the file yet. Where the mark is lost, nobody can tell of a last one that is damaged
/// whether it was being written when the server ended.
#[test]
fn one_flipped_byte_of_a_log_that_a_crash_left_loses_no_commit_without_a_word() {
    let bed = served();
    let names = ["store.db", "store.db-wal", "store.db.lock", "store.db.synced"];
    let read = |name: &str| fs::read(bed.folder.path().join(name)).unwrap();
    let whole = names.map(read);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let put = |files: &[Vec<u8>; 4]| {
        for left in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(left.unwrap().path()).unwrap();
        }
        for (name, bytes) in names.iter().zip(files) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
    };
    put(&whole);
    let looked = || left(&folder.path().join("store.db-wal"), Mark::of(&path).unwrap()).unwrap();
    assert_eq!(looked(), Left::Whole);
    let right = answers(&SqliteStore::open(&path, opening()).unwrap());
    assert!(right.iter().all(Option::is_some), "{right:?}");
    let (mut random, mut refused, mut told, mut believed) = (Rng::with_seed(11), 0, 0, 0);
    for flip in 0..FLIPS / 4 {
        let mut files = whole.clone();
        // The head is short, and is hit some times too.
        let log = files[1].len();
        let places = match flip % 20 {
            0 => 0..32,
            1 | 2 => log - 4_120..log,
            _ => 0..log,
        };
        let place = random.usize(places);
        files[1][place] ^= 1 << random.u8(..8);
        let has_mark = flip % 20 != 2;
        if !has_mark {
            files[3].clear();
        }
        put(&files);
        let found = looked();
        if found == Left::Whole {
            println!("byte {place} is not noticed");
        }
        match SqliteStore::open(&path, opening()) {
            Err(error) => {
                let is_noticed = matches!(found, Left::Damaged { .. } | Left::Lost { .. });
                assert!(is_noticed, "byte {place}: {error}");
                assert!(error.to_string().contains("doctor --verify"), "{error}");
                let examined = SqliteStore::examine(&path).unwrap();
                assert!(examined.iter().any(|line| line.contains("of the log")), "{examined:?}");
                refused += 1;
                if flip % 20 != 3 {
                    continue;
                }
                SqliteStore::accept_damage(&path).unwrap();
                let store = SqliteStore::open(&path, opening()).unwrap();
                believed += usize::from(!is_right(&answers(&store), &right));
            }
            Ok(store) if is_right(&answers(&store), &right) => {}
            Ok(_) => {
                assert_eq!((found, has_mark), (Left::Torn, false), "byte {place}");
                told += 1;
            }
        }
    }
    println!("of {} flips in the log: {refused} refused, {told} told of", FLIPS / 4);
    assert!(
        refused > FLIPS / 5 && told > 0 && told <= FLIPS / 80 && believed > 0,
        "{refused} {told} {believed}"
    );
    // After another start of the machine its end may lack what nobody waited for.
    let mut files = whole.clone();
    files[1][32 + 24 + 100] ^= 1;
    files[3].clear();
    put(&files);
    assert!(SqliteStore::open(&path, opening()).is_err());
    files[2] = b"another".to_vec();
    put(&files);
    assert!(SqliteStore::open(&path, opening()).is_ok());
    // But not what was acknowledged.
    files[3] = whole[3].clone();
    put(&files);
    assert!(SqliteStore::open(&path, opening()).is_err());
}

/// As a log that was cut short, or removed, between a crash and the next start.
#[test]
fn a_log_that_is_gone_is_missed_unless_it_was_moved() {
    let bed = served();
    let copied = |names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::copy(bed.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        folder
    };
    let opened = |folder: &tempfile::TempDir| {
        let opened = SqliteStore::open(&folder.path().join("store.db"), opening());
        opened.map(|store| answers(&store)).map_err(|error| error.to_string())
    };
    let all = ["store.db", "store.db-wal", "store.db.lock", "store.db.synced"];
    let right = opened(&copied(&all)).unwrap();
    let without = copied(&["store.db", "store.db.lock", "store.db.synced"]);
    let told = opened(&without).unwrap_err();
    assert!(told.contains("log is gone") && told.contains("store.db.synced"), "{told}");
    let examined = SqliteStore::examine(&without.path().join("store.db")).unwrap();
    assert!(examined.iter().any(|line| line.contains("log is gone")), "{examined:?}");
    let cut = copied(&all);
    let log = fs::OpenOptions::new().write(true).open(cut.path().join("store.db-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len() - 1).unwrap();
    let told = opened(&cut).unwrap_err();
    assert!(told.contains("acknowledged are lost"), "{told}");
    // Another program that opened the store moves the log when it closes it.
    let moved = copied(&all);
    let other = Connection::open(moved.path().join("store.db")).unwrap();
    other.query_row("SELECT count(*) FROM store", [], |_| Ok(())).unwrap();
    drop(other);
    assert!(!moved.path().join("store.db-wal").exists());
    assert!(is_right(&opened(&moved).unwrap(), &right));
    // What is known to be lost may be accepted.
    SqliteStore::accept_damage(&without.path().join("store.db")).unwrap();
    assert!(opened(&without).is_ok());
}

/// Heads of pages, pointers, indexes, the schema, what is free.
#[test]
fn one_flipped_byte_anywhere_after_a_crash_is_never_another_answer() {
    let whole = killed();
    let places: Vec<usize> = (0..whole.len()).collect();
    let count = flip(&whole, &places, FLIPS, 9);
    println!("of {FLIPS} flips anywhere: {count:?}");
    assert_eq!(count.wrong, 0);
    assert!(count.wrong_without > FLIPS / 40 && count.noticed > FLIPS / 10, "{count:?}");
}

#[test]
fn a_store_that_was_not_closed_in_order_is_refused_where_it_is_damaged_until_that_is_accepted() {
    let whole = killed();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = || SqliteStore::open(&path, opening());
    fs::write(&path, &whole).unwrap();
    let keys = places(&path, &whole).keys;
    drop(open().unwrap());
    let mut bytes = whole;
    bytes[keys[keys.len() / 2] + 1] ^= 1;
    fs::write(&path, &bytes).unwrap();
    for _ in 0..2 {
        let told = open().err().unwrap().to_string();
        assert!(told.contains("was not closed in order") && told.contains("--verify"), "{told}");
        assert_eq!(fs::read(&path).unwrap().len(), bytes.len(), "left as it was");
    }
    SqliteStore::accept_damage(&path).unwrap();
    drop(open().unwrap());
    drop(open().unwrap());
}

/// Statements name columns one by one; who adds one to a table is told where.
#[test]
fn statements_sum_the_columns_that_the_tables_have() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, "memory", &[0; 32]).unwrap();
    let all: Vec<Vec<String>> =
        SUMMED.iter().map(|table| Columns::of(&connection, table).unwrap().unwrap().all).collect();
    let sources = [
        include_str!("../audit.rs"),
        include_str!("../changes.rs"),
        include_str!("../control.rs"),
        include_str!("../items.rs"),
        include_str!("../keys.rs"),
        include_str!("../ledger.rs"),
        include_str!("../ledger/write.rs"),
        include_str!("../missed.rs"),
        include_str!("../past.rs"),
        include_str!("../shards.rs"),
        include_str!("../shown.rs"),
        include_str!("../sums.rs"),
        include_str!("../support.rs"),
        include_str!("../taken.rs"),
        include_str!("../work.rs"),
    ];
    let mut compared = 0;
    for source in sources {
        for (at, before) in
            source.match_indices("IS row_sum(").chain(source.match_indices("NOT row_sum("))
        {
            let list = source[at + before.len()..].split(')').next().unwrap();
            let names = list.split(',').map(|name| name.trim().rsplit('.').next().unwrap());
            let names: Vec<String> = names.map(str::to_owned).collect();
            assert!(all.contains(&names), "{list}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn a_row_that_is_changed_in_part_stays_damaged() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, "memory", &[0; 32]).unwrap();
    keep(&connection).unwrap();
    let is_sound = || -> bool {
        let sum = Columns::of(&connection, "keys").unwrap().unwrap().sum("");
        let ask = format!("SELECT sum IS {sum} FROM keys");
        connection.query_row(&ask, [], |row| row.get(0)).unwrap()
    };
    let put = |sql: &str| assert_eq!(connection.execute(sql, []).unwrap(), 1);
    put("INSERT INTO keys (access_key_id, secret, created_ms) VALUES ('a', 's', 1)");
    assert!(is_sound());
    put("UPDATE keys SET enabled = 0");
    assert!(is_sound());
    // What the disk does has no triggers.
    let trigger: String = connection
        .query_row("SELECT sql FROM temp.sqlite_schema WHERE name = 'keys_next'", [], |row| {
            row.get(0)
        })
        .unwrap();
    connection.execute_batch("DROP TRIGGER temp.keys_next").unwrap();
    put("UPDATE keys SET secret = 't'");
    assert!(!is_sound());
    connection.execute_batch(&trigger.replace("CREATE TRIGGER", "CREATE TEMP TRIGGER")).unwrap();
    put("UPDATE keys SET enabled = 1");
    assert!(!is_sound(), "what is damaged does not become good");
    put("INSERT OR REPLACE INTO keys (access_key_id, secret, created_ms) VALUES ('a', 's', 1)");
    assert!(is_sound(), "what is written whole does");
}
