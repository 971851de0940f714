//! Collecting from an AWS of our own: whole, and with each call failing in each way.

#![expect(clippy::unwrap_used, reason = "tests may, and so may what they share")]
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may, and so may what they share"
)]

mod answers;
mod collecting;
mod fake;
mod organization;
mod world;
