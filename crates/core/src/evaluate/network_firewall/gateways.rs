//! Route monitoring: the tables of firewall subnets and of the internet gateway (semantics §5.7, §11
//! row 61).

use crate::evaluate::{ExpectedRoute, FirewallFinding, first};
use crate::inventory::Route;

use super::found::Found;
use super::monitor::note_untold;
use super::places::Place;
use super::remedies;
use super::tables::Serving;
use super::ways::{Gateway, Way, Ways, leads_to, taken};

impl<'a> Ways<'a, '_> {
    /// Judges the firewall subnets: they lead to the internet and into the VPC, and nowhere else.
    pub fn judge_firewalls(&self, found: &mut Found) {
        for way in &self.firewalls {
            let (Some(serving), Some(routes)) = (way.serving, way.routes) else { continue };
            note_untold(&serving, routes, found);
            let (vpc, table): (Box<str>, Box<str>) = (self.within.id().into(), serving.id().into());
            let holes = first(routes.iter().filter(|route| route.is_black_hole()).cloned());
            if !holes.is_empty() {
                let (vpc, table) = (vpc.clone(), table.clone());
                let of_firewall = true;
                let finding =
                    FirewallFinding::BlackHoleRoutes { vpc, table, routes: holes, of_firewall };
                found.violates(way.place.item, finding);
            }
            self.unexpected(way, &serving, routes, found);
            self.missing_out(way, routes, found);
        }
    }

    fn unexpected(
        &self,
        way: &Way<'a>,
        serving: &Serving<'a>,
        routes: &[Route],
        found: &mut Found,
    ) {
        let is_one = |route: &&Route| {
            let is_known = route.target.is_some() && !route.is_black_hole();
            is_known && !route.is_local() && !route.is_to_internet()
        };
        let routes = first(routes.iter().filter(is_one).cloned());
        if !routes.is_empty() {
            found.violates(
                way.place.item,
                FirewallFinding::UnexpectedFirewallRoutes {
                    vpc: self.within.id().into(),
                    table: serving.id().into(),
                    endpoint: way.endpoint.map(Into::into),
                    remedies: remedies::delete(serving.id(), &routes, Vec::new()),
                    routes,
                },
            );
        }
    }

    fn missing_out(&self, way: &Way<'a>, routes: &[Route], found: &mut Found) {
        let leads_out: Vec<&Route> = routes
            .iter()
            .filter(|route| route.is_to_internet() && !route.is_black_hole())
            .collect();
        let mut expected = self.expected_out(way);
        expected.retain(|wanted| {
            !leads_out.iter().any(|route| route.destination.covers(&wanted.destination))
        });
        if !expected.is_empty() {
            let remedies = remedies::create(routes, &expected);
            let vpc = self.within.id().into();
            found.violates(
                way.place.item,
                FirewallFinding::MissingFirewallRoutes { vpc, expected, remedies },
            );
        }
    }

    /// Judges the internet gateway: what enters for a subnet that reaches the internet goes through an
    /// endpoint that the subnet may use.
    pub fn judge_gateway(&self, public: &[Place<'a>], found: &mut Found) {
        let Some(gateway) = self.gateway.as_ref().filter(|_| self.is_certain) else { return };
        let Some(serving) = gateway.serving else { return };
        let expected: Vec<ExpectedRoute> = public
            .iter()
            .filter_map(|place| found.told(self.expected_in(*place)).flatten())
            .collect();
        let Some(serving) = serving else {
            if !expected.is_empty() {
                let vpc = self.within.id();
                let remedies = remedies::make_table(vpc, gateway.id(), &expected);
                let expected = first(expected.into_iter());
                let (vpc, table) = (vpc.into(), None);
                found.violates(
                    gateway.item,
                    FirewallFinding::MissingGatewayRoutes { vpc, table, expected, remedies },
                );
            }
            return;
        };
        let Some(routes) = gateway.routes else { return };
        note_untold(&serving, routes, found);
        self.enters(gateway, &serving, routes, expected, found);
    }

    fn enters(
        &self,
        gateway: &Gateway<'a>,
        serving: &Serving<'a>,
        routes: &[Route],
        expected: Vec<ExpectedRoute>,
        found: &mut Found,
    ) {
        let vpc: Box<str> = self.within.id().into();
        let is_wanted = |route: &Route| {
            let is_own = self.firewalls.iter().any(|way| leads_to(route, way));
            let serves = |one: &ExpectedRoute| route.destination.covers(&one.destination);
            is_own && (route.destination.is_ipv6() || expected.iter().any(serves))
        };
        let is_extra =
            |route: &&Route| route.target.is_some() && !route.is_local() && !is_wanted(route);
        let extra = first(routes.iter().filter(is_extra).cloned());
        let is_missing = |wanted: &&ExpectedRoute| {
            let by = taken(routes, &wanted.destination).filter(|route| !route.is_black_hole());
            let to = by.and_then(Route::endpoint);
            !to.is_some_and(|to| wanted.targets.iter().any(|target| **target == *to))
        };
        let missing = first(expected.iter().filter(is_missing).cloned());
        if !extra.is_empty() {
            let create = remedies::steps(routes, &missing);
            found.violates(
                gateway.item,
                FirewallFinding::UnexpectedGatewayRoutes {
                    vpc: vpc.clone(),
                    table: serving.id().into(),
                    remedies: remedies::delete(serving.id(), &extra, create),
                    routes: extra,
                },
            );
        }
        if !missing.is_empty() {
            let remedies = remedies::create(routes, &missing);
            let table = Some(serving.id().into());
            found.violates(
                gateway.item,
                FirewallFinding::MissingGatewayRoutes { vpc, table, expected: missing, remedies },
            );
        }
    }
}
