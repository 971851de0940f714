//! Faults that many operations answer.

use palisade_core::policy::{Refusal, RefusalKind};
use palisade_wire::{ErrorKind, Fault};

/// A failure of the server: the log learns why, the caller that it may try again.
pub fn internal(error: impl std::fmt::Display) -> Fault {
    tracing::error!(%error, "a call failed");
    Fault::new(
        ErrorKind::InternalError,
        "the server failed to answer; try again, and tell its operator if it goes on",
    )
}

/// A refusal of core as the modelled exception.
pub fn refused(refusal: Refusal) -> Fault {
    let kind = match refusal.kind {
        RefusalKind::InvalidInput => ErrorKind::InvalidInput,
        RefusalKind::InvalidType => ErrorKind::InvalidType,
        RefusalKind::InvalidOperation => ErrorKind::InvalidOperation,
        RefusalKind::LimitExceeded => ErrorKind::LimitExceeded,
        RefusalKind::NotFound => ErrorKind::ResourceNotFound,
    };
    Fault::new(kind, refusal.message)
}

/// An object that does not exist, or is another administrator's, which is the same to the caller.
pub fn not_found(what: &str, id: &str) -> Fault {
    Fault::new(
        ErrorKind::ResourceNotFound,
        format!("{what} `{id}` does not exist in this account and Region"),
    )
}
