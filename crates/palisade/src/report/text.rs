//! Texts in lines of a width.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns of a terminal that a text takes.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// What of a text stays together: words, and of a name the parts that end in `-`, `_`, `/` or `.`. Each with the
/// blanks behind it.
pub fn pieces(text: &str, is_name: bool) -> impl Iterator<Item = &str> {
    let ends = move |c: char| c == ' ' || is_name && matches!(c, '-' | '_' | '/' | '.');
    text.split_inclusive(ends)
}

/// A text in lines of at most so many columns. A piece that is longer by itself is broken where the line ends.
pub fn wrapped(text: &str, width: usize, is_name: bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0usize;
    for piece in pieces(text, is_name) {
        let needed = width_of(piece.trim_end());
        if used > 0 && used.saturating_add(needed) > width {
            lines.push(String::new());
            used = 0;
        }
        for c in piece.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used.saturating_add(wide) > width {
                if c == ' ' {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(c);
            }
            used = used.saturating_add(wide);
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_between_words_and_names_behind_hyphens() {
        for (text, width, is_name, lines) in [
            ("", 5, false, vec![""]),
            ("one two", 7, false, vec!["one two"]),
            ("one two", 6, false, vec!["one", "two"]),
            ("one  two", 4, false, vec!["one", "two"]),
            ("sg-0123 sg-4567", 7, false, vec!["sg-0123", "sg-4567"]),
            ("no-remote-access", 10, true, vec!["no-remote-", "access"]),
            ("no-remote-access", 10, false, vec!["no-remote-", "access"]),
            ("abcdefgh", 3, true, vec!["abc", "def", "gh"]),
            ("日本語", 4, true, vec!["日本", "語"]),
        ] {
            assert_eq!(wrapped(text, width, is_name), lines, "{text} in {width}");
        }
    }
}
