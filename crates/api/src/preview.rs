//! What a draft would find: the control state as it would be, judged beside the one in force by what is
//! held now. Nothing is written.
//!
//! One shard is in memory at a time for each thread. What is listed ends at [`LISTED_MAX`] for each
//! policy; what is counted is exact.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{self, Evidence, Judgement, Reference, Status, Violator};
use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::policy::Policy;
use palisade_store::{StoreError, Want};

use crate::app::App;
use crate::judging::{Asked, assuming, evidence};
use crate::view::ControlView;

/// Accounts and violators that are listed of one policy; of more, the number is told.
pub const LISTED_MAX: usize = 1_000;
/// Accounts whose inventory could not be read that are named.
pub const UNREAD_MAX: usize = 20;
/// Shards asked of the store at once by one thread.
const SHARDS_AT_ONCE: usize = 64;

/// What a draft changes.
#[derive(Debug, Default)]
pub struct Preview {
    /// Policies that are new, edited or gone, or whose scope holds other accounts; by Region, then name.
    pub policies: Vec<Change>,
    /// Accounts and Regions whose inventory could not be read, and why: of these nothing is told.
    pub unread: Vec<(ShardId, String)>,
    /// How many there are.
    pub unread_count: u64,
}

/// What becomes of one policy.
#[derive(Debug)]
pub struct Change {
    /// The policy in force; `None`: it is new.
    pub before: Option<Arc<Policy>>,
    /// The draft; `None`: the policy goes.
    pub after: Option<Arc<Policy>>,
    /// Whether the policy stays as it is, and its scope alone is another.
    pub is_kept: bool,
    /// Accounts in scope, before and after.
    pub accounts: (u64, u64),
    /// Accounts in scope that were not.
    pub entered: Listed<AccountId>,
    /// Accounts in scope before that are not.
    pub left: Listed<AccountId>,
    /// What judging found.
    pub found: Found,
}

/// A list that ends at [`LISTED_MAX`].
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The first.
    pub first: Vec<T>,
    /// How many there are.
    pub count: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Listed { first: Vec::new(), count: 0 }
    }
}

impl<T> Listed<T> {
    fn push(&mut self, one: impl FnOnce() -> T) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < LISTED_MAX {
            self.first.push(one());
        }
    }

    fn append(&mut self, other: Listed<T>) {
        self.count = self.count.saturating_add(other.count);
        let room = LISTED_MAX.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }
}

/// What judging the accounts concerned found, under the policy in force and under the draft.
///
/// Of a policy that stays as it is, the accounts concerned are those that enter or leave its scope.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Accounts judged.
    pub judged: u64,
    /// Resources in scope, before and after.
    pub in_scope: (u64, u64),
    /// Violators, before and after.
    pub violators: (u64, u64),
    /// Accounts by how they stand, before and after.
    pub standings: (Standings, Standings),
    /// Violators that are none before.
    pub gained: Listed<(AccountId, Violator)>,
    /// Violators before that are none any more.
    pub lost: Listed<(AccountId, Violator)>,
    /// Violators before and after, that break the policy in other ways.
    pub altered: Listed<(AccountId, Violator)>,
    /// Accounts that stand otherwise.
    pub moved: u64,
}

/// How many accounts stand how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standings {
    /// COMPLIANT
    pub compliant: u64,
    /// NON_COMPLIANT
    pub violating: u64,
    /// Nothing can be claimed.
    pub unknown: u64,
}

impl Standings {
    fn count(&mut self, status: Option<Status>) {
        let of = match status {
            Some(Status::Compliant) => &mut self.compliant,
            Some(Status::NonCompliant) => &mut self.violating,
            None => &mut self.unknown,
        };
        *of = of.saturating_add(1);
    }

    fn add(&mut self, other: Standings) {
        self.compliant = self.compliant.saturating_add(other.compliant);
        self.violating = self.violating.saturating_add(other.violating);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }
}

impl Change {
    /// Whether anything that was found is other than before.
    pub fn changes(&self) -> bool {
        let found = &self.found;
        let lists = [found.gained.count, found.lost.count, found.altered.count, found.moved];
        self.entered.count > 0
            || self.left.count > 0
            || found.in_scope.0 != found.in_scope.1
            || lists.iter().any(|count| *count > 0)
    }

    /// The draft, or what goes.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// Judges what is concerned under both control states.
///
/// Between two groups of shards `is_over` is asked whether anybody still waits for the answer.
///
/// # Errors
/// The store could not be read at all, or nobody waits.
pub fn compare(
    app: &App,
    before: &ControlView,
    after: &ControlView,
    threads: usize,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<Preview, StoreError> {
    let mut preview = Preview::default();
    let mut by_region: BTreeMap<Region, Vec<Concerned<'_>>> = BTreeMap::new();
    for concerned in concerned(before, after) {
        by_region.entry(concerned.region().clone()).or_default().push(concerned);
    }
    for (region, mut policies) in by_region {
        policies.sort_by_key(|one| one.name());
        let found = judge(app, &region, &policies, threads, is_over, &mut preview)?;
        let changes = policies.into_iter().zip(found);
        preview.policies.extend(changes.map(|(one, found)| one.change(found)));
    }
    Ok(preview)
}

/// A policy that is other than before, or whose scope is.
struct Concerned<'v> {
    before: Option<(&'v Arc<Policy>, &'v [AccountId])>,
    after: Option<(&'v Arc<Policy>, &'v [AccountId])>,
    is_kept: bool,
}

fn concerned<'v>(before: &'v ControlView, after: &'v ControlView) -> Vec<Concerned<'v>> {
    let ids: BTreeSet<_> =
        before.policies().chain(after.policies()).map(|policy| &policy.id).collect();
    let of = |view: &'v ControlView, id| {
        view.policy(id).map(|policy| (policy, view.in_scope(&policy.id)))
    };
    let both = ids.into_iter().map(|id| (of(before, id), of(after, id)));
    both.filter(|(before, after)| before != after)
        .map(|(before, after)| {
            let is_kept = before.map(|(policy, _)| policy) == after.map(|(policy, _)| policy);
            Concerned { before, after, is_kept }
        })
        .collect()
}

impl<'v> Concerned<'v> {
    fn policies(&self) -> impl Iterator<Item = &'v Arc<Policy>> + use<'v> {
        [self.before, self.after].into_iter().flatten().map(|(policy, _)| policy)
    }

    fn region(&self) -> &'v Region {
        static HOME: std::sync::LazyLock<Region> = std::sync::LazyLock::new(Region::home_of_global);
        self.policies().next().map_or(&HOME, |policy| &policy.region)
    }

    fn name(&self) -> (Box<str>, String) {
        let policy = self.after.or(self.before).map(|(policy, _)| policy);
        policy.map(|policy| (policy.name.clone(), policy.id.to_string())).unwrap_or_default()
    }

    fn before_accounts(&self) -> &'v [AccountId] {
        self.before.map_or(&[], |(_, accounts)| accounts)
    }

    fn after_accounts(&self) -> &'v [AccountId] {
        self.after.map_or(&[], |(_, accounts)| accounts)
    }

    /// The accounts to judge.
    fn accounts(&self) -> BTreeSet<&'v AccountId> {
        let was: BTreeSet<&AccountId> = self.before_accounts().iter().collect();
        let is: BTreeSet<&AccountId> = self.after_accounts().iter().collect();
        match self.is_kept {
            true => was.symmetric_difference(&is).copied().collect(),
            false => was.union(&is).copied().collect(),
        }
    }

    /// What an account comes to, before and after; `None` where it is out of scope.
    fn judged(&self, evidence: &Evidence<'_>) -> (Option<Judgement>, Option<Judgement>) {
        let account = &evidence.shard.id.account;
        let judged = |side: Option<(&Arc<Policy>, &[AccountId])>| {
            let (policy, accounts) = side?;
            accounts.binary_search(account).is_ok().then(|| evaluate::judge(policy, evidence))
        };
        (judged(self.before), judged(self.after))
    }

    fn change(self, found: Found) -> Change {
        let (mut entered, mut left) = (Listed::default(), Listed::default());
        let (was, is) = (self.before_accounts(), self.after_accounts());
        for account in is.iter().filter(|account| was.binary_search(account).is_err()) {
            entered.push(|| account.clone());
        }
        for account in was.iter().filter(|account| is.binary_search(account).is_err()) {
            left.push(|| account.clone());
        }
        Change {
            before: self.before.map(|(policy, _)| policy.clone()),
            after: self.after.map(|(policy, _)| policy.clone()),
            is_kept: self.is_kept,
            accounts: (was.len() as u64, is.len() as u64),
            entered,
            left,
            found,
        }
    }
}

/// What judging all accounts concerned in a Region finds, policy by policy.
fn judge(
    app: &App,
    region: &Region,
    policies: &[Concerned<'_>],
    threads: usize,
    is_over: &(dyn Fn() -> bool + Sync),
    preview: &mut Preview,
) -> Result<Vec<Found>, StoreError> {
    let of_each: Vec<BTreeSet<&AccountId>> = policies.iter().map(Concerned::accounts).collect();
    let all: BTreeSet<&AccountId> = of_each.iter().flatten().copied().collect();
    let all: Vec<&AccountId> = all.into_iter().collect();
    let asked = Asked::of(policies.iter().flat_map(Concerned::policies).collect());
    let now_ms = app.clock.now_ms();
    let bench = Bench { app, region, policies, of_each: &of_each, asked: &asked, now_ms, is_over };
    let share = all.len().div_ceil(threads.max(1)).max(1);
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> =
            all.chunks(share).map(|part| scope.spawn(|| bench.judge(part))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err(panicked())))
            .collect()
    });
    let parts: Result<Vec<Part>, StoreError> = parts;
    let mut sum: Vec<Found> = policies.iter().map(|_| Found::default()).collect();
    for part in parts? {
        for (sum, found) in sum.iter_mut().zip(part.found) {
            sum.add(found);
        }
        preview.unread_count = preview.unread_count.saturating_add(part.unread_count);
        let room = UNREAD_MAX.saturating_sub(preview.unread.len());
        preview.unread.extend(part.unread.into_iter().take(room));
    }
    Ok(sum)
}

fn panicked() -> StoreError {
    StoreError::Engine("judging a shard failed".into())
}

/// What a part of the accounts came to.
struct Part {
    found: Vec<Found>,
    unread: Vec<(ShardId, String)>,
    unread_count: u64,
}

/// What all shards of a Region are judged with.
struct Bench<'a> {
    app: &'a App,
    region: &'a Region,
    policies: &'a [Concerned<'a>],
    of_each: &'a [BTreeSet<&'a AccountId>],
    asked: &'a Asked<'a>,
    now_ms: i64,
    is_over: &'a (dyn Fn() -> bool + Sync),
}

impl Bench<'_> {
    fn judge(&self, accounts: &[&AccountId]) -> Result<Part, StoreError> {
        let found = self.policies.iter().map(|_| Found::default()).collect();
        let mut part = Part { found, unread: Vec::new(), unread_count: 0 };
        let (references, types): (&BTreeSet<Reference>, &BTreeSet<ResourceType>) =
            (&self.asked.references, &self.asked.types);
        for some in accounts.chunks(SHARDS_AT_ONCE) {
            if (self.is_over)() {
                return Err(StoreError::Engine("nobody waits for the preview any more".into()));
            }
            let shards: Vec<ShardId> = some
                .iter()
                .map(|account| ShardId { account: (*account).clone(), region: self.region.clone() })
                .collect();
            let wants: Vec<Want<'_>> =
                shards.iter().map(|shard| Want::of_types(shard, references, &[], types)).collect();
            self.app.store.load_each(&wants, &mut |at, loaded| match (loaded, shards.get(at)) {
                (Ok(loaded), _) => {
                    let loaded = assuming(self.app, loaded);
                    self.hold(&evidence(self.app, &loaded, self.now_ms), &mut part.found);
                }
                (Err(error), Some(shard)) => {
                    part.unread_count = part.unread_count.saturating_add(1);
                    if part.unread.len() < UNREAD_MAX {
                        part.unread.push((shard.clone(), error.to_string()));
                    }
                }
                (Err(_), None) => {}
            })?;
        }
        Ok(part)
    }

    /// One shard under every policy whose accounts it is of.
    fn hold(&self, evidence: &Evidence<'_>, found: &mut [Found]) {
        let account = &evidence.shard.id.account;
        for ((one, accounts), found) in self.policies.iter().zip(self.of_each).zip(found) {
            if accounts.contains(account) {
                let (before, after) = one.judged(evidence);
                found.hold(account, before.as_ref(), after.as_ref());
            }
        }
    }
}

impl Found {
    fn hold(&mut self, account: &AccountId, before: Option<&Judgement>, after: Option<&Judgement>) {
        self.judged = self.judged.saturating_add(1);
        let count = |one: Option<&Judgement>| one.map_or(0, |one| one.in_scope);
        self.in_scope.0 = self.in_scope.0.saturating_add(count(before));
        self.in_scope.1 = self.in_scope.1.saturating_add(count(after));
        before.iter().for_each(|one| self.standings.0.count(one.status()));
        after.iter().for_each(|one| self.standings.1.count(one.status()));
        let status = |one: Option<&Judgement>| one.map(Judgement::status);
        if status(before) != status(after) {
            self.moved = self.moved.saturating_add(1);
        }
        let was = before.map_or(&[][..], |one| &one.violators);
        let is = after.map_or(&[][..], |one| &one.violators);
        self.violators.0 = self.violators.0.saturating_add(was.len() as u64);
        self.violators.1 = self.violators.1.saturating_add(is.len() as u64);
        self.differ(account, was, is);
    }

    /// Both lists ascend by type and id.
    fn differ(&mut self, account: &AccountId, was: &[Violator], is: &[Violator]) {
        let (mut was, mut is) = (was.iter().peekable(), is.iter().peekable());
        loop {
            let order = match (was.peek(), is.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(was), Some(is)) => {
                    (&was.resource_type, &was.id).cmp(&(&is.resource_type, &is.id))
                }
            };
            let told = |one: &Violator| (account.clone(), one.clone());
            match order {
                Ordering::Less => {
                    was.next().into_iter().for_each(|one| self.lost.push(|| told(one)));
                }
                Ordering::Greater => {
                    is.next().into_iter().for_each(|one| self.gained.push(|| told(one)));
                }
                Ordering::Equal => {
                    let (was, is) = (was.next(), is.next());
                    if was != is {
                        is.into_iter().for_each(|one| self.altered.push(|| told(one)));
                    }
                }
            }
        }
    }

    fn add(&mut self, other: Found) {
        let sum = |one: (u64, u64), other: (u64, u64)| {
            (one.0.saturating_add(other.0), one.1.saturating_add(other.1))
        };
        self.judged = self.judged.saturating_add(other.judged);
        self.in_scope = sum(self.in_scope, other.in_scope);
        self.violators = sum(self.violators, other.violators);
        self.standings.0.add(other.standings.0);
        self.standings.1.add(other.standings.1);
        self.gained.append(other.gained);
        self.lost.append(other.lost);
        self.altered.append(other.altered);
        self.moved = self.moved.saturating_add(other.moved);
    }
}

impl Preview {
    /// Whether anything that was found is other than before.
    pub fn changes(&self) -> bool {
        self.policies.iter().any(Change::changes)
    }

    /// Policies of the draft whose scope holds nothing.
    pub fn empty(&self) -> impl Iterator<Item = &Change> {
        let is_empty = |one: &&Change| {
            one.after.is_some()
                && !one.is_kept
                && (one.accounts.1 == 0 || one.found.in_scope.1 == 0)
        };
        self.policies.iter().filter(is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_its_limit_and_counts_on() {
        let mut list = Listed::default();
        (0..=LISTED_MAX).for_each(|at| list.push(|| at));
        assert_eq!((list.first.len(), list.count), (LISTED_MAX, LISTED_MAX as u64 + 1));
        let mut few = Listed::default();
        few.push(|| 7);
        few.append(list);
        assert_eq!((few.first.len(), few.count), (LISTED_MAX, LISTED_MAX as u64 + 2));
        assert_eq!(few.first[..2], [7, 0]);
    }
}
