//! What Palisade reads by itself: the organization and its inventory, from AWS's APIs.
//!
//! ```text
//! unit (account, Region) ─► kinds (one listing each) ─► items, or the call that failed ─► Collection (a file)
//! ```
//!
//! For each (account, Region, type) a collector gives a complete listing at a moment, or a gap that names the call and
//! AWS's code. There is no third: an account that could not be read never looks empty.

mod ask;
pub mod bucket;
mod collection;
mod collector;
mod item;
mod kind;
mod kinds;
pub mod message;
mod organization;
pub mod queue;
pub mod settings;

pub use ask::{ITEMS_MAX, LISTED_AGAIN_MAX};
pub use collection::{Collection, FailedType};
pub use collector::{Collector, Unit};
pub use kind::{Kind, Place};
pub use kinds::KINDS;
pub use organization::{DELEGATED_SERVICE, Unread, read_organization};
