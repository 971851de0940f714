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
        return Err(Fault::new(ErrorKind::of_bad_input(I::OPERATION), violations.message(Dialect::Coral)));
    }
    value.into_typed().map_err(Fault::serialization)
}

/// Reads a response body as a typed structure, for clients of this service. Constraints are not checked.
///
/// # Errors
/// SerializationException for what is not well-formed, of the wrong type, or lacks a required member.
pub fn decode_output<T: DeserializeOwned>(shape: ShapeId, protocol: Protocol, body: &[u8]) -> Result<T, Fault> {
    decode_value(&TABLE, shape, protocol, body)?.into_typed().map_err(Fault::serialization)
}

/// Reads a body as a value of a structure shape of any table, well-formedness and types checked, constraints not.
///
/// # Errors
/// SerializationException, saying where and why.
pub fn decode_value(table: &Table, shape: ShapeId, protocol: Protocol, body: &[u8]) -> Result<Value, Fault> {
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
    let unsayable = |e: &dyn std::fmt::Display| Fault::new(ErrorKind::InternalFailure, e.to_string());
    match protocol {
        Protocol::Json => serde_json::to_vec(value).map_err(|e| unsayable(&e)),
        Protocol::Cbor => cbor::to_vec(value).map_err(|e| unsayable(&e)),
    }
}

/// The response that carries an operation's output, status 200.
pub fn respond<O: Output>(protocol: Protocol, output: &O) -> Response {
    if O::SHAPE.is_none() {
        return Response::new(protocol, 200, Vec::new());
    }
    match encode(protocol, output) {
        Ok(body) => Response::new(protocol, 200, body),
        Err(fault) => crate::encode_fault(protocol, &fault),
    }
}
