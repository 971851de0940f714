//! Firewalls of Network Firewall in VPCs, and the routes to and from them, as details tell them, with
//! what would end a violation.

mod described;
mod remedies;
mod routes;

use palisade_core::evaluate::{FirewallFinding, RouteRemedy};
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    FirewallSubnetIsOutOfScopeViolation, FirewallSubnetMissingVPCEndpointViolation,
    NetworkFirewallBlackHoleRouteDetectedViolation,
    NetworkFirewallInternetTrafficNotInspectedViolation,
    NetworkFirewallInvalidRouteConfigurationViolation, NetworkFirewallMissingExpectedRTViolation,
    NetworkFirewallMissingExpectedRoutesViolation, NetworkFirewallMissingFirewallViolation,
    NetworkFirewallMissingSubnetViolation, NetworkFirewallPolicyModifiedViolation,
    NetworkFirewallUnexpectedFirewallRoutesViolation,
    NetworkFirewallUnexpectedGatewayRoutesViolation, ResourceViolation,
    RouteHasOutOfScopeEndpointViolation,
};

use super::text::{bounded, unless_empty};
use described::description;
use routes::{expected, route, routes};

/// The member of what was found, with what would end it beside.
pub fn violation(row: &ViolatorRow, finding: &FirewallFinding) -> ResourceViolation {
    let mut told = ResourceViolation::default();
    missing(row, finding, &mut told);
    subnets(row, finding, &mut told);
    tables(row, finding, &mut told);
    told.possible_remediation_actions = remedies::actions(row.id.as_str(), remedies_of(finding));
    told
}

fn remedies_of(finding: &FirewallFinding) -> &[RouteRemedy] {
    match finding {
        FirewallFinding::FirewallSubnetOutOfScope { remedies, .. }
        | FirewallFinding::RoutesOutOfScope { remedies, .. }
        | FirewallFinding::UninspectedTraffic { remedies, .. }
        | FirewallFinding::InvalidRoutes { remedies, .. }
        | FirewallFinding::UnexpectedFirewallRoutes { remedies, .. }
        | FirewallFinding::UnexpectedGatewayRoutes { remedies, .. }
        | FirewallFinding::MissingFirewallRoutes { remedies, .. }
        | FirewallFinding::MissingGatewayRoutes { remedies, .. } => remedies,
        _ => &[],
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn optional(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(bounded)
}

/// What is not there, or not as it should be.
fn missing(row: &ViolatorRow, finding: &FirewallFinding, told: &mut ResourceViolation) {
    let violation_target = Some(bounded(row.id.as_str()));
    match finding {
        FirewallFinding::MissingFirewall { vpc, zone, .. } => {
            told.network_firewall_missing_firewall_violation =
                Some(NetworkFirewallMissingFirewallViolation {
                    violation_target,
                    vpc: text(vpc),
                    availability_zone: optional(zone),
                    target_violation_reason: None,
                });
        }
        FirewallFinding::MissingFirewallSubnet { vpc, zone, .. } => {
            told.network_firewall_missing_subnet_violation =
                Some(NetworkFirewallMissingSubnetViolation {
                    violation_target,
                    vpc: text(vpc),
                    availability_zone: Some(bounded(zone)),
                    target_violation_reason: None,
                });
        }
        FirewallFinding::MissingFirewallRouteTable { vpc, zone, current, expected, .. } => {
            told.network_firewall_missing_expected_rt_violation =
                Some(NetworkFirewallMissingExpectedRTViolation {
                    violation_target,
                    vpc: text(vpc),
                    availability_zone: optional(zone),
                    current_route_table: text(current),
                    expected_route_table: optional(expected),
                });
        }
        FirewallFinding::MissingFirewallEndpoint { vpc, zone, zone_id } => {
            told.firewall_subnet_missing_vpc_endpoint_violation =
                Some(FirewallSubnetMissingVPCEndpointViolation {
                    firewall_subnet_id: text(row.id.as_str()),
                    vpc_id: text(vpc),
                    subnet_availability_zone: optional(zone),
                    subnet_availability_zone_id: optional(zone_id),
                });
        }
        FirewallFinding::FirewallPolicyModified { arn, current, expected, .. } => {
            told.network_firewall_policy_modified_violation =
                Some(NetworkFirewallPolicyModifiedViolation {
                    violation_target: Some(bounded(arn)),
                    current_policy_description: Some(description(current)),
                    expected_policy_description: Some(description(expected)),
                });
        }
        _ => {}
    }
}

/// Where traffic of a subnet goes.
fn subnets(row: &ViolatorRow, finding: &FirewallFinding, told: &mut ResourceViolation) {
    let subnet_id = text(row.id.as_str());
    match finding {
        FirewallFinding::FirewallSubnetOutOfScope { vpc, zone, zone_id, endpoint, .. } => {
            told.firewall_subnet_is_out_of_scope_violation =
                Some(FirewallSubnetIsOutOfScopeViolation {
                    firewall_subnet_id: subnet_id,
                    vpc_id: text(vpc),
                    subnet_availability_zone: optional(zone),
                    subnet_availability_zone_id: optional(zone_id),
                    vpc_endpoint_id: text(endpoint),
                });
        }
        FirewallFinding::RoutesOutOfScope { at, routes: violating, path, .. } => {
            told.route_has_out_of_scope_endpoint_violation =
                Some(RouteHasOutOfScopeEndpointViolation {
                    subnet_id,
                    vpc_id: text(&at.vpc),
                    route_table_id: text(&at.table),
                    violating_routes: routes(violating),
                    subnet_availability_zone: optional(&at.zone),
                    subnet_availability_zone_id: optional(&at.zone_id),
                    current_firewall_subnet_route_table: optional(&path.firewall_table),
                    firewall_subnet_id: optional(&path.firewall_subnet),
                    firewall_subnet_routes: routes(&path.firewall_routes),
                    internet_gateway_id: optional(&path.gateway),
                    current_internet_gateway_route_table: optional(&path.gateway_table),
                    internet_gateway_routes: routes(&path.gateway_routes),
                });
        }
        FirewallFinding::UninspectedTraffic { at, routes: violating, path, .. } => {
            told.network_firewall_internet_traffic_not_inspected_violation =
                Some(NetworkFirewallInternetTrafficNotInspectedViolation {
                    subnet_id,
                    subnet_availability_zone: optional(&at.zone),
                    route_table_id: text(&at.table),
                    violating_routes: routes(violating),
                    is_route_table_used_in_different_az: Some(at.is_shared),
                    current_firewall_subnet_route_table: optional(&path.firewall_table),
                    expected_firewall_endpoint: optional(&path.endpoint),
                    firewall_subnet_id: optional(&path.firewall_subnet),
                    expected_firewall_subnet_routes: expected(&path.expected_firewall_routes),
                    actual_firewall_subnet_routes: routes(&path.firewall_routes),
                    internet_gateway_id: optional(&path.gateway),
                    current_internet_gateway_route_table: optional(&path.gateway_table),
                    expected_internet_gateway_routes: expected(&path.expected_gateway_routes),
                    actual_internet_gateway_routes: routes(&path.gateway_routes),
                    vpc_id: text(&at.vpc),
                });
        }
        FirewallFinding::InvalidRoutes {
            at,
            route: violating,
            actual_endpoint,
            actual_subnet,
            path,
            ..
        } => {
            told.network_firewall_invalid_route_configuration_violation =
                Some(NetworkFirewallInvalidRouteConfigurationViolation {
                    affected_subnets: unless_empty(subnet_id.into_iter()),
                    route_table_id: text(&at.table),
                    is_route_table_used_in_different_az: Some(at.is_shared),
                    violating_route: violating.as_deref().map(route),
                    current_firewall_subnet_route_table: optional(&path.firewall_table),
                    expected_firewall_endpoint: optional(&path.endpoint),
                    actual_firewall_endpoint: optional(actual_endpoint),
                    expected_firewall_subnet_id: optional(&path.firewall_subnet),
                    actual_firewall_subnet_id: optional(actual_subnet),
                    expected_firewall_subnet_routes: expected(&path.expected_firewall_routes),
                    actual_firewall_subnet_routes: routes(&path.firewall_routes),
                    internet_gateway_id: optional(&path.gateway),
                    current_internet_gateway_route_table: optional(&path.gateway_table),
                    expected_internet_gateway_routes: expected(&path.expected_gateway_routes),
                    actual_internet_gateway_routes: routes(&path.gateway_routes),
                    vpc_id: text(&at.vpc),
                });
        }
        _ => {}
    }
}

/// What is amiss in a table.
fn tables(row: &ViolatorRow, finding: &FirewallFinding, told: &mut ResourceViolation) {
    let violation_target = Some(bounded(row.id.as_str()));
    match finding {
        FirewallFinding::BlackHoleRoutes { vpc, table, routes: violating, .. } => {
            told.network_firewall_black_hole_route_detected_violation =
                Some(NetworkFirewallBlackHoleRouteDetectedViolation {
                    violation_target,
                    route_table_id: text(table),
                    vpc_id: text(vpc),
                    violating_routes: routes(violating),
                });
        }
        FirewallFinding::UnexpectedFirewallRoutes {
            vpc,
            table,
            endpoint,
            routes: violating,
            ..
        } => {
            told.network_firewall_unexpected_firewall_routes_violation =
                Some(NetworkFirewallUnexpectedFirewallRoutesViolation {
                    firewall_subnet_id: text(row.id.as_str()),
                    violating_routes: routes(violating),
                    route_table_id: text(table),
                    firewall_endpoint: optional(endpoint),
                    vpc_id: text(vpc),
                });
        }
        FirewallFinding::UnexpectedGatewayRoutes { vpc, table, routes: violating, .. } => {
            told.network_firewall_unexpected_gateway_routes_violation =
                Some(NetworkFirewallUnexpectedGatewayRoutesViolation {
                    gateway_id: text(row.id.as_str()),
                    violating_routes: routes(violating),
                    route_table_id: text(table),
                    vpc_id: text(vpc),
                });
        }
        FirewallFinding::MissingFirewallRoutes { vpc, expected: wanted, .. }
        | FirewallFinding::MissingGatewayRoutes { vpc, expected: wanted, .. } => {
            told.network_firewall_missing_expected_routes_violation =
                Some(NetworkFirewallMissingExpectedRoutesViolation {
                    violation_target,
                    expected_routes: expected(wanted),
                    vpc_id: text(vpc),
                });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
