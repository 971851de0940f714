//! A store without locking, and otherwise as the one within.

use palisade_store::sqlite::SqliteStore;
use palisade_store::{Control, ControlChange, ControlState, Result, StoreError};

/// A store that commits whatever the state was when it was decided, as one without locking would.
pub struct Unlocked(pub SqliteStore);

palisade_testkit::delegate_roles!(
    [impl] Unlocked => 0: Keys, AuditLog, Inventory, Premises, Work, Ledger, Health
);

impl Control for Unlocked {
    fn control_revision(&self) -> Result<u64> {
        self.0.control_revision()
    }

    fn control(&self) -> Result<ControlState> {
        self.0.control()
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
