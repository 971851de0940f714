//! Network ACLs on subnets, as details tell them, with what would end a violation.

use palisade_core::evaluate::{
    AclRemedy, AclStep, EntryFault, EntryFaultReason, EntryPart, NetworkAclFinding, PlacedEntry,
};
use palisade_core::inventory::{AclEntry, AclTraffic};
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    ActionTarget, CreateNetworkAclAction, CreateNetworkAclEntriesAction,
    DeleteNetworkAclEntriesAction, EntryDescription, EntryType, EntryViolation,
    EntryViolationReason, InvalidNetworkAclEntriesViolation, NetworkAclEntry,
    NetworkAclIcmpTypeCode, NetworkAclPortRange, NetworkAclRuleAction, PossibleRemediationAction,
    PossibleRemediationActions, RemediationAction, RemediationActionWithOrder,
    ReplaceNetworkAclAssociationAction, ResourceViolation,
};

use super::text::{bounded, unless_empty};

/// The member of a subnet's network ACL, with what would end it beside.
pub fn violation(row: &ViolatorRow, finding: &NetworkAclFinding) -> ResourceViolation {
    let NetworkAclFinding::NetworkAclEntries { acl, vpc, zone, entries, remedies } = finding;
    ResourceViolation {
        invalid_network_acl_entries_violation: Some(InvalidNetworkAclEntriesViolation {
            vpc: vpc.as_ref().map(|vpc| vpc.to_string()),
            subnet: Some(row.id.to_string()),
            subnet_availability_zone: zone.as_deref().map(bounded),
            current_associated_network_acl: Some(acl.to_string()),
            entry_violations: Some(entries.iter().map(fault).collect()),
        }),
        possible_remediation_actions: Some(PossibleRemediationActions {
            description: Some(bounded(&format!(
                "what would put the policy's entries on subnet {}",
                row.id
            ))),
            actions: unless_empty(remedies.iter().map(remedy)),
        }),
        ..ResourceViolation::default()
    }
}

fn fault(fault: &EntryFault) -> EntryViolation {
    let reasons = fault.reasons().map(|reason| match reason {
        EntryFaultReason::Missing => EntryViolationReason::MissingExpectedEntry,
        EntryFaultReason::Order => EntryViolationReason::IncorrectEntryOrder,
        EntryFaultReason::Conflict => EntryViolationReason::EntryConflict,
    });
    // Of what is left of an earlier version nothing is expected but that it goes.
    let expected = (!fault.is_former).then_some(&fault.expected);
    let at_place = if fault.is_former { Some(&fault.expected) } else { fault.at_expected.as_ref() };
    EntryViolation {
        expected_entry: expected.map(placed),
        expected_evaluation_order: expected.map(|_| fault.expected_order.to_string()),
        actual_evaluation_order: fault.actual_order.map(|order| order.to_string()),
        entry_at_expected_evaluation_order: at_place.map(placed),
        entries_with_conflicts: unless_empty(fault.conflicts.iter().map(placed)),
        entry_violation_reasons: Some(reasons.collect()),
    }
}

fn placed(placed: &PlacedEntry) -> EntryDescription {
    EntryDescription {
        entry_detail: Some(entry(&placed.entry)),
        entry_rule_number: placed.number.map(i32::from),
        entry_type: Some(match placed.part {
            EntryPart::First => EntryType::FmsManagedFirstEntry,
            EntryPart::Last => EntryType::FmsManagedLastEntry,
            EntryPart::Custom => EntryType::CustomEntry,
        }),
    }
}

/// Protocols are numbers there, `-1` all of them.
fn entry(entry: &AclEntry) -> NetworkAclEntry {
    let (mut ports, mut icmp) = (None, None);
    match entry.traffic {
        AclTraffic::Ports { from, to, .. } => {
            ports = Some(NetworkAclPortRange { from: Some(from.into()), to: Some(to.into()) });
        }
        AclTraffic::Icmp { kind, code, .. } => {
            icmp = Some(NetworkAclIcmpTypeCode { r#type: Some(kind), code: Some(code) });
        }
        AclTraffic::All | AclTraffic::Protocol(_) => {}
    }
    let range = entry.cidr.to_string();
    let (ipv4, ipv6) = match entry.cidr.addr().is_ipv4() {
        true => (Some(range), None),
        false => (None, Some(range)),
    };
    let protocol = entry.traffic.protocol();
    NetworkAclEntry {
        protocol: protocol.map_or_else(|| "-1".to_owned(), |number| number.to_string()),
        rule_action: match entry.allow {
            true => NetworkAclRuleAction::Allow,
            false => NetworkAclRuleAction::Deny,
        },
        egress: entry.egress,
        cidr_block: ipv4,
        ipv6_cidr_block: ipv6,
        port_range: ports,
        icmp_type_code: icmp,
    }
}

fn remedy(remedy: &AclRemedy) -> PossibleRemediationAction {
    let steps = remedy.steps.iter().zip(1..).map(|(step, order)| RemediationActionWithOrder {
        remediation_action: Some(action(step, remedy.obstacle.is_none())),
        order: Some(order),
    });
    let mut told: Vec<String> = remedy.steps.iter().map(AclStep::summary).collect();
    let why_not = remedy.obstacle.map(|obstacle| obstacle.summary());
    told.extend(why_not.map(|why| format!("remediation would not do this: {why}")));
    PossibleRemediationAction {
        description: Some(bounded(&told.join("; "))),
        ordered_remediation_actions: steps.collect(),
        is_default_action: Some(remedy.is_default),
    }
}

fn action(step: &AclStep, can_remediate: bool) -> RemediationAction {
    let fms_can_remediate = Some(can_remediate);
    let description = Some(bounded(&step.summary()));
    let target = |id: &str| ActionTarget { resource_id: Some(id.to_owned()), description: None };
    let described = |entries: &[PlacedEntry]| Some(entries.iter().map(placed).collect());
    match step {
        AclStep::CreateAcl { vpc, .. } => RemediationAction {
            create_network_acl_action: Some(CreateNetworkAclAction {
                description,
                vpc: vpc.as_deref().map(target),
                fms_can_remediate,
            }),
            ..RemediationAction::default()
        },
        AclStep::ReplaceAssociation { association, acl } => RemediationAction {
            replace_network_acl_association_action: Some(ReplaceNetworkAclAssociationAction {
                description,
                association_id: association.as_deref().map(target),
                network_acl_id: acl.as_deref().map(target),
                fms_can_remediate,
            }),
            ..RemediationAction::default()
        },
        AclStep::CreateEntries { acl, entries } => RemediationAction {
            create_network_acl_entries_action: Some(CreateNetworkAclEntriesAction {
                description,
                network_acl_id: Some(target(acl)),
                network_acl_entries_to_be_created: described(entries),
                fms_can_remediate,
            }),
            ..RemediationAction::default()
        },
        AclStep::DeleteEntries { acl, entries } => RemediationAction {
            delete_network_acl_entries_action: Some(DeleteNetworkAclEntriesAction {
                description,
                network_acl_id: Some(target(acl)),
                network_acl_entries_to_be_deleted: described(entries),
                fms_can_remediate,
            }),
            ..RemediationAction::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::evaluate::{Obstacle, Violation, ViolationReason};
    use palisade_core::ident::ResourceType;
    use serde_json::{Value, json};

    use super::*;

    fn told(finding: NetworkAclFinding) -> Value {
        let reason = ViolationReason::InvalidNetworkAclEntry;
        let found = Violation { reason, finding: finding.into() };
        let row = ViolatorRow {
            resource_type: ResourceType::SUBNET,
            id: "subnet-1".try_into().unwrap(),
            violations: vec![found.clone()],
            since_ms: 0,
            captured_ms: None,
        };
        serde_json::to_value(super::super::violation(&row, &found)).unwrap()
    }

    fn of(traffic: AclTraffic, cidr: &str, allow: bool) -> AclEntry {
        AclEntry { egress: false, allow, traffic, cidr: cidr.parse().unwrap() }
    }

    #[test]
    fn an_entry_is_told_as_the_model_has_it() {
        let range = "10.0.0.0/8";
        for (traffic, wanted) in [
            (AclTraffic::All, json!({"Protocol": "-1"})),
            (AclTraffic::Protocol(50), json!({"Protocol": "50"})),
            (
                AclTraffic::Ports { protocol: 6, from: 1, to: 2 },
                json!({"Protocol": "6", "PortRange": {"From": 1, "To": 2}}),
            ),
            (
                AclTraffic::Icmp { protocol: 1, kind: 8, code: -1 },
                json!({"Protocol": "1", "IcmpTypeCode": {"Type": 8, "Code": -1}}),
            ),
        ] {
            let mut wanted = wanted;
            wanted["RuleAction"] = json!("deny");
            wanted["Egress"] = json!(false);
            wanted["CidrBlock"] = json!(range);
            let told = serde_json::to_value(entry(&of(traffic, range, false))).unwrap();
            assert_eq!(told, wanted);
        }
        let ipv6 = AclEntry { egress: true, ..of(AclTraffic::All, "::/0", true) };
        let wanted = json!({"Protocol": "-1", "RuleAction": "allow", "Egress": true, "Ipv6CidrBlock": "::/0"});
        assert_eq!(serde_json::to_value(entry(&ipv6)).unwrap(), wanted);
    }

    #[test]
    fn each_entry_that_is_amiss_is_a_violation_with_its_reasons() {
        let ssh = AclTraffic::Ports { protocol: 6, from: 22, to: 22 };
        let placed =
            |allow, number, part| PlacedEntry { entry: of(ssh, "0.0.0.0/0", allow), number, part };
        let custom = placed(true, Some(100), EntryPart::Custom);
        let misplaced = EntryFault {
            expected: placed(false, Some(120), EntryPart::First),
            expected_order: 1,
            actual_order: Some(2),
            at_expected: Some(custom.clone()),
            conflicts: vec![custom],
            is_former: false,
        };
        let missing = EntryFault {
            expected: placed(false, None, EntryPart::Last),
            expected_order: 3,
            actual_order: None,
            at_expected: None,
            conflicts: Vec::new(),
            is_former: false,
        };
        let added = vec![placed(false, Some(1), EntryPart::First)];
        let steps = vec![
            AclStep::CreateEntries { acl: "acl-1".into(), entries: added },
            AclStep::DeleteEntries {
                acl: "acl-1".into(),
                entries: vec![placed(false, Some(120), EntryPart::First)],
            },
        ];
        let told = told(NetworkAclFinding::NetworkAclEntries {
            acl: "acl-1".into(),
            vpc: Some("vpc-1".into()),
            zone: Some("us-east-1a".into()),
            entries: vec![misplaced, missing],
            remedies: vec![AclRemedy {
                steps,
                is_default: true,
                obstacle: Some(Obstacle::Conflict),
            }],
        });
        let detail = |action: &str| {
            json!({"Protocol": "6", "RuleAction": action, "Egress": false, "CidrBlock": "0.0.0.0/0",
                "PortRange": {"From": 22, "To": 22}})
        };
        let described = |action: &str, number: Option<i32>, kind: &str| {
            let mut one = json!({"EntryDetail": detail(action), "EntryType": kind});
            if let Some(number) = number {
                one["EntryRuleNumber"] = json!(number);
            }
            one
        };
        let custom = described("allow", Some(100), "CUSTOM_ENTRY");
        assert_eq!(
            told["InvalidNetworkAclEntriesViolation"],
            json!({
                "Vpc": "vpc-1", "Subnet": "subnet-1", "SubnetAvailabilityZone": "us-east-1a",
                "CurrentAssociatedNetworkAcl": "acl-1",
                "EntryViolations": [
                    {
                        "ExpectedEntry": described("deny", Some(120), "FMS_MANAGED_FIRST_ENTRY"),
                        "ExpectedEvaluationOrder": "1", "ActualEvaluationOrder": "2",
                        "EntryAtExpectedEvaluationOrder": custom,
                        "EntriesWithConflicts": [custom],
                        "EntryViolationReasons": ["INCORRECT_ENTRY_ORDER", "ENTRY_CONFLICT"],
                    },
                    {
                        "ExpectedEntry": described("deny", None, "FMS_MANAGED_LAST_ENTRY"),
                        "ExpectedEvaluationOrder": "3",
                        "EntryViolationReasons": ["MISSING_EXPECTED_ENTRY"],
                    },
                ],
            })
        );
        let first = |number| described("deny", Some(number), "FMS_MANAGED_FIRST_ENTRY");
        let add = "add to acl-1: rule 1 `deny tcp 22 from 0.0.0.0/0`";
        let delete = "delete from acl-1: rule 120 `deny tcp 22 from 0.0.0.0/0`";
        let why = "remediation would not do this: an entry must move across custom entries that do the \
                   opposite, which the policy does not force";
        let acl = json!({"ResourceId": "acl-1"});
        assert_eq!(
            told["PossibleRemediationActions"]["Actions"],
            json!([{
                "Description": format!("{add}; {delete}; {why}"),
                "IsDefaultAction": true,
                "OrderedRemediationActions": [
                    {"Order": 1, "RemediationAction": {"CreateNetworkAclEntriesAction": {
                        "Description": add, "NetworkAclId": acl, "FMSCanRemediate": false,
                        "NetworkAclEntriesToBeCreated": [first(1)]}}},
                    {"Order": 2, "RemediationAction": {"DeleteNetworkAclEntriesAction": {
                        "Description": delete, "NetworkAclId": acl, "FMSCanRemediate": false,
                        "NetworkAclEntriesToBeDeleted": [first(120)]}}},
                ],
            }])
        );
    }

    #[test]
    fn alternatives_come_in_order_and_the_default_one_is_marked() {
        let by = |acl: Option<&str>| AclStep::ReplaceAssociation {
            association: Some("aclassoc-1".into()),
            acl: acl.map(Into::into),
        };
        let made =
            vec![AclStep::CreateAcl { vpc: Some("vpc-1".into()), like: "acl-1".into() }, by(None)];
        let remedies = vec![
            AclRemedy { steps: vec![by(Some("acl-2"))], is_default: true, obstacle: None },
            AclRemedy { steps: made, is_default: false, obstacle: None },
        ];
        let told = told(NetworkAclFinding::NetworkAclEntries {
            acl: "acl-1".into(),
            vpc: None,
            zone: None,
            entries: Vec::new(),
            remedies,
        });
        let actions = &told["PossibleRemediationActions"]["Actions"];
        let association = json!({"ResourceId": "aclassoc-1"});
        let step = |of: usize, nth: usize, name: &str| {
            let step = &actions[of]["OrderedRemediationActions"][nth];
            assert_eq!(step["Order"], json!(nth + 1));
            step["RemediationAction"][name].clone()
        };
        assert_eq!(
            (&actions[0]["IsDefaultAction"], &actions[1]["IsDefaultAction"]),
            (&json!(true), &json!(false))
        );
        let at_hand = step(0, 0, "ReplaceNetworkAclAssociationAction");
        assert_eq!(at_hand["NetworkAclId"], json!({"ResourceId": "acl-2"}));
        assert_eq!(at_hand["AssociationId"], association);
        assert_eq!(at_hand["FMSCanRemediate"], json!(true));
        let created = step(1, 0, "CreateNetworkAclAction");
        assert_eq!(created["Vpc"], json!({"ResourceId": "vpc-1"}));
        let put = step(1, 1, "ReplaceNetworkAclAssociationAction");
        assert_eq!(put["AssociationId"], association);
        assert_eq!(put.get("NetworkAclId"), None);
    }
}
