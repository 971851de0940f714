//! What a server reads by itself, as `palisade.toml` says: one task a source, which goes on whatever fails.

mod bucket;
mod live;
mod organization;
mod queue;
mod taking;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use palisade_api::App;
use palisade_aws::Surroundings as _;
use palisade_sources::settings::{self, Fault, InventorySource, Lookup, Settings};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::aws::Aws;
use crate::failure::{Failure, unreadable};
use crate::stop::until;
use taking::Taking;

/// Reads a configuration file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Result<Settings, Vec<Fault>>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    let lookup = Lookup {
        variable: &|name| std::env::var(name).ok(),
        file: &|path| std::fs::read_to_string(path),
    };
    Ok(settings::read(&text, &lookup))
}

/// Reads the file that a server is started with.
///
/// # Errors
/// It cannot be read, or something is wrong with it; each fault is a line.
pub fn read_right(path: &Path) -> Result<Settings, Failure> {
    read(path)?.map_err(|faults| {
        let shown = path.display();
        let lines: Vec<String> = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
        Failure::Usage(lines.join("\n"))
    })
}

/// Begins to read every source. What cannot be read of a queue is kept in the folder `aside`.
pub fn start(
    app: &Arc<App>,
    settings: Settings,
    aws: &Aws,
    aside: &Path,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    if let Some(source) = settings.organization {
        let reader = organization::Reader::new(app.clone(), aws.clone(), source);
        tasks.push(tokio::spawn(reader.read_on(stopped.clone())));
    }
    for (place, source) in settings.inventory.into_iter().enumerate() {
        let taking = |kind| Taking::new(app.clone(), aws.clone(), place, kind, aside.to_owned());
        match source {
            InventorySource::Live(source) => {
                let reader = live::Reader::new(app.clone(), aws.clone(), source, place);
                tasks.push(tokio::spawn(reader.read_on(stopped.clone())));
            }
            InventorySource::Bucket(source) => {
                let reader = bucket::Reader::new(taking("s3"), source);
                tasks.push(tokio::spawn(reader.read_on(stopped.clone())));
            }
            InventorySource::Queue(source) => {
                let reader = queue::Reader::new(taking("sqs"), source);
                tasks.push(tokio::spawn(reader.read_on(stopped.clone())));
            }
        }
    }
    tasks
}

/// How long a source that could not be read at all waits, at most, until it tries again.
const AGAIN: Duration = Duration::from_secs(60);

/// Waits until a source is due again, with some spread so that sources do not fall in step; `false`: the server stops.
/// One that failed is due sooner.
async fn due(
    aws: &Aws,
    every: Duration,
    has_failed: bool,
    stopped: &watch::Receiver<bool>,
    note: impl FnOnce(i64),
) -> bool {
    let every = if has_failed { every.min(AGAIN) } else { every };
    let spread = u64::try_from(every.as_millis()).unwrap_or(u64::MAX) / 10;
    let more = aws.surroundings.random().checked_rem(spread.max(1)).unwrap_or_default();
    let wait = every.saturating_add(Duration::from_millis(more));
    let next_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    note(aws.surroundings.wall_ms().saturating_add(next_ms));
    tokio::select! {
        () = tokio::time::sleep(wait) => !*stopped.borrow(),
        () = until(stopped.clone()) => false,
    }
}
