//! The two protocols, and a response in either.

/// The two protocols of the service.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// AWS JSON 1.1.
    Json,
    /// Smithy RPC v2 CBOR.
    Cbor,
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
