//! The types of policy: one row each.

use super::facts::{Count, Facts};
use super::shape::Node;
use super::{
    Document, NetworkAclEntrySet, PolicyType, Refusal, RefusalKind, common_groups, content_audit,
    dns_firewall, import_network_firewall, network_acl_common, network_firewall, shield_advanced,
    shown, third_party_firewall, usage_audit, waf, wafv2,
};
use crate::ident::{ResourceSetId, ResourceType};

/// What a policy demands, by type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// `SECURITY_GROUPS_COMMON`
    CommonGroups(common_groups::CommonGroups),
    /// `SECURITY_GROUPS_CONTENT_AUDIT`
    ContentAudit(content_audit::ContentAudit),
    /// `DNS_FIREWALL`
    DnsFirewall(dns_firewall::DnsFirewall),
    /// `IMPORT_NETWORK_FIREWALL`
    ImportNetworkFirewall(import_network_firewall::ImportNetworkFirewall),
    /// `NETWORK_ACL_COMMON`
    NetworkAclCommon(network_acl_common::NetworkAclCommon),
    /// `NETWORK_FIREWALL`
    NetworkFirewall(network_firewall::NetworkFirewall),
    /// `SHIELD_ADVANCED`
    ShieldAdvanced(shield_advanced::ShieldAdvanced),
    /// `THIRD_PARTY_FIREWALL`
    ThirdPartyFirewall(third_party_firewall::ThirdPartyFirewall),
    /// `SECURITY_GROUPS_USAGE_AUDIT`
    UsageAudit(usage_audit::UsageAudit),
    /// `WAF`
    Waf(waf::Waf),
    /// `WAFV2`
    Wafv2(wafv2::Wafv2),
}

impl Rule {
    /// The type of the policies that demand it.
    pub fn policy_type(&self) -> PolicyType {
        match self {
            Rule::CommonGroups(_) => PolicyType::SecurityGroupsCommon,
            Rule::ContentAudit(_) => PolicyType::SecurityGroupsContentAudit,
            Rule::DnsFirewall(_) => PolicyType::DnsFirewall,
            Rule::ImportNetworkFirewall(_) => PolicyType::ImportNetworkFirewall,
            Rule::NetworkAclCommon(_) => PolicyType::NetworkAclCommon,
            Rule::NetworkFirewall(_) => PolicyType::NetworkFirewall,
            Rule::ShieldAdvanced(_) => PolicyType::ShieldAdvanced,
            Rule::ThirdPartyFirewall(_) => PolicyType::ThirdPartyFirewall,
            Rule::UsageAudit(_) => PolicyType::SecurityGroupsUsageAudit,
            Rule::Waf(_) => PolicyType::Waf,
            Rule::Wafv2(_) => PolicyType::Wafv2,
        }
    }

    /// The resource sets that name what a policy is about, ascending; none where it does not go by sets.
    pub fn resource_sets(&self) -> &[ResourceSetId] {
        if let Rule::ImportNetworkFirewall(import) = self { &import.resource_sets } else { &[] }
    }

    /// Of a policy on network ACLs: what its earlier versions wanted, the versions in any order. Others
    /// have nothing of the kind.
    pub(super) fn know_former_entries(&mut self, sets: &[NetworkAclEntrySet]) {
        if let Rule::NetworkAclCommon(common) = self {
            common.former = Some(network_acl_common::Former::of(sets));
        }
    }
}

/// A type of policy: what is true of it, and how what it demands is read.
#[derive(Debug)]
pub struct Kind {
    /// Which.
    pub policy_type: PolicyType,
    /// What is true of it.
    pub facts: &'static Facts,
    /// Reads the data of a document of the type, which was checked against its shape.
    read: fn(&Document, &Node<'_>, &mut Vec<Count>) -> Result<Rule, Refusal>,
}

macro_rules! kinds {
    ($($policy_type:ident, $facts:expr, $read:expr;)+) => {
        /// The eleven types, in the model's order.
        pub static KINDS: [Kind; 11] = [$(Kind {
            policy_type: PolicyType::$policy_type,
            facts: $facts,
            read: $read,
        }),+];

        impl PolicyType {
            /// All eleven, in the model's order.
            pub const ALL: [PolicyType; 11] = [$(PolicyType::$policy_type),+];

            /// What is true of the type.
            pub const fn facts(self) -> &'static Facts {
                match self {
                    $(PolicyType::$policy_type => $facts),+
                }
            }
        }
    };
}

kinds! {
    Waf, &waf::FACTS, |_, data, counts| waf::parse(data, counts).map(Rule::Waf);
    Wafv2, &wafv2::FACTS, |_, data, counts| wafv2::parse(data, counts).map(Rule::Wafv2);
    ShieldAdvanced, &shield_advanced::FACTS,
        |_, data, _| shield_advanced::parse(data).map(Rule::ShieldAdvanced);
    SecurityGroupsCommon, &common_groups::FACTS,
        |_, data, counts| common_groups::parse(data, counts).map(Rule::CommonGroups);
    SecurityGroupsContentAudit, &content_audit::FACTS,
        |_, data, counts| content_audit::parse(data, counts).map(Rule::ContentAudit);
    SecurityGroupsUsageAudit, &usage_audit::FACTS,
        |_, data, _| usage_audit::parse(data).map(Rule::UsageAudit);
    NetworkFirewall, &network_firewall::FACTS, |document, data, counts| {
        network_firewall::parse(document, data, counts).map(Rule::NetworkFirewall)
    };
    DnsFirewall, &dns_firewall::FACTS,
        |_, data, counts| dns_firewall::parse(data, counts).map(Rule::DnsFirewall);
    ThirdPartyFirewall, &third_party_firewall::FACTS, |document, data, _| {
        third_party_firewall::parse(document, data).map(Rule::ThirdPartyFirewall)
    };
    ImportNetworkFirewall, &import_network_firewall::FACTS, |document, data, counts| {
        import_network_firewall::parse(document, data, counts).map(Rule::ImportNetworkFirewall)
    };
    NetworkAclCommon, &network_acl_common::FACTS, |document, _, counts| {
        network_acl_common::parse(document, counts).map(Rule::NetworkAclCommon)
    };
}

impl PolicyType {
    /// As AWS writes it.
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// Resource types that a policy of this type may name.
    pub const fn resource_types(self) -> &'static [ResourceType] {
        self.facts().resource_types
    }
}

impl Document {
    /// `SecurityServicePolicyData.Type`
    ///
    /// # Errors
    /// `InvalidTypeException` for what is no type.
    pub fn policy_type(&self) -> Result<PolicyType, Refusal> {
        self.kind().map(|kind| kind.policy_type)
    }

    fn kind(&self) -> Result<&'static Kind, Refusal> {
        let text = self.security_service_policy_data.policy_type.as_str();
        KINDS.iter().find(|kind| kind.facts.name == text).ok_or_else(|| Refusal {
            kind: RefusalKind::InvalidType,
            message: format!(
                "`{}` in SecurityServicePolicyData.Type is not a type of policy; it is one of {}",
                shown(text),
                PolicyType::ALL.map(PolicyType::as_str).join(", ")
            ),
        })
    }
}

/// What the data of a document demands.
pub(super) fn rule_of(
    document: &Document,
    data: &Node<'_>,
    counts: &mut Vec<Count>,
) -> Result<Rule, Refusal> {
    (document.kind()?.read)(document, data, counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_the_model_names_them() {
        for (kind, policy_type) in KINDS.iter().zip(PolicyType::ALL) {
            assert_eq!(kind.policy_type, policy_type);
            let named = serde_json::to_value(policy_type).unwrap();
            assert_eq!(named, kind.facts.name);
        }
    }
}
