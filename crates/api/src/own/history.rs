//! How one account stood under a policy, state by state, and the violators that it had.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::evaluate::Status;
use palisade_core::ident::AccountId;
use palisade_core::ledger::tell_of_age;
use palisade_store::{HistoryRow, Occasion, PastViolator, PolicyRecord};
use palisade_wire::shapes::DependentServiceName;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::accounts::{Policy, page_size};
use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, finish, moment, query};
use super::known::account_name;
use super::schema::one_of_or_null;
use super::{moments, readers, violators};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::internal;
use crate::pages::Binding;
use crate::wire_names::service_name;

/// States, and violators that ended, of one page.
pub const HISTORY_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:history";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The account
    #[param(required = true)]
    account: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
    /// Of the policy that there was at this moment, for one that was deleted since
    #[param(format = DateTime)]
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = History)]
pub(super) struct Page {
    policy: Policy,
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    account_name: Option<String>,
    /// Newest first.
    states: Vec<Past>,
    /// Violators that ended while the states of this page held, the last to end first.
    ended: Vec<Ended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

/// How the account stood for a time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PastState)]
struct Past {
    /// It was told so from then on,
    #[schema(format = DateTime)]
    from: String,
    /// until then; absent: it still is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    until: Option<String>,
    #[schema(schema_with = status, required = true)]
    status: Option<Status>,
    violator_count: u64,
    #[schema(value_type = BTreeMap<String, String>)]
    issues: BTreeMap<DependentServiceName, String>,
    /// The policy was not about the account any more, or was deleted.
    out_of_scope: bool,
    /// How often the policy had been put.
    policy_revision: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Cause, required = false)]
    cause: Option<Cause>,
}

/// A violator that is none any more, with its last evidence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedViolator)]
struct Ended {
    #[serde(flatten)]
    violator: violators::Shown,
    /// When it was a violator no more.
    #[schema(format = DateTime)]
    ended: String,
}

/// Why something became another, where that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cause {
    /// A delivery changed resources of the account.
    Delivery,
    /// The policy was put or deleted.
    Policy,
    /// The organization or an administrator's scope is another.
    Organization,
    /// Time passed: the inventory became too old, or a waiver began or ended.
    Time,
    /// A waiver was made, renewed or ended.
    Waiver,
}

impl Cause {
    /// Of a state, and the one before it.
    pub fn of(row: &HistoryRow, before: Option<&HistoryRow>) -> Option<Cause> {
        let is_stale = tell_of_age(&row.issues);
        let was_stale = before.is_some_and(|before| tell_of_age(&before.issues));
        match row.occasion? {
            Occasion::Removed => Some(Cause::Policy),
            // Of what left the scope it is not noted what moved it out.
            _ if row.closed => None,
            Occasion::Items => Some(Cause::Delivery),
            Occasion::Policy | Occasion::Shard
                if before.is_some_and(|it| it.policy_revision != row.policy_revision) =>
            {
                Some(Cause::Policy)
            }
            Occasion::Shard if is_stale && !was_stale => Some(Cause::Time),
            Occasion::Shard if was_stale && !is_stale => Some(Cause::Delivery),
            Occasion::Policy | Occasion::Shard => None,
        }
    }
}

fn status() -> RefOr<Schema> {
    one_of_or_null(&[Status::Compliant, Status::NonCompliant])
}

/// `GET /palisade/v1/policies/{id}/history?account=&limit=&next=&at=`
#[utoipa::path(
    get,
    path = "/palisade/v1/policies/{policy}/history",
    summary = "How an account stood under a policy, newest first, and the violators that ended, with their end and last evidence; for the operator and the policy's owner",
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

pub(super) fn page(
    app: &App,
    caller: &Caller,
    policy: &str,
    asked: &Asked,
) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), HISTORY_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let record = readers::policy(&as_of.view, caller, policy)?;
    let account = asked.account.as_deref().map(AccountId::try_from);
    let account = account
        .ok_or_else(|| Refused::invalid("`account` is missing; name the account's id"))?
        .map_err(|error| Refused::invalid(error.to_string()))?;
    let filter = [record.id.as_str(), account.as_str()];
    let who = caller.account.as_ref().map_or("operator", AccountId::as_str);
    let binding = Binding { caller: who, operation: "history", filter: &filter };
    let before = match &asked.next {
        None => 0,
        Some(token) => {
            let text = app.sealer()?.open(binding, token);
            text.and_then(|text| text.parse::<usize>().ok()).ok_or_else(|| {
                Refused::invalid("`next` is not a token of this list; leave it out to start again")
            })?
        }
    };
    let rows = states(app, &record, &account)?;
    let end = before.saturating_add(limit).min(rows.len());
    let states: Vec<Past> = (before..end).filter_map(|nth| past(&rows, nth)).collect();
    let next = match end < rows.len() {
        true => {
            let sealed = app.sealer()?.seal(&*app.entropy, binding, &end.to_string());
            Some(sealed.map_err(internal)?)
        }
        false => None,
    };
    let noted = |nth: usize| rows.get(nth).map(|row| row.noted_ms);
    let through_ms = before.checked_sub(1).and_then(noted).unwrap_or(i64::MAX);
    let after_ms =
        if next.is_none() { i64::MIN } else { noted(end.saturating_sub(1)).unwrap_or(0) };
    let ended = app.store.past_violators(&record.id, &account, after_ms, through_ms)?;
    Ok(Page {
        policy: Policy::of(&record),
        account_name: account_name(&as_of.view, &account),
        account: account.to_string(),
        states,
        ended: last_to_end_first(ended, &record),
        next,
    })
}

/// The states of an account, newest first, each other than the one before it.
fn states(
    app: &App,
    record: &PolicyRecord,
    account: &AccountId,
) -> Result<Vec<HistoryRow>, Refused> {
    let mut rows = app.store.history(&record.id, account, usize::MAX)?;
    rows.reverse();
    let is_told_alike = |one: &HistoryRow, other: &HistoryRow| {
        (one.status, one.violator_count, &one.issues, one.policy_revision, one.closed)
            == (
                other.status,
                other.violator_count,
                &other.issues,
                other.policy_revision,
                other.closed,
            )
    };
    rows.dedup_by(|next, kept| is_told_alike(next, kept));
    rows.reverse();
    Ok(rows)
}

fn past(rows: &[HistoryRow], nth: usize) -> Option<Past> {
    let row = rows.get(nth)?;
    let later = nth.checked_sub(1).and_then(|nth| rows.get(nth));
    let issues = row.issues.iter();
    Some(Past {
        from: moment(row.noted_ms),
        until: later.map(|later| moment(later.noted_ms)),
        status: row.status,
        violator_count: row.violator_count,
        issues: issues.map(|(service, text)| (service_name(*service), text.clone())).collect(),
        out_of_scope: row.closed,
        policy_revision: row.policy_revision,
        cause: Cause::of(row, rows.get(nth.saturating_add(1))),
    })
}

fn last_to_end_first(mut past: Vec<PastViolator>, record: &PolicyRecord) -> Vec<Ended> {
    past.retain(|version| version.ended);
    past.sort_by_key(|version| std::cmp::Reverse(version.until_ms));
    past.truncate(HISTORY_PAGE_MAX);
    let shown = |PastViolator { row, until_ms, .. }: PastViolator| Ended {
        violator: violators::shown(record, row, None),
        ended: moment(until_ms),
    };
    past.into_iter().map(shown).collect()
}
