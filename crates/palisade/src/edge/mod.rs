//! The server's edge: takes connections, in the clear or in TLS, each within limits of number, time
//! and size, and lets the calls under way end when the server stops.

mod body;
mod certificate;
mod frames;
mod limits;
mod refusal;
mod seats;
mod stream;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use palisade_api::{App, Peer, own};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::edge::body::Watched;
use crate::edge::seats::{Seat, Seats};
use crate::edge::stream::Patient;
use crate::edge::tls::Tls;
use crate::stop::until;

pub use limits::{HEAD_READ_MAX, HEADERS_MAX, Patience};

/// Connections at the same time, unless the settings say otherwise; the oldest that does nothing gives
/// way to one more. Below the 1,024 open files that many systems allow a process.
pub const CONNECTIONS_MAX: usize = 512;
/// Calls at the same time on one HTTP/2 connection.
pub const STREAMS_MAX: u32 = 64;
/// Bytes that a client may send of one HTTP/2 call before it waits for them to be read: the
/// protocol's own default.
pub const STREAM_WINDOW_MAX: u32 = 65_535;
/// The same of all calls of one HTTP/2 connection: what a connection holds of the server's memory
/// before anything was read.
pub const CONNECTION_WINDOW_MAX: u32 = 256 * 1024;
/// How long the listener rests when the system has no descriptors or memory for a connection, unless
/// one ends before.
const EXHAUSTED_REST: Duration = Duration::from_secs(1);

/// What the edge allows.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Connections at the same time.
    pub connections_max: usize,
    /// How long each kind of silence is borne.
    pub patience: Patience,
    /// Whether connections come from a proxy, so that their addresses do not tell peers apart.
    pub behind_proxy: bool,
    /// Certificate and key; without, connections are in the clear.
    pub tls: Option<tls::Files>,
}

impl Default for Edge {
    fn default() -> Self {
        Edge {
            connections_max: CONNECTIONS_MAX,
            patience: Patience::default(),
            behind_proxy: false,
            tls: None,
        }
    }
}

/// Serves `router` on `listener` until `stopped`, and then until the calls under way have ended.
/// Dropping the future breaks them off.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    app: Arc<App>,
    edge: Edge,
    tls: Option<Arc<Tls>>,
    stopped: watch::Receiver<bool>,
) {
    let seats = Seats::new(edge.connections_max);
    let mut tasks = JoinSet::new();
    let mut door = Door { listener, seats, app: app.clone(), is_shut: false };
    let mut waiting = None;
    loop {
        let (stream, peer, seat) = tokio::select! {
            () = until(stopped.clone()) => break,
            Some(_) = tasks.join_next() => continue,
            taken = door.next(&mut waiting, edge.behind_proxy) => taken,
        };
        if seat.is_reserve() {
            door.strained();
        }
        let guest = Guest { peer, seat: Arc::new(seat), patience: edge.patience };
        let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
        let app = app.clone();
        tasks.spawn(async move {
            let seat = guest.seat.clone();
            tokio::select! {
                () = seat.told_to_leave() => app.metrics.connection_gave_way(),
                () = welcome(stream, tls, router, guest, stopped) => {}
            }
        });
    }
    // New callers are refused by the system from here on.
    drop(door);
    while tasks.join_next().await.is_some() {}
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    seats: Arc<Seats>,
    app: Arc<App>,
    /// Whether the last connection could not be taken.
    is_shut: bool,
}

impl Door {
    /// The next connection, once there is a seat for it. One that still has none is kept in `waiting`
    /// when this is dropped.
    async fn next(
        &mut self,
        waiting: &mut Option<(TcpStream, Peer)>,
        behind_proxy: bool,
    ) -> (TcpStream, Peer, Seat) {
        loop {
            let (stream, peer) = match waiting.take() {
                Some(first) => first,
                None => {
                    let (stream, address) = self.accept().await;
                    let told_apart =
                        if behind_proxy { Peer::ANYBODY } else { Peer::at(address.ip()) };
                    (stream, told_apart)
                }
            };
            if let Some(seat) = self.seats.take(peer) {
                return (stream, peer, seat);
            }
            self.strained();
            *waiting = Some((stream, peer));
            self.seats.freed().await;
        }
    }

    /// All seats that a peer may have are of calls under way. Probes are answered, others are told to come
    /// again.
    fn strained(&self) {
        let why = "as many calls are under way as there are connections for: others are told to come \
                   again";
        if self.app.health.strain("connections", why) {
            tracing::warn!("{why}");
        }
    }

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(taken) => {
                    if std::mem::take(&mut self.is_shut) {
                        tracing::info!("connections are taken again");
                    }
                    return taken;
                }
                Err(error) if gone(&error) => {}
                Err(error) => {
                    self.app.metrics.accept_failed();
                    if !std::mem::replace(&mut self.is_shut, true) {
                        tracing::error!(%error, "no connection can be taken; trying again");
                    }
                    // What it takes is held by connections, unless others hold it.
                    self.seats.make_room();
                    tokio::select! {
                        () = self.seats.freed() => {}
                        () = tokio::time::sleep(EXHAUSTED_REST) => {}
                    }
                }
            }
        }
    }
}

/// One connection, as far as it is known.
struct Guest {
    peer: Peer,
    seat: Arc<Seat>,
    patience: Patience,
}

/// Whether it is the one connection that failed and not the listener.
fn gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Speaks TLS first, if it is to be spoken, and then HTTP.
async fn welcome(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    router: Router,
    guest: Guest,
    stopped: watch::Receiver<bool>,
) {
    // Answers are written whole: waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(stream, router, guest, stopped).await };
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    let shaken = tokio::select! {
        () = until(stopped.clone()) => return,
        shaken = tokio::time::timeout(guest.patience.handshake, handshake) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, router, guest, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Answers requests until either side ends the connection.
async fn converse<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    router: Router,
    guest: Guest,
    stopped: watch::Receiver<bool>,
) {
    let Guest { peer, seat, patience } = guest;
    let unread = Arc::new(AtomicBool::new(false));
    let stream = Patient::new(stream, patience, unread.clone());
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        // What an earlier request left unread was drained, or this one would not have been found.
        unread.store(false, Ordering::Relaxed);
        let sitting = Arc::new(seat.begin());
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(sitting.known.clone());
        let body = |incoming| Body::new(Watched::new(incoming, unread.clone(), sitting.clone()));
        let is_refused = !own::is_probe(request.uri().path()) && seat.is_reserve();
        let answered = (!is_refused).then(|| router.clone().oneshot(request.map(body)));
        async move {
            let answer = match answered {
                Some(answered) => answered.await,
                None => Ok(refusal::no_seat()),
            };
            drop(sitting);
            answer
        }
    });
    let builder = builder(patience);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until(stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_READ_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEAD_READ_MAX).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_MAX)
        .initial_connection_window_size(CONNECTION_WINDOW_MAX)
        .keep_alive_interval(patience.head)
        .keep_alive_timeout(patience.answer);
    builder
}
