//! Networks that accounts share (semantics §11 row 41), where accounts are read and judged one after
//! the other: what is kept of each shard, and who must be judged again when all were seen.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};

use palisade_core::evaluate::{NetworkAsked, NetworkFacts, Presence};
use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Item, Shard};

/// What is kept of a shard: little, since it is of every one.
#[derive(Clone, Debug)]
pub struct Footing {
    presence: Presence,
    /// Hashes of the ids of all groups, ascending. Where two ids have one hash, an account is judged
    /// again for nothing.
    groups: Box<[u32]>,
    /// The VPCs of its own groups.
    vpcs: Box<[Box<str>]>,
}

impl Footing {
    /// Of one shard.
    pub fn of(shard: &Shard) -> Footing {
        let groups = shard.of_type(&ResourceType::SECURITY_GROUP);
        let mut groups: Vec<u32> = groups.map(|item| hash(item.key.id.as_str())).collect();
        groups.sort_unstable();
        let vpcs = NetworkAsked::by(shard).vpcs.into_iter().map(Box::from).collect();
        Footing { presence: Presence::of(shard), groups: groups.into(), vpcs }
    }

    fn holds_any(&self, ids: &BTreeSet<&str>) -> bool {
        ids.iter().any(|id| self.groups.binary_search(&hash(id)).is_ok())
    }

    fn is_in_any(&self, vpcs: &BTreeSet<&str>) -> bool {
        self.vpcs.iter().any(|vpc| vpcs.contains(&**vpc))
    }
}

/// The same in every run, and short.
fn hash(id: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    // The upper half is as good as the whole.
    u32::try_from(hasher.finish() >> 32).unwrap_or_default()
}

/// The networks of all Regions.
#[derive(Debug, Default)]
pub struct Networks {
    presences: BTreeMap<Region, BTreeMap<AccountId, Presence>>,
    /// Groups that some account lists and does not hold, with every state that anybody holds.
    held: BTreeMap<Region, BTreeMap<ResourceId, Vec<Item>>>,
}

impl Networks {
    /// By what was kept of all shards: the networks without the groups that are held, and the accounts
    /// which hold some or are judged otherwise by them. None where nothing is shared.
    pub fn of(footings: BTreeMap<ShardId, Footing>) -> (Networks, BTreeSet<AccountId>) {
        let mut listed: BTreeMap<&Region, BTreeSet<&str>> = BTreeMap::new();
        let mut shared: BTreeMap<&Region, BTreeSet<&str>> = BTreeMap::new();
        for (id, footing) in &footings {
            let groups = footing.presence.users.iter().flat_map(|user| &user.groups);
            listed.entry(&id.region).or_default().extend(groups.map(Box::as_ref));
            let vpcs = footing.presence.shared.keys().map(Box::as_ref);
            shared.entry(&id.region).or_default().extend(vpcs);
        }
        let nothing = BTreeSet::new();
        let mut concerned = BTreeSet::new();
        for (id, footing) in &footings {
            let listed = listed.get(&id.region).unwrap_or(&nothing);
            let shared = shared.get(&id.region).unwrap_or(&nothing);
            if !footing.presence.users.is_empty()
                || footing.holds_any(listed)
                || footing.is_in_any(shared)
            {
                concerned.insert(id.account.clone());
            }
        }
        let mut presences: BTreeMap<Region, BTreeMap<AccountId, Presence>> = BTreeMap::new();
        for (id, footing) in footings {
            presences.entry(id.region).or_default().insert(id.account, footing.presence);
        }
        (Networks { presences, held: BTreeMap::new() }, concerned)
    }

    /// Keeps the groups of a shard that others list.
    pub fn hold(&mut self, shard: &Shard) {
        let presences = self.presences.get(&shard.id.region).into_iter().flat_map(BTreeMap::values);
        let users = presences.flat_map(|presence| &presence.users);
        let listed: BTreeSet<&str> = users.flat_map(|user| &user.groups).map(Box::as_ref).collect();
        let held = self.held.entry(shard.id.region.clone()).or_default();
        for item in shard.of_type(&ResourceType::SECURITY_GROUP) {
            if listed.contains(item.key.id.as_str()) {
                held.entry(item.key.id.clone()).or_default().push(item.clone());
            }
        }
    }

    /// What other accounts say of a shard.
    pub fn facts(&self, shard: &Shard) -> NetworkFacts {
        let (no_presences, none_held) = (BTreeMap::new(), BTreeMap::new());
        let presences = self.presences.get(&shard.id.region).unwrap_or(&no_presences);
        let held = self.held.get(&shard.id.region).unwrap_or(&none_held);
        NetworkFacts::of(shard, presences, held)
    }
}
