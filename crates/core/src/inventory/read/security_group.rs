//! `AWS::EC2::SecurityGroup` (formats §9): rules in every layout since 2016.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::de::IgnoredAny;

use crate::ident::AccountId;
use crate::inventory::{Body, Item, Permission, SecurityGroup, UntoldOfGroup};

use super::plain::{Plain, filled, set, skip_other};
use super::shape::{Cidr, IdText, Many, PrefixListId, Text, TextIn, Whole, shape};
use super::source::{Source, sorted};

shape! {
    GroupBody {
        name: Text<'a> = "groupName",
        vpc: IdText<'a> = "vpcId",
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
        id: IdText<'a> = "groupId",
        name: Text<'a> = "groupName",
    }
}

/// The short way; what is unusual or wrong is left to the long way.
fn plain_group(source: &Source<'_>) -> Option<SecurityGroup> {
    source.is_json.then_some(())?;
    const NAMES: [&str; 5] =
        ["groupName", "vpcId", "ownerId", "ipPermissions", "ipPermissionsEgress"];
    let (mut name, mut vpc, mut owner, mut ingress, mut egress) = (None, None, None, None, None);
    let mut plain = Plain::new(source.configuration);
    plain.object(|key, plain| match key {
        "groupName" => set(&mut name, plain.text()?),
        "vpcId" => set(&mut vpc, plain.text()?),
        "ownerId" => set(&mut owner, plain.text()?),
        "ipPermissions" => set(&mut ingress, plain.list(plain_permission)?),
        "ipPermissionsEgress" => set(&mut egress, plain.list(plain_permission)?),
        _ => skip_other(key, &NAMES, plain),
    })?;
    let owner = match filled(owner) {
        Some(owner) => Some(owner_of(owner, source.item)?),
        None => None,
    };
    let name = filled(name).map(Box::from).or_else(|| source.item.name.clone());
    let group = SecurityGroup {
        group_name: name.unwrap_or_default(),
        vpc: vpc.map(Box::from),
        owner,
        ingress: ingress?,
        egress: egress?,
        untold: UntoldOfGroup::default(),
    };
    plain.is_done().then_some(group)
}

fn plain_permission(plain: &mut Plain<'_>) -> Option<Permission> {
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
    let (mut protocol, mut from, mut to) = (None, None, None);
    let (mut wrapped_ipv4, mut wrapped_ipv6, mut bare) = (None, None, None);
    let (mut lists, mut groups) = (None, None);
    let mut networks = Networks::default();
    plain.object(|key, plain| match key {
        "ipProtocol" => set(&mut protocol, protocol_number(plain.text()?).ok()?),
        "fromPort" => set(&mut from, Whole(plain.number()?)),
        "toPort" => set(&mut to, Whole(plain.number()?)),
        "ipv4Ranges" => {
            let range = |plain: &mut Plain<'_>| networks.add(plain_wrapped(plain, "cidrIp")?).ok();
            set(&mut wrapped_ipv4, plain.each(range)?)
        }
        "ipv6Ranges" => {
            let range =
                |plain: &mut Plain<'_>| networks.add(plain_wrapped(plain, "cidrIpv6")?).ok();
            set(&mut wrapped_ipv6, plain.each(range)?)
        }
        "ipRanges" => set(&mut bare, plain.each(|plain| networks.add(plain.text()?).ok())?),
        "prefixListIds" => {
            let id = |plain: &mut Plain<'_>| plain_wrapped(plain, "prefixListId").map(Box::from);
            set(&mut lists, sorted(plain.list(id)?))
        }
        "userIdGroupPairs" => set(&mut groups, sorted(plain.list(plain_pair)?)),
        _ => skip_other(key, &NAMES, plain),
    })?;
    let protocol = protocol?;
    let (from_port, to_port) = ports(protocol, from, to).ok()?;
    let told = [&wrapped_ipv4, &wrapped_ipv6, &bare].map(Option::is_some);
    tells_all(told, lists.is_some(), groups.is_some()).then_some(())?;
    let (ipv4, ipv6) = networks.sorted();
    Some(Permission {
        protocol,
        from_port,
        to_port,
        ipv4,
        ipv6,
        prefix_lists: lists.unwrap_or_default(),
        groups: groups.unwrap_or_default(),
    })
}

fn plain_pair(plain: &mut Plain<'_>) -> Option<(Option<Box<str>>, Box<str>)> {
    let (mut user, mut id, mut name) = (None, None, None);
    plain.object(|key, plain| match key {
        "userId" => set(&mut user, plain.text()?),
        "groupId" => set(&mut id, plain.text()?),
        "groupName" => set(&mut name, plain.text()?),
        _ => skip_other(key, &["userId", "groupId", "groupName"], plain),
    })?;
    let group = filled(id).or(filled(name))?;
    Some((filled(user).map(Box::from), group.into()))
}

/// An object of which this is the only member, a string; others might name the same.
fn plain_wrapped<'a>(plain: &mut Plain<'a>, wrapper: &str) -> Option<&'a str> {
    let mut found = None;
    plain.object(|key, plain| match key == wrapper {
        true => set(&mut found, plain.text()?),
        false => None,
    })?;
    found
}

pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    match plain_group(source) {
        Some(group) => Ok(Body::SecurityGroup(group)),
        None => read_any(source),
    }
}

/// Whether a permission tells every kind of other end, as every one of AWS Config's does: IPv4, IPv6
/// ranges, prefix lists, groups. Items of the layout before 2017 have bare ranges alone (formats §9), in
/// whatever year such an item was captured; beside one newer list they do not tell the other (semantics
/// §11 row 38).
fn tells_all([ipv4, ipv6, bare]: [bool; 3], lists: bool, groups: bool) -> bool {
    let ranges = if ipv4 || ipv6 { ipv4 && ipv6 } else { bare };
    ranges && lists && groups
}

/// The long way. A body without any rules (a query that did not select them) is unseen: no rules told
/// are not no rules. What is told of one direction is judged, and the other is untold.
fn read_any(source: &Source<'_>) -> Result<Body, String> {
    let body: GroupBody<'_> = source.body()?;
    if body.ingress.is_none() && body.egress.is_none() {
        return Ok(Body::Unseen);
    }
    let vpc = match body.vpc.and_then(TextIn::filled) {
        None if tells_vpc(source)? => Some(Box::from("")),
        vpc => vpc,
    };
    let (ingress, is_ingress_untold) = permissions("ipPermissions", body.ingress)?;
    let (egress, is_egress_untold) = permissions("ipPermissionsEgress", body.egress)?;
    let untold = UntoldOfGroup { ingress: is_ingress_untold, egress: is_egress_untold };
    let owner = owner(body.owner, source.item)?;
    let name = body.name.and_then(TextIn::filled).or_else(|| source.item.name.clone());
    Ok(Body::SecurityGroup(SecurityGroup {
        group_name: name.unwrap_or_default(),
        vpc,
        owner,
        ingress,
        egress,
        untold,
    }))
}

/// Whether a body tells its VPC, if only that there is none.
fn tells_vpc(source: &Source<'_>) -> Result<bool, String> {
    let members: BTreeMap<Cow<'_, str>, IgnoredAny> = source.body()?;
    Ok(members.keys().any(|name| name.eq_ignore_ascii_case("vpcId")))
}

/// Whose a resource is, where that is told.
pub(super) fn owner(text: Option<Text<'_>>, item: &Item) -> Result<Option<AccountId>, String> {
    let owner = text.and_then(TextIn::filled);
    owner
        .map(|owner| {
            let id = owner_of(&owner, item);
            id.ok_or_else(|| format!("`ownerId`: `{owner}` is not an account id of 12 digits"))
        })
        .transpose()
}

/// The item's own account, or one with an id of AWS's form: believed, anything else would give the
/// resource away to an account that nobody has.
fn owner_of(text: &str, item: &Item) -> Option<AccountId> {
    let id = AccountId::try_from(text).ok()?;
    (text.len() == 12 || id == item.key.account).then_some(id)
}

/// The permissions of a direction, and whether some of what they open may not be told.
fn permissions(
    what: &str,
    rules: Option<Many<Rule<'_>>>,
) -> Result<(Vec<Permission>, bool), String> {
    let Some(rules) = rules else { return Ok((Vec::new(), true)) };
    let mut untold = false;
    let read = rules.0.into_iter().enumerate().map(|(at, rule)| {
        let told = [rule.ipv4.is_some(), rule.ipv6.is_some(), rule.ip.is_some()];
        untold |= !tells_all(told, rule.prefix_lists.is_some(), rule.groups.is_some());
        permission(rule).map_err(|why| format!("`{what}[{at}]`: {why}"))
    });
    let read: Vec<Permission> = read.collect::<Result<_, String>>()?;
    Ok((read, untold))
}

fn permission(rule: Rule<'_>) -> Result<Permission, String> {
    let protocol = rule.protocol.as_ref().ok_or("`ipProtocol` is missing")?;
    let protocol = protocol_number(protocol.as_str())?;
    let (from_port, to_port) = ports(protocol, rule.from, rule.to)?;
    let mut networks = Networks::default();
    for text in [rule.ipv4, rule.ip, rule.ipv6].into_iter().flatten().flat_map(|list| list.0) {
        networks.add(text.as_str())?;
    }
    let (ipv4, ipv6) = networks.sorted();
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
pub(super) fn protocol_number(text: &str) -> Result<Option<u8>, String> {
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

/// Ports as recorded, except that tcp and udp with -1, any, have all of them. EC2 tells both ports, or type
/// and code, of every rule whose protocol has any (formats §9): where one is absent it is not told, and not
/// any (semantics §11 rows 38, 39).
fn ports(protocol: Option<u8>, from: Option<Whole>, to: Option<Whole>) -> Result<Ports, String> {
    let port = |which: &str, port: Option<Whole>| match port {
        None => Ok(None),
        Some(Whole(port)) => match i32::try_from(port) {
            Ok(port @ -1..=65_535) => Ok(Some(port)),
            _ => Err(format!("`{which}` is not a port: `{port}`")),
        },
    };
    let told = (port("fromPort", from)?, port("toPort", to)?);
    let is_tcp_or_udp = matches!(protocol, Some(6 | 17));
    match told {
        (None, None) if !is_tcp_or_udp && !matches!(protocol, Some(1 | 58)) => Ok(told),
        (None, _) => Err("`fromPort` is missing".to_owned()),
        (_, None) => Err("`toPort` is missing".to_owned()),
        _ if !is_tcp_or_udp => Ok(told),
        (Some(-1), Some(-1)) => Ok((Some(0), Some(65_535))),
        (Some(from @ 0..), Some(to)) if from <= to => Ok(told),
        (Some(from), Some(to)) => Err(format!("ports `{from}` to `{to}` are not a range")),
    }
}

/// The networks of all lists, host bits cleared, each told by its own family: items up to 2016
/// have only `ipRanges`, newer ones repeat IPv4 there.
#[derive(Default)]
struct Networks {
    ipv4: Vec<Ipv4Net>,
    ipv6: Vec<Ipv6Net>,
}

impl Networks {
    fn add(&mut self, text: &str) -> Result<(), String> {
        match cidr(text)? {
            // What is repeated is so one by one, most often.
            IpNet::V4(network) if self.ipv4.last() == Some(&network) => {}
            IpNet::V4(network) => self.ipv4.push(network),
            IpNet::V6(network) => self.ipv6.push(network),
        }
        Ok(())
    }

    fn sorted(self) -> (Vec<Ipv4Net>, Vec<Ipv6Net>) {
        (sorted(self.ipv4), sorted(self.ipv6))
    }
}

/// A network with its host bits cleared; an address alone is a network of one.
pub(super) fn cidr(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok();
    let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    network.map(|network| network.trunc()).ok_or_else(|| format!("`{text}` is not a CIDR"))
}

/// EC2-Classic pairs may have a name alone.
fn pair(pair: Pair<'_>) -> Result<(Option<Box<str>>, Box<str>), String> {
    let group = pair.id.and_then(TextIn::filled).or_else(|| pair.name.and_then(TextIn::filled));
    let group = group.ok_or("a group reference without `groupId`")?;
    Ok((pair.user.and_then(TextIn::filled), group))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a way makes of a body.
    fn by<T>(way: fn(&Source<'_>) -> T, configuration: &str) -> T {
        let text = r#"{"configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","awsAccountId":"1","resourceType":"AWS::EC2::SecurityGroup","resourceId":"sg-1","resourceName":"named","awsRegion":"eu-west-1","configurationItemStatus":"ResourceDeleted"}"#;
        let item = &super::super::read_item(text.as_bytes()).unwrap().item;
        way(&Source {
            item,
            configuration,
            supplementary: "{}",
            relationships: Some("[]"),
            is_json: true,
            is_row: false,
        })
    }

    const USUAL: &str = r#"{"description":"d","groupName":"g","ipPermissions":[{"fromPort":443,"ipProtocol":"tcp","ipv6Ranges":[{"cidrIpv6":"::/0"}],"prefixListIds":[{"prefixListId":"pl-1"}],"toPort":444,"userIdGroupPairs":[{"groupId":"sg-1","userId":"1"}],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipRanges":["0.0.0.0/0"]},{"ipProtocol":"-1","ipRanges":[],"ipv4Ranges":[],"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[]}],"ownerId":"1","ipPermissionsEgress":[],"tags":[{"key":"a","value":"b"}],"vpcId":"vpc-1"}"#;

    #[test]
    fn the_usual_body_goes_the_short_way() {
        let group = by(plain_group, USUAL).unwrap();
        assert_eq!(by(read_any, USUAL), Ok(Body::SecurityGroup(group)));
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
            ("[\"0.0.0.0/0\"]", "[null]"),
            ("\"ipv6Ranges\":[{\"cidrIpv6\":\"::/0\"}],", ""),
            ("\"ownerId\":\"1\"", "\"ownerId\":\"2\""),
            ("{\"cidrIp\":", "{\"value\":"),
            ("{\"cidrIp\":", "{\"description\":\"x\",\"cidrIp\":"),
            ("\"userId\"", "\"userid\""),
            ("\"description\":\"d\"", "\"groupName\":\"d\""),
            (":443", ": 443"),
            ("[]", "{\"items\":[]}"),
        ] {
            let text = USUAL.replace(usual, unusual);
            assert_ne!(text, USUAL, "{usual}");
            assert_eq!(by(plain_group, &text), None, "{text}");
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
                && let Some(group) = by(plain_group, &text)
            {
                let long = by(read_any, &text);
                proptest::prop_assert_eq!(long, Ok(Body::SecurityGroup(group)), "{}", text);
            }
        }
    }
}
