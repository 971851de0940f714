//! Another vendor's firewall in the sample's network hub: a subnet, its route table and the endpoint in it
//! (formats §9).

use serde_json::{Value, json};

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
        let (first, out) = (
            network.subnets.first(),
            json!({"destinationCidrBlock": "0.0.0.0/0",
            "gatewayId": network.gateway, "origin": "CreateRoute", "state": "active"}),
        );
        items.extend(
            first.map(|subnet| table(place, network, subnet, &out, captured_ms, &mut prng)),
        );
        if account_name == "network-hub" {
            items.extend(firewall(place, network, captured_ms, &mut prng));
        }
    }
    items
}

/// The route table of a subnet.
fn table(
    place: &Place,
    network: &Network,
    subnet: &str,
    route: &Value,
    captured_ms: i64,
    prng: &mut Prng,
) -> ConfigurationItem {
    let id = prng.ec2_id("rtb");
    ConfigurationItem::new(place, "AWS::EC2::RouteTable", &id, captured_ms)
        .ec2_arn("route-table")
        .relates("Is contained in Vpc", "AWS::EC2::VPC", &network.vpc)
        .configuration(json!({
            "routeTableId": id,
            "vpcId": network.vpc,
            "ownerId": place.account,
            "routes": [route],
            "associations": [{"main": false, "routeTableId": id, "subnetId": subnet}],
        }))
}

fn firewall(
    place: &Place,
    network: &Network,
    captured_ms: i64,
    prng: &mut Prng,
) -> Vec<ConfigurationItem> {
    let (subnet, endpoint) = (prng.ec2_id("subnet"), prng.ec2_id("vpce"));
    let local = json!({"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "local",
        "origin": "CreateRouteTable", "state": "active"});
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
        table(place, network, &subnet, &local, captured_ms, prng),
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
