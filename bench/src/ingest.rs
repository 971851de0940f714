//! `palisade ingest` into a store that keeps four policies judged, against the least that writing
//! the same rows can cost; what the store then weighs, and the server with it.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::Report;
use crate::check::Programs;
use crate::fleet::{Fleet, SHARD_ITEMS};
use crate::runs::{cpu_seconds, median, run};
use crate::serve::Server;

/// Rounds of ingest and floor.
const ROUNDS: usize = 3;
/// Memory may grow by this much over repeated ingests and still count as flat: allocators do not
/// give back everything at once.
const FLAT: f64 = 1.1;

/// Measures a fleet, plain and as AWS Config delivers it: compressed. It is ingested again `repeats`
/// times for the memory.
pub fn rows(
    report: &mut Report,
    programs: &Programs,
    [plain, gzip]: [&Fleet; 2],
    folder: &Path,
    repeats: usize,
) {
    let bytes = throughput(report, programs, plain, folder, "plain JSON");
    throughput(report, programs, gzip, folder, "gzip");
    let each = bytes as f64 / plain.items as f64;
    report.row(
        &format!("bytes stored per item, {} items, all tables", thousands(plain.items)),
        "≤ 400",
        &format!("{each:.0}"),
        Some(each <= 400.0),
    );
    memory(report, programs, plain, folder, repeats);
}

/// How fast a fleet is taken in. Answers how many bytes it then takes.
fn throughput(
    report: &mut Report,
    programs: &Programs,
    fleet: &Fleet,
    folder: &Path,
    form: &str,
) -> u64 {
    let mut ratios = [Vec::new(), Vec::new()];
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let server = Server::fresh(&programs.palisade, folder);
        let ids = server.furnish(fleet);
        let (cpu, clock) = (server.cpu(), Instant::now());
        server.ingest(&programs.palisade, &fleet.snapshots);
        server.settled();
        let (cpu, clock) = (server.cpu() - cpu, clock.elapsed().as_secs_f64());
        server.assert_truth(fleet, &ids);
        let store = server.store().to_owned();
        bytes = server.stop();
        let (floor_cpu, floor_clock) = floor(programs, fleet, &store);
        println!(
            "ingest: {cpu:.2} CPU s, {clock:.2} s; bulk load: {floor_cpu:.2} CPU s, {floor_clock:.2} s"
        );
        ratios[0].push(floor_cpu / cpu);
        ratios[1].push(floor_clock / clock);
    }
    let [by_cpu, by_clock] = ratios.map(median);
    let many = thousands(fleet.items);
    report.ratio(
        &format!("`ingest` of {many} items, {form}, judged, to the sorted bulk load"),
        0.5,
        Some(by_cpu),
    );
    report.ratio("… by the clock", 0.5, Some(by_clock));
    bytes
}

/// Resident memory of a server after an ingest, and after many.
fn memory(report: &mut Report, programs: &Programs, fleet: &Fleet, folder: &Path, repeats: usize) {
    let server = Server::fresh(&programs.palisade, folder);
    let ids = server.furnish(fleet);
    let again = || {
        server.ingest(&programs.palisade, &fleet.snapshots);
        server.settled();
        server.resident() as f64
    };
    let first = again();
    let many = thousands(fleet.items);
    let megabytes = first / 1_048_576.0;
    report.row(
        &format!("resident memory of `serve` after {many} items"),
        "≤ 400 MB",
        &format!("{megabytes:.1} MB"),
        Some(megabytes <= 400.0),
    );
    let last = (0..repeats).fold(first, |_, _| again());
    server.assert_truth(fleet, &ids);
    let growth = last / first;
    report.row(
        &format!("… after {repeats} further ingests of the same files"),
        &format!("≤ {FLAT} ×"),
        &format!("{growth:.2} ×"),
        Some(growth <= FLAT),
    );
    server.stop();
}

/// `100k`, `1M`.
pub fn thousands(items: u64) -> String {
    match items {
        1_000_000.. => format!("{}M", items / 1_000_000),
        _ => format!("{}k", items / 1_000),
    }
}

// The floor.

/// CPU seconds and seconds of the bulk load, which runs in a process of its own as the server does.
fn floor(programs: &Programs, fleet: &Fleet, store: &Path) -> (f64, f64) {
    let ran = run(Command::new(&programs.bench).arg("bulk").arg(store), &[0]);
    let numbers: Vec<f64> =
        ran.output.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    assert!(numbers[0] >= fleet.items as f64, "every item has its row");
    (numbers[1], numbers[2])
}

/// One row of `items`.
type Row = (String, String, String, String, i64, i64, Vec<u8>);

/// Writes the rows of a store's items into a new database, sorted by key, a transaction for each
/// snapshot's number of them, each on disk before the next begins. Prints how many there were, and
/// what only the writing took: CPU seconds and seconds.
pub fn bulk(store: &Path) {
    let rows = read(store);
    let fresh = store.with_extension("bulk");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", fresh.display()));
    }
    let mut writer = Connection::open(&fresh).expect("is made");
    writer.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    writer.pragma_update(None, "synchronous", "FULL").expect("FULL");
    // As the store is set.
    writer.pragma_update(None, "wal_autocheckpoint", 4_096).expect("pages");
    writer.pragma_update(None, "cache_size", -16_384).expect("KiB");
    writer
        .execute_batch(
            "CREATE TABLE items (account TEXT NOT NULL, region TEXT NOT NULL, type TEXT NOT NULL,
               id TEXT NOT NULL, state INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
               body BLOB NOT NULL, PRIMARY KEY (account, region, type, id)
             ) STRICT, WITHOUT ROWID;",
        )
        .expect("a table");
    let this = std::process::id();
    let (cpu, clock) = (cpu_seconds(this), Instant::now());
    for chunk in rows.chunks(usize::try_from(SHARD_ITEMS).expect("small")) {
        let tx = writer.transaction().expect("begins");
        let mut insert = tx
            .prepare_cached("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .expect("is prepared");
        for (account, region, kind, id, state, seen, body) in chunk {
            insert
                .execute(params![account, region, kind, id, state, seen, body])
                .expect("is written");
        }
        drop(insert);
        tx.commit().expect("is on disk");
    }
    let (cpu, clock) = (cpu_seconds(this) - cpu, clock.elapsed().as_secs_f64());
    println!("{} {cpu} {clock}", rows.len());
}

fn read(store: &Path) -> Vec<Row> {
    let reader = Connection::open(store).expect("a store");
    let mut every = reader
        .prepare(
            "SELECT account, region, type, id, state, seen_ms, body FROM items
             ORDER BY account, region, type, id",
        )
        .expect("is prepared");
    let row = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
            row.get(5)?,
            row.get(6)?,
        ))
    };
    let rows = every.query_map([], row).expect("is asked");
    rows.map(|row| row.expect("a row")).collect()
}
