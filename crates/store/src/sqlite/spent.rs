//! What calls cost, with the size of the database.

use crate::effort::Spent;
use crate::{Effort, Result};

use super::log::Transaction;

/// The cost so far, with the size that `tx` sees.
pub(super) fn effort(spent: &Spent, tx: &Transaction<'_>) -> Result<Effort> {
    let number = |pragma| tx.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let page = number("page_size")?;
    Ok(Effort {
        bytes: number("page_count")?.saturating_mul(page),
        free_bytes: number("freelist_count")?.saturating_mul(page),
        ..spent.so_far()
    })
}
