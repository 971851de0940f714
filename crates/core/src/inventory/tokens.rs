//! Where brackets and quotes stand in JSON text, 64 bytes at a time: comparing bytes is done by
//! vector, and what is left of a block is a few words of bits, one for each byte. (The idea is that
//! of simdjson: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.)
//!
//! Blocks are looked at many at once, in a loop that does nothing else, and walked over afterwards.

use fearless_simd::{Simd, prelude::*, u8x64};

use super::cpu::Words;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// Blocks that are looked at in one go.
const BLOCKS: usize = 64;

/// The tokens of a part of a text, which moves on as the text is walked over. Strings are told from
/// what is outside of them by all that was looked at, so that it has to begin outside of any.
#[derive(Debug)]
pub(super) struct Tokens {
    /// What is where in each block; behind the last is one with nothing.
    blocks: [Found; BLOCKS + 1],
    /// Some string holds what none may, or there is a backslash outside of strings: where is not
    /// kept, for such items are rare, and those near them go the long way as well.
    faulty: bool,
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

/// What of a block is walked over.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// Quotes that begin or end a string.
    quotes: u64,
    brackets: Brackets,
    backslashes: u64,
}

impl Found {
    const NOTHING: Found =
        Found { quotes: 0, brackets: Brackets { opens: 0, closes: 0, squares: 0 }, backslashes: 0 };
}

/// Brackets of a part of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brackets {
    /// Those outside of strings, by whether they open or close something.
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
            blocks: [Found::NOTHING; BLOCKS + 1],
            faulty: false,
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
        let (full, last) = bytes.get(self.next..)?.as_chunks::<BLOCK>();
        let mut strings = Strings { in_text: self.in_text, escaped: self.escaped };
        let mut seen = u8x64::splat(simd, 0);
        let (mut faults, mut count) = (0, 0);
        let places = self.blocks.iter_mut().take(BLOCKS);
        for (block, place) in full.iter().zip(places) {
            let loaded = u8x64::load_array_ref(simd, block);
            seen |= loaded;
            let at = self.next + count * BLOCK;
            let block = strings.block(words, loaded, bytes, at);
            *place = block.found;
            faults |= block.faults;
            count += 1;
        }
        if count < BLOCKS && !last.is_empty() {
            // The last block of a text is filled up with blanks.
            let mut filled = [b' '; BLOCK];
            filled.get_mut(..last.len())?.copy_from_slice(last);
            let loaded = u8x64::load_array_ref(simd, &filled);
            seen |= loaded;
            let block = strings.block(words, loaded, bytes, self.next + count * BLOCK);
            *self.blocks.get_mut(count)? = block.found;
            faults |= block.faults;
            count += 1;
        }
        (self.in_text, self.escaped) = (strings.in_text, strings.escaped);
        (self.faulty, self.count) = (faults != 0, count);
        self.start = self.next;
        self.next += count * BLOCK;
        self.wide = seen.simd_gt(0x7F).to_bitmask() != 0;
        *self.blocks.get_mut(count)? = Found::NOTHING;
        (count > 0).then_some(())
    }
}

/// What is where in a block.
pub(super) struct Block {
    found: Found,
    /// What no string may hold, and backslashes outside of strings.
    faults: u64,
}

/// What the blocks so far tell of the next one.
#[derive(Clone, Copy, Default)]
pub(super) struct Strings {
    in_text: u64,
    escaped: u64,
}

impl Strings {
    /// Looks at the block that begins `at` in the text.
    #[inline(always)]
    pub fn block<S: Simd>(
        &mut self,
        words: impl Words,
        bytes: u8x64<S>,
        text: &[u8],
        at: usize,
    ) -> Block {
        // Square brackets and braces differ in one bit.
        let lower = bytes | 0x20;
        let quotes = bytes.simd_eq(b'"').to_bitmask();
        let backslashes = bytes.simd_eq(b'\\').to_bitmask();
        let controls = bytes.simd_lt(b' ').to_bitmask();
        let (escaped, wrong) = self.escapes(quotes, backslashes, text, at);
        let quotes = quotes & !escaped;
        let inside = self.inside(words, quotes);
        let brackets = Brackets {
            opens: lower.simd_eq(b'{').to_bitmask() & !inside,
            closes: lower.simd_eq(b'}').to_bitmask() & !inside,
            squares: !lower.simd_eq(bytes).to_bitmask(),
        };
        Block {
            found: Found { quotes, brackets, backslashes },
            // No string may hold a control character, and nothing but a string a backslash.
            faults: controls & inside | backslashes & !inside | wrong,
        }
    }

    /// The bytes that a backslash before them escapes, and whether one of them may not be escaped:
    /// then something is set.
    #[inline(always)]
    fn escapes(&mut self, quotes: u64, backslashes: u64, text: &[u8], at: usize) -> (u64, u64) {
        if backslashes | self.escaped == 0 {
            return (0, 0);
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
        let wrong = rarer != 0 && are_wrong(rarer, text, at);
        (escaped, u64::from(wrong))
    }

    /// From its opening quote to before the closing one a byte is inside of a string.
    #[inline(always)]
    fn inside(&mut self, words: impl Words, quotes: u64) -> u64 {
        let inside = words.inside(quotes) ^ self.in_text;
        self.in_text = 0_u64.wrapping_sub(inside >> 63);
        inside
    }
}

/// Whether some escape, other than of quotes and backslashes, is none, in the block that begins `at`
/// in the text.
#[cold]
fn are_wrong(mut escapes: u64, text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
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
    /// The item has part of the blocks among `tokens`.
    begun: bool,
    /// Some byte of a block before `tokens` is not ASCII.
    wide: bool,
    /// 0 if no string that was walked over holds a backslash.
    pub backslashes: u64,
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
        let mut reach =
            Reach { simd, words, bytes, tokens, begun: false, wide: false, backslashes: 0 };
        reach.seek(at)?;
        reach.begun = true;
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

    /// Where the string ends whose inside begins here.
    #[inline(always)]
    pub fn text_end(&mut self, from: usize) -> Option<usize> {
        let place = self.seek(from)?;
        let this = self.tokens.blocks.get(place.block)?;
        let next = self.tokens.blocks.get(place.block + 1)?;
        // Most strings are short: the next 64 bytes, wherever they are cut into blocks.
        let shift = place.from.trailing_zeros();
        let near = this.quotes >> shift | next.quotes << 1 << (63 - shift);
        self.backslashes |= this.backslashes | next.backslashes;
        if near != 0 {
            return Some(from + near.trailing_zeros() as usize);
        }
        self.far_text_end(place)
    }

    /// The same for a long string, and for one that goes on behind the blocks.
    #[inline(always)]
    fn far_text_end(&mut self, mut place: Place) -> Option<usize> {
        self.backslashes = u64::MAX;
        loop {
            place = self.behind(place)?;
            let quotes = self.tokens.blocks.get(place.block)?.quotes;
            if quotes != 0 {
                return Some(self.at(place, quotes));
            }
        }
    }

    /// The brackets from the place to the end of its block.
    #[inline(always)]
    pub fn brackets(&self, place: Place) -> Option<Brackets> {
        let Brackets { opens, closes, squares } = self.tokens.blocks.get(place.block)?.brackets;
        Some(Brackets { opens: opens & place.from, closes: closes & place.from, squares })
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

    /// Whether nothing is wrong with the strings of the item, which ended, nor with those around it.
    #[inline(always)]
    pub fn is_right(&self) -> bool {
        !self.tokens.faulty
    }

    /// Whether all of the item's bytes are ASCII for certain.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        !(self.wide || self.tokens.wide)
    }

    #[inline(always)]
    fn refill(&mut self) -> Option<()> {
        if self.begun && self.tokens.faulty {
            return None;
        }
        self.wide |= self.begun && self.tokens.wide;
        self.tokens.refill(self.simd, self.words, self.bytes)
    }
}
