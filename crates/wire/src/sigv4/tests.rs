mod corners;

use super::*;
use crate::{ErrorKind, Fault};

const NOW: i64 = 1_768_478_400_000; // 2026-01-15T12:00:00Z
const BODY: &[u8] = b"{}";

fn pairs(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|l| l.trim().split_once(": "))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

fn parts<'a>(headers: &'a [(String, String)], query: &'a str) -> RequestParts<'a> {
    RequestParts { method: "POST", path: "/", query, headers, payload: Payload::Bytes(BODY) }
}

fn signed_at(now_ms: i64) -> Vec<(String, String)> {
    let mut headers = pairs("host: localhost:7780\nx-amz-target: AWSFMS_20180101.ListPolicies");
    let secret = Secret::new("s3cret");
    let signer = Signer {
        access_key_id: "AKID",
        secret: &secret,
        session_token: None,
        region: "eu-west-1",
        service: "fms",
        now_ms,
    };
    headers.extend(sign(&signer, &parts(&headers, "")));
    headers
}

fn check(headers: &[(String, String)], now_ms: i64) -> Result<Verified, Fault> {
    let lookup = |id: &str| Ok((id == "AKID").then(|| Credential::lasting(Secret::new("s3cret"))));
    verify(&parts(headers, ""), lookup, now_ms, &Settings::default())
}

fn kind(headers: &[(String, String)]) -> ErrorKind {
    check(headers, NOW).unwrap_err().kind
}

#[test]
fn what_we_sign_we_accept_with_its_region() {
    let verified = check(&signed_at(NOW), NOW).unwrap();
    assert_eq!((verified.access_key_id.as_str(), verified.region.as_str()), ("AKID", "eu-west-1"));
    assert_eq!(verified.signed_ms, NOW);
}

#[test]
fn the_clock_may_be_five_minutes_off_and_no_more() {
    for (seconds, accepted) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        assert_eq!(check(&signed_at(NOW + seconds * 1000), NOW).is_ok(), accepted, "{seconds}");
    }
}

#[test]
fn the_sentences_of_clock_faults_are_those_sdks_read() {
    assert_eq!(
        check(&signed_at(NOW - 901_000), NOW).unwrap_err().message,
        "Signature expired: 20260115T114459Z is now earlier than 20260115T115500Z (20260115T120000Z - 5 min.)"
    );
    assert_eq!(
        check(&signed_at(NOW + 901_000), NOW).unwrap_err().message,
        "Signature not yet current: 20260115T121501Z is still later than 20260115T120500Z (20260115T120000Z + 5 min.)"
    );
}

#[test]
fn the_window_is_a_setting_up_to_fifteen_minutes() {
    let settings = Settings { clock_window_secs: 100_000, ..Settings::default() };
    for (seconds, accepted) in [(900, true), (901, false)] {
        let headers = signed_at(NOW - seconds * 1000);
        let lookup = |_: &str| Ok(Some(Credential::lasting(Secret::new("s3cret"))));
        assert_eq!(
            verify(&parts(&headers, ""), lookup, NOW, &settings).is_ok(),
            accepted,
            "{seconds}"
        );
    }
}

#[test]
fn a_date_header_of_http_serves_as_the_time() {
    let mut headers = pairs("host: h\ndate: Thu, 15 Jan 2026 12:00:00 GMT");
    let canonical = canonical_request(
        &parts(&headers, ""),
        &["date", "host"],
        PathForm::Normalized,
        &Payload::Bytes(BODY).hex(),
    );
    let scope =
        Scope { date: "20260115".into(), region: "us-east-1".into(), service: "fms".into() };
    let to_sign = string_to_sign("20260115T120000Z", &scope.to_string(), &canonical);
    let signature = hex(&signature(&Secret::new("s3cret"), &scope, &to_sign));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/{scope},SignedHeaders=date;host,Signature={signature}"
    );
    headers.push(("Authorization".into(), authorization));
    assert!(check(&headers, NOW).is_ok());
}

#[test]
fn a_header_we_act_on_must_be_signed() {
    for name in ["x-amz-target", "x-amz-security-token", "x-amz-content-sha256"] {
        let mut headers = signed_at(NOW);
        headers.retain(|(n, _)| n != name);
        headers.push((name.to_owned(), "x".to_owned()));
        let fault = check(&headers, NOW).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::InvalidSignature, "{name}");
    }
    let mut harmless = signed_at(NOW);
    harmless.push(("x-amz-cf-id".to_owned(), "Zm9v".to_owned()));
    assert!(check(&harmless, NOW).is_ok());
}

#[test]
fn an_unsigned_or_presigned_request_is_told_to_sign() {
    let fault = check(&pairs("host: h"), NOW).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::MissingAuthenticationToken);
    let headers = pairs("host: h");
    let presigned = parts(&headers, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc");
    let fault = verify(&presigned, |_| Ok(None), NOW, &Settings::default()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::MissingAuthenticationToken);
    assert!(fault.message.contains("presigned"), "{fault}");
}

#[test]
fn an_unreadable_authorization_is_incomplete() {
    for text in [
        "AWS4-HMAC-SHA256 Credential=AKID/20260115/us-east-1/fms/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=AKID/us-east-1/fms/aws4_request, SignedHeaders=host, Signature=ab",
        "AWS4-HMAC-SHA256 Credential=A/20260115/us-east-1/fms/aws4_request, SignedHeaders=host;host, Signature=ab",
        "AWS4-HMAC-SHA256 Credential=A/20260115/us-east-1/fms/aws4_request, SignedHeaders=Host, Signature=ab",
        "AWS4-ECDSA-P256-SHA256 Credential=x",
        "Bearer abc",
    ] {
        let headers =
            pairs(&format!("host: h\nx-amz-date: 20260115T120000Z\nAuthorization: {text}"));
        assert_eq!(kind(&headers), ErrorKind::IncompleteSignature, "{text}");
    }
}

#[test]
fn an_authorization_may_reach_its_limit_and_not_pass_it() {
    let long = |size: usize| {
        let text = format!("{ALGORITHM} Signature=");
        let filled = format!("{text}{}", "a".repeat(size - text.len()));
        check(&pairs(&format!("host: h\nAuthorization: {filled}")), NOW).unwrap_err().message
    };
    assert!(!long(AUTHORIZATION_SIZE_MAX).contains("longer than"));
    assert!(long(AUTHORIZATION_SIZE_MAX + 1).contains("longer than"));
}

#[test]
fn a_scope_for_elsewhere_is_refused() {
    let secret = Secret::new("s3cret");
    for (region, service) in [("eu-west-1", "s3"), ("", "fms"), ("EU", "fms"), ("us east", "fms")] {
        let mut headers = pairs("host: h");
        let signer = Signer {
            access_key_id: "AKID",
            secret: &secret,
            session_token: None,
            region,
            service,
            now_ms: NOW,
        };
        headers.extend(sign(&signer, &parts(&headers, "")));
        assert_eq!(kind(&headers), ErrorKind::InvalidSignature, "{region} {service}");
    }
}

#[test]
fn a_session_needs_its_token_and_ends() {
    let secret = Secret::new("s3cret");
    let token = Secret::new("t0ken");
    let mut headers = pairs("host: h");
    let signer = Signer {
        access_key_id: "AKID",
        secret: &secret,
        session_token: Some(&token),
        region: "us-east-1",
        service: "fms",
        now_ms: NOW,
    };
    headers.extend(sign(&signer, &parts(&headers, "")));
    for (known, expires_ms, expected) in [
        (Some("t0ken"), Some(NOW + 1), None),
        (Some("t0ken"), Some(NOW), Some(ErrorKind::ExpiredToken)),
        (Some("other"), None, Some(ErrorKind::UnrecognizedClient)),
        (None, None, Some(ErrorKind::UnrecognizedClient)),
    ] {
        let credential = Credential {
            session_token: known.map(Secret::new),
            expires_ms,
            ..Credential::lasting(Secret::new("s3cret"))
        };
        let outcome =
            verify(&parts(&headers, ""), |_| Ok(Some(credential)), NOW, &Settings::default());
        assert_eq!(outcome.err().map(|f| f.kind), expected, "{known:?} {expires_ms:?}");
    }
}

#[test]
fn a_spooled_body_is_verified_by_its_hash() {
    let headers = signed_at(NOW);
    let hash: [u8; 32] = Sha256::digest(BODY).into();
    let spooled = RequestParts { payload: Payload::Sha256(hash), ..parts(&headers, "") };
    let lookup = |_: &str| Ok(Some(Credential::lasting(Secret::new("s3cret"))));
    assert!(verify(&spooled, lookup, NOW, &Settings::default()).is_ok());
    let other = RequestParts { payload: Payload::Sha256([0; 32]), ..spooled };
    assert_eq!(
        verify(&other, lookup, NOW, &Settings::default()).unwrap_err().kind,
        ErrorKind::InvalidSignature
    );
}

/// Pieces of requests that take every branch of the canonical form.
const PATHS: &[&str] = &["/", "//a/../b/", "/a%20b", "/a b", "/ሴ/./x", "/palisade/v1/work"];
const QUERIES: &[&str] = &["", "b=2&a=1&a=0", "x=%2f&y", "q=a+b&q=a%20b", "ሴ=bar&&="];
const VALUES: &[&str] = &["v", "  spaced   out  ", "a,b", "\ttab\t", "é"];
const BODIES: &[&[u8]] = &[b"", b"{}", b"\xbf\xff"];

#[test]
fn every_signed_request_verifies_and_no_changed_one_does() {
    let secret = Secret::new("s3cret");
    let mut checked = 0;
    for path in PATHS {
        for query in QUERIES {
            for value in VALUES {
                for body in BODIES {
                    let mut headers = pairs("Host: h:1\nx-amz-target: T");
                    headers.push(("X-Custom".to_owned(), (*value).to_owned()));
                    headers.push(("x-custom".to_owned(), "second".to_owned()));
                    let payload = Payload::Bytes(body);
                    let parts =
                        RequestParts { method: "POST", path, query, headers: &headers, payload };
                    let signer = Signer {
                        access_key_id: "AKID",
                        secret: &secret,
                        session_token: None,
                        region: "us-east-1",
                        service: "fms",
                        now_ms: NOW,
                    };
                    let signed: Vec<_> =
                        headers.iter().cloned().chain(sign(&signer, &parts)).collect();
                    let whole = RequestParts { headers: &signed, ..parts };
                    let accepted = |parts: &RequestParts<'_>| {
                        let lookup = |_: &str| Ok(Some(Credential::lasting(Secret::new("s3cret"))));
                        verify(parts, lookup, NOW, &Settings::default()).is_ok()
                    };
                    assert!(accepted(&whole), "{path} {query} {value}");
                    let mut turned = signed.clone();
                    turned.swap(2, 3);
                    let mut other_value = signed.clone();
                    other_value[2].1.push('x');
                    let longer = [body, &b"x"[..]].concat();
                    for changed in [
                        RequestParts { method: "GET", ..whole },
                        RequestParts { path: "/other", ..whole },
                        RequestParts { query: "other=1", ..whole },
                        RequestParts { headers: &turned, ..whole },
                        RequestParts { headers: &other_value, ..whole },
                        RequestParts { payload: Payload::Bytes(&longer), ..whole },
                    ] {
                        assert!(!accepted(&changed), "{changed:?}");
                        checked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(checked, PATHS.len() * QUERIES.len() * VALUES.len() * BODIES.len() * 6);
}

#[test]
fn strange_authorization_headers_are_refused_and_never_a_crash() {
    let valid = signed_at(NOW);
    let header = valid.iter().find(|(n, _)| n == "authorization").unwrap().1.clone();
    for at in 0..header.len() {
        for replacement in ["", "=", ",", "/", ";", " ", "\u{e9}", "\0"] {
            let mut text = header.clone();
            text.replace_range(at..=at, replacement);
            let mut headers = valid.clone();
            headers.last_mut().unwrap().1 = text.clone();
            // A space more around a part, or one in the place of another, changes nothing that is signed.
            if text.split_whitespace().collect::<String>()
                != header.split_whitespace().collect::<String>()
            {
                assert!(check(&headers, NOW).is_err(), "{text}");
            }
        }
    }
}

/// A head signed with these headers beside the usual ones.
fn head_with(more: &str) -> Vec<(String, String)> {
    let mut headers = pairs("host: localhost:7780\nx-amz-target: AWSFMS_20180101.ListPolicies");
    headers.extend(pairs(more));
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
    headers
}

#[test]
fn a_head_proves_its_sender_where_it_signs_the_hash_of_the_body() {
    let hash = hex(&Sha256::digest(BODY));
    let other = hex(&Sha256::digest(b"other"));
    let line = |text: &str| format!("x-amz-content-sha256: {text}");
    let proof = |headers: &[(String, String)]| {
        // With no look at the body.
        let parts =
            RequestParts { payload: Payload::Bytes(b"not there yet"), ..parts(headers, "") };
        let credential = Credential::lasting(Secret::new("s3cret"));
        let claim = Claim::of(&parts)?;
        claim.check_head(&parts, Some(&credential), NOW, &Settings::default())
    };
    assert_eq!(proof(&head_with("")), Ok(HeadProof::Claimed));
    assert_eq!(proof(&head_with(&line(&hash))), Ok(HeadProof::Signed));
    let mut forged = head_with(&line(&hash));
    forged.iter_mut().filter(|(name, _)| name.ends_with("sha256")).for_each(|(_, value)| {
        value.clone_from(&other);
    });
    assert_eq!(proof(&forged).unwrap_err().kind, ErrorKind::InvalidSignature);
    for no_hash in
        ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &hash[1..], &hash.to_uppercase()]
    {
        let fault = proof(&head_with(&line(no_hash))).unwrap_err();
        assert!(fault.message.contains("is not the hash of the body"), "{no_hash}: {fault}");
    }
    let late = signed_at(NOW - 301_000);
    assert!(proof(&late).unwrap_err().message.contains("Signature expired"));
}

/// The example "PUT object" of the S3 API reference: a path that S3 takes encoded once.
#[test]
fn a_path_of_s3_is_encoded_once() {
    let mut headers = pairs(
        "host: examplebucket.s3.amazonaws.com\ndate: Fri, 24 May 2013 00:00:00 GMT\n\
         x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n\
         x-amz-storage-class: REDUCED_REDUNDANCY",
    );
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let signer = Signer {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service: "s3",
        now_ms: 1_369_353_600_000,
    };
    let request = RequestParts {
        method: "PUT",
        path: "/test%24file.text",
        query: "",
        headers: &headers,
        payload: Payload::Bytes(b"Welcome to Amazon S3."),
    };
    let added = sign_as(&signer, &request, PathForm::EncodedOnce);
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    assert!(added.last().unwrap().1.ends_with(&format!("Signature={signature}")), "{added:?}");
    headers.extend(added);
    assert!(headers.iter().all(|(name, _)| name != "x-amz-security-token"));
}
