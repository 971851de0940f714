use axum::body::Body;
use axum::http::Request;
use palisade_api::Auth;
use palisade_wire::sigv4::{Payload, RequestParts, Secret, Signer, sign};
use serde_json::json;

use crate::world::*;

fn json_call(operation: &str) -> axum::http::request::Builder {
    Request::post("/")
        .header("host", "localhost")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSFMS_20180101.{operation}"))
        .header("authorization", authorization(ADMIN, REGION))
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_the_date() {
    let world = World::new().await;
    let mut ids = std::collections::BTreeSet::new();
    let answers = [
        world.admin("ListPolicies", json!({})).await,
        world.admin("GetPolicy", json!({ "PolicyId": "no" })).await,
        world.own("GET", "/livez", "").await,
        world.own("GET", "/palisade/v1/nothing", "").await,
        world.own("DELETE", "/palisade/v1/work", "").await,
        world.own("GET", "/", "").await,
    ];
    for answer in &answers {
        assert_eq!(answer.headers["date"], "Thu, 01 Jan 2026 00:00:00 GMT");
        ids.insert(answer.headers["x-amzn-requestid"].to_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), answers.len());
    assert!(ids.iter().all(|id| id.len() == 36));
}

#[tokio::test]
async fn cbor_callers_are_answered_in_cbor() {
    let world = World::new().await;
    let request = Request::post("/service/AWSFMS_20180101/operation/GetAdminAccount")
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("authorization", authorization(ADMIN, HOME))
        .body(Body::empty())
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(answer.headers["content-type"], "application/cbor");
    assert!(answer.text.contains("RoleStatus"), "{answer:?}");
    let request = Request::post("/service/AWSFMS_20180101/operation/ListPolicies")
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("authorization", authorization(MEMBER, HOME))
        .body(Body::empty())
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("com.amazonaws.fms#AccessDeniedException"), "{answer:?}");
}

#[tokio::test]
async fn a_body_of_one_mebibyte_is_taken_and_one_byte_more_is_not() {
    let world = World::new().await;
    for (size, status) in [(1024 * 1024 - 1, 200), (1024 * 1024, 200), (1024 * 1024 + 1, 413)] {
        let body = format!("{{}}{}", " ".repeat(size - 2));
        let answer = world.send(json_call("ListPolicies").body(body.into()).unwrap()).await;
        assert_eq!(answer.status, status, "{size}: {answer:?}");
        if status == 413 {
            assert!(answer.text.contains("larger than the 1048576 bytes"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn headers_of_16_kib_are_taken_and_one_byte_more_is_not() {
    let world = World::new().await;
    let base: usize = {
        let request = json_call("ListPolicies").header("x-fill", "").body(Body::empty()).unwrap();
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
    };
    for (size, status) in [(16 * 1024 - 1, 200), (16 * 1024, 200), (16 * 1024 + 1, 431)] {
        let fill = "x".repeat(size - base);
        let request = json_call("ListPolicies").header("x-fill", fill).body("{}".into()).unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{size}");
        if status == 431 {
            assert!(answer.text.contains("at most 16384 are taken"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let mut deadline = std::time::Duration::from_millis(1);
    loop {
        let world = World::with(|settings| settings.request_deadline = deadline);
        let never = Body::new(Never);
        let answer = world.send(json_call("ListPolicies").body(never).unwrap()).await;
        if answer.status == 408 {
            break;
        }
        // On a busy machine the time may be over before the head is looked at.
        assert_eq!(answer.status, 503, "{answer:?}");
        deadline *= 2;
        assert!(deadline.as_secs() < 60, "{answer:?}");
    }
}

/// A body of which nothing ever comes.
struct Never;

impl http_body::Body for Never {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_an_open_server() {
    let world = World::new().await;
    for (site, status) in
        [("cross-site", 400), ("same-site", 400), ("same-origin", 200), ("none", 200)]
    {
        let request =
            json_call("ListPolicies").header("sec-fetch-site", site).body("{}".into()).unwrap();
        assert_eq!(world.send(request).await.status, status, "{site}");
    }
}

#[tokio::test]
async fn unknown_operations_are_refused_as_aws_does() {
    let world = World::new().await;
    world.admin("NoSuchOperation", json!({})).await.refuses("UnknownOperationException", "");
    world.own("GET", "/palisade/v1/nothing", "").await.own_refuses(404, "NotFound", "openapi.json");
    for path in ["/", "/favicon.ico", "/service/AWSFMS_20180101/operation/ListPolicies"] {
        world.own("GET", path, "").await.own_refuses(404, "NotFound", &format!("`{path}`"));
    }
    world.own("DELETE", "/palisade/v1/work", "").await.own_refuses(
        405,
        "MethodNotAllowed",
        "`DELETE`",
    );
}

/// A signed call, and one with its body changed afterwards.
#[tokio::test]
async fn signed_calls_are_believed_and_others_are_not() {
    let world = World::settled(|_| {}).await;
    let signed = World::with(|settings| settings.auth = Auth::SigV4 { window_ms: 300_000 });
    drop(world);
    for (id, account_id) in
        [("AKIAADMIN", Some(ADMIN)), ("AKIAROOT", Some(MANAGEMENT)), ("AKIAOPERATOR", None)]
    {
        signed.keep_key(id, account_id);
    }
    let file = organization().to_string();
    let put =
        signed_request(&signed, "AKIAOPERATOR", "PUT", "/palisade/v1/organization", &[], &file);
    signed.send(put).await.ok();
    let put = signed_request(&signed, "AKIAADMIN", "PUT", "/palisade/v1/organization", &[], &file);
    signed.send(put).await.own_refuses(403, "AccessDenied", "operator");
    let target = |operation: &str| ("x-amz-target", format!("AWSFMS_20180101.{operation}"));
    let kind = ("content-type", "application/x-amz-json-1.1".to_owned());
    let input = json!({ "AdminAccount": ADMIN }).to_string();
    let headers = [target("AssociateAdminAccount"), kind.clone()];
    signed.send(signed_request(&signed, "AKIAROOT", "POST", "/", &headers, &input)).await.ok();
    let headers = [target("ListPolicies"), kind];
    let call = |key: &str| signed_request(&signed, key, "POST", "/", &headers, "{}");
    signed.send(call("AKIAADMIN")).await.ok();
    signed.send(call("AKIAROOT")).await.refuses("AccessDeniedException", "Operation ListPolicies");
    signed.send(call("AKIAUNKNOWN")).await.refuses("UnrecognizedClientException", "");
    let (parts, _) = call("AKIAADMIN").into_parts();
    let tampered = Request::from_parts(parts, Body::from("{ }"));
    signed.send(tampered).await.refuses("InvalidSignatureException", "");
    let late = call("AKIAADMIN");
    signed.clock.advance(300_000 + 1_000);
    signed.send(late).await.refuses("InvalidSignatureException", "Signature expired");
    let unsigned = Request::post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSFMS_20180101.ListPolicies")
        .body("{}".into())
        .unwrap();
    signed.send(unsigned).await.refuses("MissingAuthenticationTokenException", "");
    let unsigned = Request::get("/palisade/v1/work").body(Body::empty()).unwrap();
    signed.send(unsigned).await.own_refuses(401, "MissingAuthenticationToken", "");
}

pub fn signed_request(
    world: &World,
    key: &str,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &str,
) -> Request<Body> {
    use palisade_api::Clock as _;
    let mut all: Vec<(String, String)> = vec![("host".into(), "localhost".into())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let secret = Secret::new(format!("secret of {key}"));
    let signer = Signer {
        access_key_id: key,
        secret: &secret,
        session_token: None,
        region: HOME,
        service: "fms",
        now_ms: world.clock.now_ms(),
    };
    let (path_only, query) = path.split_once('?').unwrap_or((path, ""));
    let parts = RequestParts {
        method,
        path: path_only,
        query,
        headers: &all,
        payload: Payload::Bytes(body.as_bytes()),
    };
    let added = sign(&signer, &parts);
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in all.iter().chain(&added) {
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}
