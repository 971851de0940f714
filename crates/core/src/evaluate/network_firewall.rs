//! `NETWORK_FIREWALL`: every VPC in scope has the policy's own firewall, with an endpoint in each
//! Availability Zone that must have one, filtering by what the policy wants (semantics §5.7, §10 rows
//! 21, 28, §11 rows 38, 54, 58, 60, 61).
//!
//! Readings of what the text leaves open:
//!
//! - Where subnets decide and none reaches the internet, no zone must have an endpoint, and the VPC
//!   needs no firewall.
//! - The route table of a firewall subnet is its own: one that is associated with it by name and with
//!   no subnet that is no firewall's of the policy. Firewall Manager's tables bear no mark that is
//!   published.
//! - Firewalls tell their subnets, endpoints are items of their own: what a firewall's subnet has no
//!   endpoint of a gateway load balancer's kind in, misses it.
//! - Of monitored routes, those of IPv4 and of prefix lists are held against the endpoints; routes to an
//!   internet gateway pass the firewall by, whatever their destination; IPv6 routes to an endpoint are
//!   a gap. A subnet without any such route is private, and is not looked at further.
//! - An internet gateway owes a route for each subnet that reaches the internet, whether that goes
//!   through the firewall or past it; a firewall subnet owes routes to the internet for what subnets send
//!   to its endpoint, else for everything.
//! - Logging is no part of a verdict: the model has no reason for it.
//! - An inspection VPC that is not in the inventory is a missing reference (§10 row 27).

pub(super) mod filtering;
pub(super) mod found;
mod gateways;
mod monitor;
pub(super) mod places;
mod remedies;
mod strays;
mod tables;
pub(super) mod ways;
pub(super) mod zones;

use std::collections::BTreeSet;

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Item, Shard};
use crate::policy::Policy;
use crate::policy::network_firewall::{InspectionVpc, NetworkFirewall, Placement};

use super::evaluator::Evaluator;
use super::filter::Special;
use super::security_groups::is_own;
use super::{
    DependentService, Evidence, FirewallFinding, Gap, Judgement, Reference, Verdict, selected,
    unseen_gap,
};

use found::Found;
use places::{Firewall, Place, Places};
use ways::Ways;
use zones::InVpc;

impl Evaluator for NetworkFirewall {
    /// Types that a verdict reads (semantics §1.5, §10 row 1): of rule groups only their ARNs are
    /// compared, which firewall policies tell.
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        let gateways = self.looks_at_gateways().then_some(ResourceType::INTERNET_GATEWAY);
        let needed = [
            ResourceType::VPC,
            ResourceType::SUBNET,
            ResourceType::ROUTE_TABLE,
            ResourceType::VPC_ENDPOINT,
            ResourceType::NETWORK_FIREWALL,
            ResourceType::NETWORK_FIREWALL_POLICY,
        ];
        needed.into_iter().chain(gateways).collect()
    }

    /// The inspection VPCs, whosever they are.
    fn references(&self, policy: &Policy) -> BTreeSet<Reference> {
        self.inspection().iter().filter_map(|vpc| reference(policy, vpc)).collect()
    }

    fn leaves_out(&self, _policy: &Policy, _shard: &Shard, item: &Item) -> Option<Special> {
        (!self.is_about(item)).then_some(Special::NotInspection)
    }

    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        judgement.gaps.extend(self.missing_inspection(policy, evidence));
        let places = Places::of(shard);
        let mut found = Found::default();
        for item in selected(policy, shard, &ResourceType::VPC) {
            if !is_own(item, &shard.id.account) || !self.is_about(item) {
                continue;
            }
            // Its violations are counted with those of what is in it.
            judgement.record(item, Verdict::Comply);
            match &item.body {
                Body::Vpc(_) => {
                    Judge { rule: self, policy, shard, places: &places }.vpc(item, &mut found)
                }
                _ => found.gap(unseen_gap(item)),
            }
        }
        found.into(judgement);
    }
}

impl NetworkFirewall {
    /// Whether routes of internet gateways decide.
    fn looks_at_gateways(&self) -> bool {
        self.monitors || self.placement.zones().is_some()
    }

    fn inspection(&self) -> &[InspectionVpc] {
        match &self.placement {
            Placement::Inspection { vpcs, .. } => vpcs,
            Placement::Automatic { .. } | Placement::Listed { .. } => &[],
        }
    }

    /// Whether a VPC of the shard's own account is judged: of a centralized policy, inspection VPCs
    /// alone are (semantics §11 row 54).
    pub(super) fn is_about(&self, vpc: &Item) -> bool {
        let is_it = |one: &InspectionVpc| {
            one.account.as_ref() == Some(&vpc.key.account) && *one.id == *vpc.key.id.as_str()
        };
        let is_central = matches!(self.placement, Placement::Inspection { .. });
        !is_central || self.inspection().iter().any(is_it)
    }

    pub(super) fn missing_inspection(
        &self,
        policy: &Policy,
        evidence: &Evidence<'_>,
    ) -> impl Iterator<Item = Gap> {
        let is_there = |vpc: &&InspectionVpc| {
            reference(policy, vpc).is_some_and(|named| evidence.references.contains_key(&named))
        };
        self.inspection().iter().filter(move |vpc| !is_there(vpc)).map(|vpc| {
            let whose = vpc.account.as_ref().map(|account| format!(" of account {account}"));
            let text = format!(
                "Inspection VPC {}{} in Region {} could not be found.",
                vpc.id,
                whose.unwrap_or_default(),
                policy.region
            );
            Gap::new(DependentService::Vpc, &text)
        })
    }
}

fn reference(policy: &Policy, vpc: &InspectionVpc) -> Option<Reference> {
    Some(Reference::Item {
        account: vpc.account.clone()?,
        region: policy.region.clone(),
        resource_type: ResourceType::VPC,
        id: ResourceId::try_from(&*vpc.id).ok()?,
    })
}

pub(super) struct Judge<'a, 'p> {
    pub rule: &'p NetworkFirewall,
    pub policy: &'p Policy,
    pub shard: &'a Shard,
    pub places: &'p Places<'a>,
}

impl<'a> Judge<'a, '_> {
    fn vpc(&self, item: &'a Item, found: &mut Found) {
        let vpc = item.key.id.as_str();
        let Some((own, others)) = found.told(self.places.firewalls(self.policy, vpc)) else {
            return;
        };
        let others: Vec<Box<str>> = others.iter().map(|other| other.name().into()).collect();
        let (firewall_subnets, sees_all) = self.firewall_subnets(vpc, &own, found);
        let (places, subnets) = (self.places, &firewall_subnets);
        let within = InVpc { places, item, firewall_subnets: subnets, sees_all };
        if own.is_empty() {
            if let Some(zone) = within.wanted(self.rule, found).first() {
                let zone = zone.at.and_then(|place| place.subnet.zone.clone());
                let vpc = vpc.into();
                found.violates(item, FirewallFinding::MissingFirewall { vpc, zone, others });
            }
            return;
        }
        within.judge_zones(self.rule, &others, found);
        for place in &firewall_subnets {
            self.firewall_subnet(vpc, *place, &within, found);
        }
        for firewall in &own {
            filtering::judge(*firewall, &self.rule.rules, self.shard, found);
        }
        if self.rule.looks_at_gateways() {
            let ways = Ways::of(self.rule, &within, self.shard, found);
            ways.judge_strays(found);
            if self.rule.monitors {
                ways.judge_customers(found);
                ways.judge_firewalls(found);
                ways.judge_gateway(&within.public(found), found);
            }
        }
    }

    /// The subnets of the policy's own firewalls, ascending, and whether all of them are told: what is
    /// not is a gap.
    fn firewall_subnets(
        &self,
        vpc: &str,
        own: &[Firewall<'a>],
        found: &mut Found,
    ) -> (Vec<Place<'a>>, bool) {
        let mut subnets: Vec<Place<'a>> = Vec::new();
        let mut sees_all = true;
        for firewall in own {
            found.reads(firewall.item);
            let Some(mapped) = &firewall.firewall.subnets else {
                found.gap(places::untold(firewall.item, "subnets"));
                sees_all = false;
                continue;
            };
            for id in mapped {
                let Some(place) = found.told(self.places.subnet(vpc, id)) else {
                    sees_all = false;
                    continue;
                };
                found.reads(place.item);
                subnets.push(place);
            }
        }
        subnets.sort_by_key(Place::id);
        subnets.dedup_by_key(|place| place.id());
        (subnets, sees_all)
    }

    /// A firewall subnet has a route table of its own, and an endpoint.
    pub fn firewall_subnet(
        &self,
        vpc: &'a str,
        place: Place<'a>,
        within: &InVpc<'a, '_>,
        found: &mut Found,
    ) {
        if let Some(serving) = found.told(self.places.tables.of_subnet(place.id(), vpc)) {
            found.reads(serving.item);
            // What else it serves may be a firewall subnet that is not told.
            let is_certain = serving.is_implied() || within.sees_all;
            if is_certain && !within.is_firewalls_table(&serving) {
                found.violates(
                    place.item,
                    FirewallFinding::MissingFirewallRouteTable {
                        vpc: vpc.into(),
                        zone: place.subnet.zone.clone(),
                        current: serving.id().into(),
                        is_main: serving.is_implied(),
                        expected: within.firewalls_table().map(Into::into),
                    },
                );
            }
        }
        self.places.endpoints_at(place.id()).for_each(|item| found.reads(item));
        if found.told(self.places.endpoint_in(place.id())) == Some(None) {
            found.violates(
                place.item,
                FirewallFinding::MissingFirewallEndpoint {
                    vpc: vpc.into(),
                    zone: place.subnet.zone.clone(),
                    zone_id: place.subnet.zone_id.clone(),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests;
