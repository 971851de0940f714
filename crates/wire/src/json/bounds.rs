//! How deep a body nests and how many values it has, counted while it is read.

use std::cell::Cell;

use serde::de::Error;

use crate::{DEPTH_MAX, VALUES_MAX};

/// The refusal of what nests too deep.
pub fn too_deep<E: Error>() -> E {
    E::custom(format_args!("nested deeper than the limit of {DEPTH_MAX}"))
}

/// Counts one value; refuses one too many.
pub fn count<E: Error>(values: &Cell<usize>) -> Result<(), E> {
    values.set(values.get() + 1);
    if values.get() > VALUES_MAX {
        return Err(E::custom(format_args!("more values than the limit of {VALUES_MAX}")));
    }
    Ok(())
}
