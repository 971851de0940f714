//! Configuration items and the files that deliver them.

use serde_json::{Map, Value, json};

use super::{TAG_VALUES, WEB_ACL};
use crate::boundary;
use crate::random::Random;

/// Numbers resources, so that ids are short and unique.
pub(super) struct Ids(pub usize);

impl Ids {
    pub fn next(&mut self, prefix: &str) -> String {
        self.0 += 1;
        format!("{prefix}-{:05x}", self.0)
    }
}

pub(super) fn push(value: &mut Value, key: &str, element: Value) {
    value[key].as_array_mut().expect("built as a list").push(element);
}

/// A delivered configuration item.
pub(super) fn item(
    random: &mut Random,
    account: &str,
    region: &str,
    kind: &str,
    id: &str,
    mut body: Value,
) -> Value {
    let state = 1_770_000_000_000 + random.below(1_000_000_000) as i64;
    let captured = "2026-02-03T04:05:06.007Z";
    let mut tags = Map::new();
    for key in ["env", "team", "Env"] {
        if random.chance(35) {
            tags.insert(key.to_owned(), json!(random.pick(TAG_VALUES)));
        }
    }
    let pairs: Vec<Value> = tags.iter().map(|(k, v)| json!({"key": k, "value": v})).collect();
    if body["tags"].is_array() {
        body["tags"] = json!(pairs);
    }
    if body["tagSet"].is_array() {
        body["tagSet"] = json!(pairs);
    }
    let listed = body["tags"].is_array() || body["tagSet"].is_array();
    let mut item = json!({
        "relatedEvents": [], "relationships": [], "supplementaryConfiguration": {},
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": captured,
        "configurationStateId": state, "awsAccountId": account,
        "configurationItemStatus": random.pick(&["OK", "ResourceDiscovered"]),
        "resourceType": kind, "resourceId": id, "awsRegion": region,
        "availabilityZone": "Not Applicable", "configurationStateMd5Hash": "",
    });
    if !(listed && random.chance(10)) {
        item["tags"] = Value::Object(tags);
    }
    item["configuration"] = if random.chance(4) { json!(body.to_string()) } else { body };
    item
}

/// The same resource as a recorder shows it that does not record its type.
pub fn not_recorded(item: &Value) -> Value {
    let mut item = item.clone();
    item["configurationItemStatus"] = json!("ResourceNotRecorded");
    item["configuration"] = Value::Null;
    item["supplementaryConfiguration"] = json!({});
    item["relationships"] = json!([]);
    item["tags"] = json!({});
    item
}

/// The same resource, gone at a later or earlier state.
pub(super) fn deleted(item: &Value, later: i64) -> Value {
    let mut item = not_recorded(item);
    item["configurationItemStatus"] = json!("ResourceDeleted");
    item["configurationStateId"] =
        json!(item["configurationStateId"].as_i64().expect("a state") + later);
    item
}

/// Older states, deletions and resources that are not recorded.
pub(super) fn histories(random: &mut Random, items: &mut Vec<Value>) {
    if items.is_empty() {
        return;
    }
    if random.chance(12) {
        let at = random.below(items.len());
        let mut older = items[at].clone();
        boundary::change_one(&mut older, random);
        older["resourceId"] = items[at]["resourceId"].clone();
        older["resourceType"] = items[at]["resourceType"].clone();
        let state = items[at]["configurationStateId"].as_i64().expect("a state");
        older["configurationStateId"] = json!(state - 1);
        older["configurationItemCaptureTime"] = json!("2026-02-03T04:05:06.006Z");
        items.insert(random.below(items.len() + 1), older);
    }
    if random.chance(8) {
        let at = random.below(items.len());
        let mut gone = items[at].clone();
        gone["resourceId"] = json!("sg-0dead0");
        gone["resourceType"] = json!("AWS::EC2::SecurityGroup");
        if boundary::body_of(&gone)["ipPermissions"].is_array() {
            let tombstone = deleted(&gone, 1);
            items.push(gone);
            items.insert(random.below(items.len() + 1), tombstone);
        }
    }
    if random.chance(9) {
        let at = random.below(items.len());
        let audited = ["AWS::EC2::PrefixList", WEB_ACL];
        if !audited.iter().any(|kind| items[at]["resourceType"] == *kind) {
            let states =
                items.iter().filter(|i| i["resourceId"] == items[at]["resourceId"]).count();
            if states == 1 {
                items[at] = not_recorded(&items[at]);
            }
        }
    }
}

/// What an earlier file showed: some of the same resources as they were, and others that are gone
/// by now or were forgotten.
pub(super) fn earlier(random: &mut Random, delivery: &Value) -> Value {
    let mut items = vec![];
    for item in delivery["configurationItems"].as_array().expect("built as a list") {
        let kind = item["resourceType"].as_str().expect("a type");
        let state = item["configurationStateId"].as_i64().expect("a state");
        if item["configuration"].is_null() || item["awsRegion"] != "eu-west-1" || random.chance(40)
        {
            continue;
        }
        let mut older = item.clone();
        if random.chance(60) {
            boundary::change_one(&mut older, random);
        }
        let alone =
            !["AWS::Config::ConfigurationRecorder", WEB_ACL, "AWS::EC2::VPC"].contains(&kind);
        if alone && random.chance(40) {
            let id = item["resourceId"].as_str().expect("an id");
            older["resourceId"] = json!(id.replacen("-0", "-9", 1));
        }
        older["configurationStateId"] = json!(state - 10);
        older["configurationItemCaptureTime"] = json!("2026-02-02T00:00:00.000Z");
        items.push(older);
    }
    if random.chance(75) {
        json!({"fileVersion": "1.0", "configSnapshotId": "eaeaeaea-0000-4000-8000-000000000000", "configurationItems": items})
    } else {
        json!({"fileVersion": "1.0", "configurationItems": items})
    }
}

pub(super) fn recorder(
    random: &mut Random,
    account: &str,
    region: &str,
    items: &mut Vec<Value>,
    types: &[&str],
) {
    if !random.chance(50) {
        return;
    }
    let mut listed: Vec<&str> = types.to_vec();
    listed.push("AWS::EC2::VPC");
    if random.chance(45) {
        listed.remove(random.below(listed.len()));
    }
    let mut excluded = vec!["AWS::IAM::Role"];
    if random.chance(45) {
        excluded.push(types[random.below(types.len())]);
    }
    let group = match random.below(4) {
        0 => json!({"AllSupported": true, "IncludeGlobalResourceTypes": true, "ResourceTypes": []}),
        1 => json!({"AllSupported": false, "ResourceTypes": listed}),
        2 => json!({"allSupported": false, "resourceTypes": listed}),
        _ => json!({"AllSupported": false, "ResourceTypes": [],
            "ExclusionByResourceTypes": {"ResourceTypes": excluded},
            "RecordingStrategy": {"UseOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}),
    };
    let lower = group["allSupported"].is_boolean();
    let on = random.chance(88);
    let body = if lower {
        json!({"name": "default", "recordingGroup": group, "recording": on})
    } else {
        json!({"Name": "default", "RecordingGroup": group, "Recording": on})
    };
    items.push(item(
        random,
        account,
        region,
        "AWS::Config::ConfigurationRecorder",
        "default",
        body,
    ));
}

pub(super) fn delivery(
    random: &mut Random,
    account: &str,
    region: &str,
    mut items: Vec<Value>,
) -> Value {
    // Something regional is always there, so that the file tells whose snapshot it is.
    let body = json!({"vpcId": "vpc-01", "cidrBlock": "10.0.0.0/16"});
    let vpc = item(random, account, region, "AWS::EC2::VPC", "vpc-01", body);
    items.insert(0, vpc);
    // A few states in another Region, which are none of this shard's business.
    if random.chance(10) {
        let mut elsewhere = items[random.below(items.len())].clone();
        elsewhere["awsRegion"] = json!("ap-south-1");
        items.push(elsewhere);
    }
    if random.chance(88) {
        json!({"fileVersion": "1.0", "configSnapshotId": "dededede-0000-4000-8000-000000000000", "configurationItems": items})
    } else {
        json!({"fileVersion": "1.0", "configurationItems": items})
    }
}
