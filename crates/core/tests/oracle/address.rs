//! Address ranges as the naive evaluator sees them: two numbers.

use std::sync::LazyLock;

/// First and last address of a CIDR, with its family (4 or 6) and prefix length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub family: u8,
    pub first: u128,
    pub last: u128,
    pub length: u32,
}

impl Range {
    pub fn parse(text: &str) -> Range {
        Range::read(text).expect("a CIDR")
    }

    pub fn read(text: &str) -> Option<Range> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (family, bits, number) = if address.contains(':') {
            let address: std::net::Ipv6Addr = address.parse().ok()?;
            (6, 128, u128::from_be_bytes(address.octets()))
        } else {
            let address: std::net::Ipv4Addr = address.parse().ok()?;
            (4, 32, u128::from(u32::from_be_bytes(address.octets())))
        };
        if length > bits {
            return None;
        }
        let size = if bits - length == 128 { u128::MAX } else { (1 << (bits - length)) - 1 };
        let first = number & !size;
        Some(Range { family, first, last: first | size, length })
    }

    pub fn inside(&self, other: &Range) -> bool {
        self.family == other.family && other.first <= self.first && self.last <= other.last
    }

    pub fn meets(&self, other: &Range) -> bool {
        self.family == other.family && self.first <= other.last && other.first <= self.last
    }
}

/// The IANA special-purpose blocks that are not globally reachable, as far as worlds touch them.
pub static NOT_GLOBAL: LazyLock<Vec<(&str, Range)>> =
    LazyLock::new(|| BLOCKS.iter().map(|block| (*block, Range::parse(block))).collect());

const BLOCKS: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
];
