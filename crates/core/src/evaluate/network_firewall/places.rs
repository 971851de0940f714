//! The VPCs of a shard with what a firewall policy looks at in them: subnets, firewalls, endpoints.

use std::collections::BTreeMap;

use crate::evaluate::coverage::not_seen;
use crate::evaluate::security_groups::is_own;
use crate::evaluate::{DependentService, Gap, unseen_gap};
use crate::ident::ResourceType;
use crate::inventory::{Body, Item, NetworkFirewall, Shard, Subnet, VpcEndpoint};
use crate::policy::Policy;
use crate::policy::network_firewall::Zone;

use super::tables::Tables;

/// What the names of firewalls begin with that Firewall Manager made (semantics §7.2).
const MADE: &str = "FMManagedNetworkFirewall";

/// A subnet with its item.
#[derive(Clone, Copy, Debug)]
pub(in crate::evaluate) struct Place<'a> {
    pub item: &'a Item,
    pub subnet: &'a Subnet,
}

impl<'a> Place<'a> {
    pub fn id(&self) -> &'a str {
        self.item.key.id.as_str()
    }

    /// The name of its zone, unless that was not told.
    pub fn zone(&self) -> Result<&'a str, Gap> {
        self.subnet.zone.as_deref().ok_or_else(|| self.untold("Availability Zone"))
    }

    /// Whether it is in a zone as a policy names it, unless that was not told.
    pub fn is_in(&self, zone: &Zone) -> Result<bool, Gap> {
        let (told, wanted, what) = match zone {
            Zone::Name(name) => (&self.subnet.zone, name, "Availability Zone"),
            Zone::Id(id) => (&self.subnet.zone_id, id, "id of the Availability Zone"),
        };
        match told {
            Some(told) => Ok(told == wanted),
            None => Err(self.untold(what)),
        }
    }

    /// That something of it was not told.
    pub fn untold(&self, what: &str) -> Gap {
        untold(self.item, what)
    }
}

/// A firewall with its item.
#[derive(Clone, Copy, Debug)]
pub(in crate::evaluate) struct Firewall<'a> {
    pub item: &'a Item,
    pub firewall: &'a NetworkFirewall,
}

impl Firewall<'_> {
    /// What people call it.
    pub fn name(&self) -> &str {
        self.firewall.name.as_deref().unwrap_or(self.item.key.id.as_str())
    }

    fn is_made(&self) -> bool {
        self.firewall.name.as_deref().is_some_and(|name| name.starts_with(MADE))
    }

    /// Whether it is Firewall Manager's own of the policy (semantics §7.2, §11 row 58): the name is
    /// made of the policy's, its id and the VPC's. Of the policy's name counts what a firewall's may
    /// have; `None` when the name was not told.
    fn is_own(&self, policy: &Policy, vpc: &str) -> Option<bool> {
        let rest = self.firewall.name.as_deref()?.strip_prefix(MADE);
        let rest = rest.and_then(|rest| rest.strip_suffix(vpc));
        let Some(name) = rest.and_then(|rest| rest.strip_suffix(policy.id.as_str())) else {
            return Some(false);
        };
        let plain = |name: &str| -> String {
            name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
        };
        let mut names = policy.former_names.iter().chain([&policy.name]);
        Some(names.any(|known| plain(known) == plain(name)))
    }
}

/// All of a shard.
pub(in crate::evaluate) struct Places<'a> {
    shard: &'a Shard,
    pub tables: Tables<'a>,
    subnets: BTreeMap<&'a str, Vec<Place<'a>>>,
    firewalls: BTreeMap<&'a str, Vec<Firewall<'a>>>,
    endpoints: BTreeMap<&'a str, Vec<(&'a Item, &'a VpcEndpoint)>>,
    /// Whether endpoints are looked for that a vendor's firewall may have: those of Network Firewall
    /// are none.
    is_vendors: bool,
    /// Why a VPC may have more subnets than are held of it, firewalls, or endpoints.
    untold_subnets: Option<Gap>,
    /// By VPC, that a route table serves a subnet there that is not held.
    unheld_subnets: BTreeMap<&'a str, Gap>,
    untold_firewalls: Option<Gap>,
    untold_endpoints: Option<Gap>,
}

impl<'a> Places<'a> {
    pub fn of(shard: &'a Shard) -> Places<'a> {
        Places::looking(shard, false)
    }

    /// With the endpoints that a vendor's firewall may have (semantics §5.10).
    pub fn of_vendor(shard: &'a Shard) -> Places<'a> {
        Places::looking(shard, true)
    }

    fn looking(shard: &'a Shard, is_vendors: bool) -> Places<'a> {
        let mut places = Places {
            is_vendors,
            shard,
            tables: Tables::of(shard),
            subnets: BTreeMap::new(),
            firewalls: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            untold_subnets: not_seen(shard, &ResourceType::SUBNET),
            unheld_subnets: BTreeMap::new(),
            untold_firewalls: not_seen(shard, &ResourceType::NETWORK_FIREWALL),
            untold_endpoints: not_seen(shard, &ResourceType::VPC_ENDPOINT),
        };
        for item in shard.of_type(&ResourceType::SUBNET) {
            match &item.body {
                Body::Subnet(subnet) => {
                    let place = Place { item, subnet };
                    match &subnet.vpc {
                        _ if !is_own(item, &shard.id.account) => {}
                        Some(vpc) => places.subnets.entry(vpc).or_default().push(place),
                        None => note(&mut places.untold_subnets, || place.untold("VPC")),
                    }
                }
                _ => note(&mut places.untold_subnets, || unseen_gap(item)),
            }
        }
        places.note_unheld_subnets();
        places.add_firewalls();
        places.add_endpoints();
        places
    }

    fn note_unheld_subnets(&mut self) {
        for item in self.shard.of_type(&ResourceType::ROUTE_TABLE) {
            let Body::RouteTable(table) = &item.body else { continue };
            let Some(vpc) = table.vpc.as_deref() else { continue };
            let served = table.associations.iter().flatten().filter_map(|on| on.subnet.as_deref());
            for subnet in served {
                if self.shard.item(&ResourceType::SUBNET, subnet).is_none() {
                    let text = format!(
                        "AWS::EC2::Subnet {subnet}, which {} serves, was not recorded.",
                        item.key.id
                    );
                    let gap = || Gap::new(DependentService::Config, &text);
                    self.unheld_subnets.entry(vpc).or_insert_with(gap);
                }
            }
        }
    }

    fn add_firewalls(&mut self) {
        for item in self.shard.of_type(&ResourceType::NETWORK_FIREWALL) {
            match &item.body {
                Body::NetworkFirewall(firewall) => match &firewall.vpc {
                    Some(vpc) => {
                        self.firewalls.entry(vpc).or_default().push(Firewall { item, firewall });
                    }
                    None => note(&mut self.untold_firewalls, || untold(item, "VPC")),
                },
                _ => note(&mut self.untold_firewalls, || unseen_gap(item)),
            }
        }
    }

    fn add_endpoints(&mut self) {
        for item in self.shard.of_type(&ResourceType::VPC_ENDPOINT) {
            let Body::VpcEndpoint(endpoint) = &item.body else {
                note(&mut self.untold_endpoints, || unseen_gap(item));
                continue;
            };
            let is_other = (self.is_vendors && is_network_firewalls(item) == Some(true))
                || endpoint.is_gateway_load_balancer() == Some(false)
                || endpoint.serves() == Some(false);
            if is_other {
                continue;
            }
            let untold = match (&endpoint.subnets, endpoint.is_gateway_load_balancer()) {
                (None, _) => Some("subnets"),
                (Some(_), None) => Some("kind"),
                (Some(_), Some(_)) if endpoint.serves().is_none() => Some("state"),
                (Some(_), Some(_)) if self.is_vendors && is_network_firewalls(item).is_none() => {
                    Some("tags")
                }
                (Some(_), Some(_)) => None,
            };
            if let Some(what) = untold {
                note(&mut self.untold_endpoints, || self::untold(item, what));
                continue;
            }
            for subnet in endpoint.subnets.iter().flatten() {
                self.endpoints.entry(subnet).or_default().push((item, endpoint));
            }
        }
    }

    /// The subnets of a VPC, ascending by id.
    pub fn subnets(&self, vpc: &str) -> &[Place<'a>] {
        self.subnets.get(vpc).map(Vec::as_slice).unwrap_or_default()
    }

    /// The subnet of a VPC, unless it was not recorded.
    pub fn subnet(&self, vpc: &str, id: &str) -> Result<Place<'a>, Gap> {
        let found = self.subnets(vpc).iter().find(|place| place.id() == id);
        found.copied().ok_or_else(|| {
            let held = self.shard.item(&ResourceType::SUBNET, id).map(unseen_gap);
            held.unwrap_or_else(|| {
                let text = format!("AWS::EC2::Subnet {id} was not recorded.");
                Gap::new(DependentService::Config, &text)
            })
        })
    }

    /// The firewalls of a VPC that are the policy's own, and the others.
    pub fn firewalls(
        &self,
        policy: &Policy,
        vpc: &str,
    ) -> Result<(Vec<Firewall<'a>>, Vec<Firewall<'a>>), Gap> {
        let (mut own, mut others, mut unnamed) = (Vec::new(), Vec::new(), None);
        for firewall in self.firewalls.get(vpc).into_iter().flatten() {
            match firewall.is_own(policy, vpc) {
                Some(true) => own.push(*firewall),
                Some(false) => others.push(*firewall),
                None => unnamed = Some(untold(firewall.item, "name")),
            }
        }
        match unnamed.or_else(|| self.untold_firewalls.clone()) {
            Some(gap) if own.is_empty() => Err(gap),
            _ => Ok((own, others)),
        }
    }

    /// Whether an endpoint is of a firewall that Firewall Manager made, for whichever policy, in the
    /// VPC (semantics §5.7); one that is not held is a gap (§11 row 54).
    pub fn is_made_endpoint(&self, vpc: &str, endpoint: &str) -> Result<bool, Gap> {
        let subnets = self.endpoint_subnets(endpoint)?;
        if self.is_vendors {
            let held = subnets.iter().filter_map(|subnet| self.endpoints.get(&**subnet));
            return Ok(held.flatten().any(|(item, _)| item.key.id.as_str() == endpoint));
        }
        let firewalls = self.firewalls.get(vpc).into_iter().flatten();
        let mut made = firewalls.filter(|firewall| firewall.is_made());
        Ok(made.any(|firewall| {
            let mapped = firewall.firewall.subnets.iter().flatten();
            mapped.into_iter().any(|subnet| subnets.contains(subnet))
        }))
    }

    /// The subnets of an endpoint of a firewall's kind; none of another's.
    pub fn endpoint_subnets(&self, endpoint: &str) -> Result<&'a [Box<str>], Gap> {
        let Some(item) = self.shard.item(&ResourceType::VPC_ENDPOINT, endpoint) else {
            let text = format!("AWS::EC2::VPCEndpoint {endpoint} was not recorded.");
            return Err(Gap::new(DependentService::Config, &text));
        };
        let Body::VpcEndpoint(held) = &item.body else { return Err(unseen_gap(item)) };
        match held.is_gateway_load_balancer() {
            Some(false) => Ok(&[]),
            Some(true) => held.subnets.as_deref().ok_or_else(|| untold(item, "subnets")),
            None => Err(untold(item, "kind")),
        }
    }

    /// The endpoint of a firewall in its subnet; `None` where there is none.
    pub fn endpoint_in(&self, subnet: &str) -> Result<Option<&'a str>, Gap> {
        match (self.endpoints.get(subnet).and_then(|all| all.first()), &self.untold_endpoints) {
            (Some((item, _)), _) => Ok(Some(item.key.id.as_str())),
            (None, Some(gap)) => Err(gap.clone()),
            (None, None) => Ok(None),
        }
    }

    /// The items of the endpoints of a firewall's kind that are told to be in a subnet: what is judged by
    /// one of them may have changed since.
    pub fn endpoints_at(&self, subnet: &str) -> impl Iterator<Item = &'a Item> {
        self.endpoints.get(subnet).into_iter().flatten().map(|(item, _)| *item)
    }

    /// The item of an endpoint.
    pub fn endpoint(&self, id: &str) -> Option<&'a Item> {
        self.shard.item(&ResourceType::VPC_ENDPOINT, id)
    }

    /// Why a VPC may have more subnets than are held of it.
    pub fn untold_subnets(&self, vpc: &str) -> Option<&Gap> {
        self.untold_subnets.as_ref().or_else(|| self.unheld_subnets.get(vpc))
    }
}

/// Whether Network Firewall made an endpoint, by the tag that it puts on its own; `None` when tags were
/// not told.
pub(in crate::evaluate) fn is_network_firewalls(item: &Item) -> Option<bool> {
    const MADE: (&str, &str) = ("AWSNetworkFirewallManaged", "true");
    let tags = item.latest_tags()?;
    Some(tags.get(MADE.0).is_some_and(|value| value.eq_ignore_ascii_case(MADE.1)))
}

fn note(untold: &mut Option<Gap>, gap: impl FnOnce() -> Gap) {
    if untold.is_none() {
        *untold = Some(gap());
    }
}

/// That something of a resource was not told.
pub(in crate::evaluate) fn untold(item: &Item, what: &str) -> Gap {
    let verb = if what.ends_with('s') { "were" } else { "was" };
    let (kind, id) = (&item.key.resource_type, &item.key.id);
    let text = format!("The {what} of {kind} {id} {verb} not recorded.");
    Gap::new(DependentService::Config, &text)
}
