//! Staleness (semantics §10 row 2) and a recorder that was deleted, worked by hand.

use serde_json::{Value, json};

use super::words::*;

const MINUTE_MS: i64 = 60_000;
const VIOLATOR: (&str, &str, &str) =
    ("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");

/// Minutes since the last delivery, and the limit | what is held | outcome.
const AGES: &str = "
1439 of 1440     | good  | comply
1441 of 1440     | good  | undecided
1439 of 1440     | bad   | violate
1441 of 1440     | bad   | violate +AWSCONFIG
99999 of -       | good  | comply
- of 1440        | good  | comply
61 of 60         | good  | undecided
";

#[test]
fn staleness_worked_by_hand() {
    for [age, held, want] in rows(AGES) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        case["delivery"]["configurationItems"] = json!([resource(&format!("sg-1 {held}"))]);
        let (age_of, limit) = age.split_once(" of ").unwrap();
        let minutes = |text: &str| text.parse::<i64>().ok().map(|minutes| minutes * MINUTE_MS);
        // The capture time is old by any measure; only receipt counts.
        let now = 1_790_000_000_000_i64;
        case["evaluatedMs"] = json!(now);
        case["receivedMs"] = json!(minutes(age_of).map(|age| now - age));
        case["staleAfterMs"] = json!(minutes(limit));
        super::check(&format!("{age} | {held}"), &case, &outcome(want));
    }
}

/// What the files tell of the recorder, and their kind | what is held | outcome.
const DELETED_RECORDERS: &str = "
snapshot deleted                 | good | undecided
snapshot deleted                 | bad  | violate +AWSCONFIG
history deleted                  | good | undecided
history recording, then deleted  | good | undecided
history deleted, then recording  | good | comply
";

#[test]
fn a_deleted_recorder_worked_by_hand() {
    for [recorder, held, want] in rows(DELETED_RECORDERS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (kind, states) = recorder.split_once(' ').unwrap();
        let mut items = vec![resource(&format!("sg-1 {held}"))];
        for (at, state) in states.split(", then ").enumerate() {
            let body = json!({"Recording": true, "RecordingGroup": {"AllSupported": true}});
            let mut made = item("AWS::Config::ConfigurationRecorder", "default", body, json!({}));
            if state == "deleted" {
                made["configurationItemStatus"] = json!("ResourceDeleted");
                made["configuration"] = Value::Null;
            }
            made["configurationStateId"] = json!(1_770_091_506_007_i64 + at as i64);
            items.push(made);
        }
        if kind == "history" {
            case["delivery"].as_object_mut().unwrap().remove("configSnapshotId");
        }
        case["delivery"]["configurationItems"] = json!(items);
        super::check(&format!("{recorder} | {held}"), &case, &outcome(want));
    }
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
