//! Takes in what arrives: the head of a request in the wire's words, and its body within limits.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::request::Parts;
use palisade_wire::sigv4::{Payload, RequestParts};
use palisade_wire::{ErrorKind, Fault, HEADERS_SIZE_MAX};

use crate::budget::{Peer, Share};

/// The head of a request as it arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// What was noted of the request when it arrived.
    pub noted: Noted,
    /// From where it comes.
    pub peer: Peer,
    /// Set once the caller is known.
    pub known: Option<Known>,
}

/// What is noted of a request when it arrives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// What the caller will be answered as the request's id.
    pub request_id: String,
    /// When its head was there, milliseconds since the epoch: a long body does not make its
    /// signature old.
    pub at_ms: i64,
}

/// Tells the connection of a request that who sent it is known, so that it is not one of those that
/// give way to others.
#[derive(Clone, Debug, Default)]
pub struct Known(Arc<AtomicBool>);

impl Known {
    /// Notes that the sender is known.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the sender is known.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

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
            noted: parts.extensions.get::<Noted>().cloned().unwrap_or_default(),
            peer: parts.extensions.get::<Peer>().copied().unwrap_or(Peer::ANYBODY),
            known: parts.extensions.get::<Known>().cloned(),
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

    /// Bytes of the head.
    pub fn size(&self) -> usize {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        headers.saturating_add(self.path.len()).saturating_add(self.query.len())
    }

    /// Refuses a body that is packed in a way that is not unpacked here.
    ///
    /// # Errors
    /// SerializationException.
    pub fn is_unpacked(&self) -> Result<(), Fault> {
        match self.header("content-encoding") {
            // Older SDKs of AWS call plain JSON `amz-1.0`.
            None | Some("" | "identity" | "amz-1.0") => Ok(()),
            Some(other) => Err(Fault::new(
                ErrorKind::Serialization,
                format!("a body in the content encoding `{other}` is not taken; send it as it is"),
            )),
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.trim())
    }
}

/// Bytes of a body that are taken as they lie there with the head, before anything is known of who
/// sent it: what the connection read with the head anyway.
pub(crate) const AT_HAND_MAX: usize = 8 * 1024;

/// Bytes of one piece of a body that does not come at once.
const PIECE_SIZE: usize = 16 * 1024;

/// A body on its way in, of at most so many bytes.
pub(crate) struct Incoming {
    body: Body,
    pieces: Vec<Vec<u8>>,
    size: usize,
    /// Bytes that the pieces take.
    capacity: usize,
    size_max: usize,
    ended: bool,
}

impl Incoming {
    /// The body, nothing of it read.
    ///
    /// # Errors
    /// RequestEntityTooLarge for one that is announced to be larger than `size_max` bytes.
    pub fn of(body: Body, size_max: usize) -> Result<Self, Fault> {
        if body.size_hint().lower() > size_max as u64 {
            return Err(too_large(size_max as u64));
        }
        let (ended, pieces) = (body.is_end_stream(), Vec::new());
        Ok(Incoming { body, pieces, size: 0, capacity: 0, size_max, ended })
    }

    /// Takes what has arrived already, up to [`AT_HAND_MAX`] bytes, without waiting. Whether that
    /// was all.
    ///
    /// # Errors
    /// As [`Incoming::whole`].
    pub async fn is_at_hand(&mut self) -> Result<bool, Fault> {
        while !self.ended && self.size < AT_HAND_MAX {
            let next = poll_fn(|context| {
                let mut next = std::pin::pin!(next_data(&mut self.body));
                Poll::Ready(next.as_mut().poll(context))
            });
            let Poll::Ready(data) = next.await else { break };
            self.take(data?)?;
        }
        Ok(self.ended)
    }

    /// All of it, if it arrives within `deadline` and `share` has room for it.
    ///
    /// # Errors
    /// RequestEntityTooLarge, RequestTimeout, ThrottlingException, or SerializationException for a
    /// body that breaks off.
    pub async fn whole(mut self, deadline: Duration, share: &Share) -> Result<Vec<u8>, Fault> {
        let read = async {
            share.grow(self.capacity)?;
            while !self.ended {
                let data = tokio::select! {
                    biased;
                    fault = share.lost() => return Err(fault),
                    data = next_data(&mut self.body) => data?,
                };
                let before = self.capacity;
                self.take(data)?;
                share.grow(self.capacity.saturating_sub(before))?;
            }
            Ok(())
        };
        match tokio::time::timeout(deadline, read).await {
            Ok(read) => read.map(|()| self.into_held()),
            Err(_) => Err(too_slow(deadline)),
        }
    }

    /// What [`Incoming::is_at_hand`] found to be all.
    pub fn into_held(mut self) -> Vec<u8> {
        match self.pieces.len() {
            0 | 1 => self.pieces.pop().unwrap_or_default(),
            _ => self.pieces.concat(),
        }
    }

    fn take(&mut self, data: Option<Bytes>) -> Result<(), Fault> {
        let Some(data) = data else {
            self.ended = true;
            return Ok(());
        };
        self.size = self.size.saturating_add(data.len());
        if self.size > self.size_max {
            return Err(too_large(self.size_max as u64));
        }
        // Copied: the bytes lie in a buffer of the connection's, which they would hold.
        let mut data = &*data;
        if let Some(last) = self.pieces.last_mut() {
            let fit = data.len().min(last.capacity().saturating_sub(last.len()));
            let (here, rest) = data.split_at(fit);
            last.extend_from_slice(here);
            data = rest;
        }
        if !data.is_empty() {
            // What comes at once is held as it is; what drips, in pieces of one size: a vector that
            // grows leaves holes of every size behind.
            let least = if self.pieces.is_empty() { 0 } else { PIECE_SIZE };
            let mut piece = Vec::with_capacity(data.len().max(least));
            piece.extend_from_slice(data);
            self.capacity = self.capacity.saturating_add(piece.capacity());
            self.pieces.push(piece);
        }
        self.ended = self.body.is_end_stream();
        Ok(())
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
