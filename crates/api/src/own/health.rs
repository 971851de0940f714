//! What anybody may ask: whether the server lives, is ready, and how much it did.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Refused, RefusedShape, typed_response};
use super::survey;
use crate::app::App;
use crate::health::{STRAIN_TOLD, Unwell};
use crate::key_use;
use crate::metrics::Asked;
use crate::request::{blocking, blocking_unhurried};

/// `GET /livez`: the process answers.
#[utoipa::path(
    get,
    path = "/livez",
    summary = "The process answers",
    security(()),
    responses((status = 200, description = "It does"))
)]
pub(super) async fn live() -> Response {
    typed_response(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())
}

/// How long the store may take to say that it is ready.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// `GET /readyz`: the store answers and takes writes, and nothing that watches a part of the server
/// found it unwell. Ready before any organization is there, and where a part is only degraded, which the
/// body tells.
#[utoipa::path(
    get,
    path = "/readyz",
    summary = "The store answers and takes writes, and every part of the server is well",
    security(()),
    responses(
        (
            status = 200,
            description = "They are: `ok`, or `degraded` and a line for each part that is strained"
        ),
        (
            status = 503,
            description = "They are not: code NotReady, with the parts that are not and why in `reasons`, and those that are strained in `degraded`",
            body = RefusedShape
        ),
    )
)]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let (unwell, degraded) = (unwell(&app).await, degraded(&app));
    let lines = |parts: &[Unwell]| -> Vec<String> {
        parts.iter().map(|one| format!("{}: {}", one.part, one.why)).collect()
    };
    if unwell.is_empty() {
        let told = match lines(&degraded) {
            none if none.is_empty() => "ok\n".to_owned(),
            some => format!("degraded\n{}\n", some.join("\n")),
        };
        return typed_response(StatusCode::OK, "text/plain; charset=utf-8", told);
    }
    let listed = |parts: &[Unwell]| -> Vec<Value> {
        parts.iter().map(|one| json!({ "part": one.part, "why": one.why })).collect()
    };
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "NotReady", lines(&unwell).join("; "))
        .with("reasons", listed(&unwell))
        .with("degraded", listed(&degraded))
        .response()
}

/// What is noted, and what bodies that gave way tell.
fn degraded(app: &App) -> Vec<Unwell> {
    let mut degraded = app.health.degraded();
    if [&app.unproven, &app.proven].iter().any(|budget| budget.gave_way_within(STRAIN_TOLD)) {
        let why = "the memory for bodies that are being received is used up: some are refused, and \
                   SDKs send them again";
        degraded.push(Unwell { part: "bodies", why: why.to_owned() });
    }
    degraded
}

/// What is noted, and what the store says now.
async fn unwell(app: &Arc<App>) -> Vec<Unwell> {
    let mut unwell = app.health.unwell();
    let asked = blocking_unhurried(app, |app| Ok::<_, Refused>(app.store.ready().err()));
    let why = match tokio::time::timeout(STORE_PATIENCE, asked).await {
        Ok(Ok(None)) => return unwell,
        Ok(Ok(Some(error))) => error.to_string(),
        Ok(Err(refused)) => refused.message,
        Err(_) => "it does not answer".to_owned(),
    };
    if !unwell.iter().any(|one| one.part == "store") {
        unwell.push(Unwell { part: "store", why });
    }
    unwell
}

/// `GET /metrics`, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    summary = "Counts in Prometheus' text format",
    security(()),
    responses((status = 200, description = "Counts"))
)]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let asked = blocking(&app, |app| {
        let now_ms = app.clock.now_ms();
        let (work, ages) = (app.store.work(now_ms)?, app.store.inventory_ages()?);
        let keys = key_use::counted(&app.store.keys()?, now_ms);
        let (effort, survey) =
            (app.store.effort()?, app.surveys.of(now_ms, || survey::read(app, now_ms))?);
        Ok::<_, Refused>(Asked { work, ages, now_ms, effort, keys, survey })
    });
    let asked = asked.await.ok();
    let (sources, now_ms) = (app.sources.all(), app.clock.now_ms());
    let (unwell, degraded) = (app.health.unwell(), degraded(&app));
    let page = app.metrics.render(asked.as_ref(), &unwell, &degraded, &sources, now_ms);
    typed_response(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page)
}
