//! Items and files that are told badly or by halves: nulls in lists, rules of which a part is not
//! told, Regions and types that are none, snapshots that leave something out, notifications without
//! their item (semantics §11 rows 36 to 39).

use serde_json::{Value, json};

use super::containers;
use super::files::{history_name, note, push};
use super::twists::{AFTER, BEFORE, later, shown};
use super::{ADMIN, MEMBER, OTHER};
use crate::random::Random;

const LISTS: [&str; 9] = [
    "ipPermissions",
    "ipPermissionsEgress",
    "groups",
    "securityGroups",
    "networkInterfaces",
    "Entries",
    "PreProcessFirewallManagerRuleGroups",
    "PostProcessFirewallManagerRuleGroups",
    "LoadBalancerAttributes",
];

/// One thing of a case is told badly.
pub fn quirk(case: &mut Value, random: &mut Random) {
    match random.below(10) {
        0 => leave_out(case, random),
        1 => empty_notification(case, random),
        2 => listing(case, random),
        3 => cut_file(case, random),
        _ => spoil_one(case, random),
    }
}

/// An item of the snapshot, or a later or earlier state of it.
fn spoil_one(case: &mut Value, random: &mut Random) {
    let shown = shown(case);
    if shown.is_empty() {
        return;
    }
    let items = case["delivery"]["configurationItems"].as_array_mut().expect("shown there");
    // What can be spoilt in most ways first.
    let mut at = shown[random.below(shown.len())];
    for _ in 0..3 {
        let kind = items[at]["resourceType"].as_str().unwrap_or_default();
        if kind.ends_with("SecurityGroup")
            || kind.ends_with("LoadBalancer")
            || kind.ends_with("WebACL")
        {
            break;
        }
        at = shown[random.below(shown.len())];
    }
    let mut bad = items[at].clone();
    if !spoil(&mut bad, random) {
        return;
    }
    if random.chance(60) {
        items[at] = bad;
    } else {
        later(&mut bad, 93, if random.chance(60) { AFTER } else { BEFORE });
        let content = containers::single(&bad, random);
        push(case, "spoilt.json", content);
    }
    note(case, "quirks");
}

/// Whether there was something to be spoilt.
pub(super) fn spoil(item: &mut Value, random: &mut Random) -> bool {
    if item["configuration"].is_string() {
        item["configuration"] = crate::boundary::body_of(item);
    }
    // It may have been told badly already.
    if !item["configuration"].is_object() {
        return false;
    }
    match random.below(9) {
        0 | 1 => put_null(item, random),
        2..=4 => permission(item, random),
        5 => {
            let body = &mut item["configuration"];
            if body["groupName"].is_null() && body["groups"].is_null() {
                return false;
            }
            body["ownerId"] = json!(random.pick(&["me", "12345678901", ""]));
            true
        }
        6 => {
            if random.chance(50) {
                item["awsRegion"] = json!("global");
            } else {
                item["resourceType"] =
                    json!(random.pick(&["two words", "AWS::EC2:: SecurityGroup"]));
            }
            true
        }
        7 => relation(item, random),
        _ => match item["resourceType"].as_str() {
            Some("AWS::ElasticLoadBalancingV2::LoadBalancer") => {
                item["configuration"]["type"] = json!(random.pick(&["classic", "", "Application"]));
                true
            }
            // Of these alone a relationship tells what is judged.
            Some("AWS::WAFv2::WebACL") => relation(item, random),
            _ => false,
        },
    }
}

/// A relationship that does not tell with what.
fn relation(item: &mut Value, random: &mut Random) -> bool {
    let Some(relations) = item["relationships"].as_array_mut() else { return false };
    relations.push(match random.below(3) {
        0 => json!({"resourceType": "AWS::ApiGateway::Stage", "resourceName": "live"}),
        1 => json!({"resourceId": "E-00001", "name": "Is associated with "}),
        _ => json!({"resourceType": "AWS::AppSync::GraphQLApi", "resourceId": null}),
    });
    true
}

fn put_null(item: &mut Value, random: &mut Random) -> bool {
    let mut there = vec![];
    for holder in ["configuration", "supplementaryConfiguration"] {
        let lists = LISTS.iter().filter(|list| item[holder][**list].is_array());
        there.extend(lists.map(|list| format!("/{holder}/{list}")));
    }
    if item["resourceType"] == "AWS::WAFv2::WebACL" && item["relationships"].is_array() {
        there.push("/relationships".to_owned());
    }
    if there.is_empty() {
        return false;
    }
    let list = &there[random.below(there.len())];
    let list = item.pointer_mut(list).and_then(Value::as_array_mut).expect("it is a list");
    list.push(Value::Null);
    true
}

/// A part of a rule is not told, or makes no sense.
fn permission(item: &mut Value, random: &mut Random) -> bool {
    let side = random.pick(&["ipPermissions", "ipPermissionsEgress"]);
    let Some(all) = item["configuration"][side].as_array_mut().filter(|all| !all.is_empty()) else {
        return false;
    };
    let at = random.below(all.len());
    let Some(one) = all[at].as_object_mut() else { return false };
    let mut drop = |members: &[&str]| {
        members.iter().for_each(|member| {
            one.remove(*member);
        })
    };
    match random.below(10) {
        0 => drop(&["fromPort"]),
        1 => drop(&["toPort"]),
        2 => drop(&["fromPort", "toPort"]),
        3 => drop(&["ipv6Ranges"]),
        4 => drop(&["ipv4Ranges", "ipv6Ranges"]),
        5 => drop(&["ipRanges", "ipv4Ranges"]),
        6 => drop(&[random.pick(&["prefixListIds", "userIdGroupPairs"])]),
        7 => {
            one.insert("ipProtocol".to_owned(), json!(random.pick(&["foo", "all", "300"])));
        }
        8 => {
            one.insert("fromPort".to_owned(), json!(random.pick(&["x", "70000", "-7"])));
        }
        _ => {
            let (list, bad) = [
                ("ipv4Ranges", json!({"cidrIp": "10.0.0"})),
                ("ipv6Ranges", json!({"cidrIpv6": null})),
                ("prefixListIds", json!({})),
                ("userIdGroupPairs", json!({"userId": "222222222222"})),
                ("ipv4Ranges", Value::Null),
            ][random.below(5)]
            .clone();
            let Some(list) = one.get_mut(list).and_then(Value::as_array_mut) else { return false };
            list.push(bad);
        }
    }
    true
}

/// A snapshot that names what it leaves out, goes on, or is one by the number of a request alone.
fn leave_out(case: &mut Value, random: &mut Random) {
    if !case["delivery"]["configSnapshotId"].is_string() {
        return;
    }
    let shown = shown(case);
    let kinds: Vec<Value> = shown
        .iter()
        .map(|at| case["delivery"]["configurationItems"][*at]["resourceType"].clone())
        .collect();
    let delivery = &mut case["delivery"];
    match random.below(3) {
        0 if !kinds.is_empty() => {
            let kind = &kinds[random.below(kinds.len())];
            delivery["unprocessedResourceKeys"] =
                json!([{"resourceType": kind, "resourceId": "of-the-rest"}]);
        }
        1 => delivery["nextToken"] = json!("more"),
        _ => {
            delivery["configSnapshotId"].take();
            delivery["requestId"] = json!("1e1e1e1e-0000-4000-8000-000000000000");
        }
    }
    note(case, "quirks");
}

/// A notification without the item that it should carry.
fn empty_notification(case: &mut Value, random: &mut Random) {
    let kind = random.pick(&[
        "ConfigurationItemChangeNotification",
        "OversizedConfigurationItemChangeNotification",
        "ConfigurationSnapshotDeliveryCompleted",
        "ScheduledNotification",
    ]);
    let told = json!({"messageType": kind, "recordVersion": "1.3"});
    let content = match random.below(4) {
        0 => json!({"Type": "Notification", "Message": told.to_string()}),
        1 => json!({"version": "0", "detail-type": "Config Configuration Item Change",
            "source": "aws.config", "account": random.pick(&[MEMBER, ADMIN, OTHER]),
            "region": random.pick(&["eu-west-1", "us-east-1"]), "detail": told}),
        _ => told,
    };
    push(case, "message.json", content);
    note(case, "quirks");
}

/// A list of items of one type or several, or rows of several, of which more may follow.
fn listing(case: &mut Value, random: &mut Random) {
    let shown = shown(case);
    if shown.is_empty() {
        return;
    }
    let items = case["delivery"]["configurationItems"].as_array().expect("shown there");
    let mut some: Vec<Value> = vec![];
    for _ in 0..1 + random.below(2) {
        let mut told = items[shown[random.below(shown.len())]].clone();
        if some.iter().any(|one| one["resourceId"] == told["resourceId"]) {
            continue;
        }
        later(&mut told, 97, AFTER);
        some.push(told);
    }
    let token = json!(random.pick(&["", "more", "more"]));
    let content = match random.below(3) {
        0 => {
            let items: Vec<Value> = some.iter().map(containers::base).collect();
            json!({"baseConfigurationItems": items, "unprocessedResourceKeys": [],
                "nextToken": token})
        }
        1 => {
            let items: Vec<Value> = some.iter().map(containers::in_api_words).collect();
            json!({"configurationItems": items, "nextToken": token})
        }
        _ => {
            let selected = containers::SELECTED;
            let rows: Vec<Value> =
                some.iter().map(|item| containers::row(item, &selected, random)).collect();
            containers::page(&rows, &selected, token.as_str().filter(|token| !token.is_empty()))
        }
    };
    push(case, "listing.json", content);
    note(case, "quirks");
}

/// A file that ends before its end, in a place that tells whose it is or not.
fn cut_file(case: &mut Value, random: &mut Random) {
    let account = random.pick(&[MEMBER, ADMIN, OTHER]);
    let region = random.pick(&["eu-west-1", "us-east-1"]);
    let text = case["delivery"].to_string();
    let text = text[..1 + random.below(20)].to_owned();
    let folder = format!("AWSLogs/{account}/Config/{region}/2026/3/1/ConfigHistory");
    let name = match random.below(4) {
        0 => format!("{folder}/part.log"),
        1 => format!("config/{folder}/part.json"),
        2 => history_name(account, region, "AWS::EC2::SecurityGroup", "20260301T120000Z"),
        _ => "part.json".to_owned(),
    };
    push(case, &name, json!(text));
    note(case, "quirks");
}
