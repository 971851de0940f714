//! Palisade's durable state behind one trait, [`Store`]. Engines: [`sqlite`], the embedded default.
//!
//! The kinds of state, and the calls that write them:
//!
//! | kind | what | written by |
//! |---|---|---|
//! | control | organization, administrators, policies, lists: small, read whole | [`Store::commit`] |
//! | keys | access keys, their secrets sealed by the caller | [`Store::commit_keys`] |
//! | inventory | items of shards with what tells their coverage | [`Store::accept`] |
//! | ledger | entries, violators, history, references, and the work that is due | [`Store::settle`] |
//!
//! What somebody asked for is told in the audit log by the same call: each of these takes its event.
//! Each call is one transaction, durable when it returns. Accepting facts marks the work they cause
//! in the same transaction, so no crash can lose it. Nothing here tells the time or draws random
//! bytes: callers hand over both.

mod audit;
mod clock;
#[cfg(test)]
mod contract;
mod effort;
mod keys;
mod records;
pub mod sqlite;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{AccountFacts, Changed, Reference, References, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item, Shard};
use palisade_core::ledger::{Record, ViolatorRow};

pub use audit::*;
pub use clock::{Clock, JUMP_MS_MAX, SET_BACK_MS_MAX};
pub use effort::Effort;
pub use keys::*;
pub use records::*;

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the control state since it was read: read again and decide again.
    #[error("the control state changed meanwhile")]
    Conflict,
    /// Another process serves from this store.
    #[error("`{0}` is in use by another palisade process; stop it first or use another --store")]
    InUse(String),
    /// The store was written by a newer Palisade.
    #[error(
        "`{path}` has schema version {found}, this palisade knows up to {known}; use a newer palisade"
    )]
    TooNew {
        /// Where.
        path: String,
        /// What it has.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// A stored row cannot be read back.
    #[error("the store holds a {what} that cannot be read: {why}")]
    Damaged {
        /// Which kind of row.
        what: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// The engine failed.
    #[error("the store failed: {0}")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Answer of a store call.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Durable state of one organization.
///
/// INVARIANT: every method is one transaction, but for [`Store::load_each`]; a method that writes
/// returns after its writes are on disk, and either all or none of them are. Some need not be on disk:
/// what becomes of leases, which a crash ends, and a step of a fan-out, which is then taken again, for its marks go with its cursor.
pub trait Store: Send + Sync {
    /// Whether it answers and takes writes.
    ///
    /// # Errors
    /// What keeps it from that.
    fn ready(&self) -> Result<()> {
        self.control_revision().map(drop)
    }

    /// As [`Store::ready`], and looks whether writes succeed again where the last one did not: to be
    /// called every second or so, so that a store is well again without anybody writing to it.
    ///
    /// # Errors
    /// As [`Store::ready`].
    fn probe(&self) -> Result<()> {
        self.ready()
    }

    // Control.

    /// Revision of the control state: grows with every commit. Cheap.
    fn control_revision(&self) -> Result<u64>;

    /// The whole control state at one revision.
    fn control(&self) -> Result<Control>;

    /// Applies all changes if the control state is still at `expected_revision`; otherwise
    /// [`StoreError::Conflict`] and nothing changes. Answers the new revision.
    ///
    /// A put policy of another revision gets a fan-out row; a list that is put with other content or
    /// removed marks its readers; a removed policy's
    /// entries, violators, references and work go, and its open history is closed at `now_ms`.
    fn commit(&self, expected_revision: u64, changes: &[ControlChange], now_ms: i64)
    -> Result<u64>;

    // Keys.

    /// One key by its access key id.
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>>;

    /// All keys, ascending by creation, then id.
    fn keys(&self) -> Result<Vec<KeyRecord>>;

    /// Revision of the keys: grows with every [`Store::commit_keys`], and by nothing else. To be
    /// read before the keys that are decided on.
    fn keys_revision(&self) -> Result<u64>;

    /// Names the key that secrets are sealed under, as last told by [`KeyChange::SealUnder`]; `None`
    /// while no sealing key was ever used. To be read after the revision, as keys are.
    fn sealed_under(&self) -> Result<Option<String>>;

    /// Applies all changes and appends the event, if the keys are still at `expected_revision`;
    /// otherwise [`StoreError::Conflict`] and nothing changes, which is also the answer when a new
    /// access key id is taken or a key to be changed is not there. Answers the new revision.
    /// What a secret was before it was sealed anew is not left in the store's files. Where others read
    /// from those for so long that this cannot be had, the change stands and an error tells so; it is
    /// seen to as soon as the store is served.
    fn commit_keys(
        &self,
        expected_revision: u64,
        changes: &[KeyChange],
        event: &AuditEvent,
    ) -> Result<u64>;

    /// Keeps when keys were last used, milliseconds since the epoch, unless a later use is known.
    fn used_keys(&self, uses: &[(String, i64)]) -> Result<()>;

    /// The 32 bytes under which page tokens are sealed: drawn when the store was created.
    fn sealing_key(&self) -> Result<[u8; 32]>;

    // Audit log. Events are appended by the calls that they tell of.

    /// Events that the filter lets through, newest first.
    fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>>;

    /// Drops events from before a moment. Answers how many went.
    fn expire_audit(&self, before_ms: i64) -> Result<u64>;

    // Inventory.

    /// Takes in one delivery: newer states replace older ones, a snapshot's marks move, what is
    /// gone is dropped, and the work that follows is marked due at `received_ms`: the shards whose
    /// facts changed, the readers of changed references, and the shards of the account that read a
    /// changed protection ([`AccountFacts::served`]) or, when us-east-1 comes to know
    /// `AWS::Shield::Protection` or any Region `AWS::ShieldRegional::Protection`, or no longer does,
    /// all of them. Of up to [`CHANGES_MAX`] changed
    /// items of a shard it is kept what they were, and they alone are due ([`Due::Changes`]), unless
    /// what is known of the shard as a whole changed too. The newest moment that the delivery tells of
    /// a shard, no later than `received_ms`, is the shard's age ([`palisade_core::inventory::Age`]); that of `global` items in
    /// another Region's delivery only where nothing else was ever told of it. A shard that may
    /// have been judged stale is marked due when it becomes newer, though nothing else changed. What is held depends on which deliveries were taken in, not on their order.
    fn accept(&self, delivery: &Delivery, received_ms: i64) -> Result<Accepted>;

    /// As [`Store::accept`], and appends the event that is made of what became of the delivery.
    fn accept_audited(
        &self,
        delivery: &Delivery,
        received_ms: i64,
        event: &dyn Fn(&Accepted) -> AuditEvent,
    ) -> Result<Accepted>;

    /// Loads what judging one shard needs, all from one moment: its live items and coverage, the
    /// account's facts, the referenced facts that exist, and the records of the given policies for the shard's account.
    /// What is settled must have been loaded after its lease was taken: changes of references since
    /// then are found by that.
    fn load(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
    ) -> Result<Loaded>;

    /// As [`Store::load`] for policies that read items of these types alone, and the least that is
    /// loaded of the shard's items; of the types that are held, none where a whole snapshot was
    /// accepted, since [`Shard::knows`] does not ask for them then. An engine may load more.
    fn load_types(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
        types: &BTreeSet<ResourceType>,
    ) -> Result<Loaded> {
        let _ = types;
        self.load(shard, references, policies)
    }

    /// Loads each of these as [`Store::load_types`] does, many from one moment where an engine can do
    /// that, and hands it out with its place before it goes on to the next: no more than one is
    /// held. What of one cannot be read is that one's error. `take` must not call the store.
    fn load_each(
        &self,
        wants: &[Want<'_>],
        take: &mut dyn FnMut(usize, Result<Loaded>),
    ) -> Result<()> {
        for (place, want) in wants.iter().enumerate() {
            let Want { shard, references, policies, types } = want;
            take(place, self.load_types(shard, references, policies, types));
        }
        Ok(())
    }

    /// Loads what judging the changes of a leased shard's items needs, all from one moment: which
    /// changed since the shard was judged under every policy of its Region, of its live items those
    /// that `support` asks for, and the records of the given policies with only the violators that
    /// changed. `None` when more than [`CHANGES_MAX`] changed, or when the engine does not keep
    /// which: judge the whole shard.
    fn load_changed(
        &self,
        shard: &ShardId,
        references: &BTreeSet<Reference>,
        policies: &[PolicyId],
        support: &dyn Fn(&[Changed]) -> Support,
    ) -> Result<Option<LoadedChanges>> {
        let _ = (shard, references, policies, support);
        Ok(None)
    }

    /// The newest moment that deliveries tell of a shard ([`Shard::newest_ms`]).
    fn newest_ms(&self, shard: &ShardId) -> Result<Option<i64>>;

    /// The same of all shards of a Region with `after < account <= through`, ascending; of those that
    /// have one.
    fn newest_each_ms(
        &self,
        region: &Region,
        after: Option<&AccountId>,
        through: &AccountId,
    ) -> Result<Vec<(AccountId, i64)>>;

    /// Live items of one type in a shard after a position, ascending by id.
    fn items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        after: Option<&ResourceId>,
        limit: usize,
    ) -> Result<Vec<Item>>;

    // Work.

    /// Notes by which rules ([`palisade_core::evaluate::RULES`]) is judged from now on, and which
    /// types are taken for recorded ([`palisade_core::inventory::Assumed`], as text). Where others
    /// were noted, every policy gets a fan-out. Answers for how many.
    fn judge_by(&self, rules: u32, assumed: &str, now_ms: i64) -> Result<usize>;

    /// Takes the policies that a setting names as Firewall Manager's own of common security groups,
    /// and no others that an earlier one named, beside those that this store ever held
    /// ([`Reference::CommonPolicies`]). Answers whether that changes which are known; then the readers
    /// are marked due.
    fn name_common_policies(&self, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool>;

    /// Notes by which age ([`palisade_core::evaluate::Evidence::stale_after_ms`]) shards are judged
    /// stale from now on. Where another was noted, every shard of which anything was delivered is
    /// marked due. Answers whether another was.
    fn stale_by(&self, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool>;

    /// Looks at the clock, `passed_ms` by another measure after it was last looked at (0 where none
    /// ran since), and notes what it says. Where it was set back, what was noted while it was ahead
    /// counts as noted now, leases end, and every shard is due.
    fn look_at_clock(&self, now_ms: i64, passed_ms: i64) -> Result<Clock>;

    /// Fan-outs not fully expanded, oldest first.
    fn fan_outs(&self) -> Result<Vec<FanOut>>;

    /// Marks these shards due for the fan-out's policy and moves its cursor to `next`, or removes it
    /// when `next` is `None`. A fan-out replaced meanwhile (newer revision) is left alone and
    /// nothing is marked; answers whether it was moved.
    fn advance_fan_out(
        &self,
        fan_out: &FanOut,
        shards: &[ShardId],
        next: Option<&AccountId>,
        now_ms: i64,
    ) -> Result<bool>;

    /// Marks work due at `now_ms`, as `POST /palisade/v1/evaluate` does.
    fn mark(&self, marks: &[Mark], now_ms: i64) -> Result<()>;

    /// As [`Store::mark`], and appends the event.
    fn mark_audited(&self, marks: &[Mark], now_ms: i64, event: &AuditEvent) -> Result<()>;

    /// Leases due work, all due marks of a shard together, until `now_ms + lease_ms`; oldest first.
    /// A leased shard is nobody else's, whatever is marked on it meanwhile, until it is settled or
    /// that time is reached.
    fn lease(&self, now_ms: i64, lease_ms: i64, shards_max: usize) -> Result<Vec<Lease>>;

    /// Moves the end of those of these leases that are still held: a long judgement keeps its shards.
    fn prolong(&self, leases: &[Lease], until_ms: i64) -> Result<()>;

    /// Gives up those of these leases that are still held: their shards were not judged. What they are
    /// due for, unless it was marked again since, is due no sooner than `not_before_ms`; `None` leaves
    /// it as it is.
    fn release(&self, leases: &[Lease], not_before_ms: Option<i64>) -> Result<()>;

    /// Writes what judging found, many shards in one transaction. Outcomes of a policy that is gone
    /// or has another revision by now are dropped; marks that were marked again since the lease
    /// stay due. A settlement whose lease ran out and was taken by another is dropped whole.
    fn settle(&self, settlements: &[Settlement]) -> Result<()>;

    /// How old what is held of the organization's accounts is.
    fn inventory_ages(&self) -> Result<InventoryAges>;

    /// How much work there is.
    fn work(&self, now_ms: i64) -> Result<WorkCounts>;

    /// What the calls of this store cost since it was opened, and how large it is. An engine that
    /// does not count says nothing but zeros.
    fn effort(&self) -> Result<Effort> {
        Ok(Effort::default())
    }

    // Ledger.

    /// Entries of one policy with `after < account <= through`, ascending; `None` bounds are open.
    /// One range read.
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>>;

    /// One entry.
    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>>;

    /// Violators of one (policy, account) after a position, ascending by type, then id.
    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>>;

    /// One violator of a (policy, account).
    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>>;

    /// History of one (policy, account), newest first.
    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>>;

    /// Drops history and tombstones from before a moment. Answers how many rows went. Stays: the
    /// state in history that still held at the moment, and tombstones of recorders, which are why
    /// a shard counts as not recorded.
    fn expire(&self, before_ms: i64) -> Result<u64>;
}

/// Changed items of one shard that are judged one by one; where more changed, the whole is judged.
pub const CHANGES_MAX: usize = 64;

/// What is to be loaded of one shard ([`Store::load_each`]).
#[derive(Clone, Copy, Debug)]
pub struct Want<'w> {
    /// Which shard.
    pub shard: &'w ShardId,
    /// Facts outside of it.
    pub references: &'w BTreeSet<Reference>,
    /// Whose records for its account.
    pub policies: &'w [PolicyId],
    /// The types of its items that are read.
    pub types: &'w BTreeSet<ResourceType>,
}

/// What judging changes of one shard's items needs.
#[derive(Clone, Debug)]
pub struct LoadedChanges {
    /// Ascending by key. What is now as it was when the shard was judged is left out.
    pub changed: Vec<Changed>,
    /// With no items but the support, and of the records no violators but the changed items.
    pub loaded: Loaded,
}

/// What judging one shard needs.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Live items and coverage; an empty shard when nothing was ever delivered.
    pub shard: Shard,
    /// Facts that exist; a reference without one was not seen.
    pub references: Arc<References>,
    /// What the account's other shards say of this one's resources; nothing where no protections
    /// were asked for.
    pub account: AccountFacts,
    /// What the ledger holds, by policy; a policy without an entry is absent.
    pub records: BTreeMap<PolicyId, Record>,
    /// Which change of the shard's facts was the last: grows with each of them.
    pub as_of: u64,
    /// Whether changes of the shard's items are logged of which no settlement said that they were
    /// judged.
    pub is_changed: bool,
}
