//! Signed requests, written as HTTP/1.1 writes them.

use palisade_wire::sigv4::{
    Claim, Credential, PathForm, Payload, RequestParts, Secret, Settings, Signer,
    canonical_request, sign, verify,
};
use palisade_wire::{ErrorKind, Fault};

/// 2026-01-15T12:00:00Z
const NOW_MS: i64 = 1_768_478_400_000;
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A request as a listener hands it over.
#[derive(Clone, Debug)]
struct Heard {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Heard {
    fn of(input: &[u8]) -> Heard {
        let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
        let (head, body) = (&input[..end], input.get(end + 2..).unwrap_or_default());
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.filter_map(|line| line.split_once(':'));
        Heard {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect(),
            body: body.to_vec(),
        }
    }

    fn parts(&self) -> RequestParts<'_> {
        RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            payload: Payload::Bytes(&self.body),
        }
    }

    fn verified(&self, secret: &str) -> Result<(), Fault> {
        let lookup =
            |id: &str| Ok((id == KEY_ID).then(|| Credential::lasting(Secret::new(secret))));
        verify(&self.parts(), lookup, NOW_MS, &Settings::default()).map(|verified| {
            assert_eq!(verified.access_key_id, KEY_ID);
            assert!((NOW_MS - verified.signed_ms).abs() <= 300_000);
        })
    }

    /// What a careful client would send: one host, no stale signature, names that HTTP allows.
    fn signed_anew(mut self) -> Heard {
        const OURS: &[&str] = &[
            "authorization",
            "x-amz-date",
            "date",
            "x-amz-security-token",
            "x-amz-content-sha256",
        ];
        let mut seen: Vec<String> = Vec::new();
        self.headers.retain(|(name, _)| {
            let name = name.to_ascii_lowercase();
            let token =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let once = !["host", "x-amz-target"].contains(&name.as_str()) || !seen.contains(&name);
            seen.push(name.clone());
            !name.is_empty() && name.bytes().all(token) && !OURS.contains(&name.as_str()) && once
        });
        self.headers.truncate(40);
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            self.headers.push(("Host".to_owned(), "localhost:7780".to_owned()));
        }
        let secret = Secret::new(SECRET);
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: None,
            region: "eu-west-1",
            service: "fms",
            now_ms: NOW_MS,
        };
        let added = sign(&signer, &self.parts());
        self.headers.extend(added);
        self
    }
}

/// A signature is believed when it was made over exactly this request, and never otherwise.
pub fn headers(input: &[u8]) -> bool {
    let heard = Heard::of(input);
    if let Err(fault) = Claim::of(&heard.parts()) {
        let unread = [ErrorKind::IncompleteSignature, ErrorKind::MissingAuthenticationToken];
        assert!(unread.contains(&fault.kind), "{fault}");
    }
    let verdict = heard.verified(SECRET);
    match &verdict {
        Ok(()) => refused_when_altered(&heard),
        Err(fault) => assert!(!fault.message.is_empty()),
    }
    let signed = heard.signed_anew();
    let names: usize = signed.headers.iter().map(|(name, _)| name.len()).sum();
    // Beyond this the Authorization header itself is over its limit.
    if names < 4_000 {
        assert_eq!(signed.verified(SECRET), Ok(()), "{signed:?}");
        refused_when_altered(&signed);
    }
    verdict.is_ok()
}

fn refused_when_altered(signed: &Heard) {
    let refuse = |what: &str, heard: &Heard, secret: &str| {
        assert!(heard.verified(secret).is_err(), "believed with another {what}: {heard:?}");
    };
    refuse("secret", signed, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEx");
    let mut body = signed.clone();
    body.body.push(b' ');
    refuse("body", &body, SECRET);
    let path = Heard { path: format!("{}x", signed.path), ..signed.clone() };
    refuse("path", &path, SECRET);
    let query = Heard { query: format!("{}x", signed.query), ..signed.clone() };
    refuse("query", &query, SECRET);
    let method = Heard { method: format!("{}X", signed.method), ..signed.clone() };
    refuse("method", &method, SECRET);
    let mut host = signed.clone();
    for (name, value) in &mut host.headers {
        if name.eq_ignore_ascii_case("host") {
            value.push('x');
        }
    }
    refuse("host", &host, SECRET);
    for (name, value) in [
        ("x-amz-target", "AWSFMS_20180101.DeletePolicy"),
        ("x-amz-security-token", "t"),
        ("x-amz-date", "20260115T120000Z"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("Host", "elsewhere"),
    ] {
        let mut added = signed.clone();
        added.headers.push((name.to_owned(), value.to_owned()));
        refuse(name, &added, SECRET);
    }
    let mut signature = signed.clone();
    for (name, value) in &mut signature.headers {
        if name.eq_ignore_ascii_case("authorization") {
            let at = value.find("Signature=").unwrap() + "Signature=".len();
            let first = value[at..].chars().next().unwrap();
            let digit = if first == '0' { "1" } else { "0" };
            value.replace_range(at..at + first.len_utf8(), digit);
        }
    }
    refuse("signature", &signature, SECRET);
}

/// The canonical path has no dots and no double slashes, the canonical query is its own canonical
/// form, and nothing in either breaks a line.
pub fn canonical_uri(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let (path, query) = text.split_once('?').unwrap_or((&text, ""));
    let (canonical_path, canonical_query) = canonical(path, query);
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    assert!(canonical_path.starts_with('/') && !canonical_path.contains("//"), "{canonical_path}");
    assert!(canonical_path.bytes().all(safe), "{canonical_path}");
    assert!(!canonical_path.split('/').any(|s| matches!(s, "." | "..")), "{canonical_path}");
    assert!(canonical_query.bytes().all(|b| safe(b) || b"=&".contains(&b)), "{canonical_query}");
    assert_eq!(canonical(path, &canonical_query).1, canonical_query);
    // Encoding doubles percent signs and nothing else, so undoing it gives the normalised path.
    assert_eq!(canonical(&decoded(&canonical_path), query).0, canonical_path);
    let mut reversed: Vec<&str> = query.split('&').collect();
    reversed.reverse();
    assert_eq!(canonical(path, &reversed.join("&")).1, canonical_query, "order does not count");
    true
}

fn canonical(path: &str, query: &str) -> (String, String) {
    let headers = [("Host".to_owned(), "h".to_owned())];
    let payload = Payload::Bytes(b"");
    let parts = RequestParts { method: "GET", path, query, headers: &headers, payload };
    let text = canonical_request(&parts, &["host"], PathForm::Normalized, "hash");
    let lines: Vec<&str> = text.split('\n').collect();
    let ["GET", path, query, "host:h", "", "host", "hash"] = lines[..] else {
        panic!("a canonical request of {} lines: {text}", lines.len());
    };
    (path.to_owned(), query.to_owned())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
