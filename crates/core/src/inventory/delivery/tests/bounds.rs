//! What a delivery may hold, at its limits.

use super::*;
use crate::inventory::DEPTH_MAX;
use crate::inventory::missed::LOST_MAX;

#[test]
fn nesting_is_bounded_in_the_file_and_in_each_text() {
    let nested = |levels: u32| {
        let (open, close) = ("[".repeat(levels as usize), "]".repeat(levels as usize));
        let unread = item("deep").replace("AWS::EC2::VPC", "AWS::EC2::EIP");
        unread.replace(r#""configuration":{}"#, &format!(r#""configuration":{open}{close}"#))
    };
    // A container and its list around the item, which is a level itself.
    for (around, file) in [
        (3, &(|levels| snapshot(&[nested(levels)])) as &dyn Fn(u32) -> String),
        (2, &|levels| format!("[{}]", nested(levels))),
        (1, &nested),
    ] {
        for (levels, fits) in [
            (DEPTH_MAX - around - 1, true),
            (DEPTH_MAX - around, true),
            (DEPTH_MAX - around + 1, false),
        ] {
            let found = read(file(levels)).unwrap();
            let reasons: Vec<_> = found.quarantined.iter().map(|bad| &*bad.reason).collect();
            let expected = if fits { &[][..] } else { &["nested more than 64 deep"] };
            assert_eq!(reasons, expected, "{around} around {levels}");
            // Its key is believed all the same: it is there, and what it is nobody knows.
            assert_eq!(ids(&found), ["deep"], "{around} around {levels}");
            let is_unseen = found.observations[0].item.body == Body::Unseen;
            assert_eq!(is_unseen, !fits, "{around} around {levels}");
        }
    }
    let message =
        |levels| format!(r#"{{"Type":"Notification","Message":{}}}"#, quoted(&nested(levels)));
    assert_eq!(ids(&read(message(DEPTH_MAX - 1)).unwrap()), ["deep"]);
    let over = read(message(DEPTH_MAX)).unwrap();
    assert_eq!(over.quarantined[0].reason, "nested more than 64 deep");
}

/// Of a key that is too long to be known it is looked for the end, whatever it is made of.
#[test]
fn a_long_key_takes_no_memory() {
    for part in ["a", "\\n", "\\\\", "\\\"", "\\u0061"] {
        let mut reader = DeliveryReader::new("");
        reader.push(br#"{"fileVersion":"1.0",""#).unwrap();
        let chunk = part.repeat(1 << 18);
        for chunk in std::iter::repeat_n(chunk.as_bytes(), 64).flat_map(|c| c.chunks(1 << 16)) {
            reader.push(chunk).unwrap();
        }
        let held = reader.splitter.held_bytes();
        assert!(held <= 2 * ITEM_BYTES_MAX, "{held} for {part}");
        reader.push(format!(r#"":1,"configurationItems":[{}]}}"#, item("a")).as_bytes()).unwrap();
        assert_eq!(ids(&reader.finish().unwrap()), ["a"], "{part}");
    }
    for (key, is_known) in [
        (r"configurationItem\u0073", true),
        (r"configurationItem\\u0073", false),
        (r"configurationItems\\", false),
        (r#"configurationItems\""#, false),
    ] {
        let text = format!(r#"{{"fileVersion":"1.0","{key}":[{}]}}"#, item("a"));
        assert_eq!(read(text).map(|found| ids(&found) == ["a"]) == Ok(true), is_known, "{key}");
    }
}

#[test]
fn an_item_nested_too_deep_is_quarantined_and_the_rest_goes_on() {
    let (open, close) = ("[".repeat(1 << 20), "]".repeat(1 << 20));
    let deep =
        item("deep").replace(r#""configuration":{}"#, &format!(r#""configuration":{open}{close}"#));
    let name = "history.json";
    for (at, file) in [
        (1, snapshot(&[item("a"), deep.clone(), item("b")])),
        (1, format!("[{},{deep},{}]", item("a"), item("b"))),
        (1, format!("{}\n{deep}\n{}", item("a"), item("b"))),
    ] {
        for chunk in [1 << 16, usize::MAX] {
            let mut reader = DeliveryReader::new(name);
            file.as_bytes()
                .chunks(chunk.min(file.len()))
                .for_each(|chunk| reader.push(chunk).unwrap());
            let delivery = reader.finish().unwrap();
            assert_eq!(ids(&delivery), ["a", "deep", "b"]);
            assert_eq!(delivery.quarantined.len(), 1);
            let bad = &delivery.quarantined[0];
            assert_eq!((bad.index, &*bad.reason), (at, "nested more than 64 deep"));
            assert_eq!(bad.resource_id.as_deref(), Some("deep"));
        }
    }
}

#[test]
fn a_megabyte_of_open_brackets_is_a_file_that_is_cut_off() {
    for brackets in ["[", "{\"a\":", "[{\"configurationItems\":"] {
        let text = brackets.repeat(1 << 20);
        assert!(matches!(read(&text), Err(DeliveryError::Truncated(_))), "{brackets}");
    }
    let text = format!(r#"{{"Type":"Notification","Message":{}}}"#, quoted(&"[".repeat(1 << 20)));
    assert_eq!(read(text).unwrap().quarantined.len(), 1);
    let text = format!(
        r#"{{"configurationItems":[{}]}}"#,
        item("a").replace(
            r#""configuration":{}"#,
            &format!(r#""configuration":{}"#, quoted(&"[".repeat(1 << 20)))
        )
    );
    assert_eq!(ids(&read(text).unwrap()), ["a"], "of a type that is not looked into");
}

#[test]
fn an_item_of_more_than_the_limit_is_quarantined_and_the_rest_goes_on() {
    let sized = |size: usize| {
        let filler = "x".repeat(size - item("big").len() - 6);
        item("big").replace(r#""tags":{}"#, &format!(r#""tags":{{"k":"{filler}"}}"#))
    };
    assert_eq!(sized(1000).len(), 1000);
    for (size, fits) in
        [(ITEM_BYTES_MAX - 1, true), (ITEM_BYTES_MAX, true), (ITEM_BYTES_MAX + 1, false)]
    {
        let of = |text: String, chunk: usize| {
            let mut reader = DeliveryReader::new("");
            text.as_bytes().chunks(chunk).for_each(|chunk| reader.push(chunk).unwrap());
            reader.finish().unwrap()
        };
        for delivery in [
            of(snapshot(&[sized(size), item("a")]), 1 << 20),
            of(format!("{}\n{}", sized(size), item("a")), usize::MAX),
        ] {
            assert_eq!(ids(&delivery), if fits { &["big", "a"][..] } else { &["a"] });
            assert_eq!(delivery.missed.is_empty(), fits, "it is a gap of the other's account");
            let reasons: Vec<_> = delivery.quarantined.iter().map(|bad| &*bad.reason).collect();
            assert_eq!(reasons, if fits { vec![] } else { vec!["larger than 16 MiB"] });
        }
    }
}

#[test]
fn what_is_told_of_a_bad_item_is_bounded() {
    for (length, chars) in [(498, 498), (499, 499), (500, 500), (501, 500), (9999, 500)] {
        assert_eq!(shortened("é".repeat(length), 500).chars().count(), chars);
    }
    let long = "x".repeat(100_000);
    let delivery = read(snapshot(&[item(&long), format!("\"{long}\"")])).unwrap();
    let bad = &delivery.quarantined;
    assert_eq!(bad[0].resource_id.as_ref().unwrap().chars().count(), RESOURCE_ID_CHARS_MAX);
    assert!(bad[0].reason.ends_with("is not a resource id: it is too long"));
    assert_eq!(bad[1].reason.chars().count(), REASON_CHARS_MAX);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    /// Bytes of a good file overwritten, inserted or removed at random: no panic, and the same
    /// outcome however the file is cut.
    #[test]
    fn damaged_files_are_read_or_refused_alike_in_any_chunks(
        edits in proptest::collection::vec(
            (proptest::num::usize::ANY, proptest::num::u8::ANY, 0..4_u8),
            1..6,
        ),
        chunk in 1..50_usize,
    ) {
        const TELLING: &[u8] = b"{}[]\",:\\ \n0ntf\xff";
        let mut text = snapshot(&[notification("a"), item("b"), item("c\\u0041")]).into_bytes();
        for (at, byte, kind) in edits {
            let at = at % text.len();
            let byte = if kind < 2 { TELLING[usize::from(byte) % TELLING.len()] } else { byte };
            match kind {
                0 => text[at] = byte,
                1 | 2 => text.insert(at, byte),
                _ => { text.remove(at); }
            }
        }
        let whole = read(&text);
        let mut reader = DeliveryReader::new("");
        let pushed = text.chunks(chunk).try_for_each(|chunk| reader.push(chunk));
        proptest::prop_assert_eq!(pushed.and_then(|()| reader.finish()), whole);
    }
}

#[test]
fn text_before_the_json_is_bounded() {
    let max = usize::try_from(PREAMBLE_BYTES_MAX).unwrap();
    for (length, fits) in [(max - 1, true), (max, true), (max + 1, false)] {
        let found = read(format!("{}{}", "-".repeat(length), notification("a")));
        assert_eq!(found.is_ok(), fits, "{length}");
        assert!(fits || found == Err(DeliveryError::NoJson));
    }
}

#[test]
fn envelopes_in_each_other_are_bounded() {
    let wrapped = |layers: u32| {
        let mut text = item("a");
        for _ in 1..layers {
            text = format!(r#"{{"detail":{text}}}"#);
        }
        read(text).unwrap()
    };
    assert_eq!(ids(&wrapped(LAYERS_MAX - 1)), ["a"]);
    assert_eq!(ids(&wrapped(LAYERS_MAX)), ["a"]);
    let over = wrapped(LAYERS_MAX + 1);
    assert_eq!(over.quarantined[0].reason, "more than 8 envelopes in each other");
}

#[test]
fn unreadable_items_are_told_one_by_one_to_their_limit() {
    for (items, told, more) in [
        (QUARANTINED_MAX - 1, QUARANTINED_MAX - 1, 0),
        (QUARANTINED_MAX, QUARANTINED_MAX, 0),
        (QUARANTINED_MAX + 1, QUARANTINED_MAX, 1),
    ] {
        let delivery = read(snapshot(&vec!["{}".to_owned(); items])).unwrap();
        assert_eq!((delivery.quarantined.len(), delivery.quarantined_more), (told, more));
    }
}

/// Items that are lost make no more gaps than a file may hold messages of them.
#[test]
fn lost_items_are_told_apart_to_the_limit_and_then_by_all_but_their_ids() {
    let lost = |resource_type: &str, id: usize| {
        item_of(resource_type, &format!("i-{id}"), "eu-west-1", r#""a":1"#)
            .replace("2026-", "x")
            .replace("1770091506000", "0")
    };
    for (count, told) in [
        (LOST_MAX - 1, LOST_MAX - 1),
        (LOST_MAX, LOST_MAX),
        (LOST_MAX + 1, LOST_MAX + 1),
        (5 * LOST_MAX, LOST_MAX + 1),
    ] {
        let mut items: Vec<String> = (0..count).map(|id| lost("AWS::EC2::VPC", id)).collect();
        items.push(item("a"));
        let found = read(snapshot(&items)).unwrap();
        assert_eq!(found.missed.len(), told, "{count}");
        let quarantined = found.quarantined.len() as u64 + found.quarantined_more;
        assert_eq!(quarantined, count as u64, "each is told of");
    }
    let mut items: Vec<String> = (0..LOST_MAX).map(|id| lost("AWS::EC2::VPC", id)).collect();
    items.extend((0..3).map(|id| lost("AWS::EC2::EIP", id)));
    items.push(item("a"));
    let found = read(snapshot(&items)).unwrap();
    let others = found.missed.iter().filter(|one| one.resource_type == Some(ResourceType::EIP));
    assert_eq!(others.count(), 1, "another type is not hidden by many of the first");
    // Of very many accounts the rest is nobody's.
    let of = |account: usize| format!(r#"{{"awsAccountId":"{account}"}}"#);
    for (count, told) in [(2 * LOST_MAX, 2 * LOST_MAX), (2 * LOST_MAX + 1, 2 * LOST_MAX + 1)] {
        let mut items: Vec<String> = (1000..1000 + count).map(of).collect();
        items.push(item("a"));
        let found = read(snapshot(&items)).unwrap();
        let accounts: BTreeSet<_> = found.missed.iter().map(|one| &one.account).collect();
        assert_eq!(accounts.len(), told, "with that of the good item");
    }
}
