//! AWS Signature Version 4: the check of a signed request, and signing for our own clients.
//!
//! What is signed is what was received: the body hash is always computed here, every header that we act on must be among the
//! signed ones (semantics §10 row 24), and a presigned (query) form is refused.

mod authorization;
mod canonical;
mod sign;
mod verify;

use std::borrow::Cow;

use hmac::digest::Output;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Headers;

pub use canonical::{PathForm, canonical_request};
pub use sign::{Signer, sign, sign_as, string_to_sign};
pub use verify::{Claim, HeadProof, Settings, Verified, verify};

/// The one algorithm.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What ends every credential scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// Default distance allowed between the caller's clock and ours, each way, in seconds (semantics §10 row 23).
pub const CLOCK_WINDOW_SECS: u32 = 300;

/// Greatest distance that a setting may allow, in seconds.
pub const CLOCK_WINDOW_SECS_MAX: u32 = 900;

/// Greatest `Authorization` header, in bytes.
pub const AUTHORIZATION_SIZE_MAX: usize = 8 * 1024;

/// A request as it arrived, before anything decoded it.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path of the request line, percent signs and all, without the query.
    pub path: &'a str,
    /// What follows `?`, without it; empty when there is none.
    pub query: &'a str,
    /// The headers; over HTTP/2 the listener adds `host` from `:authority`.
    pub headers: Headers<'a>,
    /// The body or its hash.
    pub payload: Payload<'a>,
}

/// The body of a request, or the SHA-256 of one that was spooled elsewhere.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The whole body.
    Bytes(&'a [u8]),
    /// Its hash, computed while it was received; never what the caller says it is.
    Sha256([u8; 32]),
}

impl Payload<'_> {
    /// The hash in lower-case hexadecimal.
    pub(crate) fn hex(&self) -> String {
        match self {
            Self::Bytes(bytes) => hex(&Sha256::digest(bytes)),
            Self::Sha256(hash) => hex(hash),
        }
    }
}

/// A secret key or session token. It is not printed, and compared in constant time only.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps this text secret.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Whether `text` is this secret, in time that does not tell how much of it is.
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// What the server knows of an access key.
#[derive(Clone)]
pub struct Credential {
    /// The secret access key.
    pub secret: Secret,
    /// The session token of a temporary key.
    pub session_token: Option<Secret>,
    /// Whether the key may be used; an inactive key is answered like an unknown one.
    pub active: bool,
    /// When a temporary key ends, in epoch milliseconds.
    pub expires_ms: Option<i64>,
}

impl Credential {
    /// A lasting, active key.
    pub fn lasting(secret: Secret) -> Self {
        Self { secret, session_token: None, active: true, expires_ms: None }
    }
}

/// Date, Region and service for which a key was derived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Scope {
    /// `20260115`.
    pub date: String,
    pub region: String,
    pub service: String,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

/// Headers sorted by lower-case name, repeated ones in order of arrival. Built once for a request, so
/// that thousands of signed names cost no more than a search each.
pub(crate) struct Index<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Index<'a> {
    pub fn of(headers: Headers<'a>) -> Self {
        // HTTP/2 and our listener give names in lower case already.
        let lower = |name: &'a str| match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(name.to_ascii_lowercase()),
            false => Cow::Borrowed(name),
        };
        let mut named: Vec<(Cow<'a, str>, &'a str)> =
            headers.iter().map(|(name, value)| (lower(name), value.as_str())).collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self(named)
    }

    /// The values of the header of this lower-case name, as they arrived.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let first = self.0.partition_point(|(known, _)| &**known < name);
        let rest = self.0.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|(known, _)| known == name).count();
        rest.iter().take(count).map(|(_, value)| *value)
    }
}

/// The signature of a string to sign.
pub(crate) fn signature(secret: &Secret, scope: &Scope, string_to_sign: &str) -> Output<Sha256> {
    let first = format!("AWS4{}", secret.expose());
    let date = hmac(first.as_bytes(), &scope.date);
    let region = hmac(&date, &scope.region);
    let service = hmac(&region, &scope.service);
    let key = hmac(&service, TERMINATOR);
    hmac(&key, string_to_sign)
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], text: &str) -> Output<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

/// The lower-case hexadecimal digit of a number below 16.
pub(crate) fn digit(half: u8) -> char {
    char::from_digit(half.into(), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests;
