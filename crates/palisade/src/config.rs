//! `palisade config check`: a configuration file, and everything that is wrong with it.

use palisade_sources::settings::{Grade, Settings};

use crate::args::ConfigCheck;
use crate::failure::{Exit, Failure, Outcome};
use crate::report::counted;
use crate::sources;
use crate::terminal::{print_line, say, warn};

/// Runs the command.
pub fn check(args: &ConfigCheck) -> Outcome {
    let shown = args.file.display();
    let faults = match sources::read(&args.file)? {
        Ok(settings) => {
            if settings.organization.is_none() && settings.inventory.is_empty() {
                warn(format_args!("`{shown}` names no source"));
            }
            print_line(&format!("{shown}: {}", told(&settings)))?;
            return Ok(Exit::Done);
        }
        Err(faults) => faults,
    };
    for fault in &faults {
        say(format_args!("{shown}:{fault}"));
    }
    let wrong = faults.iter().filter(|fault| fault.grade == Grade::Wrong).count() as u64;
    match wrong {
        0 => {
            print_line(&format!("{shown}: right, and refers to what is not there"))?;
            Ok(Exit::Undecided)
        }
        some => Err(Failure::Usage(format!("`{shown}` has {}", counted(some, "fault")))),
    }
}

fn told(settings: &Settings) -> String {
    let organization = match &settings.organization {
        Some(_) => "the organization is read from AWS",
        None => "the organization is applied by hand",
    };
    let inventory = counted(settings.inventory.len() as u64, "source");
    format!("right; {organization}, inventory from {inventory}")
}
