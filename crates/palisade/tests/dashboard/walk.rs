//! A walk over the links of the sample organization, and its figures held against Firewall Manager's
//! operations and Palisade's endpoints.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::site::*;

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Bytes of a page as gzip packs it.
const PAGE_SIZE_MAX: usize = 100 * 1024;
/// Addresses of one kind that are walked.
const OF_A_KIND_MAX: usize = 150;

/// The links of a page.
fn links(html: &str) -> Vec<String> {
    let parts = html.split("href=\"").skip(1).filter_map(|part| part.split('"').next());
    parts.map(|href| href.replace("&#38;", "&").replace("&amp;", "&")).collect()
}

/// What kind of page an address is of: its path without ids, and the names of its query.
fn kind(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let is_id = |word: &str| word.len() >= 12 && word.bytes().any(|byte| byte.is_ascii_digit());
    let path: Vec<&str> =
        path.split('/').map(|word| if is_id(word) { "*" } else { word }).collect();
    let names: BTreeSet<&str> =
        query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{} {}", path.join("/"), names.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_link_of_the_sample_leads_to_a_page() {
    let site = Site::sample();
    let mut browser = site.browser();
    let mut queue: VecDeque<String> =
        REGIONS.iter().map(|region| format!("/?region={region}")).collect();
    let mut seen: BTreeSet<String> = queue.iter().cloned().collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let (mut walked, mut largest) = (0, (0, String::new()));
    while let Some(address) = queue.pop_front() {
        let count = kinds.entry(kind(&address)).or_default();
        *count += 1;
        if *count > OF_A_KIND_MAX {
            continue;
        }
        walked += 1;
        let answer = browser.get(&address);
        assert_eq!(answer.status, 200, "{address}: {}", answer.text);
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        assert!(answer.text.contains("<main"), "{address}");
        assert!(answer.text.contains("Read 20"), "{address} does not say of when it is");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(answer.text.as_bytes()).unwrap();
        largest = largest.max((gzip.finish().unwrap().len(), address.clone()));
        for link in links(&answer.text) {
            if link.starts_with('#') || link.starts_with("/assets/") || link.contains("theme=") {
                continue;
            }
            assert!(link.starts_with('/') && !link.starts_with("//"), "{address} leads to {link}");
            assert!(link.contains("region="), "{address} leads to {link}, which has no Region");
            if seen.insert(link.clone()) {
                queue.push_back(link);
            }
        }
    }
    assert!(largest.0 <= PAGE_SIZE_MAX, "{largest:?}");
    for page in [
        "/ region",
        "/policies/* region",
        "/policies/*/accounts/* region",
        "/policies/*/accounts/*/resource id region type",
        "/accounts/* region",
        "/heatmap region view",
        "/violations q region",
        "/sources region",
        "/audit region",
        "/violations page region",
    ] {
        assert!(kinds.contains_key(page), "nothing leads to {page}: {kinds:#?}");
    }
    assert!(walked > 300, "{walked}");
}

/// Everything that `ListComplianceStatus` says of a Region: by policy id, then account.
fn compliance(region: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let site = Site::sample();
    let mut all = BTreeMap::new();
    let policies = site.call(region, "ListPolicies", &json!({})).json();
    for policy in policies["PolicyList"].as_array().unwrap() {
        let id = policy["PolicyId"].as_str().unwrap();
        let mut accounts = BTreeMap::new();
        let mut input = json!({"PolicyId": id, "MaxResults": 7});
        loop {
            let page = site.call(region, "ListComplianceStatus", &input).json();
            for status in page["PolicyComplianceStatusList"].as_array().unwrap() {
                accounts
                    .insert(status["MemberAccount"].as_str().unwrap().to_owned(), status.clone());
            }
            match page.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => break,
            }
        }
        all.insert(id.to_owned(), accounts);
    }
    all
}

/// What a status of the operation is called on pages.
fn state(status: &Value) -> (&'static str, u64) {
    let result = &status["EvaluationResults"][0];
    match result["ComplianceStatus"].as_str() {
        Some("COMPLIANT") => ("complies", 0),
        Some("NON_COMPLIANT") => ("violates", result["ViolatorCount"].as_u64().unwrap()),
        None => ("not-known", 0),
        Some(other) => panic!("{other}"),
    }
}

fn shown(address: &str) -> Value {
    let between = if address.contains('?') { '&' } else { '?' };
    Site::sample().browser().get(&format!("{address}{between}as=json")).json()["shown"].clone()
}

#[test]
fn figures_of_policies_are_those_of_the_operation() {
    for region in REGIONS {
        let told = compliance(region);
        let page = shown(&format!("/policies?region={region}"));
        let rows = page["policies"].as_array().unwrap();
        assert_eq!(rows.len(), told.len(), "{region}");
        for row in rows {
            let id = row["policy"].as_str().unwrap();
            let states: Vec<_> = told[id].values().map(state).collect();
            let count =
                |name: &str| states.iter().filter(|(state, _)| *state == name).count() as u64;
            let tally = &row["accounts"];
            assert_eq!(tally["violate"], count("violates"), "{region} {id}");
            assert_eq!(tally["comply"], count("complies"), "{region} {id}");
            assert_eq!(tally["notKnown"], count("not-known"), "{region} {id}");
            assert_eq!(tally["notJudged"], 0, "{region} {id}");
            let violators: u64 = states.iter().map(|(_, violators)| violators).sum();
            assert_eq!(tally["violators"], violators, "{region} {id}");
            accounts_agree(region, id, &told[id]);
        }
    }
}

/// A policy's page, its endpoint and the operation say the same of every account.
fn accounts_agree(region: &str, id: &str, told: &BTreeMap<String, Value>) {
    let page = shown(&format!("/policies/{id}?region={region}"));
    let rows = page["accountList"].as_array().unwrap();
    assert_eq!(rows.len(), told.len(), "{region} {id}");
    let path = format!("/palisade/v1/policies/{id}/accounts?limit=1000");
    let endpoint = Site::sample().own("GET", &path, "").json();
    let known: BTreeMap<&str, &Value> = (endpoint["accounts"].as_array().unwrap().iter())
        .map(|known| (known["account"].as_str().unwrap(), known))
        .collect();
    let mut before = u64::MAX;
    for row in rows {
        let account = row["account"].as_str().unwrap();
        let (name, violators) = state(&told[account]);
        assert_eq!(row["state"]["name"], name, "{region} {id} {account}");
        assert_eq!(row["ageSeconds"], known[account]["ageSeconds"], "{region} {id} {account}");
        assert_eq!(row["name"], known[account]["accountName"], "{region} {id} {account}");
        if name == "violates" {
            assert_eq!(row["state"]["violators"], violators, "{region} {id} {account}");
            assert!(violators <= before, "{region} {id}: sorted by violators");
            before = violators;
        } else {
            assert_eq!(row["state"].get("violators"), None, "{region} {id} {account}: no number");
        }
    }
}

#[test]
fn figures_of_the_overview_are_sums_of_the_operation() {
    for region in REGIONS {
        let told = compliance(region);
        let organization = Site::sample().own("GET", "/palisade/v1/organization", "").json();
        let mut count: BTreeMap<&str, u64> = BTreeMap::new();
        let mut violators = 0;
        for account in organization["Accounts"].as_array().unwrap() {
            let account = account["Id"].as_str().unwrap();
            let states: Vec<_> =
                told.values().filter_map(|accounts| accounts.get(account)).map(state).collect();
            violators += states.iter().map(|(_, violators)| violators).sum::<u64>();
            let order = ["violates", "not-known", "complies"];
            let worst =
                order.into_iter().find(|name| states.iter().any(|(state, _)| state == name));
            *count.entry(worst.unwrap_or("out-of-scope")).or_default() += 1;
        }
        let page = shown(&format!("/?region={region}"));
        let tally = &page["accounts"];
        assert_eq!(tally["violate"], count["violates"], "{region}");
        assert_eq!(tally["notKnown"], count["not-known"], "{region}");
        assert_eq!(tally["comply"], count["complies"], "{region}");
        assert_eq!(tally["outOfScope"], count["out-of-scope"], "{region}");
        assert_eq!(tally["violators"], violators, "{region}");
        // And people read the same.
        let html = Site::sample().browser().get(&format!("/?region={region}")).text;
        for name in ["violates", "not-known", "complies", "out-of-scope"] {
            let (_, rest) = html.split_once(&format!("<li class=\"{name}\">")).unwrap();
            let (_, rest) = rest.split_once("<span class=\"figure\">").unwrap();
            assert!(rest.starts_with(&format!("{}<", count[name])), "{region} {name}");
        }
    }
}

#[test]
fn violators_are_those_of_the_endpoint_with_the_evidence() {
    let site = Site::sample();
    for region in REGIONS {
        let mut all = Vec::new();
        for id in compliance(region).keys() {
            let path = format!("/palisade/v1/policies/{id}/violators?limit=1000");
            let page = site.own("GET", &path, "").json();
            assert_eq!(page.get("next"), None, "one page holds them");
            all.extend(page["violators"].as_array().unwrap().iter().map(|violator| {
                let summary = violator["evidence"][0]["summary"].clone();
                let id = &violator["ResourceId"];
                (violator["account"].clone(), id.clone(), summary, violator["since"].clone())
            }));
        }
        let mut found = Vec::new();
        for page in 1.. {
            let page = shown(&format!("/violations?region={region}&page={page}"));
            found.extend(page["violators"].as_array().unwrap().iter().map(|row| {
                let evidence = row["evidence"][0].clone();
                (row["account"].clone(), row["resource"].clone(), evidence, row["since"].clone())
            }));
            assert_eq!(page["paging"]["all"], all.len(), "{region}");
            if found.len() >= all.len() {
                break;
            }
        }
        let key = |row: &(Value, Value, Value, Value)| format!("{row:?}");
        all.sort_by_key(key);
        found.sort_by_key(key);
        assert_eq!(found, all, "{region}");
        assert!(all.len() > 50, "{region}: {}", all.len());
    }
}

#[test]
fn what_is_not_known_is_listed_with_the_words_of_the_operation() {
    for region in REGIONS {
        let mut told = BTreeSet::new();
        for accounts in compliance(region).values() {
            for (account, status) in accounts {
                for (service, text) in status["IssueInfoMap"].as_object().unwrap() {
                    told.insert((
                        account.clone(),
                        service.clone(),
                        text.as_str().unwrap().to_owned(),
                    ));
                }
            }
        }
        let page = shown(&format!("/sources?region={region}"));
        let gaps = page["gaps"].as_array().unwrap();
        let listed: BTreeSet<_> = (gaps.iter())
            .map(|gap| {
                let text = |member: &str| gap[member].as_str().unwrap().to_owned();
                (text("account"), text("service"), text("why"))
            })
            .collect();
        assert_eq!(listed, told, "{region}");
        let ages: Vec<i64> =
            gaps.iter().map(|gap| gap["ageSeconds"].as_i64().unwrap_or(i64::MAX)).collect();
        assert!(ages.is_sorted_by(|one, other| one >= other), "{region}: oldest first: {ages:?}");
        assert_eq!(ages.first(), Some(&i64::MAX), "{region}: one was never told of");
    }
}

#[test]
fn the_heatmap_and_its_table_say_the_same() {
    let site = Site::sample();
    for region in REGIONS {
        let told = compliance(region);
        let cells = site.browser().get(&format!("/heatmap/cells?region={region}")).json();
        let table = shown(&format!("/heatmap?view=table&region={region}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let policies = cells["policies"].as_array().unwrap();
        let rows = cells["accounts"].as_array().unwrap();
        let table_rows = table["accounts"].as_array().unwrap();
        assert_eq!((rows.len(), table_rows.len()), (48, 48), "{region}");
        for (at, row) in rows.iter().enumerate() {
            let row = text(row);
            let parts: Vec<&str> = row.splitn(4, ' ').collect();
            let account = parts[0].to_owned();
            assert_eq!(parts[3], text(&table_rows[at]["name"]), "{region} {account}");
            assert_eq!(text(&table_rows[at]["account"]), account);
            let mut rest = parts[2];
            for policy in policies {
                let status = told[&text(&policy[0])].get(&account);
                let (name, violators) = status.map_or(("out-of-scope", 0), state);
                let expected = match name {
                    "complies" => ".".to_owned(),
                    "violates" if violators > 9 => format!("({violators})"),
                    "violates" => violators.to_string(),
                    "not-known" => "?".to_owned(),
                    _ => "-".to_owned(),
                };
                let behind = rest.strip_prefix(&expected);
                rest = behind.unwrap_or_else(|| panic!("{region} {account} {policy}: {row}"));
                let here = |one: &&Value| one["policy"] == policy[0];
                let column =
                    table["policies"].as_array().unwrap().iter().position(|one| here(&one));
                let same = &table_rows[at]["states"][column.unwrap()]["state"];
                assert_eq!(same["name"], name, "{region} {account} {policy}");
            }
            assert_eq!(rest, "", "{region} {account}: {row}");
        }
    }
}

#[test]
fn every_list_is_a_spreadsheet_of_the_same_rows() {
    let site = Site::sample();
    for (path, list) in [
        ("/policies", "policies"),
        ("/violations", "violators"),
        ("/violations?q=reason:*", "violators"),
        ("/sources", "gaps"),
        ("/audit", "events"),
    ] {
        let between = if path.contains('?') { '&' } else { '?' };
        let answer = site.browser().get(&format!("{path}{between}as=csv"));
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8", "{path}");
        assert!(
            answer.header("content-disposition").starts_with("attachment; filename=\"palisade-")
        );
        let rows = answer.text.lines().count() - 1;
        assert_eq!(rows, shown(path)[list].as_array().unwrap().len(), "{path}");
    }
    assert_eq!(site.browser().get("/policies?as=xml").status, 400);
}

#[test]
fn pages_lead_through_a_list_and_end() {
    let site = Site::sample();
    for (path, status) in [
        ("/violations?page=1", 200),
        ("/violations?page=2", 200),
        ("/violations?page=1000", 400),
        ("/violations?page=0", 400),
        ("/violations?page=x", 400),
        ("/policies?page=2", 400),
        ("/heatmap?view=table&from=99", 400),
        ("/audit?before=x", 400),
    ] {
        assert_eq!(site.browser().get(path).status, status, "{path}");
    }
    let long = "x".repeat(palisade_dashboard::QUERY_SIZE_MAX - 2);
    assert_eq!(site.browser().get(&format!("/?q={long}")).status, 200);
    assert_eq!(site.browser().get(&format!("/?q={long}x")).status, 400);
}
