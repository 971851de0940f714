//! What is wanted: the text of a policy becomes a [`Policy`] that evaluators can use. `PutPolicy`
//! and the evaluator share this one parse, so "valid" means "usable".

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, PolicyId, Region, ResourceType};
use crate::scope::Scope;

pub mod content_audit;
mod document;
pub mod wafv2;

pub use document::*;

/// A valid policy as evaluators see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// `PolicyName`
    pub name: Box<str>,
    /// Names it had before; web ACLs made under them keep them (semantics §5.1 names).
    pub former_names: Vec<Box<str>>,
    /// The administrator account that owns it.
    pub owner: AccountId,
    /// The Region it judges.
    pub region: Region,
    /// Grows by one with every accepted PutPolicy.
    pub revision: u64,
    /// `RemediationEnabled`
    pub remediation_enabled: bool,
    /// Which accounts and resources.
    pub scope: Scope,
    /// What is demanded of them.
    pub rule: Rule,
}

/// What a policy demands, by type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// `SECURITY_GROUPS_CONTENT_AUDIT`
    ContentAudit(content_audit::ContentAudit),
    /// `WAFV2`
    Wafv2(wafv2::Wafv2),
    /// A type that is accepted and echoed but not judged yet: an issue on every account.
    NotJudged(PolicyType),
}

/// `SecurityServiceType` of the model: the eleven types of policy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum PolicyType {
    Waf,
    Wafv2,
    ShieldAdvanced,
    SecurityGroupsCommon,
    SecurityGroupsContentAudit,
    SecurityGroupsUsageAudit,
    NetworkFirewall,
    DnsFirewall,
    ThirdPartyFirewall,
    ImportNetworkFirewall,
    NetworkAclCommon,
}

impl Policy {
    /// Resource types named by the policy, whichever way it names them.
    pub fn resource_types(&self) -> &[ResourceType] {
        &self.scope.resource_types
    }
}
