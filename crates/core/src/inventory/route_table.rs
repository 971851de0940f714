//! Where traffic of a VPC goes: route tables, internet gateways and endpoints (formats §9).

use std::fmt;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::ident::AccountId;

/// A route table.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `ownerId`, when present.
    pub owner: Option<AccountId>,
    /// `routes`, ascending by destination; `None` when the body does not tell them.
    pub routes: Option<Vec<Route>>,
    /// `associations` that hold, ascending; `None` when the body does not tell them.
    pub associations: Option<Vec<RouteAssociation>>,
}

/// That a route table serves a subnet, a gateway, or all subnets of its VPC that have no other.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RouteAssociation {
    /// `subnetId`
    pub subnet: Option<Box<str>>,
    /// `gatewayId`: of traffic that enters the VPC by it.
    pub gateway: Option<Box<str>>,
    /// `main`
    pub main: bool,
    /// `routeTableAssociationId`, when told.
    pub id: Option<Box<str>>,
}

/// A route: `Route` of the model.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Of traffic to where.
    pub destination: Destination,
    /// Where it goes; `None` when the route does not tell it.
    pub target: Option<RouteTarget>,
    /// `state` is `active`; one that is `blackhole` leads nowhere. `None` when not told.
    pub active: Option<bool>,
}

/// Destinations of a route. Of a prefix list only its id is known.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Destination {
    /// `destinationCidrBlock` or `destinationIpv6CidrBlock`, without host bits.
    Range(IpNet),
    /// `destinationPrefixListId`
    List(Box<str>),
}

/// Where a route leads: by the model's words, what and its id.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTarget {
    /// What it is.
    pub kind: TargetKind,
    /// Its id; `local` for the VPC itself.
    pub id: Box<str>,
}

/// `TargetType` of the model, and what it has no word for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum TargetKind {
    Gateway,
    CarrierGateway,
    Instance,
    LocalGateway,
    NatGateway,
    NetworkInterface,
    VpcEndpoint,
    PeeringConnection,
    EgressOnlyGateway,
    TransitGateway,
    /// A core network, and whatever comes.
    Other,
}

impl Route {
    /// Whether it leads to an internet gateway.
    pub fn is_to_internet(&self) -> bool {
        self.target_id(TargetKind::Gateway).is_some_and(|id| id.starts_with("igw-"))
    }

    /// Whether it stays in the VPC.
    pub fn is_local(&self) -> bool {
        self.target_id(TargetKind::Gateway) == Some("local")
    }

    /// The VPC endpoint that it leads to.
    pub fn endpoint(&self) -> Option<&str> {
        self.target_id(TargetKind::VpcEndpoint)
    }

    /// Whether it leads nowhere.
    pub fn is_black_hole(&self) -> bool {
        self.active == Some(false)
    }

    fn target_id(&self, kind: TargetKind) -> Option<&str> {
        self.target.as_ref().filter(|target| target.kind == kind).map(|target| &*target.id)
    }
}

impl Destination {
    /// The range, when it is one of IPv4.
    pub fn ipv4(&self) -> Option<Ipv4Net> {
        match self {
            Destination::Range(IpNet::V4(range)) => Some(*range),
            Destination::Range(IpNet::V6(_)) | Destination::List(_) => None,
        }
    }

    /// Whether it is a range of IPv6.
    pub fn is_ipv6(&self) -> bool {
        matches!(self, Destination::Range(IpNet::V6(_)))
    }

    /// Whether traffic to the other one is traffic to this one, as far as can be told.
    pub fn covers(&self, other: &Destination) -> bool {
        match (self, other) {
            (Destination::Range(own), Destination::Range(others)) => own.contains(others),
            (Destination::List(own), Destination::List(others)) => own == others,
            // A list may hold anything; everything holds it.
            (Destination::Range(own), Destination::List(_)) => own.prefix_len() == 0,
            (Destination::List(_), Destination::Range(_)) => false,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Range(range) => range.fmt(f),
            Destination::List(id) => f.write_str(id),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target.as_ref().map_or("an untold target", |target| &*target.id);
        write!(f, "{} to {target}", self.destination)
    }
}

/// An internet gateway.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct InternetGateway {
    /// VPCs of `attachments`, but detached ones, ascending; `None` when the body does not tell them.
    pub vpcs: Option<Vec<Box<str>>>,
}

/// A VPC endpoint.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct VpcEndpoint {
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `vpcEndpointType`: a firewall's is `GatewayLoadBalancer`.
    pub kind: Option<Box<str>>,
    /// `subnetIds`, ascending; `None` when the body does not tell them.
    pub subnets: Option<Vec<Box<str>>>,
    /// `state`
    pub state: Option<Box<str>>,
    /// `serviceName`
    pub service: Option<Box<str>>,
}

impl VpcEndpoint {
    /// Whether it is of a firewall's kind; `None` when not told.
    pub fn is_gateway_load_balancer(&self) -> Option<bool> {
        self.kind.as_ref().map(|kind| kind.eq_ignore_ascii_case("GatewayLoadBalancer"))
    }

    /// Whether traffic can go through it, now or when it is ready; `None` when not told.
    pub fn serves(&self) -> Option<bool> {
        const OVER: [&str; 5] = ["deleted", "deleting", "expired", "failed", "rejected"];
        let is_over = |state: &str| OVER.iter().any(|over| state.eq_ignore_ascii_case(over));
        self.state.as_ref().map(|state| !is_over(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Destination {
        text.parse().map_or_else(|_| Destination::List(text.into()), Destination::Range)
    }

    #[test]
    fn a_destination_covers_what_lies_inside_of_it() {
        for (own, other, wanted) in [
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("10.0.0.0/16", "10.0.0.0/8", false),
            ("0.0.0.0/0", "::/0", false),
            ("0.0.0.0/0", "pl-1", true),
            ("10.0.0.0/8", "pl-1", false),
            ("pl-1", "pl-1", true),
            ("pl-1", "pl-2", false),
            ("pl-1", "10.0.0.0/8", false),
        ] {
            assert_eq!(of(own).covers(&of(other)), wanted, "{own} {other}");
        }
    }

    #[test]
    fn an_endpoint_serves_until_it_is_over() {
        for (state, wanted) in [
            (Some("available"), Some(true)),
            (Some("pending"), Some(true)),
            (Some("Deleted"), Some(false)),
            (Some("failed"), Some(false)),
            (None, None),
        ] {
            let endpoint = VpcEndpoint { state: state.map(Into::into), ..VpcEndpoint::default() };
            assert_eq!(endpoint.serves(), wanted, "{state:?}");
        }
    }
}
