//! The policies of all Regions that a caller may read, where `ListPolicies` tells those of one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::ident::{AccountId, PolicyId};
use palisade_store::PolicyRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::page_size;
use super::answer::{Refused, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::moments;
use super::readers;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::pages::Binding;
use crate::view::ControlView;

/// Policies of one page.
pub const POLICIES_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:policies";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
    /// Those that there were at this moment: RFC 3339 with an offset; now, unless it is given
    #[param(format = DateTime)]
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policies)]
struct Page {
    policies: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolicySummary)]
pub(super) struct Shown {
    id: String,
    name: String,
    owner: String,
    region: String,
    /// `SecurityServiceType`
    policy_type: String,
    /// Accounts in its scope.
    accounts: usize,
}

/// `GET /palisade/v1/policies?limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies",
    summary = "The policies of all Regions; for the operator all, for an administrator its own",
    params(Asked),
    responses((status = 200, description = "One page, ascending by id", body = Page))
)]
pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        page(app, request.caller(), &asked)
    })
    .await
}

fn page(app: &App, caller: &Caller, asked: &Asked) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), POLICIES_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let view = &as_of.view;
    let at = as_of.at_ms.map(moment).unwrap_or_default();
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "policies", filter: &[&at] };
    let after = match &asked.next {
        None => None,
        Some(token) => {
            let id = app.sealer()?.open(binding, token);
            Some(id.and_then(|id| PolicyId::try_from(&*id).ok()).ok_or_else(|| {
                Refused::invalid("`next` is not a token of this list; leave it out to start again")
            })?)
        }
    };
    let is_behind =
        |record: &&Arc<PolicyRecord>| after.as_ref().is_none_or(|after| record.id > *after);
    let mut rest = readers::policies(view, caller).filter(is_behind);
    let policies: Vec<&Arc<PolicyRecord>> = rest.by_ref().take(limit).collect();
    let next = match policies.last() {
        Some(last) if rest.next().is_some() => {
            let sealed = app.sealer()?.seal(&*app.entropy, binding, last.id.as_str());
            Some(sealed.map_err(internal)?)
        }
        _ => None,
    };
    Ok(Page { policies: policies.into_iter().map(|record| shown(view, record)).collect(), next })
}

pub(super) fn shown(view: &ControlView, record: &PolicyRecord) -> Shown {
    Shown {
        id: record.id.to_string(),
        name: record.document.policy_name.clone(),
        owner: record.owner.to_string(),
        region: record.region.to_string(),
        policy_type: record.document.security_service_policy_data.policy_type.clone(),
        accounts: view.in_scope(&record.id).len(),
    }
}
