//! Access keys. Callers seal the secrets; a store cannot read them.

use crate::{AuditEvent, KeyChange, KeyRecord, Result};

/// Access keys, and the keys that seal.
pub trait Keys: Send + Sync {
    /// One key by its access key id.
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>>;

    /// All keys, ascending by creation, then id.
    fn keys(&self) -> Result<Vec<KeyRecord>>;

    /// Revision of the keys. [`Keys::commit_keys`] alone moves it. Read it before the keys that a decision
    /// rests on.
    fn keys_revision(&self) -> Result<u64>;

    /// Name of the key that seals secrets, as [`KeyChange::SealUnder`] last set it; `None` while no sealing
    /// key was ever used. Read it after the revision.
    fn sealed_under(&self) -> Result<Option<String>>;

    /// Applies all changes, appends the event and answers the new revision.
    ///
    /// The store's files do not keep the former text of a secret that is sealed anew.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) when the keys are not at `expected_revision`,
    /// a new access key id is taken, or a key to change is missing; nothing changes then. An engine error
    /// when other readers hold on to the former text of a secret: the change stands then, and the
    /// text goes when the store is next served.
    fn commit_keys(
        &self,
        expected_revision: u64,
        changes: &[KeyChange],
        event: &AuditEvent,
    ) -> Result<u64>;

    /// Keeps when keys were last used, milliseconds since the epoch. A later use that is known stays.
    fn used_keys(&self, uses: &[(String, i64)]) -> Result<()>;

    /// The 32 bytes that seal page tokens, drawn when the store was made.
    fn sealing_key(&self) -> Result<[u8; 32]>;
}
