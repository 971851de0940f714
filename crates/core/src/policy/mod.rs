//! What is wanted: the text of a policy becomes a [`Policy`] that evaluators can use. `PutPolicy`
//! and the evaluator share this one parse, so "valid" means "usable".
//!
//! ```text
//! Document ─ parse ─► Policy        context-free validity, for PutPolicy and every load
//!          ─ admit ─► ()            what depends on the organization, the Region and quotas
//!          ─ echo  ─► Document      what GetPolicy and PutPolicy answer
//! ```

use crate::ident::{AccountId, PolicyId, Region, ResourceType};
use crate::scope::Scope;

pub use crate::ident::PolicyType;

mod admission;
pub mod common_groups;
pub mod content_audit;
pub mod dns_firewall;
mod document;
mod elder;
mod elders;
mod facts;
mod firewall;
mod firewall_rules;
pub mod import_network_firewall;
mod kinds;
mod nearest;
pub mod network_acl_common;
pub mod network_firewall;
mod quotas;
mod refusal;
mod remarks;
mod scope_of;
mod security_groups;
mod service_data;
mod shape;
pub mod shield_advanced;
#[cfg(test)]
mod tests;
pub mod third_party_firewall;
pub mod usage_audit;
pub mod waf;
pub mod wafv2;
mod wanted;
pub(crate) mod web_acl_name;

pub use admission::{Purpose, admit, admit_update};
pub use document::*;
pub use elder::Elder;
pub use elders::elders;
pub use facts::{DependentService, Facts};
pub use kinds::{KINDS, Kind, Rule};
pub use nearest::nearest;
pub use quotas::Quotas;
pub(crate) use refusal::within;
pub use refusal::{Refusal, RefusalKind};
pub use remarks::{UNKNOWN_MEMBERS_MAX, remarks};
pub use service_data::unknown_members;
pub use shape::Unknown;
pub use wanted::POLICY_NAME_MAX;
use wanted::Wanted;
pub use web_acl_name::rivals;

/// A valid policy as evaluators see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// `PolicyName`
    pub name: Box<str>,
    /// Names it had before; web ACLs made under them keep them (semantics §5.1 names).
    pub former_names: Vec<Box<str>>,
    /// Names of other policies that win over one of this one's own where a web ACL's name fits both
    /// (semantics §11 row 34). No document tells them: whoever knows all policies sets what
    /// [`rivals`] finds.
    pub rival_names: Vec<Box<str>>,
    /// Of a policy on network ACLs, or one that imports firewalls, those that were created before it in its
    /// Region, the oldest first: a subnet or firewall in the scope of one of them is not in its own (semantics
    /// §5.8, §11 row 53). No document tells
    /// them: whoever knows all policies sets what [`elders()`] finds.
    pub elders: Vec<Elder>,
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

/// What the document of a policy does not say: who owns it, where it judges, how often it changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The policy's id.
    pub id: PolicyId,
    /// The administrator account that owns it.
    pub owner: AccountId,
    /// The Region it judges.
    pub region: Region,
    /// Grows by one with every accepted PutPolicy.
    pub revision: u64,
    /// Names it had before.
    pub former_names: Vec<Box<str>>,
}

impl Policy {
    /// What earlier versions of the policy wanted, in any order; of a policy that is not on network ACLs
    /// nothing is kept (semantics §5.11).
    pub fn know_former_entries(&mut self, sets: &[NetworkAclEntrySet]) {
        self.rule.know_former_entries(sets);
    }

    /// Resource types named by the policy, whichever way it names them.
    pub fn resource_types(&self) -> &[ResourceType] {
        &self.scope.resource_types
    }

    /// The policy's type.
    pub fn policy_type(&self) -> PolicyType {
        self.rule.policy_type()
    }
}

/// Reads a policy: everything that can be said of a document by itself. A document that was once
/// accepted stays valid whatever becomes of the organization (semantics §10 row 32).
pub fn parse(document: &Document, identity: Identity) -> Result<Policy, Refusal> {
    let wanted = Wanted::read(document, &identity.region)?;
    let Identity { id, owner, region, revision, former_names } = identity;
    Ok(Policy {
        id,
        name: document.policy_name.as_str().into(),
        former_names,
        rival_names: Vec::new(),
        elders: Vec::new(),
        owner,
        region,
        revision,
        remediation_enabled: document.remediation_enabled,
        scope: wanted.scope,
        rule: wanted.rule,
    })
}

/// What GetPolicy and PutPolicy answer for a document: ManagedServiceData parsed and serialised
/// again, with every known key, scalars typed, and unknown members as they came (semantics §10 row
/// 26, §11 rows 46, 47); tags without a value
/// get `""`, an absent operator is `AND` (semantics §4.3), absent ResourceTags are `[]`, and the
/// status, which requests cannot set, is `ACTIVE`. All else is as sent. The caller sets id and
/// token.
pub fn echo(document: &Document) -> Document {
    let mut echoed = document.clone();
    let data = &mut echoed.security_service_policy_data;
    if let (Ok(policy_type), Some(text)) = (document.policy_type(), &data.managed_service_data) {
        data.managed_service_data = Some(service_data::normalise(policy_type, text));
    }
    let tags = echoed.resource_tags.get_or_insert_default();
    for tag in tags {
        tag.value.get_or_insert_default();
    }
    echoed.resource_tag_logical_operator.get_or_insert_with(|| "AND".into());
    echoed.policy_status = Some("ACTIVE".into());
    echoed
}
