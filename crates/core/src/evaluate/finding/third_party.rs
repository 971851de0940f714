//! What is found of other vendors' firewalls in VPCs: the same as of Network Firewall's, and whose it is.

use serde::{Deserialize, Serialize};

use super::firewalls::FirewallFinding;
use super::reason::Reasoned;

/// What is wrong with a vendor's firewall in a VPC.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum ThirdPartyFinding {
    /// A firewall, an endpoint or a route table of its own is missing, or a zone is not listed any more.
    ThirdPartyFirewall {
        /// `thirdPartyFirewall` of the policy.
        vendor: Box<str>,
        /// What.
        found: Box<FirewallFinding>,
    },
}

impl ThirdPartyFinding {
    /// What was found, with the reason that AWS gives for it and the vendor.
    pub(in crate::evaluate) fn of(
        vendor: &str,
        found: FirewallFinding,
    ) -> Reasoned<ThirdPartyFinding> {
        let Reasoned { reason, finding } = found.reasoned();
        let (vendor, found) = (vendor.into(), Box::new(finding));
        Reasoned { reason, finding: ThirdPartyFinding::ThirdPartyFirewall { vendor, found } }
    }

    /// What would end it.
    pub fn ends_by(&self) -> Vec<String> {
        let ThirdPartyFinding::ThirdPartyFirewall { found, .. } = self;
        found.ends_by()
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            ThirdPartyFinding::ThirdPartyFirewall { vendor, found } => {
                format!("{vendor}: {}", found.summary())
            }
        }
    }
}
