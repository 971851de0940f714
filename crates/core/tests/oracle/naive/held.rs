//! What is held of an account's delivery, read straight from the JSON.

use serde_json::Value;

use super::{Mutation, list, text};

/// The newest live states of a delivery that belong to one (account, Region).
pub struct Held {
    pub live: Vec<Value>,
    /// Every state that belongs here, deletions too.
    all: Vec<Value>,
    snapshot: bool,
    broken: Option<Mutation>,
}

/// Gathers what a delivered file tells about (account, region).
pub fn held(delivery: &Value, account: &str, region: &str, broken: Option<Mutation>) -> Held {
    let mut all = vec![];
    for item in list(&delivery["configurationItems"]) {
        let home = match text(&item["awsRegion"]) {
            "global" => "us-east-1",
            regional => regional,
        };
        if text(&item["awsAccountId"]) == account && home == region {
            all.push(item.clone());
        }
    }
    let mut live = vec![];
    for item in &all {
        let newer = |other: &Value| {
            let (a, b) = (other["configurationStateId"].as_u64(), item["configurationStateId"].as_u64());
            same(item, other) && if broken == Some(Mutation::OlderStateWins) { a < b } else { a > b }
        };
        let deleted = is_deleted(item) && broken != Some(Mutation::DeletionIgnored);
        let superseded = match broken {
            Some(Mutation::DeletionIgnored) => all.iter().any(|o| newer(o) && !is_deleted(o)),
            _ => all.iter().any(newer),
        };
        if !superseded && !deleted && !(is_deleted(item)) {
            live.push(item.clone());
        }
    }
    // A whole snapshot carries the id of a snapshot; a history file has none.
    let snapshot = delivery["configSnapshotId"].is_string()
        && list(&delivery["configurationItems"]).iter().any(|item| {
            text(&item["awsAccountId"]) == account && text(&item["awsRegion"]) == region
        });
    Held { live, all, snapshot, broken }
}

fn same(a: &Value, b: &Value) -> bool {
    text(&a["resourceType"]) == text(&b["resourceType"])
        && text(&a["resourceId"]) == text(&b["resourceId"])
}

fn is_deleted(item: &Value) -> bool {
    text(&item["configurationItemStatus"]).starts_with("ResourceDeleted")
}

/// Whether the resource exists but shows no body.
pub fn is_unseen(item: &Value) -> bool {
    text(&item["configurationItemStatus"]) == "ResourceNotRecorded" || body(item).is_null()
}

/// The body, which may be JSON or JSON in a text.
pub fn body(item: &Value) -> Value {
    match &item["configuration"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// Tags by the item's map; by the body's lists only when there is no map.
pub fn tags(item: &Value) -> Vec<(String, String)> {
    let mut tags = vec![];
    if let Some(map) = item["tags"].as_object() {
        for (key, value) in map {
            tags.push((key.clone(), text(value).to_owned()));
        }
        return tags;
    }
    let body = body(item);
    for tag in list(&body["tags"]).iter().chain(list(&body["tagSet"])) {
        tags.push((text(&tag["key"]).to_owned(), text(&tag["value"]).to_owned()));
    }
    tags
}

impl Held {
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.live.iter().filter(move |item| text(&item["resourceType"]) == kind)
    }

    pub fn item(&self, kind: &str, id: &str) -> Option<&Value> {
        self.live
            .iter()
            .find(|item| text(&item["resourceType"]) == kind && text(&item["resourceId"]) == id)
    }

    /// Semantics §10 row 1.
    pub fn knows(&self, kind: &str) -> bool {
        if self.broken == Some(Mutation::UnknownTypeCountedCompliant) {
            return true;
        }
        for recorder in self.of_type("AWS::Config::ConfigurationRecorder") {
            let body = body(recorder);
            let either = |value: &Value, upper: &str, lower: &str| match &value[upper] {
                Value::Null => value[lower].clone(),
                found => found.clone(),
            };
            let recording = either(&body, "Recording", "recording");
            if recording == false && self.broken != Some(Mutation::RecorderAtRestCountedRecording) {
                return false;
            }
            let group = either(&body, "RecordingGroup", "recordingGroup");
            if either(&group, "AllSupported", "allSupported") == true {
                return true;
            }
            let named = |types: &Value| list(types).iter().any(|t| text(t) == kind);
            let but = either(&group, "ExclusionByResourceTypes", "exclusionByResourceTypes");
            let but = either(&but, "ResourceTypes", "resourceTypes");
            if !list(&but).is_empty() {
                return !named(&but);
            }
            return named(&either(&group, "ResourceTypes", "resourceTypes"));
        }
        self.snapshot || self.all.iter().any(|item| text(&item["resourceType"]) == kind)
    }
}
