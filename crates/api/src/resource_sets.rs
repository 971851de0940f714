//! Resource sets (semantics §6.2): named sets of ARNs, kept as given, whether they exist or not.

mod items;

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{ResourceSetId, ResourceType};
use palisade_store::{ControlChange, ResourceSetRecord};
use palisade_wire::shapes::{
    DeleteResourceSetRequest, GetResourceSetRequest, GetResourceSetResponse,
    ListResourceSetsRequest, ListResourceSetsResponse, PutResourceSetRequest,
    PutResourceSetResponse, ResourceSet, ResourceSetStatus, ResourceSetSummary,
};
use palisade_wire::{ErrorKind, Fault, Timestamp};

use crate::call::{Call, Paging};
use crate::caller::Standing;
use crate::fault::{internal, not_found};
use crate::view::ControlView;
use crate::{mint, tag_list};

pub use items::{BATCH_ITEMS_MAX, associate, disassociate, list_discovered, list_resources};

/// Types of resource that a set may hold: the one that AWS takes today (semantics §2.6).
pub const RESOURCE_TYPES: &[ResourceType] = &[ResourceType::NETWORK_FIREWALL];

/// What a request asks for.
struct Given {
    set: ResourceSet,
    types: Vec<ResourceType>,
    tags: BTreeMap<String, String>,
}

/// `PutResourceSet`: creates without `Id`, updates with it.
///
/// # Errors
/// InvalidInputException for a type that sets do not hold, an unknown `Id` (the model has no other
/// exception for it), another `Name` than before, a stale `UpdateToken` or one without `Id`;
/// LimitExceededException above the quota.
pub fn put(call: &Call<'_>, input: PutResourceSetRequest) -> Result<PutResourceSetResponse, Fault> {
    let entropy = &*call.app.entropy;
    let fresh_id = mint::base62(entropy).map_err(internal)?;
    let fresh_token = mint::update_token(entropy).map_err(internal)?;
    let types = types(call, &input.resource_set.resource_type_list)?;
    let tags = tag_list::map(call, input.tag_list.unwrap_or_default())?;
    let given = Given { set: input.resource_set, types, tags };
    let record = call.decide(|standing, view| {
        let mut record = match &given.set.id {
            None => created(call, standing, view, &given, &fresh_id)?,
            Some(id) => updated(call, standing, view, &given, id)?,
        };
        record.token = fresh_token.clone();
        record.description = given.set.description.clone();
        record.resource_types = given.types.clone();
        record.updated_ms = call.now_ms();
        record.tags.extend(given.tags.clone());
        record.tags = tag_list::within_quota(call, record.tags)?;
        let record = Arc::new(record);
        Ok((vec![ControlChange::PutResourceSet(record.clone())], record))
    })?;
    Ok(PutResourceSetResponse {
        // It was just changed, so it is within the caller's AdminScope.
        resource_set: shown(&record, ResourceSetStatus::Active),
        resource_set_arn: arn(call, &record),
    })
}

fn types(call: &Call<'_>, given: &[String]) -> Result<Vec<ResourceType>, Fault> {
    let known = |text: &String| {
        RESOURCE_TYPES.iter().find(|known| known.as_str() == text).cloned().ok_or_else(|| {
            call.bad_input(format!(
                "`{text}` in `ResourceTypeList` is not a type that resource sets hold; they hold `{}`",
                ResourceType::NETWORK_FIREWALL
            ))
        })
    };
    if given.is_empty() {
        return Err(call.bad_input(format!(
            "`ResourceTypeList` is empty; name `{}`",
            ResourceType::NETWORK_FIREWALL
        )));
    }
    given.iter().map(known).collect()
}

fn created(
    call: &Call<'_>,
    standing: &Standing,
    view: &ControlView,
    given: &Given,
    fresh_id: &str,
) -> Result<ResourceSetRecord, Fault> {
    if given.set.update_token.is_some() {
        return Err(call.bad_input(
            "`UpdateToken` comes with `Id` alone; leave it out to create a resource set, or say which one it updates",
        ));
    }
    let (count, max) = (owned(standing, view).len(), call.app.settings.quotas.resource_sets_max);
    if count >= usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(Fault::new(
            ErrorKind::LimitExceeded,
            format!(
                "the account has {count} resource sets in `{}` and the quota is {max}; delete one first",
                standing.region
            ),
        ));
    }
    Ok(ResourceSetRecord {
        id: ResourceSetId::try_from(fresh_id).map_err(internal)?,
        owner: standing.account.clone(),
        region: standing.region.clone(),
        token: String::new(),
        name: given.set.name.clone(),
        description: None,
        resource_types: Vec::new(),
        resources: BTreeMap::new(),
        tags: BTreeMap::new(),
        created_ms: call.now_ms(),
        updated_ms: call.now_ms(),
    })
}

fn updated(
    call: &Call<'_>,
    standing: &Standing,
    view: &ControlView,
    given: &Given,
    id: &str,
) -> Result<ResourceSetRecord, Fault> {
    let before = own(standing, view, id)
        .map_err(|fault| Fault { kind: ErrorKind::InvalidInput, ..fault })?;
    if given.set.update_token.as_ref().is_some_and(|token| *token != before.token) {
        return Err(call.bad_input(format!(
            "`UpdateToken` is not that of the current version of resource set `{id}`: it was changed meanwhile; read it with GetResourceSet and put it again with the token found there"
        )));
    }
    if given.set.name != before.name {
        return Err(call.bad_input(format!(
            "`Name` of resource set `{id}` is `{}` and cannot change; create another resource set",
            before.name
        )));
    }
    Ok(ResourceSetRecord::clone(before))
}

/// `GetResourceSet`
///
/// # Errors
/// ResourceNotFoundException for a set that is not the caller's in this Region.
pub fn get(call: &Call<'_>, input: GetResourceSetRequest) -> Result<GetResourceSetResponse, Fault> {
    let reading = call.read()?;
    let record = own(&reading.standing, &reading.view, &input.identifier)?;
    Ok(GetResourceSetResponse {
        resource_set: shown(record, status(&reading.view, record)),
        resource_set_arn: arn(call, record),
    })
}

/// `ListResourceSets`: the caller's in this Region, by age, then id.
///
/// # Errors
/// An invalid page token.
pub fn list(
    call: &Call<'_>,
    input: ListResourceSetsRequest,
) -> Result<ListResourceSetsResponse, Fault> {
    let reading = call.read()?;
    let standing = &reading.standing;
    let place =
        |record: &&Arc<ResourceSetRecord>| format!("{:020} {}", record.created_ms, record.id);
    let mut all = owned(standing, &reading.view);
    all.sort_by_cached_key(place);
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let (page, next_token) =
        call.page(standing, &[standing.region.as_str()], paging, all, place)?;
    let summary = |record: &Arc<ResourceSetRecord>| ResourceSetSummary {
        id: Some(record.id.to_string()),
        name: Some(record.name.clone()),
        description: record.description.clone(),
        last_update_time: Some(Timestamp::from_millis(record.updated_ms)),
        resource_set_status: Some(status(&reading.view, record)),
    };
    Ok(ListResourceSetsResponse {
        resource_sets: Some(page.into_iter().map(summary).collect()),
        next_token,
    })
}

/// `DeleteResourceSet`
///
/// # Errors
/// ResourceNotFoundException for a set that is not the caller's in this Region,
/// InvalidOperationException while a policy of the caller uses it.
pub fn delete(call: &Call<'_>, input: DeleteResourceSetRequest) -> Result<(), Fault> {
    call.decide(|standing, view| {
        let record = own(standing, view, &input.identifier)?;
        let uses = |ids: &Vec<String>| ids.iter().any(|id| id == record.id.as_str());
        let mut policies = view.control().policies.values();
        if let Some(policy) = policies.find(|policy| {
            standing.owns(&policy.owner, &policy.region)
                && policy.document.resource_set_ids.as_ref().is_some_and(uses)
        }) {
            return Err(Fault::new(
                ErrorKind::InvalidOperation,
                format!(
                    "resource set `{}` is used by policy `{}`; it must be disassociated from all policies first",
                    record.id, policy.id
                ),
            ));
        }
        Ok((vec![ControlChange::RemoveResourceSet(record.id.clone())], ()))
    })
}

/// A resource set of the caller in the call's Region.
///
/// # Errors
/// ResourceNotFoundException, the same for an unknown set and for another administrator's.
pub fn own<'v>(
    standing: &Standing,
    view: &'v ControlView,
    id: &str,
) -> Result<&'v Arc<ResourceSetRecord>, Fault> {
    ResourceSetId::try_from(id)
        .ok()
        .and_then(|id| view.resource_set(&id))
        .filter(|record| standing.owns(&record.owner, &record.region))
        .ok_or_else(|| not_found("resource set", id))
}

fn owned<'v>(standing: &Standing, view: &'v ControlView) -> Vec<&'v Arc<ResourceSetRecord>> {
    let all = view.control().resource_sets.values();
    all.filter(|record| standing.owns(&record.owner, &record.region)).collect()
}

fn status(view: &ControlView, record: &ResourceSetRecord) -> ResourceSetStatus {
    match view.may_act_in(&record.owner, &record.region) {
        true => ResourceSetStatus::Active,
        false => ResourceSetStatus::OutOfAdminScope,
    }
}

fn arn(call: &Call<'_>, record: &ResourceSetRecord) -> String {
    let partition = &call.app.settings.partition;
    mint::resource_set_arn(partition, &record.region, &record.owner, &record.id)
}

fn shown(record: &ResourceSetRecord, status: ResourceSetStatus) -> ResourceSet {
    ResourceSet {
        id: Some(record.id.to_string()),
        name: record.name.clone(),
        description: record.description.clone(),
        update_token: Some(record.token.clone()),
        resource_type_list: record.resource_types.iter().map(ToString::to_string).collect(),
        last_update_time: Some(Timestamp::from_millis(record.updated_ms)),
        resource_set_status: Some(status),
    }
}
