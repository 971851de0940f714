//! Where brackets and quotes stand in JSON text, 64 bytes at a time: comparing bytes is done by
//! vector, and what is left of a block is a few words of bits, one for each byte. (The idea is that
//! of simdjson: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.)

use wide::u8x16;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Walks over the brackets and the quotes of a JSON text, those inside of strings left out. Ends
/// early at what no string may hold.
pub(super) struct Tokens<'t> {
    bytes: &'t [u8],
    /// Where the next block begins.
    next: usize,
    /// Quotes of the last block that are still to come.
    quotes: u64,
    /// Brackets of it that are.
    brackets: u64,
    /// All bits set when the last block ended inside a string.
    in_text: u64,
    /// 1 when the first byte of the next block is escaped.
    escaped: u64,
}

/// Which bytes of a block are what.
struct Block {
    quotes: u64,
    backslashes: u64,
    brackets: u64,
    /// Below the blank.
    controls: u64,
}

impl<'t> Tokens<'t> {
    pub fn new(bytes: &'t [u8]) -> Self {
        Tokens { bytes, next: 0, quotes: 0, brackets: 0, in_text: 0, escaped: 0 }
    }

    /// Where the next quote or bracket is.
    #[inline]
    pub fn next(&mut self) -> Option<usize> {
        loop {
            let tokens = self.quotes | self.brackets;
            if tokens != 0 {
                self.quotes &= tokens - 1;
                self.brackets &= tokens - 1;
                return Some(self.next - BLOCK + tokens.trailing_zeros() as usize);
            }
            self.advance()?;
        }
    }

    /// Where the next bracket is; the quotes before it are passed over.
    #[inline]
    pub fn bracket(&mut self) -> Option<usize> {
        loop {
            let tokens = self.brackets;
            if tokens != 0 {
                self.brackets &= tokens - 1;
                // Up to and with the lowest bit.
                self.quotes &= !(tokens ^ (tokens - 1));
                return Some(self.next - BLOCK + tokens.trailing_zeros() as usize);
            }
            self.advance()?;
        }
    }

    /// Looks at the next block.
    #[inline]
    fn advance(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.next..)?;
        match rest.first_chunk::<BLOCK>() {
            Some(full) => self.take(full, rest),
            None => self.take_last(rest),
        }
    }

    /// The last block of a text is filled up with blanks.
    #[cold]
    fn take_last(&mut self, rest: &[u8]) -> Option<()> {
        if rest.is_empty() {
            return None;
        }
        let mut full = [b' '; BLOCK];
        full.get_mut(..rest.len())?.copy_from_slice(rest);
        self.take(&full, rest)
    }

    #[inline]
    fn take(&mut self, bytes: &[u8; BLOCK], rest: &[u8]) -> Option<()> {
        let block = Block::of(bytes);
        let mut quotes = block.quotes;
        if block.backslashes | self.escaped != 0 {
            let escaped = self.escapes(block.backslashes);
            quotes &= !escaped;
            // An escape is one of a few letters, most often a quote or a backslash.
            let rarer = escaped & !(block.quotes | block.backslashes);
            if rarer != 0 {
                check_escapes(rarer, rest)?;
            }
        }
        // From its opening quote to before the closing one a byte is inside.
        let inside = inside(quotes) ^ self.in_text;
        self.in_text = 0_u64.wrapping_sub(inside >> 63);
        // No string may hold a control character, and nothing but a string a backslash.
        if block.controls & inside != 0 || block.backslashes & !inside != 0 {
            return None;
        }
        self.quotes = quotes;
        self.brackets = block.brackets & !inside;
        self.next += BLOCK;
        Some(())
    }

    /// The bytes that a backslash before them escapes.
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

impl Block {
    #[inline]
    fn of(bytes: &[u8; BLOCK]) -> Block {
        let mut block = Block { quotes: 0, backslashes: 0, brackets: 0, controls: 0 };
        let (sixteens, _) = bytes.as_chunks::<16>();
        let mut some_controls = u8x16::ZERO;
        for (n, sixteen) in sixteens.iter().enumerate() {
            let sixteen = u8x16::new(*sixteen);
            let is = |byte: u8| sixteen.simd_eq(u8x16::splat(byte));
            // Square brackets and braces differ in one bit.
            let lower = sixteen | u8x16::splat(0x20);
            let brackets = lower.simd_eq(u8x16::splat(b'{')) | lower.simd_eq(u8x16::splat(b'}'));
            some_controls |= sixteen.min(u8x16::splat(0x1F)).simd_eq(sixteen);
            let bits = |mask: u8x16| u64::from(mask.to_bitmask()) << (16 * n);
            block.quotes |= bits(is(b'"'));
            block.backslashes |= bits(is(b'\\'));
            block.brackets |= bits(brackets);
        }
        if some_controls.to_bitmask() != 0 {
            block.controls = controls(bytes);
        }
        block
    }
}

/// Bytes below the blank: line breaks of an indented file, and what no string may hold.
#[cold]
fn controls(bytes: &[u8; BLOCK]) -> u64 {
    let (sixteens, _) = bytes.as_chunks::<16>();
    sixteens.iter().enumerate().fold(0, |controls, (n, sixteen)| {
        let sixteen = u8x16::new(*sixteen);
        let is_control = sixteen.min(u8x16::splat(0x1F)).simd_eq(sixteen);
        controls | u64::from(is_control.to_bitmask()) << (16 * n)
    })
}

/// Every bit that has an odd number of set bits up to and with itself: inside of strings, where the
/// set bits are quotes.
#[inline]
fn inside(quotes: u64) -> u64 {
    let mut bits = quotes;
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

/// Escapes other than of quotes and backslashes; `rest` is the text from the block on.
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
