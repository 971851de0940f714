//! Audits of security groups, as details tell them, with what would end a violation.

use palisade_core::evaluate::{
    NarrowPeer, NarrowRule, NearMiss, RuleAction, RuleRemedy, SecurityGroupFinding,
};
use palisade_core::ident::ResourceType;
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    AwsEc2InstanceViolation, AwsEc2NetworkInterfaceViolation, AwsVPCSecurityGroupViolation,
    PartialMatch, RemediationActionType, ResourceViolation, SecurityGroupRemediationAction,
    SecurityGroupRuleDescription,
};

use super::text::{bounded, unless_empty};

/// The member of a rule, and of what carries groups. Usage audits and common groups
/// have no details (semantics §3.6, §5.4).
pub fn violation(row: &ViolatorRow, finding: &SecurityGroupFinding) -> Option<ResourceViolation> {
    match finding {
        SecurityGroupFinding::SecurityGroupRule { rule, near_misses, remedies, .. } => {
            Some(ResourceViolation {
                aws_vpc_security_group_violation: Some(AwsVPCSecurityGroupViolation {
                    violation_target: Some(bounded(rule)),
                    violation_target_description: Some(bounded(&finding.summary())),
                    partial_matches: unless_empty(near_misses.iter().map(partial_match)),
                    possible_security_group_remediation_actions: unless_empty(
                        remedies.iter().map(remedy),
                    ),
                }),
                ..ResourceViolation::default()
            })
        }
        SecurityGroupFinding::AttachedGroups { interfaces, .. } => Some(attached(row, interfaces)),
        SecurityGroupFinding::UnusedGroup { .. }
        | SecurityGroupFinding::RedundantGroup { .. }
        | SecurityGroupFinding::MissingGroups { .. }
        | SecurityGroupFinding::EditedReplica { .. } => None,
    }
}

/// What carries violating groups: an instance tells of its interfaces, an interface of itself.
fn attached(row: &ViolatorRow, interfaces: &[(Box<str>, Vec<Box<str>>)]) -> ResourceViolation {
    if row.resource_type == ResourceType::INSTANCE {
        let interfaces = interfaces.iter().map(|(id, groups)| interface(id, groups));
        let violation = AwsEc2InstanceViolation {
            violation_target: Some(row.id.to_string()),
            aws_ec2_network_interface_violations: Some(interfaces.collect()),
        };
        return ResourceViolation {
            aws_ec2_instance_violation: Some(violation),
            ..ResourceViolation::default()
        };
    }
    let mut groups: Vec<Box<str>> = Vec::new();
    for group in interfaces.iter().flat_map(|(_, groups)| groups) {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    ResourceViolation {
        aws_ec2_network_interface_violation: Some(interface(row.id.as_str(), &groups)),
        ..ResourceViolation::default()
    }
}

fn interface(id: &str, groups: &[Box<str>]) -> AwsEc2NetworkInterfaceViolation {
    AwsEc2NetworkInterfaceViolation {
        violation_target: Some(id.to_owned()),
        violating_security_groups: Some(groups.iter().map(|group| group.to_string()).collect()),
    }
}

fn partial_match(near: &NearMiss) -> PartialMatch {
    let reasons = near.reasons.iter().map(|reason| reason.as_str().to_owned());
    PartialMatch {
        reference: Some(near.rule.to_string()),
        target_violation_reasons: Some(reasons.collect()),
    }
}

fn remedy(remedy: &RuleRemedy) -> SecurityGroupRemediationAction {
    let (action, result) = match &remedy.action {
        RuleAction::Remove => (RemediationActionType::Remove, None),
        RuleAction::Modify(narrow) => (RemediationActionType::Modify, Some(described(narrow))),
    };
    SecurityGroupRemediationAction {
        remediation_action_type: Some(action),
        description: Some(bounded(&remedy.summary())),
        remediation_result: result,
        is_default_action: Some(remedy.is_default),
    }
}

fn described(narrow: &NarrowRule) -> SecurityGroupRuleDescription {
    let mut rule = SecurityGroupRuleDescription {
        protocol: Some(narrow.protocol.to_string()),
        from_port: narrow.from_port.map(i64::from),
        to_port: narrow.to_port.map(i64::from),
        ..SecurityGroupRuleDescription::default()
    };
    match &narrow.peer {
        NarrowPeer::Ipv4(range) => rule.ipv4_range = Some(range.to_string()),
        NarrowPeer::Ipv6(range) => rule.ipv6_range = Some(range.to_string()),
        NarrowPeer::PrefixList(id) => rule.prefix_list_id = Some(id.to_string()),
    }
    rule
}
