//! Corners of both body formats that the published vectors leave out: what each is read as, or that
//! it is refused.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use palisade_wire::{
    BODY_SIZE_MAX, Constraints, DEPTH_MAX, ErrorKind, Kind, Member, Protocol, Shape, ShapeId,
    Table, TimestampFormat, decode_value,
};

const fn member(name: &'static str, shape: u16) -> Member {
    Member { name, shape: ShapeId(shape), required: false, constraints: None }
}

const fn shape(name: &'static str, kind: Kind) -> Shape {
    Shape { name, kind, constraints: Constraints::NONE }
}

static MEMBERS: [Member; 9] = [
    member("int", 1),
    member("long", 2),
    member("double", 3),
    member("text", 4),
    member("flag", 5),
    member("when", 6),
    member("list", 7),
    member("map", 8),
    member("bytes", 9),
];

/// One member of every kind that bodies have.
static KINDS: Table = Table::new(&[
    shape("Body", Kind::Structure(&MEMBERS)),
    shape("Int", Kind::Integer),
    shape("Long", Kind::Long),
    shape("Double", Kind::Double),
    shape("Text", Kind::String),
    shape("Flag", Kind::Boolean),
    shape("When", Kind::Timestamp(TimestampFormat::EpochSeconds)),
    shape("List", Kind::List { member: ShapeId(4), sparse: false }),
    shape("Map", Kind::Map { key: ShapeId(4), value: ShapeId(1), sparse: false }),
    shape("Bytes", Kind::Blob),
]);

/// What a body is read as; `refused` when it is not.
fn read(protocol: Protocol, body: &[u8]) -> String {
    match decode_value(&KINDS, ShapeId(0), protocol, body) {
        Ok(value) => value.to_string(),
        Err(fault) => {
            assert_eq!(fault.kind, ErrorKind::Serialization, "{fault}");
            assert!(fault.message.len() < 500, "{fault}");
            "refused".to_owned()
        }
    }
}

#[track_caller]
fn json(body: impl AsRef<[u8]>, expected: &str) {
    let body = body.as_ref();
    assert_eq!(read(Protocol::Json, body), expected, "{}", body.escape_ascii());
}

/// A body in hexadecimal; what stands in quotes is text, with the head that it needs.
#[track_caller]
fn cbor(notation: &str, expected: &str) {
    let body = assembled(notation);
    assert_eq!(read(Protocol::Cbor, &body), expected, "{notation}");
}

fn assembled(notation: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (place, part) in notation.split('\'').enumerate() {
        if place % 2 == 1 {
            body.push(0x60 + u8::try_from(part.len()).unwrap());
            body.extend(part.bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
            .collect();
        body.extend(digits.chunks(2).map(|pair| match pair {
            [high, low] => high << 4 | low,
            _ => panic!("half a byte in `{notation}`"),
        }));
    }
    body
}

#[test]
fn json_members_come_once_more_or_spelled_otherwise() {
    json(r#"{"int":1,"int":2}"#, "{int=2}");
    json(r#"{"int":1,"text":"a","int":null}"#, "{text=a}");
    json(r#"{"int":"x","int":2}"#, "refused");
    json(r#"{"i\u006et":5}"#, "{int=5}");
    json(r#"{"Int":5,"INT":"x","":1,"int ":true}"#, "{}");
    json(r#"{"map":{"a":1,"a":2,"\u0061":3}}"#, "{map={a=3}}");
    json(r#"{"map":{"a":null,"a":1}}"#, "refused");
    json(r#"{"__type":"Body","int":1}"#, "{int=1}");
}

#[test]
fn json_numbers_fit_or_are_refused() {
    for (number, expected) in [
        ("-0", "{int=0}"),
        ("2147483647", "{int=2147483647}"),
        ("-2147483648", "{int=-2147483648}"),
        ("2147483648", "refused"),
        ("-2147483649", "refused"),
        ("1.0", "refused"),
        ("1e0", "refused"),
        ("1e400", "refused"),
        ("-1e400", "refused"),
        ("01", "refused"),
        ("-01", "refused"),
        ("+1", "refused"),
        ("1.", "refused"),
        (".5", "refused"),
        ("0x10", "refused"),
        ("1_000", "refused"),
        ("NaN", "refused"),
        ("Infinity", "refused"),
        ("-", "refused"),
        ("1e", "refused"),
        ("true", "refused"),
        ("\"1\"", "refused"),
    ] {
        json(format!("{{\"int\":{number}}}"), expected);
    }
    json(r#"{"long":9223372036854775807}"#, "{long=9223372036854775807}");
    json(r#"{"long":-9223372036854775808}"#, "{long=-9223372036854775808}");
    json(r#"{"long":9223372036854775808}"#, "refused");
    json(r#"{"long":-9223372036854775809}"#, "refused");
    json(r#"{"double":18446744073709551616}"#, "{double=18446744073709552000}");
    json(r#"{"double":1e-99999999999999999999}"#, "{double=0}");
    json(r#"{"double":1e99999999999999999999}"#, "refused");
    json(r#"{"double":"-Infinity"}"#, "{double=-inf}");
    json(r#"{"double":"1.5"}"#, "refused");
    // As strict where nobody looks.
    json(r#"{"other":1e400}"#, "refused");
    json(r#"{"other":[01]}"#, "refused");
    let digits = "9".repeat(BODY_SIZE_MAX - 100);
    json(format!("{{\"other\":{digits}}}"), "refused");
    json(format!("{{\"other\":0.{digits}}}"), "{}");
    json(format!("{{\"int\":{digits}}}"), "refused");
}

#[test]
fn json_moments_are_numbers_within_the_calendar() {
    for (number, expected) in [
        ("0", "{when=0}"),
        ("-0.0", "{when=0}"),
        ("1e9", "{when=1000000000}"),
        ("1.0004", "{when=1}"),
        ("1.0005", "{when=1.001}"),
        ("-62135596800", "{when=-62135596800}"),
        ("-62135596801", "refused"),
        ("253402300799.9994", "{when=253402300799.999}"),
        ("253402300800", "refused"),
        ("1e400", "refused"),
        ("\"0\"", "refused"),
        ("\"1970-01-01T00:00:00Z\"", "refused"),
        ("[0]", "refused"),
        ("null", "{}"),
    ] {
        json(format!("{{\"when\":{number}}}"), expected);
    }
}

#[test]
fn json_text_is_unicode_or_refused() {
    json(r#"{"text":"\ud83e\udd80"}"#, "{text=🦀}");
    json(r#"{"text":"\u0000"}"#, "{text=\0}");
    json(r#"{"text":"\/\b\f\n\r\t\"\\"}"#, "{text=/\u{8}\u{c}\n\r\t\"\\}");
    for text in [
        r"\ud83e",
        r"\udd80\ud83e",
        r"\ud83ex",
        r"\ud83e\n",
        r"\ud83e\u0041",
        r"\ud83e\ud83e",
        r"\u12",
        r"\uzzzz",
        r"\u+123",
        r"\x41",
        r"\a",
        r"\'",
        r"\",
        "\n",
        "\t",
        "\0",
        "\u{1f}",
    ] {
        json(format!("{{\"text\":\"{text}\"}}"), "refused");
        json(format!("{{\"other\":\"{text}\"}}"), "refused");
        json(format!("{{\"{text}\":1}}"), "refused");
        json(format!("{{\"map\":{{\"{text}\":1}}}}"), "refused");
        json(format!("{{\"other\":{{\"{text}\":1}}}}"), "refused");
    }
    for bytes in [
        &b"\xc0\x80"[..],
        b"\xc1\xbf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"\xe2\x82",
        b"\xff",
    ] {
        json([b"{\"text\":\"", bytes, b"\"}"].concat(), "refused");
        json([b"{\"other\":\"", bytes, b"\"}"].concat(), "refused");
        json([b"{\"", bytes, b"\":1}"].concat(), "refused");
        json([b"{}", bytes].concat(), "refused");
    }
}

#[test]
fn json_has_no_dialects() {
    json(" \t\r\n{ \"int\" :\n1\t}\r\n ", "{int=1}");
    for body in [
        "\u{feff}{}",
        "{}\0",
        "\0{}",
        "{}{}",
        "{},",
        "{\"int\":1,}",
        "{,\"int\":1}",
        "{\"int\":1 \"text\":\"a\"}",
        "{\"int\"=1}",
        "{\"int\"}",
        "{\"int\":}",
        "{int:1}",
        "{'int':1}",
        "{1:1}",
        "{null:1}",
        "{\"list\":[\"a\",]}",
        "{\"list\":[,\"a\"]}",
        "{\"list\":[\"a\" \"b\"]}",
        "{\"list\":[\"a\"}",
        "{\"list\":[\"a\"]",
        "{\"other\":[1,]}",
        "{\"other\":{\"a\":1,}}",
        "{/*c*/}",
        "{}//c",
        "#\n{}",
        "{\u{a0}}",
        "{\u{b}}",
        "{\u{c}}",
        "{\"flag\":True}",
        "{\"flag\":tru}",
        "{\"flag\":1}",
        "{\"flag\":\"true\"}",
        "{\"other\":undefined}",
        "\"{}\"",
        "[]",
        "1",
        "true",
        "null",
        " ",
    ] {
        json(body, "refused");
    }
    for body in ["{\"list\":[null]}", "{\"map\":{\"a\":null}}", "{\"list\":\"a\"}", "{\"map\":[]}"]
    {
        json(body, "refused");
    }
}

#[test]
fn json_blobs_are_padded_base64_and_nothing_else() {
    json(r#"{"bytes":"AP8="}"#, "{bytes=2 bytes}");
    json(r#"{"bytes":""}"#, "{bytes=0 bytes}");
    for text in ["AP8", "AP8==", "AP9=", "AP-_", "AP8=\\n", " AP8=", "A", "=AP8"] {
        json(format!("{{\"bytes\":\"{text}\"}}"), "refused");
    }
}

#[test]
fn nesting_counts_alike_in_known_and_unknown_members_and_mixed() {
    for (levels, expected) in [(DEPTH_MAX - 1, "{}"), (DEPTH_MAX, "refused")] {
        let pairs = levels / 2;
        let open = format!("{}{}", "[{\"a\":".repeat(pairs), "[".repeat(levels % 2));
        let close = format!("{}{}", "]".repeat(levels % 2), "}]".repeat(pairs));
        let inner = if levels % 2 == 0 { "0" } else { "" };
        json(format!("{{\"other\":{open}{inner}{close}}}"), expected);
        let mixed = format!("{}00", "81a16161".repeat(pairs) + &"81".repeat(levels % 2));
        cbor(&format!("a1'other'{mixed}"), expected);
        let endless = format!("{}00{}", "9f".repeat(levels), "ff".repeat(levels));
        cbor(&format!("bf'other'{endless}ff"), expected);
        let tagged = "c181".repeat(levels);
        cbor(&format!("a1'other'{tagged}00"), expected);
    }
}

#[test]
fn cbor_integers_are_whole_and_fit() {
    for (item, expected) in [
        ("05", "{int=5}"),
        ("1b0000000000000005", "{int=5}"),
        ("1a7fffffff", "{int=2147483647}"),
        ("1a80000000", "refused"),
        ("3a7fffffff", "{int=-2147483648}"),
        ("3a80000000", "refused"),
        ("1bffffffffffffffff", "refused"),
        ("3bffffffffffffffff", "refused"),
        ("c105", "{int=5}"),
        ("d9d9f7c2c105", "{int=5}"),
        ("c24105", "refused"),
        ("c34105", "refused"),
        ("c249010000000000000000", "refused"),
        ("c4820105", "refused"),
        ("f94500", "refused"),
        ("fb4014000000000000", "refused"),
        ("f97e00", "refused"),
        ("f5", "refused"),
        ("e0", "refused"),
        ("f820", "refused"),
        ("f818", "refused"),
        ("f814", "refused"),
        ("'5'", "refused"),
        ("f6", "{}"),
        ("f7", "{}"),
        ("c1f6", "{}"),
        ("c1", "refused"),
        ("1c", "refused"),
        ("1f", "refused"),
        ("ff", "refused"),
    ] {
        cbor(&format!("a1'int'{item}"), expected);
    }
    cbor("a1'long'1b7fffffffffffffff", "{long=9223372036854775807}");
    cbor("a1'long'1b8000000000000000", "refused");
    cbor("a1'long'3b7fffffffffffffff", "{long=-9223372036854775808}");
    cbor("a1'long'3b8000000000000000", "refused");
}

#[test]
fn cbor_doubles_are_any_number() {
    for (item, expected) in [
        ("00", "{double=0}"),
        ("1bffffffffffffffff", "{double=18446744073709552000}"),
        ("3bffffffffffffffff", "{double=-18446744073709552000}"),
        ("f93e00", "{double=1.5}"),
        ("f90001", "{double=0.00000005960464477539063}"),
        ("fa3fc00000", "{double=1.5}"),
        ("f97c00", "{double=inf}"),
        ("fbfff0000000000000", "{double=-inf}"),
        ("f97e01", "{double=NaN}"),
        ("c249010000000000000000", "refused"),
        ("'1.5'", "refused"),
    ] {
        cbor(&format!("a1'double'{item}"), expected);
    }
}

#[test]
fn cbor_moments_are_numbers_under_tag_1() {
    for (item, expected) in [
        ("c100", "{when=0}"),
        ("c120", "{when=-1}"),
        ("c1f93800", "{when=0.5}"),
        ("c1fa47c35000", "{when=100000}"),
        ("c1fb41d452d9ec200000", "{when=1363896240.5}"),
        ("c11b0000003afff4417f", "{when=253402300799}"),
        ("c11b0000003afff44180", "refused"),
        ("c11bffffffffffffffff", "refused"),
        ("c13bffffffffffffffff", "refused"),
        ("c1f97e00", "refused"),
        ("c1f97c00", "refused"),
        ("c1fb7fefffffffffffff", "refused"),
        ("c1'0'", "refused"),
        ("c1f6", "refused"),
        ("c1c100", "refused"),
        ("c2c100", "{when=0}"),
        ("d9d9f7c100", "{when=0}"),
        ("d9d9f700", "refused"),
        ("c074323031332d30332d32315432303a30343a30305a", "refused"),
        ("00", "refused"),
        ("f93c00", "refused"),
        ("f6", "{}"),
        ("c1", "refused"),
    ] {
        cbor(&format!("a1'when'{item}"), expected);
    }
    for (tags, expected) in [(63, "{when=0}"), (64, "refused")] {
        cbor(&format!("a1'when'{}c100", "c2".repeat(tags)), expected);
    }
}

#[test]
fn cbor_strings_come_whole_or_in_chunks_of_their_kind() {
    for (item, expected) in [
        ("'ab'", "{text=ab}"),
        ("7900026162", "{text=ab}"),
        ("7fff", "{text=}"),
        ("7f'a''''b'ff", "{text=ab}"),
        ("c2'a'", "{text=a}"),
        ("6100", "{text=\0}"),
        ("426162", "refused"),
        ("7f4161ff", "refused"),
        ("7f7f'a'ffff", "refused"),
        ("7fc1'a'ff", "refused"),
        ("7ff6ff", "refused"),
        ("7f'a'", "refused"),
        // A crab cut in two: every chunk is text by itself (RFC 8949 §3.2.3).
        ("7f62f09f62a680ff", "refused"),
        ("64f09fa680", "{text=🦀}"),
        ("62c080", "refused"),
        ("63eda080", "refused"),
        ("64f4908080", "refused"),
        ("61ff", "refused"),
        ("6261", "refused"),
        ("7bffffffffffffffff61", "refused"),
    ] {
        cbor(&format!("a1'text'{item}"), expected);
        let passed_over = match expected {
            // Not of its kind, but nothing that CBOR forbids.
            _ if item == "426162" => "{}",
            "refused" => "refused",
            _ => "{}",
        };
        cbor(&format!("a1'other'{item}"), passed_over);
    }
    cbor("a1'bytes'5f41004200ffff", "{bytes=3 bytes}");
    cbor("a1'bytes'5f'a'ff", "refused");
    cbor("a1'bytes''a'", "refused");
    cbor("a1'bytes'c24105", "{bytes=1 bytes}");
}

#[test]
fn cbor_maps_have_text_keys_and_pairs() {
    for (body, expected) in [
        ("a2'int'01'int'02", "{int=2}"),
        ("a2'int'01'int'f6", "{}"),
        ("a2'int''x''int'01", "refused"),
        ("a17f'in''t'ff01", "{int=1}"),
        ("b80163696e7401", "{int=1}"),
        ("bb0000000000000001'int'01", "{int=1}"),
        ("bf'int'01ff", "{int=1}"),
        ("d9d9f7a1'int'01", "{int=1}"),
        ("a10101", "refused"),
        ("a1f601", "refused"),
        ("a143696e7401", "refused"),
        ("a1a001", "refused"),
        ("a1f5f5", "refused"),
        ("a161ff01", "refused"),
        ("a1'int'", "refused"),
        ("a2'int'01", "refused"),
        ("bf'int'01", "refused"),
        ("bf'int'ff", "refused"),
        ("a1ff", "refused"),
        ("a1'int'01ff", "refused"),
        ("a0a0", "refused"),
        ("a000", "refused"),
        ("80", "refused"),
        ("f6", "refused"),
        ("f7", "refused"),
        ("40", "refused"),
        ("00", "refused"),
        ("ff", "refused"),
        ("a1'map'a2'a'01'a'02", "{map={a=2}}"),
        ("a1'map'a10101", "refused"),
        ("a1'map'a1'a'f6", "refused"),
        ("a1'map'80", "refused"),
        ("a1'list'82'a''b'", "{list=[a, b]}"),
        ("a1'list'9f'a'ff", "{list=[a]}"),
        ("a1'list'81f6", "refused"),
        ("a1'list'8101", "refused"),
        ("a1'list'82'a'", "refused"),
        ("a1'list'82'a'ff", "refused"),
        ("a1'list'a0", "refused"),
        // Whatever is well-formed, where nobody looks.
        ("a1'other'a3010240f5f6'x'", "{}"),
        ("a1'other'c2c3d9ffff80", "{}"),
        ("a1'other'f8ff", "{}"),
        ("a1'other'bf01ff", "refused"),
        ("a1'other'bf0102ff", "{}"),
        ("a1'other'fc", "refused"),
        ("a1'other'df", "refused"),
    ] {
        cbor(body, expected);
    }
}
