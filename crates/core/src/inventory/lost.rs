//! Items so broken that not even their key is known. They must not pass for resources that are not
//! there, so an unseen resource stands in for each: its account cannot be found to comply until a
//! later whole snapshot of the type shows that it is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};

use super::{Body, Item, ItemKey, Observation, Version};

/// What is known of an item without a readable key.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost {
    /// Which of the file's items and messages, counted from 0.
    pub index: u64,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// Its Region was told as `global`.
    pub global: bool,
    pub resource_type: Option<ResourceType>,
    pub captured_ms: Option<i64>,
}

/// What lost items have in common that one may stand for another: account and Region, if told,
/// whether that is `global`, and type.
pub(super) type Sort = (Option<AccountId>, Option<Region>, bool, ResourceType);

/// Lost items of one file that get a stand-in each.
pub(super) const LOST_MAX: usize = 1_000;

impl Lost {
    /// The sort of one of this type.
    pub fn sort(&self, resource_type: &ResourceType) -> Sort {
        (self.account.clone(), self.region.clone(), self.global, resource_type.clone())
    }

    /// The stand-in of an item whose type is known. `home` is the shard of the file, for an item
    /// that does not tell its own; `moment_ms` that of the file. `None` when either is unknown.
    pub fn stand_in(&self, home: Option<&ShardId>, moment_ms: Option<i64>) -> Option<Observation> {
        let account = self.account.as_ref().or(home.map(|home| &home.account))?;
        let region = self.region.as_ref().or(home.map(|home| &home.region))?;
        let shard = ShardId { account: account.clone(), region: region.clone() };
        let captured_ms = self.captured_ms.or(moment_ms)?;
        unreadable(self.index, shard, self.resource_type.clone()?, self.global, captured_ms)
    }

    /// The stand-ins of an item of which not even the type is known: one of every type that the
    /// shard's file contains and that some part of Palisade knows by name, for it may be any.
    pub fn stand_ins_of_any<'a>(
        &'a self,
        contained: &'a BTreeMap<ShardId, BTreeSet<ResourceType>>,
        global: bool,
        moment_ms: i64,
    ) -> impl Iterator<Item = Observation> + 'a {
        let each = contained.iter().flat_map(|(id, types)| types.iter().map(move |one| (id, one)));
        // A stand-in for a recorder would hide that the recorder was deleted.
        let judged = |one: &ResourceType| {
            ResourceType::NAMED.contains(one) && *one != ResourceType::CONFIGURATION_RECORDER
        };
        each.filter(move |(_, one)| judged(one)).filter_map(move |(id, one)| {
            unreadable(self.index, id.clone(), one.clone(), global, moment_ms)
        })
    }
}

fn unreadable(
    index: u64,
    shard: ShardId,
    resource_type: ResourceType,
    global: bool,
    captured_ms: i64,
) -> Option<Observation> {
    let id = ResourceId::try_from(format!("unreadable-item-{index}")).ok()?;
    let key = ItemKey { account: shard.account, region: shard.region, resource_type, id };
    let version = Version { state: None, captured_ms };
    let item = Item {
        key,
        version,
        name: None,
        arn: None,
        tags: None,
        body: Body::Unseen,
        unseen_since: None,
    };
    Some(Observation { item, global })
}
