//! JSON bodies, read by their shape; serde_json writes them.

mod bounds;
mod skip;

use std::cell::Cell;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use self::bounds::{count, too_deep};
use self::skip::Skip;
use crate::shape::{Kind, Member, Table, TimestampFormat};
use crate::{DEPTH_MAX, Fault, ShapeId, Timestamp, Value};

/// Reads `body` as the structure `shape`. Refuses what is not UTF-8, lone surrogates, numbers no double can hold, nesting below
/// [`DEPTH_MAX`], more than [`VALUES_MAX`](crate::VALUES_MAX) values, and anything after the object.
pub fn decode(table: &Table, shape: ShapeId, body: &[u8]) -> Result<Value, Fault> {
    let refuse = |e: &dyn fmt::Display| {
        Fault::serialization(format_args!("the body is no JSON of this operation: {e}"))
    };
    let text = std::str::from_utf8(body).map_err(|e| refuse(&e))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let values = Cell::new(0);
    let seed = Seed { table, shape, name: "the body", depth: 0, values: &values };
    let value = seed.deserialize(&mut reader).map_err(|e| refuse(&e))?;
    reader.end().map_err(|e| refuse(&e))?;
    if value == Value::Null && !matches!(table.shape(shape).kind, Kind::Document) {
        return Err(refuse(&"it must be an object, not null"));
    }
    Ok(value)
}

/// How to read the next value: by which shape, under which name, how deep.
#[derive(Clone, Copy)]
struct Seed<'a> {
    table: &'a Table,
    shape: ShapeId,
    name: &'a str,
    depth: usize,
    values: &'a Cell<usize>,
}

impl Seed<'_> {
    fn kind(&self) -> Kind {
        self.table.shape(self.shape).kind
    }

    fn wrong<E: Error>(&self) -> E {
        E::custom(format_args!("`{}` must be {}", self.name, expected(self.kind())))
    }

    fn of(&self, shape: ShapeId) -> Self {
        Self { shape, depth: self.depth + 1, ..*self }
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure(_) | Kind::Map { .. } => "an object",
        Kind::Union(_) => "an object with exactly one known member",
        Kind::List { .. } => "an array",
        Kind::String | Kind::Enum(_) => "a string",
        Kind::Boolean => "true or false",
        Kind::Byte => "a whole number of 8 bits",
        Kind::Short => "a whole number of 16 bits",
        Kind::Integer => "a whole number of 32 bits",
        Kind::Long => "a whole number of 64 bits",
        Kind::Float | Kind::Double => "a number",
        Kind::Blob => "a base64 string",
        Kind::Timestamp(TimestampFormat::EpochSeconds) => {
            "a number of epoch seconds within the years 1 to 9999"
        }
        Kind::Timestamp(TimestampFormat::DateTime) => "an RFC 3339 date and time",
        Kind::Timestamp(TimestampFormat::HttpDate) => "an HTTP date",
        Kind::Document => "any value",
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        count(self.values)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(expected(self.kind()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        match self.kind() {
            Kind::Boolean | Kind::Document => Ok(Value::Boolean(value)),
            _ => Err(self.wrong()),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        integer(self.kind(), value).ok_or_else(|| self.wrong())
    }

    #[expect(clippy::cast_precision_loss, reason = "a double is what the shape asks for")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        match self.kind() {
            Kind::Float | Kind::Double | Kind::Document => Ok(Value::Float(value)),
            Kind::Timestamp(TimestampFormat::EpochSeconds) => {
                Timestamp::from_seconds(value).map(Value::Timestamp).ok_or_else(|| self.wrong())
            }
            // The reader knows `-0` only as a double.
            Kind::Byte | Kind::Short | Kind::Integer | Kind::Long
                if value == 0.0 && value.is_sign_negative() =>
            {
                Ok(Value::Integer(0))
            }
            _ => Err(self.wrong()),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        let value = match self.kind() {
            Kind::String | Kind::Enum(_) | Kind::Document => Some(Value::String(text.to_owned())),
            Kind::Blob => STANDARD.decode(text).ok().map(Value::Blob),
            Kind::Float | Kind::Double => match text {
                "NaN" => Some(Value::Float(f64::NAN)),
                "Infinity" => Some(Value::Float(f64::INFINITY)),
                "-Infinity" => Some(Value::Float(f64::NEG_INFINITY)),
                _ => None,
            },
            Kind::Timestamp(TimestampFormat::DateTime) => {
                Timestamp::parse_date_time(text).map(Value::Timestamp)
            }
            Kind::Timestamp(TimestampFormat::HttpDate) => {
                Timestamp::parse_http_date(text).map(Value::Timestamp)
            }
            _ => None,
        };
        value.ok_or_else(|| self.wrong())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let (member, sparse) = match self.kind() {
            Kind::List { member, sparse } => (member, sparse),
            Kind::Document => (self.shape, true),
            _ => return Err(self.wrong()),
        };
        let inner = self.of(member);
        if inner.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            if item == Value::Null && !sparse {
                return Err(Error::custom(format_args!("`{}` must not contain null", self.name)));
            }
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        match self.kind() {
            Kind::Structure(members) => self.structure(members, entries),
            Kind::Union(members) => self.union(members, entries),
            Kind::Map { value, sparse, .. } => self.map(value, sparse, entries),
            Kind::Document => self.map(self.shape, true, entries),
            _ => Err(self.wrong()),
        }
    }
}

impl Seed<'_> {
    fn structure<'de, A: MapAccess<'de>>(
        self,
        members: &'static [Member],
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut found: Vec<(&'static str, Value)> = Vec::new();
        while let Some(key) = entries.next_key_seed(Key(members))? {
            let Known::Member(member) = key else {
                entries.next_value_seed(Skip { depth: self.depth + 1, values: self.values })?;
                continue;
            };
            let value =
                entries.next_value_seed(Seed { name: member.name, ..self.of(member.shape) })?;
            set_member(&mut found, member.name, value);
        }
        found.shrink_to_fit();
        Ok(Value::Structure(found))
    }

    fn union<'de, A: MapAccess<'de>>(
        self,
        members: &'static [Member],
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut found: Vec<(&'static str, Value)> = Vec::new();
        while let Some(key) = entries.next_key_seed(Key(members))? {
            match key {
                Known::Member(member) => {
                    let value = entries
                        .next_value_seed(Seed { name: member.name, ..self.of(member.shape) })?;
                    set_member(&mut found, member.name, value);
                }
                Known::TypeName => {
                    entries.next_value_seed(Skip { depth: self.depth + 1, values: self.values })?
                }
                Known::Nothing => return Err(self.wrong()),
            }
        }
        if found.len() == 1 { Ok(Value::Structure(found)) } else { Err(self.wrong()) }
    }

    fn map<'de, A: MapAccess<'de>>(
        self,
        value: ShapeId,
        sparse: bool,
        mut entries: A,
    ) -> Result<Value, A::Error> {
        let mut found = std::collections::BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.of(value))?;
            if value == Value::Null && !sparse {
                return Err(Error::custom(format_args!("`{}` must not contain null", self.name)));
            }
            found.insert(key, value);
        }
        Ok(Value::Map(found))
    }
}

/// Keeps the last of several; null takes the member away.
pub fn set_member(found: &mut Vec<(&'static str, Value)>, name: &'static str, value: Value) {
    found.retain(|(n, _)| *n != name);
    if value != Value::Null {
        found.push((name, value));
    }
}

/// A whole number as the shape reads it; none when it does not fit.
#[expect(clippy::cast_precision_loss, reason = "a double is what the shape asks for")]
pub fn integer(kind: Kind, value: i64) -> Option<Value> {
    let fits = match kind {
        Kind::Byte => i8::try_from(value).is_ok(),
        Kind::Short => i16::try_from(value).is_ok(),
        Kind::Integer => i32::try_from(value).is_ok(),
        Kind::Long | Kind::Document => true,
        Kind::Float | Kind::Double => return Some(Value::Float(value as f64)),
        Kind::Timestamp(TimestampFormat::EpochSeconds) => {
            return Timestamp::from_seconds(value as f64).map(Value::Timestamp);
        }
        _ => false,
    };
    fits.then_some(Value::Integer(value))
}

/// Reads a member's name.
struct Key(&'static [Member]);

enum Known {
    Member(&'static Member),
    /// `__type`, which some clients add to unions.
    TypeName,
    Nothing,
}

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Known;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Known, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Known, E> {
        Ok(match self.0.iter().find(|m| m.name == name) {
            Some(member) => Known::Member(member),
            None if name == "__type" => Known::TypeName,
            None => Known::Nothing,
        })
    }
}
