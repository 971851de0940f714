//! The Availability Zones of a VPC in which its firewall must have an endpoint (semantics §5.7, §10
//! row 21, §11 rows 54, 60).

use std::collections::BTreeMap;

use crate::evaluate::FirewallFinding;
use crate::inventory::{Item, Route};
use crate::policy::network_firewall::{NetworkFirewall, Zone};

use super::found::Found;
use super::places::{Place, Places};
use super::tables::{Serving, Tables};

/// A zone that must have an endpoint.
pub(in crate::evaluate) struct Wanted<'a> {
    /// Its name, or its id where the policy names it so.
    pub zone: Box<str>,
    /// What names it: of subnets that reach the internet, or of a listed zone's, the smallest id; `None`
    /// where it has none, so that the VPC does.
    pub at: Option<Place<'a>>,
    /// How many subnets want it.
    subnets: usize,
}

/// What of a VPC is judged, beside its firewalls.
pub(in crate::evaluate) struct InVpc<'a, 'p> {
    pub places: &'p Places<'a>,
    pub item: &'a Item,
    /// Those of the policy's own firewalls in it.
    pub firewall_subnets: &'p [Place<'a>],
    /// Whether those are all: none was left untold.
    pub sees_all: bool,
}

impl<'a> InVpc<'a, '_> {
    pub fn id(&self) -> &'a str {
        self.item.key.id.as_str()
    }

    /// Subnets that are no firewall's of the policy, ascending.
    pub fn customers(&self) -> impl Iterator<Item = Place<'a>> {
        let is_firewalls =
            |place: &&Place<'a>| self.firewall_subnets.iter().any(|own| own.id() == place.id());
        self.places.subnets(self.id()).iter().filter(move |place| !is_firewalls(place)).copied()
    }

    /// Whether a table that serves a firewall subnet is its own: by name, and no other subnet's.
    pub fn is_firewalls_table(&self, serving: &Serving<'a>) -> bool {
        let is_firewalls =
            |subnet: &str| self.firewall_subnets.iter().any(|place| place.id() == subnet);
        !serving.is_implied() && Tables::subnets_of(serving).all(is_firewalls)
    }

    /// Such a table, the smallest id of several.
    pub fn firewalls_table(&self) -> Option<&'a str> {
        let tables = &self.places.tables;
        let all = self.firewall_subnets.iter();
        let all = all.filter_map(|place| tables.of_subnet(place.id(), self.id()).ok());
        all.filter(|serving| self.is_firewalls_table(serving)).map(|serving| serving.id()).min()
    }

    /// The zones that must have an endpoint, ascending, each once.
    pub fn wanted(&self, rule: &NetworkFirewall, found: &mut Found) -> Vec<Wanted<'a>> {
        match rule.placement.zones() {
            None => self.reaching(found),
            Some(zones) => zones.iter().filter_map(|zone| self.listed(zone, found)).collect(),
        }
    }

    /// Zones with a subnet that has a route to an internet gateway or to an endpoint of a firewall that
    /// Firewall Manager made, of IPv4 or a prefix list.
    fn reaching(&self, found: &mut Found) -> Vec<Wanted<'a>> {
        let mut wanted: BTreeMap<&str, Wanted<'a>> = BTreeMap::new();
        for place in self.public(found) {
            let Some(zone) = found.told(place.zone()) else { continue };
            let entry = wanted.entry(zone).or_insert_with(|| Wanted {
                zone: zone.into(),
                at: Some(place),
                subnets: 0,
            });
            entry.subnets = entry.subnets.saturating_add(1);
        }
        wanted.into_values().collect()
    }

    /// Subnets that are no firewall's and reach the internet, ascending.
    pub fn public(&self, found: &mut Found) -> Vec<Place<'a>> {
        let mut public = Vec::new();
        // One that is not told may reach it.
        self.places.untold_subnets(self.id()).into_iter().for_each(|gap| found.gap(gap.clone()));
        for place in self.customers() {
            found.reads(place.item);
            if self.reaches(place, found) {
                public.push(place);
            }
        }
        public
    }

    fn reaches(&self, place: Place<'a>, found: &mut Found) -> bool {
        let serving = self.places.tables.of_subnet(place.id(), self.id());
        let Some(serving) = found.told(serving) else { return false };
        found.reads(serving.item);
        let Some(routes) = found.told(serving.routes()) else { return false };
        let mut reaches = false;
        for route in routes.iter().filter(|route| !route.destination.is_ipv6()) {
            reaches |= self.leads_out(serving.item, route, found);
        }
        reaches
    }

    fn leads_out(&self, table: &Item, route: &Route, found: &mut Found) -> bool {
        if route.target.is_none() {
            found.gap(super::places::untold(table, &format!("target of {}", route.destination)));
        }
        if let Some(endpoint) = route.endpoint() {
            self.places.endpoint(endpoint).into_iter().for_each(|item| found.reads(item));
        }
        let made = |endpoint| self.places.is_made_endpoint(self.id(), endpoint);
        let is_made = route.endpoint().map(made);
        route.is_to_internet()
            || is_made.and_then(|told| found.told(told)).is_some_and(|is_made| is_made)
    }

    /// `None` where it is not known which subnets are in it, of which one may be told otherwise.
    fn listed(&self, zone: &Zone, found: &mut Found) -> Option<Wanted<'a>> {
        let mut wanted = Wanted { zone: zone.as_str().into(), at: None, subnets: 0 };
        let mut untold = self.places.untold_subnets(self.id()).cloned();
        for place in self.customers() {
            found.reads(place.item);
            match place.is_in(zone) {
                Ok(true) => {
                    wanted.at = wanted.at.or(Some(place));
                    wanted.subnets = wanted.subnets.saturating_add(1);
                }
                Ok(false) => {}
                Err(gap) => untold = untold.or(Some(gap)),
            }
        }
        match untold.filter(|_| wanted.at.is_none()) {
            Some(gap) => {
                found.gap(gap);
                None
            }
            None => Some(wanted),
        }
    }

    /// Judges the zones of a VPC that has a firewall of the policy's own.
    pub fn judge_zones(&self, rule: &NetworkFirewall, others: &[Box<str>], found: &mut Found) {
        let wanted = self.wanted(rule, found);
        let lacking: Vec<&Wanted<'_>> =
            wanted.iter().filter(|zone| !self.is_served(rule, &zone.zone, found)).collect();
        if rule.placement.is_single() {
            // One endpoint serves all: it lacks where every zone lacks it.
            let most = lacking.iter().rev().max_by_key(|zone| zone.subnets);
            if let Some(zone) = most.filter(|_| lacking.len() == wanted.len()) {
                found.violates(self.item, self.lacks(&zone.zone, others));
            }
            return;
        }
        for zone in lacking {
            let at = zone.at.map_or(self.item, |place| place.item);
            found.violates(at, self.lacks(&zone.zone, others));
        }
    }

    /// Whether a firewall subnet is in a zone; where one does not tell, which is a gap, it may be.
    fn is_served(&self, rule: &NetworkFirewall, zone: &str, found: &mut Found) -> bool {
        let named = |text: &str| match rule.placement.zones() {
            Some(zones) => zones.iter().find(|zone| zone.as_str() == text).cloned(),
            None => Some(Zone::Name(text.into())),
        };
        let Some(zone) = named(zone) else { return false };
        let told: Vec<_> = self.firewall_subnets.iter().map(|place| place.is_in(&zone)).collect();
        if told.contains(&Ok(true)) {
            return true;
        }
        let mut may_be = !self.sees_all;
        for gap in told.into_iter().filter_map(Result::err) {
            found.gap(gap);
            may_be = true;
        }
        may_be
    }

    fn lacks(&self, zone: &str, others: &[Box<str>]) -> FirewallFinding {
        FirewallFinding::MissingFirewallSubnet {
            vpc: self.id().into(),
            zone: zone.into(),
            others: others.to_vec(),
        }
    }
}
