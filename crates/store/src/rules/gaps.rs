//! Gaps of shards: what was missed of them and nothing has closed since (semantics §11 rows 37 and 39).

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{OpenGaps, open_gaps};

use crate::Result;

use super::Rows;
use super::rows::Of;

/// The gaps of a shard that nothing has closed.
pub fn open(rows: &impl Rows, id: &ShardId) -> Result<OpenGaps> {
    let missed = rows.missed(id)?;
    if missed.is_empty() {
        return Ok(OpenGaps::new());
    }
    let coverage = rows.coverage(id, Of::All)?;
    let mark_ms = |resource_type: &ResourceType| coverage.get(resource_type)?.mark_ms;
    let mut failed = None;
    let open = open_gaps(&missed, mark_ms, |one| {
        let (region, resource_type) = (one.region.as_ref(), one.resource_type.as_ref());
        let what = one.what.as_deref().unwrap_or_default();
        let seen_ms = rows.last_seen_ms(&id.account, region, resource_type, what);
        seen_ms.unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    failed.map_or(Ok(open), Err)
}
