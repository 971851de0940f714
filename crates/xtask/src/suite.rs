//! `cargo xtask test`: every check, in the order in which they are cheap, with what they need
//! installed below `target/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::folders::{root, target};
use crate::instructions::Counted;
use crate::tidy;

/// The variable that tells tests where to note that they do not run (`crates/testkit`).
const SKIPPED: &str = "PALISADE_SKIPPED";

/// One check: its name and how it went.
struct Step {
    name: &'static str,
    outcome: Outcome,
    seconds: u64,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// Runs all checks and prints a summary.
///
/// # Errors
/// When any check failed; the output above it says which and why.
pub fn run() -> Result<(), String> {
    let skipped = Skipped::begin()?;
    let mut steps = Vec::new();
    let mut step = |name: &'static str, check: &dyn Fn() -> Outcome| {
        println!("── {name}");
        let started = Instant::now();
        let outcome = check();
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(why) => println!("{name} failed: {why}"),
            Outcome::Skipped(why) => println!("skipped: {name}: {why}"),
        }
        steps.push(Step { name, outcome, seconds: started.elapsed().as_secs() });
    };
    step("format", &|| cargo(&["fmt", "--all", "--check"]));
    step("tidy", &|| match tidy::run() {
        Ok(files) => {
            println!("{files} source files are tidy");
            Outcome::Passed
        }
        Err(findings) => Outcome::Failed(findings),
    });
    step("generated files", &|| match crate::codegen::run(true) {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    });
    step("lints", &|| {
        cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
    });
    step("each crate alone", &|| {
        for name in ["palisade-core", "palisade-wire", "palisade-store", "palisade-api"] {
            if let failed @ Outcome::Failed(_) = cargo(&["check", "--quiet", "--package", name]) {
                return failed;
            }
        }
        Outcome::Passed
    });
    step("a PostgreSQL", &|| match crate::postgres::ensure() {
        Ok(which) => {
            println!("{which}");
            Outcome::Passed
        }
        // Its tests say so themselves, each one.
        Err(why) => Outcome::Skipped(why),
    });
    step("tests", &|| cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"]));
    step("instruction budgets", &|| match crate::instructions::budgets(false) {
        Ok(Counted::Within) => Outcome::Passed,
        Ok(Counted::Skipped(why)) => Outcome::Skipped(why),
        Err(why) => Outcome::Failed(why),
    });
    step("client stories", &client_stories);
    let mut left_out = skipped.end()?;
    left_out.extend(steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Skipped(why) => Some(format!("{}: {why}", step.name)),
        Outcome::Passed | Outcome::Failed(_) => None,
    }));
    summary(&steps, &left_out)
}

/// The tests that say that they do not run, each on a line of a file that all of them append to.
struct Skipped(PathBuf);

impl Skipped {
    fn begin() -> Result<Skipped, String> {
        let path = target().join("skipped-tests.txt");
        let failed = |error| format!("{}: {error}", path.display());
        fs::create_dir_all(target()).map_err(failed)?;
        fs::write(&path, "").map_err(failed)?;
        Ok(Skipped(path))
    }

    /// `test: reason` for each test, once.
    fn end(self) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(&self.0)
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        let lines: BTreeSet<&str> = text.lines().collect();
        Ok(lines.into_iter().map(|line| line.replacen('\t', ": ", 1)).collect())
    }
}

fn summary(steps: &[Step], left_out: &[String]) -> Result<(), String> {
    println!("── summary");
    let (mut passed, mut failed) = (0, 0);
    for step in steps {
        let word = match step.outcome {
            Outcome::Passed => {
                passed += 1;
                "passed"
            }
            Outcome::Failed(_) => {
                failed += 1;
                "FAILED"
            }
            Outcome::Skipped(_) => "skipped",
        };
        println!("{word:8} {:20} {:5} s", step.name, step.seconds);
    }
    for test in left_out {
        println!("skipped: {test}");
    }
    println!("{passed} passed, {failed} failed, {} skipped", left_out.len());
    if failed == 0 { Ok(()) } else { Err(format!("{failed} checks failed")) }
}

fn cargo(arguments: &[&str]) -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run_in(&root(), Command::new(cargo).args(arguments))
}

fn run_in(folder: &Path, command: &mut Command) -> Outcome {
    let command = command.current_dir(folder).env(SKIPPED, target().join("skipped-tests.txt"));
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("`{command:?}` ended with {status}")),
        Err(error) => Outcome::Failed(format!("`{command:?}` did not start: {error}")),
    }
}

/// boto3 and the AWS CLI from PyPI, the JavaScript SDK from npm, the Rust SDK from crates.io, then
/// the stories.
fn client_stories() -> Outcome {
    let clients = root().join("tests/clients");
    let installed = target().join("clients");
    if let Err(error) = fs::create_dir_all(&installed) {
        return Outcome::Failed(format!("{}: {error}", installed.display()));
    }
    if let failed @ Outcome::Failed(_) = cargo(&["build", "--quiet", "--package", "palisade"]) {
        return failed;
    }
    let venv = installed.join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        let made = run_in(&clients, Command::new("python3").arg("-m").arg("venv").arg(&venv));
        if let Outcome::Failed(why) = made {
            return Outcome::Skipped(format!("no Python 3 with venv: {why}"));
        }
    }
    let pip = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(clients.join("requirements.txt"))
        .current_dir(&clients)
        .status();
    if !pip.is_ok_and(|status| status.success()) {
        return Outcome::Failed(
            "boto3 and the AWS CLI could not be installed from PyPI".to_owned(),
        );
    }
    let mut stories = Command::new(&python);
    stories
        .arg(clients.join("stories.py"))
        .arg("--palisade")
        .arg(target().join("debug/palisade"))
        .arg("--aws")
        .arg(venv.join("bin/aws"));
    if install_javascript(&clients, &installed) {
        stories.arg("--node-modules").arg(&installed);
    }
    match build_rust(&clients.join("rust"), &installed.join("rust")) {
        Ok(program) => {
            stories.arg("--rust-sdk").arg(program);
        }
        Err(Unbuilt::NotFetched) => {}
        Err(Unbuilt::Failed(why)) => return Outcome::Failed(why),
    }
    run_in(&clients, &mut stories)
}

/// Why there is no client in the AWS SDK for Rust.
enum Unbuilt {
    NotFetched,
    Failed(String),
}

/// Builds the client in the AWS SDK for Rust, which is no member of the workspace: only these
/// stories need its many dependencies.
fn build_rust(source: &Path, built: &Path) -> Result<PathBuf, Unbuilt> {
    let locked = |arguments: &[&str]| {
        let manifest = source.join("Cargo.toml");
        let manifest = manifest.display().to_string();
        cargo(&[arguments, &["--quiet", "--locked", "--manifest-path", &manifest]].concat())
    };
    if !matches!(locked(&["fetch"]), Outcome::Passed) {
        return Err(Unbuilt::NotFetched);
    }
    match locked(&["build", "--target-dir", &built.display().to_string()]) {
        Outcome::Passed => Ok(built.join("debug/palisade-client-rust")),
        Outcome::Failed(why) | Outcome::Skipped(why) => Err(Unbuilt::Failed(why)),
    }
}

fn install_javascript(clients: &Path, installed: &Path) -> bool {
    let copied = ["package.json", "package-lock.json"]
        .iter()
        .all(|name| fs::copy(clients.join(name), installed.join(name)).is_ok());
    copied
        && Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(installed)
            .status()
            .is_ok_and(|status| status.success())
}
