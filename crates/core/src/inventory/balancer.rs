//! Load balancers, and what a resource says of its own web ACL.

use serde::{Deserialize, Serialize};

/// A load balancer of ELBv2.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// `type`: `application`, `network` or `gateway`.
    pub kind: Option<Box<str>>,
    /// `securityGroups`, sorted; `None` when not told, as by most network load balancers, which have
    /// none.
    pub groups: Option<Vec<Box<str>>>,
    /// The web ACL by the balancer's own attributes `waf.web_acl_id` (semantics §10 row 16).
    pub web_acl: WafAssociation,
    /// `vpcId`
    pub vpc: Option<Box<str>>,
}

/// A classic load balancer.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClassicLoadBalancer {
    /// `securityGroups`, sorted; `None` when not told.
    pub groups: Option<Vec<Box<str>>>,
    /// `vpcid`
    pub vpc: Option<Box<str>>,
}

/// What a resource says of its own web ACL.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum WafAssociation {
    /// The attribute is absent: only the web ACL's relationships can tell.
    #[default]
    Unsaid,
    /// The attribute is there and empty: no web ACL.
    Bare,
    /// A WAFv2 ARN, or the bare UUID of a classic web ACL.
    Acl(Box<str>),
}

/// As stores hold it under the number 7: without its VPC.
#[derive(Deserialize)]
pub(super) struct BalancerOf7 {
    kind: Option<Box<str>>,
    groups: Option<Vec<Box<str>>>,
    web_acl: WafAssociation,
}

impl From<BalancerOf7> for LoadBalancer {
    fn from(former: BalancerOf7) -> LoadBalancer {
        let BalancerOf7 { kind, groups, web_acl } = former;
        LoadBalancer { kind, groups, web_acl, vpc: None }
    }
}

/// As stores hold it under the number 8: without its VPC.
#[derive(Deserialize)]
pub(super) struct ClassicOf8 {
    groups: Option<Vec<Box<str>>>,
}

impl From<ClassicOf8> for ClassicLoadBalancer {
    fn from(former: ClassicOf8) -> ClassicLoadBalancer {
        ClassicLoadBalancer { groups: former.groups, vpc: None }
    }
}
