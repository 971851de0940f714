//! How one of these endpoints answers: who may ask, what is refused, and how either is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use palisade_store::StoreError;
use palisade_wire::sigv4::Payload;
use palisade_wire::{ErrorKind, Fault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

use crate::app::{App, PREVIEWS_AT_ONCE_MAX};
use crate::audit::Actor;
use crate::caller::Caller;
use crate::fault::internal;
use crate::intake::Arrived;
use crate::operations::Effect;
use crate::request::{Taken, blocking, blocking_unhurried, take_in};
use crate::verify::{Authentic, Foreseen, verify};

/// Paths that are never AWS's.
pub const PREFIX: &str = "/palisade/";
/// Body of the small requests: 64 KiB.
pub const SMALL_BODY_SIZE_MAX: usize = 64 * 1024;

/// After how many seconds a caller is asked to come again when there is no room.
const RETRY_AFTER_SECS: u32 = 5;

/// Why one of Palisade's own endpoints does not do what was asked.
#[derive(Debug)]
pub struct Refused {
    /// The answer's status.
    pub status: StatusCode,
    /// Why, for programs.
    pub code: &'static str,
    /// Why, for people, and what to do.
    pub message: String,
    /// Members beside `code` and `message`.
    details: serde_json::Map<String, serde_json::Value>,
    /// After how many seconds it may go.
    retry_after: Option<u32>,
}

impl Refused {
    /// A refusal of this status and code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Refused {
            status,
            code,
            message: message.into(),
            details: serde_json::Map::new(),
            retry_after: None,
        }
    }

    /// What was sent is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message)
    }

    /// What is named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// The refusal of what there is no room for just now.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", message);
        Refused { retry_after: Some(RETRY_AFTER_SECS), ..refused }
    }

    /// With one more member.
    pub(super) fn with(mut self, member: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(member.to_owned(), value.into());
        self
    }

    /// As it is sent.
    pub(super) fn response(self) -> Response {
        let Refused { code, message, details, .. } = self;
        let text = json!(RefusedShape { error: WhyShape { code, message, details } }).to_string();
        let mut response = json_response(self.status, text);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How a refusal is written.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct RefusedShape {
    error: WhyShape,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ErrorDetail)]
struct WhyShape {
    code: &'static str,
    message: String,
    #[serde(flatten)]
    details: serde_json::Map<String, serde_json::Value>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let status = match fault.kind {
            ErrorKind::MissingAuthenticationToken => StatusCode::UNAUTHORIZED,
            ErrorKind::AccessDenied
            | ErrorKind::InvalidSignature
            | ErrorKind::UnrecognizedClient
            | ErrorKind::ExpiredToken => StatusCode::FORBIDDEN,
            ErrorKind::ResourceNotFound | ErrorKind::UnknownOperation => StatusCode::NOT_FOUND,
            ErrorKind::InternalError | ErrorKind::InternalFailure => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            ErrorKind::Throttling => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::InvalidInput
            | ErrorKind::InvalidOperation
            | ErrorKind::InvalidType
            | ErrorKind::LimitExceeded
            | ErrorKind::Validation
            | ErrorKind::Serialization
            | ErrorKind::IncompleteSignature
            | ErrorKind::RequestEntityTooLarge
            | ErrorKind::RequestHeadersTooLarge
            | ErrorKind::RequestTimeout
            | ErrorKind::ServiceUnavailable => {
                StatusCode::from_u16(fault.kind.status()).unwrap_or(StatusCode::BAD_REQUEST)
            }
        };
        let name = fault.kind.name();
        let later = matches!(fault.kind, ErrorKind::Throttling | ErrorKind::ServiceUnavailable);
        let retry_after = later.then_some(RETRY_AFTER_SECS);
        let refused =
            Refused::new(status, name.strip_suffix("Exception").unwrap_or(name), fault.message);
        Refused { retry_after, ..refused }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        internal(error).into()
    }
}

/// Answers one of the endpoints: takes the request in, finds out who sent it, and does `work` on a
/// thread that may block.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    app: &Arc<App>,
    name: &'static str,
    request: Request,
    body_size_max: usize,
    work: impl FnOnce(&App, &Authentic<Bytes>) -> Result<T, Refused> + Send + 'static,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let arrived = Arc::new(Arrived::of(&parts)?);
        arrived.is_unpacked()?;
        let effect = effect(&parts);
        let may = move |foreseen: &Foreseen| may_send(foreseen, body_size_max, effect);
        let Taken { body, share } = take_in(app, &arrived, body, body_size_max, may).await?;
        blocking(app, move |app| {
            let payload = body.clone();
            let request = verify(app, &arrived, Payload::Bytes(&payload), body)?;
            drop(share);
            may_ask(request.caller(), effect)?;
            work(app, &request)
        })
        .await
    };
    finish(app, name, answered.await)
}

/// As [`answer`], for a preview, which may take longer than a call may: as [`unhurried`] does it, in one of the seats.
pub(super) async fn answer_preview<T: Serialize + Send + 'static>(
    app: &Arc<App>,
    name: &'static str,
    request: Request,
    body_size_max: usize,
    work: impl FnOnce(&App, &Authentic<Bytes>, &Stop) -> Result<T, Refused> + Send + 'static,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let arrived = Arc::new(Arrived::of(&parts)?);
        arrived.is_unpacked()?;
        let effect = effect(&parts);
        let may = move |foreseen: &Foreseen| may_send(foreseen, body_size_max, effect);
        let Taken { body, share } = take_in(app, &arrived, body, body_size_max, may).await?;
        let verified = blocking(app, move |app| {
            let payload = body.clone();
            let request = verify(app, &arrived, Payload::Bytes(&payload), body)?;
            drop(share);
            may_ask(request.caller(), effect)?;
            Ok::<_, Refused>(request)
        });
        let request = verified.await?;
        // Only who proved to be somebody takes a seat.
        let seat = seat(app)?;
        unhurried(app, move |app, stop| {
            let _seat = seat;
            work(app, &request, stop)
        })
        .await
    };
    finish(app, name, answered.await)
}

/// Posts that change nothing: readers may send them.
const READING_POSTS: [&str; 2] = ["/palisade/v1/preview", "/palisade/v1/dashboard"];

/// Whether a request asks for a change. Whatever is not known to be a question is one.
fn effect(parts: &Parts) -> Effect {
    let gets = [Method::GET, Method::HEAD].contains(&parts.method);
    match gets || (parts.method == Method::POST && READING_POSTS.contains(&parts.uri.path())) {
        true => Effect::Reads,
        false => Effect::Writes,
    }
}

/// Refuses readers what changes something.
fn may_ask(caller: &Caller, effect: Effect) -> Result<(), Refused> {
    match effect {
        Effect::Reads => Ok(()),
        Effect::Writes => Ok(caller.must_change()?),
    }
}

/// Strangers cannot make the server hold large bodies.
fn may_send(foreseen: &Foreseen, body_size_max: usize, effect: Effect) -> Result<(), Refused> {
    if body_size_max <= SMALL_BODY_SIZE_MAX {
        return Ok(());
    }
    is_operator(&foreseen.caller)?;
    may_ask(&foreseen.caller, effect)
}

/// One of the seats of previews, until it is dropped.
///
/// # Errors
/// TooManyRequests when all are taken.
pub(super) fn seat(app: &App) -> Result<OwnedSemaphorePermit, Refused> {
    app.previews.clone().try_acquire_owned().map_err(|_| {
        let why = format!(
            "{PREVIEWS_AT_ONCE_MAX} previews are under way, as many as run at once; wait until one has ended, \
             then ask again"
        );
        Refused { status: StatusCode::TOO_MANY_REQUESTS, ..Refused::busy(why) }
    })
}

/// Does `work`, which looks at [`Stop`] now and then, on a thread that may block. It ends when its time is
/// over, or nobody waits for it any more.
///
/// # Errors
/// What `work` answers; ServiceUnavailable when its time is over.
pub(crate) async fn unhurried<T: Send + 'static, E: From<Fault> + Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App, &Stop) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let longest = app.settings.unhurried_deadline;
    let stop = Stop::default();
    // Whoever goes away takes this with it.
    let waiting = Waiting(stop.clone());
    let done = blocking_unhurried(app, move |app| work(app, &stop));
    match tokio::time::timeout(longest, done).await {
        Ok(done) => done,
        Err(_) => {
            drop(waiting);
            let why = format!("no answer within {} seconds; it was given up", longest.as_secs());
            Err(Fault::new(ErrorKind::ServiceUnavailable, why).into())
        }
    }
}

/// Whether nobody waits for what is being done any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// It is to end.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whoever waits; when it is dropped nobody does.
struct Waiting(Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Counts what was answered, and writes it.
pub(super) fn finish<T: Serialize>(
    app: &App,
    name: &'static str,
    answered: Result<T, Refused>,
) -> Response {
    app.metrics.request(name, answered.as_ref().map_or_else(|refused| refused.code, |_| "ok"));
    match answered {
        Ok(answer) => match serde_json::to_string(&answer) {
            Ok(text) => json_response(StatusCode::OK, text),
            Err(error) => Refused::from(internal(error)).response(),
        },
        Err(refused) => {
            tracing::info!(endpoint = name, code = refused.code, "{}", refused.message);
            refused.response()
        }
    }
}

/// Who asks, for the audit log: what these endpoints change is Palisade's own.
pub(super) fn actor<T>(app: &App, request: &Authentic<T>) -> Actor {
    Actor::of(request.caller(), None, request.request_id(), app.clock.now_ms())
}

/// Lets the operator pass and nobody else.
pub(super) fn operator_only<T>(request: &Authentic<T>) -> Result<(), Refused> {
    is_operator(request.caller())
}

/// The same, of whoever asks.
pub(super) fn is_operator(caller: &Caller) -> Result<(), Refused> {
    match caller.is_operator() {
        true => Ok(()),
        false => Err(not_operator()),
    }
}

/// The refusal of everybody else.
pub(super) fn not_operator() -> Refused {
    Refused::new(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        "this endpoint is the operator's; sign with an operator key (`palisade keys create --operator`)",
    )
}

/// The query of a request. A name without a value, as in `?limit=&next=`, says nothing.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refused> {
    let unread = |error: &dyn std::fmt::Display| {
        Refused::invalid(format!("the query cannot be read: {error}"))
    };
    let says = |pair: &&str| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let told: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(says).collect();
    let uri: Uri = format!("/?{}", told.join("&")).parse().map_err(|error| unread(&error))?;
    axum::extract::Query::<T>::try_from_uri(&uri)
        .map(|query| query.0)
        .map_err(|error| unread(&error))
}

/// Whether the query says that what it asks for is meant.
pub(super) fn is_confirmed(confirm: Option<&str>) -> Result<bool, Refused> {
    match confirm {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Refused::invalid(format!("`confirm` is `{other}`; give true or false"))),
    }
}

fn json_response(status: StatusCode, text: String) -> Response {
    typed_response(status, "application/json", text)
}

/// An answer of this type of content.
pub(super) fn typed_response(
    status: StatusCode,
    content_type: &'static str,
    text: String,
) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A moment as text: RFC 3339 in UTC.
pub fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}
