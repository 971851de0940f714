//! `cargo xtask bench`: what Palisade costs beside the least that the work can cost and beside what
//! else people use for it. Answers are compared before anything is timed; what is reported are
//! ratios of runs that alternate, because machines are shared and no absolute time means anything.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark fails by panicking"
)]

mod change;
mod check;
mod fleet;
mod floor;
mod ingest;
mod items;
mod listing;
mod prng;
mod report;
mod runs;
mod serve;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use check::Programs;
use report::Report;
use runs::median;

/// Rounds of alternating runs.
const ROUNDS: usize = 7;
/// Items of the fleet that programs are timed on.
const TIMED_ITEMS: u64 = 100_000;
/// Items of the large fleet, on request: its memory is compared with that of the timed one.
const LARGE_ITEMS: u64 = 1_000_000;
/// Items of the fleet beside which a change of an item is to cost no more.
const SMALL_ITEMS: u64 = 10_000;
/// Accounts and policies of the ledger that is listed.
const LISTED: [u64; 2] = [1_000, 50];
/// On request.
const LISTED_LARGE: [u64; 2] = [10_000, 50];
/// How often the timed fleet is ingested again.
const REPEATS: usize = 20;
/// How often the large one is.
const REPEATS_LARGE: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["floor", snapshots] => print_floor(Path::new(snapshots)),
        ["fleet", folder, items] => {
            let fleet = fleet::write(Path::new(folder), items.parse().expect("a number"), false);
            let fleet = fleet.expect("is written");
            println!("{} items, {} bytes, {} files", fleet.items, fleet.bytes, fleet.files.len());
        }
        ["bulk", store] => ingest::bulk(Path::new(store)),
        ["bare", store] => listing::bare(Path::new(store)),
        ["all", palisade, target, report, ref wishes @ ..] => {
            let wishes = Wishes::of(wishes);
            all(palisade.into(), Path::new(target), Path::new(report), wishes);
        }
        _ => {
            eprintln!(
                "usage: palisade-bench all PALISADE TARGET REPORT [--large] [--only check|store|list] | \
                 fleet FOLDER ITEMS | floor SNAPSHOTS | bulk STORE | bare STORE"
            );
            std::process::exit(64);
        }
    }
}

/// The floor as a program, so that it pays for starting and for finding its files as others do.
fn print_floor(snapshots: &Path) {
    let mut files = Vec::new();
    walk(snapshots, &mut files);
    let mut out = String::new();
    for ((account, region), [first, second]) in floor::answer(files.iter().map(PathBuf::as_path)) {
        let _ = writeln!(out, "{account} {region} {first} {second}");
    }
    print!("{out}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// Reads a file, plain or compressed, into a buffer that is used again.
fn load(path: &Path, text: &mut Vec<u8>) {
    use std::io::Read as _;
    text.clear();
    let mut file = fs::File::open(path).expect("a snapshot");
    if path.extension().is_some_and(|suffix| suffix == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_end(text).expect("gzip");
    } else {
        file.read_to_end(text).expect("a readable file");
    }
}

/// What of the whole to run.
#[derive(Clone, Copy, Debug)]
struct Wishes {
    /// The large fleet as well.
    large: bool,
    check: bool,
    store: bool,
    /// The rows of listing, which are among those of the store.
    list: bool,
}

impl Wishes {
    fn of(words: &[&str]) -> Wishes {
        let (large, only) = match words {
            ["--large", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (check, store, list) = match only {
            [] => (true, true, true),
            ["--only", "check"] => (true, false, false),
            ["--only", "store"] => (false, true, true),
            ["--only", "list"] => (false, false, true),
            _ => panic!("what is asked of the benchmark: [--large] [--only check|store|list]"),
        };
        Wishes { large, check, store, list }
    }
}

fn all(palisade: PathBuf, target: &Path, report_to: &Path, wishes: Wishes) {
    let folder = target.join("bench");
    let programs = Programs {
        palisade,
        bench: std::env::current_exe().expect("this program"),
        python: if wishes.check { check::python(&folder.join("python")) } else { None },
        jq: check::jq(),
        scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"),
    };
    let mut report = Report::default();
    let written = |name: &str, items, compressed| {
        fleet::write(&folder.join(name), items, compressed).expect("a fleet")
    };
    if wishes.list && !wishes.store {
        let small = written("small", SMALL_ITEMS, false);
        return list_rows(&mut report, &programs, &small, &folder.join("stores"), wishes);
    }
    let plain = written("plain", TIMED_ITEMS, false);
    let large = wishes.large.then(|| written("large", LARGE_ITEMS, false));
    if wishes.check {
        let gzip = written("gzip", TIMED_ITEMS, true);
        check_rows(&mut report, &programs, &plain, &gzip);
        peak_rows(&mut report, &programs, &plain, large.as_ref());
    }
    if wishes.store {
        let small = written("small", SMALL_ITEMS, false);
        let stores = folder.join("stores");
        for (fleet, repeats) in [(Some(&plain), REPEATS), (large.as_ref(), REPEATS_LARGE)] {
            let Some(fleet) = fleet else { continue };
            ingest::rows(&mut report, &programs, fleet, &stores, repeats);
            change::rows(&mut report, &programs, fleet, &small, &stores);
        }
        list_rows(&mut report, &programs, &small, &stores, wishes);
    }
    // A part of the rows is no report.
    if wishes.check && wishes.store {
        fs::write(report_to, report.page(&programs, &plain)).expect("the report");
    }
}

fn list_rows(
    report: &mut Report,
    programs: &Programs,
    fleet: &fleet::Fleet,
    folder: &Path,
    wishes: Wishes,
) {
    let listed = if wishes.large { LISTED_LARGE } else { LISTED };
    listing::rows(report, programs, fleet, folder, listed);
}

fn check_rows(report: &mut Report, programs: &Programs, plain: &fleet::Fleet, gzip: &fleet::Fleet) {
    let duel = programs.duel(plain, ROUNDS, false);
    let items = plain.items as f64;
    println!(
        "items a CPU second: palisade {:.0}, floor {:.0}",
        items / duel.palisade,
        items / duel.floor
    );
    report.ratio(
        "`check`, plain JSON, one thread, to the parse floor",
        0.6,
        Some(duel.floor / duel.palisade),
    );
    report.ratio("… to DuckDB's best form", 4.0, duel.duckdb.map(|peer| peer / duel.palisade));
    report.ratio("… to Python with orjson", 4.0, duel.orjson.map(|peer| peer / duel.palisade));
    report.ratio("… to jq", 12.0, duel.jq.map(|peer| peer / duel.palisade));
    report.ratio(
        "the parse floor to DuckDB's best form",
        6.0,
        duel.duckdb.map(|peer| peer / duel.floor),
    );

    let compressed = programs.duel(gzip, ROUNDS, true);
    report.ratio(
        "`check`, gzip, to inflating and the parse floor",
        0.6,
        Some(compressed.floor / compressed.palisade),
    );

    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let one = programs.check(plain, 1).wall;
        ratios.push(one / programs.check(plain, 2).wall);
    }
    report.ratio("two threads to one, by the clock", 1.7, Some(median(ratios)));
}

fn peak_rows(
    report: &mut Report,
    programs: &Programs,
    plain: &fleet::Fleet,
    large: Option<&fleet::Fleet>,
) {
    let what = ["peak memory at 1M items", "peak memory at 1M items to that at 100k"];
    let reach = ["≤ 64 MB", "≤ 1.2 ×"];
    let Some(large) = large else {
        for (what, reach) in what.iter().zip(reach) {
            report.row(what, reach, "ask with --large", None);
        }
        return;
    };
    let small = programs.check(plain, 2).peak as f64;
    let large = programs.check(large, 2).peak as f64;
    let megabytes = large / 1_048_576.0;
    report.row(what[0], reach[0], &format!("{megabytes:.1} MB"), Some(megabytes <= 64.0));
    let growth = large / small;
    report.row(what[1], reach[1], &format!("{growth:.2} ×"), Some(growth <= 1.2));
}
