//! Files of a collector: what they claim of their listings (semantics §11 row 36, formats §12).

use super::*;
use crate::ident::AccountId;
use crate::inventory::{Cause, Missed, ShardBuilder};

const AT: &str = "2026-02-03T04:05:06.000Z";
const AT_MS: i64 = 1_770_091_506_000;
const NOW_MS: i64 = AT_MS + 60_000;

fn file(claims: &str, items: &[String]) -> String {
    format!(r#"{{"palisadeCollection":{claims},"configurationItems":[{}]}}"#, items.join(","))
}

fn claims(complete: &[&str], failed: &[(&str, &str, &str)]) -> String {
    let complete: Vec<String> = complete
        .iter()
        .map(|name| format!(r#"{{"resourceType":"AWS::EC2::{name}","at":"{AT}"}}"#))
        .collect();
    let failed: Vec<String> = failed
        .iter()
        .map(|(name, call, code)| {
            format!(
                r#"{{"resourceType":"AWS::EC2::{name}","call":"{call}","code":"{code}","at":"{AT}","message":"no"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"accountId":"111122223333","awsRegion":"eu-west-1","complete":[{}],"failed":[{}]}}"#,
        complete.join(","),
        failed.join(",")
    )
}

/// In every size of chunk, encoded and not, a file says the same.
fn taken(text: &str) -> Delivery {
    let read = |mut reader: DeliveryReader, size: usize| {
        text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk).unwrap());
        reader.finish().unwrap()
    };
    let whole = read(DeliveryReader::new("").received(NOW_MS), text.len());
    for size in [1, 7, 100] {
        assert_eq!(read(DeliveryReader::new("").received(NOW_MS), size), whole, "chunks of {size}");
    }
    let encoded = read(DeliveryReader::new("").received(NOW_MS).encoding(), text.len());
    assert_eq!(encoded::decoded(encoded), whole);
    whole
}

fn shard() -> ShardId {
    ShardId {
        account: AccountId::try_from("111122223333").unwrap(),
        region: Region::try_from("eu-west-1").unwrap(),
    }
}

#[test]
fn what_is_claimed_to_be_complete_is_a_listing() {
    let delivery = taken(&file(&claims(&["VPC", "Subnet"], &[]), &[item("vpc-1")]));
    let listed = delivery.listings.get(&shard()).unwrap();
    assert_eq!(listed.get(&ResourceType::VPC), Some(&AT_MS));
    assert_eq!(listed.get(&ResourceType::SUBNET), Some(&AT_MS), "there is none");
    assert_eq!(listed.len(), 2);
    assert_eq!((ids(&delivery), delivery.missed.len()), (vec!["vpc-1"], 0));
    assert!(delivery.snapshot.is_none());
    let none = taken(&file(&claims(&["VPC"], &[]), &[]));
    assert_eq!(none.listings.get(&shard()).unwrap().len(), 1);
    let behind = format!(
        r#"{{"configurationItems":[{}],"palisadeCollection":{}}}"#,
        item("vpc-1"),
        claims(&["VPC"], &[])
    );
    assert_eq!(taken(&behind).listings.get(&shard()).unwrap().len(), 1);
}

#[test]
fn a_failed_call_is_a_gap_that_a_later_listing_closes() {
    let failed = claims(&["VPC"], &[("Subnet", "ec2:DescribeSubnets", "UnauthorizedOperation")]);
    let delivery = taken(&file(&failed, &[]));
    let [missed] = &*delivery.missed else { panic!("{:?}", delivery.missed) };
    assert_eq!(
        missed,
        &Missed {
            account: Some(shard().account),
            region: Some(shard().region),
            resource_type: Some(ResourceType::SUBNET),
            what: Some("ec2:DescribeSubnets UnauthorizedOperation".into()),
            cause: Cause::Call,
            moment_ms: AT_MS,
        }
    );
    assert!(!delivery.listings.get(&shard()).unwrap().contains_key(&ResourceType::SUBNET));
    for (moment_ms, is_open) in [(AT_MS - 1, true), (AT_MS, false), (AT_MS + 1, false)] {
        let mut builder = ShardBuilder::new(shard());
        builder.miss(missed.clone());
        builder.list(ResourceType::SUBNET, moment_ms);
        let shard = builder.seal();
        assert_eq!(shard.open_gaps.contains_key(&ResourceType::SUBNET), is_open, "{moment_ms}");
    }
}

#[test]
fn an_account_of_which_no_region_is_known_is_a_gap_in_all() {
    let claims = claims(&[], &[("VPC", "ec2:DescribeRegions", "AuthFailure")]);
    let delivery = taken(&file(&claims.replace(r#""awsRegion":"eu-west-1","#, ""), &[]));
    assert_eq!(delivery.missed.iter().map(|one| one.region.clone()).collect::<Vec<_>>(), [None]);
    assert!(delivery.listings.is_empty());
}

#[test]
fn an_item_that_cannot_be_read_takes_its_type_from_what_is_claimed() {
    let lost = r#"{"resourceType":"AWS::EC2::VPC","configuration":{}}"#.to_owned();
    let delivery = taken(&file(&claims(&["VPC", "Subnet"], &[]), &[item("vpc-1"), lost]));
    let listed = delivery.listings.get(&shard()).unwrap();
    assert_eq!(listed.keys().collect::<Vec<_>>(), [&ResourceType::SUBNET]);
    let strange = "{\"colour\":1}".to_owned();
    let delivery = taken(&file(&claims(&["VPC", "Subnet"], &[]), &[strange]));
    assert_eq!(delivery.listings.get(&shard()).unwrap().len(), 0, "it may be of any type");
}

#[test]
fn claims_that_cannot_be_read_are_no_claims_and_a_gap() {
    let fine = claims(&["VPC"], &[("Subnet", "ec2:DescribeSubnets", "x")]);
    for (from, to) in [
        ("\"111122223333\"", "\"acme\""),
        ("\"eu-west-1\"", "null"),
        ("\"eu-west-1\"", "\"EU\""),
        (AT, "yesterday"),
        ("\"complete\"", "\"whole\""),
        ("\"failed\"", "\"fine\""),
        ("\"call\":", "\"cal\":"),
        ("\"resourceType\"", "\"type\""),
    ] {
        assert!(fine.contains(from), "{from}");
        let delivery = taken(&file(&fine.replace(from, to), &[item("vpc-1")]));
        assert_eq!(delivery.listings.len(), 0, "{to}");
        assert_eq!(delivery.quarantined.len(), 1, "{to}");
        assert!(delivery.missed.iter().all(|one| one.cause == Cause::Item), "{to}");
        let is_anything = delivery.missed.iter().any(|one| one.resource_type.is_none());
        assert!(is_anything, "{to}: {:?}", delivery.missed);
    }
    for strange in ["null", "5", "[]", "\"x\""] {
        let delivery = taken(&file(strange, &[item("vpc-1")]));
        let told = (delivery.listings.len(), delivery.quarantined.len());
        assert_eq!(told, (0, 1), "{strange}");
    }
    let large = claims(&["VPC"], &[]).replace(
        "\"complete\"",
        &format!("\"x\":\"{}\",\"complete\"", "x".repeat(crate::inventory::ITEM_BYTES_MAX)),
    );
    let mut reader = DeliveryReader::new("");
    reader.push(file(&large, &[item("vpc-1")]).as_bytes()).unwrap();
    let delivery = reader.finish().unwrap();
    assert_eq!((delivery.listings.len(), delivery.quarantined.len()), (0, 1));
}

#[test]
fn a_listing_of_the_future_is_not_believed() {
    let far = claims(&["VPC"], &[("Subnet", "ec2:DescribeSubnets", "x")]).replace("2026", "2036");
    let delivery = taken(&file(&far, &[item("vpc-1")]));
    assert!(delivery.listings.values().all(BTreeMap::is_empty), "nothing is known by it");
    assert_eq!(delivery.missed.first().unwrap().moment_ms, NOW_MS);
    assert_eq!(delivery.observations.len(), 1, "it is read as single items");
    assert_eq!(delivery.quarantined.len(), 1, "and that is told");
}
