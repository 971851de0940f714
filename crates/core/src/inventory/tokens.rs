//! Where brackets and quotes stand in JSON text, 64 bytes at a time: comparing bytes is done by
//! vector, and what is left of a block is a few words of bits, one for each byte. (The idea is that
//! of simdjson: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.)

use fearless_simd::{Simd, prelude::*, u8x64};

use super::cpu::Words;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Walks over the brackets and the quotes of a JSON text, those inside of strings left out. Ends
/// early at what no string may hold.
pub(super) struct Tokens<'t, S: Simd, W> {
    simd: S,
    words: W,
    bytes: &'t [u8],
    /// Where the next block begins.
    next: usize,
    /// Quotes of the last block that are still to come.
    quotes: u64,
    /// Brackets of it that are, by whether they open or close something.
    opens: u64,
    closes: u64,
    /// Those of them, and others, that are square.
    squares: u64,
    /// Every backslash of the last block.
    backslashes: u64,
    /// All bits set when the last block ended inside a string.
    in_text: u64,
    /// 1 when the first byte of the next block is escaped.
    escaped: u64,
    /// All bytes so far, laid over each other.
    seen: u8x64<S>,
}

/// Brackets of a part of a block.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    pub opens: u64,
    pub closes: u64,
    /// Which of both, and of other bytes, are square.
    pub squares: u64,
}

impl<'t, S: Simd, W: Words> Tokens<'t, S, W> {
    #[inline(always)]
    pub fn new(simd: S, words: W, bytes: &'t [u8]) -> Self {
        Tokens {
            simd,
            words,
            bytes,
            next: 0,
            quotes: 0,
            opens: 0,
            closes: 0,
            squares: 0,
            backslashes: 0,
            in_text: 0,
            escaped: 0,
            seen: u8x64::splat(simd, 0),
        }
    }

    /// Where the next quote or bracket is.
    #[inline(always)]
    pub fn next(&mut self) -> Option<usize> {
        loop {
            let tokens = self.quotes | self.opens | self.closes;
            if tokens != 0 {
                self.forget(tokens ^ (tokens - 1));
                return Some(self.at(tokens));
            }
            self.advance()?;
        }
    }

    /// Passes over what lies before `at`, which is not before the last block.
    #[inline(always)]
    pub fn seek(&mut self, at: usize) -> Option<()> {
        while at >= self.next {
            self.advance()?;
        }
        self.forget(!(u64::MAX << (at % BLOCK)));
        Some(())
    }

    /// Where the string ends whose inside begins here, and whether there may be a backslash in it.
    #[inline(always)]
    pub fn text_end(&mut self, from: usize) -> Option<(usize, bool)> {
        self.seek(from)?;
        let mut backslashes = self.backslashes;
        while self.quotes == 0 {
            self.advance()?;
            backslashes |= self.backslashes;
        }
        Some((self.at(self.quotes), backslashes != 0))
    }

    /// The brackets of the block that are still to come.
    #[inline(always)]
    pub fn brackets(&self) -> Brackets {
        Brackets { opens: self.opens, closes: self.closes, squares: self.squares }
    }

    /// Where in the text the lowest of these bits of the last block is.
    #[inline(always)]
    pub fn at(&self, bits: u64) -> usize {
        self.next - BLOCK + bits.trailing_zeros() as usize
    }

    /// Passes over these bits of the last block.
    #[inline(always)]
    fn forget(&mut self, bits: u64) {
        self.quotes &= !bits;
        self.opens &= !bits;
        self.closes &= !bits;
    }

    /// Whether every byte of the blocks so far is ASCII.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        let ascii = u8x64::splat(self.simd, 0x7F);
        self.seen.simd_gt(ascii).to_bitmask() == 0
    }

    /// Looks at the next block.
    #[inline(always)]
    pub fn advance(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.next..)?;
        match rest.first_chunk::<BLOCK>() {
            Some(full) => self.take(full, rest),
            None => {
                let full = last_block(rest)?;
                self.take(&full, rest)
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: &[u8; BLOCK], rest: &[u8]) -> Option<()> {
        let block = u8x64::load_array_ref(self.simd, bytes);
        // Square brackets and braces differ in one bit.
        let lower = block | u8x64::splat(self.simd, 0x20);
        let mut quotes = equal(block, b'"');
        let backslashes = equal(block, b'\\');
        self.seen |= block;
        if backslashes | self.escaped != 0 {
            let escaped = self.escapes(backslashes);
            // An escape is one of a few letters, most often a quote or a backslash.
            let rarer = escaped & !(quotes | backslashes);
            quotes &= !escaped;
            if rarer != 0 {
                check_escapes(rarer, rest)?;
            }
        }
        // From its opening quote to before the closing one a byte is inside.
        let inside = self.words.inside(quotes) ^ self.in_text;
        self.in_text = 0_u64.wrapping_sub(inside >> 63);
        // No string may hold a control character, and nothing but a string a backslash.
        let controls = block.simd_lt(u8x64::splat(self.simd, b' ')).to_bitmask();
        if controls & inside | backslashes & !inside != 0 {
            return None;
        }
        self.quotes = quotes;
        self.backslashes = backslashes;
        self.opens = equal(lower, b'{') & !inside;
        self.closes = equal(lower, b'}') & !inside;
        self.squares = !lower.simd_eq(block).to_bitmask();
        self.next += BLOCK;
        Some(())
    }

    /// The bytes that a backslash before them escapes.
    #[inline(always)]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        // A backslash that is escaped itself escapes nothing. Runs of backslashes alternate: adding
        // to those that begin at an odd place carries to the byte behind the run.
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let escaping = backslashes & !self.escaped;
        let follows = escaping << 1 | self.escaped;
        let odd_starts = escaping & ODD & !follows;
        let (even_runs, overflow) = odd_starts.overflowing_add(escaping);
        self.escaped = u64::from(overflow);
        let inverted = even_runs << 1;
        (!ODD ^ inverted) & follows
    }
}

/// Which bytes of a block are this one.
#[inline(always)]
fn equal<S: Simd>(block: u8x64<S>, byte: u8) -> u64 {
    block.simd_eq(byte).to_bitmask()
}

/// The last block of a text is filled up with blanks.
#[cold]
fn last_block(rest: &[u8]) -> Option<[u8; BLOCK]> {
    if rest.is_empty() {
        return None;
    }
    let mut full = [b' '; BLOCK];
    full.get_mut(..rest.len())?.copy_from_slice(rest);
    Some(full)
}

/// Escapes other than of quotes and backslashes; `rest` is the text from the block on.
#[cold]
fn check_escapes(mut escapes: u64, rest: &[u8]) -> Option<()> {
    while escapes != 0 {
        let at = escapes.trailing_zeros() as usize;
        escapes &= escapes - 1;
        match rest.get(at)? {
            b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = rest.get(at + 1..at + 5)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            }
            _ => return None,
        }
    }
    Some(())
}
