//! Palisade's wiring: command line, configuration, listener, worker loop, the sample organization.

pub mod args;
pub mod asking;
pub mod audit;
pub mod aws;
pub mod check;
pub mod client;
mod collect;
pub mod commands;
mod config;
pub mod credentials;
pub mod crew;
pub mod dashboard;
pub mod deliver;
mod doctor;
pub mod edge;
mod explain;
pub mod failure;
pub mod files;
pub mod keeping;
pub mod keys;
pub mod logging;
pub mod opening;
mod past;
mod permissions;
pub mod policies;
pub use palisade_api::printable;
mod preview;
pub mod progress;
pub mod quickstart;
mod reading;
pub mod report;
pub mod sample;
mod sampling;
pub mod sealing;
pub mod secrets;
pub mod serve;
mod sources;
mod sources_told;
pub mod stop;
pub mod system;
pub mod terminal;
pub mod timekeeper;
pub mod trust;
mod waivers;
pub mod watch;
pub mod worker;
pub mod wrapping;

use args::{Cli, Command, Organization};
use failure::{Exit, Outcome};

/// Runs a command to its end.
pub fn run(command: &Command) -> Outcome {
    match command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Sample(args) => sampling::run(args),
        Command::Check(args) => check::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Ingest(args) => commands::ingest(args),
        Command::Collect(args) => collect::run(args),
        Command::Organization(Organization::Apply(args)) => commands::apply(args),
        Command::Policies(command) => policies::run(command),
        Command::Compliance(args) => asking::compliance(args),
        Command::Violators(args) => asking::violators(args),
        Command::Explain(args) => explain::run(args),
        Command::Preview(args) => preview::run(args),
        Command::History(args) => past::history(args),
        Command::Diff(args) => past::diff(args),
        Command::Changes(args) => past::changes(args),
        Command::Waivers(command) => waivers::run(command),
        Command::Keys(command) => keys::run(command),
        Command::Sources(args) => sources_told::run(args),
        Command::Config(args::Config::File(args)) => config::check(args),
        Command::Aws(command) => permissions::run(command),
        Command::Audit(args) => audit::run(args),
        Command::Dashboard(args) => dashboard::run(args),
        Command::Store(command) => keeping::run(command),
        Command::Doctor(args) => doctor::run(args),
        Command::Completions(args) => {
            let mut command = <Cli as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut command, "palisade", &mut script);
            terminal::print_by(|to| to.write_all(&script))?;
            Ok(Exit::Done)
        }
    }
}
