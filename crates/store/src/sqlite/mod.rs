//! The embedded engine: one SQLite file.
//!
//! Write-ahead log, on disk before a call is acknowledged: what it wrote survives `kill -9` and power
//! loss. Writers queue for one connection; readers have their own and do not wait for writers.

mod audit;
mod changes;
mod checksums;
mod clock;
mod columns;
mod common_policies;
mod control;
mod coverage;
mod examine;
mod firsts;
mod gaps;
mod held;
mod intake;
mod integrity;
mod items;
mod keys;
mod ledger;
mod load;
mod log;
mod missed;
mod networks;
mod opening;
mod protections;
mod readers;
mod recheck;
mod references;
mod retention;
mod schema;
mod sequence;
mod settle;
mod spent;
mod store_row;
mod sums;
mod support;
#[cfg(test)]
mod tests;
mod told;
mod unusable;
mod work;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use palisade_core::evaluate::{Changed, Reference, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item};
use palisade_core::ledger::ViolatorRow;

use crate::{
    Accepted, AuditEvent, AuditFilter, AuditLog, AuditRow, Clock, Control, ControlChange,
    ControlState, Effort, EntryRow, FanOut, Health, HistoryRow, Inventory, InventoryAges,
    KeyChange, KeyRecord, Keys, Lease, Ledger, Loaded, LoadedChanges, Mark, Premises, Result,
    Settlement, StoreError, Want, Work, WorkCounts,
};

use load::Facts;
use log::{Connections, MOVED_PAGES};
use told::Prepared;

pub use opening::{Opening, Synchronous};
#[doc(hidden)]
pub use sums::sum_rows;

/// How long many loads see one moment, before the next ones see another: the log cannot begin anew
/// behind one that somebody looks at.
const MOMENT: Duration = Duration::from_millis(50);

/// A store in one SQLite file, or in memory.
pub struct SqliteStore {
    connections: Connections,
}

impl SqliteStore {
    /// Opens the store at `path`, made when there is none, migrated when it is of an older schema.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process serves from it (asked only with
    /// [`Opening::serve`], or when it must be migrated), [`StoreError::TooNew`] when a newer
    /// Palisade wrote it, [`StoreError::Engine`] when the file cannot be opened, is no SQLite
    /// database or another program's.
    pub fn open(path: &Path, opening: Opening) -> Result<SqliteStore> {
        SqliteStore::open_with_log(path, opening, MOVED_PAGES)
    }

    /// As [`SqliteStore::open`], with a log that is moved into the file when it has `long` pages: for
    /// tests, which write little, and see it begin anew all the same.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[doc(hidden)]
    pub fn open_with_log(path: &Path, opening: Opening, long: u32) -> Result<SqliteStore> {
        Ok(SqliteStore { connections: Connections::open(path, &opening, long)? })
    }

    /// A store that ends with the process.
    ///
    /// # Errors
    /// [`StoreError::Engine`] when SQLite cannot make it.
    pub fn in_memory(sealing_key: [u8; 32]) -> Result<SqliteStore> {
        Ok(SqliteStore { connections: Connections::in_memory(&sealing_key)? })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Engine(error.into())
    }
}

impl Control for SqliteStore {
    fn control_revision(&self) -> Result<u64> {
        self.connections.read_one(control::revision)
    }

    fn control(&self) -> Result<ControlState> {
        self.connections.read(control::read)
    }

    fn commit(
        &self,
        expected_revision: u64,
        changes: &[ControlChange],
        now_ms: i64,
    ) -> Result<u64> {
        self.connections.write(|tx| control::commit(tx, expected_revision, changes, now_ms))
    }
}

impl Keys for SqliteStore {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        self.connections.read_one(|connection| keys::one(connection, access_key_id))
    }

    fn keys(&self) -> Result<Vec<KeyRecord>> {
        self.connections.read(keys::all)
    }

    fn keys_revision(&self) -> Result<u64> {
        self.connections.read(keys::revision)
    }

    fn sealed_under(&self) -> Result<Option<String>> {
        self.connections.read(keys::sealed_under)
    }

    fn commit_keys(
        &self,
        expected_revision: u64,
        changes: &[KeyChange],
        event: &AuditEvent,
    ) -> Result<u64> {
        let revision =
            self.connections.write(|tx| keys::commit(tx, expected_revision, changes, event))?;
        let is_seal = |change: &KeyChange| matches!(change, KeyChange::Seal { .. });
        if changes.iter().any(is_seal) {
            // The log may still hold in the clear what was sealed.
            self.connections.empty_log()?;
        }
        Ok(revision)
    }

    fn used_keys(&self, uses: &[(String, i64)]) -> Result<()> {
        self.connections.write(|tx| keys::used(tx, uses))
    }

    fn sealing_key(&self) -> Result<[u8; 32]> {
        self.connections.read(keys::sealing)
    }
}

impl AuditLog for SqliteStore {
    fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        self.connections.read(|tx| audit::page(tx, filter, limit))
    }

    fn expire_audit(&self, before_ms: i64) -> Result<u64> {
        self.connections.write(|tx| audit::expire(tx, before_ms))
    }
}

impl Inventory for SqliteStore {
    fn accept(
        &self,
        delivery: &Delivery,
        received_ms: i64,
        event: Option<&dyn Fn(&Accepted) -> AuditEvent>,
    ) -> Result<Accepted> {
        let encoded = told::encoded(delivery);
        let prepared = Prepared::of(delivery, &encoded);
        self.connections.write(|tx| {
            let accepted = intake::accept(tx, &prepared, received_ms)?;
            if let Some(event) = event {
                audit::append(tx, &event(&accepted))?;
            }
            Ok(accepted)
        })
    }

    fn load(&self, want: &Want<'_>) -> Result<Loaded> {
        self.connections.read(|tx| load::load(tx, want, &mut Facts::default()))
    }

    fn load_each(
        &self,
        wants: &[Want<'_>],
        take: &mut dyn FnMut(usize, Result<Loaded>),
    ) -> Result<()> {
        let mut wants = wants.iter().enumerate().peekable();
        while wants.peek().is_some() {
            self.connections.read(|tx| {
                let mut facts = Facts::default();
                let begun = Instant::now();
                // One at least, however long it was waited for.
                for (place, want) in wants.by_ref() {
                    take(place, load::load(tx, want, &mut facts));
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
        self.connections.read(|tx| load::load_changed(tx, shard, references, policies, support))
    }

    fn newest_ms(&self, shard: &ShardId) -> Result<Option<i64>> {
        let row = self.connections.read(|tx| held::shard_row(tx, shard))?;
        Ok(row.and_then(|row| row.newest_ms()))
    }

    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>> {
        self.connections.read(|tx| held::newest_each_ms(tx, region, after, through))
    }

    fn items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>> {
        self.connections.read(|tx| items::items(tx, shard, resource_type, after, limit))
    }

    fn inventory_ages(&self) -> Result<InventoryAges> {
        self.connections.read(held::ages)
    }
}

impl Premises for SqliteStore {
    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Result<usize> {
        self.connections.write(|tx| work::judge_by(tx, rules, assumed, now_ms))
    }

    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool> {
        self.connections.write(|tx| common_policies::name(tx, named, now_ms))
    }

    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool> {
        self.connections.write(|tx| clock::stale_by(tx, stale_after_ms, now_ms))
    }

    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Result<Clock> {
        self.connections.write(|tx| clock::look(tx, now_ms, passed_ms))
    }
}

impl Work for SqliteStore {
    fn mark(&self, marks: &[Mark], now_ms: i64, event: Option<&AuditEvent>) -> Result<()> {
        self.connections.write(|tx| {
            work::mark_all(tx, marks, now_ms)?;
            event.map_or(Ok(()), |event| audit::append(tx, event))
        })
    }

    fn fan_outs(&self) -> Result<Vec<FanOut>> {
        self.connections.read(work::fan_outs)
    }

    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<bool> {
        // A step that the end of the machine undoes is taken again: its marks go with its cursor.
        self.connections
            .write_unawaited(|tx| work::advance_fan_out(tx, fan_out, shards, next, now_ms))
    }

    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Result<Vec<Lease>> {
        // Idle workers ask often: only what may find work waits for the writers.
        if !self.connections.read(|tx| work::is_due(tx, now_ms))? {
            return Ok(Vec::new());
        }
        // A lease that the end of the machine undoes has no holder any more.
        self.connections.write_unawaited(|tx| work::lease(tx, now_ms, lease_ms, shards_max))
    }

    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Result<()> {
        // As with taking them: what the end of the machine undoes has no holder any more.
        self.connections.write_unawaited(|tx| work::prolong(tx, leases, until_ms))
    }

    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()> {
        self.connections.write_unawaited(|tx| work::release_all(tx, leases, not_before_ms))
    }

    fn settle(&self, settlements: &[Settlement]) -> Result<()> {
        self.connections.write(|tx| settle::settle(tx, settlements))
    }

    fn work(&self, now_ms: i64) -> Result<WorkCounts> {
        self.connections.read(|tx| work::counts(tx, now_ms))
    }
}

impl Ledger for SqliteStore {
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>> {
        self.connections
            .read_one(|connection| ledger::entries(connection, policy, after, through, limit))
    }

    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>> {
        self.connections.read_one(|connection| ledger::entry(connection, policy, account))
    }

    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>> {
        self.connections.read(|tx| ledger::violators(tx, policy, account, after, limit))
    }

    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>> {
        self.connections.read(|tx| ledger::violator(tx, policy, account, resource))
    }

    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>> {
        self.connections.read(|tx| ledger::history(tx, policy, account, limit))
    }

    fn expire(&self, before_ms: i64) -> Result<u64> {
        self.connections.write(|tx| retention::expire(tx, before_ms))
    }
}

impl Health for SqliteStore {
    fn ready(&self) -> Result<()> {
        self.connections.takes_writes()?;
        self.control_revision().map(drop)
    }

    fn probe(&self) -> Result<()> {
        self.connections.probe()?;
        self.control_revision().map(drop)
    }

    fn effort(&self) -> Result<Effort> {
        self.connections.effort()
    }
}
