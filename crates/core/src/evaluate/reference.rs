//! Facts outside the shard: how they are named, and what they are found to be.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, ListId, PolicyId, Region, ResourceId, ResourceSetId, ResourceType};
use crate::inventory::Item;
use crate::lists::App;

use super::freshness::Freshness;

/// A fact outside the shard that a policy, one of its rules or an item of the shard names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Reference {
    /// An inventory item, such as an audit group in the administrator's account.
    Item {
        /// Whose.
        account: AccountId,
        /// Where.
        region: Region,
        /// Of what type.
        resource_type: ResourceType,
        /// Which.
        id: ResourceId,
    },
    /// A custom applications list of an administrator.
    AppsList {
        /// The administrator.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// Which.
        id: ListId,
    },
    /// A custom protocols list of an administrator.
    ProtocolsList {
        /// The administrator.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// Which.
        id: ListId,
    },
    /// A resource set of an administrator.
    ResourceSet {
        /// The administrator.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// Which.
        id: ResourceSetId,
    },
    /// The policies by whose ids groups of Firewall Manager's own are told (semantics §11 row 57):
    /// those of type `SECURITY_GROUPS_COMMON` that are or were known, and those that a setting names.
    CommonPolicies,
    /// A security group, whoever's inventory holds it ([`shard_references`](super::shard_references)).
    Group {
        /// Where.
        region: Region,
        /// Which.
        id: ResourceId,
    },
    /// Who is shown in a VPC, and whether their interfaces are known ([`shard_references`](super::shard_references)).
    Vpc {
        /// Where.
        region: Region,
        /// Which.
        id: Box<str>,
    },
}

/// What a reference was found to be. Absent from the map: not seen.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a policy names a handful of facts")]
pub enum Fact {
    /// A live item, and what that is worth.
    Item(Item, Freshness),
    /// `AppsList`
    Apps(Vec<App>),
    /// `ProtocolsList`: names or numbers as text.
    Protocols(Vec<Box<str>>),
    /// `ResourceSet`: ARNs of its resources.
    Resources(BTreeSet<Box<str>>),
    /// `CommonPolicies`
    Policies(BTreeSet<PolicyId>),
}

/// Facts by reference, as found when the shard was loaded.
pub type References = BTreeMap<Reference, Fact>;
