//! Quotas of Firewall Manager as settings.

/// Quotas, by default AWS's (semantics §7.1) except that counts of accounts are unlimited.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quotas {
    /// Policies of the organization in one Region.
    pub policies_max: u32,
    /// Organizational units in the scope of a policy.
    pub units_in_scope_max: u32,
    /// Accounts named by IncludeMap and ExcludeMap; `None` is unlimited.
    pub accounts_named_max: Option<u32>,
    /// Accounts in scope of a policy that names none; `None` is unlimited.
    pub accounts_in_scope_max: Option<u32>,
    /// Accounts of the organization; `None` is unlimited.
    pub accounts_max: Option<u32>,
    /// `ResourceTags` of a policy.
    pub scope_tags_max: u32,
    /// Administrators of the organization, the default one included.
    pub administrators_max: u32,
    /// Resource sets of an administrator.
    pub resource_sets_max: u32,
    /// Resources of a resource set.
    pub resources_per_set_max: u32,
    /// `ResourceSetIds` of a policy.
    pub resource_sets_per_policy_max: u32,
    /// Rule groups of a WAFV2 policy, first and last together.
    pub rule_groups_max: u32,
    /// Rule groups of other vendors than AWS in a WAFV2 policy.
    pub partner_rule_groups_max: u32,
    /// Rule groups of a WAF Classic policy.
    pub classic_rule_groups_max: u32,
    /// Primary groups of a common security group policy.
    pub primary_groups_max: u32,
    /// Audit groups of a content audit.
    pub audit_groups_max: u32,
    /// Custom lists named by one option of a content audit.
    pub lists_per_option_max: u32,
    /// Custom applications lists of an administrator.
    pub apps_lists_max: u32,
    /// Applications of a custom list.
    pub apps_per_list_max: u32,
    /// Custom protocols lists of an administrator.
    pub protocols_lists_max: u32,
    /// Protocols of a custom list.
    pub protocols_per_list_max: u32,
    /// Network ACL entries of a policy in each direction, first and last together.
    pub network_acl_entries_max: u32,
    /// IPv4 CIDRs of a Network Firewall policy.
    pub firewall_cidrs_max: u32,
    /// Stateless rule groups of a Network Firewall policy, and as many stateful ones.
    pub firewall_rule_groups_max: u32,
    /// Rule groups of a DNS Firewall policy.
    pub dns_rule_groups_max: u32,
    /// Tags of a policy, list or resource set.
    pub object_tags_max: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Quotas {
            policies_max: 50,
            units_in_scope_max: 20,
            accounts_named_max: None,
            accounts_in_scope_max: None,
            accounts_max: None,
            scope_tags_max: 8,
            administrators_max: 10,
            resource_sets_max: 20,
            resources_per_set_max: 100,
            resource_sets_per_policy_max: 5,
            rule_groups_max: 50,
            partner_rule_groups_max: 1,
            classic_rule_groups_max: 2,
            primary_groups_max: 3,
            audit_groups_max: 1,
            lists_per_option_max: 1,
            apps_lists_max: 10,
            apps_per_list_max: 50,
            protocols_lists_max: 10,
            protocols_per_list_max: 5,
            network_acl_entries_max: 5,
            firewall_cidrs_max: 50,
            firewall_rule_groups_max: 20,
            dns_rule_groups_max: 2,
            object_tags_max: 50,
        }
    }
}

impl Quotas {
    /// AWS's quotas, counts of accounts included.
    pub fn aws() -> Quotas {
        Quotas {
            accounts_named_max: Some(200),
            accounts_in_scope_max: Some(2_500),
            accounts_max: Some(10_000),
            ..Quotas::default()
        }
    }
}
