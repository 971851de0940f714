//! `WAF`, the Classic one (semantics §5.2), and what it shares with WAFV2.

use super::Refusal;
use super::facts::{Count, DependentService, Facts};
use super::shape::Shape::{Flag, List, Object, Text};
use super::shape::{Node, Shape, TYPE, TYPED};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    cleans_up: false,
    ..Facts::new(
        "WAF",
        &[
            ResourceType::API_GATEWAY_STAGE,
            ResourceType::CLOUDFRONT_DISTRIBUTION,
            ResourceType::LOAD_BALANCER,
        ],
        DependentService::Waf,
        &DATA,
    )
};

static DATA: Shape = Object(&[
    TYPE,
    ("ruleGroups", List(&Object(&[("id", Text), ("overrideAction", TYPED)]))),
    ("overrideCustomerWebACLAssociation", Flag),
    ("defaultAction", TYPED),
]);

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
