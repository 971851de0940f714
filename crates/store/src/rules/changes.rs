//! Which items of a shard changed since it was judged, and what they were then.
//!
//! A row is what an item was before one delivery. Unless the shard is due whole, the oldest row of an
//! item is what it was when the shard was judged. Settling takes away the rows that were judged, and
//! no later ones.

use std::collections::BTreeMap;

use palisade_core::evaluate::Changed;
use palisade_core::ident::ShardId;
use palisade_core::inventory::{Held, Item, ItemKey, encode_item};

use crate::{CHANGES_MAX, Result};

use super::Rows;
use super::rows::Before;

/// Changes of one shard's items by one delivery, as far as they are judged one by one.
#[derive(Default)]
pub struct Log {
    /// Of what cannot be told nothing is logged: the shard is judged whole then.
    before: Before,
    /// There are more than [`CHANGES_MAX`].
    is_over: bool,
}

impl Log {
    /// An item changes; `before` is what is held of it while it was live.
    pub fn note(&mut self, key: &ItemKey, before: Option<&Held>) {
        let key = (key.resource_type.clone(), key.id.clone());
        if self.is_over || self.before.contains_key(&key) {
            return;
        }
        if self.before.len() >= CHANGES_MAX {
            self.is_over = true;
            self.before.clear();
            return;
        }
        self.before.insert(key, before.map(|held| encode_item(&held.item)));
    }

    /// Whether the shard has to be judged whole.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Keeps what the items were before the delivery of this sequence.
    pub fn write(&self, rows: &impl Rows, shard: &ShardId, sequence: u64) -> Result<()> {
        rows.log_changes(shard, sequence, &self.before)
    }
}

/// The items of a shard that changed since it was judged, ascending; `None` when they are more than
/// [`CHANGES_MAX`]. One that is as it was has not changed.
pub fn pending(rows: &impl Rows, shard: &ShardId) -> Result<Option<Vec<Changed>>> {
    let logged = rows.logged(shard, CHANGES_MAX.saturating_add(1))?;
    if logged.len() > CHANGES_MAX {
        return Ok(None);
    }
    let mut oldest: BTreeMap<ItemKey, Option<Item>> = BTreeMap::new();
    for (key, before) in logged {
        oldest.entry(key).or_insert(before);
    }
    let mut changed = Vec::with_capacity(oldest.len());
    for (key, before) in oldest {
        let after = rows.live_item(&key)?;
        if before != after {
            changed.push(Changed { key, before, after });
        }
    }
    Ok(Some(changed))
}

/// Whether so many changes are logged that the shard had better be judged whole: no more are to be
/// logged then.
pub fn are_many(rows: &impl Rows, shard: &ShardId) -> Result<bool> {
    rows.are_logged(shard, CHANGES_MAX)
}
