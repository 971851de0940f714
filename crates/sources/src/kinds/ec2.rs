//! EC2 and VPC, where one listing tells all of a resource.

use palisade_aws::calls;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::item::{Described, Found, camel, tags, text};

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $call:ident $id:literal $arn:literal $tags:literal;)+) => {
        $($(#[$doc])*
        pub async fn $name(ask: Ask) -> Found {
            ask.each(&calls::$call, json!({}), |answer, ask| described(answer, ask, $id, $arn, $tags)).await
        })+
    };
}

lists! {
    /// `AWS::EC2::VPC`
    vpcs: DESCRIBE_VPCS "VpcId" "vpc" "Tags";
    /// `AWS::EC2::Subnet`
    subnets: DESCRIBE_SUBNETS "SubnetId" "subnet" "Tags";
    /// `AWS::EC2::NetworkInterface`
    interfaces: DESCRIBE_NETWORK_INTERFACES "NetworkInterfaceId" "network-interface" "TagSet";
    /// `AWS::EC2::NetworkAcl`
    network_acls: DESCRIBE_NETWORK_ACLS "NetworkAclId" "network-acl" "Tags";
    /// `AWS::EC2::RouteTable`
    route_tables: DESCRIBE_ROUTE_TABLES "RouteTableId" "route-table" "Tags";
    /// `AWS::EC2::InternetGateway`
    internet_gateways: DESCRIBE_INTERNET_GATEWAYS "InternetGatewayId" "internet-gateway" "Tags";
    /// `AWS::EC2::VPCEndpoint`
    endpoints: DESCRIBE_VPC_ENDPOINTS "VpcEndpointId" "vpc-endpoint" "Tags";
    /// `AWS::EC2::VPCPeeringConnection`
    peerings: DESCRIBE_VPC_PEERING_CONNECTIONS "VpcPeeringConnectionId" "vpc-peering-connection" "Tags";
}

/// What a member of a listing tells, in the names that AWS Config has for it.
///
/// # Errors
/// It has no id, or tags in another form.
pub fn described(
    answer: &Value,
    ask: &Ask,
    id: &str,
    arn: &str,
    tag_list: &str,
) -> Result<Described, String> {
    let id = text(answer, id)?;
    Ok(Described {
        arn: Some(ask.arn("ec2", &format!("{arn}/{id}"))),
        tags: Some(tags(answer.get(tag_list))?),
        configuration: camel(answer),
        id,
        ..Described::default()
    })
}

/// `AWS::EC2::Instance`: the instances of each reservation.
pub async fn instances(ask: Ask) -> Found {
    let call = &calls::DESCRIBE_INSTANCES;
    let reservations = ask.all(call, json!({})).await?;
    let read = reservations.iter().map(|reservation| of_reservation(reservation, &ask));
    let all: Result<Vec<Vec<Described>>, String> = read.collect();
    all.map(|all| all.concat()).map_err(|why| ask.unread(call, why))
}

/// The instances of a reservation, each with whose it is.
///
/// # Errors
/// It tells no instances.
pub fn of_reservation(reservation: &Value, ask: &Ask) -> Result<Vec<Described>, String> {
    let instances = reservation.get("Instances").and_then(Value::as_array);
    let instances = instances.ok_or("a reservation has no `Instances`")?;
    instances.iter().map(|one| described(one, ask, "InstanceId", "instance", "Tags")).collect()
}
