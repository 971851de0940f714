//! What the ledger says of a policy, as AWS shows it (semantics §3): which accounts, with how many
//! violators, and what stood in the way of knowing.

use std::collections::BTreeMap;

use palisade_core::evaluate::{self, DependentService, Status};
use palisade_core::ident::AccountId;
use palisade_core::ledger::{Entry, ViolatorRow};
use palisade_store::{EntryRow, PolicyRecord, Store, StoreError};
use palisade_wire::shapes::{
    ComplianceViolator, DependentServiceName, EvaluationResult, GetComplianceDetailRequest,
    GetComplianceDetailResponse, ListComplianceStatusRequest, ListComplianceStatusResponse,
    PolicyComplianceDetail, PolicyComplianceStatus, PolicyComplianceStatusType, ViolationReason,
};
use palisade_wire::{Fault, Timestamp};

use crate::call::{Call, Reading, internal, organization};
use crate::policies;

/// Violators that an answer of AWS's operations names; more set `EvaluationLimitExceeded`.
pub const VIOLATORS_SHOWN_MAX: usize = 100;
/// How long after `LastUpdated` a detail counts as stale (semantics §3.5): 24 hours.
const EXPIRY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How often an entry that changes while it is read is read again.
const READS_MAX: usize = 16;
/// Entries of one range read.
const ENTRIES_READ_MAX: usize = 1_000;

/// `ListComplianceStatus`: one entry for each account in the policy's scope now, ascending.
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region.
pub fn list(
    call: &Call<'_>,
    input: ListComplianceStatusRequest,
) -> Result<ListComplianceStatusResponse, Fault> {
    let reading = call.read()?;
    let Reading { standing, view } = &reading;
    let record = judged(&reading, &input.policy_id)?;
    let filter = [standing.region.as_str(), record.id.as_str()];
    let after = call.position(standing, &filter, input.next_token.as_deref())?;
    let accounts = view.in_scope(&record.id);
    let start =
        after.as_deref().map_or(0, |after| accounts.partition_point(|a| a.as_str() <= after));
    let rest = accounts.get(start..).unwrap_or_default();
    let page = rest.get(..call.page_size(input.max_results)).unwrap_or(rest);
    let mut entries =
        entries(&*call.app.store, record, page).map_err(internal)?.into_iter().peekable();
    let mut list = Vec::with_capacity(page.len());
    for account in page {
        // Between those asked for there may be entries of accounts that have just left the scope.
        while entries.next_if(|row| row.account < *account).is_some() {}
        list.push(status(record, account, entries.next_if(|row| row.account == *account)));
    }
    let next_token = match page.last() {
        Some(last) if page.len() < rest.len() => {
            Some(call.next_token(standing, &filter, last.as_str())?)
        }
        _ => None,
    };
    Ok(ListComplianceStatusResponse { policy_compliance_status_list: Some(list), next_token })
}

/// The caller's policy, if this Palisade can read it.
fn judged<'r>(reading: &'r Reading, id: &str) -> Result<&'r PolicyRecord, Fault> {
    let record = policies::own(&reading.standing, &reading.view, id)?;
    match reading.view.policy(&record.id) {
        Some(_) => Ok(record),
        None => Err(internal(format!("policy `{id}` is stored and cannot be parsed"))),
    }
}

/// What the ledger holds from the first to the last of these accounts, which are ascending, as the
/// answer is.
fn entries(
    store: &dyn Store,
    record: &PolicyRecord,
    page: &[AccountId],
) -> Result<Vec<EntryRow>, StoreError> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(Vec::new()) };
    // The range is open below, so the first account is read by itself.
    let mut found = Vec::from_iter(store.entry(&record.id, first)?);
    let mut after = first.clone();
    while after < *last {
        let rows = store.entries(&record.id, Some(&after), Some(last), ENTRIES_READ_MAX)?;
        after = match rows.last() {
            Some(row) if rows.len() == ENTRIES_READ_MAX => row.account.clone(),
            _ => last.clone(),
        };
        found.extend(rows);
    }
    Ok(found)
}

fn status(
    record: &PolicyRecord,
    account: &AccountId,
    row: Option<EntryRow>,
) -> PolicyComplianceStatus {
    PolicyComplianceStatus {
        evaluation_results: Some(
            row.as_ref().and_then(|row| result(&row.entry)).into_iter().collect(),
        ),
        issue_info_map: Some(row.as_ref().map(|row| issues(&row.entry)).unwrap_or_default()),
        last_updated: row.as_ref().map(|row| Timestamp::from_millis(row.last_updated_ms)),
        member_account: Some(account.to_string()),
        policy_id: Some(record.id.to_string()),
        policy_name: Some(record.document.policy_name.clone()),
        policy_owner: Some(record.owner.to_string()),
    }
}

/// The account's overall verdict, none when nothing can be claimed. The count is true, not cut.
fn result(entry: &Entry) -> Option<EvaluationResult> {
    let status = match entry.status? {
        Status::Compliant => PolicyComplianceStatusType::Compliant,
        Status::NonCompliant => PolicyComplianceStatusType::NonCompliant,
    };
    Some(EvaluationResult {
        compliance_status: Some(status),
        evaluation_limit_exceeded: Some(exceeds_limit(entry)),
        violator_count: Some(i64::try_from(entry.violator_count).unwrap_or(i64::MAX)),
    })
}

fn exceeds_limit(entry: &Entry) -> bool {
    entry.violator_count > VIOLATORS_SHOWN_MAX as u64
}

fn issues(entry: &Entry) -> BTreeMap<DependentServiceName, String> {
    entry.issues.iter().map(|(service, text)| (service_name(*service), text.clone())).collect()
}

/// `GetComplianceDetail`: the first violators of one account.
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region,
/// InvalidInputException for an account outside the organization.
pub fn detail(
    call: &Call<'_>,
    input: GetComplianceDetailRequest,
) -> Result<GetComplianceDetailResponse, Fault> {
    let reading = call.read()?;
    let record = judged(&reading, &input.policy_id)?;
    let account = AccountId::try_from(input.member_account.as_str())
        .ok()
        .filter(|account| {
            organization(&reading.view).is_ok_and(|known| known.accounts.contains_key(account))
        })
        .ok_or_else(|| {
            call.bad_input(format!("account `{}` is not in the organization", input.member_account))
        })?;
    let in_scope = reading.view.in_scope(&record.id).binary_search(&account).is_ok();
    let (row, violators) = match in_scope {
        true => entry_and_violators(&*call.app.store, record, &account).map_err(internal)?,
        false => (None, Vec::new()),
    };
    let violated = row.as_ref().filter(|row| row.entry.status != Some(Status::Compliant));
    let detail = PolicyComplianceDetail {
        evaluation_limit_exceeded: Some(row.as_ref().is_some_and(|row| exceeds_limit(&row.entry))),
        expired_at: violated
            .map(|row| Timestamp::from_millis(row.last_updated_ms.saturating_add(EXPIRY_MS))),
        issue_info_map: Some(row.as_ref().map(|row| issues(&row.entry)).unwrap_or_default()),
        member_account: Some(account.to_string()),
        policy_id: Some(record.id.to_string()),
        policy_owner: Some(record.owner.to_string()),
        violators: Some(violators.iter().map(violator).collect()),
    };
    Ok(GetComplianceDetailResponse { policy_compliance_detail: Some(detail) })
}

/// An entry and its first violators from one moment: read again while a settlement comes between.
fn entry_and_violators(
    store: &dyn Store,
    record: &PolicyRecord,
    account: &AccountId,
) -> Result<(Option<EntryRow>, Vec<ViolatorRow>), StoreError> {
    at_one_moment(
        || store.entry(&record.id, account),
        || store.violators(&record.id, account, None, VIOLATORS_SHOWN_MAX),
    )
}

/// A head and what belongs to it, read between two looks at the head that find it the same.
fn at_one_moment<H: PartialEq, B>(
    mut head: impl FnMut() -> Result<H, StoreError>,
    mut body: impl FnMut() -> Result<B, StoreError>,
) -> Result<(H, B), StoreError> {
    let mut seen = head()?;
    for _ in 0..READS_MAX {
        let body = body()?;
        let again = head()?;
        if again == seen {
            return Ok((seen, body));
        }
        seen = again;
    }
    Err(StoreError::Conflict)
}

fn violator(row: &ViolatorRow) -> ComplianceViolator {
    ComplianceViolator {
        metadata: None,
        resource_id: Some(row.id.to_string()),
        resource_type: Some(row.resource_type.to_string()),
        violation_reason: row.violations.first().map(|violation| reason(violation.reason)),
    }
}

/// core's word for a service as the wire's.
pub fn service_name(service: DependentService) -> DependentServiceName {
    match service {
        DependentService::Config => DependentServiceName::Awsconfig,
        DependentService::Waf => DependentServiceName::Awswaf,
        DependentService::ShieldAdvanced => DependentServiceName::AwsshieldAdvanced,
        DependentService::Vpc => DependentServiceName::Awsvpc,
    }
}

/// core's word for a reason as the wire's.
pub fn reason(reason: evaluate::ViolationReason) -> ViolationReason {
    use evaluate::ViolationReason as Core;
    match reason {
        Core::WebAclMissingRuleGroup => ViolationReason::WebAclMissingRuleGroup,
        Core::ResourceMissingWebAcl => ViolationReason::ResourceMissingWebAcl,
        Core::ResourceIncorrectWebAcl => ViolationReason::ResourceIncorrectWebAcl,
        Core::ResourceMissingShieldProtection => ViolationReason::ResourceMissingShieldProtection,
        Core::ResourceMissingWebAclOrShieldProtection => {
            ViolationReason::ResourceMissingWebAclOrShieldProtection
        }
        Core::ResourceMissingSecurityGroup => ViolationReason::ResourceMissingSecurityGroup,
        Core::ResourceViolatesAuditSecurityGroup => {
            ViolationReason::ResourceViolatesAuditSecurityGroup
        }
        Core::SecurityGroupUnused => ViolationReason::SecurityGroupUnused,
        Core::SecurityGroupRedundant => ViolationReason::SecurityGroupRedundant,
        Core::WebAclConfigurationOrScopeOfUse => ViolationReason::WebAclConfigurationOrScopeOfUse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_again_to_the_limit_while_it_changes() {
        for changes in [READS_MAX - 2, READS_MAX - 1, READS_MAX] {
            let (mut heads, mut bodies) = (0, 0);
            // The head changes that many times, each time after the body was read.
            let head = || {
                heads += 1;
                Ok((heads - 1).min(changes))
            };
            let body = || {
                bodies += 1;
                Ok(bodies)
            };
            let read = at_one_moment(head, body);
            if changes < READS_MAX {
                assert_eq!(read.unwrap(), (changes, changes + 1), "{changes} changes");
            } else {
                assert!(matches!(read, Err(StoreError::Conflict)), "{changes} changes");
                assert_eq!(bodies, READS_MAX);
            }
        }
    }
}
