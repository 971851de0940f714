//! What is found of firewalls, in words.

use crate::inventory::Route;

use super::{ExpectedRoute, FirewallFinding, RouteRemedy, RouteStep};

impl FirewallFinding {
    /// What would end it, a sentence a remedy; where AWS tells none, what to do in one.
    pub fn ends_by(&self) -> Vec<String> {
        let told = |remedies: &[RouteRemedy]| {
            let steps = |remedy: &RouteRemedy| {
                let steps: Vec<String> = remedy.steps.iter().map(RouteStep::summary).collect();
                steps.join(", then ")
            };
            remedies.iter().map(steps).collect()
        };
        match self {
            FirewallFinding::MissingFirewall { vpc, .. } => {
                vec![format!("create the policy's firewall in VPC {vpc}")]
            }
            FirewallFinding::MissingFirewallSubnet { vpc, zone, .. } => vec![format!(
                "create a subnet in zone {zone} of VPC {vpc} and give the firewall an endpoint there"
            )],
            FirewallFinding::MissingFirewallRouteTable { expected: Some(table), .. } => {
                vec![format!("associate the firewall subnet with route table {table}")]
            }
            FirewallFinding::MissingFirewallRouteTable { .. } => {
                vec![
                    "create a route table for the firewall subnet alone and associate it"
                        .to_owned(),
                ]
            }
            FirewallFinding::MissingFirewallEndpoint { .. } => {
                vec!["give the firewall an endpoint in the subnet".to_owned()]
            }
            FirewallFinding::FirewallPolicyModified { arn, .. } => {
                vec![format!("set firewall policy {arn} as the policy wants it")]
            }
            FirewallFinding::BlackHoleRoutes { table, routes, .. } => vec![format!(
                "take these routes out of {table}, or let them lead somewhere: {}",
                listed(routes)
            )],
            FirewallFinding::FirewallSubnetOutOfScope { remedies, .. }
            | FirewallFinding::RoutesOutOfScope { remedies, .. }
            | FirewallFinding::UninspectedTraffic { remedies, .. }
            | FirewallFinding::InvalidRoutes { remedies, .. }
            | FirewallFinding::UnexpectedFirewallRoutes { remedies, .. }
            | FirewallFinding::UnexpectedGatewayRoutes { remedies, .. }
            | FirewallFinding::MissingFirewallRoutes { remedies, .. }
            | FirewallFinding::MissingGatewayRoutes { remedies, .. } => told(remedies),
        }
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            FirewallFinding::MissingFirewall { vpc, others, .. } => {
                format!("VPC {vpc} has no firewall of this policy{}", beside(others))
            }
            FirewallFinding::MissingFirewallSubnet { vpc, zone, others } => format!(
                "the firewall of this policy has no subnet in zone {zone} of VPC {vpc}{}",
                beside(others)
            ),
            FirewallFinding::MissingFirewallRouteTable { current, is_main: true, .. } => format!(
                "the firewall subnet has no route table of its own: the main one, {current}, serves it"
            ),
            FirewallFinding::MissingFirewallRouteTable { current, .. } => format!(
                "the firewall subnet has no route table of its own: {current} serves other subnets too"
            ),
            FirewallFinding::MissingFirewallEndpoint { .. } => {
                "the firewall subnet has no firewall endpoint".to_owned()
            }
            FirewallFinding::FirewallPolicyModified { arn, differences, .. } => {
                format!("firewall policy {arn}: {}", differences.join("; "))
            }
            FirewallFinding::FirewallSubnetOutOfScope { zone, endpoint, .. } => format!(
                "the policy does not list zone {} any more, and routes still lead to {endpoint}",
                zone.as_deref().unwrap_or("of this subnet")
            ),
            FirewallFinding::RoutesOutOfScope { at, routes, .. } => format!(
                "routes of {} lead to an endpoint in a zone that the policy does not list any more: {}",
                at.table,
                listed(routes)
            ),
            FirewallFinding::UninspectedTraffic { at, routes, .. } => format!(
                "traffic goes to the internet past the firewall by routes of {}: {}",
                at.table,
                listed(routes)
            ),
            FirewallFinding::InvalidRoutes { at, route: Some(route), crosses, .. } => {
                let what = match crosses {
                    true => "an endpoint in another zone",
                    false => "an endpoint that is not this policy's",
                };
                format!("a route of {} leads to {what}: {route}", at.table)
            }
            FirewallFinding::InvalidRoutes { at, .. } => format!(
                "traffic comes in through the firewall, and {} has no route to take it back",
                at.table
            ),
            FirewallFinding::BlackHoleRoutes { table, routes, .. } => {
                format!("routes of {table} lead nowhere: {}", listed(routes))
            }
            FirewallFinding::UnexpectedFirewallRoutes { table, routes, .. }
            | FirewallFinding::UnexpectedGatewayRoutes { table, routes, .. } => {
                format!("{table} has routes that it should not have: {}", listed(routes))
            }
            FirewallFinding::MissingFirewallRoutes { expected, .. } => {
                format!("the firewall subnet lacks the routes {}", wanted(expected))
            }
            FirewallFinding::MissingGatewayRoutes { table: Some(table), expected, .. } => {
                format!("{table} of the internet gateway lacks the routes {}", wanted(expected))
            }
            FirewallFinding::MissingGatewayRoutes { expected, .. } => format!(
                "the internet gateway has no route table, which should have the routes {}",
                wanted(expected)
            ),
        }
    }
}

/// That other firewalls do not serve.
fn beside(others: &[Box<str>]) -> String {
    match others {
        [] => String::new(),
        [one] => format!("; firewall {one} is not this policy's"),
        several => format!("; firewalls {} are not this policy's", several.join(", ")),
    }
}

fn listed(routes: &[Route]) -> String {
    let told: Vec<String> = routes.iter().map(ToString::to_string).collect();
    told.join(", ")
}

fn wanted(routes: &[ExpectedRoute]) -> String {
    let told = routes.iter().map(|route| {
        format!("{} to {}", route.destination, route.targets.first().map_or("?", |one| &**one))
    });
    told.collect::<Vec<_>>().join(", ")
}
