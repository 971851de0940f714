//! Policies: put, get, list, delete (semantics §2.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::PolicyId;
use palisade_core::policy::{self, Document, Identity, NetworkAclEntrySet, Purpose};
use palisade_store::{ControlChange, PolicyRecord};
use palisade_wire::shapes::{
    CustomerPolicyStatus, DeletePolicyRequest, GetPolicyRequest, GetPolicyResponse,
    ListPoliciesRequest, ListPoliciesResponse, Policy, PolicySummary, PutPolicyRequest,
    PutPolicyResponse, SecurityServiceType,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::{Call, Paging, organization};
use crate::caller::Standing;
use crate::fault::{internal, not_found, refused};
use crate::view::{ControlView, identity};
use crate::{mint, tag_list};

/// Former names of a policy that are remembered, the latest: a web ACL made under an older one is
/// no longer known as the policy's own. Every write of the policy costs them again.
const FORMER_NAMES_MAX: usize = 50;
/// Former entry sets of a policy on network ACLs that are remembered.
const FORMER_ENTRY_SETS_MAX: usize = 50;

/// `PutPolicy`: creates without `PolicyId`, updates with it.
///
/// # Errors
/// Those of the model: see [`policy::parse`] and [`policy::admit`] for what is refused; a missing
/// or stale `PolicyUpdateToken` is InvalidInputException, an unknown policy ResourceNotFoundException.
pub fn put(call: &Call<'_>, input: PutPolicyRequest) -> Result<PutPolicyResponse, Fault> {
    let asked = Asked::read(call, input)?;
    let record = call.decide(|standing, view| {
        let record = Arc::new(asked.record(call, standing, view)?);
        Ok((vec![ControlChange::PutPolicy(record.clone())], record))
    })?;
    let status = CustomerPolicyStatus::Active;
    Ok(PutPolicyResponse {
        policy: Some(shown(&record, status)?),
        policy_arn: Some(arn(call, &record)),
    })
}

/// The record that `PutPolicy` would write of this request, decided on `view`; nothing is written.
///
/// # Errors
/// Those of [`put`].
pub(crate) fn draft(
    call: &Call<'_>,
    view: &ControlView,
    input: PutPolicyRequest,
) -> Result<PolicyRecord, Fault> {
    let standing = call.authorise(view)?;
    Asked::read(call, input)?.record(call, &standing, view)
}

/// A request, and what is made for it.
struct Asked {
    given: Given,
    fresh: Fresh,
}

impl Asked {
    fn read(call: &Call<'_>, input: PutPolicyRequest) -> Result<Asked, Fault> {
        let entropy = &*call.app.entropy;
        let fresh = Fresh {
            id: mint::uuid(entropy).map_err(internal)?,
            token: mint::update_token(entropy).map_err(internal)?,
        };
        let given = Given {
            id: input.policy.policy_id.clone(),
            token: input.policy.policy_update_token.clone(),
            document: document(input.policy)?,
            tags: tag_list::map(call, input.tag_list.unwrap_or_default())?,
        };
        Ok(Asked { given, fresh })
    }

    fn record(
        &self,
        call: &Call<'_>,
        standing: &Standing,
        view: &ControlView,
    ) -> Result<PolicyRecord, Fault> {
        let Asked { given, fresh } = self;
        match &given.id {
            None => created(call, standing, view, given, fresh),
            Some(id) => updated(call, standing, view, given, fresh, id),
        }
    }
}

/// What a request asks for.
struct Given {
    id: Option<String>,
    token: Option<String>,
    document: Document,
    tags: BTreeMap<String, String>,
}

/// What a policy that is created or updated by this call is given.
struct Fresh {
    id: String,
    token: String,
}

fn created(
    call: &Call<'_>,
    standing: &Standing,
    view: &ControlView,
    given: &Given,
    fresh: &Fresh,
) -> Result<PolicyRecord, Fault> {
    if given.token.is_some() {
        return Err(call.bad_input(
            "`PolicyUpdateToken` comes with `PolicyId` alone; leave it out to create a policy, or say which policy it updates",
        ));
    }
    let record = PolicyRecord {
        id: PolicyId::try_from(fresh.id.as_str()).map_err(internal)?,
        owner: standing.account.clone(),
        region: standing.region.clone(),
        revision: 1,
        token: fresh.token.clone(),
        former_names: Vec::new(),
        former_entry_sets: Some(Vec::new()),
        document: given.document.clone(),
        tags: tag_list::within_quota(call, given.tags.clone())?,
        created_ms: call.now_ms(),
        updated_ms: call.now_ms(),
    };
    check(call, view, &record, Purpose::Create)?;
    let count =
        view.control().policies.values().filter(|known| known.region == record.region).count();
    let max = call.app.settings.quotas.policies_max;
    if count >= usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(Fault::new(
            ErrorKind::LimitExceeded,
            format!(
                "the organization has {count} policies in `{}` and the quota is {max}; delete one first",
                record.region
            ),
        ));
    }
    Ok(record)
}

fn updated(
    call: &Call<'_>,
    standing: &Standing,
    view: &ControlView,
    given: &Given,
    fresh: &Fresh,
    id: &str,
) -> Result<PolicyRecord, Fault> {
    let before = changeable(standing, view, id)?;
    match &given.token {
        Some(token) if *token == before.token => {}
        Some(_) => {
            return Err(call.bad_input(format!(
                "`PolicyUpdateToken` is not that of the current version of policy `{id}`: it was changed meanwhile; read it with GetPolicy and put it again with the token found there"
            )));
        }
        None => {
            return Err(call.bad_input(format!(
                "`PolicyUpdateToken` is missing: an update of policy `{id}` must carry the token that GetPolicy answers"
            )));
        }
    }
    policy::admit_update(&before.document, &given.document).map_err(refused)?;
    let mut tags = before.tags.clone();
    tags.extend(given.tags.clone());
    let record = PolicyRecord {
        revision: before.revision.saturating_add(1),
        token: fresh.token.clone(),
        former_names: former_names(before, &given.document.policy_name),
        former_entry_sets: former_entry_sets(before),
        document: given.document.clone(),
        tags: tag_list::within_quota(call, tags)?,
        updated_ms: call.now_ms(),
        ..PolicyRecord::clone(before)
    };
    check(call, view, &record, Purpose::Update(&before.document))?;
    Ok(record)
}

/// The names that a policy had before it is called `now`, the latest last.
fn former_names(before: &PolicyRecord, now: &str) -> Vec<Box<str>> {
    let mut names = before.former_names.clone();
    let last = before.document.policy_name.as_str();
    if now != last {
        names.retain(|name| **name != *last);
        names.push(last.into());
    }
    names.split_off(names.len().saturating_sub(FORMER_NAMES_MAX))
}

/// The entry sets that a policy on network ACLs had before it is put anew, each once; `None` where they
/// are more than are remembered, or were not remembered from the beginning.
fn former_entry_sets(before: &PolicyRecord) -> Option<Vec<NetworkAclEntrySet>> {
    let mut sets = before.known_entry_sets()?.to_vec();
    let option = before.document.security_service_policy_data.policy_option.as_ref();
    let had = option.and_then(|option| option.network_acl_common_policy.as_ref());
    if let Some(had) = had
        && !sets.contains(&had.network_acl_entry_set)
    {
        sets.push(had.network_acl_entry_set.clone());
    }
    (sets.len() <= FORMER_ENTRY_SETS_MAX).then_some(sets)
}

/// What is valid anywhere, and what is valid in this organization, Region and under these quotas.
fn check(
    call: &Call<'_>,
    view: &ControlView,
    record: &PolicyRecord,
    purpose: Purpose<'_>,
) -> Result<(), Fault> {
    let who: Identity = identity(record);
    let parsed = policy::parse(&record.document, who).map_err(refused)?;
    if !view.may_have(&record.owner, parsed.policy_type()) {
        if parsed.policy_type().facts().is_default_administrators {
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!(
                    "policies of type THIRD_PARTY_FIREWALL are outside the AdminScope of account `{}`; the default administrator alone has them",
                    record.owner
                ),
            ));
        }
        return Err(Fault::new(
            ErrorKind::InvalidOperation,
            format!(
                "policies of type {} are outside the AdminScope of account `{}`; the management account widens it with PutAdminAccount",
                parsed.policy_type().as_str(),
                record.owner
            ),
        ));
    }
    let quotas = &call.app.settings.quotas;
    policy::admit(&record.document, organization(view)?, &record.region, quotas, purpose)
        .map_err(refused)
}

/// `GetPolicy`
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region.
pub fn get(call: &Call<'_>, input: GetPolicyRequest) -> Result<GetPolicyResponse, Fault> {
    let reading = call.read()?;
    let record = own(&reading.standing, &reading.view, &input.policy_id)?;
    let status = status(&reading.view, record);
    Ok(GetPolicyResponse {
        policy: Some(shown(record, status)?),
        policy_arn: Some(arn(call, record)),
    })
}

/// `ListPolicies`: the caller's in this Region, by age, then id.
///
/// # Errors
/// An invalid page token.
pub fn list(call: &Call<'_>, input: ListPoliciesRequest) -> Result<ListPoliciesResponse, Fault> {
    let reading = call.read()?;
    let standing = &reading.standing;
    let mut all: Vec<&Arc<PolicyRecord>> = reading
        .view
        .control()
        .policies
        .values()
        .filter(|record| standing.owns(&record.owner, &record.region))
        .collect();
    let place = |record: &&Arc<PolicyRecord>| format!("{:020} {}", record.created_ms, record.id);
    all.sort_by_cached_key(place);
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) =
        call.page(standing, &[standing.region.as_str()], paging, all, place)?;
    let summaries: Result<_, Fault> =
        page.into_iter().map(|record| summary(call, &reading.view, record)).collect();
    Ok(ListPoliciesResponse { policy_list: Some(summaries?), next_token })
}

fn summary(
    call: &Call<'_>,
    view: &ControlView,
    record: &PolicyRecord,
) -> Result<PolicySummary, Fault> {
    let document = &record.document;
    let policy_type: SecurityServiceType =
        document.security_service_policy_data.policy_type.parse().map_err(internal)?;
    Ok(PolicySummary {
        policy_arn: Some(arn(call, record)),
        policy_id: Some(record.id.to_string()),
        policy_name: Some(document.policy_name.clone()),
        resource_type: Some(document.resource_type.clone()),
        security_service_type: Some(policy_type),
        remediation_enabled: Some(document.remediation_enabled),
        delete_unused_fm_managed_resources: Some(
            document.delete_unused_managed_resources.unwrap_or(false),
        ),
        policy_status: Some(status(view, record)),
    })
}

fn status(view: &ControlView, record: &PolicyRecord) -> CustomerPolicyStatus {
    match view.is_in_admin_scope(record) {
        true => CustomerPolicyStatus::Active,
        false => CustomerPolicyStatus::OutOfAdminScope,
    }
}

/// `DeletePolicy`. `DeleteAllPolicyResources` asks for the removal of what a policy made in the
/// members; Palisade made nothing there, so there is nothing to remove.
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region.
pub fn delete(call: &Call<'_>, input: DeletePolicyRequest) -> Result<(), Fault> {
    call.decide(|standing, view| {
        let record = changeable(standing, view, &input.policy_id)?;
        Ok((vec![ControlChange::RemovePolicy(record.id.clone())], ()))
    })
}

/// A policy of the caller in the call's Region.
///
/// # Errors
/// ResourceNotFoundException, the same for an unknown policy and for another administrator's.
pub fn own<'v>(
    standing: &Standing,
    view: &'v ControlView,
    id: &str,
) -> Result<&'v Arc<PolicyRecord>, Fault> {
    PolicyId::try_from(id)
        .ok()
        .and_then(|id| view.policy_record(&id))
        .filter(|record| standing.owns(&record.owner, &record.region))
        .ok_or_else(|| not_found("policy", id))
}

/// As [`own`], for a change: what is OUT_OF_ADMIN_SCOPE can only be read (semantics §9 row 21).
///
/// # Errors
/// Those of [`own`], and InvalidOperationException for a policy out of the caller's AdminScope.
pub fn changeable<'v>(
    standing: &Standing,
    view: &'v ControlView,
    id: &str,
) -> Result<&'v Arc<PolicyRecord>, Fault> {
    let record = own(standing, view, id)?;
    match view.is_in_admin_scope(record) {
        true => Ok(record),
        false => Err(Fault::new(
            ErrorKind::InvalidOperation,
            format!(
                "policy `{id}` is OUT_OF_ADMIN_SCOPE and can only be read; the management account widens the AdminScope with PutAdminAccount"
            ),
        )),
    }
}

fn arn(call: &Call<'_>, record: &PolicyRecord) -> String {
    mint::policy_arn(&call.app.settings.partition, &record.region, &record.owner, &record.id)
}

/// The text of a policy as core reads it. Id, token and status are the record's, not the text's.
fn document(policy: Policy) -> Result<Document, Fault> {
    // Both sides are AWS's shape, so JSON between them loses nothing.
    let value = serde_json::to_value(&policy).map_err(internal)?;
    let mut document: Document = serde_json::from_value(value).map_err(internal)?;
    document.policy_id = None;
    document.policy_update_token = None;
    document.policy_status = None;
    Ok(document)
}

/// A policy as answered: the text as AWS would echo it, with id, token and status.
fn shown(record: &PolicyRecord, status: CustomerPolicyStatus) -> Result<Policy, Fault> {
    let mut document = policy::echo(&record.document);
    document.policy_id = Some(record.id.to_string());
    document.policy_update_token = Some(record.token.clone());
    document.policy_status = Some(status.as_str().to_owned());
    let value = serde_json::to_value(&document).map_err(internal)?;
    serde_json::from_value(value).map_err(internal)
}
