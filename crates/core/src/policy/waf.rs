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

/// What a WAF policy demands.
///
/// Its default action rules the web ACLs that Firewall Manager makes, and `overrideCustomerWebACLAssociation`
/// remediation: no verdict reads either (semantics §5.1, §10 row 16).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Waf {
    /// `ruleGroups`, in order.
    pub groups: Vec<ClassicRuleGroup>,
}

/// A rule group that the policy's web ACL must begin with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClassicRuleGroup {
    /// `id`
    pub id: Box<str>,
    /// `overrideAction` is COUNT.
    pub count: bool,
}

/// Reads the data of a WAF policy, which was checked against its shape.
pub(super) fn parse(data: &Node<'_>, counts: &mut Vec<Count>) -> Result<Waf, Refusal> {
    let groups = data.get("ruleGroups").items();
    let groups: Vec<ClassicRuleGroup> =
        groups.iter().map(rule_group).collect::<Result<_, Refusal>>()?;
    counts.push(Count {
        what: "`ruleGroups`",
        count: groups.len(),
        max: |quotas| quotas.classic_rule_groups_max,
    });
    check_default_action(data)?;
    Ok(Waf { groups })
}

fn rule_group(group: &Node<'_>) -> Result<ClassicRuleGroup, Refusal> {
    let id = group.get("id");
    let Some(told) = id.text().filter(|text| !text.is_empty()) else {
        return Err(id.refuse("is missing; give the id of the rule group"));
    };
    let action = group.get("overrideAction").get("type").one_of(&["NONE", "COUNT"])?;
    Ok(ClassicRuleGroup { id: told.into(), count: action == Some("COUNT") })
}

/// `defaultAction` must be there and say ALLOW or BLOCK.
pub(super) fn check_default_action(data: &Node<'_>) -> Result<(), Refusal> {
    let what_to_do = "give {\"type\":\"ALLOW\"} or {\"type\":\"BLOCK\"}";
    let action = data.get("defaultAction");
    let kind = action.required(what_to_do)?.get("type");
    kind.required("give ALLOW or BLOCK")?.one_of(&["ALLOW", "BLOCK"])?;
    Ok(())
}
