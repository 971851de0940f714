//! What arrives in another account's file waits here, in a temporary file rather than in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palisade_core::ident::{AccountId, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Item, Missed, Observation, shows_region};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// One fact of a delivery that belongs to some shard.
#[derive(Debug, Deserialize, Serialize)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large one, and live briefly")]
pub enum Spilled {
    /// An item, and the moment of the whole snapshot that held it.
    Seen {
        /// The item.
        observation: Seen,
        /// Milliseconds since the epoch.
        moment_ms: Option<i64>,
    },
    /// Items of these types are there.
    Shown {
        /// In this shard.
        shard: ShardId,
        /// Told as `global`.
        global: bool,
        /// Which.
        types: BTreeSet<ResourceType>,
        /// The newest capture time of those of which nothing else is kept.
        newest_ms: Option<i64>,
    },
    /// A snapshot is the whole truth about these types.
    Covered {
        /// Of this shard.
        shard: ShardId,
        /// Which.
        types: BTreeSet<ResourceType>,
        /// As of this moment, milliseconds since the epoch.
        moment_ms: i64,
    },
    /// Something was not seen.
    Missed {
        /// Whose.
        account: AccountId,
        /// What.
        missed: Missed,
    },
    /// A whole snapshot holds items of these types.
    Held {
        /// Of this shard.
        shard: ShardId,
        /// Which.
        types: BTreeSet<ResourceType>,
    },
    /// A source listed these types completely.
    Listed {
        /// Of this shard.
        shard: ShardId,
        /// Which, each as of a moment, milliseconds since the epoch.
        types: BTreeMap<ResourceType, i64>,
    },
    /// There is a whole snapshot.
    Whole {
        /// Of this shard.
        shard: ShardId,
        /// Of this moment, milliseconds since the epoch.
        moment_ms: i64,
    },
}

/// An observation in a form that can be written.
#[derive(Debug, Deserialize, Serialize)]
pub struct Seen {
    item: Item,
    global: bool,
    is_ahead: bool,
}

impl From<Observation> for Seen {
    fn from(Observation { item, global, is_ahead }: Observation) -> Seen {
        Seen { item, global, is_ahead }
    }
}

impl From<Seen> for Observation {
    fn from(Seen { item, global, is_ahead }: Seen) -> Observation {
        Observation { item, global, is_ahead }
    }
}

impl Spilled {
    /// Whose it is.
    pub fn account(&self) -> &AccountId {
        match self {
            Spilled::Seen { observation, .. } => &observation.item.key.account,
            Spilled::Missed { account, .. } => account,
            Spilled::Shown { shard, .. }
            | Spilled::Covered { shard, .. }
            | Spilled::Held { shard, .. }
            | Spilled::Listed { shard, .. }
            | Spilled::Whole { shard, .. } => &shard.account,
        }
    }

    /// The shard to which it belongs; `None` where it may be in any Region.
    pub fn shard(&self) -> Option<ShardId> {
        match self {
            Spilled::Seen { observation, .. } => Some(observation.item.key.shard()),
            Spilled::Missed { account, missed } => {
                let region = missed.region.clone()?;
                Some(ShardId { account: account.clone(), region })
            }
            Spilled::Shown { shard, .. }
            | Spilled::Covered { shard, .. }
            | Spilled::Held { shard, .. }
            | Spilled::Listed { shard, .. }
            | Spilled::Whole { shard, .. } => Some(shard.clone()),
        }
    }

    /// Whether it shows that the account has something in the shard's Region.
    pub fn shows_region(&self) -> bool {
        match self {
            Spilled::Seen { observation, .. } => !observation.global,
            Spilled::Shown { global, .. } => !global,
            Spilled::Missed { missed, .. } => {
                missed.cause == Cause::Call
                    && missed.resource_type.as_ref().is_some_and(shows_region)
            }
            Spilled::Listed { types, .. } => types.keys().any(shows_region),
            Spilled::Covered { .. } | Spilled::Held { .. } => false,
            Spilled::Whole { .. } => true,
        }
    }
}

/// The temporary file; it goes with the process.
pub struct Spill(Mutex<Written>);

struct Written {
    file: BufWriter<File>,
    length: u64,
    /// Where each account's facts are: offset and length, neighbours joined.
    places: BTreeMap<AccountId, Vec<(u64, u64)>>,
}

impl Spill {
    /// An empty one. The file is made at once, so that a full or missing temporary folder is known
    /// before long work.
    pub fn new() -> Result<Spill, Failure> {
        let file = tempfile::tempfile().map_err(failed)?;
        let written = Written { file: BufWriter::new(file), length: 0, places: BTreeMap::new() };
        Ok(Spill(Mutex::new(written)))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one fact.
    pub fn push(&self, one: &Spilled) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(one).map_err(failed)?;
        line.push(b'\n');
        let length = line.len() as u64;
        let mut guard = self.written();
        let written = &mut *guard;
        written.file.write_all(&line).map_err(failed)?;
        let offset = written.length;
        written.length = offset.saturating_add(length);
        let places = written.places.entry(one.account().clone()).or_default();
        match places.last_mut() {
            Some((start, len)) if start.saturating_add(*len) == offset => {
                *len = len.saturating_add(length);
            }
            _ => places.push((offset, length)),
        }
        Ok(())
    }

    /// Accounts of which something is kept.
    pub fn accounts(&self) -> Result<BTreeSet<AccountId>, Failure> {
        let mut written = self.written();
        written.file.flush().map_err(failed)?;
        Ok(written.places.keys().cloned().collect())
    }

    /// Hands out every fact kept of an account, in order of arrival.
    pub fn of(&self, account: &AccountId, mut take: impl FnMut(Spilled)) -> Result<(), Failure> {
        let mut guard = self.written();
        let written = &mut *guard;
        written.file.flush().map_err(failed)?;
        for (offset, length) in written.places.get(account).into_iter().flatten() {
            let file = written.file.get_mut();
            file.seek(SeekFrom::Start(*offset)).map_err(failed)?;
            let mut text = String::new();
            file.take(*length).read_to_string(&mut text).map_err(failed)?;
            for line in text.lines() {
                take(serde_json::from_str(line).map_err(failed)?);
            }
        }
        written.file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Input(format!(
        "the temporary file for items out of order failed: {error}; set TMPDIR to a folder with room"
    ))
}
