//! Moments as people say them on a command line.

use palisade_api::Clock as _;

use crate::system::SystemClock;

/// A moment as people say it: RFC 3339, the beginning of a day in UTC, or how long ago it is.
///
/// # Errors
/// It is none of these.
pub(super) fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
        return Ok(midnight.timestamp());
    }
    let wrong = || "write 2026-02-03T04:05:06Z, 2026-02-03, 7d, 12h or 30min".to_owned();
    let ago_ms = span_ms(text).ok_or_else(wrong)?;
    let at_ms = SystemClock.now_ms().checked_sub(ago_ms);
    at_ms.and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok()).ok_or_else(wrong)
}

/// A moment to come: a span from now, a day or a moment.
///
/// # Errors
/// It is none of these.
pub(super) fn ahead(text: &str) -> Result<jiff::Timestamp, String> {
    let wrong = || "write 90d, 12h, 30min, 2026-12-31 or 2026-12-31T00:00:00Z".to_owned();
    let now_ms = SystemClock.now_ms();
    let at = match span_ms(text) {
        Some(span_ms) => jiff::Timestamp::from_millisecond(now_ms.saturating_add(span_ms)).ok(),
        None => moment(text).ok(),
    };
    at.ok_or_else(wrong)
}

/// The milliseconds of a span: 7d, 12h or 30min.
fn span_ms(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let minutes: i64 = match unit {
        "min" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    number.parse().ok().and_then(|number: i64| number.checked_mul(minutes * 60_000))
}
