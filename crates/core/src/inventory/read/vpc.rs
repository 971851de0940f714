//! `AWS::EC2::VPC` and `AWS::EC2::VPCPeeringConnection` (formats §9): whose a network is, and which
//! networks are joined.

use crate::inventory::{Body, PeeringConnection, PeeringSide, Vpc};

use super::security_group::owner;
use super::shape::{Code, IdText, Text, TextIn, shape};
use super::source::Source;

shape! {
    VpcBody {
        owner: Text<'a> = "ownerId",
    }
}

shape! {
    PeeringBody {
        accepter: SideBody<'a> = "accepterVpcInfo",
        requester: SideBody<'a> = "requesterVpcInfo",
        status: TextIn<'a, Code> = "status",
    }
}

shape! {
    SideBody {
        vpc: IdText<'a> = "vpcId",
        owner: Text<'a> = "ownerId",
        region: Text<'a> = "region",
    }
}

pub(super) fn read_vpc(source: &Source<'_>) -> Result<Body, String> {
    let body: VpcBody<'_> = source.body()?;
    Ok(Body::Vpc(Vpc { owner: owner(body.owner, source.item)? }))
}

pub(super) fn read_peering(source: &Source<'_>) -> Result<Body, String> {
    let body: PeeringBody<'_> = source.body()?;
    let side = |body: Option<SideBody<'_>>| {
        let body = body.unwrap_or_default();
        Ok::<_, String>(PeeringSide {
            vpc: body.vpc.and_then(TextIn::filled),
            owner: owner(body.owner, source.item)?,
            region: body.region.and_then(TextIn::filled),
        })
    };
    let status = body.status.and_then(TextIn::filled);
    Ok(Body::PeeringConnection(PeeringConnection {
        accepter: side(body.accepter)?,
        requester: side(body.requester)?,
        active: status.map(|code| code.eq_ignore_ascii_case("active")),
    }))
}
