//! What endpoints and pages read, each as far as its caller may: the operator everything, an administrator
//! what its own policies found. The FMS operations read by the same functions of [`crate::compliance`] and
//! [`crate::known`].

use std::sync::Arc;

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use palisade_store::{AuditFilter, AuditRow, EntryRow, PolicyRecord, WorkCounts};
use palisade_wire::Fault;
use palisade_wire::shapes::ResourceViolation;

use super::answer::{Refused, is_operator};
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

/// Hands what is known of each of these accounts to `take`: they are in the policy's scope, ascending and
/// without a gap between them, behind `before`.
///
/// # Errors
/// What the store says.
pub fn known_of(
    app: &App,
    record: &PolicyRecord,
    before: Option<&AccountId>,
    accounts: &[AccountId],
    mut take: impl FnMut(&AccountId, &Known<'_>),
) -> Result<(), Refused> {
    let mut before = before;
    for page in accounts.chunks(ACCOUNTS_READ) {
        let rows = entries(&*app.store, record, before, page)?;
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
    view: &ControlView,
    record: &PolicyRecord,
    account: &AccountId,
    after: Option<&(ResourceType, ResourceId)>,
    limit: usize,
) -> Result<Option<EntryAndViolators>, Refused> {
    if view.in_scope(&record.id).binary_search(account).is_err() {
        return Ok(None);
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
    view: &ControlView,
    record: &PolicyRecord,
    after: Option<&Behind>,
    is_asked: impl Fn(&AccountId) -> bool,
    limit: usize,
) -> Result<Vec<(AccountId, ViolatorRow)>, Refused> {
    let accounts = view.in_scope(&record.id);
    let begin = |after: &Behind| accounts.partition_point(|account| *account < after.account);
    let start = after.map_or(0, begin);
    let mut found = Vec::new();
    let mut before = start.checked_sub(1).and_then(|at| accounts.get(at));
    for page in accounts.get(start..).unwrap_or_default().chunks(ACCOUNTS_READ) {
        let rows = entries(&*app.store, record, before, page)?;
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
            let violators = app.store.violators(&record.id, &row.account, after, left)?;
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
