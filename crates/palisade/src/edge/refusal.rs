//! Answers to what is no request: hyper writes these itself, bare, before anything of ours is asked.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use palisade_api::mint;
use palisade_wire::{ErrorKind, Fault, HEADERS_SIZE_MAX, Protocol, encode_fault};

use crate::edge::frames;
use crate::edge::limits::{HEAD_READ_MAX, HEADERS_MAX};
use crate::system::SystemEntropy;

/// A longer write is no bare refusal: those have a status line and two or three short headers.
const BARE_SIZE_MAX: usize = 256;

/// What to write instead of `written`, if that is one of hyper's bare refusals: the same refusal
/// with a request id, and with a body that says what is wrong. It is logged under the id.
///
/// Every answer of the router has a request id, so none of them is taken for one.
pub fn dressed(written: &[u8]) -> Option<Vec<u8>> {
    let fault = bare(written)?;
    let id = logged(&fault);
    let response = encode_fault(Protocol::Json, &fault);
    let mut head = format!("HTTP/1.1 {} Refused\r\nx-amzn-requestid: {id}\r\n", response.status);
    for (name, value) in &response.headers {
        // Writing to a string cannot fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", response.body.len());
    Some([head.as_bytes(), &response.body].concat())
}

/// The same for a bare refusal over HTTP/2, which is always of headers above the limit. There is no
/// body: the stream is over with its head.
pub fn dressed_frame(frame: &[u8]) -> Option<Vec<u8>> {
    let fault = headers_too_large();
    let id = logged(&fault);
    let headers = [("x-amzn-requestid", id.as_str()), ("x-amzn-errortype", fault.kind.name())];
    frames::with_headers(frame, &headers)
}

/// The answer to what is no probe on a seat of the reserve.
pub fn no_seat() -> Response<Body> {
    let fault = Fault::new(
        ErrorKind::ServiceUnavailable,
        "all connections that are taken are being answered; send this again after a pause",
    );
    let id = logged(&fault);
    let encoded = encode_fault(Protocol::Json, &fault);
    let mut response = Response::new(Body::from(encoded.body));
    *response.status_mut() =
        StatusCode::from_u16(encoded.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = response.headers_mut();
    for (name, value) in encoded.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-amzn-requestid", id);
    }
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Logs a refusal; the id under which.
fn logged(fault: &Fault) -> String {
    let id = mint::uuid(&SystemEntropy).unwrap_or_else(|_| "no-random-bytes".to_owned());
    tracing::info!(id, %fault, "refused before routing");
    id
}

fn headers_too_large() -> Fault {
    Fault::new(
        ErrorKind::RequestHeadersTooLarge,
        format!(
            "there are more than {HEADERS_MAX} headers, or they have more than {HEAD_READ_MAX} \
             bytes; at most {HEADERS_SIZE_MAX} bytes are taken"
        ),
    )
}

/// The refusal that hyper means.
fn bare(written: &[u8]) -> Option<Fault> {
    if written.len() > BARE_SIZE_MAX {
        return None;
    }
    let text = std::str::from_utf8(written).ok()?;
    let status =
        text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?.get(..3)?;
    let whole = text.ends_with("\r\n\r\n") && text.contains("\r\ncontent-length: 0\r\n");
    if !whole || text.contains("\r\nx-amzn-requestid: ") {
        return None;
    }
    match status {
        "400" => Some(Fault::new(ErrorKind::Serialization, "what was sent is not an HTTP request")),
        "431" => Some(headers_too_large()),
        "414" => Some(Fault::new(
            ErrorKind::RequestHeadersTooLarge,
            format!("the address is too long; at most {HEADERS_SIZE_MAX} bytes are taken"),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_refusals_get_an_id_and_a_reason_and_nothing_else_does() {
        let cases = [
            ("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n", Some("400")),
            ("HTTP/1.0 431 Too\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", Some("431")),
            ("HTTP/1.1 414 URI Too Long\r\ncontent-length: 0\r\n\r\n", Some("431")),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", None),
            ("HTTP/1.1 400 Bad\r\nx-amzn-requestid: 1\r\ncontent-length: 0\r\n\r\n", None),
            ("HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("{\"__type\":\"x\"}", None),
            ("", None),
        ];
        for (written, status) in cases {
            let dressed = dressed(written.as_bytes());
            let text = dressed.map(|bytes| String::from_utf8(bytes).unwrap());
            let found = text.as_ref().map(|text| text[9..12].to_owned());
            assert_eq!(found.as_deref(), status, "{written:?}");
            assert!(text.is_none_or(|text| text.contains("\r\nx-amzn-requestid: ")), "{written:?}");
        }
    }
}
