//! A connection's bytes, with the patience that hyper does not have: for the first bytes, for a
//! client that does not take its answer, and for one that still sends what was refused.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::edge::frames::{self, Frames};
use crate::edge::limits::Patience;
use crate::edge::refusal;

/// How an HTTP/2 connection begins.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a refused body that are thrown away before the connection is broken off.
const LINGER_SIZE_MAX: usize = 16 * 1024 * 1024;

/// A stream that gives up on a silent client.
pub struct Patient<S> {
    inner: S,
    patience: Patience,
    opening: Option<Opening>,
    stall: Option<Pin<Box<Sleep>>>,
    refusal: Option<Refusal>,
    /// What goes out, once it is known to be HTTP/2.
    frames: Option<Frames>,
    /// Set when a body was not read to its end: the client may still be sending it.
    unread: Arc<AtomicBool>,
    linger: Option<Linger>,
}

/// While the protocol cannot be told yet, hyper waits for ever; this does not.
struct Opening {
    matched: usize,
    timer: Pin<Box<Sleep>>,
}

/// What is written instead of a bare refusal of hyper's.
struct Refusal {
    bytes: Vec<u8>,
    at: usize,
    /// Bytes of the bare one.
    instead_of: usize,
}

/// What is left of the wait for a client that is still sending. Closing at once would reset the
/// connection, and the client might never see why.
struct Linger {
    left: usize,
    timer: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    /// Watches over `inner`.
    pub fn new(inner: S, patience: Patience, unread: Arc<AtomicBool>) -> Self {
        let opening = Opening { matched: 0, timer: Box::pin(sleep(patience.handshake)) };
        let (stall, refusal, frames, linger) = (None, None, None, None);
        Patient { inner, patience, opening: Some(opening), stall, refusal, frames, unread, linger }
    }

    /// Waits no longer for the opening once `read` tells which protocol it is.
    fn opened_by(&mut self, read: &[u8]) {
        let Some(opening) = &mut self.opening else { return };
        let due = PREFACE.get(opening.matched..).unwrap_or_default();
        let same = read.iter().zip(due).take_while(|(read, due)| read == due).count();
        opening.matched += same;
        if opening.matched == PREFACE.len() {
            self.frames = Some(Frames::default());
        }
        if same < read.len() || opening.matched == PREFACE.len() {
            self.opening = None;
        }
    }

    /// The refusal to write in place of what `bytes` begin with, if that is a bare one of hyper's.
    fn refusal_for(&self, bytes: &[u8]) -> Option<Refusal> {
        let (dressed, instead_of) = match &self.frames {
            None => (refusal::dressed(bytes)?, bytes.len()),
            Some(frames) if frames.plain(bytes) > 0 => return None,
            Some(_) => {
                let instead_of = frames::bare(bytes)?;
                (refusal::dressed_frame(bytes.get(..instead_of)?)?, instead_of)
            }
        };
        Some(Refusal { bytes: dressed, at: 0, instead_of })
    }

    /// Keeps the time in which the client must take something.
    fn stalled<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stall = None;
            return poll;
        }
        let patience = self.patience.answer;
        let timer = self.stall.get_or_insert_with(|| Box::pin(sleep(patience)));
        timer.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if read.is_ready() {
            this.opened_by(buffer.filled().get(before..).unwrap_or_default());
            return read;
        }
        match &mut this.opening {
            None => Poll::Pending,
            Some(opening) => {
                let timer = opening.timer.as_mut();
                timer.poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refusal.is_none() {
            this.refusal = this.refusal_for(bytes);
        }
        while let Some(refusal) = &mut this.refusal {
            if this.frames.is_none() {
                // The rest of what could not be read may still be on its way.
                this.unread.store(true, Ordering::Relaxed);
            }
            let rest = refusal.bytes.get(refusal.at..).unwrap_or_default();
            if rest.is_empty() {
                let instead_of = refusal.instead_of;
                this.refusal = None;
                return Poll::Ready(Ok(instead_of));
            }
            let wrote = Pin::new(&mut this.inner).poll_write(context, rest);
            let wrote = ready!(this.stalled(context, wrote))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some(refusal) = &mut this.refusal {
                refusal.at += wrote;
            }
        }
        let plain = this.frames.as_ref().map_or(bytes.len(), |frames| frames.plain(bytes));
        let plain = bytes.get(..plain).unwrap_or(bytes);
        let wrote = Pin::new(&mut this.inner).poll_write(context, plain);
        let wrote = ready!(this.stalled(context, wrote))?;
        if let Some(frames) = &mut this.frames {
            frames.passed(plain.get(..wrote).unwrap_or_default());
        }
        Poll::Ready(Ok(wrote))
    }

    /// Head and body of an answer go out together, without being copied into one first.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = parts.iter().filter(|part| !part.is_empty());
        let first = filled.next().map_or(&[][..], |part| part);
        // A bare refusal is one part, and over HTTP/2 every frame is looked at.
        let is_plain = filled.next().is_some() && self.refusal.is_none() && self.frames.is_none();
        if !is_plain {
            return self.poll_write(context, first);
        }
        let this = self.get_mut();
        let wrote = Pin::new(&mut this.inner).poll_write_vectored(context, parts);
        this.stalled(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        this.stalled(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            let shut = Pin::new(&mut this.inner).poll_shutdown(context);
            ready!(this.stalled(context, shut))?;
            if !this.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let until = Instant::now() + this.patience.linger;
        let linger = this.linger.get_or_insert_with(|| Linger {
            left: LINGER_SIZE_MAX,
            timer: Box::pin(tokio::time::sleep_until(until)),
        });
        let mut thrown_away = [0; 8 * 1024];
        while linger.left > 0 && linger.timer.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut this.inner).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    linger.left = linger.left.saturating_sub(buffer.filled().len());
                }
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
