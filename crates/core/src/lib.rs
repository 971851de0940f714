//! What Palisade knows and decides, as pure functions: what exists, what is wanted, who it is
//! about, what is wrong, what we recorded.
//!
//! The stages, in the order data flows through them:
//!
//! | module | answers | from → to |
//! |---|---|---|
//! | [`inventory`] | what exists | bytes → [`inventory::Observation`] → [`inventory::Shard`] |
//! | [`organization`] | whose it is | organization file → [`organization::Organization`] |
//! | [`policy`] | what is wanted | [`policy::Document`] → [`policy::Policy`] |
//! | [`scope`] | who it is about | policy × organization × resource → in or out |
//! | [`evaluate`] | what is wrong | policy × shard × references → [`evaluate::Judgement`] |
//! | [`ledger`] | what we recorded | (before, judgement) → [`ledger::Change`] |
//!
//! [`waiver`] tells which violators somebody accepted for a time, beside what is recorded.
//! [`lists`] holds the applications and protocols lists that content audits name.
//!
//! Nothing here reads, writes, waits, asks the time or draws random bytes: callers say what time
//! it is and hand over ids.

pub mod evaluate;
pub mod ident;
pub mod inventory;
pub mod ledger;
pub mod lists;
pub mod organization;
pub mod policy;
pub mod scope;
pub mod utf8;
pub mod waiver;
