//! `POST /palisade/v1/preview`: what policies, or an organization, would find if they were put.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use palisade_core::evaluate::Violator;
use palisade_core::ident::AccountId;
use palisade_core::organization::Organization;
use palisade_store::ControlChange;
use palisade_wire::shapes::{PutPolicyRequest, ViolationReason};
use palisade_wire::{Fault, Operation};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, Stop, answer_preview, moment, operator_only,
};
use super::known::account_name;
use super::organization::{self, ORGANIZATION_SIZE_MAX};
use crate::app::App;
use crate::call::Call;
use crate::fault::internal;
use crate::operations;
use crate::policies::draft;
use crate::preview::{Change, Found, Listed, Standings, compare};
use crate::verify::Authentic;
use crate::wire_names::reason;

/// Policies of one preview.
pub const PREVIEW_POLICIES_MAX: usize = 100;

pub(super) const NAME: &str = "palisade:preview";

/// What is to be previewed: policies, an organization, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewRequest)]
struct Asked<'a> {
    /// PutPolicy requests: of those with a PolicyId the policy in force is what they are held against.
    #[serde(borrow, default)]
    #[schema(value_type = Vec<Object>, required = false)]
    policies: Vec<&'a RawValue>,
    /// The organization file as it would be applied; for the operator.
    #[serde(borrow, default)]
    #[schema(value_type = Object, required = false)]
    organization: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preview)]
pub(super) struct Shown {
    /// Whether anything would be other than before.
    changes: bool,
    policies: Vec<PolicyShown>,
    /// Names of the draft's policies whose scope holds no resource.
    nothing_in_scope: Vec<String>,
    /// Accounts whose inventory could not be read: of these nothing is told.
    unread: Vec<Unread>,
    unread_count: u64,
    /// When it was judged.
    #[schema(format = DateTime)]
    judged_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewUnread)]
struct Unread {
    account: String,
    region: String,
    error: String,
}

/// What would become of a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Becomes {
    /// It is new.
    New,
    /// It is put anew, or another policy decides what is its own.
    Edited,
    /// It stays as it is; its scope holds other accounts.
    Kept,
    /// It goes.
    Removed,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewPolicy)]
struct PolicyShown {
    /// Its id; none where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    id: Option<String>,
    name: String,
    owner: String,
    region: String,
    becomes: Becomes,
    accounts: BeforeAfter<u64>,
    entered: List<AccountShown>,
    left: List<AccountShown>,
    /// Accounts judged: all of its scope, or of a policy that is kept those that enter or leave it. What
    /// follows is of these.
    judged: u64,
    resources_in_scope: BeforeAfter<u64>,
    violators: BeforeAfter<u64>,
    standings: BeforeAfter<Stand>,
    /// Accounts that would stand otherwise.
    moved: u64,
    /// Violators that are none before.
    gained: List<ViolatorShown>,
    /// Violators before that would be none.
    lost: List<ViolatorShown>,
    /// Violators before and after, in other ways.
    altered: List<ViolatorShown>,
}

/// A figure as it is, and as it would be.
#[derive(Debug, Serialize, ToSchema)]
struct BeforeAfter<T> {
    before: T,
    after: T,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewStandings)]
struct Stand {
    compliant: u64,
    non_compliant: u64,
    unknown: u64,
}

/// The first of a list, at most 1,000, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
struct List<T> {
    count: u64,
    first: Vec<T>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewAccount)]
struct AccountShown {
    account: String,
    /// Its name, where either organization holds it.
    account_name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewViolator)]
struct ViolatorShown {
    account: String,
    /// Its name, where either organization holds it.
    account_name: Option<String>,
    resource_type: String,
    resource_id: String,
    #[schema(value_type = Option<String>)]
    reason: Option<ViolationReason>,
    summary: String,
}

/// `POST /palisade/v1/preview`
#[utoipa::path(
    post,
    path = "/palisade/v1/preview",
    summary = "What PutPolicy, or another organization, would find, held against what is in force; nothing is written. For the operator, and for administrators up to 64 KiB",
    request_body = Asked,
    responses(
        (status = 200, description = "What would change", body = Shown),
        (status = 404, description = "A PolicyId that is not the caller's in this Region", body = RefusedShape),
        (status = 409, description = "An organization that cannot be applied", body = RefusedShape),
        (status = 429, description = "Two previews are under way, or the key calls too often: wait, then ask again", body = RefusedShape),
        (status = 503, description = "It took longer than ten minutes", body = RefusedShape),
    )
)]
pub(super) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    // A large body is the operator's alone: who else sends one is refused by its length.
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let size_max = match length {
        Some(length) if length <= SMALL_BODY_SIZE_MAX => SMALL_BODY_SIZE_MAX,
        _ => ORGANIZATION_SIZE_MAX,
    };
    answer_preview(&app, NAME, request, size_max, preview).await
}

pub(super) fn preview(
    app: &App,
    request: &Authentic<Bytes>,
    stop: &Stop,
) -> Result<Shown, Refused> {
    let asked: Asked<'_> = serde_json::from_slice(request.body()).map_err(|error| {
        Refused::invalid(format!(
            "the body cannot be read: {error}; send `{{\"policies\": [PutPolicy requests], \"organization\": …}}`"
        ))
    })?;
    if asked.policies.is_empty() && asked.organization.is_none() {
        return Err(Refused::invalid(
            "nothing to preview: give `policies`, `organization` or both",
        ));
    }
    if asked.policies.len() > PREVIEW_POLICIES_MAX {
        return Err(Refused::invalid(format!(
            "{} policies; give up to {PREVIEW_POLICIES_MAX}",
            asked.policies.len()
        )));
    }
    let before = app.view()?;
    let mut after = before.clone();
    if let Some(file) = asked.organization {
        operator_only(request)?;
        let new = Organization::parse(file.get().as_bytes())
            .map_err(|error| Refused::invalid(format!("`organization`: {error}")))?;
        after = Arc::new(after.after(&organization::changes(app, &after, &Arc::new(new), true)?));
    }
    let row = operations::row(Operation::PutPolicy).ok_or_else(|| internal("no PutPolicy"))?;
    let call = Call::new(app, row, request);
    for (at, text) in asked.policies.iter().enumerate() {
        let put = || -> Result<_, Fault> {
            let input: PutPolicyRequest = operations::input(&call, text.get().as_bytes())?;
            draft(&call, &after, input)
        };
        let mut record = put().map_err(|fault| Refused::from(fault).with("policy", at))?;
        if record.revision == 1 {
            // One after the other: of several that are about a subnet the oldest judges it.
            record.created_ms = record.created_ms.saturating_add(i64::try_from(at).unwrap_or(0));
        }
        after = Arc::new(after.after(&[ControlChange::PutPolicy(Arc::new(record))]));
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let found = compare(app, &before, &after, threads, &|| stop.is_asked())?;
    let may_read = |one: &Change| {
        let owner = one.policy().map(|policy| &policy.owner);
        request.caller().account.as_ref().is_none_or(|account| Some(account) == owner)
    };
    let name = |one: &Change| one.policy().map(|policy| policy.name.to_string());
    // An account that goes is named by the organization in force.
    let names = |account: &AccountId| {
        [&after, &before].into_iter().find_map(|view| account_name(view, account))
    };
    Ok(Shown {
        changes: found.policies.iter().filter(|one| may_read(one)).any(Change::changes),
        nothing_in_scope: found.empty().filter(|one| may_read(one)).filter_map(name).collect(),
        unread: found
            .unread
            .iter()
            .map(|(shard, error)| Unread {
                account: shard.account.to_string(),
                region: shard.region.to_string(),
                error: error.clone(),
            })
            .collect(),
        unread_count: found.unread_count,
        policies: found
            .policies
            .into_iter()
            .filter(may_read)
            .map(|one| policy(one, &names))
            .collect(),
        judged_at: moment(app.clock.now_ms()),
    })
}

fn policy(one: Change, names: &dyn Fn(&AccountId) -> Option<String>) -> PolicyShown {
    let becomes = match (&one.before, &one.after) {
        (None, _) => Becomes::New,
        (Some(_), None) => Becomes::Removed,
        (Some(_), Some(_)) if one.is_kept => Becomes::Kept,
        (Some(_), Some(_)) => Becomes::Edited,
    };
    let told = one.policy().cloned();
    let text = |of: fn(&palisade_core::policy::Policy) -> String| {
        told.as_ref().map(|policy| of(policy)).unwrap_or_default()
    };
    let whose = |account: AccountId| AccountShown {
        account_name: names(&account),
        account: account.to_string(),
    };
    let violator = |one| violator(one, names);
    let Found { judged, in_scope, violators, standings, gained, lost, altered, moved } = one.found;
    PolicyShown {
        id: one.before.as_ref().map(|policy| policy.id.to_string()),
        name: text(|policy| policy.name.to_string()),
        owner: text(|policy| policy.owner.to_string()),
        region: text(|policy| policy.region.to_string()),
        becomes,
        accounts: both(one.accounts),
        entered: list(one.entered, whose),
        left: list(one.left, whose),
        judged,
        resources_in_scope: both(in_scope),
        violators: both(violators),
        standings: BeforeAfter { before: stand(standings.0), after: stand(standings.1) },
        moved,
        gained: list(gained, violator),
        lost: list(lost, violator),
        altered: list(altered, violator),
    }
}

fn both((before, after): (u64, u64)) -> BeforeAfter<u64> {
    BeforeAfter { before, after }
}

fn stand(of: Standings) -> Stand {
    Stand { compliant: of.compliant, non_compliant: of.violating, unknown: of.unknown }
}

fn list<T, S>(of: Listed<T>, shown: impl Fn(T) -> S) -> List<S> {
    List { count: of.count, first: of.first.into_iter().map(shown).collect() }
}

fn violator(
    (account, one): (AccountId, Violator),
    names: &dyn Fn(&AccountId) -> Option<String>,
) -> ViolatorShown {
    let first = one.violations.first();
    ViolatorShown {
        account_name: names(&account),
        account: account.to_string(),
        resource_type: one.resource_type.to_string(),
        resource_id: one.id.to_string(),
        reason: first.map(|first| reason(first.reason)),
        summary: first.map(|first| first.finding.summary()).unwrap_or_default(),
    }
}
