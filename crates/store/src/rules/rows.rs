//! The verbs by which rules read and write rows. An engine implements them for its transaction.
//!
//! A verb says which rows it touches and nothing of what they mean: that is for the rules. Where many rows
//! are written alike, one verb writes all of them, so that an engine needs one statement.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{
    AccountId, ListId, PolicyId, Region, ResourceId, ResourceSetId, ResourceType, ShardId,
};
use palisade_core::inventory::{Age, Item, ItemKey, Missed, is_live_unless};
use palisade_core::ledger::{Entry, ViolatorRow};

use crate::clock::Noted;
use crate::{
    AuditEvent, AuditFilter, AuditRow, ControlChange, ControlState, Due, EntryRow, FanOut, Fence,
    FileHash, HistoryRow, InventoryAges, KeyChange, KeyRecord, LeasedMark, ListRecord, Repeated,
    ResourceSetRecord, Result, Revision,
};

pub use super::past_rows::{Noting, PastRows};

/// All rows of a store, as one transaction sees them.
pub trait Rows:
    StoreRow
    + ControlRows
    + KeyRows
    + ItemRows
    + FileRows
    + ShardRows
    + ChangeRows
    + MissedRows
    + PointerRows
    + ReaderRows
    + MarkRows
    + LedgerRows
    + PastRows
{
}

impl<R> Rows for R where
    R: StoreRow
        + ControlRows
        + KeyRows
        + ItemRows
        + FileRows
        + ShardRows
        + ChangeRows
        + MissedRows
        + PointerRows
        + ReaderRows
        + MarkRows
        + LedgerRows
        + PastRows
{
}

/// Kinds of facts of which the store notes when any of them last changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Lists and resource sets.
    Lists,
    CommonPolicies,
    /// Security groups of any account.
    Groups,
    /// Who is shown in any VPC, or whether their interfaces are known.
    Vpcs,
}

/// What the store notes of itself.
pub trait StoreRow {
    /// The next number of the store's sequence. Each is given once.
    fn next_sequence(&self) -> Result<u64>;
    /// A number for leases. Each is given once.
    fn next_fence(&self) -> Result<Fence> {
        // One writer at a time: what has an earlier number is written.
        self.next_sequence().map(|number| Fence { number, after: number })
    }
    /// The sequence number at which a kind of facts last changed; 0 is never.
    fn changed(&self, kind: Kind) -> Result<u64>;
    fn put_changed(&self, kind: Kind, sequence: u64) -> Result<()>;
    fn control_revision(&self) -> Result<u64>;
    fn put_control_revision(&self, revision: u64) -> Result<()>;
    fn keys_revision(&self) -> Result<u64>;
    fn put_keys_revision(&self, revision: u64) -> Result<()>;
    fn sealed_under(&self) -> Result<Option<String>>;
    fn sealing_key(&self) -> Result<[u8; 32]>;
    /// The rules, and the types assumed to be recorded.
    fn judged_by(&self) -> Result<(u32, String)>;
    fn put_judged_by(&self, rules: u32, assumed: &str) -> Result<()>;
    fn clock(&self) -> Result<Noted>;
    fn put_clock(&self, believed_ms: i64, wall_ms: i64) -> Result<()>;
    /// Keeps the newest moment that a delivery told.
    fn raise_told_ms(&self, moment_ms: i64) -> Result<()>;
    /// `None` when nothing is noted, 0 for never.
    fn stale_after_ms(&self) -> Result<Option<i64>>;
    fn put_stale_after_ms(&self, stale_after_ms: i64) -> Result<()>;
    /// The newest moment in the audit log, the history, judgements and shards.
    fn newest_of_all_ms(&self) -> Result<Option<i64>>;
}

/// The control state.
pub trait ControlRows {
    /// The whole state, with the organization of `known` where that is the one that is stored
    /// ([`super::organization`]).
    fn control(&self, known: Option<&ControlState>) -> Result<ControlState>;
    /// Writes the object that a change puts or removes. A change without an object writes nothing.
    fn put_object(&self, change: &ControlChange) -> Result<()>;
    fn is_member(&self, account: &AccountId) -> Result<bool>;
    fn policy_revision(&self, policy: &PolicyId) -> Result<Option<u64>>;
    fn list(&self, list: &ListId) -> Result<Option<ListRecord>>;
    fn resource_set(&self, set: &ResourceSetId) -> Result<Option<ResourceSetRecord>>;
    fn common_policies(&self) -> Result<BTreeSet<PolicyId>>;
    /// Notes a policy as one that this store held.
    fn see_common_policy(&self, policy: &PolicyId) -> Result<()>;
    /// Replaces the named ones; one that is neither named nor seen goes.
    fn name_common_policies(&self, named: &BTreeSet<PolicyId>) -> Result<()>;
}

/// Access keys and the audit log.
pub trait KeyRows {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>>;
    /// Ascending by creation, then id.
    fn keys(&self) -> Result<Vec<KeyRecord>>;
    /// Answers `false` when there is no such key, or a new one's id is taken.
    fn change_key(&self, change: &KeyChange) -> Result<bool>;
    /// Moves a key's last use forward.
    fn raise_key_use(&self, access_key_id: &str, at_ms: i64) -> Result<()>;
    /// Moves last uses after a moment back to it.
    fn cap_key_uses(&self, now_ms: i64) -> Result<()>;
    fn append_event(&self, sequence: u64, event: &AuditEvent) -> Result<()>;
    /// Newest first.
    fn events(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>>;
    fn drop_events(&self, before_ms: i64) -> Result<u64>;
}

/// What an item's row counts as: a function of what is held and of its type's mark.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// There, as far as is known.
    Live,
    /// A tombstone.
    Deleted,
    /// A snapshot from after it was last seen does not contain it.
    Gone,
}

impl State {
    /// By core's rule ([`is_live_unless`]).
    pub fn of_item(is_tombstone: bool, seen_ms: i64, mark_ms: Option<i64>) -> State {
        if is_live_unless(is_tombstone, seen_ms, mark_ms) {
            State::Live
        } else if is_tombstone {
            State::Deleted
        } else {
            State::Gone
        }
    }
}

/// An item's row.
pub struct Stored {
    /// In core's encoding.
    pub body: Vec<u8>,
    pub seen_ms: i64,
}

/// The first row of a resource.
pub struct First<'t> {
    pub id: &'t str,
    pub state: State,
    pub seen_ms: i64,
    pub body: &'t [u8],
}

/// Rows that are said to be asked for at one time.
pub const EXPECTED_MAX: usize = 1_000;

/// Items, whatever their state.
pub trait ItemRows {
    /// Says that [`ItemRows::item`] will be asked for these, up to [`EXPECTED_MAX`]: an engine to which each
    /// question is a way may ask once.
    fn expect_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        ids: &[&str],
    ) -> Result<()> {
        let _ = (shard, resource_type, ids);
        Ok(())
    }
    fn item(&self, key: &ItemKey) -> Result<Option<Stored>>;
    fn put_item(&self, key: &ItemKey, state: State, seen_ms: i64, body: &[u8]) -> Result<()>;
    /// Adds items of one type that have no row yet.
    fn put_first_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        firsts: &[First<'_>],
    ) -> Result<()>;
    /// Moves the moment at which an item was last seen, and its state.
    fn see_item(&self, key: &ItemKey, seen_ms: i64, state: State) -> Result<()>;
    /// Turns live items that were last seen before a moment into gone ones. Answers which.
    fn sweep(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        mark_ms: i64,
    ) -> Result<Vec<ResourceId>>;
    fn live_item(&self, key: &ItemKey) -> Result<Option<Item>>;
    fn live_items_of(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
    ) -> Result<BTreeMap<ResourceId, Item>>;
    fn live_items(
        &self,
        shard: &ShardId,
    ) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>>;
    /// Live items after a position, ascending by id.
    fn live_items_after(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>>;
    /// Live items of two types in the account's other Regions, ascending by key.
    fn live_items_beside(&self, shard: &ShardId, types: &[ResourceType; 2]) -> Result<Vec<Item>>;
    /// Live security groups of this id that other accounts hold in the Region of a shard.
    fn live_groups_elsewhere(&self, shard: &ShardId, id: &str) -> Result<Vec<Item>>;
    /// Tombstones of a type.
    fn tombstones(&self, shard: &ShardId, resource_type: &ResourceType) -> Result<Vec<ResourceId>>;
    /// When an item of this id was last seen in an account; `None` for any Region or type.
    fn last_seen_ms(
        &self,
        account: &AccountId,
        region: Option<&Region>,
        resource_type: Option<&ResourceType>,
        id: &str,
    ) -> Result<Option<i64>>;
    /// Drops tombstones of all types but one that were last seen before a moment.
    fn drop_tombstones(&self, before_ms: i64, but: &ResourceType) -> Result<u64>;
    /// Drops gone items whose type's mark is from before a moment.
    fn drop_gone(&self, before_ms: i64) -> Result<u64>;
}

/// Files that were taken in.
pub trait FileRows {
    /// What is remembered of a file.
    fn file(&self, file: &FileHash) -> Result<Option<Repeated>>;
    fn put_file(&self, file: &FileHash, told: Repeated, at_ms: i64) -> Result<()>;
    /// Drops those that were taken in before a moment.
    fn drop_files(&self, before_ms: i64) -> Result<u64>;
}

/// What is known of a type in a shard.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub struct Coverage {
    /// An item of the type, live or not, was accepted. Stays, whatever expires.
    pub held: bool,
    /// Moment of the newest snapshot or listing that is the whole truth about the type.
    pub mark_ms: Option<i64>,
    /// Moment of the newest whole snapshot that held an item of it.
    pub snapshot_ms: Option<i64>,
    /// Moment of the newest complete listing of it.
    pub listed_ms: Option<i64>,
}

/// Which coverage is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Of {
    All,
    /// That of types that some source listed. A store without such sources answers without a look at the
    /// others.
    Listed,
}

/// What is known of a shard as a whole.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct ShardRow {
    /// A whole snapshot of it was accepted.
    pub snapshot_accepted: bool,
    /// By what is told of the shard itself.
    pub own: Age,
    /// By `global` items, which come in any Region's delivery.
    pub global: Age,
    /// Of the facts.
    pub revision: Revision,
    /// Changes of its items are logged.
    pub is_logged: bool,
}

impl ShardRow {
    /// The moment from which staleness counts. A delivery of another Region says nothing of what is
    /// not `global`: it counts only where nothing was told of the shard itself.
    pub fn newest_ms(&self) -> Option<i64> {
        self.own.newest_ms.or(self.global.newest_ms)
    }
}

/// Shards and their types.
pub trait ShardRows {
    fn coverage(&self, shard: &ShardId, which: Of) -> Result<BTreeMap<ResourceType, Coverage>>;
    fn put_coverage(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        coverage: Coverage,
    ) -> Result<()>;
    /// `None` when nothing was ever delivered for it.
    fn shard(&self, shard: &ShardId) -> Result<Option<ShardRow>>;
    /// Keeps a row but for `is_logged`.
    fn put_shard(&self, shard: &ShardId, row: &ShardRow) -> Result<()>;
    /// Regions in which the account has a shard.
    fn regions_of(&self, account: &AccountId) -> Result<Vec<Region>>;
    fn all_shards(&self) -> Result<Vec<ShardId>>;
    /// [`ShardRow::newest_ms`] of shards with `after < account <= through`, ascending.
    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>>;
    /// Of the accounts of the organization.
    fn ages(&self) -> Result<InventoryAges>;
    /// Ages after a moment become that moment; what was claimed is kept as ahead.
    fn cap_ages(&self, now_ms: i64) -> Result<()>;
}

/// What items were before deliveries changed them. `None`: not live.
pub type Before = BTreeMap<(ResourceType, ResourceId), Option<Vec<u8>>>;

/// The log of changes of items.
pub trait ChangeRows {
    fn log_changes(&self, shard: &ShardId, sequence: u64, before: &Before) -> Result<()>;
    /// Oldest first, no more than `limit`.
    fn logged(&self, shard: &ShardId, limit: usize) -> Result<Vec<(ItemKey, Option<Item>)>>;
    /// Whether at least so many are logged.
    fn are_logged(&self, shard: &ShardId, count: usize) -> Result<bool>;
    fn drop_logged(&self, shard: &ShardId, through: Revision) -> Result<()>;
}

/// What deliveries had and did not give.
pub trait MissedRows {
    /// What concerns a shard.
    fn missed(&self, shard: &ShardId) -> Result<Vec<Missed>>;
    /// Keeps the latest moment of each. Answers whether that changed anything.
    fn put_missed(&self, missed: &Missed) -> Result<bool>;
    /// Whether an item without a Region is missed that the account may have.
    fn is_item_missed_anywhere(&self, account: &AccountId) -> Result<bool>;
    /// Regions of the account in which something is missed that may be of this type.
    fn regions_missing(
        &self,
        account: &AccountId,
        resource_type: &ResourceType,
    ) -> Result<Vec<Region>>;
    /// Drops what is from before a moment and closed by a mark, or by the resource's own row.
    fn drop_closed(&self, before_ms: i64) -> Result<u64>;
}

/// Pointers from what is asked for in a Region (a topic) to items that may show it.
pub trait PointerRows {
    /// `other` is the owner of what the item shows.
    fn point(&self, key: &ItemKey, topic: &str, other: Option<&AccountId>) -> Result<()>;
    fn any_pointer(&self, region: &Region) -> Result<bool>;
    fn is_pointed(&self, region: &Region, topic: &str) -> Result<bool>;
    /// Items of one account, or of all.
    fn pointed(
        &self,
        region: &Region,
        topic: &str,
        account: Option<&AccountId>,
    ) -> Result<Vec<ItemKey>>;
    /// Topics to which items of the shard point, or that name its account as the owner.
    fn topics_of(&self, shard: &ShardId) -> Result<BTreeSet<String>>;
}

/// Which (policy, account, Region) read which reference, as text ([`super::readers::text`]).
pub trait ReaderRows {
    /// Whether a reference between these, both excluded, has a reader.
    fn any_reader(&self, after: &str, before: &str) -> Result<bool>;
    /// The readers of those references, each with the reference's text.
    fn readers_between(
        &self,
        after: &str,
        before: &str,
    ) -> Result<Vec<(String, ShardId, PolicyId)>>;
    fn readers_of(&self, reference: &str) -> Result<Vec<(ShardId, PolicyId)>>;
    /// Says that [`ReaderRows::read_by`] will be asked of these.
    fn expect_readers(&self, readers: &[(&PolicyId, &AccountId)]) -> Result<()> {
        let _ = readers;
        Ok(())
    }
    fn read_by(&self, policy: &PolicyId, account: &AccountId) -> Result<BTreeSet<String>>;
    fn put_reader(&self, reference: &str, policy: &PolicyId, reader: &ShardId) -> Result<()>;
    fn drop_reader(&self, reference: &str, policy: &PolicyId, account: &AccountId) -> Result<()>;
    /// All of a policy, in one account or in every one.
    fn drop_readers(&self, policy: &PolicyId, account: Option<&AccountId>) -> Result<()>;
}

/// Numbers that [`crate::WorkCounts`] is made of.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    pub due: u64,
    pub oldest_due_ms: Option<i64>,
    pub all: u64,
    /// Due marks of leased shards.
    pub leased: u64,
    pub fan_outs: u64,
    /// No later than now.
    pub oldest_fan_out_ms: Option<i64>,
}

/// Marks, leases and fan-outs.
pub trait MarkRows {
    /// Marks a shard due, or sooner if it is already. The version moves, so that a lease taken before
    /// does not clear the mark.
    fn put_mark(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()>;
    /// As [`MarkRows::put_mark`], unless the shard is due as soon.
    fn bring_forward(
        &self,
        shard: &ShardId,
        due: &Due,
        version: u64,
        not_before: i64,
    ) -> Result<()>;
    /// Marks every shard due as a whole.
    fn mark_all_shards(&self, version: u64, not_before: i64) -> Result<()>;
    /// Drops a mark of this version.
    fn drop_mark(&self, shard: &ShardId, due: &Due, version: u64) -> Result<()>;
    /// Marks of a policy.
    fn drop_marks(&self, policy: &PolicyId) -> Result<()>;
    /// Moves a mark of this version to a moment, unless it is due later.
    fn put_off(&self, shard: &ShardId, due: &Due, version: u64, not_before: i64) -> Result<()>;
    /// Marks that are due after a moment are due then.
    fn cap_marks(&self, now_ms: i64) -> Result<()>;
    fn any_due(&self, now_ms: i64) -> Result<bool>;
    /// Hands out the shards of due marks, the longest due first, until told to stop.
    fn due_shards(&self, now_ms: i64, take: &mut dyn FnMut(ShardId) -> bool) -> Result<()>;
    /// The due marks of a shard, in any order, and its revision: that of a shard without facts where its row
    /// is damaged, so that no change is taken for judged; loading tells of the damage.
    fn due_marks(&self, shard: &ShardId, now_ms: i64) -> Result<(Vec<LeasedMark>, Revision)>;
    fn counted(&self, now_ms: i64) -> Result<Counted>;

    /// Shards whose leases run out after a moment.
    fn leased(&self, now_ms: i64) -> Result<BTreeSet<ShardId>>;
    /// Replaces a lease that ran out. Answers `false` when somebody else took the shard meanwhile.
    fn put_lease(&self, shard: &ShardId, fence: u64, now_ms: i64, until_ms: i64) -> Result<bool>;
    fn move_lease(&self, shard: &ShardId, fence: u64, until_ms: i64) -> Result<()>;
    /// Answers whether the shard had this lease.
    fn drop_lease(&self, shard: &ShardId, fence: u64) -> Result<bool>;
    /// [`MarkRows::drop_lease`] of each.
    fn drop_each_lease(&self, leases: &[(&ShardId, u64)]) -> Result<Vec<bool>> {
        leases.iter().map(|(shard, fence)| self.drop_lease(shard, *fence)).collect()
    }
    fn drop_leases(&self) -> Result<()>;

    /// Begins a fan-out, or begins it anew.
    fn put_fan_out(&self, policy: &PolicyId, revision: u64, now_ms: i64) -> Result<()>;
    /// Of every policy. Answers how many.
    fn put_all_fan_outs(&self, now_ms: i64) -> Result<usize>;
    /// Oldest first.
    fn fan_outs(&self) -> Result<Vec<FanOut>>;
    /// Moves the cursor. Answers `false` when the fan-out is another by now.
    fn move_fan_out(&self, fan_out: &FanOut, next: Option<&AccountId>) -> Result<bool>;
    fn drop_fan_out(&self, policy: &PolicyId) -> Result<()>;
}

/// The ledger.
pub trait LedgerRows {
    /// With `after < account <= through`, ascending.
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>>;
    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>>;
    /// Accounts that have one, after a position, ascending; of those whose entry cannot be read, too.
    fn with_entry(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<AccountId>>;
    /// After a position, ascending.
    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>>;
    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>>;
    /// Newest first.
    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>>;

    fn put_entry(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        evaluated_ms: i64,
    ) -> Result<()>;
    /// Moves the moment at which an entry was judged forward.
    fn raise_entry(&self, policy: &PolicyId, account: &AccountId, evaluated_ms: i64) -> Result<()>;
    /// Moves the moment at which a shard was judged under every policy forward.
    fn raise_judged(&self, shard: &ShardId, evaluated_ms: i64) -> Result<()>;
    /// What is replaced stays as a past version until `noted_ms`.
    fn put_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        put: &[ViolatorRow],
        noted_ms: i64,
    ) -> Result<()>;
    /// What is dropped stays as a past version that ended at `noted_ms`.
    fn drop_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        removed: &[(ResourceType, ResourceId)],
        noted_ms: i64,
    ) -> Result<()>;
    /// Appends an entry's state to the history.
    fn put_history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        entry: &Entry,
        noting: Noting,
    ) -> Result<()>;
    /// Ends the history of a policy's entries at a moment, and drops them with their violators, in one
    /// account or in every one.
    fn close_entries(
        &self,
        policy: &PolicyId,
        account: Option<&AccountId>,
        at_ms: i64,
        noting: Noting,
    ) -> Result<()>;
    /// Drops states that ended before a moment. One that still held then stays.
    fn drop_history(&self, before_ms: i64) -> Result<u64>;
}
