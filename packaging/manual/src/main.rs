//! Writes the manual pages into a folder: one for the program and one for each of its commands, of
//! the descriptions that `--help` prints.
//!
//! It is a program of its own so that the one that is shipped does not carry the writer.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: palisade-manual DIR");
        return ExitCode::FAILURE;
    };
    match write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("palisade-manual: {}: {error}", Path::new(&folder).display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(palisade::args::Cli::command(), folder)
}
