//! Schemas of members that are one of a few words.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// A text that is one of these, as they are written.
pub(super) fn one_of<T: Serialize>(words: &[T]) -> RefOr<Schema> {
    let words = words.iter().map(|word| serde_json::json!(word));
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

/// As [`one_of`], or null.
pub(super) fn one_of_or_null<T: Serialize>(words: &[T]) -> RefOr<Schema> {
    let words = words.iter().map(Some).chain([None]).map(|word| serde_json::json!(word));
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(words)).into()
}
