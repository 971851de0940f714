//! What a firewall policy filters by, as the model describes it.

use palisade_core::inventory::{FirewallRuleGroup, FirewallRules};
use palisade_wire::shapes::{
    NetworkFirewallPolicyDescription, NetworkFirewallStatefulRuleGroupOverride,
    StatefulEngineOptions, StatefulRuleGroup, StatelessRuleGroup,
};

/// `NetworkFirewallPolicyDescription`; what is not told is left out.
pub fn description(rules: &FirewallRules) -> NetworkFirewallPolicyDescription {
    let texts = |texts: &Option<Vec<Box<str>>>| {
        texts.as_ref().map(|texts| texts.iter().map(ToString::to_string).collect())
    };
    NetworkFirewallPolicyDescription {
        stateless_rule_groups: all(rules.stateless_groups.as_deref(), stateless),
        stateless_default_actions: texts(&rules.stateless_defaults),
        stateless_fragment_default_actions: texts(&rules.fragment_defaults),
        stateless_custom_actions: all(rules.custom_actions.as_deref(), |action| {
            action.name.to_string()
        }),
        stateful_rule_groups: all(rules.stateful_groups.as_deref(), stateful),
        stateful_default_actions: texts(&rules.stateful_defaults),
        stateful_engine_options: options(rules),
    }
}

fn all<F, T>(of: Option<&[F]>, told: impl Fn(&F) -> T) -> Option<Vec<T>> {
    of.map(|all| all.iter().map(told).collect())
}

fn stateless(group: &FirewallRuleGroup) -> StatelessRuleGroup {
    StatelessRuleGroup {
        rule_group_name: Some(group.name().to_owned()),
        resource_id: Some(group.arn.to_string()),
        priority: group.priority.map(i32::from),
    }
}

fn stateful(group: &FirewallRuleGroup) -> StatefulRuleGroup {
    let action = group.override_action.as_deref();
    StatefulRuleGroup {
        rule_group_name: Some(group.name().to_owned()),
        resource_id: Some(group.arn.to_string()),
        priority: group.priority.map(i32::from),
        r#override: action
            .map(|action| NetworkFirewallStatefulRuleGroupOverride { action: action.parse().ok() }),
    }
}

fn options(rules: &FirewallRules) -> Option<StatefulEngineOptions> {
    let (order, stream) = (rules.rule_order.as_deref(), rules.stream_exceptions.as_deref());
    (order.is_some() || stream.is_some()).then(|| StatefulEngineOptions {
        rule_order: order.and_then(|order| order.parse().ok()),
        stream_exception_policy: stream.and_then(|stream| stream.parse().ok()),
    })
}
