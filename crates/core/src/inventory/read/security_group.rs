//! `AWS::EC2::SecurityGroup` (formats §9): rules in every layout since 2016.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::ident::AccountId;
use crate::inventory::{Body, Permission, SecurityGroup};

use super::plain::{Plain, set, skip_other};
use super::shape::{Cidr, Many, PrefixListId, Text, TextIn, Whole, Wrap, shape};
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

impl<'a> GroupBody<'a> {
    /// The short way.
    fn of_plain(text: &'a str) -> Option<GroupBody<'a>> {
        const NAMES: [&str; 5] =
            ["groupName", "vpcId", "ownerId", "ipPermissions", "ipPermissionsEgress"];
        let mut body = GroupBody::default();
        let mut plain = Plain::new(text);
        plain.object(|name, plain| match name {
            "groupName" => set(&mut body.name, Text::of(plain.text()?.into())),
            "vpcId" => set(&mut body.vpc, Text::of(plain.text()?.into())),
            "ownerId" => set(&mut body.owner, Text::of(plain.text()?.into())),
            "ipPermissions" => set(&mut body.ingress, Many(plain.list(Rule::of_plain)?)),
            "ipPermissionsEgress" => set(&mut body.egress, Many(plain.list(Rule::of_plain)?)),
            _ => skip_other(name, &NAMES, plain),
        })?;
        plain.is_done().then_some(body)
    }
}

impl<'a> Rule<'a> {
    fn of_plain(plain: &mut Plain<'a>) -> Option<Rule<'a>> {
        const NAMES: [&str; 8] = [
            "ipProtocol",
            "fromPort",
            "toPort",
            "ipv4Ranges",
            "ipv6Ranges",
            "ipRanges",
            "prefixListIds",
            "userIdGroupPairs",
        ];
        let mut rule = Rule::default();
        plain.object(|name, plain| match name {
            "ipProtocol" => set(&mut rule.protocol, Text::of(plain.text()?.into())),
            "fromPort" => set(&mut rule.from, Whole(plain.number()?)),
            "toPort" => set(&mut rule.to, Whole(plain.number()?)),
            "ipv4Ranges" => {
                set(&mut rule.ipv4, Many(plain.list(|plain| plain_wrapped(plain, "cidrIp"))?))
            }
            "ipv6Ranges" => {
                set(&mut rule.ipv6, Many(plain.list(|plain| plain_wrapped(plain, "cidrIpv6"))?))
            }
            "ipRanges" => {
                let ranges = plain.list(|plain| Some(TextIn::of(plain.text()?.into())))?;
                set(&mut rule.ip, Many(ranges))
            }
            "prefixListIds" => {
                let lists = plain.list(|plain| plain_wrapped(plain, "prefixListId"))?;
                set(&mut rule.prefix_lists, Many(lists))
            }
            "userIdGroupPairs" => set(&mut rule.groups, Many(plain.list(Pair::of_plain)?)),
            _ => skip_other(name, &NAMES, plain),
        })?;
        Some(rule)
    }
}

impl<'a> Pair<'a> {
    fn of_plain(plain: &mut Plain<'a>) -> Option<Pair<'a>> {
        let mut pair = Pair::default();
        plain.object(|name, plain| match name {
            "userId" => set(&mut pair.user, Text::of(plain.text()?.into())),
            "groupId" => set(&mut pair.id, Text::of(plain.text()?.into())),
            "groupName" => set(&mut pair.name, Text::of(plain.text()?.into())),
            _ => skip_other(name, &["userId", "groupId", "groupName"], plain),
        })?;
        Some(pair)
    }
}

/// An object of which this is the only member, a string; others might name the same.
fn plain_wrapped<'a, W: Wrap>(plain: &mut Plain<'a>, wrapper: &str) -> Option<TextIn<'a, W>> {
    let mut found = None;
    plain.object(|name, plain| match name == wrapper {
        true => set(&mut found, TextIn::of(plain.text()?.into())),
        false => None,
    })?;
    found
}

/// A body that does not tell the rules of a direction (a query that did not select them) is unseen:
/// no rules told are not no rules. Groups of EC2-Classic, without a VPC, had no outbound rules.
pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body = match GroupBody::of_plain(source.configuration) {
        Some(body) => body,
        None => source.body()?,
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A body as the long way reads it, if it does.
    fn long(text: &str) -> Option<GroupBody<'_>> {
        serde_json::from_str(text).ok()
    }

    fn texts<W>(list: Option<&Many<TextIn<'_, W>>>) -> Option<Vec<String>> {
        let text = |one: &TextIn<'_, W>| one.as_str().to_owned();
        list.map(|list| list.0.iter().map(text).collect())
    }

    /// Everything that a body tells, for comparison.
    fn told(body: &GroupBody<'_>) -> Vec<Option<Vec<String>>> {
        let one = |text: Option<&Text<'_>>| text.map(|text| vec![text.as_str().to_owned()]);
        let port = |port: Option<Whole>| port.map(|port| vec![port.0.to_string()]);
        let mut told = [&body.name, &body.vpc, &body.owner].map(|text| one(text.as_ref())).to_vec();
        for rules in [&body.ingress, &body.egress] {
            told.push(rules.as_ref().map(|rules| vec![rules.0.len().to_string()]));
            for rule in rules.iter().flat_map(|rules| &rules.0) {
                told.push(one(rule.protocol.as_ref()));
                told.extend([port(rule.from), port(rule.to)]);
                told.extend([&rule.ipv4, &rule.ipv6, &rule.ip].map(|list| texts(list.as_ref())));
                told.push(texts(rule.prefix_lists.as_ref()));
                told.push(rule.groups.as_ref().map(|pairs| vec![pairs.0.len().to_string()]));
                for pair in rule.groups.iter().flat_map(|pairs| &pairs.0) {
                    told.extend([&pair.user, &pair.id, &pair.name].map(|text| one(text.as_ref())));
                }
            }
        }
        told
    }

    const USUAL: &str = r#"{"description":"d","groupName":"g","ipPermissions":[{"fromPort":443,"ipProtocol":"tcp","ipv6Ranges":[{"cidrIpv6":"::/0"}],"prefixListIds":[{"prefixListId":"pl-1"}],"toPort":-1,"userIdGroupPairs":[{"groupId":"sg-1","userId":"1"}],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipRanges":["0.0.0.0/0"]},{}],"ownerId":"1","ipPermissionsEgress":[],"tags":[{"key":"a","value":"b"}],"vpcId":"vpc-1"}"#;

    #[test]
    fn the_usual_body_goes_the_short_way() {
        assert!(GroupBody::of_plain(USUAL).is_some());
    }

    #[test]
    fn the_unusual_goes_the_long_way() {
        for (usual, unusual) in [
            ("groupName", "GroupName"),
            ("\"d\"", "\"\\\"\""),
            ("443", "443.0"),
            ("443", "\"443\""),
            ("443", "null"),
            ("\"tcp\"", "6"),
            ("[\"0.0.0.0/0\"]", "[{\"cidrIp\":\"0.0.0.0/0\"}]"),
            ("[\"0.0.0.0/0\"]", "null"),
            ("{\"cidrIp\":", "{\"value\":"),
            ("{\"cidrIp\":", "{\"description\":\"x\",\"cidrIp\":"),
            ("\"userId\"", "\"userid\""),
            ("\"description\":\"d\"", "\"groupName\":\"d\""),
            (":443", ": 443"),
            ("[]", "{\"items\":[]}"),
        ] {
            let text = USUAL.replace(usual, unusual);
            assert_ne!(text, USUAL, "{usual}");
            assert!(GroupBody::of_plain(&text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        /// Parts of the usual body are taken out, doubled and exchanged: of what is JSON, the short
        /// way reads the same as the long way or nothing.
        #[test]
        fn both_ways_read_the_same(cuts in proptest::collection::vec((0_usize..200, 0_usize..200, 0_u8..3), 0..6)) {
            let mut parts: Vec<&str> = USUAL.split_inclusive(['{', '}', '[', ']', ',', ':', '"']).collect();
            for (from, to, how) in cuts {
                let (from, to) = (from % parts.len(), to % parts.len());
                match how {
                    0 => {
                        parts.remove(from);
                    }
                    1 => parts.insert(to, parts[from]),
                    _ => parts.swap(from, to),
                }
                if parts.is_empty() {
                    break;
                }
            }
            let text = parts.concat();
            if serde_json::from_str::<serde_json::Value>(&text).is_ok()
                && let Some(body) = GroupBody::of_plain(&text)
            {
                let long = long(&text);
                proptest::prop_assert!(long.is_some(), "{}", text);
                proptest::prop_assert_eq!(long.as_ref().map(told), Some(told(&body)), "{}", text);
            }
        }
    }
}
