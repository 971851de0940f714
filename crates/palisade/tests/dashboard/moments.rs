//! The moment in the address: pages tell how it stood then, as endpoints do, and lead on at that moment.

use serde_json::{Value, json};

use crate::site::*;

const REGION: &str = "eu-west-1";

fn shown(browser: &mut Browser<'_>, path: &str) -> Value {
    browser.get(&format!("{path}&as=json")).json()["shown"].clone()
}

fn policy(browser: &mut Browser<'_>, name: &str) -> String {
    let all = shown(browser, &format!("/policies?region={REGION}"));
    let found = all["policies"].as_array().unwrap().iter().find(|row| row["name"] == name);
    found.unwrap()["policy"].as_str().unwrap().to_owned()
}

/// Without what is told of now alone, and of a page's own address.
fn then(mut shown: Value) -> Value {
    for list in ["accountList", "regions"] {
        for row in shown[list].as_array_mut().into_iter().flatten() {
            for member in ["ageSeconds", "newest", "isStale"] {
                row.as_object_mut().unwrap().remove(member);
            }
        }
    }
    for member in ["ageSeconds", "judged"] {
        shown.as_object_mut().unwrap().remove(member);
    }
    for row in shown["policies"].as_array_mut().into_iter().flatten() {
        row.as_object_mut().unwrap().remove("judged");
    }
    shown
}

#[test]
fn pages_tell_of_the_moment_in_their_address_as_endpoints_do() {
    let site = Site::open();
    site.fill();
    let mut browser = site.browser();
    let id = policy(&mut browser, "payments-single-ports");
    let all = shown(&mut browser, &format!("/policies/{id}?region={REGION}"));
    let account = all["accountList"][0]["account"].as_str().unwrap().to_owned();
    assert!(all["accountList"][0]["state"]["violators"].as_u64().is_none_or(|count| count > 0));
    let paths = [
        format!("/policies/{id}?region={REGION}"),
        format!("/policies/{id}/accounts/{account}?region={REGION}"),
        format!("/accounts/{account}?region={REGION}"),
        format!("/violations?region={REGION}"),
        format!("/heatmap?region={REGION}&view=table"),
        format!("/policies?region={REGION}"),
    ];
    let before: Vec<Value> = paths.iter().map(|path| then(shown(&mut browser, path))).collect();
    let at = palisade_api::own::moment(palisade_api::Clock::now_ms(&*site.clock));

    // The policy allows more, and is gone at last.
    site.clock.advance_ms(60_000);
    let mut edited =
        site.call(REGION, "GetPolicy", &json!({"PolicyId": id})).json()["Policy"].clone();
    let data = &mut edited["SecurityServicePolicyData"]["ManagedServiceData"];
    let text = data.as_str().unwrap().to_owned();
    let wider =
        text.replace("\"allowedPortCountPerSgRule\":1", "\"allowedPortCountPerSgRule\":65535");
    assert_ne!(wider, text);
    *data = json!(wider);
    site.call(REGION, "PutPolicy", &json!({"Policy": edited})).json();
    site.settle();
    site.clock.advance_ms(60_000);
    for (path, before) in paths.iter().zip(&before).take(5) {
        assert_ne!(
            then(shown(&mut browser, path)),
            *before,
            "{path} tells of now without a moment"
        );
    }
    site.call(REGION, "DeletePolicy", &json!({"PolicyId": id}));
    site.settle();
    site.clock.advance_ms(60_000);
    assert_eq!(browser.get(&paths[0]).status, 404);
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(
            then(shown(&mut browser, &format!("{path}&at={at}"))),
            *before,
            "{path} at {at}"
        );
        let page = browser.get(&format!("{path}&at={at}"));
        assert!(page.text.contains("As it was known at"), "{path}");
        assert!(page.text.contains("Back to now"), "{path}");
        assert!(!page.text.contains("AWS CLI"), "{path}: AWS's tool knows no past");
        assert!(!page.text.contains("never told"), "{path} claims an age that is not kept");
    }

    // As the endpoint has it.
    let told = site.own("GET", &format!("/palisade/v1/policies/{id}/accounts?at={at}"), "").json();
    let page = shown(&mut browser, &format!("{}&at={at}", paths[0]));
    let rows = told["accounts"].as_array().unwrap();
    assert_eq!(rows.len(), page["accountList"].as_array().unwrap().len());
    let of = |id: &Value| {
        let row = rows.iter().find(|row| row["account"] == *id).unwrap();
        row["violatorCount"].as_u64().unwrap()
    };
    let sum: u64 =
        page["accountList"].as_array().unwrap().iter().map(|row| of(&row["account"])).sum();
    assert_eq!(page["accounts"]["violators"], json!(sum));
}

#[test]
fn links_stay_at_the_moment_and_changes_are_made_now() {
    let site = Site::sample();
    let mut browser = site.browser();
    let id = policy(&mut browser, "public-web-only");
    let at = palisade_api::own::moment(palisade_api::Clock::now_ms(&*site.clock));
    let typed = at.trim_end_matches('Z');
    // As the field has it, which is UTC.
    let page = browser.get(&format!("/policies/{id}?region={REGION}&at={typed}"));
    assert_eq!(page.status, 200, "{}", page.text);
    let escaped = at.replace(':', "%3A");
    let to = |path: &str| {
        let parts = page.text.split("href=\"").skip(1).filter_map(|part| part.split('"').next());
        let found =
            parts.map(|href| href.replace("&#38;", "&")).find(|href| href.starts_with(path));
        found.unwrap_or_else(|| panic!("no link to {path}"))
    };
    for path in ["/heatmap?", &format!("/policies/{id}/accounts/"), "/violations?", "/sources?"] {
        assert!(to(path).contains(&format!("at={escaped}")), "{}", to(path));
    }
    for path in [&format!("/policies/{id}/edit"), "/waivers/new", "/keys"] {
        assert!(!to(path).contains("at="), "{}", to(path));
    }
    // A page that tells of now says so.
    let sources = browser.get(&format!("/sources?region={REGION}&at={typed}"));
    assert_eq!(sources.status, 200);
    assert!(sources.text.contains("This page tells of now, not of"), "{}", sources.text);
}

#[test]
fn a_moment_that_nothing_is_kept_of_is_refused_in_words() {
    let site = Site::sample();
    let mut browser = site.browser();
    for (at, words) in [
        ("yesterday", "which is no moment"),
        ("2000-01-01T00:00:00Z", "is before the past that is kept"),
        ("2999-01-01T00:00:00Z", "has not come"),
    ] {
        let page = browser.get(&format!("/?region={REGION}&at={at}"));
        assert_eq!(page.status, 400, "{at}");
        assert!(page.text.contains(words), "{at}: {}", page.text);
    }
}

#[test]
fn a_policy_is_deleted_after_its_page_said_what_goes() {
    let site = Site::open();
    site.fill();
    let mut browser = site.browser();
    let id = policy(&mut browser, "payments-single-ports");
    let path = format!("/policies/{id}/delete?region={REGION}");
    let page = browser.get(&path);
    assert_eq!(page.status, 200, "{}", page.text);
    let of_policy = shown(&mut browser, &format!("/policies/{id}?region={REGION}"));
    assert_eq!(shown(&mut browser, &path)["tally"], of_policy["accounts"]);
    assert!(page.text.contains(">Delete policy"), "{}", page.text);
    // By the page's own form alone.
    assert_eq!(browser.post(&path, &[("token", "another")]).status, 403);
    site.call(REGION, "GetPolicy", &json!({"PolicyId": id})).json();
    let done = browser.post(&path, &[("token", &page.token())]);
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(site.call(REGION, "GetPolicy", &json!({"PolicyId": id})).status, 400);
    // A second tab.
    assert_eq!(browser.post(&path, &[("token", &page.token())]).status, 404);
}
