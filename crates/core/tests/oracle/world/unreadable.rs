//! Items that cannot be read, and how they come to be read again (semantics §11 row 39).

use serde_json::{Value, json};

use super::containers;
use super::files::{self, note, push};
use super::twists::{later, shown};
use crate::random::Random;

/// Before, between and behind the case's snapshots.
const MOMENTS: [(&str, &str); 3] = [
    ("2026-02-10T00:00:00.000Z", "20260210T000000Z"),
    ("2026-02-20T00:00:00.000Z", "20260220T000000Z"),
    ("2026-03-01T12:00:00.000Z", "20260301T120000Z"),
];

/// Makes one item of a case unreadable, in its snapshot or in a file of its own.
pub fn unreadable(case: &mut Value, random: &mut Random) {
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    let region = case["region"].as_str().unwrap_or_default().to_owned();
    let shown = shown(case);
    if shown.is_empty() {
        return;
    }
    note(case, "unreadable");
    let at = shown[random.below(shown.len())];
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
    let whole = items[at].clone();
    let kind = whole["resourceType"].as_str().unwrap_or_default().to_owned();
    if random.chance(35) {
        items[at] = break_one(&whole, random);
        case["brokenKind"] = json!(kind);
        mend(case, &whole, random);
        return;
    }
    let (captured, compact) = MOMENTS[random.below(MOMENTS.len())];
    let mut bad = whole.clone();
    later(&mut bad, 20, captured);
    if random.chance(30) {
        items.remove(at);
    }
    let bad = break_one(&bad, random);
    let named = random.chance(65);
    let content = match random.below(5) {
        0 | 1 => json!({"fileVersion": "1.0", "configurationItems": [bad]}),
        2 => json!({"messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
            "configurationItem": if random.chance(40) { json!([bad]) } else { bad }}),
        3 if random.chance(50) => {
            let text = json!({"fileVersion": "1.0", "configSnapshotId": "x",
                "configurationItems": []})
            .to_string();
            json!(text[..1 + random.below(text.len() - 1)].to_owned())
        }
        3 => json!([bad]),
        _ => match bad {
            Value::Object(_) => containers::single(&bad, random),
            other => json!([other]),
        },
    };
    let name = match named {
        true => files::history_name(&account, &region, &kind, compact),
        false => "notes.json".to_owned(),
    };
    push(case, &name, content);
    mend(case, &whole, random);
}

/// A later good state of the same resource, sometimes.
fn mend(case: &mut Value, whole: &Value, random: &mut Random) {
    if !random.chance(45) {
        return;
    }
    let mut good = whole.clone();
    let (captured, _) = MOMENTS[random.below(MOMENTS.len())];
    later(&mut good, 40, captured);
    let content = containers::single(&good, random);
    push(case, "mended.json", content);
}

pub(super) fn break_one(item: &Value, random: &mut Random) -> Value {
    let mut bad = item.clone();
    let members = bad.as_object_mut().expect("an item is an object");
    let mut without = |member: &str| drop(members.remove(member));
    match random.below(14) {
        0 => without("awsAccountId"),
        1 => without("awsRegion"),
        2 => without("resourceType"),
        3 | 4 => without("resourceId"),
        5 => without("configurationItemCaptureTime"),
        6 => bad["configurationItemCaptureTime"] = json!("the other day"),
        7 => bad["configuration"] = json!("{\"groupId\": "),
        8 => bad["configuration"] = json!(["of", "texts"]),
        9 => {
            without("resourceId");
            without("resourceType");
        }
        10 => bad = json!("sg-00001"),
        11 => bad = json!([item]),
        12 => bad = json!([["nested"]]),
        _ => bad["resourceId"] = json!({"is": "no text"}),
    }
    bad
}
