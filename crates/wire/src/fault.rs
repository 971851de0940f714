//! Refusals: the one error type of the wire and its two written forms.

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
}
