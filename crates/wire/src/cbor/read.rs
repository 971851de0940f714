//! The reader: heads, strings and whole items, refusing everything that RFC 8949 calls not well-formed.

use std::borrow::Cow;

use crate::{DEPTH_MAX, VALUES_MAX};

/// Most heads in one body: as many keys as [`VALUES_MAX`] allows values.
pub const HEADS_MAX: usize = 2 * VALUES_MAX;

/// Most chunks of strings of indefinite length in one body.
pub const CHUNKS_MAX: usize = 10_000;

/// Most tags on one item.
pub const TAGS_MAX: usize = 64;

/// Reads items of one body from its first byte on. Nothing is allocated on the word of a length: what a head announces must be there.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    heads: usize,
    chunks: usize,
}

/// The head of an item: what it is, and its number or length. `None` is an indefinite length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Head {
    /// This number.
    Unsigned(u64),
    /// The number −1 − n.
    Negative(u64),
    /// Bytes, or chunks of bytes up to a [`Head::Break`].
    Bytes(Option<u64>),
    /// Text of this many bytes, or chunks of text.
    Text(Option<u64>),
    /// This many items, or items up to a break.
    Array(Option<u64>),
    /// This many pairs of items, or pairs up to a break.
    Map(Option<u64>),
    /// The next item is meant in the sense of this number.
    Tag(u64),
    /// False (20), true (21), null (22), undefined (23) or a value without meaning here.
    Simple(u8),
    /// A number of half, single or double precision.
    Float(f64),
    /// The end of an indefinite length.
    Break,
}

/// Why bytes are no well-formed CBOR, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub struct Malformed {
    /// What is wrong.
    pub reason: &'static str,
    /// The place, counted from 0.
    pub at: usize,
}

impl<'b> Reader<'b> {
    /// A reader of these bytes.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, heads: 0, chunks: 0 }
    }

    /// Where the next head begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether every byte has been read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// A fault of the byte before the present one.
    pub(crate) fn malformed(&self, reason: &'static str) -> Malformed {
        Malformed { reason, at: self.at }
    }

    /// Reads the next head. The content of strings follows with [`Reader::text`] or [`Reader::bytes`].
    ///
    /// # Errors
    /// For reserved values, for a body that ends inside the head, for a length greater than what is left of the body, and beyond
    /// [`HEADS_MAX`] heads.
    pub fn head(&mut self) -> Result<Head, Malformed> {
        self.heads += 1;
        if self.heads > HEADS_MAX {
            return Err(self.malformed("more items than the limit of 200000"));
        }
        let start = self.at;
        let at = |reason| Malformed { reason, at: start };
        let [first] = self.array()?;
        let (major, minor) = (first >> 5, first & 31);
        let argument = match minor {
            0..=23 => Some(u64::from(minor)),
            24 => Some(u64::from(u8::from_be_bytes(self.array()?))),
            25 => Some(u64::from(u16::from_be_bytes(self.array()?))),
            26 => Some(u64::from(u32::from_be_bytes(self.array()?))),
            27 => Some(u64::from_be_bytes(self.array()?)),
            31 => None,
            _ => return Err(at("reserved additional information")),
        };
        match (major, argument) {
            (0, Some(n)) => Ok(Head::Unsigned(n)),
            (1, Some(n)) => Ok(Head::Negative(n)),
            (2, n) => self.within(n, 1).map(Head::Bytes),
            (3, n) => self.within(n, 1).map(Head::Text),
            (4, n) => self.within(n, 1).map(Head::Array),
            (5, n) => self.within(n, 2).map(Head::Map),
            (6, Some(n)) => Ok(Head::Tag(n)),
            (7, None) => Ok(Head::Break),
            (7, Some(n)) => {
                simple_or_float(minor, n).ok_or_else(|| at("reserved two-byte simple value"))
            }
            _ => Err(at("indefinite length of what has no length")),
        }
    }

    /// A length that the rest of the body can hold, each unit taking at least `size` bytes.
    fn within(&self, length: Option<u64>, size: u64) -> Result<Option<u64>, Malformed> {
        let left = u64::try_from(self.bytes.len().saturating_sub(self.at)).unwrap_or(u64::MAX);
        match length {
            Some(n) if n.saturating_mul(size) > left => {
                Err(self.malformed("length beyond the end of the body"))
            }
            length => Ok(length),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let end = self.malformed("unexpected end of the body");
        let (bytes, _) =
            self.bytes.get(self.at..).and_then(|rest| rest.split_first_chunk()).ok_or(end)?;
        self.at += N;
        Ok(*bytes)
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], Malformed> {
        let end = self.malformed("unexpected end of the body");
        let stop = usize::try_from(length).ok().and_then(|n| self.at.checked_add(n));
        let taken = stop.and_then(|stop| self.bytes.get(self.at..stop)).ok_or(end)?;
        self.at += taken.len();
        Ok(taken)
    }

    /// The content of a byte string whose head gave this length.
    ///
    /// # Errors
    /// When the body ends first, or a chunk is not a byte string of definite length.
    pub fn bytes(&mut self, length: Option<u64>) -> Result<Cow<'b, [u8]>, Malformed> {
        if let Some(length) = length {
            return self.take(length).map(Cow::Borrowed);
        }
        let mut whole = Vec::new();
        loop {
            self.chunk()?;
            match self.head()? {
                Head::Bytes(Some(length)) => whole.extend_from_slice(self.take(length)?),
                Head::Break => return Ok(Cow::Owned(whole)),
                _ => return Err(self.malformed("chunk that is no byte string of definite length")),
            }
        }
    }

    /// The content of a text string whose head gave this length.
    ///
    /// # Errors
    /// When the body ends first, a chunk is not text of definite length, or a chunk is not UTF-8 by itself (RFC 8949 §3.2.3).
    pub fn text(&mut self, length: Option<u64>) -> Result<Cow<'b, str>, Malformed> {
        if let Some(length) = length {
            return self.utf8(length).map(Cow::Borrowed);
        }
        let mut whole = String::new();
        loop {
            self.chunk()?;
            match self.head()? {
                Head::Text(Some(length)) => whole.push_str(self.utf8(length)?),
                Head::Break => return Ok(Cow::Owned(whole)),
                _ => return Err(self.malformed("chunk that is no text of definite length")),
            }
        }
    }

    fn chunk(&mut self) -> Result<(), Malformed> {
        self.chunks += 1;
        if self.chunks > CHUNKS_MAX {
            return Err(self.malformed("more chunks than the limit of 10000"));
        }
        Ok(())
    }

    fn utf8(&mut self, length: u64) -> Result<&'b str, Malformed> {
        let start = self.at;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|e| Malformed {
            reason: "text that is not UTF-8",
            at: start + e.valid_up_to(),
        })
    }

    /// Passes over the rest of an item whose head was read, whatever it is, nested at most [`DEPTH_MAX`] deep
    /// with `depth` levels above it.
    ///
    /// # Errors
    /// When it is not well-formed, not valid text, or nested too deep.
    pub fn skip(&mut self, head: Head, depth: usize) -> Result<(), Malformed> {
        match head {
            Head::Unsigned(_) | Head::Negative(_) | Head::Simple(_) | Head::Float(_) => Ok(()),
            Head::Bytes(length) => self.bytes(length).map(drop),
            Head::Text(length) => self.text(length).map(drop),
            Head::Tag(_) => {
                let inner = self.untagged()?;
                self.skip(inner, depth)
            }
            Head::Array(length) => self.skip_items(length, 1, depth),
            Head::Map(length) => self.skip_items(length, 2, depth),
            Head::Break => Err(self.malformed("break outside an indefinite length")),
        }
    }

    /// The head of an item after the rest of its tags, the first of which was read.
    ///
    /// # Errors
    /// As [`Reader::head`], and beyond [`TAGS_MAX`] tags.
    pub(crate) fn untagged(&mut self) -> Result<Head, Malformed> {
        for _ in 0..TAGS_MAX {
            match self.head()? {
                Head::Tag(_) => {}
                head => return Ok(head),
            }
        }
        Err(self.malformed("more tags than the limit of 64 on one item"))
    }

    fn skip_items(
        &mut self,
        length: Option<u64>,
        size: u64,
        depth: usize,
    ) -> Result<(), Malformed> {
        if depth >= DEPTH_MAX {
            return Err(self.malformed("nesting deeper than the limit of 64"));
        }
        let mut read = 0u64;
        // Overflow of the product only makes the loop end at the body's end.
        while length.is_none_or(|n| read < n.saturating_mul(size)) {
            let head = self.head()?;
            if head == Head::Break && length.is_none() {
                if read.is_multiple_of(size) {
                    return Ok(());
                }
                return Err(self.malformed("break after a key"));
            }
            self.skip(head, depth + 1)?;
            read += 1;
        }
        Ok(())
    }
}

fn simple_or_float(minor: u8, argument: u64) -> Option<Head> {
    Some(match minor {
        25 => Head::Float(half(u16::try_from(argument).ok()?)),
        26 => Head::Float(f64::from(f32::from_bits(u32::try_from(argument).ok()?))),
        27 => Head::Float(f64::from_bits(argument)),
        24 if argument < 32 => return None,
        _ => Head::Simple(u8::try_from(argument).ok()?),
    })
}

/// A number of half precision (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((bits >> 10) & 31);
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    sign * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(bytes: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(bytes);
        let head = reader.head()?;
        reader.skip(head, 0)
    }

    #[test]
    fn a_length_is_believed_only_when_the_body_can_hold_it() {
        for bytes in [
            &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
            &[0x82, 0x01],
            &[0xa1, 0x01],
            &[0x62, 0x61],
        ] {
            assert_eq!(skip(bytes).unwrap_err().reason, "length beyond the end of the body");
        }
        assert_eq!(skip(&[0x82, 0x01, 0x02]), Ok(()));
    }

    #[test]
    fn nesting_is_passed_over_to_the_limit_and_no_further() {
        let nested = |n: usize| [vec![0x81; n], vec![0]].concat();
        assert_eq!(skip(&nested(DEPTH_MAX)), Ok(()));
        assert!(skip(&nested(DEPTH_MAX + 1)).is_err());
        assert!(skip(&[vec![0x9f; 1_000_000], vec![0xff; 1_000_000]].concat()).is_err());
    }

    #[test]
    fn an_item_bears_tags_to_the_limit_and_no_more() {
        let tagged = |n: usize| skip(&[vec![0xc1; n], vec![0]].concat());
        assert_eq!(tagged(TAGS_MAX), Ok(()));
        assert!(tagged(TAGS_MAX + 1).unwrap_err().reason.contains(&TAGS_MAX.to_string()));
    }

    #[test]
    fn strings_come_in_chunks_to_the_limit_and_no_more() {
        // The break counts as the last.
        let chunked = |n: usize| skip(&[vec![0x7f], vec![0x60; n - 1], vec![0xff]].concat());
        assert_eq!(chunked(CHUNKS_MAX), Ok(()));
        assert!(chunked(CHUNKS_MAX + 1).unwrap_err().reason.contains(&CHUNKS_MAX.to_string()));
    }

    #[test]
    fn a_body_has_heads_to_the_limit_and_no_more() {
        // The array and its break count too.
        let list = |n: usize| skip(&[vec![0x9f], vec![0x00; n - 2], vec![0xff]].concat());
        assert_eq!(list(HEADS_MAX), Ok(()));
        assert!(list(HEADS_MAX + 1).unwrap_err().reason.contains(&HEADS_MAX.to_string()));
    }

    #[test]
    fn half_precision_covers_every_class() {
        for (bits, expected) in [
            (0x0001, 5.960_464_477_539_063e-8),
            (0x3c00, 1.0),
            (0xc400, -4.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits), expected);
        }
        assert!(half(0x7e00).is_nan());
    }
}
