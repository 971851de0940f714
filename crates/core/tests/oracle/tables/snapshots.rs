//! A snapshot as the whole truth (semantics §10 row 3), worked by hand.

use serde_json::{Value, json};

use super::words::*;

/// An earlier file | a later file | violators. A file is `snapshot` or `history`, its resources,
/// and `recorder` for a recorder that lists groups. Items were captured before either snapshot.
const FILES: &str = "
snapshot sg-1 bad    | snapshot sg-2 good           | -
snapshot sg-1 bad    | snapshot                     | sg-1
snapshot sg-1 bad    | snapshot recorder            | -
snapshot sg-1 bad    | history sg-2 good            | sg-1
history sg-1 bad     | snapshot sg-2 good           | -
history sg-1 bad     | history sg-2 good            | sg-1 +AWSCONFIG
snapshot sg-2 good   | history sg-1 bad             | -
snapshot             | history sg-1 bad             | sg-1 +AWSCONFIG
snapshot sg-1 bad    | snapshot sg-2 bad            | sg-2
snapshot sg-1 bad    | snapshot eni-1               | sg-1
# what cannot be read there may be what is missing
snapshot sg-1 bad    | snapshot recorder broken     | sg-1 +AWSCONFIG
snapshot sg-1 bad    | snapshot recorder broken eni | -
";

#[test]
fn snapshots_worked_by_hand() {
    for [earlier, later, want] in rows(FILES) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        case["delivery"] = file(later);
        case["earlier"] = file(earlier);
        let (want, issue) = want.split_once(" +").map_or((want, ""), |(want, issue)| (want, issue));
        let mut want = match want {
            "-" => compliant(),
            id => noncompliant(&[(
                "AWS::EC2::SecurityGroup",
                id,
                "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP",
            )]),
        };
        if !issue.is_empty() {
            want.issues.insert(issue.to_owned());
        }
        super::check(&format!("{earlier} | {later}"), &case, &want);
    }
}

fn file(words: &str) -> Value {
    let (kind, resources) = words.split_once(' ').unwrap_or((words, ""));
    let mut items = vec![item("AWS::EC2::VPC", "vpc-1", json!({"vpcId": "vpc-1"}), json!({}))];
    let (resources, broken) = match resources.trim().split_once(" broken") {
        Some((resources, kind)) => (resources, Some(kind.trim())),
        None => (resources.trim(), None),
    };
    if let Some(kind) = broken {
        let mut bad = resource(if kind == "eni" { "eni-7" } else { "sg-7 good" });
        bad["configurationItemCaptureTime"] = json!("the other day");
        items.push(bad);
    }
    match resources {
        "" => {}
        "recorder" => {
            let body = json!({"Recording": true, "RecordingGroup": {"AllSupported": false,
                "ResourceTypes": ["AWS::EC2::SecurityGroup"]}});
            items.push(item("AWS::Config::ConfigurationRecorder", "default", body, json!({})));
        }
        one => items.push(resource(one)),
    }
    let mut file = json!({"fileVersion": "1.0", "configurationItems": items});
    if kind == "snapshot" {
        file["configSnapshotId"] = json!("dededede-0000-4000-8000-000000000000");
    }
    file
}
