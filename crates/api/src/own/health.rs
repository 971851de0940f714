//! What anybody may ask: whether the server lives, is ready, and how much it did.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{Refused, json_response, typed_response};
use crate::app::App;
use crate::request::blocking;

/// The description of Palisade's own endpoints.
const OPENAPI: &str = include_str!("openapi.json");

/// `GET /livez`: the process answers.
pub(super) async fn live() -> Response {
    typed_response(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())
}

/// `GET /readyz`: the store answers and takes writes. Ready before any organization is there.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let ready = blocking(&app, |app| Ok::<_, Refused>(app.store.ready()?)).await;
    match ready {
        Ok(()) => typed_response(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
        Err(_) => {
            let text = "the store does not answer or takes no writes; see the log";
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "NotReady", text).response()
        }
    }
}

/// `GET /metrics`, for Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let asked = blocking(&app, |app| {
        Ok::<_, Refused>((app.store.work(app.clock.now_ms())?, app.store.effort()?))
    });
    let (work, effort) = asked.await.ok().unzip();
    let page = app.metrics.render(work, effort);
    typed_response(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page)
}

/// `GET /palisade/v1/openapi.json`
pub(super) async fn openapi() -> Response {
    json_response(StatusCode::OK, OPENAPI.to_owned())
}
