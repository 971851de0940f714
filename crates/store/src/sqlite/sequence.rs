//! The store's own clock: a number that grows with whatever must be told apart as before and after.

use crate::Result;

use super::log::Transaction;
use super::store_row::of_store;

/// The next number of the sequence. Never handed out twice, whatever was deleted meanwhile.
pub(super) fn next(tx: &Transaction<'_>) -> Result<u64> {
    // Two statements, since RETURNING makes a table of its own each time.
    tx.prepare_cached("UPDATE store SET sequence = sequence + 1")?.execute([])?;
    of_store(tx, "sequence")
}
