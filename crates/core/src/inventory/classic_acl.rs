//! A web ACL of WAF Classic, regional or global (formats §9).

use serde::{Deserialize, Serialize};

/// A web ACL of WAF Classic. What the body does not tell is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClassicAcl {
    /// `name`, else the item's name.
    pub name: Option<Box<str>>,
    /// `rulesList`, ascending by priority; as listed where a priority is not told.
    pub rules: Option<Vec<ClassicRule>>,
    /// `associationList[].resourceARN`, sorted: used only where a resource's own attribute is absent.
    /// Global web ACLs have no such list.
    pub resources: Option<Vec<Box<str>>>,
}

/// A rule, or a rule group, of a web ACL of WAF Classic. What is not told of it is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClassicRule {
    /// `ruleId`
    pub id: Option<Box<str>>,
    /// `priority`: rules apply in ascending order.
    pub priority: Option<i64>,
    /// `type` is `GROUP`.
    pub is_group: Option<bool>,
    /// `overrideAction` of a group is `COUNT` (else `NONE`).
    pub count: Option<bool>,
    /// `excludedRules[].ruleId` of a group, sorted: rules that only count.
    pub excluded: Option<Vec<Box<str>>>,
}
