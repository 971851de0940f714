//! Members of a query that its endpoint does not know are refused: whoever misspells one would otherwise be
//! answered something else than was asked for. What an endpoint knows is what its description says.

use std::sync::{Arc, LazyLock};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use palisade_core::policy::nearest;

use super::answer::{Refused, finish};
use super::openapi::{Endpoint, query_members};
use crate::app::App;
use crate::printable::escaped;

/// Characters of a name that an answer repeats.
const NAME_SHOWN_MAX: usize = 64;

/// The members of each endpoint's query.
static KNOWN: LazyLock<Vec<Endpoint>> = LazyLock::new(query_members);

/// Lets a request pass whose query its endpoint knows.
pub(super) async fn known_alone(
    State((app, name)): State<(Arc<App>, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    match check(&request) {
        Ok(()) => next.run(request).await,
        Err(refused) => finish::<()>(&app, name, Err(refused)),
    }
}

fn check(request: &Request) -> Result<(), Refused> {
    let method = match request.method() {
        &Method::HEAD => &Method::GET,
        method => method,
    };
    let path = request.uri().path();
    // What is not described is no endpoint of this method, and refused as such.
    let Some(endpoint) = KNOWN.iter().find(|endpoint| endpoint.is_at(method, path)) else {
        return Ok(());
    };
    let known = &endpoint.members;
    let query = request.uri().query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    match names.find(|name| !name.is_empty() && !known.iter().any(|other| other == name)) {
        None => Ok(()),
        Some(name) => Err(unknown(&name, known)),
    }
}

fn unknown(name: &str, known: &'static [String]) -> Refused {
    let names = || known.iter().map(String::as_str);
    let what_to_do = match nearest(name, names()) {
        Some(meant) => format!("`{meant}` is"),
        None if known.is_empty() => "it takes none".to_owned(),
        None => format!("it takes `{}`", names().collect::<Vec<_>>().join("`, `")),
    };
    let shown: String = name.chars().take(NAME_SHOWN_MAX).collect();
    Refused::invalid(format!(
        "`{}` is not a member of this endpoint's query; {what_to_do}",
        escaped(&shown)
    ))
}
