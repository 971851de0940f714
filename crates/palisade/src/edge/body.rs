//! A request's body that tells the connection when it was not read to its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::edge::seats::Sitting;

/// A body on its way to the router.
pub struct Watched {
    incoming: Incoming,
    ended: bool,
    unread: Arc<AtomicBool>,
    sitting: Arc<Sitting>,
}

impl Watched {
    /// Watches `incoming`; `unread` is set if it is dropped before its end, and `sitting` told when
    /// it is there as a whole.
    pub fn new(incoming: Incoming, unread: Arc<AtomicBool>, sitting: Arc<Sitting>) -> Self {
        if incoming.is_end_stream() {
            sitting.is_whole();
        }
        Watched { incoming, ended: false, unread, sitting }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) {
            self.ended = true;
        }
        if frame.is_ready() && (self.ended || self.incoming.is_end_stream()) {
            self.sitting.is_whole();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended && !self.incoming.is_end_stream() {
            self.unread.store(true, Ordering::Relaxed);
        }
    }
}
