//! What a form does: found out who sent it, done, and answered by another page or by the page that it came
//! from, with what is wrong.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use palisade_api::App;
use palisade_api::own::Refused;
use palisade_api::visit::{Form, Sender, Turned};
use palisade_core::ident::Region;

use crate::answer::{View, Written, host, query, refusal, sign_in_first, written};
use crate::place::theme;
use crate::reader::Reader;

/// What becomes of a form.
pub enum Done<V> {
    /// It is done: what came of it is on another page.
    To(String),
    /// It is done, or was no more than a question: this page says what came of it.
    Shown(V),
    /// It is not done: its page says why.
    Refused(V, StatusCode),
}

/// How large a form may be.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// A few words.
    Small,
    /// A policy.
    Policy,
}

/// Answers one form: `work` does what it asks, on a thread that may block.
pub async fn act<V: View>(
    app: Arc<App>,
    request: Request,
    size: Size,
    work: impl FnOnce(&Reader<'_>, &Sender, &Form) -> Result<Done<V>, Refused> + Send + 'static,
) -> Response {
    let parts = head(&request);
    let query = match query(&parts) {
        Ok(query) => query,
        Err(refused) => return refusal(&parts, None, &refused),
    };
    let (path, host, chosen) = (parts.uri.path().to_owned(), host(&parts), theme(&query));
    let form = match size {
        Size::Small => Form::take(&app, request).await,
        Size::Policy => Form::take_policy(&app, request).await,
    };
    let form = match form {
        Ok(form) => form,
        Err(refused) => return refusal(&parts, chosen, &refused),
    };
    let home = Region::home_of_global();
    let act = move |app: &App, sender: &Sender, form: &Form| {
        let reader = Reader::of(app, sender.visitor(), &path, &query, &host)?;
        Ok(match work(&reader, sender, form)? {
            Done::To(to) => Answered::To(to),
            Done::Shown(view) => Answered::Page(written(&reader, &view)?, StatusCode::OK),
            Done::Refused(view, status) => Answered::Page(written(&reader, &view)?, status),
        })
    };
    let done = match size {
        Size::Small => form.act(&app, home, act).await,
        // It may be previewed.
        Size::Policy => form.act_unhurried(&app, home, act).await,
    };
    match done {
        Ok(Answered::To(to)) => crate::answer::redirect(&to),
        Ok(Answered::Page(page, status)) => {
            let mut response = page.response();
            *response.status_mut() = status;
            response
        }
        Err(Turned::Refused(refused)) => refusal(&parts, chosen, &refused),
        Err(Turned::Stranger | Turned::FromElsewhere) => sign_in_first(&parts),
    }
}

enum Answered {
    To(String),
    Page(Written, StatusCode),
}

/// The head of a request, without what it carries along.
pub fn head(request: &Request) -> Parts {
    let mut bare = Request::new(axum::body::Body::empty());
    *bare.method_mut() = request.method().clone();
    *bare.uri_mut() = request.uri().clone();
    *bare.headers_mut() = request.headers().clone();
    bare.into_parts().0
}
