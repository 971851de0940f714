//! Dropping what is too old to be asked for.

use palisade_core::ident::ResourceType;

use crate::Result;

use super::{Rows, past};

/// Drops history, and what is held of resources that are not there, from before a moment.
pub fn expire(rows: &impl Rows, before_ms: i64) -> Result<u64> {
    let dropped = [
        past::expire(rows, before_ms)?,
        // Before the items that close them.
        rows.drop_closed(before_ms)?,
        // Without a living recorder its tombstone is why a shard counts as not recorded, however long ago
        // that was.
        rows.drop_tombstones(before_ms, &ResourceType::CONFIGURATION_RECORDER)?,
        rows.drop_gone(before_ms)?,
        rows.drop_files(before_ms)?,
    ];
    Ok(dropped.into_iter().sum())
}
