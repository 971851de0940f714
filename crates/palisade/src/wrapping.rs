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

/// A text in lines broken at blanks; a word that is longer than the width has a line of its own, since ids and
/// addresses are copied from the screen.
pub fn words_in(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line)
                if width_of(line).saturating_add(1).saturating_add(width_of(word)) <= width =>
            {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text as a paragraph with a newline at its end: what is not its first line is indented. Without a width, and
/// where it fits, it is as it was.
pub fn paragraph(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| width_of(text) > *width) else {
        return format!("{text}\n");
    };
    let room = text.len().saturating_sub(text.trim_start_matches(' ').len());
    let indent = " ".repeat(room.saturating_add(2));
    let lines = words_in(text, width.saturating_sub(indent.len()));
    format!("{}{}\n", " ".repeat(room), lines.join(&format!("\n{indent}")))
}

/// Columns of what stands beside a text.
const TITLE: usize = 16;

/// A text in as many lines as it needs, with its title beside it. Without a width it has one line.
pub fn titled(title: &str, text: &str, width: Option<usize>) -> String {
    let lines = match width.and_then(|width| width.checked_sub(TITLE)).filter(|room| *room > 0) {
        Some(room) if width_of(text) > room => words_in(text, room),
        _ => vec![text.to_owned()],
    };
    let beside = format!("\n{}", " ".repeat(TITLE));
    format!("{title:<TITLE$}{}\n", lines.join(&beside))
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

    #[test]
    fn words_are_not_broken() {
        assert_eq!(words_in("a bb ccc dddddd e", 4), ["a bb", "ccc", "dddddd", "e"]);
        assert!(words_in(" ", 4).is_empty());
    }

    #[test]
    fn a_paragraph_is_indented_below_its_first_line() {
        assert_eq!(paragraph("a bb  ccc", Some(9)), "a bb  ccc\n");
        assert_eq!(paragraph("a bb ccc", None), "a bb ccc\n");
        assert_eq!(paragraph("a bb ccc dd", Some(6)), "a bb\n  ccc\n  dd\n");
        assert_eq!(paragraph("  a bb ccc", Some(9)), "  a bb\n    ccc\n");
    }
}
