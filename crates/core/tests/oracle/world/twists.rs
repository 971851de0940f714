//! What can be amiss with the telling itself: pages that go on, answers that leave something out,
//! rows without a member, items that cannot be read, single items, old files (semantics §11 rows 36
//! to 40, 45, 50).

use serde_json::{Value, json};

use super::containers::{self, SELECTED};
use super::files::{self, MOMENT_MS, note, push};
use super::items::{deleted, item};
use super::unreadable::unreadable;
use crate::random::Random;

const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
const HOUR_MS: i64 = 3_600_000;

/// Moments before and behind that of the case's snapshot.
pub const BEFORE: &str = "2026-02-03T04:05:06.009Z";
pub const AFTER: &str = "2026-03-01T12:00:00.000Z";

/// Turns one thing or another of a case.
pub fn twist(case: &mut Value, random: &mut Random) {
    match random.below(13) {
        0 | 1 => pages(case, random),
        2 => batch(case, random),
        3 | 4 => projection(case, random),
        5 | 6 => singles(case, random),
        7 | 8 => unreadable(case, random),
        9 => age(case, random),
        10 => letters(case, random),
        11 => recorders(case, random),
        _ if random.chance(50) => assume(case, random),
        _ => foreign_file(case, random),
    }
}

/// The items of the case's delivery that something else may tell of: those that show themselves.
pub fn shown(case: &Value) -> Vec<usize> {
    let items = case["delivery"]["configurationItems"].as_array();
    // One VPC is in every delivery, whatever is judged.
    let beside = match case["policy"]["ResourceType"] == "AWS::EC2::VPC" {
        true => RECORDER,
        false => "AWS::EC2::VPC",
    };
    let told = |item: &Value| {
        let status = item["configurationItemStatus"].as_str().unwrap_or_default();
        ["OK", "ResourceDiscovered"].contains(&status)
            && !item["configuration"].is_null()
            && ![RECORDER, beside].iter().any(|kind| {
                item["resourceType"].as_str().is_some_and(|told| told.eq_ignore_ascii_case(kind))
            })
    };
    let items = items.into_iter().flatten().enumerate();
    items.filter(|(_, item)| told(item)).map(|(at, _)| at).collect()
}

/// Some of the case's items of one type, now told behind the snapshot or before it; taken out of
/// the delivery or shown there too.
fn some_of_a_type(case: &mut Value, random: &mut Random) -> Vec<Value> {
    let shown = shown(case);
    if shown.is_empty() {
        return vec![];
    }
    let nth = nth(case);
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
    let kind = items[shown[random.below(shown.len())]]["resourceType"].clone();
    let (after, stays) = (random.chance(60), random.chance(40));
    let mut some: Vec<Value> = vec![];
    for at in shown.into_iter().rev() {
        // Two states of one version are one.
        let again = some.iter().any(|told| told["resourceId"] == items[at]["resourceId"]);
        if items[at]["resourceType"] != kind || again {
            continue;
        }
        if random.chance(25) && !some.is_empty() {
            continue;
        }
        let mut told = items[at].clone();
        if after {
            later(&mut told, 50 + nth, AFTER);
        } else if stays {
            // States of one version are one state.
            later(&mut told, 2 + nth, &format!("2026-02-03T04:05:06.{:03}Z", 9 + nth));
        }
        if !stays {
            items.remove(at);
        }
        some.push(told);
    }
    some
}

/// Which of a case's twists this is, so that no two tell different things of one version.
fn nth(case: &Value) -> i64 {
    case["files"].as_array().map_or(0, |files| files.len() as i64)
}

/// A later state of an item.
pub fn later(item: &mut Value, by: i64, captured: &str) {
    let state = item["configurationStateId"].as_i64().unwrap_or(1_770_000_000_000);
    item["configurationStateId"] = json!(state + by);
    item["configurationItemCaptureTime"] = json!(captured);
}

/// A query's answer, of which more may follow.
fn pages(case: &mut Value, random: &mut Random) {
    let some = some_of_a_type(case, random);
    let rows: Vec<Value> =
        some.iter().map(|item| containers::row(item, &SELECTED, random)).collect();
    let (first, rest) = rows.split_at(rows.len().min(1));
    let more = random.chance(65).then_some("more");
    let content = match random.below(4) {
        0 => json!([
            containers::page(first, &SELECTED, Some("next")),
            containers::page(rest, &SELECTED, more),
        ]),
        1 => {
            let pages = [(first, Some("next")), (rest, more)]
                .map(|(rows, token)| containers::page(rows, &SELECTED, token).to_string());
            json!(pages.join("\n"))
        }
        2 => {
            // The pages in files of their own, the first says that more follows.
            push(case, "page-1.json", containers::page(first, &SELECTED, Some("next")));
            containers::page(rest, &SELECTED, None)
        }
        _ => containers::page(&rows, &SELECTED, more),
    };
    push(case, "page-2.json", content);
    note(case, "pages");
}

/// The answer of a batch, which names what it could not give.
fn batch(case: &mut Value, random: &mut Random) {
    let shown = shown(case);
    let mut some = some_of_a_type(case, random);
    let kinds = case["delivery"]["configurationItems"].as_array().cloned().unwrap_or_default();
    let key = match some.last().or(shown.first().and_then(|at| kinds.get(*at))) {
        Some(item) => item.clone(),
        None => return,
    };
    if random.chance(40) {
        some.pop();
    }
    let mut answer = json!({"baseConfigurationItems":
        some.iter().map(containers::base).collect::<Vec<Value>>()});
    if random.chance(70) {
        answer["unprocessedResourceKeys"] = json!([
            {"resourceType": key["resourceType"], "resourceId": key["resourceId"]}]);
    } else {
        answer["unprocessedResourceKeys"] = json!([]);
    }
    if random.chance(35) {
        // The aggregator's, which tells accounts and Regions.
        let items = answer["baseConfigurationItems"].take();
        let account = random.pick(&[super::MEMBER, super::ADMIN, super::OTHER]);
        answer = json!({"BaseConfigurationItems": items, "UnprocessedResourceIdentifiers": [{
            "SourceAccountId": account, "SourceRegion": random.pick(&["eu-west-1", "us-east-1"]),
            "ResourceType": key["resourceType"], "ResourceId": key["resourceId"]}]});
    }
    push(case, "batch.json", answer);
    note(case, "batches");
}

/// Rows of which something was not selected, which is not to say that there is none.
fn projection(case: &mut Value, random: &mut Random) {
    let some = some_of_a_type(case, random);
    if some.is_empty() {
        return;
    }
    let dropped = random.below(5);
    let selected: Vec<&str> = SELECTED
        .iter()
        .enumerate()
        .filter(|(at, _)| !(*at == dropped || (dropped == 4 && *at < 3)))
        .map(|(_, member)| *member)
        .collect();
    let inside = random.chance(35);
    let mut rows = vec![];
    for item in &some {
        let mut row = containers::row(item, &selected, random);
        if let Some(body) = row["configuration"].as_object_mut()
            && inside
            && !body.is_empty()
        {
            // Single members of the body were selected.
            for _ in 0..1 + random.below(body.len()) {
                let keys: Vec<String> = body.keys().cloned().collect();
                if !keys.is_empty() {
                    body.remove(&keys[random.below(keys.len())]);
                }
            }
        }
        rows.push(row);
    }
    if random.chance(60) && !case["policy"]["ResourceTags"].is_array() {
        case["policy"]["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
    }
    push(case, "rows.json", containers::page(&rows, &selected, None));
    note(case, "projections");
}

/// Items that come one by one, some of them without a snapshot.
fn singles(case: &mut Value, random: &mut Random) {
    let shown = shown(case);
    if shown.is_empty() {
        return;
    }
    let at = shown[random.below(shown.len())];
    let nth = nth(case);
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
    let mut one = items[at].clone();
    match random.below(4) {
        0 => {
            items.remove(at);
        }
        1 => {
            // Nothing else of its type is told, and nothing tells what is recorded.
            let kind = one["resourceType"].clone();
            items.retain(|item| item["resourceType"] != kind && item["resourceType"] != RECORDER);
        }
        2 => {
            later(&mut one, 50 + nth, if random.chance(50) { AFTER } else { BEFORE });
            if random.chance(30) {
                one["configurationItemStatus"] = json!("ResourceDeleted");
                one["configuration"] = Value::Null;
            }
        }
        _ => {
            case["delivery"]["configSnapshotId"].take();
            later(&mut one, 2 + nth, BEFORE);
        }
    }
    let content = if random.chance(12) {
        later(&mut one, 80 + nth, AFTER);
        containers::oversized(&one)
    } else {
        containers::single(&one, random)
    };
    push(case, "change.json", content);
    note(case, "single items");
}

/// The case is judged some time after what its files tell.
pub fn age(case: &mut Value, random: &mut Random) {
    let limits = [36 * HOUR_MS, 36 * HOUR_MS, 24 * HOUR_MS, HOUR_MS];
    let limit = limits[random.below(limits.len())];
    let offsets = [0, limit - 1, limit, limit + 1, 30 * 24 * HOUR_MS, -24 * HOUR_MS];
    let newest = match random.below(4) {
        // When its items were captured.
        0 => {
            case["delivery"]["configSnapshotId"].take();
            1_770_091_506_007
        }
        _ => MOMENT_MS,
    };
    case["evaluatedMs"] = json!(newest + offsets[random.below(offsets.len())]);
    case["staleAfterMs"] = if random.chance(85) { json!(limit) } else { Value::Null };
    if random.chance(30) {
        files::age_others(case);
    }
    note(case, "age");
}

/// Types in other letters.
fn letters(case: &mut Value, random: &mut Random) {
    let upper = random.chance(50);
    let change = |said: &str| match upper {
        true => {
            let (before, last) = said.rsplit_once("::").unwrap_or(("", said));
            format!("{before}::{}", last.to_ascii_uppercase())
        }
        false => said.to_ascii_lowercase(),
    };
    let items = case["delivery"]["configurationItems"].as_array_mut();
    for item in items.into_iter().flatten().filter(|item| item["resourceType"].is_string()) {
        if random.chance(50) {
            let kind = item["resourceType"].as_str().unwrap_or_default();
            item["resourceType"] = json!(change(kind));
        }
        let Some(body) = item.get_mut("configuration") else { continue };
        for group in ["RecordingGroup", "recordingGroup"] {
            for types in ["ResourceTypes", "resourceTypes"] {
                let Some(listed) = body.pointer_mut(&format!("/{group}/{types}")) else { continue };
                for kind in listed.as_array_mut().into_iter().flatten() {
                    *kind = json!(change(kind.as_str().unwrap_or_default()));
                }
            }
        }
        let relations = item.get_mut("relationships").and_then(Value::as_array_mut);
        for relation in relations.into_iter().flatten() {
            if random.chance(50) {
                let kind = relation["resourceType"].as_str().unwrap_or_default();
                relation["resourceType"] = json!(change(kind));
            }
        }
    }
    note(case, "letter case");
}

/// Recorders of services, and several recorders.
fn recorders(case: &mut Value, random: &mut Random) {
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    let region = case["region"].as_str().unwrap_or_default().to_owned();
    let kinds: Vec<Value> = shown(case)
        .iter()
        .map(|at| case["delivery"]["configurationItems"][*at]["resourceType"].clone())
        .collect();
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("built as a list");
    match random.below(3) {
        0 => items.retain(|item| item["resourceType"] != RECORDER),
        1 => {
            // A type of which nothing is shown.
            let kind = kinds.first().cloned().unwrap_or_default();
            let one = items.iter().find(|item| item["resourceType"] == kind).cloned();
            items.retain(|item| item["resourceType"] != RECORDER && item["resourceType"] != kind);
            // Or that one of it is gone.
            if let Some(one) = one.filter(|_| random.chance(60)) {
                items.push(deleted(&one, 1));
            }
        }
        _ => {}
    }
    if items.iter().any(|item| item["resourceId"] == "of-a-service") {
        return;
    }
    let internal = random.chance(65);
    let all = random.chance(60);
    let types: Vec<&Value> = kinds.iter().filter(|_| random.chance(60)).collect();
    let body = json!({"Name": "of-a-service", "Recording": random.chance(85),
        "RecordingScope": if internal { "INTERNAL" } else { "PAID" },
        "RecordingGroup": {"AllSupported": all, "ResourceTypes": types}});
    let mut made = item(random, &account, &region, RECORDER, "of-a-service", body);
    if random.chance(6) {
        made["configurationItemStatus"] = json!("ResourceDeleted");
        made["configuration"] = Value::Null;
    }
    items.push(made);
    note(case, "recorders");
}

fn assume(case: &mut Value, random: &mut Random) {
    let kinds = [
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::NetworkInterface",
        "AWS::WAFv2::WebACL",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ShieldRegional::Protection",
    ];
    let some: Vec<&str> = kinds.into_iter().filter(|_| random.chance(60)).collect();
    case["assumeRecorded"] = if random.chance(50) { json!(true) } else { json!(some) };
    note(case, "assumed");
}

/// Files of other services in the same bucket.
fn foreign_file(case: &mut Value, random: &mut Random) {
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    let trail = json!({"Records": [{"eventVersion": "1.08", "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateSecurityGroup", "awsRegion": "eu-west-1", "recipientAccountId": account}]});
    let (name, content) = match random.below(3) {
        0 => {
            (format!("{account}_CloudTrail_eu-west-1_20260301T0000Z_AAAAAAAAAAAAAAAA.json"), trail)
        }
        1 => (
            format!(
                "AWSLogs/{account}/vpcflowlogs/eu-west-1/2026/03/01/{account}_vpcflowlogs_eu-west-1_fl-01_20260301T0000Z_aaaaaaaa.log"
            ),
            json!(
                "version account-id interface-id srcaddr dstaddr\n2 222222222222 eni-1 10.0.0.1 10.0.0.2\n"
            ),
        ),
        _ => (
            format!(
                "AWSLogs/{account}/elasticloadbalancing/eu-west-1/2026/03/01/{account}_elasticloadbalancing_eu-west-1_app.lb.1_20260301T0000Z_10.0.0.1_aaaaaaaa.log"
            ),
            json!(
                "https 2026-03-01T00:00:00.000000Z app/lb/1 10.0.0.1:1 10.0.0.2:2 0.0 0.0 0.0 200 200\n"
            ),
        ),
    };
    push(case, &name, content);
    note(case, "foreign files");
}

/// A recorder of another Region that does not record a `global` type, or records it.
pub fn unrecorded_elsewhere(case: &mut Value, random: &mut Random) {
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    let of_case = case["delivery"]["configurationItems"].as_array().cloned().unwrap_or_default();
    let Some(global) = of_case.iter().find(|item| item["awsRegion"] == "global") else {
        return;
    };
    let mut told = super::not_recorded(global);
    later(&mut told, if random.chance(70) { 50 } else { -50 }, BEFORE);
    let region = random.pick(&["ap-south-1", "ap-south-1", "us-east-1"]);
    let kind = told["resourceType"].as_str().unwrap_or_default().to_owned();
    let mut content = json!({"fileVersion": "1.0", "configurationItems": [told]});
    let moment = "20260220T000000Z";
    let name = if random.chance(60) {
        let body = json!({"vpcId": "vpc-07", "cidrBlock": "10.7.0.0/16"});
        let vpc = item(random, &account, region, "AWS::EC2::VPC", "vpc-07", body);
        content["configurationItems"].as_array_mut().expect("built as a list").push(vpc);
        content["configSnapshotId"] = json!("07070707-0000-4000-8000-000000000000");
        files::snapshot_name(&account, region, moment)
    } else {
        files::history_name(&account, region, &kind, moment)
    };
    push(case, &name, content);
    note(case, "unrecorded elsewhere");
}
