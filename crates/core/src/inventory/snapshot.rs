//! A snapshot as the whole truth (semantics §10 row 3, §11 row 36): what its absence of a resource
//! means, and since when.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::bystander::{Bystander, Familiar};
use super::encoded::Encoded;
use super::missed::{Contents, Lost, LostItems};
use super::name::{Kind, NameFacts};
use super::split::Root;
use super::{Body, ItemKey, Observation, RecordingGroup};

/// What a whole snapshot tells beyond its items.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotFacts {
    /// Whose snapshot it is: that of its items, else of its file name; `None` when its items are of
    /// several, or one that could not be read may be of any type of it.
    pub shard: Option<ShardId>,
    /// The time in its file name, else the newest capture time in it; milliseconds since the epoch.
    pub moment_ms: i64,
    /// The types about which it is the whole truth: those it contains, and those that the
    /// recorder's item in it lists (of [`ResourceType::NAMED`], where that lists types by leaving
    /// some out). A resource of these that is absent from it and last seen before its moment is
    /// gone.
    pub covers: BTreeMap<ShardId, BTreeSet<ResourceType>>,
    /// The types of which it holds an item of a resource that exists: where no recorder's item is
    /// held, they are known by it (semantics §11 row 36).
    pub holds: BTreeMap<ShardId, BTreeSet<ResourceType>>,
}

/// Whether the file's name says which kind it is.
pub(super) fn is_named(name: &str) -> bool {
    NameFacts::of(name).kind.is_some()
}

/// What a file contains, gathered item by item.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// Types of items that are not `global`, by shard.
    regional: BTreeMap<ShardId, BTreeSet<ResourceType>>,
    /// Types of `global` items, by account.
    global: BTreeMap<AccountId, BTreeSet<ResourceType>>,
    /// Of both, those with an item of a resource that exists.
    existing: [BTreeMap<ShardId, BTreeSet<ResourceType>>; 2],
    /// Types that the recorders' items list, by shard.
    listed: BTreeMap<ShardId, BTreeSet<ResourceType>>,
    /// The shard of the last item, and types of it that are noted above: most items tell nothing new.
    last: Option<Last>,
    /// The same of the last items that nobody wants.
    familiar: Familiar,
    newest_ms: Option<i64>,
    deletions: bool,
    /// Items that were lost to us: the file is not the whole truth about their types.
    lost: LostItems,
}

/// What the last item told of where it is.
#[derive(Debug)]
struct Last {
    shard: ShardId,
    global: bool,
    types: BTreeSet<ResourceType>,
}

/// The types of which a file tells an item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// Of this shard.
    pub shard: ShardId,
    /// Whether they were told as `global` (the shard is then us-east-1's).
    pub global: bool,
    /// Which.
    pub types: BTreeSet<ResourceType>,
    /// The newest capture time of those that are not observed; milliseconds since the epoch.
    pub newest_ms: Option<i64>,
}

impl Coverage {
    pub fn contains(&mut self, observation: &Observation) {
        let item = &observation.item;
        self.deletions |= item.body == Body::Deleted;
        let ItemKey { account, region, resource_type, .. } = &item.key;
        let captured_ms = item.version.captured_ms;
        if item.body == Body::Deleted {
            self.sees(captured_ms);
            self.notes_type(&item.key.shard(), observation.global, resource_type);
            return;
        }
        if !self.repeats(
            account.as_str(),
            region.as_str(),
            observation.global,
            resource_type.as_str(),
            captured_ms,
        ) {
            self.notes(&item.key.shard(), observation.global, resource_type, captured_ms);
        }
        if let Body::Recorder(recorder) = &item.body
            && !recorder.internal
        {
            let listed = self.listed.entry(item.key.shard()).or_default();
            listed.extend(listed_types(&recorder.group));
        }
    }

    /// Notes an item of which nothing else is kept; `None` when its type is one of those wanted, or
    /// when it cannot be an item.
    #[inline]
    pub fn notes_bystander(
        &mut self,
        item: &Bystander<'_>,
        wanted: &BTreeSet<ResourceType>,
    ) -> Option<()> {
        if self.familiar.sees(item) {
            self.newest_ms = self.newest_ms.max(Some(item.captured_ms));
            return Some(());
        }
        let (shard, resource_type) = item.identity()?;
        if wanted.contains(&resource_type) {
            return None;
        }
        self.notes(&shard, item.global, &resource_type, item.captured_ms);
        self.familiar.note(item, &shard);
        Some(())
    }

    /// An item whose place and type are noted was captured then.
    pub fn sees(&mut self, captured_ms: i64) {
        self.newest_ms = self.newest_ms.max(Some(captured_ms));
    }

    /// Whether an item of this type was noted for the shard of the item before; its time then is.
    pub fn repeats(
        &mut self,
        account: &str,
        region: &str,
        global: bool,
        resource_type: &str,
        captured_ms: i64,
    ) -> bool {
        let repeats = self.last.as_ref().is_some_and(|last| {
            last.global == global
                && last.shard.account.as_str() == account
                && last.shard.region.as_str() == region
                && last.types.contains(resource_type)
        });
        if repeats {
            self.newest_ms = self.newest_ms.max(Some(captured_ms));
        }
        repeats
    }

    /// Notes an item that exists.
    pub fn notes(
        &mut self,
        shard: &ShardId,
        global: bool,
        resource_type: &ResourceType,
        captured_ms: i64,
    ) {
        self.sees(captured_ms);
        self.notes_type(shard, global, resource_type);
        let [regional, home] = &mut self.existing;
        note(if global { home } else { regional }, shard, resource_type);
        match &mut self.last {
            Some(last) if last.shard == *shard && last.global == global => {
                last.types.insert(resource_type.clone());
            }
            last => {
                let types = [resource_type.clone()].into();
                *last = Some(Last { shard: shard.clone(), global, types });
            }
        }
    }

    /// An item of the type, of whatever is or was there.
    fn notes_type(&mut self, shard: &ShardId, global: bool, resource_type: &ResourceType) {
        if global {
            note(&mut self.global, &shard.account, resource_type);
        } else {
            note(&mut self.regional, shard, resource_type);
        }
    }

    /// All that is noted.
    pub fn shown(&self) -> Vec<Shown> {
        let regional = self.regional.iter().map(|(shard, types)| Shown {
            shard: shard.clone(),
            global: false,
            types: types.clone(),
            newest_ms: self.familiar.newest_ms(shard, false),
        });
        let global = self.global.iter().map(|(account, types)| {
            let shard = ShardId { account: account.clone(), region: Region::home_of_global() };
            let newest_ms = self.familiar.newest_ms(&shard, true);
            Shown { shard, global: true, types: types.clone(), newest_ms }
        });
        regional.chain(global).collect()
    }

    /// An item could not be read so far as to know which resource it is.
    pub fn lost(&mut self, lost: Lost) {
        self.lost.add(lost);
    }

    /// All that were.
    pub fn lost_items(&self) -> &LostItems {
        &self.lost
    }

    /// The newest capture time, milliseconds since the epoch.
    pub fn newest_ms(&self) -> Option<i64> {
        self.newest_ms
    }

    /// Where all that is noted is.
    pub fn contents(&self) -> Contents {
        let mut contents = Contents { home: self.region().cloned(), ..Contents::default() };
        for Shown { shard, types, .. } in self.shown() {
            contents.accounts.insert(shard.account);
            contents.regions.insert(shard.region);
            contents.types.extend(types);
        }
        contents
    }

    /// The one Region of the items that are not `global`.
    pub fn region(&self) -> Option<&Region> {
        let regions: BTreeSet<&Region> = self.regional.keys().map(|shard| &shard.region).collect();
        regions.first().copied().filter(|_| regions.len() == 1)
    }

    /// The facts of a snapshot, if the file is a whole one: its name says so, or, where the name
    /// says nothing, a `configSnapshotId` or the older `requestId` in it. Histories had that
    /// `requestId` too, but they repeat resources and tell deletions, which a snapshot never does, and
    /// nothing else of what is recorded. A file that names what it leaves out is not whole.
    pub fn facts(
        &self,
        name: &str,
        observations: &[Observation],
        encoded: &Encoded,
        root: Root,
    ) -> Option<SnapshotFacts> {
        let name = NameFacts::of(name);
        let whole = match name.kind {
            Some(kind) => kind == Kind::Snapshot,
            None => {
                root.snapshot_id
                    || (root.request_id && self.is_of_one_moment(observations, encoded))
            }
        };
        if !whole || root.next_token || root.batch || root.left_out {
            return None;
        }
        let moment_ms = name.moment_ms.or(self.newest_ms)?;
        let shard = self.shard(name.shard());
        let covers = shard.as_ref().map(|shard| self.covers(shard)).unwrap_or_default();
        let holds = shard.as_ref().map(|shard| self.holds(shard)).unwrap_or_default();
        // Not where what was lost may be of any type.
        let shard = shard.filter(|shard| !self.lost.of_any_type_in(shard));
        Some(SnapshotFacts { shard, moment_ms, covers, holds })
    }

    /// Whether it holds a recorder, and nothing that shows it to be a history.
    fn is_of_one_moment(&self, observations: &[Observation], encoded: &Encoded) -> bool {
        !self.listed.is_empty() && !self.deletions && !repeats(observations, encoded)
    }

    /// The one shard of the regional items. A snapshot of `global` items alone, or of none, is of
    /// the shard that its name tells.
    fn shard(&self, named: Option<ShardId>) -> Option<ShardId> {
        let mut shards = self.regional.keys();
        match (shards.next(), shards.next()) {
            (None, _) => named,
            (Some(only), None) => Some(only.clone()),
            (Some(_), Some(_)) => named.filter(|named| self.regional.contains_key(named)),
        }
    }

    /// The types of which something exists: `global` ones in us-east-1.
    fn holds(&self, shard: &ShardId) -> BTreeMap<ShardId, BTreeSet<ResourceType>> {
        let [regional, global] = &self.existing;
        let of = |types: &BTreeMap<ShardId, BTreeSet<ResourceType>>, shard: &ShardId| {
            types.get(shard).cloned().unwrap_or_default()
        };
        let home = ShardId { account: shard.account.clone(), region: Region::home_of_global() };
        let mut own = of(regional, shard);
        let mut at_home = of(global, &home);
        if home == *shard {
            own.append(&mut at_home);
        }
        at_home.retain(|resource_type| !is_also_regional(resource_type));
        let both = [(shard.clone(), own), (home, at_home)];
        let is_told = |shard: &ShardId| !self.lost.of_any_type_in(shard);
        both.into_iter().filter(|(shard, types)| !types.is_empty() && is_told(shard)).collect()
    }

    fn covers(&self, shard: &ShardId) -> BTreeMap<ShardId, BTreeSet<ResourceType>> {
        let mut covers: BTreeMap<ShardId, BTreeSet<ResourceType>> = BTreeMap::new();
        let own = [&self.regional, &self.listed].into_iter().filter_map(|types| types.get(shard));
        let mut own: BTreeSet<ResourceType> = own.flatten().cloned().collect();
        let home = ShardId { account: shard.account.clone(), region: Region::home_of_global() };
        let mut global = self.global.get(&shard.account).cloned().unwrap_or_default();
        if home == *shard {
            own.append(&mut global);
        } else {
            global.retain(|resource_type| !is_also_regional(resource_type));
        }
        for (shard, mut types) in [(shard.clone(), own), (home, global)] {
            types.retain(|resource_type| !self.lost.of_type_in(&shard, resource_type));
            if !types.is_empty() {
                covers.insert(shard, types);
            }
        }
        covers
    }
}

fn note<K: Ord + Clone>(
    types: &mut BTreeMap<K, BTreeSet<ResourceType>>,
    key: &K,
    resource_type: &ResourceType,
) {
    // Looked up by reference first: this runs once an item, and all but a few types are known.
    if types.get(key).is_some_and(|known| known.contains(resource_type)) {
        return;
    }
    types.entry(key.clone()).or_default().insert(resource_type.clone());
}

/// WAFv2 has `global` resources (scope CLOUDFRONT) and regional ones of us-east-1 under one type.
/// Another Region's snapshot that shows the former is not the whole truth about the latter.
fn is_also_regional(resource_type: &ResourceType) -> bool {
    resource_type.as_str().starts_with("AWS::WAFv2::")
}

fn listed_types(group: &RecordingGroup) -> Vec<ResourceType> {
    match group {
        RecordingGroup::Only(types) => types.clone(),
        RecordingGroup::All | RecordingGroup::AllBut(_) => {
            ResourceType::NAMED.iter().filter(|named| group.lists(named)).cloned().collect()
        }
    }
}

fn repeats(observations: &[Observation], encoded: &Encoded) -> bool {
    let mut seen: BTreeSet<&ItemKey> = BTreeSet::new();
    let mut told = observations.iter();
    !told.all(|observation| seen.insert(&observation.item.key)) || encoded.repeats()
}
