//! What is held of an account's delivery, read straight from the JSON.

use std::borrow::Cow;

use serde_json::Value;

use super::{Mutation, list, text};

/// The newest live states of a delivery that belong to one (account, Region).
pub struct Held<'a> {
    pub live: Vec<&'a Value>,
    /// Every state that belongs here, deletions too.
    all: Vec<&'a Value>,
    snapshot: bool,
    broken: Option<Mutation>,
}

/// When snapshots were taken, as their file names say: that of the case, and an earlier one.
const MOMENT: &str = "2026-03-01T00:00:00.000Z";
const EARLIER_MOMENT: &str = "2026-02-15T00:00:00.000Z";

/// Gathers what delivered files tell about (account, region): the case's own and an earlier one,
/// which may be absent.
pub fn held<'a>(
    delivery: &'a Value,
    earlier: &'a Value,
    account: &str,
    region: &str,
    broken: Option<Mutation>,
) -> Held<'a> {
    // Of each state that belongs here: the item, and when its file shows it.
    let mut all: Vec<(&Value, &str)> = vec![];
    // Of each whole snapshot: its moment, the types it contains, and its recorder.
    let mut snapshots: Vec<(&str, Vec<&str>, Option<&Value>)> = vec![];
    for (file, moment) in [(delivery, MOMENT), (earlier, EARLIER_MOMENT)] {
        // A whole snapshot carries the id of a snapshot; a history file has none.
        let whole = file["configSnapshotId"].is_string();
        let (mut types, mut recorder) = (vec![], None);
        for item in list(&file["configurationItems"]) {
            let home = match text(&item["awsRegion"]) {
                "global" => "us-east-1",
                regional => regional,
            };
            if text(&item["awsAccountId"]) != account || home != region {
                continue;
            }
            types.push(text(&item["resourceType"]));
            if text(&item["resourceType"]) == RECORDER {
                recorder = Some(item);
            }
            let captured = text(&item["configurationItemCaptureTime"]);
            all.push((item, if whole && moment > captured { moment } else { captured }));
        }
        // Every file of a case is named after its account and Region.
        if whole {
            snapshots.push((moment, types, recorder));
        }
    }
    let mut live = vec![];
    for (item, _) in &all {
        let newer = |(other, _): &&(&Value, &str)| {
            let (a, b) = (&other["configurationStateId"], &item["configurationStateId"]);
            let (a, b) = (a.as_u64(), b.as_u64());
            let counts = !is_deleted(other) || broken != Some(Mutation::DeletionIgnored);
            let newer = if broken == Some(Mutation::OlderStateWins) { a < b } else { a > b };
            same(item, other) && counts && newer
        };
        if all.iter().any(|other| newer(&other)) || is_deleted(item) {
            continue;
        }
        // Semantics §10 row 3.
        let sightings = all.iter().filter(|(other, _)| same(item, other)).map(|(_, seen)| *seen);
        let seen = sightings.max().unwrap_or("");
        let kind = text(&item["resourceType"]);
        let gone = snapshots.iter().any(|(moment, types, recorder)| {
            let covers = types.contains(&kind)
                || (recorder.is_some_and(|recorder| lists(recorder, kind))
                    && broken != Some(Mutation::SnapshotCoversContainedTypesOnly));
            seen < *moment && covers
        });
        if !gone || broken == Some(Mutation::AbsenceFromSnapshotIgnored) {
            live.push(*item);
        }
    }
    let all = all.into_iter().map(|(item, _)| item).collect();
    Held { live, all, snapshot: !snapshots.is_empty(), broken }
}

const RECORDER: &str = "AWS::Config::ConfigurationRecorder";

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
pub fn body(item: &Value) -> Cow<'_, Value> {
    match &item["configuration"] {
        Value::String(text) => Cow::Owned(serde_json::from_str(text).unwrap_or(Value::Null)),
        other => Cow::Borrowed(other),
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

impl<'h> Held<'h> {
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &'h Value> {
        self.live.iter().copied().filter(move |item| text(&item["resourceType"]) == kind)
    }

    pub fn item(&self, kind: &str, id: &str) -> Option<&'h Value> {
        self.live
            .iter()
            .copied()
            .find(|item| text(&item["resourceType"]) == kind && text(&item["resourceId"]) == id)
    }

    /// Semantics §10 row 1.
    pub fn knows(&self, kind: &str) -> bool {
        if self.broken == Some(Mutation::UnknownTypeCountedCompliant) {
            return true;
        }
        if let Some(recorder) = self.of_type(RECORDER).next() {
            let on = either(&body(recorder), "Recording", "recording") != false;
            let on = on || self.broken == Some(Mutation::RecorderAtRestCountedRecording);
            return on && lists(recorder, kind);
        }
        self.snapshot || self.all.iter().any(|item| text(&item["resourceType"]) == kind)
    }
}

/// Whether a recorder's item lists a type.
fn lists(recorder: &Value, kind: &str) -> bool {
    let group = either(&body(recorder), "RecordingGroup", "recordingGroup");
    if either(&group, "AllSupported", "allSupported") == true {
        return true;
    }
    let named = |types: &Value| list(types).iter().any(|t| text(t) == kind);
    let but = either(&group, "ExclusionByResourceTypes", "exclusionByResourceTypes");
    let but = either(&but, "ResourceTypes", "resourceTypes");
    if !list(&but).is_empty() {
        return !named(&but);
    }
    named(&either(&group, "ResourceTypes", "resourceTypes"))
}

fn either(value: &Value, upper: &str, lower: &str) -> Value {
    match &value[upper] {
        Value::Null => value[lower].clone(),
        found => found.clone(),
    }
}
