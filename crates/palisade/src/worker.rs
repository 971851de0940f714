//! The worker loop: leases due work, judges shards, settles what was found.
//!
//! ```text
//! fan-outs ─ expand ─► marks ─ lease ─► load ─ judge ─► advance ─ settle ─► ledger
//! ```
//!
//! Every step may be repeated or cut off at any point: a lease that is never settled expires, and
//! what changed during a lease stays due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_api::metrics::{Judgements, Metrics, Stage};
use palisade_core::evaluate::{self, Changed, Evidence, Footprint, Reference, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceType, ShardId};
use palisade_core::ledger::{self, Change, Record};
use palisade_core::organization::Organization;
use palisade_core::policy::Policy;
use palisade_store::{
    Due, FanOut, Lease, LedgerWrite, Loaded, LoadedChanges, Outcome, Settlement, Store, StoreError,
    Want,
};

/// Accounts marked by one step of a fan-out.
pub const FAN_OUT_CHUNK_MAX: usize = 1_000;
/// Shards leased, judged and settled together.
pub const LEASE_SHARDS_MAX: usize = 128;
/// How long a lease lasts before its work may be leased again, milliseconds.
pub const LEASE_MS: i64 = 60_000;
/// After how long a shard is tried again of which something could not be read, milliseconds.
pub const DAMAGED_RETRY_MS: i64 = 10 * 60_000;

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
    measured_round(store, view, judging, now_ms, &Metrics::default(), &|| {})
}

/// As [`round`], and notes what the stages cost. Looks that find nothing due count as leases too.
/// `more` is told, before anything is judged, when there may be more due than the round takes.
pub fn measured_round(
    store: &dyn Store,
    view: &dyn Fn() -> Result<Arc<ControlView>, StoreError>,
    judging: Judging,
    now_ms: i64,
    metrics: &Metrics,
    more: &dyn Fn(),
) -> Result<usize, StoreError> {
    let mut done = 0;
    for fan_out in store.fan_outs()? {
        let moved = metrics.timed(Stage::Expand, || expand(store, &*view()?, &fan_out, now_ms))?;
        done += usize::from(moved);
    }
    let leases = metrics.timed(Stage::Lease, || store.lease(now_ms, LEASE_MS, LEASE_SHARDS_MAX))?;
    if leases.is_empty() {
        return Ok(done);
    }
    done += leases.len();
    if leases.len() >= LEASE_SHARDS_MAX {
        more();
    }
    let view = view()?;
    let round = Round { store, view: &view, judging, now_ms };
    let (settlements, judgements) = metrics.timed(Stage::Judge, || round.judge(leases))?;
    metrics.timed(Stage::Settle, || store.settle(&settlements))?;
    metrics.settled(settlements.len(), judgements);
    Ok(done)
}

/// Marks the next chunk of accounts for a fan-out's policy: every account of the organization, so
/// that those which left its scope are closed as well. Answers whether that moved the fan-out.
fn expand(
    store: &dyn Store,
    view: &ControlView,
    fan_out: &FanOut,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let (Some(policy), Some(organization)) = (view.policy(&fan_out.policy), view.organization())
    else {
        // The policy went, or the view is older than the fan-out: in the first case the row went
        // with it, in the second the next round sees it.
        return Ok(false);
    };
    if policy.revision != fan_out.revision {
        return Ok(false);
    }
    let mut chunk = accounts_after(organization, fan_out.cursor.as_ref());
    let accounts: Vec<&AccountId> = chunk.by_ref().take(FAN_OUT_CHUNK_MAX).collect();
    let next = chunk.next().and_then(|_| accounts.last().copied());
    let shards: Vec<ShardId> = accounts
        .iter()
        .map(|account| ShardId { account: (*account).clone(), region: policy.region.clone() })
        .collect();
    store.advance_fan_out(fan_out, &shards, next, now_ms)
}

fn accounts_after<'a>(
    organization: &'a Organization,
    cursor: Option<&AccountId>,
) -> impl Iterator<Item = &'a AccountId> {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = cursor.map_or(Unbounded, Excluded);
    organization.accounts.range::<AccountId, _>((from, Unbounded)).map(|(account, _)| account)
}

/// What is found of a shard: by policy, and when it must be judged again though nothing changes.
#[derive(Default)]
struct Found {
    outcomes: Vec<Outcome>,
    not_before_ms: Option<i64>,
    /// [`Loaded::as_of`]
    as_of: u64,
    /// [`Loaded::is_changed`]
    is_changed: bool,
    judgements: Judgements,
}

/// What all shards of a round are judged with.
#[derive(Clone, Copy)]
struct Round<'a> {
    store: &'a dyn Store,
    view: &'a ControlView,
    judging: Judging,
    now_ms: i64,
}

/// Some policies, and what judging a whole shard under them reads.
struct Asked<'a> {
    policies: Vec<&'a Arc<Policy>>,
    ids: Vec<PolicyId>,
    references: BTreeSet<Reference>,
    types: BTreeSet<ResourceType>,
}

impl<'a> Asked<'a> {
    fn of(policies: Vec<&'a Arc<Policy>>) -> Asked<'a> {
        Asked {
            ids: policies.iter().map(|policy| policy.id.clone()).collect(),
            references: policies.iter().flat_map(|policy| evaluate::references(policy)).collect(),
            types: policies.iter().flat_map(|policy| evaluate::reads(policy)).collect(),
            policies,
        }
    }

    fn want<'w>(&'w self, shard: &'w ShardId) -> Want<'w> {
        let Asked { ids: policies, references, types, .. } = self;
        Want { shard, references, policies, types }
    }
}

impl<'a> Round<'a> {
    /// Judges leased shards: what their marks name, and what concerns the items that changed. One
    /// bad row does not stop the rest: where something cannot be read, the policies are judged each
    /// apart, and those that need it get an issue.
    fn judge(&self, leases: Vec<Lease>) -> Result<(Vec<Settlement>, Judgements), StoreError> {
        let found = self.whole(&leases)?;
        let mut settlements = Vec::with_capacity(leases.len());
        let mut judgements = Judgements::default();
        for (lease, found) in leases.into_iter().zip(found) {
            let judge = self.of(&lease.shard);
            let found = match judge.leased(&lease, found) {
                Err(StoreError::Damaged { .. }) => judge.apart(&judge.policies(), lease.fence)?,
                found => found?,
            };
            judgements = judgements.and(found.judgements);
            settlements.push(Settlement {
                lease,
                evaluated_ms: self.now_ms,
                outcomes: found.outcomes,
                not_before_ms: found.not_before_ms,
                as_of: found.is_changed.then_some(found.as_of),
            });
        }
        Ok((settlements, judgements))
    }

    /// Of each lease what is found of its whole shard, where that is asked for: all loaded at one
    /// moment, since that costs more than judging does.
    fn whole(
        &self,
        leases: &[Lease],
    ) -> Result<Vec<Option<Result<Found, StoreError>>>, StoreError> {
        let mut asked: BTreeMap<(&Region, Vec<&Due>), Asked<'a>> = BTreeMap::new();
        let mut whole = Vec::new();
        for (place, lease) in leases.iter().enumerate() {
            let Some(dues) = whole_dues(lease) else { continue };
            let key = (&lease.shard.region, dues);
            if !asked.contains_key(&key) {
                let policies = policies_of(self.view, key.0, &key.1);
                asked.insert(key.clone(), Asked::of(policies));
            }
            whole.push((place, key));
        }
        let mut places = Vec::with_capacity(whole.len());
        let mut wants = Vec::with_capacity(whole.len());
        for (place, key) in &whole {
            if let (Some(asked), Some(lease)) = (asked.get(key), leases.get(*place)) {
                wants.push(asked.want(&lease.shard));
                places.push((*place, asked));
            }
        }
        let mut found: Vec<_> = leases.iter().map(|_| None).collect();
        self.store.load_each(&wants, &mut |nth, loaded| {
            let Some((place, asked)) = places.get(nth) else { return };
            if let (Some(lease), Some(found)) = (leases.get(*place), found.get_mut(*place)) {
                let judge = self.of(&lease.shard);
                *found = Some(loaded.map(|loaded| judge.found(&asked.policies, &loaded)));
            }
        })?;
        Ok(found)
    }

    fn of<'s>(&self, shard: &'s ShardId) -> Judge<'s>
    where
        'a: 's,
    {
        let Round { store, view, judging, now_ms } = *self;
        Judge { store, view, shard, judging, now_ms }
    }
}

/// The policies of a Region that such marks name.
fn policies_of<'v>(view: &'v ControlView, region: &Region, dues: &[&Due]) -> Vec<&'v Arc<Policy>> {
    let is_named = |policy: &Policy| {
        dues.iter().any(|due| match due {
            Due::Shard | Due::Changes => true,
            Due::Policy(id) => *id == policy.id,
        })
    };
    view.policies().filter(|policy| policy.region == *region && is_named(policy)).collect()
}

/// By which marks of a lease the whole shard is to be judged; `None` where its changes are.
fn whole_dues(lease: &Lease) -> Option<Vec<&Due>> {
    let is_due = |due: &Due| lease.marks.iter().any(|mark| mark.due == *due);
    if is_due(&Due::Shard) {
        Some(vec![&Due::Shard])
    } else if is_due(&Due::Changes) {
        None
    } else {
        Some(lease.marks.iter().map(|mark| &mark.due).collect())
    }
}

struct Judge<'a> {
    store: &'a dyn Store,
    view: &'a ControlView,
    shard: &'a ShardId,
    judging: Judging,
    now_ms: i64,
}

impl<'a> Judge<'a> {
    /// Every policy of the shard's Region.
    fn policies(&self) -> Vec<&'a Arc<Policy>> {
        policies_of(self.view, &self.shard.region, &[&Due::Shard])
    }

    /// What a lease asks for; `whole` is what was found of its whole shard, where that is it.
    ///
    /// INVARIANT: what changed of the items is judged under every policy, whatever is asked for, for
    /// settling takes the changes away and each record must hold the same of them.
    fn leased(
        &self,
        lease: &Lease,
        whole: Option<Result<Found, StoreError>>,
    ) -> Result<Found, StoreError> {
        let is_due = |due: Due| lease.marks.iter().any(|mark| mark.due == due);
        let Some(whole) = whole else {
            let is_named = |policy: &Policy| is_due(Due::Policy(policy.id.clone()));
            return self.by_changes(&self.policies(), is_named);
        };
        let found = whole?;
        if found.is_changed && !is_due(Due::Shard) {
            self.together(&self.policies())
        } else {
            Ok(found)
        }
    }

    /// What changed of the items, under every policy, and the whole shard under those named.
    fn by_changes(
        &self,
        every: &[&Arc<Policy>],
        is_named: impl Fn(&Policy) -> bool,
    ) -> Result<Found, StoreError> {
        let Some(LoadedChanges { changed, loaded }) = self.changes(every)? else {
            return self.together(every);
        };
        // Woken by then, whatever the setting was when the shard was judged whole.
        let stale_ms = self
            .judging
            .stale_after_ms
            .and_then(|after_ms| evaluate::stale_at_ms(loaded.shard.received_ms, after_ms));
        if stale_ms.is_some_and(|stale_ms| self.now_ms >= stale_ms) {
            return self.together(every);
        }
        let (as_of, not_before_ms) = (loaded.as_of, stale_ms);
        let mut found = Found { as_of, not_before_ms, is_changed: true, ..Found::default() };
        let mut whole = Vec::new();
        for policy in every.iter().copied() {
            if is_named(policy) {
                whole.push(policy);
                continue;
            }
            match self.by_footprint(policy, &loaded, &changed) {
                Reach::Nothing => found.judgements.nothing += 1,
                Reach::Part(outcome) => {
                    found.judgements.changes += 1;
                    found.outcomes.push(*outcome);
                }
                Reach::Whole => whole.push(policy),
            }
        }
        if whole.is_empty() {
            return Ok(found);
        }
        let rest = self.together(&whole)?;
        if rest.as_of != found.as_of {
            // More changed between the two looks, and not every policy was judged by it.
            return self.together(every);
        }
        found.outcomes.extend(rest.outcomes);
        found.not_before_ms = earliest(found.not_before_ms, rest.not_before_ms);
        found.judgements = found.judgements.and(rest.judgements);
        Ok(found)
    }

    /// What changed of the shard's items, with what judging that under these policies reads.
    fn changes(&self, policies: &[&Arc<Policy>]) -> Result<Option<LoadedChanges>, StoreError> {
        let ids: Vec<PolicyId> = policies.iter().map(|policy| policy.id.clone()).collect();
        let in_part = |changed: &[Changed]| {
            let mut of_all = Support::default();
            for policy in policies {
                let in_scope = self.view.is_in_scope(policy, &self.shard.account);
                if in_scope && evaluate::footprint(policy, changed) == Footprint::Resource {
                    let of_one = evaluate::support(policy, changed);
                    of_all.types.extend(of_one.types);
                    of_all.items.extend(of_one.items);
                }
            }
            of_all
        };
        let references = policies.iter().flat_map(|policy| evaluate::references(policy)).collect();
        self.store.load_changed(self.shard, &references, &ids, &in_part)
    }

    /// What changes of items do to one policy's record.
    fn by_footprint(&self, policy: &Policy, loaded: &Loaded, changed: &[Changed]) -> Reach {
        let record = loaded.records.get(&policy.id);
        if !self.view.is_in_scope(policy, &self.shard.account) {
            // Closing needs no look at anything.
            return record
                .map_or(Reach::Nothing, |_| Reach::Part(Box::new(self.outcome(policy, || None))));
        }
        let entry = record.and_then(|record| record.entry.as_ref());
        match evaluate::footprint(policy, changed) {
            Footprint::Nothing if ledger::holds(entry, policy.revision) => Reach::Nothing,
            Footprint::Resource if ledger::stands(entry, policy.revision) => {
                let before = record.cloned().unwrap_or_default();
                let difference = evaluate::judge_changed(policy, &self.evidence(loaded), changed);
                match ledger::advance_by(&before, &difference, self.now_ms) {
                    Ok(change) => Reach::Part(Box::new(self.outcome(policy, || change))),
                    Err(_) => Reach::Whole,
                }
            }
            Footprint::Nothing | Footprint::Resource | Footprint::Shard => Reach::Whole,
        }
    }

    fn evidence<'l>(&self, loaded: &'l Loaded) -> Evidence<'l> {
        Evidence {
            shard: &loaded.shard,
            references: &loaded.references,
            account: &loaded.account,
            evaluated_ms: self.now_ms,
            stale_after_ms: self.judging.stale_after_ms,
        }
    }

    /// The whole shard under these policies, from one moment.
    fn together(&self, policies: &[&Arc<Policy>]) -> Result<Found, StoreError> {
        let Asked { policies, ids, references, types } = Asked::of(policies.to_vec());
        let loaded = self.store.load_types(self.shard, &references, &ids, &types)?;
        Ok(self.found(&policies, &loaded))
    }

    /// What judging a whole shard under these policies finds.
    fn found(&self, policies: &[&Arc<Policy>], loaded: &Loaded) -> Found {
        let evidence = self.evidence(loaded);
        let (as_of, is_changed) = (loaded.as_of, loaded.is_changed);
        let mut found = Found { as_of, is_changed, ..Found::default() };
        for policy in policies {
            let before = loaded.records.get(&policy.id).cloned().unwrap_or_default();
            let not_before_ms = &mut found.not_before_ms;
            let outcome = self.outcome(policy, || {
                let judgement = evaluate::judge(policy, &evidence);
                *not_before_ms = earliest(*not_before_ms, judgement.not_before_ms);
                ledger::advance(&before, &judgement, policy.revision, self.now_ms)
            });
            found.outcomes.push(outcome);
            found.judgements.shard += 1;
        }
        found
    }

    /// Under one policy after the other. Of one whose facts cannot be read, what was recorded
    /// stands with an issue; where that cannot be read either, nothing is written. Both are tried
    /// again.
    fn apart(&self, policies: &[&Arc<Policy>], fence: u64) -> Result<Found, StoreError> {
        let mut found = Found { as_of: fence, is_changed: true, ..Found::default() };
        for policy in policies {
            match self.together(&[policy]) {
                Ok(one) => {
                    // Each sees its own moment. What came after the lease stays logged, and is judged
                    // already by some: only the whole tells then what there is.
                    if one.as_of > fence {
                        found.not_before_ms = Some(self.now_ms);
                    }
                    found.outcomes.extend(one.outcomes);
                    found.judgements = found.judgements.and(one.judgements);
                    found.not_before_ms = earliest(found.not_before_ms, one.not_before_ms);
                }
                Err(StoreError::Damaged { what, why }) => {
                    let ShardId { account, region } = self.shard;
                    let policy_id = &policy.id;
                    tracing::error!(%account, %region, policy = %policy_id, what, why, "not judged");
                    let retry_ms = self.now_ms.saturating_add(DAMAGED_RETRY_MS);
                    found.not_before_ms = earliest(found.not_before_ms, Some(retry_ms));
                    found.outcomes.extend(self.held(policy)?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn held(&self, policy: &Policy) -> Result<Option<Outcome>, StoreError> {
        let account = &self.shard.account;
        let record = || {
            let entry = self.store.entry(&policy.id, account)?.map(|row| row.entry);
            let violators = self.store.violators(&policy.id, account, None, usize::MAX)?;
            Ok(Record { entry, violators })
        };
        match record() {
            Ok(before) => Ok(Some(
                self.outcome(policy, || ledger::hold(&before, policy.revision, self.now_ms)),
            )),
            Err(StoreError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What to write: the change that a look at an account in scope finds.
    fn outcome(&self, policy: &Policy, look: impl FnOnce() -> Option<Change>) -> Outcome {
        let in_scope = self.view.is_in_scope(policy, &self.shard.account);
        let (write, references) = if in_scope {
            let write = look().map_or(LedgerWrite::Keep, LedgerWrite::Change);
            (write, evaluate::references(policy))
        } else {
            (LedgerWrite::Close, BTreeSet::new())
        };
        Outcome { policy: policy.id.clone(), revision: policy.revision, write, references }
    }
}

fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// How far the changes of a shard's items reach into one policy's record.
enum Reach {
    /// It stays as it is.
    Nothing,
    /// This is what becomes of it.
    Part(Box<Outcome>),
    /// The whole shard has to be judged.
    Whole,
}
