//! `AWS::EC2::RouteTable`, `AWS::EC2::InternetGateway` and `AWS::EC2::VPCEndpoint` (formats §9).

use crate::inventory::{
    Body, Destination, InternetGateway, Route, RouteAssociation, RouteTable, RouteTarget,
    TargetKind, VpcEndpoint,
};

use super::security_group::{cidr, owner};
use super::shape::{Code, Flag, IdText, Many, Text, TextIn, shape};
use super::source::{Source, sorted};

shape! {
    TableBody {
        vpc: IdText<'a> = "vpcId",
        owner: Text<'a> = "ownerId",
        routes: Many<RouteBody<'a>> = "routes",
        associations: Many<AssociationBody<'a>> = "associations",
    }
}

shape! {
    RouteBody {
        ipv4: Text<'a> = "destinationCidrBlock",
        ipv6: Text<'a> = "destinationIpv6CidrBlock",
        list: IdText<'a> = "destinationPrefixListId",
        state: TextIn<'a, Code> = "state",
        gateway: IdText<'a> = "gatewayId",
        endpoint: IdText<'a> = "vpcEndpointId",
        nat: IdText<'a> = "natGatewayId",
        transit: IdText<'a> = "transitGatewayId",
        local: IdText<'a> = "localGatewayId",
        carrier: IdText<'a> = "carrierGatewayId",
        egress_only: IdText<'a> = "egressOnlyInternetGatewayId",
        interface: IdText<'a> = "networkInterfaceId",
        instance: IdText<'a> = "instanceId",
        peering: IdText<'a> = "vpcPeeringConnectionId",
        core: IdText<'a> = "coreNetworkArn",
    }
}

shape! {
    AssociationBody {
        id: IdText<'a> = "routeTableAssociationId",
        subnet: IdText<'a> = "subnetId",
        gateway: IdText<'a> = "gatewayId",
        main: Flag = "main",
        state: StateBody<'a> = "associationState",
    }
}

shape! {
    StateBody {
        state: TextIn<'a, Code> = "state",
    }
}

shape! {
    GatewayBody {
        attachments: Many<AttachmentBody<'a>> = "attachments",
    }
}

shape! {
    AttachmentBody {
        vpc: IdText<'a> = "vpcId",
        state: TextIn<'a, Code> = "state",
    }
}

shape! {
    EndpointBody {
        vpc: IdText<'a> = "vpcId",
        kind: Text<'a> = "vpcEndpointType",
        subnets: Many<IdText<'a>> = "subnetIds",
        state: TextIn<'a, Code> = "state",
        service: Text<'a> = "serviceName",
    }
}

/// A route that does not tell its destination, or an association that does not tell what it serves,
/// makes the item unreadable: where traffic goes depends on each.
pub(super) fn read_table(source: &Source<'_>) -> Result<Body, String> {
    let body: TableBody<'_> = source.body()?;
    if body.routes.is_none() && body.associations.is_none() {
        return Ok(Body::Unseen);
    }
    let routes = body.routes.map(|routes| {
        let read = routes.0.into_iter().enumerate();
        let read =
            read.map(|(at, body)| route(body).map_err(|why| format!("`routes[{at}]`: {why}")));
        Ok::<_, String>(sorted(read.collect::<Result<Vec<_>, String>>()?))
    });
    let associations = body.associations.map(|associations| {
        let read = associations.0.into_iter().filter(|one| !is_over(one)).map(association);
        Ok::<_, String>(sorted(read.collect::<Result<Vec<_>, String>>()?))
    });
    Ok(Body::RouteTable(RouteTable {
        vpc: body.vpc.and_then(TextIn::filled),
        owner: owner(body.owner, source.item)?,
        routes: routes.transpose()?,
        associations: associations.transpose()?,
    }))
}

fn route(body: RouteBody<'_>) -> Result<Route, String> {
    let range = |text: Option<Text<'_>>| text.and_then(TextIn::filled).map(|text| cidr(&text));
    let (ipv4, ipv6) = (range(body.ipv4).transpose()?, range(body.ipv6).transpose()?);
    let destination = match (ipv4.or(ipv6), body.list.and_then(TextIn::filled)) {
        (Some(range), _) => Destination::Range(range),
        (None, Some(list)) => Destination::List(list),
        (None, None) => return Err("no destination is told".to_owned()),
    };
    let state = body.state.and_then(TextIn::filled);
    let target = [
        (TargetKind::Gateway, body.gateway),
        (TargetKind::VpcEndpoint, body.endpoint),
        (TargetKind::NatGateway, body.nat),
        (TargetKind::TransitGateway, body.transit),
        (TargetKind::LocalGateway, body.local),
        (TargetKind::CarrierGateway, body.carrier),
        (TargetKind::EgressOnlyGateway, body.egress_only),
        (TargetKind::NetworkInterface, body.interface),
        (TargetKind::Instance, body.instance),
        (TargetKind::PeeringConnection, body.peering),
        (TargetKind::Other, body.core),
    ];
    let told = target.into_iter().find_map(|(kind, id)| Some((kind, id.and_then(TextIn::filled)?)));
    let target = told.map(|(kind, id)| match kind {
        // As Config writes endpoints.
        TargetKind::Gateway if id.starts_with("vpce-") => {
            RouteTarget { kind: TargetKind::VpcEndpoint, id }
        }
        kind => RouteTarget { kind, id },
    });
    let active = state.map(|state| !state.eq_ignore_ascii_case("blackhole"));
    Ok(Route { destination, target, active })
}

/// Whether an association holds no longer.
fn is_over(body: &AssociationBody<'_>) -> bool {
    let state = body.state.as_ref().and_then(|state| state.state.as_ref());
    let over = ["disassociating", "disassociated", "failed"];
    state.is_some_and(|state| over.iter().any(|over| state.as_str().eq_ignore_ascii_case(over)))
}

fn association(body: AssociationBody<'_>) -> Result<RouteAssociation, String> {
    let (subnet, gateway) =
        (body.subnet.and_then(TextIn::filled), body.gateway.and_then(TextIn::filled));
    let main = body.main.is_some_and(|Flag(main)| main);
    if subnet.is_none() && gateway.is_none() && !main {
        return Err("`associations`: one that tells neither subnet, gateway nor `main`".to_owned());
    }
    Ok(RouteAssociation { subnet, gateway, main, id: body.id.and_then(TextIn::filled) })
}

/// An attachment that does not tell its VPC makes the item unreadable.
pub(super) fn read_gateway(source: &Source<'_>) -> Result<Body, String> {
    let body: GatewayBody<'_> = source.body()?;
    let vpcs = body.attachments.map(|attachments| {
        let is_over = |one: &AttachmentBody<'_>| {
            one.state.as_ref().is_some_and(|state| state.as_str().eq_ignore_ascii_case("detached"))
        };
        let all = attachments.0.into_iter().filter(|one| !is_over(one));
        let vpcs = all.map(|one| {
            one.vpc.and_then(TextIn::filled).ok_or("`attachments`: one without `vpcId`".to_owned())
        });
        Ok::<_, String>(sorted(vpcs.collect::<Result<Vec<_>, String>>()?))
    });
    Ok(Body::InternetGateway(InternetGateway { vpcs: vpcs.transpose()? }))
}

pub(super) fn read_endpoint(source: &Source<'_>) -> Result<Body, String> {
    let body: EndpointBody<'_> = source.body()?;
    Ok(Body::VpcEndpoint(VpcEndpoint {
        vpc: body.vpc.and_then(TextIn::filled),
        kind: body.kind.and_then(TextIn::filled),
        subnets: body
            .subnets
            .map(|subnets| sorted(subnets.0.into_iter().filter_map(TextIn::filled))),
        state: body.state.and_then(TextIn::filled),
        service: body.service.and_then(TextIn::filled),
    }))
}
