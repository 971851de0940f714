//! No page is heavy: whatever others wrote, and however many accounts there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_core::ident::{AccountId, Region, WaiverId};
use palisade_core::policy::PolicyFile;
use palisade_core::waiver::Waiver;
use palisade_store::{Control as _, ControlChange, Inventory as _, PolicyRecord};
use palisade_testkit::Rng;
use serde_json::{Value, json};

use crate::site::*;
use crate::support::{self, NOW_MS};

/// More than one page of a list has.
const MANY: u64 = palisade_dashboard::ROWS_MAX as u64 + 20;
const POLICIES: u64 = 12;
/// Resources of an account that break all policies.
const OPEN_GROUPS: u64 = 12;
/// Accounts of a large organization.
const ACCOUNTS: u64 = 50_000;

/// A text that gzip makes little of.
fn text(rng: &mut Rng, length: usize) -> String {
    let letters: Vec<char> =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM0123456789 -_äöü漢<&".chars().collect();
    (0..length).map(|_| *rng.choice(&letters).unwrap()).collect()
}

/// A group with as many rules that break the policy as a group has.
fn open_group(account: &str, id: &str, rng: &mut Rng) -> Value {
    let mut item = support::group(account, id, 5, "0.0.0.0/0", 22);
    let rules = (0..60).map(|_| {
        let range = format!("{}.{}.0.0/16", rng.u8(1..220), rng.u8(..));
        json!({"ipProtocol": "-1", "userIdGroupPairs": [], "ipv4Ranges": [{"cidrIp": range}],
            "ipv6Ranges": [], "ipRanges": [range], "prefixListIds": []})
    });
    item["configuration"]["ipPermissions"] = rules.collect();
    item["configuration"]["groupName"] = json!(text(rng, 255));
    item["tags"] = json!({ text(rng, 100): text(rng, 10_000) });
    item
}

/// Names of 10,000 characters, and more of everything than a page shows.
fn wordy() -> Site {
    let rng = &mut Rng::with_seed(7);
    let site = Site::open();
    let mut organization = support::organization(MANY);
    for account in organization["Accounts"].as_array_mut().unwrap() {
        account["Name"] = json!(text(rng, 10_000));
    }
    for unit in organization["OrganizationalUnits"].as_array_mut().unwrap() {
        unit["Name"] = json!(text(rng, 10_000));
    }
    support::decide(&*site.store, &organization, &[]);
    let audit = support::audit(
        "plain",
        &["AWS::EC2::SecurityGroup"],
        &json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "INGRESS"}}]),
    );
    let put = |change| {
        let revision = site.store.control_revision().unwrap();
        site.store.commit(revision, &[change], NOW_MS).unwrap();
    };
    for number in 0..POLICIES {
        let mut document = PolicyFile::parse(audit.to_string().as_bytes()).unwrap().policy;
        document.policy_name = text(rng, 128);
        document.policy_description = Some(text(rng, 256));
        put(ControlChange::PutPolicy(Arc::new(PolicyRecord {
            id: support::policy_id(number),
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
        })));
    }
    for number in 0..MANY {
        put(ControlChange::PutWaiver(Arc::new(Waiver {
            id: WaiverId::try_from(format!("waiver{number:04}").as_str()).unwrap(),
            policy: support::policy_id(number % POLICIES),
            accounts: Default::default(),
            units: Default::default(),
            resource_type: None,
            resource: "sg-1*".into(),
            reason: text(rng, 10_000).into(),
            owner: text(rng, 10_000).into(),
            ticket: Some(text(rng, 10_000).into()),
            from_ms: 0,
            until_ms: NOW_MS + 1_000_000,
            ended_ms: None,
            created_ms: 0,
        })));
        site.key(Some(&support::account(number)));
    }
    for number in 0..3 {
        let account = support::account(number);
        let groups: Vec<_> = (0..OPEN_GROUPS)
            .map(|id| open_group(&account, &format!("sg-{id:017x}"), rng))
            .collect();
        let (name, text) = support::snapshot(&account, number, &groups);
        site.store.accept(&support::read(&name, &text), NOW_MS, None).unwrap();
    }
    site.settle();
    site
}

/// Looks at pages, and at up to `more` that they lead to; answers the heaviest.
fn heaviest(site: &Site, first: &[String], more: usize) -> (usize, String) {
    let mut browser = site.browser();
    let mut queue: Vec<String> = first.to_vec();
    let mut seen: BTreeSet<String> = queue.iter().cloned().collect();
    let (mut heaviest, mut walked) = ((0, String::new()), 0);
    while let Some(address) = queue.pop() {
        walked += 1;
        let answer = browser.get(&address);
        assert_eq!(answer.status, 200, "{address}: {}", answer.text);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        assert!(answer.packed() <= PAGE_SIZE_MAX, "{address} has {} bytes", answer.packed());
        heaviest = heaviest.max((answer.packed(), address));
        for part in answer.text.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap().replace("&#38;", "&");
            let is_page =
                link.starts_with('/') && !link.contains("theme=") && !link.contains("as=");
            if is_page && seen.len() < first.len() + more && seen.insert(link.clone()) {
                queue.push(link);
            }
        }
    }
    assert_eq!(walked, seen.len());
    heaviest
}

#[test]
fn no_page_is_heavy_whatever_others_wrote() {
    let site = wordy();
    let (policy, account) = (support::policy_id(0), support::account(0));
    let resource = format!("type=AWS%3A%3AEC2%3A%3ASecurityGroup&id=sg-{:017x}", 1);
    let own = [
        format!("/policies/{policy}"),
        format!("/policies/{policy}/edit"),
        format!("/policies/{policy}/accounts/{account}"),
        format!("/policies/{policy}/accounts/{account}/resource?{resource}"),
        format!("/policies/{policy}/accounts/{account}/history"),
        format!("/accounts/{account}"),
        "/waivers/waiver0000".to_owned(),
    ];
    let pages: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).chain(own).collect();
    let (size, address) = heaviest(&site, &pages, 60);
    // And they show what there is.
    assert!(size > PAGE_SIZE_MAX / 20, "{address}: {size}");
}

#[test]
fn fifty_thousand_accounts_come_by_pages() {
    let site = Site::open();
    let policy = support::audit(
        "no-wide",
        &["AWS::EC2::SecurityGroup"],
        &json!([{"denyProtocolAllValue": true}, {"auditSgDirection": {"type": "ALL"}}]),
    );
    support::decide(&*site.store, &support::organization(ACCOUNTS), &[policy]);
    let (policy, account) = (support::policy_id(0), support::account(7));
    let own = [
        format!("/policies/{policy}"),
        format!("/policies/{policy}?page=500"),
        format!("/policies/{policy}/delete"),
        format!("/policies/{policy}/accounts/{account}"),
        format!("/accounts/{account}"),
        "/heatmap?view=table&page=500".to_owned(),
        "/sources?page=500".to_owned(),
    ];
    let pages: Vec<String> = PAGES.iter().map(|path| (*path).to_owned()).chain(own).collect();
    heaviest(&site, &pages, 0);
    let mut browser = site.browser();
    let all = browser.get(&format!("/policies/{policy}?as=json")).json()["shown"].clone();
    assert_eq!(all["paging"]["all"], ACCOUNTS);
    assert_eq!(all["accountList"].as_array().unwrap().len(), palisade_dashboard::ROWS_MAX);
    let overview = browser.get("/?as=json").json()["shown"].clone();
    assert_eq!(overview["accounts"]["notJudged"], ACCOUNTS);
    let cells = browser.get("/heatmap/cells").json();
    assert_eq!(cells["accounts"].as_array().unwrap().len() as u64, ACCOUNTS);
}
