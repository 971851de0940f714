//! What `cargo xtask codegen` makes of the service model. Never edited; this file alone is written by hand.
#![expect(
    missing_docs,
    reason = "the names are those of AWS's API reference, which documents them"
)]

mod bodies;
pub mod operations;
pub mod shapes;
pub mod table;
