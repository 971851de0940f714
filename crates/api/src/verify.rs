//! The one door to an authentic request: a signature under a key of the store, or, with open
//! authentication, what the request says of itself.

use palisade_core::ident::{AccountId, Region};
use palisade_store::KeyRecord;
use palisade_wire::sigv4::{self, Claim, Credential, HeadProof, Payload, Secret};
use palisade_wire::{ErrorKind, Fault};

use crate::app::{App, Auth};
use crate::caller::Caller;
use crate::fault::internal;
use crate::intake::Arrived;

/// Characters of a key's name that open authentication takes over: the longest that AWS has (IAM
/// `accessKeyIdType`).
const CLAIMED_KEY_LEN_MAX: usize = 128;

/// A request whose caller is known.
///
/// INVARIANT: made by [`verify`] for signed calls, and by [`crate::visit`] for what a page asks in the name
/// of its visitor.
#[derive(Clone, Debug)]
pub struct Authentic<T> {
    caller: Caller,
    request_id: String,
    body: T,
}

impl<T> Authentic<T> {
    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The id that the caller is answered.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What is asked.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// What a page asks in the name of its visitor, whom [`crate::visit`] found out.
    pub(crate) fn of_visitor(caller: Caller, request_id: String, body: T) -> Self {
        Authentic { caller, request_id, body }
    }
}

/// Finds out who sent a request whose body hashes to `payload`. Blocks on the store.
///
/// # Errors
/// As [`sigv4::verify`]; with open authentication only for requests that a browser sends from
/// another site. ThrottlingException for a key that calls more often than [`Settings::rate`] lets
/// it.
///
/// [`Settings::rate`]: crate::Settings::rate
pub(crate) fn verify<T>(
    app: &App,
    arrived: &Arrived,
    payload: Payload<'_>,
    body: T,
) -> Result<Authentic<T>, Fault> {
    let caller = match app.settings.auth {
        Auth::Open => {
            at_this_machine(app, arrived)?;
            open(arrived)?
        }
        Auth::SigV4 { window_ms } => signed(app, arrived, payload, window_ms)?,
    };
    // After the signature, so that nobody uses up somebody else's calls.
    if let Some(rate) = app.settings.rate {
        let key = caller.access_key_id.as_deref().unwrap_or_default();
        app.throttle.take(rate, key, app.clock.now_ms())?;
    }
    Ok(Authentic { caller, request_id: arrived.noted.request_id.clone(), body })
}

/// What is known of a request from its head.
#[derive(Clone, Debug)]
pub(crate) struct Foreseen {
    /// Who sent it, if it is authentic.
    pub caller: Caller,
    /// Whether the head says already that who sent it has the key's secret. With open authentication
    /// there is nothing to prove.
    pub is_proven: bool,
}

impl Foreseen {
    /// Whether the request is the operator's, if it is authentic.
    pub fn is_operator(&self) -> bool {
        self.caller.is_operator()
    }
}

/// What a request's head tells before its body is taken in, so that strangers hold nothing. Blocks
/// on the store.
///
/// # Errors
/// What [`verify`] will refuse in any case.
pub(crate) fn foresee(app: &App, arrived: &Arrived) -> Result<Foreseen, Fault> {
    let foreseen = match app.settings.auth {
        Auth::Open => {
            at_this_machine(app, arrived)?;
            Foreseen { caller: open(arrived)?, is_proven: true }
        }
        Auth::SigV4 { window_ms } => {
            let parts = arrived.with(Payload::Bytes(&[]));
            let claim = Claim::of(&parts)?;
            let key = app.store.key(claim.access_key_id()).map_err(internal)?;
            let credential = key.as_ref().map(|key| credential(app, key)).transpose()?;
            let (settings, at_ms) = (signatures(window_ms), arrived.noted.at_ms);
            let proof = claim.check_head(&parts, credential.as_ref(), at_ms, &settings)?;
            let key = key.ok_or_else(unknown_key)?;
            let caller = Caller::of(key, Region::home_of_global());
            Foreseen { caller, is_proven: proof == HeadProof::Signed }
        }
    };
    if foreseen.is_proven
        && let Some(known) = &arrived.known
    {
        known.set();
    }
    Ok(foreseen)
}

fn signed(
    app: &App,
    arrived: &Arrived,
    payload: Payload<'_>,
    window_ms: i64,
) -> Result<Caller, Fault> {
    let parts = arrived.with(payload);
    let claim = Claim::of(&parts)?;
    // Asked of the store each time: a key that was disabled or deleted is refused at once, whichever
    // process did it.
    let key = app.store.key(claim.access_key_id()).map_err(internal)?;
    let credential = key.as_ref().map(|key| credential(app, key)).transpose()?;
    let (settings, at_ms) = (signatures(window_ms), arrived.noted.at_ms);
    let verified = claim.verify(&parts, credential.as_ref(), at_ms, &settings)?;
    let region = Region::try_from(verified.region.as_str()).map_err(internal)?;
    app.uses.note(&verified.access_key_id, app.clock.now_ms());
    Ok(Caller::of(key.ok_or_else(unknown_key)?, region))
}

/// The refusal that [`sigv4`] has for a key that is not there, which it never lets pass.
fn unknown_key() -> Fault {
    Fault::new(
        ErrorKind::UnrecognizedClient,
        "The security token included in the request is invalid.",
    )
}

/// What signatures are taken for.
fn signatures(window_ms: i64) -> sigv4::Settings {
    sigv4::Settings {
        clock_window_secs: u32::try_from(window_ms / 1_000).unwrap_or(0),
        ..sigv4::Settings::default()
    }
}

fn credential(app: &App, key: &KeyRecord) -> Result<Credential, Fault> {
    let lasting = Credential::lasting(secret(app, key)?);
    Ok(Credential { active: key.enabled, expires_ms: key.expires_ms, ..lasting })
}

/// The secret of a key. One that cannot be opened is the operator's trouble and nobody's way in.
fn secret(app: &App, key: &KeyRecord) -> Result<Secret, Fault> {
    match &app.settings.vault {
        Some(vault) => vault.open(key).map_err(internal),
        None => Err(internal("the secrets of access keys are sealed and no sealing key was given")),
    }
}

/// Refuses a request for another host than this machine, unless the settings say that any will do.
/// A page of another site may have its name point here (DNS rebinding), and over plain HTTP nothing
/// else tells its requests from those of programs.
pub(crate) fn at_this_machine(app: &App, arrived: &Arrived) -> Result<(), Fault> {
    let host = arrived.header("host").unwrap_or("localhost");
    if app.settings.any_host || is_loopback(host) {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::AccessDenied,
        "open authentication answers at localhost, 127.0.0.1 and [::1] alone; ask there, or serve with --i-know-this-is-open",
    ))
}

/// Whether a Host header, with or without a port, names the machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let port_of = |rest: &str| rest.is_empty() || rest.starts_with(':');
    if let Some((name, rest)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        let ip: Result<std::net::Ipv6Addr, _> = name.parse();
        return port_of(rest) && ip.is_ok_and(|ip| ip.is_loopback());
    }
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let ip: Result<std::net::Ipv4Addr, _> = name.parse();
    name == "localhost" || name.ends_with(".localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Content types of bodies that are taken without a signature. None of them is one that a page may
/// send to another site without asking it first (Fetch §2.2.2, CORS-safelisted request-header).
const OPEN_CONTENT_TYPES: [&str; 6] = [
    "application/x-amz-json-1.1",
    "application/cbor",
    "application/json",
    "application/octet-stream",
    "application/gzip",
    "application/x-gzip",
];

/// The page of another site that a request says it comes from, if it does.
pub(crate) fn foreign_origin(arrived: &Arrived) -> Option<&str> {
    let host = arrived.header("host").unwrap_or_default();
    let is_own = |origin: &str| {
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        !authority.is_empty() && authority.eq_ignore_ascii_case(host)
    };
    let mut headers = arrived.headers.iter();
    let foreign = headers
        .find(|(name, origin)| name.eq_ignore_ascii_case("origin") && !is_own(origin.trim()));
    foreign.map(|(_, origin)| origin.trim())
}

/// Refuses what a page of another site may have sent through somebody's browser, old ones included:
/// they name the page's origin with everything that changes something, and send bodies of three
/// content types alone.
fn from_no_other_page(arrived: &Arrived) -> Result<(), Fault> {
    if let Some(foreign) = foreign_origin(arrived) {
        return Err(Fault::new(
            ErrorKind::AccessDenied,
            format!(
                "a page of `{foreign}` sent this; open authentication takes no requests of other sites' pages"
            ),
        ));
    }
    // What has no content type at all has no body, or is of a program: a page's would name its origin.
    let Some(content_type) = arrived.header("content-type") else { return Ok(()) };
    let bare = content_type.split(';').next().unwrap_or_default().trim();
    if OPEN_CONTENT_TYPES.iter().any(|taken| taken.eq_ignore_ascii_case(bare)) {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::AccessDenied,
        format!(
            "a body of content type `{bare}` may come from any web page; with open authentication say `content-type: application/json`, or application/octet-stream for a delivery"
        ),
    ))
}

/// Which key a request says it has, and who that is: `Credential=KEY/DATE/REGION/…` read leniently.
fn open(arrived: &Arrived) -> Result<Caller, Fault> {
    // Anything on this machine may call an open server, but not a page of another site through
    // somebody's browser.
    if arrived.header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return Err(Fault::new(
            ErrorKind::AccessDenied,
            "a browser sent this from another site; open authentication takes no such requests",
        ));
    }
    from_no_other_page(arrived)?;
    let authorization = arrived.header("authorization").unwrap_or_default();
    let credential = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
    let credential = credential.split([',', ' ']).next().unwrap_or_default();
    let mut parts = credential.split('/');
    let key = parts.next().unwrap_or_default();
    let region = parts.nth(1).and_then(|region| Region::try_from(region).ok());
    let is_account = key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit());
    // Nothing vouches for what it is, so there is no more of it than a key has.
    let named: String = key.chars().take(CLAIMED_KEY_LEN_MAX).collect();
    let account = if is_account { AccountId::try_from(key).ok() } else { None };
    let region = region.unwrap_or_else(Region::home_of_global);
    Ok(Caller::unsigned(account, region, (!named.is_empty()).then_some(named)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Peer;

    fn caller(authorization: &str) -> (Option<String>, String) {
        let arrived = Arrived {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: vec![("Authorization".into(), authorization.into())],
            noted: Default::default(),
            peer: Peer::ANYBODY,
            known: None,
        };
        let caller = open(&arrived).unwrap();
        (caller.account.map(String::from), caller.region.to_string())
    }

    #[test]
    fn a_host_is_this_machine_or_another() {
        for host in
            ["localhost", "LOCALHOST:7780", "127.0.0.1:1", "127.9.9.9", "[::1]:7780", "a.localhost"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:1",
            "10.0.0.1",
            "[::2]",
            "[::1]evil",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn open_authentication_believes_what_it_can_read() {
        let v4 = |key: &str, region: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/fms/aws4_request, SignedHeaders=host, Signature=0"
            )
        };
        let account = Some("111122223333".to_owned());
        for (authorization, expected) in [
            (v4("111122223333", "eu-west-1"), (account.clone(), "eu-west-1")),
            (v4("AKIAEXAMPLE", "eu-west-1"), (None, "eu-west-1")),
            (v4("11112222333", "eu-west-1"), (None, "eu-west-1")),
            (v4("111122223333", "NO SUCH"), (account.clone(), "us-east-1")),
            ("Credential=111122223333".to_owned(), (account, "us-east-1")),
            ("Basic abc".to_owned(), (None, "us-east-1")),
            (String::new(), (None, "us-east-1")),
        ] {
            let (who, region) = expected;
            assert_eq!(caller(&authorization), (who, region.to_owned()), "{authorization}");
        }
    }
}
