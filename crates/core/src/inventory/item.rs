//! One resource's state: who it is, how new, and a typed body of what evaluators read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};

use super::Body;

/// Identity of a resource. No two live resources share it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ItemKey {
    /// Owner of the record (`awsAccountId`).
    pub account: AccountId,
    /// Region of the resource; us-east-1 for `global` ones.
    pub region: Region,
    /// Resource type.
    pub resource_type: ResourceType,
    /// The id AWS Config uses for the type.
    pub id: ResourceId,
}

impl ItemKey {
    /// The shard that holds the item.
    pub fn shard(&self) -> ShardId {
        ShardId { account: self.account.clone(), region: self.region.clone() }
    }
}

/// How new a state is. Order by [`Version::supersedes`]: `configurationStateId` when both are
/// decimal, else capture time (formats §3).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// `configurationStateId` as a number, when it is decimal digits that fit 64 bits.
    pub state: Option<u64>,
    /// `configurationItemCaptureTime`, milliseconds since the epoch.
    pub captured_ms: i64,
}

/// Tags of the resource itself, by key.
pub type Tags = BTreeMap<Box<str>, Box<str>>;

/// A resource's state as held: typed and compact, no raw body.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Whose and which.
    pub key: ItemKey,
    /// How new.
    pub version: Version,
    /// `resourceName`.
    pub name: Option<Box<str>>,
    /// `ARN`, when present. Never a key (formats §3).
    pub arn: Option<Box<str>>,
    /// Item-level tags; from the body's lists only when the item has no map.
    pub tags: Tags,
    /// What evaluators read.
    pub body: Body,
}

/// What one delivered item says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// The state; for a deletion its body is [`Body::Deleted`].
    pub item: Item,
    /// Whether the delivered Region was `global` (the key's Region is then us-east-1).
    pub global: bool,
}
