//! The table of results and the page that it stands on.

use std::fmt::Write as _;

use crate::ROUNDS;
use crate::check::Programs;
use crate::fleet::Fleet;

/// The table of results, grown row by row.
#[derive(Debug, Default)]
pub struct Report(String);

impl Report {
    /// One row; `reached` is `None` when it could not be measured.
    pub fn row(&mut self, what: &str, reach: &str, measured: &str, reached: Option<bool>) {
        let verdict = match reached {
            Some(true) => "reached",
            Some(false) => "not reached",
            None => "not measured",
        };
        println!("{what:60} {reach:16} {measured:24} {verdict}");
        let _ = writeln!(self.0, "| {what} | {reach} | {measured} | {verdict} |");
    }

    /// A row that nothing is to be reached in.
    pub fn told(&mut self, what: &str, measured: &str) {
        println!("{what:60} {measured}");
        let _ = writeln!(self.0, "| {what} | – | {measured} | |");
    }

    /// A row of a ratio that is to be at least `least`.
    pub fn ratio(&mut self, what: &str, least: f64, measured: Option<f64>) {
        let shown = measured
            .map_or_else(|| "peer not installed".to_owned(), |ratio| format!("{ratio:.2} ×"));
        self.row(what, &format!("≥ {least} ×"), &shown, measured.map(|ratio| ratio >= least));
    }

    /// The page that the rows are put on.
    pub fn page(&self, programs: &Programs, fleet: &Fleet) -> String {
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
             The rows of a server are of `palisade serve` over a new SQLite store with four policies in two Regions,\n\
             asked by signed calls; what its ledger holds is compared with the truth as well. `ingest` counts from the\n\
             first file sent until nothing is due; the bulk load writes the rows of the store's items, sorted, in\n\
             transactions of one snapshot's size, each on disk before the next.\n\n\
             Of rows that are not reached, `docs/performance.md` tells where the time goes.\n\n\
             Peers: {peers} · {jq}\n\n\
             | what | reach | measured | |\n|---|---|---|---|\n{}",
            fleet.items,
            fleet.bytes / 1_000_000,
            fleet.files.len(),
            self.0,
        )
    }
}
