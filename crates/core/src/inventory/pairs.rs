//! Whether brackets match by kind, many at once. Where a value with brackets ends is told by counting
//! them; that each is closed by one of its own kind is settled later, for up to 64 in one go.

use super::cpu::Words;
use super::tokens::Brackets;

/// Brackets in the order of the text, moved together; bit 0 is the first.
#[derive(Default)]
pub(super) struct Pairs {
    /// Which of the brackets that wait open something.
    opens: u64,
    /// Which are square.
    squares: u64,
    /// How many wait.
    count: u32,
    /// Which of the brackets that are open before these are square; bit 0 is the innermost.
    open_squares: u64,
    /// How many are. INVARIANT: at most 64; who adds brackets minds the depth.
    open: u32,
}

impl Pairs {
    /// Adds the brackets of a block; `None` when some that wait do not match.
    #[inline(always)]
    pub fn add(&mut self, words: impl Words, more: Brackets) -> Option<()> {
        let brackets = more.opens | more.closes;
        let count = brackets.count_ones();
        if self.count.wrapping_add(count) >= u64::BITS {
            self.settle(words)?;
        }
        // Fewer than 64 wait, now.
        self.opens |= words.pack(more.opens, brackets).wrapping_shl(self.count);
        self.squares |= words.pack(more.squares, brackets).wrapping_shl(self.count);
        self.count = self.count.wrapping_add(count);
        Some(())
    }

    /// Whether all that wait match and nothing is left open.
    #[inline(always)]
    pub fn all_match(mut self, words: impl Words) -> bool {
        self.settle(words).is_some() && self.open == 0
    }

    /// Matches the brackets that wait with each other and with those before.
    #[inline(always)]
    fn settle(&mut self, words: impl Words) -> Option<()> {
        let (mut opens, mut squares, mut count) = (self.opens, self.squares, self.count);
        (self.opens, self.squares, self.count) = (0, 0, 0);
        loop {
            // The innermost pairs: what opens, and what closes right behind it.
            let pairs = opens & !(opens >> 1) & first(count.saturating_sub(1));
            if pairs == 0 {
                break;
            }
            if pairs & (squares ^ squares >> 1) != 0 {
                return None;
            }
            let rest = first(count) & !(pairs | pairs << 1);
            opens = words.pack(opens, rest);
            squares = words.pack(squares, rest);
            count = rest.count_ones();
        }
        // What is left first closes what was open before, then opens more.
        let closed = opens.trailing_zeros().min(count);
        if closed > self.open || (squares ^ self.open_squares) & first(closed) != 0 {
            return None;
        }
        let opened = count - closed;
        let newly = squares.checked_shr(closed).unwrap_or(0).reverse_bits();
        self.open_squares = self.open_squares.checked_shr(closed).unwrap_or(0);
        self.open_squares = self.open_squares.checked_shl(opened).unwrap_or(0)
            | newly.checked_shr(u64::BITS - opened).unwrap_or(0);
        self.open = self.open - closed + opened;
        Some(())
    }
}

/// So many of the lowest bits.
#[inline(always)]
fn first(count: u32) -> u64 {
    !u64::MAX.checked_shl(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::cpu::{Plain, on_cpu};

    /// The brackets of a text in blocks of so many bytes.
    fn blocks(text: &str, size: usize) -> Vec<Brackets> {
        let bits = |block: &[u8], any: &[u8]| {
            let is = |(at, byte): (usize, &u8)| u64::from(any.contains(byte)) << at;
            block.iter().enumerate().map(is).sum::<u64>()
        };
        let block = |block: &[u8]| Brackets {
            opens: bits(block, b"[{"),
            closes: bits(block, b"]}"),
            squares: bits(block, b"[]x"),
        };
        text.as_bytes().chunks(size).map(block).collect()
    }

    fn all_match(words: impl Words, blocks: &[Brackets]) -> bool {
        let mut pairs = Pairs::default();
        blocks.iter().all(|block| pairs.add(words, *block).is_some()) && pairs.all_match(words)
    }

    /// One bracket after the other.
    fn matches(text: &str) -> bool {
        let mut open = Vec::new();
        for byte in text.bytes() {
            match byte {
                b'{' | b'[' => open.push(byte + 2),
                b'}' | b']' if open.pop() != Some(byte) => return false,
                _ => {}
            }
        }
        open.is_empty()
    }

    proptest::proptest! {
        #[test]
        fn many_at_once_are_matched_as_one_after_the_other(
            steps in proptest::collection::vec((0_u8..8, 0_u8..2), 0..300),
            size in 1_usize..=64,
            wrong in proptest::option::of(0_usize..300),
        ) {
            // A matching text with, at most, one bracket exchanged.
            let (mut text, mut open) = (String::new(), Vec::new());
            for (step, kind) in steps {
                match step {
                    0..3 if open.len() < 60 => {
                        text.push(if kind == 0 { '{' } else { '[' });
                        open.push(if kind == 0 { '}' } else { ']' });
                    }
                    3 => text.push('x'),
                    _ => text.extend(open.pop()),
                }
            }
            text.extend(open.into_iter().rev());
            if let Some(at) = wrong.filter(|at| *at < text.len()) {
                let other = match text.as_bytes()[at] {
                    b'{' => "[",
                    b'[' => "{",
                    b'}' => "]",
                    b']' => "}",
                    _ => "x",
                };
                text.replace_range(at..=at, other);
            }
            let blocks = blocks(&text, size);
            proptest::prop_assert_eq!(all_match(Plain, &blocks), matches(&text), "{}", text);
            let best = on_cpu!(|simd, words| {
                let _ = simd;
                all_match(words, &blocks)
            });
            proptest::prop_assert_eq!(best, matches(&text), "{}", text);
        }
    }

    #[test]
    fn as_many_as_fit_and_one_more() {
        for depth in [1_usize, 31, 32, 33, 63, 64] {
            for (open, close) in [("[", "]"), ("{", "}")] {
                let right = open.repeat(depth) + &close.repeat(depth);
                let other = if close == "]" { "}" } else { "]" };
                let wrong = open.repeat(depth) + &close.repeat(depth - 1) + other;
                for size in [1, 2, 63, 64] {
                    assert!(all_match(Plain, &blocks(&right, size)), "{right} by {size}");
                    assert!(!all_match(Plain, &blocks(&wrong, size)), "{wrong} by {size}");
                }
            }
        }
        assert!(!all_match(Plain, &blocks("]", 64)));
        assert!(!all_match(Plain, &blocks("[", 64)));
    }
}
