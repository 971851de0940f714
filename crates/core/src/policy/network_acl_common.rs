//! `NETWORK_ACL_COMMON` (semantics §5.11): its entries, which are in PolicyOption.

use ipnet::{Ipv4Net, Ipv6Net};

use super::facts::{Count, DependentService, Facts, OptionMember};
use super::shape::TYPED;
use super::{Document, NetworkAclEntry, Refusal, shown};
use crate::ident::ResourceType;

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    // Its rules are in PolicyOption.
    needs_data: false,
    option: Some(OptionMember {
        name: "NetworkAclCommonPolicy",
        is_set: |option| option.network_acl_common_policy.is_some(),
    }),
    ..Facts::new("NETWORK_ACL_COMMON", &[ResourceType::SUBNET], DependentService::Vpc, &TYPED)
};

pub(super) fn check(document: &Document, counts: &mut Vec<Count>) -> Result<(), Refusal> {
    let option = document.security_service_policy_data.policy_option.as_ref();
    let Some(policy) = option.and_then(|option| option.network_acl_common_policy.as_ref()) else {
        return Err(Refusal::input(
            "`PolicyOption.NetworkAclCommonPolicy` is missing; NETWORK_ACL_COMMON needs its \
             NetworkAclEntrySet",
        ));
    };
    let set = &policy.network_acl_entry_set;
    let entries: Vec<(String, &NetworkAclEntry)> =
        [("FirstEntries", &set.first_entries), ("LastEntries", &set.last_entries)]
            .into_iter()
            .flat_map(|(member, entries)| {
                let entries = entries.as_deref().unwrap_or_default().iter();
                entries.enumerate().map(move |(index, entry)| {
                    (format!("NetworkAclEntrySet.{member}[{index}]"), entry)
                })
            })
            .collect();
    if entries.is_empty() {
        return Err(Refusal::input(
            "NetworkAclEntrySet has neither FirstEntries nor LastEntries; give at least one entry",
        ));
    }
    for (place, entry) in &entries {
        check_entry(place, entry)?;
    }
    for (what, egress) in
        [("inbound network ACL entries", false), ("outbound network ACL entries", true)]
    {
        counts.push(Count {
            what,
            count: entries.iter().filter(|(_, entry)| entry.egress == egress).count(),
            max: |quotas| quotas.network_acl_entries_max,
        });
    }
    Ok(())
}

/// What the other members of an entry depend on.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Ports,
    Icmp,
    Other,
}

fn kind(place: &str, protocol: &str) -> Result<Kind, Refusal> {
    match protocol.to_ascii_lowercase().as_str() {
        "tcp" | "udp" | "6" | "17" => Ok(Kind::Ports),
        "icmp" | "1" | "58" => Ok(Kind::Icmp),
        "-1" => Ok(Kind::Other),
        number if number.parse::<u8>().is_ok() => Ok(Kind::Other),
        _ => Err(Refusal::input(format!(
            "{place}.Protocol is tcp, udp, icmp, -1 or a number of 0 to 255, not `{}`",
            shown(protocol)
        ))),
    }
}

fn check_entry(place: &str, entry: &NetworkAclEntry) -> Result<(), Refusal> {
    let kind = kind(place, &entry.protocol)?;
    if !matches!(entry.rule_action.as_str(), "allow" | "deny") {
        return Err(Refusal::input(format!(
            "{place}.RuleAction is allow or deny, not `{}`",
            shown(&entry.rule_action)
        )));
    }
    check_cidr(place, entry)?;
    check_ports(place, entry, kind)?;
    if entry.icmp_type_code.is_some() && kind != Kind::Icmp {
        return Err(Refusal::input(format!(
            "{place}.IcmpTypeCode is for ICMP alone; leave it out or set Protocol to icmp"
        )));
    }
    Ok(())
}

fn check_cidr(place: &str, entry: &NetworkAclEntry) -> Result<(), Refusal> {
    let bad = |member: &str, text: &str| {
        Refusal::input(format!("{place}.{member}: `{}` is not a CIDR block", shown(text)))
    };
    match (entry.cidr_block.as_deref(), entry.ipv6_cidr_block.as_deref()) {
        (Some(text), None) => {
            text.parse::<Ipv4Net>().map(|_| ()).map_err(|_| bad("CidrBlock", text))
        }
        (None, Some(text)) => {
            text.parse::<Ipv6Net>().map(|_| ()).map_err(|_| bad("Ipv6CidrBlock", text))
        }
        (Some(_), Some(_)) | (None, None) => Err(Refusal::input(format!(
            "{place} must have either CidrBlock or Ipv6CidrBlock; give one of them"
        ))),
    }
}

fn check_ports(place: &str, entry: &NetworkAclEntry, kind: Kind) -> Result<(), Refusal> {
    let valid = 0..=i32::from(u16::MAX);
    match entry.port_range.map(|range| (range.from, range.to)) {
        Some((Some(from), Some(to))) => {
            if from > to || !valid.contains(&from) || !valid.contains(&to) {
                return Err(Refusal::input(format!(
                    "{place}.PortRange is {from} to {to}; From must not exceed To, both 0 to 65535"
                )));
            }
            Ok(())
        }
        _ if kind == Kind::Ports => Err(Refusal::input(format!(
            "{place}.PortRange is missing or incomplete; tcp and udp need From and To"
        ))),
        _ => Ok(()),
    }
}
