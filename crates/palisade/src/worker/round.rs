//! Judging what a round has leased.

use std::collections::{BTreeMap, BTreeSet};

use palisade_api::ControlView;
use palisade_api::metrics::{Judgements, Metrics};
use palisade_core::ident::{Region, ShardId};
use palisade_store::{Due, Lease, Settlement, Store, StoreError};

use super::asked::{Asked, policies_of};
use super::guarded::guarded;
use super::judge::{Found, Judge};
use super::judging::Judging;

/// Shards of a round that may fail before the rest of it is given up for now.
pub const FAILURES_MAX: usize = 8;

/// What all shards of a round are judged with.
#[derive(Clone, Copy)]
pub struct Round<'a> {
    pub store: &'a dyn Store,
    pub view: &'a ControlView,
    pub judging: &'a Judging,
    pub now_ms: i64,
    /// Tells the time, milliseconds since the epoch.
    pub clock: &'a dyn Fn() -> i64,
    /// Told of every shard that is loaded or judged: whoever watches sees that the round moves.
    pub metrics: &'a Metrics,
}

/// What became of the leases of a round.
#[derive(Default)]
pub struct Judged {
    settlements: Vec<Settlement>,
    pub judgements: Judgements,
    /// What is settled.
    pub settled: Vec<ShardId>,
    /// Of these, what was recorded is settled with an issue, and why they failed is told.
    pub held: BTreeSet<ShardId>,
    pub failed: Vec<Lease>,
    /// Left after too many failures.
    pub untried: Vec<Lease>,
    /// The last one.
    pub failure: Option<StoreError>,
}

impl Judged {
    fn has_failed_often(&self) -> bool {
        self.failures() >= FAILURES_MAX
    }

    /// Shards whose judging, or settling, failed.
    pub fn failures(&self) -> usize {
        self.failed.len().saturating_add(self.held.len())
    }

    fn fail(&mut self, lease: Lease, error: StoreError, what: &str) {
        let (ShardId { account, region }, told) = (lease.shard.clone(), error.to_string());
        self.failed.push(lease);
        self.failure = Some(error);
        tracing::error!(%account, %region, error = told, "{what}");
    }

    fn add(&mut self, lease: Lease, found: Found, evaluated_ms: i64) {
        let settlement = self.settlement(lease, found, evaluated_ms);
        self.settlements.push(settlement);
    }

    fn settlement(&mut self, lease: Lease, found: Found, evaluated_ms: i64) -> Settlement {
        let Found { outcomes, not_before_ms, revision, is_changed, judgements, failure } = found;
        if failure.is_some() {
            self.held.insert(lease.shard.clone());
            self.failure = failure;
        }
        let revision = is_changed.then_some(revision);
        self.judgements = self.judgements.and(judgements);
        Settlement { lease, evaluated_ms, outcomes, not_before_ms, revision }
    }
}

impl<'a> Round<'a> {
    /// Judges leased shards: what their marks name, and what concerns the items that changed. One
    /// bad row does not stop the rest: where something cannot be read or fails, the policies are judged
    /// each apart, and those that need it get an issue. Nor does one shard: only where many fail, as when
    /// the disk is gone, is the rest left.
    pub fn judge(&self, leases: Vec<Lease>) -> Judged {
        let mut judged = Judged::default();
        let found = match self.whole(&leases) {
            Ok(found) => found,
            Err(error) => return Judged { untried: leases, failure: Some(error), ..judged },
        };
        for (lease, found) in leases.into_iter().zip(found) {
            self.metrics.stepped();
            let is_found = matches!(found, Some(Ok(_)));
            if judged.has_failed_often() && !is_found {
                judged.untried.push(lease);
                continue;
            }
            match self.one(&lease, found) {
                Ok(found) => judged.add(lease, found, self.now_ms),
                Err(error) => judged.fail(lease, error, "not judged; tried again later"),
            }
        }
        judged
    }

    fn one(
        &self,
        lease: &Lease,
        whole: Option<Result<Found, StoreError>>,
    ) -> Result<Found, StoreError> {
        let judge = self.of(&lease.shard);
        match guarded(|| judge.leased(lease, whole)) {
            Err(_) => guarded(|| judge.apart(&judge.policies(), lease.revision)),
            found => found,
        }
    }

    /// Writes what was found, all at once; if that fails each by itself, for one may be what it
    /// fails at. Of that one what was recorded stands, with an issue.
    pub fn settle(&self, judged: &mut Judged) {
        let settlements = std::mem::take(&mut judged.settlements);
        let shards = |all: &[Settlement]| -> Vec<ShardId> {
            all.iter().map(|settlement| settlement.lease.shard.clone()).collect()
        };
        let Err(error) = self.store.settle_at(&settlements, (self.clock)()) else {
            judged.settled.extend(shards(&settlements));
            return;
        };
        tracing::error!(%error, shards = settlements.len(), "not settled together; tried apart");
        for settlement in settlements {
            if judged.has_failed_often() {
                judged.untried.push(settlement.lease);
                continue;
            }
            let one = std::slice::from_ref(&settlement);
            match self.store.settle_at(one, (self.clock)()) {
                Ok(()) => judged.settled.extend(shards(one)),
                Err(error) => self.settle_held(judged, settlement.lease, error),
            }
        }
    }

    fn settle_held(&self, judged: &mut Judged, lease: Lease, error: StoreError) {
        let (shard, why) = (lease.shard.clone(), error.to_string());
        let (account, region) = (&shard.account, &shard.region);
        tracing::error!(%account, %region, error = why, "not settled; tried again later");
        let held = guarded(|| self.of(&shard).held(error, lease.revision));
        let written = held.and_then(|found| {
            let held = judged.settlement(lease.clone(), found, self.now_ms);
            self.store.settle_at(std::slice::from_ref(&held), (self.clock)())
        });
        match written {
            Ok(()) => judged.settled.push(shard),
            // Of a store that takes no writes that is told by itself, and no shard is to blame.
            Err(error) if self.store.ready().is_err() => {
                judged.held.remove(&shard);
                judged.untried.push(lease);
                judged.failure = Some(error);
            }
            Err(error) => {
                judged.held.remove(&shard);
                judged.fail(lease, error, "nor is it noted that it is not");
            }
        }
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
            self.metrics.stepped();
            let Some((place, asked)) = places.get(nth) else { return };
            if let (Some(lease), Some(found)) = (leases.get(*place), found.get_mut(*place)) {
                let judge = self.of(&lease.shard);
                let judged = |loaded| guarded(|| Ok(judge.found(&asked.policies, loaded)));
                *found = Some(loaded.and_then(judged));
            }
        })?;
        Ok(found)
    }

    fn of<'s>(&self, shard: &'s ShardId) -> Judge<'s>
    where
        'a: 's,
    {
        let Round { store, view, judging, now_ms, .. } = *self;
        Judge { store, view, shard, judging, now_ms }
    }
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
