//! Request bodies in both protocols: the name of an operation, a line break, the body.

use palisade_wire::{ErrorKind, Input, Operation, Protocol, decode, encode};
use serde_json::Value;

use super::transcode;
use crate::prng::Prng;

#[path = "../../../crates/wire/tests/generated/dispatch.rs"]
#[macro_use]
#[expect(unused_macros, reason = "inputs alone are read here, not every structure")]
mod dispatch;

/// Requests in JSON.
pub fn json(input: &[u8]) -> bool {
    body(Protocol::Json, input)
}

/// Requests in CBOR.
pub fn cbor(input: &[u8]) -> bool {
    body(Protocol::Cbor, input)
}

fn body(protocol: Protocol, input: &[u8]) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let named = std::str::from_utf8(name).ok().and_then(Operation::from_name);
    // A damaged name still chooses some operation, so that no input is wasted.
    let operation = named.unwrap_or_else(|| *Prng::of_bytes(name).pick(Operation::ALL).unwrap());
    if protocol == Protocol::Json {
        with_input!(operation.name(), alike(body));
    }
    with_input!(operation.name(), both_ways(protocol, body))
}

/// The same values are the same input, or broken in the same way, whichever protocol says them.
fn alike<I: Input + PartialEq + std::fmt::Debug>(body: &[u8]) {
    // Repeated members become one here: the readers look at all of them, a value has the last.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    let json = decode::<I>(Protocol::Json, &serde_json::to_vec(&value).unwrap());
    let bytes = transcode::cbor(&value, I::SHAPE, &mut Prng::of_bytes(body));
    let cbor = decode::<I>(Protocol::Cbor, &bytes);
    match (&json, &cbor) {
        // Each protocol has its own words for what cannot be read, and the same for broken rules.
        (Err(json), Err(cbor)) if json.kind == ErrorKind::Serialization => {
            assert_eq!(cbor.kind, json.kind, "{json} and {cbor}");
        }
        _ => assert_eq!(cbor, json, "{}", bytes.escape_ascii()),
    }
}

/// What is read can be written in both protocols and is read from either as the same.
fn both_ways<I: Input + PartialEq + std::fmt::Debug>(protocol: Protocol, body: &[u8]) -> bool {
    let input: I = match decode(protocol, body) {
        Ok(input) => input,
        Err(fault) => {
            let bad = [ErrorKind::Serialization, ErrorKind::of_bad_input(I::OPERATION)];
            assert!(bad.contains(&fault.kind) && !fault.message.is_empty(), "{fault}");
            return false;
        }
    };
    for protocol in [Protocol::Json, Protocol::Cbor] {
        let bytes = encode(protocol, &input).unwrap();
        let again: I = decode(protocol, &bytes)
            .unwrap_or_else(|fault| panic!("{protocol:?} refuses what it wrote: {fault}"));
        assert_eq!(again, input, "{protocol:?}");
        assert_eq!(encode(protocol, &again).unwrap(), bytes, "{protocol:?}");
    }
    true
}
