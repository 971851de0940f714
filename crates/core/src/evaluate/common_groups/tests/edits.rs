//! Replicas held against their primary groups.

use super::*;
use crate::evaluate::{REPLICA_DIFFERENCES_MAX, ReplicaDifference};
use crate::inventory::{PeeringConnection, PeeringSide};

const REVERTS: CommonGroups = CommonGroups {
    primaries: Vec::new(),
    reverts_edits: true,
    is_exclusive: false,
    all_interfaces: false,
    shared_vpcs: false,
    copies_tags: false,
    copies_references: false,
};

fn reverting(switches: CommonGroups) -> Policy {
    let primaries = rule(&["sg-p"]).primaries;
    common("AWS::EC2::NetworkInterface", CommonGroups { primaries, ..switches })
}

/// A policy's replica `sg-r` with these rules beside other items, held against `sg-p` with those.
fn held(policy: &Policy, wanted: Item, replica: Item, others: &[Item]) -> Judgement {
    let references = [primary(policy, wanted)].into();
    judged(policy, &world(others.iter().cloned().chain([replica])), &references)
}

fn wanted(rules: &str) -> Item {
    named("sg-p", "primary", "vpc-admin", rules)
}

fn made(rules: &str) -> Item {
    named("sg-r", &replica_name("sg-p"), "vpc-1", rules)
}

#[test]
fn a_replica_opens_what_its_primary_opens() {
    // primary | replica | what would end it
    for (of_primary, of_replica, steps_wanted) in [
        ("", "", &[][..]),
        (
            "in tcp 22 10.0.0.0/8; out -1 * 0.0.0.0/0",
            "out -1 * 0.0.0.0/0; in tcp 22 10.0.0.0/8",
            &[],
        ),
        ("in tcp 22 10.0.0.0/8 pl-1", "in tcp 22 pl-1; in tcp 22 10.0.0.0/8", &[]),
        ("in tcp * 10.0.0.0/8", "in tcp 0-65535 10.0.0.0/8", &[]),
        ("in tcp 22 10.0.0.0/8", "", &["add ingress rule `tcp 22 from 10.0.0.0/8`"]),
        ("", "out tcp 22 ::/0", &["remove egress rule `tcp 22 to ::/0`"]),
        (
            "in tcp 22 10.0.0.0/8",
            "in tcp 22 10.0.0.0/9",
            &[
                "add ingress rule `tcp 22 from 10.0.0.0/8`",
                "remove ingress rule `tcp 22 from 10.0.0.0/9`",
            ],
        ),
        (
            "in tcp 22 10.0.0.0/8",
            "out tcp 22 10.0.0.0/8",
            &[
                "add ingress rule `tcp 22 from 10.0.0.0/8`",
                "remove egress rule `tcp 22 to 10.0.0.0/8`",
            ],
        ),
        ("", "in tcp 22 sg-x", &["remove ingress rule `tcp 22 from sg-x`"]),
        ("in tcp 22 sg-x", "in tcp 22 sg-x", &[]),
        ("in tcp 22 sg-x", "in tcp 23 sg-x", &["remove ingress rule `tcp 23 from sg-x`"]),
        // References are copied only where the policy says so.
        ("in tcp 22 sg-x", "", &[]),
        // To itself: to the replica, or still to the primary.
        ("in tcp 22 sg-p", "in tcp 22 sg-r", &[]),
        ("in tcp 22 sg-p", "in tcp 22 sg-p", &[]),
        ("", "in tcp 22 sg-r", &["remove ingress rule `tcp 22 from sg-r`"]),
    ] {
        let judgement = held(&reverting(REVERTS), wanted(of_primary), made(of_replica), &[]);
        assert_eq!(steps(&judgement), steps_wanted, "{of_primary} | {of_replica}");
        let edited = ["sg-r FMS_CREATED_SECURITY_GROUP_EDITED"];
        let violators_wanted = if steps_wanted.is_empty() { &edited[..0] } else { &edited };
        assert_eq!(violators(&judgement), violators_wanted);
        // Without the switch nobody looks.
        let switches = CommonGroups { reverts_edits: false, ..REVERTS };
        let judgement = held(&reverting(switches), wanted(of_primary), made(of_replica), &[]);
        assert_eq!(verdict(&judgement), "comply");
    }
}

#[test]
fn only_replicas_of_the_policys_own_in_its_scope_are_held() {
    let open = "in tcp 22 0.0.0.0/0";
    let mut others = made(open);
    let Body::SecurityGroup(group) = &mut others.body else { unreachable!() };
    group.owner = Some(account("222222222222"));
    let anothers = "FMManagedSecurityGroup01234567-89ab-cdef-0123-000000000000-sg-p";
    for (item, want) in [
        (made(open), "violate"),
        (named("sg-r", &replica_name("sg-p-vpc-1"), "vpc-1", open), "violate"),
        (named("sg-r", &replica_name("sg-former"), "vpc-1", open), "comply"),
        (named("sg-r", anothers, "vpc-1", open), "comply"),
        (named("sg-r", "mine", "vpc-1", open), "comply"),
        (others, "comply"),
    ] {
        let judgement = held(&reverting(REVERTS), wanted(""), item.clone(), &[]);
        assert_eq!(verdict(&judgement), want, "{item:?}");
    }
    let shared = Vpc { owner: Some(account("222222222222")) };
    let shared = body(ResourceType::VPC, "vpc-1", Body::Vpc(shared));
    for (shared_vpcs, want) in [(false, "comply"), (true, "violate")] {
        let policy = reverting(CommonGroups { shared_vpcs, ..REVERTS });
        let judgement = held(&policy, wanted(""), made(open), std::slice::from_ref(&shared));
        assert_eq!(verdict(&judgement), want);
    }
}

#[test]
fn tags_are_held_where_they_are_copied() {
    // primary | replica | what would end it
    for (of_primary, of_replica, steps_wanted) in [
        ("", "", &[][..]),
        ("a=1", "a=1", &[]),
        ("a=1", "", &["set tag `a` to `1`"]),
        ("a=1", "a=2", &["set tag `a` to `1`"]),
        ("", "b=1", &["remove tag `b`"]),
        ("aws:a=1", "aws:b=2", &[]),
    ] {
        for (copies_tags, want) in [(true, steps_wanted), (false, &[][..])] {
            let policy = reverting(CommonGroups { copies_tags, ..REVERTS });
            let (wanted, made) = (tagged(wanted(""), of_primary), tagged(made(""), of_replica));
            assert_eq!(
                steps(&held(&policy, wanted, made, &[])),
                want,
                "{of_primary} | {of_replica}"
            );
        }
    }
    let policy = reverting(CommonGroups { copies_tags: true, ..REVERTS });
    let untagged = |item: Item| Item { tags: None, ..item };
    let judgement = held(&policy, wanted(""), untagged(made("")), &[]);
    assert_eq!(
        gaps(&judgement),
        ["AWSCONFIG The tags of AWS::EC2::SecurityGroup sg-r were not recorded."]
    );
    let judgement = held(&policy, untagged(wanted("")), made(""), &[]);
    assert_eq!(
        gaps(&judgement),
        [format!(
            "AWSCONFIG The tags of primary security group sg-p of account {ADMIN} in Region \
             us-east-1 were not recorded."
        )]
    );
}

fn side(vpc: Option<&str>, owner: Option<&str>, region: &str) -> PeeringSide {
    PeeringSide { vpc: vpc.map(Into::into), owner: owner.map(account), region: Some(region.into()) }
}

fn peering(accepter: PeeringSide, requester: PeeringSide, active: Option<bool>) -> Item {
    let own = PeeringConnection { accepter, requester, active };
    body(ResourceType::VPC_PEERING_CONNECTION, "pcx-1", Body::PeeringConnection(own))
}

/// Semantics §5.4, noncompliance 4.
#[test]
fn references_are_owed_where_an_active_peering_joins_the_replicas_vpc_with_their_account() {
    let policy =
        reverting(CommonGroups { reverts_edits: false, copies_references: true, ..REVERTS });
    let here = || side(Some("vpc-1"), Some(ACCOUNT), "us-east-1");
    let there = || side(Some("vpc-admin"), Some(ADMIN), "us-east-1");
    let untold = "AWSCONFIG The VPCs or the state of pcx-1 were not recorded.";
    let unseen =
        "AWSCONFIG The configuration of AWS::EC2::VPCPeeringConnection pcx-1 was not recorded.";
    for (name, items, want) in [
        ("none", vec![], "comply"),
        ("active", vec![peering(there(), here(), Some(true))], "violate"),
        ("the other way", vec![peering(here(), there(), Some(true))], "violate"),
        ("inactive", vec![peering(there(), here(), Some(false))], "comply"),
        ("in an untold state", vec![peering(there(), here(), None)], untold),
        (
            "with another account",
            vec![peering(
                here(),
                side(Some("vpc-2"), Some("222222222222"), "us-east-1"),
                Some(true),
            )],
            "comply",
        ),
        (
            "of another VPC",
            vec![peering(there(), side(Some("vpc-2"), Some(ACCOUNT), "us-east-1"), Some(true))],
            "comply",
        ),
        (
            "with another Region",
            vec![peering(here(), side(Some("vpc-9"), Some(ADMIN), "eu-west-1"), Some(true))],
            "comply",
        ),
        (
            "with an untold account",
            vec![peering(here(), side(Some("vpc-9"), None, "us-east-1"), Some(true))],
            untold,
        ),
        (
            "with an untold account, once",
            vec![peering(here(), side(Some("vpc-9"), None, "us-east-1"), Some(false))],
            "comply",
        ),
        (
            "of an untold VPC",
            vec![peering(there(), side(None, Some(ACCOUNT), "us-east-1"), Some(true))],
            untold,
        ),
        ("unseen", vec![body(ResourceType::VPC_PEERING_CONNECTION, "pcx-1", Body::Unseen)], unseen),
        (
            "outdated",
            vec![outdated(peering(there(), here(), Some(true)))],
            "AWSCONFIG The latest configuration of AWS::EC2::VPCPeeringConnection pcx-1 was not recorded.",
        ),
    ] {
        let judgement = held(&policy, wanted("in tcp 22 sg-x"), made(""), &items);
        assert_eq!(verdict(&judgement), want, "{name}");
        let judgement = held(&policy, wanted("in tcp 22 sg-x"), made("in tcp 22 sg-x"), &items);
        assert_eq!(verdict(&judgement), "comply", "{name}, and it is there");
        let judgement = held(&policy, wanted("in tcp 22 sg-p"), made(""), &items);
        assert_eq!(verdict(&judgement), "comply", "{name}, to itself");
    }
    let nowhere = named("sg-r", &replica_name("sg-p"), "", "");
    assert_eq!(
        verdict(&held(&policy, wanted("in tcp 22 sg-x"), nowhere, &[])),
        "AWSCONFIG The VPC of AWS::EC2::SecurityGroup sg-r was not recorded."
    );
    // Other rules are not looked at unless edits are reverted.
    assert_eq!(verdict(&held(&policy, wanted("in tcp 22 ::/0"), made(""), &[])), "comply");
}

#[test]
fn a_reference_is_owed_by_the_account_that_it_names() {
    let policy =
        reverting(CommonGroups { reverts_edits: false, copies_references: true, ..REVERTS });
    let mut of_other = wanted("in tcp 22 sg-x");
    let Body::SecurityGroup(group) = &mut of_other.body else { unreachable!() };
    group.ingress[0].groups[0].0 = Some("222222222222".into());
    for (owner, want) in [("222222222222", "violate"), (ADMIN, "comply")] {
        let here = side(Some("vpc-1"), Some(ACCOUNT), "us-east-1");
        let there = side(Some("vpc-2"), Some(owner), "us-east-1");
        let items = [peering(here, there, Some(true))];
        assert_eq!(verdict(&held(&policy, of_other.clone(), made(""), &items)), want, "{owner}");
    }
}

#[test]
fn where_peerings_are_not_recorded_it_is_left_open_whether_a_reference_is_owed() {
    let policy =
        reverting(CommonGroups { reverts_edits: false, copies_references: true, ..REVERTS });
    let types = [ResourceType::SECURITY_GROUP, ResourceType::NETWORK_INTERFACE].to_vec();
    let recorder =
        Recorder { recording: true, group: RecordingGroup::Only(types), internal: false };
    let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
    let gap = "AWSCONFIG AWS Config is not recording resource type AWS::EC2::VPCPeeringConnection.";
    for (of_primary, want) in [("in tcp 22 sg-x", gap), ("in tcp 22 sg-p", "comply")] {
        let others = std::slice::from_ref(&recorder);
        assert_eq!(verdict(&held(&policy, wanted(of_primary), made(""), others)), want);
    }
}

#[test]
fn what_was_not_seen_of_a_replica_or_primary_leaves_it_open() {
    let policy = reverting(REVERTS);
    let untold = |mut item: Item| {
        let Body::SecurityGroup(group) = &mut item.body else { unreachable!() };
        group.untold.egress = true;
        item
    };
    let open = "in tcp 22 ::/0";
    let rules_of = "AWSCONFIG The rules of security group sg-r were not recorded.";
    let rules_of_primary = format!(
        "AWSCONFIG The rules of primary security group sg-p of account {ADMIN} in Region us-east-1 \
         were not recorded."
    );
    assert_eq!(verdict(&held(&policy, wanted(""), untold(made("")), &[])), rules_of);
    assert_eq!(verdict(&held(&policy, wanted("out tcp 1 ::/0"), untold(made("")), &[])), rules_of);
    let violator = held(&policy, wanted(open), untold(made("")), &[]);
    assert_eq!(
        (verdict(&violator).as_str(), gaps(&violator)),
        ("violate", vec![rules_of.to_owned()])
    );
    assert_eq!(verdict(&held(&policy, untold(wanted(open)), made(""), &[])), rules_of_primary);
    assert_eq!(
        verdict(&held(&policy, outdated(wanted("")), made(""), &[])),
        format!(
            "AWSCONFIG The latest rules of primary security group sg-p of account {ADMIN} in Region \
             us-east-1 were not recorded."
        )
    );
    assert_eq!(
        verdict(&held(&policy, wanted(""), outdated(made("")), &[])),
        "AWSCONFIG The latest configuration of AWS::EC2::SecurityGroup sg-r was not recorded."
    );
    let unseen = "AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-r was not recorded.";
    for (name, want) in
        [(None, unseen), (Some(replica_name("sg-p")), unseen), (Some("mine".to_owned()), "comply")]
    {
        let name = name.map(String::into);
        let item = Item { body: Body::Unseen, name, ..made("") };
        assert_eq!(verdict(&held(&policy, wanted(""), item, &[])), want);
    }
    assert_eq!(
        verdict(&held(&policy, wanted(""), named("sg-r", "", "vpc-1", ""), &[])),
        "AWSCONFIG The name of security group sg-r was not recorded."
    );
}

#[test]
fn of_many_differences_the_first_are_told_and_how_many_more_there_are() {
    for (count, more_wanted) in [
        (REPLICA_DIFFERENCES_MAX - 1, 0),
        (REPLICA_DIFFERENCES_MAX, 0),
        (REPLICA_DIFFERENCES_MAX + 1, 1),
    ] {
        let rules: Vec<String> =
            (1..=count).map(|port| format!("in tcp {port} 10.0.0.0/8")).collect();
        let judgement = held(&reverting(REVERTS), wanted(&rules.join("; ")), made(""), &[]);
        let Finding::SecurityGroups(SecurityGroupFinding::EditedReplica {
            differences, more, ..
        }) = &judgement.violators[0].violations[0].finding
        else {
            panic!("{judgement:?}")
        };
        assert_eq!(differences.len() as u64 + more, count as u64);
        assert_eq!(*more, more_wanted);
    }
}

#[test]
fn a_summary_says_in_what_a_replica_differs() {
    let differences = vec![
        ReplicaDifference::MissingRule {
            direction: crate::evaluate::Direction::Ingress,
            rule: "tcp 22 from 10.0.0.0/8".into(),
        },
        ReplicaDifference::FurtherRule {
            direction: crate::evaluate::Direction::Egress,
            rule: "tcp 22 to ::/0".into(),
        },
        ReplicaDifference::MissingTag { key: "a".into(), value: "1".into() },
        ReplicaDifference::FurtherTag { key: "b".into() },
    ];
    let told = |more| {
        let (group, primary) = ("sg-r".into(), "sg-p".into());
        let differences = differences.clone();
        SecurityGroupFinding::EditedReplica { group, primary, differences, more }.summary()
    };
    let all = "replica sg-r differs from primary group sg-p: ingress rule `tcp 22 from 10.0.0.0/8` is \
               missing; egress rule `tcp 22 to ::/0` is not the primary's; tag `a` is not `1`; tag \
               `b` is not the primary's";
    assert_eq!(told(0), all);
    assert_eq!(told(2), format!("{all}; and 2 more"));
}
