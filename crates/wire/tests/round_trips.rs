//! What is written is read back: every structure in both protocols, and every request through both protocols to one input.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use palisade_testkit::Rng;
use palisade_wire::{
    Constraints, Dialect, Input, Kind, Operation, Protocol, ShapeId, Shaped, TABLE, Timestamp,
    Value, check, decode, decode_output, encode,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "generated/dispatch.rs"]
#[macro_use]
mod dispatch;

fn of<T: Copy>(random: &mut Rng, items: &[T]) -> T {
    items[random.usize(..items.len())]
}

/// A value of a shape that satisfies its constraints.
fn value(random: &mut Rng, id: ShapeId) -> Value {
    let shape = TABLE.shape(id);
    match shape.kind {
        Kind::Structure(members) => {
            let present =
                members.iter().filter(|m| m.required || random.u64(..3) > 0).collect::<Vec<_>>();
            Value::Structure(
                present.into_iter().map(|m| (m.name, value(random, m.shape))).collect(),
            )
        }
        Kind::List { member, .. } => {
            let most = shape.constraints.length_max.unwrap_or(3).min(3);
            Value::List((0..random.u64(..most + 1)).map(|_| value(random, member)).collect())
        }
        Kind::Map { key, value: inner, .. } => {
            let entries = (0..random.u64(..4)).map(|_| (text(random, key), value(random, inner)));
            Value::Map(entries.collect::<BTreeMap<_, _>>())
        }
        Kind::String | Kind::Enum(_) => Value::String(text(random, id)),
        Kind::Boolean => Value::Boolean(random.u64(..2) == 0),
        Kind::Integer | Kind::Long => {
            Value::Integer(integer(random, &shape.constraints, shape.kind))
        }
        Kind::Timestamp(_) => Value::Timestamp(Timestamp::from_millis(
            i64::try_from(random.u64(..4_102_444_800_000)).unwrap(),
        )),
        kind => panic!("the service has no shape of kind {kind:?}"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds are whole numbers below 2^53")]
fn integer(random: &mut Rng, bounds: &Constraints, kind: Kind) -> i64 {
    let widest = if matches!(kind, Kind::Long) { 1 << 53 } else { i64::from(i32::MAX) };
    let low = bounds.range_min.map_or(-widest, |n| n as i64);
    let high = bounds.range_max.map_or(widest, |n| n as i64);
    let edge = random.u64(..8);
    match edge {
        0 => low,
        1 => high,
        _ => low + i64::try_from(random.u64(..u64::try_from(high - low).unwrap())).unwrap(),
    }
}

fn text(random: &mut Rng, id: ShapeId) -> String {
    let shape = TABLE.shape(id);
    if let Kind::Enum(values) = shape.kind {
        return of(random, values).to_owned();
    }
    let pattern = shape.constraints.pattern.map_or("", |p| p.text());
    if let Some(known) = special(random, pattern) {
        return known;
    }
    let letters: Vec<char> = match pattern {
        p if p.contains(r"\p{L}") => "aZ9 _.:/=+-@éßΩ漢字".chars().collect(),
        p if p.contains("[0-9]+") => "0123456789".chars().collect(),
        p if p.contains("a-f0-9:./") => "abcdef0123456789:./".chars().collect(),
        p if p.contains("a-z") || p.contains(r"\w") => "abcXYZ012".chars().collect(),
        _ => "a{}\"'\\\u{7f}\u{0}\té漢🦀".chars().collect(),
    };
    let least = shape.constraints.length_min.unwrap_or(0).max(u64::from(!pattern.is_empty()));
    let most = shape.constraints.length_max.unwrap_or(least + 12).min(least + 12);
    let length = least + random.u64(..most - least + 1);
    // No character here takes more than one UTF-16 unit where there is a maximum to keep.
    (0..length).map(|_| of(random, &letters)).collect()
}

fn special(random: &mut Rng, pattern: &str) -> Option<String> {
    let number = random.u64(..100);
    Some(match pattern {
        p if p.starts_with("^(af|") => {
            format!("{}-west-{number}", of(random, &["us", "eu", "ap", "us-gov"]))
        }
        p if p.starts_with("^ou-") => format!("ou-ab1{}-{number:08}", of(random, &["2", "cd"])),
        r"^\d{1,2}$" => number.to_string(),
        p if p.starts_with("^((?!") => format!(r#"{{"type":"WAFV2","n":{number},"s":"é\\t"}}"#),
        ".*" | r"\w+" => format!("text_{number}"),
        _ => return None,
    })
}

/// Typed, written, read back and written again.
fn round_trip<T>(shape: ShapeId, generated: Value) -> (Vec<u8>, Vec<u8>)
where
    T: DeserializeOwned + Serialize + Shaped + PartialEq + std::fmt::Debug,
{
    assert_eq!(shape, T::SHAPE);
    let typed: T = generated.into_typed().unwrap();
    let [json, cbor] = [Protocol::Json, Protocol::Cbor].map(|protocol| {
        let bytes = encode(protocol, &typed).unwrap();
        let back: T = decode_output(shape, protocol, &bytes).unwrap();
        assert_eq!(back, typed, "{protocol:?}");
        assert_eq!(encode(protocol, &back).unwrap(), bytes, "{protocol:?}");
        bytes
    });
    let by_serde: T = serde_json::from_slice(&json).unwrap();
    assert_eq!(by_serde, typed, "serde_json alone reads what was written");
    (json, cbor)
}

#[test]
fn every_structure_is_read_back_as_it_was_written() {
    let seed = 0x5eed_0001;
    println!("seed {seed:#x}");
    let mut random = Rng::with_seed(seed);
    let mut structures = 0;
    for (id, shape) in TABLE.iter() {
        if !matches!(shape.kind, Kind::Structure(_)) {
            continue;
        }
        structures += 1;
        for _ in 0..50 {
            let generated = value(&mut random, id);
            with_structure!(shape.name, round_trip(id, generated));
        }
    }
    assert_eq!(structures, 171);
}

fn both<I: Input + PartialEq + std::fmt::Debug>(generated: Value) {
    let typed: I = generated.into_typed().unwrap();
    for protocol in [Protocol::Json, Protocol::Cbor] {
        let body = encode(protocol, &typed).unwrap();
        let read = decode::<I>(protocol, &body)
            .unwrap_or_else(|fault| panic!("{protocol:?} {typed:?}: {fault}"));
        assert_eq!(read, typed, "{protocol:?}");
    }
}

#[test]
fn ten_thousand_requests_mean_the_same_in_both_protocols() {
    let seed = 0x5eed_0002;
    println!("seed {seed:#x}");
    let mut random = Rng::with_seed(seed);
    for i in 0..10_000 {
        let operation = Operation::ALL[i % Operation::ALL.len()];
        let generated = value(&mut random, operation.input_shape());
        let broken = check(&TABLE, operation.input_shape(), &generated, Dialect::Coral);
        assert!(
            broken.is_empty(),
            "the generator broke a rule: {}",
            broken.message(Dialect::Coral)
        );
        with_input!(operation.name(), both(generated));
    }
}

/// One bit of a well-formed body flipped: refused or read, never a crash, and in both protocols what is read can be written.
fn damaged<I: Input>(random: &mut Rng, generated: Value) -> usize {
    let typed: I = generated.into_typed().unwrap();
    let mut refused = 0;
    for protocol in [Protocol::Json, Protocol::Cbor] {
        let mut body = encode(protocol, &typed).unwrap();
        let at = usize::try_from(random.u64(..body.len() as u64)).unwrap();
        body[at] ^= 1 << random.u64(..8);
        match decode::<I>(protocol, &body) {
            Ok(input) => drop(encode(protocol, &input).unwrap()),
            Err(fault) => {
                assert!(!fault.message.is_empty());
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn a_damaged_body_is_read_or_refused_and_never_a_crash() {
    let seed = 0x5eed_0003;
    println!("seed {seed:#x}");
    let mut random = Rng::with_seed(seed);
    let mut refused = 0;
    for i in 0..5_000 {
        let operation = Operation::ALL[i % Operation::ALL.len()];
        let generated = value(&mut random, operation.input_shape());
        refused += with_input!(operation.name(), damaged(&mut random, generated));
    }
    assert!(refused > 1_000, "only {refused} of 10000 damaged bodies were refused");
}
