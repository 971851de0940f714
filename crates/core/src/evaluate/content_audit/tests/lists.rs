//! Lists that the options name, public access, and references.

use super::*;

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
        let unseen = held(body(ResourceType::SECURITY_GROUP, "sg-audit", Body::Unseen));
        let unseen = [(administrators_group(&policy, &id), unseen)].into();
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
    let mut found: BTreeSet<_> = audit_group_of(&policy, "").into_keys().collect();
    found.extend(lists(vec![], &[]).into_keys());
    found.insert(Reference::CommonPolicies);
    assert_eq!(wanted, found);
}
