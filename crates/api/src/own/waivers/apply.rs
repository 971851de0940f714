//! Many waivers at once, all or none: what a repository keeps of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use palisade_core::ident::WaiverId;
use palisade_core::waiver::Waiver;
use palisade_store::ControlChange;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::wanted::{self, Wanted};
use super::{Confirmed, NAME, Shown, body, shown};
use crate::app::{App, Decision};
use crate::audit;
use crate::fault::internal;
use crate::mint;
use crate::own::answer::{
    Refused, RefusedShape, SMALL_BODY_SIZE_MAX, actor, answer, finish, query,
};
use crate::own::{moments, readers};
use crate::verify::Authentic;
use crate::view::ControlView;

/// Bytes of a list of waivers that the operator applies: 8 MiB.
pub const WAIVERS_SIZE_MAX: usize = 8 * 1024 * 1024;

/// Waivers as a repository keeps them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WaiverList)]
pub(in crate::own) struct List {
    #[schema(value_type = Vec<Wanted>)]
    waivers: Vec<Value>,
}

impl List {
    /// Each waiver by itself, so that what is wrong is told of the one that it is wrong in.
    fn read(self) -> Result<Vec<Wanted>, Refused> {
        let one = |(at, value): (usize, Value)| {
            serde_json::from_value(value).map_err(|error| {
                Refused::invalid(format!("it cannot be read: {error}")).with("waiver", at)
            })
        };
        self.waivers.into_iter().enumerate().map(one).collect()
    }
}

/// What became of each, in the order of the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaiversApplied)]
struct Applied {
    waivers: Vec<One>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaiverApplied)]
struct One {
    became: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = super::Shown, required = false)]
    waiver: Option<Shown>,
}

/// What became of a waiver of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = WaiverBecame)]
enum Became {
    /// There was none of its scope.
    Made,
    /// The one of its scope has another end, or other words.
    Renewed,
    /// The one of its scope says the same.
    Stays,
    /// Its time was over, and there is none of its scope.
    Over,
}

/// `PUT /palisade/v1/waivers`
#[utoipa::path(
    put,
    path = "/palisade/v1/waivers",
    summary = "Apply a list of waivers, all or none: those that are not there are made, those of the same scope renewed, and all others stay; for the operator and the policies' owner",
    params(Confirmed),
    request_body = List,
    responses(
        (status = 200, description = "What became of each", body = Applied),
        (status = 404, description = "No such policy", body = RefusedShape),
        (
            status = 409,
            description = "ConfirmationRequired: one fits every resource of a type; LimitExceeded: there are too many",
            body = RefusedShape
        ),
    )
)]
pub(in crate::own) async fn put(State(app): State<Arc<App>>, request: Request) -> Response {
    let asked: Confirmed = match query(request.uri()) {
        Ok(asked) => asked,
        Err(refused) => return finish::<()>(&app, NAME, Err(refused)),
    };
    // A large body is the operator's alone: who else sends one is refused by its length.
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let size_max = match length {
        Some(length) if length <= SMALL_BODY_SIZE_MAX => SMALL_BODY_SIZE_MAX,
        _ => WAIVERS_SIZE_MAX,
    };
    let confirmed = asked.confirm.as_deref() == Some("true");
    answer(&app, NAME, request, size_max, move |app, request| apply(app, request, confirmed)).await
}

/// One of the list, as it is to be.
struct Planned {
    became: Became,
    waiver: Option<Arc<Waiver>>,
}

fn apply(app: &App, request: &Authentic<Bytes>, confirmed: bool) -> Result<Applied, Refused> {
    let wanted = body::<List>(request)?.read()?;
    is_told_once(&wanted)?;
    let id = || mint::base62(&*app.entropy).map_err(internal);
    let ids = wanted.iter().map(|_| WaiverId::try_from(id()?).map_err(internal));
    let ids = ids.collect::<Result<Vec<WaiverId>, _>>()?;
    let planned = app.decide(|view| {
        let now_ms = app.clock.now_ms();
        let each = wanted.iter().zip(&ids).enumerate().map(|(at, (wanted, id))| {
            plan(view, request, wanted, id, now_ms, confirmed)
                .map_err(|refused| refused.with("waiver", at))
        });
        let planned = each.collect::<Result<Vec<Planned>, Refused>>()?;
        let made = planned.iter().filter(|one| one.became == Became::Made).count();
        wanted::has_room(view, made)?;
        let is_put = |one: &&Planned| matches!(one.became, Became::Made | Became::Renewed);
        let put = planned.iter().filter(is_put).filter_map(|one| one.waiver.clone());
        let mut changes: Vec<ControlChange> = put.map(ControlChange::PutWaiver).collect();
        let told = audit::changes(view.control(), &changes, &app.settings.partition);
        let event = actor(app, request).event(audit::own::APPLY_WAIVERS, told);
        changes.extend(wanted::outdated(view, now_ms).map(ControlChange::RemoveWaiver));
        Ok::<_, Refused>(Decision { changes, event, answer: planned })
    })?;
    let as_of = readers::AsOf::now(app)?;
    let waivers: Vec<&Arc<Waiver>> = planned.iter().filter_map(|one| one.waiver.as_ref()).collect();
    let mut shown = shown::all(app, &as_of, &waivers)?.into_iter();
    let waivers = planned.iter().map(|one| One {
        became: one.became,
        waiver: one.waiver.as_ref().and_then(|_| shown.next()),
    });
    Ok(Applied { waivers: waivers.collect() })
}

/// Refuses a list that tells one scope twice: which of both is meant nobody knows.
fn is_told_once(all: &[Wanted]) -> Result<(), Refused> {
    let mut told = BTreeMap::new();
    for (at, wanted) in all.iter().enumerate() {
        if let Some(before) = told.insert(wanted.scope(), at) {
            let first = before.saturating_add(1);
            return Err(Refused::invalid(format!(
                "it is about the same policy, accounts, units, type and resource as waiver {first} of the list"
            ))
            .with("waiver", at));
        }
    }
    Ok(())
}

fn plan(
    view: &ControlView,
    request: &Authentic<Bytes>,
    wanted: &Wanted,
    id: &WaiverId,
    now_ms: i64,
    confirmed: bool,
) -> Result<Planned, Refused> {
    let record = readers::policy(view, request.caller(), &wanted.policy)?;
    let standing = wanted.standing(view, now_ms);
    let until_ms = moments::read("until", wanted.until())?;
    match standing {
        Some(standing) if wanted.says_the_same(standing, until_ms) => {
            return Ok(Planned { became: Became::Stays, waiver: Some(standing.clone()) });
        }
        // What a repository keeps of the past is no mistake.
        None if until_ms <= now_ms => return Ok(Planned { became: Became::Over, waiver: None }),
        _ => {}
    }
    // Who confirmed it once need not do so for each renewal.
    let confirmed = confirmed || standing.is_some();
    let made = wanted.waiver(view, &record, id.clone(), now_ms, confirmed)?;
    Ok(match standing {
        None => Planned { became: Became::Made, waiver: Some(Arc::new(made)) },
        Some(standing) => {
            let renewed = wanted.renewed(standing, made);
            Planned { became: Became::Renewed, waiver: Some(Arc::new(renewed)) }
        }
    })
}
