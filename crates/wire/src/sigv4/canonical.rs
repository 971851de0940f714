//! The canonical request: one text for all the ways of writing the same request.

use super::{Index, RequestParts, digit};

/// How a path becomes canonical.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathForm {
    /// Dot segments and repeated slashes removed, then encoded once more: every service but S3.
    Normalized,
    /// Encoded once more as it is.
    AsGiven,
    /// Decoded, then encoded once, so that it stays as a strict client sends it: S3.
    EncodedOnce,
}

/// The canonical request over the named headers, which are in lower case and sorted.
pub fn canonical_request(
    parts: &RequestParts<'_>,
    signed: &[&str],
    form: PathForm,
    payload_hash: &str,
) -> String {
    canonical(parts, &Index::of(parts.headers), signed, form, payload_hash)
}

/// As [`canonical_request`], with the headers sorted before.
pub(crate) fn canonical(
    parts: &RequestParts<'_>,
    headers: &Index<'_>,
    signed: &[&str],
    form: PathForm,
    payload_hash: &str,
) -> String {
    let mut text = String::with_capacity(1024);
    text.push_str(parts.method);
    text.push('\n');
    match form {
        PathForm::Normalized => encode(&mut text, normalized(parts.path).as_bytes(), true),
        PathForm::AsGiven => encode(&mut text, parts.path.as_bytes(), true),
        PathForm::EncodedOnce => encode(&mut text, &decoded(parts.path), true),
    }
    text.push('\n');
    text.push_str(&canonical_query(parts.query));
    text.push('\n');
    for name in signed {
        text.push_str(name);
        text.push(':');
        for (place, value) in headers.values(name).enumerate() {
            if place > 0 {
                text.push(',');
            }
            push_single_spaced(&mut text, value);
        }
        text.push('\n');
    }
    text.push('\n');
    for (place, name) in signed.iter().enumerate() {
        if place > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(payload_hash);
    text
}

/// RFC 3986 §5.2.4 over whole segments; repeated slashes become one, and a final slash stays.
fn normalized(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let ends_open = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let slash = if ends_open && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}", kept.join("/"))
}

/// Parameters decoded, encoded strictly and sorted by encoded name, then value.
fn canonical_query(query: &str) -> String {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (encoded_bytes(&decoded(name), false), encoded_bytes(&decoded(value), false))
    };
    let mut pairs: Vec<(String, String)> =
        query.split('&').filter(|p| !p.is_empty()).map(pair).collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

fn encoded_bytes(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    encode(&mut out, bytes, keep_slash);
    out
}

/// Writes every byte that RFC 3986 does not call unreserved as `%XY`.
fn encode(out: &mut String, bytes: &[u8], keep_slash: bool) {
    for &byte in bytes {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [digit(byte >> 4), digit(byte & 15)].map(|digit| digit.to_ascii_uppercase()),
            );
        }
    }
}

/// Percent escapes resolved; what is no escape stays.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => number(*high).zip(number(*low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn number(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Writes a header's value: outer spaces gone, inner runs of them one.
fn push_single_spaced(out: &mut String, value: &str) {
    let words = value.split([' ', '\t']).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_dots_and_doubled_slashes() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/./example", "/example"),
            ("/example/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/../..", "/"),
            ("/../..", "/"),
            ("//example//", "/example/"),
            ("/a/./b/", "/a/b/"),
        ] {
            assert_eq!(normalized(path), expected, "{path}");
        }
    }

    #[test]
    fn an_encoded_path_is_encoded_again() {
        assert_eq!(encoded_bytes(b"/foo%20bar", true), "/foo%2520bar");
        assert_eq!(encoded_bytes("/ሴ".as_bytes(), true), "/%E1%88%B4");
    }

    #[test]
    fn query_parameters_are_sorted_after_encoding() {
        for (query, expected) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=b&a=a", "a=a&a=b"),
            ("flag", "flag="),
            ("x=a%2fb", "x=a%2Fb"),
            ("x=a+b", "x=a%2Bb"),
            ("x=100%", "x=100%25"),
            ("ሴ=bar", "%E1%88%B4=bar"),
        ] {
            assert_eq!(canonical_query(query), expected, "{query}");
        }
    }
}
