use crate::evaluate::world::{
    ACCOUNT, ADMIN, account, body, gaps, group, held, instance, interface, judged, outdated,
    policy, shard_id, tagged, violators, world,
};
use crate::evaluate::{Direction, Fact, Finding, Judgement, References, RuleAction};
use crate::inventory::{Cause, OpenGap, PrefixList, Recorder, RecordingGroup, Shard};
use crate::lists::App;
use crate::policy::Rule;
use crate::policy::content_audit::{
    AuditAction, AuditDirection, AuditGroups, ListReference, ManagedOptions,
};

use super::*;

mod lists;
mod parts;
mod prefix_lists;
mod remedies;
mod resources;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const ALL: &str = "AWS::EC2::SecurityGroup AWS::EC2::NetworkInterface AWS::EC2::Instance";
const APPS: &str = "11111111-0000-0000-0000-000000000000";
const PROTOCOLS: &str = "22222222-0000-0000-0000-000000000000";

fn custom(action: AuditAction) -> ContentAudit {
    let ids = vec!["sg-audit".try_into().unwrap()];
    ContentAudit { audit: Some(AuditGroups { ids, action }), managed: None }
}

fn managed(options: ManagedOptions) -> ContentAudit {
    ContentAudit { audit: None, managed: Some(options) }
}

fn overridden(action: AuditAction, options: ManagedOptions) -> ContentAudit {
    ContentAudit { managed: Some(options), ..custom(action) }
}

fn about(resource_types: &str, audit: ContentAudit) -> Policy {
    policy(resource_types, Rule::ContentAudit(audit))
}

/// The references of a policy with the audit group made of these rules.
fn audit_group_of(policy: &Policy, rules: &str) -> References {
    let id = "sg-audit".try_into().unwrap();
    [(administrators_group(policy, &id), held(group("sg-audit", rules)))].into()
}

fn in_shard(policy: &Policy, references: &References, items: Vec<Item>) -> Judgement {
    judged(policy, &world(items), references)
}

/// Rows of `rule | comply` or `rule | what it breaks`, each judged as a group's only rule.
fn check(audit: &ContentAudit, audit_rules: &str, table: &str) {
    let policy = about(GROUP, audit.clone());
    let references = audit_group_of(&policy, audit_rules);
    check_with(&policy, &references, &[], table);
}

fn check_with(policy: &Policy, references: &References, beside: &[Item], table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (rule, want) = row.split_once('|').unwrap();
        let mut items = vec![group("sg-1", rule)];
        items.extend_from_slice(beside);
        let judgement = in_shard(policy, references, items);
        assert_eq!(judgement.gaps.len(), 0, "{row}");
        let found = match judgement.violators.as_slice() {
            [] => "comply",
            [violator] => match &violator.violations[0].finding {
                Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
                    against,
                    ..
                }) => against,
                other => panic!("{other:?}"),
            },
            more => panic!("{more:?}"),
        };
        assert_eq!(found, want.trim(), "{row}");
    }
}

fn app(protocol: &str, port: u16) -> App {
    App { name: format!("{protocol}-{port}").into(), protocol: protocol.into(), port }
}

fn custom_list(id: &str) -> Option<ListReference> {
    Some(ListReference { custom: vec![id.try_into().unwrap()], default: None })
}

fn default_list(id: &str, version: Option<&str>) -> Option<ListReference> {
    let default = Some((id.try_into().unwrap(), version.map(Into::into)));
    Some(ListReference { custom: vec![], default })
}

fn lists(apps: Vec<App>, protocols: &[&str]) -> References {
    let (owner, region) = (account(ADMIN), shard_id().region);
    let apps_list = Reference::AppsList {
        owner: owner.clone(),
        region: region.clone(),
        id: APPS.try_into().unwrap(),
    };
    let protocols_list =
        Reference::ProtocolsList { owner, region, id: PROTOCOLS.try_into().unwrap() };
    let protocols = protocols.iter().map(|text| (*text).into()).collect();
    [(apps_list, Fact::Apps(apps)), (protocols_list, Fact::Protocols(protocols))].into()
}

#[test]
fn custom_allow_wants_each_rule_inside_one_audit_rule() {
    check(
        &custom(AuditAction::Allow),
        "in tcp 443 0.0.0.0/0; in tcp 8000-8009 10.0.0.0/8; in tcp 8010-8019 10.0.0.0/8;
         in tcp 22 10.0.0.0/9; in tcp 22 10.128.0.0/9; in udp 53 pl-1; in tcp 25 sg-9;
         in icmp 8/-1 10.0.0.0/8",
        "in tcp 443 0.0.0.0/0        | comply
         in tcp 443 10.1.0.0/16      | comply
         in tcp 443 ::/0             | no rule of audit group sg-audit allows it
         in tcp 443-444 0.0.0.0/0    | no rule of audit group sg-audit allows it
         in udp 443 0.0.0.0/0        | no rule of audit group sg-audit allows it
         in tcp 8000-8009 10.0.0.0/8 | comply
         in tcp 8009-8010 10.0.0.0/8 | no rule of audit group sg-audit allows it
         in tcp 22 10.0.0.0/9        | comply
         in tcp 22 10.0.0.0/8        | no rule of audit group sg-audit allows it
         in udp 53 pl-1              | comply
         in udp 54 pl-2              | no rule of audit group sg-audit allows it
         in tcp 25 sg-9              | no rule of audit group sg-audit allows it
         in tcp 443 sg-1             | no rule of audit group sg-audit allows it
         in icmp 8/0 10.0.0.0/8      | comply
         in icmp 0/0 10.0.0.0/8      | no rule of audit group sg-audit allows it
         in -1 * 10.0.0.0/8          | no rule of audit group sg-audit allows it
         out tcp 443 0.0.0.0/0       | no rule of audit group sg-audit allows it",
    );
}

#[test]
fn custom_allow_of_everything_allows_everything_but_references() {
    check(
        &custom(AuditAction::Allow),
        "in -1 * 0.0.0.0/0 ::/0 pl-1",
        "in -1 * 0.0.0.0/0     | comply
         in 50 * 10.0.0.0/8    | comply
         in icmpv6 128/0 ::/0  | comply
         in -1 * pl-1          | comply
         in -1 * sg-1          | no rule of audit group sg-audit allows it",
    );
}

#[test]
fn custom_deny_condemns_any_overlap() {
    check(
        &custom(AuditAction::Deny),
        "in tcp 22-25 0.0.0.0/0; in tcp 80 pl-1; in tcp 3389 sg-9; in icmp 8/0 10.0.0.0/8",
        "in tcp 22 10.0.0.0/32    | denied by `tcp 22-25 from 0.0.0.0/0` of audit group sg-audit
         in tcp 25-30 0.0.0.0/0   | denied by `tcp 22-25 from 0.0.0.0/0` of audit group sg-audit
         in tcp 26-30 0.0.0.0/0   | comply
         in tcp 1-21 0.0.0.0/0    | comply
         in -1 * 10.0.0.0/8       | denied by `icmp type 8 code 0 from 10.0.0.0/8` of audit group sg-audit
         in tcp 22 ::/0           | comply
         in udp 22 0.0.0.0/0      | comply
         in tcp 80 pl-1           | denied by `tcp 80 from pl-1` of audit group sg-audit
         in tcp 3389 sg-9         | comply
         in -1 * sg-9             | comply
         in icmp -1/-1 0.0.0.0/0  | denied by `icmp type 8 code 0 from 10.0.0.0/8` of audit group sg-audit
         in icmp 8/1 0.0.0.0/0    | comply
         out tcp 22 0.0.0.0/0     | comply",
    );
}

#[test]
fn an_empty_audit_group_allows_nothing_and_denies_nothing() {
    let none = "no rule of audit group sg-audit allows it";
    check(&custom(AuditAction::Allow), "", &format!("in tcp 22 10.0.0.0/8 | {none}"));
    check(&custom(AuditAction::Deny), "", "in -1 * 0.0.0.0/0 | comply");
}

#[test]
fn a_group_reports_each_offending_rule_once_in_order() {
    let policy = about(GROUP, custom(AuditAction::Allow));
    let references = audit_group_of(&policy, "in tcp 443 0.0.0.0/0");
    let rules =
        "out -1 * ::/0; in tcp 443 0.0.0.0/0; in tcp 22 0.0.0.0/0 10.0.0.0/8; in tcp 22 10.0.0.0/8";
    let judgement = in_shard(&policy, &references, vec![group("sg-1", rules)]);
    let found: Vec<_> = judgement.violators[0]
        .violations
        .iter()
        .map(|violation| match &violation.finding {
            Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
                group,
                direction,
                rule,
                ..
            }) => {
                format!("{group} {direction:?} {rule}")
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "sg-1 Ingress tcp 22 from 0.0.0.0/0",
            "sg-1 Ingress tcp 22 from 10.0.0.0/8",
            "sg-1 Egress all traffic to ::/0",
        ]
    );
}

#[test]
fn violations_of_one_group_are_told_to_their_limit() {
    let policy = about(GROUP, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (rules, told) in [(99, 99), (100, 100), (101, VIOLATIONS_MAX)] {
        let rule = |n: usize| format!("in tcp 22 10.0.{}.{}/32;", n / 256, n % 256);
        let rules: String = (0..rules).map(rule).collect();
        let judgement = in_shard(&policy, &references, vec![group("sg-1", &rules)]);
        assert_eq!(judgement.violators[0].violations.len(), told);
    }
}

#[test]
fn deny_protocol_all_condemns_minus_one_alone() {
    check(
        &managed(ManagedOptions { deny_protocol_all: true, ..ManagedOptions::default() }),
        "",
        "in -1 * 10.0.0.0/8   | denyProtocolAllValue: every protocol is open
         out -1 * sg-1        | denyProtocolAllValue: every protocol is open
         in tcp * 0.0.0.0/0   | comply
         in 0 * 10.0.0.0/8    | comply",
    );
}

#[test]
fn ports_are_counted_to_the_most_allowed() {
    let at_most = |max| ManagedOptions { port_count_max: Some(max), ..ManagedOptions::default() };
    check(
        &managed(at_most(10)),
        "",
        "in tcp 1-10 10.0.0.0/8    | comply
         in tcp 1-11 10.0.0.0/8    | allowedPortCountPerSgRule: 11 ports, and 10 is the most
         out udp 1-11 sg-1         | allowedPortCountPerSgRule: 11 ports, and 10 is the most
         in -1 * 10.0.0.0/8        | allowedPortCountPerSgRule: 65536 ports, and 10 is the most
         in icmp -1/-1 10.0.0.0/8  | comply
         in 50 * 10.0.0.0/8        | comply",
    );
    check(&managed(at_most(65_536)), "", "in -1 * 0.0.0.0/0 | comply");
    check(
        &managed(at_most(65_535)),
        "",
        "in tcp * 0.0.0.0/0 | allowedPortCountPerSgRule: 65536 ports, and 65535 is the most
         in tcp 1-65535 0.0.0.0/0 | comply",
    );
    check(
        &managed(at_most(0)),
        "",
        "in tcp 1 10.0.0.0/8 | allowedPortCountPerSgRule: 1 ports, and 0 is the most",
    );
}

#[test]
fn prefix_lengths_are_held_against_their_family() {
    check(
        &managed(ManagedOptions {
            ipv4_prefix_len_min: Some(16),
            ipv6_prefix_len_min: Some(48),
            ..ManagedOptions::default()
        }),
        "",
        "in tcp 22 10.0.0.0/16     | comply
         in tcp 22 10.0.0.0/15     | minIpv4CidrPrefixLenPerSgRule: /15 is wider than /16
         out tcp 22 0.0.0.0/0      | minIpv4CidrPrefixLenPerSgRule: /0 is wider than /16
         in tcp 22 2001:db8::/48   | comply
         in tcp 22 2001:db8::/47   | minIpv6CidrPrefixLenPerSgRule: /47 is wider than /48
         in tcp 22 sg-1            | comply",
    );
    check(
        &managed(ManagedOptions { ipv4_prefix_len_min: Some(32), ..ManagedOptions::default() }),
        "",
        "in tcp 22 10.0.0.1/32     | comply
         in tcp 22 10.0.0.0/31     | minIpv4CidrPrefixLenPerSgRule: /31 is wider than /32
         in tcp 22 ::/0            | comply",
    );
}

#[test]
fn all_broken_options_of_a_rule_are_named() {
    check(
        &managed(ManagedOptions {
            deny_protocol_all: true,
            port_count_max: Some(1),
            ipv4_prefix_len_min: Some(8),
            ..ManagedOptions::default()
        }),
        "",
        "in -1 * 0.0.0.0/0 | denyProtocolAllValue: every protocol is open; \
         allowedPortCountPerSgRule: 65536 ports, and 1 is the most; \
         minIpv4CidrPrefixLenPerSgRule: /0 is wider than /8",
    );
}

#[test]
fn the_direction_says_which_rules_are_looked_at() {
    let options = |direction| ManagedOptions {
        direction,
        deny_protocol_all: true,
        ..ManagedOptions::default()
    };
    let broken = "denyProtocolAllValue: every protocol is open";
    for (direction, ingress, egress) in [
        (AuditDirection::All, broken, broken),
        (AuditDirection::Ingress, broken, "comply"),
        (AuditDirection::Egress, "comply", broken),
    ] {
        let table = format!("in -1 * 10.0.0.0/8 | {ingress}\n out -1 * 10.0.0.0/8 | {egress}");
        check(&managed(options(direction)), "", &table);
    }
    check(
        &overridden(AuditAction::Deny, options(AuditDirection::Egress)),
        "in tcp 22 0.0.0.0/0; out tcp 22 0.0.0.0/0",
        "in tcp 22 0.0.0.0/0  | comply
         out tcp 22 0.0.0.0/0 | denied by `tcp 22 to 0.0.0.0/0` of audit group sg-audit",
    );
}

#[test]
fn overrides_win_over_the_options() {
    let options = ManagedOptions { port_count_max: Some(1), ..ManagedOptions::default() };
    check(
        &overridden(AuditAction::Allow, options.clone()),
        "in tcp 1-100 10.0.0.0/8",
        "in tcp 1-100 10.0.0.0/8 | comply
         in tcp 2-99 10.0.0.0/9  | comply
         in tcp 1-101 10.0.0.0/8 | allowedPortCountPerSgRule: 101 ports, and 1 is the most
         in tcp 22 0.0.0.0/0     | comply
         in tcp 22 sg-1          | comply
         in tcp 22-23 sg-1       | allowedPortCountPerSgRule: 2 ports, and 1 is the most",
    );
    check(
        &overridden(AuditAction::Deny, options),
        "in tcp 22 10.0.0.0/8",
        "in tcp 22 10.1.0.0/16   | denied by `tcp 22 from 10.0.0.0/8` of audit group sg-audit
         in tcp 22 0.0.0.0/0     | denied by `tcp 22 from 10.0.0.0/8` of audit group sg-audit
         in tcp 23 10.0.0.0/8    | comply
         in tcp 23-24 10.0.0.0/8 | allowedPortCountPerSgRule: 2 ports, and 1 is the most
         in tcp 22 sg-1          | comply",
    );
}

mod generated {
    use proptest::prelude::*;

    use super::*;

    const POOL: [&str; 6] = [
        "in tcp 22 0.0.0.0/0",
        "in tcp 443 0.0.0.0/0",
        "in -1 * 10.0.0.0/8",
        "in tcp 22 sg-9",
        "out -1 * 0.0.0.0/0",
        "in tcp 20-30 pl-1",
    ];

    /// The list that rules name, with an address that no other rule has.
    fn list_one() -> Item {
        let ipv4 = Some(vec!["192.0.2.0/24".parse().unwrap()]);
        let list = PrefixList { id: "pl-1".into(), ipv4, ipv6: Some(vec![]) };
        body(ResourceType::PREFIX_LIST, "pl-1", Body::PrefixList(list))
    }

    fn any_rules() -> impl Strategy<Value = String> {
        proptest::sample::subsequence(POOL.to_vec(), 0..=POOL.len())
            .prop_map(|rules| rules.join(";"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_interface_violates_exactly_when_a_group_on_it_does(
            groups in proptest::collection::vec(any_rules(), 1..5),
            on in proptest::collection::vec(0..6usize, 0..4),
            audit_rules in any_rules(),
            allow in any::<bool>(),
        ) {
            let action = if allow { AuditAction::Allow } else { AuditAction::Deny };
            let policy = about(ALL, custom(action));
            let references = audit_group_of(&policy, &audit_rules);
            let ids: Vec<_> = (0..6).map(|n| format!("sg-{n}")).collect();
            let carried: Vec<_> = on.iter().map(|n| ids[*n].as_str()).collect();
            let mut items: Vec<_> =
                groups.iter().zip(&ids).map(|(rules, id)| group(id, rules)).collect();
            items.push(list_one());
            items.push(interface("eni-1", &carried));
            items.push(instance("i-1", &[], &[("eni-1", &carried)]));
            let judgement = in_shard(&policy, &references, items);
            let violates = |id: &str| judgement.violators.iter().any(|v| v.id.as_str() == id);
            let guilty = carried.iter().any(|id| violates(id));
            let unheld = on.iter().any(|n| *n >= groups.len());
            prop_assert_eq!(violates("eni-1"), guilty);
            prop_assert_eq!(violates("i-1"), guilty);
            prop_assert_eq!(!judgement.gaps.is_empty(), unheld && !guilty);
        }

        #[test]
        fn what_custom_allow_passes_custom_deny_of_the_same_rules_condemns(
            rules in any_rules(),
            audit_rules in any_rules(),
        ) {
            // Inside a rule is also overlapping it, so nothing can pass both.
            let found = [AuditAction::Allow, AuditAction::Deny].map(|action| {
                let policy = about(GROUP, custom(action));
                let references = audit_group_of(&policy, &audit_rules);
                let judgement = in_shard(&policy, &references, vec![group("sg-1", &rules), list_one()]);
                judgement.violators.first().map_or(0, |violator| violator.violations.len())
            });
            let Body::SecurityGroup(held) = group("sg-1", &rules).body else { unreachable!() };
            let of_groups = held.ingress.iter().filter(|rule| !rule.groups.is_empty()).count();
            prop_assert!(found[0] + found[1] >= crate::evaluate::opening::openings(&held).len());
            prop_assert!(found[0] >= of_groups);
        }
    }
}
