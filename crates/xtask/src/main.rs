//! The developers' commands: `cargo xtask test`, `cargo xtask tidy`, `cargo xtask codegen [--check]`,
//! `cargo xtask matrix`.

mod codegen;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask test | tidy | codegen [--check] | matrix";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => suite::run(),
        ["tidy"] => tidy::run().map(|files| println!("{files} source files are tidy")),
        ["codegen"] => codegen::run(false),
        ["codegen", "--check"] => codegen::run(true),
        ["matrix"] => matrix(),
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
        .current_dir(tidy::root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err("the table of operations could not be printed".to_owned()),
    }
}
