//! A store in which something happens whenever a worker is about to look at a shard.

use std::collections::BTreeSet;

use palisade_core::evaluate::{Changed, Reference, Support};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Delivery, Item};
use palisade_store::sqlite::SqliteStore;
use palisade_store::*;

/// Does as the store within, after what happens before a shard is loaded, which may fail.
pub struct Meddled<F> {
    pub store: SqliteStore,
    pub before_load: F,
}

palisade_testkit::delegate_roles!(
    [impl<F: Fn(&SqliteStore, &ShardId) -> Result<()> + Send + Sync>] Meddled<F> => store:
    Control, Keys, AuditLog, Premises, Work, Ledger, Health
);

impl<F: Fn(&SqliteStore, &ShardId) -> Result<()> + Send + Sync> Inventory for Meddled<F> {
    fn accept_file(
        &self,
        file: Option<&FileHash>,
        delivery: &Delivery,
        received_ms: i64,
        event: Option<&dyn Fn(&Accepted) -> AuditEvent>,
    ) -> Result<Accepted> {
        self.store.accept_file(file, delivery, received_ms, event)
    }

    fn accept_again(&self, file: &FileHash) -> Result<Option<Repeated>> {
        self.store.accept_again(file)
    }

    fn load(&self, want: &Want<'_>) -> Result<Loaded> {
        (self.before_load)(&self.store, want.shard)?;
        self.store.load(want)
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

    fn inventory_ages(&self) -> Result<InventoryAges> {
        self.store.inventory_ages()
    }
}
