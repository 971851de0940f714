//! Which call of AWS lists the resources of a type, for people who are told what is missing. Who makes these
//! calls is the live source; a test of it holds each kind that it reads against this table.

use crate::ident::ResourceType;

/// Service and call by type, as `palisade aws policy read` and the gaps of a source name them.
const CALLS: [(ResourceType, &str); 25] = [
    (ResourceType::VPC, "ec2:DescribeVpcs"),
    (ResourceType::SUBNET, "ec2:DescribeSubnets"),
    (ResourceType::SECURITY_GROUP, "ec2:DescribeSecurityGroups"),
    (ResourceType::SECURITY_GROUP_VPC_ASSOCIATION, "ec2:DescribeSecurityGroupVpcAssociations"),
    (ResourceType::NETWORK_INTERFACE, "ec2:DescribeNetworkInterfaces"),
    (ResourceType::INSTANCE, "ec2:DescribeInstances"),
    (ResourceType::NETWORK_ACL, "ec2:DescribeNetworkAcls"),
    (ResourceType::ROUTE_TABLE, "ec2:DescribeRouteTables"),
    (ResourceType::INTERNET_GATEWAY, "ec2:DescribeInternetGateways"),
    (ResourceType::VPC_ENDPOINT, "ec2:DescribeVpcEndpoints"),
    (ResourceType::VPC_PEERING_CONNECTION, "ec2:DescribeVpcPeeringConnections"),
    (ResourceType::EIP, "ec2:DescribeAddresses"),
    (ResourceType::PREFIX_LIST, "ec2:DescribeManagedPrefixLists"),
    (ResourceType::LOAD_BALANCER, "elbv2:DescribeLoadBalancers"),
    (ResourceType::CLASSIC_LOAD_BALANCER, "elb:DescribeLoadBalancers"),
    (ResourceType::API_GATEWAY_STAGE, "apigateway:GetStages"),
    (ResourceType::NETWORK_FIREWALL, "network-firewall:ListFirewalls"),
    (ResourceType::NETWORK_FIREWALL_POLICY, "network-firewall:ListFirewallPolicies"),
    (ResourceType::DNS_FIREWALL_ASSOCIATION, "route53resolver:ListFirewallRuleGroupAssociations"),
    (ResourceType::SHIELD_REGIONAL_PROTECTION, "shield:ListProtections"),
    (ResourceType::WAF_REGIONAL_WEB_ACL, "waf-regional:ListWebACLs"),
    (ResourceType::WAF_WEB_ACL, "waf:ListWebACLs"),
    (ResourceType::WAFV2_WEB_ACL, "wafv2:ListWebACLs"),
    (ResourceType::SHIELD_PROTECTION, "shield:ListProtections"),
    (ResourceType::CLOUDFRONT_DISTRIBUTION, "cloudfront:ListDistributions"),
];

/// The call that lists all of a type; `None` where no live source reads it.
pub fn listed_by(kind: &ResourceType) -> Option<&'static str> {
    CALLS.iter().find(|(known, _)| known == kind).map(|(_, call)| *call)
}
