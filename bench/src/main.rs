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

mod check;
mod fleet;
mod floor;
mod items;
mod prng;
mod runs;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use check::Programs;
use runs::median;

/// Rounds of alternating runs.
const ROUNDS: usize = 7;
/// Items of the fleet that programs are timed on.
const TIMED_ITEMS: u64 = 100_000;
/// Items of the large fleet, whose memory is compared with that of the timed one.
const LARGE_ITEMS: u64 = 1_000_000;

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
        ["all", palisade, target, report] => {
            all(palisade.into(), Path::new(target), Path::new(report))
        }
        _ => {
            eprintln!(
                "usage: palisade-bench all PALISADE TARGET REPORT | fleet FOLDER ITEMS | floor SNAPSHOTS"
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

/// The table of results, grown row by row.
struct Report(String);

impl Report {
    fn row(&mut self, what: &str, reach: &str, measured: &str, reached: Option<bool>) {
        let verdict = match reached {
            Some(true) => "reached",
            Some(false) => "not reached",
            None => "not measured",
        };
        println!("{what:60} {reach:16} {measured:24} {verdict}");
        let _ = writeln!(self.0, "| {what} | {reach} | {measured} | {verdict} |");
    }

    fn ratio(&mut self, what: &str, least: f64, measured: Option<f64>) {
        let shown = measured
            .map_or_else(|| "peer not installed".to_owned(), |ratio| format!("{ratio:.2} ×"));
        self.row(what, &format!("≥ {least} ×"), &shown, measured.map(|ratio| ratio >= least));
    }
}

fn all(palisade: PathBuf, target: &Path, report_to: &Path) {
    let folder = target.join("bench");
    let programs = Programs {
        palisade,
        bench: std::env::current_exe().expect("this program"),
        python: check::python(&folder.join("python")),
        jq: check::jq(),
        scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"),
    };
    let mut report = Report(String::new());
    let plain = fleet::write(&folder.join("plain"), TIMED_ITEMS, false).expect("a fleet");
    let duel = programs.duel(&plain, ROUNDS, false);
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

    let gzip = fleet::write(&folder.join("gzip"), TIMED_ITEMS, true).expect("a fleet");
    let compressed = programs.duel(&gzip, ROUNDS, true);
    report.ratio(
        "`check`, gzip, to inflating and the parse floor",
        0.6,
        Some(compressed.floor / compressed.palisade),
    );

    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let one = programs.check(&plain, 1).wall;
        ratios.push(one / programs.check(&plain, 2).wall);
    }
    report.ratio("two threads to one, by the clock", 1.7, Some(median(ratios)));

    let small = programs.check(&plain, 2).peak as f64;
    let large_fleet = fleet::write(&folder.join("large"), LARGE_ITEMS, false).expect("a fleet");
    let large = programs.check(&large_fleet, 2).peak as f64;
    let megabytes = large / 1_048_576.0;
    report.row(
        "peak memory at 1M items",
        "≤ 64 MB",
        &format!("{megabytes:.1} MB"),
        Some(megabytes <= 64.0),
    );
    let growth = large / small;
    report.row(
        "peak memory at 1M items to that at 100k",
        "≤ 1.2 ×",
        &format!("{growth:.2} ×"),
        Some(growth <= 1.2),
    );
    fs::write(report_to, page(&report.0, &programs, &plain)).expect("the report");
}

fn page(rows: &str, programs: &Programs, fleet: &fleet::Fleet) -> String {
    let version = |command: &mut std::process::Command| {
        let output = command.output().ok().filter(|output| output.status.success());
        output.map_or("not installed".to_owned(), |output| {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        })
    };
    let python = programs.python.clone().unwrap_or_else(|| "python3".into());
    let peers = version(std::process::Command::new(python).args([
        "-c",
        "import duckdb, orjson, sys; print('DuckDB', duckdb.__version__, '· orjson', orjson.__version__, '· Python', sys.version.split()[0])",
    ]));
    let jq = version(std::process::Command::new("jq").arg("--version"));
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`. Two questions are asked of one fleet ({} items, {} MB, {} snapshots): which\n\
         security groups open remote administration, and which load balancers lack the policy's web ACL. Every\n\
         program's answer is compared with the fleet's truth, account by account, before anything is timed.\n\
         Figures are ratios of the medians of {ROUNDS} alternating runs (orjson and jq: one), by CPU time unless they\n\
         say otherwise; they hold for one run on one machine. The parse floor finds type, account and Region of\n\
         every item and the facts of the questions and checks nothing.\n\n\
         Peers: {peers} · {jq}\n\n\
         | what | reach | measured | |\n|---|---|---|---|\n{rows}",
        fleet.items,
        fleet.bytes / 1_000_000,
        fleet.files.len(),
    )
}
