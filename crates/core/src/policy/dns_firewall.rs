//! `DNS_FIREWALL` (semantics §5.9): rule groups and their priorities.

use std::collections::BTreeSet;

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::shape::Shape::{List, Object, Text, Whole};
use super::shape::{Node, Shape, TYPE};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    check_put,
    ..Facts::new("DNS_FIREWALL", &[ResourceType::VPC], DependentService::Vpc, &DATA)
};

static DATA: Shape = Object(&[
    TYPE,
    ("preProcessRuleGroups", List(&DNS_RULE_GROUP)),
    ("postProcessRuleGroups", List(&DNS_RULE_GROUP)),
]);

const DNS_RULE_GROUP: Shape = Object(&[("ruleGroupId", Text), ("priority", Whole)]);

pub(super) fn check(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let mut priorities = BTreeSet::new();
    let mut count = 0usize;
    for (key, least, most) in
        [("preProcessRuleGroups", 1, 99), ("postProcessRuleGroups", 9_901, 10_000)]
    {
        for group in data.get(key).items() {
            count = count.saturating_add(1);
            let id = group.get("ruleGroupId");
            if id.text().is_none_or(str::is_empty) {
                return Err(id.refuse("is missing; give the id of a rule group, `rslvr-frg-…`"));
            }
            let priority = group.get("priority");
            let number = priority
                .required(&format!("give a priority of {least} to {most}"))?
                .whole_within(least, most)?;
            if !priorities.insert(number) {
                return Err(priority.refuse("is taken by another rule group; give another"));
            }
        }
    }
    counts.push(Count {
        what: "`preProcessRuleGroups` and `postProcessRuleGroups`",
        count,
        max: |quotas| quotas.dns_rule_groups_max,
    });
    Ok(())
}

/// What is asked of a policy that is put, beyond what must hold for it to be read: without a rule
/// group it demands nothing of anybody.
fn check_put(data: &Node<'_>) -> Result<(), Refusal> {
    let first = data.get("preProcessRuleGroups");
    if first.is_filled() || data.get("postProcessRuleGroups").is_filled() {
        return Ok(());
    }
    Err(first.refuse(
        "is empty, and so is `postProcessRuleGroups`; give a rule group as \
         {\"ruleGroupId\":\"rslvr-frg-…\",\"priority\":1}",
    ))
}
