//! What is in a resource set, and what could be: batches of ARNs, each accepted or refused alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{AccountId, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::Item;
use palisade_store::{ControlChange, ResourceSetRecord};
use palisade_wire::shapes::{
    BatchAssociateResourceRequest, BatchAssociateResourceResponse,
    BatchDisassociateResourceRequest, BatchDisassociateResourceResponse, DiscoveredResource,
    FailedItem, FailedItemReason, ListDiscoveredResourcesRequest, ListDiscoveredResourcesResponse,
    ListResourceSetResourcesRequest, ListResourceSetResourcesResponse, Resource,
};
use palisade_wire::{ErrorKind, Fault};

use super::{RESOURCE_TYPES, own};
use crate::arn::Arn;
use crate::call::{Call, Paging};
use crate::caller::Standing;
use crate::fault::internal;
use crate::view::ControlView;

/// ARNs of one batch: CloudFormation's handler sends as many.
pub const BATCH_ITEMS_MAX: usize = 100;
/// Characters of `DiscoveredResource.Name` (model `ResourceName`).
const NAME_LEN_MAX: usize = 128;

/// `BatchAssociateResource`: what cannot be in the set is told in `FailedItems` and does not fail
/// the rest. Whether a resource exists is not asked.
///
/// # Errors
/// ResourceNotFoundException for a set that is not the caller's in this Region,
/// InvalidInputException for too many items, LimitExceededException when the set would hold more
/// than the quota; nothing is associated then.
pub fn associate(
    call: &Call<'_>,
    input: BatchAssociateResourceRequest,
) -> Result<BatchAssociateResourceResponse, Fault> {
    let failed_items = batch(call, &input.resource_set_identifier, &input.items, |asked| {
        let mut resources = asked.record.resources.clone();
        let mut failed = Vec::new();
        for item in &input.items {
            match refusal(call, asked, item) {
                Some(reason) => failed.push(failure(item, reason)),
                None => {
                    resources.entry(item.as_str().into()).or_insert_with(|| call.now_ms());
                }
            }
        }
        let (count, max) = (resources.len(), call.app.settings.quotas.resources_per_set_max);
        let grows = count > asked.record.resources.len();
        if grows && count > usize::try_from(max).unwrap_or(usize::MAX) {
            return Err(Fault::new(
                ErrorKind::LimitExceeded,
                format!(
                    "resource set `{}` would hold {count} resources and the quota is {max}; disassociate some first",
                    asked.record.id
                ),
            ));
        }
        Ok((resources, failed))
    })?;
    let resource_set_identifier = input.resource_set_identifier;
    Ok(BatchAssociateResourceResponse { resource_set_identifier, failed_items })
}

/// `BatchDisassociateResource`: what is not in the set is passed over, unless it is no ARN at all.
///
/// # Errors
/// ResourceNotFoundException for a set that is not the caller's in this Region,
/// InvalidInputException for too many items.
pub fn disassociate(
    call: &Call<'_>,
    input: BatchDisassociateResourceRequest,
) -> Result<BatchDisassociateResourceResponse, Fault> {
    let failed_items = batch(call, &input.resource_set_identifier, &input.items, |asked| {
        let mut resources = asked.record.resources.clone();
        let mut failed = Vec::new();
        for item in &input.items {
            if resources.remove(item.as_str()).is_none() && Arn::parse(item).is_none() {
                failed.push(failure(item, FailedItemReason::NotValidArn));
            }
        }
        Ok((resources, failed))
    })?;
    let resource_set_identifier = input.resource_set_identifier;
    Ok(BatchDisassociateResourceResponse { resource_set_identifier, failed_items })
}

/// Whose set is to be changed.
#[derive(Clone, Copy)]
struct Asked<'a> {
    standing: &'a Standing,
    view: &'a ControlView,
    record: &'a ResourceSetRecord,
}

type Resources = BTreeMap<Box<str>, i64>;

fn batch(
    call: &Call<'_>,
    set: &str,
    items: &[String],
    decide: impl Fn(Asked<'_>) -> Result<(Resources, Vec<FailedItem>), Fault>,
) -> Result<Vec<FailedItem>, Fault> {
    call.decide(|standing, view| {
        let record = own(standing, view, set)?;
        if items.len() > BATCH_ITEMS_MAX {
            return Err(call.bad_input(format!(
                "`Items` holds {} items; at most {BATCH_ITEMS_MAX} are taken at once",
                items.len()
            )));
        }
        let (resources, failed) = decide(Asked { standing, view, record })?;
        if resources == record.resources {
            return Ok((Vec::new(), failed));
        }
        let changed = ResourceSetRecord {
            resources,
            updated_ms: call.now_ms(),
            ..ResourceSetRecord::clone(record)
        };
        Ok((vec![ControlChange::PutResourceSet(Arc::new(changed))], failed))
    })
}

/// Why an item cannot be in a set, in the order in which it is decided (semantics §6.2).
fn refusal(call: &Call<'_>, asked: Asked<'_>, item: &str) -> Option<FailedItemReason> {
    let Some(arn) = Arn::parse(item) else { return Some(FailedItemReason::NotValidArn) };
    if arn.partition != call.app.settings.partition {
        return Some(FailedItemReason::NotValidPartition);
    }
    if arn.service != "network-firewall" {
        return Some(FailedItemReason::NotValidService);
    }
    if arn.region != asked.record.region.as_str() {
        return Some(FailedItemReason::NotValidRegion);
    }
    let named = arn.resource.strip_prefix("firewall/").is_some_and(|name| !name.is_empty());
    if !named || !asked.record.resource_types.contains(&ResourceType::NETWORK_FIREWALL) {
        return Some(FailedItemReason::NotValidResourceType);
    }
    let account = AccountId::try_from(arn.account).ok();
    let managed =
        account.is_some_and(|account| asked.view.manages(&asked.standing.account, &account));
    (!managed).then_some(FailedItemReason::NotValidAccountId)
}

fn failure(item: &str, reason: FailedItemReason) -> FailedItem {
    FailedItem { uri: Some(item.to_owned()), reason: Some(reason) }
}

/// `ListResourceSetResources`: by the moment of association, then ARN.
///
/// # Errors
/// ResourceNotFoundException for a set that is not the caller's in this Region, an invalid page
/// token.
pub fn list_resources(
    call: &Call<'_>,
    input: ListResourceSetResourcesRequest,
) -> Result<ListResourceSetResourcesResponse, Fault> {
    let reading = call.read()?;
    let standing = &reading.standing;
    let record = own(standing, &reading.view, &input.identifier)?;
    let place = |(arn, added_ms): &(&str, &i64)| format!("{added_ms:020} {arn}");
    let mut all: Vec<(&str, &i64)> =
        record.resources.iter().map(|(arn, added_ms)| (&**arn, added_ms)).collect();
    all.sort_by_cached_key(place);
    let paging = Paging { max_results: input.max_results, next_token: input.next_token.as_deref() };
    let filter = [standing.region.as_str(), record.id.as_str()];
    let (page, next_token) = call.page(standing, &filter, paging, all, place)?;
    let resource = |(arn, _): (&str, &i64)| Resource {
        uri: arn.to_string(),
        account_id: Arn::parse(arn).map(|arn| arn.account.to_owned()),
    };
    Ok(ListResourceSetResourcesResponse {
        items: page.into_iter().map(resource).collect(),
        next_token,
    })
}

/// `ListDiscoveredResources`: what the inventory holds of one account in this Region, by id.
///
/// # Errors
/// InvalidInputException for another number of accounts than one, an account that the caller does
/// not manage, a type that resource sets do not hold, and an invalid page token.
pub fn list_discovered(
    call: &Call<'_>,
    input: ListDiscoveredResourcesRequest,
) -> Result<ListDiscoveredResourcesResponse, Fault> {
    let reading = call.read()?;
    let (standing, view) = (&reading.standing, &reading.view);
    let [member] = &input.member_account_ids[..] else {
        return Err(call.bad_input(format!(
            "`MemberAccountIds` holds {} accounts; name exactly one",
            input.member_account_ids.len()
        )));
    };
    let account = AccountId::try_from(member.as_str())
        .ok()
        .filter(|account| view.manages(&standing.account, account))
        .ok_or_else(|| call.bad_input(format!("account `{member}` is not in the organization")))?;
    let wanted = RESOURCE_TYPES.iter().find(|known| known.as_str() == input.resource_type);
    let resource_type = wanted.ok_or_else(|| {
        call.bad_input(format!(
            "`{}` is not a type that resource sets hold; they hold `{}`",
            input.resource_type,
            ResourceType::NETWORK_FIREWALL
        ))
    })?;
    let filter = [standing.region.as_str(), member, resource_type.as_str()];
    let after = call.position(standing, &filter, input.next_token.as_deref())?;
    let after = after.as_deref().map(ResourceId::try_from).transpose().map_err(internal)?;
    let size = call.page_size(input.max_results);
    let shard = ShardId { account, region: standing.region.clone() };
    let store = &call.app.store;
    let mut items = store
        .items(&shard, resource_type, after.as_ref(), size.saturating_add(1))
        .map_err(internal)?;
    let more = items.len() > size;
    items.truncate(size);
    let next_token = match items.last() {
        Some(last) if more => Some(call.next_token(standing, &filter, last.key.id.as_str())?),
        _ => None,
    };
    let items = Some(items.into_iter().map(discovered).collect());
    Ok(ListDiscoveredResourcesResponse { items, next_token })
}

fn discovered(item: Item) -> DiscoveredResource {
    let name = item.name.map(|name| name.chars().take(NAME_LEN_MAX).collect());
    DiscoveredResource {
        uri: Some(item.arn.map_or_else(|| item.key.id.to_string(), Into::into)),
        account_id: Some(item.key.account.to_string()),
        r#type: Some(item.key.resource_type.to_string()),
        name,
    }
}
