//! Networks that accounts share (semantics §11 row 41): what other accounts' shards say of a shard's
//! security groups and interfaces, and whom a change there concerns.
//!
//! The table `shown` points from what is asked for to items that may show it: pointers are added while
//! items are taken in, and what an item shows is read from the item, so that what is answered is a
//! function of what is held.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{
    InterfacesKnown, NETWORK_TYPES, NetworkAsked, NetworkFacts, NetworkShown, NetworkUser,
    Reference, Sharers,
};
use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Body, Item, ItemKey, Shard};
use rusqlite::params;

use crate::Result;

use super::columns::ident;
use super::held::State;
use super::items::{ITEM, decoded, live_item, live_items_of, sound_of};
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;
use super::{coverage, readers, work};

const POINTER: &str = "pointer to what an item shows";

/// Topic of items that do not tell the groups on them.
const BLIND: &str = "b";

fn group_topic(id: &str) -> String {
    format!("g{id}")
}

fn vpc_topic(id: &str) -> String {
    format!("v{id}")
}

/// What the shards of other accounts say of this one.
pub(super) fn facts(tx: &Transaction<'_>, shard: &Shard) -> Result<NetworkFacts> {
    let asked = NetworkAsked::by(shard);
    let mut facts = NetworkFacts::default();
    for id in &asked.groups {
        facts.offer(held_elsewhere(tx, &shard.id, id)?);
    }
    if !any_in(tx, &shard.id.region)? {
        return Ok(facts);
    }
    let mut sharers = Sharers::default();
    let mut users = BTreeMap::new();
    let mut lent = BTreeSet::new();
    for id in &asked.own_groups {
        let keys = pointers(tx, &shard.id, &group_topic(id))?;
        // An id that others hold as their own, too, says nothing of this one's.
        if keys.is_empty() || !own_holders(tx, &shard.id, id)?.is_empty() {
            continue;
        }
        lent.insert(*id);
        for key in keys {
            if let Some(item) = live_item(tx, &key)? {
                users.insert(key, item);
            }
        }
    }
    for item in users.into_values() {
        let groups = listed_of(tx, &item, &lent)?;
        if !groups.is_empty() {
            sharers.add(NetworkShown::of(&item).vpc, &item.key.account);
            facts.users.push(NetworkUser { item, groups });
        }
    }
    for vpc in &asked.vpcs {
        for key in pointers_of_anybody(tx, &shard.id.region, &vpc_topic(vpc))? {
            let Some(item) = live_item(tx, &key)? else { continue };
            let shown = NetworkShown::of(&item);
            if let (Some(in_vpc), Some(owner)) = (shown.vpc, shown.other_owner) {
                sharers.add(Some(in_vpc), &key.account);
                sharers.add(Some(in_vpc), owner);
            }
        }
    }
    let mut known: BTreeMap<AccountId, InterfacesKnown> = BTreeMap::new();
    for (vpc, others) in sharers.of(shard) {
        for other in others {
            let interfaces = match known.get(&other) {
                Some(interfaces) => *interfaces,
                None => interfaces(tx, &beside(&shard.id, &other))?,
            };
            known.insert(other.clone(), interfaces);
            facts.share(&vpc, &other, interfaces);
        }
    }
    Ok(facts)
}

/// Which of these groups an item lists as another account's: its own account does not hold them.
fn listed_of(
    tx: &Transaction<'_>,
    item: &Item,
    groups: &BTreeSet<&str>,
) -> Result<BTreeSet<Box<str>>> {
    let mut listed = BTreeSet::new();
    for id in NetworkShown::of(item).listed.into_iter().flatten() {
        if groups.contains(id) && !holds_own(tx, &item.key.shard(), id)? {
            listed.insert(id.into());
        }
    }
    Ok(listed)
}

/// What is known of the interfaces of a shard.
fn interfaces(tx: &Transaction<'_>, shard: &ShardId) -> Result<InterfacesKnown> {
    let mut known = InterfacesKnown::by(&coverage::of(tx, shard)?);
    let mut statement = tx.prepare_cached(
        "SELECT type, id, sum IS row_sum(region, topic, account, type, id, other)
         FROM shown WHERE region = ?1 AND topic = ?2 AND account = ?3",
    )?;
    let mut rows = statement.query([shard.region.as_str(), BLIND, shard.account.as_str()])?;
    while let Some(row) = rows.next()? {
        sound(row, 2, POINTER)?;
        let key = ItemKey {
            account: shard.account.clone(),
            region: shard.region.clone(),
            resource_type: ident(row, 0, POINTER)?,
            id: ident(row, 1, POINTER)?,
        };
        known.are_missed |=
            live_item(tx, &key)?.is_some_and(|item| NetworkShown::of(&item).is_blind);
    }
    Ok(known)
}

fn beside(shard: &ShardId, account: &AccountId) -> ShardId {
    ShardId { account: account.clone(), region: shard.region.clone() }
}

/// Whether anything is shown to others in a Region at all: asked once, to spare asking for each group.
fn any_in(tx: &Transaction<'_>, region: &Region) -> Result<bool> {
    let mut statement = tx.prepare_cached("SELECT 1 FROM shown WHERE region = ?1 LIMIT 1")?;
    Ok(statement.exists([region.as_str()])?)
}

/// Items of other accounts that may show this.
fn pointers(tx: &Transaction<'_>, shard: &ShardId, topic: &str) -> Result<Vec<ItemKey>> {
    let mut keys = pointers_of_anybody(tx, &shard.region, topic)?;
    keys.retain(|key| key.account != shard.account);
    Ok(keys)
}

fn pointers_of_anybody(tx: &Transaction<'_>, region: &Region, topic: &str) -> Result<Vec<ItemKey>> {
    let mut statement = tx.prepare_cached(
        "SELECT account, type, id, sum IS row_sum(region, topic, account, type, id, other)
         FROM shown WHERE region = ?1 AND topic = ?2",
    )?;
    let mut rows = statement.query([region.as_str(), topic])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        sound(row, 3, POINTER)?;
        keys.push(ItemKey {
            account: ident(row, 0, POINTER)?,
            region: region.clone(),
            resource_type: ident(row, 1, POINTER)?,
            id: ident(row, 2, POINTER)?,
        });
    }
    Ok(keys)
}

/// Live states of a group that other accounts hold.
fn held_elsewhere(tx: &Transaction<'_>, shard: &ShardId, id: &str) -> Result<Vec<Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT account, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items
         WHERE type = 'AWS::EC2::SecurityGroup' AND id = ?1 AND region = ?2 AND account <> ?3
           AND (state = ?4 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows =
        statement.query(params![id, shard.region.as_str(), shard.account.as_str(), State::Live])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(id) = ResourceId::try_from(id) else { continue };
        let key = ItemKey {
            account: ident(row, 0, ITEM)?,
            region: shard.region.clone(),
            resource_type: ResourceType::SECURITY_GROUP,
            id,
        };
        sound_of(|| key.clone(), row, 2)?;
        items.push(decoded(&key, row, 1)?);
    }
    Ok(items)
}

/// Accounts other than the shard's that hold a live group of this id as their own.
fn own_holders(tx: &Transaction<'_>, shard: &ShardId, id: &str) -> Result<Vec<AccountId>> {
    let items = held_elsewhere(tx, shard, id)?.into_iter();
    let own = items.filter(|item| NetworkShown::of(item).other_owner.is_none());
    Ok(own.map(|item| item.key.account).collect())
}

/// The only other account that holds a live group of this id as its own, if there is just one: where
/// several do, none is judged by who lists it.
fn only_holder(tx: &Transaction<'_>, shard: &ShardId, id: &str) -> Result<Option<AccountId>> {
    let mut holders = own_holders(tx, shard, id)?;
    Ok(holders.pop().filter(|_| holders.is_empty()))
}

/// Whether a shard holds a live group of this id that is its account's own. What cannot be read may be
/// anybody's.
fn holds_own(tx: &Transaction<'_>, shard: &ShardId, id: &str) -> Result<bool> {
    let Ok(id) = ResourceId::try_from(id) else { return Ok(false) };
    let key = ItemKey {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: ResourceType::SECURITY_GROUP,
        id,
    };
    Ok(match live_item(tx, &key) {
        Ok(item) => item.is_some_and(|item| NetworkShown::of(&item).other_owner.is_none()),
        Err(crate::StoreError::Damaged { .. }) => false,
        Err(error) => return Err(error),
    })
}

/// Sequence at which any group last came, changed or went.
pub(super) fn groups_changed(tx: &Transaction<'_>) -> Result<u64> {
    of_store(tx, "groups_changed")
}

/// Sequence at which it last changed who is shown in any VPC, or whether their interfaces are known.
pub(super) fn vpcs_changed(tx: &Transaction<'_>) -> Result<u64> {
    of_store(tx, "vpcs_changed")
}

/// What changes of networks in one shard while a delivery is taken in.
pub(super) struct Networks {
    /// What was known of the shard's interfaces.
    knew: InterfacesKnown,
    /// Interfaces, instances and associations in any state that comes or goes, with the groups listed.
    users: BTreeMap<ItemKey, BTreeSet<Box<str>>>,
    /// Items that tell no groups by now, or did not.
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
    pub(super) fn open(coverage: &Shard) -> Networks {
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
    pub(super) fn concerns(resource_type: &ResourceType) -> bool {
        NETWORK_TYPES.contains(resource_type)
    }

    /// An item that was not there came to this state.
    pub(super) fn note_first(&mut self, item: &Item) {
        let key = &item.key;
        let shown = NetworkShown::of(item);
        if key.resource_type == ResourceType::SECURITY_GROUP {
            self.groups.insert(key.id.clone());
        }
        if shown.is_blind {
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
    pub(super) fn note(&mut self, item: &Item) {
        let shown = (item.body == Body::Deleted).then(|| item.clone().shown());
        let item = shown.as_ref().unwrap_or(item);
        if item.key.resource_type == ResourceType::SECURITY_GROUP && item.body != Body::Unwanted {
            self.known_groups.insert(item.key.id.clone());
        }
        self.note_first(item);
    }

    /// An item left a state that cannot be read: it may have shown anything.
    pub(super) fn note_unreadable(&mut self, key: &ItemKey) {
        self.blind.insert(key.clone());
        if key.resource_type == ResourceType::SECURITY_GROUP {
            self.groups.insert(key.id.clone());
            self.known_groups.insert(key.id.clone());
        }
    }

    /// Keeps pointers to what items show now and marks the shards that read what changed; call it when
    /// all is written. `coverage` is given when it may have changed.
    pub(super) fn close(
        mut self,
        tx: &Transaction<'_>,
        shard: &ShardId,
        coverage: Option<&Shard>,
        sequence: u64,
        now_ms: i64,
    ) -> Result<()> {
        let mut due = BTreeSet::new();
        let mut references = BTreeSet::new();
        self.note_hidden(tx, shard, &mut due)?;
        self.add_users_of_lost_groups(tx, shard)?;
        self.point_to_users(tx, shard, &mut due)?;
        self.point_to_the_rest(tx, shard, &mut references)?;
        let is_known_otherwise =
            coverage.is_some_and(|coverage| InterfacesKnown::by(coverage) != self.knew);
        if is_known_otherwise || !self.blind.is_empty() {
            sharing(tx, shard, &mut due, &mut references)?;
        }
        for id in &self.groups {
            references.insert(Reference::Group { region: shard.region.clone(), id: id.clone() });
        }
        if !self.groups.is_empty() {
            tx.prepare_cached("UPDATE store SET groups_changed = ?1")?.execute([sequence])?;
        }
        mark(tx, shard, due, &references, sequence, now_ms)
    }

    /// A group of this account that comes, changes or goes: another account's of the same id may be used
    /// by what lists it no longer, or again.
    fn note_hidden(
        &self,
        tx: &Transaction<'_>,
        shard: &ShardId,
        due: &mut BTreeSet<AccountId>,
    ) -> Result<()> {
        if self.groups.is_empty() || !any_in(tx, &shard.region)? {
            return Ok(());
        }
        let mut statement =
            tx.prepare_cached("SELECT 1 FROM shown WHERE region = ?1 AND topic = ?2")?;
        for id in &self.groups {
            if statement.exists([shard.region.as_str(), &group_topic(id.as_str())])? {
                due.extend(only_holder(tx, shard, id.as_str())?);
            }
        }
        Ok(())
    }

    /// A group that is not the account's own any more, or is gone, leaves users that list what others
    /// may hold: they had no pointer while it was.
    fn add_users_of_lost_groups(&mut self, tx: &Transaction<'_>, shard: &ShardId) -> Result<()> {
        let mut lost = BTreeSet::new();
        for id in &self.known_groups {
            if !holds_own(tx, shard, id.as_str())? {
                lost.insert(id.as_str());
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        for resource_type in &NETWORK_TYPES {
            for item in live_items_of(tx, shard, resource_type)?.into_values() {
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
        tx: &Transaction<'_>,
        shard: &ShardId,
        due: &mut BTreeSet<AccountId>,
    ) -> Result<()> {
        let mut foreign: BTreeMap<&str, bool> = BTreeMap::new();
        for (key, listed) in &self.users {
            for id in listed {
                let is_foreign = match foreign.get(&**id) {
                    Some(is_foreign) => *is_foreign,
                    None => {
                        let is_foreign = !holds_own(tx, shard, id)?;
                        if is_foreign {
                            due.extend(only_holder(tx, shard, id)?);
                        }
                        foreign.insert(id, is_foreign);
                        is_foreign
                    }
                };
                if is_foreign {
                    point(tx, key, &group_topic(id), None)?;
                }
            }
        }
        Ok(())
    }

    fn point_to_the_rest(
        &self,
        tx: &Transaction<'_>,
        shard: &ShardId,
        references: &mut BTreeSet<Reference>,
    ) -> Result<()> {
        for key in &self.blind {
            point(tx, key, BLIND, None)?;
        }
        for (key, shared) in &self.shared {
            for (vpc, owner) in shared {
                point(tx, key, &vpc_topic(vpc), Some(owner))?;
                references.insert(Reference::Vpc { region: shard.region.clone(), id: vpc.clone() });
            }
        }
        Ok(())
    }
}

fn point(
    tx: &Transaction<'_>,
    key: &ItemKey,
    topic: &str,
    other: Option<&AccountId>,
) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO shown (region, topic, account, type, id, other)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (region, topic, account, type, id) DO UPDATE SET other = excluded.other",
    )?;
    statement.execute(params![
        key.region.as_str(),
        topic,
        key.account.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
        other.map_or("", |other| other.as_str())
    ])?;
    Ok(())
}

/// What is known of a shard's interfaces may be other than before: marks those that share a network
/// with it.
pub(super) fn mark_sharing(
    tx: &Transaction<'_>,
    shard: &ShardId,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let (mut due, mut references) = (BTreeSet::new(), BTreeSet::new());
    sharing(tx, shard, &mut due, &mut references)?;
    mark(tx, shard, due, &references, sequence, now_ms)
}

/// Marks accounts in the Region of a shard, and the readers of what changed there.
fn mark(
    tx: &Transaction<'_>,
    shard: &ShardId,
    due: BTreeSet<AccountId>,
    references: &BTreeSet<Reference>,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let is_vpc = |reference: &Reference| matches!(reference, Reference::Vpc { .. });
    if references.iter().any(is_vpc) {
        tx.prepare_cached("UPDATE store SET vpcs_changed = ?1")?.execute([sequence])?;
    }
    for account in due {
        work::mark(tx, &beside(shard, &account), None, sequence, now_ms)?;
    }
    readers::mark_networks(tx, references, &shard.region, sequence, now_ms)
}

/// Whoever is shown to share a network with the shard: accounts whose groups it lists, and the readers
/// of the VPCs that it is shown in.
fn sharing(
    tx: &Transaction<'_>,
    shard: &ShardId,
    due: &mut BTreeSet<AccountId>,
    references: &mut BTreeSet<Reference>,
) -> Result<()> {
    let mut topics = BTreeSet::new();
    for select in [
        "SELECT topic FROM shown WHERE account = ?1 AND region = ?2",
        "SELECT topic FROM shown WHERE other = ?1 AND region = ?2",
    ] {
        let mut statement = tx.prepare_cached(select)?;
        let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
        while let Some(row) = rows.next()? {
            topics.insert(super::columns::get::<String>(row, 0, POINTER)?);
        }
    }
    for topic in topics {
        if let Some(id) = topic.strip_prefix('v') {
            references.insert(Reference::Vpc { region: shard.region.clone(), id: id.into() });
        } else if let Some(id) = topic.strip_prefix('g') {
            due.extend(only_holder(tx, shard, id)?);
        }
    }
    Ok(())
}
