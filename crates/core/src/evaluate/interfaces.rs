//! Network interfaces as their newest state has them. An interface is told of twice, by its own item
//! and in the body of the instance it is on: of both the newer counts, for the interface and for the
//! instance (semantics §11 row 42).
//!
//! Newer is by capture time, for a `configurationStateId` orders the states of one resource alone
//! (formats §3); of one moment the own item counts. An own item that names no
//! instance leaves the interface where the instance's body has it: attachments may not have been
//! told. Bodies of terminated instances list nothing that is left. An interface is on one instance: of
//! several that list it, and its own item no later than they, the newest has it, and of one moment which
//! has it is not known.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use crate::ident::ResourceType;
use crate::inventory::{Body, Instance, InstanceInterface, Item, NetworkInterface, Shard, Version};

use super::security_groups::{is_terminated, stateless_gap};
use super::{DependentService, Gap, outdated};

/// The interfaces of a shard.
pub(super) struct Interfaces<'a> {
    own: BTreeMap<&'a str, &'a Item>,
    /// As the body of an instance lists them, by id: the first that does.
    listed: BTreeMap<&'a str, Listed<'a>>,
    /// As each of several entries lists them.
    listed_again: BTreeMap<&'a str, Vec<Listed<'a>>>,
    /// Own items by the instance that they name.
    by_instance: BTreeMap<&'a str, Vec<&'a Item>>,
}

/// An interface in an instance's body.
#[derive(Clone, Copy)]
struct Listed<'a> {
    instance: &'a Item,
    /// `None` where they are not told.
    groups: Option<&'a [Box<str>]>,
}

/// What other instances say of an interface that an instance lists.
enum Claim {
    /// Nothing that counts.
    None,
    /// One has it on itself, and no later state of anything has it elsewhere.
    Later,
    /// One of the same moment has it on itself, with other groups.
    AtOnce,
}

/// An interface that an instance's body lists, as the newest state has it.
enum Standing<'a> {
    /// On another instance.
    Elsewhere,
    /// As its own item tells it.
    ByItself(Groups<'a>),
    /// As the body lists it.
    AsListed(Groups<'a>),
    /// The body does not tell its groups, and nothing else does.
    ByInstance,
}

/// The groups of an interface.
#[derive(Default)]
pub(super) struct Groups<'a> {
    pub ids: BTreeSet<&'a str>,
    /// That they may be others by now: a later state tells nothing of them.
    pub outdated: Option<Gap>,
    /// That there may be more: nothing tells them.
    pub untold: Option<Gap>,
}

impl<'a> Interfaces<'a> {
    pub fn of(shard: &'a Shard) -> Interfaces<'a> {
        let mut interfaces = Interfaces {
            own: BTreeMap::new(),
            listed: BTreeMap::new(),
            listed_again: BTreeMap::new(),
            by_instance: BTreeMap::new(),
        };
        for item in shard.of_type(&ResourceType::NETWORK_INTERFACE) {
            interfaces.own.insert(item.key.id.as_str(), item);
            if let Some(instance) = own(item).and_then(|own| own.instance.as_deref()) {
                interfaces.by_instance.entry(instance).or_default().push(item);
            }
        }
        let instances = shard.of_type(&ResourceType::INSTANCE);
        for item in instances.filter(|item| !is_terminated(item)) {
            let Body::Instance(instance) = &item.body else { continue };
            for entry in instance.interfaces.iter().flatten() {
                interfaces.list(item, entry);
            }
        }
        interfaces
    }

    fn list(&mut self, instance: &'a Item, entry: &'a InstanceInterface) {
        let listed = Listed { instance, groups: entry.groups.as_deref() };
        match self.listed.entry(&entry.id) {
            Entry::Vacant(place) => drop(place.insert(listed)),
            Entry::Occupied(first) => {
                let again = self.listed_again.entry(&entry.id);
                again.or_insert_with(|| vec![*first.get()]).push(listed);
            }
        }
    }

    /// The newest state of an instance that lists an interface with its groups, later than the interface's
    /// own item; and that another of that moment lists it with others.
    fn newest_listing(&self, item: &Item) -> Option<(&'a Item, &'a [Box<str>], bool)> {
        let id = item.key.id.as_str();
        let all = self.listed_again.get(id).map(Vec::as_slice);
        let all = all.or_else(|| self.listed.get(id).map(std::slice::from_ref));
        let mut newest: Option<(&Item, &[Box<str>], bool)> = None;
        for listed in all.unwrap_or_default() {
            let Listed { instance, groups: Some(groups) } = *listed else { continue };
            if !is_later(&instance.version, &item.version) {
                continue;
            }
            match &mut newest {
                Some((other, _, _)) if is_later(&other.version, &instance.version) => {}
                Some((other, known, is_contested))
                    if !is_later(&instance.version, &other.version) =>
                {
                    *is_contested |= ids(known) != ids(groups);
                }
                _ => newest = Some((instance, groups, false)),
            }
        }
        newest
    }

    /// What other instances say of an interface that an instance lists.
    fn claim(&self, instance: &Item, entry: &InstanceInterface) -> Claim {
        // Most interfaces are listed once.
        let Some(all) = self.listed_again.get(&*entry.id) else { return Claim::None };
        let own = self.own.get(&*entry.id);
        let groups = ids(entry.groups.as_deref().unwrap_or_default());
        let mut claim = Claim::None;
        for listed in all {
            let other = listed.instance;
            let is_news = own.is_none_or(|own| is_later(&other.version, &own.version));
            if other.key == instance.key || !is_news || is_later(&instance.version, &other.version)
            {
                continue;
            }
            if is_later(&other.version, &instance.version) {
                return Claim::Later;
            }
            if ids(listed.groups.unwrap_or_default()) != groups {
                claim = Claim::AtOnce;
            }
        }
        claim
    }

    /// The groups on an interface that has an item of its own; `None` where nothing tells them.
    pub fn on_interface(&self, item: &'a Item) -> Option<Groups<'a>> {
        let Some((instance, groups, is_contested)) = self.newest_listing(item) else {
            return own(item).map(|own| Groups {
                ids: ids(&own.groups),
                outdated: outdated(item),
                untold: None,
            });
        };
        let later = item.unseen_since.as_ref();
        let is_unseen_later =
            later.is_some_and(|later| is_later(&later.version, &instance.version));
        let of_own = outdated(item).filter(|_| is_unseen_later);
        // If the instance is terminated, what its body lists is nothing that is left.
        let of_instance = || stateless_gap(instance).or_else(|| outdated(instance));
        let contested = || is_contested.then(|| contested_gap(item.key.id.as_str()));
        let outdated = of_own.or_else(of_instance).or_else(contested);
        Some(Groups { ids: ids(groups), outdated, untold: None })
    }

    /// The groups of an instance, interface by interface, ascending. Groups that its body lists for
    /// itself and for none of its interfaces stand under the instance's own id. `None` where its
    /// body tells none.
    pub fn on_instance(&self, item: &'a Item) -> Option<BTreeMap<&'a str, Groups<'a>>> {
        let Body::Instance(Instance { groups, interfaces, .. }) = &item.body else {
            return None;
        };
        let id = item.key.id.as_str();
        let told = interfaces.as_deref();
        let interfaces = told.unwrap_or_default();
        let mut found: BTreeMap<&str, Groups<'a>> = BTreeMap::new();
        // What a body lists for itself is on the primary interface.
        let (mut standing, mut is_primary_news) = (BTreeSet::new(), false);
        for entry in interfaces {
            let is_primary = is_primary(entry, interfaces);
            let groups = match self.standing(item, entry) {
                Standing::ByInstance if entry.device_index != Some(0) => {
                    Groups { untold: Some(untold_gap(item, &entry.id)), ..Groups::default() }
                }
                Standing::ByInstance => continue,
                Standing::AsListed(groups) => groups,
                Standing::ByItself(groups) => {
                    is_primary_news |= is_primary && self.is_news_of(item, entry);
                    groups
                }
                // The primary interface stays where it is: one that is not told to be it is another.
                Standing::Elsewhere => {
                    is_primary_news |= entry.device_index == Some(0);
                    continue;
                }
            };
            standing.extend(groups.ids.iter().copied());
            let contested = self.contested(item, entry);
            let known = found.entry(&*entry.id).or_default();
            known.ids.extend(groups.ids);
            known.outdated = known.outdated.take().or(groups.outdated).or(contested);
            known.untold = known.untold.take().or(groups.untold);
        }
        // Every instance has an interface: a body that lists none does not tell them.
        // Of one moment its own item counts.
        let is_news = |own: &&Item| interfaces.is_empty() || !is_later(&item.version, &own.version);
        let attached = self.by_instance.get(id).into_iter().flatten().copied();
        let is_listed =
            |own: &&Item| interfaces.iter().any(|entry| *entry.id == *own.key.id.as_str());
        for own in attached.filter(is_news).filter(|own| !is_listed(own)) {
            if let Some(groups) = self.on_interface(own) {
                found.insert(own.key.id.as_str(), groups);
            }
        }
        let rest: BTreeSet<_> = ids(groups).difference(&standing).copied().collect();
        if !rest.is_empty() && !is_primary_news {
            // They are on one of its interfaces, and that may carry others by now.
            let may_be_off = found.values().find_map(|groups| groups.outdated.clone());
            let itself = found.entry(id).or_default();
            itself.ids.extend(rest);
            itself.outdated = itself.outdated.take().or(may_be_off);
        }
        if told.is_none() {
            // Others may be on it that nothing tells of.
            let itself = found.entry(id).or_default();
            itself.untold.get_or_insert_with(|| untold_interfaces_gap(item));
        }
        Some(found)
    }

    /// How an interface stands that an instance's body lists.
    fn standing(&self, instance: &'a Item, entry: &'a InstanceInterface) -> Standing<'a> {
        if matches!(self.claim(instance, entry), Claim::Later) {
            return Standing::Elsewhere;
        }
        let listed = entry.groups.as_deref();
        let as_listed = |outdated| match listed {
            Some(groups) => Standing::AsListed(Groups { ids: ids(groups), outdated, untold: None }),
            None => Standing::ByInstance,
        };
        let Some(item) = self.own.get(&*entry.id).copied() else { return as_listed(None) };
        let is_news = self.is_news_of(instance, entry);
        // A body that does not tell the groups is older than any item.
        let Some(told) = own(item).filter(|_| is_news || listed.is_none()) else {
            // Nothing newer tells its groups; a later state may be there all the same.
            let version = &instance.version;
            let is_unseen = item.body.is_unseen() && is_later(&item.version, version);
            let later = item.unseen_since.as_ref();
            let is_unseen_later = later.is_some_and(|later| is_later(&later.version, version));
            return as_listed((is_unseen || is_unseen_later).then(|| later_gap(item)));
        };
        match told.instance.as_deref() {
            Some(other) if is_news && other != instance.key.id.as_str() => Standing::Elsewhere,
            _ => Standing::ByItself(Groups {
                ids: ids(&told.groups),
                outdated: outdated(item),
                untold: None,
            }),
        }
    }

    /// Whether what an instance's body lists for itself alone tells the groups of an interface.
    pub fn is_by_instance(&self, instance: &'a Item, entry: &'a InstanceInterface) -> bool {
        matches!(self.standing(instance, entry), Standing::ByInstance)
    }

    /// Whether an interface's own item is no older than the body of an instance that lists it.
    fn is_news_of(&self, instance: &Item, entry: &InstanceInterface) -> bool {
        let own = self.own.get(&*entry.id);
        own.is_some_and(|own| !is_later(&instance.version, &own.version))
    }

    /// That another instance lists an interface at the same moment with other groups.
    pub fn contested(&self, instance: &Item, entry: &InstanceInterface) -> Option<Gap> {
        matches!(self.claim(instance, entry), Claim::AtOnce).then(|| contested_gap(&entry.id))
    }
}

/// Whether an entry is of the primary interface: the first, or the only one where that is not told.
fn is_primary(entry: &InstanceInterface, all: &[InstanceInterface]) -> bool {
    entry.device_index.map_or(all.len() == 1, |index| index == 0)
}

/// What an instance or interface shows of interfaces, so that two states that show the same are
/// judged alike: when it was told counts, too.
pub(super) fn shows_same(before: &Item, after: &Item) -> bool {
    let later = |item: &Item| item.unseen_since.as_ref().map(|later| later.version.clone());
    before.version == after.version && later(before) == later(after) && before.body == after.body
}

/// Whether a state of one resource was captured after that of another.
fn is_later(state: &Version, other: &Version) -> bool {
    state.captured_ms > other.captured_ms
}

fn own(item: &Item) -> Option<&NetworkInterface> {
    match &item.body {
        Body::NetworkInterface(interface) => Some(interface),
        _ => None,
    }
}

fn ids(groups: &[Box<str>]) -> BTreeSet<&str> {
    groups.iter().map(Box::as_ref).collect()
}

/// That a body does not list the interfaces of an instance.
pub(super) fn untold_interfaces_gap(instance: &Item) -> Gap {
    let text = format!("The network interfaces of {} were not recorded.", instance.key.id);
    Gap::new(DependentService::Config, &text)
}

/// That a body lists an interface without its groups, and nothing else tells them.
fn untold_gap(instance: &Item, interface: &str) -> Gap {
    let text = format!(
        "The security groups of network interface {interface} of {} were not recorded.",
        instance.key.id
    );
    Gap::new(DependentService::Config, &text)
}

/// That several instances list an interface, and which it is on is not known.
fn contested_gap(interface: &str) -> Gap {
    let text = format!(
        "Which instance network interface {interface} is on is not certain: more than one lists it."
    );
    Gap::new(DependentService::Config, &text)
}

/// As [`outdated`], of an interface whose own item may tell nothing at all.
fn later_gap(item: &Item) -> Gap {
    outdated(item).unwrap_or_else(|| super::unseen_gap(item))
}
