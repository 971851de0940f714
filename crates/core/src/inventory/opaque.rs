//! Finds where one JSON value ends, minding only strings and brackets: what is inside is checked
//! by whoever reads it.

use super::limits::DEPTH_MAX;

/// Scans one value to its end, minding only strings and brackets.
#[derive(Debug, Default)]
pub(super) struct Opaque {
    depth: u32,
    /// Bit n tells whether the n-th open bracket is square, of those within [`DEPTH_MAX`].
    square: u64,
    /// Nested beyond [`DEPTH_MAX`]: its brackets are counted on, to find where it ends.
    pub too_deep: bool,
    in_text: bool,
    escaped: bool,
    in_scalar: bool,
}

impl Opaque {
    /// The number of bytes up to the end of the value, or `None` when it goes on. `around` brackets
    /// are open outside of it.
    ///
    /// # Errors
    /// Where a byte stands that cannot stand there, and which.
    pub fn scan(&mut self, bytes: &[u8], around: u32) -> Result<Option<usize>, (usize, u8)> {
        let mut next = 0;
        while let Some(&byte) = bytes.get(next) {
            if self.in_text {
                match self.text(bytes.get(next..).unwrap_or_default()) {
                    None => return Ok(None),
                    Some(taken) => next += taken,
                }
                if self.depth == 0 {
                    return Ok(Some(next));
                }
                continue;
            }
            match byte {
                b'"' if !self.in_scalar => self.in_text = true,
                b'{' | b'[' if !self.in_scalar => {
                    if self.is_at_limit(around) {
                        self.too_deep = true;
                    } else {
                        self.square = self.square << 1 | u64::from(byte == b'[');
                    }
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if !self.is_at_limit(around) {
                        if (self.square & 1 == 1) != (byte == b']') {
                            return Err((next, byte));
                        }
                        self.square >>= 1;
                    }
                    if self.depth == 0 {
                        return Ok(Some(next + 1));
                    }
                }
                b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => {
                    return Ok(Some(next));
                }
                _ if self.depth == 0 => {
                    let scalar = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                    if !scalar {
                        return Err((next, byte));
                    }
                    self.in_scalar = true;
                }
                _ => {}
            }
            next += 1;
        }
        Ok(None)
    }

    /// Whether a bracket that opens now is one too many.
    fn is_at_limit(&self, around: u32) -> bool {
        around.saturating_add(self.depth) >= DEPTH_MAX
    }

    /// The number of bytes up to the end of the string whose inside begins here.
    fn text(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_text = false;
                return Some(at + 1);
            }
        }
        None
    }
}
