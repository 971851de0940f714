//! The developers' commands: `cargo xtask test`, `cargo xtask tidy`, `cargo xtask codegen [--check]`.

mod codegen;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask test | tidy | codegen [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => suite::run(),
        ["tidy"] => tidy::run().map(|files| println!("{files} source files are tidy")),
        ["codegen"] => codegen::run(false),
        ["codegen", "--check"] => codegen::run(true),
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
