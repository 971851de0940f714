//! Who it is about: accounts by IncludeMap or ExcludeMap with nested organizational units, and
//! resources by type and tags (semantics §4).

use std::collections::BTreeSet;

use crate::ident::{AccountId, OuId, ResourceType};

/// The scope of one policy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scope {
    /// Which accounts.
    pub accounts: AccountScope,
    /// `ResourceType`, or the members of `ResourceTypeList`.
    pub resource_types: Vec<ResourceType>,
    /// Which resources by tag.
    pub tags: TagScope,
}

/// Which accounts a policy is about. Include wins over exclude; an empty map is no map.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum AccountScope {
    /// Every account of the organization, those to come too.
    #[default]
    Everyone,
    /// `IncludeMap`: these.
    Only(AccountSet),
    /// `ExcludeMap`: all but these.
    AllBut(AccountSet),
}

/// Accounts named directly or by an organizational unit at any depth above them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccountSet {
    /// `ACCOUNT`
    pub accounts: BTreeSet<AccountId>,
    /// `ORG_UNIT`
    pub units: BTreeSet<OuId>,
}

/// `ResourceTags`, `ExcludeResourceTags`, `ResourceTagLogicalOperator`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TagScope {
    /// Key and value; a missing value is `""` and matches only `""`. Empty: no filter.
    pub tags: Vec<(Box<str>, Box<str>)>,
    /// Matching resources are out rather than in.
    pub exclude: bool,
    /// One tag is enough to match (`OR`), rather than all (`AND`).
    pub any: bool,
}
