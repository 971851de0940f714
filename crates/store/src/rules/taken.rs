//! Which files were taken in, so that one that comes again is known by its bytes.

use palisade_core::inventory::Delivery;

use crate::{Accepted, FileHash, Repeated, Result};

use super::Rows;
use super::prepared::Prepared;

/// Remembers a file that was just taken in, if it would change nothing if it were taken in once more. One that
/// had something it did not tell is asked for again for good reason; what is not believed of moments yet to come
/// may be believed later (it is quarantined); and whose accounts are unknown is told by the organization of the day.
pub fn remember(
    rows: &impl Rows,
    file: &FileHash,
    delivery: &Delivery,
    prepared: &Prepared<'_>,
    accepted: &Accepted,
    received_ms: i64,
) -> Result<()> {
    let tells_all = delivery.quarantined.is_empty()
        && delivery.quarantined_more == 0
        && delivery.missed.is_empty()
        && delivery.nobodys == 0
        && !delivery.foreign;
    if !tells_all || accepted.strangers > 0 {
        return Ok(());
    }
    let items = prepared.shards.values().map(|spoken| spoken.rows() as u64).sum();
    rows.put_file(file, Repeated { items, ignored: delivery.ignored }, received_ms)
}
