//! Later states that show no body (formats §6, quirk 20; semantics §3.4, §10 row 1), worked by hand:
//! they take nothing away from what is known, and what is known is marked.

use serde_json::{Value, json};

use super::words::*;

const VIOLATOR: (&str, &str, &str) =
    ("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");

/// States of a group, each with its number: `bad` and `good` bodies, `gone`, and the three ways to
/// show no body; in any order of arrival | outcome.
const STATES: &str = "
bad 5                          | violate
bad 5, unrecorded 7            | violate +AWSCONFIG
bad 5, empty 7                 | violate +AWSCONFIG
good 5, unrecorded 7           | undecided
good 5, empty 7                | undecided
bad 5, unrecorded 5            | violate
bad 5, unrecorded 3            | violate
bad 5, empty 7, good 8         | comply
bad 5, empty 7, good 6         | undecided
bad 5, good 6, empty 7         | undecided
empty 7                        | undecided
bad 5, empty 7, gone 8         | comply
bad 5, gone 6, empty 7         | undecided
bad 5, gone 6, bad 7, empty 8  | violate +AWSCONFIG
gone 6, empty 7                | undecided
";

#[test]
fn states_without_a_body_worked_by_hand() {
    for row in STATES.lines().filter(|row| !row.is_empty()) {
        let (states, want) = row.split_once('|').unwrap();
        let (states, want) = (states.trim(), want.trim());
        let states: Vec<Value> = states.split(", ").map(state).collect();
        for reversed in [false, true] {
            let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
            let mut states = states.clone();
            if reversed {
                states.reverse();
            }
            case["delivery"]["configurationItems"] = json!(states);
            super::check(&format!("{states:?}"), &case, &outcome(want));
        }
    }
}

/// Tags of the policy | those of the known state, of the later one without a body | outcome.
const TAGS: &str = "
with env=prod    | env=prod -        | violate +AWSCONFIG
with env=prod    | env=test -        | undecided
with env=prod    | env=test env=test | comply
with env=prod    | env=test env=prod | violate +AWSCONFIG
with env=prod    | env=prod env=test | comply
without env=prod | env=prod -        | undecided
without env=prod | env=prod env=prod | comply
without env=prod | env=prod env=test | violate +AWSCONFIG
";

#[test]
fn tags_of_later_states_worked_by_hand() {
    for [policy, tags, want] in rows(TAGS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (with, wanted) = policy.split_once(' ').unwrap();
        let (key, value) = wanted.split_once('=').unwrap();
        case["policy"]["ResourceTags"] = json!([{"Key": key, "Value": value}]);
        case["policy"]["ExcludeResourceTags"] = json!(with == "without");
        let (before, after) = tags.split_once(' ').unwrap();
        let mut known = state("bad 5");
        known["tags"] = map(before);
        let mut later = state("empty 7");
        later["tags"] = map(after);
        case["delivery"]["configurationItems"] = json!([known, later]);
        super::check(&format!("{policy} | {tags}"), &case, &outcome(want));
    }
}

fn map(tag: &str) -> Value {
    match tag.split_once('=') {
        Some((key, value)) => json!({ key: value }),
        None => json!({}),
    }
}

fn state(words: &str) -> Value {
    let (kind, number) = words.split_once(' ').unwrap();
    let body = if kind == "good" { "good" } else { "bad" };
    let mut made = resource(&format!("sg-1 {body}"));
    let number: i64 = number.parse().unwrap();
    made["configurationStateId"] = json!(1_770_091_506_000_i64 + number);
    made["configurationItemCaptureTime"] = json!(format!("2026-02-03T04:05:06.00{number}Z"));
    let status = match kind {
        "gone" => "ResourceDeleted",
        "unrecorded" => "ResourceNotRecorded",
        "empty" => "OK",
        _ => return made,
    };
    made["configurationItemStatus"] = json!(status);
    made["configuration"] = Value::Null;
    made
}

fn outcome(want: &str) -> crate::naive::Outcome {
    let mut outcome = match want.split_whitespace().next() {
        Some("comply") => compliant(),
        Some("undecided") => undecided("AWSCONFIG"),
        _ => noncompliant(&[VIOLATOR]),
    };
    if want.ends_with("+AWSCONFIG") {
        outcome.issues.insert("AWSCONFIG".to_owned());
    }
    outcome
}
