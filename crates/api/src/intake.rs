//! Takes in what arrives: the head of a request in the wire's words, and its body within limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::request::Parts;
use palisade_wire::sigv4::{Payload, RequestParts};
use palisade_wire::{ErrorKind, Fault, HEADERS_SIZE_MAX};

/// The head of a request as it arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// What the caller will be answered as the request's id.
    pub request_id: RequestId,
}

/// The id of a request, made when it arrives.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestId(pub String);

impl Arrived {
    /// Reads a head.
    ///
    /// # Errors
    /// RequestHeaderSectionTooLarge above [`HEADERS_SIZE_MAX`].
    pub fn of(parts: &Parts) -> Result<Self, Fault> {
        let size: usize =
            parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if size > HEADERS_SIZE_MAX {
            return Err(Fault::new(
                ErrorKind::RequestHeadersTooLarge,
                format!("the headers have {size} bytes; at most {HEADERS_SIZE_MAX} are taken"),
            ));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect();
        // HTTP/2 has `:authority` for what HTTP/1 calls `host`.
        if let Some(authority) = parts.uri.authority()
            && !parts.headers.contains_key("host")
        {
            headers.push(("host".to_owned(), authority.to_string()));
        }
        Ok(Arrived {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            request_id: parts.extensions.get::<RequestId>().cloned().unwrap_or_default(),
        })
    }

    /// The head with its payload, as the signature is checked over them.
    pub fn with<'a>(&'a self, payload: Payload<'a>) -> RequestParts<'a> {
        RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            payload,
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    }
}

/// The whole body, if it has at most `size_max` bytes and arrives within `deadline`.
///
/// # Errors
/// RequestEntityTooLarge, RequestTimeout, or SerializationException for a body that breaks off.
pub(crate) async fn whole(
    mut body: Body,
    size_max: usize,
    deadline: Duration,
) -> Result<Bytes, Fault> {
    let hint = body.size_hint().lower();
    if hint > size_max as u64 {
        return Err(too_large(size_max as u64));
    }
    let read = async {
        let mut whole = Vec::new();
        while let Some(data) = next_data(&mut body).await? {
            if whole.len().saturating_add(data.len()) > size_max {
                return Err(too_large(size_max as u64));
            }
            whole.extend_from_slice(&data);
        }
        Ok(Bytes::from(whole))
    };
    match tokio::time::timeout(deadline, read).await {
        Ok(read) => read,
        Err(_) => Err(too_slow(deadline)),
    }
}

/// The refusal of a body above a limit.
pub(crate) fn too_large(size_max: u64) -> Fault {
    Fault::new(
        ErrorKind::RequestEntityTooLarge,
        format!("the body is larger than the {size_max} bytes that are taken"),
    )
}

/// The refusal of a body that does not come.
pub(crate) fn too_slow(deadline: Duration) -> Fault {
    Fault::new(
        ErrorKind::RequestTimeout,
        format!("the body did not arrive within {} seconds", deadline.as_secs()),
    )
}

/// The next bytes of a body; `None` at its end.
///
/// # Errors
/// SerializationException for a body that breaks off.
pub(crate) async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                // Trailers are not data and mean nothing here.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => {
                return Err(Fault::new(
                    ErrorKind::Serialization,
                    format!("the body broke off: {error}"),
                ));
            }
        }
    }
}
