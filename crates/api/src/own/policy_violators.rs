//! All violators of one policy, account by account: what an export is made of in a few calls rather than one
//! for each account.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::ident::{AccountId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::{Policy, page_size};
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::known::{account_name, unit_path};
use super::moments;
use super::readers::{self, Behind};
use super::violators::{self, VIOLATORS_PAGE_MAX};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::pages::Binding;

pub(super) const NAME: &str = "palisade:policy-violators";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
    /// As it was told at this moment: RFC 3339 with an offset; now, unless it is given
    #[param(format = DateTime)]
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyViolators)]
struct Page {
    policy: Policy,
    /// The moment that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    at: Option<String>,
    violators: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccountViolator)]
struct Shown {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    account_name: Option<String>,
    /// The organizational units above the account, from the root down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    unit_path: Option<String>,
    #[serde(flatten)]
    violator: violators::Shown,
}

/// Behind which violator a page begins.
#[derive(Deserialize, Serialize)]
struct Position {
    account: AccountId,
    resource_type: ResourceType,
    id: ResourceId,
}

impl From<Position> for Behind {
    fn from(Position { account, resource_type, id }: Position) -> Behind {
        Behind { account, resource: (resource_type, id) }
    }
}

/// `GET /palisade/v1/policies/{id}/violators?limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies/{policy}/violators",
    summary = "Every violator of a policy in all accounts, with evidence; for the operator and the policy's owner. Accounts of which nothing can be told have none: `/accounts` lists them",
    params(("policy" = String, Path), Asked),
    responses(
        (status = 200, description = "One page, ascending by account, type and id", body = Page),
        (status = 404, description = "No such policy", body = RefusedShape),
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(policy): Path<String>,
    request: Request,
) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        page(app, request.caller(), &policy, &asked)
    })
    .await
}

fn page(app: &App, caller: &Caller, policy: &str, asked: &Asked) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), VIOLATORS_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let view = &as_of.view;
    let record = readers::policy(view, caller, policy)?;
    let at = as_of.at_ms.map(moment);
    let filter = [record.id.as_str(), at.as_deref().unwrap_or_default()];
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "policy-violators", filter: &filter };
    let after = match &asked.next {
        None => None,
        Some(token) => {
            let text = app.sealer()?.open(binding, token);
            let position: Option<Position> = text.and_then(|text| serde_json::from_str(&text).ok());
            Some(position.map(Behind::from).ok_or_else(|| {
                Refused::invalid("`next` is not a token of this list; leave it out to start again")
            })?)
        }
    };
    // One more than asked for tells whether there is another page.
    let limit_read = limit.saturating_add(1);
    let mut found =
        readers::policy_violators(app, &as_of, &record, after.as_ref(), |_| true, limit_read)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = match found.last() {
        Some((account, last)) if more => {
            let position = Position {
                account: account.clone(),
                resource_type: last.resource_type.clone(),
                id: last.id.clone(),
            };
            let position = serde_json::to_string(&position).map_err(internal)?;
            Some(app.sealer()?.seal(&*app.entropy, binding, &position).map_err(internal)?)
        }
        _ => None,
    };
    let waiving = as_of.waiving(app, &record);
    let shown = |(account, violator): (AccountId, ViolatorRow)| Shown {
        account_name: account_name(view, &account),
        unit_path: unit_path(view, &account),
        violator: {
            let waiver = waiving.of(&account, &violator);
            violators::shown(&record, violator, waiver)
        },
        account: account.into(),
    };
    let violators = found.into_iter().map(shown).collect();
    Ok(Page { policy: Policy::of(&record), at, violators, next })
}
