//! Routes, as the model has them.

use palisade_core::evaluate::ExpectedRoute;
use palisade_core::inventory::{Destination, Route, TargetKind};
use palisade_wire::shapes::{self, DestinationType, TargetType};

use crate::violations::text::unless_empty;

/// Left out where there are none.
pub fn routes(routes: &[Route]) -> Option<Vec<shapes::Route>> {
    unless_empty(routes.iter().map(route))
}

/// `Route`; the model has no word for some targets.
pub fn route(route: &Route) -> shapes::Route {
    let target = route.target.as_ref();
    shapes::Route {
        destination_type: Some(match &route.destination {
            Destination::Range(range) if range.addr().is_ipv4() => DestinationType::Ipv4,
            Destination::Range(_) => DestinationType::Ipv6,
            Destination::List(_) => DestinationType::PrefixList,
        }),
        target_type: target.and_then(|target| kind(target.kind)),
        destination: Some(route.destination.to_string()),
        target: target.map(|target| target.id.to_string()),
    }
}

fn kind(kind: TargetKind) -> Option<TargetType> {
    Some(match kind {
        TargetKind::Gateway => TargetType::Gateway,
        TargetKind::CarrierGateway => TargetType::CarrierGateway,
        TargetKind::Instance => TargetType::Instance,
        TargetKind::LocalGateway => TargetType::LocalGateway,
        TargetKind::NatGateway => TargetType::NatGateway,
        TargetKind::NetworkInterface => TargetType::NetworkInterface,
        TargetKind::VpcEndpoint => TargetType::VpcEndpoint,
        TargetKind::PeeringConnection => TargetType::VpcPeeringConnection,
        TargetKind::EgressOnlyGateway => TargetType::EgressOnlyInternetGateway,
        TargetKind::TransitGateway => TargetType::TransitGateway,
        TargetKind::Other => return None,
    })
}

/// `ExpectedRoutes`
pub fn expected(routes: &[ExpectedRoute]) -> Option<Vec<shapes::ExpectedRoute>> {
    unless_empty(routes.iter().map(|wanted| {
        let (ip_v4_cidr, ip_v6_cidr, prefix_list_id) = by_kind(&wanted.destination);
        shapes::ExpectedRoute {
            ip_v4_cidr,
            ip_v6_cidr,
            prefix_list_id,
            contributing_subnets: unless_empty(wanted.subnets.iter().map(ToString::to_string)),
            allowed_targets: unless_empty(wanted.targets.iter().map(ToString::to_string)),
            route_table_id: wanted.table.as_ref().map(ToString::to_string),
        }
    }))
}

/// Of IPv4, of IPv6, a prefix list: one of them.
pub fn by_kind(destination: &Destination) -> (Option<String>, Option<String>, Option<String>) {
    let text = Some(destination.to_string());
    match destination {
        Destination::Range(range) if range.addr().is_ipv4() => (text, None, None),
        Destination::Range(_) => (None, text, None),
        Destination::List(_) => (None, None, text),
    }
}
