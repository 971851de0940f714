//! Corners that the published vectors leave out.

use super::*;

const SCOPE: &str = "20260115/eu-west-1/fms/aws4_request";
const TIME: &str = "20260115T120000Z";

/// These headers with an Authorization that is right for them.
fn authorized(text: &str, signed: &str, timestamp: &str) -> Vec<(String, String)> {
    let mut headers = pairs(text);
    let names: Vec<&str> = signed.split(';').collect();
    let hash = Payload::Bytes(BODY).hex();
    let canonical = canonical_request(&parts(&headers, ""), &names, PathForm::Normalized, &hash);
    let day: String = timestamp.chars().take(8).collect();
    let scope = Scope { date: day, region: "eu-west-1".into(), service: "fms".into() };
    let to_sign = string_to_sign(timestamp, &scope.to_string(), &canonical);
    let signature = hex(&signature(&Secret::new("s3cret"), &scope, &to_sign));
    let authorization = format!(
        "{ALGORITHM} Credential=AKID/{scope}, SignedHeaders={signed}, Signature={signature}"
    );
    headers.push(("authorization".into(), authorization));
    headers
}

/// `accepted`, or the kind of fault.
fn verdict(headers: &[(String, String)], now_ms: i64) -> String {
    match check(headers, now_ms) {
        Ok(_) => "accepted".to_owned(),
        Err(fault) => fault.kind.name().trim_end_matches("Exception").to_owned(),
    }
}

#[test]
fn odd_requests_that_botocore_signed_are_believed() {
    let odd_header = "X-Many:  a   b  \nx-many: c,d\nX-MANY: ";
    for (method, path, query, more, body, signature) in [
        (
            "GET",
            "/palisade/v1/a%20b/%2e%2e/c%2Fd",
            "",
            "",
            &b""[..],
            "2a5b438c52928c93dfc20ca47abf7e5d28948f6965dfd486ff26cdb29fc6d56a",
        ),
        (
            "GET",
            "//a/./b/../c//",
            "",
            "",
            b"",
            "ded8379db5bced8ea8be48f47a09d4c7965cfcc6d60503be88b9a1042e03adc3",
        ),
        (
            "GET",
            "/",
            "b=2&a=%2B&a=%20&A=&=x&~=1",
            "",
            b"",
            "ee3f23ef252c05654c91599518f4eb7bc04e6efad5529f61e4adab9c5234e4d8",
        ),
        (
            "POST",
            "/",
            "",
            odd_header,
            b"",
            "91d21730ad667a09d22a6653d2cc36e8bbc5b79c48e81347048b045990d47130",
        ),
        (
            "POST",
            "/",
            "",
            "X-Tab: a\tb",
            b"",
            "df2d4f57bad3df825f127198de9a0dd43e6ec45fa22360111d5c5ab2e3fbd672",
        ),
        (
            "POST",
            "/",
            "",
            "X-Amz-Security-Token: to ken",
            b"\x00\xff",
            "e76399e93a1e542f748922df2b6f57c8d141bbec1d1336a8e70eae70eb1d4131",
        ),
    ] {
        let mut headers = pairs(&format!("host: localhost:7780\nX-Amz-Date: {TIME}"));
        for line in more.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut names: Vec<String> =
            headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names.dedup();
        let signed = names.join(";");
        headers.push((
            "Authorization".into(),
            format!(
                "{ALGORITHM} Credential=AKID/{SCOPE}, SignedHeaders={signed}, Signature={signature}"
            ),
        ));
        let lookup = |_: &str| {
            let session_token = more.contains("Token").then(|| Secret::new("to ken"));
            Ok(Some(Credential { session_token, ..Credential::lasting(Secret::new("s3cret")) }))
        };
        let payload = Payload::Bytes(body);
        let parts = RequestParts { method, path, query, headers: &headers, payload };
        let outcome = verify(&parts, lookup, NOW, &Settings::default());
        assert!(outcome.is_ok(), "{method} {path}?{query} {more}: {outcome:?}");
    }
}

#[test]
fn one_request_has_one_canonical_form_and_two_have_two() {
    let canonical = |path: &str, query: &str, value: &str| {
        let headers = [("x".to_owned(), value.to_owned())];
        let payload = Payload::Bytes(b"");
        let parts = RequestParts { method: "GET", path, query, headers: &headers, payload };
        canonical_request(&parts, &["x"], PathForm::Normalized, "hash")
    };
    for (left, right, same) in [
        (("/", "", ""), ("", "", "  \t "), true),
        (("/", "a=1&b=2", ""), ("/", "b=2&a=1", ""), true),
        (("/", "a", ""), ("/", "a=", ""), true),
        (("/", "&&a=1&", ""), ("/", "a=1", ""), true),
        (("/", "a=%7e%2d", ""), ("/", "a=~-", ""), true),
        (("/", "a=%2f", ""), ("/", "a=/", ""), true),
        (("/", "a=b=c", ""), ("/", "a=b%3Dc", ""), true),
        (("/", "a=1", ""), ("/", "a=1&a=1", ""), false),
        (("/", "a=1&a=2", ""), ("/", "a=1,2", ""), false),
        (("/", "a=+", ""), ("/", "a=%20", ""), false),
        (("/", "a=+", ""), ("/", "a=%2B", ""), true),
        (("/", "a=%2520", ""), ("/", "a=%20", ""), false),
        (("/", "a=%26b=1", ""), ("/", "a=&b=1", ""), false),
        (("/", "=x", ""), ("/", "x", ""), false),
        (("/", "A=1", ""), ("/", "a=1", ""), false),
        (("/a%2Fb", "", ""), ("/a/b", "", ""), false),
        (("/a%2fb", "", ""), ("/a%2Fb", "", ""), false),
        (("/%2e%2e/a", "", ""), ("/a", "", ""), false),
        (("/a/../b", "", ""), ("/b", "", ""), true),
        (("/a", "", ""), ("/a/", "", ""), false),
        (("/a?b", "", ""), ("/a", "b", ""), false),
        (("/a\nb", "", ""), ("/a", "", ""), false),
        (("/", "", "a  b"), ("/", "", " a\tb "), true),
        (("/", "", "a b"), ("/", "", "ab"), false),
        (("/", "", "a\u{a0}b"), ("/", "", "a b"), false),
        (("/", "", "\"a  b\""), ("/", "", "\"a b\""), true),
    ] {
        let (a, b) = (canonical(left.0, left.1, left.2), canonical(right.0, right.1, right.2));
        assert_eq!(a == b, same, "{left:?} {right:?}");
        assert_eq!(a.lines().count(), 7, "{left:?}");
    }
}

#[test]
fn an_authorization_is_read_by_the_letter() {
    let headers = authorized(&format!("host: h\nx-amz-date: {TIME}"), "host;x-amz-date", TIME);
    let right = headers.last().unwrap().1.clone();
    let (_, signature) = right.split_once("Signature=").unwrap();
    let (upper, unpadded) = (signature.to_uppercase(), &signature[1..]);
    for (from, to, expected) in [
        ("", "", "accepted"),
        (", ", ",", "accepted"),
        (", ", " ,\t", "accepted"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256   ", "accepted"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256\t", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 ", "aws4-hmac-sha256 ", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256,", "IncompleteSignature"),
        (", Signature", ",, Signature", "IncompleteSignature"),
        (", Signature", " Signature", "IncompleteSignature"),
        (", Signature", "; Signature", "IncompleteSignature"),
        (", Signature", ", Extra=1, Signature", "IncompleteSignature"),
        (", Signature", ", signature", "IncompleteSignature"),
        (", Signature", ", Signature=0, Signature", "IncompleteSignature"),
        ("Credential=", "Credential=/", "IncompleteSignature"),
        ("Credential=AKID", "Credential=AK/ID", "IncompleteSignature"),
        ("Credential=AKID", "Credential=", "UnrecognizedClient"),
        ("Credential=AKID", "Credential=akid", "UnrecognizedClient"),
        ("aws4_request", "aws4_request/", "IncompleteSignature"),
        ("aws4_request", "AWS4_REQUEST", "InvalidSignature"),
        ("aws4_request", "", "InvalidSignature"),
        ("/fms/", "/FMS/", "InvalidSignature"),
        ("/fms/", "//", "InvalidSignature"),
        ("eu-west-1", "eu-west-2", "InvalidSignature"),
        ("eu-west-1", "EU-WEST-1", "InvalidSignature"),
        ("20260115/", "20260114/", "InvalidSignature"),
        ("20260115/", "2026011/", "InvalidSignature"),
        ("20260115/", "20260115T/", "InvalidSignature"),
        ("20260115/", "/", "InvalidSignature"),
        ("host;x-amz-date", "x-amz-date;host", "IncompleteSignature"),
        ("host;x-amz-date", "host;host;x-amz-date", "IncompleteSignature"),
        ("host;x-amz-date", "Host;x-amz-date", "IncompleteSignature"),
        ("host;x-amz-date", ";host;x-amz-date", "IncompleteSignature"),
        ("host;x-amz-date", "host;x-amz-date;", "IncompleteSignature"),
        ("host;x-amz-date", "host x-amz-date", "InvalidSignature"),
        ("host;x-amz-date", "host;x-amz-date;x-none", "InvalidSignature"),
        ("host;x-amz-date", "host", "InvalidSignature"),
        ("host;x-amz-date", "x-amz-date", "InvalidSignature"),
        ("host;x-amz-date", "authorization;host;x-amz-date", "InvalidSignature"),
        (signature, upper.as_str(), "InvalidSignature"),
        (signature, unpadded, "InvalidSignature"),
        (signature, "", "IncompleteSignature"),
        (signature, "\u{e9}", "InvalidSignature"),
    ] {
        let mut changed = headers.clone();
        changed.last_mut().unwrap().1 =
            right.replacen(from, to, if from.is_empty() { 0 } else { 9 });
        assert_eq!(verdict(&changed, NOW), expected, "`{from}` as `{to}`");
    }
}

#[test]
fn the_moment_of_signing_is_read_from_one_header_by_the_letter() {
    for (headers, signed, expected) in [
        ("x-amz-date: 20260115T120000Z", "host;x-amz-date", "accepted"),
        // The other one does not count then, signed or not.
        ("x-amz-date: 20260115T120000Z\ndate: yesterday", "host;x-amz-date", "accepted"),
        ("x-amz-date: 20260115T120000Z\ndate: 1", "date;host;x-amz-date", "accepted"),
        ("date: 20260115T120000Z", "date;host", "accepted"),
        ("Date: Thu, 15 Jan 2026 12:00:00 GMT", "date;host", "accepted"),
        ("date: Thu, 15 Jan 2026 12:00:00 GMT", "host", "InvalidSignature"),
        ("date: Fri, 15 Jan 2026 12:00:00 GMT", "date;host", "IncompleteSignature"),
        ("date: Thu, 15 Jan 2026 12:00:00 +0000", "date;host", "IncompleteSignature"),
        ("date: Thursday, 15-Jan-26 12:00:00 GMT", "date;host", "IncompleteSignature"),
        ("date: Thu Jan 15 12:00:00 2026", "date;host", "IncompleteSignature"),
        ("date: 2026-01-15T12:00:00Z", "date;host", "IncompleteSignature"),
        ("x-amz-date: Thu, 15 Jan 2026 12:00:00 GMT", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 2026-01-15T12:00:00Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260115T120000", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260115t120000z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260115T120000.0Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260115T12000٠Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: +0260115T120000Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260230T120000Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 20260115T240000Z", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 1768478400", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date:  ", "host;x-amz-date", "IncompleteSignature"),
        ("x-amz-date: 00010101T000000Z", "host;x-amz-date", "InvalidSignature"),
        (
            "x-amz-date: 20260115T120000Z\nX-AMZ-DATE: 20260115T120000Z",
            "host;x-amz-date",
            "IncompleteSignature",
        ),
        ("accept: x", "accept;host", "IncompleteSignature"),
    ] {
        let headers = authorized(&format!("host: h\n{headers}"), signed, TIME);
        assert_eq!(verdict(&headers, NOW), expected, "{headers:?}");
    }
}

#[test]
fn the_window_counts_whole_seconds_on_both_sides() {
    let headers = signed_at(NOW);
    for (now_ms, expected) in [
        (NOW + 300_999, "accepted"),
        (NOW + 301_000, "InvalidSignature"),
        (NOW - 300_000, "accepted"),
        (NOW - 300_001, "InvalidSignature"),
        (i64::MAX, "InvalidSignature"),
        (i64::MIN, "InvalidSignature"),
        (0, "InvalidSignature"),
    ] {
        assert_eq!(verdict(&headers, now_ms), expected, "{now_ms}");
    }
}

#[test]
fn what_a_caller_says_of_the_body_must_be_true() {
    let right = Payload::Bytes(BODY).hex();
    for (stated, expected) in [
        (right.as_str(), "accepted"),
        (&right.to_uppercase(), "InvalidSignature"),
        ("UNSIGNED-PAYLOAD", "InvalidSignature"),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "InvalidSignature"),
        ("", "InvalidSignature"),
        (&Payload::Bytes(b"").hex(), "InvalidSignature"),
        (&format!("{right}, {right}"), "InvalidSignature"),
    ] {
        let text = format!("host: h\nx-amz-content-sha256: {stated}\nx-amz-date: {TIME}");
        let headers = authorized(&text, "host;x-amz-content-sha256;x-amz-date", TIME);
        let headers = match stated {
            // A line without a value is none for `pairs`.
            "" => {
                let text = format!("host: h\nx-amz-date: {TIME}");
                let mut headers = authorized(&text, "host;x-amz-date", TIME);
                headers.push(("x-amz-content-sha256".into(), String::new()));
                headers
            }
            _ => headers,
        };
        assert_eq!(verdict(&headers, NOW), expected, "{stated}");
    }
}

#[test]
fn a_header_we_act_on_comes_once() {
    for (more, signed) in [
        ("host: h", "host;x-amz-date"),
        ("HOST: other", "host;x-amz-date"),
        ("x-amz-target: a\nX-Amz-Target: b", "host;x-amz-date;x-amz-target"),
        (
            "x-amz-security-token: a\nx-amz-security-token: a",
            "host;x-amz-date;x-amz-security-token",
        ),
    ] {
        let headers = authorized(&format!("host: h\nx-amz-date: {TIME}\n{more}"), signed, TIME);
        assert_eq!(verdict(&headers, NOW), "InvalidSignature", "{more}");
    }
    let mut twice = signed_at(NOW);
    twice.push(twice.last().unwrap().clone());
    assert_eq!(verdict(&twice, NOW), "IncompleteSignature");
}

#[test]
fn a_session_token_that_nobody_asked_for_is_refused() {
    for token in ["", "t0ken"] {
        let mut headers = pairs(&format!("host: h\nx-amz-date: {TIME}"));
        headers.push(("x-amz-security-token".into(), token.into()));
        let secret = Secret::new("s3cret");
        headers.retain(|(name, _)| name != "x-amz-date");
        let signer = Signer {
            access_key_id: "AKID",
            secret: &secret,
            session_token: None,
            region: "eu-west-1",
            service: "fms",
            now_ms: NOW,
        };
        headers.extend(sign(&signer, &parts(&headers, "")));
        assert_eq!(verdict(&headers, NOW), "UnrecognizedClient", "`{token}`");
    }
}

#[test]
fn thousands_of_signed_headers_are_no_trouble() {
    // Two header names of two letters for each that an Authorization of 8 KiB can list.
    let name = |n: u32| {
        let letter = |n: u32| char::from_digit(n % 36, 36).unwrap();
        format!("x{}{}", letter(n / 36), letter(n))
    };
    let mut headers = pairs("host: h");
    headers.extend((0..1296).map(|n| (name(n), "v".to_owned())));
    headers.extend((0..1296).map(|n| (name(n).to_uppercase(), "w".to_owned())));
    let secret = Secret::new("s3cret");
    let signer = Signer {
        access_key_id: "AKID",
        secret: &secret,
        session_token: None,
        region: "eu-west-1",
        service: "fms",
        now_ms: NOW,
    };
    headers.extend(sign(&signer, &parts(&headers, "")));
    assert_eq!(verdict(&headers, NOW), "accepted");
    headers[2].1 = "w".into();
    assert_eq!(verdict(&headers, NOW), "InvalidSignature");
}
