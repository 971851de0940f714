//! What traffic between a subnet and the internet goes through, as evidence.

use serde::{Deserialize, Serialize};

use crate::inventory::{Destination, Route};

/// Routes that are told of one table, and subnets of one route.
pub const ROUTES_MAX: usize = 100;

/// The first of several, as many as evidence holds.
pub(in crate::evaluate) fn first<T>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.take(ROUTES_MAX).collect()
}

/// A route that should be there: `ExpectedRoute` of the model.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedRoute {
    /// Of traffic to where.
    pub destination: Destination,
    /// Ids of what it may lead to, the best one first.
    pub targets: Vec<Box<str>>,
    /// The subnets for which it is expected, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Box<str>>,
    /// In which table, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Box<str>>,
}

/// The way of a zone's traffic: the firewall subnet that it should go through, and the gateway.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirewallPath {
    /// The firewall subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall_subnet: Option<Box<str>>,
    /// The endpoint in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Box<str>>,
    /// The table of the firewall subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall_table: Option<Box<str>>,
    /// Routes that it should have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_firewall_routes: Vec<ExpectedRoute>,
    /// Routes that it has, at most [`ROUTES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall_routes: Vec<Route>,
    /// The internet gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Box<str>>,
    /// Its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_table: Option<Box<str>>,
    /// Routes that it should have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_gateway_routes: Vec<ExpectedRoute>,
    /// Routes that it has, at most [`ROUTES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateway_routes: Vec<Route>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_holds_so_many_routes_and_no_more() {
        for (told, kept) in [(99, 99), (100, 100), (101, 100)] {
            assert_eq!(first(0..told).len(), kept);
        }
    }
}
