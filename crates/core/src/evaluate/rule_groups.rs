//! The rule groups that a policy puts into a web ACL, compared whole with those that are there
//! (semantics §5.1 test 3, §11 row 33).

use crate::inventory::{ACTION_COUNT, ACTION_NONE, RuleGroupId, WebAclRuleGroup};
use crate::policy::wafv2::RuleGroup;

/// How the groups of a web ACL stand to those wanted.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Each difference in words, naming the group and, where it is one, the rule.
    pub differences: Vec<String>,
    /// Parts that could differ were not told.
    pub is_untold: bool,
}

/// Compares the groups of one side, `first` or `last`: those wanted and no others, in their order,
/// each with all its parts.
pub(super) fn compare(
    side: &str,
    found: &[WebAclRuleGroup],
    wanted: &[RuleGroup],
    into: &mut Comparison,
) {
    let told: Vec<&RuleGroupId> = found.iter().filter_map(|group| group.id.as_ref()).collect();
    let wanted_ids: Vec<&RuleGroupId> = wanted.iter().map(|group| &group.id).collect();
    let lacking = without(&wanted_ids, &told);
    let strange = without(&told, &wanted_ids);
    let untold = found.len().saturating_sub(told.len());
    into.is_untold |= untold > 0;
    // A group of which it is not told which one it is may be any that is lacking.
    if lacking.len() > untold || (untold == 0 && !lacking.is_empty()) {
        into.differences
            .extend(lacking.iter().map(|id| format!("{side} rule group {id} is lacking")));
    }
    let ours = |id: &&RuleGroupId| format!("{side} rule group {id} is not one of the policy's");
    into.differences.extend(strange.iter().map(ours));
    if untold > lacking.len() {
        into.differences.push(format!("more {side} rule groups than the policy's"));
    }
    if lacking.is_empty() && strange.is_empty() && untold == 0 {
        compare_parts(side, found, wanted, into);
    }
}

/// Those of `all` that are not among `others`, each counted as often as it is there.
fn without<'a>(all: &[&'a RuleGroupId], others: &[&RuleGroupId]) -> Vec<&'a RuleGroupId> {
    let mut others = others.to_vec();
    let mut rest = Vec::new();
    for id in all {
        match others.iter().position(|other| other == id) {
            Some(at) => {
                others.swap_remove(at);
            }
            None => rest.push(*id),
        }
    }
    rest
}

/// Compares groups that are the same as far as their ids go, each the same number of times.
fn compare_parts(
    side: &str,
    found: &[WebAclRuleGroup],
    wanted: &[RuleGroup],
    into: &mut Comparison,
) {
    let is_ordered = found.len() < 2 || found.iter().all(|group| group.priority.is_some());
    into.is_untold |= !is_ordered;
    let out_of_place =
        found.iter().zip(wanted).find(|(found, wanted)| found.id.as_ref() != Some(&wanted.id));
    match out_of_place {
        Some((_, wanted)) if is_ordered => {
            into.differences.push(format!("{side} rule group {} is not in its place", wanted.id));
        }
        _ => {}
    }
    let mut left: Vec<&WebAclRuleGroup> = found.iter().collect();
    for wanted in wanted {
        // Of several with one id the order tells which is which.
        let at = left.iter().position(|found| found.id.as_ref() == Some(&wanted.id));
        if let Some(at) = at {
            compare_group(
                &format!("{side} rule group {}", wanted.id),
                left.remove(at),
                wanted,
                into,
            );
        }
    }
}

fn compare_group(name: &str, found: &WebAclRuleGroup, wanted: &RuleGroup, into: &mut Comparison) {
    let Comparison { differences, is_untold } = into;
    let mut differ = |text: String| differences.push(format!("{name}: {text}"));
    match (&found.version, &wanted.version) {
        (_, None) => {}
        (Some(found), Some(wanted)) if found == wanted => {}
        (Some(found), Some(wanted)) => {
            let found = if found.is_empty() { "the default" } else { found };
            differ(format!("its version is {found}, wanted: {wanted}"));
        }
        (None, Some(_)) => *is_untold = true,
    }
    let override_action = if wanted.count { ACTION_COUNT } else { ACTION_NONE };
    match found.override_action.as_deref() {
        Some(found) if found == override_action => {}
        Some(found) => differ(format!(
            "its override action is {}, wanted: {}",
            action(found),
            action(override_action)
        )),
        None => *is_untold = true,
    }
    match &found.rule_actions {
        Some(found) => {
            for (rule, set) in found.iter().filter(|found| !wanted.rule_actions.contains(found)) {
                let asked = wanted.rule_actions.iter().find(|(other, _)| other == rule);
                let asked = asked.map_or("not overridden", |(_, asked)| action(asked));
                differ(format!("rule {rule} is overridden to {}, wanted: {asked}", action(set)));
            }
            let is_overridden = |rule: &str| found.iter().any(|(other, _)| **other == *rule);
            for (rule, asked) in wanted.rule_actions.iter().filter(|asked| !found.contains(asked)) {
                if !is_overridden(rule) {
                    differ(format!("rule {rule} is not overridden, wanted: {}", action(asked)));
                } else if wanted.rule_actions.iter().filter(|(other, _)| other == rule).count() > 1
                {
                    differ(format!("rule {rule} is not overridden to {} too", action(asked)));
                }
            }
        }
        None => *is_untold = true,
    }
    match &found.configs {
        Some(found) => {
            for config in found.iter().filter(|config| !wanted.configs.contains(config)) {
                differ(format!("its configuration has {config}"));
            }
            for config in wanted.configs.iter().filter(|config| !found.contains(config)) {
                differ(format!("its configuration lacks {config}"));
            }
        }
        None => *is_untold = true,
    }
    match found.scope_down.as_deref() {
        Some(found) if *found == *wanted.scope_down => {}
        Some("") => differ("it has no scope-down statement".to_owned()),
        Some(_) if wanted.scope_down.is_empty() => {
            differ("it has a scope-down statement, wanted: none".to_owned());
        }
        Some(_) => differ("it has another scope-down statement".to_owned()),
        None => *is_untold = true,
    }
}

/// `count` of `{"count":{}}`; what has more to it as it is.
fn action(canonical: &str) -> &str {
    canonical
        .strip_prefix("{\"")
        .and_then(|rest| rest.strip_suffix("\":{}}"))
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .unwrap_or(canonical)
}

/// Groups as people read them.
pub(super) fn list(groups: &[RuleGroup]) -> String {
    let texts: Vec<_> = groups
        .iter()
        .map(|group| {
            let version = group.version.iter().map(|version| format!(" {version}"));
            let count = group.count.then(|| " counting".to_owned());
            let more: String = version.chain(count).collect();
            format!("{}{more}", group.id)
        })
        .collect();
    format!("[{}]", texts.join(", "))
}
