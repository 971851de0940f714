//! Palisade's durable state. Callers ask for a role of it ([`roles`]); [`Store`] is all roles together.
//! What the roles mean is written once, as rules over rows. An engine has transactions and the verbs that
//! read and write rows: [`sqlite`] is the embedded default, [`postgres`] serves many nodes, [`MemoryStore`]
//! ends with the process.
//!
//! The kinds of state, and the calls that write them:
//!
//! | kind | what | written by |
//! |---|---|---|
//! | control | organization, administrators, policies, lists: small, read whole | [`Control::commit`] |
//! | keys | access keys, their secrets sealed by the caller | [`Keys::commit_keys`] |
//! | inventory | items of shards with what tells their coverage | [`Inventory::accept`] |
//! | ledger | entries, violators, history, references, and the work that is due | [`Work::settle`] |
//!
//! A call that somebody asked for takes an audit event, and appends it in its own transaction. Accepting
//! facts marks the work they cause in the same transaction, so no crash can lose it. The store neither
//! reads a clock nor draws random bytes: callers hand over both.

mod audit;
mod clock;
#[cfg(test)]
mod contract;
mod effort;
mod engine;
mod keys;
mod memory;
pub mod postgres;
mod records;
pub mod roles;
mod rules;
pub mod sqlite;

pub use audit::*;
pub use clock::{Clock, JUMP_MS_MAX, SET_BACK_MS_MAX};
pub use effort::Effort;
pub use keys::*;
pub use memory::MemoryStore;
pub use records::*;
pub use roles::{
    AuditLog, CHANGES_MAX, Control, Health, Inventory, Keys, Ledger, Loaded, LoadedChanges,
    Premises, Store, Want, Work,
};

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the control state since it was read: read again and decide again.
    #[error("the control state changed meanwhile")]
    Conflict,
    /// Another process serves from this store.
    #[error("`{0}` is in use by another palisade process; stop it first or use another --store")]
    InUse(String),
    /// The store was written by a newer Palisade.
    #[error(
        "`{path}` has schema version {found}, this palisade knows up to {known}; use a newer palisade"
    )]
    TooNew {
        /// Where.
        path: String,
        /// What it has.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// A stored row cannot be read back.
    #[error("the store holds a {what} that cannot be read: {why}")]
    Damaged {
        /// Which kind of row.
        what: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// The engine failed.
    #[error("the store failed: {0}")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Answer of a store call.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
