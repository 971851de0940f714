//! Rare cases about which the semantics do not decide, so that palisade-core and the second evaluator may
//! part ways: each by a name, as narrow as it can be told. `PALISADE_SURVEY` shows them all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::naive::{self, Outcome};
use crate::{core_side, world};

/// The name of the difference that a case shows, if it is a known one.
pub fn known(case: &Value, naive: &Outcome, core: &Outcome) -> Option<&'static str> {
    let entries = entries(case);
    let is_cautious = core.violators == naive.violators && core.issues.is_superset(&naive.issues);
    of_a_type(case, naive, core)
        .or_else(|| {
            let none_complies = [naive, core].iter().all(|one| one.status != Some("COMPLIANT"))
                && naive.issues == core.issues
                && !core.issues.is_empty();
            (none_complies && naive::has_contradictions(case))
                .then_some("which of two states of one version is judged")
        })
        .or_else(|| {
            // Which of them is judged is open; by neither an account complies (row 67).
            let is_compliant = |one: &Outcome| one.status == Some("COMPLIANT");
            let complies = is_compliant(core) || *world::DOUBTS && is_compliant(naive);
            (!complies && parts_by_a_contradiction(case, &entries, is_cautious))
                .then_some("two states of one version that contradict each other")
        })
        .or_else(|| {
            // Where one of two would leave the resource out core claims nothing by it.
            let claims_less = core.status != Some("COMPLIANT")
                && !core.issues.is_empty()
                && core.issues.is_superset(&naive.issues);
            (claims_less && naive::has_contradictions(case))
                .then_some("a contradiction, by which core has nobody comply")
        })
        .or_else(|| {
            let is_twice =
                case["kinds"].as_array().is_some_and(|all| all.contains(&"twice".into()));
            (is_cautious && is_twice).then_some("of when an item is in which a member stands twice")
        })
        .or_else(|| {
            (is_cautious && is_foreign_without_groups(case, &entries))
                .then_some("an interface of another account that does not tell its groups")
        })
        .or_else(|| {
            (is_cautious && mends_without_type(&entries))
                .then_some("a later state mends an item whose type is not told")
        })
}

/// Those of one type of policies.
fn of_a_type(case: &Value, naive: &Outcome, core: &Outcome) -> Option<&'static str> {
    // What else is not told does not matter where a reference is missing (row 27).
    let missing = |outcome: &Outcome| outcome.status.is_none() && outcome.issues.contains("AWSVPC");
    // Whether entries of a managed ACL are left of an earlier version of the policy (§5.11).
    let with_leftovers = |outcome: &Outcome| -> std::collections::BTreeSet<String> {
        outcome.issues.iter().cloned().chain(["AWSVPC".to_owned()]).collect()
    };
    match case["policy"]["SecurityServicePolicyData"]["Type"].as_str() {
        Some("SECURITY_GROUPS_COMMON") if missing(naive) && missing(core) => {
            Some("issues beside a missing reference")
        }
        Some("NETWORK_ACL_COMMON")
            if core.violators == naive.violators && core.issues == with_leftovers(naive) =>
        {
            Some("entries of an earlier version")
        }
        _ => None,
    }
}

/// An item of a list of a case's files: where the list is, and its place there.
struct Entry {
    list: String,
    at: usize,
    item: Value,
}

/// What core keeps of an interface without its groups tells no owner: it may be the account's own (row 41).
fn is_foreign_without_groups(case: &Value, entries: &[Entry]) -> bool {
    entries.iter().any(|Entry { item, .. }| {
        let body = &item["configuration"];
        item["resourceType"] == "AWS::EC2::NetworkInterface"
            && body["groups"].is_null()
            && body["ownerId"].is_string()
            && body["ownerId"] != case["account"]
    })
}

/// Of types that a policy does not read core holds no ids: what could not be read stays a gap.
fn mends_without_type(entries: &[Entry]) -> bool {
    let is_typed = |entry: &Entry| {
        let kind = entry.item["resourceType"].as_str();
        kind.is_some_and(|kind| !kind.contains(' ') && kind.contains("::"))
    };
    entries.iter().filter(|entry| !is_typed(entry)).any(|nameless| {
        let mut others = entries.iter().filter(|other| is_typed(other));
        others.any(|other| other.item["resourceId"] == nameless.item["resourceId"])
    })
}

/// Whether a resource has two states of one version that differ: neither is the newer, and which is judged
/// is open (semantics §11 row 67). Without either of them the two evaluators agree. Of one with a body and one without the body counts,
/// unless it cannot be read: of those core may be the more cautious.
fn parts_by_a_contradiction(case: &Value, entries: &[Entry], is_cautious: bool) -> bool {
    let mut told: BTreeMap<String, &Entry> = BTreeMap::new();
    let same = |one: &Value, other: &Value| {
        ["configuration", "tags", "configurationItemStatus"]
            .iter()
            .all(|member| one[member] == other[member])
    };
    let mut pairs = Vec::new();
    for entry in entries {
        if let Some(before) = told.insert(identity(&entry.item), entry)
            && !same(&before.item, &entry.item)
            && (is_cautious || is_told(&before.item) == is_told(&entry.item))
        {
            pairs.push([before, entry]);
        }
    }
    !pairs.is_empty()
        && [0, 1].iter().all(|which| {
            let mut without = case.clone();
            let mut gone: Vec<&Entry> = pairs.iter().map(|pair| pair[*which]).collect();
            // From behind, so that the places before them stay.
            gone.sort_by_key(|entry| std::cmp::Reverse((entry.list.clone(), entry.at)));
            gone.dedup_by_key(|entry| (entry.list.clone(), entry.at));
            for entry in gone {
                match without.pointer_mut(&entry.list) {
                    Some(Value::Array(list)) => drop(list.remove(entry.at)),
                    // An item by itself.
                    Some(item) => *item = serde_json::json!({"configurationItems": []}),
                    None => {}
                }
            }
            core_side::judge(&without).as_ref() == Ok(&naive::judge(&without, None))
        })
}

fn is_told(item: &Value) -> bool {
    !item["configuration"].is_null()
}

/// Which version of which resource an item tells.
fn identity(item: &Value) -> String {
    let state = item["configurationStateId"].to_string();
    let version = match state.trim_matches('"') {
        "null" => moment_ms(&item["configurationItemCaptureTime"]),
        state => state.to_owned(),
    };
    let whose = item["awsAccountId"].as_str().or(item["accountId"].as_str());
    format!("{whose:?} {} {} {version}", item["resourceType"], item["resourceId"])
}

/// A capture time as the number that AWS Config gives its state, where it can be read.
fn moment_ms(captured: &Value) -> String {
    let moment = captured.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    moment.map_or_else(|| captured.to_string(), |moment| moment.as_millisecond().to_string())
}

/// All items in lists of a case's files, rows of queries among them, and those by themselves.
fn entries(case: &Value) -> Vec<Entry> {
    let mut found = Vec::new();
    for (at, file) in case["files"].as_array().into_iter().flatten().enumerate() {
        let (content, path) = (&file["content"], format!("/files/{at}/content"));
        match content.get("resourceId") {
            Some(_) => found.push(Entry { list: path, at: 0, item: content.clone() }),
            None => collect(content, &path, &mut found),
        }
    }
    found
}

fn collect(value: &Value, path: &str, found: &mut Vec<Entry>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                match member.get("resourceId") {
                    Some(_) => found.push(Entry { list: path, at: 0, item: member.clone() }),
                    None => collect(member, &path, found),
                }
            }
        }
        Value::Array(all) => {
            for (at, one) in all.iter().enumerate() {
                let row = one.as_str().and_then(|text| serde_json::from_str(text).ok());
                let item: Value = row.unwrap_or_else(|| one.clone());
                match item.get("resourceId") {
                    Some(_) => found.push(Entry { list: path.to_owned(), at, item }),
                    None => collect(one, &format!("{path}/{at}"), found),
                }
            }
        }
        _ => {}
    }
}
