//! What policies of firewalls want a firewall to filter by (semantics §5.7): the fields that all of
//! them have, once they were checked.

use super::shape::Node;
use crate::inventory::{CustomAction, FirewallRuleGroup, FirewallRules};

/// Rules of which the order of priorities rules.
const DEFAULT_ORDER: &str = "DEFAULT_ACTION_ORDER";
/// That Firewall Manager leaves an option alone.
const IGNORED: &str = "FMS_IGNORE";

/// Reads the fields, wherever they are. Rule groups, custom actions and stateful default actions that
/// are not named are none; other options that are not named are not asked for.
pub(super) fn rules(config: &Node<'_>) -> FirewallRules {
    let groups = |key: &str| Some(sorted(config.get(key).items().iter().map(group)));
    let texts = |key: &str| {
        let list = config.get(key);
        list.is_filled().then(|| sorted(list.items().iter().map(text)))
    };
    let engine = config.get("networkFirewallStatefulEngineOptions");
    let option = |key: &str| engine.get(key).text().map(Box::<str>::from);
    FirewallRules {
        stateless_groups: groups("networkFirewallStatelessRuleGroupReferences"),
        stateless_defaults: texts("networkFirewallStatelessDefaultActions"),
        fragment_defaults: texts("networkFirewallStatelessFragmentDefaultActions"),
        custom_actions: Some(sorted(
            config.get("networkFirewallStatelessCustomActions").items().iter().map(action),
        )),
        stateful_groups: groups("networkFirewallStatefulRuleGroupReferences"),
        stateful_defaults: Some(texts("networkFirewallStatefulDefaultActions").unwrap_or_default()),
        rule_order: Some(option("ruleOrder").unwrap_or_else(|| DEFAULT_ORDER.into())),
        stream_exceptions: option("streamExceptionPolicy").filter(|named| **named != *IGNORED),
    }
}

fn group(group: &Node<'_>) -> FirewallRuleGroup {
    FirewallRuleGroup {
        priority: group.get("priority").whole().and_then(|number| u16::try_from(number).ok()),
        arn: text(&group.get("resourceARN")),
        override_action: group.get("override").get("action").text().map(Into::into),
    }
}

fn action(action: &Node<'_>) -> CustomAction {
    let metric = action.get("actionDefinition").get("publishMetricAction");
    let values = metric.get("dimensions").items();
    CustomAction {
        name: text(&action.get("actionName")),
        dimensions: values.iter().map(|one| text(&one.get("value"))).collect(),
    }
}

fn text(node: &Node<'_>) -> Box<str> {
    node.text().unwrap_or_default().into()
}

fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort_unstable();
    all.dedup();
    all
}
