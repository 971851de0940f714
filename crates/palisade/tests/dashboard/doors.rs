//! What pages of other sites may try: each is tried here.

use std::sync::Arc;

use palisade_store::sqlite::SqliteStore;

use crate::site::*;

#[test]
fn every_answer_refuses_frames_foreign_content_and_caches() {
    let site = Site::signed();
    let key = site.key(None);
    let mut browser = site.browser();
    browser.sign_in(&key);
    let mut stranger = site.browser();
    let others = [
        "/sign-in",
        "/nothing",
        "/policies/none",
        "/violations?q=x%3Ay",
        "/?region=!",
        "/?as=json",
        "/policies?as=csv",
        "/heatmap/cells",
        "/again?theme=dark",
    ];
    let all = PAGES.iter().chain(&others);
    for path in all {
        for answer in [browser.get(path), stranger.get(path)] {
            let told = |name: &str| answer.header(name).to_owned();
            let policy = told("content-security-policy");
            assert!(policy.contains("default-src 'self'"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert!(policy.contains("form-action 'self'"), "{path}: {policy}");
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(told("x-frame-options"), "DENY", "{path}");
            assert_eq!(told("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(told("referrer-policy"), "same-origin", "{path}");
            assert_eq!(told("cache-control"), "no-store", "{path}");
            assert_eq!(told("vary"), "cookie", "{path}");
            assert!(!answer.text.contains("style=\""), "{path} has a style of its own");
            assert!(!answer.text.contains(" onclick"), "{path} has a script of its own");
            assert!(!answer.text.contains("http://www"), "{path} names another site");
        }
    }
    for (asset, content_type) in [
        ("palisade.css", "text/css; charset=utf-8"),
        ("heatmap.js", "text/javascript; charset=utf-8"),
        ("palisade.svg", "image/svg+xml"),
    ] {
        let answer = stranger.get(&format!("/assets/{asset}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, content_type));
        assert!(answer.cookies().is_empty());
    }
}

#[test]
fn a_form_of_another_site_is_refused() {
    let site = Site::signed();
    let key = site.key(None);
    let fresh = || {
        let mut browser = site.browser();
        let token = browser.get("/sign-in").token();
        (browser, token)
    };
    let (id, secret) = (("key", key.id.as_str()), ("secret", key.secret.as_str()));
    let (mut browser, _) = fresh();
    assert_eq!(browser.post("/sign-in", &[id, secret]).status, 403, "no token");
    let (mut browser, _) = fresh();
    assert_eq!(browser.post("/sign-in", &[id, secret, ("token", "")]).status, 403, "an empty one");
    let (mut browser, _) = fresh();
    let (_, other) = fresh();
    let answer = browser.post("/sign-in", &[id, secret, ("token", &other)]);
    assert_eq!(answer.status, 403, "the token of another browser");
    let (mut browser, token) = fresh();
    browser.cookies.clear();
    let answer = browser.post("/sign-in", &[id, secret, ("token", &token)]);
    assert_eq!(answer.status, 403, "no cookie");
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:7781", 403),
        ("origin", "http://localhost:7780", 303),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "same-origin", 303),
    ] {
        let (mut browser, token) = fresh();
        browser.headers.push((name, value.to_owned()));
        let answer = browser.post("/sign-in", &[id, secret, ("token", &token)]);
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    let (mut browser, _) = fresh();
    browser.sign_in(&key);
    for token in ["", "x"] {
        assert_eq!(browser.post("/sign-out", &[("token", token)]).status, 403, "{token}");
    }
    assert_eq!(browser.get("/").status, 200, "still signed in");
}

#[test]
fn a_session_that_somebody_else_chose_is_not_taken_over() {
    let site = Site::signed();
    let key = site.key(None);
    // The attacker's own session, and one that never was.
    let mut attacker = site.browser();
    attacker.sign_in(&site.key(Some("100000000002")));
    for planted in [attacker.cookies["palisade"].clone(), "planted".to_owned()] {
        let mut victim = site.browser();
        victim.cookies.insert("palisade".to_owned(), planted.clone());
        victim.sign_in(&key);
        assert_ne!(victim.cookies["palisade"], planted);
        let mut other = site.browser();
        other.cookies.insert("palisade".to_owned(), planted);
        assert!(!other.get("/").text.contains(&key.id));
    }
}

#[test]
fn signing_in_leads_to_no_other_site() {
    let site = Site::signed();
    let key = site.key(None);
    for (wanted, led) in [
        ("/policies?region=eu-west-1", "/policies?region=eu-west-1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/%0d%0aset-cookie:x", "/%0d%0aset-cookie:x"),
        ("/a\r\nset-cookie: x", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let mut browser = site.browser();
        let page = browser.get(&format!("/sign-in?next={}", encoded(wanted)));
        assert!(page.text.contains(&format!("name=\"next\" value=\"{led}\"")), "{wanted}");
        let (id, secret) = (("key", key.id.as_str()), ("secret", key.secret.as_str()));
        let token = page.token();
        let answer = browser.post("/sign-in", &[id, secret, ("token", &token), ("next", wanted)]);
        assert_eq!((answer.status, answer.header("location")), (303, led), "{wanted}");
        site.clock.advance_ms(60_000);
    }
}

#[test]
fn over_plain_http_only_this_machine_signs_in() {
    let site = Site::signed();
    let key = site.key(None);
    for host in ["10.0.0.1:7780", "palisade.example", "127.0.0.1.evil.example", ""] {
        let mut browser = site.browser();
        browser.host = host.to_owned();
        for path in ["/", "/sign-in", "/sign-in/link?link=x"] {
            let answer = browser.get(path);
            assert_eq!(answer.status, 403, "{host} {path}");
            assert!(answer.text.contains("over plain HTTP"), "{host} {path}");
            assert!(answer.cookies().is_empty(), "{host} {path}");
        }
        let answer = browser.post("/sign-in", &[("key", &key.id), ("secret", &key.secret)]);
        assert_eq!(answer.status, 403, "{host}");
    }
    for host in ["127.0.0.1:7780", "localhost", "[::1]:7780"] {
        let mut browser = site.browser();
        browser.host = host.to_owned();
        let answer = browser.sign_in(&key);
        assert_eq!(answer.status, 303, "{host}");
        let cookie = answer.cookies()[0].to_owned();
        assert!(cookie.starts_with("palisade="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
        site.clock.advance_ms(60_000);
    }
}

#[test]
fn over_tls_cookies_are_of_this_host_alone() {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let site = Site::on(store, |set| {
        set.auth = SIGV4;
        set.over_tls = true;
    });
    let key = site.key(None);
    let mut browser = site.browser();
    browser.host = "palisade.example".to_owned();
    let answer = browser.sign_in(&key);
    assert_eq!(answer.status, 303);
    for cookie in answer.cookies() {
        assert!(cookie.starts_with("__Host-palisade"), "{cookie}");
        assert!(cookie.contains("; Path=/;") && cookie.ends_with("; SameSite=Strict; Secure"));
    }
    assert_eq!(browser.get("/").status, 200);
    // A cookie that a page in the clear could have set is none.
    let sealed = browser.cookies.remove("__Host-palisade").unwrap();
    browser.cookies.insert("palisade".to_owned(), sealed);
    assert_eq!(browser.get("/").status, 303);
}

#[test]
fn a_link_of_another_site_opens_the_page_signed_in() {
    let site = Site::signed();
    let key = site.key(None);
    let mut browser = site.browser();
    browser.sign_in(&key);
    let cookies = std::mem::take(&mut browser.cookies);
    // A strict cookie does not come along.
    browser.headers = vec![
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-mode", "navigate".to_owned()),
    ];
    let answer = browser.get("/policies");
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("http-equiv=\"refresh\"") && !answer.text.contains(&key.id));
    browser.cookies = cookies;
    browser.headers = vec![("sec-fetch-site", "same-origin".to_owned())];
    assert!(browser.get("/policies").text.contains(&key.id));
}

#[test]
fn names_that_point_here_are_not_answered_under_open_authentication() {
    let site = Site::open();
    let mut browser = site.browser();
    browser.host = "evil.example".to_owned();
    for path in PAGES {
        assert_eq!(browser.get(path).status, 403, "{path}");
    }
}

#[test]
fn programs_are_answered_as_before() {
    let site = Site::open();
    let policies = site.call("us-east-1", "ListPolicies", &serde_json::json!({}));
    assert!(policies.status == 400 && policies.text.contains("__type"), "{policies:?}");
    let cbor = "/service/AWSFMS_20180101/operation/ListPolicies";
    let request = axum::http::Request::post(cbor)
        .header("host", "localhost")
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor");
    let answer = site.send_bytes(request.body(axum::body::Body::from(vec![0xa0])).unwrap());
    assert!(answer.0 == 400 && answer.1.windows(6).any(|part| part == b"__type"), "{answer:?}");
    for (path, accept, is_json) in [
        ("/palisade/v1/nothing", "text/html", true),
        ("/nothing", "*/*", true),
        ("/nothing", "text/html,*/*", false),
    ] {
        let request = axum::http::Request::get(path).header("host", "localhost");
        let request = request.header("accept", accept).body(axum::body::Body::empty()).unwrap();
        let answer = site.send(request);
        assert_eq!(answer.status, 404, "{path} {accept}");
        assert_eq!(answer.header("content-type") == "application/json", is_json, "{path} {accept}");
    }
    let put = axum::http::Request::put("/policies").header("host", "localhost");
    let answer = site.send(put.body(axum::body::Body::empty()).unwrap());
    assert!(answer.status >= 400 && answer.header("content-type").contains("json"), "{answer:?}");
    // Health is asked for without a page.
    assert_eq!(site.own("GET", "/livez", "").text, "ok\n");
}
