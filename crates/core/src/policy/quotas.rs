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

/// A quota by the name it is set with.
struct Named {
    name: &'static str,
    set: fn(&mut Quotas, u32),
}

/// Names of fields as an operator writes them, `policies_max` as `policies`.
macro_rules! named {
    ($($name:literal => $field:ident $(($wrap:ident))?,)*) => {
        [$(Named { name: $name, set: |quotas, max| quotas.$field = $($wrap)?(max) }),*]
    };
}

/// Every quota, in the order of [`Quotas`].
const NAMED: [Named; 25] = named! {
    "policies" => policies_max,
    "units-in-scope" => units_in_scope_max,
    "accounts-named" => accounts_named_max (Some),
    "accounts-in-scope" => accounts_in_scope_max (Some),
    "accounts" => accounts_max (Some),
    "scope-tags" => scope_tags_max,
    "administrators" => administrators_max,
    "resource-sets" => resource_sets_max,
    "resources-per-set" => resources_per_set_max,
    "resource-sets-per-policy" => resource_sets_per_policy_max,
    "rule-groups" => rule_groups_max,
    "partner-rule-groups" => partner_rule_groups_max,
    "classic-rule-groups" => classic_rule_groups_max,
    "primary-groups" => primary_groups_max,
    "audit-groups" => audit_groups_max,
    "lists-per-option" => lists_per_option_max,
    "apps-lists" => apps_lists_max,
    "apps-per-list" => apps_per_list_max,
    "protocols-lists" => protocols_lists_max,
    "protocols-per-list" => protocols_per_list_max,
    "network-acl-entries" => network_acl_entries_max,
    "firewall-cidrs" => firewall_cidrs_max,
    "firewall-rule-groups" => firewall_rule_groups_max,
    "dns-rule-groups" => dns_rule_groups_max,
    "object-tags" => object_tags_max,
};

impl Quotas {
    /// Names that [`Quotas::set`] knows, as a person reads them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.into_iter().map(|named| named.name)
    }

    /// Sets the quota of a name; false when there is none of that name.
    #[must_use]
    pub fn set(&mut self, name: &str, max: u32) -> bool {
        let Some(named) = NAMED.into_iter().find(|named| named.name == name) else {
            return false;
        };
        (named.set)(self, max);
        true
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quota_is_set_by_its_name_and_no_other() {
        for name in Quotas::names() {
            let mut quotas = Quotas::default();
            assert!(quotas.set(name, 77_777), "{name}");
            let (found, default) = (format!("{quotas:#?}"), format!("{:#?}", Quotas::default()));
            let field = format!("    {}_max: ", name.replace('-', "_"));
            assert_eq!(found.matches("77777").count(), 1, "{name}: {found}");
            let changed = found.find(&field).map(|at| &found[at..]).unwrap();
            assert!(changed[..60.min(changed.len())].contains("77777"), "{name}: {changed}");
            let fields = |text: &str| text.matches("_max: ").count();
            assert_eq!(fields(&default), Quotas::names().count(), "a quota has no name");
        }
        assert!(!Quotas::default().set("policies_max", 1));
    }
}
