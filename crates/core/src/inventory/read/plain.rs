//! A short way through bodies as Config writes them today: compact, names as they are documented,
//! strings without escapes. Whatever is unusual gives `None`, and is read by serde, which decides;
//! what is taken here is what serde makes of it, for a text that is known to be JSON.

/// Where one is in a JSON text that is known to be well formed.
pub(super) struct Plain<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Plain<'t> {
    pub fn new(text: &'t str) -> Plain<'t> {
        Plain { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then(|| self.at += 1)
    }

    /// A string, and nothing else.
    pub fn text(&mut self) -> Option<&'t str> {
        self.eat(b'"')?;
        let from = self.at;
        let rest = self.text.as_bytes().get(from..)?;
        let length = text_length(rest)?;
        (rest.get(length) == Some(&b'"')).then_some(())?;
        self.at = from + length + 1;
        self.text.get(from..from + length)
    }

    /// A whole number of few digits, and nothing else.
    pub fn number(&mut self) -> Option<i64> {
        let from = self.at;
        while matches!(self.byte()?, b'-' | b'0'..=b'9') {
            self.at += 1;
        }
        // A fraction or an exponent is left.
        matches!(self.byte()?, b',' | b'}' | b']').then_some(())?;
        self.text.get(from..self.at)?.parse().ok()
    }

    /// Any value.
    pub fn skip(&mut self) -> Option<()> {
        let mut open = 0_u32;
        loop {
            match self.byte()? {
                b'"' => {
                    self.text()?;
                }
                b'{' | b'[' => {
                    self.at += 1;
                    open += 1;
                    continue;
                }
                b'}' | b']' => {
                    self.at += 1;
                    open = open.checked_sub(1)?;
                }
                _ => {
                    self.at += 1;
                    if open > 0 || !matches!(self.byte()?, b',' | b'}' | b']') {
                        continue;
                    }
                }
            }
            if open == 0 {
                return Some(());
            }
        }
    }

    /// An object: `take` is given each name, and reads the value.
    pub fn object(&mut self, mut take: impl FnMut(&'t str, &mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.text()?;
            self.eat(b':')?;
            take(name, self)?;
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    /// A list: `take` reads each element.
    pub fn list<T>(&mut self, mut take: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        self.each(|plain| {
            // Most lists are of one, and kept as they are.
            all.reserve_exact(usize::from(all.is_empty()));
            all.push(take(plain)?);
            Some(())
        })?;
        Some(all)
    }

    /// The same, of which the elements are not kept.
    pub fn each(&mut self, mut take: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'[')?;
        if self.eat(b']').is_some() {
            return Some(());
        }
        loop {
            take(self)?;
            if self.eat(b',').is_none() {
                return self.eat(b']');
            }
        }
    }

    /// Whether the text is at its end.
    pub fn is_done(&self) -> bool {
        self.at == self.text.len()
    }
}

/// Where the first quote or backslash is.
#[inline]
fn text_length(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xFF;
    // The lowest byte that is 0 is the lowest of which the highest bit remains.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let ends = zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64));
        if ends != 0 {
            return Some(at * 8 + ends.trailing_zeros() as usize / 8);
        }
    }
    let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(bytes.len() - rest.len() + length)
}

/// The text, unless it is empty.
pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Sets a field that was not told before; a name told twice is unusual.
pub(super) fn set<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// Passes over the value of a name that is none of these; in another letter case it is one of them,
/// and unusual.
pub(super) fn skip_other(name: &str, known: &[&str], plain: &mut Plain<'_>) -> Option<()> {
    let is_known = |one: &&str| name.eq_ignore_ascii_case(one);
    if known.iter().any(is_known) { None } else { plain.skip() }
}
