//! Networks that several accounts share: what the shards of other accounts say of a shard's security
//! groups and interfaces, in the same Region (semantics §11 row 41, over §10 rows 15 and 28).
//!
//! An interface lists groups by id, whoever owns them. So a shard's groups may be used from another
//! account, and its interfaces may carry groups that another account's inventory holds.
//!
//! The reading of what is not seen, here and nowhere else: a VPC is shared with the accounts that some
//! item shows in it, by an `ownerId` that is not the recording account, or by an interface that lists a
//! group of another account. Of each of these the interfaces must be known, or no group of the VPC is
//! called unused. In a VPC of which no item shows that it is shared, only the account's own interfaces
//! can list its groups: that nothing is known of the other accounts of the organization says nothing.
//! A group is known across accounts by its id, which AWS gives once. An id that several accounts hold as
//! their own was not given by AWS: it says nothing beyond its account.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, ResourceId, ResourceType};
use crate::inventory::{Body, Item, OpenGap, Shard, UnseenState, Version};

use super::freshness::Freshness;
use super::gap::Gap;
use super::reference::Reference;
use super::security_groups::{is_own, is_terminated};
use super::unrecorded::{outdated, outdated_gap};

/// What the shards of other accounts in the same Region say of a shard's groups and interfaces.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NetworkFacts {
    /// Groups that other accounts hold and that interfaces or instances of the shard list, by id: the
    /// newest state of each.
    pub groups: BTreeMap<ResourceId, Item>,
    /// What of other accounts lists a group of the shard, ascending by key.
    pub users: Vec<NetworkUser>,
    /// VPCs of the shard's groups that are shared with an account whose interfaces are not recorded: one
    /// such account of each.
    pub unrecorded: BTreeMap<Box<str>, AccountId>,
    /// Those shared with an account of which some interface was missed, or does not tell its groups, or not
    /// its latest ones.
    pub unseen: BTreeMap<Box<str>, AccountId>,
    /// What [`NetworkFacts::groups`] are worth.
    pub group_freshness: BTreeMap<ResourceId, Freshness>,
    /// How old what is known of the accounts is that share VPCs of the shard's groups: by VPC, the
    /// newest moment that is told of each one's shard ([`Shard::newest_ms`]).
    pub sharer_ages: BTreeMap<Box<str>, BTreeMap<AccountId, Option<i64>>>,
    /// Likewise of the accounts of [`NetworkFacts::users`].
    pub user_ages: BTreeMap<AccountId, Option<i64>>,
}

/// An interface, instance or association that lists groups of other accounts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NetworkUser {
    /// It.
    pub item: Item,
    /// Those groups.
    pub groups: BTreeSet<Box<str>>,
}

/// Types whose items say something of other accounts' shards.
pub const NETWORK_TYPES: [ResourceType; 4] = [
    ResourceType::SECURITY_GROUP,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::INSTANCE,
    ResourceType::SECURITY_GROUP_VPC_ASSOCIATION,
];

/// The groups of other accounts that a shard's interfaces and instances list.
pub(super) fn groups_listed(shard: &Shard) -> BTreeSet<Reference> {
    let region = &shard.id.region;
    let groups = NetworkAsked::by(shard).groups.into_iter();
    let ids = groups.filter_map(|id| ResourceId::try_from(id).ok());
    ids.map(|id| Reference::Group { region: region.clone(), id }).collect()
}

/// The VPCs of a shard's own groups.
pub(super) fn vpcs_of_groups(shard: &Shard) -> BTreeSet<Reference> {
    let region = &shard.id.region;
    let vpcs = NetworkAsked::by(shard).vpcs.into_iter();
    vpcs.map(|id| Reference::Vpc { region: region.clone(), id: id.into() }).collect()
}

/// Whether judgements that read these types ask for [`NetworkFacts`].
pub fn reads_networks(types: &BTreeSet<ResourceType>) -> bool {
    types.contains(&ResourceType::SECURITY_GROUP)
        && types.contains(&ResourceType::NETWORK_INTERFACE)
}

/// What one item shows of networks.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NetworkShown<'a> {
    /// The groups that an interface or instance lists; `None` when that was not recorded, and of other
    /// items.
    pub listed: Option<BTreeSet<&'a str>>,
    /// It is an interface or instance, and nothing tells the groups on it.
    pub is_blind: bool,
    /// It is an interface that was seen later without its configuration: other groups may be on it by now.
    pub is_late: bool,
    /// The VPC it is in.
    pub vpc: Option<&'a str>,
    /// The account that owns it, when that is not the one that recorded it.
    pub other_owner: Option<&'a AccountId>,
}

impl<'a> NetworkShown<'a> {
    /// What an item of [`NETWORK_TYPES`] shows; others, deleted and terminated ones show nothing.
    pub fn of(item: &'a Item) -> NetworkShown<'a> {
        shown(item)
    }

    /// Of an interface that may carry other groups by now its VPC, for [`LateVpcs`].
    pub fn late_vpc(&self) -> Option<Box<str>> {
        self.is_late.then(|| self.vpc.unwrap_or_default().into())
    }
}

fn shown(item: &Item) -> NetworkShown<'_> {
    let is_user = item.key.resource_type != ResourceType::SECURITY_GROUP;
    match &item.body {
        _ if !NETWORK_TYPES.contains(&item.key.resource_type) || is_terminated(item) => {
            NetworkShown::default()
        }
        Body::SecurityGroup(group) => NetworkShown {
            vpc: group.vpc.as_deref().filter(|vpc| !vpc.is_empty()),
            other_owner: other_of(&group.owner, &item.key.account),
            ..NetworkShown::default()
        },
        Body::NetworkInterface(interface) => NetworkShown {
            listed: Some(interface.groups.iter().map(Box::as_ref).collect()),
            is_late: item.unseen_since.is_some(),
            vpc: interface.vpc.as_deref(),
            other_owner: other_of(&interface.owner, &item.key.account),
            ..NetworkShown::default()
        },
        Body::Instance(instance) => {
            let on_interfaces =
                instance.interfaces.iter().flatten().flat_map(|one| one.groups.iter().flatten());
            let listed = instance.groups.iter().chain(on_interfaces).map(Box::as_ref).collect();
            NetworkShown {
                listed: Some(listed),
                vpc: instance.vpc.as_deref(),
                ..NetworkShown::default()
            }
        }
        Body::GroupAssociation(association) => NetworkShown {
            listed: Some(association.serving().into_iter().collect()),
            vpc: association.vpc.as_deref(),
            ..NetworkShown::default()
        },
        body => NetworkShown { is_blind: is_user && body.is_unseen(), ..NetworkShown::default() },
    }
}

fn other_of<'a>(owner: &'a Option<AccountId>, account: &AccountId) -> Option<&'a AccountId> {
    owner.as_ref().filter(|owner| *owner != account)
}

/// What a shard asks of other accounts' shards.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NetworkAsked<'a> {
    /// Groups that the shard lists on interfaces and instances and does not hold as its own.
    pub groups: BTreeSet<&'a str>,
    /// Groups of its own, which others may list.
    pub own_groups: BTreeSet<&'a str>,
    /// The VPCs of those.
    pub vpcs: BTreeSet<&'a str>,
}

impl<'a> NetworkAsked<'a> {
    /// By what the shard holds.
    pub fn by(shard: &'a Shard) -> NetworkAsked<'a> {
        let mut asked = NetworkAsked::default();
        for item in shard.of_type(&ResourceType::SECURITY_GROUP) {
            if is_own(item, &shard.id.account) {
                asked.own_groups.insert(item.key.id.as_str());
                asked.vpcs.extend(shown(item).vpc);
            }
        }
        for resource_type in [ResourceType::NETWORK_INTERFACE, ResourceType::INSTANCE] {
            for item in shard.of_type(&resource_type) {
                asked.groups.extend(shown(item).listed.into_iter().flatten());
            }
        }
        asked.groups.retain(|id| !asked.own_groups.contains(id));
        asked
    }
}

/// VPCs of interfaces that may carry other groups by now, an empty one of those that do not tell it.
pub type LateVpcs = BTreeSet<Box<str>>;

/// What is known of an account's interfaces in a Region.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InterfacesKnown {
    /// They are recorded.
    pub are_recorded: bool,
    /// Some may have been missed, or do not tell their groups.
    pub are_missed: bool,
}

impl InterfacesKnown {
    /// By what tells how complete a shard is; items that tell no groups are for the caller to note.
    pub fn by(shard: &Shard) -> InterfacesKnown {
        let interfaces = &ResourceType::NETWORK_INTERFACE;
        InterfacesKnown {
            are_recorded: shard.knows(interfaces),
            are_missed: shard.open_gaps.contains_key(interfaces),
        }
    }

    /// In one VPC, by those where an interface may carry other groups by now.
    pub fn in_vpc(self, late: &LateVpcs, vpc: &str) -> InterfacesKnown {
        let is_late = late.contains(vpc) || late.contains("");
        InterfacesKnown { are_missed: self.are_missed || is_late, ..self }
    }
}

/// One account's part in the networks of a Region, small beside its inventory: what is kept of each
/// where all accounts are looked at one after the other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Presence {
    /// What lists groups which the account does not hold as its own.
    pub users: Vec<NetworkUser>,
    /// VPCs that its items show to be shared, with the accounts they are shared with.
    pub shared: BTreeMap<Box<str>, BTreeSet<AccountId>>,
    /// What is known of its interfaces.
    pub interfaces: InterfacesKnown,
    /// Where some of them may carry other groups by now.
    pub late: LateVpcs,
    /// [`Shard::newest_ms`]
    pub newest_ms: Option<i64>,
    /// What was missed that may be a security group.
    pub missed_groups: BTreeSet<OpenGap>,
}

impl Presence {
    /// Of one shard.
    pub fn of(shard: &Shard) -> Presence {
        let asked = NetworkAsked::by(shard);
        let mut presence = Presence {
            interfaces: InterfacesKnown::by(shard),
            newest_ms: shard.newest_ms,
            missed_groups: shard
                .open_gaps
                .get(&ResourceType::SECURITY_GROUP)
                .cloned()
                .unwrap_or_default(),
            ..Presence::default()
        };
        for resource_type in &NETWORK_TYPES {
            for item in shard.of_type(resource_type) {
                let shown = shown(item);
                presence.interfaces.are_missed |= shown.is_blind;
                presence.late.extend(shown.late_vpc());
                let listed = shown.listed.iter().flatten();
                let groups: BTreeSet<Box<str>> = listed
                    .filter(|id| !asked.own_groups.contains(*id))
                    .map(|id| (*id).into())
                    .collect();
                if !groups.is_empty() {
                    presence.users.push(NetworkUser { item: item.clone(), groups });
                }
                if let (Some(vpc), Some(owner)) = (shown.vpc, shown.other_owner) {
                    presence.shared.entry(vpc.into()).or_default().insert(owner.clone());
                }
            }
        }
        presence
    }

    /// What a group is worth that the account holds.
    fn freshness_of_group(&self, id: &ResourceId) -> Freshness {
        Freshness::by(self.newest_ms, &self.missed_groups, id)
    }

    /// Whether other accounts' shards say, or are told, anything by it.
    pub fn is_alone(&self) -> bool {
        self.users.is_empty() && self.shared.is_empty()
    }
}

/// Who is shown in which VPC.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sharers(BTreeMap<Box<str>, BTreeSet<AccountId>>);

impl Sharers {
    /// An item shows the account in the VPC, if it tells one.
    pub fn add(&mut self, vpc: Option<&str>, account: &AccountId) {
        if let Some(vpc) = vpc {
            self.0.entry(vpc.into()).or_default().insert(account.clone());
        }
    }

    /// The other accounts in the VPCs of a shard's groups, ascending.
    pub fn of(self, shard: &Shard) -> impl Iterator<Item = (Box<str>, BTreeSet<AccountId>)> {
        let asked = NetworkAsked::by(shard).vpcs;
        self.0.into_iter().filter(move |(vpc, _)| asked.contains(&**vpc)).map(
            |(vpc, mut others)| {
                others.remove(&shard.id.account);
                (vpc, others)
            },
        )
    }
}

impl NetworkFacts {
    /// What the accounts of a Region say of one's shard: their presences, and the groups that anybody
    /// lists and somebody holds.
    pub fn of(
        shard: &Shard,
        presences: &BTreeMap<AccountId, Presence>,
        held: &BTreeMap<ResourceId, Vec<Item>>,
    ) -> NetworkFacts {
        let asked = NetworkAsked::by(shard);
        let account = &shard.id.account;
        let mut facts = NetworkFacts::default();
        let elsewhere = |id: &str| {
            let items = ResourceId::try_from(id).ok().and_then(|id| held.get(&id));
            items.into_iter().flatten().filter(|item| item.key.account != *account)
        };
        for id in &asked.groups {
            facts.offer(elsewhere(id).cloned().collect());
        }
        let is_unique = |id: &str| !elsewhere(id).any(|item| is_own(item, &item.key.account));
        let mut sharers = Sharers::default();
        for (other, presence) in presences.iter().filter(|(other, _)| *other != account) {
            for NetworkUser { item, groups } in &presence.users {
                let listed =
                    groups.iter().filter(|id| asked.own_groups.contains(&***id) && is_unique(id));
                let groups: BTreeSet<Box<str>> = listed.cloned().collect();
                if !groups.is_empty() {
                    sharers.add(shown(item).vpc, other);
                    facts.user_ages.insert(other.clone(), presence.newest_ms);
                    facts.users.push(NetworkUser { item: item.clone(), groups });
                }
            }
        }
        for (recorder, presence) in presences {
            for (vpc, owners) in &presence.shared {
                owners.iter().chain([recorder]).for_each(|other| sharers.add(Some(vpc), other));
            }
        }
        for (vpc, others) in sharers.of(shard) {
            for other in others {
                let known = presences.get(&other);
                let interfaces = known.map(|known| known.interfaces.in_vpc(&known.late, &vpc));
                facts.share(&vpc, &other, interfaces.unwrap_or_default());
                let ages = facts.sharer_ages.entry(vpc.clone()).or_default();
                ages.insert(other, known.and_then(|known| known.newest_ms));
            }
        }
        for (id, group) in &facts.groups {
            let known = presences.get(&group.key.account);
            let freshness = known.map(|known| known.freshness_of_group(id)).unwrap_or_default();
            facts.group_freshness.insert(id.clone(), freshness);
        }
        facts.users.sort_by(|a, b| a.item.key.cmp(&b.item.key));
        facts
    }

    /// A VPC is shared with an account, of whose interfaces this is known. To be told of the accounts
    /// ascending: of several the first is kept.
    pub fn share(&mut self, vpc: &str, account: &AccountId, interfaces: InterfacesKnown) {
        let InterfacesKnown { are_recorded, are_missed } = interfaces;
        let kept = [(!are_recorded, &mut self.unrecorded), (are_missed, &mut self.unseen)];
        for (_, kept) in kept.into_iter().filter(|(is_so, _)| *is_so) {
            kept.entry(vpc.into()).or_insert_with(|| account.clone());
        }
    }

    /// Takes in the states of one group that other accounts hold, of which the [`newest`] counts, with
    /// what of the others was seen later without a configuration. None counts where several accounts
    /// hold it as their own.
    pub fn offer(&mut self, items: Vec<Item>) {
        if items.iter().filter(|item| is_own(item, &item.key.account)).count() > 1 {
            return;
        }
        let Some(mut item) = newest(&items).cloned() else { return };
        let later = items.iter().filter_map(seen_untold).max_by_key(|told| told.captured_ms);
        if let Some(version) = later.filter(|later| is_outdated_by(&item, later)) {
            let version = version.clone();
            let later = UnseenState { version, name: None, arn: None, tags: None };
            item.unseen_since = Some(Box::new(later));
        }
        self.groups.insert(item.key.id.clone(), item);
    }

    /// The state of a group by which what carries it is judged: the shard's own item, unless it is
    /// another account's and that account told later; and that it may be another by now.
    pub(super) fn group<'f>(
        &'f self,
        shard: &'f Shard,
        id: &str,
    ) -> Option<(&'f Item, Option<Gap>)> {
        let held = shard.item(&ResourceType::SECURITY_GROUP, id);
        if let Some(held) = held.filter(|held| is_own(held, &shard.id.account)) {
            return Some((held, outdated(held)));
        }
        let other = ResourceId::try_from(id).ok().and_then(|id| self.groups.get(&id));
        let both = || held.into_iter().chain(other);
        let group = newest(both())?;
        // The account that tells it has put its own states in order; those of others go by capture time.
        let is_outdated =
            || both().any(|one| seen_untold(one).is_some_and(|later| is_outdated_by(group, later)));
        Some((group, outdated(group).or_else(|| is_outdated().then(|| outdated_gap(group)))))
    }
}

/// Of what several accounts tell of one group, the state captured last, of one moment its owner's, of
/// equals that of the smallest account. By capture time, for each account counts its states by itself
/// (formats §3).
fn newest<'i>(items: impl IntoIterator<Item = &'i Item>) -> Option<&'i Item> {
    items.into_iter().max_by_key(|item| {
        let account = &item.key.account;
        let moment = (!item.body.is_unseen(), item.version.captured_ms);
        (moment, is_own(item, account), Reverse(account.clone()))
    })
}

/// The latest state of an item that was seen without a configuration.
fn seen_untold(item: &Item) -> Option<&Version> {
    match &item.unseen_since {
        Some(later) => Some(&later.version),
        None => item.body.is_unseen().then_some(&item.version),
    }
}

fn is_outdated_by(item: &Item, later: &Version) -> bool {
    !item.body.is_unseen() && later.captured_ms > item.version.captured_ms
}

#[cfg(test)]
mod tests;
