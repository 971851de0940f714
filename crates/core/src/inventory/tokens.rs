//! Where brackets and quotes stand in JSON text, 64 bytes at a time: comparing bytes is done by
//! vector, and what is left of a block is a few words of bits, one for each byte. (The idea is that
//! of simdjson: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.)
//!
//! Blocks are looked at many at once, in a loop that does nothing else, and walked over afterwards.

use fearless_simd::{Simd, prelude::*, u8x64};

use super::cpu::Words;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Blocks that are looked at in one go.
const BLOCKS: usize = 64;

/// The tokens of a part of a text, which moves on as the text is walked over. Strings are told from
/// what is outside of them by all that was looked at, so that it has to begin outside of any.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Quotes that begin or end a string, by block; none in the one behind the last.
    quotes: [u64; BLOCKS + 1],
    /// Brackets outside of strings, by whether they open or close something.
    opens: [u64; BLOCKS],
    closes: [u64; BLOCKS],
    /// Those of them, and other bytes, that are square.
    squares: [u64; BLOCKS],
    /// Blocks with a backslash.
    slashed: u64,
    /// Blocks with something that no string may hold, or with a backslash outside of strings.
    faulty: u64,
    /// Some byte is not ASCII.
    wide: bool,
    /// Where in the text the first block begins.
    start: usize,
    /// How many blocks there are.
    count: usize,
    /// Where the next block begins.
    next: usize,
    /// All bits set when the last block ended inside a string.
    in_text: u64,
    /// 1 when the first byte of the next block is escaped.
    escaped: u64,
}

/// Brackets of a part of a block.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    pub opens: u64,
    pub closes: u64,
    /// Which of both, and of other bytes, are square.
    pub squares: u64,
}

/// A place in a text of which the tokens are known.
#[derive(Clone, Copy)]
pub(super) struct Place {
    block: usize,
    /// The bits from the place on.
    pub from: u64,
}

impl Tokens {
    pub fn new() -> Tokens {
        Tokens {
            quotes: [0; BLOCKS + 1],
            opens: [0; BLOCKS],
            closes: [0; BLOCKS],
            squares: [0; BLOCKS],
            slashed: 0,
            faulty: 0,
            wide: false,
            start: 0,
            count: 0,
            next: 0,
            in_text: 0,
            escaped: 0,
        }
    }

    /// Begins anew at this place of a text, which has to be outside of strings.
    pub fn restart(&mut self, at: usize) {
        (self.start, self.count, self.next) = (at, 0, at);
        (self.in_text, self.escaped) = (0, 0);
    }

    /// Whether the place `at` may be walked to: it is among the blocks, or right behind them.
    pub fn reach(&self, at: usize) -> bool {
        (self.start..=self.next).contains(&at)
    }

    /// Whether the text was looked at to its end.
    pub fn are_all_of(&self, bytes: &[u8]) -> bool {
        self.next >= bytes.len()
    }

    /// No place may be walked to any more.
    pub fn forget(&mut self) {
        self.restart(usize::MAX);
    }

    /// The place, if its tokens are known.
    #[inline(always)]
    fn place(&self, at: usize) -> Option<Place> {
        let ahead = at.wrapping_sub(self.start);
        let block = ahead / BLOCK;
        (block < self.count).then_some(Place { block, from: u64::MAX << (ahead % BLOCK) })
    }

    /// Looks at the next blocks of the text; `None` at its end.
    ///
    /// A function of its own, for it is called from many places.
    #[inline(always)]
    fn refill<S: Simd>(&mut self, simd: S, words: impl Words, bytes: &[u8]) -> Option<()> {
        simd.vectorize(
            #[inline(always)]
            || self.look(simd, words, bytes),
        )
    }

    #[inline(always)]
    fn look<S: Simd>(&mut self, simd: S, words: impl Words, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes.get(self.next..)?;
        let (full, last) = rest.as_chunks::<BLOCK>();
        let mut strings = Strings { in_text: self.in_text, escaped: self.escaped };
        let mut seen = u8x64::splat(simd, 0);
        let (mut slashed, mut faulty, mut count) = (0, 0, 0);
        let places = self.quotes.iter_mut().zip(&mut self.opens).zip(&mut self.closes);
        let mut places = places.zip(&mut self.squares);
        for (block, (((quotes, opens), closes), squares)) in full.iter().zip(places.by_ref()) {
            let bytes = u8x64::load_array_ref(simd, block);
            seen |= bytes;
            let block = strings.block(words, bytes, rest);
            (*quotes, *opens) = (block.quotes, block.brackets.opens);
            (*closes, *squares) = (block.brackets.closes, block.brackets.squares);
            slashed |= u64::from(block.slashed) << count;
            faulty |= u64::from(block.faulty) << count;
            count += 1;
            rest = rest.get(BLOCK..)?;
        }
        if count < BLOCKS && !last.is_empty() {
            // The last block of a text is filled up with blanks.
            let mut filled = [b' '; BLOCK];
            filled.get_mut(..last.len())?.copy_from_slice(last);
            let bytes = u8x64::load_array_ref(simd, &filled);
            seen |= bytes;
            let block = strings.block(words, bytes, rest);
            *self.quotes.get_mut(count)? = block.quotes;
            *self.opens.get_mut(count)? = block.brackets.opens;
            *self.closes.get_mut(count)? = block.brackets.closes;
            *self.squares.get_mut(count)? = block.brackets.squares;
            slashed |= u64::from(block.slashed) << count;
            faulty |= u64::from(block.faulty) << count;
            count += 1;
        }
        (self.in_text, self.escaped) = (strings.in_text, strings.escaped);
        (self.slashed, self.faulty, self.count) = (slashed, faulty, count);
        self.start = self.next;
        self.next += count * BLOCK;
        self.wide = seen.simd_gt(0x7F).to_bitmask() != 0;
        // Behind the last block there are no quotes.
        *self.quotes.get_mut(count)? = 0;
        (count > 0).then_some(())
    }
}

/// What is where in a block.
struct Block {
    quotes: u64,
    brackets: Brackets,
    slashed: bool,
    faulty: bool,
}

/// What the blocks so far tell of the next one.
#[derive(Clone, Copy)]
struct Strings {
    in_text: u64,
    escaped: u64,
}

impl Strings {
    /// Looks at a block; `rest` is the text from the block on.
    #[inline(always)]
    fn block<S: Simd>(&mut self, words: impl Words, bytes: u8x64<S>, rest: &[u8]) -> Block {
        // Square brackets and braces differ in one bit.
        let lower = bytes | 0x20;
        let quotes = bytes.simd_eq(b'"').to_bitmask();
        let backslashes = bytes.simd_eq(b'\\').to_bitmask();
        let controls = bytes.simd_lt(b' ').to_bitmask();
        let (escaped, wrong) = self.escapes(quotes, backslashes, rest);
        let quotes = quotes & !escaped;
        let inside = self.inside(words, quotes);
        // No string may hold a control character, and nothing but a string a backslash.
        let fault = controls & inside | backslashes & !inside;
        Block {
            quotes,
            brackets: Brackets {
                opens: lower.simd_eq(b'{').to_bitmask() & !inside,
                closes: lower.simd_eq(b'}').to_bitmask() & !inside,
                squares: !lower.simd_eq(bytes).to_bitmask(),
            },
            slashed: backslashes != 0,
            faulty: fault != 0 || wrong,
        }
    }

    /// The bytes that a backslash before them escapes, and whether one of them may not be escaped.
    /// `rest` is the text from the block on.
    #[inline(always)]
    fn escapes(&mut self, quotes: u64, backslashes: u64, rest: &[u8]) -> (u64, bool) {
        if backslashes | self.escaped == 0 {
            return (0, false);
        }
        // A backslash that is escaped itself escapes nothing. Runs of backslashes alternate: adding
        // to those that begin at an odd place carries to the byte behind the run.
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let escaping = backslashes & !self.escaped;
        let follows = escaping << 1 | self.escaped;
        let odd_starts = escaping & ODD & !follows;
        let (even_runs, overflow) = odd_starts.overflowing_add(escaping);
        self.escaped = u64::from(overflow);
        let inverted = even_runs << 1;
        let escaped = (!ODD ^ inverted) & follows;
        // An escape is one of a few letters, most often a quote or a backslash.
        let rarer = escaped & !(quotes | backslashes);
        (escaped, rarer != 0 && are_wrong(rarer, rest))
    }

    /// From its opening quote to before the closing one a byte is inside of a string.
    #[inline(always)]
    fn inside(&mut self, words: impl Words, quotes: u64) -> u64 {
        let inside = words.inside(quotes) ^ self.in_text;
        self.in_text = 0_u64.wrapping_sub(inside >> 63);
        inside
    }
}

/// Whether some escape, other than of quotes and backslashes, is none; `rest` is the text from the
/// block on.
#[cold]
fn are_wrong(mut escapes: u64, rest: &[u8]) -> bool {
    while escapes != 0 {
        let at = escapes.trailing_zeros() as usize;
        escapes &= escapes - 1;
        let right = match rest.get(at) {
            Some(b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
            Some(b'u') => {
                let digits = rest.get(at + 1..at + 5);
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => false,
        };
        if !right {
            return true;
        }
    }
    false
}

/// One item of a text, as its tokens are walked over.
pub(super) struct Reach<'t, 'k, S, W> {
    simd: S,
    pub words: W,
    pub bytes: &'t [u8],
    tokens: &'k mut Tokens,
    /// The blocks that the item has part of, so far as they are passed already or among `tokens`.
    own: u64,
    /// Some byte of a block before `tokens` is not ASCII.
    wide: bool,
}

impl<'t, 'k, S: Simd, W: Words> Reach<'t, 'k, S, W> {
    /// The item that begins `at`.
    #[inline(always)]
    pub fn new(
        simd: S,
        words: W,
        bytes: &'t [u8],
        tokens: &'k mut Tokens,
        at: usize,
    ) -> Option<Self> {
        let mut reach = Reach { simd, words, bytes, tokens, own: 0, wide: false };
        let place = reach.seek(at)?;
        reach.own = u64::MAX << place.block;
        Some(reach)
    }

    /// The place `at`, which is not before those asked for earlier.
    #[inline(always)]
    pub fn seek(&mut self, at: usize) -> Option<Place> {
        loop {
            if let Some(place) = self.tokens.place(at) {
                return Some(place);
            }
            self.refill()?;
        }
    }

    /// Where the string ends whose inside begins here, and whether there may be a backslash in it.
    #[inline(always)]
    pub fn text_end(&mut self, from: usize) -> Option<(usize, bool)> {
        let place = self.seek(from)?;
        let slashes = self.tokens.slashed >> place.block;
        // Most strings are short: the next 64 bytes, wherever they are cut into blocks.
        let shift = place.from.trailing_zeros();
        let quotes = *self.tokens.quotes.get(place.block)? >> shift;
        let behind = *self.tokens.quotes.get(place.block + 1)? << 1 << (63 - shift);
        let near = quotes | behind;
        if near != 0 {
            let touched = if quotes != 0 { 1 } else { 3 };
            return Some((from + near.trailing_zeros() as usize, slashes & touched != 0));
        }
        self.far_text_end(place)
    }

    /// The same for a long string, and for one that goes on behind the blocks.
    #[inline(always)]
    fn far_text_end(&mut self, mut place: Place) -> Option<(usize, bool)> {
        loop {
            place = self.behind(place)?;
            let quotes = *self.tokens.quotes.get(place.block)?;
            if quotes != 0 {
                return Some((self.at(place, quotes), true));
            }
        }
    }

    /// The brackets from the place to the end of its block.
    #[inline(always)]
    pub fn brackets(&self, place: Place) -> Option<Brackets> {
        Some(Brackets {
            opens: *self.tokens.opens.get(place.block)? & place.from,
            closes: *self.tokens.closes.get(place.block)? & place.from,
            squares: *self.tokens.squares.get(place.block)?,
        })
    }

    /// The block behind that of a place.
    #[inline(always)]
    pub fn behind(&mut self, place: Place) -> Option<Place> {
        let block = place.block + 1;
        if block < self.tokens.count {
            return Some(Place { block, from: u64::MAX });
        }
        self.refill()?;
        Some(Place { block: 0, from: u64::MAX })
    }

    /// Where in the text the lowest of these bits is, in the block of the place.
    #[inline(always)]
    pub fn at(&self, place: Place, bits: u64) -> usize {
        self.tokens.start + place.block * BLOCK + bits.trailing_zeros() as usize
    }

    /// The item ends before `end`; whether nothing is wrong with the blocks of it.
    #[inline(always)]
    pub fn is_right(&mut self, end: usize) -> Option<()> {
        let last = self.seek(end.checked_sub(1)?)?;
        let passed = u64::MAX >> (BLOCKS - 1 - last.block);
        (self.tokens.faulty & self.own & passed == 0).then_some(())
    }

    /// Whether all of the item's bytes are ASCII for certain.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        !(self.wide || self.tokens.wide)
    }

    #[inline(always)]
    fn refill(&mut self) -> Option<()> {
        if self.tokens.faulty & self.own != 0 {
            return None;
        }
        self.wide |= self.own != 0 && self.tokens.wide;
        self.own = if self.own == 0 { 0 } else { u64::MAX };
        self.tokens.refill(self.simd, self.words, self.bytes)
    }
}
