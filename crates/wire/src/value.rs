//! A decoded body before it becomes a typed structure: the same for both protocols.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::Timestamp;

/// A value as its shape reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An absent item of a sparse list or map, or null inside a document.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of up to 64 bits.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text, also of enums.
    String(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// A moment.
    Timestamp(Timestamp),
    /// Items in order.
    List(Vec<Value>),
    /// Entries of a map shape.
    Map(BTreeMap<String, Value>),
    /// Present members of a structure or union, each once, by their names in the shape table.
    Structure(Vec<(&'static str, Value)>),
}

impl Value {
    /// The member of this name, when this is a structure that has it.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Structure(members) = self else { return None };
        members.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Makes a typed structure of it.
    ///
    /// # Errors
    /// Says what does not fit. Values decoded by the shape of `T` whose constraints hold always fit.
    pub fn into_typed<T: DeserializeOwned>(self) -> Result<T, Misfit> {
        T::deserialize(self)
    }

    /// A total order of values of one shape, in which the order of members does not count.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Blob(a), Self::Blob(b)) => a.cmp(b),
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                order_all(a.iter().map(|v| ("", v)), b.iter().map(|v| ("", v)))
            }
            (Self::Map(a), Self::Map(b)) => order_all(
                a.iter().map(|(k, v)| (k.as_str(), v)),
                b.iter().map(|(k, v)| (k.as_str(), v)),
            ),
            (Self::Structure(a), Self::Structure(b)) => order_all(by_name(a), by_name(b)),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Integer(_) => 2,
            Self::Float(_) => 3,
            Self::String(_) => 4,
            Self::Blob(_) => 5,
            Self::Timestamp(_) => 6,
            Self::List(_) => 7,
            Self::Map(_) => 8,
            Self::Structure(_) => 9,
        }
    }
}

fn by_name<'a>(members: &'a [(&'static str, Value)]) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let sorted: BTreeMap<&str, &Value> = members.iter().map(|(n, v)| (*n, v)).collect();
    sorted.into_iter()
}

fn order_all<'a>(
    mut left: impl Iterator<Item = (&'a str, &'a Value)>,
    mut right: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Ordering {
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some((ka, va)), Some((kb, vb))) => ka.cmp(kb).then_with(|| va.order(vb)),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// As people read it inside a refusal: text bare, lists in brackets, the way AWS's messages print values.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::String(value) => f.write_str(value),
            Self::Blob(value) => write!(f, "{} bytes", value.len()),
            Self::Timestamp(value) => write!(f, "{}", value.as_seconds()),
            Self::List(items) => separated(f, ('[', ']'), items.iter().map(|v| ("", v))),
            Self::Map(entries) => {
                separated(f, ('{', '}'), entries.iter().map(|(k, v)| (k.as_str(), v)))
            }
            Self::Structure(members) => {
                separated(f, ('{', '}'), members.iter().map(|(n, v)| (*n, v)))
            }
        }
    }
}

fn separated<'a>(
    f: &mut fmt::Formatter<'_>,
    (open, close): (char, char),
    parts: impl Iterator<Item = (&'a str, &'a Value)>,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (i, (name, value)) in parts.enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let equals = if name.is_empty() { "" } else { "=" };
        write!(f, "{comma}{name}{equals}{value}")?;
    }
    write!(f, "{close}")
}

/// Why a value does not fit a typed structure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(String);

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'de> IntoDeserializer<'de, Misfit> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Boolean(value) => visitor.visit_bool(value),
            Self::Integer(value) => visitor.visit_i64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::String(value) => visitor.visit_string(value),
            Self::Blob(value) => visitor.visit_byte_buf(value),
            Self::Timestamp(value) => visitor.visit_f64(value.as_seconds()),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
            Self::Structure(members) => {
                visitor.visit_map(MapDeserializer::new(members.into_iter()))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Self::String(text) = self else {
            return Err(Misfit::custom(format_args!("`{self}` is no value of {name}")));
        };
        IntoDeserializer::<Misfit>::into_deserializer(text)
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
