//! Route monitoring: traffic between subnets and the internet goes through the policy's own endpoints
//! in its zone, both ways (semantics §5.7, §11 row 61). Each subnet is judged by its own routes.

use crate::evaluate::{DependentService, FirewallFinding, Gap, first};
use crate::inventory::{Destination, Route};

use super::found::Found;
use super::places::{Place, untold};
use super::remedies;
use super::tables::Serving;
use super::ways::{Way, Ways, leads_to, taken};

impl<'a> Ways<'a, '_> {
    /// Judges the subnets that are no firewall's.
    pub fn judge_customers(&self, found: &mut Found) {
        // One that is not told may go past the firewall.
        let untold = self.within.places.untold_subnets(self.within.id());
        untold.into_iter().for_each(|gap| found.gap(gap.clone()));
        for place in self.within.customers() {
            let tables = &self.within.places.tables;
            let Some(serving) = found.told(tables.of_subnet(place.id(), self.within.id())) else {
                continue;
            };
            let Some(routes) = found.told(serving.routes()) else { continue };
            found.reads(serving.item);
            note_untold(&serving, routes, found);
            self.black_holes(place, &serving, routes, found);
            self.past(place, &serving, routes, found);
            for route in routes.iter().filter(|route| !route.is_black_hole()) {
                self.through(place, &serving, route, found);
            }
            self.asymmetric(place, &serving, routes, found);
        }
    }

    /// Routes to a gateway or an endpoint that lead nowhere.
    fn black_holes(
        &self,
        place: Place<'a>,
        serving: &Serving<'a>,
        routes: &[Route],
        found: &mut Found,
    ) {
        let is_one = |route: &&Route| {
            route.is_black_hole() && (route.is_to_internet() || route.endpoint().is_some())
        };
        let holes = first(routes.iter().filter(is_one).cloned());
        if !holes.is_empty() {
            let (vpc, table) = (self.within.id().into(), serving.id().into());
            let finding =
                FirewallFinding::BlackHoleRoutes { vpc, table, routes: holes, of_firewall: false };
            found.violates(place.item, finding);
        }
    }

    /// Routes to the gateway itself, of whichever kind of destination.
    fn past(&self, place: Place<'a>, serving: &Serving<'a>, routes: &[Route], found: &mut Found) {
        let is_past = |route: &&Route| route.is_to_internet() && !route.is_black_hole();
        let past = first(routes.iter().filter(is_past).cloned());
        if past.is_empty() {
            return;
        }
        let allowed = found.told(self.allowed(place)).unwrap_or_default();
        let way = allowed.first().copied();
        let remedies = remedies::inspect(self, place, serving, &past, way);
        let at = self.routed(place, serving);
        let path = self.path(place, way);
        found.violates(
            place.item,
            FirewallFinding::UninspectedTraffic { at, routes: past, path, remedies },
        );
    }

    /// A route to an endpoint leads to one of the policy's own that the subnet may use.
    fn through(&self, place: Place<'a>, serving: &Serving<'a>, route: &Route, found: &mut Found) {
        let Some(endpoint) = route.endpoint().filter(|_| self.is_certain) else { return };
        let subnets = self.within.places.endpoint_subnets(endpoint);
        let Some(subnets) = found.told(subnets).filter(|subnets| !subnets.is_empty()) else {
            return;
        };
        let actual = self.way_of(subnets);
        if route.destination.is_ipv6() && actual.is_some() {
            let text = format!(
                "Palisade does not judge IPv6 routes to firewall endpoints yet: {} of {}.",
                route.destination,
                serving.id()
            );
            return found.gap(Gap::new(DependentService::Vpc, &text));
        }
        let Some(allowed) = found.told(self.allowed(place)) else { return };
        let is_allowed = |way: &Way<'_>| allowed.iter().any(|one| one.place.id() == way.place.id());
        if actual.is_some_and(is_allowed) {
            return;
        }
        let way = allowed.first().copied();
        let remedies = remedies::redirect(self, place, serving, Some(&route.destination), way);
        found.violates(
            place.item,
            FirewallFinding::InvalidRoutes {
                at: self.routed(place, serving),
                route: Some(Box::new(route.clone())),
                actual_endpoint: Some(endpoint.into()),
                actual_subnet: subnets.first().cloned(),
                crosses: actual.is_some(),
                path: self.path(place, way),
                remedies,
            },
        );
    }

    /// What comes in through an endpoint goes out by one.
    fn asymmetric(
        &self,
        place: Place<'a>,
        serving: &Serving<'a>,
        routes: &[Route],
        found: &mut Found,
    ) {
        let goes_out = |route: &Route| route.is_to_internet() || route.endpoint().is_some();
        let is_out = routes.iter().any(|route| !route.destination.is_ipv6() && goes_out(route));
        let gateway = self.gateway.as_ref().and_then(|gateway| gateway.routes);
        let (Some(range), Some(coming)) = (place.subnet.ipv4, gateway) else { return };
        let by = taken(coming, &Destination::Range(range.into()));
        let way = by.and_then(|by| self.firewalls.iter().find(|way| leads_to(by, way)));
        if is_out || way.is_none() {
            return;
        }
        let remedies = remedies::redirect(self, place, serving, None, way);
        found.violates(
            place.item,
            FirewallFinding::InvalidRoutes {
                at: self.routed(place, serving),
                route: None,
                actual_endpoint: None,
                actual_subnet: None,
                crosses: false,
                path: self.path(place, way),
                remedies,
            },
        );
    }
}

/// A route whose target or state was not told may lead anywhere, or nowhere.
pub(super) fn note_untold(serving: &Serving<'_>, routes: &[Route], found: &mut Found) {
    for route in routes {
        if route.target.is_none() {
            found.gap(untold(serving.item, &format!("target of {}", route.destination)));
        }
        if route.active.is_none() {
            found.gap(untold(serving.item, &format!("state of {}", route.destination)));
        }
    }
}
