//! Audit rules that were nearly met, and what would end a violation.

use super::*;

/// Rows of `rule | near misses | remedies`, the default remedy starred.
fn check_remedies(policy: &Policy, references: &References, beside: &[Item], table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [rule, near, remedies] = cells[..] else { panic!("{row}") };
        let mut items = vec![group("sg-1", rule)];
        items.extend_from_slice(beside);
        let judgement = in_shard(policy, references, items);
        let Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
            near_misses,
            remedies: found,
            ..
        }) = &judgement.violators[0].violations[0].finding
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
        let Finding::SecurityGroups(SecurityGroupFinding::SecurityGroupRule {
            near_misses, ..
        }) = &judgement.violators[0].violations[0].finding
        else {
            panic!("a rule")
        };
        assert_eq!(near_misses.len(), want);
    }
}
