//! One-time links into the dashboard, for people whose tools have their key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{SMALL_BODY_SIZE_MAX, answer, moment};
use crate::app::{App, Auth};
use crate::session::{self, LINK_PATH};

pub(super) const NAME: &str = "palisade:dashboard";

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DashboardLink)]
struct Shown {
    /// Path and query below the server's address.
    path: String,
    /// Until when it can be followed, once. Null: nobody signs in, so it is no secret and does not end.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// `POST /palisade/v1/dashboard`
#[utoipa::path(
    post,
    path = "/palisade/v1/dashboard",
    summary = "A link that opens the dashboard once, signed in as the caller; for everybody",
    responses((status = 200, description = "The link", body = Shown))
)]
pub(super) async fn link(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, NAME, request, SMALL_BODY_SIZE_MAX, |app, request| {
        let key = request.caller().access_key_id.as_deref();
        let signed_in = app.settings.auth != Auth::Open;
        let Some(key) = key.filter(|_| signed_in) else {
            return Ok(Shown { path: "/".to_owned(), expires: None });
        };
        let link = session::link(app, key)?;
        let path = format!("{LINK_PATH}?link={}", link.token);
        Ok(Shown { path, expires: Some(moment(link.until_ms)) })
    })
    .await
}
