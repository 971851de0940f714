//! The files in which everything of a case comes: names as AWS Config gives them, contents as JSON
//! or, where they are none, as text.

use serde_json::{Value, json};

use crate::random::Random;

/// When snapshots were taken: that of the case, an earlier one, and those of other Regions.
pub const MOMENT: &str = "20260301T000000Z";
const EARLIER_MOMENT: &str = "20260215T000000Z";
const ELSEWHERE_MOMENT: &str = "20260220T000000Z";
/// The first of them, milliseconds since 1970.
pub const MOMENT_MS: i64 = 1_772_323_200_000;

/// Puts what a case is made of into files: `delivery`, `earlier`, `elsewhere` and
/// `administratorDelivery`, behind what is in `files` already.
pub fn deliver(case: &mut Value) {
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (account, region) = (said(&case["account"]), said(&case["region"]));
    let administrator = said(&case["administrator"]);
    let old = case["administratorIsOld"] == true;
    let of_administrator_at = if old { EARLIER_MOMENT } else { MOMENT };
    let mut files = case["files"].as_array().cloned().unwrap_or_default();
    let broken = said(&case["brokenKind"]);
    let mut add = |content: Value, account: &str, region: &str, moment: &str| {
        if content["configSnapshotId"].is_string() {
            let name = snapshot_name(account, region, moment);
            files.push(json!({"name": name, "content": content}));
            return;
        }
        if content["requestId"].is_string() {
            // One of old, under a name that tells nothing.
            files.push(json!({"name": "inventory.json", "content": content}));
            return;
        }
        // A history is of one type.
        let items = content["configurationItems"].as_array().cloned().unwrap_or_default();
        let kind_of = |item: &Value| {
            let told = item["resourceType"].as_str().filter(|kind| !kind.contains(' '));
            told.unwrap_or(&broken).to_owned()
        };
        let mut kinds: Vec<String> = items.iter().map(kind_of).collect();
        kinds.sort();
        kinds.dedup();
        for kind in kinds {
            let of_it: Vec<&Value> = items.iter().filter(|item| kind_of(item) == kind).collect();
            let content = json!({"fileVersion": "1.0", "configurationItems": of_it});
            let name = history_name(account, region, &kind, moment);
            files.push(json!({"name": name, "content": content}));
        }
    };
    let moment = case["momentOfDelivery"].as_str().unwrap_or(MOMENT).to_owned();
    add(case["delivery"].take(), &account, &region, &moment);
    add(case["earlier"].take(), &account, &region, EARLIER_MOMENT);
    for other in case["elsewhere"].take().as_array_mut().into_iter().flatten() {
        let region = said(&other["region"]);
        add(other["delivery"].take(), &account, &region, ELSEWHERE_MOMENT);
    }
    let of_administrator = case["administratorDelivery"].take();
    if account != administrator {
        add(of_administrator, &administrator, &region, of_administrator_at);
    }
    case["files"] = Value::Array(files);
    let case = case.as_object_mut().expect("a case is an object");
    for built in [
        "delivery",
        "earlier",
        "elsewhere",
        "administratorDelivery",
        "administratorIsOld",
        "brokenKind",
        "momentOfDelivery",
    ] {
        case.remove(built);
    }
}

/// Whatever other accounts' snapshots show was so some time before.
pub fn age_others(case: &mut Value) {
    case["administratorIsOld"] = json!(true);
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    for file in case["files"].as_array_mut().into_iter().flatten() {
        let name = file["name"].as_str().unwrap_or_default();
        if name.contains("ConfigSnapshot") && !name.starts_with(&account) {
            file["name"] = json!(name.replace(MOMENT, EARLIER_MOMENT));
        }
    }
}

/// Names as AWS Config gives them (formats §5).
pub fn snapshot_name(account: &str, region: &str, moment: &str) -> String {
    let id = "dededede-0000-4000-8000-000000000000";
    format!("{account}_Config_{region}_ConfigSnapshot_{moment}_{id}.json")
}

pub fn history_name(account: &str, region: &str, kind: &str, moment: &str) -> String {
    format!("{account}_Config_{region}_ConfigHistory_{kind}_{moment}_{moment}_1.json")
}

/// Files come in any order, and some of them twice.
pub fn mix_up(case: &mut Value, random: &mut Random) {
    let files = case["files"].as_array_mut().expect("delivered before");
    for at in (1..files.len()).rev() {
        files.swap(at, random.below(at + 1));
    }
    if random.chance(6) && !files.is_empty() {
        case["again"] = json!(random.below(files.len()));
    }
}

/// Another account's whole snapshot of the case's Region, beside the others.
pub fn push_snapshot(case: &mut Value, account: &str, region: &str, items: Vec<Value>) {
    let content = json!({"fileVersion": "1.0", "configurationItems": items,
        "configSnapshotId": "05050505-0000-4000-8000-000000000000"});
    let name = snapshot_name(account, region, MOMENT);
    push(case, &name, content);
}

/// One more file.
pub fn push(case: &mut Value, name: &str, content: Value) {
    let file = match content {
        Value::String(text) => json!({"name": name, "text": text}),
        content => json!({"name": name, "content": content}),
    };
    match case["files"].as_array_mut() {
        Some(files) => files.push(file),
        None => case["files"] = json!([file]),
    }
}

/// Notes what a case is about, so that shares of kinds can be counted.
pub fn note(case: &mut Value, kind: &str) {
    match case["kinds"].as_array_mut() {
        Some(kinds) if kinds.iter().any(|noted| noted == kind) => {}
        Some(kinds) => kinds.push(json!(kind)),
        None => case["kinds"] = json!([kind]),
    }
}
