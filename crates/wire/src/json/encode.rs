//! The JSON encoder: a serde serializer writing what serde_json writes compactly, byte for byte. Here
//! names of members are written as they are, since none of the model's needs an escape, and texts in
//! one piece where they need none.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// Writes a value as one JSON text.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Unsayable> {
    value.serialize(Writer { out })
}

/// Why a value cannot be written; no generated shape is among these.
#[derive(Debug, thiserror::Error)]
#[error("cannot be written as JSON: {0}")]
pub struct Unsayable(String);

impl ser::Error for Unsayable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn unsayable<T>(what: &str) -> Result<T, Unsayable> {
    Err(ser::Error::custom(what))
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    #[inline]
    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        if text.bytes().fold(false, |any, byte| any | must_be_escaped(byte)) {
            escaped(self.out, text);
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
        self.out.push(b'"');
    }

    #[inline]
    fn number(&mut self, negative: bool, mut magnitude: u64) {
        // 2⁶⁴ has 20 digits.
        let mut digits = [0; 20];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' | u8::try_from(magnitude % 10).unwrap_or_default();
            magnitude /= 10;
            used += 1;
            if magnitude == 0 {
                break;
            }
        }
        if negative {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
    }

    /// With a point, and behind it no more digits than there must be, and at least one.
    fn thousandths(&mut self, number: i64) {
        let magnitude = number.unsigned_abs();
        self.number(number < 0, magnitude / 1_000);
        let fraction = magnitude % 1_000;
        let digit = |place: u64| b'0' | u8::try_from(fraction / place % 10).unwrap_or_default();
        let digits = [b'.', digit(100), digit(10), digit(1)];
        let used = match (fraction % 100, fraction % 10) {
            (0, _) => 2,
            (_, 0) => 3,
            _ => 4,
        };
        self.out.extend_from_slice(digits.get(..used).unwrap_or_default());
    }
}

/// A number of whole thousandths and of at most fifteen digits, as moments are. So few digits stand
/// for one double alone, so they are also the fewest that tell it from all others, which is what
/// serde_json searches for.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the bound is below 2^53, and whether anything was lost is looked at"
)]
fn in_thousandths(value: f64) -> Option<i64> {
    const MAX: f64 = 1e12;
    let is_small = value.abs() < MAX && !(value == 0.0 && value.is_sign_negative());
    let thousandths = is_small.then(|| (value * 1_000.0).round() as i64)?;
    (thousandths as f64 / 1_000.0 == value).then_some(thousandths)
}

fn must_be_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\x08' => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            b'\x0c' => b'f',
            b'\r' => b'r',
            _ if must_be_escaped(byte) => {
                let hex = |half: u8| if half < 10 { b'0' | half } else { b'a' + half - 10 };
                out.extend([b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend([b'\\', short]);
    }
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unsayable;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Impossible<(), Unsayable>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Impossible<(), Unsayable>;

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Unsayable> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> Result<(), Unsayable> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> Result<(), Unsayable> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<(), Unsayable> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i64(mut self, value: i64) -> Result<(), Unsayable> {
        self.number(value < 0, value.unsigned_abs());
        Ok(())
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> Result<(), Unsayable> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> Result<(), Unsayable> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Result<(), Unsayable> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u64(mut self, value: u64) -> Result<(), Unsayable> {
        self.number(false, value);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Unsayable> {
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }

    #[inline]
    fn serialize_f64(mut self, value: f64) -> Result<(), Unsayable> {
        if let Some(thousandths) = in_thousandths(value) {
            self.thousandths(thousandths);
            return Ok(());
        }
        serde_json::to_writer(self.out, &value).map_err(ser::Error::custom)
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Unsayable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Result<(), Unsayable> {
        self.text(value);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unsayable> {
        // The model has no blobs that are answered; serde_json's list of numbers is not what AWS means.
        unsayable("bytes")
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Unsayable> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsayable> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Unsayable> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unsayable> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unsayable> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unsayable> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unsayable> {
        unsayable("an enum variant with content")
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Unsayable> {
        self.out.push(b'[');
        Ok(Items { out: self.out, close: b']', any: false })
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<Items<'a>, Unsayable> {
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        length: usize,
    ) -> Result<Items<'a>, Unsayable> {
        self.serialize_seq(Some(length))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsayable> {
        unsayable("an enum variant with content")
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Unsayable> {
        self.out.push(b'{');
        Ok(Items { out: self.out, close: b'}', any: false })
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Items<'a>, Unsayable> {
        self.serialize_map(Some(length))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsayable> {
        unsayable("an enum variant with content")
    }
}

/// The items of a list or the entries of an object, and what they end with.
struct Items<'a> {
    out: &'a mut Vec<u8>,
    close: u8,
    any: bool,
}

impl Items<'_> {
    #[inline]
    fn comma(&mut self) {
        if self.any {
            self.out.push(b',');
        }
        self.any = true;
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        self.comma();
        value.serialize(Writer { out: self.out })
    }

    #[inline]
    fn close(self) -> Result<(), Unsayable> {
        self.out.push(self.close);
        Ok(())
    }
}

macro_rules! items {
    ($($method:ident of $trait:ident),*) => {$(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Unsayable;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
                self.item(value)
            }

            #[inline]
            fn end(self) -> Result<(), Unsayable> {
                self.close()
            }
        }
    )*};
}

items!(serialize_element of SerializeSeq, serialize_element of SerializeTuple, serialize_field of SerializeTupleStruct);

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Unsayable;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsayable> {
        self.comma();
        let begun = self.out.len();
        key.serialize(Writer { out: self.out })?;
        // Keys of the model are texts or enums.
        match self.out.get(begun) {
            Some(b'"') => Ok(()),
            _ => unsayable("a key that is no text"),
        }
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        self.out.push(b':');
        value.serialize(Writer { out: self.out })
    }

    #[inline]
    fn end(self) -> Result<(), Unsayable> {
        self.close()
    }
}

impl ser::SerializeStruct for Items<'_> {
    type Ok = ();
    type Error = Unsayable;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unsayable> {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer { out: self.out })
    }

    #[inline]
    fn end(self) -> Result<(), Unsayable> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::{TABLE, shape::Kind};

    fn text<T: Serialize + ?Sized>(value: &T) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "all are below 2^53")]
    fn what_is_written_is_what_serde_json_writes() {
        let mut every = String::new();
        every.extend((0..=0x2ff).filter_map(char::from_u32).chain("ሴ🦀".chars()));
        let letters = every.chars().map(|letter| json!(letter.to_string()));
        let numbers = [json!(0), json!(-1), json!(u64::MAX), json!(i64::MIN), json!(1_000_000)];
        let fractions = [1.5, -0.0, 1e300, 1_576_283_774.0, 1_576_283_774.123].map(|n| json!(n));
        // Thousandths of all lengths, and numbers near them.
        let near = (0..1_000).flat_map(|n| {
            let moment = (1_576_283_774_000_i64 + n) as f64 / 1_000.0;
            let grown = (n * n * n * n) as f64 / 1_000.0;
            [
                moment,
                moment.next_up(),
                grown,
                -grown,
                grown.next_down(),
                grown * 1e6,
                n as f64 / 7.0,
            ]
        });
        let near = near.map(|number| json!(number));
        let nested = [
            json!({ "a": [], "b": {}, "c": [1, [2, {}], null], "d\n": true, "e": false }),
            json!(every),
            json!(""),
        ];
        let all: Vec<Value> =
            letters.chain(numbers).chain(fractions).chain(near).chain(nested).collect();
        for value in &all {
            assert_eq!(text(value), value.to_string());
        }
        assert_eq!(text(&all), serde_json::to_string(&all).unwrap());
        for number in [f64::NAN, f64::INFINITY] {
            assert_eq!(text(&number), serde_json::to_string(&number).unwrap());
        }
        assert_eq!(text(&0.1f32), serde_json::to_string(&0.1f32).unwrap());
    }

    #[test]
    fn no_name_of_the_model_needs_an_escape() {
        for (_, shape) in TABLE.iter() {
            let (Kind::Structure(members) | Kind::Union(members)) = shape.kind else { continue };
            for member in members {
                assert!(!member.name.bytes().any(must_be_escaped), "{}", member.name);
            }
        }
    }

    #[test]
    fn a_key_is_a_text() {
        let mut out = Vec::new();
        assert!(write(&mut out, &BTreeMap::from([(1, 2)])).is_err());
    }
}
