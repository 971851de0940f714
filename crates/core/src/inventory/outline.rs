//! Where the known fields of a whole item lie, found in the one pass over its bytes that also finds
//! its end: bodies that nobody reads are never looked at again, and of those that somebody does the
//! grammar is checked in a second pass.
//!
//! This is the short way for items as Config writes them. Whatever it does not take (an item cut by
//! the end of a chunk, keys or ids with escapes, ids as numbers, any error) goes the long way,
//! which decides; so both ways must agree on what they take, and a test compares them.

use super::split::{DEPTH_MAX, ITEM_BYTES_MAX};
use super::tokens::Tokens;

/// The raw JSON values of an item's fields. `None` where a field is absent or null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Outline<'t> {
    text: &'t str,
    spans: Spans,
}

macro_rules! fields {
    ($($field:ident),+ $(,)?) => {
        impl<'t> Outline<'t> {
            $(pub fn $field(&self) -> Option<&'t str> {
                let (from, to) = self.spans.$field?;
                self.text.get(from..to)
            })+
        }

        /// Where the values lie.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        struct Spans {
            $($field: Option<(usize, usize)>,)+
        }
    };
}

fields! {
    account, region, resource_type, id, name, arn, captured, status, change, state, tags,
    relationships, configuration, supplementary,
}

impl<'t> Outline<'t> {
    /// Reads the object that begins with the first byte; also the number of its bytes. `around`
    /// brackets are open outside of it. `None`: go the long way.
    #[inline]
    pub fn of(bytes: &'t [u8], around: u32, look: Look) -> Option<(Outline<'t>, usize)> {
        let mut spans = Spans::default();
        let tokens = Tokens::new(bytes);
        let end = Walk { bytes, tokens, at: 0, around, look }.object(&mut spans)?;
        let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
        (end <= ITEM_BYTES_MAX).then_some((Outline { text, spans }, end))
    }
}

/// How closely values with brackets are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// That their brackets match and their strings end: enough for what nobody reads.
    Brackets,
    /// To the last comma.
    Everything,
}

impl Spans {
    /// The place for the value of a key, by the names of both dialects in any letter case. The
    /// delivered names come first: they are compared as they are.
    #[inline]
    fn of_key(&mut self, key: &[u8]) -> Option<&mut Option<(usize, usize)>> {
        match key {
            b"relationships" => Some(&mut self.relationships),
            b"configuration" => Some(&mut self.configuration),
            b"supplementaryConfiguration" => Some(&mut self.supplementary),
            b"tags" => Some(&mut self.tags),
            b"configurationItemCaptureTime" => Some(&mut self.captured),
            b"configurationStateId" => Some(&mut self.state),
            b"awsAccountId" | b"accountId" => Some(&mut self.account),
            b"configurationItemStatus" => Some(&mut self.status),
            b"resourceType" => Some(&mut self.resource_type),
            b"resourceId" => Some(&mut self.id),
            b"resourceName" => Some(&mut self.name),
            b"ARN" | b"arn" => Some(&mut self.arn),
            b"awsRegion" => Some(&mut self.region),
            b"changeType" => Some(&mut self.change),
            _ => self.of_other_key(key),
        }
    }

    fn of_other_key(&mut self, key: &[u8]) -> Option<&mut Option<(usize, usize)>> {
        let is = |known: &str| key.eq_ignore_ascii_case(known.as_bytes());
        match key.len() {
            3 if is("ARN") => Some(&mut self.arn),
            4 if is("tags") => Some(&mut self.tags),
            9 if is("awsRegion") => Some(&mut self.region),
            9 if is("accountId") => Some(&mut self.account),
            10 if is("resourceId") => Some(&mut self.id),
            10 if is("changeType") => Some(&mut self.change),
            12 if is("resourceType") => Some(&mut self.resource_type),
            12 if is("resourceName") => Some(&mut self.name),
            12 if is("awsAccountId") => Some(&mut self.account),
            13 if is("configuration") => Some(&mut self.configuration),
            13 if is("relationships") => Some(&mut self.relationships),
            20 if is("configurationStateId") => Some(&mut self.state),
            23 if is("configurationItemStatus") => Some(&mut self.status),
            26 if is("supplementaryConfiguration") => Some(&mut self.supplementary),
            28 if is("configurationItemCaptureTime") => Some(&mut self.captured),
            _ => None,
        }
    }
}

/// Walks over JSON text, checking its grammar. Every step answers `None` where the text breaks it or
/// ends.
struct Walk<'t> {
    bytes: &'t [u8],
    tokens: Tokens<'t>,
    /// Behind what was read last.
    at: usize,
    /// Brackets open around the text.
    around: u32,
    look: Look,
}

impl<'t> Walk<'t> {
    /// The end of the item that begins here.
    fn object(&mut self, spans: &mut Spans) -> Option<usize> {
        (self.open()? == b'{').then_some(())?;
        if self.peek()? == b'}' {
            self.close()?;
            return Some(self.at);
        }
        loop {
            let key = self.key()?;
            let first = self.peek()?;
            let from = self.at;
            match (self.look, first) {
                (Look::Brackets, b'{' | b'[') => self.brackets()?,
                _ => self.value(first)?,
            }
            let key = self.bytes.get(key.0..key.1)?;
            if first == b'n' {
                // Null is as good as absent.
            } else if let Some(place) = spans.of_key(key) {
                // Of values for one field the long way reads each, and minds what is wrong with any.
                place.is_none().then_some(())?;
                *place = Some((from, self.at));
            } else if key.contains(&b'\\') {
                // A key with escapes may be one of ours in disguise.
                return None;
            }
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.close()?;
                    return Some(self.at);
                }
                _ => return None,
            }
        }
    }

    /// One value that begins with brackets, of which nothing is looked at but brackets and strings.
    fn brackets(&mut self) -> Option<()> {
        let (mut open, mut lists) = (0_u32, 0_u64);
        loop {
            let at = self.tokens.bracket()?;
            let byte = *self.bytes.get(at)?;
            let is_list = byte & 0x20 == 0;
            if byte | 0x20 == b'{' {
                (self.around + 1 + open < DEPTH_MAX).then_some(())?;
                open += 1;
                lists = lists << 1 | u64::from(is_list);
                continue;
            }
            ((lists & 1 == 1) == is_list).then_some(())?;
            open -= 1;
            lists >>= 1;
            if open == 0 {
                self.at = at + 1;
                return Some(());
            }
        }
    }

    /// One value, of any kind, that begins with this byte.
    fn value(&mut self, mut first: u8) -> Option<()> {
        // Open brackets inside this value; bit n of `lists` tells whether the n-th is square.
        let (mut open, mut lists) = (0_u32, 0_u64);
        loop {
            match first {
                b'"' => self.text().map(|_| ())?,
                b'{' | b'[' => {
                    // One more is the item itself.
                    (self.around + 1 + open < DEPTH_MAX).then_some(())?;
                    self.open()?;
                    // Either closing bracket stands two behind its opening one.
                    if self.peek()? == first + 2 {
                        self.close()?;
                    } else {
                        open += 1;
                        lists = lists << 1 | u64::from(first == b'[');
                        if first == b'{' {
                            self.key()?;
                        }
                        first = self.peek()?;
                        continue;
                    }
                }
                _ => self.at += scalar(self.bytes.get(self.at..)?)?,
            }
            // A value ended.
            loop {
                if open == 0 {
                    return Some(());
                }
                match (self.peek()?, lists & 1 == 1) {
                    (b',', is_list) => {
                        self.at += 1;
                        if !is_list {
                            self.key()?;
                        }
                        first = self.peek()?;
                        break;
                    }
                    (b']', true) | (b'}', false) => {
                        self.close()?;
                        open -= 1;
                        lists >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// A key and its colon; where the key lies.
    #[inline]
    fn key(&mut self) -> Option<(usize, usize)> {
        (self.peek()? == b'"').then_some(())?;
        let key = self.text()?;
        (self.peek()? == b':').then_some(())?;
        self.at += 1;
        Some(key)
    }

    /// The string that begins here; where its inside lies.
    #[inline]
    fn text(&mut self) -> Option<(usize, usize)> {
        let (from, to) = (self.tokens.next()?, self.tokens.next()?);
        self.at = to + 1;
        Some((from + 1, to))
    }

    #[inline]
    fn open(&mut self) -> Option<u8> {
        let at = self.tokens.next()?;
        (at == self.at).then(|| self.at += 1)?;
        self.bytes.get(at).copied()
    }

    fn close(&mut self) -> Option<u8> {
        self.open()
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }
}

/// The number of bytes of the number or word at the start, which has to end there.
fn scalar(bytes: &[u8]) -> Option<usize> {
    let length = match bytes.first()? {
        b't' => word(bytes, b"true")?,
        b'f' => word(bytes, b"false")?,
        b'n' => word(bytes, b"null")?,
        _ => number(bytes)?,
    };
    matches!(bytes.get(length)?, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        .then_some(length)
}

fn word(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.starts_with(word).then_some(word.len())
}

fn number(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        (fraction > 0).then_some(())?;
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        (exponent > 0).then_some(())?;
        at += exponent;
    }
    Some(at)
}

#[cfg(test)]
mod tests;
