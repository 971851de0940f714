//! Applications and protocols lists (semantics §2.4, §6.1): one story, told for both kinds.

mod kind;
mod shown;

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::ListId;
use palisade_core::lists::{
    AppsList, ProtocolsList, admit_another, default_apps_lists, default_protocols_lists,
};
use palisade_store::{ControlChange, ListContent, ListRecord};
use palisade_wire::shapes::{
    DeleteAppsListRequest, DeleteProtocolsListRequest, GetAppsListRequest, GetAppsListResponse,
    GetProtocolsListRequest, GetProtocolsListResponse, ListAppsListsRequest, ListAppsListsResponse,
    ListProtocolsListsRequest, ListProtocolsListsResponse, PutAppsListRequest, PutAppsListResponse,
    PutProtocolsListRequest, PutProtocolsListResponse,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::{Call, Paging};
use crate::caller::Standing;
use crate::fault::{internal, not_found, refused};
use crate::view::ControlView;
use crate::{mint, tag_list};

use kind::Kind;
use shown::Shown;

/// Whether an id is that of an AWS-managed list.
pub fn is_default(id: &ListId) -> bool {
    default_apps_lists().iter().any(|list| list.id == *id)
        || default_protocols_lists().iter().any(|list| list.id == *id)
}

/// `PutAppsList`
///
/// # Errors
/// Those of the model: a missing or stale `ListUpdateToken` is InvalidInputException, an unknown
/// list ResourceNotFoundException, an AWS-managed one InvalidOperationException.
pub fn put_apps(call: &Call<'_>, input: PutAppsListRequest) -> Result<PutAppsListResponse, Fault> {
    let (id, token) = (input.apps_list.list_id.clone(), input.apps_list.list_update_token.clone());
    let list: AppsList = same_shape(&input.apps_list)?;
    list.check(&call.app.settings.quotas).map_err(refused)?;
    let content = ListContent::Apps(list.apps);
    let tags = tag_list::map(call, input.tag_list.unwrap_or_default())?;
    let given = Given { id, token, name: list.list_name, content, tags };
    let shown = Shown::custom(call, &*put(call, &given)?);
    Ok(PutAppsListResponse {
        apps_list_arn: Some(shown.arn.clone()),
        apps_list: Some(shown.apps()?),
    })
}

/// `PutProtocolsList`
///
/// # Errors
/// As [`put_apps`].
pub fn put_protocols(
    call: &Call<'_>,
    input: PutProtocolsListRequest,
) -> Result<PutProtocolsListResponse, Fault> {
    let list = &input.protocols_list;
    let (id, token) = (list.list_id.clone(), list.list_update_token.clone());
    let list: ProtocolsList = same_shape(list)?;
    list.check(&call.app.settings.quotas).map_err(refused)?;
    let content = ListContent::Protocols(list.protocols.into_iter().map(Into::into).collect());
    let tags = tag_list::map(call, input.tag_list.unwrap_or_default())?;
    let given = Given { id, token, name: list.list_name, content, tags };
    let shown = Shown::custom(call, &*put(call, &given)?);
    Ok(PutProtocolsListResponse {
        protocols_list_arn: Some(shown.arn.clone()),
        protocols_list: Some(shown.protocols()?),
    })
}

/// What a request asks for.
struct Given {
    id: Option<String>,
    token: Option<String>,
    name: String,
    content: ListContent,
    tags: BTreeMap<String, String>,
}

fn put(call: &Call<'_>, given: &Given) -> Result<Arc<ListRecord>, Fault> {
    let entropy = &*call.app.entropy;
    let fresh_id = mint::uuid(entropy).map_err(internal)?;
    let fresh_token = mint::update_token(entropy).map_err(internal)?;
    call.decide(|standing, view| {
        let mut record = match &given.id {
            None => created(call, standing, view, given, &fresh_id)?,
            Some(id) => updated(call, standing, view, given, id)?,
        };
        record.token = fresh_token.clone();
        record.name = given.name.clone();
        record.content = given.content.clone();
        record.updated_ms = call.now_ms();
        record.tags.extend(given.tags.clone());
        record.tags = tag_list::within_quota(call, record.tags)?;
        let record = Arc::new(record);
        Ok((vec![ControlChange::PutList(record.clone())], record))
    })
}

fn created(
    call: &Call<'_>,
    standing: &Standing,
    view: &ControlView,
    given: &Given,
    fresh_id: &str,
) -> Result<ListRecord, Fault> {
    if given.token.is_some() {
        return Err(call.bad_input(
            "`ListUpdateToken` comes with `ListId` alone; leave it out to create a list, or say which list it updates",
        ));
    }
    let kind = Kind::of(&given.content);
    let quotas = &call.app.settings.quotas;
    let max = match kind {
        Kind::Apps => quotas.apps_lists_max,
        Kind::Protocols => quotas.protocols_lists_max,
    };
    let what = format!("{}s of the account", kind.noun());
    admit_another(&what, custom(standing, view, kind).len(), max).map_err(refused)?;
    Ok(ListRecord {
        id: ListId::try_from(fresh_id).map_err(internal)?,
        owner: standing.account.clone(),
        region: standing.region.clone(),
        token: String::new(),
        name: String::new(),
        content: given.content.clone(),
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
) -> Result<ListRecord, Fault> {
    let kind = Kind::of(&given.content);
    let before = changeable(standing, view, kind, id)?;
    let noun = kind.noun();
    match &given.token {
        Some(token) if *token == before.token => Ok(ListRecord::clone(before)),
        Some(_) => Err(call.bad_input(format!(
            "`ListUpdateToken` is not that of the current version of {noun} `{id}`: it was changed meanwhile; get the list and put it again with the token found there"
        ))),
        None => Err(call.bad_input(format!(
            "`ListUpdateToken` is missing: an update of {noun} `{id}` must carry the token that getting the list answers"
        ))),
    }
}

/// `GetAppsList`
///
/// # Errors
/// ResourceNotFoundException for a list that is not the caller's in this Region, and for an
/// AWS-managed one asked for without `DefaultList`, or the reverse.
pub fn get_apps(call: &Call<'_>, input: GetAppsListRequest) -> Result<GetAppsListResponse, Fault> {
    let shown = get(call, Kind::Apps, &input.list_id, input.default_list)?;
    Ok(GetAppsListResponse {
        apps_list_arn: Some(shown.arn.clone()),
        apps_list: Some(shown.apps()?),
    })
}

/// `GetProtocolsList`
///
/// # Errors
/// As [`get_apps`].
pub fn get_protocols(
    call: &Call<'_>,
    input: GetProtocolsListRequest,
) -> Result<GetProtocolsListResponse, Fault> {
    let shown = get(call, Kind::Protocols, &input.list_id, input.default_list)?;
    Ok(GetProtocolsListResponse {
        protocols_list_arn: Some(shown.arn.clone()),
        protocols_list: Some(shown.protocols()?),
    })
}

fn get(call: &Call<'_>, kind: Kind, id: &str, default: Option<bool>) -> Result<Shown, Fault> {
    let reading = call.read()?;
    if default == Some(true) {
        return Shown::defaults(call, &reading.standing, kind)
            .into_iter()
            .find(|list| list.id.as_str() == id)
            .ok_or_else(|| not_found(&format!("AWS-managed {}", kind.noun()), id));
    }
    Ok(Shown::custom(call, own(&reading.standing, &reading.view, kind, id)?))
}

/// `ListAppsLists`: AWS-managed ones with `DefaultLists`, custom ones without, by age, then id.
///
/// # Errors
/// An invalid page token.
pub fn list_apps(
    call: &Call<'_>,
    input: ListAppsListsRequest,
) -> Result<ListAppsListsResponse, Fault> {
    let paging =
        Paging { max_results: Some(input.max_results), next_token: input.next_token.as_deref() };
    let (page, next_token) = list(call, Kind::Apps, input.default_lists, paging)?;
    let summaries: Result<_, Fault> = page.into_iter().map(Shown::apps_summary).collect();
    Ok(ListAppsListsResponse { apps_lists: Some(summaries?), next_token })
}

/// `ListProtocolsLists`
///
/// # Errors
/// An invalid page token.
pub fn list_protocols(
    call: &Call<'_>,
    input: ListProtocolsListsRequest,
) -> Result<ListProtocolsListsResponse, Fault> {
    let paging =
        Paging { max_results: Some(input.max_results), next_token: input.next_token.as_deref() };
    let (page, next_token) = list(call, Kind::Protocols, input.default_lists, paging)?;
    let summaries: Result<_, Fault> = page.into_iter().map(Shown::protocols_summary).collect();
    Ok(ListProtocolsListsResponse { protocols_lists: Some(summaries?), next_token })
}

fn list(
    call: &Call<'_>,
    kind: Kind,
    default: Option<bool>,
    paging: Paging<'_>,
) -> Result<(Vec<Shown>, Option<String>), Fault> {
    let reading = call.read()?;
    let standing = &reading.standing;
    let default = default == Some(true);
    let mut all: Vec<Shown> = match default {
        true => Shown::defaults(call, standing, kind),
        false => custom(standing, &reading.view, kind)
            .into_iter()
            .map(|record| Shown::custom(call, record))
            .collect(),
    };
    all.sort_by_cached_key(Shown::place);
    let filter = [standing.region.as_str(), if default { "default" } else { "custom" }];
    call.page(standing, &filter, paging, all, Shown::place)
}

/// `DeleteAppsList`. Policies that name the list are not asked: they show an issue (semantics §6.1).
///
/// # Errors
/// ResourceNotFoundException for a list that is not the caller's in this Region,
/// InvalidOperationException for an AWS-managed one.
pub fn delete_apps(call: &Call<'_>, input: DeleteAppsListRequest) -> Result<(), Fault> {
    delete(call, Kind::Apps, &input.list_id)
}

/// `DeleteProtocolsList`
///
/// # Errors
/// As [`delete_apps`].
pub fn delete_protocols(call: &Call<'_>, input: DeleteProtocolsListRequest) -> Result<(), Fault> {
    delete(call, Kind::Protocols, &input.list_id)
}

fn delete(call: &Call<'_>, kind: Kind, id: &str) -> Result<(), Fault> {
    call.decide(|standing, view| {
        let record = changeable(standing, view, kind, id)?;
        Ok((vec![ControlChange::RemoveList(record.id.clone())], ()))
    })
}

/// The caller's custom lists of a kind in the call's Region.
fn custom<'v>(standing: &Standing, view: &'v ControlView, kind: Kind) -> Vec<&'v Arc<ListRecord>> {
    view.control()
        .lists
        .values()
        .filter(|record| standing.owns(&record.owner, &record.region))
        .filter(|record| Kind::of(&record.content) == kind)
        .collect()
}

/// A custom list of the caller in the call's Region.
fn own<'v>(
    standing: &Standing,
    view: &'v ControlView,
    kind: Kind,
    id: &str,
) -> Result<&'v Arc<ListRecord>, Fault> {
    ListId::try_from(id)
        .ok()
        .and_then(|id| view.list_record(&id))
        .filter(|record| standing.owns(&record.owner, &record.region))
        .filter(|record| Kind::of(&record.content) == kind)
        .ok_or_else(|| not_found(kind.noun(), id))
}

/// As [`own`], with AWS-managed lists refused for what they are.
fn changeable<'v>(
    standing: &Standing,
    view: &'v ControlView,
    kind: Kind,
    id: &str,
) -> Result<&'v Arc<ListRecord>, Fault> {
    if ListId::try_from(id).is_ok_and(|id| is_default(&id)) {
        return Err(Fault::new(
            ErrorKind::InvalidOperation,
            format!("list `{id}` is managed by AWS and cannot be changed or deleted"),
        ));
    }
    own(standing, view, kind, id)
}

/// One shape of the model in another crate's words; both are AWS's, so JSON between them loses nothing.
fn same_shape<T: serde::de::DeserializeOwned>(shape: &impl serde::Serialize) -> Result<T, Fault> {
    let value = serde_json::to_value(shape).map_err(internal)?;
    serde_json::from_value(value).map_err(internal)
}
