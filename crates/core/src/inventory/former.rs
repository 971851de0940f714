//! Bodies as they stood before they told more, by the number under which stores still hold them.

use serde::Deserialize;

use super::{ClassicLoadBalancer, LoadBalancer, WafAssociation};

/// A load balancer without its VPC.
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

/// A classic load balancer without its VPC.
#[derive(Deserialize)]
pub(super) struct ClassicOf8 {
    groups: Option<Vec<Box<str>>>,
}

impl From<ClassicOf8> for ClassicLoadBalancer {
    fn from(former: ClassicOf8) -> ClassicLoadBalancer {
        ClassicLoadBalancer { groups: former.groups, vpc: None }
    }
}
