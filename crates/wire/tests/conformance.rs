//! The published vectors of the wire and the signature, run against this crate.
//!
//! Palisade's own are in `tests/data/conformance`. Suites of others are read from the folder
//! `PALISADE_CONFORMANCE`, by default `../shared/conformance` beside the workspace; where there is
//! none, each of their tests is counted as skipped.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "conformance/body_suites.rs"]
mod body_suites;
#[path = "conformance/cbor_items.rs"]
mod cbor_items;
#[path = "generated/dispatch.rs"]
#[macro_use]
mod dispatch;
#[path = "conformance/exceptions.rs"]
mod exceptions;
#[path = "conformance/fms_suites.rs"]
mod fms_suites;
#[path = "conformance/shape_values.rs"]
mod shape_values;
#[path = "conformance/sigv4_suites.rs"]
mod sigv4_suites;
#[path = "conformance/suite.rs"]
mod suite;
#[path = "conformance/test_shapes.rs"]
mod test_shapes;
