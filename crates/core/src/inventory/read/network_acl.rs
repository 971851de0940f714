//! `AWS::EC2::NetworkAcl` (formats §9).

use ipnet::IpNet;

use crate::inventory::{
    AclAssociation, AclEntry, AclMembers, AclTraffic, Body, NetworkAcl, NumberedEntry,
};

use super::security_group::{cidr, protocol_number};
use super::shape::{Flag, IdText, Many, TWICE, Text, TextIn, Whole, shape};
use super::source::{Source, sorted};

shape! {
    AclBody {
        vpc: IdText<'a> = "vpcId",
        entries: Many<EntryBody<'a>> = "entries",
        associations: Many<AssociationBody<'a>> = "associations",
    }
}

shape! {
    EntryBody {
        number: Whole = "ruleNumber",
        protocol: Text<'a> = "protocol",
        action: Text<'a> = "ruleAction",
        egress: Flag = "egress",
        ipv4: Text<'a> = "cidrBlock",
        ipv6: Text<'a> = "ipv6CidrBlock",
        ports: RangeBody<'a> = "portRange",
        icmp: IcmpBody<'a> = "icmpTypeCode",
    }
}

shape! {
    RangeBody {
        from: Whole = "from",
        to: Whole = "to",
    }
}

shape! {
    IcmpBody {
        kind: Whole = "type",
        code: Whole = "code",
    }
}

shape! {
    AssociationBody {
        id: IdText<'a> = "networkAclAssociationId",
        subnet: IdText<'a> = "subnetId",
    }
}

/// An entry that does not tell what it does makes the item unreadable: which traffic passes depends
/// on each.
pub(super) fn read_acl(source: &Source<'_>) -> Result<Body, String> {
    let body: AclBody<'_> = source.body()?;
    if body.entries.is_none() && body.associations.is_none() {
        return Ok(Body::Unseen);
    }
    let entries = body.entries.map(|entries| {
        let read =
            entries.0.into_iter().enumerate().map(|(at, entry)| {
                numbered(entry).map_err(|why| format!("`entries[{at}]`: {why}"))
            });
        let mut read: Vec<NumberedEntry> = read.collect::<Result<_, String>>()?;
        read.sort_by(|a, b| {
            (a.entry.egress, a.number, &a.entry).cmp(&(b.entry.egress, b.number, &b.entry))
        });
        let place = |one: &NumberedEntry| (one.entry.egress, one.number);
        match read.windows(2).find(|pair| matches!(pair, [a, b] if place(a) == place(b))) {
            Some([one, _]) => Err(format!(
                "`entries`: of one direction the `ruleNumber` `{}` {TWICE}",
                one.number
            )),
            _ => Ok(read),
        }
    });
    let associations = body.associations.map(|associations| {
        let read = associations.0.into_iter().map(association);
        Ok::<_, String>(sorted(read.collect::<Result<Vec<_>, String>>()?))
    });
    Ok(Body::NetworkAcl(NetworkAcl {
        vpc: body.vpc.and_then(TextIn::filled),
        entries: entries.transpose()?,
        associations: associations.transpose()?,
    }))
}

fn association(body: AssociationBody<'_>) -> Result<AclAssociation, String> {
    let subnet = body.subnet.and_then(TextIn::filled);
    let subnet = subnet.ok_or("`associations`: one without `subnetId`")?;
    Ok(AclAssociation { subnet, id: body.id.and_then(TextIn::filled) })
}

fn numbered(body: EntryBody<'_>) -> Result<NumberedEntry, String> {
    let Whole(number) = body.number.ok_or("`ruleNumber` is missing")?;
    let number =
        u16::try_from(number).map_err(|_| format!("`ruleNumber` is out of range: `{number}`"))?;
    let protocol = body.protocol.ok_or("`protocol` is missing")?;
    let protocol = protocol_number(protocol.as_str())?;
    let allow = match body.action.ok_or("`ruleAction` is missing")?.as_str() {
        action if action.eq_ignore_ascii_case("allow") => true,
        action if action.eq_ignore_ascii_case("deny") => false,
        other => return Err(format!("`ruleAction` is neither allow nor deny: `{other}`")),
    };
    let Flag(egress) = body.egress.ok_or("`egress` is missing")?;
    let range = match (body.ipv4.and_then(TextIn::filled), body.ipv6.and_then(TextIn::filled)) {
        (Some(range), None) | (None, Some(range)) => cidr(&range)?,
        (None, None) => return Err("neither `cidrBlock` nor `ipv6CidrBlock` is told".to_owned()),
        (Some(_), Some(_)) => {
            return Err("both `cidrBlock` and `ipv6CidrBlock` are told".to_owned());
        }
    };
    let traffic = traffic(protocol, &range, body.ports, body.icmp)?;
    Ok(NumberedEntry { number, entry: AclEntry { egress, allow, traffic, cidr: range } })
}

/// Ports and types count where EC2 looks at them, and must then be told.
fn traffic(
    protocol: Option<u8>,
    range: &IpNet,
    ports: Option<RangeBody<'_>>,
    icmp: Option<IcmpBody<'_>>,
) -> Result<AclTraffic, String> {
    match (AclTraffic::members(protocol, range), protocol) {
        (AclMembers::Ports, Some(protocol)) => {
            let ports = ports.unwrap_or_default();
            let (Some(Whole(from)), Some(Whole(to))) = (ports.from, ports.to) else {
                return Err("`portRange` is not told".to_owned());
            };
            match (u16::try_from(from), u16::try_from(to)) {
                (Ok(from), Ok(to)) if from <= to => Ok(AclTraffic::Ports { protocol, from, to }),
                _ => Err(format!("ports `{from}` to `{to}` are not a range")),
            }
        }
        (AclMembers::Icmp, Some(protocol)) => {
            let icmp = icmp.unwrap_or_default();
            let (Some(Whole(kind)), Some(Whole(code))) = (icmp.kind, icmp.code) else {
                return Err("`icmpTypeCode` is not told".to_owned());
            };
            let all = -1..=255;
            match (i32::try_from(kind), i32::try_from(code)) {
                (Ok(kind), Ok(code)) if all.contains(&kind) && all.contains(&code) => {
                    Ok(AclTraffic::icmp(protocol, kind, code))
                }
                _ => Err(format!("`icmpTypeCode` is out of range: type `{kind}`, code `{code}`")),
            }
        }
        (AclMembers::Ports | AclMembers::Icmp | AclMembers::None, protocol) => {
            Ok(AclTraffic::of(protocol))
        }
    }
}
