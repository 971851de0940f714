//! Network interfaces as their newest state has them. An interface is told of twice, by its own item
//! and in the body of the instance it is on: of both the newer counts, for the interface and for the
//! instance (semantics §11 row 42).
//!
//! Newer is by capture time, for a `configurationStateId` orders the states of one resource alone
//! (formats §3); of one moment the own item counts. An own item that names no
//! instance leaves the interface where the instance's body has it: attachments may not have been
//! told. Bodies of terminated instances list nothing that is left.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ResourceType;
use crate::inventory::{Body, Instance, InstanceInterface, Item, NetworkInterface, Shard, Version};

use super::security_groups::{is_terminated, stateless_gap};
use super::{DependentService, Gap, outdated};

/// The interfaces of a shard.
pub(super) struct Interfaces<'a> {
    own: BTreeMap<&'a str, &'a Item>,
    /// As the newest body of an instance that lists them has them, by id.
    listed: BTreeMap<&'a str, Listed<'a>>,
    /// Own items by the instance that they name.
    by_instance: BTreeMap<&'a str, Vec<&'a Item>>,
}

/// An interface in an instance's body.
#[derive(Clone, Copy)]
struct Listed<'a> {
    instance: &'a Item,
    groups: &'a [Box<str>],
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
        // What a body does not tell is no news.
        let Some(groups) = entry.groups.as_deref() else { return };
        let listed = Listed { instance, groups };
        let is_newer = |held: &Listed<'_>| is_later(&instance.version, &held.instance.version);
        if self.listed.get(&*entry.id).is_none_or(is_newer) {
            self.listed.insert(&entry.id, listed);
        }
    }

    /// The groups on an interface that has an item of its own; `None` where nothing tells them.
    pub fn on_interface(&self, item: &'a Item) -> Option<Groups<'a>> {
        let listed = self.listed.get(item.key.id.as_str());
        let listed = listed.filter(|listed| is_later(&listed.instance.version, &item.version));
        let Some(listed) = listed else {
            return own(item).map(|own| Groups {
                ids: ids(&own.groups),
                outdated: outdated(item),
                untold: None,
            });
        };
        let told = &listed.instance.version;
        let later = item.unseen_since.as_ref();
        let is_unseen_later = later.is_some_and(|later| is_later(&later.version, told));
        let of_own = outdated(item).filter(|_| is_unseen_later);
        // If the instance is terminated, what its body lists is nothing that is left.
        let of_instance = || stateless_gap(listed.instance).or_else(|| outdated(listed.instance));
        let outdated = of_own.or_else(of_instance);
        Some(Groups { ids: ids(listed.groups), outdated, untold: None })
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
        let mut listed = BTreeSet::new();
        for entry in interfaces {
            listed.extend(entry.groups.iter().flatten().map(Box::as_ref));
            // What a body lists for itself is on the primary interface.
            let is_primary = entry.device_index == Some(0);
            let told = match entry.groups.as_deref() {
                Some(told) => told,
                None if self.own.get(&*entry.id).is_some_and(|item| own(item).is_some()) => &[],
                None if is_primary => continue,
                None => {
                    let gap = untold_gap(item, &entry.id);
                    found.insert(&entry.id, Groups { untold: Some(gap), ..Groups::default() });
                    continue;
                }
            };
            let version = entry.groups.is_some().then_some(&item.version);
            if let Some(groups) = self.on_listed(&entry.id, version, told, id) {
                let known = found.entry(&*entry.id);
                let known = known.or_default();
                known.ids.extend(groups.ids);
                known.outdated = known.outdated.take().or(groups.outdated);
                known.untold = known.untold.take().or(groups.untold);
            }
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
        let rest: BTreeSet<_> = ids(groups).difference(&listed).copied().collect();
        if !rest.is_empty() {
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

    /// The groups of an interface that an instance's body of this version lists; `None` when a newer
    /// state has it on another instance. A body that does not tell the groups is older than any item.
    fn on_listed(
        &self,
        id: &'a str,
        version: Option<&Version>,
        groups: &'a [Box<str>],
        instance: &str,
    ) -> Option<Groups<'a>> {
        let as_listed = |outdated| Some(Groups { ids: ids(groups), outdated, untold: None });
        let Some(item) = self.own.get(id).copied() else { return as_listed(None) };
        let is_newer = |version: &Version| is_later(version, &item.version);
        let told = own(item).filter(|_| !version.is_some_and(is_newer));
        let Some(told) = told else {
            let Some(version) = version else { return as_listed(Some(later_gap(item))) };
            // Nothing newer tells its groups; a later state may be there all the same.
            let is_unseen = item.body.is_unseen() && is_later(&item.version, version);
            let later = item.unseen_since.as_ref();
            let is_unseen_later = later.is_some_and(|later| is_later(&later.version, version));
            let gap = (is_unseen || is_unseen_later).then(|| later_gap(item));
            return as_listed(gap);
        };
        match told.instance.as_deref() {
            Some(other) if other != instance => None,
            _ => Some(Groups { ids: ids(&told.groups), outdated: outdated(item), untold: None }),
        }
    }
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

/// As [`outdated`], of an interface whose own item may tell nothing at all.
fn later_gap(item: &Item) -> Gap {
    outdated(item).unwrap_or_else(|| super::unseen_gap(item))
}
