//! The CBOR encoder: a serde serializer writing definite lengths and, for timestamps, tag 1.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

use crate::timestamp::TIMESTAMP_NEWTYPE;

/// Writes a value as one CBOR item.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Unsayable> {
    value.serialize(Writer { out })
}

/// Why a value cannot be written; no generated shape is among these.
#[derive(Debug, thiserror::Error)]
#[error("cannot be written as CBOR: {0}")]
pub struct Unsayable(String);

impl ser::Error for Unsayable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    /// A head in its shortest form.
    #[inline]
    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        let bytes = argument.to_be_bytes();
        let [.., b6, b7] = bytes;
        if argument < 24 {
            self.out.push(major | b7);
        } else if u8::try_from(argument).is_ok() {
            self.out.extend([major | 24, b7]);
        } else if u16::try_from(argument).is_ok() {
            self.out.extend([major | 25, b6, b7]);
        } else if let Ok(short) = u32::try_from(argument) {
            self.out.push(major | 26);
            self.out.extend(short.to_be_bytes());
        } else {
            self.out.push(major | 27);
            self.out.extend(bytes);
        }
    }

    #[inline]
    fn length(&mut self, major: u8, length: usize) {
        self.head(major, u64::try_from(length).unwrap_or(u64::MAX));
    }

    #[inline]
    fn definite(&mut self, major: u8, length: Option<usize>) -> Result<(), Unsayable> {
        let length = length.ok_or_else(|| ser::Error::custom("a list or map of unknown length"))?;
        self.length(major, length);
        Ok(())
    }
}

fn unsayable<T>(what: &str) -> Result<T, Unsayable> {
    Err(ser::Error::custom(what))
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
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Unsayable> {
        self.out.push(if value { 0xf5 } else { 0xf4 });
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
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            // −1 − n, which for a negative value is its complement.
            Err(_) => self.head(1, u64::try_from(!value).unwrap_or_default()),
        }
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
        self.head(0, value);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Unsayable> {
        self.out.push(0xfa);
        self.out.extend(value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Unsayable> {
        self.out.push(0xfb);
        self.out.extend(value.to_be_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Unsayable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Result<(), Unsayable> {
        self.length(3, value.len());
        self.out.extend(value.as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Unsayable> {
        self.length(2, value.len());
        self.out.extend(value);
        Ok(())
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
        self.out.push(0xf6);
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
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unsayable> {
        if name == TIMESTAMP_NEWTYPE {
            self.head(6, 1);
        }
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
    fn serialize_seq(mut self, length: Option<usize>) -> Result<Items<'a>, Unsayable> {
        self.definite(4, length)?;
        Ok(Items { out: self.out })
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
    fn serialize_map(mut self, length: Option<usize>) -> Result<Items<'a>, Unsayable> {
        self.definite(5, length)?;
        Ok(Items { out: self.out })
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

/// The items of a list, or keys and values of a map, one after the other.
struct Items<'a> {
    out: &'a mut Vec<u8>,
}

impl Items<'_> {
    #[inline]
    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        value.serialize(Writer { out: self.out })
    }
}

macro_rules! items {
    ($($method:ident of $trait:ident),*) => {$(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Unsayable;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
                self.write(value)
            }

            #[inline]
            fn end(self) -> Result<(), Unsayable> {
                Ok(())
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
        self.write(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsayable> {
        self.write(value)
    }

    #[inline]
    fn end(self) -> Result<(), Unsayable> {
        Ok(())
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
        self.write(name)?;
        self.write(value)
    }

    #[inline]
    fn end(self) -> Result<(), Unsayable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn hex<T: Serialize + ?Sized>(value: &T) -> String {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        out.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn numbers_take_their_shortest_head() {
        for (value, expected) in [
            (0i64, "00"),
            (23, "17"),
            (24, "1818"),
            (255, "18ff"),
            (256, "190100"),
            (65_536, "1a00010000"),
            (4_294_967_296, "1b0000000100000000"),
            (-1, "20"),
            (-25, "3818"),
            (i64::MIN, "3b7fffffffffffffff"),
        ] {
            assert_eq!(hex(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_timestamp_has_tag_1() {
        assert_eq!(hex(&Timestamp::from_millis(1_363_896_240_500)), "c1fb41d452d9ec200000");
    }

    #[test]
    fn maps_and_lists_have_definite_lengths() {
        let map = std::collections::BTreeMap::from([("a", vec![1, 2])]);
        assert_eq!(hex(&map), "a16161820102");
    }
}
