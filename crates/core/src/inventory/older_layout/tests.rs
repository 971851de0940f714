use super::*;
use crate::inventory::{Held, Merged, decode_item, encode_item, merge, read_item};

/// What the edition of layout 2 stored: type, status, `one` state or `two`, and the bytes.
const STORED: &str = include_str!("layout-2.txt");

const EARLIER_MS: i64 = 1_770_091_506_789;
const LATER: &str = r#""configurationStateId":1770091506799"#;

struct Row {
    kind: &'static str,
    status: &'static str,
    has_later: bool,
    bytes: Vec<u8>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let [kind, status, states, hex] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let octets = (0..hex.len()).step_by(2);
        let bytes = octets.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        Row { kind, status, has_later: states == "two", bytes }
    };
    let rows: Vec<Row> = STORED.lines().map(row).collect();
    assert_eq!(rows.len(), 28);
    rows
}

impl Row {
    /// The same in layout 1, which had no later state.
    fn of_one_state(&self) -> Option<Vec<u8>> {
        let (end, state) = self.bytes.split_last().filter(|_| !self.has_later)?;
        assert_eq!(*end, 0);
        Some([&[OF_ONE_STATE], &state[1..]].concat())
    }
}

fn key(kind: &str) -> ItemKey {
    ItemKey {
        account: "111122223333".try_into().unwrap(),
        region: "eu-west-1".try_into().unwrap(),
        resource_type: kind.try_into().unwrap(),
        id: "x-1".try_into().unwrap(),
    }
}

#[test]
fn of_an_older_layout_key_version_and_told_tags_remain_and_no_typed_body() {
    for row in rows() {
        let shown = format!("{} {} {}", row.kind, row.status, row.has_later);
        let item = decode_item(&key(row.kind), &row.bytes).unwrap();
        let body = match (row.kind, row.status) {
            (_, "ResourceDeleted") => Body::Deleted,
            (_, "ResourceNotRecorded") => Body::Unseen,
            ("AWS::EC2::EIP", _) => Body::Unwanted,
            _ => Body::OlderLayout,
        };
        assert_eq!(item.body, body, "{shown}");
        let newest = item.unseen_since.as_ref().map_or(&item.version, |later| &later.version);
        let wait = if row.has_later { 10 } else { 0 };
        let state = u64::try_from(EARLIER_MS + wait).unwrap();
        assert_eq!(newest.state, Some(state), "{shown}");
        assert_eq!(item.unseen_since.is_some(), row.has_later && !body.is_unseen(), "{shown}");
        let told = match (row.has_later, row.kind) {
            (true, _) => Some(Tags::from([("l".into(), "w".into())])),
            (false, "AWS::EC2::SecurityGroup") => Some(Tags::from([("k".into(), "v".into())])),
            (false, _) => None,
        };
        assert_eq!(item.latest_tags(), told.as_ref(), "{shown}");
        assert_eq!((item.name.as_deref(), item.arn.as_deref()), (Some("n"), Some("arn:x")));
        if let Some(older) = row.of_one_state() {
            assert_eq!(decode_item(&key(row.kind), &older), Ok(item.clone()), "{shown}");
        }
        let again = decode_item(&key(row.kind), &encode_item(&item));
        assert_eq!(again, Ok(item), "in today's layout: {shown}");
    }
}

#[test]
fn damage_is_told_in_every_layout() {
    for row in rows() {
        let layouts = [Some(row.bytes.clone()), row.of_one_state()];
        for bytes in layouts.into_iter().flatten() {
            for length in 1..bytes.len() {
                let cut = decode_item(&key(row.kind), &bytes[..length]);
                assert!(matches!(cut, Err(ItemDecodeError::Damaged(_))), "{} {length}", row.kind);
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(decode_item(&key(row.kind), &longer).is_err(), "{}", row.kind);
        }
    }
}

#[test]
fn a_delivery_of_the_very_state_replaces_what_an_older_layout_holds() {
    let delivered = |kind: &str, tags: &str, more: &str| {
        let text = format!(
            r#"{{{more},"tags":{{{tags}}},"configurationItemCaptureTime":"2026-02-03T04:05:06.789Z","awsAccountId":"111122223333","configurationItemStatus":"OK","resourceType":"{kind}","resourceId":"x-1","resourceName":"n","ARN":"arn:x","awsRegion":"eu-west-1"}}"#
        );
        read_item(text.as_bytes()).unwrap().item
    };
    let earlier = format!(r#""configurationStateId":{EARLIER_MS}"#);
    for (kind, tags, more) in [
        ("AWS::EC2::NetworkInterface", "", r#","configuration":{"groups":[]}"#),
        ("AWS::EC2::EIP", "", r#","configuration":{}"#),
        ("AWS::EC2::Instance", r#""l":"w""#, ""),
    ] {
        for row in rows().into_iter().filter(|row| row.kind == kind && row.status == "OK") {
            let held = Held { item: decode_item(&key(kind), &row.bytes).unwrap(), seen_ms: 0 };
            let text = if row.has_later && more.is_empty() { LATER } else { &earlier };
            let item = delivered(kind, tags, &format!("{text}{more}"));
            let merged = merge(Some(&held), Held { item: item.clone(), seen_ms: 0 });
            let Merged::Replaced(now) = merged else { panic!("{kind}: {merged:?}") };
            assert_eq!(now.item.body, item.body, "{kind}");
            assert_ne!(now.item.body, Body::OlderLayout, "{kind}");
            let is_behind = row.has_later && !more.is_empty();
            assert_eq!(now.item.unseen_since.is_some(), is_behind, "{kind}: still told later");
            let again = merge(Some(&now), Held { item, seen_ms: 0 });
            assert_eq!(again, Merged::Stale, "{kind}");
        }
    }
}
