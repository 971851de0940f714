//! CBOR bodies, read by their shape.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Head, Malformed, Reader, TAGS_MAX};
use crate::json::{integer, set_member};
use crate::shape::{Kind, Member, Table};
use crate::{DEPTH_MAX, Fault, ShapeId, Timestamp, VALUES_MAX, Value};

const FALSE: Head = Head::Simple(20);
const TRUE: Head = Head::Simple(21);
const NULL: Head = Head::Simple(22);
const UNDEFINED: Head = Head::Simple(23);

/// The tag of a number of seconds since 1970 (RFC 8949 §3.4.2).
const MOMENT: u64 = 1;

/// Reads `body` as the structure `shape`: one item and nothing after it.
pub fn decode(table: &Table, shape: ShapeId, body: &[u8]) -> Result<Value, Fault> {
    let mut decoder = Decoder { table, reader: Reader::new(body), values: 0 };
    let value = decoder.next(shape, "the body", 0)?;
    if !decoder.reader.is_empty() {
        return Err(
            decoder.refuse(format_args!("bytes after the item, at byte {}", decoder.reader.at()))
        );
    }
    match value {
        Value::Null => Err(decoder.refuse("it must be a map, not null")),
        value => Ok(value),
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::serialization(format_args!("the body is not well-formed CBOR: {malformed}"))
    }
}

struct Decoder<'a> {
    table: &'a Table,
    reader: Reader<'a>,
    values: usize,
}

impl Decoder<'_> {
    fn refuse(&self, reason: impl Display) -> Fault {
        Fault::serialization(format_args!("the body is no CBOR of this operation: {reason}"))
    }

    fn wrong(&self, name: &str, expected: &str) -> Fault {
        self.refuse(format_args!("`{name}` must be {expected}, before byte {}", self.reader.at()))
    }

    fn next(&mut self, shape: ShapeId, name: &str, depth: usize) -> Result<Value, Fault> {
        let head = self.reader.head()?;
        self.item(head, shape, name, depth)
    }

    /// The item whose head was read. `depth` levels are above it.
    #[expect(clippy::cast_precision_loss, reason = "a double is what the shape asks for")]
    fn item(
        &mut self,
        head: Head,
        shape: ShapeId,
        name: &str,
        depth: usize,
    ) -> Result<Value, Fault> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(self.refuse(format_args!("more values than the limit of {VALUES_MAX}")));
        }
        let kind = self.table.shape(shape).kind;
        if let (Kind::Timestamp(_), Head::Tag(tag)) = (kind, head) {
            return self.timestamp(tag, name);
        }
        let head = if let Head::Tag(_) = head { self.reader.untagged()? } else { head };
        match (kind, head) {
            (_, NULL | UNDEFINED) => Ok(Value::Null),
            (Kind::Structure(members), Head::Map(length)) => {
                self.structure(members, length, name, depth)
            }
            (Kind::Union(members), Head::Map(length)) => {
                let value = self.structure(members, length, name, depth)?;
                match &value {
                    Value::Structure(found) if found.len() == 1 => Ok(value),
                    _ => Err(self.wrong(name, "a map with exactly one known member")),
                }
            }
            (Kind::List { member, sparse }, Head::Array(length)) => {
                self.list(member, sparse, length, name, depth)
            }
            (Kind::Map { value, sparse, .. }, Head::Map(length)) => {
                self.map(value, sparse, length, name, depth)
            }
            (Kind::String | Kind::Enum(_), Head::Text(length)) => {
                Ok(Value::String(self.reader.text(length)?.into_owned()))
            }
            (Kind::Blob, Head::Bytes(length)) => {
                Ok(Value::Blob(self.reader.bytes(length)?.into_owned()))
            }
            (Kind::Boolean, FALSE) => Ok(Value::Boolean(false)),
            (Kind::Boolean, TRUE) => Ok(Value::Boolean(true)),
            (Kind::Float | Kind::Double, Head::Float(number)) => Ok(Value::Float(number)),
            // A moment without its tag must not pass for a number; the protocol requires the tag.
            (Kind::Timestamp(_), _) => Err(self.wrong(name, "a number under tag 1")),
            (Kind::Float | Kind::Double, Head::Unsigned(n)) => Ok(Value::Float(n as f64)),
            (Kind::Float | Kind::Double, Head::Negative(n)) => Ok(Value::Float(-1.0 - n as f64)),
            (kind, Head::Unsigned(n)) => {
                let value = i64::try_from(n).ok().and_then(|n| integer(kind, n));
                value.ok_or_else(|| self.wrong(name, expected(kind)))
            }
            (kind, Head::Negative(n)) => {
                let value = i64::try_from(n).ok().and_then(|n| integer(kind, -1 - n));
                value.ok_or_else(|| self.wrong(name, expected(kind)))
            }
            (kind, _) => Err(self.wrong(name, expected(kind))),
        }
    }

    /// A moment whose first tag was read. Tags around its own say nothing of it, as with any value.
    #[expect(clippy::cast_precision_loss, reason = "what loses precision is outside the calendar")]
    fn timestamp(&mut self, tag: u64, name: &str) -> Result<Value, Fault> {
        let (mut tag, mut head, mut tags) = (tag, self.reader.head()?, 1);
        while let (false, Head::Tag(inner)) = (tag == MOMENT, head) {
            tags += 1;
            if tags > TAGS_MAX {
                return Err(self.wrong(name, "under fewer tags"));
            }
            (tag, head) = (inner, self.reader.head()?);
        }
        let seconds = match (tag, head) {
            (MOMENT, Head::Unsigned(n)) => Some(n as f64),
            (MOMENT, Head::Negative(n)) => Some(-1.0 - n as f64),
            (MOMENT, Head::Float(n)) => Some(n),
            _ => None,
        };
        let moment = seconds.and_then(Timestamp::from_seconds);
        moment.map(Value::Timestamp).ok_or_else(|| {
            self.wrong(name, "a number of epoch seconds under tag 1, within the years 1 to 9999")
        })
    }

    fn enter(&self, depth: usize) -> Result<usize, Fault> {
        if depth >= DEPTH_MAX {
            return Err(self.refuse(format_args!("nested deeper than the limit of {DEPTH_MAX}")));
        }
        Ok(depth + 1)
    }

    /// The next head of a map or array, none at its end.
    fn part(&mut self, length: Option<u64>, read: &mut u64) -> Result<Option<Head>, Fault> {
        if length.is_some_and(|n| *read >= n) {
            return Ok(None);
        }
        *read += 1;
        let head = self.reader.head()?;
        match head {
            Head::Break if length.is_none() => Ok(None),
            Head::Break => Err(self.reader.malformed("break inside a definite length").into()),
            head => Ok(Some(head)),
        }
    }

    fn key(&mut self, head: Head, name: &str) -> Result<String, Fault> {
        match head {
            Head::Text(length) => Ok(self.reader.text(length)?.into_owned()),
            _ => Err(self.wrong(name, "a map with text keys")),
        }
    }

    fn structure(
        &mut self,
        members: &'static [Member],
        length: Option<u64>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Fault> {
        let depth = self.enter(depth)?;
        let mut found: Vec<(&'static str, Value)> = Vec::new();
        let mut read = 0;
        while let Some(head) = self.part(length, &mut read)? {
            let key = self.key(head, name)?;
            if let Some(member) = members.iter().find(|m| m.name == key) {
                let value = self.next(member.shape, member.name, depth)?;
                set_member(&mut found, member.name, value);
            } else {
                let head = self.reader.head()?;
                self.reader.skip(head, depth)?;
            }
        }
        found.shrink_to_fit();
        Ok(Value::Structure(found))
    }

    fn list(
        &mut self,
        member: ShapeId,
        sparse: bool,
        length: Option<u64>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Fault> {
        let depth = self.enter(depth)?;
        let mut list = Vec::new();
        let mut read = 0;
        while let Some(head) = self.part(length, &mut read)? {
            let item = self.item(head, member, name, depth)?;
            if item == Value::Null && !sparse {
                return Err(self.wrong(name, "an array without null"));
            }
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn map(
        &mut self,
        shape: ShapeId,
        sparse: bool,
        length: Option<u64>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Fault> {
        let depth = self.enter(depth)?;
        let mut found = BTreeMap::new();
        let mut read = 0;
        while let Some(head) = self.part(length, &mut read)? {
            let key = self.key(head, name)?;
            let value = self.next(shape, name, depth)?;
            if value == Value::Null && !sparse {
                return Err(self.wrong(name, "a map without null"));
            }
            found.insert(key, value);
        }
        Ok(Value::Map(found))
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Structure(_) | Kind::Map { .. } | Kind::Union(_) => "a map",
        Kind::List { .. } => "an array",
        Kind::String | Kind::Enum(_) => "text",
        Kind::Boolean => "true or false",
        Kind::Byte => "an integer of 8 bits",
        Kind::Short => "an integer of 16 bits",
        Kind::Integer => "an integer of 32 bits",
        Kind::Long => "an integer of 64 bits",
        Kind::Float | Kind::Double => "a number",
        Kind::Blob => "a byte string",
        Kind::Timestamp(_) => "a number under tag 1",
        Kind::Document => "absent, as CBOR has no documents",
    }
}
