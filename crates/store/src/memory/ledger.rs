//! The verbs of the ledger over maps.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::{Entry, ViolatorRow};

use crate::rules::rows::{LedgerRows, Noting};
use crate::{EntryRow, HistoryRow, Result};

use super::{Tables, Violating};

impl Tables {
    fn entry_row(&self, policy: &PolicyId, account: &AccountId, row: (Entry, i64)) -> EntryRow {
        let control = self.control.rows();
        let region = control
            .get(&())
            .and_then(|state| state.policies.get(policy))
            .map(|it| ShardId { account: account.clone(), region: it.region.clone() });
        let judged_ms = region.and_then(|shard| self.judged.get(&shard)).unwrap_or(row.1);
        EntryRow { account: account.clone(), entry: row.0, last_updated_ms: row.1.max(judged_ms) }
    }
}

impl LedgerRows for Tables {
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>> {
        let entries = self.entries.rows();
        let range = entries.range((policy.clone(), None)..).take_while(|(at, _)| at.0 == *policy);
        let asked = range.filter_map(|(at, row)| Some((at.1.as_ref()?, row))).filter(|(at, _)| {
            after.is_none_or(|after| *at > after) && through.is_none_or(|through| *at <= through)
        });
        let asked = asked.take(limit);
        Ok(asked.map(|(account, row)| self.entry_row(policy, account, row.clone())).collect())
    }
    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        let row = self.entries.get(&(policy.clone(), Some(account.clone())));
        Ok(row.map(|row| self.entry_row(policy, account, row)))
    }
    fn with_entry(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountId>> {
        let rows = self.entries(policy, after, None, limit)?;
        Ok(rows.into_iter().map(|row| row.account).collect())
    }
    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>> {
        let violators = self.violators.rows();
        let from = (policy.clone(), account.clone(), after.cloned());
        let range = violators.range(&from..).filter(|(at, _)| **at != from);
        let range = range.take_while(|(at, _)| at.0 == *policy && at.1 == *account);
        Ok(range.take(limit).map(|(_, (row, _))| row.clone()).collect())
    }
    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        let row = self.violators.get(&(policy.clone(), account.clone(), Some(resource.clone())));
        Ok(row.map(|(row, _)| row))
    }
    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>> {
        let history = self.history.rows();
        let of = |at| (policy.clone(), Some(account.clone()), at);
        Ok(history
            .range(of(0)..=of(u64::MAX))
            .rev()
            .take(limit)
            .map(|(_, row)| row.clone())
            .collect())
    }

    fn put_entry(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        evaluated_ms: i64,
    ) -> Result<()> {
        self.entries.put((policy.clone(), Some(account.clone())), (entry.clone(), evaluated_ms));
        Ok(())
    }
    fn raise_entry(&self, policy: &PolicyId, account: &AccountId, evaluated_ms: i64) -> Result<()> {
        let raise = |row: &mut (Entry, i64)| row.1 = row.1.max(evaluated_ms);
        self.entries.change(&(policy.clone(), Some(account.clone())), raise);
        Ok(())
    }
    fn raise_judged(&self, shard: &ShardId, evaluated_ms: i64) -> Result<()> {
        let known_ms = self.judged.get(shard).unwrap_or(evaluated_ms);
        self.judged.put(shard.clone(), known_ms.max(evaluated_ms));
        Ok(())
    }
    fn put_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        put: &[ViolatorRow],
        noted_ms: i64,
    ) -> Result<()> {
        for row in put {
            let resource = Some((row.resource_type.clone(), row.id.clone()));
            let key = (policy.clone(), account.clone(), resource);
            self.keep_violator(&key, noted_ms, false);
            self.violators.put(key, (row.clone(), noted_ms));
        }
        Ok(())
    }
    fn drop_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        removed: &[(ResourceType, ResourceId)],
        noted_ms: i64,
    ) -> Result<()> {
        for resource in removed {
            let key = (policy.clone(), account.clone(), Some(resource.clone()));
            self.keep_violator(&key, noted_ms, true);
            self.violators.drop(&key);
        }
        Ok(())
    }
    fn put_history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        noting: Noting,
    ) -> Result<()> {
        let row = HistoryRow {
            at_ms: entry.since_ms,
            status: entry.status,
            violator_count: entry.violator_count,
            issues: entry.issues.clone(),
            policy_revision: entry.policy_revision,
            closed: false,
            noted_ms: noting.noted_ms,
            occasion: Some(noting.occasion),
        };
        self.history.put((policy.clone(), Some(account.clone()), noting.sequence), row);
        Ok(())
    }
    fn close_entries(
        &self,
        policy: &PolicyId,
        account: Option<&AccountId>,
        at_ms: i64,
        noting: Noting,
    ) -> Result<()> {
        for row in self.entries(policy, None, None, usize::MAX)? {
            if account.is_some_and(|account| row.account != *account) {
                continue;
            }
            let closed = HistoryRow {
                at_ms,
                status: None,
                violator_count: 0,
                issues: Default::default(),
                policy_revision: row.entry.policy_revision,
                closed: true,
                noted_ms: noting.noted_ms,
                occasion: Some(noting.occasion),
            };
            self.history.put((policy.clone(), Some(row.account.clone()), noting.sequence), closed);
            self.entries.drop(&(policy.clone(), Some(row.account)));
        }
        let is_closed =
            |at: &Violating| at.0 == *policy && account.is_none_or(|account| at.1 == *account);
        let keys: Vec<Violating> =
            self.violators.rows().keys().filter(|at| is_closed(at)).cloned().collect();
        for key in keys {
            self.keep_violator(&key, noting.noted_ms, true);
            self.violators.drop(&key);
        }
        Ok(())
    }
    fn drop_history(&self, before_ms: i64) -> Result<u64> {
        let is_over = |at: &(PolicyId, Option<AccountId>, u64), row: &HistoryRow| {
            let history = self.history.rows();
            let later = (at.0.clone(), at.1.clone(), at.2.saturating_add(1));
            let mut later = history.range(later..=(at.0.clone(), at.1.clone(), u64::MAX));
            row.closed || later.any(|(_, later)| later.noted_ms <= before_ms)
        };
        let is_dropped = |at: &_, row: &HistoryRow| row.noted_ms < before_ms && is_over(at, row);
        Ok(self.history.drop_if(is_dropped) as u64)
    }
}
