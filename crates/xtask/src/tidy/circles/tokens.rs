//! Rust source as tokens: without comments, the insides of strings, and what only tests compile.

/// One token and the line it stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token<'t> {
    pub text: &'t str,
    pub line: usize,
}

impl Token<'_> {
    /// A name or a keyword.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a source, without items marked `#[cfg(test)]`.
pub fn shipped(text: &str) -> Vec<Token<'_>> {
    let all = tokens(text);
    let mut kept = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
        if rest.len() >= mark.len() && rest.iter().zip(mark).all(|(token, text)| token.text == text)
        {
            rest = rest.get(mark.len()..).unwrap_or_default();
            rest = rest.get(item_length(rest)..).unwrap_or_default();
        } else {
            kept.push(*first);
            rest = after;
        }
    }
    kept
}

/// How many tokens the item, field or statement at the start takes: up to its `;` or `,`, or the
/// bracket that closes its block.
fn item_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" if depth == 0 => return at,
            "}" if depth == 1 => return at + 1,
            "}" | ")" | "]" => depth -= 1,
            ";" | "," if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// All tokens. A string or a number is a token that is no word; `::` is one token.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, is_token) = token_length(rest);
        let token = rest.get(..length).unwrap_or(rest);
        if is_token {
            found.push(Token { text: token.strip_prefix("r#").unwrap_or(token), line });
        }
        line += token.matches('\n').count();
        at += token.len();
    }
    found
}

/// How long the first token, comment or white space is, and whether it is a token.
fn token_length(text: &str) -> (usize, bool) {
    let first = text.chars().next().unwrap_or(' ');
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false);
    }
    if text.starts_with("/*") {
        return (comment_length(text), false);
    }
    if let Some(length) = string_length(text) {
        return (length, true);
    }
    if first == '\'' {
        return (quote_length(text), true);
    }
    if first.is_alphanumeric() || first == '_' || text.starts_with("r#") {
        let start = if text.starts_with("r#") { 2 } else { 0 };
        let word = text.get(start..).unwrap_or_default();
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        return (start + end, true);
    }
    if text.starts_with("::") {
        return (2, true);
    }
    (first.len_utf8(), !first.is_whitespace())
}

/// The length of a block comment, which may hold others.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string of any kind, where the text begins with one.
fn string_length(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !"bcr".contains(c)).unwrap_or(text.len());
    let rest = text.get(prefix..)?;
    let is_raw = text.get(..prefix)?.ends_with('r');
    let hashes = rest.find(|c| c != '#').unwrap_or(rest.len());
    if prefix > 2 || !rest.get(hashes..)?.starts_with('"') || (hashes > 0 && !is_raw) {
        return None;
    }
    let start = prefix + hashes + 1;
    if is_raw {
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = text.get(start..)?;
        return Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    let mut is_escaped = false;
    for (at, c) in text.get(start..)?.char_indices() {
        match c {
            '"' if !is_escaped => return Some(start + at + 1),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    Some(text.len())
}

/// The length of a character (`'a'`, `'\n'`) or of a lifetime (`'a`).
fn quote_length(text: &str) -> usize {
    let mut inside = text.char_indices().skip(1);
    match inside.next() {
        Some((_, '\\')) => {
            let closing = inside.skip(1).find(|(_, c)| *c == '\'');
            closing.map_or(text.len(), |(at, _)| at + 1)
        }
        Some((at, first)) => match inside.next() {
            Some((end, '\'')) => end + 1,
            _ => at + first.len_utf8(),
        },
        None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        shipped(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_hold_no_words() {
        let text =
            "a // b\n/* c /* d */ e */ f \"g \\\" h\" r#\"i \" j\"# b'k' '\\'' l<'m> br\"n\" r#o";
        let found: Vec<&str> = words(text)
            .into_iter()
            .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()) && word.len() == 1)
            .collect();
        assert_eq!(found, ["a", "f", "b", "l", "o"]);
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let text = "a;\n#[cfg(test)]\nmod tests;\nb;\n#[cfg(test)]\nfn c(d: [u8; 2]) { e; }\nf;\n\
                    #[cfg(test)]\nmod g { fn h() { i } }\nj";
        assert_eq!(words(text), ["a", ";", "b", ";", "f", ";", "j"]);
    }

    #[test]
    fn a_token_knows_its_line() {
        let lines: Vec<usize> = shipped("a\n\"x\ny\" b").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 3]);
    }
}
