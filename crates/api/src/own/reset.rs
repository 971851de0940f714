//! Forgetting everything, between two tests of somebody's automation.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Refused, RefusedShape, SMALL_BODY_SIZE_MAX, answer, operator_only};
use crate::app::{App, Auth};

pub(super) const NAME: &str = "palisade:reset";

#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    /// Always true: what is refused answers otherwise.
    reset: bool,
}

/// `POST /palisade/v1/reset`
#[utoipa::path(
    post,
    path = "/palisade/v1/reset",
    summary = "Forget everything: of a server with `--auth open` and `--store memory` alone",
    responses(
        (status = 200, description = "It is as if the server had just begun", body = Reset),
        (status = 403, description = "Not a server with `--auth open`", body = RefusedShape),
        (status = 409, description = "NotInMemory: its store keeps what it was given", body = RefusedShape),
    )
)]
pub(super) async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        operator_only(request)?;
        if app.settings.auth != Auth::Open {
            return Err(Refused::new(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "only a server that anybody may do anything with forgets everything: start one with \
                 `--auth open --store memory`",
            ));
        }
        if !app.store.forget()? {
            return Err(Refused::new(
                StatusCode::CONFLICT,
                "NotInMemory",
                "the store keeps what it was given: start a server with `--store memory`",
            ));
        }
        app.wake.notify_one();
        Ok(Reset { reset: true })
    })
    .await
}
