//! Rare cases about which the semantics do not decide, so that palisade-core and the second evaluator may
//! part ways: each by a name, as narrow as it can be told. `PALISADE_SURVEY` shows them all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::naive::Outcome;

/// The name of the difference that a case shows, if it is a known one.
pub fn known(case: &Value, naive: &Outcome, core: &Outcome) -> Option<&'static str> {
    // What else is not told does not matter where a reference is missing (row 27).
    let missing = |outcome: &Outcome| outcome.status.is_none() && outcome.issues.contains("AWSVPC");
    if case["policy"]["SecurityServicePolicyData"]["Type"] == "SECURITY_GROUPS_COMMON"
        && missing(naive)
        && missing(core)
    {
        return Some("issues beside a missing reference");
    }
    // Whether entries of a managed ACL are left of an earlier version of the policy (§5.11).
    let with_leftovers = |outcome: &Outcome| -> std::collections::BTreeSet<String> {
        outcome.issues.iter().cloned().chain(["AWSVPC".to_owned()]).collect()
    };
    if case["policy"]["SecurityServicePolicyData"]["Type"] == "NETWORK_ACL_COMMON"
        && core.violators == naive.violators
        && core.issues == with_leftovers(naive)
    {
        return Some("entries of an earlier version");
    }
    let items = items(case);
    if contradict_themselves(&items) {
        return Some("two states of one version that contradict each other");
    }
    // Of types that a policy does not read core holds no ids: what could not be read stays a gap.
    let without_type = items.iter().any(|nameless| {
        let is_type = kind(nameless).is_some();
        let same_id = |other: &Value| other["resourceId"] == nameless["resourceId"];
        !is_type && items.iter().any(|other| kind(other).is_some() && same_id(other))
    });
    let is_cautious = core.violators == naive.violators && core.issues.is_superset(&naive.issues);
    (without_type && is_cautious).then_some("a later state mends an item whose type is not told")
}

/// The type of an item, if it tells one.
fn kind(item: &Value) -> Option<&str> {
    item["resourceType"].as_str().filter(|kind| !kind.contains(' ') && kind.contains("::"))
}

/// Whether a resource has two states of one version, both with a body or both without, that differ: the
/// newer counts (formats §3), and none is.
fn contradict_themselves(items: &[Value]) -> bool {
    let mut told: BTreeMap<String, &Value> = BTreeMap::new();
    items.iter().any(|item| {
        let version = match &item["configurationStateId"] {
            Value::Null => &item["configurationItemCaptureTime"],
            state => state,
        };
        let whose = ["awsAccountId", "accountId"].map(|key| item[key].as_str().unwrap_or_default());
        let is_told = !item["configuration"].is_null();
        let key = format!(
            "{whose:?} {} {} {version} {is_told}",
            item["resourceType"], item["resourceId"]
        );
        let same = |one: &Value| {
            ["configuration", "tags", "configurationItemStatus"].map(|member| one[member].clone())
        };
        told.insert(key, item).is_some_and(|before| same(before) != same(item))
    })
}

/// All items of a case's files, rows of queries among them.
fn items(case: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for file in case["files"].as_array().into_iter().flatten() {
        collect(&file["content"], &mut found);
    }
    found
}

fn collect(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(members) if members.contains_key("resourceId") => found.push(value.clone()),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Array(all) => all.iter().for_each(|one| collect(one, found)),
        Value::String(text) => {
            if let Ok(row @ Value::Object(_)) = serde_json::from_str(text) {
                collect(&row, found);
            }
        }
        _ => {}
    }
}
