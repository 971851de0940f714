//! What an additional administrator may act on, and whom its policies judge (semantics §1.3).

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, OuId, PolicyType, Region};
use crate::organization::Organization;

/// `AdminScope`: four independent parts. A part that was not given grants nothing (semantics §9
/// row 22).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct AdminScope {
    /// `AccountScope`
    pub accounts: Option<Grant<AccountId>>,
    /// `OrganizationalUnitScope`
    pub units: Option<Grant<OuId>>,
    /// `RegionScope`; never [`Grant::AllBut`].
    pub regions: Option<Grant<Region>>,
    /// `PolicyTypeScope`; never [`Grant::AllBut`].
    pub policy_types: Option<Grant<PolicyType>>,
}

/// What one part grants. Lists keep the order in which they were given.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Grant<T> {
    /// Everything, what is to come too.
    All,
    /// These.
    Only(Vec<T>),
    /// All but these.
    AllBut(Vec<T>),
}

impl<T: PartialEq> Grant<T> {
    fn has(&self, wanted: &T) -> bool {
        match self {
            Grant::All => true,
            Grant::Only(listed) => listed.contains(wanted),
            Grant::AllBut(listed) => !listed.contains(wanted),
        }
    }
}

impl AdminScope {
    /// Everything: the scope of the default administrator.
    pub fn full() -> AdminScope {
        AdminScope {
            accounts: Some(Grant::All),
            units: Some(Grant::All),
            regions: Some(Grant::All),
            policy_types: Some(Grant::All),
        }
    }

    /// Whether all four parts grant everything.
    pub fn is_full(&self) -> bool {
        *self == AdminScope::full()
    }

    /// Whether an account is in scope: `AccountScope` or `OrganizationalUnitScope` grants it, the
    /// latter by any unit above the account. The root counts as a unit that everything is under, so
    /// all units, or all but some, hold the accounts directly below it too.
    pub fn has_account(&self, organization: &Organization, account: &AccountId) -> bool {
        let Some(held) = organization.accounts.get(account) else { return false };
        let below = |listed: &[OuId]| {
            organization.units_above(&held.parent).any(|unit| listed.contains(unit))
        };
        let by_unit = match &self.units {
            None => false,
            Some(Grant::All) => true,
            Some(Grant::Only(listed)) => below(listed),
            Some(Grant::AllBut(listed)) => !below(listed),
        };
        by_unit || self.accounts.as_ref().is_some_and(|granted| granted.has(account))
    }

    /// Whether the administrator may act in a Region.
    pub fn has_region(&self, region: &Region) -> bool {
        self.regions.as_ref().is_some_and(|granted| granted.has(region))
    }

    /// Whether it may have policies of a type. Third-party firewalls are the default
    /// administrator's alone, whatever is granted.
    pub fn has_policy_type(&self, policy_type: PolicyType) -> bool {
        !policy_type.facts().is_default_administrators
            && self.policy_types.as_ref().is_some_and(|granted| granted.has(&policy_type))
    }
}

#[cfg(test)]
mod tests {
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
            { "Id": "2", "Name": "top", "Status": "ACTIVE", "ParentId": "ou-top" },
            { "Id": "3", "Name": "low", "Status": "ACTIVE", "ParentId": "ou-low" }
        ]
    }"#;

    fn accounts(scope: &AdminScope) -> String {
        let organization = Organization::parse(FILE.as_bytes()).unwrap();
        let has = |id: &&str| scope.has_account(&organization, &AccountId::try_from(*id).unwrap());
        ["1", "2", "3", "4"].into_iter().filter(has).collect::<Vec<_>>().join(" ")
    }

    fn account(id: &str) -> AccountId {
        AccountId::try_from(id).unwrap()
    }

    fn unit(id: &str) -> OuId {
        OuId::try_from(id).unwrap()
    }

    #[test]
    fn accounts_are_granted_by_id_or_by_a_unit_at_any_depth() {
        let by = |accounts, units| AdminScope { accounts, units, ..AdminScope::default() };
        for (scope, want) in [
            (by(None, None), ""),
            (by(Some(Grant::All), None), "1 2 3"),
            (by(None, Some(Grant::All)), "1 2 3"),
            (by(Some(Grant::Only(vec![])), None), ""),
            (by(Some(Grant::Only(vec![account("3"), account("4")])), None), "3"),
            (by(Some(Grant::AllBut(vec![account("3")])), None), "1 2"),
            (by(None, Some(Grant::Only(vec![unit("ou-top")]))), "2 3"),
            (by(None, Some(Grant::Only(vec![unit("ou-low")]))), "3"),
            (by(None, Some(Grant::AllBut(vec![unit("ou-low")]))), "1 2"),
            (by(None, Some(Grant::AllBut(vec![unit("ou-top")]))), "1"),
            (
                by(Some(Grant::Only(vec![account("1")])), Some(Grant::Only(vec![unit("ou-low")]))),
                "1 3",
            ),
        ] {
            assert_eq!(accounts(&scope), want, "{scope:?}");
        }
    }

    #[test]
    fn regions_and_types_are_granted_as_listed_and_third_party_never() {
        let west = Region::try_from("eu-west-1").unwrap();
        let east = Region::home_of_global();
        let scope = AdminScope {
            regions: Some(Grant::Only(vec![west.clone()])),
            policy_types: Some(Grant::Only(vec![PolicyType::Wafv2])),
            ..AdminScope::default()
        };
        assert!(scope.has_region(&west) && !scope.has_region(&east));
        for policy_type in PolicyType::ALL {
            assert_eq!(scope.has_policy_type(policy_type), policy_type == PolicyType::Wafv2);
            let third = policy_type == PolicyType::ThirdPartyFirewall;
            assert_eq!(AdminScope::full().has_policy_type(policy_type), !third);
            assert!(!AdminScope::default().has_policy_type(policy_type));
        }
        assert!(AdminScope::full().is_full() && !scope.is_full());
        assert!(!AdminScope::default().has_region(&east));
    }
}
