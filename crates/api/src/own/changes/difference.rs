//! The two moments side by side, account by account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use palisade_store::{HistoryRow, PolicyRecord, Versioned};
use serde::Serialize;
use serde_json::Value;

use super::change::{Change, Position, What};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::known::Known;
use crate::own::accounts::Policy;
use crate::own::answer::{Refused, moment};
use crate::own::history::Cause;
use crate::own::known::{self, account_name};
use crate::own::readers::{self, AsOf, Waiving};
use crate::own::{policies, violators};

/// Accounts under policies that are compared for one page.
pub const ACCOUNTS_COMPARED_MAX: usize = 10_000;
/// Accounts whose states are read at once.
const ACCOUNTS_READ: usize = 1_000;

/// Two moments.
pub(super) struct Difference<'a> {
    app: &'a App,
    from: &'a AsOf,
    to: &'a AsOf,
    from_ms: i64,
    to_ms: i64,
    /// Each as far as there was one at that moment.
    policies: BTreeMap<PolicyId, [Option<Arc<PolicyRecord>>; 2]>,
    /// What was decided otherwise between them.
    decided: BTreeSet<Versioned>,
}

/// An account under a policy at both moments.
struct Sides<'s> {
    records: [Option<&'s PolicyRecord>; 2],
    account: &'s AccountId,
    /// The ledger's states.
    rows: [Option<HistoryRow>; 2],
    in_scope: [bool; 2],
    waiving: &'s [Option<Waiving<'s>>; 2],
}

type Found = (Vec<Change>, Option<Position>);

impl<'a> Difference<'a> {
    /// Of all policies that the caller reads at either moment, or of one.
    pub fn of(
        app: &'a App,
        caller: &Caller,
        from: &'a AsOf,
        to: &'a AsOf,
        policy: Option<&str>,
    ) -> Result<Self, Refused> {
        let mut policies: BTreeMap<PolicyId, [Option<Arc<PolicyRecord>>; 2]> = BTreeMap::new();
        for (nth, side) in [from, to].into_iter().enumerate() {
            let is_asked = |record: &&Arc<PolicyRecord>| {
                policy.is_none_or(|policy| record.id.as_str() == policy)
            };
            for record in readers::policies(&side.view, caller).filter(is_asked) {
                if let Some(one) = policies.entry(record.id.clone()).or_default().get_mut(nth) {
                    *one = Some(record.clone());
                }
            }
        }
        if let Some(named) = policy.filter(|_| policies.is_empty()) {
            return Err(Refused::not_found(format!("policy `{named}` does not exist")));
        }
        let (from_ms, to_ms) = (from.at_ms.unwrap_or_default(), to.at_ms.unwrap_or_default());
        let versions = app.store.versions(from_ms, to_ms)?;
        let decided = versions.into_iter().map(|version| version.object).collect();
        Ok(Difference { app, from, to, from_ms, to_ms, policies, decided })
    }

    /// Up to `limit` changes, at least one, behind a position, and behind what the next page begins.
    pub fn page(&self, after: Option<&Position>, limit: usize) -> Result<Found, Refused> {
        let mut changes: Vec<Change> = Vec::new();
        let mut compared = 0_usize;
        let start = after.map(|after| after.policy.clone());
        let all = self.policies.iter().filter(|(id, _)| start.as_ref() <= Some(*id));
        for (id, records) in all {
            let begun = after.filter(|after| after.policy == *id);
            let position = |account: Option<&AccountId>, told: usize| Position {
                to_ms: self.to_ms,
                policy: id.clone(),
                account: account.cloned(),
                told,
            };
            let records = records.each_ref().map(|record| record.as_deref());
            if changes.len() >= limit {
                return Ok((changes, Some(position(None, 0))));
            }
            if begun.is_none_or(|it| it.account.is_none()) {
                changes.extend(self.of_policy(records)?);
            }
            let waiving = self.waiving(records);
            let accounts = self.accounts(records, begun.and_then(|it| it.account.as_ref()));
            for some in accounts.chunks(ACCOUNTS_READ) {
                let mut before = self.rows(id, some, self.from_ms)?;
                let mut later = self.rows(id, some, self.to_ms)?;
                for account in some {
                    let told = begun.filter(|it| it.account.as_ref() == Some(*account));
                    let told = told.map_or(0, |it| it.told);
                    if changes.len() >= limit || compared >= ACCOUNTS_COMPARED_MAX {
                        return Ok((changes, Some(position(Some(account), told))));
                    }
                    compared = compared.saturating_add(1);
                    let sides = Sides {
                        records,
                        account,
                        rows: [before.remove(*account), later.remove(*account)],
                        in_scope: self.in_scope(records, account),
                        waiving: &waiving,
                    };
                    let found = self.of_account(&sides)?;
                    let left = limit.saturating_sub(changes.len());
                    let count = found.len();
                    changes.extend(found.into_iter().skip(told).take(left));
                    if count.saturating_sub(told) > left {
                        let told = told.saturating_add(left);
                        return Ok((changes, Some(position(Some(account), told))));
                    }
                }
            }
        }
        Ok((changes, None))
    }

    fn sides(&self) -> [&'a AsOf; 2] {
        [self.from, self.to]
    }

    fn in_scope(&self, records: [Option<&PolicyRecord>; 2], account: &AccountId) -> [bool; 2] {
        let is_in = |nth: usize, side: &AsOf| {
            let record = records.get(nth).copied().flatten();
            record.is_some_and(|it| side.view.in_scope(&it.id).binary_search(account).is_ok())
        };
        [is_in(0, self.from), is_in(1, self.to)]
    }

    /// Accounts in scope at either moment, ascending, from one on.
    fn accounts(
        &self,
        records: [Option<&PolicyRecord>; 2],
        from: Option<&AccountId>,
    ) -> Vec<&'a AccountId> {
        let mut all: BTreeSet<&AccountId> = BTreeSet::new();
        for (side, record) in self.sides().into_iter().zip(records) {
            all.extend(record.map_or(&[][..], |record| side.view.in_scope(&record.id)));
        }
        all.into_iter().filter(|account| from.is_none_or(|from| *account >= from)).collect()
    }

    fn waiving(&self, records: [Option<&PolicyRecord>; 2]) -> [Option<Waiving<'a>>; 2] {
        let [from, to] = records;
        [
            from.map(|record| self.from.waiving(self.app, record)),
            to.map(|record| self.to.waiving(self.app, record)),
        ]
    }

    /// The states of these accounts, which are ascending.
    fn rows(
        &self,
        policy: &PolicyId,
        accounts: &[&AccountId],
        at_ms: i64,
    ) -> Result<BTreeMap<AccountId, HistoryRow>, Refused> {
        let (Some(first), Some(last)) = (accounts.first(), accounts.last()) else {
            return Ok(BTreeMap::new());
        };
        let mut rows = BTreeMap::new();
        rows.extend(
            self.app.store.entry_at(policy, first, at_ms)?.map(|row| ((*first).clone(), row)),
        );
        let mut after = (*first).clone();
        loop {
            let some = self.app.store.entries_at(
                policy,
                Some(&after),
                Some(last),
                ACCOUNTS_READ,
                at_ms,
            )?;
            let is_last = some.len() < ACCOUNTS_READ;
            if let Some((account, _)) = some.last() {
                after = account.clone();
            }
            rows.extend(some);
            if is_last {
                return Ok(rows);
            }
        }
    }

    fn of_policy(&self, records: [Option<&PolicyRecord>; 2]) -> Result<Option<Change>, Refused> {
        let mut told = [Value::Null, Value::Null];
        for ((told, record), side) in told.iter_mut().zip(records).zip(self.sides()) {
            *told = match record {
                Some(record) => json(&policies::shown(&side.view, record))?,
                None => Value::Null,
            };
        }
        let [before, after] = told;
        let Some(record) = records.into_iter().flatten().last() else { return Ok(None) };
        if before == after {
            return Ok(None);
        }
        let is_put = self.decided.contains(&Versioned::Policy(record.id.clone()));
        let cause = if is_put { Cause::Policy } else { Cause::Organization };
        let what = What::Policy;
        let policy = Policy::of(record);
        let (account, account_name) = (None, None);
        let change = Change {
            policy,
            account,
            account_name,
            what,
            before,
            after,
            at: None,
            cause: Some(cause),
        };
        Ok(Some(change))
    }

    /// What became another of an account and its violators.
    fn of_account(&self, sides: &Sides<'_>) -> Result<Vec<Change>, Refused> {
        let violators = self.of_violators(sides)?;
        let mut changes = Vec::new();
        let told = [self.account(sides, 0)?, self.account(sides, 1)?];
        let [before, after] = told;
        if before != after {
            changes.push(self.change(sides, What::Account, before, after)?);
        }
        changes.extend(violators);
        Ok(changes)
    }

    fn account(&self, sides: &Sides<'_>, nth: usize) -> Result<Value, Refused> {
        let at = sides.at(nth);
        let (Some(record), Some(side), true) =
            (at.record, self.sides().get(nth).copied(), at.in_scope)
        else {
            return Ok(Value::Null);
        };
        let row = at.row.cloned().map(|row| readers::past_row(sides.account.clone(), row));
        let known = Known::in_scope(record, row.as_ref());
        let now_ms = self.app.clock.now_ms();
        let shown = known::Shown::of(&side.view, sides.account, &known, None, now_ms).of_the_past();
        let has_violators = known.result().is_some_and(|(_, entry)| entry.violator_count > 0);
        let waived = match at.waiving.filter(|_| has_violators) {
            Some(waiving) => waiving.count(self.app, side.at_ms, &record.id, sides.account)?,
            None => 0,
        };
        json(&shown.waiving(waived))
    }

    fn of_violators(&self, sides: &Sides<'_>) -> Result<Vec<Change>, Refused> {
        let noted = |nth: usize| sides.at(nth).row.map(|row| row.noted_ms);
        let is_same_ledger = noted(0) == noted(1) && sides.in_scope == [true, true];
        let waives = sides.waiving.iter().flatten().any(|waiving| !waiving.is_empty());
        let is_same_policy = sides.records.map(|it| it.map(|it| it.revision));
        if is_same_ledger && !waives && is_same_policy.first() == is_same_policy.last() {
            return Ok(Vec::new());
        }
        let mut told: BTreeMap<(ResourceType, ResourceId), [Value; 2]> = BTreeMap::new();
        for nth in [0, 1] {
            for row in self.violators(sides, nth)? {
                let at = sides.at(nth);
                let Some(record) = at.record else { continue };
                let key = (row.resource_type.clone(), row.id.clone());
                let waiver = at.waiving.and_then(|waiving| waiving.of(sides.account, &row));
                let value = json(&violators::shown(record, row, waiver))?;
                if let Some(side) = told.entry(key).or_default().get_mut(nth) {
                    *side = value;
                }
            }
        }
        let changed = told.into_values().filter(|[before, after]| before != after);
        changed.map(|[before, after]| self.change(sides, What::Violator, before, after)).collect()
    }

    /// Nothing is told of an account where nothing can be claimed, as `violators?at=` does.
    fn violators(&self, sides: &Sides<'_>, nth: usize) -> Result<Vec<ViolatorRow>, Refused> {
        let at = sides.at(nth);
        let (Some(record), Some(row), true) = (at.record, at.row, at.in_scope) else {
            return Ok(Vec::new());
        };
        let row = readers::past_row(sides.account.clone(), row.clone());
        let is_claimed = Known::in_scope(record, Some(&row)).result().is_some();
        if !is_claimed || row.entry.violator_count == 0 {
            return Ok(Vec::new());
        }
        let at_ms = if nth == 0 { self.from_ms } else { self.to_ms };
        let store = &self.app.store;
        Ok(store.violators_at(&record.id, sides.account, None, usize::MAX, at_ms)?)
    }

    fn change(
        &self,
        sides: &Sides<'_>,
        what: What,
        before: Value,
        after: Value,
    ) -> Result<Change, Refused> {
        let record = sides.records.into_iter().flatten().last();
        let record = record.ok_or_else(|| Refused::not_found("the policy does not exist"))?;
        let (noted_ms, cause) = self.cause(sides)?;
        let name = |side: &AsOf| account_name(&side.view, sides.account);
        Ok(Change {
            policy: Policy::of(record),
            account: Some(sides.account.to_string()),
            account_name: name(self.to).or_else(|| name(self.from)),
            what,
            before,
            after,
            at: noted_ms.map(moment),
            cause,
        })
    }

    /// When the ledger's state became the later one, and why that and all else is another.
    fn cause(&self, sides: &Sides<'_>) -> Result<(Option<i64>, Option<Cause>), Refused> {
        let is_decided = |object: &Versioned| self.decided.contains(object);
        let id = sides.records.into_iter().flatten().last().map(|record| record.id.clone());
        if sides.at(0).in_scope != sides.at(1).in_scope {
            let is_put = id.is_some_and(|id| is_decided(&Versioned::Policy(id)));
            return Ok((None, Some(if is_put { Cause::Policy } else { Cause::Organization })));
        }
        let [before, after] = [0, 1].map(|nth| sides.at(nth).row);
        match after {
            Some(row) if before.map(|it| it.noted_ms) != Some(row.noted_ms) => {
                Ok((Some(row.noted_ms), Cause::of(row, before)))
            }
            _ => {
                let is_put = id.is_some_and(|id| is_decided(&Versioned::Policy(id)));
                let renamed = is_decided(&Versioned::Account(sides.account.clone()));
                let waives = self.decided.iter().any(|it| matches!(it, Versioned::Waiver(_)));
                let cause = match (is_put, renamed, waives) {
                    (true, _, _) => Cause::Policy,
                    (_, true, _) => Cause::Organization,
                    (_, _, true) => Cause::Waiver,
                    // What was covered by a waiver is it no more, or the other way.
                    _ => Cause::Time,
                };
                Ok((None, Some(cause)))
            }
        }
    }
}

/// One side of [`Sides`].
struct Side<'s> {
    record: Option<&'s PolicyRecord>,
    row: Option<&'s HistoryRow>,
    in_scope: bool,
    waiving: Option<&'s Waiving<'s>>,
}

impl Sides<'_> {
    fn at(&self, nth: usize) -> Side<'_> {
        Side {
            record: self.records.get(nth).copied().flatten(),
            row: self.rows.get(nth).and_then(Option::as_ref),
            in_scope: self.in_scope.get(nth).copied().unwrap_or_default(),
            waiving: self.waiving.get(nth).and_then(Option::as_ref),
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<Value, Refused> {
    Ok(serde_json::to_value(value).map_err(internal)?)
}
