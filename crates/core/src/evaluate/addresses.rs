//! Which addresses the internet can reach: the IANA special-purpose registries as tables.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Whether an IPv4 range is public: it does not lie wholly inside a block that is not globally
/// reachable. The most specific registry entry around the range decides.
pub(super) fn is_public_v4(range: &Ipv4Net) -> bool {
    let prefix_len_max =
        |blocks: &[Ipv4Net]| longest(blocks, |block| block.contains(range), Ipv4Net::prefix_len);
    prefix_len_max(IPV4_REACHABLE) >= prefix_len_max(IPV4_NOT_REACHABLE)
}

/// Whether an IPv6 range is public, likewise.
pub(super) fn is_public_v6(range: &Ipv6Net) -> bool {
    let prefix_len_max =
        |blocks: &[Ipv6Net]| longest(blocks, |block| block.contains(range), Ipv6Net::prefix_len);
    prefix_len_max(IPV6_REACHABLE) >= prefix_len_max(IPV6_NOT_REACHABLE)
}

/// Prefix length of the smallest block around a range; `None`, which is least, without one.
fn longest<N>(
    blocks: &[N],
    is_around: impl Fn(&N) -> bool,
    prefix_len: impl Fn(&N) -> u8,
) -> Option<u8> {
    blocks.iter().filter(|block| is_around(block)).map(prefix_len).max()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_len)
}

const fn v6(segments: [u16; 8], prefix_len: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix_len)
}

/// IANA IPv4 Special-Purpose Address Registry, entries with "Globally Reachable: False".
/// 192.88.99.0/24 (retired 6to4 relays) says neither and is left out; multicast is not in it.
const IPV4_NOT_REACHABLE: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),          // "this network", RFC 791
    v4(0, 0, 0, 0, 32),         // "this host on this network", RFC 1122
    v4(10, 0, 0, 0, 8),         // private use, RFC 1918
    v4(100, 64, 0, 0, 10),      // shared address space, RFC 6598
    v4(127, 0, 0, 0, 8),        // loopback, RFC 1122
    v4(169, 254, 0, 0, 16),     // link local, RFC 3927
    v4(172, 16, 0, 0, 12),      // private use, RFC 1918
    v4(192, 0, 0, 0, 24),       // IETF protocol assignments, RFC 6890
    v4(192, 0, 0, 0, 29),       // IPv4 service continuity prefix, RFC 7335
    v4(192, 0, 0, 8, 32),       // IPv4 dummy address, RFC 7600
    v4(192, 0, 0, 170, 32),     // NAT64/DNS64 discovery, RFC 7050
    v4(192, 0, 0, 171, 32),     // NAT64/DNS64 discovery, RFC 7050
    v4(192, 0, 2, 0, 24),       // documentation, RFC 5737
    v4(192, 168, 0, 0, 16),     // private use, RFC 1918
    v4(198, 18, 0, 0, 15),      // benchmarking, RFC 2544
    v4(198, 51, 100, 0, 24),    // documentation, RFC 5737
    v4(203, 0, 113, 0, 24),     // documentation, RFC 5737
    v4(240, 0, 0, 0, 4),        // reserved, RFC 1112
    v4(255, 255, 255, 255, 32), // limited broadcast, RFC 919
];

/// Entries of the same registry with "Globally Reachable: True".
const IPV4_REACHABLE: &[Ipv4Net] = &[
    v4(192, 0, 0, 9, 32),    // Port Control Protocol anycast, RFC 7723
    v4(192, 0, 0, 10, 32),   // TURN anycast, RFC 8155
    v4(192, 31, 196, 0, 24), // AS112-v4, RFC 7535
    v4(192, 52, 193, 0, 24), // AMT, RFC 7450
    v4(192, 175, 48, 0, 24), // direct delegation AS112, RFC 7534
];

/// IANA IPv6 Special-Purpose Address Registry, entries with "Globally Reachable: False".
/// Teredo (2001::/32), retired ORCHID (2001:10::/28) and 6to4 (2002::/16) say neither and have no
/// row of their own; the first two lie in 2001::/23.
const IPV6_NOT_REACHABLE: &[Ipv6Net] = &[
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128),         // unspecified, RFC 4291
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),         // loopback, RFC 4291
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96),     // IPv4-mapped, RFC 4291
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),  // IPv4-IPv6 translation, RFC 8215
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64),      // discard only, RFC 6666
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64),      // dummy prefix, RFC 9780
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),     // IETF protocol assignments, RFC 2928
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48),     // benchmarking, RFC 5180
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation, RFC 3849
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),     // documentation, RFC 9637
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),     // segment routing SIDs, RFC 9602
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),      // unique local, RFC 4193
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),     // link local, RFC 4291
];

/// Entries of the same registry with "Globally Reachable: True".
const IPV6_REACHABLE: &[Ipv6Net] = &[
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), // IPv4-IPv6 translation, RFC 6052
    v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128),   // Port Control Protocol anycast, RFC 7723
    v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128),   // TURN anycast, RFC 8155
    v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128),   // DNS-SD registration anycast, RFC 9665
    v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32),    // AMT, RFC 7450
    v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), // AS112-v6, RFC 7535
    v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), // ORCHIDv2, RFC 7343
    v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), // drone remote ids, RFC 9374
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // direct delegation AS112, RFC 7534
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str) {
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (range, want) = row.split_once(' ').unwrap();
            let public = match range.parse::<ipnet::IpNet>().unwrap() {
                ipnet::IpNet::V4(range) => is_public_v4(&range),
                ipnet::IpNet::V6(range) => is_public_v6(&range),
            };
            assert_eq!(public, want.trim() == "public", "{row}");
        }
    }

    #[test]
    fn a_range_is_public_unless_one_unreachable_block_holds_all_of_it() {
        check(
            "0.0.0.0/0           public
             0.0.0.0/7           public
             0.0.0.0/8           private
             1.0.0.0/32          public
             9.255.255.255/32    public
             10.0.0.0/7          public
             10.0.0.0/8          private
             10.255.255.255/32   private
             11.0.0.0/32         public
             100.63.255.255/32   public
             100.64.0.0/10       private
             100.64.0.0/9        public
             100.127.255.255/32  private
             100.128.0.0/32      public
             126.255.255.255/32  public
             127.0.0.1/32        private
             128.0.0.0/32        public
             169.253.255.255/32  public
             169.254.169.254/32  private
             169.255.0.0/32      public
             172.15.255.255/32   public
             172.16.0.0/32       private
             172.16.0.0/12       private
             172.16.0.0/11       public
             172.31.255.255/32   private
             172.32.0.0/32       public
             192.167.255.255/32  public
             192.168.0.0/16      private
             192.168.0.0/15      public
             192.169.0.0/32      public
             198.17.255.255/32   public
             198.18.0.0/15       private
             198.20.0.0/32       public
             223.255.255.255/32  public
             224.0.0.0/4         public
             239.255.255.255/32  public
             240.0.0.0/4         private
             255.255.255.255/32  private
             8.8.8.8/32          public",
        );
    }

    #[test]
    fn the_most_specific_registry_entry_decides() {
        check(
            "192.0.0.0/24        private
             192.0.0.8/32        private
             192.0.0.9/32        public
             192.0.0.10/32       public
             192.0.0.11/32       private
             192.0.1.0/24        public
             2001::/23           private
             2001:1::1/128       public
             2001:1::4/128       private
             2001:20::/28        public
             2001:40::/28        private
             2001:200::/23       public",
        );
    }

    #[test]
    fn ipv6_neighbours_of_unreachable_blocks_are_public() {
        check(
            "::/0                public
             ::/128              private
             ::1/128             private
             ::2/128             public
             ::/127              public
             ::ffff:10.0.0.1/128 private
             64:ff9b::/96        public
             64:ff9b:1::/48      private
             64:ff9b:2::/48      public
             100::/64            private
             100:0:0:1::/64      private
             100:0:0:2::/64      public
             100::/63            public
             2001:db8::/32       private
             2001:db7::/32       public
             2001:db9::/32       public
             2600::/12           public
             3fff::/20           private
             3fff:1000::/20      public
             5f00::/16           private
             5f01::/16           public
             fbff::/16           public
             fc00::/7            private
             fc00::/6            public
             fdff::/16           private
             fe00::/16           public
             fe80::/10           private
             fe80::/9            public
             fec0::/16           public
             ff00::/8            public",
        );
    }

    #[test]
    fn no_block_has_host_bits() {
        for block in IPV4_NOT_REACHABLE.iter().chain(IPV4_REACHABLE) {
            assert_eq!(*block, block.trunc());
        }
        for block in IPV6_NOT_REACHABLE.iter().chain(IPV6_REACHABLE) {
            assert_eq!(*block, block.trunc());
        }
    }
}
