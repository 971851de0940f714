//! Route tables, internet gateways and endpoints.

use super::*;
use crate::inventory::{
    InternetGateway, RouteAssociation, RouteTable, TargetKind, VpcEndpoint, decode_item,
    encode_item,
};

const TABLE: &str = "AWS::EC2::RouteTable";
const GATEWAY: &str = "AWS::EC2::InternetGateway";
const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";

fn table(text: &str) -> Result<RouteTable, String> {
    match body(TABLE, text)? {
        Body::RouteTable(table) => Ok(table),
        other => panic!("{other:?}"),
    }
}

/// As delivered in 2016, and as it is today.
#[test]
fn a_route_table_is_read_as_config_writes_it() {
    let old = r#"{"routeTableId":"the-id","vpcId":"vpc-1","routes":[{"destinationCidrBlock":"172.31.0.0/16","gatewayId":"local","state":"active","origin":"CreateRouteTable"},{"destinationCidrBlock":"0.0.0.0/0","gatewayId":"igw-1","state":"active","origin":"CreateRoute"}],"associations":[{"routeTableAssociationId":"rtbassoc-1","routeTableId":"the-id","main":true}],"tags":[],"propagatingVgws":[]}"#;
    let read = table(old).unwrap();
    let told: Vec<String> = read.routes.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(told, ["0.0.0.0/0 to igw-1", "172.31.0.0/16 to local"]);
    let main = RouteAssociation {
        main: true,
        id: Some("rtbassoc-1".into()),
        ..RouteAssociation::default()
    };
    assert_eq!(read.associations, Some(vec![main]));
    assert_eq!(read.vpc.as_deref(), Some("vpc-1"));
    let whole = item(TABLE, &format!(r#""configuration":{old},"tags":{{}}"#));
    let seen = read_ok(&whole);
    assert_eq!(decode_item(&seen.item.key, &encode_item(&seen.item)), Ok(seen.item));

    let new = r#"{"vpcId":"vpc-1","ownerId":"222222222222","routes":[],"associations":[{"main":false,"subnetId":"subnet-2","associationState":{"state":"associated"}},{"main":false,"subnetId":"subnet-1"},{"main":false,"subnetId":"subnet-3","associationState":{"state":"disassociated"}},{"gatewayId":"igw-1","main":false}]}"#;
    let read = table(new).unwrap();
    let on: Vec<_> = read.associations.unwrap();
    let on: Vec<_> = on.iter().map(|one| (one.subnet.as_deref(), one.gateway.as_deref())).collect();
    assert_eq!(on, [(None, Some("igw-1")), (Some("subnet-1"), None), (Some("subnet-2"), None)]);
    assert_eq!(read.owner.unwrap().as_str(), "222222222222");
}

#[test]
fn a_route_tells_where_it_leads() {
    use TargetKind::*;
    for (members, kind) in [
        (r#""gatewayId":"x""#, Some(Gateway)),
        (r#""gatewayId":"vpce-x""#, Some(VpcEndpoint)),
        (r#""vpcEndpointId":"x""#, Some(VpcEndpoint)),
        (r#""natGatewayId":"x""#, Some(NatGateway)),
        (r#""transitGatewayId":"x""#, Some(TransitGateway)),
        (r#""localGatewayId":"x""#, Some(LocalGateway)),
        (r#""carrierGatewayId":"x""#, Some(CarrierGateway)),
        (r#""egressOnlyInternetGatewayId":"x""#, Some(EgressOnlyGateway)),
        (r#""networkInterfaceId":"x","instanceId":"i-1""#, Some(NetworkInterface)),
        (r#""instanceId":"x""#, Some(Instance)),
        (r#""vpcPeeringConnectionId":"x""#, Some(PeeringConnection)),
        (r#""coreNetworkArn":"x""#, Some(Other)),
        (r#""gatewayId":"""#, None),
        (r#""origin":"CreateRoute""#, None),
    ] {
        let text = format!(r#"{{"routes":[{{"destinationPrefixListId":"pl-1",{members}}}]}}"#);
        let routes = table(&text).unwrap().routes.unwrap();
        assert_eq!(routes[0].target.as_ref().map(|target| target.kind), kind, "{members}");
        assert_eq!(routes[0].destination.to_string(), "pl-1");
    }
    for (state, active) in
        [(r#""active""#, Some(true)), (r#"{"value":"Blackhole"}"#, Some(false)), ("null", None)]
    {
        let text = format!(
            r#"{{"routes":[{{"destinationIpv6CidrBlock":"::/0","gatewayId":"igw-1","state":{state}}}]}}"#
        );
        let routes = table(&text).unwrap().routes.unwrap();
        assert_eq!((routes[0].active, routes[0].is_to_internet()), (active, true), "{state}");
    }
}

/// Semantics §11 row 38.
#[test]
fn what_a_route_table_does_not_tell_is_not_none() {
    assert_eq!(body(TABLE, r#"{"vpcId":"vpc-1"}"#), Ok(Body::Unseen));
    let read = table(r#"{"routes":[]}"#).unwrap();
    assert_eq!((read.routes, read.associations, read.vpc), (Some(vec![]), None, None));
    for (text, wanted) in [
        (r#"{"routes":[{"gatewayId":"igw-1"}]}"#, "`routes[0]`: no destination is told"),
        (r#"{"routes":[{"destinationCidrBlock":"x"}]}"#, "`x` is not a CIDR"),
        (r#"{"associations":[{"main":false}]}"#, "one that tells neither subnet"),
        (r#"{"routes":[null]}"#, "null in a list"),
        (r#"{"routes":[],"ownerId":"x"}"#, "`ownerId`"),
    ] {
        let why = table(text).unwrap_err();
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn a_gateway_tells_its_vpcs_or_not() {
    let gateway = |vpcs: Option<&[&str]>| {
        let vpcs = vpcs.map(|vpcs| vpcs.iter().map(|vpc| (*vpc).into()).collect());
        Ok(Body::InternetGateway(InternetGateway { vpcs }))
    };
    for (text, vpcs) in [
        (r#"{"attachments":[{"vpcId":"vpc-1","state":"available"}]}"#, Some(&["vpc-1"][..])),
        (r#"{"attachments":[{"vpcId":"vpc-1","state":"detached"}]}"#, Some(&[])),
        (r#"{"attachments":[]}"#, Some(&[])),
        (r#"{"internetGatewayId":"the-id"}"#, None),
    ] {
        assert_eq!(body(GATEWAY, text), gateway(vpcs), "{text}");
    }
    let why = body(GATEWAY, r#"{"attachments":[{"state":"available"}]}"#).unwrap_err();
    assert!(why.contains("one without `vpcId`"), "{why}");
}

#[test]
fn an_endpoint_tells_its_kind_subnets_and_state_or_not() {
    let told = VpcEndpoint {
        vpc: Some("vpc-1".into()),
        kind: Some("GatewayLoadBalancer".into()),
        subnets: Some(vec!["subnet-1".into()]),
        state: Some("available".into()),
        service: Some("com.amazonaws.vpce.eu-west-1.vpce-svc-1".into()),
    };
    for (text, wanted) in [
        (
            r#"{"vpcEndpointId":"the-id","vpcEndpointType":"GatewayLoadBalancer","vpcId":"vpc-1","serviceName":"com.amazonaws.vpce.eu-west-1.vpce-svc-1","state":"available","subnetIds":["subnet-1"],"routeTableIds":[]}"#,
            told.clone(),
        ),
        (
            r#"{"vpcEndpointType":"GatewayLoadBalancer","vpcId":"vpc-1","serviceName":"com.amazonaws.vpce.eu-west-1.vpce-svc-1","state":{"value":"available"},"subnetIds":["subnet-1"]}"#,
            told,
        ),
        ("{}", VpcEndpoint::default()),
    ] {
        assert_eq!(body(ENDPOINT, text), Ok(Body::VpcEndpoint(wanted)), "{text}");
    }
}
