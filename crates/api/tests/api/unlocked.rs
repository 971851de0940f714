//! A store without locking, and otherwise as the one within.

use std::collections::BTreeSet;

use palisade_core::evaluate::Reference;
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item};
use palisade_core::ledger::ViolatorRow;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{
    Accepted, AuditEvent, AuditFilter, AuditRow, Clock, Control, ControlChange, EntryRow, FanOut,
    HistoryRow, InventoryAges, KeyChange, KeyRecord, Lease, Loaded, Mark, Settlement, Store,
    StoreError, WorkCounts,
};

/// A store that commits whatever the state was when it was decided, as one without locking would.
pub struct Unlocked(pub SqliteStore);

type Kept<T> = Result<T, StoreError>;

impl Store for Unlocked {
    fn control_revision(&self) -> Kept<u64> {
        self.0.control_revision()
    }
    fn control(&self) -> Kept<Control> {
        self.0.control()
    }
    fn commit(&self, _: u64, changes: &[ControlChange], now_ms: i64) -> Kept<u64> {
        loop {
            // Others may have their turn between what was decided and what is written.
            std::thread::yield_now();
            match self.0.commit(self.0.control_revision()?, changes, now_ms) {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }
    fn key(&self, id: &str) -> Kept<Option<KeyRecord>> {
        self.0.key(id)
    }
    fn keys(&self) -> Kept<Vec<KeyRecord>> {
        self.0.keys()
    }
    fn keys_revision(&self) -> Kept<u64> {
        self.0.keys_revision()
    }
    fn sealed_under(&self) -> Kept<Option<String>> {
        self.0.sealed_under()
    }
    fn commit_keys(&self, at: u64, changes: &[KeyChange], event: &AuditEvent) -> Kept<u64> {
        self.0.commit_keys(at, changes, event)
    }
    fn used_keys(&self, uses: &[(String, i64)]) -> Kept<()> {
        self.0.used_keys(uses)
    }
    fn audit(&self, filter: &AuditFilter, limit: usize) -> Kept<Vec<AuditRow>> {
        self.0.audit(filter, limit)
    }
    fn expire_audit(&self, before_ms: i64) -> Kept<u64> {
        self.0.expire_audit(before_ms)
    }
    fn accept_audited(
        &self,
        delivery: &Delivery,
        now_ms: i64,
        event: &dyn Fn(&Accepted) -> AuditEvent,
    ) -> Kept<Accepted> {
        self.0.accept_audited(delivery, now_ms, event)
    }
    fn mark_audited(&self, marks: &[Mark], now_ms: i64, event: &AuditEvent) -> Kept<()> {
        self.0.mark_audited(marks, now_ms, event)
    }
    fn sealing_key(&self) -> Kept<[u8; 32]> {
        self.0.sealing_key()
    }
    fn accept(&self, delivery: &Delivery, now_ms: i64) -> Kept<Accepted> {
        self.0.accept(delivery, now_ms)
    }
    fn load(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
    ) -> Kept<Loaded> {
        self.0.load(shard, references, policies)
    }
    fn newest_ms(&self, shard: &ShardId) -> Kept<Option<i64>> {
        self.0.newest_ms(shard)
    }
    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Kept<Vec<(AccountId, i64)>> {
        self.0.newest_each_ms(region, after, through)
    }
    fn items(
        &self,
        shard: &ShardId,
        of: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Kept<Vec<Item>> {
        self.0.items(shard, of, after, limit)
    }
    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Kept<usize> {
        self.0.judge_by(rules, assumed, now_ms)
    }
    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Kept<bool> {
        self.0.name_common_policies(named, now_ms)
    }

    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Kept<bool> {
        self.0.stale_by(stale_after_ms, now_ms)
    }
    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Kept<Clock> {
        self.0.look_at_clock(now_ms, passed_ms)
    }
    fn fan_outs(&self) -> Kept<Vec<FanOut>> {
        self.0.fan_outs()
    }
    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Kept<bool> {
        self.0.advance_fan_out(fan_out, shards, next, now_ms)
    }
    fn mark(&self, marks: &[Mark], now_ms: i64) -> Kept<()> {
        self.0.mark(marks, now_ms)
    }
    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Kept<Vec<Lease>> {
        self.0.lease(now_ms, lease_ms, shards_max)
    }
    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Kept<()> {
        self.0.prolong(leases, until_ms)
    }

    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Kept<()> {
        self.0.release(leases, not_before_ms)
    }

    fn settle(&self, settlements: &[Settlement]) -> Kept<()> {
        self.0.settle(settlements)
    }
    fn inventory_ages(&self) -> Kept<InventoryAges> {
        self.0.inventory_ages()
    }
    fn work(&self, now_ms: i64) -> Kept<WorkCounts> {
        self.0.work(now_ms)
    }
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Kept<Vec<EntryRow>> {
        self.0.entries(policy, after, through, limit)
    }
    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Kept<Option<EntryRow>> {
        self.0.entry(policy, account)
    }
    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Kept<Vec<ViolatorRow>> {
        self.0.violators(policy, account, after, limit)
    }
    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Kept<Option<ViolatorRow>> {
        self.0.violator(policy, account, resource)
    }
    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Kept<Vec<HistoryRow>> {
        self.0.history(policy, account, limit)
    }
    fn expire(&self, before_ms: i64) -> Kept<u64> {
        self.0.expire(before_ms)
    }
}
