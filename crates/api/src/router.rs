//! The router, and the steps that every request takes before and after its operation.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use palisade_wire as wire;
use palisade_wire::sigv4::Payload;
use palisade_wire::{BODY_SIZE_MAX, ErrorKind, Fault, Operation, Protocol};
use tracing::Instrument as _;

use crate::app::App;
use crate::intake::{Arrived, Noted};
use crate::metrics::Stage;
use crate::operations::{Frame, answer, row};
use crate::request::{Taken, blocking, take_in};
use crate::verify::verify;
use crate::{mint, own};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What programs ask over HTTP: AWS's operations in both protocols, and Palisade's own endpoints.
pub fn router(app: Arc<App>) -> Router {
    router_with(app, Router::new())
}

/// As [`router`], with pages for people. A page is got: whatever else is asked for at its path is a call of
/// AWS's operations.
pub fn router_with(app: Arc<App>, pages: Router<Arc<App>>) -> Router {
    let pages = pages.method_not_allowed_fallback(serve);
    let all = own::routes(&app).merge(pages).fallback(serve);
    all.layer(from_fn_with_state(app.clone(), envelope)).with_state(app)
}

/// What every answer has: a request id, in the log too, and the date.
async fn envelope(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    // Without random bytes nothing works anyway; an id that says so is better than no answer.
    let id = mint::uuid(&*app.entropy).unwrap_or_else(|_| "no-random-bytes".to_owned());
    // In every line about this call. The level is that of errors, or they would lose the id.
    let span = tracing::error_span!(
        "request",
        id,
        method = %request.method(),
        path = request.uri().path(),
        operation = tracing::field::Empty
    );
    let probe = own::is_probe(request.uri().path());
    let noted = Noted { request_id: id.clone(), at_ms: app.clock.now_ms() };
    request.extensions_mut().insert(noted);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.in_scope(|| match probe {
        true => tracing::debug!(status, "answered"),
        false => tracing::info!(status, "answered"),
    });
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(date) = http_date(app.clock.now_ms()) {
        headers.insert(header::DATE, date);
    }
    response
}

/// SDKs correct their clocks by this header. It is the same for all answers of a second.
fn http_date(now_ms: i64) -> Option<HeaderValue> {
    static LAST: Mutex<Option<(i64, HeaderValue)>> = Mutex::new(None);
    let second = now_ms.div_euclid(1_000);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, date)) = last.as_ref().filter(|(known, _)| *known == second) {
        return Some(date.clone());
    }
    let moment = jiff::Timestamp::from_millisecond(now_ms).ok()?;
    let text = moment.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let date = HeaderValue::try_from(text.to_string()).ok()?;
    *last = Some((second, date.clone()));
    Some(date)
}

/// Answers one call of an AWS operation.
async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    // AWS's operations are all called with POST: whoever gets something wants a page.
    let is_page = [Method::GET, Method::HEAD].contains(request.method());
    if is_page || request.uri().path().starts_with(own::PREFIX) {
        return own::unknown_path(request.uri().path());
    }
    let (parts, body) = request.into_parts();
    let (protocol, operation, answered) = match accept(&parts) {
        Ok((arrived, protocol, operation)) => {
            (protocol, Some(operation), call(&app, arrived, protocol, operation, body).await)
        }
        Err((protocol, fault)) => (protocol, None, Err(fault)),
    };
    let outcome = answered.as_ref().map_or_else(|fault| fault.kind.name(), |_| "ok");
    let name = operation.map(Operation::name);
    app.metrics.request(name.unwrap_or("unknown"), outcome);
    tracing::Span::current().record("operation", name);
    let response = answered.unwrap_or_else(|fault| {
        tracing::info!(%fault, "refused");
        wire::encode_fault(protocol, &fault)
    });
    sent(response)
}

/// Accept: the head within its limits, protocol and operation.
fn accept(
    parts: &axum::http::request::Parts,
) -> Result<(Arrived, Protocol, Operation), (Protocol, Fault)> {
    let arrived = Arrived::of(parts).map_err(|fault| {
        let cbor = parts.headers.contains_key("smithy-protocol");
        (if cbor { Protocol::Cbor } else { Protocol::Json }, fault)
    })?;
    let protocol = wire::protocol_of(&arrived.path, &arrived.headers);
    match wire::route(&arrived.method, &arrived.path, &arrived.headers) {
        Ok((protocol, operation)) => Ok((arrived, protocol, operation)),
        Err(fault) => Err((protocol, fault)),
    }
}

/// Verify, decode, act, store and encode, on a thread that may block.
async fn call(
    app: &Arc<App>,
    arrived: Arrived,
    protocol: Protocol,
    operation: Operation,
    body: Body,
) -> Result<wire::Response, Fault> {
    arrived.is_unpacked()?;
    let row = row(operation)
        .ok_or_else(|| Fault::new(ErrorKind::UnknownOperation, "the operation has no row"))?;
    let arrived = Arc::new(arrived);
    let taken = take_in(app, &arrived, body, BODY_SIZE_MAX, |_| Ok::<(), Fault>(()));
    let Taken { body, share } = app.metrics.awaited(Stage::Accept, taken).await?;
    blocking(app, move |app| {
        let payload = body.clone();
        let request = app.metrics.timed(Stage::Verify, || {
            verify(app, &arrived, Payload::Bytes(&payload), Frame { protocol, body })
        })?;
        drop(share);
        answer(app, row, &request)
    })
    .await
}

fn sent(response: wire::Response) -> Response {
    let mut sent = Response::new(Body::from(response.body));
    // With those that the envelope adds.
    sent.headers_mut().reserve(response.headers.len().saturating_add(2));
    *sent.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        sent.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    sent
}
