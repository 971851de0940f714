//! Facts about Shield protections: they are read, and their changes told, across the shards of an
//! account.

use palisade_core::evaluate::AccountFacts;
use palisade_core::ident::{Region, ResourceType, ShardId};
use palisade_core::inventory::{Body, Observation, Protection};

use crate::Store;

use super::Bed;
use super::facts::*;

const GLOBAL: ResourceType = ResourceType::SHIELD_PROTECTION;
const REGIONAL: ResourceType = ResourceType::SHIELD_REGIONAL_PROTECTION;

fn at(n: u32, region: &str) -> ShardId {
    ShardId { account: account(n), region: Region::try_from(region).unwrap() }
}

/// A protection of an address in a Region, recorded as this type in this shard.
fn protection(
    shard: &ShardId,
    kind: ResourceType,
    name: &str,
    at: i64,
    serves: &str,
) -> Observation {
    let resource_arn = format!("arn:aws:ec2:{serves}:1:eip-allocation/eipalloc-1").into();
    let body = Body::Protection(Protection { resource_arn, automatic_response: None });
    observed(shard, kind, name, at, body)
}

/// A store that was told of four shards, with nothing due.
fn told(store: &dyn Store) -> [ShardId; 4] {
    let shards = [at(1, "us-east-1"), at(1, "eu-west-1"), at(1, "ap-south-1"), at(2, "eu-west-1")];
    for shard in &shards {
        store.accept(&delivery(&[group(shard, "sg-1", 1)]), 1000, None).unwrap();
    }
    clear_work(store, 1000);
    shards
}

/// What is due, as `account region`, ascending.
fn marked(store: &dyn Store) -> String {
    let mut due: Vec<String> = store
        .lease(1000, -1000, usize::MAX)
        .unwrap()
        .iter()
        .map(|lease| {
            let account = lease.shard.account.as_str().trim_start_matches('0');
            format!("{account} {}", lease.shard.region)
        })
        .collect();
    due.sort();
    due.join(", ")
}

pub fn an_accounts_protections_are_loaded_with_each_of_its_shards(bed: &mut impl Bed) {
    let store = bed.store();
    let [home, west, south, stranger] = told(store);
    let seen = [
        protection(&home, GLOBAL, "p-1", 5, "eu-west-1"),
        protection(&home, REGIONAL, "p-2", 5, "us-east-1"),
        protection(&west, REGIONAL, "p-3", 5, "eu-west-1"),
        protection(&south, REGIONAL, "p-4", 5, "eu-west-1"),
        observed(&south, REGIONAL, "p-4", 6, Body::Deleted),
        observed(&south, GLOBAL, "p-5", 5, Body::Unseen),
        protection(&stranger, GLOBAL, "p-6", 5, "eu-west-1"),
        recorder(&home, 5),
    ];
    store.accept(&delivery(&seen), 1000, None).unwrap();
    for (shard, ids, knows) in [
        (&home, "p-5 p-3", true),
        (&west, "p-5 p-1 p-2", true),
        (&south, "p-3 p-1 p-2", true),
        (&at(1, "eu-north-1"), "p-5 p-3 p-1 p-2", true),
        (&stranger, "", false),
        (&at(3, "eu-west-1"), "", false),
    ] {
        let facts = loaded(store, shard).account;
        let found: Vec<_> = facts.protections.iter().map(|item| item.key.id.as_str()).collect();
        assert_eq!((found.join(" ").as_str(), facts.knows_global_protections), (ids, knows));
    }
    // As core has it from all shards, but for the shard's own.
    let shards = [&south, &home, &west].map(|shard| loaded(store, shard).shard);
    let mut facts = AccountFacts::of(&shards);
    facts.protections.retain(|item| item.key.region != west.region);
    facts.protection_ages.remove(&west.region);
    assert_eq!(loaded(store, &west).account, facts);
}

pub fn a_changed_protection_marks_the_shard_its_resource_is_in(bed: &mut impl Bed) {
    let store = bed.store();
    let [home, west, south, _] = told(store);
    // Both types are known in each, whatever becomes of their items.
    for shard in [&home, &west, &south] {
        store.accept(&delivery(&[recorder(shard, 1)]), 1000, None).unwrap();
    }
    clear_work(store, 1000);
    let cdn = Body::Protection(Protection {
        resource_arn: "arn:aws:cloudfront::1:distribution/E1".into(),
        automatic_response: None,
    });
    let serving = |at| protection(&home, GLOBAL, "p-1", at, "eu-west-1");
    let one = |seen| delivery(&[seen]);
    for (name, delivery, want) in [
        ("appears", one(serving(10)), "1 eu-west-1, 1 us-east-1"),
        ("is repeated", one(serving(10)), ""),
        ("is older", one(serving(9)), ""),
        ("changes", one(serving(11)), "1 eu-west-1, 1 us-east-1"),
        (
            "moves",
            one(protection(&home, GLOBAL, "p-1", 12, "ap-south-1")),
            "1 ap-south-1, 1 eu-west-1, 1 us-east-1",
        ),
        ("is gone", snapshot_of(&home, 50, &[], [GLOBAL]), "1 ap-south-1, 1 us-east-1"),
        ("returns", one(serving(60)), "1 ap-south-1, 1 eu-west-1, 1 us-east-1"),
        (
            "is deleted",
            one(observed(&home, GLOBAL, "p-1", 70, Body::Deleted)),
            "1 eu-west-1, 1 us-east-1",
        ),
        (
            "serves a Region unheard of",
            one(protection(&home, GLOBAL, "p-2", 70, "eu-north-1")),
            "1 us-east-1",
        ),
        (
            "of a distribution recorded elsewhere",
            one(observed(&south, REGIONAL, "p-3", 70, cdn)),
            "1 ap-south-1, 1 us-east-1",
        ),
        (
            "of its own Region",
            one(protection(&west, REGIONAL, "p-4", 70, "eu-west-1")),
            "1 eu-west-1",
        ),
        (
            "is not told",
            one(observed(&west, REGIONAL, "p-4", 80, Body::Unseen)),
            "1 ap-south-1, 1 eu-west-1, 1 us-east-1",
        ),
        (
            "is told again",
            one(protection(&west, REGIONAL, "p-4", 90, "eu-west-1")),
            "1 ap-south-1, 1 eu-west-1, 1 us-east-1",
        ),
        ("something else", one(group(&home, "sg-1", 80)), "1 us-east-1"),
    ] {
        store.accept(&delivery, 1000, None).unwrap();
        assert_eq!(marked(store), want, "{name}");
        clear_work(store, 1000);
    }
}

pub fn what_becomes_known_of_protections_marks_the_account(bed: &mut impl Bed) {
    let store = bed.store();
    let [home, west, south, _] = told(store);
    let all = "1 ap-south-1, 1 eu-west-1, 1 us-east-1";
    assert!(!loaded(store, &south).account.knows_regional_protections);
    for (name, delivery, want, knows) in [
        ("another's recorder, of regional ones", delivery(&[recorder(&west, 5)]), all, false),
        ("a recorder", delivery(&[recorder(&home, 5)]), all, true),
        ("a snapshot beside it", snapshot(&home, 20, &[]), "1 us-east-1", true),
        (
            "the recorder goes",
            delivery(&[observed(&home, RECORDER, "default", 30, Body::Deleted)]),
            all,
            false,
        ),
        ("it comes back", delivery(&[recorder(&home, 40)]), all, true),
    ] {
        store.accept(&delivery, 1000, None).unwrap();
        assert_eq!(marked(store), want, "{name}");
        let account = loaded(store, &south).account;
        assert_eq!(account.knows_global_protections, knows, "{name}");
        assert!(account.knows_regional_protections, "{name}");
        clear_work(store, 1000);
    }
}
