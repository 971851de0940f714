//! What commands print, over the sample organization at one moment: as JSON and CSV, held against `docs/schemas`,
//! and as people see it, held against golden screens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

#[path = "printed/acts.rs"]
mod acts;
#[path = "printed/described.rs"]
mod described;
#[path = "support/house.rs"]
mod house;
#[path = "printed/masks.rs"]
mod masks;
#[path = "printed/schema.rs"]
mod schema;
#[path = "printed/schemas.rs"]
mod schemas;
#[path = "printed/screens.rs"]
mod screens;
mod support;
#[path = "printed/terminal.rs"]
mod terminal;
#[path = "printed/world.rs"]
mod world;
