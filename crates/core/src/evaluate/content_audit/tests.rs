use crate::evaluate::world::{
    ACCOUNT, ADMIN, account, body, gaps, group, instance, interface, judged, outdated, policy,
    shard_id, tagged, violators, world,
};
use crate::evaluate::{App, Direction, Fact, Judgement, References, RuleAction};
use crate::inventory::{PrefixList, Recorder, RecordingGroup, Shard};
use crate::policy::Rule;
use crate::policy::content_audit::{
    AuditAction, AuditDirection, AuditGroups, ListReference, ManagedOptions,
};

use super::*;

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
    [(audit_group(policy, &id), Fact::Item(group("sg-audit", rules)))].into()
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
                Finding::SecurityGroupRule { against, .. } => against,
                other => panic!("{other:?}"),
            },
            more => panic!("{more:?}"),
        };
        assert_eq!(found, want.trim(), "{row}");
    }
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
         in udp 53 pl-2              | no rule of audit group sg-audit allows it
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
         in -1 * sg-1          | no rule of audit group sg-audit allows it
         in -1 * pl-2          | no rule of audit group sg-audit allows it",
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
         in tcp 80 pl-2           | comply
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
            Finding::SecurityGroupRule { group, direction, rule, .. } => {
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
         in tcp 22 pl-1            | comply
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
fn protocols_must_be_in_the_lists() {
    let options =
        ManagedOptions { allowed_protocols: custom_list(PROTOCOLS), ..ManagedOptions::default() };
    let policy = about(GROUP, managed(options));
    let references = lists(vec![], &["TCP", "17", "icmp", "50"]);
    check_with(
        &policy,
        &references,
        &[],
        "in tcp 22 0.0.0.0/0      | comply
         in udp 53 10.0.0.0/8     | comply
         in icmp 8/0 10.0.0.0/8   | comply
         in 50 * 10.0.0.0/8       | comply
         out tcp 22 sg-1          | comply
         in icmpv6 128/0 ::/0     | allowedProtocolsLists: icmpv6 is in no allowed list
         in 51 * 10.0.0.0/8       | allowedProtocolsLists: protocol 51 is in no allowed list
         out 51 * sg-1            | allowedProtocolsLists: protocol 51 is in no allowed list
         in -1 * 10.0.0.0/8       | allowedProtocolsLists: protocol -1 is in no allowed list",
    );
}

#[test]
fn public_rules_open_allowed_apps_alone() {
    let options =
        ManagedOptions { allowed_public_apps: custom_list(APPS), ..ManagedOptions::default() };
    let policy = about(GROUP, managed(options));
    let apps = vec![app("tcp", 80), app("TCP", 81), app("6", 443), app("icmp", 0), app("50", 7)];
    let not = |what: &str| {
        format!("allowedPublicAccessAppLists: {what} is public and in no allowed list")
    };
    check_with(
        &policy,
        &lists(apps, &[]),
        &[],
        &format!(
            "in tcp 80 0.0.0.0/0       | comply
             in tcp 80-81 0.0.0.0/0    | comply
             in tcp 443 ::/0           | comply
             in tcp 80-82 0.0.0.0/0    | {tcp82}
             in tcp 79-80 0.0.0.0/0    | {tcp79}
             in tcp 22 8.8.8.8/32      | {tcp22}
             in udp 80 0.0.0.0/0       | {udp80}
             in -1 * 0.0.0.0/0         | {all}
             in 51 * 0.0.0.0/0         | {p51}
             in 50 * 0.0.0.0/0         | comply
             in icmp 8/0 0.0.0.0/0     | comply
             in icmpv6 128/0 ::/0      | {icmpv6}
             in tcp 22 10.0.0.0/8      | comply
             in tcp 22 172.16.0.0/12   | comply
             in tcp 22 172.16.0.0/11   | {tcp22}
             in tcp 22 172.15.255.255/32 | {tcp22}
             in tcp 22 172.32.0.0/32   | {tcp22}
             in tcp 22 fc00::/7        | comply
             in -1 * 192.168.0.0/16    | comply
             in -1 * sg-1              | comply
             out -1 * 0.0.0.0/0        | comply",
            tcp22 = not("tcp 22"),
            tcp79 = not("tcp 79"),
            tcp82 = not("tcp 82"),
            udp80 = not("udp 80"),
            all = not("protocol -1"),
            p51 = not("protocol 51"),
            icmpv6 = not("icmpv6"),
        ),
    );
}

#[test]
fn public_rules_meet_no_denied_app() {
    let options =
        ManagedOptions { denied_public_apps: custom_list(APPS), ..ManagedOptions::default() };
    let policy = about(GROUP, managed(options));
    let apps = vec![app("tcp", 22), app("tcp", 3389), app("icmp", 0), app("50", 0)];
    let hit =
        |what: &str| format!("deniedPublicAccessAppLists: {what} is public and in a denied list");
    check_with(
        &policy,
        &lists(apps, &[]),
        &[],
        &format!(
            "in tcp 22 0.0.0.0/0       | {ssh}
             in tcp 1-22 0.0.0.0/0     | {ssh}
             in tcp 22-30 ::/0         | {ssh}
             in tcp 23-3388 0.0.0.0/0  | comply
             in tcp 23-3389 0.0.0.0/0  | {rdp}
             in udp 22 0.0.0.0/0       | comply
             in -1 * 0.0.0.0/0         | {icmp}
             in icmp 8/0 0.0.0.0/0     | {icmp}
             in icmpv6 128/0 ::/0      | comply
             in 50 * 0.0.0.0/0         | {esp}
             in 51 * 0.0.0.0/0         | comply
             in tcp 22 100.64.0.0/10   | comply
             in tcp 22 sg-1            | comply
             out tcp 22 0.0.0.0/0      | comply",
            ssh = hit("tcp-22 (tcp 22)"),
            rdp = hit("tcp-3389 (tcp 3389)"),
            icmp = hit("icmp-0 (icmp)"),
            esp = hit("50-0 (protocol 50)"),
        ),
    );
}

#[test]
fn prefix_lists_are_public_by_their_entries_and_without_them() {
    let options =
        ManagedOptions { denied_public_apps: custom_list(APPS), ..ManagedOptions::default() };
    let policy = about(GROUP, managed(options));
    let list = |id: &str, ipv4: &[&str]| {
        let ipv4 = Some(ipv4.iter().map(|range| range.parse().unwrap()).collect());
        let list = PrefixList { id: id.into(), ipv4, ipv6: Some(vec![]) };
        body(ResourceType::PREFIX_LIST, id, Body::PrefixList(list))
    };
    let untold = PrefixList { id: "pl-untold".into(), ..PrefixList::default() };
    let beside = [
        list("pl-private", &["10.0.0.0/8", "192.168.0.0/16"]),
        list("pl-mixed", &["10.0.0.0/8", "8.8.8.0/24"]),
        list("pl-empty", &[]),
        body(ResourceType::PREFIX_LIST, "pl-untold", Body::PrefixList(untold)),
        body(ResourceType::PREFIX_LIST, "pl-unseen", Body::Unseen),
    ];
    let ssh = "deniedPublicAccessAppLists: tcp-22 (tcp 22) is public and in a denied list";
    let unknown =
        |id: &str| format!("{ssh} (the entries of {id} are unknown, so it counts as public)");
    check_with(
        &policy,
        &lists(vec![app("tcp", 22)], &[]),
        &beside,
        &format!(
            "in tcp 22 pl-private | comply
             in tcp 22 pl-empty   | comply
             in tcp 22 pl-mixed   | {ssh}
             in tcp 22 pl-untold  | {untold}
             in tcp 22 pl-unseen  | {unseen}
             in tcp 22 pl-strange | {strange}
             in tcp 80 pl-strange | comply",
            untold = unknown("pl-untold"),
            unseen = unknown("pl-unseen"),
            strange = unknown("pl-strange"),
        ),
    );
}

#[test]
fn public_access_is_not_judged_when_egress_alone_is_audited() {
    for (direction, want) in
        [(AuditDirection::All, 1), (AuditDirection::Ingress, 1), (AuditDirection::Egress, 0)]
    {
        let options = ManagedOptions {
            direction,
            denied_public_apps: custom_list(APPS),
            ..ManagedOptions::default()
        };
        let policy = about(GROUP, managed(options));
        let rules = "in tcp 22 0.0.0.0/0; out tcp 22 0.0.0.0/0";
        let references = lists(vec![app("tcp", 22)], &[]);
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rules)]);
        let count: usize = judgement.violators.iter().map(|v| v.violations.len()).sum();
        assert_eq!(count, want, "{direction:?}");
    }
}

#[test]
fn lists_of_aws_are_found_by_id_and_version() {
    let allowed = crate::lists::default_apps_lists()
        .into_iter()
        .find(|list| list.name.ends_with("Allowed"))
        .unwrap();
    for version in [None, Some("1")] {
        let options = ManagedOptions {
            allowed_public_apps: default_list(allowed.id.as_str(), version),
            ..ManagedOptions::default()
        };
        check(
            &managed(options),
            "",
            "in tcp 443 0.0.0.0/0 | comply
             in tcp 22 0.0.0.0/0  | allowedPublicAccessAppLists: tcp 22 is public and in no allowed list",
        );
    }
}

#[test]
fn custom_lists_and_lists_of_aws_join() {
    let allowed = crate::lists::default_protocols_lists().remove(0);
    let mut reference = default_list(allowed.id.as_str(), None).unwrap();
    reference.custom = vec![PROTOCOLS.try_into().unwrap()];
    let options = ManagedOptions { allowed_protocols: Some(reference), ..Default::default() };
    check_with(
        &about(GROUP, managed(options)),
        &lists(vec![], &["icmp"]),
        &[],
        "in tcp 22 10.0.0.0/8   | comply
         in icmp 8/0 10.0.0.0/8 | comply
         in 50 * 10.0.0.0/8     | allowedProtocolsLists: protocol 50 is in no allowed list",
    );
}

#[test]
fn a_missing_list_is_a_gap_and_leaves_no_result() {
    let shard = || vec![group("sg-1", "in -1 * 0.0.0.0/0")];
    let judge = |options: ManagedOptions| {
        let options = ManagedOptions { deny_protocol_all: true, ..options };
        in_shard(&about(GROUP, managed(options)), &References::new(), shard())
    };
    let unknown = "33333333-0000-0000-0000-000000000000";
    let allowed = crate::lists::default_apps_lists().remove(0).id;
    for (options, want) in [
        (
            ManagedOptions { denied_public_apps: custom_list(APPS), ..Default::default() },
            format!("AWSVPC Applications list {APPS} could not be found."),
        ),
        (
            ManagedOptions { allowed_protocols: custom_list(PROTOCOLS), ..Default::default() },
            format!("AWSVPC Protocols list {PROTOCOLS} could not be found."),
        ),
        (
            ManagedOptions { allowed_protocols: default_list(unknown, None), ..Default::default() },
            format!("AWSVPC Protocols list {unknown} of AWS, version latest, could not be found."),
        ),
        (
            ManagedOptions {
                allowed_public_apps: default_list(allowed.as_str(), Some("99")),
                ..Default::default()
            },
            format!("AWSVPC Applications list {allowed} of AWS, version 99, could not be found."),
        ),
    ] {
        let judgement = judge(options);
        assert_eq!(gaps(&judgement), [want]);
        assert_eq!((violators(&judgement), judgement.status()), (vec![], None));
        assert_eq!(judgement.in_scope, 1);
    }
    let empty =
        ManagedOptions { allowed_protocols: Some(ListReference::default()), ..Default::default() };
    let judgement = judge(empty);
    assert_eq!((gaps(&judgement).len(), violators(&judgement).len()), (0, 1));
}

#[test]
fn a_missing_audit_group_is_a_gap_and_leaves_no_result() {
    let options = ManagedOptions { deny_protocol_all: true, ..ManagedOptions::default() };
    let rules = "in -1 * 0.0.0.0/0";
    for audit in [
        custom(AuditAction::Allow),
        custom(AuditAction::Deny),
        overridden(AuditAction::Allow, options.clone()),
        overridden(AuditAction::Deny, options),
    ] {
        let policy = about(ALL, audit);
        let items = || vec![group("sg-1", rules), interface("eni-1", &["sg-1"])];
        let want = [format!(
            "AWSVPC Audit security group sg-audit of account {ADMIN} in Region us-east-1 could not be found."
        )];
        let absent = in_shard(&policy, &References::new(), items());
        let id = "sg-audit".try_into().unwrap();
        let unseen = Fact::Item(body(ResourceType::SECURITY_GROUP, "sg-audit", Body::Unseen));
        let unseen = [(audit_group(&policy, &id), unseen)].into();
        for judgement in [absent, in_shard(&policy, &unseen, items())] {
            assert_eq!(gaps(&judgement), want);
            assert_eq!((violators(&judgement), judgement.status()), (vec![], None));
            assert_eq!(judgement.in_scope, 2);
        }
    }
}

#[test]
fn references_name_the_administrators_groups_and_lists() {
    let options = ManagedOptions {
        allowed_protocols: custom_list(PROTOCOLS),
        denied_public_apps: custom_list(APPS),
        ..ManagedOptions::default()
    };
    let policy = about(GROUP, overridden(AuditAction::Deny, options));
    let wanted = crate::evaluate::references(&policy);
    let mut found = audit_group_of(&policy, "");
    found.extend(lists(vec![], &[]));
    assert_eq!(wanted, found.into_keys().collect());
}

const RULES: &str = "sg-bad in tcp 22 0.0.0.0/0";
const REASON: &str = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";

/// A policy that denies tcp 22, and what it finds.
fn denying(resource_types: &str, items: Vec<Item>) -> Judgement {
    let policy = about(resource_types, custom(AuditAction::Deny));
    in_shard(&policy, &audit_group_of(&policy, "in tcp 22 0.0.0.0/0"), items)
}

fn bad(id: &str) -> Item {
    group(id, RULES.split_once(' ').unwrap().1)
}

fn good(id: &str) -> Item {
    group(id, "in tcp 443 0.0.0.0/0")
}

#[test]
fn violators_are_of_listed_types_alone() {
    let items = || {
        vec![
            bad("sg-bad"),
            good("sg-good"),
            interface("eni-1", &["sg-bad"]),
            interface("eni-2", &["sg-good"]),
            instance("i-1", &["sg-bad"], &[]),
        ]
    };
    for (types, want, in_scope) in [
        (GROUP, vec!["sg-bad"], 2),
        (INTERFACE, vec!["eni-1"], 2),
        (INSTANCE, vec!["i-1"], 1),
        (ALL, vec!["i-1", "eni-1", "sg-bad"], 5),
    ] {
        let judgement = denying(types, items());
        let want: Vec<_> = want.iter().map(|id| format!("{id} {REASON}")).collect();
        assert_eq!(violators(&judgement), want, "{types}");
        assert_eq!(judgement.in_scope, in_scope, "{types}");
    }
}

#[test]
fn an_interface_names_its_violating_groups() {
    let items =
        vec![bad("sg-a"), bad("sg-b"), good("sg-c"), interface("eni-1", &["sg-c", "sg-b", "sg-a"])];
    let judgement = denying(INTERFACE, items);
    let interfaces = vec![("eni-1".into(), vec!["sg-a".into(), "sg-b".into()])];
    let finding = &judgement.violators[0].violations[0].finding;
    assert_eq!(finding, &Finding::AttachedGroups { interfaces });
}

#[test]
fn an_instance_answers_for_its_own_groups_and_those_of_its_interfaces() {
    let judgement = denying(
        INSTANCE,
        vec![
            bad("sg-bad"),
            good("sg-good"),
            instance("i-1", &["sg-good"], &[("eni-1", &["sg-good"]), ("eni-2", &["sg-bad"])]),
            instance("i-2", &["sg-bad"], &[("eni-3", &["sg-bad", "sg-good"])]),
            instance("i-3", &["sg-bad"], &[("eni-4", &["sg-good"])]),
            instance("i-4", &["sg-good"], &[("eni-5", &["sg-good"])]),
            instance("i-5", &[], &[]),
        ],
    );
    let found: Vec<_> = judgement
        .violators
        .iter()
        .map(|violator| violator.violations[0].finding.summary())
        .collect();
    assert_eq!(
        found,
        [
            "violating security groups sg-bad on eni-2",
            "violating security groups sg-bad on eni-3",
            "violating security groups sg-bad on i-3",
        ]
    );
    assert_eq!(judgement.in_scope, 5);
}

#[test]
fn terminated_instances_are_out_of_scope_and_bring_no_group_in() {
    let mut gone = tagged(instance("i-1", &["sg-bad"], &[]), "env=prod");
    if let Body::Instance(instance) = &mut gone.body {
        instance.state = Some("terminated".into());
    }
    let mut policy = about(ALL, custom(AuditAction::Deny));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    let judgement = in_shard(&policy, &references, vec![bad("sg-bad"), gone]);
    assert_eq!((violators(&judgement).len(), judgement.in_scope), (0, 0));
}

#[test]
fn a_group_is_in_scope_by_its_own_tags_or_by_what_it_is_attached_to() {
    let items = || {
        vec![
            bad("sg-attached"),
            bad("sg-elsewhere"),
            bad("sg-loose"),
            tagged(bad("sg-tagged"), "env=prod"),
            tagged(bad("sg-other"), "env=test"),
            tagged(interface("eni-1", &["sg-attached"]), "env=prod"),
            interface("eni-2", &["sg-elsewhere"]),
        ]
    };
    let judge = |types: &str| {
        let mut policy = about(types, custom(AuditAction::Deny));
        policy.scope.tags.tags = vec![("env".into(), "prod".into())];
        let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
        let judgement = in_shard(&policy, &references, items());
        let ids: Vec<_> = judgement.violators.iter().map(|v| v.id.as_str().to_owned()).collect();
        (ids.join(" "), judgement.in_scope)
    };
    assert_eq!(judge(ALL), ("eni-1 sg-attached sg-tagged".into(), 3));
    assert_eq!(judge(GROUP), ("sg-tagged".into(), 1));
    assert_eq!(judge(INTERFACE), ("eni-1".into(), 1));
}

#[test]
fn a_group_that_is_not_held_leaves_its_interface_undecided() {
    let unseen = body(ResourceType::SECURITY_GROUP, "sg-unseen", Body::Unseen);
    let judgement = denying(
        "AWS::EC2::NetworkInterface AWS::EC2::Instance",
        vec![
            bad("sg-bad"),
            good("sg-good"),
            unseen,
            interface("eni-1", &["sg-gone", "sg-good"]),
            interface("eni-2", &["sg-unseen"]),
            interface("eni-3", &["sg-bad", "sg-gone"]),
            instance("i-1", &["sg-gone"], &[]),
        ],
    );
    assert_eq!(
        gaps(&judgement),
        [
            "AWSCONFIG Security group sg-gone of eni-1 was not recorded.",
            "AWSCONFIG Security group sg-gone of i-1 was not recorded.",
            "AWSCONFIG Security group sg-unseen of eni-2 was not recorded.",
        ]
    );
    assert_eq!(violators(&judgement), [format!("eni-3 {REASON}")]);
}

#[test]
fn a_resource_without_a_recorded_configuration_is_undecided() {
    let judgement = denying(
        ALL,
        vec![
            body(ResourceType::SECURITY_GROUP, "sg-1", Body::Unseen),
            body(ResourceType::NETWORK_INTERFACE, "eni-1", Body::Unseen),
            body(ResourceType::INSTANCE, "i-1", Body::Unseen),
        ],
    );
    assert_eq!(
        gaps(&judgement),
        [
            "AWSCONFIG The configuration of AWS::EC2::Instance i-1 was not recorded.",
            "AWSCONFIG The configuration of AWS::EC2::NetworkInterface eni-1 was not recorded.",
            "AWSCONFIG The configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.",
        ]
    );
    assert_eq!((judgement.status(), judgement.in_scope), (None, 3));
}

fn later(resource_type: &str, id: &str) -> String {
    format!("AWSCONFIG The latest configuration of {resource_type} {id} was not recorded.")
}

#[test]
fn what_was_seen_later_without_its_configuration_is_judged_by_the_one_before_with_a_gap_beside() {
    let judgement = denying(
        ALL,
        vec![
            outdated(bad("sg-bad")),
            outdated(good("sg-good")),
            outdated(interface("eni-1", &["sg-bad"])),
            interface("eni-2", &["sg-good"]),
            outdated(instance("i-1", &["sg-good"], &[])),
        ],
    );
    assert_eq!(violators(&judgement), [format!("eni-1 {REASON}"), format!("sg-bad {REASON}")]);
    let want = [
        later(INSTANCE, "i-1"),
        later(INTERFACE, "eni-1"),
        later(GROUP, "sg-bad"),
        later(GROUP, "sg-good"),
    ];
    assert_eq!(gaps(&judgement), want);

    let good_alone = denying(GROUP, vec![outdated(good("sg-good"))]);
    assert_eq!(gaps(&good_alone), [later(GROUP, "sg-good")]);
    assert_eq!(good_alone.status(), None, "not seen is not compliant");
}

#[test]
fn a_carrier_answers_for_the_state_of_its_groups_before() {
    let judge = |carried: &str| {
        let items = vec![outdated(bad("sg-bad")), outdated(good("sg-good")), good("sg-fresh")];
        let carrier = interface("eni-1", &[carried]);
        denying(INTERFACE, [items, vec![carrier]].concat())
    };
    for (carried, violating, gap) in [
        ("sg-bad", true, Some("sg-bad")),
        ("sg-good", false, Some("sg-good")),
        ("sg-fresh", false, None),
    ] {
        let judgement = judge(carried);
        assert_eq!(judgement.violators.len(), usize::from(violating), "{carried}");
        let gap: Vec<_> = gap.into_iter().map(|id| later(GROUP, id)).collect();
        assert_eq!(gaps(&judgement), gap, "{carried}");
    }
}

#[test]
fn an_outdated_audit_group_is_held_against_with_a_gap_beside() {
    let policy = about(GROUP, custom(AuditAction::Deny));
    let id = "sg-audit".try_into().unwrap();
    let fact = Fact::Item(outdated(group("sg-audit", "in tcp 22 0.0.0.0/0")));
    let references = [(audit_group(&policy, &id), fact)].into();
    let judgement = in_shard(&policy, &references, vec![bad("sg-bad"), good("sg-good")]);
    assert_eq!(violators(&judgement), [format!("sg-bad {REASON}")]);
    let want = format!(
        "AWSCONFIG The latest configuration of audit security group sg-audit of account {ADMIN} \
         in Region us-east-1 was not recorded."
    );
    assert_eq!(gaps(&judgement), [want]);
}

#[test]
fn an_outdated_prefix_list_is_a_gap_where_it_is_read() {
    let list = PrefixList {
        id: "pl-1".into(),
        ipv4: Some(vec!["10.0.0.0/8".parse().unwrap()]),
        ipv6: Some(vec![]),
    };
    let list = outdated(body(ResourceType::PREFIX_LIST, "pl-1", Body::PrefixList(list)));
    let judge = |options: ManagedOptions, rule: &str| {
        let policy = about(GROUP, managed(options));
        let references = lists(vec![app("tcp", 22)], &[]);
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rule), list.clone()]);
        assert_eq!(violators(&judgement), [""; 0], "{rule}");
        gaps(&judgement)
    };
    let public =
        || ManagedOptions { denied_public_apps: custom_list(APPS), ..ManagedOptions::default() };
    let kept = || ManagedOptions { deny_protocol_all: true, ..ManagedOptions::default() };
    let gap = [later("AWS::EC2::PrefixList", "pl-1")];
    assert_eq!(judge(public(), "in tcp 22 pl-1"), gap);
    assert_eq!(judge(public(), "out tcp 22 pl-1"), [""; 0]);
    assert_eq!(judge(public(), "in tcp 22 10.0.0.0/8"), [""; 0]);
    assert_eq!(judge(kept(), "in tcp 22 pl-1"), [""; 0]);
    let egress = ManagedOptions { direction: AuditDirection::Egress, ..public() };
    assert_eq!(judge(egress, "in tcp 22 pl-1"), [""; 0], "not looked at");
}

/// A later state of a resource decides by its tags, where it tells some.
#[test]
fn the_tags_told_last_put_a_resource_in_scope() {
    let retagged = |tags: &str, later: &str| {
        let mut item = tagged(bad("sg-1"), tags);
        let tags = tagged(bad("sg-1"), later).tags;
        item = outdated(item);
        item.unseen_since.as_mut().unwrap().tags = tags;
        item
    };
    let mut policy = about(GROUP, custom(AuditAction::Deny));
    policy.scope.tags.tags = vec![("env".into(), "prod".into())];
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    for (tags, later_tags, violators, gap) in [
        ("env=prod", "", 1, true),
        ("env=prod", "env=prod", 1, true),
        ("env=prod", "env=dev", 0, false),
        ("env=dev", "env=prod", 1, true),
        ("env=dev", "env=dev", 0, false),
        // What its tags are by now is not known, nor then is its old configuration held against it.
        ("env=dev", "", 0, true),
        ("", "", 0, true),
    ] {
        let row = format!("{tags} then {later_tags}");
        let judgement = in_shard(&policy, &references, vec![retagged(tags, later_tags)]);
        assert_eq!(judgement.violators.len(), violators, "{row}");
        let want: Vec<_> = gap.then(|| later(GROUP, "sg-1")).into_iter().collect();
        assert_eq!(gaps(&judgement), want, "{row}");
    }
}

fn named(mut item: Item, name: &str, owner: Option<&str>) -> Item {
    if let Body::SecurityGroup(group) = &mut item.body {
        group.group_name = name.into();
        group.owner = owner.map(account);
    }
    item
}

#[test]
fn default_groups_are_audited_replicas_and_foreign_groups_are_not() {
    let judgement = denying(
        ALL,
        vec![
            named(bad("sg-default"), "default", None),
            named(bad("sg-own"), "mine", Some(ACCOUNT)),
            named(bad("sg-foreign"), "mine", Some("222222222222")),
            named(bad("sg-replica"), "FMManagedSecurityGroup0123-sg-1", None),
            named(bad("sg-lookalike"), "MyFMManagedSecurityGroup", None),
            interface("eni-default", &["sg-default"]),
            interface("eni-foreign", &["sg-foreign"]),
            interface("eni-replica", &["sg-replica"]),
        ],
    );
    let want = ["eni-default", "sg-default", "sg-lookalike", "sg-own"];
    assert_eq!(violators(&judgement), want.map(|id| format!("{id} {REASON}")));
    assert_eq!(gaps(&judgement), [""; 0]);
    // The foreign group alone is out of scope.
    assert_eq!(judgement.in_scope, 7);
}

#[test]
fn the_audit_group_is_not_held_against_itself() {
    let mut policy = about(ALL, custom(AuditAction::Deny));
    let rules = "in tcp 22 0.0.0.0/0";
    let items = || vec![group("sg-audit", rules), interface("eni-1", &["sg-audit"])];
    let elsewhere = in_shard(&policy, &audit_group_of(&policy, rules), items());
    assert_eq!(violators(&elsewhere).len(), 2, "the same id in another account is another group");
    policy.owner = account(ACCOUNT);
    let own = in_shard(&policy, &audit_group_of(&policy, rules), items());
    assert_eq!((violators(&own).len(), own.status().is_some()), (0, true));
}

#[test]
fn what_is_not_recorded_is_told_and_what_is_held_is_judged() {
    let recorder = Recorder {
        recording: true,
        group: RecordingGroup::Only(vec![ResourceType::SECURITY_GROUP]),
    };
    let recorder = body(ResourceType::CONFIGURATION_RECORDER, "default", Body::Recorder(recorder));
    let not = "AWSCONFIG AWS Config is not recording resource type AWS::EC2::NetworkInterface.";
    let types = "AWS::EC2::SecurityGroup AWS::EC2::NetworkInterface";
    let clean = denying(types, vec![recorder.clone(), good("sg-1")]);
    assert_eq!((gaps(&clean), clean.status()), (vec![not.to_owned()], None));
    let bad = denying(types, vec![recorder.clone(), bad("sg-1")]);
    assert_eq!((gaps(&bad), violators(&bad).len()), (vec![not.to_owned()], 1));
    let enough = denying(GROUP, vec![recorder, good("sg-1")]);
    assert_eq!(gaps(&enough), [""; 0]);
    assert!(enough.status().is_some());
}

#[test]
fn groups_are_needed_even_when_they_are_not_listed() {
    let policy = about(INSTANCE, custom(AuditAction::Deny));
    let needed: BTreeSet<_> = [ResourceType::INSTANCE, ResourceType::SECURITY_GROUP].into();
    assert_eq!(super::needed(&policy), needed);
}

#[test]
fn an_account_without_inventory_has_no_result() {
    let policy = about(ALL, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "");
    let judgement = judged(&policy, &Shard::empty(shard_id()), &references);
    assert_eq!(
        gaps(&judgement),
        ["AWSCONFIG AWS Config is not enabled in the account and Region."]
    );
    assert_eq!(judgement.status(), None);
}

#[test]
fn violators_ascend_by_type_and_id() {
    let ids = ["sg-b", "sg-a", "sg-c"];
    let mut items: Vec<_> = ids.iter().map(|id| bad(id)).collect();
    items.extend(["eni-2", "eni-10"].map(|id| interface(id, &["sg-a"])));
    let judgement = denying(ALL, items);
    let want = ["eni-10", "eni-2", "sg-a", "sg-b", "sg-c"];
    assert_eq!(violators(&judgement), want.map(|id| format!("{id} {REASON}")));
}

#[test]
fn every_violation_says_which_way_its_rule_points() {
    let judgement = denying(GROUP, vec![bad("sg-1")]);
    let Finding::SecurityGroupRule { direction, .. } = judgement.violators[0].violations[0].finding
    else {
        panic!("a rule")
    };
    assert_eq!(direction, Direction::Ingress);
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
                let judgement = in_shard(&policy, &references, vec![group("sg-1", &rules)]);
                judgement.violators.first().map_or(0, |violator| violator.violations.len())
            });
            let Body::SecurityGroup(held) = group("sg-1", &rules).body else { unreachable!() };
            let of_groups = held.ingress.iter().filter(|rule| !rule.groups.is_empty()).count();
            prop_assert!(found[0] + found[1] >= openings(&held).len());
            prop_assert!(found[0] >= of_groups);
        }
    }
}

/// Rows of `rule | near misses | remedies`, the default remedy starred.
fn check_remedies(policy: &Policy, references: &References, beside: &[Item], table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [rule, near, remedies] = cells[..] else { panic!("{row}") };
        let mut items = vec![group("sg-1", rule)];
        items.extend_from_slice(beside);
        let judgement = in_shard(policy, references, items);
        let Finding::SecurityGroupRule { near_misses, remedies: found, .. } =
            &judgement.violators[0].violations[0].finding
        else {
            panic!("{row}")
        };
        let misses = near_misses.iter().map(|miss| {
            let reasons: Vec<_> = miss.reasons.iter().map(|reason| reason.as_str()).collect();
            assert_eq!(&*miss.group, "sg-audit");
            format!("{} {}", miss.rule, reasons.join("+"))
        });
        assert_eq!(misses.collect::<Vec<_>>().join(", "), near, "{row}");
        let found = found.iter().map(|remedy| {
            let text = match &remedy.action {
                RuleAction::Remove => "remove",
                RuleAction::Modify(narrow) => &narrow.rule,
            };
            format!("{text}{}", if remedy.is_default { "*" } else { "" })
        });
        assert_eq!(found.collect::<Vec<_>>().join(", "), remedies, "{row}");
    }
}

#[test]
fn remedies_of_a_custom_audit_narrow_to_what_is_allowed_where_that_is_one_rule() {
    let policy = about(GROUP, custom(AuditAction::Allow));
    let references = audit_group_of(
        &policy,
        "in tcp 443 0.0.0.0/0; in tcp 22 10.0.0.0/8; in tcp 22 192.168.0.0/16; out udp 53 ::/0",
    );
    check_remedies(
        &policy,
        &references,
        &[],
        "in tcp 22 10.0.0.0/7  | tcp 22 from 10.0.0.0/8 CidrMismatch, tcp 22 from 192.168.0.0/16 CidrMismatch, tcp 443 from 0.0.0.0/0 PortRangeMismatch | tcp 22 from 10.0.0.0/8*, remove
         in tcp 22 0.0.0.0/0   | tcp 22 from 10.0.0.0/8 CidrMismatch, tcp 22 from 192.168.0.0/16 CidrMismatch, tcp 443 from 0.0.0.0/0 PortRangeMismatch | remove*
         in tcp 440-450 pl-1   |                                               | remove*
         in tcp 443 ::/0       | tcp 443 from 0.0.0.0/0 NoAvailableCidr        | remove*
         in udp 443 10.0.0.0/8 | tcp 443 from 0.0.0.0/0 ProtocolMismatch       | remove*
         in udp 53 ::/0        | udp 53 to ::/0 DirectionMismatch              | remove*
         in tcp 443 sg-1       | tcp 443 from 0.0.0.0/0 NoAvailableCidr        | remove*
         out -1 * ::/0         | udp 53 to ::/0 ProtocolMismatch               | udp 53 to ::/0*, remove",
    );
    let policy = about(GROUP, custom(AuditAction::Deny));
    let references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0; in tcp 24 0.0.0.0/0");
    check_remedies(
        &policy,
        &references,
        &[],
        "in tcp 22 10.0.0.0/8    |                                          | remove*
         in tcp 22-23 10.0.0.0/8 | tcp 22 from 0.0.0.0/0 PortRangeMismatch  | tcp 23 from 10.0.0.0/8*, remove
         in tcp 20-24 10.0.0.0/8 | tcp 22 from 0.0.0.0/0 PortRangeMismatch, tcp 24 from 0.0.0.0/0 PortRangeMismatch | remove*
         in -1 * 0.0.0.0/0       | tcp 22 from 0.0.0.0/0 ProtocolMismatch, tcp 24 from 0.0.0.0/0 ProtocolMismatch | remove*",
    );
}

#[test]
fn remedies_of_a_managed_audit_keep_the_peer_and_pass_every_option() {
    let allowed = ManagedOptions {
        port_count_max: Some(3),
        allowed_public_apps: Some(ListReference {
            custom: vec![APPS.try_into().unwrap()],
            default: None,
        }),
        ..ManagedOptions::default()
    };
    let app = |port| App { name: "app".into(), protocol: "tcp".into(), port };
    let with_apps = |policy: &Policy, ports: &[u16]| -> References {
        let list = crate::evaluate::Reference::AppsList {
            owner: policy.owner.clone(),
            region: policy.region.clone(),
            id: APPS.try_into().unwrap(),
        };
        [(list, Fact::Apps(ports.iter().copied().map(app).collect()))].into()
    };
    let policy = about(GROUP, managed(allowed.clone()));
    let references = with_apps(&policy, &[80, 81, 443, 8000, 8001, 8002, 8003]);
    check_remedies(
        &policy,
        &references,
        &[],
        "in tcp 78-82 0.0.0.0/0     | | tcp 80-81 from 0.0.0.0/0*, remove
         in tcp 80-443 0.0.0.0/0    | | remove*
         in tcp 8000-8004 0.0.0.0/0 | | remove*
         in tcp 22 0.0.0.0/0        | | remove*
         in -1 * 0.0.0.0/0          | | remove*
         in tcp 1-9 10.0.0.0/8      | | remove*
         in tcp 22 pl-unknown       | |
         in tcp 1-22 pl-unknown     | | remove*",
    );
    let denied = ManagedOptions {
        denied_public_apps: allowed.allowed_public_apps.clone(),
        ..ManagedOptions::default()
    };
    let policy = about(GROUP, managed(denied));
    let references = with_apps(&policy, &[0, 22, 65535]);
    check_remedies(
        &policy,
        &references,
        &[],
        "in tcp 22-30 0.0.0.0/0 | | tcp 23-30 from 0.0.0.0/0*, remove
         in tcp 20-22 0.0.0.0/0 | | tcp 20-21 from 0.0.0.0/0*, remove
         in tcp 20-30 0.0.0.0/0 | | remove*
         in tcp * 0.0.0.0/0     | | remove*
         in tcp 0-21 0.0.0.0/0  | | tcp 1-21 from 0.0.0.0/0*, remove
         in tcp 23-65535 0.0.0.0/0 | | tcp 23-65534 from 0.0.0.0/0*, remove",
    );
    let one_protocol = ManagedOptions {
        allowed_protocols: Some(ListReference {
            custom: vec![PROTOCOLS.try_into().unwrap()],
            default: None,
        }),
        ..ManagedOptions::default()
    };
    let policy = about(GROUP, overridden(AuditAction::Deny, one_protocol.clone()));
    let mut references = audit_group_of(&policy, "in tcp 22 0.0.0.0/0");
    let list = crate::evaluate::Reference::ProtocolsList {
        owner: policy.owner.clone(),
        region: policy.region.clone(),
        id: PROTOCOLS.try_into().unwrap(),
    };
    references.insert(list.clone(), Fact::Protocols(vec!["tcp".into()]));
    check_remedies(
        &policy,
        &references,
        &[],
        "out -1 * 10.0.0.0/8    |                                         | tcp 0-65535 to 10.0.0.0/8*, remove
         in udp 53 10.0.0.0/8   |                                         | remove*
         in tcp 22-23 0.0.0.0/0 | tcp 22 from 0.0.0.0/0 PortRangeMismatch | tcp 23 from 0.0.0.0/0*, remove",
    );
}

#[test]
fn near_misses_are_told_to_their_limit() {
    let policy = about(GROUP, custom(AuditAction::Allow));
    for (rules, want) in [(9, 9), (10, 10), (11, 10)] {
        let audit: Vec<_> = (0..rules).map(|n| format!("in tcp 22 10.{n}.0.0/16")).collect();
        let references = audit_group_of(&policy, &audit.join("; "));
        let judgement = in_shard(&policy, &references, vec![group("sg-1", "in tcp 22 0.0.0.0/0")]);
        let Finding::SecurityGroupRule { near_misses, .. } =
            &judgement.violators[0].violations[0].finding
        else {
            panic!("a rule")
        };
        assert_eq!(near_misses.len(), want);
    }
}
