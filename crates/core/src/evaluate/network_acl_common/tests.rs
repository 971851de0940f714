use crate::evaluate::world::{
    ACCOUNT, account, body, gaps, judged, outdated, policy, tagged, violators, world,
};
use crate::evaluate::{Finding, References, Status, Violation};
use crate::inventory::{AclEntry, AclTraffic, NumberedEntry};
use crate::policy::{Elder, Rule, elders};
use crate::scope::TagScope;

use super::*;

mod order;

/// `in|out allow|deny PROTOCOL PORTS CIDR`, with `*` or `type/code` where there are no ports.
fn entry(text: &str) -> AclEntry {
    let [direction, action, protocol, ports, cidr] =
        text.split_whitespace().collect::<Vec<_>>()[..]
    else {
        panic!("`{text}` is no entry");
    };
    let number = match protocol {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        other => other.parse().unwrap_or(0),
    };
    let traffic = match (protocol, ports.split_once('/'), ports.split_once('-')) {
        ("-1", ..) => AclTraffic::All,
        (_, Some((kind, code)), _) => {
            AclTraffic::icmp(number, kind.parse().unwrap(), code.parse().unwrap())
        }
        (_, None, Some((from, to))) => AclTraffic::Ports {
            protocol: number,
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        },
        (_, None, None) if ports == "*" => AclTraffic::Protocol(number),
        (_, None, None) => {
            let port = ports.parse().unwrap();
            AclTraffic::Ports { protocol: number, from: port, to: port }
        }
    };
    AclEntry {
        egress: direction == "out",
        allow: action == "allow",
        traffic,
        cidr: cidr.parse().unwrap(),
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}

/// Entries as `NUMBER entry`, separated by `;`, and the closing ones.
fn entries(text: &str) -> Vec<NumberedEntry> {
    let closing = "32767 in deny -1 * 0.0.0.0/0; 32768 in deny -1 * ::/0; \
                   32767 out deny -1 * 0.0.0.0/0; 32768 out deny -1 * ::/0";
    let all = listed(text).chain(listed(closing));
    let all = all.map(|text| {
        let (number, text) = text.split_once(' ').unwrap();
        NumberedEntry { number: number.parse().unwrap(), entry: entry(text) }
    });
    all.collect()
}

fn rule(first: &str, last: &str) -> NetworkAclCommon {
    let part = |text| listed(text).map(entry).collect();
    NetworkAclCommon {
        first: part(first),
        last: part(last),
        former: Some(Former::default()),
        ..NetworkAclCommon::default()
    }
}

fn of(rule: NetworkAclCommon) -> Policy {
    policy("AWS::EC2::Subnet", Rule::NetworkAclCommon(rule))
}

/// A network ACL of `vpc-1` on subnets named in words.
fn acl(id: &str, subnets: &str, text: &str) -> Item {
    let on = subnets.split_whitespace().map(|subnet| AclAssociation {
        subnet: subnet.into(),
        id: Some(format!("aclassoc-{subnet}").into()),
    });
    let acl = NetworkAcl {
        vpc: Some("vpc-1".into()),
        entries: Some(entries(text)),
        associations: Some(on.collect()),
    };
    body(ResourceType::NETWORK_ACL, id, Body::NetworkAcl(acl))
}

fn edited(mut item: Item, edit: impl FnOnce(&mut NetworkAcl)) -> Item {
    let Body::NetworkAcl(acl) = &mut item.body else { panic!("{item:?}") };
    edit(acl);
    item
}

fn subnet(id: &str) -> Item {
    owned(id, None)
}

fn owned(id: &str, owner: Option<&str>) -> Item {
    let subnet = Subnet {
        vpc: Some("vpc-1".into()),
        zone: Some("us-east-1a".into()),
        owner: owner.map(account),
        ..Subnet::default()
    };
    body(ResourceType::SUBNET, id, Body::Subnet(subnet))
}

const DENY_SSH: &str = "in deny tcp 22 0.0.0.0/0";
const GOOD: &str = "1 in deny tcp 22 0.0.0.0/0; 100 in allow -1 * 0.0.0.0/0";
const BAD: &str = "100 in allow -1 * 0.0.0.0/0";

fn no_ssh() -> Policy {
    of(rule(DENY_SSH, ""))
}

fn judge(policy: &Policy, items: Vec<Item>) -> Judgement {
    judged(policy, &world(items), &References::new())
}

#[test]
fn a_subnet_complies_where_its_network_acl_has_the_entries_in_place() {
    let found = judge(
        &no_ssh(),
        vec![
            subnet("subnet-1"),
            subnet("subnet-2"),
            acl("acl-1", "subnet-1", GOOD),
            acl("acl-2", "subnet-2", BAD),
        ],
    );
    assert_eq!(violators(&found), ["subnet-2 INVALID_NETWORK_ACL_ENTRY"]);
    assert_eq!((found.in_scope, found.status()), (2, Some(Status::NonCompliant)));
    assert_eq!(gaps(&found), [""; 0]);
    let alone = judge(&no_ssh(), vec![subnet("subnet-1"), acl("acl-1", "subnet-1", GOOD)]);
    assert_eq!((alone.in_scope, alone.status()), (1, Some(Status::Compliant)));
    assert_eq!(judge(&no_ssh(), vec![]).status(), Some(Status::Compliant), "nothing in scope");
}

#[test]
fn what_is_not_seen_of_a_network_acl_is_a_gap() {
    let acl_type = ResourceType::NETWORK_ACL;
    let unseen = body(acl_type.clone(), "acl-1", Body::Unseen);
    let older = body(acl_type.clone(), "acl-1", Body::Unwanted);
    let no_entries = edited(acl("acl-1", "subnet-1", GOOD), |acl| acl.entries = None);
    let no_subnets = edited(acl("acl-1", "subnet-1", GOOD), |acl| acl.associations = None);
    for (others, wanted) in [
        (vec![], "The network ACL on AWS::EC2::Subnet subnet-1 was not recorded."),
        (
            vec![acl("acl-2", "subnet-2", GOOD)],
            "The network ACL on AWS::EC2::Subnet subnet-1 was not recorded.",
        ),
        (vec![unseen], "The configuration of AWS::EC2::NetworkAcl acl-1 was not recorded."),
        (
            vec![older],
            "The configuration of AWS::EC2::NetworkAcl acl-1 was stored by an earlier version of \
             Palisade: deliver its inventory again.",
        ),
        (vec![no_entries], "The entries of network ACL acl-1 were not recorded."),
        (vec![no_subnets], "The subnets of network ACL acl-1 were not recorded."),
        (
            vec![outdated(acl("acl-1", "subnet-1", GOOD))],
            "The latest configuration of AWS::EC2::NetworkAcl acl-1 was not recorded.",
        ),
        (
            vec![acl("acl-1", "subnet-1", GOOD), acl("acl-2", "subnet-1", BAD)],
            "Which network ACL is on AWS::EC2::Subnet subnet-1 is not certain: acl-1, acl-2 list it.",
        ),
        (
            vec![acl("acl-1", "subnet-1", GOOD), acl("acl-2", "subnet-1", GOOD)],
            "Which network ACL is on AWS::EC2::Subnet subnet-1 is not certain: acl-1, acl-2 list it.",
        ),
    ] {
        let items = others.into_iter().chain([subnet("subnet-1")]).collect();
        let found = judge(&no_ssh(), items);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!((found.in_scope, found.status()), (1, None), "{wanted}");
    }
    // Whichever is on it, it violates.
    let both =
        vec![acl("acl-1", "subnet-1", BAD), acl("acl-2", "subnet-1", BAD), subnet("subnet-1")];
    assert_eq!(violators(&judge(&no_ssh(), both)), ["subnet-1 INVALID_NETWORK_ACL_ENTRY"]);
    // What was found by an outdated one stands, beside the gap.
    let late = vec![outdated(acl("acl-1", "subnet-1", BAD)), subnet("subnet-1")];
    let found = judge(&no_ssh(), late);
    assert_eq!((found.violators.len(), found.gaps.len()), (1, 1));
    // One that lists a subnet twice is one.
    let twice = acl("acl-1", "subnet-1 subnet-1", GOOD);
    assert_eq!(judge(&no_ssh(), vec![twice, subnet("subnet-1")]).status(), Some(Status::Compliant));
}

#[test]
fn what_is_not_seen_of_a_subnet_is_a_gap() {
    let good = || acl("acl-1", "subnet-1", GOOD);
    for (subnet, wanted) in [
        (
            body(ResourceType::SUBNET, "subnet-1", Body::Unseen),
            "The configuration of AWS::EC2::Subnet subnet-1 was not recorded.",
        ),
        (
            body(ResourceType::SUBNET, "subnet-1", Body::Unwanted),
            "The configuration of AWS::EC2::Subnet subnet-1 was stored by an earlier version of \
             Palisade: deliver its inventory again.",
        ),
        (
            outdated(subnet("subnet-1")),
            "The latest configuration of AWS::EC2::Subnet subnet-1 was not recorded.",
        ),
    ] {
        let found = judge(&no_ssh(), vec![good(), subnet]);
        assert_eq!(gaps(&found), [format!("AWSCONFIG {wanted}")]);
        assert_eq!((found.in_scope, found.status()), (1, None));
    }
}

/// Semantics §1.5, §10 row 1.
#[test]
fn both_types_must_be_recorded() {
    let only = |types: &[ResourceType]| {
        let group = crate::inventory::RecordingGroup::Only(types.to_vec());
        let recorder = crate::inventory::Recorder { recording: true, group, internal: false };
        let recorder =
            body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
        gaps(&judge(&no_ssh(), vec![recorder, subnet("subnet-1")]))
    };
    let not = |name: &str| {
        format!("AWSCONFIG AWS Config is not recording resource type AWS::EC2::{name}.")
    };
    assert_eq!(only(&[ResourceType::SUBNET]), [not("NetworkAcl")], "said once");
    assert_eq!(
        only(&[ResourceType::NETWORK_ACL]),
        [
            not("Subnet"),
            "AWSCONFIG The network ACL on AWS::EC2::Subnet subnet-1 was not recorded.".to_owned()
        ]
    );
}

/// Semantics §10 row 28.
#[test]
fn a_subnet_of_another_account_is_its_owners() {
    let items = vec![
        owned("subnet-1", Some("222222222222")),
        owned("subnet-2", Some(ACCOUNT)),
        acl("acl-2", "subnet-2", BAD),
    ];
    let found = judge(&no_ssh(), items);
    assert_eq!(violators(&found), ["subnet-2 INVALID_NETWORK_ACL_ENTRY"]);
    assert_eq!((found.in_scope, found.gaps.len()), (1, 0));
}

#[test]
fn tags_of_subnets_decide_which_are_in_scope() {
    let mut policy = no_ssh();
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let bare = acl("acl-1", "subnet-1 subnet-2 subnet-3", BAD);
    let mut untold = subnet("subnet-3");
    untold.tags = None;
    let items = vec![tagged(subnet("subnet-1"), "env=prod"), subnet("subnet-2"), untold, bare];
    let found = judge(&policy, items);
    assert_eq!(violators(&found), ["subnet-1 INVALID_NETWORK_ACL_ENTRY"]);
    assert_eq!(found.in_scope, 1);
    assert_eq!(
        gaps(&found),
        ["AWSCONFIG The tags of AWS::EC2::Subnet subnet-3 were not recorded."]
    );
}

fn elder(accounts: &[&str], tags: &[(&str, &str)]) -> Elder {
    Elder {
        owner: account(crate::evaluate::world::ADMIN),
        resource_sets: Box::default(),
        id: "11111111-89ab-cdef-0123-456789abcdef".try_into().unwrap(),
        name: "first".into(),
        accounts: accounts.iter().map(|id| account(id)).collect(),
        tags: TagScope {
            tags: tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            ..TagScope::default()
        },
    }
}

/// Semantics §4.7, §11 row 53.
#[test]
fn a_subnet_in_the_scope_of_an_older_policy_is_out_of_scope() {
    let env = &[("env", "prod")][..];
    let app = &[("app", "web")][..];
    let prod = || tagged(subnet("subnet-1"), "env=prod");
    let untold = || Item { tags: None, ..subnet("subnet-1") };
    let mut later_untold = outdated(prod());
    later_untold.unseen_since.as_mut().unwrap().tags = None;
    let tags_gap = "AWSCONFIG The tags of AWS::EC2::Subnet subnet-1 were not recorded.";
    let late_gap =
        "AWSCONFIG The latest configuration of AWS::EC2::Subnet subnet-1 was not recorded.";
    let here = &[ACCOUNT][..];
    // elders | subnet | in scope | gap
    for (elders, subnet, in_scope, gap) in [
        (vec![], prod(), 1, None),
        (vec![elder(here, &[])], prod(), 0, None),
        (vec![elder(&["222222222222"], &[])], prod(), 1, None),
        (vec![elder(&["000000000000", ACCOUNT, "222222222222"], &[])], prod(), 0, None),
        (vec![elder(here, env)], prod(), 0, None),
        (vec![elder(here, app)], prod(), 1, None),
        (vec![elder(here, app), elder(here, env)], prod(), 0, None),
        (vec![elder(here, env)], untold(), 0, Some(tags_gap)),
        (vec![elder(here, env), elder(here, &[])], untold(), 0, None),
        (vec![elder(here, &[])], untold(), 0, None),
        (vec![elder(here, env)], later_untold.clone(), 0, Some(late_gap)),
        (vec![elder(here, &[])], later_untold, 0, None),
    ] {
        let mut policy = no_ssh();
        policy.elders = elders;
        let found = judge(&policy, vec![subnet.clone(), acl("acl-1", "subnet-1", BAD)]);
        assert_eq!((found.in_scope, found.violators.len()), (in_scope, in_scope as usize));
        assert_eq!(
            gaps(&found),
            gap.into_iter().collect::<Vec<_>>(),
            "{:?} {subnet:?}",
            policy.elders
        );
    }
}

/// Semantics §11 row 53: tags that are not told leave nothing open where an older policy holds the
/// subnet whatever they are.
#[test]
fn what_is_an_older_policys_is_no_gap_of_a_younger_one() {
    let mut policy = no_ssh();
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let untold = || Item { tags: None, ..subnet("subnet-1") };
    let items = || vec![untold(), acl("acl-1", "subnet-1", BAD)];
    assert_eq!(judge(&policy, items()).status(), None);
    policy.elders = vec![elder(&[ACCOUNT], &[])];
    let found = judge(&policy, items());
    assert_eq!((found.in_scope, found.status()), (0, Some(Status::Compliant)));
}

/// Semantics §11 rows 53 and 64.
#[test]
fn elders_are_those_before_a_policy_in_the_order_of_creation() {
    let named = |name: &str, region: &str| {
        let mut policy = no_ssh();
        policy.name = name.into();
        policy.region = region.try_into().unwrap();
        policy
    };
    let mut other = policy(
        "AWS::EC2::Subnet",
        Rule::UsageAudit(crate::policy::usage_audit::UsageAudit::default()),
    );
    other.name = "dns".into();
    let all = [
        named("a", "us-east-1"),
        other,
        named("b", "eu-west-1"),
        named("c", "us-east-1"),
        named("d", "us-east-1"),
    ];
    let found = elders(&all, |policy| {
        assert_ne!(&*policy.name, "d", "it has no younger ones");
        [account(ACCOUNT)].into()
    });
    let names =
        |elders: &[Elder]| elders.iter().map(|elder| elder.name.to_string()).collect::<Vec<_>>();
    let names: Vec<_> = found.iter().map(|elders| names(elders)).collect();
    assert_eq!(names, [vec![], vec![], vec![], vec!["a".to_owned()], vec!["a".into(), "c".into()]]);
}

fn found(policy: &Policy, items: Vec<Item>) -> NetworkAclFinding {
    let found = judge(policy, items);
    match found.violators[0].violations.as_slice() {
        [Violation { finding: Finding::NetworkAcls(finding), .. }] => finding.clone(),
        other => panic!("{other:?}"),
    }
}

/// Remedies in words, each with its obstacle.
fn remedies(policy: &Policy, items: Vec<Item>) -> Vec<(Vec<String>, Option<Obstacle>)> {
    let NetworkAclFinding::NetworkAclEntries { remedies, .. } = found(policy, items);
    for (at, remedy) in remedies.iter().enumerate() {
        assert_eq!(remedy.is_default, at == 0, "the first is the default one");
    }
    let told = remedies
        .into_iter()
        .map(|remedy| (remedy.steps.iter().map(AclStep::summary).collect(), remedy.obstacle));
    told.collect()
}

#[test]
fn a_finding_tells_where() {
    let NetworkAclFinding::NetworkAclEntries { acl: id, vpc, zone, entries, .. } =
        found(&no_ssh(), vec![subnet("subnet-1"), acl("acl-1", "subnet-1", BAD)]);
    assert_eq!(
        (&*id, vpc.as_deref(), zone.as_deref()),
        ("acl-1", Some("vpc-1"), Some("us-east-1a"))
    );
    assert_eq!(entries.len(), 1);
    // The network ACL's VPC is the subnet's.
    let bare = body(ResourceType::SUBNET, "subnet-1", Body::Subnet(Subnet::default()));
    let NetworkAclFinding::NetworkAclEntries { vpc, zone, .. } =
        found(&no_ssh(), vec![bare, acl("acl-1", "subnet-1", BAD)]);
    assert_eq!((vpc.as_deref(), zone), (Some("vpc-1"), None));
}

/// Semantics §5.11, first-time handling and remediation of managed ACLs; §3.7.
#[test]
fn what_ends_a_violation_depends_on_who_manages_the_network_acl() {
    let mut policy = no_ssh();
    policy.remediation_enabled = true;
    let subnet = || subnet("subnet-1");
    let managed = |item: Item| tagged(item, "FMManaged=true");
    let made = (
        vec![
            "create a network ACL in vpc-1 with the policy's first entries from rule 1 on, the \
             custom entries of acl-1 from rule 5000 on and the policy's last entries up to rule 32766"
                .to_owned(),
            "associate the subnet with the network ACL that was created".to_owned(),
        ],
        None,
    );
    let bad = || acl("acl-1", "subnet-1", BAD);
    assert_eq!(remedies(&policy, vec![subnet(), bad()]), std::slice::from_ref(&made));
    for not_managed in ["FMManaged=false", "fmmanaged=true", "FMManaged=True"] {
        let items = vec![subnet(), tagged(bad(), not_managed)];
        assert_eq!(remedies(&policy, items), std::slice::from_ref(&made), "{not_managed}");
    }
    let untold = Item { tags: None, ..bad() };
    assert_eq!(remedies(&policy, vec![subnet(), untold]), std::slice::from_ref(&made));
    // One that is as the policy wants it is at hand.
    let at_hand = (
        vec![
            "associate the subnet with network ACL acl-2, whose custom entries count then"
                .to_owned(),
        ],
        None,
    );
    let with = |other: Item| remedies(&policy, vec![subnet(), bad(), other]);
    let good = || acl("acl-2", "", GOOD);
    assert_eq!(with(managed(good())), [at_hand, made.clone()]);
    for other in [
        good(),
        managed(acl("acl-2", "", BAD)),
        managed(edited(good(), |acl| acl.vpc = Some("vpc-2".into()))),
        managed(edited(good(), |acl| acl.vpc = None)),
        managed(edited(good(), |acl| acl.entries = None)),
        outdated(managed(good())),
    ] {
        assert_eq!(with(other.clone()), std::slice::from_ref(&made), "{other:?}");
    }
    // A managed one is mended.
    let mended = |text: &str| {
        remedies(&policy, vec![subnet(), managed(acl("acl-1", "subnet-1", text)), managed(good())])
    };
    let add = |rule: &str| format!("add to acl-1: {rule}`deny tcp 22 from 0.0.0.0/0`");
    assert_eq!(mended(BAD), [(vec![add("rule 1 ")], None)]);
    let misplaced = "100 in deny tcp 80 0.0.0.0/0; 110 in deny tcp 22 0.0.0.0/0";
    let delete = "delete from acl-1: rule 110 `deny tcp 22 from 0.0.0.0/0`".to_owned();
    assert_eq!(mended(misplaced), [(vec![add("rule 1 "), delete], None)]);
    let crowded = "1 in allow tcp 80 0.0.0.0/0";
    assert_eq!(mended(crowded), [(vec![add("")], Some(Obstacle::NoRoom))]);
}

/// Semantics §3.7, §5.11: FMSCanRemediate.
#[test]
fn remediation_stops_at_what_the_policy_does_not_allow() {
    let across = "100 in allow tcp 22 10.0.0.0/8; 110 in deny tcp 22 0.0.0.0/0; \
                  120 out allow -1 * 0.0.0.0/0; 130 out deny tcp 25 0.0.0.0/0";
    let free = "100 in deny tcp 80 0.0.0.0/0; 110 in deny tcp 22 0.0.0.0/0; \
                120 out deny tcp 25 0.0.0.0/0; 130 out allow -1 * 10.0.0.0/8";
    let last_across = "100 in deny tcp 22 0.0.0.0/0; 120 out deny tcp 25 0.0.0.0/0; \
                       130 out allow -1 * 0.0.0.0/0";
    // entries | remediation | force first | force last | obstacle
    for (text, on, first, last, wanted) in [
        (across, false, true, true, Some(Obstacle::Off)),
        (across, true, false, true, Some(Obstacle::Conflict)),
        (across, true, true, false, None),
        (free, true, true, false, Some(Obstacle::Conflict)),
        (free, true, false, true, None),
        (last_across, true, true, false, Some(Obstacle::Conflict)),
        (last_across, true, false, true, None),
    ] {
        for tags in ["", "FMManaged=true"] {
            let rule = NetworkAclCommon {
                force_first: first,
                force_last: last,
                ..rule(DENY_SSH, "out deny tcp 25 0.0.0.0/0")
            };
            let mut policy = of(rule);
            policy.remediation_enabled = on;
            let items = vec![subnet("subnet-1"), tagged(acl("acl-1", "subnet-1", text), tags)];
            let obstacles: Vec<_> =
                remedies(&policy, items).into_iter().map(|(_, obstacle)| obstacle).collect();
            assert_eq!(obstacles, [wanted], "{text} {on} {first} {last} {tags}");
        }
    }
}

#[test]
fn only_what_is_read_of_a_resource_shows() {
    let rule = rule(DENY_SSH, "");
    let good = acl("acl-1", "subnet-1", GOOD);
    let mut later = good.clone();
    later.version = crate::inventory::Version { state: Some(9), captured_ms: 9 };
    assert!(rule.shows_same(&good, &later));
    assert!(!rule.shows_same(&good, &tagged(good.clone(), "FMManaged=true")));
    assert!(!rule.shows_same(&good, &acl("acl-1", "subnet-1", BAD)));
    assert!(!rule.shows_same(&good, &acl("acl-1", "", GOOD)));
    let mut told = outdated(good.clone());
    told.unseen_since.as_mut().unwrap().tags = good.tags.clone();
    assert!(!rule.shows_same(&outdated(good), &told));
}

/// Semantics §5.11: entries dropped from the policy count until they are removed.
#[test]
fn what_an_earlier_version_wanted_counts_in_a_managed_network_acl_until_it_is_removed() {
    const RDP: &str = "in deny tcp 3389 0.0.0.0/0";
    let former = |first: &str, last: &str| {
        let part = |text| listed(text).map(entry).collect();
        Some(Former { first: part(first), last: part(last) })
    };
    let left =
        "1 in deny tcp 22 0.0.0.0/0; 2 in deny tcp 3389 0.0.0.0/0; 5000 in allow -1 * 0.0.0.0/0";
    let mended = "1 in deny tcp 22 0.0.0.0/0; 5000 in allow -1 * 0.0.0.0/0";
    let low = "1 in deny tcp 22 0.0.0.0/0; 4999 in allow -1 * 0.0.0.0/0";
    let high = "1 in deny tcp 22 0.0.0.0/0; 32001 in allow -1 * 0.0.0.0/0";
    let at_end = "1 in deny tcp 22 0.0.0.0/0; 32000 in allow -1 * 0.0.0.0/0";
    let breaks = "subnet-1 INVALID_NETWORK_ACL_ENTRY";
    let unknown = "AWSVPC Whether entries of network ACL acl-1 are left of an earlier version of the \
                   policy is not known.";
    // earlier versions | FMManaged | entries | outcome
    for (former, tag, text, wanted) in [
        (former(RDP, ""), "true", left, breaks),
        (former("", RDP), "true", left, breaks),
        (former(RDP, ""), "true", mended, ""),
        (former("", ""), "true", left, ""),
        // What is wanted still is not left of an earlier version.
        (former(DENY_SSH, ""), "true", mended, ""),
        // In another network ACL it is a custom entry.
        (former(RDP, ""), "false", left, ""),
        (None, "true", left, unknown),
        (None, "true", low, unknown),
        (None, "true", high, unknown),
        (None, "true", mended, ""),
        (None, "true", at_end, ""),
        (None, "false", left, ""),
    ] {
        let policy = of(NetworkAclCommon { former, ..rule(DENY_SSH, "") });
        let acl = tagged(acl("acl-1", "subnet-1", text), &format!("FMManaged={tag}"));
        let found = judge(&policy, vec![subnet("subnet-1"), acl]);
        let told: Vec<String> = violators(&found).into_iter().chain(gaps(&found)).collect();
        assert_eq!(told.join("; "), wanted, "{policy:?} {tag} {text}");
    }
    // Where it is not told whether it is managed, it may be left.
    let policy = of(NetworkAclCommon { former: former(RDP, ""), ..rule(DENY_SSH, "") });
    let mut untagged = acl("acl-1", "subnet-1", left);
    untagged.tags = None;
    let found = judge(&policy, vec![subnet("subnet-1"), untagged]);
    assert_eq!(gaps(&found), ["AWSCONFIG The tags of network ACL acl-1 were not recorded."]);
    let found = judge(
        &policy,
        vec![subnet("subnet-1"), tagged(acl("acl-1", "subnet-1", left), "FMManaged=true")],
    );
    let Finding::NetworkAcls(NetworkAclFinding::NetworkAclEntries { remedies, .. }) =
        &found.violators[0].violations[0].finding
    else {
        panic!()
    };
    let steps: Vec<String> = remedies[0].steps.iter().map(AclStep::summary).collect();
    assert_eq!(steps, ["delete from acl-1: rule 2 `deny tcp 3389 from 0.0.0.0/0`"]);
}
