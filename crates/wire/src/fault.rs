//! Refusals: the one error type of the wire and its two written forms.

use serde::Serialize;

use crate::{Operation, Protocol, Response, encode};

/// Why a call was refused: a kind that clients match on, and a sentence for people.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {message}", .kind.name())]
pub struct Fault {
    /// The exception's name on the wire.
    pub kind: ErrorKind,
    /// What the caller may know.
    pub message: String,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// A body that cannot be read as what it should be.
    pub(crate) fn serialization(message: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::Serialization, message.to_string())
    }
}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:literal,)*) => {
        /// The kinds of fault: the six of the service model and those of AWS's front doors.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ErrorKind { $($(#[$doc])* $variant,)* }

        impl ErrorKind {
            /// Every kind, the modelled ones first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The exception's name, without a namespace.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status. AWS's API reference gives 400 for all modelled exceptions, the internal error included.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }
        }
    };
}

error_kinds! {
    /// Modelled: the service failed through no fault of the caller.
    InternalError "InternalErrorException" 400,
    /// Modelled: a parameter is invalid.
    InvalidInput "InvalidInputException" 400,
    /// Modelled: the operation is not possible in the present state.
    InvalidOperation "InvalidOperationException" 400,
    /// Modelled: a policy's type is invalid.
    InvalidType "InvalidTypeException" 400,
    /// Modelled: a quota is used up.
    LimitExceeded "LimitExceededException" 400,
    /// Modelled: the thing named does not exist.
    ResourceNotFound "ResourceNotFoundException" 400,
    /// The caller's account may not do this.
    AccessDenied "AccessDeniedException" 400,
    /// A constraint of the model is broken, in an operation that models no InvalidInputException.
    Validation "ValidationException" 400,
    /// The body cannot be read.
    Serialization "SerializationException" 400,
    /// Too many calls.
    Throttling "ThrottlingException" 400,
    /// No such operation, target or path.
    UnknownOperation "UnknownOperationException" 400,
    /// The call is not signed.
    MissingAuthenticationToken "MissingAuthenticationTokenException" 400,
    /// The signature lacks a part or has one that cannot be read.
    IncompleteSignature "IncompleteSignatureException" 400,
    /// The signature is not that of this call, or not of this moment.
    InvalidSignature "InvalidSignatureException" 400,
    /// No such key, or not with this session token.
    UnrecognizedClient "UnrecognizedClientException" 400,
    /// The session is over.
    ExpiredToken "ExpiredTokenException" 400,
    /// The body is larger than allowed.
    RequestEntityTooLarge "RequestEntityTooLargeException" 413,
    /// The headers are larger than allowed.
    RequestHeadersTooLarge "RequestHeaderSectionTooLarge" 431,
    /// The call took too long to arrive or to answer.
    RequestTimeout "RequestTimeoutException" 408,
    /// The server is stopping or cannot reach its store.
    ServiceUnavailable "ServiceUnavailableException" 503,
    /// A defect of the server.
    InternalFailure "InternalFailure" 500,
}

impl ErrorKind {
    /// Whether the service model defines it, so that SDKs have a type for it.
    pub const fn is_modelled(self) -> bool {
        matches!(
            self,
            Self::InternalError
                | Self::InvalidInput
                | Self::InvalidOperation
                | Self::InvalidType
                | Self::LimitExceeded
                | Self::ResourceNotFound
        )
    }

    /// The kind for input that breaks a rule of `operation`: InvalidInputException where the model has it, else
    /// ValidationException (semantics §10 rows 22 and 29).
    pub fn of_bad_input(operation: Operation) -> Self {
        if operation.errors().contains(&Self::InvalidInput) {
            Self::InvalidInput
        } else {
            Self::Validation
        }
    }
}

/// The namespace of the service's shapes.
const NAMESPACE: &str = "com.amazonaws.fms";

/// A fault's body. Modelled exceptions have the member `Message`; AWS's front doors write `message`, so what is not
/// modelled carries both.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "__type")]
    kind: &'a str,
    #[serde(rename = "Message")]
    message: &'a str,
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    lower: Option<&'a str>,
}

/// The response that tells a client of the fault in its own protocol.
pub fn encode_fault(protocol: Protocol, fault: &Fault) -> Response {
    let name = fault.kind.name();
    let absolute = format!("{NAMESPACE}#{name}");
    let body = Body {
        kind: if protocol == Protocol::Json { name } else { &absolute },
        message: &fault.message,
        lower: (!fault.kind.is_modelled()).then_some(&fault.message),
    };
    let mut response =
        Response::new(protocol, fault.kind.status(), encode(protocol, &body).unwrap_or_default());
    if protocol == Protocol::Json {
        response.headers.push(("x-amzn-errortype", name));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modelled_faults_are_400_with_a_capital_message() {
        let fault = Fault::new(ErrorKind::InternalError, "oops");
        let response = encode_fault(Protocol::Json, &fault);
        assert_eq!(response.status, 400);
        assert_eq!(response.body, br#"{"__type":"InternalErrorException","Message":"oops"}"#);
        assert!(response.headers.contains(&("x-amzn-errortype", "InternalErrorException")));
    }

    #[test]
    fn front_door_faults_have_both_spellings_of_message() {
        let fault = Fault::new(ErrorKind::UnrecognizedClient, "no");
        let body = encode_fault(Protocol::Json, &fault).body;
        assert_eq!(
            body,
            br#"{"__type":"UnrecognizedClientException","Message":"no","message":"no"}"#
        );
    }

    #[test]
    fn cbor_faults_name_the_absolute_shape() {
        let fault = Fault::new(ErrorKind::InvalidInput, "x");
        let response = encode_fault(Protocol::Cbor, &fault);
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert!(text.contains("com.amazonaws.fms#InvalidInputException"), "{text}");
        assert!(response.headers.contains(&("smithy-protocol", "rpc-v2-cbor")));
    }

    #[test]
    fn bad_input_is_the_modelled_exception_where_there_is_one() {
        assert_eq!(ErrorKind::of_bad_input(Operation::PutPolicy), ErrorKind::InvalidInput);
        assert_eq!(ErrorKind::of_bad_input(Operation::ListPolicies), ErrorKind::Validation);
    }
}
