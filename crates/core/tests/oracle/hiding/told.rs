//! What the files of a case tell, as plain JSON.

use std::collections::BTreeSet;

use serde_json::Value;

use super::places::{Hiding, Place};

pub const RECORDER: &str = "AWS::Config::ConfigurationRecorder";

/// A value, opened where it is JSON in a text.
pub fn opened(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    }
}

/// The items of a file that can be told apart, bodies opened.
pub fn items(file: &Value) -> Vec<Value> {
    let mut found = vec![];
    let mut file = file.clone();
    each(&mut file["content"], &mut |item| {
        found.push(item.clone());
        Some(item.clone())
    });
    found
}

/// Puts another in the place of each item of this identity, or takes it out.
pub fn replace(file: &mut Value, wanted: &Value, replaced: &dyn Fn(&Value) -> Option<Value>) {
    each(&mut file["content"], &mut |item| {
        if identity(item) == *wanted { replaced(item) } else { Some(item.clone()) }
    });
}

/// What tells a state of a resource from all others of a file.
pub fn identity(item: &Value) -> Value {
    let keys = [
        "awsAccountId",
        "accountId",
        "awsRegion",
        "resourceType",
        "resourceId",
        "configurationStateId",
        "configurationItemCaptureTime",
    ];
    keys.iter().map(|key| ((*key).to_owned(), item[*key].clone())).collect()
}

/// Calls for every item of a content, bodies opened, and keeps what it answers.
fn each(content: &mut Value, act: &mut dyn FnMut(&Value) -> Option<Value>) {
    match content {
        Value::Array(list) => list.iter_mut().for_each(|inner| each(inner, act)),
        Value::Object(map) => {
            for key in ["configurationItems", "baseConfigurationItems", "BaseConfigurationItems"] {
                if let Some(Value::Array(list)) = map.get_mut(key) {
                    *list = list.iter().filter_map(|item| one(item, act)).collect();
                }
            }
            if let Some(Value::Array(rows)) = map.get_mut("Results") {
                *rows = rows
                    .iter()
                    .filter_map(|row| {
                        one(&opened(row), act).map(|row| Value::String(row.to_string()))
                    })
                    .collect();
            }
            if let Some(item) = map.get("configurationItem") {
                match one(item, act) {
                    Some(item) => drop(map.insert("configurationItem".to_owned(), item)),
                    None => drop(map.remove("configurationItem")),
                }
            }
            if let Some(detail) = map.get_mut("detail") {
                each(detail, act);
            }
        }
        _ => {}
    }
}

fn one(item: &Value, act: &mut dyn FnMut(&Value) -> Option<Value>) -> Option<Value> {
    let Value::Object(_) = item else { return Some(item.clone()) };
    let mut open = item.clone();
    let was_text = item["configuration"].is_string();
    if was_text {
        open["configuration"] = opened(&item["configuration"]);
    }
    let mut after = act(&open)?;
    if after == open {
        return Some(item.clone());
    }
    if was_text && after.get("configuration").is_some_and(|body| !body.is_string()) {
        after["configuration"] = Value::String(after["configuration"].to_string());
    }
    Some(after)
}

/// The place at a path.
pub fn at_mut<'v>(item: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    let mut value = item;
    for step in path {
        value = match value {
            Value::Object(map) => map.get_mut(step)?,
            Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Whether a file claims to hold everything.
pub fn is_whole(file: &Value) -> bool {
    file["content"]["configSnapshotId"].is_string()
}

/// Whether an item claims that its resource, or its recording, is no more.
pub fn says_gone(item: &Value) -> bool {
    let status = item["configurationItemStatus"].as_str().unwrap_or("OK");
    !["OK", "ResourceDiscovered"].contains(&status)
}

/// Whether the case still tells of what is hidden: another state of the resource in another file,
/// or, of a hidden item or file, a recorder's item or a whole snapshot of each account and Region
/// that it told of.
pub fn stands_otherwise(case: &Value, hiding: &Hiding) -> bool {
    let place: &Place = &hiding.place;
    if is_told_as_the_other_kind(case, hiding) {
        return true;
    }
    let files: Vec<&Value> = hiding.case["files"].as_array().into_iter().flatten().collect();
    if let Some(resource) = place.resource() {
        // What is left of the item itself is no other state.
        let itself = |file: &Value, item: &Value| {
            file["name"] == *place.file()
                && ["configurationStateId", "configurationItemCaptureTime"]
                    .iter()
                    .all(|key| item[*key] == resource[*key] || item[*key].is_null())
                && item["configurationItemStatus"] != "ResourceDeleted"
        };
        let same = |item: &Value| {
            kind(item) == kind(resource) && item["resourceId"] == resource["resourceId"]
        };
        let stands = |file: &&Value| {
            let told = items(file);
            told.iter().filter(|item| same(item) && !itself(file, item)).count() > 0
                || told.iter().filter(|item| same(item) && itself(file, item)).count() > 1
        };
        if files.iter().any(stands) {
            return true;
        }
        // An item that cannot be read is a gap that another whole snapshot may close (row 39).
        let others = files.iter().filter(|file| file["name"] != *place.file());
        let closes = |file: &&Value| is_whole(file) && shards(file).contains(&shard(resource));
        if place.is_member() {
            return place.tells_which() && others.copied().any(|file| closes(&file));
        }
    }
    if place.resource().is_none() && has_nothing_new(case, place, &files) {
        return true;
    }
    // The operator's word makes types known as a recorder's item does (semantics §11 row 36).
    if !case["assumeRecorded"].is_null() {
        return true;
    }
    let hidden = case["files"].as_array().into_iter().flatten();
    let hidden: BTreeSet<(String, String)> = match place.resource() {
        // Of one that tells no account its file does.
        Some(resource) if !shard(resource).0.is_empty() => [shard(resource)].into(),
        _ => hidden.filter(|file| file["name"] == *place.file()).flat_map(shards).collect(),
    };
    // A file may tell of several Regions; the one that is judged matters most.
    let judged = ["account", "region"].map(|key| case[key].as_str().unwrap_or_default().to_owned());
    let judged = (judged[0].clone(), judged[1].clone());
    let hidden = if hidden.contains(&judged) { [judged].into() } else { hidden };
    let stands = |told: &(String, String)| {
        files.iter().any(|file| {
            let recorded = |item: &Value| is_recorder(item) && shard(item) == *told;
            items(file).iter().any(recorded) || (is_whole(file) && shards(file).contains(told))
        })
    };
    hidden.iter().all(stands)
}

/// Whether a hidden file that does not claim to be whole told of resources alone of which another file
/// tells another state.
fn has_nothing_new(case: &Value, place: &Place, left: &[&Value]) -> bool {
    let files = case["files"].as_array().into_iter().flatten();
    let hidden: Vec<&Value> = files.filter(|file| file["name"] == *place.file()).collect();
    let told: Vec<Value> = hidden.iter().flat_map(|file| items(file)).collect();
    let left: Vec<Value> = left.iter().flat_map(|file| items(file)).collect();
    let is_told = |hidden: &Value| {
        left.iter().any(|item| {
            kind(item) == kind(hidden)
                && item["resourceId"] == hidden["resourceId"]
                && shard(item).0 == shard(hidden).0
        })
    };
    !told.is_empty() && !hidden.iter().any(|file| is_whole(file)) && told.iter().all(is_told)
}

/// Whether nothing is hidden but protections whose resources another protection names, of the other
/// type. A resource has one protection, which may be recorded under both types: the one left is an
/// earlier state of it, and that nothing is told of the other type is no gap (semantics §11 row 44).
fn is_told_as_the_other_kind(case: &Value, hiding: &Hiding) -> bool {
    let place = &hiding.place;
    if place.is_member() || case["policy"]["SecurityServicePolicyData"]["Type"] != "SHIELD_ADVANCED"
    {
        return false;
    }
    let files = |case: &Value| case["files"].as_array().cloned().unwrap_or_default();
    let hidden: Vec<Value> =
        files(case).into_iter().filter(|f| f["name"] == *place.file()).collect();
    let judged =
        |shard: &(String, String)| case["account"] == *shard.0 && case["region"] == *shard.1;
    if place.resource().is_none() && hidden.iter().flat_map(shards).any(|shard| judged(&shard)) {
        return false;
    }
    let mut hidden: Vec<Value> = hidden.iter().flat_map(items).collect();
    if let Some(resource) = place.resource() {
        hidden.retain(|item| identity(item) == *resource);
    }
    hidden.retain(is_protection);
    let left: Vec<Value> =
        files(&hiding.case).iter().flat_map(items).filter(is_protection).collect();
    // A whole file may show that one of the other type is gone; without it the one left counts as long
    // as it is held.
    let lists_distributions = case["policy"].to_string().contains("CloudFront");
    let is_whole = place.resource().is_none() && !lists_distributions;
    if is_whole && left.iter().any(|item| kind(item) == "aws::shield::protection") {
        return true;
    }
    let arn = |item: &Value| item["configuration"]["ResourceArn"].clone();
    let names_it = |hidden: &Value| {
        left.iter().any(|item| arn(item) == arn(hidden) && kind(item) != kind(hidden))
    };
    !hidden.is_empty() && hidden.iter().all(|item| arn(item).is_string() && names_it(item))
}

fn is_protection(item: &Value) -> bool {
    ["aws::shield::protection", "aws::shieldregional::protection"].contains(&&*kind(item))
}

/// The type of an item, in whatever letter case it is told (semantics §11 row 50).
pub fn kind(item: &Value) -> String {
    item["resourceType"].as_str().unwrap_or_default().to_ascii_lowercase()
}

pub fn is_recorder(item: &Value) -> bool {
    kind(item) == RECORDER.to_ascii_lowercase()
}

/// The account and Region of an item; `global` ones are at home in us-east-1.
fn shard(item: &Value) -> (String, String) {
    let text = |key: &str| item[key].as_str().map(str::to_owned);
    let account = text("awsAccountId").or_else(|| text("accountId")).unwrap_or_default();
    let region = text("awsRegion").unwrap_or_default().replace("global", "us-east-1");
    (account, region)
}

/// Those of which a file tells, by its items and its name.
fn shards(file: &Value) -> BTreeSet<(String, String)> {
    let mut shards: BTreeSet<_> = items(file).iter().map(shard).collect();
    let name: Vec<&str> = file["name"].as_str().unwrap_or_default().split('_').collect();
    if let [account, "Config", region, ..] = name[..] {
        shards.insert((account.to_owned(), region.to_owned()));
    }
    shards.retain(|(account, region)| !account.is_empty() && !region.is_empty());
    shards
}
