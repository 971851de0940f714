//! The verbs of pointers, readers and work over maps.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};
use palisade_core::inventory::ItemKey;

use crate::rules::rows::{ControlRows, Counted, MarkRows, PointerRows, ReaderRows, ShardRows};
use crate::{Due, FanOut, LeasedMark, Result, Revision};

use super::{LeaseRow, MarkRow, Tables};

impl PointerRows for Tables {
    fn point(&self, key: &ItemKey, topic: &str, other: Option<&AccountId>) -> Result<()> {
        let at = (key.region.clone(), topic.to_owned(), Some(key.clone()));
        self.pointers.put(at, other.cloned());
        Ok(())
    }
    fn any_pointer(&self, region: &Region) -> Result<bool> {
        Ok(self.pointers.rows().keys().any(|at| at.0 == *region))
    }
    fn is_pointed(&self, region: &Region, topic: &str) -> Result<bool> {
        Ok(!self.pointed(region, topic, None)?.is_empty())
    }
    fn pointed(
        &self,
        region: &Region,
        topic: &str,
        account: Option<&AccountId>,
    ) -> Result<Vec<ItemKey>> {
        let pointers = self.pointers.rows();
        let range = pointers.range((region.clone(), topic.to_owned(), None)..);
        let range = range.take_while(|(at, _)| at.0 == *region && at.1 == topic);
        let keys = range.filter_map(|(at, _)| at.2.clone());
        Ok(keys.filter(|key| account.is_none_or(|account| key.account == *account)).collect())
    }
    fn topics_of(&self, shard: &ShardId) -> Result<BTreeSet<String>> {
        let pointers = self.pointers.rows();
        let of_shard = pointers.iter().filter(|((region, _, key), other)| {
            let is_item = key.as_ref().is_some_and(|key| key.account == shard.account);
            *region == shard.region && (is_item || other.as_ref() == Some(&shard.account))
        });
        Ok(of_shard.map(|((_, topic, _), _)| topic.clone()).collect())
    }
}

impl ReaderRows for Tables {
    fn any_reader(&self, after: &str, before: &str) -> Result<bool> {
        let range = (after.to_owned(), None)..(before.to_owned(), None);
        Ok(self.readers.rows().range(range).next().is_some())
    }
    fn readers_between(
        &self,
        after: &str,
        before: &str,
    ) -> Result<Vec<(String, ShardId, PolicyId)>> {
        let range = (after.to_owned(), None)..(before.to_owned(), None);
        let readers = self.readers.rows();
        let one = |((text, reader), region): (&(String, Option<_>), &Region)| {
            let (policy, account): (PolicyId, AccountId) = reader.clone()?;
            Some((text.clone(), ShardId { account, region: region.clone() }, policy))
        };
        Ok(readers.range(range).filter_map(one).collect())
    }
    fn readers_of(&self, reference: &str) -> Result<Vec<(ShardId, PolicyId)>> {
        let readers = self.readers.rows();
        let range = readers.range((reference.to_owned(), None)..);
        let range = range.take_while(|(at, _)| at.0 == reference);
        let one = |((_, reader), region): (&(String, Option<_>), &Region)| {
            let (policy, account): (PolicyId, AccountId) = reader.clone()?;
            Some((ShardId { account, region: region.clone() }, policy))
        };
        Ok(range.filter_map(one).collect())
    }
    fn read_by(&self, policy: &PolicyId, account: &AccountId) -> Result<BTreeSet<String>> {
        let reader = Some((policy.clone(), account.clone()));
        let readers = self.readers.rows();
        Ok(readers.keys().filter(|at| at.1 == reader).map(|at| at.0.clone()).collect())
    }
    fn put_reader(&self, reference: &str, policy: &PolicyId, reader: &ShardId) -> Result<()> {
        let by = Some((policy.clone(), reader.account.clone()));
        self.readers.put((reference.to_owned(), by), reader.region.clone());
        Ok(())
    }
    fn drop_reader(&self, reference: &str, policy: &PolicyId, account: &AccountId) -> Result<()> {
        let by = Some((policy.clone(), account.clone()));
        self.readers.drop(&(reference.to_owned(), by));
        Ok(())
    }
    fn drop_readers(&self, policy: &PolicyId, account: Option<&AccountId>) -> Result<()> {
        self.readers.drop_if(|(_, by), _| {
            by.as_ref().is_some_and(|(of, reader)| {
                of == policy && account.is_none_or(|account| reader == account)
            })
        });
        Ok(())
    }
}

impl MarkRows for Tables {
    fn put_mark(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        let key = (shard.clone(), Some(due.clone()));
        let known = self.marks.get(&key).map_or(not_before, |mark| mark.not_before.min(not_before));
        self.marks.put(key, MarkRow { not_before: known, version });
        Ok(())
    }
    fn bring_forward(
        &self,
        shard: &ShardId,
        due: &Due,
        version: u64,
        not_before: i64,
    ) -> Result<()> {
        let key = (shard.clone(), Some(due.clone()));
        if self.marks.get(&key).is_none_or(|mark| not_before < mark.not_before) {
            self.marks.put(key, MarkRow { not_before, version });
        }
        Ok(())
    }
    fn mark_all_shards(&self, version: u64, not_before: i64) -> Result<()> {
        let mark = |shard: &ShardId| self.put_mark(shard, &Due::Shard, version, not_before);
        self.all_shards()?.iter().try_for_each(mark)
    }
    fn drop_mark(&self, shard: &ShardId, due: &Due, version: u64) -> Result<()> {
        let key = (shard.clone(), Some(due.clone()));
        if self.marks.get(&key).is_some_and(|mark| mark.version == version) {
            self.marks.drop(&key);
        }
        Ok(())
    }
    fn drop_marks(&self, policy: &PolicyId) -> Result<()> {
        let due = Some(Due::Policy(policy.clone()));
        self.marks.drop_if(|at, _| at.1 == due);
        Ok(())
    }
    fn put_off(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()> {
        self.marks.change(&(shard.clone(), Some(due.clone())), |mark| {
            if mark.version == version {
                mark.not_before = mark.not_before.max(not_before);
            }
        });
        Ok(())
    }
    fn cap_marks(&self, now_ms: i64) -> Result<()> {
        self.marks.change_if(|_, mark| mark.not_before > now_ms, |mark| mark.not_before = now_ms);
        Ok(())
    }
    fn any_due(&self, now_ms: i64) -> Result<bool> {
        Ok(self.marks.rows().values().any(|mark| mark.not_before <= now_ms))
    }
    fn due_shards(&self, now_ms: i64, take: &mut dyn FnMut(ShardId) -> bool) -> Result<()> {
        let marks = self.marks.rows();
        let due = marks.iter().filter(|(_, mark)| mark.not_before <= now_ms);
        let mut due: Vec<(i64, ShardId)> =
            due.map(|(at, mark)| (mark.not_before, at.0.clone())).collect();
        due.sort();
        drop(marks);
        let _ = due.into_iter().all(|(_, shard)| take(shard));
        Ok(())
    }
    fn due_marks(&self, shard: &ShardId, now_ms: i64) -> Result<(Vec<LeasedMark>, Revision)> {
        let marks = self.marks.rows();
        let range = marks.range((shard.clone(), None)..).take_while(|(at, _)| at.0 == *shard);
        let due = range.filter(|(_, mark)| mark.not_before <= now_ms);
        let leased = |(at, mark): (&(ShardId, Option<Due>), &MarkRow)| {
            Some(LeasedMark { due: at.1.clone()?, version: mark.version })
        };
        Ok((due.filter_map(leased).collect(), self.shard(shard)?.unwrap_or_default().revision))
    }
    fn counted(&self, now_ms: i64) -> Result<Counted> {
        let (marks, fan_outs, leased) =
            (self.marks.rows(), self.fan_outs.rows(), self.leased(now_ms)?);
        let due = || marks.iter().filter(|(_, mark)| mark.not_before <= now_ms);
        Ok(Counted {
            due: due().count() as u64,
            oldest_due_ms: due().map(|(_, mark)| mark.not_before).min(),
            all: marks.len() as u64,
            leased: due().filter(|(at, _)| leased.contains(&at.0)).count() as u64,
            fan_outs: fan_outs.len() as u64,
            oldest_fan_out_ms: fan_outs.values().map(|(_, at_ms)| *at_ms.min(&now_ms)).min(),
        })
    }

    fn leased(&self, now_ms: i64) -> Result<BTreeSet<ShardId>> {
        let leases = self.leases.rows();
        let living = leases.iter().filter(|(_, lease)| lease.until_ms > now_ms);
        Ok(living.map(|(shard, _)| shard.clone()).collect())
    }
    fn put_lease(&self, shard: &ShardId, fence: u64, _: i64, until_ms: i64) -> Result<bool> {
        self.leases.put(shard.clone(), LeaseRow { fence, until_ms });
        Ok(true)
    }
    fn move_lease(&self, shard: &ShardId, fence: u64, until_ms: i64) -> Result<()> {
        if self.leases.get(shard).is_some_and(|lease| lease.fence == fence) {
            self.leases.put(shard.clone(), LeaseRow { fence, until_ms });
        }
        Ok(())
    }
    fn drop_lease(&self, shard: &ShardId, fence: u64) -> Result<bool> {
        let is_held = self.leases.get(shard).is_some_and(|lease| lease.fence == fence);
        Ok(is_held && self.leases.drop(shard))
    }
    fn drop_leases(&self) -> Result<()> {
        self.leases.drop_if(|_, _| true);
        Ok(())
    }

    fn put_fan_out(&self, policy: &PolicyId, revision: u64, now_ms: i64) -> Result<()> {
        let fan_out = FanOut { policy: policy.clone(), revision, cursor: None };
        self.fan_outs.put(policy.clone(), (fan_out, now_ms));
        Ok(())
    }
    fn put_all_fan_outs(&self, now_ms: i64) -> Result<usize> {
        let policies = self.control(None)?.policies;
        for policy in policies.values() {
            self.put_fan_out(&policy.id, policy.revision, now_ms)?;
        }
        Ok(policies.len())
    }
    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        let mut all: Vec<(FanOut, i64)> = self.fan_outs.rows().values().cloned().collect();
        all.sort_by_key(|(_, at_ms)| *at_ms);
        Ok(all.into_iter().map(|(fan_out, _)| fan_out).collect())
    }
    fn move_fan_out(&self, fan_out: &FanOut, next: Option<&AccountId>) -> Result<bool> {
        let is_it = self.fan_outs.get(&fan_out.policy).is_some_and(|(known, _)| known == *fan_out);
        let next = next.cloned();
        Ok(is_it && self.fan_outs.change(&fan_out.policy, |row| row.0.cursor = next))
    }
    fn drop_fan_out(&self, policy: &PolicyId) -> Result<()> {
        self.fan_outs.drop(policy);
        Ok(())
    }
}
