//! A store in which something happens whenever a worker is about to look at a shard.

use std::collections::BTreeSet;

use palisade_core::evaluate::{Changed, Reference, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item};
use palisade_core::ledger::ViolatorRow;
use palisade_store::sqlite::SqliteStore;
use palisade_store::*;

/// Does as the store within, after what happens before a shard is loaded, which may fail.
pub struct Meddled<F> {
    pub store: SqliteStore,
    pub before_load: F,
}

impl<F: Fn(&SqliteStore, &ShardId) -> Result<()> + Send + Sync> Store for Meddled<F> {
    fn control_revision(&self) -> Result<u64> {
        self.store.control_revision()
    }

    fn control(&self) -> Result<Control> {
        self.store.control()
    }

    fn commit(
        &self,
        expected_revision: u64,
        changes: &[ControlChange],
        now_ms: i64,
    ) -> Result<u64> {
        self.store.commit(expected_revision, changes, now_ms)
    }

    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        self.store.key(access_key_id)
    }

    fn keys(&self) -> Result<Vec<KeyRecord>> {
        self.store.keys()
    }

    fn keys_revision(&self) -> Result<u64> {
        self.store.keys_revision()
    }

    fn sealed_under(&self) -> Result<Option<String>> {
        self.store.sealed_under()
    }

    fn commit_keys(
        &self,
        expected_revision: u64,
        changes: &[KeyChange],
        event: &AuditEvent,
    ) -> Result<u64> {
        self.store.commit_keys(expected_revision, changes, event)
    }

    fn used_keys(&self, uses: &[(String, i64)]) -> Result<()> {
        self.store.used_keys(uses)
    }

    fn sealing_key(&self) -> Result<[u8; 32]> {
        self.store.sealing_key()
    }

    fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        self.store.audit(filter, limit)
    }

    fn expire_audit(&self, before_ms: i64) -> Result<u64> {
        self.store.expire_audit(before_ms)
    }

    fn accept(&self, delivery: &Delivery, received_ms: i64) -> Result<Accepted> {
        self.store.accept(delivery, received_ms)
    }

    fn accept_audited(
        &self,
        delivery: &Delivery,
        received_ms: i64,
        event: &dyn Fn(&Accepted) -> AuditEvent,
    ) -> Result<Accepted> {
        self.store.accept_audited(delivery, received_ms, event)
    }

    fn load(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
    ) -> Result<Loaded> {
        self.store.load(shard, references, policies)
    }

    fn load_types(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
        types: &BTreeSet<ResourceType>,
    ) -> Result<Loaded> {
        (self.before_load)(&self.store, shard)?;
        self.store.load_types(shard, references, policies, types)
    }

    fn load_each(
        &self,
        wants: &[Want<'_>],
        take: &mut dyn FnMut(usize, Result<Loaded>),
    ) -> Result<()> {
        for (place, want) in wants.iter().enumerate() {
            match (self.before_load)(&self.store, want.shard) {
                Ok(()) => {
                    self.store.load_each(&[*want], &mut |_, loaded| take(place, loaded))?;
                }
                Err(error) => take(place, Err(error)),
            }
        }
        Ok(())
    }

    fn load_changed(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
        support: &dyn Fn(&[Changed]) -> Support,
    ) -> Result<Option<LoadedChanges>> {
        (self.before_load)(&self.store, shard)?;
        self.store.load_changed(shard, references, policies, support)
    }

    fn newest_ms(&self, shard: &ShardId) -> Result<Option<i64>> {
        self.store.newest_ms(shard)
    }
    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        self.store.newest_each_ms(region, after, through)
    }
    fn items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>> {
        self.store.items(shard, resource_type, after, limit)
    }

    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Result<usize> {
        self.store.judge_by(rules, assumed, now_ms)
    }

    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool> {
        self.store.name_common_policies(named, now_ms)
    }

    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool> {
        self.store.stale_by(stale_after_ms, now_ms)
    }

    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Result<Clock> {
        self.store.look_at_clock(now_ms, passed_ms)
    }

    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        self.store.fan_outs()
    }

    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<bool> {
        self.store.advance_fan_out(fan_out, shards, next, now_ms)
    }

    fn mark(&self, marks: &[Mark], now_ms: i64) -> Result<()> {
        self.store.mark(marks, now_ms)
    }

    fn mark_audited(&self, marks: &[Mark], now_ms: i64, event: &AuditEvent) -> Result<()> {
        self.store.mark_audited(marks, now_ms, event)
    }

    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Result<Vec<Lease>> {
        self.store.lease(now_ms, lease_ms, shards_max)
    }

    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Result<()> {
        self.store.prolong(leases, until_ms)
    }

    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()> {
        self.store.release(leases, not_before_ms)
    }

    fn settle(&self, settlements: &[Settlement]) -> Result<()> {
        self.store.settle(settlements)
    }

    fn inventory_ages(&self) -> Result<InventoryAges> {
        self.store.inventory_ages()
    }
    fn work(&self, now_ms: i64) -> Result<WorkCounts> {
        self.store.work(now_ms)
    }

    fn effort(&self) -> Result<Effort> {
        self.store.effort()
    }

    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>> {
        self.store.entries(policy, after, through, limit)
    }

    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        self.store.entry(policy, account)
    }

    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>> {
        self.store.violators(policy, account, after, limit)
    }

    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        self.store.violator(policy, account, resource)
    }

    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>> {
        self.store.history(policy, account, limit)
    }

    fn expire(&self, before_ms: i64) -> Result<u64> {
        self.store.expire(before_ms)
    }
}
