//! Errors that name the file which cannot be used.

use crate::StoreError;

/// What is wrong with which file.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be used as a store: {why}")]
struct Unusable {
    path: String,
    why: Box<dyn std::error::Error + Send + Sync>,
}

/// An engine error that names the file.
pub(super) fn engine(
    path: &str,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Engine(Box::new(Unusable { path: path.to_owned(), why: why.into() }))
}
