//! Access keys, changed at one revision, and events of the audit log.

use crate::{AuditEvent, KeyChange, KeyRole, Result, StoreError};

use super::{Rows, damaged};

/// Applies all changes at the revision they were decided on.
pub fn commit(
    rows: &impl Rows,
    expected_revision: u64,
    changes: &[KeyChange],
    event: &AuditEvent,
) -> Result<u64> {
    let found = rows.keys_revision()?;
    if found != expected_revision {
        return Err(StoreError::Conflict);
    }
    for change in changes {
        // At the revision it was decided on, a key that is to be changed is there, and a new id is free.
        if !rows.change_key(change)? {
            return Err(StoreError::Conflict);
        }
    }
    append(rows, event)?;
    let next = found.saturating_add(1);
    rows.put_keys_revision(next)?;
    Ok(next)
}

/// Moves the last uses of keys forward. Keys that are gone are passed over.
pub fn used(rows: &impl Rows, uses: &[(String, i64)]) -> Result<()> {
    uses.iter().try_for_each(|(access_key_id, at_ms)| rows.raise_key_use(access_key_id, *at_ms))
}

/// Appends an event to the audit log.
pub fn append(rows: &impl Rows, event: &AuditEvent) -> Result<()> {
    rows.append_event(rows.next_sequence()?, event)
}

/// The role that a row names. One that is not known gives nobody more rights than it should.
///
/// # Errors
/// [`StoreError::Damaged`]
pub fn role(word: &str) -> Result<KeyRole> {
    KeyRole::named(word).ok_or_else(|| damaged("key", format!("its role is `{word}`")))
}
