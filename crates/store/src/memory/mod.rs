//! An engine that ends with the process: maps and a lock. For tests, and for trying something out.

mod control;
mod inventory;
mod ledger;
mod past;
mod table;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{ItemKey, Missed};
use palisade_core::ledger::{Entry, ViolatorRow};

use crate::clock::Noted;
use crate::engine::Engine;
use crate::rules::rows::{Coverage, ShardRow, State};
use crate::{
    AuditEvent, ControlState, Due, FanOut, FileHash, HistoryRow, KeyRecord, PastViolator, Repeated,
    Result, Span, Version, Versioned,
};

use table::{Ends, Table};

/// A store in memory.
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

impl MemoryStore {
    /// An empty store; `sealing_key` is [`crate::Keys::sealing_key`].
    pub fn new(sealing_key: [u8; 32]) -> MemoryStore {
        let tables = Tables { sealing_key, ..Tables::default() };
        tables.numbers.put((), Numbers::default());
        tables.control.put((), ControlState::default());
        tables.ends().for_each(Ends::keep);
        MemoryStore { tables: Mutex::new(tables) }
    }

    /// A panic of another caller left no half-done write behind: its transaction was undone.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an item's row is: its shard, type and id. Bounds of ranges leave the last ones out, which sorts
/// before all that have them.
type Place = (ShardId, Option<ResourceType>, Option<ResourceId>);

/// A type and an id; bounds of ranges are without.
type Resource = Option<(ResourceType, ResourceId)>;

/// Where a violator's row is.
type Violating = (PolicyId, AccountId, Resource);

#[derive(Clone)]
struct ItemRow {
    state: State,
    seen_ms: i64,
    body: Arc<[u8]>,
}

/// What a mark says: since when it is due, and its version.
#[derive(Clone, Copy)]
struct MarkRow {
    not_before: i64,
    version: u64,
}

#[derive(Clone)]
struct LeaseRow {
    fence: u64,
    until_ms: i64,
}

#[derive(Clone, Default)]
struct Numbers {
    sequence: u64,
    /// By [`crate::rules::rows::Kind`].
    changed: BTreeMap<u8, u64>,
    control_revision: u64,
    keys_revision: u64,
    sealed_under: Option<String>,
    rules: u32,
    assumed: String,
    clock: Noted,
    stale_after_ms: Option<i64>,
    span: Span,
}

/// Every table of the store.
#[derive(Default)]
pub(crate) struct Tables {
    sealing_key: [u8; 32],
    numbers: Table<(), Numbers>,
    control: Table<(), ControlState>,
    /// Whether this store held the policy, and whether a setting names it.
    common_policies: Table<PolicyId, (bool, bool)>,
    keys: Table<String, KeyRecord>,
    events: Table<u64, AuditEvent>,
    items: Table<Place, ItemRow>,
    coverage: Table<(ShardId, Option<ResourceType>), Coverage>,
    shards: Table<ShardId, ShardRow>,
    changes: Table<(ShardId, u64, Resource), Option<Vec<u8>>>,
    /// By itself with no moment.
    missed: Table<Missed, i64>,
    /// The owner of what the item shows.
    pointers: Table<(Region, String, Option<ItemKey>), Option<AccountId>>,
    readers: Table<(String, Option<(PolicyId, AccountId)>), Region>,
    marks: Table<(ShardId, Option<Due>), MarkRow>,
    leases: Table<ShardId, LeaseRow>,
    /// With when it began.
    fan_outs: Table<PolicyId, (FanOut, i64)>,
    /// With when it was last judged.
    entries: Table<(PolicyId, Option<AccountId>), (Entry, i64)>,
    judged: Table<ShardId, i64>,
    /// With since when it is answered.
    violators: Table<Violating, (ViolatorRow, i64)>,
    history: Table<(PolicyId, Option<AccountId>, u64), HistoryRow>,
    /// By the moment until which it held.
    past_violators: Table<(PolicyId, AccountId, Resource, i64), PastViolator>,
    versions: Table<(Versioned, u64), Version>,
    /// With when each was taken in.
    files: Table<FileHash, (Repeated, i64)>,
}

impl Tables {
    fn ends(&self) -> impl Iterator<Item = &dyn Ends> {
        let all: [&dyn Ends; 22] = [
            &self.numbers,
            &self.control,
            &self.common_policies,
            &self.keys,
            &self.events,
            &self.items,
            &self.coverage,
            &self.shards,
            &self.changes,
            &self.missed,
            &self.pointers,
            &self.readers,
            &self.marks,
            &self.leases,
            &self.fan_outs,
            &self.entries,
            &self.judged,
            &self.violators,
            &self.history,
            &self.past_violators,
            &self.versions,
            &self.files,
        ];
        all.into_iter()
    }

    /// Forgets everything but how far numbers have come: readers that know a revision must not take what
    /// comes later for it.
    fn forget(&self) {
        let next = |number: u64| number.saturating_add(1);
        self.numbers.change(&(), |numbers| {
            let sequence = next(numbers.sequence);
            numbers.sequence = sequence;
            numbers.changed.values_mut().for_each(|changed| *changed = sequence);
            numbers.control_revision = next(numbers.control_revision);
            numbers.keys_revision = next(numbers.keys_revision);
        });
        self.control.put((), ControlState::default());
        self.common_policies.clear();
        self.keys.clear();
        self.events.clear();
        self.items.clear();
        self.coverage.clear();
        self.shards.clear();
        self.changes.clear();
        self.missed.clear();
        self.pointers.clear();
        self.readers.clear();
        self.marks.clear();
        self.leases.clear();
        self.fan_outs.clear();
        self.entries.clear();
        self.judged.clear();
        self.violators.clear();
        self.history.clear();
        self.files.clear();
    }
}

/// A transaction that is undone unless it is kept, by a panic too.
struct Turn<'t>(&'t Tables);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // What was kept has nothing to undo.
        self.0.ends().for_each(Ends::undo);
    }
}

impl Engine for MemoryStore {
    type Rows<'r> = Tables;

    fn read<T>(&self, mut ask: impl FnMut(&Tables) -> Result<T>) -> Result<T> {
        ask(&self.tables())
    }

    fn write<T>(&self, mut act: impl FnMut(&Tables) -> Result<T>) -> Result<T> {
        let tables = self.tables();
        let turn = Turn(&tables);
        let done = act(turn.0)?;
        turn.0.ends().for_each(Ends::keep);
        Ok(done)
    }

    fn forget_all(&self) -> Result<bool> {
        self.write(|tables| {
            tables.forget();
            Ok(true)
        })
    }
}
