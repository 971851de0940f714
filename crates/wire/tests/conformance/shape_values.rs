//! Values of test shapes: from a case's `params`, to a body, and as text to compare.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_wire::{Kind, Output, Protocol, ShapeId, Timestamp, TimestampFormat, Value};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::test_shapes::TestModel;

/// The value that `params` describes: blobs as plain text, moments as epoch seconds, null as absent.
pub fn from_params(model: &TestModel, shape: ShapeId, params: &Json) -> Value {
    match (model.table.shape(shape).kind, params) {
        (_, Json::Null) => Value::Null,
        (Kind::Structure(members) | Kind::Union(members), Json::Object(map)) => {
            let member = |name: &String| {
                members
                    .iter()
                    .find(|m| m.name == name)
                    .unwrap_or_else(|| panic!("no member `{name}`"))
            };
            let pairs = map.iter().filter(|(_, v)| !v.is_null());
            Value::Structure(
                pairs
                    .map(|(n, v)| (member(n).name, from_params(model, member(n).shape, v)))
                    .collect(),
            )
        }
        (Kind::List { member, .. }, Json::Array(items)) => {
            Value::List(items.iter().map(|v| from_params(model, member, v)).collect())
        }
        (Kind::Map { value, .. }, Json::Object(map)) => {
            Value::Map(map.iter().map(|(k, v)| (k.clone(), from_params(model, value, v))).collect())
        }
        (Kind::Document, Json::Object(map)) => {
            Value::Map(map.iter().map(|(k, v)| (k.clone(), from_params(model, shape, v))).collect())
        }
        (Kind::Document, Json::Array(items)) => {
            Value::List(items.iter().map(|v| from_params(model, shape, v)).collect())
        }
        (Kind::Blob, Json::String(text)) => Value::Blob(text.clone().into_bytes()),
        (Kind::Timestamp(_), Json::Number(n)) => {
            Value::Timestamp(Timestamp::from_seconds(n.as_f64().unwrap()).unwrap())
        }
        (Kind::Float | Kind::Double, Json::String(text)) => {
            Value::Float(text.replace("Infinity", "inf").parse().unwrap())
        }
        (Kind::Float | Kind::Double, Json::Number(n)) => Value::Float(n.as_f64().unwrap()),
        (_, Json::Bool(b)) => Value::Boolean(*b),
        (_, Json::String(text)) => Value::String(text.clone()),
        (_, Json::Number(n)) => {
            n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Integer)
        }
        (kind, other) => panic!("`{other}` for {kind:?}"),
    }
}

/// The value with every absent member that has a default. A blob's default is base64 in the model.
pub fn with_defaults(model: &TestModel, shape: ShapeId, value: Value) -> Value {
    let Kind::Structure(members) = model.table.shape(shape).kind else { return value };
    let Value::Structure(mut present) = value else { return value };
    for member in members {
        let place = present.iter().position(|(n, _)| *n == member.name);
        let value = match (place, model.default_of(shape, member.name)) {
            (Some(place), _) => present.swap_remove(place).1,
            (None, Some(default)) => match (model.table.shape(member.shape).kind, default) {
                (Kind::Blob, Json::String(text)) => Value::Blob(STANDARD.decode(text).unwrap()),
                _ => from_params(model, member.shape, default),
            },
            (None, None) => continue,
        };
        present.push((member.name, with_defaults(model, member.shape, value)));
    }
    Value::Structure(present)
}

/// A text that is the same for equal values: members sorted, `NaN` equal to itself, single precision cut.
pub fn comparable(model: &TestModel, shape: ShapeId, value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match (model.table.shape(shape).kind, value) {
        (Kind::Structure(members) | Kind::Union(members), Value::Structure(present)) => {
            let shape_of = |name: &str| members.iter().find(|m| m.name == name).unwrap().shape;
            let mut parts: Vec<String> = present
                .iter()
                .map(|(n, v)| format!("{n}: {}", comparable(model, shape_of(n), v)))
                .collect();
            parts.sort();
            format!("{{{}}}", joined(parts))
        }
        (Kind::List { member, .. }, Value::List(items)) => {
            format!("[{}]", joined(items.iter().map(|v| comparable(model, member, v)).collect()))
        }
        (Kind::Map { value: inner, .. }, Value::Map(map)) => {
            format!(
                "map{{{}}}",
                joined(
                    map.iter()
                        .map(|(k, v)| format!("{k:?}: {}", comparable(model, inner, v)))
                        .collect()
                )
            )
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "single precision is what the shape has"
        )]
        (Kind::Float, Value::Float(number)) => format!("{:?}", *number as f32),
        (_, value) => format!("{value:?}"),
    }
}

/// A value to be written by its shape, as a generated type would write itself.
pub struct Shown<'a> {
    pub model: &'a TestModel,
    pub shape: ShapeId,
    pub value: &'a Value,
    pub protocol: Protocol,
    /// The `__type` of an error.
    pub type_name: Option<&'a str>,
}

impl Output for Shown<'_> {
    const SHAPE: Option<ShapeId> = Some(ShapeId(0));
}

impl<'a> Shown<'a> {
    fn inner(&self, shape: ShapeId, value: &'a Value) -> Self {
        Self { shape, value, type_name: None, ..*self }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = self.protocol == Protocol::Json;
        match (self.model.table.shape(self.shape).kind, self.value) {
            (Kind::Structure(members) | Kind::Union(members), Value::Structure(present)) => {
                let mut map = serializer
                    .serialize_map(Some(present.len() + usize::from(self.type_name.is_some())))?;
                if let Some(name) = self.type_name {
                    map.serialize_entry("__type", name)?;
                }
                for (name, value) in present {
                    let shape = members.iter().find(|m| m.name == *name).unwrap().shape;
                    map.serialize_entry(name, &self.inner(shape, value))?;
                }
                map.end()
            }
            (Kind::List { member, .. }, Value::List(items)) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items
                    .iter()
                    .try_for_each(|item| list.serialize_element(&self.inner(member, item)))?;
                list.end()
            }
            (Kind::Map { value: inner, .. }, Value::Map(entries)) => {
                serializer.collect_map(entries.iter().map(|(k, v)| (k, self.inner(inner, v))))
            }
            (Kind::Document, Value::Map(entries)) => {
                serializer.collect_map(entries.iter().map(|(k, v)| (k, self.inner(self.shape, v))))
            }
            (Kind::Document, Value::List(items)) => {
                serializer.collect_seq(items.iter().map(|v| self.inner(self.shape, v)))
            }
            (Kind::Timestamp(TimestampFormat::DateTime), Value::Timestamp(moment)) if json => {
                serializer.collect_str(&civil(*moment).strftime("%Y-%m-%dT%H:%M:%SZ"))
            }
            (Kind::Timestamp(TimestampFormat::HttpDate), Value::Timestamp(moment)) if json => {
                serializer.collect_str(&civil(*moment).strftime("%a, %d %b %Y %H:%M:%S GMT"))
            }
            (_, Value::Timestamp(moment)) => moment.serialize(serializer),
            (_, Value::Blob(bytes)) if json => serializer.serialize_str(&STANDARD.encode(bytes)),
            (_, Value::Blob(bytes)) => serializer.serialize_bytes(bytes),
            (_, Value::Float(number)) if json && !number.is_finite() => {
                serializer.serialize_str(&number.to_string().replace("inf", "Infinity"))
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "single precision is what the shape has"
            )]
            (Kind::Float, Value::Float(number)) => serializer.serialize_f32(*number as f32),
            (_, Value::Float(number)) => serializer.serialize_f64(*number),
            (_, Value::Integer(number)) => serializer.serialize_i64(*number),
            (_, Value::Boolean(value)) => serializer.serialize_bool(*value),
            (_, Value::String(text)) => serializer.serialize_str(text),
            (_, Value::Null) => serializer.serialize_none(),
            (kind, value) => panic!("`{value}` for {kind:?}"),
        }
    }
}

fn civil(moment: Timestamp) -> jiff::Zoned {
    jiff::Timestamp::from_millisecond(moment.as_millis()).unwrap().to_zoned(jiff::tz::TimeZone::UTC)
}
