use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::ident::{Region, ResourceId, ResourceType};
use crate::inventory::encode::{decode_any, encode_item};
use crate::inventory::{LoadBalancer, UnseenState, WafAssociation};

fn any_text() -> impl Strategy<Value = Box<str>> {
    ".{0,40}".prop_map(Box::from)
}

fn any_permission() -> impl Strategy<Value = Permission> {
    let ipv4 = (any::<[u8; 4]>(), 0..=32_u8)
        .prop_map(|(address, length)| Ipv4Net::new(address.into(), length).unwrap());
    let ipv6 = (any::<[u8; 16]>(), 0..=128_u8)
        .prop_map(|(address, length)| Ipv6Net::new(address.into(), length).unwrap());
    let peers = (
        vec(ipv4, 0..4),
        vec(ipv6, 0..3),
        vec(any_text(), 0..3),
        vec((of(any_text()), any_text()), 0..3),
    );
    (any::<(Option<u8>, Option<i32>, Option<i32>)>(), peers).prop_map(
        |((protocol, from_port, to_port), (ipv4, ipv6, prefix_lists, groups))| Permission {
            protocol,
            from_port,
            to_port,
            ipv4,
            ipv6,
            prefix_lists,
            groups,
        },
    )
}

fn any_body() -> impl Strategy<Value = Body> {
    let owner = "[0-9]{1,12}".prop_map(|id| AccountId::try_from(id).unwrap());
    let permissions = || vec(any_permission(), 0..4);
    let untold = any::<[bool; 2]>().prop_map(|[ingress, egress]| UntoldOfGroup { ingress, egress });
    let sides = (permissions(), permissions());
    let group = (any_text(), of(any_text()), of(owner), sides, untold).prop_map(
        |(group_name, vpc, owner, (ingress, egress), untold)| {
            Body::SecurityGroup(SecurityGroup { group_name, vpc, owner, ingress, egress, untold })
        },
    );
    let balancer =
        (of(any_text()), of(vec(any_text(), 0..3)), any_text()).prop_map(|(kind, groups, acl)| {
            let web_acl = WafAssociation::Acl(acl);
            Body::LoadBalancer(LoadBalancer { kind, groups, web_acl, vpc: None })
        });
    prop_oneof![
        1 => prop_oneof![Just(Body::Deleted), Just(Body::Unseen), Just(Body::Unwanted), Just(Body::OlderLayout)],
        1 => balancer,
        4 => group,
    ]
}

fn any_item() -> impl Strategy<Value = Item> {
    let version =
        any::<(Option<u64>, i64)>().prop_map(|(state, captured_ms)| Version { state, captured_ms });
    let tags = of(btree_map(any_text(), any_text(), 0..4));
    (version, of(any_text()), of(any_text()), tags, any_body()).prop_map(
        |(version, name, arn, tags, body)| Item {
            key: key(),
            version,
            name,
            arn,
            tags,
            body,
            unseen_since: None,
            told_beside: None,
        },
    )
}

fn key() -> ItemKey {
    ItemKey {
        account: AccountId::try_from("123456789012").unwrap(),
        region: Region::try_from("eu-west-1").unwrap(),
        resource_type: ResourceType::SECURITY_GROUP,
        id: ResourceId::try_from("sg-1").unwrap(),
    }
}

/// Whether numbers of this version fit those that the short way reads.
fn is_usual(version: &Version) -> bool {
    let fits = |number: u64| number < 1 << 63;
    version.state.is_none_or(fits) && fits(version.captured_ms.unsigned_abs().saturating_mul(2))
}

proptest! {
    #[test]
    fn what_is_written_today_goes_the_short_way(item in any_item()) {
        let bytes = encode_item(&item);
        let short = super::item(key, &bytes[1..]);
        prop_assert_eq!(decode_any(&key(), &bytes[1..]), Ok(item.clone()));
        match short {
            Some(short) => prop_assert_eq!(short, item),
            None => prop_assert!(!is_usual(&item.version), "{:?}", item),
        }
    }

    #[test]
    fn of_damage_both_ways_make_the_same(
        item in any_item(),
        at: prop::sample::Index,
        byte: u8,
        how in 0..5,
        more in 1_usize..9,
    ) {
        let mut bytes = encode_item(&item).split_off(1);
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            // Perhaps a number, told in more bytes than it takes.
            3 => {
                bytes[at] |= 0x80;
                bytes.splice(at + 1..=at, std::iter::repeat_n(0x80, more - 1).chain([0]));
            }
            _ => bytes.truncate(at),
        }
        if let Some(short) = super::item(key, &bytes) {
            prop_assert_eq!(decode_any(&key(), &bytes), Ok(short));
        }
    }
}

#[test]
fn a_later_state_goes_the_long_way() {
    let version = Version { state: Some(1), captured_ms: 2 };
    let (name, arn, tags) = (None, None, Some(Tags::new()));
    let later = UnseenState { version: version.clone(), name: None, arn: None, tags: None };
    let unseen_since = Some(Box::new(later));
    let body = Body::SecurityGroup(SecurityGroup::default());
    let item = Item { key: key(), version, name, arn, tags, body, unseen_since, told_beside: None };
    let bytes = encode_item(&item);
    assert_eq!(super::item(key, &bytes[1..]), None);
    assert_eq!(decode_any(&key(), &bytes[1..]), Ok(item));
}

#[test]
fn a_port_told_in_more_bytes_than_it_takes_is_left() {
    let from_port = Some(22);
    let permission = Permission { from_port, ..Permission::default() };
    let group = SecurityGroup { ingress: vec![permission], ..SecurityGroup::default() };
    let version = Version { state: None, captured_ms: 0 };
    let (name, arn, tags, body) = (None, None, Some(Tags::new()), Body::SecurityGroup(group));
    let item =
        Item { key: key(), version, name, arn, tags, body, unseen_since: None, told_beside: None };
    let bytes = encode_item(&item).split_off(1);
    let at = bytes.iter().position(|byte| *byte == 44).unwrap();
    for (more, is_taken) in [(0, true), (3, true), (4, false), (8, false)] {
        let mut long = bytes.clone();
        long.splice(at..=at, [&[44 | 0x80][..], &vec![0x80; more], &[0]].concat());
        let decoded = decode_any(&key(), &long);
        assert_eq!(decoded.is_ok(), is_taken, "{more}: {decoded:?}");
        assert_eq!(super::item(key, &long), decoded.ok(), "{more}");
    }
}

#[test]
fn a_length_that_lies_makes_no_room() {
    // No state, moment 0, no name, no ARN, and 2^62 tags.
    let bytes = [0, 0, 0, 0, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
    assert_eq!(super::item(key, &bytes), None);
}
