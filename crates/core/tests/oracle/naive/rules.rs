//! Rules of groups, and how one lies to another (semantics §5.5, §10 rows 9 and 10).

use serde_json::Value;

use super::demand::Lists;
use super::{Mutation, Said, held, list, number, text};
use crate::address::Range;

/// One (direction, protocol, ports, one peer) of a permission.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub egress: bool,
    /// -1 is all.
    pub protocol: i64,
    pub from: i64,
    pub to: i64,
    pub peer: Peer,
}

#[derive(Clone, Debug)]
pub(super) enum Peer {
    Cidr(Range),
    PrefixList(String),
    Group,
}

/// The rules of a group, as far as they are told.
pub(super) struct Told {
    pub rules: Vec<Rule>,
    pub untold_ingress: bool,
    pub untold_egress: bool,
}

pub(super) fn rules(group: &Value, broken: Option<Mutation>) -> Told {
    let body = held::body(group);
    let mut rules = vec![];
    let mut untold = [!body["ipPermissions"].is_array(), !body["ipPermissionsEgress"].is_array()];
    for (egress, key) in [(false, "ipPermissions"), (true, "ipPermissionsEgress")] {
        if egress && broken == Some(Mutation::EgressIgnored) {
            continue;
        }
        for permission in list(&body[key]) {
            untold[usize::from(egress)] |= !tells_all(permission);
            if text(&permission["ipProtocol"]).is_empty() {
                continue;
            }
            let (from, to) = ports_of(permission, broken);
            let mut peers = vec![];
            for range in list(&permission["ipv4Ranges"]) {
                peers.push(Peer::Cidr(Range::parse(text(&range["cidrIp"]))));
            }
            if broken != Some(Mutation::OldIpRangesIgnored) {
                for range in list(&permission["ipRanges"]) {
                    peers.push(Peer::Cidr(Range::parse(
                        range.as_str().unwrap_or(text(&range["cidrIp"])),
                    )));
                }
            }
            if broken != Some(Mutation::Ipv6Ignored) {
                for range in list(&permission["ipv6Ranges"]) {
                    peers.push(Peer::Cidr(Range::parse(text(&range["cidrIpv6"]))));
                }
            }
            for prefix_list in list(&permission["prefixListIds"]) {
                let id = prefix_list["prefixListId"].as_str();
                peers.extend(id.map(|id| Peer::PrefixList(id.to_owned())));
            }
            for _ in list(&permission["userIdGroupPairs"]) {
                peers.push(Peer::Group);
            }
            for peer in peers {
                rules.push(Rule {
                    egress,
                    protocol: protocol_number(text(&permission["ipProtocol"]), broken),
                    from,
                    to,
                    peer,
                });
            }
        }
    }
    Told { rules, untold_ingress: untold[0], untold_egress: untold[1] }
}

/// The ports of a permission, or type and code. Of -1 they are all.
pub(super) fn ports_of(permission: &Value, broken: Option<Mutation>) -> (i64, i64) {
    let port = |key: &str| number(&permission[key], None).unwrap_or(-1);
    match (port("fromPort"), port("toPort")) {
        (-1, -1) if [6, 17].contains(&protocol_number(text(&permission["ipProtocol"]), broken)) => {
            (0, 65_535)
        }
        ports => ports,
    }
}

/// Whether a permission can be read: its protocol, its ports where that has any, and each peer.
pub(super) fn makes_sense(permission: &Value) -> bool {
    if !permission.is_object() {
        return false;
    }
    let named = ["tcp", "udp", "icmp", "icmpv6", "-1"];
    let said = text(&permission["ipProtocol"]).to_ascii_lowercase();
    let known = named.contains(&said.as_str()) || said.parse::<u8>().is_ok();
    let port = |key: &str| match &permission[key] {
        Value::Null => Some(None),
        told => {
            let whole = told.as_f64().is_none_or(|float| float.fract() == 0.0);
            let number = number(told, None).filter(|port| whole && (-1..=65_535).contains(port));
            number.map(Some)
        }
    };
    // What has ports, or types, tells both (formats §9); absent is not any (row 38).
    let has_ports = ["tcp", "udp", "icmp", "icmpv6", "6", "17", "1", "58"].contains(&said.as_str());
    let ports = match (port("fromPort"), port("toPort")) {
        (Some(None), Some(None)) => !has_ports,
        (Some(Some(from)), Some(Some(to))) => {
            !["tcp", "udp", "6", "17"].contains(&said.as_str()) || from <= to
        }
        _ => false,
    };
    let each = |key: &str, member: &str, good: &dyn Fn(&str) -> bool| {
        list(&permission[key]).iter().all(|one| good(one.as_str().unwrap_or(text(&one[member]))))
    };
    let range = |said: &str| Range::read(said).is_some();
    let told = |said: &str| !said.is_empty();
    known
        && ports
        && each("ipv4Ranges", "cidrIp", &range)
        && each("ipRanges", "cidrIp", &range)
        && each("ipv6Ranges", "cidrIpv6", &range)
        && each("prefixListIds", "prefixListId", &told)
        && each("userIdGroupPairs", "groupId", &told)
}

/// Whether a permission tells its protocol and every kind of peer. The old layout has one list of
/// ranges, all of IPv4 (formats §9).
fn tells_all(permission: &Value) -> bool {
    let has = |key: &str| permission[key].is_array();
    let ipv6 = has("ipv6Ranges") || (has("ipRanges") && !has("ipv4Ranges"));
    let lists_named =
        list(&permission["prefixListIds"]).iter().all(|of| of["prefixListId"].is_string());
    permission["ipProtocol"].is_string()
        && lists_named
        && (has("ipv4Ranges") || has("ipRanges"))
        && ipv6
        && has("prefixListIds")
        && has("userIdGroupPairs")
}

pub(super) fn protocol_number(text: &str, broken: Option<Mutation>) -> i64 {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmpv6" => 58,
        "-1" => -1,
        number => {
            let number: i64 = number.parse().expect("a protocol is a name or a number");
            match broken {
                Some(Mutation::ProtocolNumberIsNoName) => number + 1000,
                _ => number,
            }
        }
    }
}

pub(super) fn same_protocol(name: &str, number: i64, broken: Option<Mutation>) -> bool {
    let named = protocol_number(name, broken);
    named == number || (broken == Some(Mutation::IcmpCoversIcmpv6) && named == 1 && number == 58)
}

pub(super) fn protocol_inside(rule: &Rule, audit: &Rule) -> bool {
    audit.protocol == -1 || audit.protocol == rule.protocol
}

pub(super) fn ports_inside(rule: &Rule, audit: &Rule, broken: Option<Mutation>) -> bool {
    if audit.protocol == -1 {
        return true;
    }
    match rule.protocol {
        6 | 17 => audit.from <= rule.from && rule.to <= audit.to,
        // Type and code; -1 is any.
        1 | 58 if broken == Some(Mutation::IcmpTypeIgnored) => true,
        1 | 58 => {
            audit.from == -1 || (audit.from == rule.from && (audit.to == -1 || audit.to == rule.to))
        }
        _ => true,
    }
}

pub(super) fn peer_inside(
    peer: &Peer,
    audit: &Peer,
    lists: &Lists<'_>,
    broken: Option<Mutation>,
) -> Said {
    match (peer, audit) {
        (Peer::Cidr(range), Peer::Cidr(audit)) => Said::of(range.inside(audit)),
        (Peer::PrefixList(id), Peer::PrefixList(audit)) if id == audit => Said::Yes,
        (Peer::Cidr(_), Peer::PrefixList(_)) if broken == Some(Mutation::AuditListsHoldNothing) => {
            Said::No
        }
        (Peer::Cidr(range), Peer::PrefixList(audit)) => match lists.entries(audit) {
            Some(entries) => Said::of(entries.iter().any(|entry| range.inside(entry))),
            None => Said::Untold,
        },
        _ => Said::No,
    }
}

pub(super) fn protocols_meet(rule: &Rule, audit: &Rule) -> bool {
    rule.protocol == -1 || audit.protocol == -1 || rule.protocol == audit.protocol
}

pub(super) fn ports_meet(rule: &Rule, audit: &Rule, broken: Option<Mutation>) -> bool {
    if rule.protocol == -1 || audit.protocol == -1 {
        return true;
    }
    match rule.protocol {
        6 | 17 => rule.from <= audit.to && audit.from <= rule.to,
        1 | 58 if broken == Some(Mutation::IcmpTypeIgnored) => true,
        1 | 58 => {
            let any_type = rule.from == -1 || audit.from == -1;
            let any_code = rule.to == -1 || audit.to == -1 || rule.to == audit.to;
            any_type || (rule.from == audit.from && any_code)
        }
        _ => true,
    }
}

pub(super) fn peers_meet(
    rule: &Rule,
    audit: &Rule,
    lists: &Lists<'_>,
    broken: Option<Mutation>,
) -> Said {
    if let (Peer::PrefixList(rule), Peer::PrefixList(audit)) = (&rule.peer, &audit.peer)
        && rule == audit
    {
        // Nothing overlaps where there is nothing.
        return Said::of(lists.entries(rule).is_none_or(|entries| !entries.is_empty()));
    }
    let ranges = |peer: &Peer| match peer {
        Peer::Cidr(range) => Some(vec![*range]),
        Peer::PrefixList(id) => lists.entries(id),
        Peer::Group => Some(vec![]),
    };
    let is_list = |peer: &Peer| matches!(peer, Peer::PrefixList(_));
    if (is_list(&rule.peer) || is_list(&audit.peer))
        && broken == Some(Mutation::EntriesUnderDenyIgnored)
    {
        return Said::No;
    }
    match (ranges(&rule.peer), ranges(&audit.peer)) {
        _ if matches!(rule.peer, Peer::Group) => {
            Said::of(broken == Some(Mutation::ReferencesMatchUnderDeny))
        }
        // Nothing overlaps where there is nothing.
        (Some(none), _) | (_, Some(none)) if none.is_empty() => Said::No,
        (Some(rule), Some(audit)) => {
            Said::of(rule.iter().any(|one| audit.iter().any(|other| one.meets(other))))
        }
        _ if broken == Some(Mutation::UnknownListsUnderDenyPass) => Said::No,
        _ => Said::Untold,
    }
}
