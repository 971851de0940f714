//! Text of callers and files as it may be shown: in logs, tables, CSV and messages. What would move a
//! terminal's cursor, begin another line, reorder a line or hide in it is written as an escape.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that are not shown as themselves: those of Unicode's categories Cc, Cf, Zl and Zp
/// (controls of C0 and C1, formats such as bidirectional overrides and zero-width joiners, line and
/// paragraph separators), and the letters without a glyph that names are hidden with.
const HIDDEN: [(char, char); 31] = [
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
    ('\u{e0080}', '\u{e00ff}'),
    ('\u{e0100}', '\u{e01ef}'),
    ('\u{e01f0}', '\u{e0fff}'),
];

/// Whether a character is written as an escape.
pub fn is_hidden(c: char) -> bool {
    let range = HIDDEN.iter().find(|(_, last)| c <= *last);
    range.is_some_and(|(first, _)| c >= *first)
}

/// One line of text with every hidden character escaped as Rust writes it: `\n`, `\u{1b}`. A line
/// break is one of them: what a caller sends is no second line.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hidden) else { return Cow::Borrowed(text) };
    let (shown, rest) = text.split_at(first);
    let mut line = String::with_capacity(text.len() + 8);
    line.push_str(shown);
    for c in rest.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if is_hidden(c) => {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

/// JSON with hidden characters escaped as JSON escapes them: for programs it is the same text. Those
/// of C0 a writer of JSON has escaped already; what is left of them lays the text out.
pub fn escaped_json(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| c > '\u{1f}' && is_hidden(c);
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if !is_hidden(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_hides_or_breaks_a_line_is_escaped() {
        for (text, shown) in [
            ("plain, mit Umläuten, 日本語, a\\b", "plain, mit Umläuten, 日本語, a\\b"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("a\u{9b}2J", "a\\u{9b}2J"),
            ("gpj\u{202e}exe.", "gpj\\u{202e}exe."),
            ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{e0041}", "\\u{e0041}"),
            ("\0\u{7f}", "\\u{0}\\u{7f}"),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(escaped(&escaped(text)), shown, "once is enough");
        }
        assert!(matches!(escaped("plain"), Cow::Borrowed(_)));
    }

    /// Held against Unicode's own tables, as the regular expressions' crate has them.
    #[test]
    fn every_control_format_and_line_separator_is_hidden() {
        let unicode = regex::Regex::new(r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$").unwrap();
        let letters = regex::Regex::new(r"^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]$").unwrap();
        let fillers = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
        for c in '\0'..=char::MAX {
            let mut buffer = [0; 4];
            let text = &*c.encode_utf8(&mut buffer);
            if unicode.is_match(text) {
                assert!(is_hidden(c), "{:x}", u32::from(c));
            }
            if letters.is_match(text) && !fillers.contains(&c) {
                assert!(!is_hidden(c), "{:x}", u32::from(c));
            }
        }
    }

    #[test]
    fn json_stays_the_same_to_programs() {
        let name = "a\u{1b}\n\u{9b}\u{202e}\u{e0041}b";
        let text = format!("{:#}\n", serde_json::json!({ "name": name }));
        let shown = escaped_json(&text);
        assert!(!shown.contains(|c| c != '\n' && is_hidden(c)), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            serde_json::json!({ "name": name })
        );
    }
}
