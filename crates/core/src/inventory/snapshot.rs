//! A snapshot as the whole truth (semantics §10 rows 1 and 3): what its absence of a resource
//! means, and since when.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::bystander::{Bystander, Familiar};
use super::lost::{LOST_MAX, Lost, Sort};
use super::read::file_name_ms;
use super::split::Root;
use super::{Body, Delivery, ItemKey, Observation, RecordingGroup};

/// What a whole snapshot tells beyond its items.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotFacts {
    /// Whose snapshot it is: that of its items, else of its file name; `None` when its items are of
    /// several, or one of them could not be read at all.
    pub shard: Option<ShardId>,
    /// The time in its file name, else the newest capture time in it; milliseconds since the epoch.
    pub moment_ms: i64,
    /// The types about which it is the whole truth: those it contains, and those that the
    /// recorder's item in it lists (of [`ResourceType::NAMED`], where that lists types by leaving
    /// some out). A resource of these that is absent from it and last seen before its moment is
    /// gone.
    pub covers: BTreeMap<ShardId, BTreeSet<ResourceType>>,
}

/// Which kind a file's name says it is (formats §5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Snapshot,
    History,
    Change,
}

/// What a delivered file's name says.
#[derive(Debug, Default)]
struct NameFacts {
    kind: Option<Kind>,
    shard: Option<ShardId>,
    moment_ms: Option<i64>,
}

/// Whether the file's name says which kind it is.
pub(super) fn is_named(name: &str) -> bool {
    name_facts(name).kind.is_some()
}

fn name_facts(name: &str) -> NameFacts {
    const KINDS: [(&str, Kind); 3] = [
        ("ConfigSnapshot", Kind::Snapshot),
        ("ConfigHistory", Kind::History),
        ("ChangeNotification", Kind::Change),
    ];
    // The last mention: folders carry the names of kinds as well, and may be named anything.
    let last = KINDS
        .iter()
        .filter_map(|(word, kind)| Some((name.rfind(word)?, *word, *kind)))
        .max_by_key(|(at, _, _)| *at);
    let Some((at, word, kind)) = last else { return NameFacts::default() };
    let before = name.get(..at).unwrap_or_default();
    let after = name.get(at + word.len()..).unwrap_or_default();
    let file = before.rsplit('/').next().unwrap_or_default();
    let shard = match file.split('_').collect::<Vec<_>>().as_slice() {
        [account, "Config", region, ""] => shard_of(account, region),
        _ => None,
    };
    let moment_ms = after.strip_prefix('_').and_then(|rest| file_name_ms(rest.split('_').next()?));
    NameFacts { kind: Some(kind), shard, moment_ms }
}

fn shard_of(account: &str, region: &str) -> Option<ShardId> {
    let account = AccountId::try_from(account).ok()?;
    Some(ShardId { account, region: Region::try_from(region).ok()? })
}

/// What a file contains, gathered item by item.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// Types of items that are not `global`, by shard.
    regional: BTreeMap<ShardId, BTreeSet<ResourceType>>,
    /// Types of `global` items, by account.
    global: BTreeMap<AccountId, BTreeSet<ResourceType>>,
    /// Types that the recorders' items list, by shard.
    listed: BTreeMap<ShardId, BTreeSet<ResourceType>>,
    /// The shard of the last item, and types of it that are noted above: most items tell nothing new.
    last: Option<Last>,
    /// The same of the last items that nobody wants.
    familiar: Familiar,
    newest_ms: Option<i64>,
    deletions: bool,
    /// Items that were lost to us: the file is not the whole truth about their types.
    lost: Vec<Lost>,
    /// The last of them of each sort.
    lost_sorts: BTreeMap<Sort, usize>,
    /// The first item that was lost of which not even the type is known.
    lost_any: Option<Lost>,
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
}

impl Coverage {
    pub fn contains(&mut self, observation: &Observation) {
        let item = &observation.item;
        self.deletions |= item.body == Body::Deleted;
        let ItemKey { account, region, resource_type, .. } = &item.key;
        let captured_ms = item.version.captured_ms;
        if !self.repeats(
            account.as_str(),
            region.as_str(),
            observation.global,
            resource_type.as_str(),
            captured_ms,
        ) {
            self.notes(&item.key.shard(), observation.global, resource_type, captured_ms);
        }
        if let Body::Recorder(recorder) = &item.body {
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
        if self.familiar.knows(item) {
            self.newest_ms = self.newest_ms.max(Some(item.captured_ms));
            return Some(());
        }
        let (shard, resource_type) = item.identity()?;
        if wanted.contains(&resource_type) {
            return None;
        }
        self.notes(&shard, item.global, &resource_type, item.captured_ms);
        self.familiar.note(item);
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
        self.newest_ms = self.newest_ms.max(Some(captured_ms));
        if global {
            note(&mut self.global, &shard.account, resource_type);
        } else {
            note(&mut self.regional, shard, resource_type);
        }
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

    /// All that is noted.
    pub fn shown(&self) -> Vec<Shown> {
        let regional = self.regional.iter().map(|(shard, types)| Shown {
            shard: shard.clone(),
            global: false,
            types: types.clone(),
        });
        let global = self.global.iter().map(|(account, types)| Shown {
            shard: ShardId { account: account.clone(), region: Region::home_of_global() },
            global: true,
            types: types.clone(),
        });
        regional.chain(global).collect()
    }

    /// An item could not be read so far as to know which resource it is. Without its recorder a
    /// snapshot may tell too little of any type.
    pub fn lost(&mut self, lost: Lost) {
        match &lost.resource_type {
            Some(known) if *known != ResourceType::CONFIGURATION_RECORDER => {
                self.lost_of_type(lost.sort(known), lost);
            }
            Some(_) | None => {
                self.lost_any.get_or_insert(lost);
            }
        }
    }

    /// Of very many the rest is told by one of each sort, the latest: that some of it cannot be seen
    /// is known then.
    fn lost_of_type(&mut self, sort: Sort, lost: Lost) {
        if self.lost.len() >= LOST_MAX
            && let Some(like) = self.lost_sorts.get(&sort).and_then(|at| self.lost.get_mut(*at))
        {
            like.captured_ms = like.captured_ms.max(lost.captured_ms);
            return;
        }
        self.lost_sorts.insert(sort, self.lost.len());
        self.lost.push(lost);
    }

    /// What stands in for the lost items. Of an item of unknown type, only a whole snapshot tells
    /// what it may have been.
    pub fn stand_ins(&self, delivery: &Delivery) -> Vec<Observation> {
        if self.lost.is_empty() && self.lost_any.is_none() {
            return Vec::new();
        }
        let name = name_facts(&delivery.name);
        let snapshot_ms = delivery.snapshot.as_ref().map(|snapshot| snapshot.moment_ms);
        let moment_ms = snapshot_ms.or(name.moment_ms).or(self.newest_ms);
        let home = self.shard(name.shard);
        let known = self.lost.iter().filter_map(|lost| lost.stand_in(home.as_ref(), moment_ms));
        let mut stand_ins: Vec<Observation> = known.collect();
        if let (Some(lost), Some(moment_ms)) = (&self.lost_any, snapshot_ms) {
            let global = self.global.iter().map(|(account, types)| {
                let region = Region::home_of_global();
                (ShardId { account: account.clone(), region }, types.clone())
            });
            let mut regional = self.regional.clone();
            for (shard, types) in &self.listed {
                regional.entry(shard.clone()).or_default().extend(types.iter().cloned());
            }
            stand_ins.extend(lost.stand_ins_of_any(&regional, false, moment_ms));
            stand_ins.extend(lost.stand_ins_of_any(&global.collect(), true, moment_ms));
        }
        stand_ins
    }

    /// The facts of a snapshot, if the file is a whole one: its name says so, or, where the name
    /// says nothing, a `configSnapshotId` or the older `requestId` in it. Histories had that
    /// `requestId` too, but they repeat resources and tell deletions, which a snapshot never does.
    pub fn facts(&self, delivery: &Delivery, root: Root) -> Option<SnapshotFacts> {
        let name = name_facts(&delivery.name);
        let whole = match name.kind {
            Some(kind) => kind == Kind::Snapshot,
            None => root.snapshot_id || (root.request_id && !self.deletions && !repeats(delivery)),
        };
        if !whole || root.next_token {
            return None;
        }
        let moment_ms = name.moment_ms.or(self.newest_ms)?;
        // The one shard, unless what was lost may be of any type.
        let shard = self.shard(name.shard).filter(|_| self.lost_any.is_none());
        let covers = shard.as_ref().map(|shard| self.covers(shard)).unwrap_or_default();
        Some(SnapshotFacts { shard, moment_ms, covers })
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
        let lost: BTreeSet<&ResourceType> =
            self.lost.iter().filter_map(|lost| lost.resource_type.as_ref()).collect();
        for (shard, mut types) in [(shard.clone(), own), (home, global)] {
            types.retain(|resource_type| !lost.contains(resource_type));
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

fn repeats(delivery: &Delivery) -> bool {
    let mut seen: BTreeSet<&ItemKey> = BTreeSet::new();
    let mut told = delivery.observations.iter();
    !told.all(|observation| seen.insert(&observation.item.key)) || delivery.encoded.repeats()
}
