//! Firewall policies, held against what a policy of Firewall Manager wants of them (semantics §5.7,
//! §5.8): members may add rule groups, and nothing else.

use std::collections::BTreeMap;

use crate::inventory::{CustomAction, FirewallRuleGroup, FirewallRules};

/// What comparing came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Comparison {
    /// What is amiss, each in words; empty where nothing told is.
    pub differences: Vec<Box<str>>,
    /// What of the firewall policy was not told and decides, in words.
    pub untold: Option<&'static str>,
}

/// A list that is wanted, and the one there is.
type Both<'r, T> = (&'r Option<Vec<T>>, &'r Option<Vec<T>>);

/// Holds the rules of a firewall policy against those wanted.
pub(super) fn compare(wanted: &FirewallRules, held: &FirewallRules) -> Comparison {
    let mut found = Comparison::default();
    let stateless = (&wanted.stateless_groups, &held.stateless_groups);
    found.groups("stateless rule group", stateless, "stateless rule groups");
    let defaults = (&wanted.stateless_defaults, &held.stateless_defaults);
    found.actions("stateless default actions", defaults);
    let fragments = (&wanted.fragment_defaults, &held.fragment_defaults);
    found.actions("stateless default actions for fragments", fragments);
    found.custom_actions(wanted.custom_actions.as_deref(), held.custom_actions.as_deref());
    let stateful = (&wanted.stateful_groups, &held.stateful_groups);
    found.groups("stateful rule group", stateful, "stateful rule groups");
    found.stateful_defaults(wanted, held);
    found.option("rule order", &wanted.rule_order, held.rule_order.as_deref());
    let stream = held.stream_exceptions.as_deref();
    found.option("stream exception policy", &wanted.stream_exceptions, stream);
    found
}

impl Comparison {
    fn differ(&mut self, text: String) {
        self.differences.push(text.into());
    }

    fn untold(&mut self, what: &'static str) {
        self.untold = self.untold.or(Some(what));
    }

    /// Wanted ones are there, with the priority and override that they have.
    fn groups(
        &mut self,
        kind: &str,
        (wanted, held): Both<'_, FirewallRuleGroup>,
        what: &'static str,
    ) {
        let wanted = wanted.as_deref().unwrap_or_default();
        let Some(held) = held else {
            return if wanted.is_empty() {
            } else {
                self.untold(what)
            };
        };
        let held: BTreeMap<&str, &FirewallRuleGroup> =
            held.iter().map(|group| (&*group.arn, group)).collect();
        for group in wanted {
            let arn = &group.arn;
            let Some(found) = held.get(&**arn) else {
                self.differ(format!("{kind} {arn} is missing"));
                continue;
            };
            if group.priority.is_some() && found.priority != group.priority {
                let (is, wanted) = (number(found.priority), number(group.priority));
                self.differ(format!("{kind} {arn} has {is} instead of {wanted}"));
            }
            if found.override_action.as_deref() == Some("") {
                self.untold(what);
            } else if found.override_action != group.override_action {
                let told = |action: &Option<Box<str>>| match action {
                    Some(action) => format!("override {action}"),
                    None => "no override".to_owned(),
                };
                let (is, wanted) = (told(&found.override_action), told(&group.override_action));
                self.differ(format!("{kind} {arn} has {is} instead of {wanted}"));
            }
        }
    }

    fn actions(&mut self, what: &'static str, (wanted, held): Both<'_, Box<str>>) {
        match (wanted, held) {
            (Some(wanted), Some(held)) if wanted != held => {
                self.differ(format!("{what} are {} instead of {}", listed(held), listed(wanted)));
            }
            (Some(_), None) => self.untold(what),
            (Some(_) | None, _) => {}
        }
    }

    /// A whole firewall policy without any leaves them out.
    fn stateful_defaults(&mut self, wanted: &FirewallRules, held: &FirewallRules) {
        let is_any = wanted.stateful_defaults.as_ref().is_some_and(|actions| !actions.is_empty());
        if is_any || held.stateful_defaults.is_some() {
            let both = (&wanted.stateful_defaults, &held.stateful_defaults);
            self.actions("stateful default actions", both);
        }
    }

    fn custom_actions(&mut self, wanted: Option<&[CustomAction]>, held: Option<&[CustomAction]>) {
        let wanted = wanted.unwrap_or_default();
        let Some(held) = held else {
            return if wanted.is_empty() {
            } else {
                self.untold("custom actions")
            };
        };
        for action in wanted {
            let name = &action.name;
            match held.iter().find(|held| held.name == *name) {
                None => self.differ(format!("custom action {name} is missing")),
                Some(found) if found.dimensions != action.dimensions => {
                    self.differ(format!("custom action {name} publishes other dimensions"));
                }
                Some(_) => {}
            }
        }
    }

    /// A whole firewall policy whose order is the default one leaves it out.
    fn option(&mut self, what: &'static str, wanted: &Option<Box<str>>, held: Option<&str>) {
        match (wanted.as_deref(), held) {
            (Some(wanted), Some(held)) if wanted != held => {
                self.differ(format!("the {what} is {held} instead of {wanted}"));
            }
            (Some(wanted), None) if wanted != "DEFAULT_ACTION_ORDER" => self.untold(what),
            (Some(_) | None, _) => {}
        }
    }
}

fn number(priority: Option<u16>) -> String {
    match priority {
        Some(priority) => format!("priority {priority}"),
        None => "no priority".to_owned(),
    }
}

fn listed(actions: &[Box<str>]) -> String {
    if actions.is_empty() { "none".to_owned() } else { actions.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(text: &str) -> FirewallRuleGroup {
        let words: Vec<&str> = text.split('/').collect();
        FirewallRuleGroup {
            arn: words[0].into(),
            priority: words.get(1).and_then(|number| number.parse().ok()),
            override_action: words.get(2).map(|action| (*action).into()),
        }
    }

    /// Members as `name=value,value`, separated by blanks; what is not named is not told.
    fn rules(text: &str) -> FirewallRules {
        let mut rules = FirewallRules::default();
        for member in text.split_whitespace() {
            let (name, values) = member.split_once('=').unwrap();
            let values: Vec<&str> = values.split(',').filter(|value| !value.is_empty()).collect();
            let texts = || Some(values.iter().map(|value| Box::from(*value)).collect());
            let groups = || Some(values.iter().map(|value| group(value)).collect());
            match name {
                "less" => rules.stateless_groups = groups(),
                "full" => rules.stateful_groups = groups(),
                "default" => rules.stateless_defaults = texts(),
                "fragment" => rules.fragment_defaults = texts(),
                "stateful" => rules.stateful_defaults = texts(),
                "order" => rules.rule_order = Some(values[0].into()),
                "stream" => rules.stream_exceptions = Some(values[0].into()),
                "custom" => {
                    let action = |value: &&str| {
                        let (name, dimension) = value.split_once(':').unwrap();
                        CustomAction { name: name.into(), dimensions: vec![dimension.into()] }
                    };
                    rules.custom_actions = Some(values.iter().map(action).collect());
                }
                other => panic!("{other}"),
            }
        }
        rules
    }

    /// Wanted | held | differences, or what is untold in brackets.
    const TABLE: &str = "
        less=a/1 | less=a/1 |
        less=a/1 | less=a/1,b/2 |
        less=a/1 | less=b/1 | stateless rule group a is missing
        less=a/1 | less=a/2 | stateless rule group a has priority 2 instead of priority 1
        less=a/1 | full= | [stateless rule groups]
        less= | full= |
        full=a | full=a/7 |
        full=a/1 | full=a | stateful rule group a has no priority instead of priority 1
        full=a/1/DROP_TO_ALERT | full=a/1 | stateful rule group a has no override instead of override DROP_TO_ALERT
        full=a/1 | full=a/1/DROP_TO_ALERT | stateful rule group a has override DROP_TO_ALERT instead of no override
        full=a/1/ | full=a/1/ | [stateful rule groups]
        full=a | less= | [stateful rule groups]
        default=aws:drop | default=aws:drop |
        default=aws:drop | default=aws:pass | stateless default actions are aws:pass instead of aws:drop
        default=aws:drop | less= | [stateless default actions]
        less= | default=aws:pass |
        fragment=aws:drop | fragment=aws:drop,x | stateless default actions for fragments are aws:drop, x instead of aws:drop
        fragment=aws:drop | less= | [stateless default actions for fragments]
        stateful=aws:drop_strict | stateful= | stateful default actions are none instead of aws:drop_strict
        stateful= | stateful=aws:drop_strict | stateful default actions are aws:drop_strict instead of none
        stateful= | less= |
        stateful=aws:drop_strict | less= | [stateful default actions]
        custom=a:v | custom=a:v,b:w |
        custom=a:v | custom=a:w | custom action a publishes other dimensions
        custom=a:v | custom=b:v | custom action a is missing
        custom=a:v | less= | [custom actions]
        order=STRICT_ORDER | order=DEFAULT_ACTION_ORDER | the rule order is DEFAULT_ACTION_ORDER instead of STRICT_ORDER
        order=DEFAULT_ACTION_ORDER | order=STRICT_ORDER | the rule order is STRICT_ORDER instead of DEFAULT_ACTION_ORDER
        order=STRICT_ORDER | less= | [rule order]
        order=DEFAULT_ACTION_ORDER | less= |
        stream=DROP | stream=CONTINUE | the stream exception policy is CONTINUE instead of DROP
        stream=DROP | less= | [stream exception policy]
        less= | stream=CONTINUE |
    ";

    #[test]
    fn members_may_add_rule_groups_and_change_nothing_else() {
        let rows = TABLE.lines().map(str::trim).filter(|row| !row.is_empty());
        for row in rows {
            let [wanted, held, outcome] = row.split('|').map(str::trim).collect::<Vec<_>>()[..]
            else {
                panic!("{row}");
            };
            let found = compare(&rules(wanted), &rules(held));
            let told = match found.untold {
                Some(untold) => format!("[{untold}]"),
                None => found.differences.join("; "),
            };
            assert_eq!(told, outcome, "{row}");
        }
    }
}
