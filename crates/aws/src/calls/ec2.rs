//! EC2 and VPC.

use super::rates::{EC2_PAGED, EC2_WHOLE};
use super::table::table;
use crate::call::call;
use crate::service::Service::Ec2;

/// A call that lists with pages of up to this many.
const fn paged(
    action: &'static str,
    iam: &'static [&'static str],
    shape: &'static str,
    list: &'static str,
    most: u32,
) -> crate::call::Call {
    call(Ec2, action, iam, &EC2_PAGED).shape(shape).list(list).pages(
        "NextToken",
        "MaxResults",
        most,
    )
}

table! {
    EC2:
    /// The Regions, with `AllRegions` those not enabled as well.
    DESCRIBE_REGIONS = call(Ec2, "DescribeRegions", &["ec2:DescribeRegions"], &EC2_WHOLE)
        .shape("DescribeRegionsResult").list("Regions");
    /// VPCs.
    DESCRIBE_VPCS = paged("DescribeVpcs", &["ec2:DescribeVpcs"], "DescribeVpcsResult", "Vpcs", 1000);
    /// Subnets.
    DESCRIBE_SUBNETS = paged("DescribeSubnets", &["ec2:DescribeSubnets"], "DescribeSubnetsResult", "Subnets", 1000);
    /// Security groups with their rules.
    DESCRIBE_SECURITY_GROUPS = paged(
        "DescribeSecurityGroups", &["ec2:DescribeSecurityGroups"], "DescribeSecurityGroupsResult", "SecurityGroups", 1000,
    );
    /// The VPCs that groups are associated with beside their own.
    DESCRIBE_SECURITY_GROUP_VPC_ASSOCIATIONS = paged(
        "DescribeSecurityGroupVpcAssociations", &["ec2:DescribeSecurityGroupVpcAssociations"],
        "DescribeSecurityGroupVpcAssociationsResult", "SecurityGroupVpcAssociations", 1000,
    );
    /// Network interfaces with their groups.
    DESCRIBE_NETWORK_INTERFACES = paged(
        "DescribeNetworkInterfaces", &["ec2:DescribeNetworkInterfaces"], "DescribeNetworkInterfacesResult",
        "NetworkInterfaces", 1000,
    );
    /// Instances, by reservation.
    DESCRIBE_INSTANCES = paged(
        "DescribeInstances", &["ec2:DescribeInstances"], "DescribeInstancesResult", "Reservations", 1000,
    );
    /// Network ACLs with entries and associations.
    DESCRIBE_NETWORK_ACLS = paged(
        "DescribeNetworkAcls", &["ec2:DescribeNetworkAcls"], "DescribeNetworkAclsResult", "NetworkAcls", 1000,
    );
    /// Route tables with routes and associations.
    DESCRIBE_ROUTE_TABLES = paged(
        "DescribeRouteTables", &["ec2:DescribeRouteTables"], "DescribeRouteTablesResult", "RouteTables", 100,
    );
    /// Internet gateways with their attachments.
    DESCRIBE_INTERNET_GATEWAYS = paged(
        "DescribeInternetGateways", &["ec2:DescribeInternetGateways"], "DescribeInternetGatewaysResult",
        "InternetGateways", 1000,
    );
    /// VPC endpoints, firewall endpoints among them.
    DESCRIBE_VPC_ENDPOINTS = paged(
        "DescribeVpcEndpoints", &["ec2:DescribeVpcEndpoints"], "DescribeVpcEndpointsResult", "VpcEndpoints", 1000,
    );
    /// Peering connections.
    DESCRIBE_VPC_PEERING_CONNECTIONS = paged(
        "DescribeVpcPeeringConnections", &["ec2:DescribeVpcPeeringConnections"], "DescribeVpcPeeringConnectionsResult",
        "VpcPeeringConnections", 1000,
    );
    /// Elastic IP addresses, all at once.
    DESCRIBE_ADDRESSES = call(Ec2, "DescribeAddresses", &["ec2:DescribeAddresses"], &EC2_WHOLE)
        .shape("DescribeAddressesResult").list("Addresses");
    /// Prefix lists, AWS's own among them.
    DESCRIBE_MANAGED_PREFIX_LISTS = paged(
        "DescribeManagedPrefixLists", &["ec2:DescribeManagedPrefixLists"], "DescribeManagedPrefixListsResult",
        "PrefixLists", 100,
    );
    /// The entries of a prefix list.
    GET_MANAGED_PREFIX_LIST_ENTRIES = paged(
        "GetManagedPrefixListEntries", &["ec2:GetManagedPrefixListEntries"], "GetManagedPrefixListEntriesResult",
        "Entries", 100,
    );
}
