//! What endpoints and pages read, each as far as its caller may: the operator everything, an administrator
//! what its own policies found. The FMS operations read by the same functions of [`crate::compliance`] and
//! [`crate::known`].

use std::cmp::Reverse;
use std::sync::Arc;

use axum::http::StatusCode;
use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::{Entry, ViolatorRow};
use palisade_core::organization::Organization;
use palisade_core::waiver::{Waiver, WaiverState};
use palisade_store::{
    AuditFilter, AuditRow, EntryRow, HistoryRow, PolicyRecord, Span, StoreError, WorkCounts,
};
use palisade_wire::Fault;
use palisade_wire::shapes::ResourceViolation;

use super::answer::{Refused, is_operator, moment};
use crate::app::App;
use crate::caller::Caller;
use crate::compliance::{at_one_moment, entries, first_of};
use crate::known::Known;
use crate::view::ControlView;
use crate::violations;

/// Accounts whose entries are read at once.
const ACCOUNTS_READ: usize = 1_000;

/// Whether a caller reads what a policy of this owner found.
fn reads(caller: &Caller, record: &PolicyRecord) -> bool {
    caller.account.as_ref().is_none_or(|account| *account == record.owner)
}

/// The policies that a caller reads, of all Regions, ascending by id.
pub fn policies<'v>(
    view: &'v ControlView,
    caller: &Caller,
) -> impl Iterator<Item = &'v Arc<PolicyRecord>> {
    view.control().policies.values().filter(move |record| reads(caller, record))
}

/// The policy, if there is one that the caller reads. What was judged by it can be told: it can be parsed.
///
/// # Errors
/// NotFound; InternalError for one that this edition cannot parse.
pub fn policy(
    view: &ControlView,
    caller: &Caller,
    policy: &str,
) -> Result<Arc<PolicyRecord>, Refused> {
    let record = PolicyId::try_from(policy)
        .ok()
        .and_then(|id| view.policy_record(&id).cloned())
        .filter(|record| reads(caller, record))
        .ok_or_else(|| Refused::not_found(format!("policy `{policy}` does not exist")))?;
    view.judged(&record).map_err(Fault::from)?;
    Ok(record)
}

/// A moment that is read of, with what was decided then.
#[derive(Clone, Debug)]
pub struct AsOf {
    /// Organization, administrators, policies and waivers of that moment.
    pub view: Arc<ControlView>,
    /// The moment, milliseconds since the epoch; `None` is now.
    pub at_ms: Option<i64>,
}

impl AsOf {
    /// Now.
    ///
    /// # Errors
    /// What the store says.
    pub fn now(app: &App) -> Result<AsOf, Refused> {
        Ok(AsOf { view: app.view()?, at_ms: None })
    }

    /// A moment of the past, of which an administrator reads while it is one.
    ///
    /// # Errors
    /// InvalidInput for a moment of which nothing is kept; AccessDenied; what the store says.
    pub fn past(app: &App, caller: &Caller, at_ms: i64) -> Result<AsOf, Refused> {
        let administrators = &app.view()?.control().administrators.clone();
        if caller.account.as_ref().is_some_and(|account| !administrators.contains_key(account)) {
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "the past is told to the operator and to administrators",
            ));
        }
        let span = is_kept(app, at_ms)?;
        Ok(AsOf { view: app.past_view(at_ms, span)?, at_ms: Some(at_ms) })
    }
}

/// The waivers that a caller reads, ascending by id: those of policies that it reads. Of a policy that is
/// gone the operator alone does.
pub fn waivers<'v>(
    view: &'v ControlView,
    caller: &Caller,
) -> impl Iterator<Item = &'v Arc<Waiver>> {
    let control = view.control();
    control.waivers.values().filter(move |waiver| {
        let record = control.policies.get(&waiver.policy);
        caller.account.is_none() || record.is_some_and(|record| reads(caller, record))
    })
}

/// The waivers of one policy that are in force at the moment that is read of.
#[derive(Debug)]
pub struct Waiving<'v> {
    organization: Option<&'v Organization>,
    /// Those that last longest first.
    waivers: Vec<&'v Waiver>,
}

impl AsOf {
    /// What is waived of a policy.
    pub fn waiving(&self, app: &App, record: &PolicyRecord) -> Waiving<'_> {
        let at_ms = self.at_ms.unwrap_or_else(|| app.clock.now_ms());
        let all = self.view.control().waivers.values().map(|waiver| &**waiver);
        let is_asked = |waiver: &&Waiver| {
            waiver.policy == record.id && waiver.state(at_ms) == WaiverState::InForce
        };
        let mut waivers: Vec<&Waiver> = all.filter(is_asked).collect();
        waivers.sort_by_key(|waiver| (Reverse(waiver.until_ms), &waiver.id));
        Waiving { organization: self.view.organization(), waivers }
    }
}

impl<'v> Waiving<'v> {
    /// Whether nothing is waived.
    pub fn is_empty(&self) -> bool {
        self.waivers.is_empty()
    }

    /// The waiver that covers a violator.
    pub fn of(&self, account: &AccountId, row: &ViolatorRow) -> Option<&'v Waiver> {
        self.of_resource(account, &row.resource_type, &row.id)
    }

    /// The waiver that covers a resource where it is a violator.
    pub fn of_resource(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
        id: &ResourceId,
    ) -> Option<&'v Waiver> {
        let organization = self.organization?;
        let covers = |waiver: &&&Waiver| {
            waiver.has_resource(resource_type, id) && waiver.has_account(organization, account)
        };
        self.waivers.iter().find(covers).copied()
    }

    /// How many violators of an account, which has some, are covered.
    ///
    /// # Errors
    /// What the store says.
    pub fn count(
        &self,
        app: &App,
        at_ms: Option<i64>,
        policy: &PolicyId,
        account: &AccountId,
    ) -> Result<u64, Refused> {
        let is_about = |organization: &Organization| {
            self.waivers.iter().any(|waiver| waiver.has_account(organization, account))
        };
        if !self.organization.is_some_and(is_about) {
            return Ok(0);
        }
        let rows = violators_of(app, at_ms, policy, account, None, usize::MAX)?;
        Ok(rows.iter().filter(|row| self.of(account, row).is_some()).count() as u64)
    }
}

/// How far the past reaches. Refuses moments that have not come, and those from before it is kept.
fn is_kept(app: &App, at_ms: i64) -> Result<Span, Refused> {
    let (span, now_ms) = (app.store.span()?, app.clock.now_ms());
    if at_ms > now_ms {
        return Err(Refused::invalid(format!(
            "{} has not come: it is {}",
            moment(at_ms),
            moment(now_ms)
        )));
    }
    match span.from_ms {
        Some(from_ms) if from_ms <= at_ms => Ok(span),
        Some(from_ms) => Err(Refused::invalid(format!(
            "{} is before the past that is kept, which begins at {}; ask for a later moment",
            moment(at_ms),
            moment(from_ms)
        ))),
        None => Err(Refused::invalid(format!(
            "{} is before the past that is kept: nothing was written yet",
            moment(at_ms)
        ))),
    }
}

/// What the ledger held of these accounts, ascending behind `before`, now or at a moment.
fn rows_of(
    app: &App,
    at_ms: Option<i64>,
    record: &PolicyRecord,
    before: Option<&AccountId>,
    page: &[AccountId],
) -> Result<Vec<EntryRow>, StoreError> {
    let Some(at_ms) = at_ms else { return entries(&*app.store, record, before, page) };
    let Some(last) = page.last() else { return Ok(Vec::new()) };
    let mut found: Vec<EntryRow> = Vec::new();
    loop {
        let after = found.last().map(|row| &row.account).or(before);
        let rows = app.store.entries_at(&record.id, after, Some(last), ACCOUNTS_READ, at_ms)?;
        let is_last = rows.len() < ACCOUNTS_READ;
        found.extend(rows.into_iter().map(|(account, row)| past_row(account, row)));
        if is_last {
            return Ok(found);
        }
    }
}

/// A past state as the ledger's row was. When it was judged last is not kept: since when it is told stands
/// for that.
pub(super) fn past_row(account: AccountId, row: HistoryRow) -> EntryRow {
    EntryRow {
        account,
        entry: Entry {
            status: row.status,
            violator_count: row.violator_count,
            in_scope: 0,
            issues: row.issues,
            since_ms: row.at_ms,
            policy_revision: row.policy_revision,
        },
        last_updated_ms: row.noted_ms,
    }
}

fn violators_of(
    app: &App,
    at_ms: Option<i64>,
    policy: &PolicyId,
    account: &AccountId,
    after: Option<&(ResourceType, ResourceId)>,
    limit: usize,
) -> Result<Vec<ViolatorRow>, StoreError> {
    match at_ms {
        None => app.store.violators(policy, account, after, limit),
        Some(at_ms) => app.store.violators_at(policy, account, after, limit, at_ms),
    }
}

/// Hands what is known of each of these accounts to `take`: they are in the policy's scope, ascending and
/// without a gap between them, behind `before`.
///
/// # Errors
/// What the store says.
pub fn known_of(
    app: &App,
    at_ms: Option<i64>,
    record: &PolicyRecord,
    before: Option<&AccountId>,
    accounts: &[AccountId],
    mut take: impl FnMut(&AccountId, &Known<'_>),
) -> Result<(), Refused> {
    let mut before = before;
    for page in accounts.chunks(ACCOUNTS_READ) {
        let rows = rows_of(app, at_ms, record, before, page)?;
        let mut rows = rows.as_slice();
        for account in page {
            take(account, &Known::in_scope(record, first_of(&mut rows, account)));
        }
        before = page.last();
    }
    Ok(())
}

/// An entry, if there is one, and violators that belong to it.
pub type EntryAndViolators = (Option<EntryRow>, Vec<ViolatorRow>);

/// An account under a policy: its entry, and its violators behind a position, from one moment. Neither where
/// the policy is not about it.
///
/// # Errors
/// What the store says.
pub fn account_violators(
    app: &App,
    as_of: &AsOf,
    record: &PolicyRecord,
    account: &AccountId,
    after: Option<&(ResourceType, ResourceId)>,
    limit: usize,
) -> Result<Option<EntryAndViolators>, Refused> {
    if as_of.view.in_scope(&record.id).binary_search(account).is_err() {
        return Ok(None);
    }
    if let Some(at_ms) = as_of.at_ms {
        let row = app.store.entry_at(&record.id, account, at_ms)?;
        let violators = app.store.violators_at(&record.id, account, after, limit, at_ms)?;
        return Ok(Some((row.map(|row| past_row(account.clone(), row)), violators)));
    }
    let read = at_one_moment(
        || app.store.entry(&record.id, account),
        || app.store.violators(&record.id, account, after, limit),
    )?;
    Ok(Some(read))
}

/// Behind which violator of a policy a page begins.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Those of this account, and of later ones,
    pub account: AccountId,
    /// behind this resource.
    pub resource: (ResourceType, ResourceId),
}

/// Up to `limit` violators of a policy in accounts that `is_asked` for, ascending by account, type and id.
/// Nothing is told of an account where nothing can be claimed.
///
/// # Errors
/// What the store says.
pub fn policy_violators(
    app: &App,
    as_of: &AsOf,
    record: &PolicyRecord,
    after: Option<&Behind>,
    is_asked: impl Fn(&AccountId) -> bool,
    limit: usize,
) -> Result<Vec<(AccountId, ViolatorRow)>, Refused> {
    let (accounts, at_ms) = (as_of.view.in_scope(&record.id), as_of.at_ms);
    let begin = |after: &Behind| accounts.partition_point(|account| *account < after.account);
    let start = after.map_or(0, begin);
    let mut found = Vec::new();
    let mut before = start.checked_sub(1).and_then(|at| accounts.get(at));
    for page in accounts.get(start..).unwrap_or_default().chunks(ACCOUNTS_READ) {
        let rows = rows_of(app, at_ms, record, before, page)?;
        let claimed = |row: &EntryRow| Known::in_scope(record, Some(row)).result().is_some();
        let has_some = |row: &&EntryRow| {
            row.entry.violator_count > 0
                && is_asked(&row.account)
                && page.binary_search(&row.account).is_ok()
                && claimed(row)
        };
        for row in rows.iter().filter(has_some) {
            let left = limit.saturating_sub(found.len());
            if left == 0 {
                return Ok(found);
            }
            let after = after.filter(|after| after.account == row.account);
            let after = after.map(|after| &after.resource);
            let violators = violators_of(app, at_ms, &record.id, &row.account, after, left)?;
            found.extend(violators.into_iter().map(|one| (row.account.clone(), one)));
        }
        before = page.last();
    }
    Ok(found)
}

/// One violator of a policy, if the resource is one.
///
/// # Errors
/// What the store says.
pub fn violator(
    app: &App,
    view: &ControlView,
    record: &PolicyRecord,
    account: &AccountId,
    resource: &(ResourceType, ResourceId),
) -> Result<Option<ViolatorRow>, Refused> {
    match view.in_scope(&record.id).binary_search(account) {
        Ok(_) => Ok(app.store.violator(&record.id, account, resource)?),
        Err(_) => Ok(None),
    }
}

/// What `GetViolationDetails` tells of a violator, what would end it among it.
pub fn details(row: &ViolatorRow) -> Vec<ResourceViolation> {
    row.violations.iter().filter_map(|found| violations::violation(row, found)).collect()
}

/// Events of the audit log, newest first; for the operator.
///
/// # Errors
/// AccessDenied for others.
pub fn audit(
    app: &App,
    caller: &Caller,
    filter: &AuditFilter,
    limit: usize,
) -> Result<Vec<AuditRow>, Refused> {
    is_operator(caller)?;
    Ok(app.store.audit(filter, limit)?)
}

/// How much work there is; for the operator.
///
/// # Errors
/// AccessDenied for others.
pub fn work(app: &App, caller: &Caller) -> Result<WorkCounts, Refused> {
    is_operator(caller)?;
    Ok(app.store.work(app.clock.now_ms())?)
}
