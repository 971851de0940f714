//! The verbs of items, shards and what was missed over maps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Item, ItemKey, Missed, decode_item};

use crate::rules::damaged;
use crate::rules::rows::{
    Before, ChangeRows, ControlRows, Coverage, FileRows, First, ItemRows, MissedRows, Of, ShardRow,
    ShardRows, State, Stored,
};
use crate::{FileHash, InventoryAges, Repeated, Result, Revision};

use super::{ItemRow, Place, Tables};

fn place(key: &ItemKey) -> Place {
    (key.shard(), Some(key.resource_type.clone()), Some(key.id.clone()))
}

fn key((shard, resource_type, id): &Place) -> Option<ItemKey> {
    Some(ItemKey {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: resource_type.clone()?,
        id: id.clone()?,
    })
}

fn decoded(key: &ItemKey, body: &[u8]) -> Result<Item> {
    decode_item(key, body).map(Item::shown).map_err(|error| damaged("item", error))
}

impl FileRows for Tables {
    fn file(&self, file: &FileHash) -> Result<Option<Repeated>> {
        Ok(self.files.get(file).map(|(told, _)| told))
    }
    fn put_file(&self, file: &FileHash, told: Repeated, at_ms: i64) -> Result<()> {
        self.files.put(*file, (told, at_ms));
        Ok(())
    }
    fn drop_files(&self, before_ms: i64) -> Result<u64> {
        Ok(self.files.drop_if(|_, (_, at_ms)| *at_ms < before_ms) as u64)
    }
}

impl Tables {
    /// Live items from a place on that are `among`; the first that is not ends the range.
    fn live_from(&self, from: Place, among: impl Fn(&Place) -> bool) -> Result<Vec<Item>> {
        let items = self.items.rows();
        let range = items.range(from..).take_while(|(place, _)| among(place));
        let live = range.filter(|(_, row)| row.state == State::Live);
        live.filter_map(|(place, row)| Some(decoded(&key(place)?, &row.body))).collect()
    }

    fn live_of(&self, shard: &ShardId, resource_type: &ResourceType) -> Result<Vec<Item>> {
        let of = Some(resource_type.clone());
        self.live_from((shard.clone(), of.clone(), None), |at| at.0 == *shard && at.1 == of)
    }
}

impl ItemRows for Tables {
    fn item(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let stored = |row: ItemRow| Stored { body: row.body.to_vec(), seen_ms: row.seen_ms };
        Ok(self.items.get(&place(key)).map(stored))
    }
    fn put_item(&self, key: &ItemKey, state: State, seen_ms: i64, body: &[u8]) -> Result<()> {
        self.items.put(place(key), ItemRow { state, seen_ms, body: Arc::from(body) });
        Ok(())
    }
    fn put_first_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        firsts: &[First<'_>],
    ) -> Result<()> {
        for First { id, state, seen_ms, body } in firsts {
            let id = ResourceId::try_from(*id).map_err(|error| damaged("item", error))?;
            let row = ItemRow { state: *state, seen_ms: *seen_ms, body: Arc::from(*body) };
            self.items.put((shard.clone(), Some(resource_type.clone()), Some(id)), row);
        }
        Ok(())
    }
    fn see_item(&self, key: &ItemKey, seen_ms: i64, state: State) -> Result<()> {
        self.items.change(&place(key), |row| (row.seen_ms, row.state) = (seen_ms, state));
        Ok(())
    }
    fn sweep(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        mark_ms: i64,
    ) -> Result<Vec<ResourceId>> {
        let mut gone = self.live_of(shard, resource_type)?;
        let is_seen_since = |key: &ItemKey| {
            self.items.rows().get(&place(key)).is_some_and(|row| row.seen_ms >= mark_ms)
        };
        gone.retain(|item| !is_seen_since(&item.key));
        for item in &gone {
            self.items.change(&place(&item.key), |row| row.state = State::Gone);
        }
        Ok(gone.into_iter().map(|item| item.key.id).collect())
    }
    fn live_item(&self, key: &ItemKey) -> Result<Option<Item>> {
        let row = self.items.get(&place(key)).filter(|row| row.state == State::Live);
        row.map(|row| decoded(key, &row.body)).transpose()
    }
    fn live_items_of(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<ResourceId, Item>> {
        let items = self.live_of(shard, resource_type)?;
        Ok(items.into_iter().map(|item| (item.key.id.clone(), item)).collect())
    }
    fn live_items(
        &self,
        shard: &ShardId,
    ) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>> {
        let mut types: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for item in self.live_from((shard.clone(), None, None), |at| at.0 == *shard)? {
            let of_type = types.entry(item.key.resource_type.clone()).or_default();
            of_type.insert(item.key.id.clone(), item);
        }
        Ok(types)
    }
    fn live_items_after(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>> {
        let mut items = self.live_of(shard, resource_type)?;
        items.retain(|item| after.is_none_or(|after| item.key.id > *after));
        items.truncate(limit);
        Ok(items)
    }
    fn live_items_beside(&self, shard: &ShardId, types: &[ResourceType; 2]) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for region in self.regions_of(&shard.account)? {
            let beside = ShardId { account: shard.account.clone(), region };
            for resource_type in types.iter().filter(|_| beside != *shard) {
                items.extend(self.live_of(&beside, resource_type)?);
            }
        }
        items.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(items)
    }
    fn live_groups_elsewhere(&self, shard: &ShardId, id: &str) -> Result<Vec<Item>> {
        let Ok(id) = ResourceId::try_from(id) else { return Ok(Vec::new()) };
        let mut items = Vec::new();
        for other in self.all_shards()? {
            if other.region == shard.region && other.account != shard.account {
                let ShardId { account, region } = other;
                let (resource_type, id) = (ResourceType::SECURITY_GROUP, id.clone());
                items.extend(self.live_item(&ItemKey { account, region, resource_type, id })?);
            }
        }
        Ok(items)
    }
    fn tombstones(&self, shard: &ShardId, resource_type: &ResourceType) -> Result<Vec<ResourceId>> {
        let of = Some(resource_type.clone());
        let items = self.items.rows();
        let range = items.range((shard.clone(), of.clone(), None)..);
        let range = range.take_while(|(at, _)| at.0 == *shard && at.1 == of);
        let deleted = range.filter(|(_, row)| row.state == State::Deleted);
        Ok(deleted.filter_map(|(at, _)| at.2.clone()).collect())
    }
    fn last_seen_ms(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        resource_type: Option<&ResourceType>,
        id: &str,
    ) -> Result<Option<i64>> {
        let items = self.items.rows();
        let seen = items.iter().filter(|((shard, of, at), _)| {
            shard.account == *account
                && region.is_none_or(|region| shard.region == *region)
                && resource_type.is_none_or(|it| of.as_ref() == Some(it))
                && at.as_ref().is_some_and(|at| at.as_str() == id)
        });
        Ok(seen.map(|(_, row)| row.seen_ms).max())
    }
    fn drop_tombstones(&self, before_ms: i64, but: &ResourceType) -> Result<u64> {
        let is_old = |at: &Place, row: &ItemRow| {
            row.state == State::Deleted && row.seen_ms < before_ms && at.1.as_ref() != Some(but)
        };
        Ok(self.items.drop_if(is_old) as u64)
    }
    fn drop_gone(&self, before_ms: i64) -> Result<u64> {
        let is_marked = |at: &Place| {
            let coverage = self.coverage.get(&(at.0.clone(), at.1.clone()));
            coverage.and_then(|it| it.mark_ms).is_some_and(|mark_ms| mark_ms < before_ms)
        };
        let is_old = |at: &Place, row: &ItemRow| {
            row.state == State::Gone && row.seen_ms < before_ms && is_marked(at)
        };
        Ok(self.items.drop_if(is_old) as u64)
    }
}

impl ShardRows for Tables {
    fn coverage(&self, shard: &ShardId, which: Of) -> Result<BTreeMap<ResourceType, Coverage>> {
        let coverage = self.coverage.rows();
        let range = coverage.range((shard.clone(), None)..).take_while(|(at, _)| at.0 == *shard);
        let asked = range.filter(|(_, it)| which == Of::All || it.listed_ms.is_some());
        Ok(asked.filter_map(|(at, coverage)| Some((at.1.clone()?, *coverage))).collect())
    }
    fn put_coverage(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        coverage: Coverage,
    ) -> Result<()> {
        self.coverage.put((shard.clone(), Some(resource_type.clone())), coverage);
        Ok(())
    }
    fn shard(&self, shard: &ShardId) -> Result<Option<ShardRow>> {
        let is_logged = self.are_logged(shard, 1)?;
        Ok(self.shards.get(shard).map(|row| ShardRow { is_logged, ..row }))
    }
    fn put_shard(&self, shard: &ShardId, row: &ShardRow) -> Result<()> {
        self.shards.put(shard.clone(), *row);
        Ok(())
    }
    fn regions_of(&self, account: &AccountId) -> Result<Vec<Region>> {
        let mut shards = self.all_shards()?;
        shards.retain(|shard| shard.account == *account);
        Ok(shards.into_iter().map(|shard| shard.region).collect())
    }
    fn all_shards(&self) -> Result<Vec<ShardId>> {
        Ok(self.shards.rows().keys().cloned().collect())
    }
    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        let is_asked = |ShardId { account, region: of }: &ShardId| {
            of == region && after.is_none_or(|after| account > after) && account <= through
        };
        let shards = self.shards.rows();
        let asked = shards.iter().filter(|(shard, _)| is_asked(shard));
        Ok(asked
            .filter_map(|(shard, row)| Some((shard.account.clone(), row.newest_ms()?)))
            .collect())
    }
    fn ages(&self) -> Result<InventoryAges> {
        let mut newest = Vec::new();
        for (shard, row) in self.shards.rows().iter() {
            newest.extend(
                row.newest_ms().filter(|_| matches!(self.is_member(&shard.account), Ok(true))),
            );
        }
        Ok(InventoryAges {
            shards: newest.len() as u64,
            oldest_ms: newest.iter().min().copied(),
            newest_ms: newest.iter().max().copied(),
        })
    }
    fn cap_ages(&self, now_ms: i64) -> Result<()> {
        self.shards.change_if(
            |_, row| row.own.newest_ms.max(row.global.newest_ms) > Some(now_ms),
            |row| {
                for age in [&mut row.own, &mut row.global] {
                    if age.newest_ms > Some(now_ms) {
                        age.ahead_ms = age.ahead_ms.max(age.newest_ms);
                        age.newest_ms = Some(now_ms);
                    }
                }
            },
        );
        Ok(())
    }
}

impl ChangeRows for Tables {
    fn log_changes(&self, shard: &ShardId, sequence: u64, before: &Before) -> Result<()> {
        for (resource, before) in before {
            let key = (shard.clone(), sequence, Some(resource.clone()));
            self.changes.put(key, before.clone());
        }
        Ok(())
    }
    fn logged(&self, shard: &ShardId, limit: usize) -> Result<Vec<(ItemKey, Option<Item>)>> {
        let changes = self.changes.rows();
        let range = changes.range((shard.clone(), 0, None)..).take_while(|(at, _)| at.0 == *shard);
        let one = |((_, _, resource), before): (&(_, _, Option<_>), &Option<Vec<u8>>)| {
            let (resource_type, id): (ResourceType, ResourceId) = resource.clone()?;
            let (account, region) = (shard.account.clone(), shard.region.clone());
            let key = ItemKey { account, region, resource_type, id };
            let before = before.as_ref().map(|body| decoded(&key, body)).transpose();
            Some(before.map(|before| (key, before)))
        };
        range.take(limit).filter_map(one).collect()
    }
    fn are_logged(&self, shard: &ShardId, count: usize) -> Result<bool> {
        let changes = self.changes.rows();
        let range = changes.range((shard.clone(), 0, None)..).take_while(|(at, _)| at.0 == *shard);
        Ok(range.take(count).count() >= count)
    }
    fn drop_logged(&self, shard: &ShardId, Revision(through): Revision) -> Result<()> {
        self.changes.drop_if(|at, _| at.0 == *shard && at.1 <= through);
        Ok(())
    }
}

/// Whether what is missed may be this account's.
fn may_be(missed: &Missed, account: &AccountId) -> bool {
    missed.account.as_ref().is_none_or(|of| of == account)
}

impl MissedRows for Tables {
    fn missed(&self, shard: &ShardId) -> Result<Vec<Missed>> {
        let missed = self.missed.rows();
        let asked = missed.iter().filter(|(one, _)| {
            may_be(one, &shard.account)
                && one.region.as_ref().is_none_or(|region| *region == shard.region)
        });
        Ok(asked.map(|(one, moment_ms)| Missed { moment_ms: *moment_ms, ..one.clone() }).collect())
    }
    fn put_missed(&self, missed: &Missed) -> Result<bool> {
        let key = Missed { moment_ms: 0, ..missed.clone() };
        let is_later = self.missed.get(&key).is_none_or(|known_ms| missed.moment_ms > known_ms);
        if is_later {
            self.missed.put(key, missed.moment_ms);
        }
        Ok(is_later)
    }
    fn is_item_missed_anywhere(&self, account: &AccountId) -> Result<bool> {
        let is_one =
            |one: &Missed| may_be(one, account) && one.region.is_none() && one.what.is_some();
        Ok(self.missed.rows().keys().any(is_one))
    }
    fn regions_missing(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<Vec<Region>> {
        let mut regions = BTreeSet::new();
        for one in self.missed.rows().keys().filter(|one| may_be(one, account)) {
            if one.resource_type.as_ref().is_none_or(|of| of == resource_type) {
                match &one.region {
                    Some(region) => regions.extend([region.clone()]),
                    None => regions.extend(self.regions_of(account)?),
                }
            }
        }
        Ok(regions.into_iter().collect())
    }
    fn drop_closed(&self, before_ms: i64) -> Result<u64> {
        let is_marked = |one: &Missed, account: &AccountId, moment_ms: i64| {
            let (Some(region), Some(of)) = (&one.region, &one.resource_type) else { return false };
            let shard = ShardId { account: account.clone(), region: region.clone() };
            let coverage = self.coverage.get(&(shard, Some(of.clone())));
            coverage.and_then(|it| it.mark_ms).is_some_and(|mark_ms| mark_ms >= moment_ms)
        };
        let is_seen = |one: &Missed, account: &AccountId, moment_ms: i64| {
            let (Cause::Item, Some(what)) = (one.cause, &one.what) else { return false };
            let (region, of) = (one.region.as_ref(), one.resource_type.as_ref());
            let seen = self.last_seen_ms(account, region, of, what);
            matches!(seen, Ok(Some(seen_ms)) if seen_ms >= moment_ms)
        };
        let is_closed = |one: &Missed, moment_ms: &i64| {
            one.account.as_ref().is_some_and(|account| {
                *moment_ms < before_ms
                    && (is_marked(one, account, *moment_ms) || is_seen(one, account, *moment_ms))
            })
        };
        Ok(self.missed.drop_if(is_closed) as u64)
    }
}
