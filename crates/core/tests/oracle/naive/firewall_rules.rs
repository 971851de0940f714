//! Whether a Network Firewall policy in an account is as a policy asks for, naively (semantics §5.7, §5.8,
//! §11 row 38).

use serde_json::Value;

use super::{Mutation, Said, list, number, text};

/// Whether an account's firewall policy has each of the rules and options that a policy asks for. Members
/// may add rule groups.
pub fn answers(config: &Value, body: &Value, broken: Option<Mutation>) -> Vec<Said> {
    if broken == Some(Mutation::FirewallPoliciesIgnored) {
        return vec![];
    }
    let held = &body["firewallPolicy"];
    if !held.is_object() {
        return vec![Said::Untold];
    }
    let options = &config["networkFirewallStatefulEngineOptions"];
    let strict = order_of(&options["ruleOrder"]) == "STRICT_ORDER";
    let mut all = vec![];
    for wanted in list(&config["networkFirewallStatelessRuleGroupReferences"]) {
        all.push(has(wanted, &held["statelessRuleGroupReferences"], true, broken));
    }
    for wanted in list(&config["networkFirewallStatefulRuleGroupReferences"]) {
        all.push(has(wanted, &held["statefulRuleGroupReferences"], strict, broken));
    }
    for (wanted, of) in [
        ("networkFirewallStatelessDefaultActions", "statelessDefaultActions"),
        ("networkFirewallStatelessFragmentDefaultActions", "statelessFragmentDefaultActions"),
    ] {
        all.push(same_actions(&config[wanted], &held[of], broken));
    }
    if strict {
        let of = &held["statefulDefaultActions"];
        all.push(same_actions(&config["networkFirewallStatefulDefaultActions"], of, broken));
    }
    let order = &held["statefulEngineOptions"]["ruleOrder"];
    all.push(match broken {
        Some(Mutation::RuleOrderIgnored) => Said::Yes,
        // What is not told may be any (row 38); what AWS leaves out is the default.
        _ if strict && order.is_null() => Said::Untold,
        _ => Said::of(order_of(&options["ruleOrder"]) == order_of(order)),
    });
    all
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
