//! Interfaces, instances and load balancers, and the groups on them (semantics §10 rows 15 and 28,
//! §11 rows 41 and 42).

use serde_json::Value;

use super::held::{self, Held};
use super::item::{captured_ms, is_unseen};
use super::{Mutation, list, text};
use crate::world::DOUBTS;

pub const INTERFACE: &str = "AWS::EC2::NetworkInterface";
pub const INSTANCE: &str = "AWS::EC2::Instance";

/// Something with groups on it.
pub struct Carrier<'a> {
    pub item: &'a Value,
    pub groups: Vec<String>,
    /// Not all of its groups are told.
    pub untold: bool,
    /// They may have changed since, some of them at least.
    pub outdated: bool,
    /// Those of an instance that are on an interface of which nothing later is known.
    pub sure: Vec<String>,
    /// Of another account, or told by one (row 41).
    pub foreign: bool,
}

/// The interfaces that the account's shard tells of, then those of all others. Foreign are those
/// that another account owns, and what other accounts tell: the account's own shard tells all of
/// its own.
pub fn interfaces<'a>(
    here: &Held<'a>,
    others: &[Held<'a>],
    broken: Option<Mutation>,
) -> Vec<Carrier<'a>> {
    let mut all = vec![];
    for shard in [here].into_iter().chain(others) {
        let apart = broken == Some(Mutation::OtherAccountsInterfacesIgnored);
        if apart && shard.account != here.account {
            continue;
        }
        for item in shard.of_type(INTERFACE) {
            let told_here = here.item(INTERFACE, text(&item["resourceId"])).is_some();
            if shard.account != here.account && told_here {
                continue;
            }
            let owner = match text(&held::body(item)["ownerId"]) {
                "" => shard.account.as_str(),
                _ if broken == Some(Mutation::OwnersOfInterfacesIgnored) => shard.account.as_str(),
                owner => owner,
            };
            let mut carrier = interface(item, shard, broken);
            carrier.foreign = owner != here.account || shard.account != here.account;
            all.push(carrier);
        }
    }
    all
}

/// An interface with the groups of the newer of its own item and its instance's body (row 42).
fn interface<'a>(item: &'a Value, here: &Held<'a>, broken: Option<Mutation>) -> Carrier<'a> {
    let id = text(&item["resourceId"]);
    let groups = &held::body(item)["groups"];
    let mut carrier = Carrier {
        item,
        groups: ids_of(groups),
        untold: !groups.is_array(),
        outdated: here.is_outdated(item),
        sure: vec![],
        foreign: false,
    };
    let mut newest_ms = captured_ms(item);
    let mut instances: Vec<&Value> = here.of_type(INSTANCE).collect();
    if *DOUBTS {
        instances.sort_by_key(|instance| text(&instance["resourceId"]));
    }
    for instance in instances {
        if is_terminated(instance) || broken == Some(Mutation::InstancesTellNothingOfInterfaces) {
            continue;
        }
        for entry in list(&held::body(instance)["networkInterfaces"]) {
            let told = text(&entry["networkInterfaceId"]) == id && entry["groups"].is_array();
            // Two say something else of one moment: which holds is not known.
            let ties = captured_ms(instance) == newest_ms && newest_ms > captured_ms(item);
            let same = sorted(ids_of(&entry["groups"])) == sorted(carrier.groups.clone());
            carrier.outdated |= told && ties && !same && *DOUBTS;
            if told && captured_ms(instance) > newest_ms {
                newest_ms = captured_ms(instance);
                carrier.groups = ids_of(&entry["groups"]);
                carrier.untold = false;
                let later = here.later(item).is_some_and(|own| captured_ms(own) > newest_ms);
                carrier.outdated = here.is_outdated(instance) || later || is_mute(instance);
            }
        }
    }
    carrier
}

/// The instances of the account, terminated ones too.
pub fn instances<'a>(here: &Held<'a>, broken: Option<Mutation>) -> Vec<Carrier<'a>> {
    here.of_type(INSTANCE).map(|item| instance(item, here, broken)).collect()
}

fn instance<'a>(item: &'a Value, here: &Held<'a>, broken: Option<Mutation>) -> Carrier<'a> {
    let body = held::body(item);
    let id = text(&item["resourceId"]);
    let entries = &body["networkInterfaces"];
    let mut carrier = Carrier {
        item,
        groups: vec![],
        untold: !entries.is_array() || is_unseen(item),
        outdated: here.is_outdated(item),
        sure: vec![],
        foreign: false,
    };
    let blind = broken == Some(Mutation::InterfacesTellNothingOfInstances);
    let primary_only = broken == Some(Mutation::InstanceReadsPrimaryGroupsOnly);
    let mut primary_is_newer = false;
    for entry in list(entries).iter().filter(|_| !primary_only) {
        let name = text(&entry["networkInterfaceId"]);
        let newer = |state: &&Value| {
            // Of one moment, its own item counts.
            text(&state["resourceId"]) == name && captured_ms(state) >= captured_ms(item) && !blind
        };
        let is_primary = entry["attachment"]["deviceIndex"] == 0;
        let (known, was_outdated) = (carrier.groups.len(), carrier.outdated);
        carrier.outdated = false;
        match claim_elsewhere(item, entry, here) {
            Claim::None => {}
            // It is on another instance by now.
            Claim::Later => {
                primary_is_newer |= is_primary;
                carrier.outdated |= was_outdated;
                continue;
            }
            // Two instances have it on them at one moment: nobody knows which.
            Claim::Same => carrier.outdated = true,
        }
        match here.of_type(INTERFACE).find(newer) {
            Some(own) if is_unseen(own) => {
                carrier.outdated |= captured_ms(own) > captured_ms(item);
                entry_alone(&mut carrier, entry, body);
            }
            // It is on another instance by now.
            Some(own) if is_elsewhere(own, id) => primary_is_newer |= is_primary,
            Some(own) => {
                let groups = &held::body(own)["groups"];
                carrier.untold |= !groups.is_array();
                carrier.outdated |= here.is_outdated(own);
                carrier.groups.extend(ids_of(groups));
                primary_is_newer |= is_primary;
            }
            None => {
                let own = here.item(INTERFACE, name);
                let later = own.and_then(|own| here.later(own));
                carrier.outdated |=
                    later.is_some_and(|own| newer(&own) && captured_ms(own) > captured_ms(item));
                match own.map(|own| &held::body(own)["groups"]) {
                    // What the instance does not tell of it its own item does.
                    Some(groups) if groups.is_array() && !entry["groups"].is_array() => {
                        carrier.groups.extend(ids_of(groups));
                    }
                    _ => entry_alone(&mut carrier, entry, body),
                }
            }
        }
        if !carrier.outdated {
            carrier.sure.extend_from_slice(&carrier.groups[known..]);
        }
        carrier.outdated |= was_outdated;
    }
    if here.is_outdated(item) || is_mute(item) {
        carrier.sure.clear();
    }
    if !primary_is_newer {
        carrier.groups.extend(ids_of(&body["securityGroups"]));
    }
    // Attached since, or for all that the instance tells.
    for own in here.of_type(INTERFACE).filter(|_| !blind && !primary_only && !is_unseen(item)) {
        let attached = text(&held::body(own)["attachment"]["instanceId"]) == id;
        let named =
            list(entries).iter().any(|entry| entry["networkInterfaceId"] == own["resourceId"]);
        if attached && !named && (captured_ms(own) >= captured_ms(item) || !entries.is_array()) {
            carrier.groups.extend(ids_of(&held::body(own)["groups"]));
            carrier.outdated |= here.is_outdated(own);
        }
    }
    carrier
}

/// One interface of an instance, with the groups on it.
pub struct Part {
    pub groups: Vec<String>,
    /// Not all of its groups are told.
    pub untold: bool,
    /// They may have changed since.
    pub outdated: bool,
    /// It is the first of its instance.
    pub is_primary: bool,
}

/// The interfaces of an instance, each by the newer of its own item and the instance's body (row 42).
pub fn parts(item: &Value, here: &Held<'_>, each: bool) -> Vec<Part> {
    let body = held::body(item);
    let id = text(&item["resourceId"]);
    let entries = &body["networkInterfaces"];
    let outdated = here.is_outdated(item);
    let first = &body["securityGroups"];
    let mut all = vec![];
    for entry in list(entries) {
        let is_primary = entry["attachment"]["deviceIndex"] == 0;
        let own = here.item(INTERFACE, text(&entry["networkInterfaceId"]));
        let newer = own.filter(|own| captured_ms(own) >= captured_ms(item));
        if newer.is_some_and(|own| !is_unseen(own) && is_elsewhere(own, id)) {
            continue;
        }
        let own_groups = own.map_or(&Value::Null, |own| &held::body(own)["groups"]);
        let by_own = newer.is_some_and(|own| !is_unseen(own));
        let groups = match (by_own, entry["groups"].is_array()) {
            (true, _) => own_groups,
            (false, true) => &entry["groups"],
            // What the instance does not tell of it its own item does.
            (false, false) if own_groups.is_array() => own_groups,
            (false, false) if is_primary => first,
            (false, false) => &Value::Null,
        };
        let after = |other: &Value| captured_ms(other) > captured_ms(item);
        let claim = claim_elsewhere(item, entry, here);
        if claim == Claim::Later {
            continue;
        }
        let claimed = claim == Claim::Same;
        let unseen = newer.is_some_and(|own| is_unseen(own) && after(own));
        let later = own.and_then(|own| here.later(own)).is_some_and(after);
        let outdated = if by_own { own.is_some_and(|own| here.is_outdated(own)) } else { outdated };
        all.push(Part {
            groups: ids_of(groups),
            untold: !groups.is_array(),
            outdated: outdated || unseen || claimed || later && !by_own,
            is_primary,
        });
    }
    // Attached since, or for all that the instance tells.
    for own in here.of_type(INTERFACE).filter(|own| !is_unseen(own)) {
        let attachment = &held::body(own)["attachment"];
        let named =
            list(entries).iter().any(|entry| entry["networkInterfaceId"] == own["resourceId"]);
        let since = captured_ms(own) > captured_ms(item) || !entries.is_array();
        if text(&attachment["instanceId"]) == id && !named && since {
            let groups = &held::body(own)["groups"];
            all.push(Part {
                groups: ids_of(groups),
                untold: !groups.is_array(),
                outdated: here.is_outdated(own),
                is_primary: attachment["deviceIndex"] == 0,
            });
        }
    }
    // The instance's own groups are those of its first interface.
    let none = list(entries).is_empty();
    if !all.iter().any(|part| part.is_primary) && (none || !each) {
        let (groups, untold) = (ids_of(first), !first.is_array());
        all.push(Part { groups, untold, outdated, is_primary: true });
    }
    if !entries.is_array() || all.is_empty() {
        all.push(Part { groups: vec![], untold: true, outdated, is_primary: true });
    }
    all
}

/// Groups of an interface by what the body of its instance says of it.
fn entry_alone(carrier: &mut Carrier<'_>, entry: &Value, body: &Value) {
    // The instance's own groups are those of its first interface.
    let told = entry["groups"].is_array()
        || entry["attachment"]["deviceIndex"] == 0 && body["securityGroups"].is_array();
    carrier.untold |= !told;
    carrier.groups.extend(ids_of(&entry["groups"]));
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids.dedup();
    ids
}

/// What another instance says of an interface that this one lists as well.
#[derive(PartialEq)]
enum Claim {
    None,
    /// That it is on it, by the newest that anybody says.
    Later,
    /// The same, of the same moment, with other groups.
    Same,
}

fn claim_elsewhere(item: &Value, entry: &Value, here: &Held<'_>) -> Claim {
    let name = text(&entry["networkInterfaceId"]);
    if !*DOUBTS {
        return Claim::None;
    }
    let own_ms = here.item(INTERFACE, name).map_or(i64::MIN, captured_ms);
    let mut newest = Claim::None;
    for other in here.of_type(INSTANCE) {
        let is_another = other["resourceId"] != item["resourceId"]
            && !is_terminated(other)
            && !is_unseen(other)
            && captured_ms(other) > own_ms;
        for one in list(&held::body(other)["networkInterfaces"]).iter().filter(|_| is_another) {
            let named = text(&one["networkInterfaceId"]) == name;
            if named && captured_ms(other) > captured_ms(item) {
                return Claim::Later;
            }
            let differ = sorted(ids_of(&one["groups"])) != sorted(ids_of(&entry["groups"]));
            if named && captured_ms(other) == captured_ms(item) && differ {
                newest = Claim::Same;
            }
        }
    }
    newest
}

fn is_elsewhere(interface: &Value, id: &str) -> bool {
    let attached = text(&held::body(interface)["attachment"]["instanceId"]);
    !attached.is_empty() && attached != id
}

/// Whether an instance does not tell its state: it may be terminated.
pub fn is_mute(instance: &Value) -> bool {
    held::body(instance)["state"]["name"].is_null()
}

pub fn is_terminated(instance: &Value) -> bool {
    held::body(instance)["state"]["name"] == "terminated"
}

/// Ids of groups, as objects or as texts.
pub fn ids_of(groups: &Value) -> Vec<String> {
    let id = |group: &Value| group.as_str().unwrap_or(text(&group["groupId"])).to_owned();
    list(groups).iter().map(id).collect()
}
