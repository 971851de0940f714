//! Bodies: bytes to typed inputs, in either protocol.

use serde::de::DeserializeOwned;

use crate::constraint::{self, Dialect};
use crate::{ErrorKind, Fault, Input, Protocol, ShapeId, TABLE, Table, Value, cbor, json};

/// Reads a request body as the input of its operation and checks every constraint of the model.
///
/// An empty body is an input without members; unknown members are ignored and null is the same as absent.
///
/// # Errors
/// SerializationException for what is not well-formed or of the wrong type; for broken constraints one sentence that lists all
/// of them, InvalidInputException where the operation models it and ValidationException elsewhere.
pub fn decode<I: Input>(protocol: Protocol, body: &[u8]) -> Result<I, Fault> {
    let value = decode_value(&TABLE, I::SHAPE, protocol, body)?;
    let violations = constraint::check(&TABLE, I::SHAPE, &value, Dialect::Coral);
    if !violations.is_empty() {
        return Err(Fault::new(
            ErrorKind::of_bad_input(I::OPERATION),
            violations.message(Dialect::Coral),
        ));
    }
    value.into_typed().map_err(Fault::serialization)
}

/// Reads a response body as a typed structure, for clients of this service. Constraints are not checked.
///
/// # Errors
/// SerializationException for what is not well-formed, of the wrong type, or lacks a required member.
pub fn decode_output<T: DeserializeOwned>(
    shape: ShapeId,
    protocol: Protocol,
    body: &[u8],
) -> Result<T, Fault> {
    decode_value(&TABLE, shape, protocol, body)?.into_typed().map_err(Fault::serialization)
}

/// Reads a body as a value of a structure shape of any table, well-formedness and types checked, constraints not.
///
/// # Errors
/// SerializationException, saying where and why.
pub fn decode_value(
    table: &Table,
    shape: ShapeId,
    protocol: Protocol,
    body: &[u8],
) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Structure(Vec::new()));
    }
    match protocol {
        Protocol::Json => json::decode(table, shape, body),
        Protocol::Cbor => cbor::decode(table, shape, body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DEPTH_MAX, Timestamp, VALUES_MAX, shapes};

    fn policies(protocol: Protocol, body: &[u8]) -> Result<shapes::ListPoliciesRequest, Fault> {
        decode(protocol, body)
    }

    fn json(body: &str) -> Result<shapes::ListPoliciesRequest, Fault> {
        policies(Protocol::Json, body.as_bytes())
    }

    #[test]
    fn nothing_null_and_the_unknown_are_an_empty_input() {
        for body in [
            "",
            "{}",
            r#"{"MaxResults":null}"#,
            r#"{"Bogus":{"a":[1,"x",null,true,-2,0.5]}}"#,
            r#"{"MaxResults":1,"MaxResults":null}"#,
        ] {
            assert_eq!(json(body), Ok(shapes::ListPoliciesRequest::default()), "{body}");
        }
        for body in [
            &b""[..],
            b"\xa0",
            b"\xbf\xff",
            b"\xa1\x6aMaxResults\xf6",
            b"\xa1\x6aMaxResults\xf7",
            b"\xa1\x61x\xc1\x81\x00",
        ] {
            assert_eq!(
                policies(Protocol::Cbor, body),
                Ok(shapes::ListPoliciesRequest::default()),
                "{body:?}"
            );
        }
    }

    #[test]
    fn the_last_of_repeated_members_counts() {
        assert_eq!(json(r#"{"MaxResults":1,"MaxResults":2}"#).unwrap().max_results, Some(2));
        let body = b"\xa2\x6aMaxResults\x01\x6aMaxResults\x02";
        assert_eq!(policies(Protocol::Cbor, body).unwrap().max_results, Some(2));
    }

    #[test]
    fn a_refusal_says_what_was_expected_of_which_member() {
        for (body, part) in [
            (r#"{"MaxResults":"5"}"#, "`MaxResults` must be a whole number of 32 bits"),
            (r#"{"MaxResults":5.5}"#, "`MaxResults` must be a whole number of 32 bits"),
            (r#"{"MaxResults":2147483648}"#, "`MaxResults` must be a whole number of 32 bits"),
            (r#"{"NextToken":[]}"#, "`NextToken` must be a string"),
            ("[]", "`the body` must be an object"),
            ("null", "it must be an object, not null"),
            ("{} {}", "trailing characters"),
        ] {
            let fault = json(body).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Serialization, "{body}");
            assert!(fault.message.contains(part), "{body}: {fault}");
        }
        let fault = policies(Protocol::Cbor, b"\xa1\x6aMaxResults\x61\x35").unwrap_err();
        assert!(fault.message.contains("`MaxResults` must be an integer of 32 bits"), "{fault}");
        let fault = policies(Protocol::Cbor, b"\xa0\xa0").unwrap_err();
        assert!(fault.message.contains("bytes after the item"), "{fault}");
    }

    #[test]
    fn bodies_nest_to_the_limit_and_no_deeper() {
        // The outermost object is one level.
        for (arrays, accepted) in [(DEPTH_MAX - 1, true), (DEPTH_MAX, false)] {
            let body = format!(r#"{{"x":{}{}}}"#, "[".repeat(arrays), "]".repeat(arrays));
            assert_eq!(json(&body).is_ok(), accepted, "{arrays}");
            let body = [b"\xa1\x61x".to_vec(), vec![0x81; arrays], vec![0]].concat();
            assert_eq!(policies(Protocol::Cbor, &body).is_ok(), accepted, "{arrays}");
        }
    }

    #[test]
    fn bodies_hold_values_to_the_limit_and_no_more() {
        // The body, its two members and the items.
        for (items, accepted) in [(VALUES_MAX - 3, true), (VALUES_MAX - 2, false)] {
            let body = format!(
                r#"{{"ResourceSetIdentifier":"a","Items":[{}]}}"#,
                vec![r#""a""#; items].join(",")
            );
            let input =
                decode::<shapes::BatchAssociateResourceRequest>(Protocol::Json, body.as_bytes());
            assert_eq!(input.as_ref().map(|i| i.items.len()).ok(), accepted.then_some(items));
            let cbor = [
                b"\xa2\x75ResourceSetIdentifier\x61a\x65Items\x9f".to_vec(),
                b"\x61a".repeat(items),
                vec![0xff],
            ]
            .concat();
            let input = decode::<shapes::BatchAssociateResourceRequest>(Protocol::Cbor, &cbor);
            assert_eq!(input.as_ref().map(|i| i.items.len()).ok(), accepted.then_some(items));
        }
    }

    #[test]
    fn moments_are_read_from_every_form_of_number() {
        let id = "0".repeat(36);
        for (number, millis) in [
            ("1576283774", 1_576_283_774_000),
            ("1576283774.123", 1_576_283_774_123),
            ("-1.5", -1_500),
            ("1e3", 1_000_000),
        ] {
            let body = format!(r#"{{"PolicyId":"{id}","StartTime":{number}}}"#);
            let input: shapes::GetProtectionStatusRequest =
                decode(Protocol::Json, body.as_bytes()).unwrap();
            assert_eq!(input.start_time.map(Timestamp::as_millis), Some(millis), "{number}");
        }
        let head = [b"\xa2\x68PolicyId\x78\x24", id.as_bytes(), b"\x69StartTime"].concat();
        for (item, millis) in [
            (&b"\xc1\x1a\x51\x4b\x67\xb0"[..], Some(1_363_896_240_000)),
            (b"\xc1\xfb\x41\xd4\x52\xd9\xec\x20\x00\x00", Some(1_363_896_240_500)),
            (b"\xc1\xf9\x3c\x00", Some(1_000)),
            (b"\xc1\x20", Some(-1_000)),
            (b"\x1a\x51\x4b\x67\xb0", None),
            (b"\xc0\x1a\x51\x4b\x67\xb0", None),
            (b"\xc1\x61\x31", None),
        ] {
            let input = decode::<shapes::GetProtectionStatusRequest>(
                Protocol::Cbor,
                &[&head, item].concat(),
            );
            assert_eq!(
                input.ok().and_then(|i| i.start_time).map(Timestamp::as_millis),
                millis,
                "{item:?}"
            );
        }
    }
}
