//! A body read as it comes: of objects too large to hold.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::call::Call;
use crate::error::{CallError, Failure, Reason, codes};
use crate::target::{Target, error};
use crate::transport::{broken, broken_after, length};

/// A body being read. It is whole when [`Download::next`] answered `None`, and not before.
#[derive(Debug)]
pub struct Download {
    target: Target,
    call: &'static Call,
    headers: Value,
    body: Incoming,
    /// Bytes that came.
    come: u64,
    /// Bytes that the head promised.
    promised: Option<u64>,
    /// How long the next bytes may take.
    within: Duration,
    state: State,
    /// It counts as an exchange under way until it is dropped.
    _seat: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum State {
    Reading,
    Ended,
    Failed(Box<CallError>),
}

impl Download {
    pub(crate) fn new(
        target: Target,
        call: &'static Call,
        answer: http::Response<Incoming>,
        within: Duration,
        seat: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Self {
            target,
            call,
            headers: crate::answer::heads(&head.headers),
            body,
            come: 0,
            promised: length(&head.headers),
            within,
            state: State::Reading,
            _seat: seat,
        }
    }

    /// The headers by their lower-case names.
    pub fn headers(&self) -> &Value {
        &self.headers
    }

    /// The next bytes; none once all came.
    ///
    /// # Errors
    /// When the body broke off or stalled; what came before is no object then. Each further call fails in the same way.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        match &self.state {
            State::Reading => {}
            State::Ended => return Ok(None),
            State::Failed(error) => return Err((**error).clone()),
        }
        match self.read().await {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => {
                self.state = State::Ended;
                Ok(None)
            }
            Err(failure) => {
                let error = error(&self.target, self.call, failure, 1);
                self.state = State::Failed(Box::new(error.clone()));
                Err(error)
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = match tokio::time::timeout(self.within, self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(broken(&error)),
                Ok(None) => break,
                Err(_) => {
                    let message = format!("nothing more came within {:?}", self.within);
                    return Err(Failure::own(Reason::Timeout, codes::ANSWER_TIMEOUT, message));
                }
            };
            // Trailers are none of the body.
            if let Ok(bytes) = frame.into_data() {
                self.come =
                    self.come.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                return Ok(Some(bytes));
            }
        }
        match self.promised {
            Some(promised) if promised != self.come => Err(broken_after(self.come, promised)),
            _ => Ok(None),
        }
    }
}
