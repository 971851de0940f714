//! What is true of an operation beside its name: its input, its output, its kind of bad input.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ErrorKind, Operation, ShapeId, Shaped};

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
pub(crate) const SIZE_EXPECTED: usize = 256;

impl Output for () {
    const SHAPE: Option<ShapeId> = None;
}

impl ErrorKind {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_is_the_modelled_exception_where_there_is_one() {
        assert_eq!(ErrorKind::of_bad_input(Operation::PutPolicy), ErrorKind::InvalidInput);
        assert_eq!(ErrorKind::of_bad_input(Operation::ListPolicies), ErrorKind::Validation);
    }
}
