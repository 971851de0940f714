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
mod growth;
mod ingest;
mod items;
mod listing;
mod pages;
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

/// That of `palisade`: the floor is to differ by what it does alone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of alternating runs.
const ROUNDS: usize = 7;
/// Items of the fleet that programs are timed on.
const TIMED_ITEMS: u64 = 100_000;
/// Items of the large fleet, on request: its memory is compared with that of the timed one.
const LARGE_ITEMS: u64 = 1_000_000;
/// Items of the fleet that only `check` reads, on further request.
const HUGE_ITEMS: u64 = 10_000_000;
/// Items of the fleet beside which a change of an item is to cost no more.
const SMALL_ITEMS: u64 = 10_000;
/// Accounts and policies of the ledger that is listed.
const LISTED: [u64; 2] = [1_000, 50];
/// On request.
const LISTED_LARGE: [u64; 2] = [10_000, 50];
/// How often a fleet is ingested again.
const REPEATS: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["raw", snapshots] => print_raw(Path::new(snapshots)),
        ["floor", snapshots] => print_floor(Path::new(snapshots)),
        ["fleet", folder, items] => {
            let fleet = fleet::write(Path::new(folder), items.parse().expect("a number"), false);
            let fleet = fleet.expect("is written");
            println!("{} items, {} bytes, {} files", fleet.items, fleet.bytes, fleet.files.len());
        }
        ["bulk", store] => ingest::bulk(Path::new(store)),
        ["bare", store] => listing::bare(Path::new(store)),
        ["growth", palisade, target] => {
            growth::run(Path::new(palisade), &Path::new(target).join("bench/growth"));
        }
        ["all", palisade, target, report, ref wishes @ ..] => {
            let wishes = Wishes::of(wishes);
            all(palisade.into(), Path::new(target), Path::new(report), wishes);
        }
        _ => {
            eprintln!(
                "usage: palisade-bench all PALISADE TARGET REPORT [--large|--huge] \
                 [--only check|ingest|change|list|page] | raw SNAPSHOTS | \
                 growth PALISADE TARGET | fleet FOLDER ITEMS | floor SNAPSHOTS | bulk STORE | bare STORE"
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

/// Reads every byte and does nothing with it: the cost of having files at all.
fn print_raw(snapshots: &Path) {
    use std::io::Read as _;
    let mut files = Vec::new();
    walk(snapshots, &mut files);
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0_u64;
    for path in files {
        let mut file = fs::File::open(path).expect("a snapshot");
        loop {
            match file.read(&mut buffer).expect("a readable file") {
                0 => break,
                read => bytes += read as u64,
            }
        }
    }
    println!("{bytes}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// A group of rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Check,
    Ingest,
    Change,
    List,
    Page,
}

/// What of the whole to run.
#[derive(Clone, Copy, Debug)]
struct Wishes {
    /// The large fleet as well.
    large: bool,
    /// And one of ten times as many items for `check`.
    huge: bool,
    /// These rows alone.
    only: Option<Part>,
}

impl Wishes {
    fn of(words: &[&str]) -> Wishes {
        let (large, huge, only) = match words {
            ["--large", rest @ ..] => (true, false, rest),
            ["--huge", rest @ ..] => (true, true, rest),
            rest => (false, false, rest),
        };
        let only = match only {
            [] => None,
            ["--only", "check"] => Some(Part::Check),
            ["--only", "ingest"] => Some(Part::Ingest),
            ["--only", "change"] => Some(Part::Change),
            ["--only", "list"] => Some(Part::List),
            ["--only", "page"] => Some(Part::Page),
            _ => panic!("asked: [--large|--huge] [--only check|ingest|change|list|page]"),
        };
        Wishes { large, huge, only }
    }

    /// Whether fleets are read, beside the small one.
    fn reads_fleets(self) -> bool {
        [Part::Check, Part::Ingest, Part::Change].into_iter().any(|part| self.has(part))
    }

    /// Accounts and policies of the ledger that is listed.
    fn listed(self) -> [u64; 2] {
        if self.large { LISTED_LARGE } else { LISTED }
    }

    fn has(self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

fn all(palisade: PathBuf, target: &Path, report_to: &Path, wishes: Wishes) {
    let folder = target.join("bench");
    let programs = Programs {
        palisade,
        bench: std::env::current_exe().expect("this program"),
        python: if wishes.has(Part::Check) { check::python(&folder.join("python")) } else { None },
        jq: check::jq(),
        scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"),
    };
    let mut report = Report::default();
    let written = |name: &str, items, compressed| {
        fleet::write(&folder.join(name), items, compressed).expect("a fleet")
    };
    let stores = folder.join("stores");
    // The ledgers that are listed and looked at need no more than this one's questions.
    let small = written("small", SMALL_ITEMS, false);
    let plain =
        wishes.reads_fleets().then(|| fleets(&mut report, &programs, &folder, &small, wishes));
    if wishes.has(Part::List) {
        listing::rows(&mut report, &programs, &small, &stores, wishes.listed());
    }
    if wishes.has(Part::Page) {
        pages::rows(&mut report, &programs, &small, &stores, wishes.listed());
    }
    // A part of the rows is no report.
    if let (None, Some(plain)) = (wishes.only, plain) {
        fs::write(report_to, report.page(&programs, &plain)).expect("the report");
    }
}

/// The rows of programs that read fleets; answers the fleet that they are timed on.
fn fleets(
    report: &mut Report,
    programs: &Programs,
    folder: &Path,
    small: &fleet::Fleet,
    wishes: Wishes,
) -> fleet::Fleet {
    let written = |name: &str, items, compressed| {
        fleet::write(&folder.join(name), items, compressed).expect("a fleet")
    };
    let plain = written("plain", TIMED_ITEMS, false);
    let large = wishes.large.then(|| written("large", LARGE_ITEMS, false));
    let gzip = written("gzip", TIMED_ITEMS, true);
    let large_gzip = wishes.large.then(|| written("large-gzip", LARGE_ITEMS, true));
    if wishes.has(Part::Check) {
        check_rows(report, programs, &plain, &gzip);
        let huge = wishes.huge.then(|| written("huge", HUGE_ITEMS, false));
        peak_rows(report, programs, &plain, large.as_ref(), huge.as_ref());
    }
    let stores = folder.join("stores");
    for (fleet, gzip) in [(Some(&plain), Some(&gzip)), (large.as_ref(), large_gzip.as_ref())] {
        let (Some(fleet), Some(gzip)) = (fleet, gzip) else { continue };
        if wishes.has(Part::Ingest) {
            ingest::rows(report, programs, [fleet, gzip], &stores, REPEATS);
        }
        if wishes.has(Part::Change) {
            change::rows(report, programs, fleet, small, &stores);
        }
    }
    plain
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

    let raw = programs.raw_cpu(plain);
    let share = format!("{:.2} ×", raw / duel.palisade);
    report.told("reading the bytes alone, to `check`", &share);

    let compressed = programs.duel(gzip, ROUNDS, true);
    report.ratio(
        "`check`, gzip, to inflating and the parse floor",
        0.6,
        Some(compressed.floor / compressed.palisade),
    );

    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let one = programs.check_wall(plain, 1);
        ratios.push(one / programs.check_wall(plain, 2));
    }
    report.ratio("two threads to one, by the clock", 1.7, Some(median(ratios)));
}

fn peak_rows(
    report: &mut Report,
    programs: &Programs,
    plain: &fleet::Fleet,
    large: Option<&fleet::Fleet>,
    huge: Option<&fleet::Fleet>,
) {
    let what = ["`check`, peak memory at 1M items", "… to that at 100k"];
    let reach = ["≤ 64 MB", "≤ 1.2 ×"];
    let Some(large) = large else {
        for (what, reach) in what.iter().zip(reach) {
            report.row(what, reach, "ask with --large", None);
        }
        return;
    };
    programs.assert_agreed(large, false);
    let peak = |fleet| {
        let peaks = (0..ROUNDS).map(|_| programs.check_peak(fleet, 2) as f64);
        median(peaks.collect())
    };
    let (small, large) = (peak(plain), peak(large));
    let megabytes = large / 1_048_576.0;
    report.row(what[0], reach[0], &format!("{megabytes:.1} MB"), Some(megabytes <= 64.0));
    let growth = large / small;
    report.row(what[1], reach[1], &format!("{growth:.2} ×"), Some(growth <= 1.2));
    if let Some(huge) = huge {
        let growth = peak(huge) / small;
        report.row(
            "… at 10M items to that at 100k",
            "≤ 1.2 ×",
            &format!("{growth:.2} ×"),
            Some(growth <= 1.2),
        );
    }
}
