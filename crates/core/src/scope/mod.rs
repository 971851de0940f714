//! Who it is about: accounts by IncludeMap or ExcludeMap with nested organizational units, and
//! resources by type and tags (semantics §4).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, OuId, ResourceType};
use crate::inventory::Tags;
use crate::organization::{Account, Organization};

mod administrator;
mod filter;
#[cfg(test)]
mod tests;

pub use administrator::{AdminScope, Grant};
pub use filter::{AccountFilter, Unit};

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

impl Scope {
    /// Whether an account is in scope: it belongs to the organization, is not suspended or closed
    /// (semantics §10 row 6), and the maps let it in. Ids that have vanished from the organization
    /// match nothing (row 32).
    pub fn has_account(&self, organization: &Organization, account: &AccountId) -> bool {
        let Some(held) = organization.accounts.get(account) else { return false };
        held.status.is_judged()
            && match &self.accounts {
                AccountScope::Everyone => true,
                AccountScope::Only(set) => set.names(organization, account, held),
                AccountScope::AllBut(set) => !set.names(organization, account, held),
            }
    }

    /// Whether a resource with these tags is in scope (semantics §4.3): key and value must be
    /// equal, without wildcards; no filter lets every resource in.
    pub fn has_tags(&self, tags: &Tags) -> bool {
        self.tags.has(tags)
    }

    /// Whether resources of this type are in scope.
    pub fn lists(&self, resource_type: &ResourceType) -> bool {
        self.resource_types.contains(resource_type)
    }
}

impl TagScope {
    /// As [`Scope::has_tags`].
    pub fn has(&self, tags: &Tags) -> bool {
        let TagScope { tags: wanted, exclude, any } = self;
        if wanted.is_empty() {
            return true;
        }
        let has = |(key, value): &(Box<str>, Box<str>)| tags.get(key) == Some(value);
        let matches = if *any { wanted.iter().any(has) } else { wanted.iter().all(has) };
        matches != *exclude
    }
}

impl AccountSet {
    /// Whether nothing is named, as in `{"ACCOUNT":[]}`.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.units.is_empty()
    }

    fn names(&self, organization: &Organization, id: &AccountId, account: &Account) -> bool {
        self.accounts.contains(id)
            || organization.units_above(&account.parent).any(|unit| self.units.contains(unit))
    }
}

/// Accounts in scope, ascending. Each unit's ancestors are walked once, so that the cost is
/// that of one look-up an account.
pub fn in_scope_accounts<'a>(scope: &Scope, organization: &'a Organization) -> Vec<&'a AccountId> {
    let (set, listed_are_in) = match &scope.accounts {
        AccountScope::Everyone => return organization.judged_accounts().collect(),
        AccountScope::Only(set) => (set, true),
        AccountScope::AllBut(set) => (set, false),
    };
    let covered = covered_units(set, organization);
    let listed = |id: &AccountId, account: &Account| {
        set.accounts.contains(id) || covered.contains(&*account.parent)
    };
    organization
        .accounts
        .iter()
        .filter(|(id, account)| account.status.is_judged() && listed(id, account) == listed_are_in)
        .map(|(id, _)| id)
        .collect()
}

/// Units that the set names, and every unit below one.
fn covered_units<'a>(set: &AccountSet, organization: &'a Organization) -> BTreeSet<&'a str> {
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    for start in organization.units.keys() {
        let mut walked = Vec::new();
        let mut covered = false;
        for unit in organization.units_from(start) {
            if let Some(answer) = known.get(unit.as_str()) {
                covered = *answer;
                break;
            }
            walked.push(unit.as_str());
            if set.units.contains(unit) {
                covered = true;
                break;
            }
        }
        known.extend(walked.into_iter().map(|unit| (unit, covered)));
    }
    known.into_iter().filter(|(_, covered)| *covered).map(|(unit, _)| unit).collect()
}

/// What a change of the organization does to one policy's scope.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeChanges {
    /// Accounts in scope now that were not, ascending.
    pub entered: Vec<AccountId>,
    /// Accounts in scope before that are not now, ascending: their entries end.
    pub left: Vec<AccountId>,
}

impl ScopeChanges {
    /// Whether the scope holds the same accounts as before.
    pub fn is_empty(&self) -> bool {
        self.entered.is_empty() && self.left.is_empty()
    }
}

/// Compares a policy's scope under two states of the organization: accounts moved, added,
/// suspended or gone.
pub fn scope_changes(scope: &Scope, before: &Organization, after: &Organization) -> ScopeChanges {
    let was: BTreeSet<&AccountId> = in_scope_accounts(scope, before).into_iter().collect();
    let is: BTreeSet<&AccountId> = in_scope_accounts(scope, after).into_iter().collect();
    ScopeChanges {
        entered: is.difference(&was).map(|id| (*id).clone()).collect(),
        left: was.difference(&is).map(|id| (*id).clone()).collect(),
    }
}
