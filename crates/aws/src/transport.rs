//! HTTP to AWS: pooled connections, TLS, a limit for each part of an exchange.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::answer::Raw;
use crate::error::{Failure, Reason, codes};

/// How long each part of an exchange may take, and how much an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until a connection is made, its handshake included.
    pub connect: Duration,
    /// To the head of the answer, on top of the time that a connection may take.
    pub first_byte: Duration,
    /// To the end of the answer, all of it together.
    pub whole: Duration,
    /// The greatest answer, in bytes.
    pub answer_size: usize,
}

/// The greatest answer that is read unless a setting says otherwise, in bytes. A page of 1,000 instances is a tenth.
pub const ANSWER_SIZE_MAX: usize = 64 * 1024 * 1024;

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(20);

/// Unused connections to one host that are kept.
pub const IDLE_PER_HOST_MAX: usize = 32;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            whole: Duration::from_secs(120),
            answer_size: ANSWER_SIZE_MAX,
        }
    }
}

/// A pool of connections.
#[derive(Clone)]
pub struct Transport {
    client: Client<Connector, Full<Bytes>>,
    limits: Limits,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The system has no certificate authority that could be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no certificate authority of this system could be read: {0}")]
pub struct NoAuthorities(String);

/// The certificate authorities of the system, or of the file in `SSL_CERT_FILE`.
///
/// # Errors
/// Where there are none.
pub fn system_authorities() -> Result<RootCertStore, NoAuthorities> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let faults: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(NoAuthorities(faults.join("; ")));
    }
    Ok(roots)
}

impl Transport {
    /// A pool that trusts these authorities.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(roots: RootCertStore, limits: Limits) -> Result<Self, NoAuthorities> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| NoAuthorities(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect));
        let connector =
            Connector { tcp, tls: TlsConnector::from(Arc::new(tls)), within: limits.connect };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, limits })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Raw, Failure> {
        let whole = tokio::time::timeout(self.limits.whole, self.exchange(request));
        match whole.await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_late()),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Raw, Failure> {
        let is_head = request.method() == http::Method::HEAD;
        let answer = self.open(request).await?;
        self.read(answer, is_head).await
    }

    async fn read(&self, answer: Response<Incoming>, is_head: bool) -> Result<Raw, Failure> {
        let (head, body) = answer.into_parts();
        let most = self.limits.answer_size;
        let body = match Limited::new(body, most).collect().await {
            Ok(collected) => collected.to_bytes().to_vec(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(Failure::own(
                    Reason::Malformed,
                    codes::ANSWER_TOO_LONG,
                    format!("an answer of more than {most} bytes"),
                ));
            }
            Err(error) => return Err(broken(&*error)),
        };
        let come = u64::try_from(body.len()).unwrap_or(u64::MAX);
        match length(&head.headers) {
            Some(promised) if promised != come && !is_head => Err(broken_after(come, promised)),
            _ => Ok(Raw { status: head.status, headers: head.headers, body }),
        }
    }

    /// Sends a request; an answer of success is left to be read, any other is read to its end.
    pub(crate) async fn begin(&self, request: Request<Full<Bytes>>) -> Result<Begun, Failure> {
        let answer = self.open(request).await?;
        if answer.status().is_success() {
            return Ok(Begun::Open(answer));
        }
        match tokio::time::timeout(self.limits.whole, self.read(answer, false)).await {
            Ok(raw) => raw.map(Begun::Whole),
            Err(_) => Err(self.too_late()),
        }
    }

    fn too_late(&self) -> Failure {
        let message = format!("the answer did not end within {:?}", self.limits.whole);
        Failure::own(Reason::Timeout, codes::ANSWER_TIMEOUT, message).passing()
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let first = self.limits.connect.saturating_add(self.limits.first_byte);
        match tokio::time::timeout(first, self.client.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unsent(&error)),
            Err(_) => Err(Failure::own(
                Reason::Timeout,
                codes::FIRST_BYTE_TIMEOUT,
                format!("no answer began within {:?}", self.limits.first_byte),
            )
            .passing()),
        }
    }

    /// The limits it keeps.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// An answer that was begun.
#[derive(Debug)]
pub(crate) enum Begun {
    /// Its body is still to come.
    Open(Response<Incoming>),
    /// All of it.
    Whole(Raw),
}

/// The length of the body that a head promises, in bytes.
pub(crate) fn length(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// An answer that ended before all that was promised.
pub(crate) fn broken_after(come: u64, promised: u64) -> Failure {
    let message = format!("the answer broke off: {come} of {promised} bytes came");
    Failure::own(Reason::Other, codes::CONNECTION_FAILED, message).passing()
}

/// An answer that broke off.
pub(crate) fn broken(error: &(dyn std::error::Error + 'static)) -> Failure {
    let message = format!("the answer broke off: {}", causes(error));
    Failure::own(Reason::Other, codes::CONNECTION_FAILED, message).passing()
}

fn unsent(error: &hyper_util::client::legacy::Error) -> Failure {
    let message = causes(error);
    let is_timeout = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut)
    };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if is_timeout(found) {
            return Failure::own(Reason::Timeout, codes::CONNECT_TIMEOUT, message).passing();
        }
        cause = found.source();
    }
    Failure::own(Reason::Other, codes::CONNECTION_FAILED, message).passing()
}

/// An error and all that caused it, in one line.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        text = format!("{text}: {found}");
        cause = found.source();
    }
    text
}

/// Makes connections: TCP, and TLS above it for `https`.
#[derive(Clone)]
struct Connector {
    tcp: HttpConnector,
    tls: TlsConnector,
    within: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.tcp.call(uri.clone());
        let (tls, within) = (self.tls.clone(), self.within);
        Box::pin(async move {
            let connected = async {
                let tcp = connecting.await?.into_inner();
                if uri.scheme_str() != Some("https") {
                    return Ok::<_, BoxError>(Stream::Plain(tcp));
                }
                let host = uri.host().ok_or("a URL without a host")?;
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let stream = tls.connect(ServerName::try_from(host)?, tcp).await?;
                Ok(Stream::Tls(Box::new(stream)))
            };
            match tokio::time::timeout(within, connected).await {
                Ok(stream) => stream.map(TokioIo::new),
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// A connection, with TLS or without.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
