//! What requests may hold whose sender is not known, and what is refused before a body is there.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use palisade_api::own::{SPOOLED_IN_MEMORY_MAX, UNPROVEN_DELIVERY_SIZE_MAX};
use palisade_api::{Auth, DELIVERIES_AT_ONCE_MAX, Settings};
use sha2::{Digest as _, Sha256};

use crate::wire::signed_request;
use crate::world::*;

const INVENTORY: &str = "/palisade/v1/inventory?name=x.json";
const ORGANIZATION: &str = "/palisade/v1/organization";
/// When a test has failed: nothing here waits for this to pass.
const NEVER: Duration = Duration::from_secs(120);

/// A body of which something comes and no more, ever.
struct Stuck {
    first: Option<Bytes>,
    length: Option<u64>,
}

impl http_body::Body for Stuck {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(http_body::Frame::data(first)))),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length.map(http_body::SizeHint::with_exact).unwrap_or_default()
    }
}

fn stuck(first: &'static str) -> Body {
    Body::new(Stuck { first: Some(Bytes::from_static(first.as_bytes())), length: None })
}

/// The request with another body.
fn with_body(request: Request<Body>, body: Body) -> Request<Body> {
    let (parts, _) = request.into_parts();
    Request::from_parts(parts, body)
}

fn guarded(change: impl FnOnce(&mut Settings)) -> World {
    let world = World::with(|settings| {
        settings.auth = Auth::SigV4 { window_ms: 300_000 };
        change(settings);
    });
    world.keep_key("AKIAOPERATOR", None);
    world.keep_key("AKIAMEMBER", Some(MEMBER));
    world
}

fn hash(body: &[u8]) -> (&'static str, String) {
    let hash = Sha256::digest(body);
    ("x-amz-content-sha256", hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn soon(world: &World, request: Request<Body>) -> Answer {
    let answer = tokio::time::timeout(NEVER, world.send(request)).await;
    answer.unwrap_or_else(|_| panic!("a body is waited for though its head is to be refused"))
}

#[tokio::test]
async fn what_the_head_shows_is_refused_before_the_body_is_there() {
    let world = guarded(|_| {});
    let own = |method: &'static str, path: &'static str| (method, path, Vec::new());
    let target = ("x-amz-target", "AWSFMS_20180101.ListPolicies".to_owned());
    let json = ("content-type", "application/x-amz-json-1.1".to_owned());
    let call = ("POST", "/", vec![target, json]);
    for (method, path, headers) in [call, own("PUT", ORGANIZATION), own("POST", INVENTORY)] {
        let signed = |more: &[(&'static str, String)]| {
            let headers = [headers.as_slice(), more].concat();
            signed_request(&world, "AKIAOPERATOR", method, path, &headers, "{}")
        };
        let edited = |from: &str, to: &str| {
            let mut request = signed(&[]);
            let value = request.headers()["authorization"].to_str().unwrap().replace(from, to);
            request.headers_mut().insert("authorization", value.parse().unwrap());
            request
        };
        let late = {
            world.clock.advance(-301_000);
            let late = signed(&[]);
            world.clock.advance(301_000);
            late
        };
        let mut unsigned = signed(&[]);
        unsigned.headers_mut().remove("authorization");
        let mut forged = signed(&[hash(b"{}")]);
        forged.headers_mut().insert("x-amz-content-sha256", hash(b"[]").1.parse().unwrap());
        let streaming = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD".to_owned());
        let cases = [
            (unsigned, "MissingAuthenticationToken", ""),
            (edited("AKIAOPERATOR", "AKIAUNKNOWN"), "UnrecognizedClient", ""),
            (edited("/fms/", "/s3/"), "InvalidSignature", "correct service"),
            (edited("/aws4_request", "/aws5_request"), "InvalidSignature", "terminator"),
            (edited("SignedHeaders=", "SignedHeader="), "IncompleteSignature", ""),
            (late, "InvalidSignature", "Signature expired"),
            (forged, "InvalidSignature", "does not match"),
            (signed(&[streaming]), "InvalidSignature", "is not the hash of the body"),
        ];
        for (request, kind, fragment) in cases {
            for first in ["", "{"] {
                let mut again = Request::new(stuck(first));
                *again.method_mut() = request.method().clone();
                *again.uri_mut() = request.uri().clone();
                *again.headers_mut() = request.headers().clone();
                let answer = soon(&world, again).await;
                assert!(answer.text.contains(kind), "{path} {kind}: {answer:?}");
                assert!(answer.text.contains(fragment), "{path} {kind}: {answer:?}");
            }
        }
    }
    let huge = Body::new(Stuck { first: None, length: Some(1024 * 1024 + 1) });
    let headers = [
        ("content-type", "application/x-amz-json-1.1".to_owned()),
        ("x-amz-target", "AWSFMS_20180101.ListPolicies".to_owned()),
    ];
    let request = signed_request(&world, "AKIAMEMBER", "POST", "/", &headers, "{}");
    assert_eq!(soon(&world, with_body(request, huge)).await.status, 413);
    let packed = [headers.as_slice(), &[("content-encoding", "gzip".to_owned())]].concat();
    let request = signed_request(&world, "AKIAMEMBER", "POST", "/", &packed, "{}");
    soon(&world, with_body(request, stuck("{")))
        .await
        .refuses("SerializationException", "content encoding `gzip`");
    let member = signed_request(&world, "AKIAMEMBER", "PUT", ORGANIZATION, &[], "{}");
    soon(&world, with_body(member, stuck("{"))).await.own_refuses(403, "AccessDenied", "operator");
}

#[tokio::test]
async fn a_signed_hash_is_held_against_the_body_that_came() {
    let world = guarded(|_| {});
    let file = organization().to_string();
    let put = || {
        signed_request(&world, "AKIAOPERATOR", "PUT", ORGANIZATION, &[hash(file.as_bytes())], &file)
    };
    let other = file.replace("shop", "shed");
    world.send(with_body(put(), other.into())).await.own_refuses(
        403,
        "InvalidSignature",
        "is not the hash of the body",
    );
    world.send(put()).await.ok();
}

#[tokio::test]
async fn bodies_of_anybody_hold_no_more_than_their_budget_and_the_oldest_goes() {
    let first: &'static str = Box::leak("{".repeat(16 * 1024).into_boxed_str());
    // Each holds its 16 KiB and its head.
    for (budget, stay) in [(17 * 1024, 1), (4 * 17 * 1024, 4), (32 * 1024 * 1024, 6)] {
        let world = guarded(|settings| settings.unproven_bytes_max = budget);
        let held: Vec<_> = (0..6)
            .map(|_| {
                let put = signed_request(&world, "AKIAOPERATOR", "PUT", ORGANIZATION, &[], "{}");
                let (world, put) = (world.copy(), with_body(put, stuck(first)));
                tokio::spawn(async move { world.send(put).await })
            })
            .collect();
        let gone = || held.iter().filter(|answer| answer.is_finished()).count();
        let settled = async {
            while gone() < 6 - stay {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(NEVER, settled).await.unwrap();
        // Who sends what is asked for at once is served meanwhile.
        let file = organization().to_string();
        let put = signed_request(&world, "AKIAOPERATOR", "PUT", ORGANIZATION, &[], &file);
        world.send(put).await.ok();
        assert_eq!(gone(), 6 - stay, "{budget}");
        for answer in held {
            match answer.is_finished() {
                true => answer.await.unwrap().own_refuses(429, "Throttling", "too many bodies"),
                false => answer.abort(),
            }
        }
    }
}

#[tokio::test]
async fn deliveries_of_anybody_hold_no_turns() {
    let world = guarded(|settings| settings.ingest_wait = Duration::from_millis(50));
    let claimed: Vec<_> = (0..DELIVERIES_AT_ONCE_MAX * 2)
        .map(|_| {
            let post = signed_request(&world, "AKIAOPERATOR", "POST", INVENTORY, &[], "{}");
            let (world, post) = (world.copy(), with_body(post, stuck("{")));
            tokio::spawn(async move { world.send(post).await })
        })
        .collect();
    let proven = |body: Body| {
        let headers = [hash(b"{}")];
        let post = signed_request(&world, "AKIAOPERATOR", "POST", INVENTORY, &headers, "{}");
        let (world, post) = (world.copy(), with_body(post, body));
        tokio::spawn(async move { world.send(post).await })
    };
    let mut taken = Vec::new();
    for held in 0..=DELIVERIES_AT_ONCE_MAX {
        // Read as a delivery, and found to be none.
        let answer = proven("{}".into()).await.unwrap();
        match held < DELIVERIES_AT_ONCE_MAX {
            true => answer.own_refuses(400, "InvalidDelivery", "x.json"),
            false => {
                answer.own_refuses(503, "Busy", "send this one again");
                assert_eq!(answer.headers["retry-after"], "5");
            }
        }
        taken.push(proven(stuck("{")));
        while world.app.is_taking_in() == (held + 1 < DELIVERIES_AT_ONCE_MAX) && held == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    claimed.iter().chain(&taken).for_each(tokio::task::JoinHandle::abort);
}

/// A body that comes byte by byte.
struct Drip(tokio::time::Interval);

impl http_body::Body for Drip {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_tick(context)
            .map(|_| Some(Ok(http_body::Frame::data(Bytes::from_static(b" ")))))
    }
}

#[tokio::test]
async fn a_delivery_that_drips_loses_its_turn() {
    let world = guarded(|settings| settings.ingest_silence = Duration::from_secs(1));
    let headers = [hash(b"{}")];
    let post = signed_request(&world, "AKIAOPERATOR", "POST", INVENTORY, &headers, "{}");
    let drip = Drip(tokio::time::interval(Duration::from_millis(10)));
    let answer = soon(&world, with_body(post, Body::new(drip))).await;
    answer.own_refuses(408, "RequestTimeout", "fewer than 4096 bytes a second");
    assert!(!world.app.is_taking_in());
}

#[tokio::test]
async fn files_of_deliveries_are_bounded_together() {
    let size = SPOOLED_IN_MEMORY_MAX + 1;
    for (more, status) in [(-1, 503), (0, 400), (1, 400)] {
        let spool_size_max = size.checked_add_signed(more).unwrap() as u64;
        let world = World::with(|settings| settings.spool_size_max = spool_size_max);
        let answer = world.own("POST", INVENTORY, " ".repeat(size)).await;
        assert_eq!(answer.status, status, "{more}: {answer:?}");
        assert_eq!(std::fs::read_dir(world.spool.path()).unwrap().count(), 0);
        // What it had is given back.
        let again = world.own("POST", INVENTORY, " ".repeat(size)).await;
        assert_eq!(again.status, status, "{more}: {again:?}");
    }
}

#[tokio::test]
async fn a_delivery_without_a_signed_hash_has_a_size() {
    let world = guarded(|_| {});
    for (more, status) in [(-1, 400), (0, 400), (1, 413)] {
        let body = " ".repeat(UNPROVEN_DELIVERY_SIZE_MAX.checked_add_signed(more).unwrap());
        let post = signed_request(&world, "AKIAOPERATOR", "POST", INVENTORY, &[], &body);
        let answer = world.send(post).await;
        assert_eq!(answer.status, status, "{more}: {answer:?}");
        assert_eq!(answer.text.contains("x-amz-content-sha256"), status == 413, "{answer:?}");
    }
    let body = " ".repeat(UNPROVEN_DELIVERY_SIZE_MAX + 1);
    let headers = [hash(body.as_bytes())];
    let post = signed_request(&world, "AKIAOPERATOR", "POST", INVENTORY, &headers, &body);
    assert_eq!(world.send(post).await.status, 400, "it is read, and no delivery");
}

#[tokio::test]
async fn open_authentication_does_nothing_for_pages_of_other_sites() {
    let world = World::new().await;
    let cases: [(&[(&str, &str)], bool); 14] = [
        (&[], true),
        (&[("content-type", "application/json")], true),
        (&[("content-type", "application/octet-stream")], true),
        (&[("content-type", "Application/JSON; charset=utf-8")], true),
        (&[("origin", "http://localhost:7780")], true),
        (&[("origin", "http://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "http://localhost:7781")], false),
        (&[("origin", "http://localhost:7780"), ("origin", "http://evil.example")], false),
        (&[("origin", "http://localhost:7780.evil.example")], false),
        (&[("content-type", "text/plain")], false),
        (&[("content-type", "text/plain;application/json")], false),
        (&[("content-type", "application/x-www-form-urlencoded")], false),
        (&[("content-type", "multipart/form-data; boundary=x")], false),
    ];
    for (headers, taken) in cases {
        for (method, path) in
            [("POST", "/palisade/v1/keys"), ("POST", INVENTORY), ("PUT", ORGANIZATION)]
        {
            let mut request =
                Request::builder().method(method).uri(path).header("host", "localhost:7780");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = world.send(request.body(Body::from("{}")).unwrap()).await;
            let refused = answer.status == 403 && answer.text.contains("AccessDenied");
            assert_eq!(!refused, taken, "{method} {path} {headers:?}: {answer:?}");
        }
    }
}
