//! Networks that accounts share (semantics §11 row 41): what other accounts' shards say of a shard's
//! security groups and interfaces, and whom a change there concerns.
//!
//! Pointers lead from what is asked for to items that may show it. They are added while items are taken in.
//! What an item shows is read from the item, so that an answer is a function of what is held.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use palisade_core::evaluate::{
    Freshness, InterfacesKnown, LateVpcs, NETWORK_TYPES, NetworkAsked, NetworkFacts, NetworkShown,
    NetworkUser, Reference, Sharers,
};
use palisade_core::ident::{AccountId, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Body, Item, ItemKey, Shard};

use crate::Result;

use super::rows::Kind;
use super::{Rows, coverage, marks, readers};

/// Topic of items that do not tell the groups on them, or not the latest.
const BLIND: &str = "b";

fn group_topic(id: &str) -> String {
    format!("g{id}")
}

fn vpc_topic(id: &str) -> String {
    format!("v{id}")
}

/// What the shards of other accounts say of this one.
pub fn facts(rows: &impl Rows, shard: &Shard) -> Result<NetworkFacts> {
    let asked = NetworkAsked::by(shard);
    let mut facts = NetworkFacts::default();
    for id in &asked.groups {
        facts.offer(rows.live_groups_elsewhere(&shard.id, id)?);
    }
    for (id, group) in &facts.groups {
        let known = coverage::of(rows, &group.key.shard())?;
        let freshness = Freshness::of(&known, &ResourceType::SECURITY_GROUP, id);
        facts.group_freshness.insert(id.clone(), freshness);
    }
    if !rows.any_pointer(&shard.id.region)? {
        return Ok(facts);
    }
    let mut sharers = Sharers::default();
    let mut users = BTreeMap::new();
    let mut lent = BTreeSet::new();
    for id in &asked.own_groups {
        let keys = pointers(rows, &shard.id, &group_topic(id))?;
        // An id that others hold as their own, too, says nothing of this one's.
        if keys.is_empty() || !own_holders(rows, &shard.id, id)?.is_empty() {
            continue;
        }
        lent.insert(*id);
        for key in keys {
            if let Some(item) = rows.live_item(&key)? {
                users.insert(key, item);
            }
        }
    }
    for item in users.into_values() {
        let groups = listed_of(rows, &item, &lent)?;
        if !groups.is_empty() {
            sharers.add(NetworkShown::of(&item).vpc, &item.key.account);
            facts.user_ages.insert(item.key.account.clone(), None);
            facts.users.push(NetworkUser { item, groups });
        }
    }
    for vpc in &asked.vpcs {
        for key in rows.pointed(&shard.id.region, &vpc_topic(vpc), None)? {
            let Some(item) = rows.live_item(&key)? else { continue };
            let shown = NetworkShown::of(&item);
            if let (Some(in_vpc), Some(owner)) = (shown.vpc, shown.other_owner) {
                sharers.add(Some(in_vpc), &key.account);
                sharers.add(Some(in_vpc), owner);
            }
        }
    }
    let mut known: BTreeMap<AccountId, (InterfacesKnown, LateVpcs)> = BTreeMap::new();
    for (vpc, others) in sharers.of(shard) {
        for other in others {
            let (interfaces, late) = match known.entry(other.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(known) => known.insert(interfaces(rows, &beside(&shard.id, &other))?),
            };
            facts.share(&vpc, &other, interfaces.in_vpc(late, &vpc));
            facts.sharer_ages.entry(vpc.clone()).or_default().insert(other, None);
        }
    }
    let sharers = facts.sharer_ages.values_mut().flatten();
    for (account, age_ms) in sharers.chain(&mut facts.user_ages) {
        *age_ms = newest_ms(rows, &beside(&shard.id, account))?;
    }
    Ok(facts)
}

/// Which of these groups an item lists as another account's: its own account does not hold them.
fn listed_of(rows: &impl Rows, item: &Item, groups: &BTreeSet<&str>) -> Result<BTreeSet<Box<str>>> {
    let mut listed = BTreeSet::new();
    for id in NetworkShown::of(item).listed.into_iter().flatten() {
        if groups.contains(id) && !holds_own(rows, &item.key.shard(), id)? {
            listed.insert(id.into());
        }
    }
    Ok(listed)
}

/// What is known of the interfaces of a shard, and where some may carry other groups by now.
fn interfaces(rows: &impl Rows, shard: &ShardId) -> Result<(InterfacesKnown, LateVpcs)> {
    let mut known = InterfacesKnown::by(&coverage::of(rows, shard)?);
    let mut late = LateVpcs::new();
    for key in rows.pointed(&shard.region, BLIND, Some(&shard.account))? {
        let Some(item) = rows.live_item(&key)? else { continue };
        let shown = NetworkShown::of(&item);
        known.are_missed |= shown.is_blind;
        late.extend(shown.late_vpc());
    }
    Ok((known, late))
}

/// The newest moment that is told of a shard.
fn newest_ms(rows: &impl Rows, shard: &ShardId) -> Result<Option<i64>> {
    Ok(rows.shard(shard)?.and_then(|row| row.newest_ms()))
}

fn beside(shard: &ShardId, account: &AccountId) -> ShardId {
    ShardId { account: account.clone(), region: shard.region.clone() }
}

/// Items of other accounts that may show this.
fn pointers(rows: &impl Rows, shard: &ShardId, topic: &str) -> Result<Vec<ItemKey>> {
    let mut keys = rows.pointed(&shard.region, topic, None)?;
    keys.retain(|key| key.account != shard.account);
    Ok(keys)
}

/// Accounts other than the shard's that hold a live group of this id as their own.
fn own_holders(rows: &impl Rows, shard: &ShardId, id: &str) -> Result<Vec<AccountId>> {
    let items = rows.live_groups_elsewhere(shard, id)?.into_iter();
    let own = items.filter(|item| NetworkShown::of(item).other_owner.is_none());
    Ok(own.map(|item| item.key.account).collect())
}

/// The only other account that holds a live group of this id as its own, if there is just one: where
/// several do, none is judged by who lists it.
fn only_holder(rows: &impl Rows, shard: &ShardId, id: &str) -> Result<Option<AccountId>> {
    let mut holders = own_holders(rows, shard, id)?;
    Ok(holders.pop().filter(|_| holders.is_empty()))
}

/// Whether a shard holds a live group of this id that is its account's own. What cannot be read may be
/// anybody's.
fn holds_own(rows: &impl Rows, shard: &ShardId, id: &str) -> Result<bool> {
    let Ok(id) = ResourceId::try_from(id) else { return Ok(false) };
    let key = ItemKey {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: ResourceType::SECURITY_GROUP,
        id,
    };
    Ok(match rows.live_item(&key) {
        Ok(item) => item.is_some_and(|item| NetworkShown::of(&item).other_owner.is_none()),
        Err(crate::StoreError::Damaged { .. }) => false,
        Err(error) => return Err(error),
    })
}

/// What changes of networks in one shard while a delivery is taken in.
pub struct Networks {
    /// What was known of the shard's interfaces.
    knew: InterfacesKnown,
    /// Interfaces, instances and associations in any state that comes or goes, with the groups listed.
    users: BTreeMap<ItemKey, BTreeSet<Box<str>>>,
    /// Items that tell no groups by now, or not the latest, or did not.
    blind: BTreeSet<ItemKey>,
    /// Groups that come or change.
    groups: BTreeSet<ResourceId>,
    /// Those that were there before.
    known_groups: BTreeSet<ResourceId>,
    /// Items that show their VPC to be shared, with the VPC and the owner.
    shared: BTreeMap<ItemKey, BTreeSet<(Box<str>, AccountId)>>,
}

impl Networks {
    /// Before anything changes; `coverage` tells how complete the shard is.
    pub fn open(coverage: &Shard) -> Networks {
        Networks {
            knew: InterfacesKnown::by(coverage),
            users: BTreeMap::new(),
            blind: BTreeSet::new(),
            groups: BTreeSet::new(),
            known_groups: BTreeSet::new(),
            shared: BTreeMap::new(),
        }
    }

    /// Whether items of the type say anything of other shards.
    pub fn concerns(resource_type: &ResourceType) -> bool {
        NETWORK_TYPES.contains(resource_type)
    }

    /// An item that was not there came to this state.
    pub fn note_first(&mut self, item: &Item) {
        let key = &item.key;
        let shown = NetworkShown::of(item);
        if key.resource_type == ResourceType::SECURITY_GROUP {
            self.groups.insert(key.id.clone());
        }
        if shown.is_blind || shown.is_late {
            self.blind.insert(key.clone());
        }
        if let Some(listed) = shown.listed {
            let known = self.users.entry(key.clone()).or_default();
            known.extend(listed.into_iter().map(Box::from));
        }
        if let (Some(vpc), Some(owner)) = (shown.vpc, shown.other_owner) {
            let known = self.shared.entry(key.clone()).or_default();
            known.insert((vpc.into(), owner.clone()));
        }
    }

    /// An item came to this state, or left it, as it is held: one that was deleted and seen again without
    /// its body shows something.
    pub fn note(&mut self, item: &Item) {
        let shown = (item.body == Body::Deleted).then(|| item.clone().shown());
        let item = shown.as_ref().unwrap_or(item);
        if item.key.resource_type == ResourceType::SECURITY_GROUP && item.body != Body::Unwanted {
            self.known_groups.insert(item.key.id.clone());
        }
        self.note_first(item);
    }

    /// An item left a state that cannot be read: it may have shown anything.
    pub fn note_unreadable(&mut self, key: &ItemKey) {
        self.blind.insert(key.clone());
        if key.resource_type == ResourceType::SECURITY_GROUP {
            self.groups.insert(key.id.clone());
            self.known_groups.insert(key.id.clone());
        }
    }

    /// Keeps pointers to what items show now and marks the shards that read what changed; call it when
    /// all is written. `coverage` is given when it may have changed.
    pub fn close(
        mut self,
        rows: &impl Rows,
        shard: &ShardId,
        coverage: Option<&Shard>,
        sequence: u64,
        now_ms: i64,
    ) -> Result<()> {
        let mut due = BTreeSet::new();
        let mut references = BTreeSet::new();
        self.note_hidden(rows, shard, &mut due)?;
        self.add_users_of_lost_groups(rows, shard)?;
        self.point_to_users(rows, shard, &mut due)?;
        self.point_to_the_rest(rows, shard, &mut references)?;
        let is_known_otherwise =
            coverage.is_some_and(|coverage| InterfacesKnown::by(coverage) != self.knew);
        if is_known_otherwise || !self.blind.is_empty() {
            sharing(rows, shard, &mut due, &mut references)?;
        }
        for id in &self.groups {
            references.insert(Reference::Group { region: shard.region.clone(), id: id.clone() });
        }
        if !self.groups.is_empty() {
            rows.put_changed(Kind::Groups, sequence)?;
        }
        mark(rows, shard, due, &references, sequence, now_ms)
    }

    /// A group of this account that comes, changes or goes: another account's of the same id may be used
    /// by what lists it no longer, or again.
    fn note_hidden(
        &self,
        rows: &impl Rows,
        shard: &ShardId,
        due: &mut BTreeSet<AccountId>,
    ) -> Result<()> {
        if self.groups.is_empty() || !rows.any_pointer(&shard.region)? {
            return Ok(());
        }
        for id in &self.groups {
            if rows.is_pointed(&shard.region, &group_topic(id.as_str()))? {
                due.extend(only_holder(rows, shard, id.as_str())?);
            }
        }
        Ok(())
    }

    /// A group that is not the account's own any more, or is gone, leaves users that list what others
    /// may hold: they had no pointer while it was.
    fn add_users_of_lost_groups(&mut self, rows: &impl Rows, shard: &ShardId) -> Result<()> {
        let mut lost = BTreeSet::new();
        for id in &self.known_groups {
            if !holds_own(rows, shard, id.as_str())? {
                lost.insert(id.as_str());
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        for resource_type in &NETWORK_TYPES {
            for item in rows.live_items_of(shard, resource_type)?.into_values() {
                let listed = NetworkShown::of(&item).listed.unwrap_or_default();
                let listed: BTreeSet<Box<str>> =
                    listed.into_iter().filter(|id| lost.contains(id)).map(Box::from).collect();
                if !listed.is_empty() {
                    self.users.entry(item.key).or_default().extend(listed);
                }
            }
        }
        Ok(())
    }

    /// To items that list groups which are not their account's own; the accounts that hold those are
    /// due.
    fn point_to_users(
        &self,
        rows: &impl Rows,
        shard: &ShardId,
        due: &mut BTreeSet<AccountId>,
    ) -> Result<()> {
        let mut foreign: BTreeMap<&str, bool> = BTreeMap::new();
        for (key, listed) in &self.users {
            for id in listed {
                let is_foreign = match foreign.get(&**id) {
                    Some(is_foreign) => *is_foreign,
                    None => {
                        let is_foreign = !holds_own(rows, shard, id)?;
                        if is_foreign {
                            due.extend(only_holder(rows, shard, id)?);
                        }
                        foreign.insert(id, is_foreign);
                        is_foreign
                    }
                };
                if is_foreign {
                    rows.point(key, &group_topic(id), None)?;
                }
            }
        }
        Ok(())
    }

    fn point_to_the_rest(
        &self,
        rows: &impl Rows,
        shard: &ShardId,
        references: &mut BTreeSet<Reference>,
    ) -> Result<()> {
        for key in &self.blind {
            rows.point(key, BLIND, None)?;
        }
        for (key, shared) in &self.shared {
            for (vpc, owner) in shared {
                rows.point(key, &vpc_topic(vpc), Some(owner))?;
                references.insert(Reference::Vpc { region: shard.region.clone(), id: vpc.clone() });
            }
        }
        Ok(())
    }
}

/// What is known of a shard's interfaces may be other than before: marks those that share a network
/// with it.
pub fn mark_sharing(rows: &impl Rows, shard: &ShardId, sequence: u64, now_ms: i64) -> Result<()> {
    let (mut due, mut references) = (BTreeSet::new(), BTreeSet::new());
    sharing(rows, shard, &mut due, &mut references)?;
    mark(rows, shard, due, &references, sequence, now_ms)
}

/// Marks accounts in the Region of a shard, and the readers of what changed there.
fn mark(
    rows: &impl Rows,
    shard: &ShardId,
    due: BTreeSet<AccountId>,
    references: &BTreeSet<Reference>,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let is_vpc = |reference: &Reference| matches!(reference, Reference::Vpc { .. });
    if references.iter().any(is_vpc) {
        rows.put_changed(Kind::Vpcs, sequence)?;
    }
    for account in due {
        marks::mark(rows, &beside(shard, &account), None, sequence, now_ms)?;
    }
    readers::mark_networks(rows, references, &shard.region, sequence, now_ms)
}

/// Whoever is shown to share a network with the shard: accounts whose groups it lists, and the readers
/// of the VPCs that it is shown in.
fn sharing(
    rows: &impl Rows,
    shard: &ShardId,
    due: &mut BTreeSet<AccountId>,
    references: &mut BTreeSet<Reference>,
) -> Result<()> {
    for topic in rows.topics_of(shard)? {
        if let Some(id) = topic.strip_prefix('v') {
            references.insert(Reference::Vpc { region: shard.region.clone(), id: id.into() });
        } else if let Some(id) = topic.strip_prefix('g') {
            due.extend(only_holder(rows, shard, id)?);
        }
    }
    Ok(())
}
