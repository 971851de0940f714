//! A network ACL: entries by number, and the subnets that it is on (formats §9).

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// A network ACL.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `entries`, ascending by direction and number; `None` when the body does not tell them.
    pub entries: Option<Vec<NumberedEntry>>,
    /// `associations`, ascending by subnet; `None` when the body does not tell them.
    pub associations: Option<Vec<AclAssociation>>,
}

/// That a network ACL is on a subnet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct AclAssociation {
    /// `subnetId`
    pub subnet: Box<str>,
    /// `networkAclAssociationId`, when told.
    pub id: Option<Box<str>>,
}

/// An entry of a network ACL with its place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NumberedEntry {
    /// `ruleNumber`: entries of a direction are held against traffic in ascending order.
    pub number: u16,
    /// What it does.
    pub entry: AclEntry,
}

impl NumberedEntry {
    /// The highest number that anybody can give; what is behind it is EC2's own.
    pub const NUMBER_MAX: u16 = 32_766;

    /// Whether it is the closing `*` entry, which denies what is left (32767, of IPv6 32768).
    pub fn is_closing(&self) -> bool {
        self.number > NumberedEntry::NUMBER_MAX && !self.entry.allow
    }
}

/// What an entry of a network ACL matches, and what it does with that. Two that do the same are
/// equal, whichever way they were told.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AclEntry {
    /// `egress`: of traffic out of the subnet, rather than into it.
    pub egress: bool,
    /// `ruleAction` is `allow`, rather than `deny`.
    pub allow: bool,
    /// `protocol` with what it has: ports, or ICMP type and code.
    pub traffic: AclTraffic,
    /// `cidrBlock` or `ipv6CidrBlock`, host bits cleared: the other end.
    pub cidr: IpNet,
}

/// Traffic by protocol.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AclTraffic {
    /// `-1`
    All,
    /// TCP or UDP.
    Ports {
        /// 6 or 17.
        protocol: u8,
        /// `portRange.from`
        from: u16,
        /// `portRange.to`
        to: u16,
    },
    /// ICMP, or ICMPv6 of an IPv6 range.
    Icmp {
        /// 1 or 58.
        protocol: u8,
        /// `icmpTypeCode.type`; -1 is every type, and then every code.
        kind: i32,
        /// `icmpTypeCode.code`; -1 is every code.
        code: i32,
    },
    /// Another protocol, of which EC2 looks at neither ports nor types.
    Protocol(u8),
}

/// Which of the other members of an entry a protocol has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AclMembers {
    /// `portRange`
    Ports,
    /// `icmpTypeCode`
    Icmp,
    /// Neither.
    None,
}

impl AclTraffic {
    /// What EC2 looks at beside the protocol, `None` being all of them: types of ICMPv6 only for an
    /// IPv6 range.
    pub fn members(protocol: Option<u8>, cidr: &IpNet) -> AclMembers {
        match (protocol, cidr) {
            (Some(TCP | UDP), _) => AclMembers::Ports,
            (Some(ICMP), _) | (Some(ICMPV6), IpNet::V6(_)) => AclMembers::Icmp,
            (None | Some(_), _) => AclMembers::None,
        }
    }

    /// Of a protocol without other members.
    pub fn of(protocol: Option<u8>) -> AclTraffic {
        protocol.map_or(AclTraffic::All, AclTraffic::Protocol)
    }

    /// ICMP by type and code.
    pub fn icmp(protocol: u8, kind: i32, code: i32) -> AclTraffic {
        let code = if kind == -1 { -1 } else { code };
        AclTraffic::Icmp { protocol, kind, code }
    }

    /// The number, `None` for all of them.
    pub fn protocol(self) -> Option<u8> {
        match self {
            AclTraffic::All => None,
            AclTraffic::Ports { protocol, .. }
            | AclTraffic::Icmp { protocol, .. }
            | AclTraffic::Protocol(protocol) => Some(protocol),
        }
    }

    /// Whether there is traffic that is both.
    fn overlaps(self, other: AclTraffic) -> bool {
        let meet = |one: i32, other: i32| one == -1 || other == -1 || one == other;
        match (self, other) {
            (AclTraffic::All, _) | (_, AclTraffic::All) => true,
            (
                AclTraffic::Ports { protocol, from, to },
                AclTraffic::Ports { protocol: other, from: first, to: last },
            ) => protocol == other && from <= last && first <= to,
            (
                AclTraffic::Icmp { protocol, kind, code },
                AclTraffic::Icmp { protocol: other, kind: its_kind, code: its_code },
            ) => protocol == other && meet(kind, its_kind) && meet(code, its_code),
            (one, other) => one.protocol() == other.protocol(),
        }
    }
}

impl AclEntry {
    /// Whether some traffic matches both.
    pub fn overlaps(&self, other: &AclEntry) -> bool {
        self.egress == other.egress
            && (self.cidr.contains(&other.cidr) || other.cidr.contains(&self.cidr))
            && self.traffic.overlaps(other.traffic)
    }
}

impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.allow { "allow " } else { "deny " })?;
        match self.traffic {
            AclTraffic::All => f.write_str("all traffic")?,
            AclTraffic::Ports { protocol, from, to } => {
                f.write_str(if protocol == TCP { "tcp" } else { "udp" })?;
                match from == to {
                    true => write!(f, " {from}")?,
                    false => write!(f, " {from}-{to}")?,
                }
            }
            AclTraffic::Icmp { protocol, kind, code } => {
                f.write_str(if protocol == ICMP { "icmp" } else { "icmpv6" })?;
                if kind != -1 {
                    write!(f, " type {kind}")?;
                }
                if code != -1 {
                    write!(f, " code {code}")?;
                }
            }
            AclTraffic::Protocol(number) => write!(f, "protocol {number}")?,
        }
        write!(f, " {} {}", if self.egress { "to" } else { "from" }, self.cidr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(traffic: AclTraffic, cidr: &str) -> AclEntry {
        AclEntry { egress: false, allow: true, traffic, cidr: cidr.parse().unwrap() }
    }

    const WEB: AclTraffic = AclTraffic::Ports { protocol: TCP, from: 80, to: 443 };
    const PING: AclTraffic = AclTraffic::Icmp { protocol: ICMP, kind: 8, code: -1 };

    #[test]
    fn entries_overlap_where_some_traffic_matches_both() {
        let ports = |protocol, from, to| AclTraffic::Ports { protocol, from, to };
        let icmp = |kind, code| AclTraffic::icmp(ICMP, kind, code);
        for (one, other, wanted) in [
            (WEB, WEB, true),
            (WEB, ports(TCP, 443, 444), true),
            (WEB, ports(TCP, 444, 445), false),
            (WEB, ports(TCP, 0, 79), false),
            (WEB, ports(TCP, 0, 80), true),
            (WEB, ports(UDP, 80, 443), false),
            (WEB, AclTraffic::All, true),
            (WEB, PING, false),
            (PING, icmp(8, 0), true),
            (PING, icmp(-1, 7), true),
            (PING, icmp(3, -1), false),
            (icmp(8, 1), icmp(8, 0), false),
            (PING, AclTraffic::icmp(ICMPV6, 8, 0), false),
            (PING, AclTraffic::Protocol(ICMPV6), false),
            (AclTraffic::icmp(ICMPV6, 1, 1), AclTraffic::Protocol(ICMPV6), true),
            (AclTraffic::Protocol(50), AclTraffic::Protocol(50), true),
            (AclTraffic::Protocol(50), AclTraffic::Protocol(51), false),
        ] {
            let (a, b) = (entry(one, "10.0.0.0/8"), entry(other, "10.1.0.0/16"));
            assert_eq!((a.overlaps(&b), b.overlaps(&a)), (wanted, wanted), "{a}; {b}");
            assert!(!a.overlaps(&entry(other, "11.0.0.0/8")), "other addresses: {b}");
            assert!(!a.overlaps(&entry(other, "::/0")), "the other family: {b}");
            assert!(!a.overlaps(&AclEntry { egress: true, ..b }), "the other direction");
        }
    }

    #[test]
    fn an_entry_reads_as_people_say_it() {
        for (traffic, cidr, text) in [
            (AclTraffic::All, "0.0.0.0/0", "allow all traffic from 0.0.0.0/0"),
            (WEB, "::/0", "allow tcp 80-443 from ::/0"),
            (PING, "10.0.0.0/8", "allow icmp type 8 from 10.0.0.0/8"),
            (AclTraffic::icmp(ICMPV6, 1, 4), "::/0", "allow icmpv6 type 1 code 4 from ::/0"),
            (AclTraffic::icmp(ICMP, -1, 4), "10.0.0.0/8", "allow icmp from 10.0.0.0/8"),
            (AclTraffic::Protocol(50), "10.0.0.0/8", "allow protocol 50 from 10.0.0.0/8"),
        ] {
            assert_eq!(entry(traffic, cidr).to_string(), text);
        }
        let one = AclTraffic::Ports { protocol: UDP, from: 53, to: 53 };
        let out = AclEntry { egress: true, allow: false, ..entry(one, "10.0.0.0/8") };
        assert_eq!(out.to_string(), "deny udp 53 to 10.0.0.0/8");
    }

    #[test]
    fn an_entry_is_closing_behind_the_highest_number_of_anybody() {
        let all = entry(AclTraffic::All, "0.0.0.0/0");
        for (number, allow, wanted) in [
            (32_766, false, false),
            (32_767, false, true),
            (32_768, false, true),
            (32_767, true, false),
        ] {
            let entry = AclEntry { allow, ..all.clone() };
            assert_eq!(NumberedEntry { number, entry }.is_closing(), wanted, "{number}");
        }
    }
}
