//! What the tests of several crates share: where data of others lies, and which tests did not run.

#[cfg(unix)]
pub mod postgres;
mod stores;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The tests' source of random numbers. Always made of a seed, which a test that fails has printed.
pub use fastrand::Rng;

/// The environment variable that names the file in which skipped tests are noted, one a line:
/// name, tab, reason. `cargo xtask test` sets it and counts the lines.
pub const SKIPPED: &str = "PALISADE_SKIPPED";

/// Notes that the running test, or a part of it, does not run, and why. Never silently: the line
/// goes past the test runner's capture, and `cargo xtask test` counts it.
pub fn skipped(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("{test}\t{}", reason.replace(['\n', '\t'], " "));
    // Past the capture of the test runner, so that it shows for a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
    let Some(path) = std::env::var_os(SKIPPED) else { return };
    // One write of one line: tests of several processes append to the file.
    let noted = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    if let Err(error) = noted {
        let _ = writeln!(std::io::stderr(), "{}: {error}", Path::new(&path).display());
    }
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// Data of others, which the repository does not hold: the folder that `variable` names, else
/// `../shared/NAME` beside the workspace. `None` where there is none; the running test is then
/// noted as skipped.
pub fn outside_data(variable: &str, name: &str) -> Option<PathBuf> {
    let default = || workspace().join("../shared").join(name);
    let folder = std::env::var_os(variable).map_or_else(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("no folder {} (name another with {variable})", folder.display()));
    None
}
