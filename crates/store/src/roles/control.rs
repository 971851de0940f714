//! The control state: small, read whole, changed at one revision.

use crate::{ControlChange, ControlState, Result, Version};

/// What administrators and operators decided.
pub trait Control: Send + Sync {
    /// Revision of the control state. It grows with every commit. Cheap.
    fn control_revision(&self) -> Result<u64>;

    /// The whole control state at one revision.
    fn control(&self) -> Result<ControlState> {
        self.control_since(None)
    }

    /// As [`Control::control`], taking over of `known`, an earlier answer of this store, what has not been put
    /// since then and costs much to read: the organization with its accounts.
    fn control_since(&self, known: Option<&ControlState>) -> Result<ControlState>;

    /// What was decided at a moment of the past ([`Ledger::span`](super::Ledger::span)): organization,
    /// administrators, policies and waivers. All else of the state is absent.
    fn control_at(&self, at_ms: i64) -> Result<ControlState>;

    /// What of that became another after a moment, up to another moment, in the order in which it did.
    fn versions(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>>;

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
