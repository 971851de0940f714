//! What sources of the server itself hand over, and what is told of them.

use palisade_api::own::{NotTaken, Renewed, note_unread, renew_organization, take_in};
use palisade_core::ident::{AccountId, Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Shard};
use palisade_core::organization::Organization;
use palisade_store::{Inventory as _, Want};
use serde_json::{Value, json};

use crate::world::*;

fn read(file: &Value) -> Organization {
    Organization::parse(file.to_string().as_bytes()).unwrap()
}

/// The organization without its accounts at these places.
fn without(places: &[usize]) -> Value {
    let mut file = organization();
    let accounts = file["Accounts"].as_array_mut().unwrap();
    let mut place = 0;
    accounts.retain(|_| {
        place += 1;
        !places.contains(&(place - 1))
    });
    file
}

#[tokio::test]
async fn an_organization_that_was_read_is_applied_as_one_that_was_sent() {
    let world = World::empty();
    let mut file = organization();
    file["DefaultAdministrator"] = ADMIN.into();
    let renew = async |file: &Value| renew_organization(&world.app, read(file)).await;
    assert_eq!(renew(&file).await, Ok(Renewed::Applied { marked: 0 }));
    assert_eq!(renew(&file).await, Ok(Renewed::Same));
    let told = world.own("GET", "/palisade/v1/organization", "").await.ok();
    assert_eq!(told["DefaultAdministrator"], ADMIN);
    // Another delegated administrator is none of a source's business.
    file["DefaultAdministrator"] = OTHER.into();
    assert_eq!(renew(&file).await, Ok(Renewed::Same));
    assert_eq!(renew(&without(&[5])).await, Ok(Renewed::Applied { marked: 0 }), "one of six");
    let refused = renew(&without(&[3, 4, 5])).await.unwrap_err();
    assert!(refused.contains("more than a fifth of the accounts"), "{refused}");
    let mut others = organization();
    others["Organization"]["Id"] = "o-somebody1".into();
    let refused = renew(&others).await.unwrap_err();
    assert!(refused.contains("is in place"), "{refused}");
    let told = world.own("GET", "/palisade/v1/organization", "").await.ok();
    assert_eq!(told["Accounts"].as_array().unwrap().len(), 5, "the one that was held stays");
}

fn shard(world: &World) -> Shard {
    let id = ShardId {
        account: AccountId::try_from(MEMBER).unwrap(),
        region: Region::try_from(REGION).unwrap(),
    };
    let none = std::collections::BTreeSet::new();
    world.store.load(&Want::whole(&id, &none, &[])).unwrap().shard
}

#[tokio::test]
async fn what_a_source_collected_is_known_or_a_gap() {
    let world = World::new().await;
    let at = "2026-01-01T00:00:00.000Z";
    let collection = json!({
        "palisadeCollection": {
            "accountId": MEMBER, "awsRegion": REGION,
            "complete": [{"resourceType": "AWS::EC2::VPC", "at": at}],
            "failed": [{"resourceType": "AWS::EC2::Subnet", "call": "ec2:DescribeSubnets", "code": "AuthFailure", "at": at}],
        },
        "configurationItems": [],
    });
    let taken = take_in(&world.app, "x.json", collection.to_string().into_bytes()).await.unwrap();
    assert_eq!((taken.accepted, taken.missed), (0, 1));
    let held = shard(&world);
    assert!(held.sees_all(&ResourceType::VPC), "there is none, and that is known");
    let gaps = held.open_gaps.get(&ResourceType::SUBNET).unwrap();
    let gap = gaps.first().unwrap();
    assert_eq!(
        (gap.cause, gap.what.as_deref()),
        (Cause::Call, Some("ec2:DescribeSubnets AuthFailure"))
    );
    let refused = take_in(&world.app, "", b"{".to_vec()).await.unwrap_err();
    assert!(matches!(refused, NotTaken::Invalid(_)), "{refused:?}");
    let name = format!("{MEMBER}_Config_{REGION}_ConfigSnapshot_20260101T000000Z_x.json.gz");
    note_unread(&world.app, &name, "it is gone").await.unwrap();
    let causes = |kind: &ResourceType| {
        let held = shard(&world);
        held.open_gaps.get(kind).into_iter().flatten().map(|gap| gap.cause).collect::<Vec<_>>()
    };
    assert_eq!(causes(&ResourceType::SUBNET), [Cause::File, Cause::Call]);
}

#[tokio::test]
async fn each_source_is_told_with_its_age_and_its_last_failure() {
    let world = World::new().await;
    let told = world.own("GET", "/palisade/v1/sources", "").await.ok();
    assert_eq!(told, json!({"sources": []}));
    let page = async || world.own("GET", "/metrics", "").await.text;
    assert!(!page().await.contains("palisade_source_"));
    let now_ms = world.app.clock.now_ms();
    world.app.sources.note("inventory[0]", |source| {
        source.kind = "live";
        source.whole_ms = Some(now_ms - 90_000);
        source.gaps = 3;
        source.failed(now_ms - 5_000, "ec2:DescribeVpcs … AuthFailure");
    });
    let told = world.own("GET", "/palisade/v1/sources", "").await.ok();
    let source = &told["sources"][0];
    assert_eq!(
        json!([
            source["name"],
            source["kind"],
            source["ageSeconds"],
            source["gaps"],
            source["lastErrorSeconds"]
        ]),
        json!(["inventory[0]", "live", 90, 3, 5])
    );
    assert_eq!(source["failures"], json!(["ec2:DescribeVpcs … AuthFailure"]));
    let page = page().await;
    for series in [
        "palisade_source_age_seconds{source=\"inventory[0]\"} 90",
        "palisade_source_gaps{source=\"inventory[0]\"} 3",
        "palisade_source_calls_failed{source=\"inventory[0]\"} 1",
    ] {
        assert!(page.contains(series), "{series}");
    }
}
