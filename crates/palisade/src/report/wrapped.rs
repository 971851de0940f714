//! Text in lines of a width, broken at blanks.

/// The lines of a text; a word that is longer than the width has a line of its own.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_words_are_not() {
        assert_eq!(wrapped("a bb ccc dddddd e", 4), ["a bb", "ccc", "dddddd", "e"]);
        assert!(wrapped(" ", 4).is_empty());
    }
}
