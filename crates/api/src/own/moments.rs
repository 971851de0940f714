//! Moments as callers name them: RFC 3339 with a time and an offset.

use super::answer::Refused;
use super::readers::AsOf;
use crate::app::App;
use crate::caller::Caller;

/// What is read of: the moment that the query names `name`, or now.
///
/// # Errors
/// InvalidInput for what is no moment, or one of which nothing is kept.
pub(super) fn as_of(
    app: &App,
    caller: &Caller,
    name: &str,
    asked: Option<&str>,
) -> Result<AsOf, Refused> {
    match asked {
        None => AsOf::now(app),
        Some(text) => AsOf::past(app, caller, read(name, text)?),
    }
}

/// Milliseconds since the epoch; what is finer is cut off.
///
/// # Errors
/// It is no moment.
pub(super) fn read(name: &str, text: &str) -> Result<i64, Refused> {
    // A plus that was not escaped comes as a space.
    let plus = match text.rsplit_once(' ') {
        Some((time, offset)) if time.contains('T') => format!("{time}+{offset}"),
        _ => text.to_owned(),
    };
    let read: Result<jiff::Timestamp, _> = plus.parse();
    read.map(|at| at.as_millisecond()).map_err(|_| {
        Refused::invalid(format!(
            "`{name}` is `{text}`, which is no moment; give date, time and offset, such as \
             2026-11-30T22:28:00Z or 2026-11-30T23:28:00+01:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_date_a_time_and_an_offset() {
        for (text, wanted) in [
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T01:00:01+01:00", Some(1_000)),
            ("1970-01-01T01:00:01 01:00", Some(1_000)),
            ("1969-12-31T19:00:01-05:00", Some(1_000)),
            ("1970-01-01T00:00:00.0019Z", Some(1)),
            ("1970-01-01", None),
            ("1970-01-01T00:00:01", None),
            ("yesterday", None),
            ("1764541680", None),
            ("2026-13-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(read("at", text).ok(), wanted, "{text}");
        }
        let refused = read("from", "yesterday").unwrap_err();
        assert!(refused.message.contains("`from` is `yesterday`"), "{}", refused.message);
    }
}
