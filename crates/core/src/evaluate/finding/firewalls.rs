//! What is found of firewalls in VPCs, and of the routes to and from them.

use serde::{Deserialize, Serialize};

use crate::inventory::{FirewallRules, Route};

mod path;
mod remedy;
mod told;

pub(in crate::evaluate) use path::first;
pub use path::{ExpectedRoute, FirewallPath, ROUTES_MAX};
pub use remedy::{RouteRemedy, RouteStep};

use super::reason::{Reasoned, ViolationReason};

/// What is wrong with the firewall of a VPC.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum FirewallFinding {
    /// A VPC has no firewall of the policy's own.
    MissingFirewall {
        /// The VPC.
        vpc: Box<str>,
        /// The first zone that must have an endpoint, when a subnet tells it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Box<str>>,
        /// Names of other firewalls in the VPC, which do not serve.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<Box<str>>,
    },
    /// The policy's own firewall has no subnet in a zone that must have an endpoint.
    MissingFirewallSubnet {
        /// The VPC.
        vpc: Box<str>,
        /// The zone, as the policy names it or by name.
        zone: Box<str>,
        /// Names of other firewalls in the VPC, which do not serve.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<Box<str>>,
    },
    /// A firewall subnet is not on a route table of its own.
    MissingFirewallRouteTable {
        /// The VPC.
        vpc: Box<str>,
        /// The subnet's zone, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Box<str>>,
        /// The table that serves it.
        current: Box<str>,
        /// Whether that is the VPC's main one, for want of another; else it serves other subnets too.
        is_main: bool,
        /// A table that other firewall subnets are on alone, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<Box<str>>,
    },
    /// The endpoint in a firewall subnet is gone.
    MissingFirewallEndpoint {
        /// The VPC.
        vpc: Box<str>,
        /// The subnet's zone, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Box<str>>,
        /// Its id, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone_id: Option<Box<str>>,
    },
    /// A firewall policy filters by something else than the policy wants.
    FirewallPolicyModified {
        /// ARN of the firewall policy.
        arn: Box<str>,
        /// What it filters by.
        current: Box<FirewallRules>,
        /// What it must.
        expected: Box<FirewallRules>,
        /// What is amiss, each in words; never empty.
        differences: Vec<Box<str>>,
    },
    /// A firewall subnet is in a zone that is not listed any more, and routes still lead to it.
    FirewallSubnetOutOfScope {
        /// The VPC.
        vpc: Box<str>,
        /// The subnet's zone, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Box<str>>,
        /// Its id, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone_id: Option<Box<str>>,
        /// The endpoint in it.
        endpoint: Box<str>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
    /// A subnet's routes lead to such an endpoint.
    RoutesOutOfScope {
        /// The subnet and its table.
        at: Box<RoutedSubnet>,
        /// Those routes.
        routes: Vec<Route>,
        /// What they go through.
        path: Box<FirewallPath>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
    /// A subnet's traffic goes to the internet past the firewall.
    UninspectedTraffic {
        /// The subnet and its table.
        at: Box<RoutedSubnet>,
        /// The routes that lead to a gateway.
        routes: Vec<Route>,
        /// What they should go through.
        path: Box<FirewallPath>,
        /// What would end it, the default one first; none where no remedy is safe.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remedies: Vec<RouteRemedy>,
    },
    /// A subnet's traffic goes to an endpoint that it should not go to, or comes by one and does not go
    /// by it.
    InvalidRoutes {
        /// The subnet and its table.
        at: Box<RoutedSubnet>,
        /// The route that is amiss; `None`: one is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<Box<Route>>,
        /// The endpoint that it leads to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actual_endpoint: Option<Box<str>>,
        /// The subnet of that endpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actual_subnet: Option<Box<str>>,
        /// Whether the endpoint is the policy's own, in another zone.
        crosses: bool,
        /// What it should go through.
        path: Box<FirewallPath>,
        /// What would end it, the default one first; none where no remedy is safe.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remedies: Vec<RouteRemedy>,
    },
    /// Routes lead nowhere.
    BlackHoleRoutes {
        /// The VPC.
        vpc: Box<str>,
        /// The table.
        table: Box<str>,
        /// Those routes.
        routes: Vec<Route>,
        /// Whether the subnet is a firewall's.
        of_firewall: bool,
    },
    /// The table of a firewall subnet has routes that lead neither into the VPC nor to the internet.
    UnexpectedFirewallRoutes {
        /// The VPC.
        vpc: Box<str>,
        /// The table.
        table: Box<str>,
        /// The endpoint in the subnet, when there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<Box<str>>,
        /// Those routes.
        routes: Vec<Route>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
    /// The table of a gateway has routes that lead neither into the VPC nor, for a subnet that is
    /// protected, to an endpoint of the policy's own.
    UnexpectedGatewayRoutes {
        /// The VPC.
        vpc: Box<str>,
        /// The table.
        table: Box<str>,
        /// Those routes.
        routes: Vec<Route>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
    /// The table of a firewall subnet lacks routes to the internet.
    MissingFirewallRoutes {
        /// The VPC.
        vpc: Box<str>,
        /// Those routes; never empty.
        expected: Vec<ExpectedRoute>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
    /// The table of a gateway lacks routes to endpoints, or there is none.
    MissingGatewayRoutes {
        /// The VPC.
        vpc: Box<str>,
        /// The table; `None`: the gateway has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        table: Option<Box<str>>,
        /// Those routes; never empty.
        expected: Vec<ExpectedRoute>,
        /// What would end it, the default one first.
        remedies: Vec<RouteRemedy>,
    },
}

/// A subnet, by whose routes something is amiss.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutedSubnet {
    /// `VpcId`
    pub vpc: Box<str>,
    /// The subnet's zone, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Box<str>>,
    /// Its id, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<Box<str>>,
    /// The table that serves it.
    pub table: Box<str>,
    /// Whether that serves a subnet of another zone as well.
    pub is_shared: bool,
}

impl FirewallFinding {
    /// The finding with the reason that AWS gives for it.
    pub(in crate::evaluate) fn reasoned(self) -> Reasoned<FirewallFinding> {
        let reason = match &self {
            FirewallFinding::MissingFirewall { .. } => ViolationReason::MissingFirewall,
            FirewallFinding::MissingFirewallSubnet { .. } => {
                ViolationReason::MissingFirewallSubnetInAz
            }
            FirewallFinding::MissingFirewallRouteTable { .. } => {
                ViolationReason::MissingExpectedRouteTable
            }
            FirewallFinding::MissingFirewallEndpoint { .. } => {
                ViolationReason::FirewallSubnetMissingVpceEndpoint
            }
            FirewallFinding::FirewallPolicyModified { .. } => {
                ViolationReason::NetworkFirewallPolicyModified
            }
            FirewallFinding::FirewallSubnetOutOfScope { .. } => {
                ViolationReason::FirewallSubnetIsOutOfScope
            }
            FirewallFinding::RoutesOutOfScope { .. } => ViolationReason::RouteHasOutOfScopeEndpoint,
            FirewallFinding::UninspectedTraffic { .. } => {
                ViolationReason::InternetTrafficNotInspected
            }
            FirewallFinding::InvalidRoutes { crosses: true, .. } => {
                ViolationReason::TrafficInspectionCrossesAzBoundary
            }
            FirewallFinding::InvalidRoutes { .. } => ViolationReason::InvalidRouteConfiguration,
            FirewallFinding::BlackHoleRoutes { of_firewall: true, .. } => {
                ViolationReason::BlackHoleRouteDetectedInFirewallSubnet
            }
            FirewallFinding::BlackHoleRoutes { .. } => ViolationReason::BlackHoleRouteDetected,
            FirewallFinding::UnexpectedFirewallRoutes { .. } => {
                ViolationReason::UnexpectedFirewallRoutes
            }
            FirewallFinding::UnexpectedGatewayRoutes { .. } => {
                ViolationReason::UnexpectedTargetGatewayRoutes
            }
            FirewallFinding::MissingFirewallRoutes { .. } => {
                ViolationReason::FirewallSubnetMissingExpectedRoute
            }
            FirewallFinding::MissingGatewayRoutes { table: None, .. } => {
                ViolationReason::MissingTargetGateway
            }
            FirewallFinding::MissingGatewayRoutes { .. } => {
                ViolationReason::InternetGatewayMissingExpectedRoute
            }
        };
        Reasoned { reason, finding: self }
    }
}
