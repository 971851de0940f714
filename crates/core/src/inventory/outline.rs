//! Where the known fields of a whole item lie, found in the one pass over its bytes that also finds
//! its end: bodies that nobody reads are never looked at again, and of those that somebody does the
//! grammar is checked in a second pass.
//!
//! This is the short way for items as Config writes them. Whatever it does not take (an item cut by
//! the end of a chunk, keys or ids with escapes, ids as numbers, any error) goes the long way,
//! which decides; so both ways must agree on what they take, and a test compares them.

use fearless_simd::{Simd, prelude::*, u8x32};

use super::cpu::{Words, on_cpu};
use super::limits::{DEPTH_MAX, ITEM_BYTES_MAX};
use super::pairs::Pairs;
use super::tokens::{Brackets, Reach, Tokens};

/// The raw JSON values of an item's fields. `None` where a field is absent or null.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Outline<'t> {
    /// The item. INVARIANT: UTF-8.
    item: &'t [u8],
    spans: Spans,
    /// No string among the values of the item itself, nor among its tags, has a backslash.
    plain: bool,
    /// Tags are as [`Outline::has_usual_tags`] says, but for escapes.
    flat_tags: bool,
}

/// Where in the item values lie, by [`Field`]; one that ends at 0 is absent. Four bytes each suffice
/// for [`ITEM_BYTES_MAX`], and there is less to pass on.
type Spans = [(u32, u32); FIELDS];

/// The fields of an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    Account,
    Region,
    Type,
    Id,
    Name,
    Arn,
    Captured,
    Status,
    Change,
    State,
    Tags,
    Relationships,
    Configuration,
    Supplementary,
}

/// How many there are.
const FIELDS: usize = Field::Supplementary as usize + 1;

impl<'t> Outline<'t> {
    /// Reads the object that begins with the first byte; also the number of its bytes. `around`
    /// brackets are open outside of it. `None`: go the long way.
    pub fn of(bytes: &'t [u8], around: u32, look: Look) -> Option<(Outline<'t>, usize)> {
        Outline::among(&mut Tokens::new(), bytes, 0, around, look)
    }

    /// The same for the object that begins `at`; `tokens`, which have to reach there, are moved on,
    /// and after `None` they are of no use. Also where the object ends.
    pub fn among(
        tokens: &mut Tokens,
        bytes: &'t [u8],
        at: usize,
        around: u32,
        look: Look,
    ) -> Option<(Outline<'t>, usize)> {
        on_cpu!(|simd, words| {
            let reach = Reach::new(simd, words, bytes, tokens, at)?;
            Walk::new(simd, reach, at, around, look).outline()
        })
    }

    /// The bytes of a field's value.
    #[inline]
    pub fn raw(&self, field: Field) -> Option<&'t [u8]> {
        let (from, to) = *self.spans.get(field as usize)?;
        if to == 0 { None } else { self.item.get(from as usize..to as usize) }
    }

    /// Whether there are tags, an object of strings to its last comma, without blanks and escapes.
    #[inline]
    pub fn has_usual_tags(&self) -> bool {
        self.flat_tags && (self.plain || !self.raw(Field::Tags).is_none_or(has_backslash))
    }

    /// The same as text.
    pub fn text(&self, field: Field) -> Option<&'t str> {
        std::str::from_utf8(self.raw(field)?).ok()
    }

    /// The inside of a field's value, if that is a string without escapes.
    #[inline]
    pub fn plain(&self, field: Field) -> Option<&'t [u8]> {
        let text = self.raw(field)?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        (self.plain || !has_backslash(text)).then_some(text)
    }

    /// The values of several fields as text: whether it is, is looked at but once.
    pub fn texts(&self) -> Option<impl Fn(Field) -> Option<&'t str>> {
        let (item, spans) = (std::str::from_utf8(self.item).ok()?, self.spans);
        Some(move |field| match *spans.get(field as usize)? {
            (_, 0) => None,
            (from, to) => item.get(from as usize..to as usize),
        })
    }
}

fn has_backslash(text: &[u8]) -> bool {
    any(text, |byte| byte == b'\\')
}

/// Whether some byte is so. Looks at all of them: without a way out the loop is done by vector.
#[inline]
pub(super) fn any(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |found, byte| found | is(*byte))
}

/// How closely values with brackets are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// That their brackets match and their strings end: enough for what nobody reads.
    Brackets,
    /// To the last comma.
    Everything,
}

/// Bytes of the longest known key, with its quotes and colon, and then some.
const KEY_BYTES: usize = 32;

/// A key as Config writes it.
struct Known {
    /// Its quotes and the colon included, filled up with zeros.
    text: [u8; KEY_BYTES],
    length: usize,
    /// Which of a vector's bytes count.
    mask: u64,
    /// `None` for what nobody needs.
    field: Option<Field>,
}

/// The keys of an item in the order in which Config writes them: what follows one is looked for
/// behind it first.
const KNOWN: [Known; 19] = [
    Known::new("relatedEvents", None),
    Known::new("relationships", Some(Field::Relationships)),
    Known::new("configuration", Some(Field::Configuration)),
    Known::new("supplementaryConfiguration", Some(Field::Supplementary)),
    Known::new("tags", Some(Field::Tags)),
    Known::new("configurationItemVersion", None),
    Known::new("configurationItemCaptureTime", Some(Field::Captured)),
    Known::new("configurationStateId", Some(Field::State)),
    Known::new("awsAccountId", Some(Field::Account)),
    Known::new("configurationItemStatus", Some(Field::Status)),
    Known::new("resourceType", Some(Field::Type)),
    Known::new("resourceId", Some(Field::Id)),
    Known::new("resourceName", Some(Field::Name)),
    Known::new("ARN", Some(Field::Arn)),
    Known::new("awsRegion", Some(Field::Region)),
    Known::new("availabilityZone", None),
    Known::new("configurationStateMd5Hash", None),
    Known::new("resourceCreationTime", None),
    Known::new("version", None),
];

impl Known {
    const fn new(key: &str, field: Option<Field>) -> Known {
        let mut text = [0; KEY_BYTES];
        let (inside, _) = text.split_at_mut(key.len() + 3);
        let (open, rest) = inside.split_at_mut(1);
        open.copy_from_slice(b"\"");
        let (name, close) = rest.split_at_mut(key.len());
        name.copy_from_slice(key.as_bytes());
        close.copy_from_slice(b"\":");
        Known { text, length: key.len() + 3, mask: (1 << (key.len() + 3)) - 1, field }
    }
}

/// Bits of names beside [`KNOWN`]: `accountId` and `changeType`.
const ACCOUNT_ID_BIT: usize = KNOWN.len();
const CHANGE_TYPE_BIT: usize = KNOWN.len() + 1;

/// Names that nobody knows, of one item, that are told apart; an item with more goes the long way.
const OTHERS_MAX: usize = 8;

/// Which bit stands for a known name, in any letter case.
fn bit_of(key: &[u8]) -> Option<usize> {
    let is = |known: &Known| {
        let text = known.text.get(1..known.length - 2).unwrap_or_default();
        key.eq_ignore_ascii_case(text)
    };
    KNOWN.iter().position(is).or_else(|| match () {
        () if key.eq_ignore_ascii_case(b"accountId") => Some(ACCOUNT_ID_BIT),
        () if key.eq_ignore_ascii_case(b"changeType") => Some(CHANGE_TYPE_BIT),
        () => None,
    })
}

/// The field of a key, by the names of both dialects in any letter case.
fn of_key(key: &[u8]) -> Option<Field> {
    let is = |known: &str| key.eq_ignore_ascii_case(known.as_bytes());
    match key.len() {
        3 if is("ARN") => Some(Field::Arn),
        4 if is("tags") => Some(Field::Tags),
        9 if is("awsRegion") => Some(Field::Region),
        9 if is("accountId") => Some(Field::Account),
        10 if is("resourceId") => Some(Field::Id),
        10 if is("changeType") => Some(Field::Change),
        12 if is("resourceType") => Some(Field::Type),
        12 if is("resourceName") => Some(Field::Name),
        12 if is("awsAccountId") => Some(Field::Account),
        13 if is("configuration") => Some(Field::Configuration),
        13 if is("relationships") => Some(Field::Relationships),
        20 if is("configurationStateId") => Some(Field::State),
        23 if is("configurationItemStatus") => Some(Field::Status),
        26 if is("supplementaryConfiguration") => Some(Field::Supplementary),
        28 if is("configurationItemCaptureTime") => Some(Field::Captured),
        _ => None,
    }
}

/// Walks over JSON text, checking its grammar. Every step answers `None` where the text breaks it or
/// ends.
struct Walk<'t, 'k, S: Simd, W> {
    simd: S,
    reach: Reach<'t, 'k, S, W>,
    pairs: Pairs,
    /// Where the item begins.
    from: usize,
    /// Behind what was read last.
    at: usize,
    /// Brackets open around the text.
    around: u32,
    look: Look,
    /// Which of [`KNOWN`] comes next, most likely.
    likely: usize,
    /// Names that were there: of the known ones a bit each.
    seen: u32,
    /// Where the others lie.
    others: [(usize, usize); OTHERS_MAX],
    other_count: usize,
    spans: Spans,
    flat_tags: bool,
}

impl<'t, 'k, S: Simd, W: Words> Walk<'t, 'k, S, W> {
    #[inline(always)]
    fn new(simd: S, reach: Reach<'t, 'k, S, W>, at: usize, around: u32, look: Look) -> Self {
        Walk {
            simd,
            reach,
            pairs: Pairs::default(),
            from: at,
            at,
            around,
            look,
            likely: 0,
            seen: 0,
            others: [(0, 0); OTHERS_MAX],
            other_count: 0,
            spans: [(0, 0); FIELDS],
            flat_tags: false,
        }
    }

    #[inline(always)]
    fn outline(mut self) -> Option<(Outline<'t>, usize)> {
        let end = self.object()?;
        let item = self.reach.bytes.get(self.from..end)?;
        let fits = item.len() <= ITEM_BYTES_MAX
            && self.reach.is_right()
            && self.pairs.all_match(self.reach.words)
            && (self.reach.is_ascii() || std::str::from_utf8(item).is_ok());
        let plain = self.reach.backslashes == 0;
        let outline = Outline { item, spans: self.spans, plain, flat_tags: self.flat_tags };
        fits.then_some((outline, end))
    }

    /// The end of the item that begins here.
    #[inline(always)]
    fn object(&mut self) -> Option<usize> {
        (self.peek()? == b'{' && self.at == self.from).then_some(())?;
        self.at += 1;
        if self.peek()? == b'}' {
            return Some(self.at + 1);
        }
        loop {
            let field = self.field()?;
            let first = self.peek()?;
            let from = self.at;
            match (self.look, first) {
                (_, b'"') => self.string()?,
                (Look::Brackets, b'{') if field == Some(Field::Tags) => self.tags()?,
                (Look::Brackets, b'{' | b'[') => self.brackets(first)?,
                (Look::Everything, b'{' | b'[') => self.value(first)?,
                _ => self.scalar()?,
            }
            // Null is as good as absent.
            if let Some(field) = field
                && first != b'n'
            {
                let place = self.spans.get_mut(field as usize)?;
                // Of values for one field the long way reads each, and minds what is wrong with any.
                (place.1 == 0).then_some(())?;
                *place = (offset(from - self.from)?, offset(self.at - self.from)?);
            }
            match self.peek()? {
                b',' => self.at += 1,
                // It is outside of strings, for what stands before it ended there.
                b'}' => return Some(self.at + 1),
                _ => return None,
            }
        }
    }

    /// A key of the item and its colon; the field it names, if any.
    #[inline(always)]
    fn field(&mut self) -> Option<Option<Field>> {
        let rest = self.reach.bytes.get(self.at..).unwrap_or_default();
        if let Some(start) = rest.first_chunk::<KEY_BYTES>() {
            let start = u8x32::load_array_ref(self.simd, start);
            for _ in 0..KNOWN.len() {
                let (known, bit) = (KNOWN.get(self.likely)?, self.likely);
                self.likely = if self.likely + 1 < KNOWN.len() { self.likely + 1 } else { 0 };
                let text = u8x32::load_array_ref(self.simd, &known.text);
                if start.simd_eq(text).to_bitmask() & known.mask == known.mask {
                    self.at += known.length;
                    self.note(bit)?;
                    return Some(known.field);
                }
            }
        }
        self.any_field()
    }

    /// A key in any form.
    #[inline(always)]
    fn any_field(&mut self) -> Option<Option<Field>> {
        (self.peek()? == b'"').then_some(())?;
        let from = self.at + 1;
        let end = self.reach.text_end(from)?;
        let key = self.reach.bytes.get(from..end)?;
        self.at = end + 1;
        (self.peek()? == b':').then_some(())?;
        self.at += 1;
        let field = of_key(key);
        // A key with escapes may be one of ours in disguise.
        (field.is_some() || !key.contains(&b'\\')).then_some(())?;
        match bit_of(key) {
            Some(bit) => self.note(bit)?,
            None => self.note_other(from, end)?,
        }
        Some(field)
    }

    /// A known name is there; `None` when it was before (semantics §11 row 69).
    #[inline(always)]
    fn note(&mut self, bit: usize) -> Option<()> {
        let bit = 1 << bit;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new.then_some(())
    }

    /// The same of any other name.
    #[inline(always)]
    fn note_other(&mut self, from: usize, end: usize) -> Option<()> {
        let key = self.reach.bytes.get(from..end)?;
        for (from, end) in self.others.get(..self.other_count)? {
            let other = self.reach.bytes.get(*from..*end)?;
            (!key.eq_ignore_ascii_case(other)).then_some(())?;
        }
        *self.others.get_mut(self.other_count)? = (from, end);
        self.other_count += 1;
        Some(())
    }

    /// A string that is the value of a field.
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        self.at = self.reach.text_end(self.at + 1)? + 1;
        Some(())
    }

    /// The object of the tags: as Config writes it, or any.
    #[inline(always)]
    fn tags(&mut self) -> Option<()> {
        self.at += 1;
        self.flat_tags = self.flat()?;
        if self.flat_tags {
            return Some(());
        }
        // Its own bracket is behind us.
        self.pairs.add(self.reach.words, Brackets { opens: 1, closes: 0, squares: 0 })?;
        self.brackets_on(1)
    }

    /// Names and values of an object, all strings, without blanks between them, and its end. Stops
    /// outside of strings at what is otherwise, and at a name that may be there twice.
    #[inline(always)]
    fn flat(&mut self) -> Option<bool> {
        // One more is the item itself, and one the object.
        if self.around + 2 > DEPTH_MAX {
            return Some(false);
        }
        let mut next = *self.reach.bytes.get(self.at)?;
        if next == b'}' {
            self.at += 1;
            return Some(true);
        }
        let mut names = [0; FLAT_TAGS_MAX];
        for count in 0.. {
            for end in [b':', b','] {
                if next != b'"' {
                    return Some(false);
                }
                let from = self.at + 1;
                self.string()?;
                if end == b':' {
                    let name = signature(self.reach.bytes.get(from..self.at - 1)?);
                    if names.get(..count)?.contains(&name) || count + 1 >= FLAT_TAGS_MAX {
                        return Some(false);
                    }
                    *names.get_mut(count)? = name;
                }
                next = *self.reach.bytes.get(self.at)?;
                if next == b'}' && end == b',' {
                    self.at += 1;
                    return Some(true);
                }
                if next != end {
                    return Some(false);
                }
                self.at += 1;
                next = *self.reach.bytes.get(self.at)?;
            }
        }
        None
    }

    /// One value that begins with this bracket, of which nothing is looked at but brackets and
    /// strings.
    #[inline(always)]
    fn brackets(&mut self, first: u8) -> Option<()> {
        // One more is the item itself.
        let open_max = DEPTH_MAX.checked_sub(self.around + 1)?;
        // Either closing bracket stands two behind its opening one.
        if open_max > 0 && self.reach.bytes.get(self.at + 1) == Some(&(first + 2)) {
            self.at += 2;
            return Some(());
        }
        self.brackets_on(0)
    }

    /// Goes on so inside of a value, in which so many brackets are open.
    #[inline(always)]
    fn brackets_on(&mut self, mut open: u32) -> Option<()> {
        let open_max = DEPTH_MAX.checked_sub(self.around + 1)?;
        let mut place = self.reach.seek(self.at)?;
        loop {
            let block = self.reach.brackets(place)?;
            let (up, down) = (block.opens.count_ones(), block.closes.count_ones());
            // Both are at most 64, and so are all that may be open: nothing wraps here.
            let most = open.wrapping_add(up);
            if open <= down || most > open_max {
                let end = end_within(block, open, open_max)?;
                if end != 0 {
                    let taken = end | (end - 1);
                    let (opens, closes) = (block.opens & taken, block.closes & taken);
                    self.pairs.add(self.reach.words, Brackets { opens, closes, ..block })?;
                    self.at = self.reach.at(place, end) + 1;
                    return Some(());
                }
            }
            open = most.wrapping_sub(down);
            self.pairs.add(self.reach.words, block)?;
            place = self.reach.behind(place)?;
        }
    }

    /// One value, of any kind, that begins with this byte.
    #[inline(always)]
    fn value(&mut self, mut first: u8) -> Option<()> {
        // Open brackets inside this value; bit n of `lists` tells whether the n-th is square.
        let (mut open, mut lists) = (0_u32, 0_u64);
        loop {
            match first {
                b'"' => self.text().map(|_| ())?,
                b'{' | b'[' => {
                    // One more is the item itself.
                    (self.around + 1 + open < DEPTH_MAX).then_some(())?;
                    self.at += 1;
                    // Either closing bracket stands two behind its opening one.
                    if self.peek()? == first + 2 {
                        self.at += 1;
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
                _ => self.scalar()?,
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
                        self.at += 1;
                        open -= 1;
                        lists >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// A key and its colon; where the key lies.
    #[inline(always)]
    fn key(&mut self) -> Option<(usize, usize)> {
        (self.peek()? == b'"').then_some(())?;
        let key = self.text()?;
        (self.peek()? == b':').then_some(())?;
        self.at += 1;
        Some(key)
    }

    /// The string that begins here; where its inside lies.
    #[inline(always)]
    fn text(&mut self) -> Option<(usize, usize)> {
        let from = self.at + 1;
        let to = self.reach.text_end(from)?;
        self.at = to + 1;
        Some((from, to))
    }

    /// A number or word.
    #[inline(always)]
    fn scalar(&mut self) -> Option<()> {
        self.at += scalar(self.reach.bytes.get(self.at..)?)?;
        Some(())
    }

    /// The next byte that is no white space.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.reach.bytes.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }
}

/// Tags that are told apart by their names' signatures; where there are more, the long way does.
const FLAT_TAGS_MAX: usize = 16;

/// A number that is equal for equal names, and for few others. Names of up to seven bytes have their own.
#[inline(always)]
fn signature(name: &[u8]) -> u64 {
    match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let first = u64::from_le_bytes(*first).rotate_left(29);
            first ^ u64::from_le_bytes(*last) ^ (name.len() as u64) << 56
        }
        _ => name.iter().fold(name.len() as u64, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// A place in an item. `None` in one that is too large by far.
#[inline(always)]
fn offset(at: usize) -> Option<u32> {
    u32::try_from(at).ok()
}

/// The bracket of a block that closes the last of those that are open, `open` before the block; 0
/// for none. `None` when more than `open_max` are open anywhere before.
#[inline(always)]
fn end_within(block: Brackets, mut open: u32, open_max: u32) -> Option<u64> {
    let mut left = block.opens | block.closes;
    while left != 0 {
        let lowest = left & left.wrapping_neg();
        left ^= lowest;
        if block.opens & lowest != 0 {
            (open < open_max).then_some(())?;
            open = open.wrapping_add(1);
            continue;
        }
        open = open.wrapping_sub(1);
        if open == 0 {
            return Some(lowest);
        }
    }
    Some(0)
}

/// The number of bytes of the number or word at the start, which has to end there.
pub(super) fn scalar(bytes: &[u8]) -> Option<usize> {
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
