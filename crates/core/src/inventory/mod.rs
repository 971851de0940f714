//! What exists: bytes of AWS Config deliveries become typed, compact items; items of one
//! (account, Region) become a [`Shard`] that evaluators read.
//!
//! ```text
//! bytes ─ split ─► one item's raw text ─ read ─► Observation ─ merge ─► held item ─► Shard
//! ```

mod body;
mod item;
mod merge;
mod read;
mod shard;
mod split;

pub use body::*;
pub use item::*;
pub use merge::*;
pub use read::*;
pub use shard::*;
pub use split::*;
