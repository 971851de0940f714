//! Rows that were asked for together: each question by itself is a round trip. A row is handed out once, and not
//! at all after it was written.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{AccountId, PolicyId, ResourceType, ShardId};
use palisade_core::inventory::ItemKey;

use crate::rules::rows::Stored;

/// The items of one type in one shard that are expected, `None` where there is no row; and what each
/// (policy, account) reads.
#[derive(Default)]
pub(super) struct Expected {
    items: RefCell<Option<OfType>>,
    readers: RefCell<BTreeMap<(PolicyId, AccountId), BTreeSet<String>>>,
}

struct OfType {
    shard: ShardId,
    resource_type: ResourceType,
    rows: BTreeMap<String, Option<Stored>>,
}

impl OfType {
    fn is_of(&self, shard: &ShardId, resource_type: &ResourceType) -> bool {
        self.shard == *shard && self.resource_type == *resource_type
    }
}

impl Expected {
    /// Items of a type, instead of all that were expected before.
    pub fn put_items(
        &self,
        shard: &ShardId,
        resource_type: &ResourceType,
        rows: BTreeMap<String, Option<Stored>>,
    ) {
        let (shard, resource_type) = (shard.clone(), resource_type.clone());
        *self.items.borrow_mut() = Some(OfType { shard, resource_type, rows });
    }

    /// An item's row, if it was expected; inside, if there is one.
    pub fn take_item(&self, key: &ItemKey) -> Option<Option<Stored>> {
        let mut items = self.items.borrow_mut();
        let of_type = items.as_mut()?;
        let is_of = of_type.shard.account == key.account
            && of_type.shard.region == key.region
            && of_type.resource_type == key.resource_type;
        if is_of { of_type.rows.remove(key.id.as_str()) } else { None }
    }

    /// A row is written that was expected not to be there.
    pub fn forget_item(&self, shard: &ShardId, resource_type: &ResourceType, id: &str) {
        let mut items = self.items.borrow_mut();
        if let Some(known) = items.as_mut().filter(|known| known.is_of(shard, resource_type)) {
            known.rows.remove(id);
        }
    }

    /// Rows of a type are written otherwise than one by one.
    pub fn forget_type(&self, shard: &ShardId, resource_type: &ResourceType) {
        self.items.borrow_mut().take_if(|known| known.is_of(shard, resource_type));
    }

    /// What some read, instead of all that was expected before.
    pub fn put_readers(&self, readers: BTreeMap<(PolicyId, AccountId), BTreeSet<String>>) {
        *self.readers.borrow_mut() = readers;
    }

    /// What one reads, if it was expected.
    pub fn take_reader(&self, policy: &PolicyId, account: &AccountId) -> Option<BTreeSet<String>> {
        self.readers.borrow_mut().remove(&(policy.clone(), account.clone()))
    }

    /// Readers are written otherwise than after a question.
    pub fn forget_readers(&self) {
        self.readers.borrow_mut().clear();
    }
}
