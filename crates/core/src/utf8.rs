//! Texts as tools write them: `aws … > file` is UTF-16 in PowerShell, and some begin with a mark.

use std::borrow::Cow;

/// A text in UTF-8 without a byte order mark, of one in UTF-8 or, by its mark or as JSON begins, UTF-16. What is
/// neither stays as it is, for whoever reads it to refuse.
pub fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    let is_big_endian = match text {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Cow::Borrowed(rest),
        [0xFF, 0xFE, ..] | [b'{' | b'[', 0, ..] => false,
        [0xFE, 0xFF, ..] | [0, b'{' | b'[', ..] => true,
        _ => return Cow::Borrowed(text),
    };
    let units = text.chunks(2).map(|pair| match pair {
        [first, second] if is_big_endian => u16::from_be_bytes([*first, *second]),
        [first, second] => u16::from_le_bytes([*first, *second]),
        // Half a unit is none.
        _ => 0xFFFD,
    });
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(text.filter(|c| *c != '\u{feff}').collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_tools_write_them() {
        let text = "{\"name\": \"Zürich 🏔\"}";
        let units = |order: fn(u16) -> [u8; 2], mark: bool| {
            let mark = mark.then_some(0xFEFF);
            mark.into_iter().chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
        };
        for (form, bytes) in [
            ("plain", text.as_bytes().to_vec()),
            ("with a mark", format!("\u{feff}{text}").into_bytes()),
            ("of PowerShell", units(u16::to_le_bytes, true)),
            ("big-endian", units(u16::to_be_bytes, true)),
            ("little-endian without a mark", units(u16::to_le_bytes, false)),
            ("big-endian without a mark", units(u16::to_be_bytes, false)),
        ] {
            assert_eq!(decoded(&bytes), text.as_bytes(), "{form}");
        }
        for other in ["", "{", "[1]", "\u{1f}\u{8b}", "name = 1"] {
            assert_eq!(decoded(other.as_bytes()), other.as_bytes());
        }
        assert_eq!(decoded(&[0xFF, 0xFE, b'{', 0, b'}']), "{\u{fffd}".as_bytes());
    }
}
