//! Signing, for our own clients and for tests.

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::canonical::{PathForm, canonical_request};
use super::{ALGORITHM, RequestParts, Scope, Secret, hex, signature};

/// Who signs, for where, and when.
#[derive(Clone)]
pub struct Signer<'a> {
    /// The key's public id.
    pub access_key_id: &'a str,
    /// The key's secret.
    pub secret: &'a Secret,
    /// The token of a temporary key; sent and signed as `x-amz-security-token`.
    pub session_token: Option<&'a Secret>,
    /// The Region asked; `us-east-1`.
    pub region: &'a str,
    /// The service asked; `fms`.
    pub service: &'a str,
    /// The time of signing, in epoch milliseconds.
    pub now_ms: i64,
}

/// The headers to add to a request so that it is signed: `x-amz-date`, `x-amz-security-token` when there is a token, and
/// `authorization`. All of the request's headers are signed, so `host` must be among them, and those that proxies change must not.
pub fn sign(signer: &Signer<'_>, parts: &RequestParts<'_>) -> Vec<(String, String)> {
    sign_as(signer, parts, PathForm::Normalized)
}

/// As [`sign`], for a service that takes paths in another form.
pub fn sign_as(
    signer: &Signer<'_>,
    parts: &RequestParts<'_>,
    form: PathForm,
) -> Vec<(String, String)> {
    let timestamp = basic_time(signer.now_ms);
    let mut added = vec![("x-amz-date".to_owned(), timestamp.clone())];
    if let Some(token) = signer.session_token {
        added.push(("x-amz-security-token".to_owned(), token.expose().to_owned()));
    }
    let headers: Vec<(String, String)> = parts.headers.iter().chain(&added).cloned().collect();
    let mut names: Vec<String> =
        headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let whole = RequestParts { headers: &headers, ..*parts };
    let canonical = canonical_request(&whole, &names, form, &parts.payload.hex());
    let scope = Scope {
        date: timestamp.chars().take(8).collect(),
        region: signer.region.to_owned(),
        service: signer.service.to_owned(),
    };
    let to_sign = string_to_sign(&timestamp, &scope.to_string(), &canonical);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={}",
        signer.access_key_id,
        names.join(";"),
        hex(&signature(signer.secret, &scope, &to_sign))
    );
    added.push(("authorization".to_owned(), authorization));
    added
}

/// The string to sign: when (`20260115T120000Z`), under which scope, and the hash of the canonical request.
pub fn string_to_sign(timestamp: &str, scope: &str, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{timestamp}\n{scope}\n{}", hex(&Sha256::digest(canonical_request)))
}

/// `20260115T120000Z`; the ends of the calendar for what lies outside it.
pub(crate) fn basic_time(ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(crate::Timestamp::from_millis(ms).as_millis())
        .unwrap_or_default();
    moment.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}
