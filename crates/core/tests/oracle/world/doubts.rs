//! States of one version that contradict each other, items and snapshots dated ahead of their receipt, and
//! items in which something stands twice (semantics §11 rows 67 to 69).

use serde_json::{Value, json};

use super::containers::{self, SELECTED};
use super::files::{MOMENT_MS, history_name, note, push};
use super::items::deleted;
use super::quirks::spoil;
use super::twists::{AFTER, BEFORE, later, shown};
use super::unreadable::break_one;
use crate::boundary;
use crate::random::Random;

const MINUTE_MS: i64 = 60_000;
/// When the files of cases about the future were received: behind all that they tell of.
const RECEIVED_MS: i64 = MOMENT_MS + 13 * 60 * MINUTE_MS;
/// The members that say which state of which resource an item is.
const KEY: [&str; 8] = [
    "awsAccountId",
    "accountId",
    "awsRegion",
    "resourceType",
    "resourceId",
    "configurationStateId",
    "configurationItemCaptureTime",
    "configurationItemStatus",
];

/// Something that nobody can hold for the newest truth.
pub fn doubt(case: &mut Value, random: &mut Random) {
    match random.below(8) {
        0..=2 => contradict(case, random),
        3..=5 => ahead(case, random),
        6 => equal_numbers(case, random),
        _ => write_twice(case, random),
    }
}

/// One of the case's items that show themselves, and its place in the delivery.
fn one_shown(case: &Value, random: &mut Random) -> Option<(usize, Value)> {
    let shown = shown(case);
    if shown.is_empty() {
        return None;
    }
    let at = shown[random.below(shown.len())];
    Some((at, case["delivery"]["configurationItems"][at].clone()))
}

/// Another state of the version that the delivery shows: one that contradicts it, or one that does not.
fn contradict(case: &mut Value, random: &mut Random) {
    let Some((_, whole)) = one_shown(case, random) else { return };
    let mut other = whole.clone();
    match random.below(10) {
        0..=4 => {
            for _ in 0..1 + random.below(2) {
                boundary::change_one(&mut other, random);
            }
            for member in KEY {
                match whole.get(member) {
                    Some(told) => other[member] = told.clone(),
                    None => drop(other.as_object_mut().expect("an item").remove(member)),
                }
            }
        }
        5 => other = deleted(&whole, 0),
        6 => {
            // Another capture time: numbers go before it.
            boundary::change_one(&mut other["configuration"], random);
            other["configurationItemCaptureTime"] =
                json!(random.pick(&["2026-02-03T04:05:06.001Z", "2026-02-03T04:05:06.900Z"]));
        }
        // The same facts in other words, and a part of them.
        7 => other = containers::in_api_words(&whole),
        8 => reverse_lists(&mut other["configuration"]),
        _ => {
            if let Some(body) = other["configuration"].as_object_mut()
                && !body.is_empty()
            {
                let keys: Vec<String> = body.keys().cloned().collect();
                body.remove(&keys[random.below(keys.len())]);
            }
        }
    }
    let content = match random.below(5) {
        0 => containers::page(&[containers::row(&other, &SELECTED, random)], &SELECTED, None),
        _ => containers::single(&other, random),
    };
    if random.chance(12) {
        // By their capture times, where one of them has no number.
        let place = format!("/delivery/configurationItems/{}", place_of(case, &whole));
        if let Some(item) = case.pointer_mut(&place).and_then(Value::as_object_mut) {
            item.remove("configurationStateId");
        }
    }
    push(case, "again.json", content);
    if random.chance(20) {
        let mut good = whole;
        later(&mut good, 40, AFTER);
        let content = containers::single(&good, random);
        push(case, "greater.json", content);
    }
    note(case, "contradictions");
}

fn place_of(case: &Value, item: &Value) -> usize {
    let items = case["delivery"]["configurationItems"].as_array().into_iter().flatten();
    items.into_iter().position(|other| other == item).unwrap_or_default()
}

fn reverse_lists(value: &mut Value) {
    match value {
        Value::Array(all) => all.reverse(),
        Value::Object(map) => map.values_mut().for_each(reverse_lists),
        _ => {}
    }
}

/// How far ahead of the receipt something is dated: 15 minutes still count as now.
fn offset(random: &mut Random) -> i64 {
    let offsets = [
        5 * MINUTE_MS,
        15 * MINUTE_MS,
        15 * MINUTE_MS + 1,
        15 * MINUTE_MS + 1_000,
        1_440 * MINUTE_MS,
    ];
    offsets[random.below(offsets.len())]
}

fn date(item: &mut Value, moment_ms: i64) {
    item["configurationStateId"] = json!(moment_ms);
    item["configurationItemCaptureTime"] = json!(written(moment_ms));
}

fn written(moment_ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment_ms).expect("a moment");
    format!("{moment:.3}")
}

/// An item, a deletion or a snapshot dated ahead of its receipt, mended sometimes.
fn ahead(case: &mut Value, random: &mut Random) {
    let Some((at, whole)) = one_shown(case, random) else { return };
    let moment_ms = RECEIVED_MS + offset(random);
    case["receivedMs"] = json!(RECEIVED_MS);
    // A delay, or an age, may be about the moment of the judgement.
    if case["evaluatedMs"].is_null() || random.chance(50) {
        case["evaluatedMs"] = json!(RECEIVED_MS);
    }
    if random.chance(40) {
        case["staleAfterMs"] = json!([60 * MINUTE_MS, 14 * 60 * MINUTE_MS][random.below(2)]);
    }
    let mut told = whole.clone();
    match random.below(8) {
        0 | 1 => {
            let items = case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
            date(&mut items[at], moment_ms);
        }
        2 | 3 => {
            boundary::change_one(&mut told, random);
            KEY.iter().filter(|member| !whole[**member].is_null()).for_each(|member| {
                told[*member] = whole[*member].clone();
            });
            date(&mut told, moment_ms);
            let content = containers::single(&told, random);
            push(case, "ahead.json", content);
        }
        4 | 5 => {
            told = deleted(&whole, 0);
            date(&mut told, moment_ms);
            let content = containers::single(&told, random);
            push(case, "ahead.json", content);
        }
        6 => {
            // A history by the name.
            date(&mut told, moment_ms);
            let said = |member: &str| whole[member].as_str().unwrap_or_default().to_owned();
            let region = said("awsRegion").replace("global", "us-east-1");
            let (account, kind) = (said("awsAccountId"), said("resourceType"));
            let name = history_name(&account, &region, &kind, "20270101T000000Z");
            push(case, &name, json!({"fileVersion": "1.0", "configurationItems": [told]}));
        }
        _ => {
            let moment = jiff::Timestamp::from_millisecond(moment_ms).expect("a moment");
            case["momentOfDelivery"] = json!(moment.strftime("%Y%m%dT%H%M%SZ").to_string());
            if random.chance(40) {
                let items =
                    case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
                items.remove(at);
                later(&mut told, -3, BEFORE);
                let content = containers::single(&told, random);
                push(case, "before.json", content);
            }
        }
    }
    if random.chance(35) {
        let mut good = whole;
        date(&mut good, RECEIVED_MS + [-1, 1, 5 * MINUTE_MS][random.below(3)]);
        let content = containers::single(&good, random);
        push(case, "mended.json", content);
    }
    note(case, "ahead of receipt");
}

/// Two priorities or two numbers of one list are one.
fn equal_numbers(case: &mut Value, random: &mut Random) {
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    for item in items {
        let body = item.pointer_mut("/configuration").and_then(Value::as_object_mut);
        let Some(body) = body else { continue };
        for (list, number) in [
            ("PreProcessFirewallManagerRuleGroups", "Priority"),
            ("PostProcessFirewallManagerRuleGroups", "Priority"),
            ("rulesList", "priority"),
            ("entries", "ruleNumber"),
            ("Rules", "Priority"),
        ] {
            let Some(all) = body.get_mut(list).and_then(Value::as_array_mut) else { continue };
            if list == "Rules" && all.is_empty() && random.chance(40) {
                let rule = |name: &str, at: i64| json!({"Name": name, "Priority": at, "Action": {"Block": {}}});
                *all = vec![rule("one", 7), rule("two", 7 + random.below(2) as i64)];
                return note(case, "equal numbers");
            }
            if all.len() < 2 || random.chance(30) {
                continue;
            }
            let (one, other) = (random.below(all.len()), random.below(all.len()));
            if !all[one].is_object() || !all[other].is_object() || one == other {
                continue;
            }
            all[one][number] = all[other][number].clone();
            if list == "entries" && random.chance(70) {
                all[one]["egress"] = all[other]["egress"].clone();
            }
            return note(case, "equal numbers");
        }
    }
}

/// An item in which a member stands twice, in a file of its own or in the snapshot; or two whose names
/// differ in their letters.
fn write_twice(case: &mut Value, random: &mut Random) {
    let Some((_, whole)) = one_shown(case, random) else { return };
    let mut told = whole.clone();
    later(&mut told, [0, 30][random.below(2)], random.pick(&[AFTER, BEFORE]));
    if told["configuration"].is_string() {
        told["configuration"] = boundary::body_of(&told);
    }
    let body: Vec<String> = told["configuration"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect();
    let top = [
        "resourceId",
        "tags",
        "configurationItemStatus",
        "configuration",
        "resourceType",
        "availabilityZone",
    ];
    let path: Vec<String> = match random.below(6) {
        0 | 1 => vec![random.pick(&top).to_owned()],
        2 => vec!["tags".to_owned(), random.pick(&["env", "team"]).to_owned()],
        _ if body.is_empty() => return,
        _ => vec!["configuration".to_owned(), body[random.below(body.len())].clone()],
    };
    if random.chance(30) {
        // In other letters, which a value can hold.
        let (last, holder) = path.split_last().expect("not empty");
        let holder = holder.iter().try_fold(&mut told, |at, step| at.get_mut(step));
        if let Some(Value::Object(members)) = holder
            && let Some(value) = members.get(last).cloned()
        {
            members.insert(last.to_ascii_uppercase(), value);
        }
        let content = containers::single(&told, random);
        push(case, "twice.json", content);
    } else {
        let text = text_with_twice(&told, &path, random);
        let notification = format!(
            "{{\"messageType\":\"ConfigurationItemChangeNotification\",\"configurationItem\":{text}}}"
        );
        let content = match random.below(3) {
            0 => json!(text),
            1 => json!(notification),
            _ => json!({"Results": [text]}),
        };
        push(case, "twice.json", content);
    }
    note(case, "twice");
}

/// An item's text, in which the member at a path stands twice.
fn text_with_twice(value: &Value, path: &[String], random: &mut Random) -> String {
    let (Some(step), Value::Object(members)) = (path.first(), value) else {
        return value.to_string();
    };
    let mut parts = vec![];
    for (key, inner) in members {
        let name = json!(key);
        if key != step {
            parts.push(format!("{name}:{inner}"));
        } else if path.len() > 1 {
            parts.push(format!("{name}:{}", text_with_twice(inner, &path[1..], random)));
        } else {
            let other = if random.chance(50) { inner.clone() } else { json!(null) };
            parts.push(format!("{name}:{other},{name}:{inner}"));
        }
    }
    format!("{{{}}}", parts.join(","))
}

/// Something that another account or another Region tells is in doubt: what verdicts rest on there is as it is
/// here (semantics §11 row 40).
pub fn elsewhere(case: &mut Value, random: &mut Random) {
    let mut places = vec!["/administratorDelivery/configurationItems".to_owned()];
    for (list, inner) in [("elsewhere", "delivery"), ("files", "content")] {
        for at in 0..case[list].as_array().map_or(0, Vec::len) {
            places.push(format!("/{list}/{at}/{inner}/configurationItems"));
        }
    }
    let is_here = |item: &Value| {
        item["awsAccountId"] == case["account"] && item["awsRegion"] == case["region"]
    };
    let mut there = vec![];
    for place in places {
        let items = case.pointer(&place).and_then(Value::as_array).into_iter().flatten();
        for (at, item) in items.enumerate() {
            let told = item["configurationStateId"].is_number()
                && item["configurationItemCaptureTime"].is_string()
                && item["resourceId"].is_string()
                && item["configuration"].is_object();
            let beside = ["AWS::EC2::VPC", "AWS::Config::ConfigurationRecorder"]
                .iter()
                .any(|kind| item["resourceType"] == *kind);
            if told && !beside && !is_here(item) {
                there.push(format!("{place}/{at}"));
            }
        }
    }
    if there.is_empty() {
        return;
    }
    let place = &there[random.below(there.len())];
    let Some(item) = case.pointer(place).cloned() else { return };
    let mut told = item.clone();
    later(&mut told, [0, 25, 25][random.below(3)], random.pick(&[AFTER, BEFORE]));
    let content = match random.below(8) {
        0 => {
            put(case, place, break_one(&item, random));
            None
        }
        1 => {
            spoil(&mut told, random);
            put(case, place, told);
            None
        }
        2 => Some(json!([break_one(&told, random)])),
        3 => Some(containers::single(&super::not_recorded(&told), random)),
        4 => {
            let row = containers::row(&told, &SELECTED, random);
            Some(containers::page(&[row], &SELECTED, Some("more")))
        }
        5 => {
            let mut other = item.clone();
            boundary::change_one(&mut other["configuration"], random);
            Some(containers::single(&other, random))
        }
        6 => Some(containers::single(&deleted(&told, 1), random)),
        _ => {
            boundary::change_one(&mut told["configuration"], random);
            Some(containers::single(&told, random))
        }
    };
    if let Some(content) = content {
        push(case, "elsewhere.json", content);
    }
    note(case, "doubts elsewhere");
}

fn put(case: &mut Value, place: &str, item: Value) {
    if let Some(held) = case.pointer_mut(place) {
        *held = item;
    }
}
