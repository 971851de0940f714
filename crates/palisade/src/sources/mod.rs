//! What a server reads by itself, as `palisade.toml` says: one task a source, which goes on whatever fails.

mod bucket;
mod due;
mod live;
mod organization;
mod queue;
mod taking;

use std::path::Path;
use std::sync::Arc;

use palisade_api::App;
use palisade_sources::settings::{self, Fault, InventorySource, Lookup, Settings};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::aws::Aws;
use crate::failure::{Failure, unreadable};
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
