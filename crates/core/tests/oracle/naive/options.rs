//! Managed options, one rule at a time (semantics §5.5, §6.1, §10 rows 11 to 13).

use serde_json::Value;

use super::audit::Demand;
use super::held::{self, Held};
use super::rules::{Peer, Rule, same_protocol};
use super::{Mutation, text};
use crate::address::{NOT_GLOBAL, Range};

pub(super) fn breaks_options(
    rule: &Rule,
    demand: &Demand,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> bool {
    let options = &demand.options;
    if options["denyProtocolAllValue"] == true && rule.protocol == -1 {
        return true;
    }
    if let Some(names) = &demand.protocols {
        let all = rule.protocol == -1 && broken == Some(Mutation::AllProtocolsPassProtocolLists);
        if !all && !names.iter().any(|name| same_protocol(name, rule.protocol, broken)) {
            return true;
        }
    }
    if let Some(most) = options["allowedPortCountPerSgRule"].as_i64() {
        let count = match rule.protocol {
            -1 if broken == Some(Mutation::AllProtocolsCountOnePort) => 1,
            -1 => 65_536,
            6 | 17 => rule.to - rule.from + 1,
            _ if broken == Some(Mutation::PortlessProtocolsCounted) => 65_536,
            _ => 0,
        };
        let most = if broken == Some(Mutation::PortCountOffByOne) { most + 1 } else { most };
        if count > most {
            return true;
        }
    }
    if let Peer::Cidr(range) = &rule.peer {
        let key = match range.family {
            4 => "minIpv4CidrPrefixLenPerSgRule",
            _ => "minIpv6CidrPrefixLenPerSgRule",
        };
        if let Some(least) = options[key].as_i64() {
            let off = i64::from(broken == Some(Mutation::PrefixLengthOffByOne));
            if i64::from(range.length) + off < least {
                return true;
            }
        }
    }
    let judged = !rule.egress || broken == Some(Mutation::EgressJudgedPublic);
    if judged && is_public(&rule.peer, here, broken) {
        let not_allowed =
            demand.allowed_apps.as_ref().is_some_and(|a| !opens_only(rule, a, broken));
        let denied = demand.denied_apps.as_ref().is_some_and(|apps| opens_any(rule, apps, broken));
        return not_allowed || denied;
    }
    false
}

/// Semantics §10 row 12.
pub(super) fn is_public(peer: &Peer, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    match peer {
        Peer::Cidr(range) => is_public_range(range, broken),
        Peer::Group => false,
        Peer::PrefixList(id) => {
            if broken == Some(Mutation::KnownPrefixListsPublic) {
                return true;
            }
            let held = here.item("AWS::EC2::PrefixList", id).map(held::body);
            match held.as_ref().map(|body| &body["Entries"]) {
                Some(Value::Array(entries)) => entries
                    .iter()
                    .any(|entry| is_public_range(&Range::parse(text(&entry["Cidr"])), broken)),
                _ => broken != Some(Mutation::UnknownPrefixListsPrivate),
            }
        }
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
