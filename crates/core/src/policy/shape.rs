//! Shapes of JSON as data: which keys an object may have, of what kind, in which order they are
//! answered. One walk checks a value against its shape, another writes it back.

use std::fmt;

use serde_json::{Map, Value};

use super::Refusal;

/// What a value may be. `null` and an omitted key are the same thing for every shape.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number that fits 64 bits.
    Whole,
    /// Anything, kept as it came: parts whose schema is not published.
    Any,
    /// An array; omitted it comes back as `[]`.
    List(&'static Shape),
    /// An array; omitted it comes back as `null`.
    ListOrNull(&'static Shape),
    /// An object with these keys, answered in this order; others are dropped.
    Object(&'static [Key]),
    /// A text, or an object with these keys: answered in the form received.
    TextOrObject(&'static [Key]),
}

/// A known key of an object and the shape of its value.
pub(super) type Key = (&'static str, Shape);

impl Shape {
    /// Refuses a value of another kind than the shape's, deep; unknown keys are not looked at.
    pub(super) fn check(&self, path: &Path<'_>, value: &Value) -> Result<(), Refusal> {
        match (self, value) {
            (_, Value::Null)
            | (Shape::Any, _)
            | (Shape::Text | Shape::TextOrObject(_), Value::String(_))
            | (Shape::Flag, Value::Bool(_)) => Ok(()),
            (Shape::Whole, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
            (Shape::List(of) | Shape::ListOrNull(of), Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| of.check(&Path::Index(path, index), item)),
            (Shape::Object(keys) | Shape::TextOrObject(keys), Value::Object(map)) => keys
                .iter()
                .filter_map(|(key, shape)| Some((key, shape, map.get(*key)?)))
                .try_for_each(|(key, shape, value)| shape.check(&Path::Key(path, key), value)),
            (wanted, found) => Err(Refusal::input(format!(
                "`{path}` in ManagedServiceData must be {}, not {}",
                wanted.described(),
                described(found)
            ))),
        }
    }

    fn described(&self) -> &'static str {
        match self {
            Shape::Text => "a text",
            Shape::Flag => "true or false",
            Shape::Whole => "a whole number",
            Shape::Any => "any value",
            Shape::List(_) | Shape::ListOrNull(_) => "an array",
            Shape::Object(_) => "an object",
            Shape::TextOrObject(_) => "an object or a text",
        }
    }

    /// Writes a checked value with every known key, in the shape's order, without unknown ones.
    pub(super) fn write(&self, value: Option<&Value>, out: &mut String) {
        match (self, value) {
            (Shape::List(_), None) => out.push_str("[]"),
            (_, None) => out.push_str("null"),
            (Shape::List(of) | Shape::ListOrNull(of), Some(Value::Array(items))) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    of.write(Some(item), out);
                }
                out.push(']');
            }
            (Shape::Object(keys) | Shape::TextOrObject(keys), Some(Value::Object(map))) => {
                out.push('{');
                for (index, (key, shape)) in keys.iter().enumerate() {
                    out.push_str(if index > 0 { ",\"" } else { "\"" });
                    out.push_str(key);
                    out.push_str("\":");
                    shape.write(map.get(*key), out);
                }
                out.push('}');
            }
            (_, Some(value)) => out.push_str(&value.to_string()),
        }
    }
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "this number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Where a value is, built only to be shown.
#[derive(Debug)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, key) => write!(f, "{key}"),
            Path::Key(parent, key) => write!(f, "{parent}.{key}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value that was checked against its shape, with its place: what the parses of the types read.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    path: String,
    value: Option<&'a Value>,
}

impl<'a> Node<'a> {
    /// The whole data; absent data is an object without keys.
    pub(super) fn root(map: Option<&'a Value>) -> Node<'a> {
        Node { path: String::new(), value: map }
    }

    /// The value of a key; one that is absent or null is not [`Node::is_set`].
    pub(super) fn get(&self, key: &str) -> Node<'a> {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let value = self.map().and_then(|map| map.get(key)).filter(|value| !value.is_null());
        Node { path, value }
    }

    /// The elements of an array; none when it is absent.
    pub(super) fn items(&self) -> Vec<Node<'a>> {
        let items = self.value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Node {
                path: format!("{}[{index}]", self.path),
                value: Some(item).filter(|value| !value.is_null()),
            })
            .collect()
    }

    /// The value itself.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// The elements of an array as they are; none when it is absent.
    pub(super) fn list(&self) -> &'a [Value] {
        self.value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether there is a value other than null.
    pub(super) fn is_set(&self) -> bool {
        self.value.is_some()
    }

    /// Whether it is an array.
    pub(super) fn is_array(&self) -> bool {
        self.value.is_some_and(Value::is_array)
    }

    /// Whether an array or object has something in it.
    pub(super) fn is_filled(&self) -> bool {
        match self.value {
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(map)) => !map.is_empty(),
            Some(_) | None => false,
        }
    }

    /// The keys and values of an object.
    pub(super) fn map(&self) -> Option<&'a Map<String, Value>> {
        self.value.and_then(Value::as_object)
    }

    /// The text.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    /// The flag; absent is false.
    pub(super) fn flag(&self) -> bool {
        self.value.and_then(Value::as_bool).unwrap_or_default()
    }

    /// The whole number; one beyond `i64` counts as its greatest.
    pub(super) fn whole(&self) -> Option<i64> {
        let number = self.value?.as_number()?;
        Some(number.as_i64().unwrap_or(i64::MAX))
    }

    /// The text, which must be one of `known`; absent is `None`.
    pub(super) fn one_of(&self, known: &[&str]) -> Result<Option<&'a str>, Refusal> {
        match self.text() {
            Some(text) if !known.contains(&text) => Err(self.refuse(format!(
                "must be {}, not `{}`",
                known.join(" or "),
                super::shown(text)
            ))),
            text => Ok(text),
        }
    }

    /// The whole number, which must lie within the bounds; absent is `None`.
    pub(super) fn whole_within(&self, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        match self.whole() {
            Some(number) if !(least..=most).contains(&number) => {
                Err(self.refuse(format!("must be {least} to {most}, not {number}")))
            }
            number => Ok(number),
        }
    }

    /// Refuses when the value is absent.
    pub(super) fn required(&self, what_to_do: &str) -> Result<&Self, Refusal> {
        if self.is_set() { Ok(self) } else { Err(self.refuse(format!("is missing; {what_to_do}"))) }
    }

    /// A refusal that names this place.
    pub(super) fn refuse(&self, why: impl fmt::Display) -> Refusal {
        Refusal::input(format!("`{}` in ManagedServiceData {why}", self.path))
    }
}
