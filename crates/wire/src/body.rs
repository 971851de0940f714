//! Bodies: bytes to typed inputs, typed outputs to bytes, in either protocol.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::constraint::{self, Dialect};
use crate::{ErrorKind, Fault, Operation, ShapeId, Shaped, TABLE, Table, Value, cbor, json};

/// Greatest body of an AWS operation, in bytes. The listener refuses more before it reads it.
pub const BODY_SIZE_MAX: usize = 1024 * 1024;

/// Greatest total size of a call's header names and values, in bytes. The listener refuses more.
pub const HEADERS_SIZE_MAX: usize = 16 * 1024;

/// Deepest nesting of a JSON or CBOR body; the outermost object is depth 1.
pub const DEPTH_MAX: usize = 64;

/// Most values (members, items, entries) of one body, so that a megabyte of tiny items cannot take a hundred.
pub const VALUES_MAX: usize = 100_000;

/// The two protocols of the service.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// AWS JSON 1.1.
    Json,
    /// Smithy RPC v2 CBOR.
    Cbor,
}

/// The input of an operation.
pub trait Input: Shaped + DeserializeOwned + Serialize {
    /// The operation that takes it.
    const OPERATION: Operation;
    /// What that operation answers; `()` for those that answer nothing.
    type Output: Output;
}

/// The output of an operation; `()` where the model has none.
pub trait Output: Serialize {
    /// Its shape, none for `()`.
    const SHAPE: Option<ShapeId>;
}

/// What is written as the output `O`: `O` itself, or what says the same, byte for byte, without
/// being made into it first.
pub trait Says<O: Output>: Serialize {
    /// About how many bytes are written: room for them is made once.
    fn size_hint(&self) -> usize {
        SIZE_EXPECTED
    }
}

impl<O: Output> Says<O> for O {}

/// Bytes that room is made for where nothing better is known.
const SIZE_EXPECTED: usize = 256;

impl Output for () {
    const SHAPE: Option<ShapeId> = None;
}

/// A response ready to send. The listener adds `x-amzn-requestid` and `Date`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body; empty for operations without output.
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(protocol: Protocol, status: u16, body: Vec<u8>) -> Self {
        let mut headers = Vec::new();
        match protocol {
            Protocol::Json => headers.push(("content-type", "application/x-amz-json-1.1")),
            Protocol::Cbor => {
                headers.push(("smithy-protocol", "rpc-v2-cbor"));
                // RPC v2 CBOR: no body, no Content-Type.
                if !body.is_empty() {
                    headers.push(("content-type", "application/cbor"));
                }
            }
        }
        Self { status, headers, body }
    }
}

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

/// Writes a structure in a protocol: compact JSON, or CBOR with definite lengths.
///
/// # Errors
/// InternalFailure for what the protocol cannot say; generated structures can always be said.
pub fn encode<T: Serialize + ?Sized>(protocol: Protocol, value: &T) -> Result<Vec<u8>, Fault> {
    encode_in(protocol, value, Vec::with_capacity(SIZE_EXPECTED))
}

fn encode_in<T: Serialize + ?Sized>(
    protocol: Protocol,
    value: &T,
    mut out: Vec<u8>,
) -> Result<Vec<u8>, Fault> {
    let unsayable =
        |e: &dyn std::fmt::Display| Fault::new(ErrorKind::InternalFailure, e.to_string());
    match protocol {
        Protocol::Json => serde_json::to_writer(&mut out, value).map_err(|e| unsayable(&e))?,
        Protocol::Cbor => cbor::write(&mut out, value).map_err(|e| unsayable(&e))?,
    }
    Ok(out)
}

/// The response that carries an operation's output, status 200.
pub fn respond<O: Output>(protocol: Protocol, output: &O) -> Response {
    respond_as::<O, O>(protocol, output)
}

/// As [`respond`], by what says the same.
pub fn respond_as<O: Output, S: Says<O>>(protocol: Protocol, output: &S) -> Response {
    if O::SHAPE.is_none() {
        return Response::new(protocol, 200, Vec::new());
    }
    match encode_in(protocol, output, Vec::with_capacity(output.size_hint())) {
        Ok(body) => Response::new(protocol, 200, body),
        Err(fault) => crate::encode_fault(protocol, &fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, shapes};

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

    #[test]
    fn json_is_written_compactly_in_the_order_of_the_model() {
        let every = "\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}<é漢🦀\u{2028}";
        let violator = shapes::ComplianceViolator {
            metadata: Some([("b\n", ""), ("a", every)].map(|(k, v)| (k.into(), v.into())).into()),
            violation_reason: Some(shapes::ViolationReason::SecurityGroupUnused),
            ..shapes::ComplianceViolator::default()
        };
        let detail = shapes::PolicyComplianceDetail {
            evaluation_limit_exceeded: Some(false),
            expired_at: Some(Timestamp::from_millis(1_576_283_774_120)),
            issue_info_map: Some([(shapes::DependentServiceName::Awsvpc, "gone".into())].into()),
            violators: Some(vec![violator, shapes::ComplianceViolator::default()]),
            ..shapes::PolicyComplianceDetail::default()
        };
        let written = String::from_utf8(encode(Protocol::Json, &detail).unwrap()).unwrap();
        let text = r#""\u0000\u001f\b\t\n\f\r\"\\/<é漢🦀""#.replace('<', "\u{7f}<").replace("🦀", "🦀\u{2028}");
        assert_eq!(
            written,
            format!(
                r#"{{"EvaluationLimitExceeded":false,"ExpiredAt":1576283774.12,"IssueInfoMap":{{"AWSVPC":"gone"}},"Violators":[{{"Metadata":{{"a":{text},"b\n":""}},"ViolationReason":"SECURITY_GROUP_UNUSED"}},{{}}]}}"#
            )
        );
    }

    #[test]
    fn numbers_are_written_as_clients_have_seen_them() {
        for (millis, text) in [
            (0, "0.0"),
            (-1, "-0.001"),
            (1_576_283_774_000, "1576283774.0"),
            (1_576_283_774_100, "1576283774.1"),
            (1_576_283_774_123, "1576283774.123"),
            (i64::MAX, "253402300799.999"),
            (i64::MIN, "-62135596800.0"),
        ] {
            let written = encode(Protocol::Json, &Timestamp::from_millis(millis)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
        for (number, text) in [(i64::MIN, "-9223372036854775808"), (0, "0"), (1_000_000, "1000000")]
        {
            let result = shapes::EvaluationResult {
                violator_count: Some(number),
                ..shapes::EvaluationResult::default()
            };
            let written = encode(Protocol::Json, &result).unwrap();
            let expected = format!(r#"{{"ViolatorCount":{text}}}"#);
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    /// serde_json writes bytes as a list of numbers, which is not what AWS means by a blob.
    #[test]
    fn the_model_has_no_blob_to_be_written() {
        let blob = |kind| matches!(kind, crate::Kind::Blob | crate::Kind::Document);
        assert!(TABLE.iter().all(|(_, shape)| !blob(shape.kind)));
    }

    #[test]
    fn responses_carry_the_headers_of_their_protocol() {
        let output = shapes::ListPoliciesResponse::default();
        let json = respond(Protocol::Json, &output);
        assert_eq!((json.status, json.body.as_slice()), (200, &b"{}"[..]));
        assert_eq!(json.headers, [("content-type", "application/x-amz-json-1.1")]);
        let cbor = respond(Protocol::Cbor, &output);
        assert_eq!(cbor.body, [0xa0]);
        assert_eq!(
            cbor.headers,
            [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")]
        );
        assert_eq!(respond(Protocol::Json, &()).body, b"");
        assert_eq!(respond(Protocol::Cbor, &()).headers, [("smithy-protocol", "rpc-v2-cbor")]);
    }
}
