//! What must not be printed, taken out of what is.

use std::borrow::Cow;

/// What stands for a secret.
const MASK: &str = "***";

/// Text without the user and password of addresses in it, such as
/// `postgres://user:password@host/name`: what stands between `://` and the last `@` of the same word.
/// Passwords may hold any character, so that rather too much is taken out.
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find(ends_word).unwrap_or(after.len());
        let (word, more) = after.split_at(end);
        let Some((_, host)) = word.rsplit_once('@') else {
            shown.extend([before, "://", word]);
            rest = more;
            continue;
        };
        shown.extend([before, "://", MASK, "@", host]);
        rest = more;
    }
    if shown.is_empty() {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// An address as it may be shown, also where it is none: without what stands before its last `@`.
pub fn address(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        Some((_, host)) if !text.contains("://") => Cow::Owned(format!("{MASK}@{host}")),
        Some(_) | None => masked(text),
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '<' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_user_and_password() {
        for (text, shown) in [
            ("nothing to hide", "nothing to hide"),
            ("at http://localhost:1/x", "at http://localhost:1/x"),
            ("`postgres://u:pw@h/db` is", "`postgres://***@h/db` is"),
            ("postgres://u:p@/#?w@h", "postgres://***@h"),
            ("https://token@h and http://a:b@c.", "https://***@h and http://***@c."),
            ("://@", "://***@"),
            ("a@b://c", "a@b://c"),
            ("http://a http://b:c@d", "http://a http://***@d"),
        ] {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(&masked(text)), shown);
        }
        assert_eq!(address("user:pw@host:80"), "***@host:80");
        assert_eq!(address("http://user:pw@host"), "http://***@host");
        assert_eq!(address("localhost"), "localhost");
    }
}
