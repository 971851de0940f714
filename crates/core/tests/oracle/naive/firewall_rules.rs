//! Whether a Network Firewall policy in an account is as a policy asks for, naively (semantics §5.7, §5.8,
//! §11 row 38).

use serde_json::Value;

use super::{Mutation, Said, list, number, text};

/// What rules and options a policy asks for, and what an account's firewall policy has of it. Members may
/// add rule groups.
pub fn is_as_wanted(config: &Value, body: &Value, broken: Option<Mutation>) -> Said {
    if broken == Some(Mutation::FirewallPoliciesIgnored) {
        return Said::Yes;
    }
    let held = &body["firewallPolicy"];
    let options = &config["networkFirewallStatefulEngineOptions"];
    let strict = order_of(&options["ruleOrder"]) == "STRICT_ORDER";
    let mut sum = Said::Yes;
    for wanted in list(&config["networkFirewallStatelessRuleGroupReferences"]) {
        sum = sum.and(has(wanted, &held["statelessRuleGroupReferences"], true, broken));
    }
    for wanted in list(&config["networkFirewallStatefulRuleGroupReferences"]) {
        sum = sum.and(has(wanted, &held["statefulRuleGroupReferences"], strict, broken));
    }
    for (wanted, of) in [
        ("networkFirewallStatelessDefaultActions", "statelessDefaultActions"),
        ("networkFirewallStatelessFragmentDefaultActions", "statelessFragmentDefaultActions"),
    ] {
        sum = sum.and(same_actions(&config[wanted], &held[of], broken));
    }
    if strict {
        let of = &held["statefulDefaultActions"];
        sum = sum.and(same_actions(&config["networkFirewallStatefulDefaultActions"], of, broken));
    }
    let order = order_of(&held["statefulEngineOptions"]["ruleOrder"]);
    sum.and(match broken {
        Some(Mutation::RuleOrderIgnored) => Said::Yes,
        _ => Said::of(order_of(&options["ruleOrder"]) == order),
    })
}

/// Groups are ordered by action where nothing else is said.
fn order_of(said: &Value) -> &str {
    said.as_str().unwrap_or("DEFAULT_ACTION_ORDER")
}

/// Whether a list of references has a rule group, where it counts at its priority, and with its override.
fn has(wanted: &Value, references: &Value, prioritized: bool, broken: Option<Mutation>) -> Said {
    if !references.is_array() {
        return Said::Untold;
    }
    let mut sum = Said::No;
    for held in list(references) {
        let id = match held["resourceArn"].as_str() {
            Some(said) => Said::of(said == text(&wanted["resourceARN"])),
            None => Said::Untold,
        };
        let priority = match number(&held["priority"], None) {
            _ if !prioritized || broken == Some(Mutation::FirewallPrioritiesIgnored) => Said::Yes,
            Some(said) => Said::of(Some(said) == number(&wanted["priority"], broken)),
            None => Said::Untold,
        };
        let action = &wanted["override"]["action"];
        let overridden = match &held["override"]["action"] {
            _ if action.is_null() || broken == Some(Mutation::FirewallOverridesIgnored) => {
                Said::Yes
            }
            said => Said::of(said == action),
        };
        sum = sum.or(id.and(priority).and(overridden));
    }
    sum
}

/// The same actions, in whatever order.
fn same_actions(wanted: &Value, held: &Value, broken: Option<Mutation>) -> Said {
    if broken == Some(Mutation::DefaultActionsIgnored) {
        return Said::Yes;
    }
    if !held.is_array() {
        return Said::Untold;
    }
    let sorted = |all: &Value| -> Vec<String> {
        let mut all: Vec<String> = list(all).iter().map(|one| text(one).to_owned()).collect();
        all.sort();
        all.dedup();
        all
    };
    Said::of(sorted(wanted) == sorted(held))
}
