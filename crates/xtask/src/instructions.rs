//! `cargo xtask instructions`: what the signature check costs of a `ListComplianceStatus` call, in
//! instructions, which do not depend on how busy the machine is.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tidy;

/// Percent of the call that the check may cost.
const SHARE_MAX: u64 = 10;

/// Calls of the shorter run; the longer one makes twice as many, and the difference is the calls'
/// alone.
const CALLS: u64 = 100;

/// Counts and prints; skipped visibly where there is no valgrind.
///
/// # Errors
/// When the check costs more than [`SHARE_MAX`] percent, or something cannot be run.
pub fn run() -> Result<(), String> {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if !valgrind.is_ok_and(|output| output.status.success()) {
        println!("skipped: instructions: valgrind is not installed (Debian package `valgrind`)");
        return Ok(());
    }
    let program = build()?;
    let [signed, open] = ["sigv4", "open"].map(|auth| per_call(&program, auth));
    let (signed, open) = (signed?, open?);
    let check = signed.saturating_sub(open);
    let hundredths = check.saturating_mul(10_000).checked_div(signed).unwrap_or(0);
    println!("ListComplianceStatus, 100 of 1,000 accounts, in memory, instructions for each call:");
    println!("{signed:>12} with the signature check");
    println!("{open:>12} without");
    println!(
        "{check:>12} are the check: {}.{:02} % (at most {SHARE_MAX} %)",
        hundredths / 100,
        hundredths % 100
    );
    match hundredths <= SHARE_MAX.saturating_mul(100) {
        true => Ok(()),
        false => Err(format!("the signature check costs more than {SHARE_MAX} % of a call")),
    }
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "-p", "palisade-api", "--example", "one_call"])
        .current_dir(tidy::root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !status.success() {
        return Err("the example `one_call` cannot be built".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| tidy::root().join("target"), PathBuf::from);
    Ok(tidy::root().join(target).join("release/examples/one_call"))
}

fn per_call(program: &Path, auth: &str) -> Result<u64, String> {
    let (once, twice) = (count(program, auth, CALLS)?, count(program, auth, 2 * CALLS)?);
    Ok(twice.saturating_sub(once) / CALLS)
}

/// Instructions of a whole run, as callgrind counts them.
fn count(program: &Path, auth: &str, calls: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([auth, &calls.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("`one_call {auth} {calls}` failed:\n{said}"));
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    collected
        .and_then(|(_, number)| number.trim().parse().ok())
        .ok_or_else(|| format!("valgrind did not say how many instructions it collected:\n{said}"))
}
