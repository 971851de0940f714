//! Waivers: what they cover is shown apart, and AWS's operations do not know of them.

use serde_json::{Value, json};

use crate::world::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const PATH: &str = "/palisade/v1/waivers";

/// A waiver of this policy until a week from now.
fn wanted(policy: &str, resource: &str) -> Value {
    json!({
        "policy": policy, "resource": resource, "reason": "moves in May", "owner": "network team",
        "ticket": "NET-7", "until": "2026-01-08T00:00:00Z",
    })
}

async fn waive(world: &World, wanted: &Value) -> Value {
    world.own("POST", PATH, wanted.to_string()).await.ok()
}

/// A policy with three violators in one account and one in another.
async fn judged() -> (World, String) {
    let world = World::new().await;
    let policy = world.put_audit("one").await;
    world.judge(&policy, MEMBER, Found::violators(3));
    world.judge(&policy, OTHER, Found::violators(1));
    world.clock.advance(1_000);
    (world, policy)
}

/// The ids of violators of an account, those that are waived with a star.
async fn shown(world: &World, policy: &str, account: &str) -> String {
    let path = format!("/palisade/v1/policies/{policy}/accounts/{account}/violators");
    let page = world.own("GET", &path, "").await.ok();
    let violators = page["violators"].as_array().unwrap();
    let waived = violators.iter().filter(|it| it.get("waiver").is_some()).count();
    let told = page.get("waived").and_then(Value::as_u64).unwrap_or_default();
    assert_eq!(told, waived as u64, "{page}");
    assert_ne!(page["status"], "COMPLIANT", "a waiver makes nobody comply");
    assert_eq!(page["violatorCount"].as_u64().unwrap(), violators.len() as u64);
    let id = |it: &Value| {
        let star = if it.get("waiver").is_some() { "*" } else { "" };
        format!("{}{star}", it["ResourceId"].as_str().unwrap())
    };
    violators.iter().map(id).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_a_waiver_covers_is_shown_apart_while_it_lasts() {
    let (world, policy) = judged().await;
    let plain = shown(&world, &policy, MEMBER).await;
    let ids: Vec<&str> = plain.split(' ').collect();
    assert_eq!(ids.len(), 3);
    let mut of_member = wanted(&policy, ids[1]);
    of_member["accounts"] = json!([MEMBER]);
    let made = waive(&world, &of_member).await;
    assert_eq!((&made["state"], &made["covers"]), (&json!("in-force"), &json!(1)));
    assert_eq!(
        shown(&world, &policy, MEMBER).await,
        plain.replace(ids[1], &format!("{}*", ids[1]))
    );
    assert!(!shown(&world, &policy, OTHER).await.contains('*'), "another account's");
    // In every own reader, with who answers for it.
    let all = world.own("GET", &format!("/palisade/v1/policies/{policy}/violators"), "").await.ok();
    let waived: Vec<&Value> = all["violators"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it.get("waiver").is_some())
        .collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(
        waived[0]["waiver"],
        json!({
            "id": made["id"], "reason": "moves in May", "owner": "network team", "ticket": "NET-7",
            "until": "2026-01-08T00:00:00Z",
        })
    );
    let accounts =
        world.own("GET", &format!("/palisade/v1/policies/{policy}/accounts"), "").await.ok();
    let of = |account: &str| {
        let all = accounts["accounts"].as_array().unwrap();
        all.iter().find(|it| it["account"] == account).unwrap().clone()
    };
    assert_eq!(
        (&of(MEMBER)["waived"], &of(MEMBER)["status"]),
        (&json!(1), &json!("NON_COMPLIANT"))
    );
    assert!(of(OTHER).get("waived").is_none());
    // Its end comes by itself, and it is listed as ended.
    world.clock.advance(7 * DAY_MS);
    assert_eq!(shown(&world, &policy, MEMBER).await, plain);
    let listed = world.own("GET", PATH, "").await.ok();
    assert_eq!(listed["waivers"][0]["state"], "ended");
    assert_eq!(listed["waivers"][0]["covers"], 0);
    // As of a moment at which it was in force it still is.
    let path = format!("/palisade/v1/policies/{policy}/violators?at=2026-01-02T00:00:00Z");
    assert!(world.own("GET", &path, "").await.text.contains("network team"));
}

#[tokio::test]
async fn units_types_and_patterns_say_what_is_covered() {
    let (world, policy) = judged().await;
    let count = |change: Value| {
        let (world, policy) = (&world, &policy);
        async move {
            let mut wanted = wanted(policy, "*");
            wanted.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let path = format!("{PATH}?confirm=true");
            let made = world.own("POST", &path, wanted.to_string()).await.ok();
            let id = made["id"].as_str().unwrap();
            let ended = world.own("DELETE", &format!("{PATH}/{id}"), "").await.ok();
            assert_eq!(ended["state"], "ended");
            made["covers"].as_u64().unwrap()
        }
    };
    assert_eq!(count(json!({})).await, 4);
    assert_eq!(count(json!({ "units": [PROD] })).await, 4, "both are below it");
    assert_eq!(count(json!({ "accounts": [OTHER] })).await, 1);
    assert_eq!(count(json!({ "resourceType": "AWS::EC2::Instance" })).await, 0);
    assert_eq!(count(json!({ "resource": "no-such-*" })).await, 0, "listed as covering nothing");
    assert_eq!(count(json!({ "from": "2026-01-03T00:00:00Z" })).await, 0, "its time has not come");
}

#[tokio::test]
async fn no_byte_of_awss_operations_changes() {
    let (world, policy) = judged().await;
    let plain = shown(&world, &policy, MEMBER).await;
    let first = plain.split(' ').next().unwrap().to_owned();
    let calls = [
        ("ListPolicies", json!({})),
        ("GetPolicy", json!({ "PolicyId": policy })),
        ("ListComplianceStatus", json!({ "PolicyId": policy })),
        ("GetComplianceDetail", json!({ "PolicyId": policy, "MemberAccount": MEMBER })),
        (
            "GetViolationDetails",
            json!({
                "PolicyId": policy, "MemberAccount": MEMBER, "ResourceId": first,
                "ResourceType": "AWS::EC2::SecurityGroup",
            }),
        ),
        ("ListMemberAccounts", json!({})),
        ("GetProtectionStatus", json!({ "PolicyId": policy })),
    ];
    let told = || async {
        let mut all = Vec::new();
        for (operation, input) in &calls {
            let answer = world.admin(operation, input.clone()).await;
            all.push(format!("{operation} {} {}", answer.status, answer.text));
        }
        all
    };
    let before = told().await;
    assert!(before[2].contains("NON_COMPLIANT") && before[3].contains(&first), "{before:?}");
    let path = format!("{PATH}?confirm=true");
    let made = world.own("POST", &path, wanted(&policy, "*").to_string()).await.ok();
    assert_eq!(made["covers"], 4);
    assert_eq!(told().await, before);
    world.own("DELETE", &format!("{PATH}/{}", made["id"].as_str().unwrap()), "").await.ok();
    assert_eq!(told().await, before);
}

#[tokio::test]
async fn a_waiver_that_cannot_be_is_refused_in_words() {
    let (world, policy) = judged().await;
    let long = "x".repeat(1_025);
    let table = [
        (json!({ "until": "2027-01-01T00:00:01Z" }), "InvalidInput", ""),
        (
            json!({ "until": "2027-01-01T00:00:02Z" }),
            "InvalidInput",
            "a waiver lasts 365 days at most",
        ),
        (json!({ "until": "2025-12-31T00:00:00Z" }), "InvalidInput", "is not after"),
        (json!({ "until": "soon" }), "InvalidInput", "`until` is `soon`, which is no moment"),
        (json!({ "reason": " " }), "InvalidInput", "`reason` is empty"),
        (json!({ "owner": long }), "InvalidInput", "`owner` is 1025 characters"),
        (json!({ "resource": "" }), "InvalidInput", "`resource` is empty"),
        (json!({ "accounts": [STRANGER] }), "InvalidInput", "is not in the organization"),
        (
            json!({ "units": ["ou-none"] }),
            "InvalidInput",
            "unit `ou-none` is not in the organization",
        ),
        (
            json!({ "resource": "**" }),
            "ConfirmationRequired",
            "the pattern `**` fits every resource;",
        ),
        (
            json!({ "resource": "sg-*" }),
            "ConfirmationRequired",
            "the pattern `sg-*` fits every AWS::EC2::SecurityGroup;",
        ),
        (
            json!({ "resource": "*", "resourceType": "AWS::EC2::Subnet" }),
            "ConfirmationRequired",
            "fits every AWS::EC2::Subnet;",
        ),
        (
            json!({ "resourceType": "AWS::EC2::SecurityGroups" }),
            "InvalidInput",
            "`resourceType` is `AWS::EC2::SecurityGroups`, of which no policy finds violators",
        ),
        (
            json!({ "reason": "one\ntwo" }),
            "InvalidInput",
            "`reason` has the control character U+000A as character 4; give 1 to 1024 characters on one line",
        ),
        (json!({ "accounts": ["legacy"] }), "InvalidInput", "the body cannot be read: "),
        (json!({ "policy": "none" }), "NotFound", "policy `none` does not exist"),
        (json!({ "colour": 1 }), "InvalidInput", "unknown field"),
    ];
    for (change, code, why) in table {
        let mut wanted = wanted(&policy, "sg-a*");
        wanted.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = world.own("POST", PATH, wanted.to_string()).await;
        if why.is_empty() {
            answer.ok();
            continue;
        }
        let told = answer.json();
        assert_eq!(told["error"]["code"], code, "{change}: {told}");
        assert!(told["error"]["message"].as_str().unwrap().contains(why), "{change}: {told}");
    }
    for (method, path) in [("DELETE", format!("{PATH}/none")), ("PATCH", format!("{PATH}/none"))] {
        let answer =
            world.own(method, &path, json!({ "until": "2026-02-01T00:00:00Z" }).to_string());
        answer.await.own_refuses(404, "NotFound", "waiver `none` does not exist");
    }
}

#[tokio::test]
async fn a_waiver_is_renewed_and_ended_and_the_audit_log_tells() {
    let (world, policy) = judged().await;
    let made = waive(&world, &wanted(&policy, "sg-a*")).await;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    world.clock.advance(3 * DAY_MS);
    let until = json!({ "until": "2026-12-31T00:00:00Z" }).to_string();
    let renewed = world.own("PATCH", &path, until.clone()).await.ok();
    assert_eq!(
        (&renewed["until"], &renewed["from"]),
        (&json!("2026-12-31T00:00:00Z"), &made["from"])
    );
    let ended = world.own("DELETE", &path, "").await.ok();
    assert_eq!(ended["ended"], "2026-01-04T00:00:01Z");
    world.clock.advance(DAY_MS);
    assert_eq!(world.own("DELETE", &path, "").await.ok()["ended"], ended["ended"], "once");
    world.own("PATCH", &path, until).await.own_refuses(409, "WaiverEnded", "make another");
    for operation in ["CreateWaiver", "RenewWaiver", "EndWaiver"] {
        let path = format!("/palisade/v1/audit?operation={operation}");
        let events = world.own("GET", &path, "").await.ok();
        let event = &events["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(event["changes"][0]["objectType"], "waiver", "{event}");
        assert_eq!(event["changes"][0]["object"], made["id"], "{event}");
        assert_eq!(event["changes"][0]["before"].is_null(), operation == "CreateWaiver");
    }
}

#[tokio::test]
async fn waivers_of_others_cannot_be_told_from_absent_ones() {
    let (world, policy) = judged().await;
    let made = waive(&world, &wanted(&policy, "sg-a*")).await;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let owns = world.own_as(ADMIN, "GET", PATH, "").await.ok();
    assert_eq!(owns["waivers"].as_array().unwrap().len(), 1, "the policy's owner reads it");
    for stranger in [OTHER, MANAGEMENT, STRANGER] {
        let listed = world.own_as(stranger, "GET", PATH, "").await.ok();
        assert_eq!(listed, json!({ "waivers": [] }), "{stranger}");
        let none = format!("{PATH}/{}", "0".repeat(22));
        for method in ["DELETE", "PATCH"] {
            let body = || json!({ "until": "2026-02-01T00:00:00Z" }).to_string();
            let there = world.own_as(stranger, method, &path, body()).await;
            let absent = world.own_as(stranger, method, &none, body()).await;
            assert_eq!(there.status, absent.status);
            let plain = |text: &str| text.replace(made["id"].as_str().unwrap(), &"0".repeat(22));
            assert_eq!(plain(&there.text), absent.text, "{stranger} {method}");
        }
        let there = world.own_as(stranger, "POST", PATH, wanted(&policy, "sg-1").to_string()).await;
        let absent =
            world.own_as(stranger, "POST", PATH, wanted(&"0".repeat(36), "sg-1").to_string()).await;
        assert_eq!(there.text.replace(&policy, &"0".repeat(36)), absent.text, "{stranger}");
    }
}

/// What became of each waiver of a list.
async fn applied(world: &World, waivers: &[Value]) -> Vec<String> {
    let body = json!({ "waivers": waivers }).to_string();
    let answer = world.own("PUT", PATH, body).await.ok();
    let became = |one: &Value| one["became"].as_str().unwrap().to_owned();
    answer["waivers"].as_array().unwrap().iter().map(became).collect()
}

async fn listed(world: &World) -> Vec<Value> {
    world.own("GET", PATH, "").await.ok()["waivers"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_list_of_waivers_is_applied_as_a_whole_or_not_at_all() {
    let (world, policy) = judged().await;
    let (one, two) = (wanted(&policy, "sg-a*"), wanted(&policy, "sg-b*"));
    let with = |member: &str, value: Value| {
        let mut wrong = wanted(&policy, "sg-c*");
        wrong[member] = value;
        wrong
    };
    // One that cannot be leaves nothing of the others, and is told by its place.
    for (wrong, code, why) in [
        (with("until", json!("soon")), "InvalidInput", "`until` is `soon`"),
        (with("policy", json!("none")), "NotFound", "policy `none` does not exist"),
        (with("resource", json!("sg-*")), "ConfirmationRequired", "fits every"),
        (with("colour", json!(1)), "InvalidInput", "unknown field `colour`"),
        (one.clone(), "InvalidInput", "as waiver 1 of the list"),
    ] {
        let body = json!({ "waivers": [one, two, wrong] }).to_string();
        let told = world.own("PUT", PATH, body).await.json();
        assert_eq!(told["error"]["code"], code, "{told}");
        assert_eq!(told["error"]["waiver"], 2, "{told}");
        assert!(told["error"]["message"].as_str().unwrap().contains(why), "{told}");
        assert!(listed(&world).await.is_empty(), "nothing of it was applied");
    }
    assert_eq!(applied(&world, &[one.clone(), two.clone()]).await, ["made", "made"]);
    let made = listed(&world).await;
    assert_eq!(applied(&world, &[one.clone(), two.clone()]).await, ["stays", "stays"]);
    assert_eq!(listed(&world).await, made);
    // Another end, and other words.
    let (mut longer, mut reworded) = (one.clone(), two.clone());
    longer["until"] = json!("2026-03-01T00:00:00Z");
    reworded["reason"] = json!("moves in June");
    let mut over = wanted(&policy, "sg-d*");
    over["until"] = json!("2025-06-01T00:00:00Z");
    let became = applied(&world, &[longer, reworded, over]).await;
    assert_eq!(became, ["renewed", "renewed", "over"]);
    let after = listed(&world).await;
    assert_eq!(after.len(), 2, "waivers of the same scope are one: {after:?}");
    let ids = |all: &[Value]| all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&made));
    assert!(after.iter().any(|one| one["until"] == "2026-03-01T00:00:00Z"));
    assert!(after.iter().any(|one| one["reason"] == "moves in June"));
    // One event tells all.
    let events = world.own("GET", "/palisade/v1/audit?operation=ApplyWaivers", "").await.ok();
    let changes = |event: &Value| event["changes"].as_array().unwrap().len();
    let counts: Vec<usize> = events["events"].as_array().unwrap().iter().map(changes).collect();
    assert_eq!(counts.iter().sum::<usize>(), 4, "{events}");
}
