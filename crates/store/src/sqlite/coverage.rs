//! How complete a shard is: what its row, its types, its recorders and its open gaps tell.

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Age, Shard};

use crate::{Result, Revision};

use super::columns::get;
use super::items::{has_recorder_tombstone, live_items_of};
use super::log::Transaction;
use super::sums::sound;
use super::{gaps, held};

const SHARD: &str = "shard";

/// A shard with what tells how complete it is, of its items only recorders: enough for
/// [`Shard::knows`].
pub(super) fn of(tx: &Transaction<'_>, id: &ShardId) -> Result<Shard> {
    covered(tx, id, head(tx, id)?.as_ref(), HeldTypes::IfTheyTell)
}

/// Which of the types that are held are loaded.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum HeldTypes {
    All,
    /// Only listed ones where a whole snapshot was accepted and a recorder is held: there
    /// [`Shard::knows`] and [`Shard::is_unheard_of`] ask for no others.
    IfTheyTell,
}

/// What a shard's own row tells, and whether changes are logged beside it.
pub(super) struct Head {
    row: held::ShardRow,
    /// [`Loaded::revision`](crate::Loaded::revision)
    pub(super) revision: Revision,
    /// [`Loaded::is_changed`](crate::Loaded::is_changed)
    pub(super) is_changed: bool,
}

/// In one statement, for it is asked of every shard that is judged; `None` when nothing was ever
/// delivered for it.
pub(super) fn head(tx: &Transaction<'_>, id: &ShardId) -> Result<Option<Head>> {
    let mut statement = tx.prepare_cached(
        "SELECT snapshot_accepted, newest_ms, global_newest_ms, changed,
           EXISTS (SELECT 1 FROM changes WHERE account = ?1 AND region = ?2),
           sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
             ahead_ms, global_ahead_ms)
         FROM shards WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([id.account.as_str(), id.region.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 5, SHARD)?;
    let revision = Revision(get(row, 3, SHARD)?);
    let is_changed = get(row, 4, SHARD)?;
    let row = held::ShardRow {
        snapshot_accepted: get(row, 0, SHARD)?,
        own: Age { newest_ms: get(row, 1, SHARD)?, ahead_ms: None },
        global: Age { newest_ms: get(row, 2, SHARD)?, ahead_ms: None },
    };
    Ok(Some(Head { row, revision, is_changed }))
}

/// A shard with what tells how complete it is, of its items only recorders.
pub(super) fn covered(
    tx: &Transaction<'_>,
    id: &ShardId,
    head: Option<&Head>,
    held: HeldTypes,
) -> Result<Shard> {
    let mut shard = Shard::empty(id.clone());
    shard.open_gaps = gaps::open(tx, id)?;
    let Some(Head { row, .. }) = head else { return Ok(shard) };
    shard.snapshot_accepted = row.snapshot_accepted;
    shard.newest_ms = row.newest_ms();
    let recorders = live_items_of(tx, id, &ResourceType::CONFIGURATION_RECORDER)?;
    if !recorders.is_empty() {
        shard.items.insert(ResourceType::CONFIGURATION_RECORDER, recorders);
    }
    let is_recorded = shard.recorders().next().is_some();
    shard.recorder_deleted = !is_recorded && has_recorder_tombstone(tx, id)?;
    let which = match held {
        HeldTypes::IfTheyTell if is_recorded && row.snapshot_accepted => held::Of::Listed,
        HeldTypes::IfTheyTell | HeldTypes::All => held::Of::All,
    };
    for (resource_type, coverage) in held::coverage(tx, id, which)? {
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
