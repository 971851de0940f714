//! Turns inputs of a corpus into new ones: damaged as by a bad wire, and rearranged as by a
//! hostile hand that knows the format.

use std::ops::Range;

use palisade_wire::cbor::Reader;

use crate::prng::Prng;

/// Bytes of an input.
pub const INPUT_BYTES_MAX: usize = 8 * 1024;

/// Changes that one input undergoes.
const CHANGES_MAX: usize = 6;

/// Numbers around which readers go wrong.
const EDGES: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "63",
    "64",
    "65",
    "100",
    "101",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e309",
    "-1e309",
    "1E-400",
    "1.5",
    "0.1e1",
    "253402300799",
    "253402300799.9999",
    "253402300800",
    "-62135596800",
    "-62135596801",
    "99999999999999999999999999999999",
    "NaN",
];

/// Pieces that mean something to some reader.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b":",
    b",",
    b"null",
    b"true",
    b"false",
    b"{}",
    b"[]",
    b"\"\"",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\u0085",
    b"\\u2028",
    b"\\u2029",
    b"\\u000a",
    b"\\u005cn",
    b"\\n",
    b"\\\\n",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    "é".as_bytes(),
    "\u{85}".as_bytes(),
    "\u{2028}".as_bytes(),
    "🦀".as_bytes(),
    b"%",
    b"%2F",
    b"%2e%2e",
    b"%zz",
    b"/",
    b"//",
    b"/./",
    b"/../",
    b"?",
    b"&",
    b"=",
    b"+",
    b" ",
    b"\t",
    b"ou-ab12-abcdefgh",
    b"111122223333",
    b"0.0.0.0/0",
    b"::/0",
    // CBOR: heads of the greatest lengths, indefinite ones, tags, floats.
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x7b\x00\x00\x00\x00\x7f\xff\xff\xff",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x9f",
    b"\xbf",
    b"\x5f",
    b"\x7f",
    b"\xc1",
    b"\xd9\xd9\xf7",
    b"\xf6",
    b"\xf7",
    b"\xf9\x7e\x00",
    b"\xfa\x7f\x80\x00\x00",
    b"\xfb\x7f\xef\xff\xff\xff\xff\xff\xff",
    b"\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x1c",
];

/// Makes inputs out of a corpus.
#[derive(Debug)]
pub struct Mutator<'c> {
    corpus: &'c [Vec<u8>],
    words: Vec<&'c [u8]>,
}

impl<'c> Mutator<'c> {
    /// A mutator whose words are those of the corpus: what stands in quotes, and runs of letters
    /// and digits.
    pub fn new(corpus: &'c [Vec<u8>]) -> Self {
        let mut words: Vec<&[u8]> = corpus.iter().flat_map(|entry| words_of(entry)).collect();
        words.sort_unstable();
        words.dedup();
        Mutator { corpus, words }
    }

    /// A new input.
    pub fn input(&self, random: &mut Prng) -> Vec<u8> {
        let mut input = random.pick(self.corpus).cloned().unwrap_or_default();
        let most = random.below(CHANGES_MAX).saturating_add(1);
        for _ in 0..=random.below(most) {
            self.change(&mut input, random);
            input.truncate(INPUT_BYTES_MAX);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>, random: &mut Prng) {
        let at = random.below(input.len());
        match random.below(17) {
            0 | 1 => {
                let bit = 1 << random.below(8);
                input.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
            2 => {
                let new = random.byte();
                input.get_mut(at).into_iter().for_each(|byte| *byte = new);
            }
            3 => {
                let gone = random.stretch(input.len());
                input.drain(gone);
            }
            4 => input.truncate(at),
            5 => repeat(input, random),
            6 => {
                let piece = random.pick(PIECES).copied().unwrap_or_default();
                insert(input, at, piece);
            }
            7 => {
                let word = random.pick(&self.words).copied().unwrap_or_default();
                insert(input, at, word);
            }
            8 => self.replace_word(input, random),
            9 | 10 => replace_number(input, random),
            11 => self.splice(input, random),
            12 | 13 => self.replace_value(input, random),
            14 => nest(input, random),
            15 => self.replace_item(input, random),
            _ => {
                let moved: Vec<u8> = input.drain(random.stretch(input.len())).collect();
                let at = random.below(input.len().saturating_add(1));
                insert(input, at, &moved);
            }
        }
    }

    /// The beginning of one and the end of another.
    fn splice(&self, input: &mut Vec<u8>, random: &mut Prng) {
        let Some(other) = random.pick(self.corpus) else { return };
        input.truncate(random.below(input.len().saturating_add(1)));
        let from = random.below(other.len());
        input.extend_from_slice(other.get(from..).unwrap_or_default());
    }

    fn replace_word(&self, input: &mut Vec<u8>, random: &mut Prng) {
        let spans = spans(input, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let Some(span) = random.pick(&spans).cloned() else { return };
        let word = random.pick(&self.words).copied().unwrap_or_default();
        input.splice(span, word.iter().copied());
    }

    /// A whole JSON value for another of the corpus, so that what is around it stays readable.
    fn replace_value(&self, input: &mut Vec<u8>, random: &mut Prng) {
        let starts = value_starts(input);
        let Some(start) = random.pick(&starts).copied() else { return };
        let span = start..value_end(input, start);
        let edges: [&[u8]; 8] =
            [b"null", b"true", b"0", b"\"\"", b"[]", b"{}", b"[null]", b"{\"\":null}"];
        let value = match random.pick(self.corpus) {
            Some(other) if random.below(3) > 0 => {
                let starts = value_starts(other);
                let start = random.pick(&starts).copied().unwrap_or(0);
                other.get(start..value_end(other, start)).unwrap_or_default()
            }
            _ => random.pick(&edges).copied().unwrap_or_default(),
        };
        input.splice(span, value.iter().copied());
    }

    /// A whole CBOR item for another of the corpus.
    fn replace_item(&self, input: &mut Vec<u8>, random: &mut Prng) {
        let Some(other) = random.pick(self.corpus) else { return };
        let item = item_at(other, random.below(other.len()));
        let span = item_at(input, random.below(input.len()));
        input.splice(span, other.get(item).unwrap_or_default().iter().copied());
    }
}

/// The CBOR item that begins at `start`; the one byte there if none does.
fn item_at(input: &[u8], start: usize) -> Range<usize> {
    let mut reader = Reader::new(input.get(start..).unwrap_or_default());
    let length = match reader.head().and_then(|head| reader.skip(head, 0)) {
        Ok(()) => reader.at(),
        Err(_) => 1,
    };
    start..start.saturating_add(length).min(input.len())
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

fn repeat(input: &mut Vec<u8>, random: &mut Prng) {
    let span = random.stretch(input.len());
    let times = if random.below(8) == 0 { random.below(200) } else { random.below(4) };
    let piece = input.get(span.clone()).unwrap_or_default();
    let times = times.min(INPUT_BYTES_MAX.checked_div(piece.len()).unwrap_or(0));
    let again = piece.repeat(times);
    insert(input, span.end, &again);
}

fn nest(input: &mut Vec<u8>, random: &mut Prng) {
    let (open, close): (&[u8], &[u8]) = random
        .pick(&[
            (b"[".as_slice(), b"]".as_slice()),
            (b"{\"a\":", b"}"),
            (b"\x81", b""),
            (b"\xa1\x61a", b""),
        ])
        .copied()
        .unwrap_or_default();
    let depth = [2, 60, 61, 62, 63, 64, 65, 66, 500];
    let depth = random.pick(&depth).copied().unwrap_or(0);
    let span = random.stretch(input.len());
    insert(input, span.end, &close.repeat(depth));
    insert(input, span.start, &open.repeat(depth));
}

fn replace_number(input: &mut Vec<u8>, random: &mut Prng) {
    let spans = spans(input, |byte| byte.is_ascii_digit());
    let Some(span) = random.pick(&spans).cloned() else { return };
    let edge = random.pick(EDGES).copied().unwrap_or_default();
    input.splice(span, edge.bytes());
}

/// Runs of bytes of one kind.
fn spans(input: &[u8], is: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in input.iter().copied().chain([0]).enumerate() {
        match (is(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn words_of(entry: &[u8]) -> Vec<&[u8]> {
    let runs = spans(entry, |byte| byte.is_ascii_alphanumeric() || b"_-:./".contains(&byte));
    let quoted = value_starts(entry).into_iter().map(|start| start..value_end(entry, start));
    let short = runs.into_iter().chain(quoted).filter(|span| span.len() <= 80);
    short.filter_map(|span| entry.get(span)).collect()
}

/// Where a JSON value may begin: after `:`, `,` or `[`.
fn value_starts(input: &[u8]) -> Vec<usize> {
    let marks = input.iter().enumerate().filter(|(_, byte)| b":,[".contains(byte));
    marks.map(|(at, _)| at.saturating_add(1)).collect()
}

/// Where the value that begins at `start` ends, read leniently.
fn value_end(input: &[u8], start: usize) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in input.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    input.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_bracket_closes() {
        let text = br#"{"a":[1,{"b":"]\""}],"c":2}"#;
        assert_eq!(&text[5..value_end(text, 5)], br#"[1,{"b":"]\""}]"#);
        assert_eq!(&text[6..value_end(text, 6)], b"1");
        assert_eq!(value_end(text, 500), text.len());
    }

    #[test]
    fn a_cbor_item_ends_where_its_last_part_does() {
        let body = b"\xa1\x61a\x82\x01\x02\xff";
        for (start, end) in [(0, 6), (1, 3), (3, 6), (4, 5), (6, 7), (7, 7)] {
            assert_eq!(item_at(body, start), start..end);
        }
    }

    #[test]
    fn one_seed_makes_one_series_of_inputs_within_the_limit() {
        let corpus = vec![br#"{"type":"WAF","n":[1,2,3]}"#.to_vec(), b"/a/../b?c=%20".to_vec()];
        let mutator = Mutator::new(&corpus);
        let series = |seed| -> Vec<Vec<u8>> {
            (0..500).map(|n| mutator.input(&mut Prng::of_input(seed, "t", n))).collect()
        };
        assert_eq!(series(1), series(1));
        assert_ne!(series(1), series(2));
        assert!(series(3).iter().all(|input| input.len() <= INPUT_BYTES_MAX));
        let new = series(4).into_iter().filter(|input| !corpus.contains(input)).count();
        assert!(new > 400, "{new} of 500 are new");
    }
}
