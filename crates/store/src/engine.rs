//! What makes an engine a store: transactions over rows. The roles follow from the rules.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use palisade_core::evaluate::{Changed, Reference, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item};
use palisade_core::ledger::ViolatorRow;

use crate::rules::load::Facts;
use crate::rules::prepared::{self, Prepared};
use crate::rules::rows::*;
use crate::rules::{
    clock, common_policies, control, intake, keys, load, marks, past, retention, settle, taken,
};
use crate::{
    Accepted, AuditEvent, AuditFilter, AuditLog, AuditRow, Clock, Control, ControlChange,
    ControlState, Effort, EntryRow, FanOut, FileHash, Health, HistoryRow, Inventory, InventoryAges,
    KeyChange, KeyRecord, Keys, Lease, Ledger, Loaded, LoadedChanges, Mark, PastViolator, Premises,
    Repeated, Result, Settlement, Span, StoreError, Version, Want, Work, WorkCounts,
};

/// How long many loads see one moment, before the next ones see another: an engine may have to keep what
/// was overwritten since.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);

/// Transactions over rows.
pub(crate) trait Engine: Send + Sync {
    /// The rows, as one transaction sees them.
    type Rows<'r>: Rows;

    /// Runs `ask`, all of whose reads see one moment. An engine that lost its way to the rows may run it
    /// again.
    fn read<T>(&self, ask: impl FnMut(&Self::Rows<'_>) -> Result<T>) -> Result<T>;

    /// As [`Engine::read`], for what uses one verb alone and needs no transaction for that.
    fn read_one<T>(&self, ask: impl FnMut(&Self::Rows<'_>) -> Result<T>) -> Result<T> {
        self.read(ask)
    }

    /// Runs `act` and returns when its writes are durable, or undoes all of them if it fails. An engine that
    /// undid it for no reason of `act` may run it again.
    fn write<T>(&self, act: impl FnMut(&Self::Rows<'_>) -> Result<T>) -> Result<T>;

    /// As [`Engine::write`], without waiting until the writes are durable.
    fn write_unawaited<T>(&self, act: impl FnMut(&Self::Rows<'_>) -> Result<T>) -> Result<T> {
        self.write(act)
    }

    /// As [`Engine::write_unawaited`], of what writes leases alone and puts marks off: it may run beside others
    /// that write.
    fn write_leases<T>(&self, act: impl FnMut(&Self::Rows<'_>) -> Result<T>) -> Result<T> {
        self.write_unawaited(act)
    }

    /// Changes access keys, so that the former text of a secret is left nowhere.
    fn write_keys<T>(
        &self,
        changes: &[KeyChange],
        act: impl FnMut(&Self::Rows<'_>) -> Result<T>,
    ) -> Result<T> {
        let _ = changes;
        self.write(act)
    }

    /// [`Health::forget`]
    fn forget_all(&self) -> Result<bool> {
        Ok(false)
    }

    /// [`Health::ready`], beside a read that succeeds.
    fn takes_writes(&self) -> Result<()> {
        Ok(())
    }

    /// [`Health::probe`], beside a read that succeeds.
    fn recover(&self) -> Result<()> {
        self.takes_writes()
    }

    /// [`Health::effort`]
    fn spent(&self) -> Result<Effort> {
        Ok(Effort::default())
    }
}

impl<E: Engine> Control for E {
    fn control_revision(&self) -> Result<u64> {
        self.read_one(|rows| rows.control_revision())
    }

    fn control_since(&self, known: Option<&ControlState>) -> Result<ControlState> {
        self.read(|rows| rows.control(known))
    }

    fn control_at(&self, at_ms: i64) -> Result<ControlState> {
        self.read(|rows| past::control_at(rows, at_ms))
    }

    fn versions(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        self.read(|rows| rows.versions_between(after_ms, through_ms))
    }

    fn commit(
        &self,
        expected_revision: u64,
        changes: &[ControlChange],
        now_ms: i64,
    ) -> Result<u64> {
        self.write(|rows| control::commit(rows, expected_revision, changes, now_ms))
    }
}

impl<E: Engine> Keys for E {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        self.read_one(|rows| rows.key(access_key_id))
    }

    fn keys(&self) -> Result<Vec<KeyRecord>> {
        self.read(|rows| rows.keys())
    }

    fn keys_revision(&self) -> Result<u64> {
        self.read(|rows| rows.keys_revision())
    }

    fn sealed_under(&self) -> Result<Option<String>> {
        self.read(|rows| rows.sealed_under())
    }

    fn commit_keys(
        &self,
        expected_revision: u64,
        changes: &[KeyChange],
        event: &AuditEvent,
    ) -> Result<u64> {
        self.write_keys(changes, |rows| keys::commit(rows, expected_revision, changes, event))
    }

    fn used_keys(&self, uses: &[(String, i64)]) -> Result<()> {
        self.write(|rows| keys::used(rows, uses))
    }

    fn sealing_key(&self) -> Result<[u8; 32]> {
        self.read(|rows| rows.sealing_key())
    }
}

impl<E: Engine> AuditLog for E {
    fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        self.read(|rows| rows.events(filter, limit))
    }

    fn expire_audit(&self, before_ms: i64) -> Result<u64> {
        self.write(|rows| rows.drop_events(before_ms))
    }
}

impl<E: Engine> Inventory for E {
    fn accept_file(
        &self,
        file: Option<&FileHash>,
        delivery: &Delivery,
        received_ms: i64,
        event: Option<&dyn Fn(&Accepted) -> AuditEvent>,
    ) -> Result<Accepted> {
        let encoded = prepared::encoded(delivery);
        let prepared = Prepared::of(delivery, &encoded);
        self.write(|rows| {
            let accepted = intake::accept(rows, &prepared, received_ms)?;
            if let Some(file) = file {
                taken::remember(rows, file, delivery, &prepared, &accepted, received_ms)?;
            }
            if let Some(event) = event.filter(|_| accepted.is_held_otherwise) {
                keys::append(rows, &event(&accepted))?;
            }
            Ok(accepted)
        })
    }

    fn accept_again(&self, file: &FileHash) -> Result<Option<Repeated>> {
        match self.read_one(|rows| rows.file(file)) {
            Err(StoreError::Damaged { .. }) => Ok(None),
            known => known,
        }
    }

    fn load(&self, want: &Want<'_>) -> Result<Loaded> {
        self.read(|rows| load::load(rows, want, &mut Facts::default()))
    }

    fn load_each(
        &self,
        wants: &[Want<'_>],
        take: &mut dyn FnMut(usize, Result<Loaded>),
    ) -> Result<()> {
        let mut wants = wants.iter().enumerate().peekable();
        while wants.peek().is_some() {
            self.read(|rows| {
                let mut facts = Facts::default();
                let begun = Instant::now();
                // One at least, however long it was waited for.
                for (place, want) in wants.by_ref() {
                    take(place, load::load(rows, want, &mut facts));
                    if begun.elapsed() >= MOMENT {
                        break;
                    }
                }
                Ok(())
            })?;
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
        self.read(|rows| load::load_changed(rows, shard, references, policies, support))
    }

    fn newest_ms(&self, shard: &ShardId) -> Result<Option<i64>> {
        let row = self.read(|rows| rows.shard(shard))?;
        Ok(row.and_then(|row| row.newest_ms()))
    }

    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        self.read(|rows| rows.newest_each_ms(region, after, through))
    }

    fn items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>> {
        self.read(|rows| rows.live_items_after(shard, resource_type, after, limit))
    }

    fn inventory_ages(&self) -> Result<InventoryAges> {
        self.read(|rows| rows.ages())
    }
}

impl<E: Engine> Premises for E {
    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Result<usize> {
        self.write(|rows| marks::judge_by(rows, rules, assumed, now_ms))
    }

    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool> {
        self.write(|rows| common_policies::name(rows, named, now_ms))
    }

    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool> {
        self.write(|rows| clock::stale_by(rows, stale_after_ms, now_ms))
    }

    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Result<Clock> {
        self.write(|rows| clock::look(rows, now_ms, passed_ms))
    }
}

impl<E: Engine> Work for E {
    fn mark(&self, marks: &[Mark], now_ms: i64, event: Option<&AuditEvent>) -> Result<()> {
        self.write(|rows| marks::mark_all(rows, marks, now_ms, event))
    }

    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        self.read(|rows| rows.fan_outs())
    }

    fn reached(&self, fan_out: &FanOut, region: &Region, limit: usize) -> Result<Vec<AccountId>> {
        self.read(|rows| marks::reached(rows, fan_out, region, limit))
    }

    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<bool> {
        // A step that the end of the machine undoes is taken again: its marks go with its cursor.
        self.write_unawaited(|rows| marks::advance_fan_out(rows, fan_out, shards, next, now_ms))
    }

    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Result<Vec<Lease>> {
        // Idle workers ask often: only what may find work waits for the writers.
        if !self.read(|rows| rows.any_due(now_ms))? {
            return Ok(Vec::new());
        }
        // A lease that the end of the machine undoes has no holder any more.
        self.write_leases(|rows| marks::lease(rows, now_ms, lease_ms, shards_max))
    }

    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Result<()> {
        self.write_leases(|rows| marks::prolong(rows, leases, until_ms))
    }

    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()> {
        self.write_leases(|rows| marks::release(rows, leases, not_before_ms))
    }

    fn settle_at(&self, settlements: &[Settlement], now_ms: i64) -> Result<()> {
        self.write(|rows| settle::settle(rows, settlements, now_ms))
    }

    fn work(&self, now_ms: i64) -> Result<WorkCounts> {
        self.read(|rows| marks::counts(rows, now_ms))
    }
}

impl<E: Engine> Ledger for E {
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>> {
        self.read_one(|rows| rows.entries(policy, after, through, limit))
    }

    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        self.read_one(|rows| rows.entry(policy, account))
    }

    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>> {
        self.read(|rows| rows.violators(policy, account, after, limit))
    }

    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        self.read(|rows| rows.violator(policy, account, resource))
    }

    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>> {
        self.read(|rows| rows.history(policy, account, limit))
    }

    fn span(&self) -> Result<Span> {
        self.read_one(|rows| rows.span())
    }

    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>> {
        self.read_one(|rows| rows.entries_at(policy, after, through, limit, at_ms))
    }

    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>> {
        self.read_one(|rows| rows.entry_at(policy, account, at_ms))
    }

    fn violators_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<ViolatorRow>> {
        self.read(|rows| rows.violators_at(policy, account, after, limit, at_ms))
    }

    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>> {
        self.read(|rows| rows.past_violators(policy, account, after_ms, through_ms))
    }

    fn expire(&self, before_ms: i64) -> Result<u64> {
        self.write(|rows| retention::expire(rows, before_ms))
    }
}

impl<E: Engine> Health for E {
    fn ready(&self) -> Result<()> {
        self.takes_writes()?;
        self.control_revision().map(drop)
    }

    fn probe(&self) -> Result<()> {
        self.recover()?;
        self.control_revision().map(drop)
    }

    fn forget(&self) -> Result<bool> {
        self.forget_all()
    }

    fn effort(&self) -> Result<Effort> {
        self.spent()
    }
}
