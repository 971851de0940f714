//! `NETWORK_ACL_COMMON` (semantics §5.11): its entries, which are in PolicyOption.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::facts::{Count, DependentService, Facts, OptionMember};
use super::shape::TYPED;
use super::{Document, NetworkAclEntry, NetworkAclEntrySet, Refusal, shown};
use crate::ident::ResourceType;
use crate::inventory::{AclEntry, AclMembers, AclTraffic};

/// What is true of the type.
pub(super) static FACTS: Facts = Facts {
    has_details: true,
    oldest_judges: true,
    // Its rules are in PolicyOption.
    needs_data: false,
    option: Some(OptionMember {
        name: "NetworkAclCommonPolicy",
        is_set: |option| option.network_acl_common_policy.is_some(),
    }),
    ..Facts::new("NETWORK_ACL_COMMON", &[ResourceType::SUBNET], DependentService::Vpc, &TYPED)
};

/// What a NETWORK_ACL_COMMON policy wants of the network ACL on each subnet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NetworkAclCommon {
    /// `FirstEntries` of both directions, in order: before all others of their direction.
    pub first: Vec<AclEntry>,
    /// `LastEntries` of both directions, in order: behind all others of their direction.
    pub last: Vec<AclEntry>,
    /// `ForceRemediateForFirstEntries`: rules remediation alone.
    pub force_first: bool,
    /// `ForceRemediateForLastEntries`: rules remediation alone.
    pub force_last: bool,
    /// What earlier versions of the policy wanted; `None`: not known. No document tells it: whoever
    /// knows sets it ([`super::Policy::know_former_entries`]).
    pub former: Option<Former>,
}

/// What earlier versions of a policy wanted of network ACLs (semantics §5.11): what of it is dropped
/// breaks the policy until it is removed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Former {
    /// Of `FirstEntries`.
    pub first: Vec<AclEntry>,
    /// Of `LastEntries`.
    pub last: Vec<AclEntry>,
}

impl Former {
    /// What former entry sets name; entries that cannot be read are left out, for none was ever
    /// accepted.
    pub(super) fn of(sets: &[NetworkAclEntrySet]) -> Former {
        let read = |entries: &Option<Vec<NetworkAclEntry>>| -> Vec<AclEntry> {
            let entries = entries.iter().flatten();
            entries.filter_map(|entry| read_entry("", entry).ok()).collect()
        };
        let all = |of: fn(&NetworkAclEntrySet) -> &Option<Vec<NetworkAclEntry>>| {
            let mut all: Vec<AclEntry> = sets.iter().flat_map(|set| read(of(set))).collect();
            all.sort();
            all.dedup();
            all
        };
        Former { first: all(|set| &set.first_entries), last: all(|set| &set.last_entries) }
    }
}

/// Reads the entries of a NETWORK_ACL_COMMON policy, and counts them by direction.
pub(super) fn parse(
    document: &Document,
    counts: &mut Vec<Count>,
) -> Result<NetworkAclCommon, Refusal> {
    let option = document.security_service_policy_data.policy_option.as_ref();
    let Some(policy) = option.and_then(|option| option.network_acl_common_policy.as_ref()) else {
        return Err(Refusal::input(
            "`PolicyOption.NetworkAclCommonPolicy` is missing; NETWORK_ACL_COMMON needs its \
             NetworkAclEntrySet",
        ));
    };
    let set = &policy.network_acl_entry_set;
    let read = |member: &str, entries: &Option<Vec<NetworkAclEntry>>| {
        let entries = entries.as_deref().unwrap_or_default().iter().enumerate();
        let read = entries.map(|(index, entry)| {
            read_entry(&format!("NetworkAclEntrySet.{member}[{index}]"), entry)
        });
        read.collect::<Result<Vec<AclEntry>, Refusal>>()
    };
    let first = read("FirstEntries", &set.first_entries)?;
    let last = read("LastEntries", &set.last_entries)?;
    if first.is_empty() && last.is_empty() {
        return Err(Refusal::input(
            "NetworkAclEntrySet has neither FirstEntries nor LastEntries; give at least one entry",
        ));
    }
    for (what, egress) in
        [("inbound network ACL entries", false), ("outbound network ACL entries", true)]
    {
        let entries = first.iter().chain(&last);
        counts.push(Count {
            what,
            count: entries.filter(|entry| entry.egress == egress).count(),
            max: |quotas| quotas.network_acl_entries_max,
        });
    }
    Ok(NetworkAclCommon {
        first,
        last,
        force_first: set.force_remediate_for_first_entries,
        force_last: set.force_remediate_for_last_entries,
        former: None,
    })
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

fn read_entry(place: &str, entry: &NetworkAclEntry) -> Result<AclEntry, Refusal> {
    let kind = kind(place, &entry.protocol)?;
    if !matches!(entry.rule_action.as_str(), "allow" | "deny") {
        return Err(Refusal::input(format!(
            "{place}.RuleAction is allow or deny, not `{}`",
            shown(&entry.rule_action)
        )));
    }
    let cidr = read_cidr(place, entry)?;
    check_ports(place, entry, kind)?;
    if entry.icmp_type_code.is_some() && kind != Kind::Icmp {
        return Err(Refusal::input(format!(
            "{place}.IcmpTypeCode is for ICMP alone; leave it out or set Protocol to icmp"
        )));
    }
    let traffic = traffic(entry, &cidr);
    Ok(AclEntry { egress: entry.egress, allow: entry.rule_action == "allow", traffic, cidr })
}

/// What an entry that was checked is about. Ports, types and codes that are not named are all of
/// them.
fn traffic(entry: &NetworkAclEntry, cidr: &IpNet) -> AclTraffic {
    let protocol = match entry.protocol.to_ascii_lowercase().as_str() {
        "tcp" => Some(6),
        "udp" => Some(17),
        "icmp" => Some(1),
        // `-1` is no number of a protocol.
        other => other.parse().ok(),
    };
    match (AclTraffic::members(protocol, cidr), protocol) {
        (AclMembers::Ports, Some(protocol)) => {
            let range = entry.port_range.unwrap_or_default();
            let port = |port: Option<i32>, all: u16| {
                port.and_then(|port| u16::try_from(port).ok()).unwrap_or(all)
            };
            let (from, to) = (port(range.from, 0), port(range.to, u16::MAX));
            AclTraffic::Ports { protocol, from, to }
        }
        (AclMembers::Icmp, Some(protocol)) => {
            let named = entry.icmp_type_code.unwrap_or_default();
            AclTraffic::icmp(protocol, named.icmp_type.unwrap_or(-1), named.code.unwrap_or(-1))
        }
        (AclMembers::Ports | AclMembers::Icmp | AclMembers::None, protocol) => {
            AclTraffic::of(protocol)
        }
    }
}

fn read_cidr(place: &str, entry: &NetworkAclEntry) -> Result<IpNet, Refusal> {
    let bad = |member: &str, text: &str| {
        Refusal::input(format!("{place}.{member}: `{}` is not a CIDR block", shown(text)))
    };
    match (entry.cidr_block.as_deref(), entry.ipv6_cidr_block.as_deref()) {
        (Some(text), None) => {
            let range = text.parse::<Ipv4Net>().map_err(|_| bad("CidrBlock", text))?;
            Ok(IpNet::V4(range.trunc()))
        }
        (None, Some(text)) => {
            let range = text.parse::<Ipv6Net>().map_err(|_| bad("Ipv6CidrBlock", text))?;
            Ok(IpNet::V6(range.trunc()))
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
