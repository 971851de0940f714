//! Inventory: what is listed is known, what is not is a gap that names the call, and heals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Body, Cause, Shard, listed_by};
use palisade_sources::{Collection, KINDS, Unit};

use crate::answers::HOME;
use crate::fake::{Fake, Fault};
use crate::world::{World, collector, shard, unit};

fn types<'t>(all: impl IntoIterator<Item = &'t ResourceType>) -> BTreeSet<&'t str> {
    all.into_iter().map(ResourceType::as_str).collect()
}

fn failed(collection: &Collection) -> BTreeSet<&str> {
    types(collection.failed.iter().map(|failed| &failed.resource_type))
}

#[tokio::test]
async fn a_whole_account_is_known_to_the_last_type() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let collection = collector(&fake, &world).collect(&unit(HOME)).await;
    assert_eq!(collection.failed, []);
    assert_eq!(types(&collection.complete), types(KINDS.iter().map(|kind| &kind.resource_type)));
    let shard = shard(&[&collection]);
    for kind in KINDS {
        assert!(shard.sees_all(&kind.resource_type), "{}", kind.resource_type);
    }
    let counts: BTreeMap<&str, usize> =
        shard.items.iter().map(|(kind, items)| (kind.as_str(), items.len())).collect();
    for (kind, count) in [
        ("AWS::EC2::VPC", 1),
        ("AWS::EC2::Instance", 1),
        ("AWS::EC2::PrefixList", 1),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", 1),
        ("AWS::ElasticLoadBalancing::LoadBalancer", 1),
        ("AWS::WAFv2::WebACL", 2),
        ("AWS::WAF::WebACL", 1),
        ("AWS::WAFRegional::WebACL", 1),
        ("AWS::Shield::Protection", 1),
        ("AWS::ShieldRegional::Protection", 1),
        ("AWS::CloudFront::Distribution", 1),
        ("AWS::ApiGateway::Stage", 1),
        ("AWS::NetworkFirewall::Firewall", 1),
        ("AWS::Route53Resolver::FirewallRuleGroupAssociation", 1),
    ] {
        assert_eq!(counts.get(kind), Some(&count), "{kind}: {counts:?}");
    }
    bodies_are_seen(&shard);
}

/// No body lacks what its type is judged by.
fn bodies_are_seen(shard: &Shard) {
    for item in shard.items.values().flat_map(BTreeMap::values) {
        assert_ne!(item.body, Body::Unseen, "{}", item.key.id);
        if let Body::SecurityGroup(group) = &item.body {
            assert_eq!(group.untold, Default::default(), "every kind of other end is told");
            assert_eq!(group.ingress.len(), 1);
            assert_eq!(group.ingress[0].ipv4[0].to_string(), "10.0.0.0/8");
        }
        if let Body::WebAcl(acl) = &item.body {
            let on: Vec<&str> =
                acl.associated.iter().flatten().map(|(kind, _)| kind.as_str()).collect();
            let wanted = match acl.arn.contains(":global/") {
                true => "AWS::CloudFront::Distribution",
                false => "AWS::ElasticLoadBalancingV2::LoadBalancer",
            };
            assert_eq!(on, [wanted]);
        }
        if let Body::PrefixList(list) = &item.body {
            assert_eq!(list.ipv4.as_ref().map(Vec::len), Some(1));
        }
    }
    let tags = |kind: &ResourceType, id: &str| shard.item(kind, id).unwrap().tags.clone().unwrap();
    assert_eq!(tags(&ResourceType::VPC, "vpc-1").len(), 1);
    assert_eq!(tags(&ResourceType::SUBNET, "subnet-1").len(), 0, "none, which is not untold");
    assert_eq!(tags(&ResourceType::CLOUDFRONT_DISTRIBUTION, "E1").len(), 1);
}

const STALLED: [&str; 5] = [
    "ec2:DescribeVpcs",
    "elbv2:DescribeTags",
    "cloudfront:ListDistributions",
    "apigateway:GetStages",
    "wafv2:GetWebACL",
];

#[tokio::test]
async fn whichever_call_fails_and_however_no_type_looks_empty() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let collector = collector(&fake, &world);
    let before = collector.collect(&unit(HOME)).await;
    assert_eq!(before.failed, []);
    let calls = fake.asked();
    assert!(calls.len() >= 30, "{calls:?}");
    let mut spoiled = BTreeSet::new();
    // Types of which what lists them, as people are told, was denied.
    let mut named = BTreeSet::new();
    for call in &calls {
        // Waiting takes time: one call of each protocol does it.
        let waits = |fault: &Fault| *fault != Fault::Stall || STALLED.contains(&&**call);
        for fault in Fault::ALL.into_iter().filter(waits) {
            world.pass(Duration::from_secs(3600));
            fake.spoil(call, fault);
            let collection = collector.collect(&unit(HOME)).await;
            let what = format!("{call} {fault:?}");
            assert!(!collection.failed.is_empty(), "{what} is noticed");
            let every = collection.complete.len() + collection.failed.len();
            assert_eq!(every, KINDS.len(), "{what}: each type is told of once");
            for one in &collection.failed {
                let error = &one.error;
                assert_eq!(format!("{}:{}", error.service, error.action), *call, "{what}");
                assert_eq!(&*error.code, fault.code(), "{what}");
                assert_eq!((&*error.region, &*error.account), (HOME, "111122223333"), "{what}");
            }
            // What was known an hour ago is not known now, and what is listed is.
            let held = shard(&[&before, &collection]);
            for one in &collection.failed {
                let gaps = held.open_gaps.get(&one.resource_type).unwrap();
                let named = format!("{call} {}", fault.code());
                let is_named = gaps
                    .iter()
                    .any(|gap| gap.cause == Cause::Call && gap.what.as_deref() == Some(&*named));
                assert!(is_named, "{what}: {gaps:?}");
                assert!(!held.sees_all(&one.resource_type), "{what}");
            }
            for complete in &collection.complete {
                assert!(held.sees_all(complete), "{what}: {complete}");
            }
            spoiled.extend(failed(&collection).into_iter().map(str::to_owned));
            if fault != Fault::Deny {
                continue;
            }
            let types = collection.failed.iter().map(|one| &one.resource_type);
            named.extend(types.filter(|kind| listed_by(kind) == Some(&**call)).cloned());
            // Afterwards it heals by itself.
            fake.heal();
            world.pass(Duration::from_secs(3600));
            let after = collector.collect(&unit(HOME)).await;
            let healed = shard(&[&before, &collection, &after]);
            assert_eq!(healed.open_gaps.len(), 0, "{what}");
        }
    }
    let every: BTreeSet<String> = KINDS.iter().map(|kind| kind.resource_type.to_string()).collect();
    assert_eq!(spoiled, every, "each type has a call of its own");
    let every: BTreeSet<ResourceType> =
        KINDS.iter().map(|kind| kind.resource_type.clone()).collect();
    assert_eq!(named, every, "each type is listed by the call that people are told of");
}

#[tokio::test]
async fn what_is_gone_from_a_whole_listing_is_gone_and_from_a_failed_one_is_not() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let collector = collector(&fake, &world);
    let before = collector.collect(&unit(HOME)).await;
    world.pass(Duration::from_secs(3600));
    fake.spoil("ec2:DescribeVpcs", Fault::HalfPage);
    let half = collector.collect(&unit(HOME)).await;
    let held = shard(&[&before, &half]);
    assert_eq!(held.of_type(&ResourceType::VPC).count(), 1, "what was half read took nothing");
    fake.heal();
    fake.answer("ec2:DescribeVpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>");
    world.pass(Duration::from_secs(3600));
    let after = collector.collect(&unit(HOME)).await;
    let held = shard(&[&before, &half, &after]);
    assert_eq!(held.of_type(&ResourceType::VPC).count(), 0);
    assert!(held.sees_all(&ResourceType::VPC), "and that is known");
}

#[tokio::test]
async fn an_account_without_a_subscription_has_no_protections() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    fake.answer("shield:GetSubscriptionState", r#"{"SubscriptionState":"INACTIVE"}"#);
    fake.spoil("shield:ListProtections", Fault::Deny);
    let collection = collector(&fake, &world).collect(&unit(HOME)).await;
    assert_eq!(collection.failed, []);
    let held = shard(&[&collection]);
    assert!(held.sees_all(&ResourceType::SHIELD_PROTECTION));
    assert_eq!(held.of_type(&ResourceType::SHIELD_PROTECTION).count(), 0);
    fake.answer("shield:GetSubscriptionState", r#"{"SubscriptionState":"PERHAPS"}"#);
    let collection = collector(&fake, &world).collect(&unit(HOME)).await;
    let protections = ["AWS::Shield::Protection", "AWS::ShieldRegional::Protection"];
    assert_eq!(failed(&collection), protections.into());
}

#[tokio::test]
async fn global_resources_are_told_of_one_region_and_come_without_the_rest_of_it() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let elsewhere = collector(&fake, &world).collect(&unit("eu-west-1")).await;
    let told = types(&elsewhere.complete);
    assert!(!told.contains("AWS::CloudFront::Distribution") && told.contains("AWS::WAFv2::WebACL"));
    assert!(elsewhere.items.iter().all(|item| item["awsRegion"] == "eu-west-1"));
    let home = Unit { is_regional: false, ..unit(HOME) };
    let alone = collector(&fake, &world).collect(&home).await;
    let global = [
        "AWS::CloudFront::Distribution",
        "AWS::Shield::Protection",
        "AWS::WAF::WebACL",
        "AWS::WAFv2::WebACL",
    ];
    assert_eq!(types(&alone.complete), global.into());
}

#[tokio::test]
async fn an_account_whose_regions_nobody_tells_has_gaps_everywhere() {
    let (fake, world) = (Fake::start().await, Arc::new(World::default()));
    let collector = collector(&fake, &world);
    assert_eq!(collector.regions(&unit(HOME).target).await.unwrap(), [HOME]);
    let before = collector.collect(&unit(HOME)).await;
    world.pass(Duration::from_secs(3600));
    fake.spoil("ec2:DescribeRegions", Fault::Deny);
    let error = collector.regions(&unit(HOME).target).await.unwrap_err();
    let unknown = collector.unknown_regions(&unit(HOME).target, &error);
    assert_eq!(unknown.region, None);
    let held = shard(&[&before, &unknown]);
    assert!(KINDS.iter().all(|kind| !held.sees_all(&kind.resource_type)));
}
