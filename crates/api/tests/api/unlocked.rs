//! A store without locking, and otherwise as the one within.

use palisade_store::sqlite::SqliteStore;
use palisade_store::{Control, ControlChange, ControlState, Result, StoreError, Version};

/// A store that commits whatever the state was when it was decided, as one without locking would.
pub struct Unlocked(pub SqliteStore);

palisade_testkit::delegate_roles!(
    [impl] Unlocked => 0: Keys, AuditLog, Inventory, Premises, Work, Ledger, Health
);

impl Control for Unlocked {
    fn control_revision(&self) -> Result<u64> {
        self.0.control_revision()
    }

    fn control_since(&self, known: Option<&ControlState>) -> Result<ControlState> {
        self.0.control_since(known)
    }

    fn control_at(&self, at_ms: i64) -> Result<ControlState> {
        self.0.control_at(at_ms)
    }

    fn versions(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        self.0.versions(after_ms, through_ms)
    }

    fn commit(&self, _: u64, changes: &[ControlChange], now_ms: i64) -> Result<u64> {
        loop {
            // Others may have their turn between what was decided and what is written.
            std::thread::yield_now();
            match self.0.commit(self.0.control_revision()?, changes, now_ms) {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }
}
