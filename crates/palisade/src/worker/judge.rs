//! Judging one shard: whole, by its changes, or policy by policy where something cannot be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_api::metrics::Judgements;
use palisade_core::evaluate::{self, Changed, Evidence, Footprint, Support};
use palisade_core::ident::{PolicyId, ShardId};
use palisade_core::inventory::Shard;
use palisade_core::ledger::{self, Change, Obstacle, Record};
use palisade_core::policy::Policy;
use palisade_store::{
    Due, Lease, LedgerWrite, Loaded, LoadedChanges, Outcome, Revision, Store, StoreError, Want,
};

use super::asked::{Asked, policies_of};
use super::guarded::guarded;
use super::judging::{DAMAGED_RETRY_MS, FAILED_RETRY_MS, Judging};

/// What is found of a shard: by policy, and when it must be judged again though nothing changes.
#[derive(Default)]
pub struct Found {
    pub outcomes: Vec<Outcome>,
    pub not_before_ms: Option<i64>,
    /// [`Loaded::revision`]
    pub revision: Revision,
    /// [`Loaded::is_changed`]
    pub is_changed: bool,
    pub judgements: Judgements,
    /// Why some policy's record is held, other than that something is damaged.
    pub failure: Option<StoreError>,
}

/// One shard, and what it is judged with.
pub struct Judge<'a> {
    pub store: &'a dyn Store,
    pub view: &'a ControlView,
    pub shard: &'a ShardId,
    pub judging: &'a Judging,
    pub now_ms: i64,
}

impl<'a> Judge<'a> {
    /// Every policy of the shard's Region.
    pub fn policies(&self) -> Vec<&'a Arc<Policy>> {
        policies_of(self.view, &self.shard.region, &[&Due::Shard])
    }

    /// What a lease asks for; `whole` is what was found of its whole shard, where that is it.
    ///
    /// INVARIANT: what changed of the items is judged under every policy, whatever is asked for, for
    /// settling takes the changes away and each record must hold the same of them.
    pub fn leased(
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
        let current_until_ms = |after_ms| {
            let until_ms = evaluate::current_until_ms(&loaded.shard, self.now_ms, after_ms);
            until_ms.ok_or(Stale)
        };
        let Ok(not_before_ms) = self.judging.stale_after_ms.map(current_until_ms).transpose()
        else {
            return self.together(every);
        };
        let revision = loaded.revision;
        let mut found = Found { revision, not_before_ms, is_changed: true, ..Found::default() };
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
        if rest.revision != found.revision {
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
        let changes = self.store.load_changed(self.shard, &references, &ids, &in_part)?;
        Ok(changes.map(|LoadedChanges { changed, loaded }| LoadedChanges {
            changed,
            loaded: self.assuming(loaded),
        }))
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
                    Ok(change) => {
                        let dated = change.map(|change| self.dated_by(change, changed));
                        Reach::Part(Box::new(self.outcome(policy, || dated)))
                    }
                    Err(_) => Reach::Whole,
                }
            }
            Footprint::Nothing | Footprint::Resource | Footprint::Shard => Reach::Whole,
        }
    }

    /// What the operator's word makes known, beside what was delivered.
    fn assuming(&self, mut loaded: Loaded) -> Loaded {
        loaded.shard.assumed = self.judging.assumed.clone();
        loaded.account.assume(&self.judging.assumed);
        loaded
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
        let loaded = self.store.load(&Want::of_types(self.shard, &references, &ids, &types))?;
        Ok(self.found(&policies, loaded))
    }

    /// What judging a whole shard under these policies finds.
    pub fn found(&self, policies: &[&Arc<Policy>], loaded: Loaded) -> Found {
        let loaded = &self.assuming(loaded);
        let evidence = self.evidence(loaded);
        let (revision, is_changed) = (loaded.revision, loaded.is_changed);
        let mut found = Found { revision, is_changed, ..Found::default() };
        for policy in policies {
            let before = loaded.records.get(&policy.id).cloned().unwrap_or_default();
            let not_before_ms = &mut found.not_before_ms;
            let mut outcome = self.outcome(policy, || {
                let judgement = evaluate::judge(policy, &evidence);
                *not_before_ms = earliest(*not_before_ms, judgement.not_before_ms);
                let change = ledger::advance(&before, &judgement, policy.revision, self.now_ms);
                change.map(|change| self.dated(change, &loaded.shard))
            });
            if outcome.write != LedgerWrite::Close {
                outcome.references.extend(evaluate::shard_references(policy, &loaded.shard));
            }
            found.outcomes.push(outcome);
            found.judgements.shard += 1;
        }
        found
    }

    /// A change with the capture times of the states that were judged.
    fn dated(&self, mut change: Change, shard: &Shard) -> Change {
        change.date(self.now_ms, |resource_type, id| {
            shard.item(resource_type, id.as_str()).map(|item| item.version.captured_ms)
        });
        change
    }

    /// The same, where what changed of the items was judged.
    fn dated_by(&self, mut change: Change, changed: &[Changed]) -> Change {
        change.date(self.now_ms, |resource_type, id| {
            let after = changed.iter().filter_map(|changed| changed.after.as_ref());
            let mut of_it =
                after.filter(|item| item.key.resource_type == *resource_type && item.key.id == *id);
            of_it.next().map(|item| item.version.captured_ms)
        });
        change
    }

    /// Under one policy after the other. Of one whose facts cannot be read, or whose judging fails, what
    /// was recorded stands with an issue; where that cannot be read either, nothing is written. All are
    /// tried again.
    /// `leased` is the shard's revision at the lease.
    pub fn apart(&self, policies: &[&Arc<Policy>], leased: Revision) -> Result<Found, StoreError> {
        let mut found = Found { revision: leased, is_changed: true, ..Found::default() };
        for policy in policies {
            match guarded(|| self.together(&[policy])) {
                Ok(one) => {
                    // Each sees its own moment. What came after the lease stays logged, and is judged
                    // already by some: only the whole tells then what there is.
                    if one.revision != leased {
                        found.not_before_ms = Some(self.now_ms);
                    }
                    found.outcomes.extend(one.outcomes);
                    found.judgements = found.judgements.and(one.judgements);
                    found.not_before_ms = earliest(found.not_before_ms, one.not_before_ms);
                }
                Err(error) => self.hold(policy, error, &mut found)?,
            }
        }
        Ok(found)
    }

    /// Under no policy: what was recorded stands with an issue, since `error` kept what was found from
    /// being written.
    pub fn held(&self, error: StoreError, leased: Revision) -> Result<Found, StoreError> {
        let mut found = Found { revision: leased, is_changed: true, ..Found::default() };
        for policy in self.policies() {
            found.outcomes.extend(self.standing(policy, Obstacle::Failed)?);
        }
        found.not_before_ms = Some(self.now_ms.saturating_add(FAILED_RETRY_MS));
        found.failure = Some(error);
        Ok(found)
    }

    /// Notes that one policy is not judged, and why.
    fn hold(
        &self,
        policy: &Policy,
        error: StoreError,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let ShardId { account, region } = self.shard;
        let policy_id = &policy.id;
        tracing::error!(%account, %region, policy = %policy_id, %error, "not judged");
        let is_damage = matches!(error, StoreError::Damaged { .. });
        let (obstacle, retry_ms) = match is_damage {
            true => (Obstacle::Unreadable, DAMAGED_RETRY_MS),
            false => (Obstacle::Failed, FAILED_RETRY_MS),
        };
        let again_ms = self.now_ms.saturating_add(retry_ms);
        found.not_before_ms = earliest(found.not_before_ms, Some(again_ms));
        found.outcomes.extend(self.standing(policy, obstacle)?);
        if !is_damage {
            found.failure = Some(error);
        }
        Ok(())
    }

    /// What was recorded under a policy, with an issue; `None` where it cannot be read.
    fn standing(&self, policy: &Policy, obstacle: Obstacle) -> Result<Option<Outcome>, StoreError> {
        let account = &self.shard.account;
        let record = || {
            let entry = self.store.entry(&policy.id, account)?.map(|row| row.entry);
            let violators = self.store.violators(&policy.id, account, None, usize::MAX)?;
            Ok(Record { entry, violators })
        };
        let hold = |before: &Record| ledger::hold(before, obstacle, policy.revision, self.now_ms);
        match record() {
            Ok(before) => Ok(Some(self.outcome(policy, || hold(&before)))),
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

/// So old that only the whole can be judged.
struct Stale;

/// How far the changes of a shard's items reach into one policy's record.
enum Reach {
    /// It stays as it is.
    Nothing,
    /// This is what becomes of it.
    Part(Box<Outcome>),
    /// The whole shard has to be judged.
    Whole,
}
