//! Firewall Manager's operations and Palisade's own endpoints over core and store.
//!
//! A request is six named steps:
//!
//! | step | where | what |
//! |---|---|---|
//! | accept | [`mod@router`] | limits on headers and body, protocol and operation |
//! | verify | [`verify`] | signature to caller: the one door to an [`Authentic`] request |
//! | decode | [`operations`] | body to the operation's typed input |
//! | act | one file a family | who may, what is asked, what is refused |
//! | store | [`App`] | decided on one revision, committed against it |
//! | encode | [`operations`] | output or fault to bytes |
//!
//! [`operations::OPERATIONS`] is the one table of the 42 operations; [`own`] has the endpoints that
//! AWS does not have.

pub mod administrators;
mod app;
mod arn;
pub mod audit;
mod budget;
mod buffers;
pub mod call;
pub mod caller;
pub mod compliance;
mod entropy;
mod fault;
pub mod health;
pub mod inflate;
mod intake;
pub mod judging;
pub mod key_use;
pub mod keys;
pub mod known;
pub mod lines;
pub mod lists;
pub mod metrics;
pub mod mint;
pub mod notification;
pub mod operations;
pub mod own;
pub mod pages;
pub mod policies;
pub mod preview;
pub mod printable;
pub mod protection;
mod remembered;
mod request;
pub mod resource_sets;
mod router;
mod row;
pub mod session;
pub mod sources;
mod tag_list;
pub mod tags;
pub mod third_party;
mod throttle;
mod usage;
pub mod vault;
pub mod verify;
mod view;
pub mod violations;
pub mod visit;
mod wire_names;

pub use app::{App, Auth, Clock, INGEST_SIZE_MAX, Settings, WRITES_WAITING_MAX};
pub use budget::{PROVEN_BYTES_MAX, Peer, UNPROVEN_BYTES_MAX};
pub use buffers::DELIVERIES_AT_ONCE_MAX;
pub use entropy::Entropy;
pub use intake::Known;
pub use router::{router, router_with};
pub use throttle::Rate;
pub use verify::Authentic;
pub use view::{ControlView, Desk};
