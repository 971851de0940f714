//! Work from mark to settlement.

use palisade_core::ident::{AccountId, Region, ShardId};

use crate::{AuditEvent, FanOut, Lease, Mark, Result, Settlement, WorkCounts};

/// What is due, who works on it, and what they found.
pub trait Work: Send + Sync {
    /// Marks work due at `now_ms`, as `POST /palisade/v1/evaluate` does, and appends the event if there is
    /// one.
    fn mark(&self, marks: &[Mark], now_ms: i64, event: Option<&AuditEvent>) -> Result<()>;

    /// Fan-outs that are not fully expanded, oldest first.
    fn fan_outs(&self) -> Result<Vec<FanOut>>;

    /// Accounts after a fan-out's cursor, ascending and no more than `limit`, that it must reach though the policy
    /// may not judge them any more: those that have an entry under it, and those whose shard of this Region is
    /// leased, for an entry may come of that.
    fn reached(&self, fan_out: &FanOut, region: &Region, limit: usize) -> Result<Vec<AccountId>>;

    /// Marks these shards due for the fan-out's policy and moves its cursor to `next`; `None` removes the
    /// fan-out. Answers `false`, and marks nothing, if another step moved it meanwhile or a newer revision
    /// replaced it.
    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<bool>;

    /// Leases due work until `now_ms + lease_ms`, all due marks of a shard together, oldest first. Until
    /// then, or until it is settled, nobody else gets the shard, whatever is marked on it meanwhile.
    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Result<Vec<Lease>>;

    /// Moves the end of these leases, as far as they are still held.
    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Result<()>;

    /// Ends these leases, as far as they are still held, without a judgement. Their marks become due
    /// at `not_before_ms` at the earliest, unless they were marked again meanwhile; `None` leaves them.
    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()>;

    /// Writes what judging found, many shards in one transaction.
    ///
    /// Drops a settlement whose lease ran out and was taken by another worker, and outcomes of a policy
    /// that is gone or has another revision. Marks that were made during the lease stay due.
    ///
    /// The past holds what they find from `now_ms` on, the moment of the call.
    fn settle_at(&self, settlements: &[Settlement], now_ms: i64) -> Result<()>;

    /// As [`Work::settle_at`], at the moment of the last judgement.
    fn settle(&self, settlements: &[Settlement]) -> Result<()> {
        let judged_ms = settlements.iter().map(|it| it.evaluated_ms).max().unwrap_or_default();
        self.settle_at(settlements, judged_ms)
    }

    /// How much work there is.
    fn work(&self, now_ms: i64) -> Result<WorkCounts>;
}
