//! A client of AWS's APIs: credentials, one table of calls, limiter, paging, retries. It knows nothing of firewalls.
//!
//! ```text
//! Call (a row of calls) + parameters ─► request ─► turn (limiter) ─► signed ─► transport ─► answer ─► page ─► Complete
//!                                                        ▲    once more, where it may help    │
//!                                                        └────────────────────────────────────┘
//! ```
//!
//! A listing ends with [`Complete`], which only its last page makes, or with a [`CallError`] that names account,
//! Region, call and code. There is no third end: what was read in part never looks whole.

mod answer;
mod backoff;
mod call;
pub mod calls;
mod client;
mod credentials;
mod download;
mod endpoint;
mod error;
mod items;
mod limiter;
mod listing;
mod partition;
pub mod policy;
mod rate;
mod request;
mod service;
mod surroundings;
mod target;
mod transport;
pub mod xml;

pub use answer::MESSAGE_LENGTH_MAX;
pub use backoff::{ATTEMPTS_MAX, PAUSE_FIRST, PAUSE_MAX, pause};
pub use call::{Access, Call, Items, Paging, Rest};
pub use client::{Blob, Client, IN_FLIGHT_MAX, Settings};
pub use credentials::{
    ASK_AGAIN, Credentials, Environment, ExternalId, InvalidRole, Keys, NoEnvironment,
    PROFILES_MAX, REFRESH_BEFORE, REFUSED_FOR, Role, SESSION_SECS, account_of_role,
};
pub use download::Download;
pub use endpoint::{Endpoint, Endpoints, InvalidEndpoint};
pub use error::{CallError, Reason, codes};
pub use limiter::{
    BUCKETS_HELD_MAX, HALVING_PAUSE, Limiter, RATE_SHARE_MILLI, RECOVERY_STEP, SLOWEST_MILLI, Turn,
};
pub use listing::{Complete, Listing, PAGES_MAX, Page, Step};
pub use palisade_wire::sigv4::Secret;
pub use partition::{PARTITIONS, Partition};
pub use rate::{Bucket, Share};
pub use request::{BODY_SIZE_MAX, Parameters};
pub use service::{Protocol, Service};
pub use surroundings::Surroundings;
pub use target::Target;
pub use transport::{
    ANSWER_SIZE_MAX, IDLE_PER_HOST_MAX, Limits, NoAuthorities, Transport, system_authorities,
};
