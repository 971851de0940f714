//! What is held of an account's delivery, read straight from the JSON.

use std::borrow::Cow;

use serde_json::Value;

use super::{Mutation, list, text};

/// The newest live states of a delivery that belong to one (account, Region).
pub struct Held<'a> {
    pub live: Vec<&'a Value>,
    /// Of those that a newer state without a body follows: that state.
    later: Vec<(&'a Value, &'a Value)>,
    /// Every state that belongs here, deletions too.
    all: Vec<&'a Value>,
    snapshot: bool,
    broken: Option<Mutation>,
}

/// When snapshots were taken, as their file names say: that of the case, an earlier one, and those
/// of the account's other Regions.
const MOMENT: &str = "2026-03-01T00:00:00.000Z";
const EARLIER_MOMENT: &str = "2026-02-15T00:00:00.000Z";
const ELSEWHERE_MOMENT: &str = "2026-02-20T00:00:00.000Z";

/// A delivered file: its content, and the moment and Region in its name.
struct File<'a>(&'a Value, &'static str, &'a str);

/// What is held of the case's account in one of its Regions.
pub fn of_account<'a>(case: &'a Value, region: &str, broken: Option<Mutation>) -> Held<'a> {
    let own = text(&case["region"]);
    let mut files =
        vec![File(&case["delivery"], MOMENT, own), File(&case["earlier"], EARLIER_MOMENT, own)];
    for other in list(&case["elsewhere"]) {
        files.push(File(&other["delivery"], ELSEWHERE_MOMENT, text(&other["region"])));
    }
    gather(&files, text(&case["account"]), region, broken)
}

/// What is held of the administrator, whose account may be the case's.
pub fn of_administrator(case: &Value, broken: Option<Mutation>) -> Held<'_> {
    let (owner, region) = (text(&case["administrator"]), text(&case["region"]));
    if text(&case["account"]) == owner {
        return of_account(case, region, broken);
    }
    gather(&[File(&case["administratorDelivery"], MOMENT, region)], owner, region, broken)
}

fn gather<'a>(
    files: &[File<'a>],
    account: &str,
    region: &str,
    broken: Option<Mutation>,
) -> Held<'a> {
    // Of each state that belongs here: the item, and when its file shows it.
    let mut all: Vec<(&Value, &str)> = vec![];
    // Of each whole snapshot: its moment, the types it contains, and its recorder.
    let mut snapshots: Vec<(&str, Vec<&str>, Option<&Value>)> = vec![];
    let mut whole_here = false;
    for File(file, moment, place) in files {
        // A whole snapshot carries the id of a snapshot; a history file has none.
        let whole = file["configSnapshotId"].is_string();
        let (mut types, mut recorder) = (vec![], None);
        for item in list(&file["configurationItems"]) {
            let home = match text(&item["awsRegion"]) {
                "global" if broken == Some(Mutation::GlobalItemsStayWhereTheyCome) => *place,
                "global" => "us-east-1",
                regional => regional,
            };
            if text(&item["awsAccountId"]) != account || home != region {
                continue;
            }
            let kind = text(&item["resourceType"]);
            // A file is the whole truth about its own Region (formats §11 rule 6) and, of `global`
            // types, about what it contains; but not about the regional web ACLs of us-east-1.
            let global = item["awsRegion"] == "global" && !kind.starts_with("AWS::WAFv2::");
            if *place == region || global {
                types.push(kind);
            }
            if *place == region && kind == RECORDER {
                recorder = Some(item);
            }
            let captured = text(&item["configurationItemCaptureTime"]);
            all.push((item, if whole && *moment > captured { *moment } else { captured }));
        }
        if whole {
            whole_here |= *place == region;
            snapshots.push((moment, types, recorder));
        }
    }
    let (mut live, mut later) = (vec![], vec![]);
    for (at, (first, _)) in all.iter().enumerate() {
        if all.iter().take(at).any(|(other, _)| same(first, other)) {
            continue;
        }
        let states: Vec<&Value> =
            all.iter().map(|(other, _)| *other).filter(|other| same(first, other)).collect();
        let Some((item, unseen)) = newest(&states, broken) else { continue };
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
            live.push(item);
            later.extend(unseen.map(|unseen| (item, unseen)));
        }
    }
    let all = all.into_iter().map(|(item, _)| item).collect();
    Held { live, later, all, snapshot: whole_here, broken }
}

/// What of a resource's states is to be looked at: the newest, but that one without a body takes
/// nothing away from an older one with it, which is kept and marked (formats §6, semantics §10
/// row 1). What was before a deletion never comes back.
fn newest<'a>(
    states: &[&'a Value],
    broken: Option<Mutation>,
) -> Option<(&'a Value, Option<&'a Value>)> {
    let (mut told, mut unseen): (Option<&Value>, Option<&Value>) = (None, None);
    for state in states {
        let kind = if is_deleted(state) {
            if broken == Some(Mutation::DeletionIgnored) {
                continue;
            }
            &mut told
        } else if is_unseen(state) && broken != Some(Mutation::LaterUnseenHidesBody) {
            &mut unseen
        } else {
            &mut told
        };
        let newer = kind.is_none_or(|other| match broken {
            Some(Mutation::OlderStateWins) => version(state) < version(other),
            // Of two without a body and of one version, the one that tells tags.
            _ => (version(state), tags_of(state)) > (version(other), tags_of(other)),
        });
        if newer {
            *kind = Some(state);
        }
    }
    // Of one version, what tells something wins.
    let later = unseen.filter(|unseen| {
        let same = broken == Some(Mutation::UnseenOfOneVersionIsLater);
        told.is_none_or(|told| {
            version(unseen) > version(told) || (same && version(unseen) == version(told))
        })
    });
    match told {
        Some(gone) if is_deleted(gone) => {
            let before = states.iter().filter(|s| !is_deleted(s) && !is_unseen(s));
            let before = before.max_by_key(|state| version(state)).copied();
            match (later, before) {
                (Some(later), Some(before))
                    if broken == Some(Mutation::UnseenRevivesWhatWasDeleted) =>
                {
                    Some((before, Some(later)))
                }
                (later, _) => later.map(|later| (later, None)),
            }
        }
        Some(told) => Some((told, later)),
        None => later.map(|later| (later, None)),
    }
}

/// By state, then by the moment it was taken down.
fn version(item: &Value) -> (Option<u64>, &str) {
    (item["configurationStateId"].as_u64(), text(&item["configurationItemCaptureTime"]))
}

const RECORDER: &str = "AWS::Config::ConfigurationRecorder";

fn same(a: &Value, b: &Value) -> bool {
    text(&a["resourceType"]) == text(&b["resourceType"])
        && text(&a["resourceId"]) == text(&b["resourceId"])
}

fn is_deleted(item: &Value) -> bool {
    text(&item["configurationItemStatus"]).starts_with("ResourceDeleted")
}

/// Whether the resource exists but shows no body. Nothing in that of an address is ever asked for.
pub fn is_unseen(item: &Value) -> bool {
    let asked = text(&item["resourceType"]) != "AWS::EC2::EIP";
    text(&item["configurationItemStatus"]) == "ResourceNotRecorded"
        || (asked && body(item).is_null())
}

/// The body, which may be JSON or JSON in a text.
pub fn body(item: &Value) -> Cow<'_, Value> {
    match &item["configuration"] {
        Value::String(text) => Cow::Owned(serde_json::from_str(text).unwrap_or(Value::Null)),
        other => Cow::Borrowed(other),
    }
}

/// When the recorder took the state down, milliseconds since 1970.
pub fn captured_ms(item: &Value) -> i64 {
    let text = text(&item["configurationItemCaptureTime"]);
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().expect("a number");
    // Days since 1970 of a day in 2026, which is no leap year.
    assert!(text.starts_with("2026-") && text.len() == 24, "a moment of worlds: {text}");
    let months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: i64 = months[..number(5, 7) as usize - 1].iter().sum();
    let days = 20_454 + before + number(8, 10) - 1;
    let seconds = (days * 24 + number(11, 13)) * 3600 + number(14, 16) * 60 + number(17, 19);
    seconds * 1000 + number(20, 23)
}

/// Tags by the item's map; by the body's lists only when there is no map.
fn tags_of(item: &Value) -> Vec<(String, String)> {
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
    /// The newest state of a live item, if that shows no body and an older one does.
    pub fn later(&self, item: &Value) -> Option<&'h Value> {
        self.later.iter().find(|(told, _)| std::ptr::eq(*told, item)).map(|(_, later)| *later)
    }

    /// Whether what a live item shows may have changed since.
    pub fn is_outdated(&self, item: &Value) -> bool {
        self.later(item).is_some() && self.broken != Some(Mutation::LaterUnseenForgotten)
    }

    /// The tags that were told last.
    pub fn tags(&self, item: &Value) -> Vec<(String, String)> {
        let later = self.later(item).map(tags_of).unwrap_or_default();
        if later.is_empty() || self.broken == Some(Mutation::LaterTagsIgnored) {
            tags_of(item)
        } else {
            later
        }
    }

    /// Whether what a live item shows, tags alone, may have changed since and was not told.
    pub fn has_untold_tags(&self, item: &Value) -> bool {
        self.is_outdated(item) && self.later(item).is_some_and(|later| tags_of(later).is_empty())
    }

    /// Whether what is recorded is itself not recorded, or not any more.
    pub fn recorder_is_untold(&self) -> bool {
        self.of_type(RECORDER).any(|item| is_unseen(item) || self.is_outdated(item))
            && self.broken != Some(Mutation::UntoldRecorderPasses)
    }

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
        // A recorder that was deleted records nothing.
        let gone = self.all.iter().any(|i| text(&i["resourceType"]) == RECORDER && is_deleted(i));
        if gone && self.broken != Some(Mutation::DeletedRecorderForgotten) {
            return false;
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
