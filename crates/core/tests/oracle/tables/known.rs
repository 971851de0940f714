//! Staleness (semantics §11 row 40) and a recorder that was deleted, worked by hand.

use serde_json::{Value, json};

use super::words::*;

const MINUTE_MS: i64 = 60_000;
const VIOLATOR: (&str, &str, &str) =
    ("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");

/// Minutes since the newest that the files tell, and the limit | what is held | outcome. A snapshot
/// tells of its moment, a history of its newest capture, another's snapshot of nothing here. What the
/// audit group is by now only the administrator's files tell.
const AGES: &str = "
1439 of 1440                   | good  | comply
1440 of 1440                   | good  | undecided
1441 of 1440                   | good  | undecided
1439 of 1440                   | bad   | violate
1441 of 1440                   | bad   | violate +AWSCONFIG
2159 of 2160                   | good  | comply
2161 of 2160                   | good  | undecided
99999 of -                     | good  | comply
-1440 of 60                    | good  | comply
61 of 60                       | good  | undecided
61 of 60 again                 | good  | undecided
61 of 60 elsewhere             | good  | undecided
61 of 60 administrator         | good  | undecided
61 of 60 change                | good  | undecided
61 of 60 change                | bad   | violate +AWSCONFIG
61 of 60 both                  | good  | comply
61 of 60 both                  | bad   | violate
99999 of - change              | good  | comply
";

/// When the case's snapshot was taken, milliseconds since 1970.
const SNAPSHOT_MS: i64 = 1_772_323_200_000;

#[test]
fn staleness_worked_by_hand() {
    for [age, held, want] in rows(AGES) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let group = resource(&format!("sg-1 {held}"));
        case["delivery"]["configurationItems"] = json!([group]);
        let words: Vec<&str> = age.split_whitespace().collect();
        let minutes = |text: &str| text.parse::<i64>().ok().map(|minutes| minutes * MINUTE_MS);
        let now = SNAPSHOT_MS + minutes(words[0]).unwrap();
        case["evaluatedMs"] = json!(now);
        case["staleAfterMs"] = json!(minutes(words[2]));
        match words.get(3) {
            // The same file once more, whatever it is called: nothing new.
            Some(&"again") => case["earlier"] = case["delivery"].clone(),
            Some(&"elsewhere") => {
                let mut vpc = item("AWS::EC2::VPC", "vpc-9", json!({"vpcId": "vpc-9"}), json!({}));
                vpc["awsRegion"] = json!("sa-east-1");
                vpc["configurationItemCaptureTime"] = json!("2026-03-01T00:30:00.000Z");
                let file = json!({"fileVersion": "1.0", "configurationItems": [vpc]});
                case["elsewhere"] = json!([{"region": "sa-east-1", "delivery": file}]);
            }
            _ => {}
        }
        if ["administrator", "both"].iter().any(|word| words.contains(word)) {
            let groups = case["administratorDelivery"]["configurationItems"].as_array_mut();
            groups.unwrap()[0]["configurationItemCaptureTime"] = json!("2026-03-01T00:30:00.000Z");
        }
        if ["change", "both"].iter().any(|word| words.contains(word)) {
            let mut changed = group.clone();
            changed["configurationItemCaptureTime"] = json!("2026-03-01T00:30:00.000Z");
            case["files"] = json!([{"name": "change.json", "content": changed}]);
        }
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
history                          | good | undecided
";

#[test]
fn a_deleted_recorder_worked_by_hand() {
    for [recorder, held, want] in rows(DELETED_RECORDERS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (kind, states) = recorder.split_once(' ').unwrap_or((recorder, ""));
        let mut items = vec![resource(&format!("sg-1 {held}"))];
        for (at, state) in states.split(", then ").filter(|state| !state.is_empty()).enumerate() {
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
