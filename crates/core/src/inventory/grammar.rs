//! Whether an item is JSON to its last comma, told from the bits of 64 bytes at a time: in JSON
//! without blanks what may follow a byte depends on that byte alone, but for commas, behind which
//! objects have keys and lists have values.

use fearless_simd::{Simd, prelude::*, u8x64};

use super::cpu::{Words, on_cpu};
use super::outline::scalar;
use super::tokens::{BLOCK, Brackets, Strings};

/// Whether the grammar is kept by a whole item with whose brackets and strings
/// [`super::outline::Look::Brackets`] found nothing wrong. What is not taken here, as anything with
/// blanks between its tokens, is for [`super::outline::Look::Everything`] to decide.
pub(super) fn is_kept(item: &[u8]) -> bool {
    on_cpu!(|simd, words| kept(simd, words, item)).is_some()
}

#[inline(always)]
fn kept<S: Simd>(simd: S, words: impl Words, item: &[u8]) -> Option<()> {
    let mut strings = Strings::default();
    let mut before = Before::default();
    let (full, last) = item.as_chunks::<BLOCK>();
    let mut at = 0;
    for block in full {
        let tokens = Tokens::of(simd, words, &mut strings, block, item, at);
        before.is_followed(words, &tokens, u64::MAX, item, at)?;
        at += BLOCK;
    }
    if !last.is_empty() {
        // Filled up with blanks, of which nothing counts.
        let mut filled = [b' '; BLOCK];
        filled.get_mut(..last.len())?.copy_from_slice(last);
        let tokens = Tokens::of(simd, words, &mut strings, &filled, item, at);
        before.is_followed(words, &tokens, !(u64::MAX << last.len()), item, at)?;
    }
    Some(())
}

/// What is where in a block. Together with the insides of strings these are all of its bytes.
struct Tokens {
    /// Quotes that begin a string.
    begins: u64,
    /// Quotes that end one.
    ends: u64,
    /// From each beginning to before the end.
    inside: u64,
    brackets: Brackets,
    colons: u64,
    commas: u64,
    /// Numbers and words, or what has no business there.
    scalars: u64,
}

impl Tokens {
    #[inline(always)]
    fn of<S: Simd>(
        simd: S,
        words: impl Words,
        strings: &mut Strings,
        block: &[u8; BLOCK],
        item: &[u8],
        at: usize,
    ) -> Tokens {
        let bytes = u8x64::load_array_ref(simd, block);
        let block = strings.block(words, bytes, item, at);
        let (quotes, inside, brackets) = (block.quotes(), block.inside, block.brackets());
        let colons = bytes.simd_eq(b':').to_bitmask() & !inside;
        let commas = bytes.simd_eq(b',').to_bitmask() & !inside;
        let others = inside | quotes | colons | commas | brackets.opens | brackets.closes;
        let (begins, ends) = (quotes & inside, quotes & !inside);
        Tokens { begins, ends, inside, brackets, colons, commas, scalars: !others }
    }
}

/// What the blocks so far tell of the next one: of each kind, 1 when their last byte is of it.
#[derive(Default)]
struct Before {
    objects: u64,
    lists: u64,
    closes: u64,
    colons: u64,
    commas: u64,
    scalars: u64,
    keys: u64,
    values: u64,
    members: u64,
    /// 1 when a string that is a key for certain goes on, or one behind a comma.
    in_key: bool,
    in_member: bool,
    /// Which of the brackets that are open are square; bit 0 is the innermost.
    squares: u64,
}

impl Before {
    /// Whether every byte of the next block may follow the one before it; of the block, which
    /// begins `at` in the item, `known` counts.
    #[inline(always)]
    fn is_followed(
        &mut self,
        words: impl Words,
        next: &Tokens,
        known: u64,
        item: &[u8],
        at: usize,
    ) -> Option<()> {
        let Brackets { opens, closes, squares } = next.brackets;
        let behind_object = behind(opens & !squares, &mut self.objects);
        let behind_list = behind(opens & squares, &mut self.lists);
        let behind_closes = behind(closes, &mut self.closes);
        let behind_colons = behind(next.colons, &mut self.colons);
        let behind_commas = behind(next.commas, &mut self.commas);
        let behind_scalars = behind(next.scalars & known, &mut self.scalars);

        // Strings are told apart by what they stand behind: adding its first bit to those of its
        // inside carries to the quote that ends it.
        let begin_keys = next.begins & behind_object;
        let begin_members = next.begins & behind_commas;
        let end_keys = carried(next.inside, begin_keys, &mut self.in_key);
        let end_members = carried(next.inside, begin_members, &mut self.in_member);
        let behind_keys = behind(end_keys, &mut self.keys);
        let behind_members = behind(end_members, &mut self.members);
        let behind_values = behind(next.ends & !(end_keys | end_members), &mut self.values);

        let values = next.begins | opens | next.scalars;
        let behind_value = next.commas | closes;
        let wrong = behind_object & !(next.begins | closes)
            | behind_list & !(values | closes)
            | (behind_colons | behind_commas) & !values
            | (behind_values | behind_closes) & !behind_value
            | behind_scalars & !(behind_value | next.scalars)
            | behind_keys & !next.colons
            | behind_members & !(behind_value | next.colons);
        let wrong_in_objects = behind_members & !next.colons | behind_commas & !next.begins;
        let wrong_in_lists = behind_members & next.colons;
        let lists = self.lists(words, &next.brackets);
        let wrong = wrong | wrong_in_objects & !lists | wrong_in_lists & lists;
        (wrong & known == 0).then_some(())?;

        let mut begin = next.scalars & known & !behind_scalars;
        while begin != 0 {
            is_scalar(item.get(at + begin.trailing_zeros() as usize..)?)?;
            begin &= begin - 1;
        }
        Some(())
    }

    /// Which bytes of a block are in lists. A bracket is in what is around it when it opens, and in
    /// what it ends when it closes.
    #[inline(always)]
    fn lists(&mut self, words: impl Words, brackets: &Brackets) -> u64 {
        let Brackets { opens, closes, squares } = *brackets;
        let start = 0_u64.wrapping_sub(self.squares & 1);
        // Nothing is in brackets that close right where they open.
        let empty = opens & closes >> 1;
        let mut left = (opens | closes) & !(empty | empty << 1);
        let mut changes = 0;
        while left != 0 {
            let lowest = left & left.wrapping_neg();
            left ^= lowest;
            let outer = self.squares;
            self.squares = if opens & lowest != 0 {
                outer << 1 | u64::from(squares & lowest != 0)
            } else {
                outer >> 1
            };
            // Behind the bracket.
            changes |= if (outer ^ self.squares) & 1 == 0 { 0 } else { lowest << 1 };
        }
        words.inside(changes) ^ start
    }
}

/// The bits behind these; `before` is 1 when the last bit before them is set, and becomes that of
/// the next.
#[inline(always)]
fn behind(bits: u64, before: &mut u64) -> u64 {
    let behind = bits << 1 | *before;
    *before = bits >> 63;
    behind
}

/// The bits behind the runs of `runs` that begin with one of `first`, or, if `before` says so, with
/// the block; it then says so of the next.
#[inline(always)]
fn carried(runs: u64, first: u64, before: &mut bool) -> u64 {
    let (sum, over) = runs.overflowing_add(first);
    let (sum, more) = sum.overflowing_add(u64::from(*before));
    *before = over | more;
    sum & !runs
}

/// Whether a number or word begins here, and ends before something else than a blank.
#[inline(always)]
fn is_scalar(bytes: &[u8]) -> Option<()> {
    let length = scalar(bytes)?;
    matches!(bytes.get(length)?, b',' | b'}' | b']').then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::cpu::Plain;
    use crate::inventory::outline::{Look, Outline};

    /// Whether this way takes the text; `None` for what is left to no way.
    fn taken(text: &str) -> Option<bool> {
        let whole = |look| {
            let found = Outline::of(text.as_bytes(), 0, look);
            found.is_some_and(|(_, end)| end == text.len())
        };
        whole(Look::Brackets).then(|| {
            let is_kept = is_kept(text.as_bytes());
            let level = fearless_simd::Level::baseline();
            let least = fearless_simd::dispatch!(level, simd => kept(simd, Plain, text.as_bytes()));
            assert_eq!(least.is_some(), is_kept, "by every processor: {text}");
            assert!(!is_kept || whole(Look::Everything), "{text}");
            is_kept
        })
    }

    const USUAL: &str = r#"{"a":[],"b":{},"c":[{"d":"e","f":[1,-2.5e3,true,null]},{"g":""},[[],["h","i","j:k,l"]],"m",{}],"n":"\"{[","o":{"p":{"q":0,"r":{}},"s":false},"t":[0],"u":"v"}"#;

    #[test]
    fn the_usual_is_taken_wherever_it_is_cut_into_blocks() {
        for filler in 0..130 {
            let text = format!(r#"{{"":"{}",{}"#, "x".repeat(filler), &USUAL[1..]);
            assert_eq!(taken(&text), Some(true), "{text}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_not_taken() {
        for wrong in [
            r#"[1,]"#,
            r#"[,1]"#,
            r#"[,]"#,
            r#"[1 2]"#,
            r#"[1,,2]"#,
            r#"[1:2]"#,
            r#"["a":1]"#,
            r#"[1,"a":1]"#,
            r#"[:]"#,
            r#"["a""b"]"#,
            r#"["a"1]"#,
            r#"[1"a"]"#,
            r#"[1[]]"#,
            r#"[[]1]"#,
            r#"[[][]]"#,
            r#"[[]"a"]"#,
            r#"["a"[]]"#,
            r#"[{}:1]"#,
            r#"[[],"a":[]]"#,
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":1,"b"}"#,
            r#"{"a":1,2}"#,
            r#"{"a":1,{}}"#,
            r#"{"a":1,[]}"#,
            r#"{1:2}"#,
            r#"{"a"::1}"#,
            r#"{"a":"b":"c"}"#,
            r#"{{}}"#,
            r#"{[]}"#,
            r#"{"a":{},"b"}"#,
            r#"{"a":[1],"b",2}"#,
            r#"{"a""b"}"#,
            r#"{"a","b":1}"#,
            r#"{a:1}"#,
            r#"{:}"#,
            r#"[tru]"#,
            r#"[True]"#,
            r#"[01]"#,
            r#"[1.]"#,
            r#"[.5]"#,
            r#"[-]"#,
            r#"[1e]"#,
            r#"[+1]"#,
            r#"[nul]"#,
            r#"[nulll]"#,
            r#"[NaN]"#,
            r#"['a']"#,
            "[\u{e9}]",
            "[1\u{a0}]",
        ] {
            for filler in 0..66 {
                let text = format!(r#"{{"{}":{wrong},"z":0}}"#, "x".repeat(filler));
                assert_eq!(taken(&text), Some(false), "{text}");
                assert_eq!(Outline::of(text.as_bytes(), 0, Look::Everything), None, "{text}");
            }
        }
    }

    #[test]
    fn blanks_are_left_to_the_other_way() {
        for blank in [" ", "\n", "\t", "\r"] {
            for (at, _) in USUAL.match_indices([',', ':', '[', '{', ']', '}']) {
                let (before, behind) = USUAL.split_at(at + 1);
                let text = [before, blank, behind].concat();
                if at + 1 < USUAL.len()
                    && serde_json::from_str::<serde_json::Value>(&text).is_ok()
                    && serde_json::from_str::<serde_json::Value>(&text).ok()
                        == serde_json::from_str(USUAL).ok()
                {
                    assert_eq!(taken(&text), Some(false), "{text}");
                }
            }
        }
    }

    #[test]
    fn brackets_may_be_as_deep_as_they_are_taken() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for deep in [1, 2, 31, 62, 63] {
                let text = format!("{{\"a\":{}0{}}}", open.repeat(deep), close.repeat(deep));
                assert_eq!(taken(&text), Some(true), "{text}");
                let text = text.replace('0', "0,\"b\":1");
                assert_eq!(taken(&text), Some(open == "{\"a\":"), "{text}");
            }
        }
    }

    proptest::proptest! {
        /// Parts of the usual are taken out, doubled and exchanged: without blanks, this way takes
        /// just what the walk over every token takes.
        #[test]
        fn both_ways_take_the_same(
            filler in 0_usize..70,
            cuts in proptest::collection::vec((0_usize..200, 0_usize..200, 0_u8..3), 0..5),
        ) {
            let mut parts: Vec<&str> = USUAL.split_inclusive(['{', '}', '[', ']', ',', ':', '"']).collect();
            for (from, to, how) in cuts {
                let (from, to) = (from % parts.len(), to % parts.len());
                match how {
                    0 => {
                        parts.remove(from);
                    }
                    1 => parts.insert(to, parts[from]),
                    _ => parts.swap(from, to),
                }
            }
            let text = format!(r#"{{"":"{}","":{}}}"#, "x".repeat(filler), parts.concat());
            if let Some(taken) = taken(&text) {
                let every = Outline::of(text.as_bytes(), 0, Look::Everything);
                proptest::prop_assert_eq!(taken, every.is_some_and(|(_, end)| end == text.len()), "{}", text);
            }
        }
    }
}
