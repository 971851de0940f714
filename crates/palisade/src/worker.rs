//! The worker loop: leases due work, judges shards, settles what was found.
//!
//! ```text
//! fan-outs ─ expand ─► marks ─ lease ─► load ─ judge ─► advance ─ settle ─► ledger
//! ```
//!
//! Every step may be repeated or cut off at any point: a lease that is never settled expires, and
//! what changed during a lease stays due.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_core::evaluate::{self, Evidence};
use palisade_core::ident::{AccountId, PolicyId, ShardId};
use palisade_core::ledger;
use palisade_core::organization::Organization;
use palisade_core::policy::Policy;
use palisade_store::{FanOut, Lease, LedgerWrite, Outcome, Settlement, Store, StoreError};

/// Accounts marked by one step of a fan-out.
pub const FAN_OUT_CHUNK_MAX: usize = 1_000;
/// Shards leased, judged and settled together.
pub const LEASE_SHARDS_MAX: usize = 64;
/// How long a lease lasts before its work may be leased again, milliseconds.
pub const LEASE_MS: i64 = 60_000;

/// How the worker judges.
#[derive(Clone, Copy, Debug)]
pub struct Judging {
    /// Age of the last delivery at which inventory counts as stale, milliseconds; `None` is never.
    pub stale_after_ms: Option<i64>,
}

impl Default for Judging {
    fn default() -> Self {
        Self { stale_after_ms: Some(24 * 60 * 60 * 1_000) }
    }
}

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
    let mut done = 0;
    for fan_out in store.fan_outs()? {
        expand(store, &*view()?, &fan_out, now_ms)?;
        done += 1;
    }
    let leases = store.lease(now_ms, LEASE_MS, LEASE_SHARDS_MAX)?;
    if leases.is_empty() {
        return Ok(done);
    }
    done += leases.len();
    let view = view()?;
    let mut settlements = Vec::with_capacity(leases.len());
    for lease in leases {
        let shard = lease.shard.clone();
        match judge(store, &view, lease, judging, now_ms) {
            Ok(settlement) => settlements.push(settlement),
            // One bad row does not stop the rest: its lease runs out and it is tried again.
            Err(error @ StoreError::Damaged { .. }) => {
                tracing::error!(%error, account = %shard.account, region = %shard.region, "a shard cannot be judged");
            }
            Err(error) => return Err(error),
        }
    }
    store.settle(&settlements)?;
    Ok(done)
}

/// Marks the next chunk of accounts for a fan-out's policy: every account of the organization, so
/// that those which left its scope are closed as well.
fn expand(
    store: &dyn Store,
    view: &ControlView,
    fan_out: &FanOut,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (Some(policy), Some(organization)) = (view.policy(&fan_out.policy), view.organization())
    else {
        // The policy went, or the view is older than the fan-out: in the first case the row went
        // with it, in the second the next round sees it.
        return Ok(());
    };
    if policy.revision != fan_out.revision {
        return Ok(());
    }
    let mut chunk = accounts_after(organization, fan_out.cursor.as_ref());
    let accounts: Vec<&AccountId> = chunk.by_ref().take(FAN_OUT_CHUNK_MAX).collect();
    let next = chunk.next().and_then(|_| accounts.last().copied());
    let shards: Vec<ShardId> = accounts
        .iter()
        .map(|account| ShardId { account: (*account).clone(), region: policy.region.clone() })
        .collect();
    store.advance_fan_out(fan_out, &shards, next, now_ms)?;
    Ok(())
}

fn accounts_after<'a>(
    organization: &'a Organization,
    cursor: Option<&AccountId>,
) -> impl Iterator<Item = &'a AccountId> {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = cursor.map_or(Unbounded, Excluded);
    organization.accounts.range::<AccountId, _>((from, Unbounded)).map(|(account, _)| account)
}

/// Judges one leased shard under the policies its marks name.
fn judge(
    store: &dyn Store,
    view: &ControlView,
    lease: Lease,
    judging: Judging,
    now_ms: i64,
) -> Result<Settlement, StoreError> {
    let policies = policies_of(view, &lease);
    let ids: Vec<PolicyId> = policies.iter().map(|policy| policy.id.clone()).collect();
    let wanted: Vec<BTreeSet<_>> =
        policies.iter().map(|policy| evaluate::references(policy)).collect();
    let all = wanted.iter().flatten().cloned().collect();
    let loaded = store.load(&lease.shard, &all, &ids)?;
    let evidence = Evidence {
        shard: &loaded.shard,
        references: &loaded.references,
        account: &loaded.account,
        evaluated_ms: now_ms,
        stale_after_ms: judging.stale_after_ms,
    };
    let mut outcomes = Vec::with_capacity(policies.len());
    let mut not_before_ms: Option<i64> = None;
    for (policy, references) in policies.iter().zip(wanted) {
        let before = loaded.records.get(&policy.id).cloned().unwrap_or_default();
        let in_scope = view.is_in_scope(policy, &lease.shard.account);
        let (write, references) = if in_scope {
            let judgement = evaluate::judge(policy, &evidence);
            not_before_ms = earliest(not_before_ms, judgement.not_before_ms);
            let write = match ledger::advance(&before, &judgement, policy.revision, now_ms) {
                Some(change) => LedgerWrite::Change(change),
                None => LedgerWrite::Keep,
            };
            (write, references)
        } else {
            (LedgerWrite::Close, BTreeSet::new())
        };
        outcomes.push(Outcome {
            policy: policy.id.clone(),
            revision: policy.revision,
            write,
            references,
        });
    }
    Ok(Settlement { lease, evaluated_ms: now_ms, outcomes, not_before_ms })
}

fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// The policies a lease asks for: all of the shard's Region, or those named.
fn policies_of<'a>(view: &'a ControlView, lease: &Lease) -> Vec<&'a Arc<Policy>> {
    let every = lease.marks.iter().any(|mark| mark.policy.is_none());
    view.policies()
        .filter(|policy| policy.region == lease.shard.region)
        .filter(|policy| {
            every || lease.marks.iter().any(|mark| mark.policy.as_ref() == Some(&policy.id))
        })
        .collect()
}
