//! Shapes of JSON as data: which keys an object may have, of what kind, in which order they are
//! answered. One walk checks a value against its shape, another writes it back.

use std::fmt;

use serde_json::{Map, Value};

use super::Refusal;
use super::nearest::nearest;

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
    /// An object with these keys, answered in this order; others are kept as they came, behind them
    /// (semantics §11 row 47).
    Object(&'static [Key]),
    /// A text, or an object with these keys: answered in the form received.
    TextOrObject(&'static [Key]),
    /// Of this shape; omitted it is not answered.
    IfSent(&'static Shape),
}

/// A known key of an object and the shape of its value.
pub(super) type Key = (&'static str, Shape);

/// The key that every type's data has.
pub(super) const TYPE: Key = ("type", Shape::Text);

/// `{"type": …}`
pub(super) const TYPED: Shape = Shape::Object(&[TYPE]);

impl Shape {
    /// Makes truth values and whole numbers of texts that say one, deep (semantics §11 row 46).
    pub(super) fn type_scalars(&self, value: &mut Value) {
        match (self, &mut *value) {
            (Shape::Flag, Value::String(text)) => {
                let is = |truth: &str| text.eq_ignore_ascii_case(truth);
                if is("true") || is("false") {
                    *value = Value::Bool(is("true"));
                }
            }
            (Shape::Whole, Value::String(text)) => {
                if let Some(number) = whole(text) {
                    *value = number;
                }
            }
            (Shape::Whole, Value::Number(number)) if number.is_f64() => {
                if let Some(number) = whole(&number.to_string()) {
                    *value = number;
                }
            }
            (Shape::List(of) | Shape::ListOrNull(of), Value::Array(items)) => {
                items.iter_mut().for_each(|item| of.type_scalars(item));
            }
            (Shape::Object(keys) | Shape::TextOrObject(keys), Value::Object(map)) => {
                for (key, shape) in *keys {
                    if let Some(value) = map.get_mut(*key) {
                        shape.type_scalars(value);
                    }
                }
            }
            (Shape::IfSent(of), _) => of.type_scalars(value),
            _ => {}
        }
    }

    /// The places of keys that no shape knows, deep, in the order of a walk.
    pub(super) fn unknown(&self, path: &Path<'_>, value: &Value, found: &mut Vec<Unknown>) {
        match (self, value) {
            (Shape::List(of) | Shape::ListOrNull(of), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    of.unknown(&Path::Index(path, index), item, found);
                }
            }
            (Shape::Object(keys) | Shape::TextOrObject(keys), Value::Object(map)) => {
                for (key, value) in map {
                    let path = Path::Key(path, key);
                    match keys.iter().find(|(known, _)| known == key) {
                        Some((_, shape)) => shape.unknown(&path, value, found),
                        None => found.push(Unknown {
                            path: path.to_string(),
                            meant: nearest(key, keys.iter().map(|(known, _)| *known)),
                        }),
                    }
                }
            }
            (Shape::IfSent(of), _) => of.unknown(path, value, found),
            _ => {}
        }
    }

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
            (Shape::IfSent(of), _) => of.check(path, value),
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
            Shape::IfSent(of) => of.described(),
        }
    }

    /// Writes a checked value with every known key, in the shape's order, and unknown ones behind.
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
                write_object(keys, map, out);
            }
            (Shape::IfSent(of), value) => of.write(value, out),
            (_, Some(value)) => out.push_str(&value.to_string()),
        }
    }
}

fn write_object(keys: &[Key], map: &Map<String, Value>, out: &mut String) {
    let is_answered = |(key, shape): &&Key| {
        !matches!(shape, Shape::IfSent(_)) || map.get(*key).is_some_and(|value| !value.is_null())
    };
    let mut between = "{";
    let mut name = |key: &str, out: &mut String| {
        out.push_str(std::mem::replace(&mut between, ","));
        out.push_str(&Value::from(key).to_string());
        out.push(':');
    };
    for (key, shape) in keys.iter().filter(is_answered) {
        name(key, out);
        shape.write(map.get(*key), out);
    }
    for (key, value) in map {
        if keys.iter().all(|(known, _)| known != key) {
            name(key, out);
            out.push_str(&value.to_string());
        }
    }
    if between == "{" {
        out.push('{');
    }
    out.push('}');
}

/// The whole number that a decimal text says, also as `22.0`.
fn whole(text: &str) -> Option<Value> {
    let text = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        Some(_) => return None,
        None => text,
    };
    let number = text.parse::<i64>().map(Value::from);
    number.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// A key that nobody knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// Where it stands, such as `preProcessRuleGroups[0].scopeDown`.
    pub path: String,
    /// The known key of the same object that it may be meant for.
    pub meant: Option<&'static str>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not known", self.path)?;
        self.meant.map_or(Ok(()), |meant| write!(f, "; `{meant}` is"))
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
