//! The router as clients see it: in process, over a store in memory, with a clock that stands
//! still and random bytes from a seed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share is not inside a test function, and fails like one"
)]

mod admin_scope;
mod administrators;
mod audit;
mod both_protocols;
mod callers;
mod charts;
mod compliance;
mod concurrency;
mod deadline;
mod delivery;
mod explaining;
mod forms;
mod key_rights;
mod keys;
mod lists;
mod matrix;
mod members;
mod network_acls;
mod operator;
mod policies;
mod policies_told;
mod quotas;
mod resource_sets;
mod seats;
mod sources;
mod support;
mod surveyed;
mod tags;
mod texts;
mod unlocked;
mod unproven;
mod waived_alike;
mod waivers;
mod wire;
mod world;
