//! The worker loop: leases due work, judges shards, settles what was found.
//!
//! ```text
//! fan-outs ─ expand ─► marks ─ lease ─► load ─ judge ─► advance ─ settle ─► ledger
//! ```
//!
//! Every step may be repeated or cut off at any point: a lease that is never settled expires, and
//! what changed during a lease stays due.

mod asked;
mod guarded;
mod judge;
mod judging;
mod round;

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_api::health::Health;
use palisade_api::metrics::{Metrics, Stage};
use palisade_core::ident::{AccountId, ShardId};
use palisade_store::{FanOut, Lease, Store, StoreError, Work};

pub use judging::{DAMAGED_RETRY_MS, FAILED_RETRY_MS, Judging, STALE_AFTER_HOURS};
pub use round::FAILURES_MAX;
use round::Round;

/// Accounts marked by one step of a fan-out.
pub const FAN_OUT_CHUNK_MAX: usize = 1_000;
/// Shards leased, judged and settled together.
pub const LEASE_SHARDS_MAX: usize = 128;
/// How long a lease lasts, unless it is prolonged, before its work may be leased again, milliseconds: so long
/// the work of a node that is gone waits for another.
pub const LEASE_MS: i64 = 9_000;
/// Does one round of due work. Answers how many fan-out steps and shards it dealt with; 0 means
/// that nothing is due now.
///
/// INVARIANT: `view` is asked after the work was read. A mark is written in the same transaction
/// as the decision that caused it, so the view then holds that decision or a later one; asked
/// before, it could miss an account that has just entered a scope, and its mark would be cleared.
pub fn round(
    store: &dyn Store,
    view: &dyn Fn() -> Result<Arc<ControlView>, StoreError>,
    judging: Judging,
    now_ms: i64,
) -> Result<usize, StoreError> {
    let (metrics, health) = (Metrics::default(), Health::default());
    measured_round(store, view, judging, &|| now_ms, &metrics, &health, &|_| {})
}

/// As [`round`], and notes what the stages cost, and which shards fail. Looks that find nothing due count
/// as leases too.
/// All of it is judged at the moment that `clock` tells first; the past keeps it from the moment of its
/// settlement on.
/// `leased` is told, before anything is judged, what the round has taken: whoever runs it sees to it
/// that the leases last as long as the round does.
///
/// # Errors
/// Something could not be read or written, or judging a shard panicked. What else was judged is settled all
/// the same; what was recorded of shards that failed stands with an issue, and they are due again after
/// [`FAILED_RETRY_MS`], behind what waits already; what the round did not come to is due at once.
pub fn measured_round(
    store: &dyn Store,
    view: &dyn Fn() -> Result<Arc<ControlView>, StoreError>,
    judging: Judging,
    clock: &dyn Fn() -> i64,
    metrics: &Metrics,
    health: &Health,
    leased: &dyn Fn(&[Lease]),
) -> Result<usize, StoreError> {
    let (now_ms, mut done) = (clock(), 0);
    for fan_out in store.fan_outs()? {
        metrics.stepped();
        let moved = metrics.timed(Stage::Expand, || expand(store, &*view()?, &fan_out, now_ms))?;
        done += usize::from(moved);
    }
    let leases = metrics.timed(Stage::Lease, || store.lease(now_ms, LEASE_MS, LEASE_SHARDS_MAX))?;
    if leases.is_empty() {
        return Ok(done);
    }
    leased(&leases);
    done += leases.len();
    let view = match view() {
        Ok(view) => view,
        Err(error) => {
            give_up(store, &leases, None);
            return Err(error);
        }
    };
    let round = Round { store, view: &view, judging: &judging, now_ms, clock, metrics };
    let mut judged = metrics.timed(Stage::Judge, || round.judge(leases));
    metrics.timed(Stage::Settle, || round.settle(&mut judged));
    metrics.stepped();
    metrics.settled(judged.settled.len(), judged.judgements);
    metrics.failed(judged.failures());
    health.judged(&judged.settled, true);
    health.judged(&judged.held, false);
    health.judged(judged.failed.iter().map(|lease| &lease.shard), false);
    give_up(store, &judged.failed, Some(now_ms.saturating_add(FAILED_RETRY_MS)));
    give_up(store, &judged.untried, None);
    judged.failure.map_or(Ok(done), Err)
}

/// Leases that cannot be given up end by themselves.
fn give_up(store: &dyn Work, leases: &[Lease], not_before_ms: Option<i64>) {
    if !leases.is_empty()
        && let Err(error) = store.release(leases, not_before_ms)
    {
        tracing::error!(%error, shards = leases.len(), "leases could not be given up");
    }
}

/// Marks the next chunk of accounts for a fan-out's policy: those that it judges, and those that have an entry
/// under it or may get one, so that what left its scope is closed as well. Answers whether that moved the fan-out.
///
/// INVARIANT: who is reached is asked after the view. Whoever judges by an older one holds a lease from before it,
/// or has settled.
fn expand(
    store: &dyn Work,
    view: &ControlView,
    fan_out: &FanOut,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let Some(policy) = view.policy(&fan_out.policy).filter(|_| view.organization().is_some())
    else {
        // The policy went, or the view is older than the fan-out: in the first case the row went
        // with it, in the second the next round sees it.
        return Ok(false);
    };
    if policy.revision != fan_out.revision {
        return Ok(false);
    }
    let cursor = fan_out.cursor.as_ref();
    let limit = FAN_OUT_CHUNK_MAX.saturating_add(1);
    let mut accounts: BTreeSet<AccountId> =
        store.reached(fan_out, &policy.region, limit)?.into_iter().collect();
    let judged = view.in_scope(&policy.id);
    let done = judged.partition_point(|account| cursor.is_some_and(|cursor| account <= cursor));
    accounts.extend(judged.iter().skip(done).take(limit).cloned());
    let is_last = accounts.len() <= FAN_OUT_CHUNK_MAX;
    let shards: Vec<ShardId> = accounts
        .into_iter()
        .take(FAN_OUT_CHUNK_MAX)
        .map(|account| ShardId { account, region: policy.region.clone() })
        .collect();
    let next = shards.last().filter(|_| !is_last).map(|shard| &shard.account);
    store.advance_fan_out(fan_out, &shards, next, now_ms)
}
