//! Palisade's own endpoints and Firewall Manager's operations as pages ask them: by the functions that answer
//! them, under the same rights, and in their words. What a page shows is thereby what the endpoint says.

use axum::body::Bytes;
use axum::http::Uri;
use palisade_core::ident::Region;
pub use palisade_wire::Operation;
use palisade_wire::Protocol;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Refused, answer, changes, history, keys, preview, waivers};
use crate::app::App;
use crate::fault::internal;
use crate::operations::{self, Effect, Frame};
use crate::verify::Authentic;
use crate::visit::{Sender, Visitor};

/// `GET /palisade/v1/changes`
///
/// # Errors
/// As the endpoint.
pub fn changes(app: &App, visitor: &Visitor, query: &str) -> Result<Value, Refused> {
    written(&changes::page(app, visitor.caller(), &asked(query)?)?)
}

/// `GET /palisade/v1/policies/{policy}/history`
///
/// # Errors
/// As the endpoint.
pub fn history(app: &App, visitor: &Visitor, policy: &str, query: &str) -> Result<Value, Refused> {
    written(&history::page(app, visitor.caller(), policy, &asked(query)?)?)
}

/// `GET /palisade/v1/waivers`
///
/// # Errors
/// As the endpoint.
pub fn waivers(app: &App, visitor: &Visitor, query: &str) -> Result<Value, Refused> {
    written(&waivers::page(app, visitor.caller(), &asked(query)?)?)
}

/// `GET /palisade/v1/keys`
///
/// # Errors
/// As the endpoint.
pub fn keys(app: &App, visitor: &Visitor) -> Result<Value, Refused> {
    written(&keys::all(app, &visitor.asks(None, Bytes::new()))?)
}

/// `POST /palisade/v1/preview`, which writes nothing: in the endpoint's seats, and ends when the form does.
///
/// # Errors
/// As the endpoint.
pub fn preview(
    app: &App,
    sender: &Sender,
    region: &Region,
    body: &Value,
) -> Result<Value, Refused> {
    let _seat = answer::seat(app)?;
    let request = sender.visitor().asks(Some(region), bytes(body));
    written(&preview::preview(app, &request, sender.stop())?)
}

/// An operation of Firewall Manager that reads.
///
/// # Errors
/// As the operation; InternalError for one that writes, which takes a form.
pub fn read(
    app: &App,
    visitor: &Visitor,
    region: &Region,
    operation: Operation,
    input: &Value,
) -> Result<Value, Refused> {
    let reads = operations::row(operation).is_some_and(|row| row.effect == Effect::Reads);
    match reads {
        true => called(app, operation, &visitor.asks(Some(region), frame(input))),
        false => Err(internal(format!("{} takes a form", operation.name())).into()),
    }
}

/// An operation of Firewall Manager, by a form.
///
/// # Errors
/// As the operation.
pub fn call(
    app: &App,
    sender: &Sender,
    region: &Region,
    operation: Operation,
    input: &Value,
) -> Result<Value, Refused> {
    called(app, operation, &sender.visitor().asks(Some(region), frame(input)))
}

/// `POST /palisade/v1/waivers`
///
/// # Errors
/// As the endpoint.
pub fn make_waiver(
    app: &App,
    sender: &Sender,
    body: &Value,
    confirmed: bool,
) -> Result<Value, Refused> {
    written(&waivers::made(app, &request(sender, body)?, confirmed)?)
}

/// `PATCH /palisade/v1/waivers/{id}`
///
/// # Errors
/// As the endpoint.
pub fn renew_waiver(app: &App, sender: &Sender, id: &str, body: &Value) -> Result<Value, Refused> {
    written(&waivers::renewed(app, &request(sender, body)?, id)?)
}

/// `DELETE /palisade/v1/waivers/{id}`
///
/// # Errors
/// As the endpoint.
pub fn end_waiver(app: &App, sender: &Sender, id: &str) -> Result<Value, Refused> {
    written(&waivers::ended(app, &request(sender, &Value::Null)?, id)?)
}

/// `POST /palisade/v1/keys`: the answer has the secret, which is told this once.
///
/// # Errors
/// As the endpoint.
pub fn make_key(app: &App, sender: &Sender, body: &Value) -> Result<Value, Refused> {
    written(&keys::made(app, &request(sender, body)?)?)
}

/// `POST /palisade/v1/keys/{id}/rotate`: the answer has the secret, which is told this once.
///
/// # Errors
/// As the endpoint.
pub fn rotate_key(app: &App, sender: &Sender, id: &str) -> Result<Value, Refused> {
    written(&keys::rotated(app, &request(sender, &Value::Null)?, id)?)
}

/// `PATCH /palisade/v1/keys/{id}`
///
/// # Errors
/// As the endpoint.
pub fn change_key(
    app: &App,
    sender: &Sender,
    id: &str,
    body: &Value,
    confirmed: bool,
) -> Result<Value, Refused> {
    written(&keys::changed(app, &request(sender, body)?, id, confirmed)?)
}

/// `DELETE /palisade/v1/keys/{id}`
///
/// # Errors
/// As the endpoint.
pub fn delete_key(app: &App, sender: &Sender, id: &str, confirmed: bool) -> Result<Value, Refused> {
    written(&keys::deleted(app, &request(sender, &Value::Null)?, id, confirmed)?)
}

/// A request for a change.
///
/// # Errors
/// AccessDenied for a reader, as at the endpoint.
fn request(sender: &Sender, body: &Value) -> Result<Authentic<Bytes>, Refused> {
    sender.visitor().caller().must_change()?;
    Ok(sender.visitor().asks(None, bytes(body)))
}

fn bytes(body: &Value) -> Bytes {
    body.to_string().into()
}

fn frame(input: &Value) -> Frame {
    Frame { protocol: Protocol::Json, body: bytes(input) }
}

fn called(app: &App, operation: Operation, request: &Authentic<Frame>) -> Result<Value, Refused> {
    let row = operations::row(operation).ok_or_else(|| internal("an operation without a row"))?;
    let response = operations::answer(app, row, request)?;
    if response.body.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&response.body).map_err(internal)?)
}

/// The query of an endpoint.
fn asked<T: DeserializeOwned>(query: &str) -> Result<T, Refused> {
    let uri: Uri = format!("/?{query}")
        .parse()
        .map_err(|error| Refused::invalid(format!("the query cannot be read: {error}")))?;
    answer::query(&uri)
}

fn written<T: Serialize>(told: &T) -> Result<Value, Refused> {
    Ok(serde_json::to_value(told).map_err(internal)?)
}
