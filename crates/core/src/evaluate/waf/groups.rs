//! The rule groups with which a policy wants a classic web ACL to begin, held against its rules (semantics
//! §5.2, §11 row 56).

use crate::inventory::ClassicRule;
use crate::policy::waf::ClassicRuleGroup;

/// How the rules of a web ACL stand to the groups wanted.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Each difference in words, naming the group.
    pub differences: Vec<String>,
    /// Parts that could differ were not told.
    pub is_untold: bool,
}

/// Compares the rules of a web ACL, ascending by priority, with the groups that must be its first: those,
/// in their order, unaltered. What follows is the account's own.
pub(super) fn compare(found: &[ClassicRule], wanted: &[ClassicRuleGroup], into: &mut Comparison) {
    let is_ordered = found.len() < 2 || found.iter().all(|rule| rule.priority.is_some());
    for (place, group) in wanted.iter().enumerate() {
        let is_it = |rule: &&ClassicRule| rule.id.as_deref() == Some(&*group.id);
        let mut are = found.iter().filter(|rule| is_it(rule) && rule.is_group != Some(false));
        let Some(rule) = are.next() else {
            match found.iter().any(|rule| rule.id.is_none() && rule.is_group != Some(false)) {
                true => into.is_untold = true,
                false => into.differences.push(format!("rule group {} is lacking", group.id)),
            }
            continue;
        };
        into.is_untold |= rule.is_group.is_none();
        match found.get(place).is_some_and(|at| is_it(&at)) {
            true if is_ordered => {}
            false if is_ordered => {
                into.differences.push(format!("rule group {} is not in its place", group.id));
            }
            true | false => into.is_untold = true,
        }
        compare_group(rule, group, into);
    }
}

fn compare_group(rule: &ClassicRule, wanted: &ClassicRuleGroup, into: &mut Comparison) {
    let action = |count: bool| if count { "COUNT" } else { "NONE" };
    match rule.count {
        Some(count) if count == wanted.count => {}
        Some(count) => into.differences.push(format!(
            "rule group {}: its override action is {}, wanted: {}",
            wanted.id,
            action(count),
            action(wanted.count)
        )),
        None => into.is_untold = true,
    }
    match &rule.excluded {
        Some(excluded) => into.differences.extend(
            excluded
                .iter()
                .map(|id| format!("rule group {}: its rule {id} is excluded", wanted.id)),
        ),
        None => into.is_untold = true,
    }
}
