//! Managed options, one rule at a time (semantics §5.5, §6.1, §10 rows 11 to 13).

use serde_json::Value;

use super::demand::{Answer, Demand, Lists};
use super::rules::{Peer, Rule, same_protocol};
use super::{Mutation, Said, flag, number};
use crate::address::{NOT_GLOBAL, Range};

/// Whether a rule breaks one of the options.
pub(super) fn breaks_options(
    rule: &Rule,
    demand: &Demand,
    lists: &Lists<'_>,
    broken: Option<Mutation>,
) -> Answer {
    let wide = is_too_wide(rule, &demand.options, lists, broken);
    let public = opens_to_the_public(rule, demand, lists, broken);
    Answer {
        violates: opens_too_much(rule, demand, broken) || wide == Said::Yes || public,
        unknown: wide == Said::Untold,
    }
}

/// Options that do not look at whom a rule lets in.
fn opens_too_much(rule: &Rule, demand: &Demand, broken: Option<Mutation>) -> bool {
    let options = &demand.options;
    if flag(&options["denyProtocolAllValue"], broken) && rule.protocol == -1 {
        return true;
    }
    if let Some(names) = &demand.protocols {
        let all = rule.protocol == -1 && broken == Some(Mutation::AllProtocolsPassProtocolLists);
        if !all && !names.iter().any(|name| same_protocol(name, rule.protocol, broken)) {
            return true;
        }
    }
    let Some(most) = number(&options["allowedPortCountPerSgRule"], broken) else { return false };
    let count = match rule.protocol {
        -1 if broken == Some(Mutation::AllProtocolsCountOnePort) => 1,
        -1 => 65_536,
        6 | 17 => rule.to - rule.from + 1,
        _ if broken == Some(Mutation::PortlessProtocolsCounted) => 65_536,
        _ => 0,
    };
    let most = if broken == Some(Mutation::PortCountOffByOne) { most + 1 } else { most };
    count > most
}

/// Ranges may not be wider than the least prefix length of their family, entries of prefix lists
/// neither (semantics §11 row 35).
fn is_too_wide(rule: &Rule, options: &Value, lists: &Lists<'_>, broken: Option<Mutation>) -> Said {
    let least = |range: &Range| match range.family {
        4 => number(&options["minIpv4CidrPrefixLenPerSgRule"], broken),
        _ => number(&options["minIpv6CidrPrefixLenPerSgRule"], broken),
    };
    let off = i64::from(broken == Some(Mutation::PrefixLengthOffByOne));
    let wide = |range: &Range| least(range).is_some_and(|l| i64::from(range.length) + off < l);
    match &rule.peer {
        Peer::Cidr(range) => Said::of(wide(range)),
        Peer::Group => Said::No,
        Peer::PrefixList(id) => {
            let keys = ["minIpv4CidrPrefixLenPerSgRule", "minIpv6CidrPrefixLenPerSgRule"];
            // No range is wider than all.
            if keys.iter().all(|key| number(&options[*key], broken).is_none_or(|least| least <= 0))
                || broken == Some(Mutation::EntriesHaveNoLength)
            {
                return Said::No;
            }
            match lists.entries(id) {
                Some(entries) => Said::of(entries.iter().any(wide)),
                None if broken == Some(Mutation::UnknownListsAreNarrow) => Said::No,
                None => Said::Untold,
            }
        }
    }
}

fn opens_to_the_public(
    rule: &Rule,
    demand: &Demand,
    lists: &Lists<'_>,
    broken: Option<Mutation>,
) -> bool {
    if demand.allowed_apps.is_none() && demand.denied_apps.is_none() {
        return false;
    }
    let judged = !rule.egress || broken == Some(Mutation::EgressJudgedPublic);
    if !judged || !is_public(&rule.peer, lists, broken) {
        return false;
    }
    let not_allowed =
        demand.allowed_apps.as_ref().is_some_and(|apps| !opens_only(rule, apps, broken));
    let denied = demand.denied_apps.as_ref().is_some_and(|apps| opens_any(rule, apps, broken));
    not_allowed || denied
}

/// Semantics §10 row 12, §11 row 35.
fn is_public(peer: &Peer, lists: &Lists<'_>, broken: Option<Mutation>) -> bool {
    match peer {
        Peer::Cidr(range) => is_public_range(range, broken),
        Peer::Group => false,
        Peer::PrefixList(id) => match lists.entries(id) {
            _ if broken == Some(Mutation::KnownPrefixListsPublic) => true,
            Some(entries) => entries.iter().any(|entry| is_public_range(entry, broken)),
            None => broken != Some(Mutation::UnknownPrefixListsPrivate),
        },
    }
}

pub(super) fn is_public_range(range: &Range, broken: Option<Mutation>) -> bool {
    if broken == Some(Mutation::PrivateBlockTooWide) && range.inside(&Range::parse("172.16.0.0/11"))
    {
        return false;
    }
    !NOT_GLOBAL.iter().any(|(text, block)| {
        let left_out = match broken {
            Some(Mutation::CarrierGradeIsPublic) => *text == "100.64.0.0/10",
            Some(Mutation::UniqueLocalIsPublic) => *text == "fc00::/7",
            _ => false,
        };
        !left_out && range.inside(block)
    })
}

/// Whether each (protocol, port) that the rule opens is one of the apps (semantics §10 row 13).
pub(super) fn opens_only(rule: &Rule, apps: &[(String, i64)], broken: Option<Mutation>) -> bool {
    let has = |port: i64| {
        apps.iter().any(|(name, at)| same_protocol(name, rule.protocol, broken) && *at == port)
    };
    match rule.protocol {
        6 | 17 if broken == Some(Mutation::OneAllowedPortPassesRange) => {
            has(rule.from) || has(rule.to)
        }
        6 | 17 => (rule.from..=rule.to).all(has),
        _ => false,
    }
}

/// Whether the rule opens some (protocol, port) of the apps.
pub(super) fn opens_any(rule: &Rule, apps: &[(String, i64)], broken: Option<Mutation>) -> bool {
    apps.iter().any(|(name, port)| match rule.protocol {
        -1 => true,
        6 | 17 => {
            let last = rule.to - i64::from(broken == Some(Mutation::DeniedPortAtEndMissed));
            same_protocol(name, rule.protocol, broken) && rule.from <= *port && *port <= last
        }
        _ => false,
    })
}
