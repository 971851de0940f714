//! Another vendor's firewall in the sample's network hub: a subnet, its route table and the endpoint in it
//! (formats §9).

use serde_json::json;

use super::item::{ConfigurationItem, Place};
use super::network::Network;
use super::prng::Prng;

/// Of the hub each VPC has a subnet that reaches the internet, and a firewall in its zone; of the
/// warehouses no VPC has a firewall.
pub fn firewalls(
    place: &Place,
    account_name: &str,
    networks: &[Network],
    captured_ms: i64,
) -> Vec<ConfigurationItem> {
    if !matches!(account_name, "network-hub" | "warehouse-prod") {
        return Vec::new();
    }
    let mut prng = Prng::labelled(5, &format!("{}/{}", place.account, place.region));
    let mut items = Vec::new();
    for network in networks {
        items.push(network.way_out(place, captured_ms, &mut prng));
        if account_name == "network-hub" {
            items.extend(firewall(place, network, captured_ms, &mut prng));
        }
    }
    items
}

fn firewall(
    place: &Place,
    network: &Network,
    captured_ms: i64,
    prng: &mut Prng,
) -> Vec<ConfigurationItem> {
    let (subnet, table, endpoint) =
        (prng.ec2_id("subnet"), prng.ec2_id("rtb"), prng.ec2_id("vpce"));
    let vpc = &network.vpc;
    let new = |kind: &'static str, id: &str| {
        ConfigurationItem::new(place, kind, id, captured_ms).relates(
            "Is contained in Vpc",
            "AWS::EC2::VPC",
            vpc,
        )
    };
    vec![
        new("AWS::EC2::Subnet", &subnet).ec2_arn("subnet").configuration(json!({
            "availabilityZone": format!("{}a", place.region),
            "cidrBlock": "100.64.0.0/28",
            "mapPublicIpOnLaunch": false,
            "ownerId": place.account,
            "subnetId": subnet,
            "vpcId": vpc,
            "tags": [],
        })),
        new("AWS::EC2::RouteTable", &table).ec2_arn("route-table").configuration(json!({
            "routeTableId": table,
            "vpcId": vpc,
            "ownerId": place.account,
            "routes": [{"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "local",
                "origin": "CreateRouteTable", "state": "active"}],
            "associations": [{"main": false, "routeTableId": table, "subnetId": subnet}],
        })),
        new("AWS::EC2::VPCEndpoint", &endpoint).ec2_arn("vpc-endpoint").configuration(json!({
            "vpcEndpointId": endpoint,
            "vpcEndpointType": "GatewayLoadBalancer",
            "vpcId": vpc,
            "ownerId": place.account,
            "state": "available",
            "subnetIds": [subnet],
            "networkInterfaceIds": [],
        })),
    ]
}
