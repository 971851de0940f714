//! Signing in by access key or by a one-time link, and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use palisade_api::own::Refused;
use palisade_api::session::{Begun, LINK_PATH};
use palisade_api::visit::{Form, forgotten, form_token, kept};
use palisade_api::{App, Auth};

use crate::acting::head;
use crate::answer::{html, query, redirect, refusal};
use crate::place::{Query, Theme, local, theme};

/// Where the form is.
pub const PATH: &str = "/sign-in";
/// What signing out is sent to.
pub const OUT_PATH: &str = "/sign-out";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    theme: &'static str,
    /// Where the form goes.
    action: &'static str,
    token: String,
    next: String,
    /// A one-time link that is to be followed; empty where key and secret are asked for.
    link: String,
    /// Why it did not work the last time.
    refused: String,
}

/// `GET /sign-in`: asks for key and secret.
pub async fn form(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    show(&app, &parts, PATH, "", None)
}

/// `GET /sign-in/link`: asks whether to follow a link, so that what looks at links for others uses none up.
pub async fn link(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let asked = query(&parts).unwrap_or_default();
    let link = asked.get("link").map(String::as_str).unwrap_or_default();
    show(&app, &parts, LINK_PATH, link, None)
}

/// `POST /sign-in`
pub async fn enter(State(app): State<Arc<App>>, request: Request) -> Response {
    let parts = head(&request);
    let form = match Form::take(&app, request).await {
        Ok(form) => form,
        Err(refused) => return refusal(&parts, None, &refused),
    };
    let next = local(form.member("next")).to_owned();
    match form.sign_in(&app).await {
        Ok(begun) => welcome(&app, &begun, &next),
        Err(refused) => show(&app, &parts, PATH, "", Some((&next, refused))),
    }
}

/// `POST /sign-in/link`
pub async fn follow(State(app): State<Arc<App>>, request: Request) -> Response {
    let parts = head(&request);
    let followed = match Form::take(&app, request).await {
        Ok(form) => form.follow(&app).await,
        Err(refused) => return refusal(&parts, None, &refused),
    };
    match followed {
        Ok(begun) => welcome(&app, &begun, "/"),
        // The link is used up: what is left is key and secret.
        Err(refused) => show(&app, &parts, PATH, "", Some(("/", refused))),
    }
}

/// `POST /sign-out`
pub async fn leave(State(app): State<Arc<App>>, request: Request) -> Response {
    let parts = head(&request);
    let left = match Form::take(&app, request).await {
        Ok(form) => form.sign_out(&app).await,
        Err(refused) => Err(refused),
    };
    if let Err(refused) = left {
        return refusal(&parts, None, &refused);
    }
    let mut response = redirect(PATH);
    set_cookies(&mut response, [forgotten(&app)]);
    response
}

fn show(
    app: &App,
    parts: &Parts,
    action: &'static str,
    link: &str,
    again: Option<(&str, Refused)>,
) -> Response {
    if app.settings.auth == Auth::Open {
        return redirect("/");
    }
    let asked: Query = query(parts).unwrap_or_default();
    let (token, cookie) = match form_token(app, parts) {
        Ok(made) => made,
        Err(refused) => return refusal(parts, theme(&asked), &refused),
    };
    let (next, status, refused) = match again {
        Some((next, refused)) => (next.to_owned(), refused.status, refused.message),
        None => {
            let next = asked.get("next").map(String::as_str).unwrap_or("/");
            (local(next).to_owned(), StatusCode::OK, String::new())
        }
    };
    let theme = theme(&asked).map(Theme::name).unwrap_or_default();
    let page = SignInPage { theme, action, token, next, link: link.to_owned(), refused };
    let mut response = html(status, &page);
    set_cookies(&mut response, [cookie]);
    response
}

fn welcome(app: &App, begun: &Begun, next: &str) -> Response {
    let mut response = redirect(next);
    set_cookies(&mut response, kept(app, begun));
    response
}

fn set_cookies(response: &mut Response, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies.into_iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
