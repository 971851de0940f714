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
pub mod content_audit;
mod dns_firewall;
mod document;
mod firewall;
mod nearest;
mod network_acl_common;
mod quotas;
mod refusal;
mod remarks;
mod resource_types;
mod scope_of;
mod security_groups;
mod service_data;
mod shape;
pub mod shield_advanced;
mod tables;
#[cfg(test)]
mod tests;
pub mod usage_audit;
mod waf;
pub mod wafv2;
pub(crate) mod web_acl_name;

pub use admission::{Purpose, admit, admit_update};
pub use document::*;
pub use quotas::Quotas;
pub(crate) use refusal::within;
pub use refusal::{Refusal, RefusalKind};
pub use remarks::{UNKNOWN_MEMBERS_MAX, remarks};
pub use service_data::unknown_members;
pub use shape::Unknown;
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
    /// `SHIELD_ADVANCED`
    ShieldAdvanced(shield_advanced::ShieldAdvanced),
    /// `SECURITY_GROUPS_USAGE_AUDIT`
    UsageAudit(usage_audit::UsageAudit),
    /// `WAFV2`
    Wafv2(wafv2::Wafv2),
    /// A type that is accepted and echoed but not judged yet: an issue on every account.
    NotJudged(PolicyType),
}

impl PolicyType {
    /// All eleven, in the model's order.
    pub const ALL: [PolicyType; 11] = [
        PolicyType::Waf,
        PolicyType::Wafv2,
        PolicyType::ShieldAdvanced,
        PolicyType::SecurityGroupsCommon,
        PolicyType::SecurityGroupsContentAudit,
        PolicyType::SecurityGroupsUsageAudit,
        PolicyType::NetworkFirewall,
        PolicyType::DnsFirewall,
        PolicyType::ThirdPartyFirewall,
        PolicyType::ImportNetworkFirewall,
        PolicyType::NetworkAclCommon,
    ];

    /// As AWS writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            PolicyType::Waf => "WAF",
            PolicyType::Wafv2 => "WAFV2",
            PolicyType::ShieldAdvanced => "SHIELD_ADVANCED",
            PolicyType::SecurityGroupsCommon => "SECURITY_GROUPS_COMMON",
            PolicyType::SecurityGroupsContentAudit => "SECURITY_GROUPS_CONTENT_AUDIT",
            PolicyType::SecurityGroupsUsageAudit => "SECURITY_GROUPS_USAGE_AUDIT",
            PolicyType::NetworkFirewall => "NETWORK_FIREWALL",
            PolicyType::DnsFirewall => "DNS_FIREWALL",
            PolicyType::ThirdPartyFirewall => "THIRD_PARTY_FIREWALL",
            PolicyType::ImportNetworkFirewall => "IMPORT_NETWORK_FIREWALL",
            PolicyType::NetworkAclCommon => "NETWORK_ACL_COMMON",
        }
    }
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
    /// Resource types named by the policy, whichever way it names them.
    pub fn resource_types(&self) -> &[ResourceType] {
        &self.scope.resource_types
    }

    /// The policy's type.
    pub fn policy_type(&self) -> PolicyType {
        match &self.rule {
            Rule::ContentAudit(_) => PolicyType::SecurityGroupsContentAudit,
            Rule::ShieldAdvanced(_) => PolicyType::ShieldAdvanced,
            Rule::UsageAudit(_) => PolicyType::SecurityGroupsUsageAudit,
            Rule::Wafv2(_) => PolicyType::Wafv2,
            Rule::NotJudged(policy_type) => *policy_type,
        }
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
        owner,
        region,
        revision,
        remediation_enabled: document.remediation_enabled,
        scope: wanted.scope,
        rule: wanted.rule,
    })
}

/// The identity-free part of a policy, with what quotas count.
struct Wanted {
    policy_type: PolicyType,
    scope: Scope,
    rule: Rule,
    /// (what, count, quota) of each quota that the type's own data touches.
    counts: Vec<Count>,
}

/// Something that a quota limits.
struct Count {
    what: &'static str,
    count: usize,
    max: fn(&Quotas) -> u32,
}

impl Wanted {
    fn read(document: &Document, region: &Region) -> Result<Wanted, Refusal> {
        let policy_type = document.policy_type()?;
        check_name(&document.policy_name)?;
        let scope = scope_of::scope_of(document, policy_type, region)?;
        check_options(document, policy_type)?;
        let data = service_data::read(document, policy_type)?;
        let mut counts = Vec::new();
        let rule = rule_of(document, policy_type, &data.root(), &mut counts)?;
        Ok(Wanted { policy_type, scope, rule, counts })
    }
}

fn rule_of(
    document: &Document,
    policy_type: PolicyType,
    data: &shape::Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<Rule, Refusal> {
    match policy_type {
        PolicyType::SecurityGroupsContentAudit => {
            return content_audit::parse(data, counts).map(Rule::ContentAudit);
        }
        PolicyType::ShieldAdvanced => {
            return shield_advanced::parse(data).map(Rule::ShieldAdvanced);
        }
        PolicyType::SecurityGroupsUsageAudit => {
            return usage_audit::parse(data).map(Rule::UsageAudit);
        }
        PolicyType::Wafv2 => return wafv2::parse(data, counts).map(Rule::Wafv2),
        PolicyType::Waf => waf::check(data, counts)?,
        PolicyType::SecurityGroupsCommon => security_groups::check_common(data, counts)?,
        PolicyType::NetworkFirewall => firewall::check_network_firewall(document, data, counts)?,
        PolicyType::ImportNetworkFirewall => firewall::check_import(data, counts)?,
        PolicyType::ThirdPartyFirewall => firewall::check_third_party(document, data)?,
        PolicyType::DnsFirewall => dns_firewall::check(data, counts)?,
        PolicyType::NetworkAclCommon => network_acl_common::check(document, counts)?,
    }
    Ok(Rule::NotJudged(policy_type))
}

/// Longest `PolicyName` (model `ResourceName`), in UTF-16 units.
pub const POLICY_NAME_MAX: usize = 128;

fn check_name(name: &str) -> Result<(), Refusal> {
    let length = name.encode_utf16().count();
    if length == 0 || length > POLICY_NAME_MAX {
        return Err(Refusal::input(format!(
            "PolicyName has {length} characters; give 1 to {POLICY_NAME_MAX}"
        )));
    }
    Ok(())
}

/// Members of the document that only some types may use (semantics §2.2, PutPolicy items 6–8).
fn check_options(document: &Document, policy_type: PolicyType) -> Result<(), Refusal> {
    let cleans_up = document.delete_unused_managed_resources == Some(true);
    if cleans_up && matches!(policy_type, PolicyType::ShieldAdvanced | PolicyType::Waf) {
        return Err(Refusal::input(format!(
            "`DeleteUnusedFMManagedResources` is not available for {}; set it to false or leave \
             it out",
            policy_type.as_str()
        )));
    }
    let sets = document.resource_set_ids.as_deref().unwrap_or_default();
    if policy_type == PolicyType::ImportNetworkFirewall && sets.is_empty() {
        return Err(Refusal::input("You must specify an Resource Set ID in \"resourceSetIds\"."));
    }
    check_policy_option(document, policy_type)
}

fn check_policy_option(document: &Document, policy_type: PolicyType) -> Result<(), Refusal> {
    let Some(option) = &document.security_service_policy_data.policy_option else {
        return Ok(());
    };
    let set = [
        (
            "NetworkFirewallPolicy",
            PolicyType::NetworkFirewall,
            option.network_firewall_policy.is_some(),
        ),
        (
            "ThirdPartyFirewallPolicy",
            PolicyType::ThirdPartyFirewall,
            option.third_party_firewall_policy.is_some(),
        ),
        (
            "NetworkAclCommonPolicy",
            PolicyType::NetworkAclCommon,
            option.network_acl_common_policy.is_some(),
        ),
    ];
    let mut members = set.iter().filter(|(_, _, set)| *set);
    let (Some((member, of, _)), None) = (members.next(), members.next()) else {
        return Err(Refusal::input(
            "`SecurityServicePolicyData.PolicyOption` must have exactly one member set; keep the \
             one of the policy's type or leave PolicyOption out",
        ));
    };
    if *of != policy_type {
        return Err(Refusal::input(format!(
            "`SecurityServicePolicyData.PolicyOption.{member}` belongs to {}, not to {}; leave it \
             out",
            of.as_str(),
            policy_type.as_str()
        )));
    }
    for deployment in
        [&option.network_firewall_policy, &option.third_party_firewall_policy].into_iter().flatten()
    {
        let model = deployment.firewall_deployment_model.as_deref();
        if let Some(model) = model.filter(|model| !matches!(*model, "CENTRALIZED" | "DISTRIBUTED"))
        {
            return Err(Refusal::input(format!(
                "`PolicyOption.{member}.FirewallDeploymentModel` is CENTRALIZED or DISTRIBUTED, \
                 not `{}`",
                shown(model)
            )));
        }
    }
    Ok(())
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
