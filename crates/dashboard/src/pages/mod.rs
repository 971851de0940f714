//! Handlers: each reads what one view shows.

pub mod account;
pub mod audit;
pub mod changes;
pub mod deletion;
pub mod editor;
mod filter;
pub mod heatmap;
pub mod history;
pub mod keys;
pub mod overview;
pub mod policies;
pub mod policy;
pub mod resource;
mod scope;
pub mod sources;
pub mod standing;
pub mod violations;
pub mod waivers;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{self, Refused};

use crate::answer::{place, query, refusal};

/// `GET` of anything that is no page: people are told on a page, programs as before.
pub async fn nothing(State(_app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path();
    let accepts = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accepts.is_some_and(|accept| accept.contains("text/html"));
    if path.starts_with(own::PREFIX) || !is_browser {
        return own::unknown_path(path);
    }
    let theme = place(&query(&parts).unwrap_or_default()).theme;
    let refused =
        Refused::not_found("there is no such page; the overview leads to those there are");
    refusal(&parts, theme, &refused)
}
