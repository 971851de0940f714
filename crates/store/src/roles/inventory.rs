//! The inventory: what deliveries told, and what judging reads of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{AccountFacts, Changed, Reference, References, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item, Shard};
use palisade_core::ledger::Record;

use crate::{Accepted, AuditEvent, FileHash, InventoryAges, Repeated, Result, Revision};

/// Items of shards, and what is known of each shard.
pub trait Inventory: Send + Sync {
    /// Takes in one delivery and marks the work that follows, due at `received_ms`. Appends the event that
    /// `event` makes of the result, if it is given.
    ///
    /// The inventory depends on the set of deliveries, not on their order: newer states replace older
    /// ones, a snapshot moves the marks of its types, and what a mark passes is gone.
    ///
    /// These become due:
    ///
    /// - shards whose facts changed. Up to [`CHANGES_MAX`] changed items of a shard are due one by one
    ///   ([`Due::Changes`](crate::Due::Changes)), with what each was before. More of them, or a change in
    ///   what is known of the shard as a whole, make the whole shard due.
    /// - readers of changed references.
    /// - shards of the account that read a changed protection ([`AccountFacts::served`]). All shards of the
    ///   account are due when us-east-1 begins or ceases to know `AWS::Shield::Protection`, or any Region
    ///   `AWS::ShieldRegional::Protection`.
    /// - a shard that becomes newer and may have been judged stale.
    ///
    /// The newest moment that a delivery tells of a shard, at most `received_ms`, is the shard's age
    /// ([`palisade_core::inventory::Age`]). `global` items in another Region's delivery count only for
    /// a shard that has no moment of its own.
    fn accept(
        &self,
        delivery: &Delivery,
        received_ms: i64,
        event: Option<&dyn Fn(&Accepted) -> AuditEvent>,
    ) -> Result<Accepted> {
        self.accept_file(None, delivery, received_ms, event)
    }

    /// As [`Inventory::accept`], and remembers which file it was, if that told all it had and claimed no moment
    /// that had not come: taken in once more, it would change nothing.
    fn accept_file(
        &self,
        file: Option<&FileHash>,
        delivery: &Delivery,
        received_ms: i64,
        event: Option<&dyn Fn(&Accepted) -> AuditEvent>,
    ) -> Result<Accepted>;

    /// What a file holds that is remembered. `None` where it is not, or what is remembered of it cannot be
    /// read.
    fn accept_again(&self, file: &FileHash) -> Result<Option<Repeated>>;

    /// Loads what judging one shard needs, all from one moment.
    ///
    /// A worker loads after it has leased the shard: settling finds the references that changed since the
    /// lease, not those that changed before it.
    fn load(&self, want: &Want<'_>) -> Result<Loaded>;

    /// Loads each of these as [`Inventory::load`] does, many from one moment if the engine can. Hands each
    /// to `take` with its place in `wants` before it loads the next, so that one at a time is in memory.
    /// An error that concerns one of them goes to `take`. `take` must not call the store.
    fn load_each(
        &self,
        wants: &[Want<'_>],
        take: &mut dyn FnMut(usize, Result<Loaded>),
    ) -> Result<()> {
        wants.iter().enumerate().for_each(|(place, want)| take(place, self.load(want)));
        Ok(())
    }

    /// Loads what judging the changed items of a leased shard needs, all from one moment: the changes since
    /// every policy of the Region judged the shard, the live items that `support` asks for, and of the
    /// policies' records only the changed violators.
    ///
    /// `None` means that the whole shard must be judged: more than [`CHANGES_MAX`] items changed, or the
    /// engine does not keep changes.
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

    /// The same for the shards of a Region with `after < account <= through`, ascending. Shards without
    /// such a moment are left out.
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

    /// The ages of the shards of the organization's accounts.
    fn inventory_ages(&self) -> Result<InventoryAges>;
}

/// Changed items of one shard that are judged one by one. More of them have the whole shard judged.
pub const CHANGES_MAX: usize = 64;

/// What to load of one shard.
#[derive(Clone, Copy, Debug)]
pub struct Want<'w> {
    /// Which shard.
    pub shard: &'w ShardId,
    /// Facts outside of it.
    pub references: &'w BTreeSet<Reference>,
    /// Policies whose records for its account are loaded.
    pub policies: &'w [PolicyId],
    /// Types of the items to load; `None` is every type. An engine may load more. Where a whole snapshot
    /// was accepted, the set of held types may be incomplete, since [`Shard::knows`] does not need it
    /// there.
    pub types: Option<&'w BTreeSet<ResourceType>>,
}

impl<'w> Want<'w> {
    /// A shard with items of every type.
    pub fn whole(
        shard: &'w ShardId,
        references: &'w BTreeSet<Reference>,
        policies: &'w [PolicyId],
    ) -> Want<'w> {
        Want { shard, references, policies, types: None }
    }

    /// A shard with items of these types.
    pub fn of_types(
        shard: &'w ShardId,
        references: &'w BTreeSet<Reference>,
        policies: &'w [PolicyId],
        types: &'w BTreeSet<ResourceType>,
    ) -> Want<'w> {
        Want { shard, references, policies, types: Some(types) }
    }
}

/// What judging changes of one shard's items needs.
#[derive(Clone, Debug)]
pub struct LoadedChanges {
    /// Ascending by key. An item that is back in the state that was judged is left out.
    pub changed: Vec<Changed>,
    /// Of the shard's items only the support, of the records only violators among the changed items.
    pub loaded: Loaded,
}

/// What judging one shard needs.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Live items and coverage; an empty shard when nothing was ever delivered.
    pub shard: Shard,
    /// Facts that exist. A reference without one was not seen.
    pub references: Arc<References>,
    /// What the account's other shards say of this one's resources. Empty unless protections were asked
    /// for.
    pub account: AccountFacts,
    /// What the ledger holds, by policy. A policy without an entry is absent.
    pub records: BTreeMap<PolicyId, Record>,
    /// Where the shard's facts stood.
    pub revision: Revision,
    /// Whether the log has changes of the shard's items that no settlement has taken away.
    pub is_changed: bool,
}
