//! What `/metrics` says of compliance, coverage and age: by policy and Region, so that somebody can be woken.

use axum::body::Body;
use axum::http::Request;
use palisade_api::metrics::SURVEY_MS;
use serde_json::json;

use crate::world::*;

async fn page(world: &World) -> String {
    let page = world.send(Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, 200);
    page.text
}

#[track_caller]
fn tells(page: &str, series: &str, value: i64) {
    let line = format!("{series} {value}\n");
    assert!(page.contains(&line), "{line} is not in {page}");
}

async fn deliver(world: &World, account: &str) {
    let name = format!(
        "{account}_Config_{REGION}_ConfigSnapshot_20260101T000000Z_00000000-0000-4000-8000-000000000000.json"
    );
    let body = json!({
        "fileVersion": "1.0", "configSnapshotId": "00000000-0000-4000-8000-000000000000",
        "configurationItems": [{
            "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-1",
            "awsAccountId": account, "awsRegion": REGION, "configurationItemStatus": "OK",
            "configurationItemVersion": "1.3", "configurationStateId": 1,
            "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z",
            "configuration": { "groupId": "sg-1", "vpcId": "vpc-1", "ipPermissions": [] },
        }],
    });
    let path = format!("/palisade/v1/inventory?name={name}");
    world.own("POST", &path, body.to_string()).await.ok();
}

#[tokio::test]
async fn accounts_are_told_by_how_they_stand_and_how_old_their_inventory_is() {
    let stale_ms = 36 * 60 * 60 * 1_000;
    let world = World::settled(|settings| settings.stale_after_ms = Some(stale_ms)).await;
    let text = page(&world).await;
    assert!(!text.contains("palisade_policy_accounts{"), "there is no policy: {text}");
    world.clock.advance(SURVEY_MS);
    let id = world.put_audit("one").await;
    deliver(&world, MEMBER).await;
    let of = |more: &str| format!("{{policy=\"{id}\",region=\"{REGION}\"{more}}}");
    let inventory = |state: &str| {
        format!("palisade_region_accounts{{region=\"{REGION}\",inventory=\"{state}\"}}")
    };
    let accounts = world.app.view().unwrap().control().policies.len();
    assert_eq!(accounts, 1);
    let text = page(&world).await;
    let in_scope = 5;
    tells(&text, &format!("palisade_policy_accounts{}", of(",standing=\"not_judged\"")), in_scope);
    tells(&text, &format!("palisade_policy_accounts{}", of(",standing=\"compliant\"")), 0);
    tells(&text, &format!("palisade_policy_violators{}", of("")), 0);
    tells(&text, &format!("palisade_policy_inventory_age_seconds{}", of("")), SURVEY_MS / 1_000);
    tells(&text, &inventory("fresh"), 1);
    tells(&text, &inventory("stale"), 0);
    tells(&text, &inventory("none"), in_scope - 1);
    // The same for a while, then what there is: the age goes on by itself.
    world.clock.advance(SURVEY_MS - 1);
    deliver(&world, OTHER).await;
    tells(&page(&world).await, &inventory("fresh"), 1);
    world.clock.advance(1);
    tells(&page(&world).await, &inventory("fresh"), 2);
    world.clock.advance(stale_ms);
    let text = page(&world).await;
    tells(&text, &inventory("fresh"), 0);
    tells(&text, &inventory("stale"), 2);
}
