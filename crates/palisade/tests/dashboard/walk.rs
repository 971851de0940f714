//! A walk over the links of the sample organization, and its figures held against Firewall Manager's
//! operations and Palisade's endpoints.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use crate::site::*;

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Addresses of one kind that are walked.
const OF_A_KIND_MAX: usize = 150;
/// The same of pages that read many moments.
const OF_THE_PAST_MAX: usize = 12;

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

/// The commands that a page offers to be copied.
fn commands(html: &str) -> impl Iterator<Item = String> {
    let parts = html.split("<code class=\"command\"").skip(1);
    parts.filter_map(|part| {
        let text = part.split_once('>')?.1.split('<').next()?;
        Some(text.replace("&#39;", "'").replace("&#34;", "\"").replace("&#38;", "&"))
    })
}

/// The words of a command as a shell reads them.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (nth, part) in command.split(['\'', '"']).enumerate() {
        match nth % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// An address with alternatives between braces, as curl asks for it.
fn written_out(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (all, behind) = rest.split_once('}').unwrap();
    all.split(',').map(|one| format!("{before}{one}{behind}")).collect()
}

/// A command is one that the program, AWS's tool or curl knows.
fn is_command(address: &str, command: &str) {
    let words = words(command);
    match words[0].as_str() {
        "palisade" => {
            let read = <palisade::args::Cli as clap::Parser>::try_parse_from(&words);
            assert!(read.is_ok(), "{address}: {command}: {}", read.unwrap_err());
        }
        "aws" => {
            let is_one = |operation: &palisade_wire::Operation| {
                let mut kebab = String::new();
                for c in operation.name().chars() {
                    if c.is_ascii_uppercase() && !kebab.is_empty() {
                        kebab.push('-');
                    }
                    kebab.push(c.to_ascii_lowercase());
                }
                kebab == words[2]
            };
            assert!(palisade_wire::Operation::ALL.iter().any(is_one), "{address}: {command}");
        }
        // The same operation for each of several policies.
        "for" => {
            let body = command.split_once("; do ").unwrap().1;
            let one =
                body.strip_suffix("; done").unwrap().replace("$id", &words[3].replace(';', ""));
            is_command(address, &one);
        }
        "curl" => {
            let path = words.last().unwrap().split_once(":7780").unwrap().1;
            for path in written_out(path) {
                let answer = Site::sample().own("GET", &path, "");
                assert_eq!(answer.status, 200, "{address}: {command}: {}", answer.text);
            }
        }
        other => panic!("{address}: {other}"),
    }
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
        let is_past = ["/history?", "/changes?"].iter().any(|past| address.starts_with(past))
            || address.contains("&at=");
        if *count > if is_past { OF_THE_PAST_MAX } else { OF_A_KIND_MAX } {
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
        commands(&answer.text).for_each(|command| is_command(&address, &command));
        assert!(answer.text.contains("Copy as"), "{address} tells no command that prints the same");
        largest = largest.max((answer.packed(), address.clone()));
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
        "/policies/*/edit region",
        "/policies/new region type",
        "/policies/*/accounts/*/history region",
        "/history policy region",
        "/history account region",
        "/history days region",
        "/changes policy region",
        "/changes from region",
        "/waivers region",
        "/waivers/new policy region",
        "/waivers/new account id policy region type",
        "/keys region",
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
fn figures_of_accounts_are_those_of_the_operation() {
    for region in REGIONS {
        let told = compliance(region);
        let organization = Site::sample().own("GET", "/palisade/v1/organization", "").json();
        for account in organization["Accounts"].as_array().unwrap() {
            let account = account["Id"].as_str().unwrap();
            let page = shown(&format!("/accounts/{account}?region={region}"));
            let rows = page["policies"].as_array().unwrap();
            let about: BTreeMap<&str, &Value> = (told.iter())
                .filter_map(|(id, accounts)| Some((id.as_str(), accounts.get(account)?)))
                .collect();
            assert_eq!(rows.len(), about.len(), "{region} {account}");
            assert_eq!(page["outOfScope"], told.len() - about.len(), "{region} {account}");
            let mut sum = 0;
            for row in rows {
                let id = row["policy"].as_str().unwrap();
                let (name, violators) = state(about[id]);
                assert_eq!(row["state"]["name"], name, "{region} {account} {id}");
                let told = row["state"].get("violators").and_then(Value::as_u64);
                assert_eq!(
                    told,
                    (name == "violates").then_some(violators),
                    "{region} {account} {id}"
                );
                sum += violators;
            }
            let all = page["state"].get("violators").and_then(Value::as_u64).unwrap_or(0);
            assert_eq!(all, sum, "{region} {account}");
        }
    }
}

#[test]
fn an_account_under_a_policy_is_what_the_operation_and_the_endpoint_tell_of_it() {
    let site = Site::sample();
    let region = "us-east-1";
    for (id, accounts) in compliance(region) {
        for (account, status) in accounts {
            let page = shown(&format!("/policies/{id}/accounts/{account}?region={region}"));
            let (name, violators) = state(&status);
            assert_eq!(page["state"]["name"], name, "{id} {account}");
            let path =
                format!("/palisade/v1/policies/{id}/accounts/{account}/violators?limit=1000");
            let endpoint = site.own("GET", &path, "").json();
            let endpoint = endpoint["violators"].as_array().unwrap();
            let rows = page["violators"].as_array().unwrap();
            assert_eq!(endpoint.len() as u64, violators, "{id} {account}");
            assert_eq!(
                rows.len(),
                endpoint.len().min(palisade_dashboard::ROWS_MAX),
                "{id} {account}"
            );
            let input = json!({"PolicyId": id, "MemberAccount": account});
            let detail = site.call(region, "GetComplianceDetail", &input).json();
            let detail = detail["PolicyComplianceDetail"]["Violators"].as_array().unwrap();
            assert_eq!(detail.len(), rows.len(), "{id} {account}");
            for ((row, told), listed) in rows.iter().zip(endpoint).zip(detail) {
                assert_eq!(row["resource"], told["ResourceId"], "{id} {account}");
                assert_eq!(row["since"], told["since"], "{id} {account} {row}");
                assert_eq!(row["resource"], listed["ResourceId"], "{id} {account}");
                assert_eq!(row["resourceType"], listed["ResourceType"], "{id} {account} {row}");
                assert_eq!(row["reason"], listed["ViolationReason"], "{id} {account} {row}");
            }
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
                    "violates" => {
                        let digits = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&*+,/:;<=>@[]^_`{|}";
                        let digit = |nth: u64| digits.chars().nth(nth as usize).unwrap();
                        match violators {
                            1..=75 => digit(violators - 1).to_string(),
                            76..=831 => {
                                let rest = violators - 76;
                                format!("{}{}", digit(75 + rest / 84), digit(rest % 84))
                            }
                            _ => format!("({violators})"),
                        }
                    }
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
fn changes_are_those_of_the_endpoint() {
    let site = Site::sample();
    let page = shown("/changes?region=us-east-1&as=json");
    let (from, to) = (page["from"].as_str().unwrap(), page["to"].as_str().unwrap());
    let path = format!(
        "/palisade/v1/changes?from={from}&to={to}&limit={}",
        palisade_dashboard::CHANGES_SHOWN_MAX
    );
    let told = site.own("GET", &path, "").json();
    let here = |one: &&Value| one["policy"]["region"] == "us-east-1";
    let changes: Vec<&Value> = told["changes"].as_array().unwrap().iter().filter(here).collect();
    let rows: Vec<&Value> = (page["days"].as_array().unwrap().iter())
        .flat_map(|day| day["changes"].as_array().unwrap())
        .collect();
    assert_eq!(rows.len(), changes.len());
    let count = |what: &str, test: &dyn Fn(&Value) -> bool| {
        changes.iter().filter(|one| one["what"] == what && test(one)).count()
    };
    let tally = &page["tally"];
    assert_eq!(tally["gained"], count("violator", &|one| one["before"].is_null()));
    assert_eq!(tally["accounts"], count("account", &|_| true));
    assert_eq!(tally["policies"], count("policy", &|_| true));
    assert_eq!(page["isAll"], told.get("next").is_none());
    for change in changes.iter().filter(|one| one["what"] == "violator") {
        let state = if change["after"].is_null() { &change["before"] } else { &change["after"] };
        let is_row = |row: &&&Value| {
            row["subject"] == state["ResourceId"]
                && row["account"] == change["account"]
                && row["policy"] == change["policy"]["name"]
        };
        let row = rows.iter().find(is_row).unwrap_or_else(|| panic!("{change} is on the page"));
        assert_eq!(row["at"], *change.get("at").unwrap_or(&Value::Null), "{change}");
    }
}

#[test]
fn the_last_figures_of_a_trend_are_those_of_now_and_of_the_endpoint_then() {
    let site = Site::sample();
    for region in REGIONS {
        let page = shown(&format!("/history?region={region}"));
        let looks = page["moments"].as_array().unwrap();
        let overview = shown(&format!("/?region={region}"));
        for name in ["violate", "notKnown", "comply", "violators"] {
            let (then, now) = (&looks[0]["accounts"][name], &overview["accounts"][name]);
            assert_eq!(then, now, "{region} {name}");
        }
        for id in compliance(region).keys() {
            let page = shown(&format!("/history?region={region}&policy={id}"));
            for look in page["moments"].as_array().unwrap() {
                let at = look["at"].as_str().unwrap();
                let path = format!("/palisade/v1/policies/{id}/accounts?limit=1000&at={at}");
                let answer = site.own("GET", &path, "");
                // The policy was not there yet at the first moment of the past.
                if answer.status == 404 {
                    assert_eq!(look["accounts"]["violate"], 0, "{region} {id} {at}");
                    continue;
                }
                let told = answer.json();
                let count = |status: Value| {
                    let accounts = told["accounts"].as_array().unwrap();
                    accounts.iter().filter(|one| one["status"] == status).count()
                };
                assert_eq!(
                    look["accounts"]["violate"],
                    count(json!("NON_COMPLIANT")),
                    "{region} {id} {at}"
                );
                assert_eq!(
                    look["accounts"]["comply"],
                    count(json!("COMPLIANT")),
                    "{region} {id} {at}"
                );
            }
        }
    }
}

#[test]
fn an_accounts_history_is_that_of_the_endpoint() {
    let site = Site::sample();
    let told = compliance("us-east-1");
    let (id, accounts) = told.iter().find(|(_, accounts)| accounts.len() > 5).unwrap();
    for account in accounts.keys() {
        let page = shown(&format!("/policies/{id}/accounts/{account}/history?region=us-east-1"));
        let path = format!("/palisade/v1/policies/{id}/history?account={account}");
        let endpoint = site.own("GET", &path, "").json();
        let (rows, states) =
            (page["states"].as_array().unwrap(), endpoint["states"].as_array().unwrap());
        assert_eq!(rows.len(), states.len(), "{account}");
        for (row, state) in rows.iter().zip(states) {
            assert_eq!(row["from"], state["from"], "{account}");
            let violators = &row["state"]["violators"];
            if state["status"] == "NON_COMPLIANT" {
                assert_eq!(*violators, state["violatorCount"], "{account}");
            } else {
                assert!(violators.is_null(), "{account}: no number for what has none");
            }
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
        ("/history", "moments"),
        ("/keys", "keys"),
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
