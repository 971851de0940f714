//! The language of the scenario files: what happens to an organization step by step, and what every
//! reader must then say of it. `README.md` beside this file describes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::containers::{by_api, event, notification, oversized, row, sns};
use super::items::{Place, items};

pub struct Scenario {
    pub steps: Vec<Step>,
}

pub struct Step {
    pub name: String,
    pub deeds: Vec<Deed>,
    pub expected: Vec<Row>,
    /// What `check` cannot know at this step.
    pub check: Knowledge,
}

/// How much of what the server knows `check` can know.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Knowledge {
    /// All of it.
    #[default]
    Equal,
    /// Not when deliveries were received, so nothing is ever stale to it.
    NoReceipts,
    /// Not the administrator's custom lists.
    NoLists,
    /// Not the scenario's time: it goes by this machine's.
    OtherClock,
}

pub enum Deed {
    Organization(Value),
    Policy { name: String, region: String, document: Value },
    RemovePolicy(String),
    List { name: String, region: String, operation: &'static str, list: Value },
    RemoveList(String),
    ResourceSet { name: String, region: String, arns: Vec<String> },
    Deliver { name: String, text: String },
    AdvanceHours(i64),
}

/// One expected entry: policy, account, status, count; its violators and its issues.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub policy: String,
    pub account: String,
    pub status: String,
    pub count: u64,
    /// Id, or its beginning and how many begin so, with the reason.
    pub violators: Vec<(String, usize, String)>,
    pub issues: BTreeMap<String, String>,
}

/// A line at the left margin with the indented lines below it.
struct Block<'t> {
    line: usize,
    head: Vec<&'t str>,
    body: Vec<&'t str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            let block = blocks.last_mut().expect("an indented line stands below a block");
            block.body.push(line);
        } else {
            let head = line.split_whitespace().collect();
            blocks.push(Block { line: number + 1, head, body: Vec::new() });
        }
    }
    blocks
}

impl Scenario {
    pub fn parse(text: &str) -> Scenario {
        let mut steps: Vec<Step> = Vec::new();
        for block in blocks(text) {
            if block.head[0] == "step" {
                let (name, check) = (block.head[1..].join(" "), Knowledge::Equal);
                steps.push(Step { name, deeds: Vec::new(), expected: Vec::new(), check });
                continue;
            }
            let step = steps.last_mut().expect("the first line of a scenario is a step");
            match block.head.as_slice() {
                ["expect"] => step.expected = rows(&block.body),
                ["check", "knows", "no", "receipts"] => step.check = Knowledge::NoReceipts,
                ["check", "knows", "no", "lists"] => step.check = Knowledge::NoLists,
                ["check", "has", "another", "clock"] => step.check = Knowledge::OtherClock,
                _ => step.deeds.push(deed(&block)),
            }
        }
        Scenario { steps }
    }
}

fn deed(block: &Block<'_>) -> Deed {
    let body = &block.body;
    match block.head.as_slice() {
        ["organization"] => Deed::Organization(organization(body)),
        ["policy", name, region] => Deed::Policy {
            name: (*name).to_owned(),
            region: (*region).to_owned(),
            document: policy(name, body),
        },
        ["remove", "policy", name] => Deed::RemovePolicy((*name).to_owned()),
        ["remove", "list", name] => Deed::RemoveList((*name).to_owned()),
        ["set", name, region] => Deed::ResourceSet {
            name: (*name).to_owned(),
            region: (*region).to_owned(),
            arns: body.iter().map(|line| line.trim().to_owned()).collect(),
        },
        ["apps", name, region] => {
            let apps: Vec<Value> = body.iter().map(|line| app(line)).collect();
            list(name, region, "AppsList", json!(apps))
        }
        ["protocols", name, region] => {
            let words: Vec<&str> = body.iter().flat_map(|line| line.split_whitespace()).collect();
            list(name, region, "ProtocolsList", json!(words))
        }
        ["advance", hours, "hours"] => Deed::AdvanceHours(hours.parse().unwrap()),
        [container, account, region, minute] => {
            let place = Place { account, region, minute: minute.parse().unwrap() };
            deliver(container, &place, body)
        }
        other => panic!("line {}: nobody knows what {other:?} means", block.line),
    }
}

fn list(name: &str, region: &str, operation: &'static str, content: Value) -> Deed {
    let list = json!({"ListName": name, operation: content});
    Deed::List { name: name.to_owned(), region: region.to_owned(), operation, list }
}

fn app(line: &str) -> Value {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [name, protocol, port] => {
            json!({"AppName": name, "Protocol": protocol, "Port": port.parse::<u16>().unwrap()})
        }
        other => panic!("an app is a name, a protocol and a port, not {other:?}"),
    }
}

fn organization(body: &[&str]) -> Value {
    let (mut units, mut accounts, mut administrator) = (Vec::new(), Vec::new(), Value::Null);
    let parent = |word: &str| if word == "root" { "r-root".to_owned() } else { word.to_owned() };
    for line in body {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["ou", id, above] => {
                units.push(json!({"Id": id, "Name": id, "ParentId": parent(above)}));
            }
            [role @ ("account" | "administrator"), id, status, above] => {
                if *role == "administrator" {
                    administrator = json!(id);
                }
                accounts.push(json!({"Id": id, "Name": format!("account {id}"), "Status": status,
                    "ParentId": parent(above)}));
            }
            other => panic!("{other:?} is neither an ou nor an account"),
        }
    }
    json!({
        "Organization": {"Id": "o-scenario01", "ManagementAccountId": accounts[0]["Id"]},
        "Roots": [{"Id": "r-root"}],
        "OrganizationalUnits": units,
        "Accounts": accounts,
        "DefaultAdministrator": administrator,
    })
}

fn policy(name: &str, body: &[&str]) -> Value {
    let mut document = json!({"PolicyName": name, "ExcludeResourceTags": false,
        "RemediationEnabled": false});
    for line in body {
        let (member, value) = line.trim().split_once(' ').unwrap();
        match member {
            "types" => {
                let types: Vec<&str> = value.split(',').map(str::trim).collect();
                if let [only] = types.as_slice() {
                    document["ResourceType"] = json!(only);
                } else {
                    document["ResourceType"] = json!("ResourceTypeList");
                    document["ResourceTypeList"] = json!(types);
                }
            }
            "data" => {
                let data: Value =
                    serde_json::from_str(value).unwrap_or_else(|e| panic!("{value}: {e}"));
                document["SecurityServicePolicyData"] =
                    json!({"Type": data["type"], "ManagedServiceData": data.to_string()});
            }
            _ => {
                document[member] =
                    serde_json::from_str(value).unwrap_or_else(|e| panic!("{line}: {e}"));
            }
        }
    }
    document
}

fn deliver(container: &str, place: &Place<'_>, body: &[&str]) -> Deed {
    let items: Vec<Value> = body.iter().flat_map(|line| items(place, line.trim())).collect();
    let Place { account, region, .. } = place;
    let stamp = place.stamp();
    let uuid = "00000000-0000-4000-8000-000000000000";
    let start = format!("{account}_Config_{region}");
    let (name, text) = match container {
        "snapshot" => (
            format!("{start}_ConfigSnapshot_{stamp}_{uuid}.json"),
            json!({"fileVersion": "1.0", "configSnapshotId": uuid, "configurationItems": items}),
        ),
        "history" => {
            let kind = items[0]["resourceType"].as_str().unwrap();
            (
                format!("{start}_ConfigHistory_{kind}_{stamp}_{stamp}_1.json"),
                json!({"fileVersion": "1.0", "configurationItems": items}),
            )
        }
        "notification" => (format!("{start}_{stamp}.json"), notification(&items[0])),
        "api" => {
            let items: Vec<Value> = items.iter().map(by_api).collect();
            ("response.json".to_owned(), json!({"configurationItems": items}))
        }
        "query" => {
            let rows: Vec<String> = items.iter().map(row).collect();
            ("query.json".to_owned(), json!({"Results": rows, "QueryInfo": {"SelectFields": []}}))
        }
        "event" => (format!("{start}_{stamp}.json"), event(&items[0])),
        "queue" => {
            let records = items.iter().map(
                |item| json!({"messageId": uuid, "body": sns(&notification(item)).to_string()}),
            );
            let records: Vec<Value> = records.collect();
            (format!("{start}_{stamp}.json"), json!({"Records": records}))
        }
        "oversized" => (format!("{start}_{stamp}.json"), oversized(&items[0], "UPDATE")),
        other => panic!("{other} is no container"),
    };
    Deed::Deliver { name, text: text.to_string() }
}

/// `POLICY ACCOUNT STATUS COUNT`, below it violators and issues, indented further.
fn rows(body: &[&str]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in body {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with("   ") {
            let [policy, account, status, rest @ ..] = words.as_slice() else { panic!("{line}") };
            let count = rest.first().map_or(0, |count| count.parse().unwrap());
            let (policy, account) = ((*policy).to_owned(), (*account).to_owned());
            let status = (*status).to_owned();
            rows.push(Row { policy, account, status, count, ..Row::default() });
            continue;
        }
        let row = rows.last_mut().expect("a detail stands below its row");
        match words.as_slice() {
            ["issue", service, text @ ..] => {
                let issue = row.issues.entry((*service).to_owned()).or_default();
                let space = if issue.is_empty() { "" } else { " " };
                let _ = write!(issue, "{space}{}", text.join(" "));
            }
            [id, reason] => row.violators.push(((*id).to_owned(), 1, (*reason).to_owned())),
            [stem, count, reason] => {
                let count = count.strip_prefix('x').unwrap().parse().unwrap();
                row.violators.push(((*stem).to_owned(), count, (*reason).to_owned()));
            }
            other => panic!("{other:?} is neither a violator nor an issue"),
        }
    }
    rows
}
