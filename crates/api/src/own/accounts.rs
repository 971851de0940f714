//! What is known of each account in a policy's scope, with its age: what `ListComplianceStatus` has no
//! members for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::ident::AccountId;
use palisade_store::PolicyRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::known::Shown;
use super::moments;
use super::readers::{self, AsOf};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::pages::{Binding, PAGE_SIZE_MAX};

/// Accounts of one page.
pub const ACCOUNTS_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:accounts";

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
#[schema(as = Accounts)]
struct Page {
    policy: Policy,
    /// The moment that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    at: Option<String>,
    accounts: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

/// Which policy is told of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyNamed)]
pub(super) struct Policy {
    id: String,
    name: String,
    owner: String,
    region: String,
}

impl Policy {
    pub(super) fn of(record: &PolicyRecord) -> Policy {
        Policy {
            id: record.id.to_string(),
            name: record.document.policy_name.clone(),
            owner: record.owner.to_string(),
            region: record.region.to_string(),
        }
    }
}

/// `GET /palisade/v1/policies/{id}/accounts?limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies/{policy}/accounts",
    summary = "What is known of each account in a policy's scope, and how old it is; for the operator and the policy's owner",
    params(("policy" = String, Path), Asked),
    responses(
        (status = 200, description = "One page", body = Page),
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

/// `GET /palisade/v1/policies/{id}/compliance?at=&limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies/{policy}/compliance",
    summary = "How each account in a policy's scope stood at a moment: what was told then, of policies too that were deleted since; for the operator and the policy's owner. The age of the inventory and the moment of the last judgement are not kept",
    params(("policy" = String, Path), Asked),
    responses(
        (status = 200, description = "One page", body = Page),
        (status = 400, description = "A moment that has not come, or of which nothing is kept", body = RefusedShape),
        (status = 404, description = "There was no such policy", body = RefusedShape),
    )
)]
pub(super) async fn compliance(
    state: State<Arc<App>>,
    policy: Path<String>,
    request: Request,
) -> Response {
    list(state, policy, request).await
}

fn page(app: &App, caller: &Caller, policy: &str, asked: &Asked) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), ACCOUNTS_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let view = &as_of.view;
    let record = readers::policy(view, caller, policy)?;
    let at = as_of.at_ms.map(moment);
    let filter = [record.id.as_str(), "accounts", at.as_deref().unwrap_or_default()];
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "accounts", filter: &filter };
    let after = match &asked.next {
        None => None,
        Some(token) => Some(app.sealer()?.open(binding, token).ok_or_else(|| {
            Refused::invalid("`next` is not a token of this list; leave it out to start again")
        })?),
    };
    let accounts = view.in_scope(&record.id);
    let start = after.map_or(0, |after| accounts.partition_point(|a| a.as_str() <= &*after));
    let rest = accounts.get(start..).unwrap_or_default();
    let page = rest.get(..limit).unwrap_or(rest);
    let before = start.checked_sub(1).and_then(|at| accounts.get(at));
    let next = match page.last() {
        Some(last) if page.len() < rest.len() => {
            let sealed = app.sealer()?.seal(&*app.entropy, binding, last.as_str());
            Some(sealed.map_err(internal)?)
        }
        _ => None,
    };
    Ok(Page {
        policy: Policy::of(&record),
        accounts: shown(app, &as_of, &record, before, page)?,
        at,
        next,
    })
}

/// These accounts, which are in scope and ascending, behind `before`.
fn shown(
    app: &App,
    as_of: &AsOf,
    record: &PolicyRecord,
    before: Option<&AccountId>,
    accounts: &[AccountId],
) -> Result<Vec<Shown>, Refused> {
    let AsOf { view, at_ms } = as_of;
    let Some(last) = accounts.last() else { return Ok(Vec::new()) };
    // How old the inventory was is not kept.
    let newest: BTreeMap<AccountId, i64> = match at_ms {
        None => app.store.newest_each_ms(&record.region, before, last)?.into_iter().collect(),
        Some(_) => BTreeMap::new(),
    };
    let (mut all, now_ms) = (Vec::with_capacity(accounts.len()), app.clock.now_ms());
    readers::known_of(app, *at_ms, record, before, accounts, |account, known| {
        let shown = Shown::of(view, account, known, newest.get(account).copied(), now_ms);
        let shown = if at_ms.is_some() { shown.of_the_past() } else { shown };
        let has_violators = known.result().is_some_and(|(_, entry)| entry.violator_count > 0);
        all.push((account.clone(), has_violators, shown));
    })?;
    let waiving = as_of.waiving(app, record);
    let counted = all.into_iter().map(|(account, has_violators, shown)| match has_violators {
        true => Ok(shown.waiving(waiving.count(app, *at_ms, &record.id, &account)?)),
        false => Ok(shown),
    });
    counted.collect()
}

/// The size of a page that was asked for.
pub(super) fn page_size(asked: Option<&str>, size_max: usize) -> Result<usize, Refused> {
    let Some(text) = asked else { return Ok(PAGE_SIZE_MAX) };
    let size = text.parse().ok().filter(|size| (1..=size_max).contains(size));
    size.ok_or_else(|| Refused::invalid(format!("`limit` is {text}; give 1 to {size_max}")))
}
