//! How a page is answered: found out who looks, made, and sent as HTML, CSV or JSON with the headers that
//! every page has.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Query as Parsed, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::{Refused, moment};
use palisade_api::visit::{Turned, visit};
use palisade_core::ident::Region;
use serde::Serialize;
use serde_json::json;

use crate::place::{Place, Query, Theme, encoded, theme};
use crate::reader::Reader;
use crate::sheet::Sheet;

/// Bytes of a query.
pub const QUERY_SIZE_MAX: usize = 4 * 1024;

/// What a page shows. Its template writes it for people, its members are its JSON.
pub trait View: Template + Serialize + Send + 'static {
    /// The same as rows; none where there are none.
    fn sheet(&self) -> Option<Sheet>;
}

/// Answers one page: `build` makes its view, on a thread that may block.
pub async fn page<V: View>(
    app: Arc<App>,
    request: Request,
    build: impl FnOnce(&Reader<'_>) -> Result<V, Refused> + Send + 'static,
) -> Response {
    let (parts, _) = request.into_parts();
    let query = match query(&parts) {
        Ok(query) => query,
        Err(refused) => return refusal(&parts, None, &refused),
    };
    let (path, host) = (parts.uri.path().to_owned(), host(&parts));
    let chosen = theme(&query);
    let home = Region::home_of_global();
    let made = visit(&app, &parts, home, move |app, visitor| {
        let reader = Reader::of(app, visitor, &path, &query, &host)?;
        let view = build(&reader)?;
        written(&reader, &view)
    });
    match made.await {
        Ok(made) => made.response(),
        Err(Turned::Refused(refused)) => refusal(&parts, chosen, &refused),
        Err(Turned::Stranger) => sign_in_first(&parts),
        Err(Turned::FromElsewhere) => again(chosen),
    }
}

/// A view as it is sent.
pub struct Written {
    content_type: &'static str,
    /// Under which name a browser keeps it; `None` shows it.
    file: Option<String>,
    bytes: Vec<u8>,
}

impl Written {
    /// As an answer.
    pub fn response(self) -> Response {
        let mut response = sent(StatusCode::OK, self.content_type, self.bytes);
        let name = self.file.map(|name| format!("attachment; filename=\"{name}\""));
        if let Some(name) = name.and_then(|name| HeaderValue::try_from(name).ok()) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        response
    }
}

/// A view in the form that was asked for.
///
/// # Errors
/// An unknown form; what cannot be written.
pub fn written<V: View>(reader: &Reader<'_>, view: &V) -> Result<Written, Refused> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "a page cannot be written");
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "the page cannot be written",
        )
    };
    let name = |extension: &str| {
        let words: Vec<&str> = reader.path.split('/').filter(|word| !word.is_empty()).collect();
        let words = if words.is_empty() { "overview".to_owned() } else { words.join("-") };
        let safe = words.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
        Some(format!("palisade-{}.{extension}", safe.take(120).collect::<String>()))
    };
    match reader.asked("as") {
        None => {
            let bytes = view.render().map_err(|error| failed(&error))?.into_bytes();
            Ok(Written { content_type: "text/html; charset=utf-8", file: None, bytes })
        }
        Some("json") => {
            let shown = serde_json::to_value(view).map_err(|error| failed(&error))?;
            let mut told = json!({
                "page": reader.path, "region": reader.place.region.as_str(),
                "readAt": moment(reader.now_ms), "shown": shown,
            });
            if let (Some(at_ms), Some(members)) = (reader.at_ms, told.as_object_mut()) {
                members.insert("at".to_owned(), moment(at_ms).into());
            }
            let bytes = format!("{told:#}\n").into_bytes();
            Ok(Written { content_type: "application/json", file: name("json"), bytes })
        }
        Some("csv") => {
            let sheet = view
                .sheet()
                .ok_or_else(|| Refused::invalid("this page has no rows; take it as JSON"))?;
            let bytes = sheet.csv().map_err(|error| failed(&error))?;
            Ok(Written { content_type: "text/csv; charset=utf-8", file: name("csv"), bytes })
        }
        Some(other) => {
            Err(Refused::invalid(format!("`as` is `{other}`; give csv or json, or leave it out")))
        }
    }
}

/// The query of a request.
///
/// # Errors
/// It is too long or cannot be read.
pub fn query(parts: &Parts) -> Result<Query, Refused> {
    let length = parts.uri.query().map_or(0, str::len);
    if length > QUERY_SIZE_MAX {
        return Err(Refused::invalid(format!(
            "the query has {length} bytes; at most {QUERY_SIZE_MAX} are read"
        )));
    }
    let read = Parsed::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let read =
        read.map_err(|error| Refused::invalid(format!("the query cannot be read: {error}")))?;
    Ok(read.0.into_iter().collect())
}

/// The name of the server in the browser's address bar, as far as it is one.
pub fn host(parts: &Parts) -> String {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = named.or(parts.uri.authority().map(|authority| authority.as_str()));
    let is_name = |host: &&str| {
        host.len() <= 255
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    named.filter(is_name).unwrap_or("127.0.0.1:7780").to_owned()
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    theme: &'static str,
    status: u16,
    code: &'static str,
    message: String,
}

/// A refusal, in the words that the API has for it.
pub fn refusal(parts: &Parts, theme: Option<Theme>, refused: &Refused) -> Response {
    tracing::info!(page = parts.uri.path(), code = refused.code, "{}", refused.message);
    let page = RefusedPage {
        theme: theme.map(Theme::name).unwrap_or_default(),
        status: refused.status.as_u16(),
        code: refused.code,
        message: palisade_api::printable::escaped(&refused.message).into_owned(),
    };
    html(refused.status, &page)
}

/// A template as an answer.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => sent(status, "text/html; charset=utf-8", text.into_bytes()),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            sent(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Vec::new())
        }
    }
}

#[derive(Template)]
#[template(path = "again.html")]
struct AgainPage {
    theme: &'static str,
}

/// Has the browser ask again, with its cookie this time: it came by a link of another site.
fn again(theme: Option<Theme>) -> Response {
    html(StatusCode::OK, &AgainPage { theme: theme.map(Theme::name).unwrap_or_default() })
}

/// Leads to the form that signs in, and from there to the page that was asked for.
pub fn sign_in_first(parts: &Parts) -> Response {
    let wanted = parts.uri.path_and_query().map(|wanted| wanted.as_str()).unwrap_or("/");
    redirect(&format!("/sign-in?next={}", encoded(wanted)))
}

/// Leads on to a page of this server.
pub fn redirect(to: &str) -> Response {
    let mut response = sent(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Vec::new());
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// An answer with the headers that all of the dashboard's have.
pub fn sent(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    secure(headers);
    response
}

/// Nothing from elsewhere, in nobody's frame, kept by no cache.
fn secure(headers: &mut HeaderMap) {
    const ALL: [(&str, &str); 8] = [
        (
            "content-security-policy",
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // Not `no-referrer`: under it browsers send forms with the origin `null`.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in ALL {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(header::VARY, HeaderValue::from_static("cookie"));
}

/// What one of the endpoints answered, as far as a page shows it.
///
/// # Errors
/// InternalError where the answer is of another shape.
pub fn read<T: serde::de::DeserializeOwned>(told: serde_json::Value) -> Result<T, Refused> {
    serde_json::from_value(told).map_err(|error| {
        tracing::error!(%error, "an answer of another shape");
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "the page cannot read what its endpoint answers",
        )
    })
}

/// The address of a page, for whoever has no reader.
pub fn place(query: &Query) -> Place {
    let region = query.get("region").and_then(|text| Region::named(text).ok());
    let region = region.unwrap_or_else(Region::home_of_global);
    Place { region, at_ms: None, theme: theme(query) }
}
