//! Moments as addresses and fields of pages have them.

use palisade_api::own::{Refused, moment};

/// A moment as an endpoint takes it, or as a field for dates has it, which is then UTC.
///
/// # Errors
/// It is none.
pub fn read(name: &str, text: &str) -> Result<i64, Refused> {
    let zoned = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
    let read = zoned.iter().find_map(|text| text.parse::<jiff::Timestamp>().ok());
    read.map(|at| at.as_millisecond()).ok_or_else(|| {
        Refused::invalid(format!(
            "`{name}` is `{text}`, which is no moment; give date and time, such as 2026-11-30T22:28"
        ))
    })
}

/// A moment as a field for dates has it.
pub fn typed(at_ms: i64) -> String {
    moment(at_ms).chars().take("2026-11-30T22:28:00".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_taken_as_fields_have_them() {
        assert_eq!(read("from", "1970-01-01T00:00").unwrap(), 0);
        assert_eq!(read("from", "1970-01-01T00:00:01").unwrap(), 1_000);
        assert_eq!(read("from", "1970-01-01T01:00:00+01:00").unwrap(), 0);
        assert!(read("from", "yesterday").unwrap_err().message.contains("`from` is `yesterday`"));
        assert_eq!(typed(0), "1970-01-01T00:00:00");
    }
}
