//! What a store is asked for, one trait a role. [`Store`] is all of them.
//!
//! | role | holds |
//! |---|---|
//! | [`Control`] | organization, administrators, policies, lists: what people decided |
//! | [`Keys`] | access keys, and which key their secrets are sealed under |
//! | [`AuditLog`] | who changed what |
//! | [`Inventory`] | items of shards, and what is known of each shard |
//! | [`Premises`] | what every judgement rests on beside facts: rules, staleness, the clock |
//! | [`Work`] | what is due, who works on it, and what they found |
//! | [`Ledger`] | entries, violators and history by policy and account |
//! | [`Health`] | whether the store works, and what it costs |

mod audit_log;
mod control;
mod health;
mod inventory;
mod keys;
mod ledger;
mod premises;
mod work;

pub use audit_log::AuditLog;
pub use control::Control;
pub use health::Health;
pub use inventory::{CHANGES_MAX, Inventory, Loaded, LoadedChanges, Want};
pub use keys::Keys;
pub use ledger::Ledger;
pub use premises::Premises;
pub use work::Work;

/// The durable state of one organization, in all its roles.
///
/// INVARIANT: a method is one transaction. [`Inventory::load_each`] alone may be several.
/// INVARIANT: a method that writes does all of its writes or none. It returns after they are on disk.
///
/// Leases and steps of a fan-out need not be on disk when their method returns. A crash ends every
/// lease. It undoes a step of a fan-out together with the marks of that step, so the step is repeated.
pub trait Store: Control + Keys + AuditLog + Inventory + Premises + Work + Ledger + Health {}

impl<S> Store for S where
    S: Control + Keys + AuditLog + Inventory + Premises + Work + Ledger + Health + ?Sized
{
}
