//! Whose resources these are: accounts, nested organizational units, the management account.
//!
//! The file format is what AWS Organizations' own describe and list calls answer, in one document.

mod file;
mod parse;
mod replacement;
#[cfg(test)]
mod tests;

pub use parse::OrganizationError;
pub use replacement::{Replacement, replacement};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, OuId};

/// An organization, checked: every parent exists and there is no cycle.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// `Organization.Id`
    pub id: Box<str>,
    /// `Organization.ManagementAccountId` (or the older `MasterAccountId`).
    pub management: AccountId,
    /// `DefaultAdministrator`, optional in the file; used by `check` and as the initial default administrator.
    pub default_administrator: Option<AccountId>,
    /// `Roots[].Id`
    pub roots: BTreeSet<Box<str>>,
    /// Organizational units by id.
    pub units: BTreeMap<OuId, Unit>,
    /// Accounts by id.
    pub accounts: BTreeMap<AccountId, Account>,
}

/// An organizational unit.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// `Name`
    pub name: Box<str>,
    /// Id of the unit or root above.
    pub parent: Box<str>,
}

/// An account of the organization.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// `Name`
    pub name: Box<str>,
    /// `Status`
    pub status: AccountStatus,
    /// Id of the unit or root above.
    pub parent: Box<str>,
}

/// `Status` of an account. ACTIVE and PENDING_CLOSURE are in scope of policies (semantics §10 row 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    /// In use.
    Active,
    /// Made, not yet activated: out of every scope.
    PendingActivation,
    /// Closing, still there.
    PendingClosure,
    /// Suspended: out of every scope.
    Suspended,
    /// Closed: out of every scope.
    Closed,
}

impl AccountStatus {
    /// Whether resources of such an account are judged.
    pub fn is_judged(self) -> bool {
        match self {
            AccountStatus::Active | AccountStatus::PendingClosure => true,
            AccountStatus::PendingActivation | AccountStatus::Suspended | AccountStatus::Closed => {
                false
            }
        }
    }
}

impl Organization {
    /// Units above an account, nearest first; none for an account under the root or unknown.
    pub fn ancestors(&self, account: &AccountId) -> Vec<OuId> {
        self.accounts
            .get(account)
            .map(|account| self.units_above(&account.parent).cloned().collect())
            .unwrap_or_default()
    }

    /// The way down to an account, as a person says it: `Root / Production / Payments`.
    pub fn unit_path(&self, account: &AccountId) -> Option<String> {
        let held = self.accounts.get(account)?;
        let mut names: Vec<&str> = self
            .units_above(&held.parent)
            .filter_map(|id| self.units.get(id).map(|unit| (id, &*unit.name)))
            .map(|(id, name)| if name.is_empty() { id.as_str() } else { name })
            .collect();
        names.push("Root");
        names.reverse();
        Some(names.join(" / "))
    }

    /// Accounts whose resources are judged: ACTIVE and PENDING_CLOSURE (semantics §10 row 6),
    /// ascending.
    pub fn judged_accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.iter().filter(|(_, account)| account.status.is_judged()).map(|(id, _)| id)
    }

    /// The unit with id `parent`, then those above it, nearest first; nothing for a root.
    pub fn units_above<'a>(&'a self, parent: &str) -> impl Iterator<Item = &'a OuId> {
        let start = self.units.get_key_value(parent);
        self.walk(start)
    }

    /// A unit itself, then those above it, nearest first.
    pub fn units_from<'a>(&'a self, unit: &OuId) -> impl Iterator<Item = &'a OuId> {
        let start = self.units.get_key_value(unit);
        self.walk(start)
    }

    /// Steps are bounded by the count of units, so that even an organization that was not made by
    /// [`Organization::parse`] and has a cycle comes to an end.
    fn walk<'a>(&'a self, start: Option<(&'a OuId, &'a Unit)>) -> impl Iterator<Item = &'a OuId> {
        std::iter::successors(start, |(_, unit)| self.units.get_key_value(&*unit.parent))
            .map(|(id, _)| id)
            .take(self.units.len())
    }
}
