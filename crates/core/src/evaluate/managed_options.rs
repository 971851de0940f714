//! Managed options of a content audit: what each asks of one opening (semantics §5.5
//! `preManagedOptions`, §10 rows 11 to 13, §11 row 35).

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::policy::content_audit::{AuditDirection, ManagedOptions};

use super::addresses::{is_public_v4, is_public_v6};
use super::audit_lists::{Apps, AuditLists};
use super::opening::{Opening, Peer, Ports, TCP, UDP, protocol_name};
use super::prefix_lists::ListPeer;
use super::{Direction, Gap};

/// The options of a policy with the lists they name at hand.
#[derive(Debug)]
pub(super) struct Options<'a> {
    asked: &'a ManagedOptions,
    lists: AuditLists,
}

impl<'a> Options<'a> {
    pub fn new(asked: &'a ManagedOptions, lists: AuditLists) -> Self {
        Options { asked, lists }
    }

    /// `auditSgDirection`: which rules are looked at at all.
    pub fn audits(&self, direction: Direction) -> bool {
        match (self.asked.direction, direction) {
            (AuditDirection::All, _) => true,
            (AuditDirection::Ingress, direction) => direction == Direction::Ingress,
            (AuditDirection::Egress, direction) => direction == Direction::Egress,
        }
    }

    /// What of the options an opening breaks: each broken one with why, in a fixed order.
    pub fn broken(&self, opening: &Opening<'_>) -> Vec<String> {
        [
            self.protocol_all(opening),
            self.protocol_not_allowed(opening),
            self.too_many_ports(opening),
            self.too_wide(opening),
            self.public(opening),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn protocol_all(&self, opening: &Opening<'_>) -> Option<String> {
        (self.asked.deny_protocol_all && opening.protocol.is_none())
            .then(|| "denyProtocolAllValue: every protocol is open".to_owned())
    }

    /// Protocol -1 is in no list.
    fn protocol_not_allowed(&self, opening: &Opening<'_>) -> Option<String> {
        let allowed = self.lists.allowed_protocols.as_ref()?;
        let number = opening.protocol;
        (!number.is_some_and(|number| allowed.contains(&number))).then(|| {
            format!("allowedProtocolsLists: {} is in no allowed list", protocol_text(number))
        })
    }

    fn too_many_ports(&self, opening: &Opening<'_>) -> Option<String> {
        let max = self.asked.port_count_max?;
        let count = opening.port_count()?;
        (count > max)
            .then(|| format!("allowedPortCountPerSgRule: {count} ports, and {max} is the most"))
    }

    /// The widest range of the source that is wider than its family may be; of a prefix list each
    /// entry counts, where they are known (semantics §11 row 35).
    fn too_wide(&self, opening: &Opening<'_>) -> Option<String> {
        let ((range, min), list) = match opening.peer {
            Peer::V4(range) => (self.wider(&range.into())?, None),
            Peer::V6(range) => (self.wider(&range.into())?, None),
            Peer::PrefixList(list) => {
                let wider = list.entries()?.filter_map(|entry| self.wider(&entry));
                (wider.min_by_key(|(range, _)| range.prefix_len())?, Some(list.id))
            }
            Peer::Group(..) => return None,
        };
        let option = match range {
            IpNet::V4(_) => "minIpv4CidrPrefixLenPerSgRule",
            IpNet::V6(_) => "minIpv6CidrPrefixLenPerSgRule",
        };
        Some(match list {
            None => format!("{option}: /{} is wider than /{min}", range.prefix_len()),
            Some(id) => format!("{option}: {range} of {id} is wider than /{min}"),
        })
    }

    /// The range and the least length of its prefix, if it is wider than that.
    fn wider(&self, range: &IpNet) -> Option<(IpNet, u8)> {
        let min = match range {
            IpNet::V4(_) => self.asked.ipv4_prefix_len_min?,
            IpNet::V6(_) => self.asked.ipv6_prefix_len_min?,
        };
        (range.prefix_len() < min).then_some((*range, min))
    }

    /// Whether the options ask how wide ranges are: every range is at least /0.
    fn reads_widths(&self) -> bool {
        let mins = [self.asked.ipv4_prefix_len_min, self.asked.ipv6_prefix_len_min];
        mins.into_iter().flatten().any(|min| min > 0)
    }

    /// Whether the options ask if an opening is public.
    fn reads_reach(&self, opening: &Opening<'_>) -> bool {
        let lists = [&self.lists.allowed_public_apps, &self.lists.denied_public_apps];
        opening.direction == Direction::Ingress && lists.into_iter().any(Option::is_some)
    }

    /// What of an opening the options cannot tell, and what they tell by entries of a prefix list
    /// which may have changed since. Options that do not read the source do not read lists either;
    /// a list without known entries counts as public (semantics §10 row 12, §11 row 35).
    pub fn gaps(&self, opening: &Opening<'_>) -> Option<Gap> {
        let Peer::PrefixList(list) = opening.peer else { return None };
        match list.entries() {
            None => self.reads_widths().then(|| list.unknown_gap()),
            Some(_) if self.reads_widths() || self.reads_reach(opening) => list.outdated(),
            Some(_) => None,
        }
    }

    /// Whether anything asked of an opening cannot be told.
    pub fn is_unknown(&self, opening: &Opening<'_>) -> bool {
        let is_unknown = |list: ListPeer<'_>| list.entries().is_none() && self.reads_widths();
        matches!(opening.peer, Peer::PrefixList(list) if is_unknown(list))
    }

    /// The two tests of public access. They judge ingress alone (semantics §10 row 12).
    fn public(&self, opening: &Opening<'_>) -> Option<String> {
        if opening.direction != Direction::Ingress {
            return None;
        }
        let reach = self.reach(&opening.peer);
        if let Reach::NotPublic = reach {
            return None;
        }
        let allowed = self.lists.allowed_public_apps.as_ref();
        let denied = self.lists.denied_public_apps.as_ref();
        let not_allowed = allowed.and_then(|apps| not_covered(apps, opening)).map(|what| {
            format!("allowedPublicAccessAppLists: {what} is public and in no allowed list")
        });
        let denied = denied.and_then(|apps| hit(apps, opening)).map(|what| {
            format!("deniedPublicAccessAppLists: {what} is public and in a denied list")
        });
        let text = not_allowed.or(denied)?;
        Some(match reach {
            Reach::PublicUnlessTold(list) => {
                format!("{text} (the entries of {list} are unknown, so it counts as public)")
            }
            Reach::Public | Reach::NotPublic => text,
        })
    }

    /// Whether all that an opening breaks is an option about public access, and it counts as public
    /// only because the entries of a prefix list are unknown.
    pub fn is_assumed(&self, opening: &Opening<'_>) -> bool {
        matches!(self.reach(&opening.peer), Reach::PublicUnlessTold(_))
            && self.public(opening).is_some()
            && self.broken(opening).len() == 1
    }

    /// Openings to the same peer, narrower or not, that may pass: the one protocol allowed instead
    /// of all, and each unbroken range of ports that lists for public access leave. Which of many
    /// ports to keep, or which part of a range of addresses, is for people to say.
    pub fn narrower<'o>(&self, opening: &Opening<'o>) -> Vec<Opening<'o>> {
        let mut opening = *opening;
        if opening.protocol.is_none()
            && let Some(allowed) = &self.lists.allowed_protocols
            && let (Some(only), 1) = (allowed.first(), allowed.len())
        {
            opening = Opening { protocol: Some(*only), ports: Ports::all_of(*only), ..opening };
        }
        let (Some(number), Ports::Range(first, last)) = (opening.protocol, opening.ports) else {
            return vec![opening];
        };
        let mut runs = vec![(first, last)];
        if opening.direction == Direction::Ingress
            && !matches!(self.reach(&opening.peer), Reach::NotPublic)
        {
            if let Some(apps) = &self.lists.allowed_public_apps {
                runs = listed_runs(apps.get(&number), first, last);
            } else if let Some(apps) = &self.lists.denied_public_apps {
                runs = unlisted_runs(apps.get(&number), first, last);
            }
        }
        let narrowed = |(first, last)| Opening { ports: Ports::Range(first, last), ..opening };
        runs.into_iter().map(narrowed).collect()
    }

    fn reach<'p>(&self, peer: &Peer<'p>) -> Reach<'p> {
        let public = match peer {
            Peer::V4(range) => is_public_v4(range),
            Peer::V6(range) => is_public_v6(range),
            Peer::Group(..) => false,
            Peer::PrefixList(list) => {
                let Some(mut entries) = list.entries() else {
                    return Reach::PublicUnlessTold(list.id);
                };
                entries.any(|entry| match entry {
                    IpNet::V4(range) => is_public_v4(&range),
                    IpNet::V6(range) => is_public_v6(&range),
                })
            }
        };
        if public { Reach::Public } else { Reach::NotPublic }
    }
}

/// Whether the internet is among the peers.
enum Reach<'p> {
    Public,
    /// A prefix list whose entries are not known.
    PublicUnlessTold(&'p str),
    NotPublic,
}

/// The first (protocol, port) of an opening that the lists do not have. An app of a protocol
/// without ports, ICMP's types included, stands for the whole protocol: its port says nothing.
fn not_covered(apps: &Apps, opening: &Opening<'_>) -> Option<String> {
    let Some(number) = opening.protocol else {
        return Some(protocol_text(None));
    };
    let ports = apps.get(&number);
    match opening.ports {
        Ports::All | Ports::Icmp(..) => ports.is_none().then(|| protocol_text(Some(number))),
        Ports::Range(first, last) => (first..=last)
            .find(|port| !ports.is_some_and(|ports| ports.contains_key(port)))
            .map(|port| format!("{} {port}", protocol_text(Some(number)))),
    }
}

/// The first app of the lists that an opening lets through, if any.
fn hit(apps: &Apps, opening: &Opening<'_>) -> Option<String> {
    let (number, ports) = match opening.protocol {
        Some(number) => (number, apps.get(&number)?),
        None => apps.iter().next().map(|(number, ports)| (*number, ports))?,
    };
    let (port, name) = match opening.ports {
        Ports::Range(first, last) => ports.range(first..=last).next()?,
        Ports::All | Ports::Icmp(..) => ports.iter().next()?,
    };
    let protocol = protocol_text(Some(number));
    Some(match number {
        TCP | UDP => format!("{name} ({protocol} {port})"),
        _ => format!("{name} ({protocol})"),
    })
}

/// The unbroken ranges of ports that a list has.
fn listed_runs(listed: Option<&BTreeMap<u16, Box<str>>>, first: u16, last: u16) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for port in
        listed.into_iter().flat_map(|ports| ports.range(first..=last)).map(|(port, _)| *port)
    {
        match runs.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(port) => *end = port,
            _ => runs.push((port, port)),
        }
    }
    runs
}

/// The unbroken ranges of ports that a list does not have.
fn unlisted_runs(
    listed: Option<&BTreeMap<u16, Box<str>>>,
    first: u16,
    last: u16,
) -> Vec<(u16, u16)> {
    let mut runs = Vec::new();
    let mut from = Some(first);
    for port in
        listed.into_iter().flat_map(|ports| ports.range(first..=last)).map(|(port, _)| *port)
    {
        let end = port.checked_sub(1);
        runs.extend(from.zip(end).filter(|(from, end)| from <= end));
        from = port.checked_add(1);
    }
    runs.extend(from.map(|from| (from, last)).filter(|(from, last)| from <= last));
    runs
}

fn protocol_text(number: Option<u8>) -> String {
    match number {
        None => "protocol -1".to_owned(),
        Some(number) => {
            protocol_name(number).map_or_else(|| format!("protocol {number}"), str::to_owned)
        }
    }
}
