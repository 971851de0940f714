//! `AWS::EC2::SecurityGroup` (formats §9): rules in every layout since 2016.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::ident::AccountId;
use crate::inventory::{Body, Permission, SecurityGroup};

use super::shape::{Cidr, Many, PrefixListId, Text, TextIn, Whole, shape};
use super::{Source, sorted};

shape! {
    GroupBody {
        name: Text<'a> = "groupName",
        vpc: Text<'a> = "vpcId",
        owner: Text<'a> = "ownerId",
        ingress: Many<Rule<'a>> = "ipPermissions",
        egress: Many<Rule<'a>> = "ipPermissionsEgress",
    }
}

shape! {
    Rule {
        protocol: Text<'a> = "ipProtocol",
        from: Whole = "fromPort",
        to: Whole = "toPort",
        ipv4: Many<TextIn<'a, Cidr>> = "ipv4Ranges",
        ipv6: Many<TextIn<'a, Cidr>> = "ipv6Ranges",
        ip: Many<TextIn<'a, Cidr>> = "ipRanges",
        prefix_lists: Many<TextIn<'a, PrefixListId>> = "prefixListIds",
        groups: Many<Pair<'a>> = "userIdGroupPairs",
    }
}

shape! {
    Pair {
        user: Text<'a> = "userId",
        id: Text<'a> = "groupId",
        name: Text<'a> = "groupName",
    }
}

/// A body that does not tell the rules of a direction (a query that did not select them) is unseen:
/// no rules told are not no rules. Groups of EC2-Classic, without a VPC, had no outbound rules.
pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: GroupBody<'_> = source.body()?;
    let Some(ingress) = body.ingress else { return Ok(Body::Unseen) };
    let vpc = body.vpc.and_then(Text::filled);
    if vpc.is_some() && body.egress.is_none() {
        return Ok(Body::Unseen);
    }
    let owner = match body.owner.and_then(Text::filled) {
        Some(owner) => Some(AccountId::try_from(&*owner).map_err(|error| error.to_string())?),
        None => None,
    };
    let name = body.name.and_then(Text::filled).or_else(|| source.item.name.clone());
    Ok(Body::SecurityGroup(SecurityGroup {
        group_name: name.unwrap_or_default(),
        vpc,
        owner,
        ingress: permissions("ipPermissions", Some(ingress))?,
        egress: permissions("ipPermissionsEgress", body.egress)?,
    }))
}

fn permissions(what: &str, rules: Option<Many<Rule<'_>>>) -> Result<Vec<Permission>, String> {
    let rules = rules.into_iter().flat_map(|rules| rules.0).enumerate();
    rules
        .map(|(at, rule)| permission(rule).map_err(|why| format!("`{what}[{at}]`: {why}")))
        .collect()
}

fn permission(rule: Rule<'_>) -> Result<Permission, String> {
    let protocol = rule.protocol.as_ref().ok_or("`ipProtocol` is missing")?;
    let protocol = protocol_number(protocol.as_str())?;
    let (from_port, to_port) = ports(protocol, rule.from, rule.to)?;
    let (ipv4, ipv6) = networks([rule.ipv4, rule.ip, rule.ipv6])?;
    let lists = rule.prefix_lists.into_iter().flat_map(|lists| lists.0);
    let pairs = rule.groups.into_iter().flat_map(|pairs| pairs.0);
    let groups: Result<Vec<_>, String> = pairs.map(pair).collect();
    Ok(Permission {
        protocol,
        from_port,
        to_port,
        ipv4,
        ipv6,
        prefix_lists: sorted(lists.map(TextIn::into_box)),
        groups: sorted(groups?),
    })
}

/// EC2's names and numbers (formats §10 row 22); `None` is all protocols.
fn protocol_number(text: &str) -> Result<Option<u8>, String> {
    const NAMES: [(&str, u8); 4] = [("tcp", 6), ("udp", 17), ("icmp", 1), ("icmpv6", 58)];
    if text == "-1" {
        return Ok(None);
    }
    let named = NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    match named.map(|(_, number)| *number).or_else(|| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!(
            "`{text}` is not a protocol: expected tcp, udp, icmp, icmpv6, -1 or a number up to 255"
        )),
    }
}

type Ports = (Option<i32>, Option<i32>);

/// Ports as recorded, except that tcp and udp without ports (or with -1, any) are all of them.
fn ports(protocol: Option<u8>, from: Option<Whole>, to: Option<Whole>) -> Result<Ports, String> {
    let port = |which: &str, port: Option<Whole>| match port {
        None => Ok(None),
        Some(Whole(port)) => match i32::try_from(port) {
            Ok(port @ -1..=65_535) => Ok(Some(port)),
            _ => Err(format!("`{which}` is not a port: `{port}`")),
        },
    };
    let (from, to) = (port("fromPort", from)?, port("toPort", to)?);
    if !matches!(protocol, Some(6 | 17)) {
        return Ok((from, to));
    }
    match (from, to) {
        (None | Some(-1), None | Some(-1)) => Ok((Some(0), Some(65_535))),
        (Some(0..), Some(_)) if from <= to => Ok((from, to)),
        _ => {
            let shown = |port: Option<i32>| port.map_or("none".to_owned(), |port| port.to_string());
            Err(format!("ports `{}` to `{}` are not a range", shown(from), shown(to)))
        }
    }
}

/// The networks of all lists, host bits cleared, each told by its own family: items up to 2016
/// have only `ipRanges`, newer ones repeat IPv4 there.
fn networks<const N: usize>(
    lists: [Option<Many<TextIn<'_, Cidr>>>; N],
) -> Result<(Vec<Ipv4Net>, Vec<Ipv6Net>), String> {
    let mut ipv4 = Vec::new();
    let mut ipv6 = Vec::new();
    for text in lists.into_iter().flatten().flat_map(|list| list.0) {
        match cidr(text.as_str())? {
            IpNet::V4(network) => ipv4.push(network),
            IpNet::V6(network) => ipv6.push(network),
        }
    }
    Ok((sorted(ipv4), sorted(ipv6)))
}

/// A network with its host bits cleared; an address alone is a network of one.
pub(super) fn cidr(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network| network.trunc()).ok_or_else(|| format!("`{text}` is not a CIDR"))
}

/// EC2-Classic pairs may have a name alone.
fn pair(pair: Pair<'_>) -> Result<(Option<Box<str>>, Box<str>), String> {
    let group = pair.id.and_then(Text::filled).or_else(|| pair.name.and_then(Text::filled));
    let group = group.ok_or("a group reference without `groupId`")?;
    Ok((pair.user.and_then(Text::filled), group))
}
