//! How complete a shard is: what its row, its types, its recorders and its open gaps tell.

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Recorder, Shard};

use crate::Result;

use super::rows::{Of, ShardRow};
use super::{Rows, gaps};

/// A shard with what tells how complete it is, of its items only recorders: enough for
/// [`Shard::knows`].
pub fn of(rows: &impl Rows, id: &ShardId) -> Result<Shard> {
    covered(rows, id, rows.shard(id)?.as_ref(), HeldTypes::IfTheyTell)
}

/// Which of the types that are held are loaded.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum HeldTypes {
    All,
    /// Only listed ones where a whole snapshot was accepted and a recorder is held: there
    /// [`Shard::knows`] and [`Shard::is_unheard_of`] ask for no others.
    IfTheyTell,
}

/// A shard with what tells how complete it is, of its items only recorders.
pub fn covered(
    rows: &impl Rows,
    id: &ShardId,
    row: Option<&ShardRow>,
    held: HeldTypes,
) -> Result<Shard> {
    let mut shard = Shard::empty(id.clone());
    shard.open_gaps = gaps::open(rows, id)?;
    let Some(row) = row else { return Ok(shard) };
    shard.snapshot_accepted = row.snapshot_accepted;
    shard.newest_ms = row.newest_ms();
    let recorders = rows.live_items_of(id, &ResourceType::CONFIGURATION_RECORDER)?;
    if !recorders.is_empty() {
        shard.items.insert(ResourceType::CONFIGURATION_RECORDER, recorders);
    }
    let is_recorded = shard.recorders().next().is_some();
    shard.recorder_deleted = !is_recorded && was_recorder_deleted(rows, id)?;
    let which = match held {
        HeldTypes::IfTheyTell if is_recorded && row.snapshot_accepted => Of::Listed,
        HeldTypes::IfTheyTell | HeldTypes::All => Of::All,
    };
    for (resource_type, coverage) in rows.coverage(id, which)? {
        if coverage.snapshot_ms.is_some() {
            shard.snapshot_types.insert(resource_type.clone());
        }
        if coverage.listed_ms.is_some() {
            shard.listed_types.insert(resource_type.clone());
        }
        if coverage.held {
            shard.held_types.insert(resource_type);
        }
    }
    Ok(shard)
}

/// Whether a recorder of the shard was deleted, other than a service-linked one.
fn was_recorder_deleted(rows: &impl Rows, id: &ShardId) -> Result<bool> {
    let deleted = rows.tombstones(id, &ResourceType::CONFIGURATION_RECORDER)?;
    Ok(deleted.iter().any(|id| !id.as_str().starts_with(Recorder::SERVICE_LINKED)))
}
