use proptest::prelude::*;

use crate::evaluate::world::{group, permission};
use crate::inventory::Body;

use super::*;

fn with_openings<T>(rules: &str, read: impl FnOnce(Vec<Opening<'_>>) -> T) -> T {
    let item = group("sg-1", rules);
    let Body::SecurityGroup(group) = &item.body else { panic!("a group") };
    read(openings(group))
}

/// Rows of `rule | other rule | inside, meets or apart`: inside also meets.
fn check(table: &str) {
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut cells = row.split('|').map(str::trim);
        let (ours, theirs, want) =
            (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        let both = format!("{ours}; {theirs}");
        let found = with_openings(ours, |ours| {
            with_openings(theirs, |theirs| {
                let (ours, theirs) = (ours[0], theirs[0]);
                assert_eq!(ours.overlaps(&theirs), theirs.overlaps(&ours), "{both}");
                match (ours.lies_inside(&theirs).is_yes(), ours.overlaps(&theirs).is_yes()) {
                    (true, true) => "inside",
                    (false, true) => "meets",
                    (false, false) => "apart",
                    (true, false) => "inside without meeting",
                }
            })
        });
        assert_eq!(found, want, "{row}");
    }
}

#[test]
fn ports_compare_as_ranges() {
    check(
        "in tcp 22 0.0.0.0/0      | in tcp 22 0.0.0.0/0       | inside
         in tcp 22 0.0.0.0/0      | in tcp 22-25 0.0.0.0/0    | inside
         in tcp 25 0.0.0.0/0      | in tcp 22-25 0.0.0.0/0    | inside
         in tcp 22-26 0.0.0.0/0   | in tcp 22-25 0.0.0.0/0    | meets
         in tcp 21-25 0.0.0.0/0   | in tcp 22-25 0.0.0.0/0    | meets
         in tcp 26 0.0.0.0/0      | in tcp 22-25 0.0.0.0/0    | apart
         in tcp 21 0.0.0.0/0      | in tcp 22-25 0.0.0.0/0    | apart
         in tcp 0-65535 0.0.0.0/0 | in tcp * 0.0.0.0/0        | inside
         in tcp * 0.0.0.0/0       | in tcp 0-65535 0.0.0.0/0  | inside
         in tcp * 0.0.0.0/0       | in tcp 1-65535 0.0.0.0/0  | meets
         in tcp -1:-1 0.0.0.0/0   | in tcp 0-65535 0.0.0.0/0  | inside
         in tcp 0 0.0.0.0/0       | in tcp 0 0.0.0.0/0        | inside
         in tcp 65535 0.0.0.0/0   | in tcp 65535 0.0.0.0/0    | inside
         in tcp 65535 0.0.0.0/0   | in tcp 0 0.0.0.0/0        | apart",
    );
}

#[test]
fn protocols_compare_by_number_and_minus_one_is_all() {
    check(
        "in tcp 22 0.0.0.0/0    | in 6 22 0.0.0.0/0        | inside
         in tcp 22 0.0.0.0/0    | in udp 22 0.0.0.0/0      | apart
         in tcp 22 0.0.0.0/0    | in -1 * 0.0.0.0/0        | inside
         in -1 * 0.0.0.0/0      | in tcp 0-65535 0.0.0.0/0 | meets
         in -1 * 0.0.0.0/0      | in -1 * 0.0.0.0/0        | inside
         in -1 22 0.0.0.0/0     | in -1 80 0.0.0.0/0       | inside
         in icmp 8/0 0.0.0.0/0  | in icmpv6 8/0 0.0.0.0/0  | apart
         in 58 8/0 0.0.0.0/0    | in icmpv6 8/0 0.0.0.0/0  | inside
         in 50 * 0.0.0.0/0      | in 50 * 0.0.0.0/0        | inside
         in 50 1-2 0.0.0.0/0    | in 50 3-4 0.0.0.0/0      | inside
         in 50 * 0.0.0.0/0      | in 51 * 0.0.0.0/0        | apart
         in 50 * 0.0.0.0/0      | in -1 * 0.0.0.0/0        | inside
         in 0 * 0.0.0.0/0       | in -1 * 0.0.0.0/0        | inside
         in 255 * 0.0.0.0/0     | in 0 * 0.0.0.0/0         | apart",
    );
}

#[test]
fn icmp_compares_type_and_code() {
    check(
        "in icmp 8/0 0.0.0.0/0    | in icmp 8/0 0.0.0.0/0   | inside
         in icmp 8/0 0.0.0.0/0    | in icmp 8/-1 0.0.0.0/0  | inside
         in icmp 8/-1 0.0.0.0/0   | in icmp 8/0 0.0.0.0/0   | meets
         in icmp 8/0 0.0.0.0/0    | in icmp 8/1 0.0.0.0/0   | apart
         in icmp 3/0 0.0.0.0/0    | in icmp 8/0 0.0.0.0/0   | apart
         in icmp 3/-1 0.0.0.0/0   | in icmp 8/-1 0.0.0.0/0  | apart
         in icmp 8/0 0.0.0.0/0    | in icmp -1/-1 0.0.0.0/0 | inside
         in icmp -1/-1 0.0.0.0/0  | in icmp 8/-1 0.0.0.0/0  | meets
         in icmp * 0.0.0.0/0      | in icmp -1/-1 0.0.0.0/0 | inside
         in icmp -1/-1 0.0.0.0/0  | in icmp * 0.0.0.0/0     | inside
         in icmp 3/4 0.0.0.0/0    | in icmp 3-8 0.0.0.0/0   | apart
         in icmp -1/-1 0.0.0.0/0  | in -1 * 0.0.0.0/0       | inside
         in -1 * 0.0.0.0/0        | in icmp 8/0 0.0.0.0/0   | meets",
    );
}

#[test]
fn peers_compare_within_their_family() {
    check(
        "in tcp 22 10.0.0.0/9      | in tcp 22 10.0.0.0/8      | inside
         in tcp 22 10.128.0.0/9    | in tcp 22 10.0.0.0/9      | apart
         in tcp 22 10.0.0.0/8      | in tcp 22 10.0.0.0/9      | meets
         in tcp 22 10.0.0.0/8      | in tcp 22 10.0.0.0/8      | inside
         in tcp 22 10.1.2.3/8      | in tcp 22 10.0.0.0/8      | inside
         in tcp 22 0.0.0.0/0       | in tcp 22 ::/0            | apart
         in tcp 22 ::ffff:a00:0/104 | in tcp 22 10.0.0.0/8     | apart
         in tcp 22 2001:db8::/33   | in tcp 22 2001:db8::/32   | inside
         in tcp 22 2001:db8::/32   | in tcp 22 2001:db8::/33   | meets
         in tcp 22 2001:db9::/32   | in tcp 22 2001:db8::/32   | apart
         in tcp 22 pl-1            | in tcp 22 pl-1            | inside
         in tcp 22 pl-1            | in tcp 22 pl-2            | apart
         in tcp 22 pl-1            | in tcp 22 0.0.0.0/0       | apart
         in tcp 22 10.0.0.0/8      | in tcp 22 pl-1            | apart
         in tcp 22 sg-1            | in tcp 22 sg-1            | apart
         in tcp 22 sg-1            | in -1 * 0.0.0.0/0         | apart",
    );
}

#[test]
fn directions_never_meet() {
    check(
        "in tcp 22 10.0.0.0/8  | out tcp 22 10.0.0.0/8  | apart
         out tcp 22 10.0.0.0/8 | out tcp 22 10.0.0.0/8  | inside
         out tcp 22 10.0.0.0/8 | in -1 * 0.0.0.0/0      | apart",
    );
}

#[test]
fn every_peer_of_a_permission_is_an_opening_and_repeats_are_one() {
    let rules =
        "out -1 * ::/0; in tcp 22 10.0.0.0/8 sg-9 pl-1 ::/0 0.0.0.0/0; in tcp 22 10.0.0.0/8";
    let texts = with_openings(rules, |all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        texts,
        [
            "tcp 22 from 0.0.0.0/0",
            "tcp 22 from 10.0.0.0/8",
            "tcp 22 from ::/0",
            "tcp 22 from pl-1",
            "tcp 22 from sg-9",
            "all traffic to ::/0",
        ]
    );
}

#[test]
fn a_permission_without_peers_opens_nothing() {
    assert_eq!(with_openings("in -1 *", |all| all.len()), 0);
}

#[test]
fn ports_are_counted_where_there_are_ports() {
    for (rule, want) in [
        ("in tcp 22 ::/0", Some(1)),
        ("in tcp 22-23 ::/0", Some(2)),
        ("in udp 0-65535 ::/0", Some(65_536)),
        ("in udp 1-65535 ::/0", Some(65_535)),
        ("in tcp * ::/0", Some(65_536)),
        ("in -1 * ::/0", Some(65_536)),
        ("in -1 22 ::/0", Some(65_536)),
        ("in icmp 8/0 ::/0", None),
        ("in icmpv6 -1/-1 ::/0", None),
        ("in 50 * ::/0", None),
        ("in 132 1-2 ::/0", None),
    ] {
        assert_eq!(with_openings(rule, |all| all[0].port_count()), want, "{rule}");
    }
}

#[test]
fn odd_ports_are_read_as_wide_as_they_can_mean() {
    for (from, to, want) in [
        (None, Some(25), Ports::Range(0, 25)),
        (Some(22), None, Ports::Range(22, 65_535)),
        (Some(25), Some(22), Ports::Range(22, 25)),
        (Some(-7), Some(70_000), Ports::Range(0, 65_535)),
    ] {
        let (_, tcp) = permission("in tcp * ::/0");
        let odd = Permission { from_port: from, to_port: to, ..tcp };
        assert_eq!(Ports::of(&odd), want);
    }
    let (_, icmp) = permission("in icmp 256/0 ::/0");
    assert_eq!(Ports::of(&icmp), Ports::Icmp(None, Some(0)));
}

#[test]
fn an_opening_reads_as_people_write_it() {
    for (rule, want) in [
        ("in -1 * 0.0.0.0/0", "all traffic from 0.0.0.0/0"),
        ("out udp 53-60 ::/0", "udp 53-60 to ::/0"),
        ("in icmp 8/-1 10.0.0.0/8", "icmp type 8 code any from 10.0.0.0/8"),
        ("in icmp -1/-1 10.0.0.0/8", "icmp from 10.0.0.0/8"),
        ("in icmpv6 128/0 ::/0", "icmpv6 type 128 code 0 from ::/0"),
        ("in 50 * pl-1", "protocol 50 from pl-1"),
        ("in tcp 443 sg-1", "tcp 443 from sg-1"),
    ] {
        assert_eq!(with_openings(rule, |all| all[0].to_string()), want);
    }
    let peer = Peer::Group(Some("222222222222"), "sg-1");
    assert_eq!(peer.to_string(), "sg-1 of 222222222222");
}

/// What there is to open in a small universe: sixteen addresses of each family, sixteen ports,
/// five types and codes of ICMP (4 stands for all that no rule names), two prefix lists.
#[derive(Clone, Copy, Debug)]
struct Point {
    direction: Direction,
    protocol: u8,
    first: u16,
    second: u16,
    peer: usize,
}

const PORT_LAST: u16 = 15;
const PEERS: [&str; 2] = ["pl-1", "pl-2"];

fn points() -> impl Iterator<Item = Point> {
    let peers = 0..16 + 16 + PEERS.len();
    peers.flat_map(|peer| {
        [Direction::Ingress, Direction::Egress].into_iter().flat_map(move |direction| {
            [TCP, UDP, ICMP, 50].into_iter().flat_map(move |protocol| {
                let (firsts, seconds) = match protocol {
                    TCP | UDP => (PORT_LAST, 0),
                    ICMP => (4, 4),
                    _ => (0, 0),
                };
                (0..=firsts).flat_map(move |first| {
                    (0..=seconds).map(move |second| Point {
                        direction,
                        protocol,
                        first,
                        second,
                        peer,
                    })
                })
            })
        })
    })
}

fn opens(opening: &Opening<'_>, point: &Point) -> bool {
    let any_or = |wanted: Option<u8>, found: u16| wanted.is_none_or(|n| u16::from(n) == found);
    let of_protocol = match (opening.protocol, opening.ports) {
        (None, _) => true,
        (Some(protocol), _) if protocol != point.protocol => false,
        (Some(_), Ports::Range(from, to)) => from <= point.first && point.first <= to,
        (Some(_), Ports::Icmp(kind, code)) => {
            any_or(kind, point.first) && any_or(code, point.second)
        }
        (Some(_), Ports::All) => true,
    };
    let low = u8::try_from(point.peer % 16).unwrap();
    let has_peer = match opening.peer {
        Peer::V4(range) => {
            point.peer < 16 && range.contains(&std::net::Ipv4Addr::new(10, 0, 0, low))
        }
        Peer::V6(range) => {
            let address = std::net::Ipv6Addr::from(u128::from(low));
            (16..32).contains(&point.peer) && range.contains(&address)
        }
        Peer::PrefixList(list) => point.peer.checked_sub(32).is_some_and(|at| PEERS[at] == list.id),
        Peer::Group(..) => false,
    };
    opening.direction == point.direction && of_protocol && has_peer
}

fn any_opening() -> impl Strategy<Value = Opening<'static>> {
    let direction = prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)];
    let protocol =
        prop_oneof![Just(None), Just(Some(TCP)), Just(Some(UDP)), Just(Some(ICMP)), Just(Some(50))];
    let octet = || prop_oneof![Just(None), (0..4u8).prop_map(Some)];
    let ports = (0..=PORT_LAST, 0..=PORT_LAST, octet(), octet());
    let peer = prop_oneof![
        (0..16u8, 28..=32u8).prop_map(|(low, len)| Peer::V4(
            Ipv4Net::new([10, 0, 0, low].into(), len).unwrap().trunc()
        )),
        (0..16u128, 124..=128u8)
            .prop_map(|(low, len)| Peer::V6(Ipv6Net::new(low.into(), len).unwrap().trunc())),
        (0..PEERS.len()).prop_map(|at| Peer::PrefixList(ListPeer::unknown(PEERS[at]))),
    ];
    (direction, protocol, ports, peer).prop_map(
        |(direction, protocol, (a, b, kind, code), peer)| {
            let ports = match protocol {
                Some(TCP | UDP) => Ports::Range(a.min(b), a.max(b)),
                Some(ICMP) => Ports::Icmp(kind, code),
                _ => Ports::All,
            };
            Opening { direction, protocol, ports, peer }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn algebra_agrees_with_every_point_of_a_small_universe(
        ours in any_opening(),
        theirs in any_opening(),
    ) {
        let inside = points().all(|point| !opens(&ours, &point) || opens(&theirs, &point));
        let meets = points().any(|point| opens(&ours, &point) && opens(&theirs, &point));
        prop_assert_eq!(ours.lies_inside(&theirs).is_yes(), inside);
        prop_assert_eq!(ours.overlaps(&theirs).is_yes(), meets);
        prop_assert!(ours.lies_inside(&ours).is_yes());
        let opened = |found: &[Opening<'_>], point: &Point| found.iter().any(|one| opens(one, point));
        let common: Vec<_> = ours.common(&theirs).into_iter().collect();
        let is_common = points().all(|point| {
            opened(&common, &point) == (opens(&ours, &point) && opens(&theirs, &point))
        });
        prop_assert!(is_common);
        if let Some(left) = ours.without(&theirs) {
            let is_left = points().all(|point| {
                opened(&left, &point) == (opens(&ours, &point) && !opens(&theirs, &point))
            });
            prop_assert!(is_left);
        }
        prop_assert_eq!(ours.mismatches(&theirs).is_empty(), inside);
    }
}
