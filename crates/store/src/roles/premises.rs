//! What every judgement rests on beside facts. A call that changes one marks what it concerns due.

use std::collections::BTreeSet;

use palisade_core::ident::PolicyId;

use crate::{Clock, Result};

/// Rules, settings and the clock.
pub trait Premises: Send + Sync {
    /// Notes the rules ([`palisade_core::evaluate::RULES`]) and the types that are assumed to be recorded
    /// ([`palisade_core::inventory::Assumed`], as text). If either is new, every policy gets a fan-out.
    /// Answers for how many.
    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Result<usize>;

    /// Replaces the policies that a setting names as Firewall Manager's own of common security groups.
    /// Policies of this store stay known beside them
    /// ([`Reference::CommonPolicies`](palisade_core::evaluate::Reference::CommonPolicies)). Answers whether
    /// the known ones changed; then their readers are marked due.
    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool>;

    /// Notes the age at which a shard counts as stale
    /// ([`palisade_core::evaluate::Evidence::stale_after_ms`]). If it is another than before, every shard
    /// that has deliveries is marked due. Answers whether it is.
    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool>;

    /// Notes what the clock says, `passed_ms` after the last look by another measure (0 without one).
    ///
    /// When the clock was set back, what was noted while it was ahead counts as noted now, leases end, and
    /// every shard is due.
    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Result<Clock>;
}
