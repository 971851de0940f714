//! Every kind that is collected. One file a service; a kind is a row here and a function there.

mod addresses;
mod api_gateway;
mod cloudfront;
mod ec2;
mod load_balancers;
mod network_firewall;
mod prefix_lists;
#[cfg(test)]
mod recorded;
mod resolver;
mod security_groups;
mod shield;
mod waf_classic;
mod wafv2;

use palisade_core::ident::ResourceType;

use crate::kind::{Kind, Place};

macro_rules! list {
    ($module:ident::$list:ident) => {
        |ask| Box::pin($module::$list(ask))
    };
}

/// Every kind. Listing one takes a call or a few, none of which costs anything.
pub static KINDS: &[Kind] = &[
    Kind::regional(ResourceType::VPC, list!(ec2::vpcs)),
    Kind::regional(ResourceType::SUBNET, list!(ec2::subnets)),
    Kind::regional(ResourceType::SECURITY_GROUP, list!(security_groups::groups)),
    Kind::regional(
        ResourceType::SECURITY_GROUP_VPC_ASSOCIATION,
        list!(security_groups::associations),
    ),
    Kind::regional(ResourceType::NETWORK_INTERFACE, list!(ec2::interfaces)),
    Kind::regional(ResourceType::INSTANCE, list!(ec2::instances)),
    Kind::regional(ResourceType::NETWORK_ACL, list!(ec2::network_acls)),
    Kind::regional(ResourceType::ROUTE_TABLE, list!(ec2::route_tables)),
    Kind::regional(ResourceType::INTERNET_GATEWAY, list!(ec2::internet_gateways)),
    Kind::regional(ResourceType::VPC_ENDPOINT, list!(ec2::endpoints)),
    Kind::regional(ResourceType::VPC_PEERING_CONNECTION, list!(ec2::peerings)),
    Kind::regional(ResourceType::EIP, list!(addresses::addresses)),
    Kind::regional(ResourceType::PREFIX_LIST, list!(prefix_lists::prefix_lists)),
    Kind::regional(ResourceType::LOAD_BALANCER, list!(load_balancers::balancers)),
    Kind::regional(ResourceType::CLASSIC_LOAD_BALANCER, list!(load_balancers::classic)),
    Kind::regional(ResourceType::API_GATEWAY_STAGE, list!(api_gateway::stages)),
    Kind::regional(ResourceType::NETWORK_FIREWALL, list!(network_firewall::firewalls)),
    Kind::regional(ResourceType::NETWORK_FIREWALL_POLICY, list!(network_firewall::policies)),
    Kind::regional(ResourceType::DNS_FIREWALL_ASSOCIATION, list!(resolver::associations)),
    Kind::regional(ResourceType::SHIELD_REGIONAL_PROTECTION, list!(shield::regional)),
    Kind::regional(ResourceType::WAF_REGIONAL_WEB_ACL, list!(waf_classic::regional)),
    Kind {
        resource_type: ResourceType::WAF_WEB_ACL,
        place: Place::Global,
        list: list!(waf_classic::global),
    },
    Kind {
        resource_type: ResourceType::WAFV2_WEB_ACL,
        place: Place::Both,
        list: list!(wafv2::web_acls),
    },
    Kind {
        resource_type: ResourceType::SHIELD_PROTECTION,
        place: Place::Global,
        list: list!(shield::global),
    },
    Kind {
        resource_type: ResourceType::CLOUDFRONT_DISTRIBUTION,
        place: Place::Global,
        list: list!(cloudfront::distributions),
    },
];
