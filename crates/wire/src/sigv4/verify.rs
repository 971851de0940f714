//! The check of a signature, refusal by refusal.

use subtle::ConstantTimeEq;

use super::authorization::{fields_of, incomplete, signing_time, unsigned};
use super::canonical::{PathForm, canonical};
use super::sign::{basic_time, string_to_sign};
use super::{
    ALGORITHM, AUTHORIZATION_SIZE_MAX, CLOCK_WINDOW_SECS, CLOCK_WINDOW_SECS_MAX, Credential, Index,
    RequestParts, Scope, TERMINATOR, hex, signature,
};
use crate::route::values;
use crate::{ErrorKind, Fault};

/// What this server takes signatures for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The service in the credential scope: `fms`, for Palisade's own endpoints too.
    pub service: String,
    /// The only Region served; none serves every Region.
    pub region: Option<String>,
    /// Distance allowed between the caller's clock and ours, each way, in seconds; at most [`CLOCK_WINDOW_SECS_MAX`].
    pub clock_window_secs: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { service: "fms".to_owned(), region: None, clock_window_secs: CLOCK_WINDOW_SECS }
    }
}

/// What a valid signature proves.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// The key that signed.
    pub access_key_id: String,
    /// The Region in the credential scope, which is the Region asked.
    pub region: String,
    /// The time of signing, in epoch milliseconds.
    pub signed_ms: i64,
}

/// The header in which the hash of the body is stated.
const CONTENT_HASH: &str = "x-amz-content-sha256";

/// What the head of a request proves before its body is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeadProof {
    /// The signature is right over the hash of the body that the head states: only who has the secret can have sent it.
    Signed,
    /// The hash of the body is not in the head, so that only the whole request proves anything; whoever knows the key's
    /// id can have sent the head.
    Claimed,
}

/// Checks a request's signature at the moment `now_ms` (epoch milliseconds); `lookup` gives the credential of an access key id.
///
/// # Errors
/// MissingAuthenticationTokenException without a signature; IncompleteSignatureException for one that cannot be read;
/// UnrecognizedClientException for a key or session token that is not known or not active; ExpiredTokenException for a session
/// that is over; InvalidSignatureException for everything else; and what `lookup` fails with.
pub fn verify(
    parts: &RequestParts<'_>,
    lookup: impl FnOnce(&str) -> Result<Option<Credential>, Fault>,
    now_ms: i64,
    settings: &Settings,
) -> Result<Verified, Fault> {
    let claim = Claim::of(parts)?;
    let credential = lookup(claim.access_key_id())?;
    claim.verify(parts, credential.as_ref(), now_ms, settings)
}

/// A signature as the request states it, not yet believed. For callers whose key lookup has to wait.
#[derive(Clone, Debug)]
pub struct Claim {
    access_key_id: String,
    scope: Scope,
    terminator: String,
    signed: Vec<String>,
    signature: String,
    /// The time of signing as the string to sign has it, and in epoch milliseconds.
    timestamp: String,
    signed_ms: i64,
}

impl Claim {
    /// Reads the `Authorization` header and the date of a request.
    ///
    /// # Errors
    /// MissingAuthenticationTokenException or IncompleteSignatureException, as [`verify`].
    pub fn of(parts: &RequestParts<'_>) -> Result<Self, Fault> {
        let mut headers = values(parts.headers, "authorization");
        let Some(header) = headers.next() else { return Err(unsigned(parts.query)) };
        if headers.next().is_some() {
            return Err(incomplete("the request has more than one Authorization header"));
        }
        if header.len() > AUTHORIZATION_SIZE_MAX {
            return Err(incomplete(format!(
                "the Authorization header is longer than {AUTHORIZATION_SIZE_MAX} bytes"
            )));
        }
        let (algorithm, fields) = header.split_once(' ').unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(incomplete(format!(
                "Unsupported AWS 'algorithm': '{algorithm}'; use {ALGORITHM} in the Authorization header."
            )));
        }
        let [credential, signed, signature] = fields_of(fields)?;
        let (timestamp, signed_ms) = signing_time(parts)?;
        let slashed: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = slashed[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            scope: Scope {
                date: date.to_owned(),
                region: region.to_owned(),
                service: service.to_owned(),
            },
            terminator: terminator.to_owned(),
            signed: signed.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
            timestamp,
            signed_ms,
        })
    }

    /// The key to look up.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The Region that the request states; believe it only from [`Verified`].
    pub fn region(&self) -> &str {
        &self.scope.region
    }

    /// Checks the claim against the key's credential, none when the key is unknown. `parts` must be those of [`Claim::of`].
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(
        self,
        parts: &RequestParts<'_>,
        credential: Option<&Credential>,
        now_ms: i64,
        settings: &Settings,
    ) -> Result<Verified, Fault> {
        let headers = Index::of(parts.headers);
        let credential = self.check_caller(parts, &headers, credential, now_ms, settings)?;
        let payload_hash = parts.payload.hex();
        if let Some(stated) = values(parts.headers, CONTENT_HASH).next()
            && stated != payload_hash
        {
            return Err(other_hash(stated));
        }
        self.check_signature(parts, &headers, credential, &payload_hash)?;
        check_end(credential, now_ms)?;
        Ok(Verified {
            access_key_id: self.access_key_id,
            region: self.scope.region,
            signed_ms: self.signed_ms,
        })
    }

    /// What the head proves while the body is not there; the payload of `parts` is not looked at. Whatever this
    /// refuses, [`Claim::verify`] would refuse with any body.
    ///
    /// # Errors
    /// As [`verify`], and for a stated hash that no body can have.
    pub fn check_head(
        &self,
        parts: &RequestParts<'_>,
        credential: Option<&Credential>,
        now_ms: i64,
        settings: &Settings,
    ) -> Result<HeadProof, Fault> {
        let headers = Index::of(parts.headers);
        let credential = self.check_caller(parts, &headers, credential, now_ms, settings)?;
        let proof = match values(parts.headers, CONTENT_HASH).next() {
            None => HeadProof::Claimed,
            Some(stated) if is_hash(stated) => {
                self.check_signature(parts, &headers, credential, stated)?;
                HeadProof::Signed
            }
            Some(stated) => return Err(other_hash(stated)),
        };
        check_end(credential, now_ms)?;
        Ok(proof)
    }

    /// All that is checked before the signature itself: the key's credential, if it may be used.
    fn check_caller<'c>(
        &self,
        parts: &RequestParts<'_>,
        headers: &Index<'_>,
        credential: Option<&'c Credential>,
        now_ms: i64,
        settings: &Settings,
    ) -> Result<&'c Credential, Fault> {
        self.check_signed_headers(headers)?;
        self.check_scope(settings)?;
        let credential = credential.filter(|c| c.active).ok_or_else(unrecognized)?;
        check_token(parts, credential)?;
        self.check_clock(now_ms, settings)?;
        Ok(credential)
    }

    /// Every signed header is there once in the list, in order; every header we act on is in the list.
    fn check_signed_headers(&self, headers: &Index<'_>) -> Result<(), Fault> {
        let sorted = self.signed.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let lower = self
            .signed
            .iter()
            .all(|name| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase()));
        if !(sorted && lower) {
            return Err(incomplete("SignedHeaders must be lower-case names, sorted, each once"));
        }
        for name in &self.signed {
            if headers.values(name).next().is_none() {
                return Err(invalid(format!("the signed header '{name}' is not in the request")));
            }
        }
        let is_signed = |name: &str| self.signed.iter().any(|s| s == name);
        if !is_signed("host") {
            return Err(invalid(
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let dated = headers.values("x-amz-date").next().is_some();
        let when = if dated { "x-amz-date" } else { "date" };
        for name in [when, "x-amz-target", "x-amz-security-token", "x-amz-content-sha256"] {
            if headers.values(name).next().is_some() && !is_signed(name) {
                return Err(invalid(format!(
                    "'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        for name in ["host", "x-amz-target", "x-amz-security-token", "x-amz-content-sha256"] {
            if headers.values(name).nth(1).is_some() {
                return Err(invalid(format!("the header '{name}' comes more than once")));
            }
        }
        Ok(())
    }

    fn check_scope(&self, settings: &Settings) -> Result<(), Fault> {
        let Scope { date, region, service } = &self.scope;
        if !self.timestamp.starts_with(date.as_str()) || date.len() != 8 {
            let day: String = self.timestamp.chars().take(8).collect();
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != '{day}', from '{}'.",
                self.timestamp
            )));
        }
        let is_region = region.starts_with(|c: char| c.is_ascii_lowercase())
            && region.len() <= 32
            && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let is_served = settings.region.as_ref().is_none_or(|served| served == region);
        if !(is_region && is_served) {
            let hint = settings.region.as_deref().unwrap_or("us-east-1");
            return Err(invalid(format!(
                "Credential should be scoped to a valid region, such as '{hint}', not '{region}'."
            )));
        }
        if *service != settings.service {
            return Err(invalid(format!(
                "Credential should be scoped to correct service: '{}'.",
                settings.service
            )));
        }
        if self.terminator != TERMINATOR {
            return Err(invalid(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                self.terminator
            )));
        }
        Ok(())
    }

    /// SDKs recognise both sentences and correct their clocks by them.
    fn check_clock(&self, now_ms: i64, settings: &Settings) -> Result<(), Fault> {
        let window = i64::from(settings.clock_window_secs.min(CLOCK_WINDOW_SECS_MAX));
        let (now, signed) = (now_ms.div_euclid(1000), self.signed_ms.div_euclid(1000));
        let (oldest, newest) = (now.saturating_sub(window), now.saturating_add(window));
        let span = || match window % 60 {
            0 => format!("{} min.", window / 60),
            _ => format!("{window} sec."),
        };
        let text = |seconds: i64| basic_time(seconds.saturating_mul(1000));
        if signed < oldest {
            return Err(invalid(format!(
                "Signature expired: {} is now earlier than {} ({} - {})",
                text(signed),
                text(oldest),
                text(now),
                span()
            )));
        }
        if signed > newest {
            return Err(invalid(format!(
                "Signature not yet current: {} is still later than {} ({} + {})",
                text(signed),
                text(newest),
                text(now),
                span()
            )));
        }
        Ok(())
    }

    fn check_signature(
        &self,
        parts: &RequestParts<'_>,
        headers: &Index<'_>,
        credential: &Credential,
        payload_hash: &str,
    ) -> Result<(), Fault> {
        let signed: Vec<&str> = self.signed.iter().map(String::as_str).collect();
        let canonical = canonical(parts, headers, &signed, PathForm::Normalized, payload_hash);
        let to_sign = string_to_sign(&self.timestamp, &self.scope.to_string(), &canonical);
        let expected = hex(&signature(&credential.secret, &self.scope, &to_sign));
        if bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            return Ok(());
        }
        Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
             signing method. Consult the service documentation for details.",
        ))
    }
}

/// Whether a session is not over yet.
fn check_end(credential: &Credential, now_ms: i64) -> Result<(), Fault> {
    if credential.expires_ms.is_none_or(|end| now_ms < end) {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::ExpiredToken,
        "The security token included in the request is expired",
    ))
}

/// Whether a text is a SHA-256 as it is signed.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn other_hash(stated: &str) -> Fault {
    invalid(format!(
        "The provided '{CONTENT_HASH}' header does not match what was computed: '{stated}' is not the hash of the body."
    ))
}

fn check_token(parts: &RequestParts<'_>, credential: &Credential) -> Result<(), Fault> {
    let sent = values(parts.headers, "x-amz-security-token").next();
    let agrees = match (&credential.session_token, sent) {
        (None, None) => true,
        (Some(token), Some(sent)) => token.is(sent),
        _ => false,
    };
    if agrees { Ok(()) } else { Err(unrecognized()) }
}

fn unrecognized() -> Fault {
    Fault::new(
        ErrorKind::UnrecognizedClient,
        "The security token included in the request is invalid.",
    )
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::InvalidSignature, message)
}
