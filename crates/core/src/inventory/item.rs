//! One resource's state: who it is, how new, and a typed body of what evaluators read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, Region, ResourceId, ResourceType, ShardId};

use super::{Body, Members};

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

/// The moment at which a delivery shows a state: its capture time, or that of the snapshot that
/// still contains it, whichever is later.
pub fn seen_ms(version: &Version, snapshot_moment_ms: Option<i64>) -> i64 {
    snapshot_moment_ms.map_or(version.captured_ms, |moment| moment.max(version.captured_ms))
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
    /// Item-level tags; from the body's lists only when the item has no map. `None`: no member told
    /// them, which is not the same as none (semantics §11 row 38).
    pub tags: Option<Tags>,
    /// What evaluators read.
    pub body: Body,
    /// A later state whose configuration was not recorded: what [`Item::body`] tells held once and
    /// may have changed since (formats §6: the old state is kept, marked stale). Of the very version of the
    /// item where states of that version contradict each other ([`Item::is_contradicted`]).
    ///
    /// INVARIANT: [`Item::version`] does not supersede its version, and [`Body::is_unseen`] is not true of the body.
    pub unseen_since: Option<Box<UnseenState>>,
    /// What other states of the same version tell and this one does not: what contradicts them later
    /// contradicts this one. Nobody judges by it.
    ///
    /// INVARIANT: `None` beside [`Item::unseen_since`], for nothing more can be doubted then.
    pub told_beside: Option<Box<Members>>,
}

impl Item {
    /// Whether states of its version tell the same member differently, so that nobody knows which of them
    /// holds (semantics §11 row 67).
    pub fn is_contradicted(&self) -> bool {
        self.unseen_since.as_ref().is_some_and(|later| later.version == self.version)
    }

    /// What it tells, member by member.
    pub(super) fn members(&self) -> Members {
        Members::of(&self.body, self.tags.as_ref(), self.name.as_deref())
    }

    /// Whether all that is known of the resource is that it was deleted.
    pub fn is_tombstone(&self) -> bool {
        self.body == Body::Deleted && self.unseen_since.is_none()
    }

    /// Whether another state of the resource tells the same, whenever that was: whoever reads it as a fact
    /// outside its shard reads nothing else.
    pub fn tells_same(&self, other: &Item) -> bool {
        let Item { key, version: _, name, arn, tags, body, unseen_since, told_beside: _ } = self;
        (key, name, arn, tags) == (&other.key, &other.name, &other.arn, &other.tags)
            && body == &other.body
            && unseen_since == &other.unseen_since
    }

    /// The tags that were told last: those of the later state, where it tells them. `None` when
    /// neither state does.
    pub fn latest_tags(&self) -> Option<&Tags> {
        let later = self.unseen_since.as_ref().and_then(|later| later.tags.as_ref());
        later.or(self.tags.as_ref())
    }
}

/// A state of a resource that tells nothing of its configuration: an oversized notification's
/// summary, `ResourceNotRecorded`, a null body, or an item that could not be read.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct UnseenState {
    /// How new.
    pub version: Version,
    /// `resourceName`.
    pub name: Option<Box<str>>,
    /// `ARN`, when present.
    pub arn: Option<Box<str>>,
    /// Item-level tags; `None` when they were not told. Such states write an empty map whatever the
    /// tags are, so that one tells nothing either.
    pub tags: Option<Tags>,
}

impl Item {
    /// What is known of the resource now. Of one that was deleted and later seen again without a
    /// body that is only that it exists: the states before the deletion are another life's.
    pub fn shown(self) -> Item {
        match (self.body, self.unseen_since) {
            (Body::Deleted, Some(unseen)) => Item {
                key: self.key,
                version: unseen.version,
                name: unseen.name,
                arn: unseen.arn,
                tags: unseen.tags,
                body: Body::Unseen,
                unseen_since: None,
                told_beside: None,
            },
            (body, unseen_since) => Item { body, unseen_since, ..self },
        }
    }
}

/// What one delivered item says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// The state; for a deletion its body is [`Body::Deleted`].
    pub item: Item,
    /// Whether the delivered Region was `global` (the key's Region is then us-east-1).
    pub global: bool,
    /// Whether it claims to be of a moment too far ahead ([`AHEAD_MS_MAX`](super::AHEAD_MS_MAX)): the item is as
    /// of its receipt then and tells nothing, not even how old its shard is (semantics §11 row 68).
    pub is_ahead: bool,
}

impl Observation {
    /// The same of a moment too far ahead, received at `now_ms`: that the resource is there is all that is left.
    pub(super) fn ahead(self, now_ms: i64) -> Observation {
        let item = Item {
            version: Version { state: None, captured_ms: now_ms },
            name: None,
            arn: None,
            tags: None,
            body: Body::Unseen,
            ..self.item
        };
        Observation { item, is_ahead: true, ..self }
    }
}
