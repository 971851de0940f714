//! Signatures: both official suites, and signed calls with the decision a server must take.

use palisade_wire::route;
use palisade_wire::sigv4::{
    Credential, PathForm, Payload, RequestParts, Secret, Settings, Signer, canonical_request, sign,
    string_to_sign, verify,
};
use serde_json::Value as Json;

use super::suite::{base64, equal, headers, load, run, text};

/// A request in the text form of the suites.
#[derive(Debug)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// The target of the request line may hold spaces, and the version may be missing.
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap();
        let (method, rest) = line.split_once(' ').unwrap();
        let target = rest.split_once(" HTTP/").map_or(rest, |(target, _)| target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if !line.starts_with(' ') => {
                    headers.push((name.to_owned(), value.to_owned()))
                }
                // A value folded over lines.
                _ => headers.last_mut().unwrap().1.push_str(&format!(" {}", line.trim())),
            }
        }
        let own = str::to_owned;
        Self {
            method: own(method),
            path: own(path),
            query: own(query),
            headers,
            body: body.as_bytes().to_vec(),
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

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What stands between `before` and the next comma or ampersand.
fn field<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in `{text}`"));
    rest.split([',', '&']).next().unwrap().trim()
}

/// The last line of a canonical request: the body's hash, which presigned ones of the suite leave to `UNSIGNED-PAYLOAD` or empty.
fn payload_hash(canonical: &str) -> &str {
    canonical.trim_end().rsplit('\n').next().unwrap()
}

fn seconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn conformance_sigv4_signing_suite() {
    run("sigv4/aws-signing-test-suite-v4.json", |case| {
        let context = &case["context"];
        let form =
            if context["normalize"] == true { PathForm::Normalized } else { PathForm::AsGiven };
        header_form(case, context, form)?;
        if case.get("query").is_some() { query_form(&case["query"], context, form) } else { Ok(()) }
    });
}

fn header_form(case: &Json, context: &Json, form: PathForm) -> Result<(), String> {
    let wanted = &case["header"];
    let request = Request::parse(text(wanted, "signed_request"));
    let authorization = request.header("authorization").unwrap();
    let signed: Vec<&str> = field(authorization, "SignedHeaders=").split(';').collect();
    let timestamp = request.header("x-amz-date").unwrap().trim();
    let canonical = canonical_request(
        &request.parts(),
        &signed,
        form,
        payload_hash(text(wanted, "canonical_request")),
    );
    equal("canonical request", canonical.as_str(), text(wanted, "canonical_request").trim_end())?;
    let scope = field(authorization, "Credential=").split_once('/').unwrap().1;
    equal(
        "string to sign",
        string_to_sign(timestamp, scope, &canonical).as_str(),
        text(wanted, "string_to_sign").trim_end(),
    )?;
    if form == PathForm::AsGiven {
        return Ok(());
    }
    let token = context["credentials"]["token"].as_str();
    let omitted = context["omit_session_token"] == true;
    let mut unsigned = Request::parse(text(case, "request"));
    for name in ["content-length", "x-amz-content-sha256"] {
        if let (Some(value), None) = (request.header(name), unsigned.header(name)) {
            unsigned.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let sent_token = if omitted { None } else { token };
    unsigned.headers.retain(|(n, _)| !n.eq_ignore_ascii_case("x-amz-security-token"));
    let ours = signed_by(context, &unsigned, sent_token);
    equal("signature", field(&ours, "Signature="), text(wanted, "signature").trim_end())?;
    let outcome = verified(context, &request, token);
    // A session token outside the signature is refused (the choice of row 24 in the semantics).
    equal("verified", outcome.is_ok(), !omitted).map_err(|e| format!("{e} {outcome:?}"))
}

fn signed_by(context: &Json, request: &Request, token: Option<&str>) -> String {
    let secret = Secret::new(text(&context["credentials"], "secret_access_key"));
    let token = token.map(Secret::new);
    let signer = Signer {
        access_key_id: text(&context["credentials"], "access_key_id"),
        secret: &secret,
        session_token: token.as_ref(),
        region: text(context, "region"),
        service: text(context, "service"),
        now_ms: seconds(text(context, "timestamp")) * 1000,
    };
    sign(&signer, &request.parts()).pop().unwrap().1
}

fn verified(context: &Json, request: &Request, token: Option<&str>) -> Result<(), String> {
    let credentials = &context["credentials"];
    let lookup = |id: &str| {
        let known = id == text(credentials, "access_key_id");
        let secret = Secret::new(text(credentials, "secret_access_key"));
        Ok(known.then(|| Credential {
            session_token: token.map(Secret::new),
            ..Credential::lasting(secret)
        }))
    };
    let settings = Settings { service: text(context, "service").to_owned(), ..Settings::default() };
    let now = seconds(text(context, "timestamp")) * 1000;
    verify(&request.parts(), lookup, now, &settings).map(drop).map_err(|f| f.to_string())
}

/// The presigned form, for its canonical request alone: the signature parameter is not part of what is signed.
fn query_form(wanted: &Json, context: &Json, form: PathForm) -> Result<(), String> {
    let mut request = Request::parse(text(wanted, "signed_request"));
    let omitted = context["omit_session_token"] == true;
    let is_signed = |part: &&str| {
        let unsigned_token = omitted && part.starts_with("X-Amz-Security-Token=");
        !(unsigned_token || part.starts_with("X-Amz-Signature="))
    };
    let query = request.query.split('&').filter(is_signed).collect::<Vec<_>>().join("&");
    let signed = field(&request.query, "X-Amz-SignedHeaders=").replace("%3B", ";");
    request.query = query;
    let signed: Vec<&str> = signed.split(';').collect();
    let canonical = canonical_request(
        &request.parts(),
        &signed,
        form,
        payload_hash(text(wanted, "canonical_request")),
    );
    equal(
        "presigned canonical request",
        canonical.as_str(),
        text(wanted, "canonical_request").trim_end(),
    )
}

#[test]
fn conformance_sigv4_legacy_suite() {
    let context = serde_json::json!({
        "credentials": { "access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
        "region": "us-east-1", "service": "service", "timestamp": "2015-08-30T12:36:00Z",
    });
    run("sigv4/aws4-testsuite-legacy.json", |case| {
        let request = Request::parse(text(case, "req"));
        let authorization = text(case, "authz");
        let signed: Vec<&str> = field(authorization, "SignedHeaders=").split(';').collect();
        let timestamp = "20150830T123600Z";
        // The token of a session is added to the request by the signer.
        let mut whole = Request::parse(text(case, "sreq"));
        let hash = payload_hash(text(case, "creq"));
        let canonical = canonical_request(&whole.parts(), &signed, PathForm::Normalized, hash);
        equal("canonical request", canonical.as_str(), text(case, "creq"))?;
        let scope = field(authorization, "Credential=").split_once('/').unwrap().1;
        equal(
            "string to sign",
            string_to_sign(timestamp, scope, &canonical).as_str(),
            text(case, "sts"),
        )?;
        let token = whole.header("x-amz-security-token").map(|t| t.trim().to_owned());
        let token_signed = signed.contains(&"x-amz-security-token");
        let mut bare = request;
        bare.headers.retain(|(n, _)| {
            !n.eq_ignore_ascii_case("x-amz-date") && !n.eq_ignore_ascii_case("x-amz-security-token")
        });
        let ours = signed_by(&context, &bare, token.as_deref().filter(|_| token_signed));
        equal("signature", field(&ours, "Signature="), field(authorization, "Signature="))?;
        whole.headers.retain(|(n, _)| !n.eq_ignore_ascii_case("authorization"));
        whole.headers.push(("Authorization".to_owned(), authorization.to_owned()));
        let outcome = verified(&context, &whole, token.as_deref());
        equal("verified", outcome.is_ok(), token.is_none() || token_signed)
            .map_err(|e| format!("{e} {outcome:?}"))
    });
}

/// Our choice where services differ: refuse a clock off by more than five minutes and a token that is not signed, ignore a
/// header that we do not act on (rows 23 and 24 of the semantics).
fn choice(class: &str) -> &'static str {
    match class {
        "unsigned-x-amz-cf-id" => "accept",
        _ => "reject",
    }
}

#[test]
fn conformance_sigv4_fms_verify() {
    let Some(file) = load("sigv4/fms-verify.json") else { return };
    let settings = Settings {
        service: text(&file, "service").to_owned(),
        region: Some(text(&file, "region").to_owned()),
        ..Settings::default()
    };
    let lookup = |id: &str| {
        let found =
            file["credentials"].as_array().unwrap().iter().find(|c| c["access_key_id"] == id);
        Ok(found.map(|c| Credential {
            secret: Secret::new(text(c, "secret_access_key")),
            session_token: c["session_token"].as_str().map(Secret::new),
            active: c["state"] != "inactive",
            expires_ms: c["expires"].as_str().map(|t| seconds(t) * 1000),
        }))
    };
    run("sigv4/fms-verify.json", |case| {
        let request = &case["request"];
        let headers = headers(&request["headers"]);
        let body = base64(text(request, "body_base64"));
        let (path, query) =
            text(request, "path").split_once('?').unwrap_or((text(request, "path"), ""));
        let parts = RequestParts {
            method: text(request, "method"),
            path,
            query,
            headers: &headers,
            payload: Payload::Bytes(&body),
        };
        let now_ms = seconds(text(case, "now")) * 1000;
        let outcome = verify(&parts, lookup, now_ms, &settings)
            .and_then(|v| route(parts.method, path, &headers).map(|r| (v, r)));
        let wanted = match text(&case["expect"], "auth") {
            "either" => choice(text(case, "class")),
            wanted => wanted,
        };
        match outcome {
            Ok((verified, (_, operation))) => {
                equal("decision", "accept", wanted)?;
                equal("region", verified.region.as_str(), text(&file, "region"))?;
                equal("operation", operation.name(), text(case, "operation"))
            }
            Err(fault) => {
                equal(&fault.to_string(), "reject", wanted)?;
                let names = case["expect"]["errors"].as_array().unwrap();
                equal(&fault.to_string(), names.iter().any(|n| n == fault.kind.name()), true)
            }
        }
    });
}
