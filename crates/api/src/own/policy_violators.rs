//! All violators of one policy, account by account: what an export is made of in a few calls rather than one
//! for each account.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::ident::{AccountId, ResourceId, ResourceType};
use palisade_store::{EntryRow, PolicyRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::{Policy, page_size, readable};
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, query};
use super::known::account_name;
use super::violators::{self, VIOLATORS_PAGE_MAX};
use crate::app::App;
use crate::caller::Caller;
use crate::compliance::entries;
use crate::fault::internal;
use crate::known::Known;
use crate::pages::Binding;
use crate::view::ControlView;

/// Accounts whose entries are read at once, in search of the next that has violators.
const ACCOUNTS_READ: usize = 1_000;

const NAME: &str = "palisade:policy-violators";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyViolators)]
struct Page {
    policy: Policy,
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
    let view = app.view()?;
    let record = readable(&view, caller, policy)?;
    let filter = [record.id.as_str()];
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "policy-violators", filter: &filter };
    let after = match &asked.next {
        None => None,
        Some(token) => {
            let text = app.sealer()?.open(binding, token);
            Some(text.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(|| {
                Refused::invalid("`next` is not a token of this list; leave it out to start again")
            })?)
        }
    };
    // One more than asked for tells whether there is another page.
    let mut found = behind(app, &view, &record, after, limit.saturating_add(1))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = match found.last() {
        Some((position, _)) if more => {
            let position = serde_json::to_string(position).map_err(internal)?;
            Some(app.sealer()?.seal(&*app.entropy, binding, &position).map_err(internal)?)
        }
        _ => None,
    };
    let policy = Policy::of(&record);
    Ok(Page { policy, violators: found.into_iter().map(|(_, shown)| shown).collect(), next })
}

/// Up to `limit` violators of accounts in scope behind a position, ascending.
fn behind(
    app: &App,
    view: &ControlView,
    record: &PolicyRecord,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, Shown)>, Refused> {
    let accounts = view.in_scope(&record.id);
    let begin = |after: &Position| accounts.partition_point(|account| *account < after.account);
    let start = after.as_ref().map_or(0, begin);
    let mut found = Vec::new();
    let mut before = start.checked_sub(1).and_then(|at| accounts.get(at));
    for page in accounts.get(start..).unwrap_or_default().chunks(ACCOUNTS_READ) {
        let rows = entries(&*app.store, record, before, page)?;
        // As for one account: nothing is told where nothing can be claimed.
        let claimed = |row: &EntryRow| Known::in_scope(record, Some(row)).result().is_some();
        let has_some = |row: &&EntryRow| {
            row.entry.violator_count > 0 && page.binary_search(&row.account).is_ok() && claimed(row)
        };
        for row in rows.iter().filter(has_some) {
            let left = limit.saturating_sub(found.len());
            if left == 0 {
                return Ok(found);
            }
            let after = after.as_ref().filter(|after| after.account == row.account);
            let after = after.map(|after| (after.resource_type.clone(), after.id.clone()));
            let name = account_name(view, &row.account);
            for violator in app.store.violators(&record.id, &row.account, after.as_ref(), left)? {
                let position = Position {
                    account: row.account.clone(),
                    resource_type: violator.resource_type.clone(),
                    id: violator.id.clone(),
                };
                let shown = Shown {
                    account: row.account.to_string(),
                    account_name: name.clone(),
                    violator: violators::shown(record, violator),
                };
                found.push((position, shown));
            }
        }
        before = page.last();
    }
    Ok(found)
}
