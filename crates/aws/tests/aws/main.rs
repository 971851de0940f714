//! The client against a small AWS of its own: pages, sessions, limits, and every fault at every call.

#![expect(clippy::unwrap_used, reason = "tests may, and so may what they share")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may, and so may what they share"
)]

mod client;
mod docs;
mod environment;
mod fake;
mod faults;
mod http;
mod moto;
mod sessions;
mod world;
