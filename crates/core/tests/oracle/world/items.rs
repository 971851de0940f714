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

/// When most items were captured, milliseconds since 1970.
const CAPTURED_MS: i64 = 1_770_091_506_007;

/// A state captured some milliseconds after most others.
pub(super) fn captured(item: &mut Value, after_ms: i64) {
    if item["configurationStateId"] == CAPTURED_MS {
        item["configurationStateId"] = json!(CAPTURED_MS + after_ms);
    }
    item["configurationItemCaptureTime"] =
        json!(format!("2026-02-03T04:05:06.{:03}Z", 7 + after_ms));
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
    let captured = "2026-02-03T04:05:06.007Z";
    // The moment of capture since version 1.3, any number before: it orders states of one resource.
    let state = match random.chance(80) {
        true => CAPTURED_MS,
        false => 1_770_000_000_000 + random.below(1_000_000_000) as i64,
    };
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

/// A later message of one of the case's items that shows no body: it was too large, or its type is
/// no longer recorded. Sometimes late or of the same version, sometimes after a deletion.
pub(super) fn show_no_body(case: &mut Value, random: &mut Random) {
    const KIND: &str = "AWS::Config::ConfigurationRecorder";
    let data = &case["policy"]["SecurityServicePolicyData"]["ManagedServiceData"];
    let says = |words: &str| data.as_str().is_some_and(|data| data.contains(words));
    let public = says("PublicAccessAppLists\":{");
    let must_be_used = says("deleteUnusedSecurityGroups\":true");
    let delayed = says("UnusedInMinutes\":") && !says("UnusedInMinutes\":null");
    let asked = case["policy"]["ResourceTags"].as_array().and_then(|tags| tags.first());
    let asked = asked.and_then(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone())));
    let of_vpcs = case["policy"]["ResourceType"] == "AWS::EC2::VPC";
    let mut files = vec!["/delivery".to_owned(), "/delivery".to_owned(), "/delivery".to_owned()];
    files.push("/administratorDelivery".to_owned());
    for at in 0..case["elsewhere"].as_array().map_or(0, Vec::len) {
        files.push(format!("/elsewhere/{at}/delivery"));
    }
    let file = &files[random.below(files.len())];
    let Some(file) = case.pointer_mut(file) else { return };
    let whole = file["configSnapshotId"].is_string();
    let Some(items) = file["configurationItems"].as_array_mut() else { return };
    let shown: Vec<usize> = (0..items.len())
        .filter(|at| of_vpcs || items[*at]["resourceType"] != "AWS::EC2::VPC" || items.len() == 1)
        .filter(|at| !items[*at]["configuration"].is_null())
        .collect();
    if shown.is_empty() {
        return;
    }
    let lists = shown.iter().find(|at| items[**at]["resourceType"] == "AWS::EC2::PrefixList");
    let of = |kinds: &[&str]| {
        shown.iter().find(|at| kinds.contains(&items[**at]["resourceType"].as_str().unwrap_or("")))
    };
    let users = of(&["AWS::EC2::NetworkInterface", "AWS::EC2::Instance"]).filter(|_| must_be_used);
    let told_of = match random.below(3) {
        0 => of(&["AWS::EC2::SecurityGroup"]).filter(|_| delayed).or(users),
        1 => users,
        _ => lists,
    };
    let at = match told_of.or(lists) {
        Some(at)
            if random.chance(if public {
                90
            } else if must_be_used {
                60
            } else {
                20
            }) =>
        {
            *at
        }
        _ => shown[random.below(shown.len())],
    };
    let mut later = not_recorded(&items[at]);
    // What has nothing to show but its tags shows all of it without a body.
    if random.chance(50) && items[at]["resourceType"] != "AWS::EC2::EIP" {
        later["configurationItemStatus"] = json!("OK");
    }
    if random.chance(if asked.is_some() { 70 } else { 45 }) {
        later["tags"] = items[at]["tags"].clone();
        let key = random.pick(&["env", "team"]);
        if later["tags"].is_object() && random.chance(60) {
            later["tags"][key] = json!(random.pick(TAG_VALUES));
        } else if let (Some((key, value)), Some(tags)) = (asked, later["tags"].as_object_mut()) {
            // As the policy asks for, or not any more.
            if tags.remove(&key).is_none() {
                tags.insert(key, value);
            }
        }
    }
    // A snapshot shows a recorder once.
    if items[at]["resourceType"] == KIND && whole {
        items[at] = later;
        return;
    }
    let state = items[at]["configurationStateId"].as_i64().expect("a state");
    let after = [6, 6, 6, 6, 6, 6, 0, -6];
    let after = after[random.below(after.len())];
    later["configurationStateId"] = json!(state + after);
    if after > 0 && random.chance(40) {
        later["configurationItemCaptureTime"] = json!("2026-02-03T05:05:06.007Z");
    }
    if random.chance(7) {
        items.push(deleted(&later, -2));
    }
    items.insert(random.below(items.len() + 1), later);
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
        let states = items.iter().filter(|i| i["resourceId"] == items[at]["resourceId"]).count();
        if states == 1 {
            items[at] = not_recorded(&items[at]);
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
    if !random.chance(80) {
        return;
    }
    let mut listed: Vec<&str> = types.to_vec();
    listed.push("AWS::EC2::VPC");
    if random.chance(35) {
        listed.remove(random.below(listed.len()));
    }
    let mut excluded = vec!["AWS::IAM::Role"];
    if random.chance(35) {
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

/// The recorder of a case was deleted. A snapshot shows it or its deletion, never both.
pub(super) fn delete_recorder(case: &mut Value, random: &mut Random) {
    const KIND: &str = "AWS::Config::ConfigurationRecorder";
    let (account, region) = (case["account"].clone(), case["region"].clone());
    let whole = case["delivery"]["configSnapshotId"].is_string();
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    let at = items.iter().position(|i| i["resourceType"] == KIND && i["awsRegion"] == region);
    let shown = at.map(|at| items[at].clone()).unwrap_or_else(|| {
        let [account, region] = [&account, &region].map(|v| v.as_str().unwrap_or_default());
        item(random, account, region, KIND, "default", json!({}))
    });
    let mut gone = deleted(&shown, if whole || random.chance(60) { 3 } else { -3 });
    gone["resourceId"] = json!("default");
    match at {
        Some(at) if whole => items[at] = gone,
        _ => items.push(gone),
    }
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
