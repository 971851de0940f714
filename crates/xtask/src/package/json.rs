//! Reads members of JSON that may not be there.

use serde_json::Value;

static NULL: Value = Value::Null;

/// What a pointer (RFC 6901) leads to; null where there is nothing.
pub fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&NULL)
}

/// The items of the list that a pointer leads to; none where there is no list.
pub fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    at(value, pointer).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The text that a pointer leads to; empty where there is none.
pub fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    at(value, pointer).as_str().unwrap_or_default()
}

/// Gives an object a member; anything else stays as it is.
pub fn put(value: &mut Value, name: &str, member: impl Into<Value>) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), member.into());
    }
}
