//! Palisade's own endpoints: what AWS does not have. JSON in and out, described by
//! `/palisade/v1/openapi.json`; the operator's, except where an account may read what its role in
//! Firewall Manager lets it.

mod accounts;
mod answer;
mod audit;
mod changes;
mod dashboard;
mod evaluate;
mod explain;
pub mod explanation;
mod health;
mod history;
pub mod in_process;
mod inventory;
mod keys;
mod known;
mod members;
mod moments;
mod openapi;
mod organization;
mod policies;
mod policy_violators;
mod preview;
pub mod readers;
mod reset;
mod schema;
mod sources;
mod survey;
mod violators;
mod waivers;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{get, patch, post};

use crate::app::App;

pub use answer::{PREFIX, Refused, SMALL_BODY_SIZE_MAX, moment};
pub(crate) use answer::{Stop, unhurried};
pub use audit::AUDIT_PAGE_MAX;
pub use changes::{ACCOUNTS_COMPARED_MAX, CHANGES_PAGE_MAX};
pub use history::HISTORY_PAGE_MAX;
pub use inventory::{SPOOLED_IN_MEMORY_MAX, SPOOLED_PREFIX, TakenIn, UNPROVEN_DELIVERY_SIZE_MAX};
pub use organization::ORGANIZATION_SIZE_MAX;
pub use sources::{NotTaken, Renewed, note_unread, renew_organization, take_in};
pub use violators::VIOLATORS_PAGE_MAX;
pub use waivers::{
    COVERED_MAX, WAIVER_ACCOUNTS_MAX, WAIVERS_MAX, WAIVERS_PAGE_MAX, WAIVERS_SIZE_MAX,
};

/// Characters of a path that an answer repeats.
const PATH_SHOWN_MAX: usize = 256;

/// Every endpoint.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/palisade/v1/organization", get(organization::show).put(organization::put))
        .route("/palisade/v1/inventory", post(inventory::post))
        .route("/palisade/v1/work", get(evaluate::work))
        .route("/palisade/v1/evaluate", post(evaluate::post))
        .route("/palisade/v1/explain", get(explain::show))
        .route("/palisade/v1/preview", post(preview::post))
        .route("/palisade/v1/reset", post(reset::post))
        .route("/palisade/v1/policies", get(policies::list))
        .route("/palisade/v1/policies/{policy}/accounts", get(accounts::list))
        .route("/palisade/v1/policies/{policy}/compliance", get(accounts::compliance))
        .route("/palisade/v1/policies/{policy}/violators", get(policy_violators::list))
        .route("/palisade/v1/policies/{policy}/accounts/{account}/violators", get(violators::list))
        .route("/palisade/v1/policies/{policy}/history", get(history::list))
        .route("/palisade/v1/changes", get(changes::list))
        .route("/palisade/v1/waivers", get(waivers::list).post(waivers::create).put(waivers::put))
        .route("/palisade/v1/waivers/{waiver}", patch(waivers::renew).delete(waivers::end))
        .route("/palisade/v1/keys", get(keys::list).post(keys::create))
        .route("/palisade/v1/keys/{key}", patch(keys::change).delete(keys::delete))
        .route("/palisade/v1/keys/{key}/rotate", post(keys::rotate))
        .route("/palisade/v1/audit", get(audit::list))
        .route("/palisade/v1/sources", get(sources::list))
        .route("/palisade/v1/dashboard", post(dashboard::link))
        .route("/palisade/v1/openapi.json", get(openapi::openapi))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route_layer(from_fn(members::known_alone))
        .method_not_allowed_fallback(unknown_method)
}

/// Whether machines ask `path` again and again, so that only a log for debugging shows it.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
}

/// The answer for a path below [`PREFIX`] that is none of the endpoints.
pub fn unknown_path(path: &str) -> Response {
    let path = shown(path);
    Refused::not_found(format!("`{path}` is not an endpoint; see /palisade/v1/openapi.json"))
        .response()
}

/// A path as an answer repeats it: who does not take its answers holds no long ones.
fn shown(path: &str) -> &str {
    path.char_indices().nth(PATH_SHOWN_MAX).map_or(path, |(end, _)| path.get(..end).unwrap_or(path))
}

async fn unknown_method(request: Request) -> Response {
    let text = format!(
        "`{}` is not a method of `{}`; see /palisade/v1/openapi.json",
        request.method(),
        shown(request.uri().path())
    );
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text).response()
}
