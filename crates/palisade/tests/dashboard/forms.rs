//! What people change by forms: waivers, keys, sessions; and that nobody else has a browser change anything.

use std::sync::Arc;

use palisade_api::Clock as _;
use palisade_api::keys::Wanted;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{KeyRole, Keys as _};
use serde_json::{Value, json};

use crate::site::*;
use crate::support;

/// A server with an organization of a few accounts, one policy of the default administrator, and violators.
fn site() -> Site {
    let site = Site::signed();
    let policy = support::audit(
        "no-wide",
        &["AWS::EC2::SecurityGroup"],
        &json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "INGRESS"}}]),
    );
    support::decide(&*site.store, &support::organization(4), &[policy]);
    site
}

fn policy() -> String {
    support::policy_id(0).to_string()
}

fn signed_in<'s>(site: &'s Site, account: Option<u64>) -> Browser<'s> {
    let account = account.map(support::account);
    let key = site.key(account.as_deref());
    let mut browser = site.browser();
    assert_eq!(browser.sign_in(&key).status, 303);
    browser
}

/// Everything that can be sent, each as a form that would be done.
fn forms(policy: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    let text = |text: &str| text.to_owned();
    vec![
        (
            text("/waivers/new"),
            vec![
                ("policy", text(policy)),
                ("resource", text("sg-1")),
                ("reason", text("because")),
                ("owner", text("me")),
                ("until", text("2026-12-20T00:00")),
            ],
        ),
        (text("/keys"), vec![("act", text("make"))]),
        (text("/policies/new"), vec![("act", text("put")), ("text", text("{}"))]),
        (format!("/policies/{policy}/edit"), vec![("act", text("put")), ("text", text("{}"))]),
    ]
}

fn state(browser: &mut Browser<'_>) -> Value {
    let mut shown = |path: &str| browser.get(&format!("{path}?as=json")).json()["shown"].clone();
    json!([
        shown("/waivers")["waivers"],
        shown("/keys")["keys"].as_array().map(Vec::len),
        shown("/policies")["policies"]
    ])
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    for auth in ["signed", "open"] {
        let site = match auth {
            "signed" => site(),
            _ => {
                let site = Site::open();
                let policy = support::audit(
                    "no-wide",
                    &["AWS::EC2::SecurityGroup"],
                    &json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "ALL"}}]),
                );
                support::decide(&*site.store, &support::organization(4), &[policy]);
                site
            }
        };
        let mut browser = match auth {
            "signed" => signed_in(&site, None),
            _ => site.browser(),
        };
        let token = browser.get("/waivers/new").token();
        let other = match auth {
            "signed" => signed_in(&site, Some(1)).get("/waivers/new").token(),
            _ => "0".repeat(64),
        };
        let before = state(&mut browser);
        for (path, members) in forms(&policy()) {
            let mut members: Vec<(&str, &str)> =
                members.iter().map(|(name, value)| (*name, value.as_str())).collect();
            // Without the token, with another, and with that of somebody else's page.
            for wrong in [None, Some(""), Some("x"), Some(other.as_str())] {
                let with: Vec<(&str, &str)> = wrong
                    .map(|wrong| ("token", wrong))
                    .into_iter()
                    .chain(members.clone())
                    .collect();
                let answer = browser.post(&path, &with);
                assert_eq!(answer.status, 403, "{auth} {path} {wrong:?}: {}", answer.text);
            }
            // With the token, sent by a page of another site.
            members.push(("token", &token));
            for header in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
                ("origin", "null"),
            ] {
                browser.headers = vec![(header.0, header.1.to_owned())];
                let answer = browser.post(&path, &members);
                assert_eq!(answer.status, 403, "{auth} {path} {header:?}: {}", answer.text);
            }
            browser.headers = Vec::new();
            // A page that is only looked at changes nothing either.
            let query: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            let answer = browser.get(&format!("{path}?{}", query.join("&")));
            assert_eq!(answer.status, 200, "{auth} {path}");
        }
        assert_eq!(state(&mut browser), before, "{auth}");
        site.clock.advance_ms(60_000);
    }
}

#[test]
fn who_may_not_change_something_does_not_by_a_form() {
    let site = site();
    let mut operator = signed_in(&site, None);
    // A member account: no policy is its own, and keys are the operator's.
    let mut member = signed_in(&site, Some(2));
    let before = state(&mut operator);
    let token = member.get("/keys").text;
    assert!(token.contains("reads of itself"), "{token}");
    assert!(!token.contains("name=\"act\""), "no form for who may not: {token}");
    let token = member.get("/policies/new").token();
    for (path, members) in forms(&policy()) {
        let members: Vec<(&str, &str)> = members
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("token", token.as_str())])
            .collect();
        let answer = member.post(&path, &members);
        assert!(
            [400, 403, 404].contains(&answer.status),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
    }
    assert_eq!(state(&mut operator), before);
}

#[test]
fn a_waiver_is_made_renewed_and_ended_and_the_endpoint_says_the_same() {
    let site = site();
    let mut owner = signed_in(&site, Some(1));
    let policy = policy();
    let page =
        owner.get(&format!("/waivers/new?policy={policy}&account={}&id=sg-1", support::account(2)));
    assert!(page.text.contains("value=\"sg-1\""), "{}", page.text);
    let token = page.token();
    let account = support::account(2);
    let members = |until: &'static str, resource: &'static str| {
        [
            ("token", token.clone()),
            ("policy", policy.clone()),
            ("accounts", account.clone()),
            ("resource", resource.to_owned()),
            ("reason", "<b>agreed</b>".to_owned()),
            ("owner", "network team".to_owned()),
            ("until", until.to_owned()),
        ]
    };
    fn sent<'m>(members: &'m [(&'static str, String)]) -> Vec<(&'m str, &'m str)> {
        members.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
    // What is wrong is said beside what was typed.
    let wrong = members("2020-01-01T00:00", "sg-1");
    let answer = owner.post("/waivers/new", &sent(&wrong));
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("href=\"#until\"") && answer.text.contains("which is not after"));
    assert!(answer.text.contains("network team"), "typed words stay");
    let everything = members("2026-12-20T00:00", "*");
    let answer = owner.post("/waivers/new", &sent(&everything));
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("name=\"confirm\""), "{}", answer.text);
    let good = members("2026-12-20T00:00", "sg-1");
    let answer = owner.post("/waivers/new", &sent(&good));
    assert_eq!(answer.status, 303, "{}", answer.text);
    let path = answer.header("location").to_owned();
    let page = owner.get(&path);
    assert!(
        page.text.contains("&#60;b&#62;agreed") && page.text.contains("matches nothing"),
        "{}",
        page.text
    );
    let (id, _) = path.strip_prefix("/waivers/").unwrap().split_once('?').unwrap();
    let answer =
        owner.post(&path, &[("token", &token), ("act", "renew"), ("until", "2027-02-01T00:00")]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    let answer = owner.post(&path, &[("token", &token), ("act", "renew"), ("until", "soon")]);
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("`until` is `soon`"), "{}", answer.text);
    let listed = |browser: &mut Browser<'_>| {
        browser.get("/waivers?as=json").json()["shown"]["waivers"].as_array().unwrap().clone()
    };
    let row = &listed(&mut owner)[0];
    assert_eq!((&row["id"], &row["state"]), (&json!(id), &json!("matches-nothing")));
    assert_eq!(row["until"], "2027-02-01T00:00:00Z");
    let key = site.key(None);
    let told = site.signed_call(&key, "GET", "/palisade/v1/waivers").json();
    assert_eq!(told["waivers"][0]["until"], row["until"]);
    // Others are told of none.
    let mut member = signed_in(&site, Some(3));
    assert_eq!(listed(&mut member).len(), 0);
    assert_eq!(member.get(&path).status, 404);
    let answer = owner.post(&path, &[("token", &token), ("act", "end")]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(listed(&mut owner)[0]["state"], "ended");
    let mut operator = signed_in(&site, None);
    let audit = operator.get("/audit").text;
    for operation in ["CreateWaiver", "RenewWaiver", "EndWaiver"] {
        assert!(audit.contains(operation), "{operation}");
    }
}

#[test]
fn keys_are_made_shown_once_and_disabled() {
    let site = site();
    let mut operator = signed_in(&site, None);
    let token = operator.get("/keys").token();
    let account = support::account(2);
    let made = operator.post("/keys", &[("token", &token), ("act", "make"), ("account", &account)]);
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    let (_, section) = made.text.split_once("id=\"made\"").unwrap();
    let command = |nth: usize| {
        let part = section.split("<code class=\"command\" tabindex=\"0\">").nth(nth).unwrap();
        part.split('<').next().unwrap().to_owned()
    };
    let (id, secret) = (command(1), command(2));
    assert!(!operator.get("/keys").text.contains(&secret), "shown once");
    let held = Held { id: id.clone(), secret };
    let mut holder = site.browser();
    assert_eq!(holder.sign_in(&held).status, 303);
    let page = holder.get("/keys");
    assert!(page.text.contains(&id) && page.text.contains("reads of itself"));
    assert!(!page.text.contains("<h2>Keys</h2>"), "nobody else's keys");
    assert_eq!(holder.get("/keys?as=csv").status, 400, "no rows for who is told of none");
    let answer = operator.post("/keys", &[("token", &token), ("act", "disable"), ("key", &id)]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(holder.get("/").status, 303, "its session ends with it");
    let answer = operator.post("/keys", &[("token", &token), ("act", "delete"), ("key", &id)]);
    assert_eq!(answer.status, 303, "{}", answer.text);
    for (members, status, words) in [
        (vec![("act", "make"), ("account", "12")], 400, "12 digits"),
        (vec![("act", "delete"), ("key", "AKIANONE")], 404, "does not exist"),
        (vec![("act", "dance"), ("key", "AKIANONE")], 400, "nothing that is done to a key"),
    ] {
        let all: Vec<(&str, &str)> =
            members.into_iter().chain([("token", token.as_str())]).collect();
        let answer = operator.post("/keys", &all);
        assert_eq!(answer.status, status, "{all:?}");
        assert!(answer.text.contains(words), "{all:?}: {}", answer.text);
    }
    // The last operator key stays: nobody could come back.
    let own = operator.get("/keys?as=json").json()["shown"]["own"].as_str().unwrap().to_owned();
    let answer = operator.post("/keys", &[("token", &token), ("act", "disable"), ("key", &own)]);
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(operator.get("/").status, 200);
    // It goes where that is meant, as with the command: the page asks in a form of its own.
    let asked = ["name=\"confirm\"", "Disable key", "palisade keys create --operator"];
    for words in asked {
        assert!(answer.text.contains(words), "{words}: {}", answer.text);
    }
    for act in ["disable", "delete"] {
        let form = [("token", token.as_str()), ("act", act), ("key", &own)];
        assert_eq!(operator.post("/keys", &form).status, 409, "{act}");
    }
    let never =
        operator.post("/keys", &[("token", &token), ("act", "delete"), ("key", "AKIANONE")]);
    assert!(!never.text.contains("name=\"confirm\""), "nothing is asked of other refusals");
    let meant = [("token", token.as_str()), ("act", "disable"), ("key", &own), ("confirm", "yes")];
    let answer = operator.post("/keys", &meant);
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(operator.get("/").status, 303, "its sessions ended with it");
}

#[test]
fn a_reader_sees_what_its_caller_may_and_has_no_forms() {
    let site = site();
    let key = site.key_as(&Wanted { role: KeyRole::Reader, ..Wanted::default() });
    let other = site.key(None);
    let mut reader = site.browser();
    assert_eq!(reader.sign_in(&key).status, 303);
    let token = reader.get("/").token();
    let page = reader.get("/keys");
    assert!(page.text.contains("<h2>Keys</h2>") && page.text.contains("changes nothing"));
    assert!(page.text.contains(&other.id) && page.text.contains("reads only"));
    for form in ["<h2>Make a key</h2>", "value=\"disable\"", "value=\"rotate\""] {
        assert!(!page.text.contains(form), "{form}");
    }
    let policy = format!("/policies/{}", policy());
    for (path, words) in [
        ("/policies".to_owned(), "Policies"),
        ("/waivers".to_owned(), "No waivers"),
        ("/waivers/new".to_owned(), "reads only"),
        (policy.clone(), "History"),
        (format!("{policy}/delete"), "reads only"),
        (format!("{policy}/edit"), "Preview"),
    ] {
        let page = reader.get(&path);
        assert!(page.status == 200 && page.text.contains(words), "{path}: {}", page.text);
        for form in [
            "New policy",
            "class=\"button primary\"",
            "value=\"put\"",
            "Accept these",
            "class=\"danger\"",
        ] {
            assert!(!page.text.contains(form), "{path}: {form}");
        }
    }
    assert_eq!(reader.get("/audit").status, 200);
    for members in [
        vec![("act", "make")],
        vec![("act", "disable"), ("key", other.id.as_str())],
        vec![("act", "delete"), ("key", other.id.as_str())],
        vec![("act", "rotate"), ("key", other.id.as_str())],
    ] {
        let all: Vec<(&str, &str)> =
            members.into_iter().chain([("token", token.as_str())]).collect();
        let answer = reader.post("/keys", &all);
        assert_eq!(answer.status, 403, "{all:?}");
        assert!(answer.text.contains("changes nothing"), "{all:?}: {}", answer.text);
    }
    let mut still = site.browser();
    assert_eq!(still.sign_in(&other).status, 303, "nothing became of it");
    assert_eq!(reader.post("/sign-out", &[("token", &token)]).status, 303, "it may leave");
}

#[test]
fn a_session_ends_when_its_key_expires() {
    let site = site();
    let expires_ms = Some(site.clock.now_ms() + 60_000);
    let key = site.key_as(&Wanted { expires_ms, ..Wanted::default() });
    let mut holder = site.browser();
    assert_eq!(holder.sign_in(&key).status, 303);
    site.clock.advance_ms(59_999);
    assert_eq!(holder.get("/").status, 200);
    site.clock.advance_ms(1);
    assert_eq!(holder.get("/").status, 303, "it is over in the very second");
    assert_eq!(holder.sign_in(&key).status, 403);
    let mut operator = site.browser();
    assert_eq!(operator.sign_in(&site.key(None)).status, 303);
    assert!(operator.get("/keys").text.contains("expired"));
}

#[test]
fn signing_out_everywhere_ends_every_session_of_the_key_and_no_other() {
    let site = site();
    let (key, other_key) = (site.key(None), site.key(None));
    let (mut one, mut other, mut somebody) = (site.browser(), site.browser(), site.browser());
    for (browser, key) in [(&mut one, &key), (&mut other, &key), (&mut somebody, &other_key)] {
        assert_eq!(browser.sign_in(key).status, 303);
    }
    let link = site.signed_call(&key, "POST", "/palisade/v1/dashboard").json();
    let token = one.get("/").token();
    let answer = one.post("/sign-out", &[("token", &token), ("everywhere", "yes")]);
    assert_eq!(answer.status, 303);
    assert_eq!(other.get("/").status, 303, "another session of the key");
    assert_eq!(somebody.get("/").status, 200, "another key");
    let path = link["path"].as_str().unwrap();
    let mut follower = site.browser();
    let token = follower.get(path).token();
    let (_, link) = path.split_once("?link=").unwrap();
    let answer = follower.post("/sign-in/link", &[("token", &token), ("link", link)]);
    assert_eq!(answer.status, 403, "its links are gone");
    site.clock.advance_ms(1);
    assert_eq!(one.sign_in(&key).status, 303);
    assert_eq!(one.get("/").status, 200, "who signs in again is in");
}

#[test]
fn a_session_that_somebody_planted_is_not_the_one_that_begins() {
    let site = site();
    let (attacker, victim) = (site.key(Some(&support::account(2))), site.key(None));
    let mut browser = site.browser();
    browser.sign_in(&attacker);
    let planted = browser.cookies.clone();
    let mut browser = site.browser();
    browser.cookies = planted.clone();
    assert_eq!(browser.sign_in(&victim).status, 303);
    assert_ne!(browser.cookies["palisade"], planted["palisade"]);
    let mut copy = site.browser();
    copy.cookies = planted;
    assert!(!copy.get("/").text.contains(&victim.id), "the planted one stays what it was");
}

#[test]
fn a_form_of_a_page_from_before_the_server_started_again_is_done_or_says_what_to_do() {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let before = Site::on(store.clone(), |set| set.auth = SIGV4);
    let mut browser = signed_in(&before, None);
    let token = browser.get("/keys").token();
    let again = Site::on(store.clone(), |set| set.auth = SIGV4);
    let mut same = again.browser();
    same.cookies = browser.cookies.clone();
    let made = same.post("/keys", &[("token", &token), ("act", "make")]);
    assert_eq!(made.status, 200, "{}", made.text);
    // Where nobody signs in, the pages of another process are of somebody else.
    let open = Site::on(store.clone(), |_| {});
    let token = open.browser().get("/keys").token();
    let count = store.keys().unwrap().len();
    let reopened = Site::on(store.clone(), |_| {});
    let refused = reopened.browser().post("/keys", &[("token", &token), ("act", "make")]);
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("load the page again"), "{}", refused.text);
    assert_eq!(store.keys().unwrap().len(), count, "nothing was made");
}

#[test]
fn a_form_of_a_session_whose_key_is_gone_does_nothing() {
    let site = site();
    let key = site.key(None);
    let mut browser = site.browser();
    assert_eq!(browser.sign_in(&key).status, 303);
    let token = browser.get("/keys").token();
    for act in ["disabled", "deleted"] {
        match act {
            "disabled" => site.enable(&key, false),
            _ => site.delete(&key),
        }
        let count = site.store.keys().unwrap().len();
        let answer = browser.post("/keys", &[("token", &token), ("act", "make")]);
        assert_eq!(answer.status, 303, "{act}: {}", answer.text);
        assert!(answer.header("location").starts_with("/sign-in?next="), "{act}");
        assert_eq!(site.store.keys().unwrap().len(), count, "{act}: nothing was made");
    }
}

#[test]
fn signing_out_everywhere_holds_over_a_restart_and_on_every_server() {
    let store = Arc::new(SqliteStore::in_memory([7; 32]).unwrap());
    let signed = || Site::on(store.clone(), |set| set.auth = SIGV4);
    let (here, there) = (signed(), signed());
    let (key, other_key) = (here.key(None), here.key(None));
    let (mut one, mut far, mut somebody) = (here.browser(), there.browser(), there.browser());
    assert_eq!(one.sign_in(&key).status, 303);
    assert_eq!(far.sign_in(&key).status, 303);
    assert_eq!(somebody.sign_in(&other_key).status, 303);
    let waiting = there.signed_call(&key, "POST", "/palisade/v1/dashboard").json();
    let copy = one.cookies.clone();
    let token = one.get("/").token();
    assert_eq!(one.post("/sign-out", &[("token", &token), ("everywhere", "yes")]).status, 303);
    let restarted = signed();
    for (site, cookies, what) in [
        (&there, &far.cookies, "another server"),
        (&restarted, &far.cookies, "another server, started again"),
        (&restarted, &copy, "a copy, after a restart"),
    ] {
        let mut browser = site.browser();
        browser.cookies = cookies.clone();
        assert_eq!(browser.get("/").status, 303, "{what}");
    }
    let path = waiting["path"].as_str().unwrap();
    let (_, link) = path.split_once("?link=").unwrap();
    let mut follower = there.browser();
    let token = follower.get(path).token();
    let answer = follower.post("/sign-in/link", &[("token", &token), ("link", link)]);
    assert_eq!(answer.status, 403, "a link of another server");
    assert_eq!(somebody.get("/").status, 200, "another key");
    let audit = somebody.get("/audit").text;
    assert!(audit.contains("SignOut") && audit.contains(&key.id), "{audit}");
    there.clock.advance_ms(1);
    assert_eq!(far.sign_in(&key).status, 303);
    assert_eq!(far.get("/").status, 200, "who signs in again is in");
}
