//! Sending a call: keys, signature, turn, retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use palisade_wire::sigv4::{PathForm, Payload, RequestParts, Signer, sign_as};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::rustls::RootCertStore;

use crate::answer;
use crate::backoff::{ATTEMPTS_MAX, pause};
use crate::call::Call;
use crate::calls::{ASSUME_ROLE, GET_CALLER_IDENTITY};
use crate::credentials::{Found, Keys, Role, Source};
use crate::download::Download;
use crate::endpoint::Endpoints;
use crate::error::{CallError, Failure, Reason, codes};
use crate::limiter::{Limiter, RATE_SHARE_MILLI, Turn};
use crate::request::{Parameters, Prepared, prepare};
use crate::service::Service;
use crate::surroundings::Surroundings;
use crate::target::{Target, error};
use crate::transport::{Begun, Limits, NoAuthorities, Transport};

/// Exchanges under way at a time, of all accounts together.
pub const IN_FLIGHT_MAX: usize = 1024;

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Endpoints in place of AWS's own.
    pub endpoints: Endpoints,
    /// Time and size limits of one exchange.
    pub limits: Limits,
    /// How often a call is sent before it fails, the first time included; at most [`ATTEMPTS_MAX`].
    pub attempts: u16,
    /// The part of AWS's rates to take, in thousandths.
    pub rate_share_milli: u32,
    /// Exchanges under way at a time; at most [`IN_FLIGHT_MAX`].
    pub in_flight: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            limits: Limits::default(),
            attempts: 5,
            rate_share_milli: RATE_SHARE_MILLI,
            in_flight: 128,
        }
    }
}

/// A client of AWS's APIs. Clones share connections, limits and the clock's correction.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    endpoints: Endpoints,
    limiter: Limiter,
    attempts: u16,
    in_flight: Arc<Semaphore>,
    surroundings: Arc<dyn Surroundings>,
    /// What AWS's clock is ahead of ours, in milliseconds, once it said so.
    skew_ms: AtomicI64,
}

impl Client {
    /// A client that trusts these authorities.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(
        settings: Settings,
        roots: RootCertStore,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, NoAuthorities> {
        Ok(Self(Arc::new(Inner {
            transport: Transport::new(roots, settings.limits)?,
            endpoints: settings.endpoints,
            limiter: Limiter::new(settings.rate_share_milli),
            attempts: settings.attempts.clamp(1, ATTEMPTS_MAX),
            in_flight: Arc::new(Semaphore::new(settings.in_flight.clamp(1, IN_FLIGHT_MAX))),
            surroundings,
            skew_ms: AtomicI64::new(0),
        })))
    }

    /// Makes a call and answers its result as JSON: for JSON services what came, for XML as [`crate::xml`] maps it, for
    /// calls whose answer has no body to read its headers by their lower-case names.
    ///
    /// # Errors
    /// When the call failed, after all retries; see [`CallError`].
    pub async fn call(
        &self,
        target: &Target,
        call: &'static Call,
        parameters: &Parameters,
    ) -> Result<Value, CallError> {
        let (answer, _) = self.send(target, call, parameters, &Whole).await?;
        Ok(answer)
    }

    /// Makes a call and answers its body as it comes: an object in S3, of any size.
    ///
    /// # Errors
    /// As [`Client::call`], until the body begins.
    pub async fn download(
        &self,
        target: &Target,
        call: &'static Call,
        parameters: &Parameters,
    ) -> Result<Download, CallError> {
        let (answer, seat) = self.send(target, call, parameters, &Open).await?;
        let within = self.0.transport.limits().first_byte;
        Ok(Download::new(target.clone(), call, answer, within, seat))
    }

    /// Makes a call and answers its body as it came, of at most so many bytes.
    ///
    /// # Errors
    /// As [`Client::download`], when the body broke off, and when it is longer.
    pub async fn fetch(
        &self,
        target: &Target,
        call: &'static Call,
        parameters: &Parameters,
        size_max: usize,
    ) -> Result<Blob, CallError> {
        let mut download = self.download(target, call, parameters).await?;
        let mut body = Vec::new();
        while let Some(bytes) = download.next().await? {
            if bytes.len() > size_max.saturating_sub(body.len()) {
                let message = format!("a body of more than {size_max} bytes");
                let failure = Failure::own(Reason::Malformed, codes::ANSWER_TOO_LONG, message);
                return Err(error(target, call, failure, 1));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(Blob { headers: download.headers().clone(), body })
    }

    /// The keys that a source has now: those of the environment, or of a role's session.
    ///
    /// # Errors
    /// Where there are none.
    pub async fn keys(&self, target: &Target) -> Result<Keys, CallError> {
        self.keys_for(target, &GET_CALLER_IDENTITY).await
    }

    async fn keys_for(&self, target: &Target, call: &'static Call) -> Result<Keys, CallError> {
        match &*target.credentials.0 {
            Source::Fixed(keys) => Ok(keys.clone()),
            Source::Environment { chain, found } => {
                let ask =
                    async { chain.keys().await.map_err(|failure| error(target, call, failure, 0)) };
                let keys = self.renewed(found, ask).await;
                keys.map_err(|error| CallError {
                    service: call.service.name(),
                    action: call.action,
                    ..error
                })
            }
            Source::Role { role, found } => self.renewed(found, self.session(target, role)).await,
        }
        // What is remembered of another call's failure is told of this one's place.
        .map_err(|error| CallError {
            account: target.account.clone(),
            region: target.region.clone(),
            ..error
        })
    }

    /// What was found and is still good, else what `ask` answers. Only one asks at a time.
    async fn renewed(
        &self,
        found: &tokio::sync::Mutex<Found>,
        ask: impl Future<Output = Result<Keys, CallError>>,
    ) -> Result<Keys, CallError> {
        let mut found = found.lock().await;
        let surroundings = &self.0.surroundings;
        if let Some(good) = found.good(self.now_ms(), surroundings.elapsed()) {
            return good;
        }
        match ask.await {
            Ok(keys) => {
                *found = Found::Keys { keys: keys.clone(), at: surroundings.elapsed() };
                Ok(keys)
            }
            Err(error) => match found.usable(self.now_ms()) {
                Some(keys) => {
                    tracing::warn!(%error, "a session could not be renewed; the one before is used to its end");
                    Ok(keys)
                }
                None => {
                    if error.reason == Reason::Denied {
                        let at = surroundings.elapsed();
                        *found = Found::Refused { error: Box::new(error.clone()), at };
                    }
                    Err(error)
                }
            },
        }
    }

    /// Begins a session as a role. Errors name the account and the Region of the call that wanted it.
    async fn session(&self, target: &Target, role: &Role) -> Result<Keys, CallError> {
        let mut parameters = Parameters::new();
        let mut add = |name: &str, value: Value| parameters.insert(name.to_owned(), value);
        add("RoleArn", (*role.arn).into());
        add("RoleSessionName", (*role.session_name).into());
        add("DurationSeconds", role.session_secs.into());
        if let Some(id) = &role.external_id {
            add("ExternalId", (*id.0).into());
        }
        if let Some(policy) = &role.session_policy {
            add("Policy", (**policy).into());
        }
        // AWS counts the call for the account that makes it; errors are told of the account that was wanted.
        let asked = Target {
            account: role.of.account().into(),
            region: role.sts_region.clone(),
            credentials: role.of.clone(),
        };
        let answer = Box::pin(self.call(&asked, &ASSUME_ROLE, &parameters)).await;
        Keys::of_sts(&answer?).map_err(|failure| error(target, &ASSUME_ROLE, failure, 1))
    }

    async fn send<E: Exchange>(
        &self,
        target: &Target,
        call: &'static Call,
        parameters: &Parameters,
        exchange: &E,
    ) -> Result<(E::Answer, Option<OwnedSemaphorePermit>), CallError> {
        let inner = &*self.0;
        let endpoint = inner.endpoints.of(call.service, &target.region);
        let named = inner.endpoints.is_named(call.service);
        let prepared = prepare(call, parameters, &endpoint, named)
            .map_err(|message| error(target, call, Failure::invalid(message), 0))?;
        // A global service counts in the one Region that it has, wherever it is asked about.
        let turn = Turn::new(&target.account, &endpoint.signing_region, call);
        let (mut attempt, mut renewed, mut corrected) = (0, false, false);
        loop {
            let wait = inner.limiter.take(&turn, inner.surroundings.elapsed());
            if !wait.is_zero() {
                inner.surroundings.sleep(wait).await;
            }
            let keys = self.keys_for(target, call).await?;
            attempt += 1;
            let signed = signed(call, &prepared, &endpoint.signing_region, &keys, self.now_ms());
            let request = signed.map_err(|failure| error(target, call, failure, 0))?;
            // Nobody closes it.
            let seat = inner.in_flight.clone().acquire_owned().await.ok();
            let failure = match exchange.run(&inner.transport, call, request).await {
                Ok(answer) => return Ok((answer, seat)),
                Err(failure) => failure,
            };
            drop(seat);
            if failure.reason == Reason::Throttled {
                inner.limiter.throttled(&turn, inner.surroundings.elapsed());
            }
            if attempt >= inner.attempts {
                return Err(error(target, call, failure, attempt));
            }
            if let Some(skew_ms) = self.skew(&failure)
                && !corrected
            {
                corrected = true;
                inner.skew_ms.store(skew_ms, Ordering::Relaxed);
            } else if failure.reason == Reason::Expired && !renewed {
                renewed = true;
                target.credentials.0.forget(&keys).await;
            } else if failure.passing {
                let wait = pause(attempt, inner.surroundings.random());
                tracing::debug!(
                    call = call.action,
                    account = &*target.account,
                    code = &*failure.code,
                    ?wait,
                    "again"
                );
                inner.surroundings.sleep(wait).await;
            } else {
                return Err(error(target, call, failure, attempt));
            }
        }
    }

    /// What AWS's clock is ahead of ours, where it refused a signature for its time.
    fn skew(&self, failure: &Failure) -> Option<i64> {
        let about_time = match &*failure.code {
            "RequestTimeTooSkewed" | "RequestInTheFuture" | "RequestExpired" => true,
            "InvalidSignatureException" | "SignatureDoesNotMatch" | "AuthFailure" => {
                ["Signature expired", "Signature not yet current"]
                    .iter()
                    .any(|what| failure.message.contains(what))
            }
            _ => false,
        };
        let server_ms = failure.server_ms.filter(|_| about_time)?;
        Some(server_ms.saturating_sub(self.0.surroundings.wall_ms()))
    }

    /// The time of day as AWS sees it, in epoch milliseconds.
    fn now_ms(&self) -> i64 {
        self.0.surroundings.wall_ms().saturating_add(self.0.skew_ms.load(Ordering::Relaxed))
    }

    /// The part of AWS's rate at which a call goes to an account and Region now, in thousandths.
    pub fn pace_milli(&self, target: &Target, call: &'static Call) -> u32 {
        let region = self.0.endpoints.of(call.service, &target.region).signing_region;
        let turn = Turn::new(&target.account, &region, call);
        self.0.limiter.pace_milli(&turn, self.0.surroundings.elapsed())
    }

    /// Waits on the client's clock.
    pub async fn sleep(&self, duration: Duration) {
        self.0.surroundings.sleep(duration).await;
    }
}

/// What is done with a signed request.
trait Exchange: Sync {
    /// What comes of it.
    type Answer: Send;

    /// Sends the request once.
    fn run(
        &self,
        transport: &Transport,
        call: &'static Call,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// The answer is read whole.
struct Whole;

impl Exchange for Whole {
    type Answer = Value;

    async fn run(
        &self,
        transport: &Transport,
        call: &'static Call,
        request: Request<Full<Bytes>>,
    ) -> Result<Value, Failure> {
        let raw = transport.send(request).await?;
        answer::read(call, &raw)
    }
}

/// The answer's body is left to be read.
struct Open;

impl Exchange for Open {
    type Answer = Response<Incoming>;

    async fn run(
        &self,
        transport: &Transport,
        call: &'static Call,
        request: Request<Full<Bytes>>,
    ) -> Result<Self::Answer, Failure> {
        match transport.begin(request).await? {
            Begun::Open(answer) => Ok(answer),
            Begun::Whole(raw) => Err(answer::refusal(call, &raw)),
        }
    }
}

/// A body that is no answer to read, and the headers that came with it.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The headers by their lower-case names.
    pub headers: Value,
    /// The body.
    pub body: Vec<u8>,
}

/// What the requests say they come from.
const USER_AGENT: &str = concat!("palisade/", env!("CARGO_PKG_VERSION"));

/// The signed request.
fn signed(
    call: &Call,
    prepared: &Prepared,
    region: &str,
    keys: &Keys,
    now_ms: i64,
) -> Result<Request<Full<Bytes>>, Failure> {
    let invalid = |error: http::Error| Failure::invalid(error.to_string());
    let hash: [u8; 32] = Sha256::digest(&prepared.body).into();
    let mut headers = prepared.headers.clone();
    headers.push(("host".to_owned(), prepared.authority.clone()));
    if call.service == Service::S3 {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        headers.push(("x-amz-content-sha256".to_owned(), hex));
    }
    let parts = RequestParts {
        method: prepared.method,
        path: &prepared.path,
        query: &prepared.query,
        headers: &headers,
        payload: Payload::Sha256(hash),
    };
    let signer = Signer {
        access_key_id: &keys.access_key_id,
        secret: &keys.secret,
        session_token: keys.session_token.as_ref(),
        region,
        service: call.service.signing(),
        now_ms,
    };
    let form =
        if call.service == Service::S3 { PathForm::EncodedOnce } else { PathForm::Normalized };
    let added = sign_as(&signer, &parts, form);
    let scheme = if prepared.tls { "https" } else { "http" };
    let question = if prepared.query.is_empty() { "" } else { "?" };
    let url =
        format!("{scheme}://{}{}{question}{}", prepared.authority, prepared.path, prepared.query);
    let mut request =
        Request::builder().method(prepared.method).uri(url).header("user-agent", USER_AGENT);
    for (name, value) in headers.iter().chain(&added) {
        let mut value =
            http::HeaderValue::from_str(value).map_err(|error| invalid(error.into()))?;
        // Of these hyper prints nothing.
        value.set_sensitive(matches!(name.as_str(), "authorization" | "x-amz-security-token"));
        request = request.header(name, value);
    }
    request.body(Full::new(Bytes::from(prepared.body.clone()))).map_err(invalid)
}
