//! Other vendors' firewalls in VPCs, as details tell them: with members of their own where the model has
//! such, else with those of firewalls (semantics §3.6).

use palisade_core::evaluate::{FirewallFinding, ThirdPartyFinding};
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    ResourceViolation, ThirdPartyFirewallMissingExpectedRouteTableViolation,
    ThirdPartyFirewallMissingFirewallViolation, ThirdPartyFirewallMissingSubnetViolation,
};

use super::firewalls;
use super::text::bounded;

/// The member of what was found, with what would end it beside.
pub fn violation(row: &ViolatorRow, finding: &ThirdPartyFinding) -> ResourceViolation {
    let ThirdPartyFinding::ThirdPartyFirewall { found, .. } = finding;
    let violation_target = Some(bounded(row.id.as_str()));
    let optional = |text: &Option<Box<str>>| text.as_deref().map(bounded);
    match &**found {
        FirewallFinding::MissingFirewall { vpc, zone, .. } => ResourceViolation {
            third_party_firewall_missing_firewall_violation: Some(
                ThirdPartyFirewallMissingFirewallViolation {
                    violation_target,
                    vpc: Some(vpc.to_string()),
                    availability_zone: optional(zone),
                    target_violation_reason: None,
                },
            ),
            ..ResourceViolation::default()
        },
        FirewallFinding::MissingFirewallSubnet { vpc, zone, .. } => ResourceViolation {
            third_party_firewall_missing_subnet_violation: Some(
                ThirdPartyFirewallMissingSubnetViolation {
                    violation_target,
                    vpc: Some(vpc.to_string()),
                    availability_zone: Some(bounded(zone)),
                    target_violation_reason: None,
                },
            ),
            ..ResourceViolation::default()
        },
        FirewallFinding::MissingFirewallRouteTable { vpc, zone, current, expected, .. } => {
            ResourceViolation {
                third_party_firewall_missing_expected_route_table_violation: Some(
                    ThirdPartyFirewallMissingExpectedRouteTableViolation {
                        violation_target,
                        vpc: Some(vpc.to_string()),
                        availability_zone: optional(zone),
                        current_route_table: Some(current.to_string()),
                        expected_route_table: optional(expected),
                    },
                ),
                ..ResourceViolation::default()
            }
        }
        other => firewalls::violation(row, other),
    }
}

#[cfg(test)]
mod tests {
    use palisade_core::evaluate::{Violation, ViolationReason};
    use palisade_core::ident::ResourceType;
    use serde_json::{Value, json};

    use super::*;

    fn told(kind: ResourceType, id: &str, found: FirewallFinding) -> Value {
        let (vendor, found) = ("PALO_ALTO_NETWORKS_CLOUD_NGFW".into(), Box::new(found));
        let finding = ThirdPartyFinding::ThirdPartyFirewall { vendor, found };
        let found = Violation { reason: ViolationReason::MissingFirewall, finding: finding.into() };
        let row = ViolatorRow {
            resource_type: kind,
            id: id.try_into().unwrap(),
            violations: vec![found.clone()],
            since_ms: 0,
            captured_ms: None,
        };
        serde_json::to_value(super::super::violation(&row, &found)).unwrap()
    }

    #[test]
    fn a_missing_firewall_subnet_or_table_has_members_of_third_parties() {
        let (vpc, zone): (Box<str>, Box<str>) = ("vpc-1".into(), "us-east-1a".into());
        let missing = FirewallFinding::MissingFirewall {
            vpc: vpc.clone(),
            zone: Some(zone.clone()),
            others: Vec::new(),
        };
        assert_eq!(
            told(ResourceType::VPC, "vpc-1", missing),
            json!({"ThirdPartyFirewallMissingFirewallViolation": {"ViolationTarget": "vpc-1",
                "VPC": "vpc-1", "AvailabilityZone": "us-east-1a"}})
        );
        let subnet = FirewallFinding::MissingFirewallSubnet {
            vpc: vpc.clone(),
            zone: zone.clone(),
            others: Vec::new(),
        };
        assert_eq!(
            told(ResourceType::SUBNET, "subnet-1", subnet),
            json!({"ThirdPartyFirewallMissingSubnetViolation": {"ViolationTarget": "subnet-1",
                "VPC": "vpc-1", "AvailabilityZone": "us-east-1a"}})
        );
        let table = FirewallFinding::MissingFirewallRouteTable {
            vpc,
            zone: Some(zone),
            current: "rtb-1".into(),
            is_main: true,
            expected: Some("rtb-2".into()),
        };
        assert_eq!(
            told(ResourceType::SUBNET, "subnet-f", table),
            json!({"ThirdPartyFirewallMissingExpectedRouteTableViolation": {
                "ViolationTarget": "subnet-f", "VPC": "vpc-1", "AvailabilityZone": "us-east-1a",
                "CurrentRouteTable": "rtb-1", "ExpectedRouteTable": "rtb-2"}})
        );
    }

    #[test]
    fn a_missing_endpoint_has_the_member_of_all_firewalls() {
        let gone = FirewallFinding::MissingFirewallEndpoint {
            vpc: "vpc-1".into(),
            zone: Some("us-east-1a".into()),
            zone_id: None,
        };
        let told = told(ResourceType::SUBNET, "subnet-f", gone);
        assert_eq!(
            told["FirewallSubnetMissingVPCEndpointViolation"],
            json!({"FirewallSubnetId": "subnet-f", "VpcId": "vpc-1",
                "SubnetAvailabilityZone": "us-east-1a"})
        );
    }
}
