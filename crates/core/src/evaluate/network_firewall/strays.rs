//! Endpoints in Availability Zones that the policy does not list any more: Firewall Manager keeps them
//! as long as a route leads there (semantics §5.7).

use serde_json::json;

use crate::evaluate::{FirewallFinding, RouteRemedy, RouteStep, first};
use crate::inventory::Route;
use crate::policy::network_firewall::Zone;

use super::found::Found;
use super::places::Place;
use super::tables::Serving;
use super::ways::{Way, Ways, leads_to};

impl<'a> Ways<'a, '_> {
    /// Judges firewall subnets outside of the listed zones, and the subnets whose routes lead there.
    pub fn judge_strays(&self, found: &mut Found) {
        let Some(zones) = self.rule.placement.zones() else { return };
        for way in &self.firewalls {
            let told: Vec<_> = zones.iter().map(|zone| way.place.is_in(zone)).collect();
            if told.contains(&Ok(true)) {
                continue;
            }
            if let Some(Err(gap)) = told.into_iter().find(Result::is_err) {
                found.gap(gap);
                continue;
            }
            if let Some(endpoint) = way.endpoint {
                self.stray(zones, way, endpoint, found);
            }
        }
    }

    fn stray(&self, zones: &[Zone], way: &Way<'a>, endpoint: &str, found: &mut Found) {
        let is_to = |routes: &[Route]| routes.iter().any(|route| leads_to(route, way));
        let gateway = self.gateway.as_ref().and_then(|gateway| gateway.routes);
        let mut is_used = is_to(gateway.unwrap_or_default());
        for place in self.within.customers() {
            let tables = &self.within.places.tables;
            let Some(serving) = found.told(tables.of_subnet(place.id(), self.within.id())) else {
                continue;
            };
            let Some(routes) = found.told(serving.routes()) else { continue };
            if is_to(routes) {
                is_used = true;
                self.strays_route(zones, way, place, &serving, routes, found);
            }
        }
        if is_used {
            let listed = listed_again(zones, way.place, true);
            found.violates(
                way.place.item,
                FirewallFinding::FirewallSubnetOutOfScope {
                    vpc: self.within.id().into(),
                    zone: way.place.subnet.zone.clone(),
                    zone_id: way.place.subnet.zone_id.clone(),
                    endpoint: endpoint.into(),
                    remedies: listed.into_iter().collect(),
                },
            );
        }
    }

    fn strays_route(
        &self,
        zones: &[Zone],
        way: &Way<'a>,
        place: Place<'a>,
        serving: &Serving<'a>,
        routes: &[Route],
        found: &mut Found,
    ) {
        let routes = first(routes.iter().filter(|route| leads_to(route, way)).cloned());
        let ranges = routes.iter().filter(|route| route.destination.ipv4().is_some());
        let gone: Vec<RouteStep> = ranges
            .map(|route| RouteStep::Delete {
                table: serving.id().into(),
                destination: route.destination.clone(),
            })
            .collect();
        let listed = listed_again(zones, way.place, true);
        let deleted =
            (!gone.is_empty()).then(|| RouteRemedy { steps: gone, is_default: listed.is_none() });
        found.violates(
            place.item,
            FirewallFinding::RoutesOutOfScope {
                at: self.routed(place, serving),
                routes,
                path: self.path(place, Some(way)),
                remedies: listed.into_iter().chain(deleted).collect(),
            },
        );
    }
}

/// The policy lists the zone again, by name or id as it lists others.
fn listed_again(zones: &[Zone], place: Place<'_>, is_default: bool) -> Option<RouteRemedy> {
    let by_id = zones.first().is_some_and(|zone| matches!(zone, Zone::Id(_)));
    let zone = match by_id {
        true => place.subnet.zone_id.clone().map(Zone::Id),
        false => place.subnet.zone.clone().map(Zone::Name),
    }?;
    let of = |zone: &Zone| match zone {
        Zone::Name(name) => json!({"availabilityZoneName": name}),
        Zone::Id(id) => json!({"availabilityZoneId": id}),
    };
    let all: Vec<_> = zones.iter().chain([&zone]).map(of).collect();
    let creation = json!({"endpointLocation": {"availabilityZoneConfigList": all}});
    let step = RouteStep::UpdateZones {
        creation: creation.to_string().into(),
        zone: zone.as_str().into(),
    };
    Some(RouteRemedy { steps: vec![step], is_default })
}
