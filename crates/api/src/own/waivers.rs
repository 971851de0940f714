//! Waivers: who accepted which violators until when. A policy's waivers are for the operator and the policy's
//! owner; to others there are none. AWS's operations know nothing of them.

pub(super) mod apply;
mod shown;
mod wanted;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use palisade_core::ident::WaiverId;
use palisade_core::waiver::{Waiver, WaiverState};
use palisade_store::ControlChange;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::accounts::page_size;
use super::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, actor, answer, finish, moment, query,
};
use super::{moments, readers};
use crate::app::{App, Decision};
use crate::audit;
use crate::caller::Caller;
use crate::fault::internal;
use crate::mint;
use crate::pages::Binding;
use crate::verify::Authentic;
use crate::view::ControlView;

pub use apply::WAIVERS_SIZE_MAX;
pub(super) use apply::put;
pub use shown::COVERED_MAX;
pub(super) use shown::Shown;
use wanted::{Renewal, Wanted};
pub use wanted::{WAIVER_ACCOUNTS_MAX, WAIVERS_MAX};

/// Waivers of one page.
pub const WAIVERS_PAGE_MAX: usize = 1_000;

pub(super) const NAME: &str = "palisade:waivers";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    next: Option<String>,
    /// Those of this policy, by its id
    policy: Option<String>,
    /// Those that there were at this moment, as they were: RFC 3339 with an offset; now, unless it is given
    #[param(format = DateTime)]
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Waivers)]
pub(super) struct Page {
    waivers: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Confirmed {
    /// `true`: it is meant for every resource
    confirm: Option<String>,
}

/// `GET /palisade/v1/waivers?limit=&next=&policy=&at=`
#[utoipa::path(
    get,
    path = "/palisade/v1/waivers",
    summary = "Waivers, what each covers, and those that cover nothing or have ended; for the operator all, for an administrator those of its own policies",
    params(Asked),
    responses(
        (status = 200, description = "One page, ascending by id", body = Page),
        (status = 404, description = "No such policy", body = RefusedShape),
    )
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

pub(super) fn page(app: &App, caller: &Caller, asked: &Asked) -> Result<Page, Refused> {
    let limit = page_size(asked.limit.as_deref(), WAIVERS_PAGE_MAX)?;
    let as_of = moments::as_of(app, caller, "at", asked.at.as_deref())?;
    let policy = asked.policy.as_deref();
    let policy = policy.map(|id| readers::policy(&as_of.view, caller, id)).transpose()?;
    let who = caller.account.as_ref().map_or("operator", |account| account.as_str());
    let at = as_of.at_ms.map(moment).unwrap_or_default();
    let filter = [policy.as_ref().map_or("", |record| record.id.as_str()), &at];
    let binding = Binding { caller: who, operation: "waivers", filter: &filter };
    let after = match &asked.next {
        None => None,
        Some(token) => Some(app.sealer()?.open(binding, token).ok_or_else(|| {
            Refused::invalid("`next` is not a token of this list; leave it out to start again")
        })?),
    };
    let is_asked = |waiver: &&Arc<Waiver>| {
        after.as_deref().is_none_or(|after| waiver.id.as_str() > after)
            && policy.as_ref().is_none_or(|policy| waiver.policy == policy.id)
    };
    let mut rest = readers::waivers(&as_of.view, caller).filter(is_asked);
    let found: Vec<&Arc<Waiver>> = rest.by_ref().take(limit).collect();
    let next = match found.last() {
        Some(last) if rest.next().is_some() => {
            let sealed = app.sealer()?.seal(&*app.entropy, binding, last.id.as_str());
            Some(sealed.map_err(internal)?)
        }
        _ => None,
    };
    Ok(Page { waivers: shown::all(app, &as_of, &found)?, next })
}

/// `POST /palisade/v1/waivers`
#[utoipa::path(
    post,
    path = "/palisade/v1/waivers",
    summary = "Accept violators of a policy for a time; for the operator and the policy's owner",
    params(Confirmed),
    request_body = Wanted,
    responses(
        (status = 200, description = "The waiver", body = Shown),
        (status = 404, description = "No such policy", body = RefusedShape),
        (
            status = 409,
            description = "ConfirmationRequired: it fits every resource; LimitExceeded: there are too many",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Confirmed = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| {
        made(app, request, asked.confirm.as_deref() == Some("true"))
    })
    .await
}

/// Makes the waiver that is asked for; one for every resource takes a confirmation.
pub(super) fn made(
    app: &App,
    request: &Authentic<Bytes>,
    confirmed: bool,
) -> Result<Shown, Refused> {
    let wanted: Wanted = body(request)?;
    let id = mint::base62(&*app.entropy).map_err(internal)?;
    let id = WaiverId::try_from(id).map_err(internal)?;
    decide(app, request, audit::own::CREATE_WAIVER, |view, now_ms| {
        let record = readers::policy(view, request.caller(), &wanted.policy)?;
        wanted::has_room(view, 1)?;
        wanted.waiver(view, &record, id.clone(), now_ms, confirmed)
    })
}

/// `PATCH /palisade/v1/waivers/{id}`
#[utoipa::path(
    patch,
    path = "/palisade/v1/waivers/{waiver}",
    summary = "Renew a waiver: it lasts until another moment, at most 365 days from now; for the operator and the policy's owner",
    params(("waiver" = String, Path)),
    request_body = Renewal,
    responses(
        (status = 200, description = "The waiver as it is now", body = Shown),
        (status = 404, description = "No such waiver", body = RefusedShape),
        (status = 409, description = "WaiverEnded: it has ended; make another", body = RefusedShape),
    )
)]
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| renewed(app, request, &id))
        .await
}

/// Has a waiver last until the moment that is asked for.
pub(super) fn renewed(app: &App, request: &Authentic<Bytes>, id: &str) -> Result<Shown, Refused> {
    let renewal: Renewal = body(request)?;
    decide(app, request, audit::own::RENEW_WAIVER, |view, now_ms| {
        let waiver = one(view, request.caller(), id)?;
        renewal.renewed(&waiver, now_ms)
    })
}

/// `DELETE /palisade/v1/waivers/{id}`
#[utoipa::path(
    delete,
    path = "/palisade/v1/waivers/{waiver}",
    summary = "End a waiver now: it is listed as ended; for the operator and the policy's owner",
    params(("waiver" = String, Path)),
    responses(
        (status = 200, description = "The waiver as it is now", body = Shown),
        (status = 404, description = "No such waiver", body = RefusedShape),
    )
)]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, move |app, request| ended(app, request, &id))
        .await
}

/// Ends a waiver now; one that is over stays as it is.
pub(super) fn ended(app: &App, request: &Authentic<Bytes>, id: &str) -> Result<Shown, Refused> {
    decide(app, request, audit::own::END_WAIVER, |view, now_ms| {
        let waiver = one(view, request.caller(), id)?;
        let is_over = waiver.state(now_ms) == WaiverState::Ended;
        let ended_ms = if is_over { waiver.ended_ms } else { Some(now_ms) };
        Ok(Waiver { ended_ms, ..(*waiver).clone() })
    })
}

fn body<T: DeserializeOwned>(request: &Authentic<Bytes>) -> Result<T, Refused> {
    serde_json::from_slice(request.body()).map_err(|error| {
        let read: Result<serde_json::Value, _> = serde_json::from_slice(request.body());
        // Where it is JSON the place tells nobody anything.
        let error = error.to_string();
        let error = match (read, error.rsplit_once(" at line ")) {
            (Ok(_), Some((why, _))) => why,
            _ => &error,
        };
        Refused::invalid(format!("the body cannot be read: {error}"))
    })
}

/// A waiver that the caller reads.
fn one(view: &ControlView, caller: &Caller, id: &str) -> Result<Arc<Waiver>, Refused> {
    readers::waivers(view, caller)
        .find(|waiver| waiver.id.as_str() == id)
        .cloned()
        .ok_or_else(|| Refused::not_found(format!("waiver `{id}` does not exist")))
}

/// Puts the waiver that `wanted` makes, and shows it. Those that ended so long ago that nothing asks for
/// them go.
fn decide(
    app: &App,
    request: &Authentic<Bytes>,
    operation: &'static str,
    wanted: impl Fn(&ControlView, i64) -> Result<Waiver, Refused>,
) -> Result<Shown, Refused> {
    let waiver = app.decide(|view| {
        let now_ms = app.clock.now_ms();
        let waiver = Arc::new(wanted(view, now_ms)?);
        let mut changes = vec![ControlChange::PutWaiver(waiver.clone())];
        let told = audit::changes(view.control(), &changes, &app.settings.partition);
        let event = actor(app, request).event(operation, told);
        changes.extend(wanted::outdated(view, now_ms).map(ControlChange::RemoveWaiver));
        Ok::<_, Refused>(Decision { changes, event, answer: waiver })
    })?;
    let as_of = readers::AsOf::now(app)?;
    let shown = shown::all(app, &as_of, &[&waiver])?.into_iter().next();
    shown.ok_or_else(|| Refused::not_found(format!("waiver `{}` does not exist", waiver.id)))
}
