//! What an answer says: the call's result, or AWS's refusal.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::{Failure, Reason, codes};
use crate::items::check_items;
use crate::service::Protocol;
use crate::xml;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Raw {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The greatest message of AWS that is kept, in characters.
pub const MESSAGE_LENGTH_MAX: usize = 2000;

/// Reads an answer.
pub(crate) fn read(call: &Call, raw: &Raw) -> Result<Value, Failure> {
    if raw.status.is_success() {
        result(call, raw).and_then(|answer| check_items(call, &answer).map(|()| answer)).map_err(
            |message| {
                let mut failure = Failure::malformed(shortened(&message));
                failure.status = Some(raw.status.as_u16());
                failure.request_id = request_id(&raw.headers);
                failure
            },
        )
    } else {
        Err(refusal(call, raw))
    }
}

fn result(call: &Call, raw: &Raw) -> Result<Value, String> {
    if call.service.protocol().answers_xml() && !call.shape.is_empty() {
        let root = xml::parse(&raw.body)?;
        return xml::answer(call.service, call.action, call.shape, &root);
    }
    if call.service.protocol().answers_xml() {
        return Ok(heads(&raw.headers));
    }
    if raw.body.is_empty()
        && call.items.path().is_none()
        && matches!(call.service.protocol(), Protocol::Json { .. })
    {
        // SQS answers some calls with nothing at all.
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(&raw.body) {
        Ok(whole @ Value::Object(_)) => Ok(whole),
        Ok(_) => Err("JSON that is no object".to_owned()),
        Err(error) => Err(format!("no JSON: {error}")),
    }
}

/// The answer of a call that has no body to read: its headers, by their lower-case names.
pub(crate) fn heads(headers: &HeaderMap) -> Value {
    let shown = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), Value::String(value.to_owned())))
    });
    Value::Object(shown.collect())
}

/// AWS's refusal.
pub(crate) fn refusal(call: &Call, raw: &Raw) -> Failure {
    let (code, message, id) = match call.service.protocol() {
        Protocol::Json { .. } | Protocol::RestJson => of_json(raw),
        Protocol::Query { .. } | Protocol::Ec2 { .. } | Protocol::RestXml => of_xml(raw),
    };
    let status = raw.status.as_u16();
    let code =
        code.filter(|code| !code.is_empty()).unwrap_or_else(|| no_code(raw.status).to_owned());
    let mut message = message.unwrap_or_else(|| format!("status {status} without a message"));
    if let Some(region) =
        raw.headers.get("x-amz-bucket-region").and_then(|value| value.to_str().ok())
        && matches!(status, 301 | 307 | 400)
    {
        message = format!("{message} (the bucket is in Region `{region}`)");
    }
    let reason = Reason::of(&code, status);
    let passing =
        raw.status.is_server_error() || matches!(reason, Reason::Throttled | Reason::Timeout);
    Failure {
        reason,
        code: shortened(&code),
        message: shortened(&message),
        status: Some(status),
        request_id: id.map(Into::into).or_else(|| request_id(&raw.headers)),
        passing,
        server_ms: date(&raw.headers),
    }
}

/// The code of a refusal that has none, as of S3's answers to `HEAD`.
fn no_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::BAD_REQUEST => "BadRequest",
        StatusCode::NOT_MODIFIED => "NotModified",
        StatusCode::MOVED_PERMANENTLY => "PermanentRedirect",
        StatusCode::TEMPORARY_REDIRECT => "TemporaryRedirect",
        _ => codes::NO_CODE,
    }
}

type Told = (Option<String>, Option<String>, Option<String>);

fn of_json(raw: &Raw) -> Told {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let text =
        |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned));
    let head = raw.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let code = head.map(str::to_owned).or_else(|| text(&["__type", "code", "Code"]));
    // `com.amazonaws.shield#AccessDeniedException:http://…`
    let code = code.map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    });
    (code, text(&["message", "Message", "errorMessage"]), None)
}

fn of_xml(raw: &Raw) -> Told {
    let Ok(root) = xml::parse(&raw.body) else { return (None, None, None) };
    let error = match &*root.name {
        "Error" => Some(&root),
        _ => root
            .child("Errors")
            .and_then(|errors| errors.child("Error"))
            .or_else(|| root.child("Error")),
    };
    let of = |name: &str| error.and_then(|error| error.text_of(name)).map(str::to_owned);
    let id = ["RequestID", "RequestId"]
        .into_iter()
        .find_map(|name| root.text_of(name))
        .map(str::to_owned);
    (of("Code"), of("Message"), id)
}

fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
        .map(Into::into)
}

/// The moment that an answer's head tells, in epoch milliseconds.
pub(crate) fn date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(http::header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp().as_millisecond())
}

fn shortened(text: &str) -> Box<str> {
    match text.char_indices().nth(MESSAGE_LENGTH_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or(text).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests;
