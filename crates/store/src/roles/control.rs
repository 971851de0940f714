//! The control state: small, read whole, changed at one revision.

use crate::{ControlChange, ControlState, Result};

/// What administrators and operators decided.
pub trait Control: Send + Sync {
    /// Revision of the control state. It grows with every commit. Cheap.
    fn control_revision(&self) -> Result<u64>;

    /// The whole control state at one revision.
    fn control(&self) -> Result<ControlState>;

    /// Applies all changes and answers the new revision.
    ///
    /// A policy that is put with another revision gets a fan-out. A list that is put with other content, or
    /// removed, marks its readers. A removed policy takes its entries, violators, references and work with
    /// it, and `now_ms` ends its history.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](crate::StoreError::Conflict) when the state is not at
    /// `expected_revision`; nothing changes then.
    fn commit(&self, expected_revision: u64, changes: &[ControlChange], now_ms: i64)
    -> Result<u64>;
}
