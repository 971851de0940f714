//! Network Firewall, DNS Firewall, and what accounts share of them.

use super::rates::UNPUBLISHED;
use super::table::table;
use crate::call::{Call, Rest, call};
use crate::service::Service::{NetworkFirewall, Ram, Resolver};

/// The greatest page of both.
const PAGE: u32 = 100;

const fn firewall(action: &'static str, iam: &'static [&'static str]) -> Call {
    call(NetworkFirewall, action, iam, &UNPUBLISHED)
}

const fn resolver(action: &'static str, iam: &'static [&'static str]) -> Call {
    call(Resolver, action, iam, &UNPUBLISHED)
}

const fn shares(action: &'static str, iam: &'static [&'static str], path: &'static str) -> Call {
    call(Ram, action, iam, &UNPUBLISHED).rest(Rest { method: "POST", path, query: "" })
}

table! {
    FIREWALLS:
    /// Firewalls.
    LIST_FIREWALLS = firewall("ListFirewalls", &["network-firewall:ListFirewalls"])
        .list("Firewalls").pages("NextToken", "MaxResults", PAGE);
    /// One firewall, its endpoints and their state.
    DESCRIBE_FIREWALL = firewall("DescribeFirewall", &["network-firewall:DescribeFirewall"]);
    /// Firewall policies.
    LIST_FIREWALL_POLICIES = firewall("ListFirewallPolicies", &["network-firewall:ListFirewallPolicies"])
        .list("FirewallPolicies").pages("NextToken", "MaxResults", PAGE);
    /// One firewall policy.
    DESCRIBE_FIREWALL_POLICY = firewall("DescribeFirewallPolicy", &["network-firewall:DescribeFirewallPolicy"]);
    /// Rule groups.
    LIST_FIREWALL_RULE_GROUPS_OF_NETWORK = firewall("ListRuleGroups", &["network-firewall:ListRuleGroups"])
        .list("RuleGroups").pages("NextToken", "MaxResults", PAGE);
    /// A rule group's type and capacity.
    DESCRIBE_RULE_GROUP_METADATA = firewall("DescribeRuleGroupMetadata", &["network-firewall:DescribeRuleGroupMetadata"]);
    /// Where a firewall logs to.
    DESCRIBE_LOGGING_CONFIGURATION = firewall(
        "DescribeLoggingConfiguration", &["network-firewall:DescribeLoggingConfiguration"],
    );
    /// One TLS inspection configuration.
    DESCRIBE_TLS_INSPECTION_CONFIGURATION = firewall(
        "DescribeTLSInspectionConfiguration", &["network-firewall:DescribeTLSInspectionConfiguration"],
    );
    /// The tags of a firewall, a policy or a rule group.
    LIST_TAGS_FOR_FIREWALL_RESOURCE = firewall("ListTagsForResource", &["network-firewall:ListTagsForResource"])
        .list("Tags").pages("NextToken", "MaxResults", PAGE);
    /// Associations of DNS Firewall rule groups with VPCs.
    LIST_FIREWALL_RULE_GROUP_ASSOCIATIONS = resolver(
        "ListFirewallRuleGroupAssociations", &["route53resolver:ListFirewallRuleGroupAssociations"],
    ).list("FirewallRuleGroupAssociations").pages("NextToken", "MaxResults", PAGE);
    /// DNS Firewall rule groups.
    LIST_FIREWALL_RULE_GROUPS = resolver("ListFirewallRuleGroups", &["route53resolver:ListFirewallRuleGroups"])
        .list("FirewallRuleGroups").pages("NextToken", "MaxResults", PAGE);
    /// One of them.
    GET_FIREWALL_RULE_GROUP = resolver("GetFirewallRuleGroup", &["route53resolver:GetFirewallRuleGroup"]);
    /// The tags of a rule group or an association.
    LIST_TAGS_FOR_RESOLVER_RESOURCE = resolver("ListTagsForResource", &["route53resolver:ListTagsForResource"])
        .list("Tags").pages("NextToken", "MaxResults", PAGE);
    /// Shares of an owner.
    GET_RESOURCE_SHARES = shares("GetResourceShares", &["ram:GetResourceShares"], "/getresourceshares")
        .list("resourceShares").pages("nextToken", "maxResults", 500);
    /// What shares hold, or whom they are for.
    GET_RESOURCE_SHARE_ASSOCIATIONS = shares(
        "GetResourceShareAssociations", &["ram:GetResourceShareAssociations"], "/getresourceshareassociations",
    ).list("resourceShareAssociations").pages("nextToken", "maxResults", 500);
}
