//! `DNS_FIREWALL` (semantics §5.9): rule groups and their priorities.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

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

/// Priorities of the groups that filter before those of a VPC's owner.
const FIRST: RangeInclusive<i32> = 1..=99;
/// Priorities of those that filter behind them.
const LAST: RangeInclusive<i32> = 9_901..=10_000;

/// What a DNS_FIREWALL policy demands of a VPC.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DnsFirewall {
    /// `preProcessRuleGroups`, then `postProcessRuleGroups`, in the policy's order. No two have one
    /// priority.
    pub groups: Vec<DnsRuleGroup>,
}

/// A rule group that must be associated with a VPC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsRuleGroup {
    /// `ruleGroupId`
    pub id: Box<str>,
    /// `priority`: 1 to 99, or 9,901 to 10,000.
    pub priority: i32,
}

/// Reads the data of a DNS_FIREWALL policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<DnsFirewall, Refusal> {
    let mut priorities = BTreeSet::new();
    let mut groups = Vec::new();
    for (key, range) in [("preProcessRuleGroups", FIRST), ("postProcessRuleGroups", LAST)] {
        for group in data.get(key).items() {
            let group = rule_group(&group, &range, &mut priorities)?;
            groups.push(group);
        }
    }
    counts.push(Count {
        what: "`preProcessRuleGroups` and `postProcessRuleGroups`",
        count: groups.len(),
        max: |quotas| quotas.dns_rule_groups_max,
    });
    Ok(DnsFirewall { groups })
}

fn rule_group(
    group: &Node<'_>,
    range: &RangeInclusive<i32>,
    priorities: &mut BTreeSet<i32>,
) -> Result<DnsRuleGroup, Refusal> {
    let (least, most) = (*range.start(), *range.end());
    let id = group.get("ruleGroupId");
    let Some(told) = id.text().filter(|text| !text.is_empty()) else {
        return Err(id.refuse("is missing; give the id of a rule group, `rslvr-frg-…`"));
    };
    let priority = group.get("priority");
    let what_to_do = format!("give a priority of {least} to {most}");
    let number = priority.required(&what_to_do)?.whole_within(least.into(), most.into())?;
    let Some(number) = number.and_then(|number| i32::try_from(number).ok()) else {
        return Err(priority.refuse(format!("is not a whole number; {what_to_do}")));
    };
    if !priorities.insert(number) {
        return Err(priority.refuse("is taken by another rule group; give another"));
    }
    Ok(DnsRuleGroup { id: told.into(), priority: number })
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
