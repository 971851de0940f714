//! Which resource types each type of policy is about: the headings of semantics §5.

use super::PolicyType;
use crate::ident::ResourceType;

impl PolicyType {
    /// Resource types that a policy of this type may name.
    pub const fn resource_types(self) -> &'static [ResourceType] {
        match self {
            PolicyType::Waf | PolicyType::Wafv2 => &[
                ResourceType::API_GATEWAY_STAGE,
                ResourceType::CLOUDFRONT_DISTRIBUTION,
                ResourceType::LOAD_BALANCER,
            ],
            PolicyType::ShieldAdvanced => &[
                ResourceType::CLOUDFRONT_DISTRIBUTION,
                ResourceType::EIP,
                ResourceType::CLASSIC_LOAD_BALANCER,
                ResourceType::LOAD_BALANCER,
            ],
            PolicyType::SecurityGroupsCommon => &[
                ResourceType::INSTANCE,
                ResourceType::NETWORK_INTERFACE,
                ResourceType::CLASSIC_LOAD_BALANCER,
                ResourceType::LOAD_BALANCER,
            ],
            PolicyType::SecurityGroupsContentAudit => &[
                ResourceType::INSTANCE,
                ResourceType::NETWORK_INTERFACE,
                ResourceType::SECURITY_GROUP,
            ],
            PolicyType::SecurityGroupsUsageAudit => &[ResourceType::SECURITY_GROUP],
            PolicyType::NetworkFirewall
            | PolicyType::DnsFirewall
            | PolicyType::ThirdPartyFirewall => &[ResourceType::VPC],
            PolicyType::ImportNetworkFirewall => {
                &[ResourceType::VPC, ResourceType::NETWORK_FIREWALL]
            }
            PolicyType::NetworkAclCommon => &[ResourceType::SUBNET],
        }
    }
}
