//! What resources carry, held against the primary groups. Replicas themselves: `tests/edits.rs`.

use crate::evaluate::world::{
    ACCOUNT, ADMIN, account, body, gaps, group, held, instance, interface, judged, outdated,
    policy, tagged, violators, world,
};
use crate::evaluate::{
    Fact, Finding, GroupStep, Judgement, References, SecurityGroupFinding, Status, evaluator, reads,
};
use crate::ident::ResourceId;
use crate::inventory::{
    ClassicLoadBalancer, GroupAssociation, InstanceInterface, LoadBalancer, Recorder,
    RecordingGroup, Subnet, Vpc,
};
use crate::policy::Rule;

use super::*;

mod edits;

/// The id of every policy here.
const POLICY: &str = "01234567-89ab-cdef-0123-456789abcdef";
const ALL_TYPES: &str = "AWS::EC2::Instance AWS::EC2::NetworkInterface \
     AWS::ElasticLoadBalancing::LoadBalancer AWS::ElasticLoadBalancingV2::LoadBalancer";

/// A rule with these primary groups.
fn rule(primaries: &[&str]) -> CommonGroups {
    let ids = primaries.iter().map(|id| ResourceId::try_from(*id).unwrap());
    CommonGroups { primaries: ids.collect(), ..CommonGroups::default() }
}

fn common(types: &str, rule: CommonGroups) -> Policy {
    policy(types, Rule::CommonGroups(rule))
}

/// A group of this name in a VPC.
fn named(id: &str, name: &str, vpc: &str, rules: &str) -> Item {
    let mut item = group(id, rules);
    let Body::SecurityGroup(group) = &mut item.body else { unreachable!() };
    group.group_name = name.into();
    group.vpc = (!vpc.is_empty()).then(|| vpc.into());
    item
}

fn replica_name(primary: &str) -> String {
    format!("FMManagedSecurityGroup{POLICY}-{primary}")
}

/// The replica of a primary group in a VPC.
fn replica(id: &str, primary: &str, vpc: &str) -> Item {
    named(id, &replica_name(primary), vpc, "")
}

/// The administrator's groups, each without rules, in the administrator's `vpc-admin`.
fn primaries(policy: &Policy) -> References {
    let Rule::CommonGroups(rule) = &policy.rule else { unreachable!() };
    let ids = rule.primaries.iter();
    ids.map(|id| primary(policy, named(id.as_str(), "primary", "vpc-admin", ""))).collect()
}

fn primary(policy: &Policy, mut item: Item) -> (Reference, Fact) {
    item.key.account = policy.owner.clone();
    (administrators_group(policy, &item.key.id), held(item))
}

fn in_vpc(mut item: Item, vpc: &str) -> Item {
    match &mut item.body {
        Body::NetworkInterface(own) => own.vpc = Some(vpc.into()),
        Body::Instance(own) => own.vpc = Some(vpc.into()),
        other => panic!("{other:?} is in no VPC"),
    }
    item
}

fn balancer(id: &str, kind: Option<&str>, groups: Option<&[&str]>) -> Item {
    let groups = groups.map(|ids| ids.iter().map(|id| (*id).into()).collect());
    let balancer = LoadBalancer { kind: kind.map(Into::into), groups, ..LoadBalancer::default() };
    body(ResourceType::LOAD_BALANCER, id, Body::LoadBalancer(balancer))
}

fn classic(id: &str, groups: Option<&[&str]>) -> Item {
    let groups = groups.map(|ids| ids.iter().map(|id| (*id).into()).collect());
    let balancer = ClassicLoadBalancer { groups, vpc: None };
    body(ResourceType::CLASSIC_LOAD_BALANCER, id, Body::ClassicLoadBalancer(balancer))
}

/// What is found of resources beside the replicas of `sg-p` and `sg-q` and another group in `vpc-1`.
fn found(policy: &Policy, items: Vec<Item>) -> Judgement {
    let groups = [
        replica("sg-rp", "sg-p", "vpc-1"),
        replica("sg-rq", "sg-q", "vpc-1"),
        named("sg-x", "mine", "vpc-1", ""),
    ];
    judged(policy, &world(groups.into_iter().chain(items)), &primaries(policy))
}

/// `comply`, `violate`, or the gap that leaves it open.
fn verdict(judgement: &Judgement) -> String {
    match judgement.status() {
        Some(Status::Compliant) => "comply".to_owned(),
        Some(Status::NonCompliant) => "violate".to_owned(),
        None => gaps(judgement).join("; "),
    }
}

fn steps(judgement: &Judgement) -> Vec<String> {
    let violations = judgement.violators.iter().flat_map(|one| &one.violations);
    let steps = violations.flat_map(|one| match &one.finding {
        Finding::SecurityGroups(finding) => finding.steps(),
        other => panic!("{other:?}"),
    });
    steps.map(|step: GroupStep| step.to_string()).collect()
}

#[test]
fn every_resource_carries_a_replica_of_every_primary_group() {
    let policy = common(ALL_TYPES, rule(&["sg-p", "sg-q"]));
    for (groups, want) in [
        (&["sg-rp", "sg-rq"][..], "comply"),
        (&["sg-rp", "sg-rq", "sg-x"], "comply"),
        (&["sg-rp"], "violate"),
        (&["sg-x"], "violate"),
        (&[], "violate"),
    ] {
        for item in [
            in_vpc(interface("eni-1", groups), "vpc-1"),
            in_vpc(instance("i-1", groups, &[("eni-1", groups)]), "vpc-1"),
            balancer("alb-1", Some("application"), Some(groups)),
            classic("clb-1", Some(groups)),
        ] {
            let judgement = found(&policy, vec![item.clone()]);
            assert_eq!(verdict(&judgement), want, "{} {groups:?}", item.key.id);
            let violators = violators(&judgement);
            let wanted = format!("{} RESOURCE_MISSING_SECURITY_GROUP", item.key.id);
            assert_eq!(violators.len(), usize::from(want == "violate"));
            assert!(violators.iter().all(|violator| *violator == wanted), "{violators:?}");
            assert_eq!(judgement.in_scope, 1);
        }
    }
}

#[test]
fn what_is_missing_is_told_with_what_would_end_it() {
    let policy = common(ALL_TYPES, rule(&["sg-p", "sg-r"]));
    let judgement = found(&policy, vec![in_vpc(interface("eni-1", &["sg-x"]), "vpc-1")]);
    let summary = judgement.violators[0].violations[0].finding.summary();
    assert_eq!(
        summary,
        "eni-1 has no replica of primary group sg-p, sg-r; to end it: attach sg-rp to eni-1, create \
         the replica of sg-r in vpc-1, attach it to eni-1"
    );
    let exclusive = CommonGroups { is_exclusive: true, ..rule(&["sg-p"]) };
    let policy = common(ALL_TYPES, exclusive);
    let judgement = found(&policy, vec![in_vpc(interface("eni-1", &["sg-x"]), "vpc-1")]);
    assert_eq!(steps(&judgement), ["attach sg-rp to eni-1", "detach sg-x from eni-1"]);
    let summary = judgement.violators[0].violations[0].finding.summary();
    assert!(
        summary.starts_with(
            "eni-1 has no replica of primary group sg-p and carries sg-x beside the policy's groups; "
        ),
        "{summary}"
    );
    let anywhere = found(&policy, vec![interface("eni-1", &[])]);
    assert_eq!(steps(&anywhere), ["create the replica of sg-p", "attach it to eni-1"]);
}

/// Semantics §7.2, §10 row 19.
#[test]
fn a_replica_is_told_by_the_ids_of_policy_and_primary_in_its_name() {
    let policy = common("AWS::EC2::NetworkInterface", rule(&["sg-p"]));
    let other_policy = "FMManagedSecurityGroup01234567-89ab-cdef-0123-000000000000-sg-p";
    for (name, want) in [
        (replica_name("sg-p"), "comply"),
        (replica_name("sg-p-vpc-1"), "comply"),
        (replica_name("sg-p-vpc-2"), "violate"),
        (replica_name("sg-p1"), "violate"),
        (replica_name("sg-"), "violate"),
        (replica_name("sg-q"), "violate"),
        (other_policy.to_owned(), "violate"),
        (format!("x{}", replica_name("sg-p")), "violate"),
        (format!("FMManagedSecurityGroup-{POLICY}-sg-p"), "violate"),
        ("mine".to_owned(), "violate"),
        (String::new(), "AWSCONFIG The name of security group sg-1 was not recorded."),
    ] {
        let carried = in_vpc(interface("eni-1", &["sg-1"]), "vpc-1");
        let items = vec![carried, named("sg-1", &name, "vpc-1", "")];
        assert_eq!(verdict(&found(&policy, items)), want, "{name}");
    }
}

/// Semantics §11 row 65.
#[test]
fn a_replica_of_another_account_or_vpc_does_not_serve() {
    let policy = common("AWS::EC2::NetworkInterface", rule(&["sg-p"]));
    let carried = || in_vpc(interface("eni-1", &["sg-1"]), "vpc-1");
    let mut others = replica("sg-1", "sg-p", "vpc-1");
    let Body::SecurityGroup(group) = &mut others.body else { unreachable!() };
    group.owner = Some(account("222222222222"));
    assert_eq!(verdict(&found(&policy, vec![carried(), others])), "violate");
    let elsewhere = replica("sg-1", "sg-p", "vpc-2");
    assert_eq!(verdict(&found(&policy, vec![carried(), elsewhere])), "violate");
    let nowhere = replica("sg-1", "sg-p", "");
    let untold = "AWSCONFIG The VPC of sg-1 or eni-1 was not recorded.";
    assert_eq!(verdict(&found(&policy, vec![carried(), nowhere])), untold);
    let anywhere = interface("eni-1", &["sg-1"]);
    let there = replica("sg-1", "sg-p", "vpc-1");
    assert_eq!(verdict(&found(&policy, vec![anywhere, there])), untold);
}

#[test]
fn an_exclusive_policy_allows_no_other_group() {
    let exclusive = CommonGroups { is_exclusive: true, ..rule(&["sg-p", "sg-q"]) };
    let policy = common(ALL_TYPES, exclusive);
    let unseen = "AWSCONFIG Security group sg-unheard of eni-1 was not recorded.";
    for (groups, want) in [
        (&["sg-rp", "sg-rq"][..], "comply"),
        (&["sg-rp", "sg-rq", "sg-x"], "violate"),
        (&["sg-rp", "sg-rq", "sg-anothers"], "violate"),
        (&["sg-rp", "sg-rq", "sg-unheard"], unseen),
        (&["sg-rp", "sg-unheard"], unseen),
        (&["sg-x", "sg-unheard"], "violate"),
    ] {
        let anothers = "FMManagedSecurityGroup01234567-89ab-cdef-0123-000000000000-sg-p";
        let items = vec![
            in_vpc(interface("eni-1", groups), "vpc-1"),
            named("sg-anothers", anothers, "vpc-1", ""),
        ];
        assert_eq!(verdict(&found(&policy, items)), want, "{groups:?}");
    }
}

/// Semantics §10 row 19: with `applyToAllEC2InstanceENIs` false the primary interface is judged.
#[test]
fn of_an_instance_the_primary_interface_is_judged_or_all_of_them() {
    let (ok, bad): (&[&str], &[&str]) = (&["sg-rp"], &["sg-x"]);
    let untold_primary = "AWSCONFIG The primary network interface of i-1 was not recorded.";
    // interfaces as (index, groups) | the primary one alone | all
    for (interfaces, primary, all) in [
        (vec![(Some(0), ok)], "comply", "comply"),
        (vec![(Some(0), ok), (Some(1), ok)], "comply", "comply"),
        (vec![(Some(0), ok), (Some(1), bad)], "comply", "violate"),
        (vec![(Some(1), ok), (Some(0), bad)], "violate", "violate"),
        (vec![(None, ok)], "comply", "comply"),
        (vec![(None, bad)], "violate", "violate"),
        (vec![(None, ok), (None, bad)], untold_primary, "violate"),
        (vec![(None, ok), (None, ok)], "comply", "comply"),
        (vec![(None, bad), (Some(1), bad)], "violate", "violate"),
    ] {
        for (all_interfaces, want) in [(false, primary), (true, all)] {
            let rule = CommonGroups { all_interfaces, ..rule(&["sg-p"]) };
            let policy = common("AWS::EC2::Instance", rule);
            let mut item = in_vpc(instance("i-1", &[], &[]), "vpc-1");
            let Body::Instance(own) = &mut item.body else { unreachable!() };
            let listed =
                interfaces.iter().enumerate().map(|(at, (index, groups))| InstanceInterface {
                    id: format!("eni-{at}").into(),
                    groups: Some(groups.iter().map(|id| (*id).into()).collect()),
                    device_index: *index,
                });
            own.interfaces = Some(listed.collect());
            let judgement = found(&policy, vec![item]);
            assert_eq!(verdict(&judgement), want, "{interfaces:?} {all_interfaces}");
        }
    }
}

/// Semantics §11 rows 38 and 42.
#[test]
fn interfaces_that_an_instance_does_not_tell_are_told_by_their_own_items_or_by_none() {
    let untold = "AWSCONFIG The network interfaces of i-1 were not recorded.";
    let instance_of = |groups: &[&str], listed: Option<Vec<InstanceInterface>>| {
        let mut item = in_vpc(instance("i-1", groups, &[]), "vpc-1");
        let Body::Instance(own) = &mut item.body else { unreachable!() };
        own.interfaces = listed;
        item
    };
    let attached = |groups: &[&str], index| {
        let mut item = in_vpc(interface("eni-1", groups), "vpc-1");
        item.version.captured_ms = 5;
        let Body::NetworkInterface(own) = &mut item.body else { unreachable!() };
        (own.instance, own.device_index) = (Some("i-1".into()), index);
        item
    };
    let bare = |index| InstanceInterface { id: "eni-1".into(), groups: None, device_index: index };
    let elsewhere = {
        let mut item = attached(&["sg-rp"], Some(0));
        let Body::NetworkInterface(own) = &mut item.body else { unreachable!() };
        own.instance = Some("i-2".into());
        item
    };
    // items | the primary one alone | all
    for (name, items, primary, all) in [
        ("its own groups", vec![instance_of(&["sg-rp"], None)], "comply", untold),
        ("its own groups lack", vec![instance_of(&["sg-x"], None)], "violate", "violate"),
        ("an empty list", vec![instance_of(&["sg-rp"], Some(vec![]))], "comply", untold),
        (
            "a bare primary",
            vec![instance_of(&["sg-rp"], Some(vec![bare(Some(0))]))],
            "comply",
            "comply",
        ),
        (
            "a newer interface",
            vec![instance_of(&["sg-rp"], Some(vec![bare(Some(0))])), attached(&["sg-x"], Some(0))],
            "violate",
            "violate",
        ),
        (
            "an interface on another instance",
            vec![instance_of(&["sg-rp"], Some(vec![bare(Some(0))])), elsewhere.clone()],
            untold,
            untold,
        ),
        (
            "one that was not the primary, on another instance",
            vec![instance_of(&["sg-rp"], Some(vec![bare(None)])), elsewhere.clone()],
            "comply",
            untold,
        ),
        (
            "the same, and its own groups lack",
            vec![instance_of(&["sg-x"], Some(vec![bare(None)])), elsewhere],
            "violate",
            untold,
        ),
        (
            "a primary told by its item",
            vec![instance_of(&["sg-x"], None), attached(&["sg-rp"], Some(0))],
            "comply",
            untold,
        ),
        (
            "which is primary is told by none",
            vec![instance_of(&["sg-x"], None), attached(&["sg-rp"], None)],
            "AWSCONFIG The primary network interface of i-1 was not recorded.",
            untold,
        ),
    ] {
        for (all_interfaces, want) in [(false, primary), (true, all)] {
            let rule = CommonGroups { all_interfaces, ..rule(&["sg-p"]) };
            let policy = common("AWS::EC2::Instance", rule);
            let judgement = found(&policy, items.clone());
            assert_eq!(verdict(&judgement), want, "{name}, all: {all_interfaces}");
        }
    }
}

/// Semantics §10 rows 18, 19 and 28.
#[test]
fn what_is_out_of_scope_is_not_judged() {
    let policy = common(ALL_TYPES, rule(&["sg-p"]));
    let mut managed = in_vpc(interface("eni-1", &[]), "vpc-1");
    let Body::NetworkInterface(own) = &mut managed.body else { unreachable!() };
    own.requester_managed = Some(true);
    let mut others = in_vpc(interface("eni-2", &[]), "vpc-1");
    let Body::NetworkInterface(own) = &mut others.body else { unreachable!() };
    own.owner = Some(account("222222222222"));
    let mut gone = instance("i-1", &[], &[]);
    let Body::Instance(own) = &mut gone.body else { unreachable!() };
    own.state = Some("terminated".into());
    for item in [
        managed,
        others,
        gone,
        balancer("nlb", Some("network"), Some(&[])),
        balancer("gwlb", Some("gateway"), None),
    ] {
        let judgement = found(&policy, vec![item.clone()]);
        assert_eq!((verdict(&judgement).as_str(), judgement.in_scope), ("comply", 0), "{item:?}");
    }
    let mut policy = common("AWS::EC2::NetworkInterface", rule(&["sg-p"]));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let untagged = found(&policy, vec![interface("eni-1", &[])]);
    assert_eq!((verdict(&untagged).as_str(), untagged.in_scope), ("comply", 0));
    let tagged = found(&policy, vec![tagged(interface("eni-1", &[]), "env=prod")]);
    assert_eq!(verdict(&tagged), "violate");
}

/// A managed interface of an instance is out of scope as any other; the primary one is never managed.
#[test]
fn a_managed_interface_of_an_instance_is_not_judged() {
    let policy =
        common("AWS::EC2::Instance", CommonGroups { all_interfaces: true, ..rule(&["sg-p"]) });
    let mut managed = in_vpc(interface("eni-2", &[]), "vpc-1");
    let on = instance("i-1", &["sg-rp"], &[("eni-1", &["sg-rp"]), ("eni-2", &[])]);
    let on = in_vpc(on, "vpc-1");
    assert_eq!(verdict(&found(&policy, vec![on.clone(), managed.clone()])), "violate");
    let Body::NetworkInterface(own) = &mut managed.body else { unreachable!() };
    own.requester_managed = Some(true);
    let mut on = on;
    let Body::Instance(own) = &mut on.body else { unreachable!() };
    for (at, entry) in own.interfaces.iter_mut().flatten().enumerate() {
        entry.device_index = Some(i32::try_from(at).unwrap());
    }
    assert_eq!(verdict(&found(&policy, vec![on, managed])), "comply");
}

/// Semantics §5.4 `includeSharedVPC`.
#[test]
fn a_vpc_that_another_account_shares_is_in_scope_where_the_policy_includes_such() {
    let vpc = |owner: Option<&str>| {
        let own = Vpc { owner: owner.map(account) };
        body(ResourceType::VPC, "vpc-1", Body::Vpc(own))
    };
    let subnet = |owner: &str| {
        let own =
            Subnet { vpc: Some("vpc-1".into()), owner: Some(account(owner)), ..Subnet::default() };
        body(ResourceType::SUBNET, "subnet-1", Body::Subnet(own))
    };
    for (shown, by_default) in [
        (vec![], "violate"),
        (vec![vpc(None)], "violate"),
        (vec![vpc(Some(ACCOUNT))], "violate"),
        (vec![vpc(Some("222222222222"))], "comply"),
        (vec![subnet(ACCOUNT)], "violate"),
        (vec![subnet("222222222222")], "comply"),
        (vec![body(ResourceType::VPC, "vpc-1", Body::Unseen)], "violate"),
    ] {
        for (shared_vpcs, want) in [(false, by_default), (true, "violate")] {
            let policy = common(ALL_TYPES, CommonGroups { shared_vpcs, ..rule(&["sg-p"]) });
            for item in [
                in_vpc(interface("eni-1", &["sg-x"]), "vpc-1"),
                in_vpc(instance("i-1", &[], &[("eni-1", &["sg-x"])]), "vpc-1"),
                balancer("alb-1", Some("application"), Some(&["sg-x"])),
                classic("clb-1", Some(&["sg-x"])),
            ] {
                let items: Vec<Item> = shown.iter().cloned().chain([item.clone()]).collect();
                let verdict = verdict(&found(&policy, items));
                assert_eq!(verdict, want, "{shown:?} {} {shared_vpcs}", item.key.id);
            }
        }
    }
}

/// An interface that its instance's body does not list is on it all the same where its own item says so, of
/// the same moment or a later one (semantics §11 row 42).
#[test]
fn an_interface_that_says_that_it_is_attached_is_judged_with_its_instance() {
    let policy =
        common("AWS::EC2::Instance", CommonGroups { all_interfaces: true, ..rule(&["sg-p"]) });
    for (captured_ms, want) in [(0, "comply"), (1, "violate"), (2, "violate")] {
        let on = in_vpc(instance("i-1", &["sg-rp"], &[("eni-1", &["sg-rp"])]), "vpc-1");
        let mut other = in_vpc(interface("eni-2", &[]), "vpc-1");
        other.version.captured_ms = captured_ms;
        let Body::NetworkInterface(own) = &mut other.body else { unreachable!() };
        (own.instance, own.device_index) = (Some("i-1".into()), Some(1));
        assert_eq!(verdict(&found(&policy, vec![on, other])), want, "{captured_ms}");
    }
}

/// A load balancer is in the VPC that it tells. What tells none may be in one that another account shares.
#[test]
fn a_load_balancer_tells_its_vpc_and_what_tells_none_may_be_in_a_shared_one() {
    let anothers = Vpc { owner: Some(account("222222222222")) };
    let shown = body(ResourceType::VPC, "vpc-2", Body::Vpc(anothers));
    let told = |vpc: &str| {
        let mut alb = balancer("alb-1", Some("application"), Some(&[]));
        let Body::LoadBalancer(own) = &mut alb.body else { unreachable!() };
        own.vpc = Some(vpc.into());
        let mut clb = classic("clb-1", Some(&[]));
        let Body::ClassicLoadBalancer(own) = &mut clb.body else { unreachable!() };
        own.vpc = Some(vpc.into());
        [alb, clb]
    };
    let policy = common(ALL_TYPES, rule(&["sg-p"]));
    for (vpc, want) in [("vpc-1", "violate"), ("vpc-2", "comply")] {
        for item in told(vpc) {
            assert_eq!(verdict(&found(&policy, vec![shown.clone(), item])), want, "{vpc}");
        }
    }
    let untold = balancer("alb-1", Some("application"), Some(&[]));
    let gap =
        "AWSCONFIG The VPC of AWS::ElasticLoadBalancingV2::LoadBalancer alb-1 was not recorded.";
    assert_eq!(verdict(&found(&policy, vec![untold.clone()])), "violate");
    assert_eq!(verdict(&found(&policy, vec![shown, untold])), gap);
}

/// Semantics §10 row 19.
#[test]
fn in_the_administrators_own_vpc_the_primary_itself_serves() {
    let mut policy = common(ALL_TYPES, rule(&["sg-p"]));
    policy.owner = account(ACCOUNT);
    let association = |vpc: &str| {
        let association =
            GroupAssociation { group: "sg-p".into(), vpc: Some(vpc.into()), serves: Some(true) };
        let kind = ResourceType::SECURITY_GROUP_VPC_ASSOCIATION;
        body(kind, "sg-p/vpc-2", Body::GroupAssociation(association))
    };
    let own = || named("sg-p", "primary", "vpc-admin", "");
    let untold = |at: &str| format!("AWSCONFIG The VPC of sg-p or {at} was not recorded.");
    for (name, items, want) in [
        ("there", vec![in_vpc(interface("eni-1", &["sg-p"]), "vpc-admin")], "comply".to_owned()),
        ("elsewhere", vec![in_vpc(interface("eni-1", &["sg-p"]), "vpc-2")], "violate".to_owned()),
        ("anywhere", vec![interface("eni-1", &["sg-p"])], untold("eni-1")),
        ("a replica", vec![in_vpc(interface("eni-1", &["sg-rp"]), "vpc-1")], "comply".to_owned()),
        (
            "a load balancer",
            vec![balancer("alb-1", Some("application"), Some(&["sg-p"]))],
            "comply".to_owned(),
        ),
        (
            "a load balancer in either VPC",
            vec![balancer("alb-1", Some("application"), Some(&["sg-p"])), association("vpc-2")],
            untold("alb-1"),
        ),
        (
            "a load balancer beside its group",
            vec![classic("clb-1", Some(&["sg-p", "sg-x"])), association("vpc-1")],
            "violate".to_owned(),
        ),
    ] {
        let items = items.into_iter().chain([own()]).collect();
        assert_eq!(verdict(&found(&policy, items)), want, "{name}");
    }
    // In another account's shard a group of that id is nothing.
    let policy = common(ALL_TYPES, rule(&["sg-p"]));
    let items = vec![in_vpc(interface("eni-1", &["sg-p"]), "vpc-admin"), own()];
    assert_eq!(verdict(&found(&policy, items)), "violate");
}

/// Semantics §10 row 27: a primary group that is not there, was deleted, or is another account's.
#[test]
fn while_a_primary_group_is_missing_there_is_no_result() {
    let policy = common(ALL_TYPES, rule(&["sg-p", "sg-q"]));
    let gap = format!(
        "AWSVPC Primary security group sg-q of account {ADMIN} in Region us-east-1 could not be found."
    );
    let mut foreign = named("sg-q", "primary", "vpc-admin", "");
    let Body::SecurityGroup(group) = &mut foreign.body else { unreachable!() };
    group.owner = Some(account("222222222222"));
    let mut unseen = named("sg-q", "primary", "vpc-admin", "");
    unseen.body = Body::Unseen;
    for second in [None, Some(foreign), Some(unseen)] {
        let mut references = primaries(&policy);
        references.remove(&administrators_group(&policy, &"sg-q".try_into().unwrap()));
        references.extend(second.map(|item| primary(&policy, item)));
        let shard = world([interface("eni-1", &[]), classic("clb-1", Some(&[]))]);
        let judgement = judged(&policy, &shard, &references);
        assert_eq!((verdict(&judgement), judgement.in_scope), (gap.clone(), 2));
        let nothing = judged(&policy, &world([]), &references);
        assert_eq!((verdict(&nothing), nothing.in_scope), (gap.clone(), 0));
    }
    let asked = evaluator(&policy.rule).references(&policy);
    assert_eq!(asked, primaries(&policy).into_keys().collect());
}

#[test]
fn what_was_not_seen_leaves_it_open() {
    let policy = common(ALL_TYPES, rule(&["sg-p"]));
    let eni = "AWS::EC2::NetworkInterface eni-1";
    let alb = |kind, groups| balancer("alb-1", kind, groups);
    let on = |groups: &[&str]| in_vpc(interface("eni-1", groups), "vpc-1");
    let mut nameless = group("sg-1", "");
    nameless.body = Body::Unseen;
    let with_name = |name: &str| Item { name: Some(name.into()), ..nameless.clone() };
    let unseen_group =
        "AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.";
    let mut stateless = instance("i-1", &["sg-x"], &[("eni-1", &["sg-x"])]);
    let Body::Instance(own) = &mut stateless.body else { unreachable!() };
    own.state = None;
    for (items, want) in [
        (
            vec![body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen)],
            format!("AWSCONFIG The configuration of {eni} was not recorded."),
        ),
        (
            vec![outdated(on(&["sg-rp"]))],
            format!("AWSCONFIG The latest configuration of {eni} was not recorded."),
        ),
        (vec![outdated(on(&[]))], "violate".to_owned()),
        (
            vec![alb(Some("application"), None)],
            "AWSCONFIG The security groups of alb-1 were not recorded.".to_owned(),
        ),
        (
            vec![classic("clb-1", None)],
            "AWSCONFIG The security groups of clb-1 were not recorded.".to_owned(),
        ),
        (
            vec![alb(None, Some(&[]))],
            "AWSCONFIG The type of load balancer alb-1 was not recorded.".to_owned(),
        ),
        (
            vec![on(&["sg-unheard"])],
            "AWSCONFIG Security group sg-unheard of eni-1 was not recorded.".to_owned(),
        ),
        (vec![on(&["sg-unheard", "sg-rp"])], "comply".to_owned()),
        (vec![on(&["sg-1"]), nameless.clone()], unseen_group.to_owned()),
        (vec![on(&["sg-1"]), with_name(&replica_name("sg-p"))], unseen_group.to_owned()),
        (vec![on(&["sg-1"]), with_name("mine")], "violate".to_owned()),
        (
            vec![stateless],
            "AWSCONFIG The state of AWS::EC2::Instance i-1 was not recorded.".to_owned(),
        ),
    ] {
        assert_eq!(verdict(&found(&policy, items.clone())), want, "{items:?}");
    }
}

#[test]
fn the_listed_types_and_groups_must_be_recorded() {
    let only = |types: &[ResourceType]| {
        let group = RecordingGroup::Only(types.to_vec());
        let recorder = Recorder { recording: true, group, internal: false };
        world([body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder))])
    };
    let policy = common("AWS::ElasticLoadBalancing::LoadBalancer", rule(&["sg-p"]));
    let not = |kind: &str| format!("AWSCONFIG AWS Config is not recording resource type {kind}.");
    let (classic, group) = ("AWS::ElasticLoadBalancing::LoadBalancer", "AWS::EC2::SecurityGroup");
    for (recorded, want) in [
        (vec![ResourceType::CLASSIC_LOAD_BALANCER, ResourceType::SECURITY_GROUP], vec![]),
        (vec![ResourceType::CLASSIC_LOAD_BALANCER], vec![not(group)]),
        (vec![ResourceType::SECURITY_GROUP], vec![not(classic)]),
    ] {
        let judgement = judged(&policy, &only(&recorded), &primaries(&policy));
        assert_eq!(gaps(&judgement), want);
    }
}

#[test]
fn types_are_read_only_where_the_policy_asks_for_them() {
    let read = |types: &str, rule: CommonGroups, kind: &ResourceType| {
        reads(&common(types, rule)).contains(kind)
    };
    let interface = "AWS::EC2::NetworkInterface";
    let classic = "AWS::ElasticLoadBalancing::LoadBalancer";
    for (types, kind, want) in [
        (interface, ResourceType::INSTANCE, true),
        (interface, ResourceType::VPC, true),
        (interface, ResourceType::SECURITY_GROUP_VPC_ASSOCIATION, false),
        (classic, ResourceType::INSTANCE, false),
        (classic, ResourceType::SECURITY_GROUP_VPC_ASSOCIATION, true),
        (classic, ResourceType::VPC_PEERING_CONNECTION, false),
    ] {
        assert_eq!(read(types, rule(&["sg-p"]), &kind), want, "{types} {kind}");
    }
    let shared = CommonGroups { shared_vpcs: true, ..rule(&["sg-p"]) };
    assert!(!read(interface, shared, &ResourceType::VPC));
    let references = CommonGroups { copies_references: true, ..rule(&["sg-p"]) };
    assert!(read(interface, references, &ResourceType::VPC_PEERING_CONNECTION));
}
