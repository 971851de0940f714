//! `palisade`: reads the command line, runs the command, answers its exit code.

use std::process::ExitCode;

/// Deliveries are many small values that one thread makes and another one drops: the system's
/// allocator spends more on that than reading them does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of wrong usage (`EX_USAGE`); clap's own, 2, means "could not tell" here.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    match palisade::args::read(std::env::args_os()) {
        Ok(cli) => {
            let ended = palisade::run(&cli.command);
            palisade::logging::flush();
            palisade::terminal::finish(ended)
        }
        Err(error) if error.use_stderr() => {
            palisade::terminal::complain(&error.render().to_string());
            ExitCode::from(USAGE)
        }
        Err(help) => {
            let printed = help.print().map_err(|error| palisade::terminal::unwritten(&error));
            palisade::terminal::finish(printed.map(|()| palisade::failure::Exit::Done))
        }
    }
}
