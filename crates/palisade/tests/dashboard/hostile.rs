//! Names, ids and tags that try to be something else: on every page they are text.

use std::sync::Arc;

use palisade_core::ident::{AccountId, Region, WaiverId};
use palisade_core::policy::PolicyFile;
use palisade_core::waiver::Waiver;
use palisade_store::{Control as _, ControlChange, Inventory as _, PolicyRecord};
use serde_json::json;

use crate::site::*;
use crate::support::{self, NOW_MS};

const MARKUP: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}";
const TERMINAL: &str = "a\u{1b}[2J\u{9b}31m\r\nb";
const REVERSED: &str = "gpj\u{202e}exe\u{2066}\u{200b}";

/// Accounts, units, policies and resources with names of all kinds, judged.
fn site() -> Site {
    let site = Site::open();
    let long = "x".repeat(10_000);
    let names = [MARKUP, TERMINAL, REVERSED, &long, "=1+1", "C:\\&amp;"];
    let mut organization = support::organization(names.len() as u64 + 1);
    for (at, name) in names.iter().enumerate() {
        organization["Accounts"][at + 1]["Name"] = json!(name);
    }
    for unit in 0..2 {
        organization["OrganizationalUnits"][unit]["Name"] = json!(format!("{MARKUP}{REVERSED}"));
    }
    let audit = support::audit(
        "plain",
        &["AWS::EC2::SecurityGroup"],
        &json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "INGRESS"}}]),
    );
    support::decide(&*site.store, &organization, &[]);
    // A policy's name is checked when it is put; a store that somebody wrote to may hold any.
    for (at, name) in names.iter().enumerate() {
        let mut document = PolicyFile::parse(audit.to_string().as_bytes()).unwrap().policy;
        document.policy_name = (*name).to_owned();
        document.policy_description = Some((*name).to_owned());
        let record = PolicyRecord {
            id: support::policy_id(at as u64),
            owner: AccountId::try_from(support::account(1)).unwrap(),
            region: Region::try_from("us-east-1").unwrap(),
            revision: 1,
            token: "1:AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
            former_names: Vec::new(),
            former_entry_sets: None,
            document,
            tags: Default::default(),
            created_ms: 0,
            updated_ms: 0,
        };
        let revision = site.store.control_revision().unwrap();
        site.store.commit(revision, &[ControlChange::PutPolicy(Arc::new(record))], NOW_MS).unwrap();
    }
    let words = |text: &str| -> Box<str> { text.into() };
    let waiver = Waiver {
        id: WaiverId::try_from("hostileWaiver").unwrap(),
        policy: support::policy_id(0),
        accounts: Default::default(),
        units: Default::default(),
        resource_type: None,
        resource: words("sg-<b>*"),
        reason: words(MARKUP),
        owner: words(REVERSED),
        ticket: Some(words(TERMINAL)),
        from_ms: 0,
        until_ms: NOW_MS + 1_000_000,
        ended_ms: None,
        created_ms: 0,
    };
    let revision = site.store.control_revision().unwrap();
    let put = ControlChange::PutWaiver(Arc::new(waiver));
    site.store.commit(revision, &[put], NOW_MS).unwrap();
    for number in 0..names.len() as u64 {
        let account = support::account(number);
        let ids = ["sg-1", "sg-<b>\"'&", "sg-'; drop"];
        let groups: Vec<_> = ids
            .iter()
            .map(|id| {
                let mut item = support::group(&account, id, 5, "0.0.0.0/0", 22);
                item["configuration"]["ipPermissions"][0]["ipProtocol"] = json!("-1");
                item["configuration"]["groupName"] = json!(MARKUP);
                item["tags"] = json!({ MARKUP: REVERSED });
                item
            })
            .collect();
        let (name, text) = support::snapshot(&account, number, &groups);
        site.store.accept(&support::read(&name, &text), NOW_MS, None).unwrap();
    }
    site.settle();
    site
}

/// In a spreadsheet markup is text, as long as no browser shows it.
fn is_safe(what: &str, text: &str, is_html: bool) {
    for hidden in ['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200b}', '\r'] {
        assert!(!text.contains(hidden), "{what} has U+{:04x}", u32::from(hidden));
    }
    for markup in ["<script>alert", "<img src=x", "<b>\"", "onerror=alert(1)>"] {
        assert!(!is_html || !text.contains(markup), "{what} has {markup}");
    }
}

#[test]
fn whatever_names_are_they_stay_text_on_every_page() {
    let site = site();
    let mut browser = site.browser();
    let mut queue: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).collect();
    for value in [MARKUP, TERMINAL, REVERSED, "policy:\"<b>\"", "x:\u{202e}"] {
        queue.push(format!("/violations?q={}", encoded(value)));
        queue.push(format!("/audit?operation={}", encoded(value)));
        queue.push(format!("/policies?region={}", encoded(value)));
        queue.push(format!("/policies/{}", encoded(value)));
        queue.push(format!("/accounts/{}", encoded(value)));
        queue.push(format!("/?theme={}", encoded(value)));
        queue.push(format!("/waivers/new?id={0}&account={0}&type={0}&unit={0}", encoded(value)));
        queue.push(format!("/waivers?state={0}", encoded(value)));
        queue.push(format!("/changes?from={0}&policy={0}", encoded(value)));
        queue.push(format!("/history?days={0}", encoded(value)));
        queue.push(format!("/policies/new?type={0}", encoded(value)));
        queue.push(format!("/{}", encoded(value)));
    }
    let mut seen: std::collections::BTreeSet<String> = queue.iter().cloned().collect();
    let mut walked = 0;
    while let Some(address) = queue.pop() {
        walked += 1;
        let answer = browser.get(&address);
        assert!([200, 400, 404].contains(&answer.status), "{address}: {}", answer.status);
        assert!(answer.text.len() < 400_000, "{address}: {} bytes", answer.text.len());
        if answer.header("content-type") == "application/json" {
            // Programs get names whole; no browser shows them as a page.
            assert!(!answer.header("content-disposition").is_empty() || answer.status == 404);
            continue;
        }
        is_safe(&address, &answer.text, answer.header("content-type").starts_with("text/html"));
        for part in answer.text.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap().replace("&#38;", "&");
            let is_page = link.starts_with('/') && !link.contains("theme=");
            if is_page && walked < 600 && seen.insert(link.clone()) {
                queue.push(link);
            }
        }
    }
    assert!(walked > 100, "{walked}");
    for page in ["/waivers/", "/edit?", "/history?", "/changes?"] {
        assert!(seen.iter().any(|address| address.contains(page)), "nothing leads to {page}");
    }
}

#[test]
fn what_is_typed_into_forms_stays_text() {
    let site = site();
    let mut browser = site.browser();
    let policy = support::policy_id(0).to_string();
    for value in [MARKUP, TERMINAL, REVERSED] {
        let token = browser.get("/waivers/new").token();
        let members = |name| [("token", token.as_str()), (name, value), ("act", "preview")];
        for (path, name) in [
            ("/waivers/new".to_owned(), "until"),
            ("/waivers/new".to_owned(), "reason"),
            ("/waivers/hostileWaiver".to_owned(), "until"),
            ("/keys".to_owned(), "act"),
            ("/keys".to_owned(), "account"),
            ("/policies/new".to_owned(), "text"),
            (format!("/policies/{policy}/edit"), "text"),
        ] {
            let answer = browser.post(&path, &members(name));
            assert!([400, 404].contains(&answer.status), "{path} {name}: {}", answer.status);
            is_safe(&path, &answer.text, true);
        }
    }
}

#[test]
fn a_ledger_of_nothing_says_what_to_do_next_and_counts_nothing() {
    let site = Site::open();
    let mut browser = site.browser();
    for path in PAGES {
        let answer = browser.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(!answer.text.contains("class=\"figure\""), "{path} has a figure of nothing");
        let is_form = path.ends_with("/new");
        assert!(is_form || answer.text.contains("empty"), "{path} says what is missing");
    }
}

#[test]
fn a_name_is_found_as_it_is_written() {
    let site = site();
    let mut browser = site.browser();
    let found = browser.get("/violations?as=json&q=sg-%3Cb%3E").json();
    assert!(!found["shown"]["violators"].as_array().unwrap().is_empty());
    for row in found["shown"]["violators"].as_array().unwrap() {
        assert_eq!(row["resource"], "sg-<b>\"'&");
    }
    let html = browser.get("/violations?q=sg-%3Cb%3E").text;
    assert!(html.contains("sg-&#60;b&#62;&#34;&#39;&#38;"), "{html}");
    let (_, rest) = html.split_once("<th scope=\"row\" class=\"id\"><a href=\"").unwrap();
    let link = rest.split('"').next().unwrap().replace("&#38;", "&");
    let page = browser.get(&link);
    assert_eq!(page.status, 200, "{link}");
    assert!(page.text.contains("What would end it"));
}
