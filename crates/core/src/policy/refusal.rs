//! Why a document is not accepted, in words for whoever wrote it.

use std::fmt;

/// Why something asked for is refused: the kind decides the modelled exception, the message is
/// what the caller reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which exception of the model this is.
    pub kind: RefusalKind,
    /// What is wrong, where, and what to do.
    pub message: String,
}

/// Kinds of refusal; each is one exception of the model (semantics §8.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefusalKind {
    /// `InvalidInputException`
    InvalidInput,
    /// `InvalidTypeException`
    InvalidType,
    /// `InvalidOperationException`
    InvalidOperation,
    /// `LimitExceededException`
    LimitExceeded,
    /// `ResourceNotFoundException`
    NotFound,
}

impl Refusal {
    /// Bad parameters.
    pub fn input(message: impl fmt::Display) -> Refusal {
        Refusal { kind: RefusalKind::InvalidInput, message: message.to_string() }
    }

    /// Right in itself, but not now or not here.
    pub fn operation(message: impl fmt::Display) -> Refusal {
        Refusal { kind: RefusalKind::InvalidOperation, message: message.to_string() }
    }

    /// A quota is exceeded: `what` with its count and the quota.
    pub fn limit(what: &str, count: usize, max: u32) -> Refusal {
        Refusal {
            kind: RefusalKind::LimitExceeded,
            message: format!("{what}: {count} are given and the quota is {max}; give fewer"),
        }
    }
}

/// Refuses more of `what` than a quota allows.
pub(crate) fn within(what: &str, count: usize, max: u32) -> Result<(), Refusal> {
    if count > usize::try_from(max).unwrap_or(usize::MAX) {
        return Err(Refusal::limit(what, count, max));
    }
    Ok(())
}
