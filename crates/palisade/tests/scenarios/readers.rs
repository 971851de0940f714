//! Asks every reader the same question and holds the answers against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use super::Play;
use super::script::{Knowledge, Row, Step};

/// AWS's operations name no more violators than this.
const SHOWN_MAX: usize = 100;

/// Types of policy and resource of which AWS tells details of violations (semantics §3.6).
const HAVE_DETAILS: &[(&str, &str)] = &[
    ("DNS_FIREWALL", "AWS::EC2::VPC"),
    ("SECURITY_GROUPS_CONTENT_AUDIT", "AWS::EC2::Instance"),
    ("SECURITY_GROUPS_CONTENT_AUDIT", "AWS::EC2::NetworkInterface"),
    ("SECURITY_GROUPS_CONTENT_AUDIT", "AWS::EC2::SecurityGroup"),
    ("THIRD_PARTY_FIREWALL", "AWS::EC2::Subnet"),
    ("THIRD_PARTY_FIREWALL", "AWS::EC2::VPC"),
    ("WAFV2", "AWS::WAFv2::WebACL"),
    ("IMPORT_NETWORK_FIREWALL", "AWS::NetworkFirewall::FirewallPolicy"),
    ("NETWORK_FIREWALL", "AWS::EC2::InternetGateway"),
    ("NETWORK_FIREWALL", "AWS::EC2::Subnet"),
    ("NETWORK_FIREWALL", "AWS::EC2::VPC"),
    ("NETWORK_FIREWALL", "AWS::NetworkFirewall::FirewallPolicy"),
];

/// Types of policy of which the model has members for some violations alone.
const SOME_HAVE_MEMBERS: &[&str] = &["DNS_FIREWALL"];

/// What one reader says of one account under one policy.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    status: Option<String>,
    count: u64,
    issues: BTreeMap<String, String>,
    violators: Vec<Violator>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Violator {
    kind: String,
    id: String,
    reason: String,
    /// One sentence for each violation.
    evidence: Vec<String>,
}

/// Every reader says the same of every account, and it is what the step expects.
pub fn agree(play: &Play, step: &Step, place: &str) {
    let mut found = Vec::new();
    for (name, (region, id)) in &play.policies {
        let said = server(play, region, id, place);
        let checked = check(play, region, id, place);
        compare(&said, &checked, step.check, &format!("{place}, policy {name}"));
        found.extend(said.iter().map(|(account, said)| row(name, account, said)));
    }
    let mut expected = step.expected.clone();
    for issue in expected.iter_mut().flat_map(|row| row.issues.values_mut()) {
        for (list, (_, _, id)) in &play.lists {
            *issue = issue.replace(&format!("$list:{list}"), id);
        }
    }
    expected.sort_by(|a, b| (&a.policy, &a.account).cmp(&(&b.policy, &b.account)));
    for (found, expected) in found.iter_mut().zip(&expected) {
        fold(found, expected);
    }
    assert_eq!(found, expected, "{place}");
}

/// Every reader says the same of every account under every policy. Answers of how many.
pub fn say_the_same(play: &Play, place: &str) -> usize {
    let mut compared = 0;
    for (name, (region, id)) in &play.policies {
        let said = server(play, region, id, place);
        let checked = check(play, region, id, place);
        compare(&said, &checked, Knowledge::Equal, &format!("{place}, policy {name}"));
        compared += said.len();
    }
    compared
}

fn row(policy: &str, account: &str, said: &Said) -> Row {
    let violators = said.violators.iter();
    Row {
        policy: policy.to_owned(),
        account: account.to_owned(),
        status: said.status.clone().unwrap_or_else(|| "-".to_owned()),
        count: said.count,
        violators: violators.map(|found| (short(&found.id), 1, found.reason.clone())).collect(),
        issues: said.issues.clone(),
    }
}

/// ARNs go by the name in them.
fn short(id: &str) -> String {
    match id.split('/').collect::<Vec<_>>().as_slice() {
        [head, .., name, _] if head.starts_with("arn:") => (*name).to_owned(),
        _ => id.to_owned(),
    }
}

/// Violators that the expectation counts together are counted together here.
fn fold(found: &mut Row, expected: &Row) {
    for (stem, count, reason) in &expected.violators {
        let alike = |one: &(String, usize, String)| {
            one.0.starts_with(stem.as_str()) && one.2 == *reason && one.0 != *stem
        };
        let alike_count = found.violators.iter().filter(|one| alike(one)).count();
        if *count > 1 {
            let first = found.violators.iter().position(alike).unwrap_or(0);
            found.violators.retain(|one| !alike(one));
            found.violators.insert(first, (stem.clone(), alike_count, reason.clone()));
        }
    }
}

/// What the server says of every account in a policy's scope, by each of its operations.
fn server(play: &Play, region: &str, id: &str, place: &str) -> BTreeMap<String, Said> {
    let listed = play.house.pages(
        region,
        "ListComplianceStatus",
        &json!({"PolicyId": id}),
        "PolicyComplianceStatusList",
    );
    let mut said = BTreeMap::new();
    for entry in listed {
        let account = entry["MemberAccount"].as_str().unwrap().to_owned();
        let violators = violators(play, id, &account);
        let one = Said { violators, ..overall(&entry) };
        detail_agrees(play, region, id, &account, &entry, &one, place);
        nothing_else_violates(play, region, id, &account, &one);
        for violator in &one.violators {
            violation_agrees(play, region, id, &account, violator, place);
        }
        assert_eq!(one.count, one.violators.len() as u64, "{place}: {account}");
        assert!(said.insert(account, one).is_none(), "{place}: an account is listed twice");
    }
    said
}

fn overall(entry: &Value) -> Said {
    let results = entry["EvaluationResults"].as_array().unwrap();
    assert!(results.len() <= 1, "{entry}");
    let result = results.first();
    let issues: BTreeMap<String, String> =
        serde_json::from_value(entry["IssueInfoMap"].clone()).unwrap();
    let count = result.map_or(0, |result| result["ViolatorCount"].as_u64().unwrap());
    if let Some(result) = result {
        assert_eq!(result["EvaluationLimitExceeded"], json!(count > SHOWN_MAX as u64), "{entry}");
    }
    for text in issues.values() {
        let plain =
            |found: char| found.is_alphanumeric() || found == ' ' || "_.:/=,+-@".contains(found);
        assert!(text.len() <= 4096 && text.chars().all(plain), "{text:?} is no DetailedInfo");
    }
    Said {
        status: result.map(|result| result["ComplianceStatus"].as_str().unwrap().to_owned()),
        count,
        issues,
        violators: Vec::new(),
    }
}

/// Every page of the uncapped list.
fn violators(play: &Play, id: &str, account: &str) -> Vec<Violator> {
    let path = format!("/palisade/v1/policies/{id}/accounts/{account}/violators?limit=7");
    let mut next = String::new();
    let mut found = Vec::new();
    loop {
        let page = play.house.own("GET", &format!("{path}{next}"), "").ok();
        for one in page["violators"].as_array().unwrap() {
            let evidence = one["evidence"].as_array().unwrap();
            assert_eq!(evidence[0]["reason"], one["ViolationReason"], "the first is reported");
            found.push(Violator {
                evidence: evidence.iter().map(|one| text(one, "summary")).collect(),
                ..violator(one)
            });
        }
        match page.get("next") {
            Some(token) => {
                next = format!("&next={}", super::house::escaped(token.as_str().unwrap()));
            }
            None => break,
        }
    }
    assert!(found.is_sorted(), "{found:?}");
    found
}

fn violator(one: &Value) -> Violator {
    Violator {
        kind: text(one, "ResourceType"),
        id: text(one, "ResourceId"),
        reason: text(one, "ViolationReason"),
        evidence: Vec::new(),
    }
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_else(|| panic!("{of} has no {member}")).to_owned()
}

/// GetComplianceDetail names the first of the violators and the same issues.
fn detail_agrees(
    play: &Play,
    region: &str,
    id: &str,
    account: &str,
    entry: &Value,
    said: &Said,
    place: &str,
) {
    let input = json!({"PolicyId": id, "MemberAccount": account});
    let detail = play.house.call(region, "GetComplianceDetail", &input).ok();
    let detail = &detail["PolicyComplianceDetail"];
    assert_eq!(detail["PolicyOwner"], entry["PolicyOwner"], "{place}");
    assert_eq!(detail["IssueInfoMap"], entry["IssueInfoMap"], "{place}: {account}");
    assert_eq!(
        detail["EvaluationLimitExceeded"],
        json!(said.count > SHOWN_MAX as u64),
        "{place}: {account}"
    );
    let shown: Vec<Violator> =
        detail["Violators"].as_array().unwrap().iter().map(violator).collect();
    let bare = said.violators.iter().take(SHOWN_MAX);
    let bare: Vec<Violator> =
        bare.map(|one| Violator { evidence: Vec::new(), ..one.clone() }).collect();
    assert_eq!(shown, bare, "{place}: {account}");
}

/// GetViolationDetails tells of the same resource, with at least one violation.
fn violation_agrees(
    play: &Play,
    region: &str,
    id: &str,
    account: &str,
    violator: &Violator,
    place: &str,
) {
    let input = json!({"PolicyId": id, "MemberAccount": account,
        "ResourceId": violator.id, "ResourceType": violator.kind});
    let answer = play.house.call(region, "GetViolationDetails", &input);
    let kind = policy_type(play, region, id);
    if !HAVE_DETAILS.contains(&(kind.as_str(), violator.kind.as_str())) {
        assert_eq!(answer.status, 400, "{place}: {kind} {violator:?}: {answer:?}");
        assert!(answer.text.contains("have no violation details"), "{place}: {answer:?}");
        return;
    }
    let detail = &answer.ok()["ViolationDetail"];
    for member in ["PolicyId", "MemberAccount", "ResourceId", "ResourceType"] {
        assert_eq!(detail[member], input[member], "{place}");
    }
    let violations = detail["ResourceViolations"].as_array().unwrap();
    // What carries groups tells the rules of each as well (semantics §11 row 51).
    match SOME_HAVE_MEMBERS.contains(&kind.as_str()) {
        true => assert!(violations.len() <= violator.evidence.len(), "{place}: {detail}"),
        false => assert!(violations.len() >= violator.evidence.len(), "{place}: {detail}"),
    }
    assert_eq!(detail["ResourceDescription"], violator.evidence[0], "{place}");
    for violation in violations {
        // What would end it may stand beside (semantics §3.6).
        let members = violation.as_object().unwrap().keys();
        let kinds = members.filter(|member| *member != "PossibleRemediationActions").count();
        assert_eq!(kinds, 1, "{place}: one kind each: {detail}");
    }
}

/// What complies, or is not there, has no violation to tell of.
fn nothing_else_violates(play: &Play, region: &str, id: &str, account: &str, said: &Said) {
    let unknown = ["sg-nobody", "sg-fine", "sg-audit"];
    let kind = "AWS::EC2::SecurityGroup";
    if !HAVE_DETAILS.contains(&(policy_type(play, region, id).as_str(), kind)) {
        return;
    }
    for resource in unknown {
        if said.violators.iter().any(|one| one.id == resource) {
            continue;
        }
        let input = json!({"PolicyId": id, "MemberAccount": account,
            "ResourceId": resource, "ResourceType": kind});
        let answer = play.house.call(region, "GetViolationDetails", &input);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["__type"], "ResourceNotFoundException", "{answer:?}");
    }
}

fn policy_type(play: &Play, region: &str, id: &str) -> String {
    let policy = play.house.call(region, "GetPolicy", &json!({"PolicyId": id})).ok();
    text(&policy["Policy"]["SecurityServicePolicyData"], "Type")
}

/// What `palisade check` says of the same policy from the same files.
fn check(play: &Play, region: &str, id: &str, place: &str) -> BTreeMap<String, Said> {
    let policy = play.house.call(region, "GetPolicy", &json!({"PolicyId": id})).ok();
    let name = policy["Policy"]["PolicyName"].as_str().unwrap();
    let earlier = play.earlier_names.get(id).into_iter().flatten();
    let earlier = earlier.flat_map(|old| ["--former-name".to_owned(), format!("{name}={old}")]);
    let file = play.files.path().join("policy.json");
    std::fs::write(&file, policy["Policy"].to_string()).unwrap();
    let mut sets = String::new();
    for (_, set, arns) in play.resource_sets.values() {
        let items: Vec<Value> = arns.iter().map(|arn| json!({"URI": arn})).collect();
        sets += &json!({"ResourceSet": {"Id": set}}).to_string();
        sets += &json!({"Items": items}).to_string();
    }
    let set_file = play.files.path().join("sets.json");
    std::fs::write(&set_file, sets).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["check", "--output", "json", "--violators", "--region", region, "--threads", "1"])
        .args(earlier)
        .arg("--resource-sets")
        .arg(&set_file)
        .arg("--policy")
        .arg(&file)
        .arg("--organization")
        .arg(play.files.path().join("organization.json"))
        .arg(play.files.path().join("inventory"))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let answer: Value = serde_json::from_str(&shown)
        .unwrap_or_else(|error| panic!("{place}: {error}: {shown} {output:?}"));
    let mut said = BTreeMap::new();
    for entry in answer["PolicyComplianceStatusList"].as_array().unwrap() {
        assert_eq!(text(entry, "Region"), region, "{place}");
        assert_eq!(text(entry, "PolicyId"), id, "{place}");
        let violators = entry["Violators"].as_array().unwrap().iter();
        let violators = violators.map(|one| Violator {
            evidence: serde_json::from_value(one["Evidence"].clone()).unwrap(),
            ..violator(one)
        });
        let one = Said { violators: violators.collect(), ..overall(entry) };
        assert!(said.insert(text(entry, "MemberAccount"), one).is_none(), "{place}");
    }
    let statuses: BTreeSet<Option<&str>> =
        said.values().map(|said| said.status.as_deref()).collect();
    let code = if statuses.contains(&Some("NON_COMPLIANT")) {
        1
    } else if statuses.contains(&None) {
        2
    } else {
        0
    };
    assert_eq!(output.status.code(), Some(code), "{place}: {output:?}");
    said
}

/// `check` says what the server says, but for what it cannot know; then it claims less, never
/// something else.
fn compare(
    server: &BTreeMap<String, Said>,
    check: &BTreeMap<String, Said>,
    knowledge: Knowledge,
    place: &str,
) {
    match knowledge {
        Knowledge::Equal => assert_eq!(server, check, "{place}: the server, then `check`"),
        Knowledge::NoReceipts => {
            let unaware: BTreeMap<String, Said> =
                server.iter().map(|(account, said)| (account.clone(), fresh(said))).collect();
            assert_eq!(unaware, *check, "{place}: the server without staleness, then `check`");
        }
        Knowledge::OtherClock => assert!(server.keys().eq(check.keys()), "{place}"),
        Knowledge::NoLists => {
            assert!(server.keys().eq(check.keys()), "{place}");
            for (account, less) in check {
                let all = &server[account];
                assert!(less.status.is_none() || less.status == all.status, "{place}: {account}");
                let known = less.violators.iter().all(|one| all.violators.contains(one));
                assert!(known, "{place}: {account}: `check` alone claims a violation");
            }
        }
    }
}

/// As it would be if deliveries never became stale.
fn fresh(said: &Said) -> Said {
    const STALE: &str = "No AWS Config delivery tells of the last 36 hours. The newest tells of ";
    const MOMENT: &str = "2026-10-31T00:10:00Z.";
    let mut said = said.clone();
    if let Some(issue) = said.issues.remove("AWSCONFIG") {
        let rest = match issue.split_once(STALE) {
            Some((before, after)) => [before, after.get(MOMENT.len()..).unwrap()].concat(),
            None => issue,
        };
        if !rest.trim().is_empty() {
            said.issues.insert("AWSCONFIG".to_owned(), rest.trim().to_owned());
        }
    }
    if said.status.is_none() && said.issues.is_empty() {
        said.status = Some("COMPLIANT".to_owned());
    }
    said
}
