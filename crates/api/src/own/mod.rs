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
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, patch, post};

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

/// Every endpoint, with the name under which its requests are counted.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let named = |name: &'static str, methods: MethodRouter<Arc<App>>| {
        methods.route_layer(from_fn_with_state((app.clone(), name), members::known_alone))
    };
    let of_policy = "/palisade/v1/policies/{policy}";
    let of_account = "/palisade/v1/policies/{policy}/accounts/{account}";
    Router::new()
        .route(
            "/palisade/v1/organization",
            named(organization::NAME, get(organization::show).put(organization::put)),
        )
        .route("/palisade/v1/inventory", named(inventory::NAME, post(inventory::post)))
        .route("/palisade/v1/work", named(evaluate::WORK, get(evaluate::work)))
        .route("/palisade/v1/evaluate", named(evaluate::NAME, post(evaluate::post)))
        .route("/palisade/v1/explain", named(explain::NAME, get(explain::show)))
        .route("/palisade/v1/preview", named(preview::NAME, post(preview::post)))
        .route("/palisade/v1/reset", named(reset::NAME, post(reset::post)))
        .route("/palisade/v1/policies", named(policies::NAME, get(policies::list)))
        .route(&format!("{of_policy}/accounts"), named(accounts::NAME, get(accounts::list)))
        .route(&format!("{of_policy}/compliance"), named(accounts::NAME, get(accounts::compliance)))
        .route(
            &format!("{of_policy}/violators"),
            named(policy_violators::NAME, get(policy_violators::list)),
        )
        .route(&format!("{of_account}/violators"), named(violators::NAME, get(violators::list)))
        .route(&format!("{of_policy}/history"), named(history::NAME, get(history::list)))
        .route("/palisade/v1/changes", named(changes::NAME, get(changes::list)))
        .route(
            "/palisade/v1/waivers",
            named(waivers::NAME, get(waivers::list).post(waivers::create).put(waivers::put)),
        )
        .route(
            "/palisade/v1/waivers/{waiver}",
            named(waivers::NAME, patch(waivers::renew).delete(waivers::end)),
        )
        .route("/palisade/v1/keys", named(keys::NAME, get(keys::list).post(keys::create)))
        .route(
            "/palisade/v1/keys/{key}",
            named(keys::NAME, patch(keys::change).delete(keys::delete)),
        )
        .route("/palisade/v1/keys/{key}/rotate", named(keys::NAME, post(keys::rotate)))
        .route("/palisade/v1/audit", named(audit::NAME, get(audit::list)))
        .route("/palisade/v1/sources", named(sources::NAME, get(sources::list)))
        .route("/palisade/v1/dashboard", named(dashboard::NAME, post(dashboard::link)))
        .route("/palisade/v1/openapi.json", named(openapi::NAME, get(openapi::openapi)))
        // Probes take any query: whoever balances load may add to it.
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
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
