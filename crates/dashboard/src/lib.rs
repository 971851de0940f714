//! Palisade's dashboard: pages over the functions that Palisade's own endpoints read by, so that a page
//! never says what an endpoint would not.
//!
//! A page is three files: a template in `templates/`, what it shows in `views/`, and in `pages/` the handler
//! that reads it; and a row of [`routes`]. Pages are made on the server, and need no script but for the
//! heatmap's picture, which its table says in words.

mod acting;
mod answer;
mod assets;
mod chart;
mod commands;
mod coverage;
mod draft;
mod frame;
mod moments;
mod pages;
mod paging;
mod place;
mod reader;
mod sheet;
mod shown;
mod sign_in;
mod state;
mod survey;
mod trend;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use palisade_api::App;
use palisade_api::session::LINK_PATH;

pub use answer::QUERY_SIZE_MAX;
pub use pages::changes::CHANGES_SHOWN_MAX;
pub use reader::ROWS_MAX;
pub use shown::WORDS_SHOWN_MAX;

/// Every page.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(pages::overview::show))
        .route("/policies", get(pages::policies::show))
        .route("/policies/new", get(pages::editor::show_new).post(pages::editor::change_new))
        .route(
            "/policies/{policy}/edit",
            get(pages::editor::show_edit).post(pages::editor::change_edit),
        )
        .route(
            "/policies/{policy}/delete",
            get(pages::deletion::show).post(pages::deletion::delete),
        )
        .route("/policies/{policy}", get(pages::policy::show))
        .route("/policies/{policy}/accounts/{account}", get(pages::standing::show))
        .route("/policies/{policy}/accounts/{account}/resource", get(pages::resource::show))
        .route("/accounts/{account}", get(pages::account::show))
        .route("/heatmap", get(pages::heatmap::show))
        .route("/heatmap/cells", get(pages::heatmap::cells))
        .route("/violations", get(pages::violations::show))
        .route("/policies/{policy}/accounts/{account}/history", get(pages::history::show_standing))
        .route("/history", get(pages::history::show))
        .route("/changes", get(pages::changes::show))
        .route("/waivers", get(pages::waivers::show))
        .route("/waivers/new", get(pages::waivers::show_new).post(pages::waivers::create))
        .route("/waivers/{waiver}", get(pages::waivers::show_one).post(pages::waivers::change))
        .route("/keys", get(pages::keys::show).post(pages::keys::change))
        .route("/sources", get(pages::sources::show))
        .route("/audit", get(pages::audit::show))
        .route(sign_in::PATH, get(sign_in::form).post(sign_in::enter))
        .route(LINK_PATH, get(sign_in::link).post(sign_in::follow))
        .route(sign_in::OUT_PATH, post(sign_in::leave))
        .route("/assets/{name}", get(assets::show))
        .route("/{*path}", get(pages::nothing))
}
