//! Whether the licence of a crate is among those that `deny.toml` allows.

use std::fs;

use crate::folders::root;

/// The licences of `deny.toml`'s list `allow` below `[licenses]`.
///
/// # Errors
/// When the file cannot be read or has no such list.
pub fn allowed() -> Result<Vec<String>, String> {
    let text = fs::read_to_string(root().join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    listed(&text).ok_or_else(|| "deny.toml allows no licences".to_owned())
}

fn listed(text: &str) -> Option<Vec<String>> {
    let (_, section) = text.split_once("\n[licenses]\n")?;
    let (_, list) = section.split_once("allow = [")?;
    let (list, _) = list.split_once(']')?;
    let all = list.split('"').skip(1).step_by(2).map(str::to_owned);
    Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty())
}

/// Whether an SPDX expression of names, `OR`, `AND`, `WITH` and parentheses can be met by what is
/// allowed. `AND` binds closer.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let met = any(&mut words, allowed);
    met == Some(true) && words.is_empty()
}

/// `None` where the words are no expression. They are in reverse: the next is the last.
fn any(words: &mut Vec<&str>, allowed: &[String]) -> Option<bool> {
    let mut met = all(words, allowed)?;
    while words.last() == Some(&"OR") {
        words.pop();
        met |= all(words, allowed)?;
    }
    Some(met)
}

fn all(words: &mut Vec<&str>, allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.last() == Some(&"AND") {
        words.pop();
        met &= one(words, allowed)?;
    }
    Some(met)
}

fn one(words: &mut Vec<&str>, allowed: &[String]) -> Option<bool> {
    match words.pop()? {
        "(" => {
            let met = any(words, allowed)?;
            (words.pop() == Some(")")).then_some(met)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        name => {
            let mut licence = name.to_owned();
            if words.last() == Some(&"WITH") {
                words.pop();
                licence = format!("{name} WITH {}", words.pop()?);
            }
            Some(allowed.contains(&licence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_what_is_allowed() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (expression, met) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only OR MIT", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(GPL-3.0-only OR Apache-2.0) AND Unicode-3.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("", false),
            ("MIT MIT", false),
            ("(MIT", false),
            ("MIT OR", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), met, "{expression}");
        }
    }

    #[test]
    fn the_list_is_read() {
        let text =
            "[graph]\nallow = [\"x\"]\n\n[licenses]\nallow = [\n    \"MIT\",\n    \"ISC\",\n]\n";
        assert_eq!(listed(text), Some(vec!["MIT".to_owned(), "ISC".to_owned()]));
        assert_eq!(listed("[licenses]\nallow = []\n"), None);
        assert!(allowed().unwrap().contains(&"Apache-2.0".to_owned()));
    }
}
