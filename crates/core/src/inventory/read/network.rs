//! `AWS::EC2::NetworkInterface`, `AWS::EC2::Instance` and `AWS::EC2::PrefixList` (formats §9), and
//! `AWS::EC2::SecurityGroupVpcAssociation` in the layout of its resource schema.

use ipnet::{IpNet, Ipv4Net};

use crate::inventory::{
    Body, GroupAssociation, Instance, InstanceInterface, NetworkInterface, PrefixList, Subnet,
};

use super::security_group::{cidr, owner};
use super::shape::{Cidr, Flag, Group, IdText, Many, Text, TextIn, Whole, shape};
use super::source::{Source, group_ids, sorted};

shape! {
    InterfaceBody {
        groups: Many<TextIn<'a, Group>> = "groups",
        vpc: IdText<'a> = "vpcId",
        owner: Text<'a> = "ownerId",
        subnet: IdText<'a> = "subnetId",
        kind: Text<'a> = "interfaceType",
        requester_managed: Flag = "requesterManaged",
        attachment: Attachment<'a> = "attachment",
    }
}

shape! {
    Attachment {
        instance: IdText<'a> = "instanceId",
        device_index: Whole = "deviceIndex",
        card: Whole = "networkCardIndex",
    }
}

shape! {
    InstanceBody {
        state: State<'a> = "state",
        vpc: IdText<'a> = "vpcId",
        groups: Many<TextIn<'a, Group>> = "securityGroups",
        interfaces: Many<InstanceInterfaceBody<'a>> = "networkInterfaces",
    }
}

shape! {
    State {
        name: Text<'a> = "name" | "value",
    }
}

shape! {
    InstanceInterfaceBody {
        id: IdText<'a> = "networkInterfaceId",
        groups: Many<TextIn<'a, Group>> = "groups",
        attachment: Attachment<'a> = "attachment",
    }
}

shape! {
    PrefixListBody {
        id: IdText<'a> = "prefixListId",
        entries: Many<TextIn<'a, Cidr>> = "entries",
    }
}

shape! {
    GroupAssociationBody {
        group: IdText<'a> = "groupId",
        vpc: IdText<'a> = "vpcId",
        state: Text<'a> = "state",
    }
}

shape! {
    SubnetBody {
        vpc: IdText<'a> = "vpcId",
        zone: Text<'a> = "availabilityZone",
        zone_id: IdText<'a> = "availabilityZoneId",
        owner: Text<'a> = "ownerId",
        ipv4: Text<'a> = "cidrBlock",
    }
}

pub(super) fn read_subnet(source: &Source<'_>) -> Result<Body, String> {
    let body: SubnetBody<'_> = source.body()?;
    Ok(Body::Subnet(Subnet {
        vpc: body.vpc.and_then(TextIn::filled),
        zone: body.zone.and_then(TextIn::filled),
        owner: owner(body.owner, source.item)?,
        zone_id: body.zone_id.and_then(TextIn::filled),
        ipv4: body.ipv4.and_then(TextIn::filled).map(|text| ipv4(&text)).transpose()?,
    }))
}

fn ipv4(text: &str) -> Result<Ipv4Net, String> {
    match cidr(text)? {
        IpNet::V4(range) => Ok(range),
        IpNet::V6(_) => Err(format!("`cidrBlock`: `{text}` is not of IPv4")),
    }
}

/// A body that does not tell the group is unseen.
pub(super) fn read_group_association(source: &Source<'_>) -> Result<Body, String> {
    let body: GroupAssociationBody<'_> = source.body()?;
    let Some(group) = body.group.and_then(TextIn::filled) else { return Ok(Body::Unseen) };
    let state = body.state.and_then(TextIn::filled);
    let is_over = |state: &str| {
        ["disassociated", "association-failed"].iter().any(|over| state.eq_ignore_ascii_case(over))
    };
    Ok(Body::GroupAssociation(GroupAssociation {
        group,
        vpc: body.vpc.and_then(TextIn::filled),
        serves: state.as_deref().map(|state| !is_over(state)),
    }))
}

/// A body that does not tell the groups is unseen.
pub(super) fn read_interface(source: &Source<'_>) -> Result<Body, String> {
    let body: InterfaceBody<'_> = source.body()?;
    if body.groups.is_none() {
        return Ok(Body::Unseen);
    }
    let attachment = body.attachment.unwrap_or_default();
    let device_index = device_index(&attachment)?;
    Ok(Body::NetworkInterface(NetworkInterface {
        groups: group_ids(body.groups),
        vpc: body.vpc.and_then(TextIn::filled),
        subnet: body.subnet.and_then(TextIn::filled),
        interface_type: body.kind.and_then(TextIn::filled),
        requester_managed: body.requester_managed.map(|managed| managed.0),
        instance: attachment.instance.and_then(TextIn::filled),
        device_index,
        owner: owner(body.owner, source.item)?,
    }))
}

/// A body that does not tell the instance's groups, its own or those of every interface, is unseen;
/// terminated instances linger without groups and interfaces.
pub(super) fn read_instance(source: &Source<'_>) -> Result<Body, String> {
    let body: InstanceBody<'_> = source.body()?;
    let state = body.state.and_then(|state| state.name).and_then(TextIn::filled);
    let terminated = state.as_ref().is_some_and(|state| state.eq_ignore_ascii_case("terminated"));
    let by_interfaces = body.interfaces.as_ref().is_some_and(|interfaces| {
        // None at all tell nothing of the groups that an instance has without interfaces.
        !interfaces.0.is_empty() && interfaces.0.iter().all(|interface| interface.groups.is_some())
    });
    let interfaces = body.interfaces.map(|interfaces| {
        interfaces.0.into_iter().map(instance_interface).collect::<Result<Vec<_>, String>>()
    });
    let interfaces = interfaces.transpose()?;
    only_one_is_primary(interfaces.as_deref().unwrap_or_default())?;
    if !terminated && body.groups.is_none() && !by_interfaces {
        return Ok(Body::Unseen);
    }
    Ok(Body::Instance(Instance {
        state,
        vpc: body.vpc.and_then(TextIn::filled),
        groups: group_ids(body.groups),
        interfaces,
    }))
}

fn instance_interface(body: InstanceInterfaceBody<'_>) -> Result<InstanceInterface, String> {
    let id = body.id.ok_or("`networkInterfaces`: an interface without `networkInterfaceId`")?;
    Ok(InstanceInterface {
        id: id.into_box(),
        groups: body.groups.map(|groups| group_ids(Some(groups))),
        device_index: device_index(&body.attachment.unwrap_or_default())?,
    })
}

/// `deviceIndex`, from [`NetworkInterface::CARD`] on for another network card than the first, each of which has a
/// device 0 of its own.
fn device_index(attachment: &Attachment<'_>) -> Result<Option<i32>, String> {
    let whole =
        |index: Option<Whole>, name: &str| match index.map(|Whole(index)| i32::try_from(index)) {
            None => Ok(None),
            Some(Ok(index)) if (0..NetworkInterface::CARD).contains(&index) => Ok(Some(index)),
            Some(_) => Err(format!("`{name}` is out of range")),
        };
    let index = whole(attachment.device_index, "deviceIndex")?;
    let card = whole(attachment.card, "networkCardIndex")?.unwrap_or(0);
    let of_card = |index: i32| card.saturating_mul(NetworkInterface::CARD).saturating_add(index);
    Ok(index.map(of_card))
}

/// AWS cannot have written two primary interfaces of one instance (semantics §11 row 69).
fn only_one_is_primary(interfaces: &[InstanceInterface]) -> Result<(), String> {
    match interfaces.iter().filter(|one| one.device_index == Some(0)).count() {
        0 | 1 => Ok(()),
        _ => Err("`networkInterfaces`: two of `deviceIndex` 0".to_owned()),
    }
}

pub(super) fn read_prefix_list(source: &Source<'_>) -> Result<Body, String> {
    let body: PrefixListBody<'_> = source.body()?;
    let id = body.id.and_then(TextIn::filled);
    let id = id.unwrap_or_else(|| source.item.key.id.as_str().into());
    let Some(entries) = body.entries else {
        return Ok(Body::PrefixList(PrefixList { id, ipv4: None, ipv6: None }));
    };
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for entry in entries.0 {
        match cidr(entry.as_str()).map_err(|why| format!("`entries`: {why}"))? {
            IpNet::V4(network) => ipv4.push(network),
            IpNet::V6(network) => ipv6.push(network),
        }
    }
    Ok(Body::PrefixList(PrefixList { id, ipv4: Some(sorted(ipv4)), ipv6: Some(sorted(ipv6)) }))
}
