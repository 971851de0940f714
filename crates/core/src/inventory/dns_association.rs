//! An association of a DNS Firewall rule group with a VPC (formats §9).

use serde::{Deserialize, Serialize};

/// An association of a DNS Firewall rule group with a VPC. What the body does not tell is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct DnsAssociation {
    /// `FirewallRuleGroupId`
    pub group: Option<Box<str>>,
    /// `VpcId`
    pub vpc: Option<Box<str>>,
    /// `Priority`: rule groups of a VPC filter in ascending order.
    pub priority: Option<i32>,
    /// `Status`: `COMPLETE`, `UPDATING` or `DELETING`.
    pub status: Option<Box<str>>,
    /// `Name`, else the item's name: `FMManaged_<PolicyId>` where Firewall Manager made it.
    pub name: Option<Box<str>>,
}

impl DnsAssociation {
    /// Whether it filters (semantics §10 row 20); `None` when not told.
    pub fn is_complete(&self) -> Option<bool> {
        self.status.as_ref().map(|status| status.eq_ignore_ascii_case("COMPLETE"))
    }
}
