//! The list of an answer, by its path.

use serde_json::Value;

use crate::call::{Call, Items};

/// Whether an answer has the list that it is about, or may be without.
pub(crate) fn check_items(call: &Call, answer: &Value) -> Result<(), String> {
    let (path, may_be_absent) = match call.items {
        Items::One => return Ok(()),
        Items::Always(path) => (path, false),
        Items::Unless { path, witness } => (path, at(answer, witness).is_some()),
        Items::Omitted(path) => (path, true),
    };
    match at(answer, path) {
        Some(Value::Array(_)) => Ok(()),
        None | Some(Value::Null) if may_be_absent => Ok(()),
        None | Some(Value::Null) => Err(format!("the answer has no `{path}`")),
        Some(_) => Err(format!("`{path}` is no list")),
    }
}

/// The member at a path.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/').try_fold(value, |value, name| value.get(name))
}

pub(crate) fn at_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('/').try_fold(value, |value, name| value.get_mut(name))
}
