//! What one rule of a security group opens, as exact sets: a direction, a protocol, ports and one
//! peer. A permission with several peers is several openings, each held on its own.

use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::inventory::{Permission, SecurityGroup};

use super::Direction;
use super::prefix_lists::{Answer, ListPeer, PrefixLists};

/// One (direction, protocol, ports, peer). The order is that of reports: ingress first, then by
/// protocol (all of them first), ports and peer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Opening<'a> {
    pub direction: Direction,
    /// IANA number; `None` is `-1`, all protocols.
    pub protocol: Option<u8>,
    pub ports: Ports,
    pub peer: Peer<'a>,
}

/// What of a protocol is opened. Which variant occurs follows from the protocol, see
/// [`Ports::of`], so that openings of one protocol always compare like with like.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Ports {
    /// Everything: protocol -1, and protocols without ports, whose ports EC2 ignores.
    All,
    /// TCP and UDP: first and last port.
    Range(u16, u16),
    /// ICMP and ICMPv6: type and code, `None` any.
    Icmp(Option<u8>, Option<u8>),
}

/// The other end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Peer<'a> {
    V4(Ipv4Net),
    V6(Ipv6Net),
    /// A prefix list, with its entries where they were looked up ([`Opening::resolved`]).
    PrefixList(ListPeer<'a>),
    /// A security group: whose, if told, and which.
    Group(Option<&'a str>, &'a str),
}

/// IANA protocol numbers that have ports or types.
pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

/// How many ports there are: what protocol -1 opens (semantics §10 row 11).
const PORTS_OF_ALL: u32 = 65_536;

/// Everything a group opens, ascending, without repeats.
pub(super) fn openings(group: &SecurityGroup) -> Vec<Opening<'_>> {
    let mut openings = Vec::new();
    any_opening(group, |opening| {
        openings.push(opening);
        false
    });
    openings.sort_unstable();
    openings.dedup();
    openings
}

/// Whether anything that a group opens is as asked, looked at as recorded: in no order, and perhaps
/// the same twice. Loops rather than chained iterators: this is asked of every group there is.
pub(super) fn any_opening<'a>(
    group: &'a SecurityGroup,
    mut is_asked: impl FnMut(Opening<'a>) -> bool,
) -> bool {
    let sides = [(Direction::Ingress, &group.ingress), (Direction::Egress, &group.egress)];
    for (direction, permissions) in sides {
        for permission in permissions {
            let (protocol, ports) = (permission.protocol, Ports::of(permission));
            let mut is = |peer| is_asked(Opening { direction, protocol, ports, peer });
            let Permission { ipv4, ipv6, prefix_lists, groups, .. } = permission;
            if ipv4.iter().any(|range| is(Peer::V4(range.trunc())))
                || ipv6.iter().any(|range| is(Peer::V6(range.trunc())))
                || prefix_lists.iter().any(|id| is(Peer::PrefixList(ListPeer::unknown(id))))
                || groups.iter().any(|(user, id)| is(Peer::Group(user.as_deref(), id)))
            {
                return true;
            }
        }
    }
    false
}

impl<'a> Opening<'a> {
    /// The same, with the entries of a prefix list that it names.
    pub fn resolved(self, lists: PrefixLists<'a>) -> Opening<'a> {
        match self.peer {
            Peer::PrefixList(list) => {
                Opening { peer: Peer::PrefixList(lists.find(list.id)), ..self }
            }
            _ => self,
        }
    }

    /// The openings of one entry each that a prefix list stands for; `None` where nothing told the
    /// entries, and for every other peer.
    pub fn by_entries(&self) -> Option<impl Iterator<Item = Opening<'a>> + use<'a>> {
        let Peer::PrefixList(list) = self.peer else { return None };
        let whole = *self;
        Some(list.entries()?.map(move |entry| Opening { peer: entry.into(), ..whole }))
    }

    /// Whether everything this opens, `other` opens too: the same direction, its protocol or -1,
    /// ports and peer within (semantics §5.5 custom ALLOW, §10 row 9, §11 row 35).
    pub fn lies_inside(&self, other: &Opening<'_>) -> Answer {
        let is_within = self.direction == other.direction
            && (other.protocol.is_none() || other.protocol == self.protocol)
            && self.ports.lie_inside(other.ports);
        if is_within { self.peer.lies_inside(&other.peer) } else { Answer::No }
    }

    /// Whether anything this opens, `other` opens too (semantics §5.5 custom DENY, §10 row 10, §11
    /// row 35).
    pub fn overlaps(&self, other: &Opening<'_>) -> Answer {
        let protocols_meet = match (self.protocol, other.protocol) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        let may_meet =
            self.direction == other.direction && protocols_meet && self.ports.overlap(other.ports);
        if may_meet { self.peer.overlaps(&other.peer) } else { Answer::No }
    }

    /// How many ports are opened; `None` for protocols without ports, which are not counted
    /// (semantics §10 row 11).
    pub fn port_count(&self) -> Option<u32> {
        match (self.protocol, self.ports) {
            (None, _) => Some(PORTS_OF_ALL),
            (Some(_), Ports::Range(first, last)) => {
                Some(u32::from(last).saturating_sub(u32::from(first)).saturating_add(1))
            }
            (Some(_), Ports::All | Ports::Icmp(..)) => None,
        }
    }
}

impl Ports {
    /// Ports of a permission as EC2 reads them:
    ///
    /// - TCP and UDP: `fromPort` to `toPort`; an absent end, or -1, is open.
    /// - ICMP and ICMPv6: `fromPort` is the type and `toPort` the code; absent or -1 is any. Each
    ///   of the two is compared as a set of its own.
    /// - Every other protocol, and -1: all, whatever the ports say.
    fn of(permission: &Permission) -> Ports {
        match permission.protocol {
            Some(TCP | UDP) => {
                let first = permission.from_port.map_or(0, |port| clamped(port, 0));
                let last = permission.to_port.map_or(u16::MAX, |port| clamped(port, u16::MAX));
                Ports::Range(first.min(last), first.max(last))
            }
            Some(ICMP | ICMPV6) => {
                Ports::Icmp(octet(permission.from_port), octet(permission.to_port))
            }
            _ => Ports::All,
        }
    }

    /// All that there is of a protocol.
    pub fn all_of(protocol: u8) -> Ports {
        Ports::of(&Permission { protocol: Some(protocol), ..Permission::default() })
    }

    pub(super) fn lie_inside(self, other: Ports) -> bool {
        match (self, other) {
            (_, Ports::All) => true,
            (Ports::Range(first, last), Ports::Range(from, to)) => from <= first && last <= to,
            (Ports::Icmp(kind, code), Ports::Icmp(kinds, codes)) => {
                (kinds.is_none() || kinds == kind) && (codes.is_none() || codes == code)
            }
            _ => false,
        }
    }

    fn overlap(self, other: Ports) -> bool {
        let meet = |ours: Option<u8>, theirs: Option<u8>| {
            ours.is_none() || theirs.is_none() || ours == theirs
        };
        match (self, other) {
            (Ports::All, _) | (_, Ports::All) => true,
            (Ports::Range(first, last), Ports::Range(from, to)) => first <= to && from <= last,
            (Ports::Icmp(kind, code), Ports::Icmp(kinds, codes)) => {
                meet(kind, kinds) && meet(code, codes)
            }
            _ => false,
        }
    }
}

/// A port; what is below 0 (EC2 writes -1 for "any") is `open`, what is above 65535 is 65535.
fn clamped(port: i32, open: u16) -> u16 {
    if port < 0 { open } else { u16::try_from(port).unwrap_or(u16::MAX) }
}

/// An ICMP type or code; whatever is not 0–255 is any.
fn octet(value: Option<i32>) -> Option<u8> {
    value.and_then(|value| u8::try_from(value).ok())
}

impl From<IpNet> for Peer<'_> {
    fn from(range: IpNet) -> Self {
        match range {
            IpNet::V4(range) => Peer::V4(range),
            IpNet::V6(range) => Peer::V6(range),
        }
    }
}

impl Peer<'_> {
    /// A prefix list lies inside itself, whatever its entries, and otherwise where each of its
    /// entries does; a group inside nothing, not even itself (semantics §10 row 9, §11 row 35).
    pub(super) fn lies_inside(&self, other: &Peer<'_>) -> Answer {
        match (self, other) {
            (Peer::Group(..), _) | (_, Peer::Group(..)) => Answer::No,
            (Peer::V4(ours), Peer::V4(theirs)) => theirs.contains(ours).into(),
            (Peer::V6(ours), Peer::V6(theirs)) => theirs.contains(ours).into(),
            (Peer::V4(_), Peer::V6(_)) | (Peer::V6(_), Peer::V4(_)) => Answer::No,
            (Peer::PrefixList(ours), Peer::PrefixList(theirs)) if ours == theirs => Answer::Yes,
            (Peer::PrefixList(ours), _) => match ours.entries() {
                Some(entries) => {
                    Answer::all(entries.map(|entry| Peer::from(entry).lies_inside(other)))
                }
                None => Answer::Unknown,
            },
            (_, Peer::PrefixList(theirs)) => match theirs.entries() {
                Some(entries) => Answer::any(entries.map(|entry| self.lies_inside(&entry.into()))),
                None => Answer::Unknown,
            },
        }
    }

    /// Two CIDRs overlap when one holds the other, prefix lists where an entry does; groups never do
    /// (semantics §10 row 9, §11 row 35). A list whose entries nothing told overlaps itself: nobody
    /// keeps lists without any.
    fn overlaps(&self, other: &Peer<'_>) -> Answer {
        match (self, other) {
            (Peer::Group(..), _) | (_, Peer::Group(..)) => Answer::No,
            (Peer::PrefixList(list), peer) | (peer, Peer::PrefixList(list)) => {
                match (list.entries(), peer) {
                    (Some(entries), _) => {
                        Answer::any(entries.map(|entry| Peer::from(entry).overlaps(peer)))
                    }
                    (None, Peer::PrefixList(other)) if other == list => Answer::Yes,
                    // Nothing overlaps a list that has no entries.
                    (None, Peer::PrefixList(other)) if has_none(other) => Answer::No,
                    (None, _) => Answer::Unknown,
                }
            }
            _ => self.lies_inside(other).max(other.lies_inside(self)),
        }
    }
}

fn has_none(list: &ListPeer<'_>) -> bool {
    list.entries().is_some_and(|mut entries| entries.next().is_none())
}

impl fmt::Display for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            None => f.write_str("all traffic")?,
            Some(number) => match protocol_name(number) {
                Some(name) => f.write_str(name)?,
                None => write!(f, "protocol {number}")?,
            },
        }
        match self.ports {
            Ports::All => {}
            Ports::Range(first, last) if first == last => write!(f, " {first}")?,
            Ports::Range(first, last) => write!(f, " {first}-{last}")?,
            Ports::Icmp(None, None) => {}
            Ports::Icmp(kind, code) => write!(f, " type {} code {}", Any(kind), Any(code))?,
        }
        let preposition = match self.direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        };
        write!(f, " {preposition} {}", self.peer)
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::V4(range) => write!(f, "{range}"),
            Peer::V6(range) => write!(f, "{range}"),
            Peer::PrefixList(list) => f.write_str(list.id),
            Peer::Group(None, id) => f.write_str(id),
            Peer::Group(Some(user), id) => write!(f, "{id} of {user}"),
        }
    }
}

struct Any(Option<u8>);

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("any"),
        }
    }
}

/// How AWS writes the four protocols that it writes by name.
pub(super) fn protocol_name(number: u8) -> Option<&'static str> {
    match number {
        ICMP => Some("icmp"),
        TCP => Some("tcp"),
        UDP => Some("udp"),
        ICMPV6 => Some("icmpv6"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
