//! What the ledger says of a policy, as AWS shows it (semantics §3): which accounts, with how many
//! violators, and what stood in the way of knowing.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ident::AccountId;
use palisade_core::ledger::{Entry, ViolatorRow};
use palisade_store::{EntryRow, Ledger, PolicyRecord, StoreError};
use palisade_wire::shapes::{
    ComplianceViolator, DependentServiceName, EvaluationResult, GetComplianceDetailRequest,
    GetComplianceDetailResponse, ListComplianceStatusRequest, ListComplianceStatusResponse,
    PolicyComplianceDetail, PolicyComplianceStatusType,
};
use palisade_wire::{Fault, Says, Timestamp};
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use crate::call::{Call, Reading, organization};
use crate::fault::internal;
use crate::known::Known;
use crate::policies;
use crate::view::ControlView;
use crate::wire_names::{reason, service_name};

/// Violators that an answer of AWS's operations names; more set `EvaluationLimitExceeded`.
pub const VIOLATORS_SHOWN_MAX: usize = 100;
/// How long after `LastUpdated` a detail counts as stale (semantics §3.5): 24 hours.
const EXPIRY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How often an entry that changes while it is read is read again.
const READS_MAX: usize = 16;
/// Entries of one range read.
const ENTRIES_READ_MAX: usize = 1_000;
/// Bytes of an answer of `ListComplianceStatus`, without its entries, and of one of these, as they
/// mostly are.
const ANSWER_SIZE: usize = 512;
const STATUS_SIZE: usize = 320;

/// `ListComplianceStatus`: one entry for each account in the policy's scope now, ascending.
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region.
pub fn list(call: &Call<'_>, input: ListComplianceStatusRequest) -> Result<Page, Fault> {
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
    let before = start.checked_sub(1).and_then(|at| accounts.get(at));
    let rows = entries(&*call.app.store, record, before, page).map_err(internal)?;
    let next_token = match page.last() {
        Some(last) if page.len() < rest.len() => {
            Some(call.next_token(standing, &filter, last.as_str())?)
        }
        _ => None,
    };
    let accounts = start..start.saturating_add(page.len());
    Ok(Page { policy: record.clone(), view: view.clone(), accounts, rows, next_token })
}

/// The answer of `ListComplianceStatus`. Written straight from what was read: made into the shape of
/// the wire, a page would be hundreds of texts copied to be written once.
#[derive(Debug)]
pub struct Page {
    policy: Arc<PolicyRecord>,
    view: Arc<ControlView>,
    /// Which of the accounts in the policy's scope.
    accounts: Range<usize>,
    /// What the ledger holds from the first to the last of them, ascending.
    rows: Vec<EntryRow>,
    next_token: Option<String>,
}

impl Says<ListComplianceStatusResponse> for Page {
    fn size_hint(&self) -> usize {
        ANSWER_SIZE.saturating_add(self.accounts.len().saturating_mul(STATUS_SIZE))
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let accounts = self.view.in_scope(&self.policy.id).get(self.accounts.clone());
        let page = PageShape {
            next_token: self.next_token.as_deref(),
            policy_compliance_status_list: Statuses {
                policy: &self.policy,
                accounts: accounts.unwrap_or_default(),
                rows: &self.rows,
            },
        };
        page.serialize(serializer)
    }
}

/// `ListComplianceStatusResponse`, its members in the same order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PageShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    policy_compliance_status_list: Statuses<'a>,
}

struct Statuses<'a> {
    policy: &'a PolicyRecord,
    accounts: &'a [AccountId],
    rows: &'a [EntryRow],
}

impl Serialize for Statuses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.accounts.len()))?;
        let mut rows = self.rows;
        for account in self.accounts {
            let row = first_of(&mut rows, account);
            let known = Known::in_scope(self.policy, row);
            let result = result(&known);
            list.serialize_element(&StatusShape {
                evaluation_results: result.as_slice(),
                issue_info_map: Issues(&known.issues),
                last_updated: row.map(|row| Timestamp::from_millis(row.last_updated_ms)),
                member_account: account.as_str(),
                policy_id: self.policy.id.as_str(),
                policy_name: &self.policy.document.policy_name,
                policy_owner: self.policy.owner.as_str(),
            })?;
        }
        list.end()
    }
}

/// Takes from `rows`, which are ascending, up to that of `account`; answers that, if there is one.
/// In front of it there may be those of accounts that have just left the scope.
pub(crate) fn first_of<'r>(rows: &mut &'r [EntryRow], account: &AccountId) -> Option<&'r EntryRow> {
    while let [row, rest @ ..] = *rows {
        let order = row.account.cmp(account);
        if order == Ordering::Greater {
            break;
        }
        *rows = rest;
        if order == Ordering::Equal {
            return Some(row);
        }
    }
    None
}

/// `PolicyComplianceStatus`, its members in the same order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusShape<'a> {
    evaluation_results: &'a [EvaluationResult],
    issue_info_map: Issues<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated: Option<Timestamp>,
    member_account: &'a str,
    policy_id: &'a str,
    policy_name: &'a str,
    policy_owner: &'a str,
}

/// `IssueInfoMap`. The order of services is the same in core and on the wire.
struct Issues<'a>(&'a BTreeMap<DependentService, String>);

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (service, text) in self.0 {
            map.serialize_entry(&service_name(*service), text)?;
        }
        map.end()
    }
}

/// The caller's policy, if this Palisade can read it.
pub(crate) fn judged<'r>(reading: &'r Reading, id: &str) -> Result<&'r Arc<PolicyRecord>, Fault> {
    let record = policies::own(&reading.standing, &reading.view, id)?;
    reading.view.judged(record)?;
    Ok(record)
}

/// What the ledger holds after `before` up to the last of these accounts, which are ascending, as
/// the answer is. Nearly always one read.
pub(crate) fn entries(
    store: &dyn Ledger,
    record: &PolicyRecord,
    before: Option<&AccountId>,
    page: &[AccountId],
) -> Result<Vec<EntryRow>, StoreError> {
    let Some(last) = page.last() else { return Ok(Vec::new()) };
    let mut found = store.entries(&record.id, before, Some(last), ENTRIES_READ_MAX)?;
    let mut read = found.len();
    while read == ENTRIES_READ_MAX {
        let after = found.last().map(|row| &row.account);
        let rows = store.entries(&record.id, after, Some(last), ENTRIES_READ_MAX)?;
        read = rows.len();
        found.extend(rows);
    }
    Ok(found)
}

/// The account's overall verdict, none when nothing can be claimed. The count is true, not cut.
fn result(known: &Known<'_>) -> Option<EvaluationResult> {
    let (status, entry) = known.result()?;
    let status = match status {
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

fn issues(known: &Known<'_>) -> BTreeMap<DependentServiceName, String> {
    known.issues.iter().map(|(service, text)| (service_name(*service), text.clone())).collect()
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
    let known = match in_scope {
        true => Known::in_scope(record, row.as_ref()),
        false => Known::out_of_scope(),
    };
    let violated = row.as_ref().filter(|_| known.status != Some(Status::Compliant));
    let detail = PolicyComplianceDetail {
        evaluation_limit_exceeded: Some(row.as_ref().is_some_and(|row| exceeds_limit(&row.entry))),
        expired_at: violated
            .map(|row| Timestamp::from_millis(row.last_updated_ms.saturating_add(EXPIRY_MS))),
        issue_info_map: Some(issues(&known)),
        member_account: Some(account.to_string()),
        policy_id: Some(record.id.to_string()),
        policy_owner: Some(record.owner.to_string()),
        violators: Some(violators.iter().map(violator).collect()),
    };
    Ok(GetComplianceDetailResponse { policy_compliance_detail: Some(detail) })
}

/// An entry and its first violators from one moment: read again while a settlement comes between.
fn entry_and_violators(
    store: &dyn Ledger,
    record: &PolicyRecord,
    account: &AccountId,
) -> Result<(Option<EntryRow>, Vec<ViolatorRow>), StoreError> {
    at_one_moment(
        || store.entry(&record.id, account),
        || store.violators(&record.id, account, None, VIOLATORS_SHOWN_MAX),
    )
}

/// A head and what belongs to it, read between two looks at the head that find it the same.
pub(crate) fn at_one_moment<H: PartialEq, B>(
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

#[cfg(test)]
mod tests {
    use palisade_wire::{Protocol, Shaped as _, decode_output, encode};
    use serde_json::json;

    use super::*;

    /// Accounts without an entry, without a verdict, with issues and with a verdict.
    fn rows() -> Vec<EntryRow> {
        let row =
            |account: &str, status, issues: &[(DependentService, &str)], violator_count| EntryRow {
                account: AccountId::try_from(account).unwrap(),
                entry: Entry {
                    status,
                    violator_count,
                    in_scope: 7,
                    issues: issues.iter().map(|(of, text)| (*of, (*text).to_owned())).collect(),
                    since_ms: 1,
                    policy_revision: 1,
                },
                last_updated_ms: 1_576_283_774_120,
            };
        let both = [(DependentService::Vpc, "a \"list\""), (DependentService::Config, "gone")];
        vec![
            row("100000000000", Some(Status::Compliant), &[], 0),
            row("100000000002", None, &both, 0),
            row("100000000003", Some(Status::NonCompliant), &both[..1], 101),
        ]
    }

    #[test]
    fn a_page_is_written_as_the_shape_it_stands_for() {
        let record: PolicyRecord = serde_json::from_value(json!({
            "id": "a".repeat(36), "owner": "100000000009", "region": "eu-west-1", "revision": 1,
            "token": "1:x", "former_names": [], "tags": {}, "created_ms": 0, "updated_ms": 0,
            "document": {
                "PolicyName": "näme \"one\"", "ResourceType": "AWS::EC2::SecurityGroup",
                "ExcludeResourceTags": false, "RemediationEnabled": false,
                "SecurityServicePolicyData": { "Type": "WAFV2" },
            },
        }))
        .unwrap();
        let account = |id: &str| AccountId::try_from(id).unwrap();
        let accounts = ["100000000001", "100000000002", "100000000003"].map(account);
        for next_token in [None, Some("token".to_owned())] {
            let rows = rows();
            let policy_compliance_status_list =
                Statuses { policy: &record, accounts: &accounts, rows: &rows };
            let page =
                PageShape { next_token: next_token.as_deref(), policy_compliance_status_list };
            for protocol in [Protocol::Json, Protocol::Cbor] {
                let written = encode(protocol, &page).unwrap();
                let shape = ListComplianceStatusResponse::SHAPE;
                let read: ListComplianceStatusResponse =
                    decode_output(shape, protocol, &written).unwrap();
                // What the shape does not know would be lost, and another order would be lost too.
                assert_eq!(encode(protocol, &read).unwrap(), written);
                assert_eq!(read.next_token, next_token);
                let list = read.policy_compliance_status_list.unwrap();
                let told: Vec<_> = list
                    .iter()
                    .map(|status| {
                        let result = status.evaluation_results.as_deref().unwrap().first();
                        (
                            status.member_account.as_deref().unwrap(),
                            result.and_then(|result| result.violator_count),
                            status.issue_info_map.as_ref().unwrap().len(),
                            status.last_updated.map(Timestamp::as_millis),
                        )
                    })
                    .collect();
                let moment = Some(1_576_283_774_120);
                assert_eq!(
                    told,
                    [
                        ("100000000001", None, 1, None),
                        ("100000000002", None, 2, moment),
                        ("100000000003", Some(101), 1, moment),
                    ]
                );
                assert_eq!(list[0].policy_name.as_deref(), Some("näme \"one\""));
            }
        }
    }

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
