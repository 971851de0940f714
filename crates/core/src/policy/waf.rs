//! `WAF`, the Classic one (semantics §5.2), and what it shares with WAFV2.

use super::shape::Node;
use super::{Count, Refusal};

pub(super) fn check(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let groups = data.get("ruleGroups").items();
    for group in &groups {
        let id = group.get("id");
        if id.text().is_none_or(str::is_empty) {
            return Err(id.refuse("is missing; give the id of the rule group"));
        }
        group.get("overrideAction").get("type").one_of(&["NONE", "COUNT"])?;
    }
    counts.push(Count {
        what: "`ruleGroups`",
        count: groups.len(),
        max: |quotas| quotas.classic_rule_groups_max,
    });
    check_default_action(data)
}

/// `defaultAction` must be there and say ALLOW or BLOCK.
pub(super) fn check_default_action(data: &Node<'_>) -> Result<(), Refusal> {
    let what_to_do = "give {\"type\":\"ALLOW\"} or {\"type\":\"BLOCK\"}";
    let action = data.get("defaultAction");
    let kind = action.required(what_to_do)?.get("type");
    kind.required("give ALLOW or BLOCK")?.one_of(&["ALLOW", "BLOCK"])?;
    Ok(())
}
