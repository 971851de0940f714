//! Prefix lists as sources and destinations (semantics §11 row 35).

use super::*;

/// Lists of the shard: known, without entries, and of which nothing tells the entries.
fn held() -> Vec<Item> {
    let list = |id: &str, ipv4: &[&str], ipv6: &[&str]| {
        let ipv4 = Some(ipv4.iter().map(|range| range.parse().unwrap()).collect());
        let ipv6 = Some(ipv6.iter().map(|range| range.parse().unwrap()).collect());
        let list = PrefixList { id: id.into(), ipv4, ipv6 };
        body(ResourceType::PREFIX_LIST, id, Body::PrefixList(list))
    };
    let untold = PrefixList { id: "pl-untold".into(), ..PrefixList::default() };
    vec![
        list("pl-offices", &["10.1.0.0/16", "192.0.2.0/24"], &[]),
        list("pl-ten", &["10.2.0.0/16"], &[]),
        list("pl-wide", &["10.0.0.0/7", "10.0.0.0/8"], &[]),
        list("pl-six", &[], &["2001:db8::/32"]),
        list("pl-empty", &[], &[]),
        body(ResourceType::PREFIX_LIST, "pl-untold", Body::PrefixList(untold)),
        body(ResourceType::PREFIX_LIST, "pl-unseen", Body::Unseen),
    ]
}

/// Rows of `rule | comply`, `rule | what it breaks` or `rule | unknown LIST`.
fn check_lists(audit: &ContentAudit, audit_rules: &str, table: &str) {
    let policy = about(GROUP, audit.clone());
    let mut references = audit_group_of(&policy, audit_rules);
    references.extend(super::lists(vec![app("tcp", 22)], &[]));
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (rule, want) = row.split_once('|').unwrap();
        let mut items = held();
        items.push(group("sg-1", rule));
        let judgement = in_shard(&policy, &references, items);
        let broken =
            judgement.violators.first().map(|violator| match &violator.violations[0].finding {
                Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
                    against,
                    ..
                }) => against.to_string(),
                other => panic!("{other:?}"),
            });
        let gaps: Vec<_> = gaps(&judgement)
            .iter()
            .map(|gap| {
                let list = gap.strip_prefix("AWSCONFIG The entries of prefix list ").unwrap();
                format!("unknown {}", list.strip_suffix(" are unknown.").unwrap())
            })
            .collect();
        let found: Vec<_> = broken.into_iter().chain(gaps).collect();
        let found = if found.is_empty() { "comply".to_owned() } else { found.join(" + ") };
        assert_eq!(found, want.trim(), "{row}");
    }
}

const NONE: &str = "no rule of audit group sg-audit allows it";

#[test]
fn custom_allow_passes_a_list_that_is_named_or_whose_entries_all_lie_inside() {
    check_lists(
        &custom(AuditAction::Allow),
        "in tcp 22 10.0.0.0/8; in tcp 22 192.0.2.0/24; in tcp 443 10.0.0.0/8; in tcp 25 pl-untold;
         in tcp 53 pl-offices; in tcp 80 ::/0",
        &format!(
            "in tcp 22 pl-offices    | comply
             in tcp 22 pl-ten        | comply
             in tcp 443 pl-ten       | comply
             in tcp 443 pl-offices   | {NONE}
             in tcp 22 pl-wide       | {NONE}
             in tcp 22-23 pl-ten     | {NONE}
             in tcp 22 pl-six        | {NONE}
             in tcp 80 pl-six        | comply
             in tcp 443 pl-empty     | comply
             in tcp 25 pl-untold     | comply
             in tcp 22 pl-untold     | unknown pl-untold
             in tcp 22 pl-unseen     | unknown pl-unseen
             in tcp 22 pl-elsewhere  | unknown pl-elsewhere
             in tcp 22-23 pl-untold  | {NONE}
             in -1 * pl-untold       | {NONE}
             in udp 22 pl-untold     | {NONE}
             out tcp 22 pl-untold    | {NONE}
             out tcp 22 pl-empty     | {NONE}
             in tcp 53 pl-offices    | comply
             in tcp 53 10.1.2.0/24   | comply
             in tcp 53 10.1.0.0/15   | {NONE}
             in tcp 53 pl-ten        | {NONE}
             in tcp 25 10.1.2.0/24   | unknown pl-untold
             in tcp 25 pl-ten        | unknown pl-untold
             in tcp 25 sg-9          | {NONE}
             in tcp 26 10.1.2.0/24   | {NONE}"
        ),
    );
}

#[test]
fn custom_deny_meets_the_entries() {
    check_lists(
        &custom(AuditAction::Deny),
        "in tcp 22 10.1.2.0/24; in tcp 25 pl-untold; in tcp 53 pl-offices",
        "in tcp 22 pl-offices   | denied by `tcp 22 from 10.1.2.0/24` of audit group sg-audit
         in tcp 22 pl-wide      | denied by `tcp 22 from 10.1.2.0/24` of audit group sg-audit
         in tcp 22 pl-ten       | comply
         in tcp 22 pl-six       | comply
         in tcp 22 pl-empty     | comply
         in tcp 22 pl-untold    | unknown pl-untold
         in -1 * pl-elsewhere   | unknown pl-elsewhere
         in tcp 23 pl-untold    | comply
         out tcp 22 pl-untold   | comply
         in tcp 53 10.1.9.0/24  | denied by `tcp 53 from pl-offices` of audit group sg-audit
         in tcp 53 10.0.0.0/8   | denied by `tcp 53 from pl-offices` of audit group sg-audit
         in tcp 53 10.2.0.0/16  | comply
         in tcp 53 pl-ten       | comply
         in tcp 53 pl-offices   | denied by `tcp 53 from pl-offices` of audit group sg-audit
         in tcp 25 pl-untold    | denied by `tcp 25 from pl-untold` of audit group sg-audit
         in tcp 25 10.2.0.0/16  | unknown pl-untold
         in tcp 25 pl-empty     | comply
         in tcp 25 sg-9         | comply",
    );
}

#[test]
fn the_width_of_a_source_is_that_of_each_entry() {
    let options = ManagedOptions {
        ipv4_prefix_len_min: Some(16),
        ipv6_prefix_len_min: Some(48),
        ..ManagedOptions::default()
    };
    check_lists(
        &managed(options),
        "",
        "in tcp 22 pl-offices   | comply
         in tcp 22 pl-wide      | minIpv4CidrPrefixLenPerSgRule: 10.0.0.0/7 of pl-wide is wider than /16
         out tcp 22 pl-wide     | minIpv4CidrPrefixLenPerSgRule: 10.0.0.0/7 of pl-wide is wider than /16
         in tcp 22 pl-six       | minIpv6CidrPrefixLenPerSgRule: 2001:db8::/32 of pl-six is wider than /48
         in tcp 22 pl-empty     | comply
         in tcp 22 pl-untold    | unknown pl-untold
         out tcp 22 pl-unseen   | unknown pl-unseen
         in -1 * pl-elsewhere   | unknown pl-elsewhere
         in tcp 22 10.0.0.0/8   | minIpv4CidrPrefixLenPerSgRule: /8 is wider than /16",
    );
    let any_width = ManagedOptions { ipv4_prefix_len_min: Some(0), ..ManagedOptions::default() };
    check_lists(&managed(any_width), "", "in tcp 22 pl-untold | comply");
}

#[test]
fn options_that_do_not_read_the_source_read_no_list() {
    let options = ManagedOptions {
        deny_protocol_all: true,
        port_count_max: Some(2),
        allowed_protocols: default_list(
            crate::lists::default_protocols_lists().remove(0).id.as_str(),
            None,
        ),
        ..ManagedOptions::default()
    };
    check_lists(
        &managed(options),
        "",
        "in tcp 22-23 pl-untold  | comply
         in tcp 22-24 pl-untold  | allowedPortCountPerSgRule: 3 ports, and 2 is the most
         in tcp 22-24 pl-empty   | allowedPortCountPerSgRule: 3 ports, and 2 is the most
         out tcp 22 pl-elsewhere | comply",
    );
}

#[test]
fn a_list_that_is_public_for_one_option_is_a_gap_for_another() {
    let options = ManagedOptions {
        denied_public_apps: custom_list(APPS),
        ipv4_prefix_len_min: Some(8),
        ..ManagedOptions::default()
    };
    let public = "deniedPublicAccessAppLists: tcp-22 (tcp 22) is public and in a denied list";
    check_lists(
        &managed(options),
        "",
        &format!(
            "in tcp 22 pl-untold | {public} (the entries of pl-untold are unknown, so it counts as public) + unknown pl-untold
             in tcp 23 pl-untold | unknown pl-untold
             in tcp 22 pl-offices | comply"
        ),
    );
}

#[test]
fn what_overrides_options_reads_lists_where_it_matters() {
    let wide = || ManagedOptions { ipv4_prefix_len_min: Some(16), ..ManagedOptions::default() };
    let protocols = || ManagedOptions { deny_protocol_all: true, ..ManagedOptions::default() };
    check_lists(
        &overridden(AuditAction::Allow, wide()),
        "in tcp 22 10.0.0.0/7; in tcp 25 pl-untold",
        "in tcp 22 pl-wide    | comply
         in tcp 23 pl-wide    | minIpv4CidrPrefixLenPerSgRule: 10.0.0.0/7 of pl-wide is wider than /16
         in tcp 22 pl-untold  | unknown pl-untold
         in tcp 25 pl-untold  | comply
         in tcp 25 10.0.0.0/8 | unknown pl-untold
         in tcp 25 10.1.0.0/16 | comply",
    );
    check_lists(
        &overridden(AuditAction::Allow, protocols()),
        "in tcp 22 10.0.0.0/7",
        "in tcp 22 pl-untold  | comply
         in -1 * pl-untold    | denyProtocolAllValue: every protocol is open
         in -1 * 10.0.0.0/8   | denyProtocolAllValue: every protocol is open",
    );
    check_lists(
        &overridden(AuditAction::Deny, protocols()),
        "in tcp 22 10.1.2.0/24",
        "in tcp 22 pl-offices | denied by `tcp 22 from 10.1.2.0/24` of audit group sg-audit
         in tcp 22 pl-ten     | comply
         in tcp 22 pl-untold  | unknown pl-untold
         in -1 * pl-untold    | denyProtocolAllValue: every protocol is open + unknown pl-untold
         in tcp 23 pl-untold  | comply",
    );
}

#[test]
fn no_narrower_rule_is_offered_that_may_break_the_policy_too() {
    let options = ManagedOptions {
        port_count_max: Some(1),
        denied_public_apps: custom_list(APPS),
        ipv4_prefix_len_min: Some(8),
        ..ManagedOptions::default()
    };
    let policy = about(GROUP, managed(options));
    let references = super::lists(vec![app("tcp", 22)], &[]);
    for (rule, offers) in [("in tcp 22-23 pl-untold", false), ("in tcp 22-23 8.8.8.0/24", true)] {
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rule)]);
        let Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule { remedies, .. }) =
            &judgement.violators[0].violations[0].finding
        else {
            panic!("a rule")
        };
        let modifies = remedies.iter().any(|remedy| matches!(remedy.action, RuleAction::Modify(_)));
        assert_eq!(modifies, offers, "{rule}");
    }
}

#[test]
fn an_outdated_list_is_a_gap_for_whatever_reads_its_entries() {
    let list = PrefixList {
        id: "pl-1".into(),
        ipv4: Some(vec!["10.1.0.0/16".parse().unwrap()]),
        ipv6: Some(vec![]),
    };
    let list = outdated(body(ResourceType::PREFIX_LIST, "pl-1", Body::PrefixList(list)));
    let gap = "AWSCONFIG The latest configuration of AWS::EC2::PrefixList pl-1 was not recorded.";
    let width = ManagedOptions { ipv4_prefix_len_min: Some(8), ..ManagedOptions::default() };
    for (audit, audit_rules, rule) in [
        (managed(width), "", "out tcp 22 pl-1"),
        (custom(AuditAction::Allow), "in tcp 22 10.0.0.0/8", "in tcp 22 pl-1"),
        (custom(AuditAction::Deny), "in tcp 22 10.2.0.0/16", "in tcp 22 pl-1"),
        (custom(AuditAction::Allow), "in tcp 22 pl-1", "in tcp 22 10.1.0.0/24"),
        (custom(AuditAction::Deny), "in tcp 22 pl-1", "in tcp 22 10.2.0.0/24"),
    ] {
        let policy = about(GROUP, audit);
        let references = audit_group_of(&policy, audit_rules);
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rule), list.clone()]);
        assert_eq!((violators(&judgement).len(), gaps(&judgement)), (0, vec![gap.to_owned()]));
    }
    // Nothing reads them: the options break nothing, or no rule could hold them.
    let many = ManagedOptions { port_count_max: Some(1), ..ManagedOptions::default() };
    let overriding = |options| overridden(AuditAction::Allow, options);
    for (audit, audit_rules, rule, violating, doubted) in [
        (overriding(many.clone()), "in tcp 22 10.0.0.0/8", "in tcp 22 pl-1", 0, false),
        (overriding(many.clone()), "", "in tcp 22-23 pl-1", 1, false),
        (overriding(many), "in tcp 22-23 10.2.0.0/16", "in tcp 22-23 pl-1", 1, true),
    ] {
        let policy = about(GROUP, audit);
        let references = audit_group_of(&policy, audit_rules);
        let judgement = in_shard(&policy, &references, vec![group("sg-1", rule), list.clone()]);
        let found = (violators(&judgement).len(), judgement.gaps.len());
        assert_eq!(found, (violating, usize::from(doubted)), "{audit_rules} | {rule}");
    }
}
