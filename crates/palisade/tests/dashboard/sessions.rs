//! Signing in, what a session sees, and how it ends.

use std::sync::Arc;

use palisade_api::Auth;
use palisade_api::session::{LINK_MS_MAX, LINKS_MAX, SESSION_MS_MAX, TRIES};
use palisade_store::sqlite::SqliteStore;

use crate::site::*;
use crate::support;

const WRONG: &str =
    "the access key id or its secret is not right, or the key is disabled or has expired";

/// A server with an organization of a few accounts and one policy of the default administrator.
fn site() -> Site {
    let site = Site::signed();
    let policy = support::audit(
        "no-wide",
        &["AWS::EC2::SecurityGroup"],
        &serde_json::json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "ALL"}}]),
    );
    support::decide(&*site.store, &support::organization(4), &[policy]);
    site
}

#[test]
fn a_session_sees_what_its_key_may_read() {
    let site = site();
    let policy = format!("/policies/{}", support::policy_id(0));
    for (account, who, reads_policy, reads_audit) in [
        (None, "operator", true, true),
        (Some(1), "default administrator 100000000001", true, false),
        (Some(2), "account 100000000002", false, false),
    ] {
        let account = account.map(support::account);
        let key = site.key(account.as_deref());
        let mut browser = site.browser();
        let answer = browser.sign_in(&key);
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{who}");
        let overview = browser.get("/");
        assert!(overview.text.contains(who), "{who}: {}", overview.text);
        assert!(overview.text.contains(&key.id), "{who}");
        let expected = if reads_policy { 200 } else { 404 };
        assert_eq!(browser.get(&policy).status, expected, "{who}");
        assert_eq!(browser.get("/policies").text.contains("no-wide"), reads_policy, "{who}");
        let expected = if reads_audit { 200 } else { 403 };
        assert_eq!(browser.get("/audit").status, expected, "{who}");
        // Endpoints decide the same.
        let path = format!("/palisade/v1{policy}/accounts");
        let endpoint = site.signed_call(&key, "GET", &path);
        assert_eq!(endpoint.status == 200, reads_policy, "{who}");
        let endpoint = site.signed_call(&key, "GET", "/palisade/v1/audit");
        assert_eq!(endpoint.status == 200, reads_audit, "{who}");
        // A member's page is of itself.
        let other = browser.get(&format!("/accounts/{}", support::account(3)));
        assert_eq!(other.status == 200, reads_policy, "{who}");
    }
}

#[test]
fn whoever_is_not_let_in_is_told_the_same_words() {
    let site = site();
    let (key, disabled) = (site.key(None), site.key(None));
    site.enable(&disabled, false);
    let unknown = Held { id: "AKIANOBODY".to_owned(), secret: key.secret.clone() };
    let wrong = Held { secret: "x".repeat(40), ..key.clone() };
    let empty = Held { secret: String::new(), ..key.clone() };
    for held in [unknown, wrong, empty, disabled] {
        let mut browser = site.browser();
        let answer = browser.sign_in(&held);
        assert_eq!(answer.status, 403, "{held:?}");
        assert!(answer.text.contains(WRONG), "{held:?}: {}", answer.text);
        assert!(!browser.cookies.contains_key("palisade"), "{held:?}");
        assert_eq!(browser.get("/").status, 303, "{held:?}");
    }
}

#[test]
fn a_session_ends_with_its_time_and_with_its_key() {
    let site = site();
    let key = site.key(None);
    let mut browser = site.browser();
    browser.sign_in(&key);
    let mut seen = |what: &str, good: bool| {
        let answer = browser.get("/policies");
        assert_eq!(answer.status, if good { 200 } else { 303 }, "{what}");
        if !good {
            assert_eq!(answer.header("location"), "/sign-in?next=%2Fpolicies", "{what}");
        }
    };
    seen("at once", true);
    site.enable(&key, false);
    seen("a disabled key", false);
    site.enable(&key, true);
    seen("an enabled key", true);
    site.clock.advance_ms(SESSION_MS_MAX - 1);
    seen("a moment before its end", true);
    site.clock.advance_ms(1);
    seen("at its end", false);
    let mut browser = site.browser();
    browser.sign_in(&key);
    assert_eq!(browser.get("/").status, 200);
    site.delete(&key);
    assert_eq!(browser.get("/").status, 303, "a deleted key");
}

#[test]
fn a_session_outlives_the_server_and_not_another_sealing_key() {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let site = Site::on(store.clone(), |set| set.auth = SIGV4);
    let key = site.key(None);
    let mut browser = site.browser();
    browser.sign_in(&key);
    let cookies = browser.cookies.clone();
    let again = Site::on(store.clone(), |set| set.auth = SIGV4);
    let mut browser = again.browser();
    browser.cookies = cookies.clone();
    assert_eq!(browser.get("/").status, 200, "started again");
    let other = Site::on(store, |set| {
        set.auth = SIGV4;
        set.vault = Some(Arc::new(palisade_api::vault::Vault::new(&[1; 32])));
    });
    let mut browser = other.browser();
    browser.cookies = cookies;
    assert_eq!(browser.get("/").status, 303, "another sealing key");
}

#[test]
fn nobody_makes_or_alters_a_session() {
    let site = site();
    let mut browser = site.browser();
    browser.sign_in(&site.key(None));
    let sealed = browser.cookies["palisade"].clone();
    for altered in ["x".to_owned(), sealed[1..].to_owned(), format!("{sealed}A"), {
        let mut bytes = sealed.clone().into_bytes();
        bytes[30] = if bytes[30] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    }] {
        browser.cookies.insert("palisade".to_owned(), altered.clone());
        assert_eq!(browser.get("/").status, 303, "{altered}");
    }
}

#[test]
fn signing_out_ends_every_copy_of_a_session() {
    let site = site();
    let key = site.key(None);
    let (mut one, mut other) = (site.browser(), site.browser());
    one.sign_in(&key);
    other.sign_in(&key);
    assert_ne!(one.cookies["palisade"], other.cookies["palisade"]);
    let mut copy = site.browser();
    copy.cookies = one.cookies.clone();
    let token = one.get("/").token();
    let answer = one.post("/sign-out", &[("token", &token)]);
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    assert!(!one.cookies.contains_key("palisade"));
    assert_eq!(copy.get("/").status, 303, "a copy");
    assert_eq!(other.get("/").status, 200, "another session of the key");
}

#[test]
fn a_link_signs_in_once_and_for_five_minutes() {
    let site = site();
    let key = site.key(Some(&support::account(1)));
    let link = || {
        let made = site.signed_call(&key, "POST", "/palisade/v1/dashboard").json();
        made["path"].as_str().unwrap().to_owned()
    };
    let follow = |path: &str| {
        let mut browser = site.browser();
        let (_, link) = path.split_once("?link=").unwrap();
        let token = browser.get(path).token();
        let answer = browser.post("/sign-in/link", &[("token", &token), ("link", link)]);
        (answer.status, browser.get("/").text.contains(&key.id))
    };
    let path = link();
    assert_eq!(follow(&path), (303, true));
    assert_eq!(follow(&path), (403, false), "once");
    let (early, late) = (link(), link());
    site.clock.advance_ms(LINK_MS_MAX - 1);
    assert_eq!(follow(&early), (303, true), "a moment before its end");
    site.clock.advance_ms(1);
    assert_eq!(follow(&late), (403, false), "at its end");
    let path = link();
    site.enable(&key, false);
    assert_eq!(follow(&path), (403, false), "of a disabled key");
}

#[test]
fn so_many_links_wait_and_one_more_takes_the_place_of_the_first() {
    let site = site();
    let key = site.key(None);
    let link = || site.signed_call(&key, "POST", "/palisade/v1/dashboard").json();
    let path = |made: &serde_json::Value| made["path"].as_str().unwrap().to_owned();
    let first = path(&link());
    site.clock.advance_ms(1);
    let second = path(&link());
    for _ in 2..LINKS_MAX {
        link();
    }
    link();
    let mut browser = site.browser();
    for (path, status) in [(first, 403), (second, 303)] {
        let token = browser.get(&path).token();
        let (_, link) = path.split_once("?link=").unwrap();
        let answer = browser.post("/sign-in/link", &[("token", &token), ("link", link)]);
        assert_eq!(answer.status, status, "{path}");
    }
}

#[test]
fn trying_is_slowed_down_to_the_number() {
    let site = site();
    let key = site.key(None);
    let mut browser = site.browser();
    let mut status =
        |secret: &str| browser.sign_in(&Held { secret: secret.to_owned(), ..key.clone() }).status;
    let tries: Vec<u16> = (0..=TRIES.burst_max).map(|_| status("wrong")).collect();
    let (last, before) = tries.split_last().unwrap();
    assert!(before.iter().all(|status| *status == 403), "{tries:?}");
    assert_eq!(*last, 429, "{tries:?}");
    assert_eq!(status(&key.secret), 429, "the right one as well");
    site.clock.advance_ms(1_000 / i64::from(TRIES.per_second));
    assert_eq!(status(&key.secret), 303);
}

#[test]
fn under_open_authentication_nobody_signs_in() {
    let site = Site::open();
    let mut browser = site.browser();
    let overview = browser.get("/");
    assert_eq!(overview.status, 200);
    assert!(overview.text.contains("nobody signs in (--auth open)"));
    for path in ["/sign-in", "/sign-in/link?link=x"] {
        let answer = browser.get(path);
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{path}");
    }
    let made = site.own("POST", "/palisade/v1/dashboard", "").json();
    assert_eq!(made, serde_json::json!({"path": "/", "expires": null}));
    assert_eq!(site.app.settings.auth, Auth::Open);
}
