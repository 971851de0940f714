//! What accepting, marking, judging and settling mean, written once for all engines: over the verbs of
//! [`Rows`], within one transaction that the engine begins and ends.
//!
//! | file | rule |
//! |---|---|
//! | `rows.rs` | the verbs |
//! | `prepared.rs` | what can be done of a delivery before its turn to write comes |
//! | `intake.rs` | taking in a delivery: what is held afterwards, and what is due |
//! | `taken.rs` | which files need not be taken in again |
//! | `changes.rs` | which items changed since their shard was judged |
//! | `coverage.rs`, `gaps.rs`, `missed.rs` | how complete a shard is, and what was missed of it |
//! | `protections.rs`, `networks.rs` | what other shards say of a shard, and whom a change there concerns |
//! | `readers.rs`, `references.rs` | who reads a fact outside of its shard |
//! | `marks.rs` | what is due, leases on it, fan-outs |
//! | `load.rs` | what judging a shard reads |
//! | `settle.rs` | what judging found |
//! | `control.rs`, `keys.rs`, `common_policies.rs` | what a commit causes |
//! | `organization.rs` | what a row says of an organization, and whether it is one that is known |
//! | `past.rs`, over the verbs of `past_rows.rs` | what was answered at earlier moments |
//! | `clock.rs`, `retention.rs` | what time alone changes |

pub mod changes;
pub mod clock;
pub mod common_policies;
pub mod control;
pub mod coverage;
pub mod gaps;
pub mod intake;
pub mod keys;
pub mod load;
pub mod marks;
pub mod missed;
pub mod networks;
pub mod organization;
pub mod past;
pub mod past_rows;
pub mod prepared;
pub mod protections;
pub mod readers;
pub mod references;
pub mod retention;
pub mod rows;
pub mod settle;
pub mod taken;

use crate::StoreError;

pub use rows::Rows;

/// Says that a row cannot be read back.
pub fn damaged(what: &'static str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, why: why.to_string() }
}
