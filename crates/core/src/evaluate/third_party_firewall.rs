//! `THIRD_PARTY_FIREWALL`: every VPC in scope has the vendor's Gateway Load Balancer endpoint in each
//! Availability Zone that must have one, its subnet on a route table of its own (semantics §5.10, §10 rows
//! 21, 28, 31, §11 rows 38, 54, 60, 62).
//!
//! Readings of what the text leaves open:
//!
//! - No source tells whether the vendor's firewall is onboarded: what is missing is found, and nothing is
//!   called compliant.
//! - Nothing tells whose service an endpoint of the kind belongs to. Those that Network Firewall made bear
//!   its tag and are none; all others count as the vendor's.
//! - Subnets that Firewall Manager makes bear no mark that is published: a firewall subnet is one that has
//!   such an endpoint, or of which the inventory shows that it had one.
//! - Zones, route tables and zones that are not listed any more are judged as under `NETWORK_FIREWALL`.

use std::collections::BTreeSet;

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard, VpcEndpoint};
use crate::policy::Policy;
use crate::policy::network_firewall::NetworkFirewall;
use crate::policy::third_party_firewall::ThirdPartyFirewall;

use super::evaluator::Evaluator;
use super::filter::Special;
use super::finding::Reasoned;
use super::network_firewall::Judge;
use super::network_firewall::found::Found;
use super::network_firewall::places::{Place, Places, is_network_firewalls, untold};
use super::network_firewall::ways::Ways;
use super::network_firewall::zones::InVpc;
use super::security_groups::is_own;
use super::{
    DependentService, Evidence, Finding, FirewallFinding, Gap, Judgement, Reference,
    ThirdPartyFinding, Verdict, Violation, selected, unseen_gap,
};

impl Evaluator for ThirdPartyFirewall {
    /// Types that a verdict reads (semantics §1.5, §10 row 1).
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        let needed = [
            ResourceType::VPC,
            ResourceType::SUBNET,
            ResourceType::ROUTE_TABLE,
            ResourceType::VPC_ENDPOINT,
        ];
        let gateways = self.placement.zones().is_some().then_some(ResourceType::INTERNET_GATEWAY);
        needed.into_iter().chain(gateways).collect()
    }

    /// The inspection VPCs, whosever they are.
    fn references(&self, policy: &Policy) -> BTreeSet<Reference> {
        self.placed().references(policy)
    }

    fn leaves_out(&self, _policy: &Policy, _shard: &Shard, item: &Item) -> Option<Special> {
        (!self.placed().is_about(item)).then_some(Special::NotInspection)
    }

    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let rule = self.placed();
        judgement.gaps.insert(self.unknown_association());
        judgement.gaps.extend(rule.missing_inspection(policy, evidence));
        let shard = evidence.shard;
        let places = Places::of_vendor(shard);
        let mut found = Found::default();
        for item in selected(policy, shard, &ResourceType::VPC) {
            if !is_own(item, &shard.id.account) || !rule.is_about(item) {
                continue;
            }
            // Its violations are counted with those of what is in it.
            judgement.record(item, Verdict::Comply);
            match &item.body {
                Body::Vpc(_) => {
                    let judge = Judge { rule: &rule, policy, shard, places: &places };
                    self.vpc(&judge, item, &mut found);
                }
                _ => found.gap(unseen_gap(item)),
            }
        }
        self.hand_over(found, judgement);
    }
}

impl ThirdPartyFirewall {
    /// A vendor's firewall has its places as one of Network Firewall has.
    fn placed(&self) -> NetworkFirewall {
        NetworkFirewall { placement: self.placement.clone(), ..NetworkFirewall::default() }
    }

    /// Semantics §10 row 31, §11 row 62.
    fn unknown_association(&self) -> Gap {
        let text = format!(
            "Whether third-party firewall {} is onboarded was not told by any source.",
            self.vendor
        );
        Gap::new(DependentService::Vpc, &text)
    }

    fn vpc<'a>(&self, judge: &Judge<'a, '_>, item: &'a Item, found: &mut Found) {
        let vpc = item.key.id.as_str();
        let (firewall_subnets, sees_all) = firewall_subnets(judge, vpc, found);
        let (places, subnets) = (judge.places, &firewall_subnets);
        let within = InVpc { places, item, firewall_subnets: subnets, sees_all };
        if firewall_subnets.is_empty() {
            if let Some(zone) = within.wanted(judge.rule, found).first().filter(|_| sees_all) {
                let zone = zone.at.and_then(|place| place.subnet.zone.clone());
                let (vpc, others) = (vpc.into(), Vec::new());
                found.violates(item, FirewallFinding::MissingFirewall { vpc, zone, others });
            }
            return;
        }
        within.judge_zones(judge.rule, &[], found);
        for place in &firewall_subnets {
            judge.firewall_subnet(vpc, *place, &within, found);
        }
        if judge.rule.placement.zones().is_some() {
            Ways::of(judge.rule, &within, judge.shard, found).judge_strays(found);
        }
    }

    /// Findings with their vendor.
    fn hand_over(&self, found: Found, judgement: &mut Judgement) {
        let before = judgement.violators.len();
        found.into(judgement);
        for violator in judgement.violators.iter_mut().skip(before) {
            for violation in &mut violator.violations {
                self.sign(violation);
            }
        }
    }

    fn sign(&self, violation: &mut Violation) {
        if let Finding::Firewalls(finding) = &violation.finding {
            let Reasoned { reason, finding } = ThirdPartyFinding::of(&self.vendor, finding.clone());
            *violation = Violation { reason, finding: finding.into() };
        }
    }
}

/// The subnets of a VPC that have an endpoint which may be the vendor's, or had one, ascending; and whether
/// all of them are told: what is not is a gap.
fn firewall_subnets<'a>(
    judge: &Judge<'a, '_>,
    vpc: &'a str,
    found: &mut Found,
) -> (Vec<Place<'a>>, bool) {
    let mut subnets: Vec<Place<'a>> = Vec::new();
    let mut sees_all = true;
    let mut miss = |gap: Gap, found: &mut Found| {
        sees_all = false;
        found.gap(gap);
    };
    for (item, endpoint) in candidates(judge.shard, vpc) {
        found.reads(item);
        if let Some(gap) = untold_of(item, endpoint) {
            miss(gap, found);
            continue;
        }
        for id in endpoint.subnets.iter().flatten() {
            match judge.places.subnet(vpc, id) {
                Ok(place) => {
                    found.reads(place.item);
                    subnets.push(place);
                }
                // Of an endpoint that does not tell its VPC a subnet that is held is another's.
                Err(_) if is_held(judge.shard, id) && endpoint.vpc.is_none() => {}
                Err(gap) => miss(gap, found),
            }
        }
    }
    let seen = super::coverage::not_seen(judge.shard, &ResourceType::VPC_ENDPOINT);
    let unseen = judge.shard.of_type(&ResourceType::VPC_ENDPOINT);
    let unseen = unseen.filter(|item| !matches!(item.body, Body::VpcEndpoint(_))).map(unseen_gap);
    for gap in seen.into_iter().chain(unseen) {
        miss(gap, found);
    }
    subnets.sort_by_key(Place::id);
    subnets.dedup_by_key(|place| place.id());
    (subnets, sees_all)
}

/// Endpoints that may be in a VPC and a vendor's.
fn candidates<'a>(
    shard: &'a Shard,
    vpc: &str,
) -> impl Iterator<Item = (&'a Item, &'a VpcEndpoint)> {
    shard.of_type(&ResourceType::VPC_ENDPOINT).filter_map(move |item| {
        let Body::VpcEndpoint(endpoint) = &item.body else { return None };
        let is_other = endpoint.vpc.as_ref().is_some_and(|told| **told != *vpc)
            || endpoint.is_gateway_load_balancer() == Some(false)
            || is_network_firewalls(item) == Some(true);
        (!is_other).then_some((item, endpoint))
    })
}

/// That an endpoint does not tell what makes it one of a vendor's firewall, or where it is.
fn untold_of(item: &Item, endpoint: &VpcEndpoint) -> Option<Gap> {
    let what = match (&endpoint.kind, &endpoint.subnets, &endpoint.state) {
        (None, ..) => "kind",
        (_, None, _) => "subnets",
        (_, _, None) => "state",
        _ if is_network_firewalls(item).is_none() => "tags",
        _ => return None,
    };
    Some(untold(item, what))
}

fn is_held(shard: &Shard, subnet: &str) -> bool {
    let item = shard.item(&ResourceType::SUBNET, subnet);
    item.is_some_and(|item| matches!(&item.body, Body::Subnet(subnet) if subnet.vpc.is_some()))
}

#[cfg(test)]
mod tests;
