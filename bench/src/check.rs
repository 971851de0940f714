//! `palisade check` against the peers and the parse floor: the same files, the same two questions,
//! every answer compared account by account before anything is timed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::fleet::{AUDIT_GROUP, Fleet, Truth, WEB_ACL_POLICY};
use crate::runs::{Run, median, peak, run};

/// Programs that answer the two questions.
pub struct Programs {
    /// `palisade`
    pub palisade: PathBuf,
    /// This program, for the floor.
    pub bench: PathBuf,
    /// A Python with DuckDB and orjson, if installable.
    pub python: Option<PathBuf>,
    /// jq, if there.
    pub jq: Option<PathBuf>,
    /// Where the peers' scripts are.
    pub scripts: PathBuf,
}

/// Runs of a short program that are counted together.
const RUNS_IN_A_ROW: u32 = 20;

/// Median CPU seconds of each way, for one fleet.
#[derive(Clone, Debug, Default)]
pub struct Medians {
    pub palisade: f64,
    pub floor: f64,
    pub duckdb: Option<f64>,
    pub orjson: Option<f64>,
    pub jq: Option<f64>,
}

impl Programs {
    /// `palisade check` of both questions over the fleet.
    pub fn check(&self, fleet: &Fleet, threads: u32) -> Run {
        self.check_of(fleet, &fleet.questions, threads)
    }

    /// `palisade check` of these policies over the fleet.
    pub fn check_of(&self, fleet: &Fleet, policies: &[PathBuf], threads: u32) -> Run {
        run(&mut self.checking(fleet, policies, threads), &[0, 1])
    }

    /// Most resident memory of both questions over the fleet, bytes.
    pub fn check_peak(&self, fleet: &Fleet, threads: u32) -> u64 {
        peak(&mut self.checking(fleet, &fleet.questions, threads), &[0, 1])
    }

    fn checking(&self, fleet: &Fleet, policies: &[PathBuf], threads: u32) -> Command {
        let mut command = Command::new(&self.palisade);
        command.arg("check").args(["--output", "json", "--threads", &threads.to_string()]);
        for policy in policies {
            command.arg("--policy").arg(policy);
        }
        command.arg("--organization").arg(&fleet.organization).arg(&fleet.snapshots);
        command
    }

    /// The floor over the fleet, in a process of its own as the others are.
    pub fn floor(&self, fleet: &Fleet) -> Run {
        run(Command::new(&self.bench).arg("floor").arg(&fleet.snapshots), &[0])
    }

    fn python(&self, script: &str, fleet: &Fleet) -> Option<Run> {
        let mut command = Command::new(self.python.as_ref()?);
        command.arg(self.scripts.join(script)).arg(&fleet.snapshots).args([
            "1",
            AUDIT_GROUP,
            WEB_ACL_POLICY,
        ]);
        Some(run(&mut command, &[0]))
    }

    fn jq(&self, fleet: &Fleet) -> Option<Run> {
        let mut command = Command::new(self.jq.as_ref()?);
        command.args([
            "-r",
            "--arg",
            "group",
            AUDIT_GROUP,
            "--arg",
            "policy",
            WEB_ACL_POLICY,
            "-f",
        ]);
        command.arg(self.scripts.join("check.jq")).args(&fleet.files);
        Some(run(&mut command, &[0]))
    }

    /// Only reads the fleet's bytes.
    pub fn raw(&self, fleet: &Fleet) -> Run {
        let run = run(Command::new(&self.bench).arg("raw").arg(&fleet.snapshots), &[0]);
        assert_eq!(run.output.trim(), fleet.bytes.to_string(), "all bytes");
        run
    }

    /// CPU seconds of that.
    pub fn raw_cpu(&self, fleet: &Fleet) -> f64 {
        mean_cpu(|| self.raw(fleet))
    }

    /// Seconds on the clock of both questions with so many threads, from several runs in a row.
    pub fn check_wall(&self, fleet: &Fleet, threads: u32) -> f64 {
        mean(|| self.check(fleet, threads).wall)
    }

    /// Asserts that everybody's answer is the fleet's truth, account by account.
    pub fn assert_agreed(&self, fleet: &Fleet, compressed: bool) {
        let answers = statuses(&self.check(fleet, 1).output);
        assert_eq!(answers, fleet.truth, "palisade check");
        assert_eq!(lines(&self.floor(fleet).output), fleet.truth, "the floor");
        for (name, peer) in [
            ("DuckDB", self.python("duckdb_check.py", fleet)),
            ("orjson", self.python("orjson_check.py", fleet)),
            ("jq", if compressed { None } else { self.jq(fleet) }),
        ] {
            if let Some(peer) = peer {
                assert_eq!(lines(&peer.output), fleet.truth, "{name}");
            }
        }
    }

    /// Asserts that all agree with the fleet's truth, then times them in turn.
    pub fn duel(&self, fleet: &Fleet, rounds: usize, compressed: bool) -> Medians {
        self.assert_agreed(fleet, compressed);
        let mut times: [Vec<f64>; 5] = Default::default();
        for _ in 0..rounds {
            times[0].push(mean_cpu(|| self.check(fleet, 1)));
            times[1].push(mean_cpu(|| self.floor(fleet)));
            times[2].extend(self.python("duckdb_check.py", fleet).map(|run| run.cpu));
            if times[3].is_empty() {
                times[3].extend(self.python("orjson_check.py", fleet).map(|run| run.cpu));
                if !compressed {
                    times[4].extend(self.jq(fleet).map(|run| run.cpu));
                }
            }
        }
        let [palisade, floor, duckdb, orjson, jq] = times;
        let some = |times: Vec<f64>| (!times.is_empty()).then(|| median(times));
        Medians {
            palisade: median(palisade),
            floor: median(floor),
            duckdb: some(duckdb),
            orjson: some(orjson),
            jq: some(jq),
        }
    }
}

/// CPU seconds of a run, from several in a row: the kernel counts in hundredths, which is much of a
/// run and little of all.
fn mean_cpu(run: impl Fn() -> Run) -> f64 {
    mean(|| run().cpu)
}

fn mean(seconds: impl Fn() -> f64) -> f64 {
    (0..RUNS_IN_A_ROW).map(|_| seconds()).sum::<f64>() / f64::from(RUNS_IN_A_ROW)
}

/// What `palisade check --output json` printed, as violators by account and Region.
fn statuses(output: &str) -> Truth {
    let whole: Value = serde_json::from_str(output).expect("JSON");
    let mut truth = Truth::new();
    for status in whole["PolicyComplianceStatusList"].as_array().expect("a list") {
        let text = |name: &str| status[name].as_str().unwrap_or_default().to_owned();
        let counts = truth.entry((text("MemberAccount"), text("Region"))).or_default();
        let result = &status["EvaluationResults"][0];
        assert!(result["ComplianceStatus"].is_string(), "undecided: {status}");
        let question = usize::from(text("PolicyName") == WEB_ACL_POLICY);
        counts[question] = result["ViolatorCount"].as_u64().expect("a count");
    }
    truth
}

/// Lines of account, Region and both counts.
pub fn lines(output: &str) -> Truth {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = |at: usize| words[at].parse().expect("a count");
        ((words[0].to_owned(), words[1].to_owned()), [count(2), count(3)])
    };
    output.lines().map(line).collect()
}

/// jq, if it is installed.
pub fn jq() -> Option<PathBuf> {
    let found = Command::new("jq").arg("--version").output().ok()?;
    found.status.success().then(|| PathBuf::from("jq"))
}

/// A Python environment with the peers, made when it is not there.
pub fn python(folder: &Path) -> Option<PathBuf> {
    let python = folder.join("bin/python");
    let has = |python: &Path| {
        let tried = Command::new(python).args(["-c", "import duckdb, orjson"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !has(&python) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(folder).status().ok()?;
        let pip = Command::new(folder.join("bin/pip"))
            .args(["-q", "install", "duckdb", "orjson"])
            .status()
            .ok()?;
        if !made.success() || !pip.success() || !has(&python) {
            return None;
        }
    }
    Some(python)
}
