//! Which filter leaves an account out of a policy's scope, in words that name units.

use crate::ident::{AccountId, OuId};
use crate::organization::{AccountStatus, Organization};

use super::{AccountScope, AdminScope, Scope};

/// What leaves an account out of a policy's scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccountFilter {
    /// It is not in the organization.
    NotInOrganization,
    /// Resources of such accounts are not judged (semantics §10 row 6).
    Status(AccountStatus),
    /// `IncludeMap` names neither it nor a unit above it.
    NotIncluded {
        /// The units above it, nearest first.
        above: Vec<Unit>,
    },
    /// `ExcludeMap` names it, or a unit above it.
    Excluded {
        /// That unit; `None`: the account itself is named.
        by: Option<Unit>,
        /// The units above it, nearest first.
        above: Vec<Unit>,
    },
    /// The scope of the administrator that owns the policy does not hold it (semantics §1.3).
    NotAdministrators,
}

/// An organizational unit by id and name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unit {
    /// Its id.
    pub id: OuId,
    /// Its name.
    pub name: Box<str>,
}

impl AccountFilter {
    /// What leaves `account` out; `None`: it is in scope. `owner` is the scope of the administrator that
    /// owns the policy, `None` for one whose scope is everything.
    pub fn of(
        scope: &Scope,
        owner: Option<&AdminScope>,
        organization: &Organization,
        account: &AccountId,
    ) -> Option<AccountFilter> {
        if scope.has_account(organization, account) {
            let is_owners = owner.is_none_or(|owner| owner.has_account(organization, account));
            return (!is_owners).then_some(AccountFilter::NotAdministrators);
        }
        let Some(held) = organization.accounts.get(account) else {
            return Some(AccountFilter::NotInOrganization);
        };
        if !held.status.is_judged() {
            return Some(AccountFilter::Status(held.status));
        }
        let unit = |id: &OuId| {
            let name = organization.units.get(id).map(|unit| unit.name.clone());
            Unit { id: id.clone(), name: name.unwrap_or_default() }
        };
        let above: Vec<Unit> = organization.units_above(&held.parent).map(unit).collect();
        match &scope.accounts {
            AccountScope::Everyone => None,
            AccountScope::Only(_) => Some(AccountFilter::NotIncluded { above }),
            AccountScope::AllBut(set) => {
                let is_named = set.accounts.contains(account);
                let by = above.iter().find(|unit| set.units.contains(&unit.id)).cloned();
                Some(AccountFilter::Excluded { by: by.filter(|_| !is_named), above })
            }
        }
    }

    /// Why the account is out, as the end of a sentence.
    pub fn summary(&self) -> String {
        match self {
            AccountFilter::NotInOrganization => "its account is not in the organization".to_owned(),
            AccountFilter::Status(status) => {
                let word = match status {
                    AccountStatus::Active => "active",
                    AccountStatus::PendingActivation => "not yet activated",
                    AccountStatus::PendingClosure => "closing",
                    AccountStatus::Suspended => "suspended",
                    AccountStatus::Closed => "closed",
                };
                format!("its account is {word}")
            }
            AccountFilter::NotIncluded { above } => format!(
                "the policy's IncludeMap names neither its account nor a unit above it ({})",
                path(above)
            ),
            AccountFilter::Excluded { by: None, .. } => {
                "the policy's ExcludeMap names its account".to_owned()
            }
            AccountFilter::Excluded { by: Some(unit), above } => format!(
                "the policy's ExcludeMap names unit {}, which its account is in ({})",
                unit.told(),
                path(above)
            ),
            AccountFilter::NotAdministrators => {
                "the AdminScope of the administrator that owns the policy does not hold its account"
                    .to_owned()
            }
        }
    }
}

impl Unit {
    fn told(&self) -> String {
        match self.name.is_empty() {
            true => self.id.to_string(),
            false => format!("{} ({})", self.name, self.id),
        }
    }
}

/// The way from the root down.
fn path(above: &[Unit]) -> String {
    let mut path = String::from("Root");
    for unit in above.iter().rev() {
        path.push_str(" / ");
        path.push_str(&unit.told());
    }
    path
}

#[cfg(test)]
mod tests {
    use crate::scope::{AccountSet, Grant};

    use super::*;

    const FILE: &str = r#"{
        "Organization": { "Id": "o-1", "ManagementAccountId": "1" },
        "Roots": [{ "Id": "r-1" }],
        "OrganizationalUnits": [
            { "Id": "ou-top", "Name": "top", "ParentId": "r-1" },
            { "Id": "ou-low", "Name": "low", "ParentId": "ou-top" }
        ],
        "Accounts": [
            { "Id": "1", "Name": "root", "Status": "ACTIVE", "ParentId": "r-1" },
            { "Id": "3", "Name": "low", "Status": "ACTIVE", "ParentId": "ou-low" },
            { "Id": "4", "Name": "gone", "Status": "SUSPENDED", "ParentId": "ou-low" }
        ]
    }"#;

    fn set(accounts: &str, units: &str) -> AccountSet {
        AccountSet {
            accounts: accounts.split_whitespace().map(|id| id.try_into().unwrap()).collect(),
            units: units.split_whitespace().map(|id| id.try_into().unwrap()).collect(),
        }
    }

    #[test]
    fn the_filter_that_leaves_an_account_out_is_named_with_the_units_above() {
        let organization = Organization::parse(FILE.as_bytes()).unwrap();
        let owner = AdminScope {
            accounts: Some(Grant::Only(vec!["1".try_into().unwrap()])),
            ..AdminScope::default()
        };
        let everyone = || AccountScope::Everyone;
        for (account, accounts, owner, want) in [
            ("1", everyone(), None, None),
            ("1", everyone(), Some(&owner), None),
            (
                "3",
                everyone(),
                Some(&owner),
                Some(
                    "the AdminScope of the administrator that owns the policy does not hold its account",
                ),
            ),
            ("2", everyone(), None, Some("its account is not in the organization")),
            ("4", everyone(), None, Some("its account is suspended")),
            ("3", AccountScope::Only(set("", "ou-top")), None, None),
            (
                "3",
                AccountScope::Only(set("1", "")),
                None,
                Some(
                    "the policy's IncludeMap names neither its account nor a unit above it (Root / top (ou-top) / low (ou-low))",
                ),
            ),
            (
                "1",
                AccountScope::Only(set("", "ou-top")),
                None,
                Some(
                    "the policy's IncludeMap names neither its account nor a unit above it (Root)",
                ),
            ),
            (
                "3",
                AccountScope::AllBut(set("", "ou-top")),
                None,
                Some(
                    "the policy's ExcludeMap names unit top (ou-top), which its account is in (Root / top (ou-top) / low (ou-low))",
                ),
            ),
            (
                "3",
                AccountScope::AllBut(set("3", "ou-top")),
                None,
                Some("the policy's ExcludeMap names its account"),
            ),
            ("1", AccountScope::AllBut(set("", "ou-top")), None, None),
        ] {
            let scope = Scope { accounts: accounts.clone(), ..Scope::default() };
            let id = account.try_into().unwrap();
            let found = AccountFilter::of(&scope, owner, &organization, &id);
            let found = found.map(|filter| filter.summary());
            assert_eq!(found.as_deref(), want, "{account} {accounts:?}");
            let is_in = scope.has_account(&organization, &id)
                && owner.is_none_or(|owner| owner.has_account(&organization, &id));
            assert_eq!(found.is_none(), is_in);
        }
    }
}
