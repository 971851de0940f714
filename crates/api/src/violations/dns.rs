//! DNS Firewall rule groups on VPCs, as details tell them. The model has members for what keeps
//! remediation from associating a group, none for a group that just is not there, and no remedies.

use palisade_core::evaluate::DnsFinding;
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    DnsDuplicateRuleGroupViolation, DnsRuleGroupLimitExceededViolation,
    DnsRuleGroupPriorityConflictViolation, ResourceViolation,
};

use super::text::bounded;

/// Priorities that the model takes (`DnsRuleGroupPriority`).
const PRIORITY_MAX: i32 = 10_000;

/// The member of what stands in the way, where something does.
pub fn violation(row: &ViolatorRow, finding: &DnsFinding) -> Option<ResourceViolation> {
    let violation_target = Some(row.id.to_string());
    let violation_target_description = Some(bounded(&format!("{}: {}", row.id, finding.summary())));
    match finding {
        DnsFinding::DnsRuleGroupMissing { .. }
        | DnsFinding::DnsRuleGroupUnfinished { .. }
        | DnsFinding::DnsRuleGroupMisplaced { .. } => None,
        DnsFinding::DnsDuplicateRuleGroup { .. } => Some(ResourceViolation {
            dns_duplicate_rule_group_violation: Some(DnsDuplicateRuleGroupViolation {
                violation_target,
                violation_target_description,
            }),
            ..ResourceViolation::default()
        }),
        DnsFinding::DnsPriorityConflict { priority, policy, unavailable, .. } => {
            let taken = unavailable.iter().filter(|taken| (0..=PRIORITY_MAX).contains(*taken));
            Some(ResourceViolation {
                dns_rule_group_priority_conflict_violation: Some(
                    DnsRuleGroupPriorityConflictViolation {
                        violation_target,
                        violation_target_description,
                        conflicting_priority: Some(*priority),
                        conflicting_policy_id: policy.as_ref().map(ToString::to_string),
                        unavailable_priorities: Some(taken.copied().collect()),
                    },
                ),
                ..ResourceViolation::default()
            })
        }
        DnsFinding::DnsRuleGroupLimit { associated, .. } => Some(ResourceViolation {
            dns_rule_group_limit_exceeded_violation: Some(DnsRuleGroupLimitExceededViolation {
                violation_target,
                violation_target_description,
                number_of_rule_groups_already_associated: i32::try_from(*associated).ok(),
            }),
            ..ResourceViolation::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::evaluate::{Violation, ViolationReason};
    use palisade_core::ident::ResourceType;
    use serde_json::{Value, json};

    use super::*;

    fn told(finding: DnsFinding) -> Value {
        let reason = ViolationReason::ResourceMissingDnsFirewall;
        let found = Violation { reason, finding: finding.into() };
        let row = ViolatorRow {
            resource_type: ResourceType::VPC,
            id: "vpc-1".try_into().unwrap(),
            violations: vec![found.clone()],
            since_ms: 0,
            captured_ms: None,
        };
        serde_json::to_value(super::super::violation(&row, &found)).unwrap()
    }

    fn duplicate() -> DnsFinding {
        DnsFinding::DnsDuplicateRuleGroup {
            group: "rslvr-frg-a".into(),
            priority: 1,
            association: "rslvr-frgassoc-1".into(),
            at: 150,
        }
    }

    #[test]
    fn a_rule_group_that_is_there_already_tells_the_vpc_and_the_group() {
        assert_eq!(
            told(duplicate()),
            json!({"DnsDuplicateRuleGroupViolation": {"ViolationTarget": "vpc-1",
                "ViolationTargetDescription": "vpc-1: rule group rslvr-frg-a is associated already, \
                    at priority 150 by rslvr-frgassoc-1, which is not the policy's; wanted at \
                    priority 1; to end it: give rslvr-frgassoc-1 priority 1"}})
        );
    }

    #[test]
    fn a_priority_that_is_taken_tells_by_whom_and_which_others_are() {
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        let conflict = |policy: Option<&str>| DnsFinding::DnsPriorityConflict {
            group: "rslvr-frg-a".into(),
            priority: 1,
            association: "rslvr-frgassoc-1".into(),
            holder: Some("rslvr-frg-b".into()),
            policy: policy.map(|id| id.try_into().unwrap()),
            unavailable: vec![-1, 0, 1, 10_000, 10_001],
        };
        for policy in [None, Some(id)] {
            let finding = conflict(policy);
            let mut wanted = json!({"ViolationTarget": "vpc-1",
                "ViolationTargetDescription": format!("vpc-1: {}", finding.summary()),
                "ConflictingPriority": 1, "UnavailablePriorities": [0, 1, 10_000]});
            if let Some(id) = policy {
                wanted["ConflictingPolicyId"] = json!(id);
            }
            assert_eq!(told(finding), json!({"DnsRuleGroupPriorityConflictViolation": wanted}));
        }
    }

    #[test]
    fn a_vpc_at_its_limit_tells_how_many_rule_groups_it_has() {
        let finding = DnsFinding::DnsRuleGroupLimit {
            group: "rslvr-frg-a".into(),
            priority: 1,
            associated: 5,
        };
        let description = format!("vpc-1: {}", finding.summary());
        assert_eq!(
            told(finding),
            json!({"DnsRuleGroupLimitExceededViolation": {"ViolationTarget": "vpc-1",
                "ViolationTargetDescription": description, "NumberOfRuleGroupsAlreadyAssociated": 5}})
        );
    }

    /// The model has no member for these (semantics §3.6).
    #[test]
    fn where_nothing_stands_in_the_way_there_is_no_member() {
        let (group, association) = ("rslvr-frg-a", "rslvr-frgassoc-1");
        for finding in [
            DnsFinding::DnsRuleGroupMissing { group: group.into(), priority: 1 },
            DnsFinding::DnsRuleGroupUnfinished {
                group: group.into(),
                priority: 1,
                association: association.into(),
                status: "UPDATING".into(),
            },
            DnsFinding::DnsRuleGroupMisplaced {
                group: group.into(),
                priority: 1,
                association: association.into(),
                at: 2,
            },
        ] {
            assert_eq!(told(finding), Value::Null);
        }
    }
}
