//! Whose resources these are: accounts, nested organizational units, the management account.
//!
//! The file format is what AWS Organizations' own describe and list calls answer, in one document.

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
            AccountStatus::Suspended | AccountStatus::Closed => false,
        }
    }
}
