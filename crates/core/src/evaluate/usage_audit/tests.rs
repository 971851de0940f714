use proptest::prelude::*;

use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, group, instance, interface, judged, judged_at, outdated, policy,
    tagged, violators, world,
};
use crate::evaluate::{AccountFacts, Fact, Finding, Reference, References};
use crate::inventory::{
    ClassicLoadBalancer, InstanceInterface, LoadBalancer, Recorder, RecordingGroup, Shard,
};
use crate::policy::Rule;

use super::*;

const HOUR: i64 = 3_600_000;
const UNUSED: UsageAudit = UsageAudit { unused_after_ms: Some(0), unique: false };
const UNIQUE: UsageAudit = UsageAudit { unused_after_ms: None, unique: true };
const BOTH: UsageAudit = UsageAudit { unused_after_ms: Some(0), unique: true };

fn edited(mut item: Item, edit: impl FnOnce(&mut SecurityGroup)) -> Item {
    let Body::SecurityGroup(group) = &mut item.body else { panic!("no group") };
    edit(group);
    item
}

/// A group of a VPC with these rules.
fn of_vpc(vpc: &str, id: &str, rules: &str) -> Item {
    edited(group(id, rules), |group| group.vpc = Some(vpc.into()))
}

/// A group of `vpc-1`.
fn sg(id: &str, rules: &str) -> Item {
    of_vpc("vpc-1", id, rules)
}

fn named(item: Item, name: &str) -> Item {
    edited(item, |group| group.group_name = name.into())
}

fn captured(mut item: Item, at_ms: i64) -> Item {
    item.version.captured_ms = at_ms;
    item
}

fn judge_shard(audit: UsageAudit, shard: &Shard, evaluated_ms: i64) -> Judgement {
    let policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(audit));
    judged_at(&policy, shard, &AccountFacts::default(), evaluated_ms)
}

fn judge_of(audit: UsageAudit, items: Vec<Item>) -> Judgement {
    judge_shard(audit, &world(items), 0)
}

/// Violators as `id REASON`, `-` for none, joined by commas.
fn found(judgement: &Judgement) -> String {
    match violators(judgement).as_slice() {
        [] => "-".to_owned(),
        all => all.join(", ").replace("SECURITY_GROUP_", ""),
    }
}

/// Violators with their keepers.
fn kept(judgement: &Judgement) -> String {
    let keeper = |finding: &Finding| match finding {
        Finding::SecurityGroups(SecurityGroupFinding::RedundantGroup { group, keeper, .. }) => {
            format!("{group}>{keeper}")
        }
        other => panic!("{other:?}"),
    };
    let all: Vec<_> =
        judgement.violators.iter().map(|one| keeper(&one.violations[0].finding)).collect();
    all.join(" ")
}

// Unused.

#[test]
fn a_group_is_used_by_whatever_lists_it() {
    let boxed = |ids: &[&str]| ids.iter().map(|id| (*id).into()).collect::<Vec<Box<str>>>();
    let stopped = |mut item: Item, state: &str| {
        let Body::Instance(instance) = &mut item.body else { panic!("no instance") };
        instance.state = Some(state.into());
        item
    };
    let alb = LoadBalancer { groups: Some(boxed(&["sg-1"])), ..LoadBalancer::default() };
    let clb = ClassicLoadBalancer { groups: Some(boxed(&["sg-1"])), vpc: None };
    let on_interface = || instance("i-1", &[], &[("eni-1", &["sg-1"])]);
    for (name, user, want) in [
        ("nothing", interface("eni-1", &[]), "sg-1 UNUSED"),
        ("another's interface", interface("eni-1", &["sg-2"]), "sg-1 UNUSED"),
        ("interface", interface("eni-1", &["sg-0", "sg-1"]), "-"),
        ("instance", instance("i-1", &["sg-1"], &[]), "-"),
        ("stopped instance", stopped(instance("i-1", &["sg-1"], &[]), "stopped"), "-"),
        ("terminated", stopped(instance("i-1", &["sg-1"], &[]), "terminated"), "sg-1 UNUSED"),
        ("instance's interface", on_interface(), "-"),
        ("terminated's interface", stopped(on_interface(), "terminated"), "sg-1 UNUSED"),
        ("balancer", body(ResourceType::LOAD_BALANCER, "alb", Body::LoadBalancer(alb)), "-"),
        (
            "classic balancer",
            body(ResourceType::CLASSIC_LOAD_BALANCER, "clb", Body::ClassicLoadBalancer(clb)),
            "-",
        ),
        ("another group's rule", sg("sg-1x", "in tcp 22 sg-1"), "sg-1 UNUSED, sg-1x UNUSED"),
    ] {
        let judgement = judge_of(UNUSED, vec![sg("sg-1", "in tcp 22 10.0.0.0/8"), user]);
        assert_eq!(found(&judgement), want, "{name}");
        assert_eq!(gaps(&judgement), [""; 0], "{name}");
    }
}

/// Terminated, it would use nothing (semantics §11 row 38).
#[test]
fn an_instance_that_does_not_tell_its_state_is_no_user_to_rely_on() {
    let stateless = |mut item: Item| {
        let Body::Instance(instance) = &mut item.body else { panic!("no instance") };
        instance.state = None;
        item
    };
    let gap = "AWSCONFIG The state of AWS::EC2::Instance i-1 was not recorded.";
    for user in [instance("i-1", &["sg-1"], &[]), instance("i-1", &[], &[("eni-1", &["sg-1"])])] {
        let group = sg("sg-1", "in tcp 22 10.0.0.0/8");
        let judgement = judge_of(UNUSED, vec![group.clone(), stateless(user)]);
        assert_eq!((found(&judgement).as_str(), gaps(&judgement)), ("-", vec![gap.to_owned()]));
        assert_eq!(judgement.status(), None);
        // One that something else uses is used all the same.
        let more =
            vec![group, stateless(instance("i-1", &["sg-1"], &[])), interface("eni-2", &["sg-1"])];
        assert_eq!(gaps(&judge_of(UNUSED, more)), [""; 0]);
    }
}

#[test]
fn the_delay_counts_from_the_groups_own_capture_and_wakes_the_judgement() {
    let audit = UsageAudit { unused_after_ms: Some(HOUR), unique: false };
    let shard = world([captured(sg("sg-1", ""), 1_000), captured(sg("sg-2", ""), 3_000)]);
    for (evaluated_ms, want, wake) in [
        (0, "-", Some(HOUR + 1_000)),
        (HOUR + 999, "-", Some(HOUR + 1_000)),
        (HOUR + 1_000, "sg-1 UNUSED", Some(HOUR + 3_000)),
        (HOUR + 1_001, "sg-1 UNUSED", Some(HOUR + 3_000)),
        (HOUR + 2_999, "sg-1 UNUSED", Some(HOUR + 3_000)),
        (HOUR + 3_000, "sg-1 UNUSED, sg-2 UNUSED", None),
    ] {
        let judgement = judge_shard(audit, &shard, evaluated_ms);
        assert_eq!(found(&judgement), want, "{evaluated_ms}");
        assert_eq!(judgement.not_before_ms, wake, "{evaluated_ms}");
    }
}

#[test]
fn without_a_delay_the_clock_does_not_matter() {
    let shard = world([captured(sg("sg-1", ""), 5_000)]);
    for evaluated_ms in [i64::MIN, 0, 4_999, 5_000, i64::MAX] {
        let judgement = judge_shard(UNUSED, &shard, evaluated_ms);
        assert_eq!((found(&judgement).as_str(), judgement.not_before_ms), ("sg-1 UNUSED", None));
    }
    let late = world([captured(sg("sg-1", ""), i64::MAX)]);
    let audit = UsageAudit { unused_after_ms: Some(HOUR), unique: false };
    assert_eq!(judge_shard(audit, &late, 0).not_before_ms, Some(i64::MAX));
}

#[test]
fn groups_in_use_and_redundant_ones_wake_nothing() {
    let audit = UsageAudit { unused_after_ms: Some(HOUR), unique: true };
    let judgement = judge_of(audit, vec![sg("sg-1", ""), interface("eni-1", &["sg-1"])]);
    assert_eq!(judgement.not_before_ms, None);
    let judgement =
        judge_of(audit, vec![sg("sg-1", ""), sg("sg-2", ""), interface("eni-1", &["sg-1"])]);
    assert_eq!((found(&judgement).as_str(), judgement.not_before_ms), ("sg-2 REDUNDANT", None));
}

#[test]
fn evidence_says_since_when_a_group_is_as_it_is() {
    let judgement = judge_of(UNUSED, vec![captured(sg("sg-1", ""), 7)]);
    let finding = Finding::SecurityGroups(SecurityGroupFinding::UnusedGroup {
        group: "sg-1".into(),
        since_ms: 7,
        lookalike: false,
    });
    assert_eq!(judgement.violators[0].violations[0].finding, finding);
}

#[test]
fn a_user_whose_body_was_not_recorded_may_use_any_group() {
    for resource_type in USERS {
        let unseen = || body(resource_type.clone(), "x-1", Body::Unseen);
        let judgement = judge_of(UNUSED, vec![sg("sg-1", ""), unseen()]);
        let text = format!("AWSCONFIG The configuration of {resource_type} x-1 was not recorded.");
        assert_eq!((found(&judgement).as_str(), gaps(&judgement)), ("-", vec![text]));
        assert_eq!(judgement.status(), None);

        let used = judge_of(UNUSED, vec![sg("sg-1", ""), unseen(), interface("e", &["sg-1"])]);
        assert_eq!((found(&used).as_str(), gaps(&used)), ("-", vec![]), "seen to be used");

        let later = UsageAudit { unused_after_ms: Some(HOUR), unique: false };
        let waiting = judge_of(later, vec![sg("sg-1", ""), unseen()]);
        assert_eq!((waiting.not_before_ms, gaps(&waiting)), (Some(HOUR + 1), vec![]));
    }
}

#[test]
fn a_user_seen_later_without_its_configuration_uses_what_it_used() {
    let lagging = || outdated(interface("eni-1", &["sg-1"]));
    let gap =
        "AWSCONFIG The latest configuration of AWS::EC2::NetworkInterface eni-1 was not recorded.";
    for (name, items, want, is_told) in [
        ("used by it", vec![sg("sg-1", ""), lagging()], "-", true),
        ("used by another", vec![sg("sg-2", ""), lagging(), interface("e", &["sg-2"])], "-", false),
        ("not used", vec![sg("sg-2", ""), lagging()], "sg-2 UNUSED", true),
    ] {
        let judgement = judge_of(UNUSED, items);
        let gaps = gaps(&judgement);
        assert_eq!(
            (found(&judgement).as_str(), gaps.len()),
            (want, usize::from(is_told)),
            "{name}"
        );
        assert!(gaps.iter().all(|told| told == gap), "{name}: {gaps:?}");
    }
    let later = UsageAudit { unused_after_ms: Some(HOUR), unique: false };
    let waiting = judge_of(later, vec![sg("sg-1", ""), lagging()]);
    assert_eq!((waiting.not_before_ms, gaps(&waiting)), (Some(HOUR + 1), vec![]));
}

/// What a body lists for the instance itself is on one of its interfaces, whose later state may carry
/// others (semantics §11 row 42). Of an interface that another account owns sharing tells.
#[test]
fn a_group_of_an_instance_is_in_doubt_where_an_interface_of_it_is() {
    let mut later = body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen);
    later.version.captured_ms = 9;
    let on = instance("i-1", &["sg-1"], &[("eni-1", &[])]);
    let judgement = judge_of(UNUSED, vec![sg("sg-1", ""), on, later]);
    assert_eq!((found(&judgement).as_str(), judgement.gaps.len()), ("-", 1));
    let mut others = outdated(interface("eni-2", &[]));
    let Body::NetworkInterface(own) = &mut others.body else { unreachable!() };
    own.owner = Some(AccountId::try_from("222222222222").unwrap());
    let judgement = judge_of(UNUSED, vec![sg("sg-1", ""), others]);
    assert_eq!((found(&judgement).as_str(), judgement.gaps.len()), ("sg-1 UNUSED", 0));
}

#[test]
fn a_group_seen_later_without_its_configuration_is_judged_by_the_one_before() {
    let gap =
        "AWSCONFIG The latest configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.";
    for (audit, beside, want) in [
        (UNUSED, vec![], "sg-1 UNUSED"),
        (UNUSED, vec![interface("e", &["sg-1"])], "-"),
        (UNIQUE, vec![sg("sg-0", "")], "sg-1 REDUNDANT"),
        (UNIQUE, vec![], "-"),
    ] {
        let judgement = judge_of(audit, [vec![outdated(sg("sg-1", ""))], beside].concat());
        assert_eq!((found(&judgement).as_str(), gaps(&judgement)), (want, vec![gap.to_owned()]));
    }
}

#[test]
fn the_delay_counts_from_the_newest_item_whether_it_tells_the_configuration_or_not() {
    let audit = UsageAudit { unused_after_ms: Some(HOUR), unique: false };
    for (item, due_ms) in [(sg("sg-1", ""), HOUR + 1), (outdated(sg("sg-1", "")), HOUR + 2)] {
        let shard = world([item]);
        let waiting = judge_shard(audit, &shard, due_ms - 1);
        assert_eq!((found(&waiting).as_str(), waiting.not_before_ms), ("-", Some(due_ms)));
        assert_eq!(found(&judge_shard(audit, &shard, due_ms)), "sg-1 UNUSED");
    }
}

#[test]
fn a_keeper_chosen_by_interfaces_that_do_not_tell_their_groups_is_chosen_with_a_gap() {
    let unseen = body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen);
    for lagging in [unseen, outdated(interface("eni-1", &["sg-9"]))] {
        let alike = judge_of(UNIQUE, vec![sg("sg-1", ""), sg("sg-2", ""), lagging.clone()]);
        assert_eq!((found(&alike).as_str(), gaps(&alike).len()), ("sg-2 REDUNDANT", 1));
        let alone = judge_of(UNIQUE, vec![sg("sg-1", ""), lagging]);
        assert_eq!((found(&alone).as_str(), gaps(&alone).len()), ("-", 0));
    }
}

/// A shard whose recorder lists these types.
fn recorded(types: &[ResourceType], mut items: Vec<Item>) -> Shard {
    let recorder =
        Recorder { recording: true, group: RecordingGroup::Only(types.to_vec()), internal: false };
    items.push(body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder)));
    world(items)
}

#[test]
fn only_the_types_that_a_rule_reads_must_be_recorded() {
    use ResourceType as T;
    let none = UsageAudit::default();
    let issue = |resource_type: &T| {
        format!("AWSCONFIG AWS Config is not recording resource type {resource_type}.")
    };
    for (audit, needed) in [
        (none, vec![T::SECURITY_GROUP]),
        (UNIQUE, vec![T::NETWORK_INTERFACE, T::SECURITY_GROUP]),
        (UNUSED, vec![T::INSTANCE, T::NETWORK_INTERFACE, T::SECURITY_GROUP]),
        (BOTH, vec![T::INSTANCE, T::NETWORK_INTERFACE, T::SECURITY_GROUP]),
    ] {
        let judgement = judge_shard(audit, &recorded(&[T::EIP], vec![]), 0);
        assert_eq!(gaps(&judgement), needed.iter().map(issue).collect::<Vec<_>>(), "{audit:?}");
        assert_eq!(gaps(&judge_shard(audit, &recorded(&needed, vec![]), 0)), [""; 0]);
    }
}

#[test]
fn unused_is_not_claimed_where_users_are_not_recorded() {
    use ResourceType as T;
    for seen in [[T::SECURITY_GROUP, T::INSTANCE], [T::SECURITY_GROUP, T::NETWORK_INTERFACE]] {
        let shard = recorded(&seen, vec![sg("sg-1", "in tcp 22 ::/0"), sg("sg-2", "")]);
        let judgement = judge_shard(UNUSED, &shard, 0);
        assert_eq!((found(&judgement).as_str(), judgement.gaps.len()), ("-", 1));
        assert_eq!((judgement.status(), judgement.in_scope), (None, 2));
    }
}

#[test]
fn a_group_whose_rules_were_not_recorded_is_undecided() {
    let unseen = body(ResourceType::SECURITY_GROUP, "sg-1", Body::Unseen);
    let judgement = judge_of(BOTH, vec![unseen]);
    let text = "AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.";
    assert_eq!((found(&judgement).as_str(), gaps(&judgement)), ("-", vec![text.to_owned()]));
}

// Who is judged.

#[test]
fn default_groups_and_groups_of_others_are_left_alone() {
    let owned =
        |id: &str, owner: &str| edited(sg(id, ""), |group| group.owner = Some(account(owner)));
    for (name, item, want, in_scope) in [
        ("default", named(sg("sg-1", ""), "default"), "-", 1),
        ("defaults", named(sg("sg-1", ""), "default2"), "sg-1 UNUSED", 1),
        ("lookalike", named(sg("sg-1", ""), "FMManagedSecurityGroup0a-sg-9"), "sg-1 UNUSED", 1),
        ("own", owned("sg-1", ACCOUNT), "sg-1 UNUSED", 1),
        ("another's", owned("sg-1", "222222222222"), "-", 0),
    ] {
        let judgement = judge_of(UNUSED, vec![item.clone()]);
        assert_eq!((found(&judgement).as_str(), judgement.in_scope), (want, in_scope), "{name}");
        // Nor is another redundant beside one that is left alone.
        let judgement = judge_of(UNIQUE, vec![item, sg("sg-2", "")]);
        let redundant = if want == "-" { "-" } else { "sg-2 REDUNDANT" };
        assert_eq!(found(&judgement), redundant, "{name}");
    }
}

/// Semantics §11 row 42.
#[test]
fn a_group_is_used_by_the_newer_of_an_interface_and_its_instances_body() {
    let own = |at, groups: &[&str]| captured(interface("eni-1", groups), at);
    let listing = |at, groups: &[&str]| captured(instance("i-1", groups, &[("eni-1", groups)]), at);
    let at = |mut item: Item, at_ms| {
        item.version.state = None;
        captured(item, at_ms)
    };
    for (name, own, listing, want) in [
        ("own is newer", own(2, &["sg-1"]), listing(1, &["sg-2"]), "sg-2 UNUSED"),
        ("listed is newer", own(1, &["sg-1"]), listing(2, &["sg-2"]), "sg-1 UNUSED"),
    ] {
        let moment = |item: Item| {
            let captured_ms = item.version.captured_ms;
            at(item, captured_ms)
        };
        let items = vec![sg("sg-1", "in tcp 1 ::/0"), sg("sg-2", ""), moment(own), moment(listing)];
        assert_eq!(found(&judge_of(UNUSED, items)), want, "{name}");
    }
    // The keeper is chosen by the newer as well.
    for (moment, want) in [(1, "sg-1>sg-2"), (3, "sg-2>sg-1")] {
        let items = vec![
            sg("sg-1", ""),
            sg("sg-2", ""),
            at(interface("eni-1", &["sg-2"]), 2),
            at(instance("i-1", &[], &[("eni-1", &["sg-1"])]), moment),
        ];
        assert_eq!(kept(&judge_of(UNIQUE, items)), want, "{moment}");
    }
}

/// Semantics §11 row 57.
#[test]
fn a_group_is_a_replica_by_the_id_of_a_policy_that_is_or_was_known() {
    let known: BTreeSet<_> = [crate::ident::PolicyId::try_from("0a").unwrap()].into();
    let references = References::from([(Reference::CommonPolicies, Fact::Policies(known))]);
    for (name, unused, redundant) in [
        ("FMManagedSecurityGroup0a-sg-9", "-", "-"),
        ("FMManagedSecurityGroup0b-sg-9", "sg-1 UNUSED", "sg-2 REDUNDANT"),
        ("FMManagedSecurityGroup", "sg-1 UNUSED", "sg-2 REDUNDANT"),
    ] {
        for (audit, items, want) in [
            (UNUSED, vec![named(sg("sg-1", ""), name)], unused),
            (UNIQUE, vec![sg("sg-1", ""), named(sg("sg-2", ""), name)], redundant),
        ] {
            let policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(audit));
            let judgement = judged(&policy, &world(items), &references);
            assert_eq!(found(&judgement), want, "{name}");
            for violator in &judgement.violators {
                let evidence = violator.violations[0].finding.summary();
                assert!(evidence.contains("only bears a name like"), "{name}: {evidence}");
            }
        }
    }
}

#[test]
fn tags_choose_what_is_judged_and_compared() {
    let mut policy = policy("AWS::EC2::SecurityGroup", Rule::UsageAudit(BOTH));
    policy.scope.tags.tags.push(("team".into(), "web".into()));
    let web = |id: &str| tagged(sg(id, ""), "team=web");
    let judged =
        |items: Vec<Item>| found(&judged_at(&policy, &world(items), &AccountFacts::default(), 0));
    assert_eq!(judged(vec![sg("sg-1", ""), web("sg-2")]), "sg-2 UNUSED");
    assert_eq!(
        judged(vec![sg("sg-1", ""), web("sg-2"), web("sg-3")]),
        "sg-2 UNUSED, sg-3 REDUNDANT"
    );
}

#[test]
fn with_both_rules_off_nothing_is_demanded() {
    let judgement = judge_of(UsageAudit::default(), vec![sg("sg-1", ""), sg("sg-2", "")]);
    assert_eq!((found(&judgement).as_str(), judgement.in_scope), ("-", 2));
    assert_eq!(judgement.status(), Some(crate::evaluate::Status::Compliant));
}

// Redundant.

#[test]
fn groups_with_the_same_rules_are_redundant_however_they_are_written() {
    let same = [
        ("", ""),
        ("in tcp 22 10.0.0.0/8", "in tcp 22 10.0.0.0/8; in tcp 22 10.0.0.0/8"),
        ("in tcp 22 10.0.0.0/8 ::/0", "in tcp 22 ::/0; in tcp 22 10.0.0.0/8"),
        ("in tcp 22 10.0.0.0/8; out -1 * 0.0.0.0/0", "out -1 * 0.0.0.0/0; in tcp 22 10.0.0.0/8"),
        ("in tcp 22 10.1.2.3/8", "in tcp 22 10.0.0.0/8"),
        ("in tcp * ::/0", "in tcp 0-65535 ::/0"),
        ("in icmp -1:-1 ::/0", "in icmp * ::/0"),
        ("in -1 * ::/0", "in -1 0-65535 ::/0"),
        ("in 50 * ::/0", "in 50 1-2 ::/0"),
        ("in tcp 1 pl-1 sg-9", "in tcp 1 sg-9; in tcp 1 pl-1"),
        ("in tcp 1 sg-1", "in tcp 1 sg-2"),
    ];
    for (one, other) in same {
        let judgement = judge_of(UNIQUE, vec![sg("sg-1", one), sg("sg-2", other)]);
        assert_eq!(kept(&judgement), "sg-2>sg-1", "`{one}` and `{other}`");
    }
    let different = [
        ("in tcp 22 10.0.0.0/8", ""),
        ("in tcp 22 10.0.0.0/8", "in tcp 23 10.0.0.0/8"),
        ("in tcp 22 10.0.0.0/8", "in udp 22 10.0.0.0/8"),
        ("in tcp 22 10.0.0.0/8", "out tcp 22 10.0.0.0/8"),
        ("in tcp 22 10.0.0.0/8", "in tcp 22 10.0.0.0/9; in tcp 22 10.128.0.0/9"),
        ("in tcp 22-23 ::/0", "in tcp 22 ::/0; in tcp 23 ::/0"),
        ("in -1 * ::/0", "in tcp 0-65535 ::/0"),
        ("in icmp 8:0 ::/0", "in icmp 8:-1 ::/0"),
        ("in tcp 1 sg-1", "in tcp 1 sg-1"),
        ("in tcp 1 sg-2", "in tcp 1 sg-1"),
        ("in tcp 1 pl-1", "in tcp 1 pl-2"),
    ];
    for (one, other) in different {
        let judgement = judge_of(UNIQUE, vec![sg("sg-1", one), sg("sg-2", other)]);
        assert_eq!(kept(&judgement), "", "`{one}` and `{other}`");
    }
}

#[test]
fn a_reference_says_the_same_with_and_without_its_own_account() {
    let referring = |id: &str, user: Option<&str>, to: &str| {
        edited(sg(id, "in tcp 1 sg-9"), |group| {
            group.ingress[0].groups = vec![(user.map(Into::into), to.into())];
        })
    };
    let other = Some("222222222222");
    for (one, two, want) in [
        ((None, "sg-9"), (Some(ACCOUNT), "sg-9"), "sg-2>sg-1"),
        ((other, "sg-9"), (other, "sg-9"), "sg-2>sg-1"),
        ((None, "sg-9"), (other, "sg-9"), ""),
        ((None, "sg-1"), (Some(ACCOUNT), "sg-2"), "sg-2>sg-1"),
    ] {
        let items = vec![referring("sg-1", one.0, one.1), referring("sg-2", two.0, two.1)];
        assert_eq!(kept(&judge_of(UNIQUE, items)), want, "{one:?} {two:?}");
    }
}

#[test]
fn the_keeper_is_on_most_interfaces_then_has_the_smallest_id() {
    for (interfaces, want) in [
        (vec![], "sg-2>sg-1 sg-3>sg-1"),
        (vec!["sg-2"], "sg-1>sg-2 sg-3>sg-2"),
        (vec!["sg-2", "sg-3"], "sg-1>sg-2 sg-3>sg-2"),
        (vec!["sg-2", "sg-3", "sg-3"], "sg-1>sg-3 sg-2>sg-3"),
        (vec!["sg-1", "sg-3", "sg-3 sg-1"], "sg-2>sg-1 sg-3>sg-1"),
    ] {
        let mut items: Vec<Item> = ["sg-1", "sg-2", "sg-3"].map(|id| sg(id, "")).into();
        for (at, groups) in interfaces.iter().enumerate() {
            let groups: Vec<&str> = groups.split(' ').collect();
            items.push(interface(&format!("eni-{at}"), &groups));
        }
        // Instances do not choose the keeper: their interfaces are counted themselves.
        let mut busy = instance("i-1", &["sg-3"], &[]);
        if let Body::Instance(instance) = &mut busy.body {
            instance.interfaces = Some(vec![InstanceInterface {
                id: "eni-9".into(),
                groups: Some(vec!["sg-3".into()]),
                device_index: None,
            }]);
        }
        items.push(busy);
        assert_eq!(kept(&judge_of(UNIQUE, items)), want, "{interfaces:?}");
    }
}

#[test]
fn only_groups_of_one_vpc_are_compared() {
    let nowhere = |id: &str| edited(sg(id, ""), |group| group.vpc = None);
    let judgement = judge_of(
        UNIQUE,
        vec![
            of_vpc("vpc-1", "sg-1", ""),
            of_vpc("vpc-2", "sg-2", ""),
            nowhere("sg-3"),
            nowhere("sg-4"),
        ],
    );
    assert_eq!(kept(&judgement), "");
    let gap =
        |id: &str| format!("AWSCONFIG The VPC of AWS::EC2::SecurityGroup {id} was not recorded.");
    assert_eq!(gaps(&judgement), [gap("sg-3"), gap("sg-4")]);
    // Those of EC2-Classic tell that they are in none.
    let classic = |id: &str| edited(sg(id, ""), |group| group.vpc = Some("".into()));
    let judgement = judge_of(UNIQUE, vec![classic("sg-3"), classic("sg-4")]);
    assert_eq!((kept(&judgement).as_str(), gaps(&judgement)), ("", vec![]));
}

#[test]
fn redundant_and_unused_is_one_violator_and_the_keeper_answers_for_itself() {
    let groups = || vec![sg("sg-1", ""), sg("sg-2", "")];
    assert_eq!(found(&judge_of(BOTH, groups())), "sg-1 UNUSED, sg-2 REDUNDANT");
    let judgement = judge_of(BOTH, groups());
    assert!(judgement.violators.iter().all(|violator| violator.violations.len() == 1));
    let mut used = groups();
    used.push(interface("eni-1", &["sg-2"]));
    assert_eq!(found(&judge_of(BOTH, used)), "sg-1 REDUNDANT");
    assert_eq!(found(&judge_of(UNUSED, groups())), "sg-1 UNUSED, sg-2 UNUSED");
    assert_eq!(found(&judge_of(UNIQUE, groups())), "sg-2 REDUNDANT");
}

proptest! {
    /// Of each set of groups alike exactly one stays: one on most interfaces, and none of equal
    /// standing has a smaller id. All others name it.
    #[test]
    fn each_set_of_groups_alike_has_one_keeper(
        groups in proptest::collection::vec((0..3_usize, 0..3_usize, 0..4_usize), 0..12),
        reversed: bool,
    ) {
        const RULES: [&str; 3] = ["", "in tcp 22 ::/0", "in tcp 22 ::/0; out -1 * ::/0"];
        let id = |at: usize| format!("sg-{at:02}");
        let mut items = Vec::new();
        for (at, (vpc, rules, interfaces)) in groups.iter().enumerate() {
            items.push(of_vpc(&format!("vpc-{vpc}"), &id(at), RULES[*rules]));
            for n in 0..*interfaces {
                items.push(interface(&format!("eni-{at}-{n}"), &[&id(at)]));
            }
        }
        if reversed {
            items.reverse();
        }
        let judgement = judge_of(UNIQUE, items);
        let mut expected: Vec<(String, String)> = Vec::new();
        for (at, (vpc, rules, _)) in groups.iter().enumerate() {
            let alike = groups.iter().enumerate().filter(|(_, other)| (other.0, other.1) == (*vpc, *rules));
            let mut best = at;
            for (other, (_, _, interfaces)) in alike {
                if *interfaces > groups[best].2 || (*interfaces == groups[best].2 && other < best) {
                    best = other;
                }
            }
            if best != at {
                expected.push((id(at), id(best)));
            }
        }
        let found: Vec<(String, String)> = judgement
            .violators
            .iter()
            .map(|violator| match &violator.violations[0].finding {
                Finding::SecurityGroups(SecurityGroupFinding::RedundantGroup { group, keeper, .. }) => (group.to_string(), keeper.to_string()),
                other => panic!("{other:?}"),
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}
