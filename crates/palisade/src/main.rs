//! `palisade`: reads the command line, runs the command, answers its exit code.

use std::process::ExitCode;

use clap::Parser;
use palisade::args::Cli;

/// Deliveries are many small values that one thread makes and another one drops: the system's
/// allocator spends more on that than reading them does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of wrong usage (`EX_USAGE`); clap's own, 2, means "could not tell" here.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => palisade::failure::finish(palisade::run(&cli.command)),
        Err(error) => {
            // Nobody is left to tell when this fails.
            let _ = error.print();
            if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
