//! `palisade sample`: the files of a made-up organization, for whoever wants to try or test something.

use palisade_api::Clock as _;

use crate::args::Sample;
use crate::failure::{Exit, Failure, Outcome};
use crate::sample::{self, ACCOUNTS_MAX, Extent};
use crate::system::SystemClock;
use crate::terminal::print_line;

/// `palisade sample`
///
/// # Errors
/// The folder is not empty, or cannot be written.
pub fn run(args: &Sample) -> Outcome {
    let folder = &args.out;
    if std::fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_some()) {
        return Err(Failure::Usage(format!(
            "folder `{}` is not empty: name a new one with --out",
            folder.display()
        )));
    }
    let extent = Extent {
        accounts: usize::try_from(args.accounts).unwrap_or(ACCOUNTS_MAX),
        seed: args.seed,
    };
    let census = sample::write(folder, extent, SystemClock.now_ms()).map_err(|error| {
        Failure::Refused(format!("the sample cannot be written to `{}`: {error}", folder.display()))
    })?;
    print_line(&format!(
        "{0}: {1} accounts, {2} AWS Config snapshots with {3} items; judge them with `palisade check --policy \
         {0}/policies --organization {0}/organization.json {0}/AWSLogs`",
        folder.display(),
        census.accounts,
        census.snapshots,
        census.items
    ))?;
    Ok(Exit::Done)
}
