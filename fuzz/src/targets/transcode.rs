//! What JSON says, said in CBOR: in one of the many forms that CBOR has for it.

use palisade_wire::{Kind, ShapeId, TABLE};
use serde_json::Value;

use crate::prng::Prng;

/// The CBOR of a JSON body of this shape. Lengths are definite or not, numbers have any width that
/// holds them, texts come in chunks, tags that say nothing stand before values.
pub fn cbor(value: &Value, shape: ShapeId, random: &mut Prng) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), random };
    writer.value(value, Some(shape));
    writer.out
}

struct Writer<'r> {
    out: Vec<u8>,
    random: &'r mut Prng,
}

impl Writer<'_> {
    /// A value; its shape is unknown below members that the model does not have.
    fn value(&mut self, value: &Value, shape: Option<ShapeId>) {
        let kind = shape.map(|shape| TABLE.shape(shape).kind);
        let moment = matches!(kind, Some(Kind::Timestamp(_)));
        if (!moment || value.is_number()) && self.random.below(12) == 0 {
            let tag = *self.random.pick(&[0, 2, 24, 32, 55_799]).unwrap();
            self.head(6, tag);
        }
        match value {
            Value::Null => self.out.push(0xf6 + u8::from(self.random.below(3) == 0)),
            Value::Bool(value) => self.out.push(0xf4 + u8::from(*value)),
            Value::Number(number) => {
                if moment {
                    self.head(6, 1);
                }
                self.number(number);
            }
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                let member = match kind {
                    Some(Kind::List { member, .. }) => Some(member),
                    _ => None,
                };
                let open = self.open(4, items.len());
                items.iter().for_each(|item| self.value(item, member));
                self.close(open);
            }
            Value::Object(entries) => {
                let open = self.open(5, entries.len());
                for (name, entry) in entries {
                    self.text(name);
                    let below = match kind {
                        Some(Kind::Structure(members)) => {
                            members.iter().find(|m| m.name == name).map(|m| m.shape)
                        }
                        Some(Kind::Map { value, .. }) => Some(value),
                        _ => None,
                    };
                    self.value(entry, below);
                }
                self.close(open);
            }
        }
    }

    fn number(&mut self, number: &serde_json::Number) {
        if let Some(number) = number.as_u64() {
            return self.head(0, number);
        }
        if let Some(number) = number.as_i64() {
            // The complement of a negative number n is −1 − n.
            return self.head(1, u64::try_from(!number).unwrap());
        }
        let number = number.as_f64().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "taken only when nothing is lost")]
        let single = number as f32;
        if number == 0.0 && number.is_sign_negative() {
            // JSON's `-0`, which is a whole number there.
            self.head(0, 0);
        } else if f64::from(single) == number && self.random.below(2) == 0 {
            self.out.push(0xfa);
            self.out.extend(single.to_be_bytes());
        } else {
            self.out.push(0xfb);
            self.out.extend(number.to_be_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        if self.random.below(6) > 0 {
            self.head(3, text.len() as u64);
            return self.out.extend(text.bytes());
        }
        self.out.push(0x7f);
        let mut rest = text;
        while !rest.is_empty() {
            let most = rest.len().min(20);
            let end = (1 + self.random.below(most)..).find(|at| rest.is_char_boundary(*at));
            let (chunk, after) = rest.split_at(end.unwrap());
            self.head(3, chunk.len() as u64);
            self.out.extend(chunk.bytes());
            rest = after;
        }
        self.out.push(0xff);
    }

    /// The head of a list or map; whether a break must follow its items.
    fn open(&mut self, major: u8, length: usize) -> bool {
        let endless = self.random.below(3) == 0;
        match endless {
            true => self.out.push(major << 5 | 31),
            false => self.head(major, length as u64),
        }
        endless
    }

    fn close(&mut self, endless: bool) {
        if endless {
            self.out.push(0xff);
        }
    }

    /// A head, often in its shortest form and sometimes in a longer one.
    fn head(&mut self, major: u8, argument: u64) {
        let least: usize = match argument {
            0..24 => 0,
            24..0x100 => 1,
            0x100..0x1_0000 => 2,
            0x1_0000..0x1_0000_0000 => 3,
            _ => 4,
        };
        let longer = if self.random.below(4) == 0 { self.random.below(5 - least) } else { 0 };
        let bytes = argument.to_be_bytes();
        match least + longer {
            0 => self.out.push(major << 5 | bytes[7]),
            form => {
                self.out.push((major << 5) | (23 + u8::try_from(form).unwrap()));
                self.out.extend_from_slice(&bytes[8 - (1 << (form - 1))..]);
            }
        }
    }
}
