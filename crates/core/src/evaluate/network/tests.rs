use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, group, instance, interface, judged_at, outdated, policy,
    violators, world,
};
use crate::evaluate::{AccountFacts, Judgement, Status};
use crate::inventory::{Assumed, Body, GroupAssociation, Recorder, RecordingGroup};
use crate::policy::Rule;
use crate::policy::content_audit::{ContentAudit, ManagedOptions};
use crate::policy::usage_audit::UsageAudit;

use super::*;

const OTHER: &str = "222222222222";
const THIRD: &str = "333333333333";

fn of_account(owner: &str, mut item: Item) -> Item {
    item.key.account = account(owner);
    item
}

/// A group of `vpc-1`, of which nothing but the id and the VPC matters.
fn sg(id: &str) -> Item {
    let mut item = group(id, "in tcp 22 0.0.0.0/0");
    if let Body::SecurityGroup(group) = &mut item.body {
        group.vpc = Some("vpc-1".into());
    }
    item
}

fn owned(mut item: Item, owner: &str) -> Item {
    match &mut item.body {
        Body::SecurityGroup(group) => group.owner = Some(account(owner)),
        Body::NetworkInterface(interface) => interface.owner = Some(account(owner)),
        other => panic!("{other:?}"),
    }
    item
}

/// An interface in `vpc-1`.
fn eni(id: &str, groups: &[&str]) -> Item {
    let mut item = interface(id, groups);
    if let Body::NetworkInterface(interface) = &mut item.body {
        interface.vpc = Some("vpc-1".into());
    }
    item
}

fn stateless(mut item: Item) -> Item {
    if let Body::Instance(instance) = &mut item.body {
        instance.state = None;
    }
    item
}

fn recorder(types: &[ResourceType]) -> Item {
    let group = RecordingGroup::Only(types.to_vec());
    let recorder = Recorder { recording: true, group, ..Recorder::default() };
    body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder))
}

/// The shard of an account whose recorder lists all that audits read, or not interfaces.
fn shard_of(owner: &str, knows_interfaces: bool, mut items: Vec<Item>) -> Shard {
    let mut types = vec![ResourceType::SECURITY_GROUP, ResourceType::INSTANCE];
    if knows_interfaces {
        types.push(ResourceType::NETWORK_INTERFACE);
    }
    items.push(recorder(&types));
    let mut shard = world(items.into_iter().map(|item| of_account(owner, item)));
    shard.id.account = account(owner);
    shard
}

/// What all these shards say of the first.
fn facts(shards: &[&Shard]) -> AccountFacts {
    let presences: BTreeMap<_, _> =
        shards.iter().map(|shard| (shard.id.account.clone(), Presence::of(shard))).collect();
    let mut held: BTreeMap<ResourceId, Vec<Item>> = BTreeMap::new();
    for item in shards.iter().flat_map(|shard| shard.of_type(&ResourceType::SECURITY_GROUP)) {
        held.entry(item.key.id.clone()).or_default().push(item.clone());
    }
    AccountFacts {
        network: NetworkFacts::of(shards[0], &presences, &held),
        ..AccountFacts::default()
    }
}

fn unused(shards: &[&Shard]) -> Judgement {
    let audit = UsageAudit { unused_after_ms: Some(0), unique: false };
    let policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(audit));
    judged_at(&policy, shards[0], &facts(shards), 9)
}

fn found(judgement: &Judgement) -> String {
    let mut all = violators(judgement);
    all.extend(gaps(judgement));
    all.join("; ").replace("SECURITY_GROUP_", "").replace("AWSCONFIG ", "")
}

#[test]
fn a_group_that_an_interface_of_another_account_lists_is_in_use() {
    let own = shard_of(ACCOUNT, true, vec![sg("sg-1"), sg("sg-2")]);
    let stopped = outdated(eni("eni-1", &["sg-1"]));
    let mut elsewhere = outdated(eni("eni-1", &[]));
    if let Body::NetworkInterface(interface) = &mut elsewhere.body {
        interface.vpc = Some("vpc-2".into());
    }
    let unread = body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen);
    let blind =
        "Network interfaces of account 222222222222, which shares vpc-1, were not all seen.";
    for (name, theirs, want) in [
        ("nothing", vec![], "sg-1 UNUSED; sg-2 UNUSED".to_owned()),
        (
            "its own groups",
            vec![sg("sg-9"), eni("eni-1", &["sg-9"])],
            "sg-1 UNUSED; sg-2 UNUSED".to_owned(),
        ),
        ("a group of ours", vec![eni("eni-1", &["sg-1"])], "sg-2 UNUSED".to_owned()),
        ("both", vec![eni("eni-1", &["sg-1", "sg-2"])], String::new()),
        (
            "a group of ours that it sees",
            vec![owned(sg("sg-1"), ACCOUNT), eni("eni-1", &["sg-1"])],
            "sg-2 UNUSED".to_owned(),
        ),
        (
            "a group of its own by that id",
            vec![sg("sg-1"), eni("eni-1", &["sg-1"])],
            "sg-1 UNUSED; sg-2 UNUSED".to_owned(),
        ),
        (
            "what it no longer tells",
            vec![stopped],
            format!(
                "{blind}; The latest configuration of AWS::EC2::NetworkInterface eni-1 of account \
                 222222222222 was not recorded."
            ),
        ),
        ("in another VPC", vec![elsewhere, eni("eni-2", &["sg-1"])], "sg-2 UNUSED".to_owned()),
        (
            "an instance whose state it does not tell",
            vec![stateless(instance("i-1", &["sg-1"], &[]))],
            "sg-2 UNUSED; The state of AWS::EC2::Instance i-1 of account 222222222222 was not \
             recorded."
                .to_owned(),
        ),
        (
            "another, and one that was not read",
            vec![eni("eni-2", &["sg-1"]), unread],
            blind.to_owned(),
        ),
    ] {
        let other = shard_of(OTHER, true, theirs);
        assert_eq!(found(&unused(&[&own, &other])), want, "{name}");
        let third = shard_of(THIRD, true, vec![]);
        assert_eq!(found(&unused(&[&own, &third, &other])), want, "{name}");
    }
}

#[test]
fn in_a_vpc_that_is_shown_to_be_shared_the_others_interfaces_must_be_known() {
    let blind = "Network interfaces of account 222222222222, which shares vpc-1, are not recorded.";
    let both = "sg-1 UNUSED; sg-2 UNUSED";
    let other = |knows, items| shard_of(OTHER, knows, items);
    for (name, own, others, want) in [
        ("no sign of sharing", vec![], vec![other(false, vec![sg("sg-9")])], both),
        ("nobody else", vec![], vec![], both),
        ("their interface here", vec![owned(eni("eni-1", &["sg-9"]), OTHER)], vec![], blind),
        ("their group here", vec![owned(sg("sg-9"), OTHER)], vec![other(false, vec![])], blind),
        (
            "their group here, known",
            vec![owned(sg("sg-9"), OTHER)],
            vec![other(true, vec![])],
            both,
        ),
        ("our group there", vec![], vec![other(false, vec![owned(sg("sg-1"), ACCOUNT)])], blind),
        (
            "our group there, known",
            vec![],
            vec![other(true, vec![owned(sg("sg-1"), ACCOUNT)])],
            both,
        ),
        (
            "a third's group there",
            vec![],
            vec![other(true, vec![owned(sg("sg-8"), THIRD)]), shard_of(THIRD, false, vec![])],
            "Network interfaces of account 333333333333, which shares vpc-1, are not recorded.",
        ),
        (
            "an interface of theirs",
            vec![],
            vec![other(false, vec![eni("eni-1", &["sg-1"])])],
            blind,
        ),
    ] {
        let items = [vec![sg("sg-1"), sg("sg-2")], own].concat();
        let own = shard_of(ACCOUNT, true, items);
        let all: Vec<&Shard> = std::iter::once(&own).chain(&others).collect();
        assert_eq!(found(&unused(&all)), want, "{name}");
    }
    // The operator's word stands for a recorder, not for what was missed.
    let own = shard_of(ACCOUNT, true, vec![sg("sg-1"), sg("sg-2"), owned(sg("sg-9"), OTHER)]);
    let audit = UsageAudit { unused_after_ms: Some(0), unique: false };
    let policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(audit));
    let unseen = body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen);
    for (theirs, want) in [
        (vec![], both.to_owned()),
        (vec![unseen], blind.replace("are not recorded", "were not all seen")),
    ] {
        let theirs = other(false, theirs);
        let mut facts = facts(&[&own, &theirs]);
        facts.assume(&Assumed::parse(["AWS::EC2::NetworkInterface"]).unwrap());
        assert_eq!(found(&judged_at(&policy, &own, &facts, 9)), want);
    }
    // What is seen to be used is, whatever else is not known.
    let own = shard_of(ACCOUNT, true, vec![sg("sg-1"), eni("eni-9", &["sg-1"])]);
    let theirs = other(false, vec![owned(sg("sg-1"), ACCOUNT)]);
    let judgement = unused(&[&own, &theirs]);
    assert_eq!((found(&judgement).as_str(), judgement.status()), ("", Some(Status::Compliant)));
}

#[test]
fn a_keeper_is_on_most_interfaces_of_any_account() {
    let audit = UsageAudit { unused_after_ms: None, unique: true };
    let policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(audit));
    let own = shard_of(ACCOUNT, true, vec![sg("sg-1"), sg("sg-2"), eni("eni-1", &["sg-1"])]);
    let theirs = |count: usize| {
        let enis = (0..count).map(|n| eni(&format!("eni-9{n}"), &["sg-2"])).collect();
        shard_of(OTHER, true, enis)
    };
    for (count, want) in [(0, "sg-2 REDUNDANT"), (1, "sg-2 REDUNDANT"), (2, "sg-1 REDUNDANT")] {
        let other = theirs(count);
        let judgement = judged_at(&policy, &own, &facts(&[&own, &other]), 9);
        assert_eq!(found(&judgement), want, "{count}");
    }
    // One that both inventories tell of is one.
    let own = shard_of(
        ACCOUNT,
        true,
        vec![sg("sg-1"), sg("sg-2"), eni("eni-90", &["sg-2"]), eni("eni-1", &["sg-1"])],
    );
    let other = theirs(1);
    assert_eq!(found(&judged_at(&policy, &own, &facts(&[&own, &other]), 9)), "sg-2 REDUNDANT");
}

#[test]
fn a_group_that_is_associated_with_another_vpc_is_in_use_there() {
    let associated = |serves: bool| {
        let association = GroupAssociation {
            group: "sg-1".into(),
            vpc: Some("vpc-2".into()),
            serves: Some(serves),
        };
        let body_of = Body::GroupAssociation(association);
        body(ResourceType::SECURITY_GROUP_VPC_ASSOCIATION, "sg-1|vpc-2", body_of)
    };
    for (item, want) in [(associated(true), ""), (associated(false), "sg-1 UNUSED")] {
        let own = shard_of(ACCOUNT, true, vec![sg("sg-1"), item.clone()]);
        assert_eq!(found(&unused(&[&own])), want);
        let own = shard_of(ACCOUNT, true, vec![sg("sg-1")]);
        let other = shard_of(OTHER, true, vec![item]);
        assert_eq!(found(&unused(&[&own, &other])), want);
    }
}

/// Semantics §11 row 41: judged for what carries it, never a violator itself.
#[test]
fn a_group_that_another_account_holds_is_judged_for_the_interface_that_carries_it() {
    let options = ManagedOptions { port_count_max: Some(0), ..ManagedOptions::default() };
    let audit = ContentAudit { audit: None, managed: Some(options) };
    let types = "AWS::EC2::SecurityGroup AWS::EC2::NetworkInterface";
    let policy = policy(types, Rule::ContentAudit(audit));
    let own = shard_of(ACCOUNT, true, vec![eni("eni-1", &["sg-9"])]);
    let judge = |shards: &[&Shard]| judged_at(&policy, shards[0], &facts(shards), 9);
    assert_eq!(found(&judge(&[&own])), "Security group sg-9 of eni-1 was not recorded.");
    let bad = shard_of(OTHER, true, vec![sg("sg-9")]);
    let judgement = judge(&[&own, &bad]);
    assert_eq!(found(&judgement), "eni-1 RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");
    let evidence = judgement.violators[0].violations[0].finding.summary();
    assert!(evidence.contains("of sg-9 of account 222222222222:"), "{evidence}");
    let good = shard_of(OTHER, true, vec![group("sg-9", "")]);
    assert_eq!(found(&judge(&[&own, &good])), "");
    // Of what both inventories tell the newer state counts. Whose a group is that ours did not read is
    // not known: it may be our own.
    let at = |mut item: Item, ms: i64| {
        item.version.state = None;
        item.version.captured_ms = ms;
        item
    };
    let counted = |mut item: Item, state: u64| {
        item.version.state = Some(state);
        item
    };
    let since = |item: Item, ms: i64| {
        let mut item = outdated(item);
        item.unseen_since.as_mut().unwrap().version =
            Version { state: Some(1 << 40), captured_ms: ms };
        item
    };
    let later = "The latest configuration of AWS::EC2::SecurityGroup sg-9 was not recorded.";
    for (ours, theirs, want) in [
        (
            counted(at(owned(group("sg-9", ""), OTHER), 6), 9),
            counted(at(sg("sg-9"), 7), 5),
            "eni-1",
        ),
        (
            counted(at(owned(sg("sg-9"), OTHER), 7), 5),
            counted(at(group("sg-9", ""), 6), 9),
            "eni-1",
        ),
        (at(owned(sg("sg-9"), OTHER), 7), at(group("sg-9", ""), 7), "-"),
        (at(owned(group("sg-9", ""), OTHER), 8), since(at(sg("sg-9"), 7), 9), later),
        (at(owned(group("sg-9", ""), OTHER), 8), since(at(sg("sg-9"), 6), 7), "-"),
        // Its own account put the later state behind it by its number, captured at the same moment.
        (at(owned(group("sg-9", ""), OTHER), 6), since(at(group("sg-9", ""), 7), 7), later),
        (since(at(owned(group("sg-9", ""), OTHER), 7), 7), at(group("sg-9", ""), 6), later),
    ] {
        let own = shard_of(ACCOUNT, true, vec![eni("eni-1", &["sg-9"]), ours]);
        let found = found(&judge(&[&own, &shard_of(OTHER, true, vec![theirs])]));
        assert_eq!(found.contains(want), want != "-", "{want}: {found}");
        assert_eq!(found.is_empty(), want == "-", "{want}: {found}");
    }
    for (ours, theirs, is_bad) in [
        (at(owned(sg("sg-9"), OTHER), 5), at(group("sg-9", ""), 4), true),
        (at(owned(sg("sg-9"), OTHER), 4), at(group("sg-9", ""), 5), false),
        (at(body(ResourceType::SECURITY_GROUP, "sg-9", Body::Unseen), 9), at(sg("sg-9"), 4), false),
    ] {
        let own = shard_of(ACCOUNT, true, vec![eni("eni-1", &["sg-9"]), ours]);
        let other = shard_of(OTHER, true, vec![theirs]);
        let judgement = judge(&[&own, &other]);
        let count = judgement.violators.iter().filter(|v| v.id.as_str() == "eni-1").count();
        assert_eq!(count == 1, is_bad, "{}", found(&judgement));
        assert!(!found(&judgement).contains("sg-9 RESOURCE"), "{}", found(&judgement));
    }
}
