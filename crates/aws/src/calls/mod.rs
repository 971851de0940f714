//! The table of calls: every call of AWS's APIs that Palisade makes, once, as data.
//!
//! Requests, paging, the limiter, the IAM policy of the read role and `docs/aws-calls.md` are made of it. Page sizes are
//! the greatest that AWS's service models allow.

mod accounts;
mod config;
mod ec2;
mod edge;
mod firewalls;
mod load_balancers;
mod rates;
mod storage;
mod table;

use crate::call::Call;

pub use accounts::*;
pub use config::*;
pub use ec2::*;
pub use edge::*;
pub use firewalls::*;
pub use load_balancers::*;
pub use rates::BUCKETS;
pub use storage::*;

/// All calls, sorted by service as the families are listed.
pub fn all() -> impl Iterator<Item = &'static Call> {
    let families: [&'static [&'static Call]; 7] = [
        accounts::ACCOUNTS,
        ec2::EC2,
        load_balancers::LOAD_BALANCERS,
        edge::EDGE,
        firewalls::FIREWALLS,
        config::CONFIG,
        storage::STORAGE,
    ];
    families.into_iter().flatten().copied()
}

/// The call of this service and name: `("ec2", "DescribeVpcs")`.
pub fn find(service: &str, action: &str) -> Option<&'static Call> {
    all().find(|call| call.service.name() == service && call.action == action)
}

#[cfg(test)]
mod tests;
