//! Where the groups of a resource are: on its interfaces, or on the load balancer itself.

use std::collections::BTreeSet;

use crate::evaluate::interfaces::{Groups, Interfaces, untold_interfaces_gap};
use crate::evaluate::{DependentService, Gap, outdated, unseen_gap};
use crate::ident::ResourceType;
use crate::inventory::{Body, Instance, Item, NetworkInterface, Shard};

use super::networks::Networks;

/// One interface or load balancer.
pub(super) struct Place<'a> {
    pub at: &'a str,
    pub vpc: Option<&'a str>,
    pub groups: BTreeSet<&'a str>,
    /// That the groups may be others by now.
    pub outdated: Option<Gap>,
    /// That there may be more.
    pub untold: Option<Gap>,
}

/// The places of a resource by which it is judged.
pub(super) enum Places<'a> {
    /// Each of these; that there may be more, where not all are told.
    All(Vec<Place<'a>>, Option<Gap>),
    /// One of these, and nothing tells which: the gap says so.
    OneOf(Vec<Place<'a>>, Gap),
}

impl<'a> Places<'a> {
    /// The VPC of the first of them, for all are in one.
    pub fn vpc(&self) -> Option<&'a str> {
        let (Places::All(places, _) | Places::OneOf(places, _)) = self;
        places.first().and_then(|place| place.vpc)
    }
}

impl<'a> Place<'a> {
    fn of(at: &'a str, vpc: Option<&'a str>, groups: Groups<'a>) -> Place<'a> {
        let Groups { ids, outdated, untold } = groups;
        Place { at, vpc, groups: ids, outdated, untold }
    }
}

/// Of an interface, itself; `None` where nothing tells its groups.
pub(super) fn of_interface<'a>(
    item: &'a Item,
    interface: &'a NetworkInterface,
    interfaces: &Interfaces<'a>,
) -> Option<Places<'a>> {
    let groups = interfaces.on_interface(item)?;
    let place = Place::of(item.key.id.as_str(), interface.vpc.as_deref(), groups);
    Some(Places::All(vec![place], None))
}

/// Of an instance its primary interface, or all of them; `None` where nothing tells their groups.
pub(super) fn of_instance<'a>(
    item: &'a Item,
    interfaces: &Interfaces<'a>,
    all: bool,
    shard: &'a Shard,
) -> Option<Places<'a>> {
    let Body::Instance(instance) = &item.body else { return None };
    let mut found = interfaces.on_instance(item)?;
    // What stands there is on the primary interface as well, or was once.
    found.remove(item.key.id.as_str());
    let vpc = instance.vpc.as_deref();
    let listed = instance.interfaces.as_deref().unwrap_or_default();
    let primary = listed.iter().find(|entry| entry.device_index == Some(0));
    let primary = primary.or(match listed {
        [only] => Some(only),
        _ => None,
    });
    let primary = match primary {
        Some(entry) => {
            let id = &*entry.id;
            Some(match found.remove(id) {
                Some(groups) => Place::of(id, vpc, groups),
                // Not told to be the primary one, and on another instance by now: it never was.
                None if entry.device_index.is_none() => {
                    by_body(item, instance, item.key.id.as_str(), !all, shard)
                }
                None => {
                    let is_told = interfaces.is_by_instance(item, entry);
                    let place = by_body(item, instance, id, is_told, shard);
                    let contested = interfaces.contested(item, entry);
                    Place { outdated: place.outdated.or(contested), ..place }
                }
            })
        }
        // Its body tells no interface: the groups that it lists are those of the primary one.
        None if listed.is_empty() && found.is_empty() => {
            Some(by_body(item, instance, item.key.id.as_str(), true, shard))
        }
        None => {
            let is_first = |id: &&&str| match shard.item(&ResourceType::NETWORK_INTERFACE, id) {
                Some(Item { body: Body::NetworkInterface(own), .. }) => own.device_index == Some(0),
                _ => false,
            };
            let first = found.keys().find(is_first).copied();
            first.and_then(|id| Some(Place::of(id, vpc, found.remove(id)?)))
        }
    };
    // Those that a service manages are out of scope (semantics §10 row 19).
    let is_managed = |id: &str| match shard.item(&ResourceType::NETWORK_INTERFACE, id) {
        Some(Item { body: Body::NetworkInterface(own), .. }) => own.is_managed(),
        _ => false,
    };
    let others = found.into_iter().filter(|(id, _)| !is_managed(id));
    let others = others.map(|(id, groups)| Place::of(id, vpc, groups));
    // Every instance has an interface: a body that lists none does not tell them.
    let untold = listed.is_empty().then(|| untold_interfaces_gap(item));
    Some(match primary {
        Some(primary) if !all => Places::All(vec![primary], None),
        Some(primary) => Places::All([primary].into_iter().chain(others).collect(), untold),
        None if all => Places::All(others.collect(), untold),
        None => {
            let itself = untold.map(|_| by_body(item, instance, item.key.id.as_str(), true, shard));
            Places::OneOf(others.chain(itself).collect(), untold_primary_gap(item))
        }
    })
}

/// The primary interface by the groups that an instance's body lists for itself. They say nothing where
/// a newer state has the interface on another instance.
fn by_body<'a>(
    item: &'a Item,
    instance: &'a Instance,
    at: &'a str,
    is_told: bool,
    shard: &'a Shard,
) -> Place<'a> {
    let own = shard.item(&ResourceType::NETWORK_INTERFACE, at);
    let is_unseen = |own: &&Item| own.body.is_unseen();
    let told = instance.groups.iter().filter(|_| is_told);
    Place {
        at,
        vpc: instance.vpc.as_deref(),
        groups: told.map(Box::as_ref).collect(),
        outdated: outdated(item).or_else(|| own.filter(is_unseen).map(unseen_gap)),
        untold: (!is_told).then(|| untold_interfaces_gap(item)),
    }
}

/// Of a load balancer, itself; `None` where nothing tells its groups.
pub(super) fn of_balancer<'a>(
    item: &'a Item,
    shard: &'a Shard,
    networks: &Networks<'a>,
) -> Option<Places<'a>> {
    let groups = balancer_groups(item)?.iter().map(Box::as_ref).collect();
    let vpc = balancer_vpc(item, shard, networks);
    let at = item.key.id.as_str();
    Some(Places::All(vec![Place { at, vpc, groups, outdated: None, untold: None }], None))
}

fn balancer_groups(item: &Item) -> Option<&[Box<str>]> {
    match &item.body {
        Body::LoadBalancer(balancer) => balancer.groups.as_deref(),
        Body::ClassicLoadBalancer(balancer) => balancer.groups.as_deref(),
        _ => None,
    }
}

/// The VPC of a load balancer: as it tells, else that of the groups on it which serve in their own alone.
pub(super) fn balancer_vpc<'a>(
    item: &'a Item,
    shard: &'a Shard,
    networks: &Networks<'a>,
) -> Option<&'a str> {
    let own = match &item.body {
        Body::LoadBalancer(balancer) => balancer.vpc.as_deref(),
        Body::ClassicLoadBalancer(balancer) => balancer.vpc.as_deref(),
        _ => None,
    };
    let of_groups = || {
        let serving = balancer_groups(item)?.iter().filter(|id| !networks.is_associated(id));
        let vpcs: BTreeSet<&str> = serving
            .filter_map(|id| match &shard.item(&ResourceType::SECURITY_GROUP, id)?.body {
                Body::SecurityGroup(group) => group.vpc.as_deref(),
                _ => None,
            })
            .collect();
        vpcs.first().copied().filter(|_| vpcs.len() == 1)
    };
    own.or_else(of_groups)
}

/// That nothing tells which interface of an instance is the primary one.
fn untold_primary_gap(instance: &Item) -> Gap {
    let text = format!("The primary network interface of {} was not recorded.", instance.key.id);
    Gap::new(DependentService::Config, &text)
}
