use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, judged, outdated, policy, tagged, violators, world,
};
use crate::evaluate::{Finding, References, Status};
use crate::inventory::{Cause, OpenGap, Recorder, RecordingGroup, Vpc};
use crate::policy::Rule;

use super::*;

const TYPE: ResourceType = ResourceType::DNS_FIREWALL_ASSOCIATION;
const OWN: &str = "FMManaged_01234567-89ab-cdef-0123-456789abcdef";
const OTHERS: &str = "FMManaged_89abcdef-89ab-cdef-0123-456789abcdef";

/// `GROUP PRIORITY` separated by `;`.
fn wanting(groups: &str) -> Policy {
    let groups = groups.split(';').map(|group| {
        let (id, priority) = group.trim().split_once(' ').unwrap();
        DnsRuleGroup { id: id.into(), priority: priority.parse().unwrap() }
    });
    let groups = groups.collect();
    policy("AWS::EC2::VPC", Rule::DnsFirewall(DnsFirewall { groups }))
}

fn vpc(id: &str, owner: Option<&str>) -> Item {
    body(ResourceType::VPC, id, Body::Vpc(Vpc { owner: owner.map(account) }))
}

/// `ID VPC GROUP PRIORITY STATUS [NAME]`, with `-` for what is not told.
fn association(line: &str) -> Item {
    let words: Vec<&str> = line.split_whitespace().collect();
    let told = |at: usize| words.get(at).filter(|word| **word != "-").map(|word| (*word).into());
    let told = DnsAssociation {
        vpc: told(1),
        group: told(2),
        priority: words.get(3).and_then(|word| word.parse().ok()),
        status: told(4),
        name: told(5),
    };
    body(TYPE, words[0], Body::DnsAssociation(told))
}

fn judge(policy: &Policy, items: Vec<Item>) -> Judgement {
    judged(policy, &world(items), &References::new())
}

/// Judged over `vpc-1` and associations, a line each.
fn over(policy: &Policy, associations: &str) -> Judgement {
    let lines = associations.lines().map(str::trim).filter(|line| !line.is_empty());
    let items = lines.map(association).chain([vpc("vpc-1", None)]).collect();
    judge(policy, items)
}

/// What is found of `vpc-1`, one finding each, without what would end it.
fn findings(judgement: &Judgement) -> Vec<String> {
    let violations = judgement.violators.iter().flat_map(|violator| &violator.violations);
    let told = violations.map(|violation| match &violation.finding {
        Finding::Dns(finding) => finding.summary(),
        other => panic!("{other:?}"),
    });
    told.map(|text| text.split("; to end it").next().unwrap().to_owned()).collect()
}

/// Semantics §5.9, §10 row 20.
#[test]
fn a_vpc_complies_where_every_rule_group_is_complete_at_its_priority() {
    let both = wanting("rg-a 1; rg-b 9901");
    for (associations, complies) in [
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-b 9901 COMPLETE", true),
        // Whoever made them, and whatever else is there.
        ("as-1 vpc-1 rg-a 1 complete mine; as-2 vpc-1 rg-b 9901 COMPLETE FMManaged_x", true),
        (
            "as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-b 9901 COMPLETE; as-3 vpc-1 rg-c 500 COMPLETE",
            true,
        ),
        ("as-1 vpc-1 rg-a 1 COMPLETE", false),
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-2 rg-b 9901 COMPLETE", false),
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-c 9901 COMPLETE", false),
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-b 9902 COMPLETE", false),
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-b 9901 UPDATING", false),
        ("as-1 vpc-1 rg-a 1 COMPLETE; as-2 vpc-1 rg-b 9901 DELETING", false),
        ("", false),
    ] {
        let found = over(&both, &associations.replace(';', "\n"));
        let wanted = if complies { Status::Compliant } else { Status::NonCompliant };
        assert_eq!(found.status(), Some(wanted), "{associations}");
        assert_eq!(found.in_scope, 1);
        if !complies {
            assert_eq!(violators(&found), ["vpc-1 RESOURCE_MISSING_DNS_FIREWALL"]);
        }
    }
    // A policy whose groups were taken out asks for nothing.
    let nothing = policy("AWS::EC2::VPC", Rule::DnsFirewall(DnsFirewall::default()));
    assert_eq!(over(&nothing, "").status(), Some(Status::Compliant));
}

#[test]
fn a_finding_says_what_stands_in_the_way() {
    let a = wanting("rg-a 1");
    let five = "as-1 vpc-1 rg-1 11 COMPLETE\nas-2 vpc-1 rg-2 12 COMPLETE\n\
                as-3 vpc-1 rg-3 13 COMPLETE\nas-4 vpc-1 rg-4 14 COMPLETE\n";
    for (associations, wanted) in [
        ("", "rule group rg-a is not associated; wanted at priority 1".to_owned()),
        (
            "as-1 vpc-1 rg-a 1 UPDATING",
            "rule group rg-a is at priority 1, but its association as-1 is UPDATING and not \
             COMPLETE"
                .to_owned(),
        ),
        (
            &format!("as-1 vpc-1 rg-a 7 COMPLETE {OWN}"),
            "rule group rg-a is at priority 7 by the policy's own association as-1; wanted at \
             priority 1"
                .to_owned(),
        ),
        (
            "as-1 vpc-1 rg-a 7 COMPLETE mine",
            "rule group rg-a is associated already, at priority 7 by as-1, which is not the \
             policy's; wanted at priority 1"
                .to_owned(),
        ),
        (
            "as-1 vpc-1 rg-b 1 COMPLETE",
            "rule group rg-a is not associated; its priority 1 is taken by rule group rg-b (as-1)"
                .to_owned(),
        ),
        (
            &format!("as-1 vpc-1 rg-b 1 COMPLETE {OTHERS}"),
            format!(
                "rule group rg-a is not associated; its priority 1 is taken by rule group rg-b \
                 (as-1 of policy {})",
                OTHERS.strip_prefix("FMManaged_").unwrap()
            ),
        ),
        // One that the policy made and does not want any more is moved.
        (
            &format!("as-1 vpc-1 rg-b 1 COMPLETE {OWN}"),
            "rule group rg-a is not associated; wanted at priority 1".to_owned(),
        ),
        // The first of two that stand in the way.
        (
            "as-1 vpc-1 rg-b 1 COMPLETE\nas-2 vpc-1 rg-a 7 COMPLETE",
            "rule group rg-a is associated already, at priority 7 by as-2, which is not the \
             policy's; wanted at priority 1"
                .to_owned(),
        ),
        (five, "rule group rg-a is not associated; wanted at priority 1".to_owned()),
        (
            &format!("{five}as-5 vpc-1 rg-5 15 COMPLETE"),
            "rule group rg-a is not associated; wanted at priority 1, but the VPC has 5 rule \
             groups, no fewer than AWS allows by default"
                .to_owned(),
        ),
        (
            &format!("{five}as-5 vpc-1 rg-5 15 COMPLETE\nas-6 vpc-1 rg-6 16 COMPLETE"),
            "rule group rg-a is not associated; wanted at priority 1, but the VPC has 6 rule \
             groups, no fewer than AWS allows by default"
                .to_owned(),
        ),
    ] {
        assert_eq!(findings(&over(&a, associations)), [wanted], "{associations}");
    }
    assert_eq!(DNS_RULE_GROUPS_PER_VPC_MAX, 5);
}

#[test]
fn each_rule_group_is_told_by_itself() {
    let both = wanting("rg-a 1; rg-b 9901");
    let swapped = format!("as-1 vpc-1 rg-a 9901 COMPLETE {OWN}\nas-2 vpc-1 rg-b 1 COMPLETE {OWN}");
    assert_eq!(
        findings(&over(&both, &swapped)),
        [
            "rule group rg-a is at priority 9901 by the policy's own association as-1; wanted at \
             priority 1",
            "rule group rg-b is at priority 1 by the policy's own association as-2; wanted at \
             priority 9901",
        ]
    );
    // One group twice: where it is in place it stays, and a VPC has it once.
    let twice = wanting("rg-a 1; rg-a 9901");
    assert_eq!(
        findings(&over(&twice, &format!("as-1 vpc-1 rg-a 1 COMPLETE {OWN}"))),
        [
            "rule group rg-a is associated already, at priority 1 by as-1, which is not the policy's; \
          wanted at priority 9901"
        ]
    );
}

#[test]
fn taken_priorities_are_told_ascending_and_to_their_limit() {
    for (others, told) in [(98, 99), (99, 100), (100, 100)] {
        let lines = (0..others).map(|n| format!("as-{n} vpc-1 rg-{n} {} COMPLETE", 500 - n));
        let lines: Vec<String> = lines.chain(["as-x vpc-1 rg-x 1 COMPLETE".into()]).collect();
        let found = over(&wanting("rg-a 1"), &lines.join("\n"));
        let finding = &found.violators[0].violations[0].finding;
        let Finding::Dns(DnsFinding::DnsPriorityConflict { unavailable, .. }) = finding else {
            panic!("{finding:?}")
        };
        assert_eq!((unavailable.len(), unavailable[0]), (told, 1));
        assert!(unavailable.is_sorted());
    }
    assert_eq!(UNAVAILABLE_PRIORITIES_MAX, 100);
}

/// Semantics §11 row 38: what is not told may be the one that is wanted.
#[test]
fn what_is_not_told_of_an_association_is_a_gap() {
    let a = wanting("rg-a 1");
    for (line, wanted) in [
        ("as-1 - rg-a 1 COMPLETE", Some("VpcId of DNS Firewall association as-1 was")),
        (
            "as-1 vpc-1 - 1 COMPLETE",
            Some("FirewallRuleGroupId of DNS Firewall association as-1 was"),
        ),
        ("as-1 vpc-1 rg-a - COMPLETE", Some("Priority of DNS Firewall association as-1 was")),
        ("as-1 vpc-1 rg-a 1 -", Some("Status of DNS Firewall association as-1 was")),
        ("as-1 vpc-1 rg-a - -", Some("Priority and Status of DNS Firewall association as-1 were")),
        // What is told shows that it is another one.
        ("as-1 vpc-2 - - -", None),
        ("as-1 - rg-b - -", None),
        ("as-1 - rg-a 2 -", None),
        ("as-1 - - - UPDATING", None),
    ] {
        let found = over(&a, line);
        match wanted {
            None => assert_eq!((found.violators.len(), found.gaps.len()), (1, 0), "{line}"),
            Some(wanted) => {
                assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted} not recorded.")], "{line}");
                assert_eq!((found.in_scope, found.status()), (1, None), "{line}");
            }
        }
    }
    // Beside it one that is in place settles it.
    let found = over(&a, "as-1 - rg-a 1 COMPLETE\nas-2 vpc-1 rg-a 1 COMPLETE");
    assert_eq!(found.status(), Some(Status::Compliant));
    // A group that certainly is missing violates beside one that may be there.
    let found = over(&wanting("rg-a 1; rg-b 9901"), "as-1 vpc-1 rg-b 9901 -");
    assert_eq!((found.violators.len(), found.gaps.len()), (1, 1));
    assert_eq!(findings(&found), ["rule group rg-a is not associated; wanted at priority 1"]);
}

#[test]
fn where_not_every_association_was_seen_none_is_missing() {
    let a = wanting("rg-a 1");
    let unseen = || body(TYPE, "as-1", Body::Unseen);
    let complete = || association("as-2 vpc-1 rg-a 1 COMPLETE");
    for (item, wanted) in [
        (unseen(), format!("The configuration of {TYPE} as-1 was not recorded.")),
        (
            body(TYPE, "as-1", Body::Unwanted),
            format!(
                "The configuration of {TYPE} as-1 was stored by an earlier version of Palisade: \
                 deliver its inventory again."
            ),
        ),
        (
            outdated(complete()),
            format!("The latest configuration of {TYPE} as-2 was not recorded."),
        ),
    ] {
        let found = judge(&a, vec![item, vpc("vpc-1", None)]);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!((found.in_scope, found.status()), (1, None), "{wanted}");
    }
    // One that cannot be read hides nothing of a VPC that has what it needs.
    let found = judge(&a, vec![unseen(), complete(), vpc("vpc-1", None)]);
    assert_eq!(found.status(), Some(Status::Compliant));
    // What an older state shows to be missing stands, beside the gap; another VPC's is no gap here.
    let late = |line| outdated(association(line));
    let found = judge(&a, vec![late("as-1 vpc-1 rg-a 2 COMPLETE"), vpc("vpc-1", None)]);
    assert_eq!((found.violators.len(), found.gaps.len()), (1, 1));
    let found = judge(&a, vec![late("as-1 vpc-2 rg-a 1 COMPLETE"), vpc("vpc-1", None)]);
    assert_eq!((found.violators.len(), found.gaps.len()), (1, 0));
    // An item that could not be read may be the one.
    let mut shard = world([vpc("vpc-1", None)]);
    let lost = OpenGap { cause: Cause::Item, of_type: true, what: None };
    shard.open_gaps.insert(TYPE, [lost].into());
    let found = judged(&a, &shard, &References::new());
    assert_eq!(gaps(&found), [format!("AWSCONFIG An item of {TYPE} could not be read.")]);
    assert_eq!(found.status(), None);
}

#[test]
fn what_is_not_seen_of_a_vpc_is_a_gap() {
    let complete = || association("as-1 vpc-1 rg-a 1 COMPLETE");
    for (vpc, wanted) in [
        (
            body(ResourceType::VPC, "vpc-1", Body::Unseen),
            "The configuration of AWS::EC2::VPC vpc-1 was not recorded.",
        ),
        (
            outdated(vpc("vpc-1", None)),
            "The latest configuration of AWS::EC2::VPC vpc-1 was not recorded.",
        ),
    ] {
        let found = judge(&wanting("rg-a 1"), vec![complete(), vpc]);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!((found.in_scope, found.status()), (1, None));
    }
}

/// Semantics §1.5, §10 row 1.
#[test]
fn vpcs_and_associations_must_be_recorded() {
    let only = |types: &[ResourceType], more: Vec<Item>| {
        let group = RecordingGroup::Only(types.to_vec());
        let recorder = Body::Recorder(Recorder { recording: true, group, internal: false });
        let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", recorder);
        judge(&wanting("rg-a 1"), more.into_iter().chain([recorder]).collect())
    };
    let not = |kind: &ResourceType| {
        format!("AWSCONFIG AWS Config is not recording resource type {kind}.")
    };
    let bare = only(&[ResourceType::VPC], vec![vpc("vpc-1", None)]);
    assert_eq!(gaps(&bare), [not(&TYPE)], "said once, and nothing is missing");
    assert_eq!((bare.in_scope, bare.status()), (1, None));
    assert_eq!(gaps(&only(&[TYPE], vec![])), [not(&ResourceType::VPC)]);
    let held = vec![vpc("vpc-1", None), association("as-1 vpc-1 rg-a 1 COMPLETE")];
    assert_eq!(only(&[ResourceType::VPC], held).status(), None, "one item tells nothing of others");
}

/// Semantics §10 row 28.
#[test]
fn a_vpc_is_judged_for_its_owner_alone() {
    let mut untagged = vpc("vpc-4", Some("222222222222"));
    untagged.tags = None;
    let items = vec![
        vpc("vpc-1", Some("222222222222")),
        vpc("vpc-2", Some(ACCOUNT)),
        vpc("vpc-3", None),
        untagged,
    ];
    let mut policy = wanting("rg-a 1");
    let found = judge(&policy, items.clone());
    assert_eq!(found.in_scope, 2);
    assert_eq!(
        violators(&found),
        ["vpc-2 RESOURCE_MISSING_DNS_FIREWALL", "vpc-3 RESOURCE_MISSING_DNS_FIREWALL"]
    );
    // Nor are tags missed of another account's VPC.
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let found = judge(&policy, items);
    assert_eq!((found.in_scope, found.gaps.len()), (0, 0));
}

#[test]
fn tags_of_vpcs_decide_which_are_in_scope() {
    let mut policy = wanting("rg-a 1");
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let mut untold = vpc("vpc-3", None);
    untold.tags = None;
    let items = vec![tagged(vpc("vpc-1", None), "env=prod"), vpc("vpc-2", None), untold];
    let found = judge(&policy, items);
    assert_eq!(violators(&found), ["vpc-1 RESOURCE_MISSING_DNS_FIREWALL"]);
    assert_eq!(found.in_scope, 1);
    assert_eq!(gaps(&found), ["AWSCONFIG The tags of AWS::EC2::VPC vpc-3 were not recorded."]);
}

/// Semantics §11 row 66: a Route 53 Profile that filters is no association.
#[test]
fn a_profile_that_filters_is_no_association() {
    let profile = ResourceType::try_from("AWS::Route53Profiles::ProfileAssociation").unwrap();
    let items = vec![body(profile, "rpassoc-1", Body::Unwanted), vpc("vpc-1", None)];
    assert_eq!(
        violators(&judge(&wanting("rg-a 1"), items)),
        ["vpc-1 RESOURCE_MISSING_DNS_FIREWALL"]
    );
}
