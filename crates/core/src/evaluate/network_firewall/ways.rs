//! The ways of a VPC's traffic to and from the internet: the endpoints of the policy's own firewalls,
//! the internet gateway, and the tables of both (semantics §5.7, route monitoring).

use crate::evaluate::coverage::not_seen;
use crate::evaluate::{ExpectedRoute, FirewallPath, Gap, RoutedSubnet, first, unseen_gap};
use crate::ident::ResourceType;
use crate::inventory::{Body, Destination, Item, Route, Shard};
use crate::policy::network_firewall::NetworkFirewall;

use super::found::Found;
use super::places::{Place, untold};
use super::tables::{Serving, Tables};
use super::zones::InVpc;

/// A firewall subnet with what serves it, as far as it is told.
pub(in crate::evaluate) struct Way<'a> {
    pub place: Place<'a>,
    pub endpoint: Option<&'a str>,
    pub serving: Option<Serving<'a>>,
    pub routes: Option<&'a [Route]>,
}

/// The internet gateway of a VPC.
pub(in crate::evaluate) struct Gateway<'a> {
    pub item: &'a Item,
    /// Its table, if it has one; `None` outside where that is not told.
    pub serving: Option<Option<Serving<'a>>>,
    pub routes: Option<&'a [Route]>,
}

impl<'a> Gateway<'a> {
    pub fn id(&self) -> &'a str {
        self.item.key.id.as_str()
    }

    /// Its table, when it has one and that is told.
    pub fn table(&self) -> Option<Serving<'a>> {
        self.serving.flatten()
    }
}

/// All of a VPC.
pub(in crate::evaluate) struct Ways<'a, 'p> {
    pub rule: &'p NetworkFirewall,
    pub within: &'p InVpc<'a, 'p>,
    /// Ascending by subnet.
    pub firewalls: Vec<Way<'a>>,
    pub gateway: Option<Gateway<'a>>,
    /// Whether every endpoint of the policy's own is told.
    pub is_certain: bool,
}

impl<'a, 'p> Ways<'a, 'p> {
    pub fn of(
        rule: &'p NetworkFirewall,
        within: &'p InVpc<'a, 'p>,
        shard: &'a Shard,
        found: &mut Found,
    ) -> Ways<'a, 'p> {
        let mut is_certain = within.sees_all;
        let places = within.places;
        let firewalls = within.firewall_subnets.iter().map(|place| {
            places.endpoints_at(place.id()).for_each(|item| found.reads(item));
            let endpoint = found.told(places.endpoint_in(place.id()));
            is_certain &= endpoint.is_some();
            let serving = found.told(places.tables.of_subnet(place.id(), within.id()));
            let routes = serving.and_then(|serving| found.told(serving.routes()));
            Way { place: *place, endpoint: endpoint.flatten(), serving, routes }
        });
        let firewalls = firewalls.collect();
        let gateway = found.told(attached(shard, within.id())).flatten().map(|item| {
            found.reads(item);
            let serving = found.told(places.tables.of_gateway(item.key.id.as_str()));
            let table = serving.flatten();
            if let Some(table) = table {
                found.reads(table.item);
            }
            let routes = table.and_then(|serving| found.told(serving.routes()));
            Gateway { item, serving, routes }
        });
        Ways { rule, within, firewalls, gateway, is_certain }
    }

    /// The firewall subnets that a subnet's traffic may go through, the best one first: that of its
    /// zone; where one endpoint serves all, or the policy lets traffic of zones without an endpoint
    /// cross, any.
    pub fn allowed(&self, place: Place<'a>) -> Result<Vec<&Way<'a>>, Gap> {
        let zone = place.zone()?;
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for way in self.firewalls.iter().filter(|way| way.endpoint.is_some()) {
            match way.place.zone()? == zone {
                true => own.push(way),
                false => others.push(way),
            }
        }
        let placement = &self.rule.placement;
        let may_lack = self.rule.may_cross && placement.zones().is_some() && own.is_empty();
        if placement.is_single() || may_lack {
            own.append(&mut others);
        }
        Ok(own)
    }

    /// The firewall subnet of an endpoint of the policy's own.
    pub fn way_of(&self, subnets: &[Box<str>]) -> Option<&Way<'a>> {
        self.firewalls.iter().find(|way| subnets.iter().any(|subnet| **subnet == *way.place.id()))
    }

    /// The route that the gateway should have for a subnet; `None` where it has no way.
    pub fn expected_in(&self, place: Place<'a>) -> Result<Option<ExpectedRoute>, Gap> {
        let targets: Vec<Box<str>> =
            self.allowed(place)?.iter().filter_map(|way| way.endpoint.map(Into::into)).collect();
        if targets.is_empty() {
            return Ok(None);
        }
        let range = place.subnet.ipv4.ok_or_else(|| place.untold("IPv4 range"))?;
        let table = self.gateway.as_ref().and_then(Gateway::table);
        Ok(Some(ExpectedRoute {
            destination: Destination::Range(range.into()),
            targets,
            subnets: vec![place.id().into()],
            table: table.map(|serving| serving.id().into()),
        }))
    }

    /// The routes that a firewall subnet should have: to the internet, for whatever subnets send
    /// through it.
    pub fn expected_out(&self, way: &Way<'a>) -> Vec<ExpectedRoute> {
        let Some(gateway) = &self.gateway else { return Vec::new() };
        let mut expected: Vec<ExpectedRoute> = Vec::new();
        for place in self.within.customers() {
            let serving = self.within.places.tables.of_subnet(place.id(), self.within.id()).ok();
            let routes = serving.and_then(|serving| serving.table.routes.as_deref());
            let sent = routes.unwrap_or_default().iter().filter(|route| {
                !route.destination.is_ipv6() && !route.is_black_hole() && leads_to(route, way)
            });
            for route in sent {
                let at = expected.iter().position(|one| one.destination == route.destination);
                let subnet = place.id().into();
                match at.and_then(|at| expected.get_mut(at)) {
                    Some(one) => one.subnets.push(subnet),
                    None => expected.push(self.out(gateway, way, &route.destination, vec![subnet])),
                }
            }
        }
        if expected.is_empty() {
            let all = Destination::Range(ipnet::Ipv4Net::default().into());
            expected.push(self.out(gateway, way, &all, Vec::new()));
        }
        expected.sort();
        expected
    }

    fn out(
        &self,
        gateway: &Gateway<'a>,
        way: &Way<'a>,
        destination: &Destination,
        subnets: Vec<Box<str>>,
    ) -> ExpectedRoute {
        ExpectedRoute {
            destination: destination.clone(),
            targets: vec![gateway.id().into()],
            subnets,
            table: way.serving.map(|serving| serving.id().into()),
        }
    }

    /// What a subnet's traffic should go through, as far as it is told.
    pub fn path(&self, place: Place<'a>, way: Option<&Way<'a>>) -> Box<FirewallPath> {
        let gateway = self.gateway.as_ref();
        let expected = self.expected_in(place).ok().flatten();
        Box::new(FirewallPath {
            firewall_subnet: way.map(|way| way.place.id().into()),
            endpoint: way.and_then(|way| way.endpoint).map(Into::into),
            firewall_table: way.and_then(|way| way.serving).map(|one| one.id().into()),
            expected_firewall_routes: way.map(|way| self.expected_out(way)).unwrap_or_default(),
            firewall_routes: told(way.and_then(|way| way.routes)),
            gateway: gateway.map(|gateway| gateway.id().into()),
            gateway_table: gateway.and_then(Gateway::table).map(|one| one.id().into()),
            expected_gateway_routes: expected.into_iter().collect(),
            gateway_routes: told(gateway.and_then(|gateway| gateway.routes)),
        })
    }

    /// A subnet with its table, as evidence.
    pub fn routed(&self, place: Place<'a>, serving: &Serving<'a>) -> Box<RoutedSubnet> {
        let is_elsewhere = |subnet: &str| {
            let other = self.within.places.subnet(self.within.id(), subnet);
            other.is_ok_and(|other| other.subnet.zone != place.subnet.zone)
        };
        Box::new(RoutedSubnet {
            vpc: self.within.id().into(),
            zone: place.subnet.zone.clone(),
            zone_id: place.subnet.zone_id.clone(),
            table: serving.id().into(),
            is_shared: Tables::subnets_of(serving).any(is_elsewhere),
        })
    }
}

/// Whether a route leads to the endpoint in a firewall subnet.
pub(super) fn leads_to(route: &Route, way: &Way<'_>) -> bool {
    route.endpoint().is_some() && route.endpoint() == way.endpoint
}

/// The active route by which traffic to a range goes: the narrowest that covers it.
pub(super) fn taken<'r>(routes: &'r [Route], to: &Destination) -> Option<&'r Route> {
    let covering = routes.iter().filter(|route| route.destination.covers(to));
    covering.max_by_key(|route| match &route.destination {
        Destination::Range(range) => range.prefix_len(),
        Destination::List(_) => u8::MAX,
    })
}

fn told(routes: Option<&[Route]>) -> Vec<Route> {
    first(routes.unwrap_or_default().iter().cloned())
}

/// The internet gateway that is attached to a VPC.
fn attached<'a>(shard: &'a Shard, vpc: &str) -> Result<Option<&'a Item>, Gap> {
    let mut unseen = not_seen(shard, &ResourceType::INTERNET_GATEWAY);
    for item in shard.of_type(&ResourceType::INTERNET_GATEWAY) {
        match &item.body {
            Body::InternetGateway(gateway) => match &gateway.vpcs {
                Some(vpcs) if vpcs.iter().any(|one| **one == *vpc) => return Ok(Some(item)),
                Some(_) => {}
                None => unseen = Some(untold(item, "attachments")),
            },
            _ => unseen = Some(unseen_gap(item)),
        }
    }
    unseen.map_or(Ok(None), Err)
}
