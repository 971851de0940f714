//! The sources of this server, and what they hand over.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use palisade_core::organization::Organization;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::answer::{Refused, SMALL_BODY_SIZE_MAX, answer, moment, operator_only};
use super::inventory::TakenIn;
use super::{inventory, organization};
use crate::app::App;
use crate::audit::Actor;
use crate::fault::internal;
use crate::mint;
use crate::request::blocking_unhurried;
use crate::sources::Source;

pub(super) const NAME: &str = "palisade:sources";

/// Every source of this server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sources)]
struct Told {
    /// None where the server was started without `--config`.
    sources: Vec<Line>,
}

/// One source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
struct Line {
    name: String,
    kind: &'static str,
    /// When reading it began last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    begun_at: Option<String>,
    /// When it was last read with nothing missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    whole_at: Option<String>,
    /// How old that is, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    age_seconds: Option<u64>,
    /// How long the last reading took, in milliseconds.
    took_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    next_at: Option<String>,
    /// New states that it brought since the server began.
    accepted: u64,
    /// Calls that failed since the server began.
    calls_failed: u64,
    /// What the last reading could not read, counted by account, Region and type.
    gaps: u64,
    /// Messages that wait in its queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    backlog: Option<u64>,
    /// Messages and files that were set aside since they cannot be read.
    #[serde(skip_serializing_if = "is_none_aside")]
    set_aside: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    last_error_at: Option<String>,
    /// How long ago that was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    last_error_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    last_error: Option<String>,
    /// Failures of the last reading, each once; the first 20.
    failures: Vec<String>,
}

impl Line {
    fn of(name: String, source: Source, now_ms: i64) -> Line {
        let age = |ms: i64| now_ms.saturating_sub(ms).max(0).unsigned_abs() / 1_000;
        let (error_ms, last_error) = source.last_error.unzip();
        Line {
            name,
            kind: source.kind,
            begun_at: source.begun_ms.map(moment),
            whole_at: source.whole_ms.map(moment),
            age_seconds: source.whole_ms.map(age),
            took_ms: source.took_ms,
            next_at: source.next_ms.map(moment),
            accepted: source.accepted,
            calls_failed: source.calls_failed,
            gaps: source.gaps,
            backlog: source.backlog,
            set_aside: source.set_aside,
            last_error_at: error_ms.map(moment),
            last_error_seconds: error_ms.map(age),
            last_error,
            failures: source.failures,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none_aside(count: &u64) -> bool {
    *count == 0
}

/// `GET /palisade/v1/sources`
#[utoipa::path(
    get,
    path = "/palisade/v1/sources",
    summary = "What this server reads by itself, how old that is and why it failed",
    responses((status = 200, description = "Every source", body = Told))
)]
pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        operator_only(request)?;
        let now_ms = app.clock.now_ms();
        let all = app.sources.all().into_iter();
        Ok(Told { sources: all.map(|(name, source)| Line::of(name, source, now_ms)).collect() })
    })
    .await
}

/// Why a delivery of a source was not taken in: nothing of it is held then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotTaken {
    /// It is no delivery, and will not be one the next time.
    Invalid(String),
    /// The server could not.
    Failed(String),
}

impl NotTaken {
    /// What to tell.
    pub fn why(&self) -> &str {
        match self {
            NotTaken::Invalid(why) | NotTaken::Failed(why) => why,
        }
    }
}

impl From<Refused> for NotTaken {
    fn from(refused: Refused) -> NotTaken {
        match refused.status.is_client_error() {
            true => NotTaken::Invalid(refused.message),
            false => NotTaken::Failed(refused.message),
        }
    }
}

/// Takes in what a source of this server read, by the one way that deliveries have. It waits for its turn.
///
/// # Errors
/// Why it could not be taken in. Where it is no delivery, and its name tells whose it is, that is a gap.
pub async fn take_in(app: &Arc<App>, name: &str, text: Vec<u8>) -> Result<TakenIn, NotTaken> {
    let actor = local(app)?;
    let sha256 = Sha256::digest(&text).into();
    Ok(inventory::take_in_own(app, actor, name.to_owned(), text, sha256).await?)
}

/// Notes that a file of this name could not be read: a gap, where the name tells whose it is (semantics §11 row 39).
///
/// # Errors
/// The server could not.
pub async fn note_unread(app: &Arc<App>, name: &str, why: &str) -> Result<(), NotTaken> {
    let (actor, name, why) = (local(app)?, name.to_owned(), why.to_owned());
    Ok(blocking_unhurried(app, move |app| inventory::miss_own(app, &actor, &name, &why)).await?)
}

/// What became of an organization that a source read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Renewed {
    /// It is the one that is held.
    Same,
    /// It replaced the one that was held, if any; so many accounts are judged again under a policy.
    Applied {
        /// (policy, account) pairs.
        marked: usize,
    },
}

/// Applies an organization that a source read, as `organization apply` without a confirmation does: one that drops more
/// than a fifth of the accounts, or is another's, is refused.
///
/// # Errors
/// Why it is refused; the one that is held stays.
pub async fn renew_organization(app: &Arc<App>, mut new: Organization) -> Result<Renewed, String> {
    let renewed = blocking_unhurried(app, move |app| {
        let view = app.view()?;
        // A source makes the first default administrator, and leaves the one that is there alone.
        if view.default_administrator().is_some() {
            new.default_administrator = None;
        }
        if let Some(held) = view.organization() {
            let held = Organization { default_administrator: None, ..held.clone() };
            if new.default_administrator.is_none() && held == new {
                return Ok(Renewed::Same);
            }
        }
        let marked = organization::apply_own(app, &local(app)?, new)?;
        Ok::<_, Refused>(Renewed::Applied { marked })
    });
    let renewed = renewed.await.map_err(|refused| refused.message)?;
    app.wake.notify_one();
    Ok(renewed)
}

fn local(app: &App) -> Result<Actor, Refused> {
    let id = mint::uuid(&*app.entropy).map_err(internal)?;
    Ok(Actor::local(id, app.clock.now_ms()))
}
