//! The verbs of the past over maps.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;

use crate::rules::rows::PastRows;
use crate::{HistoryRow, PastViolator, Result, Span, Version, Versioned};

use super::{Tables, Violating};

impl Tables {
    /// Keeps the version of a violator that holds no more, if there is one that held for any time.
    pub(super) fn keep_violator(&self, key: &Violating, until_ms: i64, ended: bool) {
        let Some((row, from_ms)) = self.violators.get(key) else { return };
        let (policy, account, resource) = key.clone();
        if from_ms < until_ms {
            let past = PastViolator { row, from_ms, until_ms, ended };
            self.past_violators.put((policy, account, resource, until_ms), past);
        }
    }
}

impl PastRows for Tables {
    fn span(&self) -> Result<Span> {
        Ok(self.numbers.get(&()).unwrap_or_default().span)
    }
    fn put_span(&self, span: Span) -> Result<()> {
        self.numbers.change(&(), |numbers| numbers.span = span);
        Ok(())
    }
    fn cap_noted(&self, now_ms: i64) -> Result<()> {
        self.history.change_if(|_, row| row.noted_ms > now_ms, |row| row.noted_ms = now_ms);
        self.versions.change_if(|_, row| row.noted_ms > now_ms, |row| row.noted_ms = now_ms);
        self.violators.change_if(|_, row| row.1 > now_ms, |row| row.1 = now_ms);
        self.past_violators.drop_if(|_, row| row.from_ms >= now_ms);
        let later: Vec<_> = self.past_violators.rows().clone().into_iter().collect();
        for (key, row) in later.into_iter().filter(|(_, row)| row.until_ms > now_ms) {
            self.past_violators.drop(&key);
            let capped = PastViolator { until_ms: now_ms, ..row };
            self.past_violators.put((key.0, key.1, key.2, now_ms), capped);
        }
        Ok(())
    }

    fn put_version(
        &self,
        object: &Versioned,
        record: Option<&str>,
        sequence: u64,
        noted_ms: i64,
    ) -> Result<()> {
        let record = record.map(str::to_owned);
        let version = Version { object: object.clone(), noted_ms, record };
        self.versions.put((object.clone(), sequence), version);
        Ok(())
    }
    fn versions_at(&self, at_ms: i64) -> Result<Vec<Version>> {
        let versions = self.versions.rows();
        let (mut found, mut next) = (Vec::new(), versions.keys().next());
        while let Some((object, _)) = next {
            let of = |sequence| (object.clone(), sequence);
            let mut of_it = versions.range(of(0)..=of(u64::MAX)).rev().map(|(_, version)| version);
            let held = of_it.find(|version| version.noted_ms <= at_ms);
            found.extend(held.filter(|version| version.record.is_some()).cloned());
            let behind = (Excluded(of(u64::MAX)), Unbounded);
            next = versions.range(behind).next().map(|(at, _)| at);
        }
        Ok(found)
    }
    fn versions_between(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        let versions = self.versions.rows();
        let is_asked = |it: &Version| it.noted_ms > after_ms && it.noted_ms <= through_ms;
        let mut found: Vec<_> = versions.iter().filter(|(_, it)| is_asked(it)).collect();
        found.sort_by_key(|((object, sequence), _)| (*sequence, object.text()));
        Ok(found.into_iter().map(|(_, version)| version.clone()).collect())
    }
    fn drop_versions(&self, before_ms: i64) -> Result<u64> {
        let is_dropped = |at: &(Versioned, u64), version: &Version| {
            let versions = self.versions.rows();
            let from = (at.0.clone(), at.1.saturating_add(1));
            let mut later = versions.range(from..=(at.0.clone(), u64::MAX));
            version.noted_ms < before_ms
                && (version.record.is_none() || later.any(|(_, later)| later.noted_ms <= before_ms))
        };
        Ok(self.versions.drop_if(is_dropped) as u64)
    }

    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>> {
        let history = self.history.rows();
        let (mut held, mut last) = (Vec::new(), after.cloned());
        while held.len() < limit {
            let behind = (Excluded((policy.clone(), last, u64::MAX)), Unbounded);
            let next = history.range(behind).next().map(|(at, _)| at);
            let Some((_, Some(account), _)) = next.filter(|at| at.0 == *policy) else { break };
            if through.is_some_and(|through| account > through) {
                break;
            }
            last = Some(account.clone());
            let state = self.entry_at(policy, account, at_ms)?;
            held.extend(state.map(|state| (account.clone(), state)));
        }
        Ok(held)
    }
    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>> {
        let history = self.history.rows();
        let of = |at| (policy.clone(), Some(account.clone()), at);
        let mut states = history.range(of(0)..=of(u64::MAX)).rev().map(|(_, row)| row);
        let held = states.find(|row| row.noted_ms <= at_ms);
        Ok(held.filter(|row| !row.closed).cloned())
    }
    fn violators_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<ViolatorRow>> {
        let (violators, past) = (self.violators.rows(), self.past_violators.rows());
        let present = violators
            .range((policy.clone(), account.clone(), None)..)
            .take_while(|(at, _)| at.0 == *policy && at.1 == *account)
            .filter(|(_, row)| row.1 <= at_ms)
            .map(|(at, row)| (at.2.clone(), row.0.clone()));
        let held = |row: &PastViolator| row.from_ms <= at_ms && at_ms < row.until_ms;
        let past = past
            .range((policy.clone(), account.clone(), None, i64::MIN)..)
            .take_while(|(at, _)| at.0 == *policy && at.1 == *account)
            .filter(|(_, row)| held(row))
            .map(|(at, row)| (at.2.clone(), row.row.clone()));
        let all: BTreeMap<_, _> = present.chain(past).collect();
        let behind = all.into_iter().filter(|(at, _)| after.is_none() || at.as_ref() > after);
        Ok(behind.take(limit).map(|(_, row)| row).collect())
    }
    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>> {
        let past = self.past_violators.rows();
        let is_asked = |row: &PastViolator| row.until_ms > after_ms && row.until_ms <= through_ms;
        let asked = past
            .iter()
            .filter(|(at, row)| at.0 == *policy && at.1 == *account && is_asked(row))
            .map(|(_, row)| row.clone());
        Ok(asked.collect())
    }
    fn drop_past_violators(&self, before_ms: i64) -> Result<u64> {
        Ok(self.past_violators.drop_if(|_, row| row.until_ms <= before_ms) as u64)
    }
}
