//! All violators of one policy in one account with their evidence, what AWS cuts at 100, beside what is
//! known of the account.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::evaluate::Finding;
use palisade_core::ident::{AccountId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::ViolatorRow;
use palisade_core::waiver::Waiver;
use palisade_store::PolicyRecord;
use palisade_wire::shapes::ViolationReason;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::{Policy, page_size};
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::{known, moments, readers};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::known::Known;
use crate::pages::Binding;
use crate::wire_names::reason;

/// Violators of one page.
pub const VIOLATORS_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:violators";

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
#[schema(as = Violators)]
struct Page {
    policy: Policy,
    /// The moment that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    at: Option<String>,
    #[serde(flatten)]
    known: known::Shown,
    violators: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Violator)]
pub(super) struct Shown {
    #[schema(value_type = String)]
    resource_type: ResourceType,
    #[schema(value_type = String)]
    resource_id: ResourceId,
    #[schema(value_type = Option<String>)]
    violation_reason: Option<ViolationReason>,
    #[serde(rename = "region")]
    region: String,
    #[serde(rename = "since")]
    #[schema(format = DateTime)]
    since: String,
    #[serde(rename = "judged")]
    #[schema(format = DateTime)]
    judged: String,
    #[serde(rename = "evidence")]
    evidence: Vec<Evidence>,
    /// The waiver that covers it: it is a violator all the same.
    #[serde(rename = "waiver", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = WaivedBy, required = false)]
    waiver: Option<WaivedBy>,
}

/// What is accepted, by whom and until when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaivedBy)]
pub(super) struct WaivedBy {
    /// The waiver's id.
    id: String,
    reason: String,
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    ticket: Option<String>,
    #[schema(format = DateTime)]
    until: String,
}

impl WaivedBy {
    pub(super) fn of(waiver: &Waiver) -> WaivedBy {
        WaivedBy {
            id: waiver.id.to_string(),
            reason: waiver.reason.to_string(),
            owner: waiver.owner.to_string(),
            ticket: waiver.ticket.as_ref().map(ToString::to_string),
            until: moment(waiver.until_ms),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Evidence {
    #[schema(value_type = String)]
    reason: ViolationReason,
    summary: String,
    #[schema(value_type = Object)]
    finding: Finding,
}

/// `GET /palisade/v1/policies/{id}/accounts/{account}/violators?limit=&next=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies/{policy}/accounts/{account}/violators",
    summary = "Every violator of a policy in an account, with evidence, and what is known of the account; for the operator and the policy's owner",
    params(("policy" = String, Path), ("account" = String, Path), Asked),
    responses(
        (status = 200, description = "One page", body = Page),
        (status = 404, description = "No such policy or account", body = RefusedShape),
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path((policy, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    let asked: Asked = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        page(app, request.caller(), &policy, &account, &asked)
    })
    .await
}

fn page(
    app: &App,
    caller: &Caller,
    policy: &str,
    account: &str,
    asked: &Asked,
) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), VIOLATORS_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let view = &as_of.view;
    let record = readers::policy(view, caller, policy)?;
    let account = AccountId::try_from(account)
        .ok()
        .filter(|id| view.organization().is_some_and(|known| known.accounts.contains_key(id)))
        .ok_or_else(|| {
            Refused::not_found(format!("account `{account}` is not in the organization"))
        })?;
    let at = as_of.at_ms.map(moment);
    let filter = [record.id.as_str(), account.as_str(), at.as_deref().unwrap_or_default()];
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "violators", filter: &filter };
    let after = position(app, binding, asked.next.as_deref())?;
    // One more than asked for tells whether there is another page.
    let found =
        readers::account_violators(app, &as_of, &record, &account, after.as_ref(), limit + 1)?;
    let in_scope = found.is_some();
    let (row, mut rows) = found.unwrap_or_default();
    let known = match in_scope {
        true => Known::in_scope(&record, row.as_ref()),
        false => Known::out_of_scope(),
    };
    let shard = ShardId { account: account.clone(), region: record.region.clone() };
    // How old the inventory was is not kept.
    let newest_ms = match as_of.at_ms {
        None => app.store.newest_ms(&shard)?,
        Some(_) => None,
    };
    let waiving = as_of.waiving(app, &record);
    let has_violators = known.result().is_some_and(|(_, entry)| entry.violator_count > 0);
    let waived = match has_violators {
        true => waiving.count(app, as_of.at_ms, &record.id, &account)?,
        false => 0,
    };
    let shown_known = known::Shown::of(view, &account, &known, newest_ms, app.clock.now_ms());
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = match rows.last() {
        Some(last) if more => Some(token(app, binding, last)?),
        _ => None,
    };
    Ok(Page {
        policy: Policy::of(&record),
        known: if at.is_some() { shown_known.of_the_past() } else { shown_known }.waiving(waived),
        at,
        violators: rows
            .into_iter()
            .map(|row| {
                let waiver = waiving.of(&account, &row);
                shown(&record, row, waiver)
            })
            .collect(),
        next,
    })
}

fn position(
    app: &App,
    binding: Binding<'_>,
    token: Option<&str>,
) -> Result<Option<(ResourceType, ResourceId)>, Refused> {
    let Some(token) = token else { return Ok(None) };
    let text = app.sealer()?.open(binding, token);
    match text.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(position) => Ok(Some(position)),
        None => {
            Err(Refused::invalid("`next` is not a token of this list; leave it out to start again"))
        }
    }
}

fn token(app: &App, binding: Binding<'_>, last: &ViolatorRow) -> Result<String, Refused> {
    let position = serde_json::to_string(&(&last.resource_type, &last.id)).map_err(internal)?;
    Ok(app.sealer()?.seal(&*app.entropy, binding, &position).map_err(internal)?)
}

pub(super) fn shown(record: &PolicyRecord, row: ViolatorRow, waiver: Option<&Waiver>) -> Shown {
    let began_ms = row.began_ms();
    Shown {
        waiver: waiver.map(WaivedBy::of),
        violation_reason: row.violations.first().map(|violation| reason(violation.reason)),
        evidence: row
            .violations
            .into_iter()
            .map(|violation| Evidence {
                reason: reason(violation.reason),
                summary: violation.finding.summary(),
                finding: violation.finding,
            })
            .collect(),
        resource_type: row.resource_type,
        resource_id: row.id,
        region: record.region.to_string(),
        since: moment(began_ms),
        judged: moment(row.since_ms),
    }
}
