//! Finds the items of a delivered file without building a tree: pushed bytes in, one item's raw
//! text out.
//!
//! Only the outermost level of a file is looked into, so that a snapshot of any size streams by:
//! the elements of its lists of items go out one at a time. Whatever else stands at the top (an
//! item by itself, a notification, a queue record) is small and goes out whole as a record, for
//! [`super::envelope`] to open. Keys may come in any order: an object is held back until a key
//! tells that it is a container, or until it ends.

use super::delivery_error::DeliveryError;
use super::limits::{ITEM_BYTES_MAX, PREAMBLE_BYTES_MAX};
use super::opaque::Opaque;
use super::outline::{Look, Outline};
use super::tokens::Tokens;

/// Bytes of an item that are kept, when the end of a chunk cuts it, to be tried again with what
/// follows. Of longer ones every byte is looked at once.
const CUT_BYTES_MAX: usize = 64 * 1024;

/// With so many more bytes such an item is tried first: most are shorter.
const CUT_MORE: usize = 8 * 1024;

/// Longest key looked at; longer ones are none that we know.
const KEY_BYTES_MAX: usize = 256;

/// What a piece of raw text is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// An element of a list of configuration items.
    Item,
    /// A row of a query result.
    Row,
    /// An element of a top-level list or of a list of messages, or a whole top-level object.
    Record,
    /// The members of an object around its lists, as text of an object: all that stand before, between
    /// or behind them.
    Around,
    /// The value of another key: skipped.
    Other,
}

/// What the splitter hands out.
pub(super) enum Piece<'a> {
    /// Raw text of a value, balanced but otherwise unchecked.
    Raw(Role, &'a [u8]),
    /// A whole item, of which the outline is known already.
    Outlined(&'a Outline<'a>, &'a [u8]),
    /// A value of more than [`ITEM_BYTES_MAX`].
    TooLarge,
    /// A value with more than [`DEPTH_MAX`](super::DEPTH_MAX) brackets in each other.
    TooDeep(&'a [u8]),
    /// Members around lists that are too much or too deep to be read.
    AroundUnread,
    /// An object with lists ended.
    End(Root),
}

/// What the keys of one top-level object told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Root {
    /// It holds a list of items, rows or messages.
    pub container: bool,
    /// It holds a list of configuration items.
    pub items: bool,
    /// `configSnapshotId`
    pub snapshot_id: bool,
    /// `requestId`, which very old snapshots have instead.
    pub request_id: bool,
    /// It holds a list of rows of a query's result.
    pub rows: bool,
    /// A value of `nextToken`: an API response, of which this is a part.
    pub next_token: bool,
    /// `baseConfigurationItems`: the current state of some resources, never of all.
    pub batch: bool,
    /// A value of `unprocessedResourceKeys` or `UnprocessedResourceIdentifiers`.
    pub left_out: bool,
    /// `palisadeCollection`
    pub collection: bool,
    /// One of those that tell whether it is whole stands there twice.
    pub twice: bool,
    /// Those that stood there: a bit each of [`TELLING`].
    told: u16,
}

/// The members of a container that tell whether it is whole.
const TELLING: [&str; 8] = [
    "configSnapshotId",
    "requestId",
    "nextToken",
    "unprocessedResourceKeys",
    "UnprocessedResourceIdentifiers",
    "palisadeCollection",
    "configurationItems",
    "baseConfigurationItems",
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    /// Before, between or after top-level values.
    Outside,
    /// In an object, before a key; `true` when `}` may come instead.
    Key(bool),
    InKey,
    Colon,
    Value,
    /// In an object, after a value.
    AfterValue,
    /// In a list, before an element; `true` when `]` may come instead.
    Element(bool),
    AfterElement,
    /// In a value that is not looked into.
    Opaque,
}

pub(super) struct Splitter {
    at: At,
    /// Bytes of earlier chunks.
    offset: u64,
    /// In the list of an object, rather than in a top-level list.
    in_object: bool,
    role: Role,
    key: Vec<u8>,
    /// It has an escape.
    key_escaped: bool,
    /// Its last byte escapes the next.
    key_escapes: bool,
    value: Opaque,
    /// The captured part of earlier chunks.
    held: Vec<u8>,
    capturing: bool,
    /// What is held is the beginning of an item that was tried and is to be tried again.
    cut: bool,
    /// The tokens of the items of this chunk.
    tokens: Tokens,
    too_large: bool,
    too_deep: bool,
    preamble: bool,
    /// Facts of the object that is open, or of the last one.
    pub root: Root,
    /// Top-level values that ended.
    pub roots: u64,
    /// Some object held a list of items or rows, if an empty one.
    pub lists: bool,
}

type Sink<'s> = &'s mut dyn FnMut(Piece<'_>);

impl Splitter {
    pub fn new() -> Splitter {
        Splitter {
            at: At::Outside,
            offset: 0,
            in_object: false,
            role: Role::Other,
            key: Vec::new(),
            key_escaped: false,
            key_escapes: false,
            value: Opaque::default(),
            held: Vec::new(),
            capturing: false,
            cut: false,
            tokens: Tokens::new(),
            too_large: false,
            too_deep: false,
            preamble: false,
            root: Root::default(),
            roots: 0,
            lists: false,
        }
    }

    pub fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<(), DeliveryError> {
        let next = if self.cut { self.go_on(bytes, sink)? } else { 0 };
        self.walk(bytes, next, true, sink)
    }

    /// Goes on with an item that the end of the last chunk cut; the number of bytes that are used.
    fn go_on(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<usize, DeliveryError> {
        let before = self.held.len();
        let mut more = 0;
        while more < bytes.len() && self.held.len() < CUT_BYTES_MAX {
            let to = bytes.len().min(more + (more + CUT_MORE));
            self.held.extend_from_slice(bytes.get(more..to).unwrap_or_default());
            more = to;
            let found = Outline::of(&self.held, self.depth(), Look::Brackets);
            if let Some((outline, end)) = found
                && let Some(used) = end.checked_sub(before)
            {
                sink(Piece::Outlined(&outline, self.held.get(..end).unwrap_or_default()));
                self.held.clear();
                self.cut = false;
                self.at = At::AfterElement;
                return Ok(used);
            }
        }
        self.held.truncate(before);
        self.give_up(sink)?;
        Ok(0)
    }

    /// Looks at every byte of an item that was cut.
    fn give_up(&mut self, sink: Sink<'_>) -> Result<(), DeliveryError> {
        self.cut = false;
        let held = std::mem::take(&mut self.held);
        self.offset = self.offset.saturating_sub(held.len() as u64);
        self.walk(&held, 0, false, sink)
    }

    /// Walks over a chunk from a place on. `short`: an item may be taken, or kept, as a whole.
    fn walk(
        &mut self,
        bytes: &[u8],
        mut next: usize,
        short: bool,
        sink: Sink<'_>,
    ) -> Result<(), DeliveryError> {
        self.tokens.forget();
        // Start of the captured part in this chunk.
        let mut from = 0;
        while let Some(&byte) = bytes.get(next) {
            if self.at == At::Opaque {
                let rest = bytes.get(next..).unwrap_or_default();
                match self.value.scan(rest, self.depth()) {
                    Ok(None) => break,
                    Ok(Some(taken)) => {
                        next += taken;
                        self.value_ended(bytes.get(from..next).unwrap_or_default(), sink);
                    }
                    Err((at, byte)) => return Err(self.unexpected(byte, next + at)),
                }
                continue;
            }
            let is_item = byte == b'{' && matches!(self.at, At::Element(_));
            if short && is_item && self.role == Role::Item {
                let around = self.depth();
                if !self.tokens.reach(next) {
                    self.tokens.restart(next);
                }
                let found = Outline::among(&mut self.tokens, bytes, next, around, Look::Brackets);
                if let Some((outline, end)) = &found {
                    sink(Piece::Outlined(outline, bytes.get(next..*end).unwrap_or_default()));
                    next = *end;
                    self.at = At::AfterElement;
                    continue;
                }
                let rest = bytes.get(next..).unwrap_or_default();
                if rest.len() <= CUT_BYTES_MAX && self.tokens.are_all_of(bytes) {
                    self.held.clear();
                    self.held.extend_from_slice(rest);
                    self.cut = true;
                    break;
                }
                // The long way may end elsewhere.
                self.tokens.forget();
            }
            next += usize::from(self.step(byte, bytes, next, &mut from, sink)?);
        }
        if self.capturing {
            self.hold(bytes.get(from..).unwrap_or_default());
        }
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// The end of the file: everything must be closed.
    pub fn finish(&mut self, sink: Sink<'_>) -> Result<(), DeliveryError> {
        if self.cut {
            self.give_up(sink)?;
        }
        if self.at == At::Outside { Ok(()) } else { Err(DeliveryError::Truncated(self.offset)) }
    }

    /// Whether no value is begun.
    pub fn is_outside(&self) -> bool {
        self.at == At::Outside
    }

    /// Whether there was nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.at == At::Outside && self.roots == 0 && !self.preamble
    }

    /// One byte outside of opaque values; whether it is consumed.
    fn step(
        &mut self,
        byte: u8,
        bytes: &[u8],
        next: usize,
        from: &mut usize,
        sink: Sink<'_>,
    ) -> Result<bool, DeliveryError> {
        if self.at == At::InKey {
            return Ok(self.in_key(byte));
        }
        if self.at == At::Outside {
            self.outside(byte, next, from)?;
            return Ok(true);
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return Ok(true);
        }
        match (self.at, byte) {
            (At::Key(_), b'"') => {
                self.key.clear();
                self.key_escaped = false;
                self.at = At::InKey;
            }
            (At::Key(true) | At::AfterValue, b'}') => {
                self.root_ended(bytes.get(*from..=next).unwrap_or_default(), sink);
            }
            (At::Colon, b':') => self.at = At::Value,
            (At::AfterValue, b',') => self.at = At::Key(false),
            (At::AfterElement, b',') => self.at = At::Element(false),
            (At::Element(true) | At::AfterElement, b']') => {
                if self.in_object {
                    self.at = At::AfterValue;
                    self.role = Role::Around;
                    (self.capturing, *from) = (true, next + 1);
                } else {
                    self.outside_again();
                }
            }
            (At::Value, _) => {
                let captured = bytes.get(*from..next).unwrap_or_default();
                return self.value_begins(byte, captured, next, sink);
            }
            (At::Element(_), _) => {
                self.capturing = true;
                *from = next;
                self.opaque_begins(byte, next)?;
                return Ok(false);
            }
            _ => return Err(self.unexpected(byte, next)),
        }
        Ok(true)
    }

    fn outside(&mut self, byte: u8, next: usize, from: &mut usize) -> Result<(), DeliveryError> {
        let again = self.roots > 0;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            0xEF | 0xBB | 0xBF if self.offset + (next as u64) < 3 => {}
            // Text after the JSON of an e-mail may hold brackets, but not a second object. Without such text,
            // values may follow each other as streams write them, with nothing between.
            b'{' if again && self.preamble => {
                return Err(DeliveryError::Trailing(self.position(next)));
            }
            b'[' if again && self.preamble => {}
            b'{' => {
                self.root = Root::default();
                self.too_deep = false;
                self.in_object = true;
                self.capturing = true;
                *from = next;
                self.at = At::Key(true);
            }
            b'[' if !self.preamble => {
                self.root = Root { container: true, ..Root::default() };
                self.in_object = false;
                self.role = Role::Record;
                self.at = At::Element(true);
            }
            _ if again && self.preamble => {}
            _ if again => return Err(DeliveryError::Trailing(self.position(next))),
            0..=0x1F => return Err(self.unexpected(byte, next)),
            _ => {
                self.preamble = true;
                if self.position(next) >= PREAMBLE_BYTES_MAX {
                    return Err(DeliveryError::NoJson);
                }
            }
        }
        Ok(())
    }

    fn outside_again(&mut self) {
        self.roots += 1;
        self.at = At::Outside;
    }

    fn in_key(&mut self, byte: u8) -> bool {
        let escaped = std::mem::replace(&mut self.key_escapes, false);
        match byte {
            b'"' if !escaped => {
                self.at = At::Colon;
                return true;
            }
            b'\\' if !escaped => {
                self.key_escapes = true;
                self.key_escaped = true;
            }
            _ => {}
        }
        // Of a longer one it is enough where it ends.
        if self.key.len() < KEY_BYTES_MAX {
            self.key.push(byte);
        }
        true
    }

    /// The byte is the first of a value in the top-level object; `captured` is the captured part in
    /// this chunk.
    fn value_begins(
        &mut self,
        byte: u8,
        captured: &[u8],
        next: usize,
        sink: Sink<'_>,
    ) -> Result<bool, DeliveryError> {
        self.role = self.role_of_key(byte);
        if self.role != Role::Other {
            self.around(captured, sink);
            self.root.container = true;
            self.root.rows |= self.role == Role::Row;
            self.root.items |= self.role == Role::Item;
            self.lists |= matches!(self.role, Role::Item | Role::Row);
            self.capturing = false;
            (self.too_large, self.too_deep) = (false, false);
            self.held.clear();
            self.at = At::Element(true);
            return Ok(true);
        }
        self.opaque_begins(byte, next)?;
        Ok(false)
    }

    /// What the list under the current key is a list of; notes telling keys by the way. `byte` is
    /// the first of the value.
    fn role_of_key(&mut self, byte: u8) -> Role {
        let decoded;
        let mut key = self.key.as_slice();
        if self.key_escaped {
            let quoted = [b"\"", key, b"\""].concat();
            decoded = serde_json::from_slice::<String>(&quoted).unwrap_or_default();
            key = decoded.as_bytes();
        }
        let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
        if let Some(at) = TELLING.iter().position(|name| is(name)) {
            self.root.twice |= self.root.told & (1 << at) != 0;
            self.root.told |= 1 << at;
        }
        self.root.snapshot_id |= byte == b'"' && is("configSnapshotId");
        self.root.request_id |= byte == b'"' && is("requestId");
        self.root.next_token |= byte != b'n' && is("nextToken");
        self.root.left_out |=
            byte != b'n' && (is("unprocessedResourceKeys") || is("UnprocessedResourceIdentifiers"));
        self.root.collection |= is("palisadeCollection");
        if byte != b'[' {
            Role::Other
        } else if is("configurationItems") {
            Role::Item
        } else if is("baseConfigurationItems") {
            self.root.batch = true;
            Role::Item
        } else if is("results") {
            Role::Row
        } else if is("records") || is("messages") {
            Role::Record
        } else {
            Role::Other
        }
    }

    fn opaque_begins(&mut self, byte: u8, next: usize) -> Result<(), DeliveryError> {
        if !matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            return Err(self.unexpected(byte, next));
        }
        self.value = Opaque::default();
        self.at = At::Opaque;
        Ok(())
    }

    /// An opaque value ended; `captured` is the captured part in this chunk.
    fn value_ended(&mut self, captured: &[u8], sink: Sink<'_>) {
        self.too_deep |= self.value.too_deep;
        if matches!(self.role, Role::Other | Role::Around) {
            self.at = At::AfterValue;
        } else {
            self.release(self.role, captured, sink);
            self.at = At::AfterElement;
        }
    }

    fn root_ended(&mut self, captured: &[u8], sink: Sink<'_>) {
        if self.root.container {
            self.around(captured, sink);
            sink(Piece::End(self.root));
        } else {
            self.release(Role::Record, captured, sink);
        }
        self.outside_again();
    }

    /// Hands out the members before a list, or behind it. They begin with a brace, or the comma behind
    /// a list, and end with a brace, or the colon before one.
    fn around(&mut self, captured: &[u8], sink: Sink<'_>) {
        let small = self.held.len().saturating_add(captured.len()) <= ITEM_BYTES_MAX;
        if self.too_large || self.too_deep || !small {
            sink(Piece::AroundUnread);
        } else {
            let text = [self.held.as_slice(), captured].concat();
            let inside = text.trim_ascii().strip_prefix(b",").map(|inside| [b"{", inside].concat());
            let mut object = inside.unwrap_or(text);
            if object.trim_ascii_end().ends_with(b":") {
                object.extend_from_slice(b"null}");
            }
            if object.starts_with(b"{") {
                sink(Piece::Raw(Role::Around, &object));
            }
        }
        self.held.clear();
        self.capturing = false;
        (self.too_large, self.too_deep) = (false, false);
    }

    fn release(&mut self, role: Role, captured: &[u8], sink: Sink<'_>) {
        let small = self.held.len().saturating_add(captured.len()) <= ITEM_BYTES_MAX;
        if self.too_large || !small {
            sink(Piece::TooLarge);
        } else {
            let raw = if self.held.is_empty() {
                captured
            } else {
                self.held.extend_from_slice(captured);
                &self.held
            };
            sink(if self.too_deep { Piece::TooDeep(raw) } else { Piece::Raw(role, raw) });
        }
        self.held.clear();
        self.capturing = false;
        (self.too_large, self.too_deep) = (false, false);
    }

    fn hold(&mut self, captured: &[u8]) {
        if self.too_large || self.held.len().saturating_add(captured.len()) > ITEM_BYTES_MAX {
            self.too_large = true;
            self.held.clear();
        } else {
            self.held.extend_from_slice(captured);
        }
    }

    /// Memory that is held between chunks, bytes.
    #[cfg(test)]
    pub fn held_bytes(&self) -> usize {
        self.key.capacity() + self.held.capacity()
    }

    /// Nesting around an opaque value.
    fn depth(&self) -> u32 {
        let in_list = !matches!(self.role, Role::Other | Role::Around);
        1 + u32::from(self.in_object && in_list)
    }

    fn position(&self, next: usize) -> u64 {
        self.offset.saturating_add(next as u64)
    }

    fn unexpected(&self, byte: u8, next: usize) -> DeliveryError {
        DeliveryError::NotJson { at: self.position(next), found: byte }
    }
}
