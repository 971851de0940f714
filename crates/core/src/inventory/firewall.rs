//! AWS Network Firewall: firewalls, and the policies by which they filter (formats §9).

use serde::{Deserialize, Serialize};

/// A firewall.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct NetworkFirewall {
    /// `firewallName`, else the item's name.
    pub name: Option<Box<str>>,
    /// `firewallArn`, else the item's ARN.
    pub arn: Option<Box<str>>,
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `firewallPolicyArn`
    pub policy: Option<Box<str>>,
    /// Subnets of `subnetMappings`, ascending; `None` when the body does not tell them.
    pub subnets: Option<Vec<Box<str>>>,
}

/// A firewall policy of Network Firewall.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct FirewallPolicy {
    /// `firewallPolicyArn`, else the item's ARN.
    pub arn: Option<Box<str>>,
    /// What it filters by.
    pub rules: FirewallRules,
}

/// What firewalls filter by: `NetworkFirewallPolicyDescription` of the model. A member that is `None`
/// was not told; of a policy of Firewall Manager, it is not asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirewallRules {
    /// `statelessRuleGroupReferences`, ascending by priority and ARN.
    pub stateless_groups: Option<Vec<FirewallRuleGroup>>,
    /// `statelessDefaultActions`, ascending.
    pub stateless_defaults: Option<Vec<Box<str>>>,
    /// `statelessFragmentDefaultActions`, ascending.
    pub fragment_defaults: Option<Vec<Box<str>>>,
    /// `statelessCustomActions`, ascending by name.
    pub custom_actions: Option<Vec<CustomAction>>,
    /// `statefulRuleGroupReferences`, ascending by priority and ARN.
    pub stateful_groups: Option<Vec<FirewallRuleGroup>>,
    /// `statefulDefaultActions`, ascending.
    pub stateful_defaults: Option<Vec<Box<str>>>,
    /// `statefulEngineOptions.ruleOrder`
    pub rule_order: Option<Box<str>>,
    /// `statefulEngineOptions.streamExceptionPolicy`
    pub stream_exceptions: Option<Box<str>>,
}

/// A rule group that a firewall policy refers to.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirewallRuleGroup {
    /// `priority`, 1 to 65535; stateful ones have none where the order of actions rules.
    pub priority: Option<u16>,
    /// `resourceArn`
    pub arn: Box<str>,
    /// `override.action` of a managed group.
    pub override_action: Option<Box<str>>,
}

impl FirewallRuleGroup {
    /// The last part of its ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

/// An action of a firewall policy's own: it publishes a metric.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomAction {
    /// `actionName`
    pub name: Box<str>,
    /// Values of `publishMetricAction.dimensions`, in order.
    pub dimensions: Vec<Box<str>>,
}
