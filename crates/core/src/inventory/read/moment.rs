//! Moments as Config and its clients write them, in milliseconds since the epoch.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use super::shape::{Whole, shape};

/// State ids are milliseconds since the epoch from item version 1.3 on and small counters before
/// (formats §3): between these, 2010 and 2100, one is taken for a time.
const PLAUSIBLE_MS: std::ops::Range<i64> = 1_262_304_000_000..4_102_444_800_000;

/// The first number that is no state id: as a time it would be beyond 2100.
pub(super) const STATES_END: u64 = PLAUSIBLE_MS.end.unsigned_abs();

/// Above this a number is milliseconds, below it seconds: 5138 if seconds, 1973 if milliseconds.
const SECONDS_MAX: f64 = 1e11;

shape! {
    /// A moment as the recorder of API responses wrote it (formats §8).
    Recorded {
        year: Whole = "year",
        month: Whole = "month",
        day: Whole = "day",
        hour: Whole = "hour",
        minute: Whole = "minute",
        second: Whole = "second",
        microsecond: Whole = "microsecond",
    }
}

/// The moment that a raw JSON value says: ISO 8601 text with `Z`, an offset or none (UTC), a number
/// of seconds or milliseconds, or a recorded date object.
pub(in crate::inventory) fn moment_ms(raw: &str) -> Option<i64> {
    if let Some(ms) = usual_ms(raw.as_bytes()) {
        return Some(ms);
    }
    match raw.as_bytes().first()? {
        b'"' => {
            let text: std::borrow::Cow<'_, str> = serde_json::from_str(raw).ok()?;
            text_ms(text.trim())
        }
        b'{' => recorded_ms(&serde_json::from_str(raw).ok()?),
        _ => number_ms(raw),
    }
}

/// The moment in the one form that Config's own items have, `"2026-02-03T04:05:06.789Z"`; anything
/// unusual about it is left to the others.
pub(in crate::inventory) fn usual_ms(raw: &[u8]) -> Option<i64> {
    let inside: &[u8; 24] = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?.try_into().ok()?;
    let (words, _) = inside.as_chunks::<8>();
    let [date, time, rest] = words else { return None };
    let [y1, _, y2, _, _, month, _, _] = pairs(*date, *b"0000-00-")?;
    let [day, _, _, hour, _, _, minute, _] = pairs(*time, *b"00T00:00")?;
    let [_, second, _, _, _, last, _, _] = pairs(*rest, *b":00.000Z")?;
    // Of the fraction, the first digit is the first of a pair as well.
    let [_, _, _, _, first, ..] = *rest;
    let days = *DAYS.get(usize::try_from(month).ok()?)?;
    let year = y1 * 100 + y2;
    let usual = (1970..=9998).contains(&year)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !usual {
        return None;
    }
    // Years begin in March here, so that the leap day is a year's last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day;
    // Of 1 March of the year 0 counted as 1, the first day of 1970 is number 719,469.
    let seconds = ((days - 719_469) * 24 + hour) * 3600 + minute * 60 + second;
    Some(seconds * 1000 + i64::from(first - b'0') * 100 + last)
}

/// The days of each month that it has in every year; of none before the first.
const DAYS: [i64; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// At each place the number that the digits there and behind it say, if the bytes have the form:
/// a digit wherever it has `0`, else its very byte.
#[inline]
fn pairs(bytes: [u8; 8], form: [u8; 8]) -> Option<[i64; 8]> {
    // Digits become their values, all else has to become 0.
    let values = u64::from_le_bytes(bytes) ^ u64::from_le_bytes(form);
    // What is more than may be there has its highest bit set afterwards, or had it before.
    let over = form.map(|byte| if byte == b'0' { 0x7F - 9 } else { 0x7F });
    let over = values.wrapping_add(u64::from_le_bytes(over)) | values;
    if over & ((u64::MAX / 0xFF) << 7) != 0 {
        return None;
    }
    // Ten times nine and nine is less than a byte holds, so that none carries into the next.
    Some((values.wrapping_mul(10).wrapping_add(values >> 8)).to_le_bytes().map(i64::from))
}

/// The moment that a state id stands for, when it is plausible as one.
pub(in crate::inventory) fn plausible_ms(state: u64) -> Option<i64> {
    i64::try_from(state).ok().filter(|ms| PLAUSIBLE_MS.contains(ms))
}

fn text_ms(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return utc_ms(at);
    }
    number_ms(text)
}

fn number_ms(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let ms = if number.abs() < SECONDS_MAX { number * 1000.0 } else { number };
    // Timestamps beyond jiff's years are no capture times.
    #[expect(clippy::cast_possible_truncation, reason = "float casts saturate; checked next")]
    let ms = ms.round() as i64;
    Timestamp::from_millisecond(ms).ok().map(|at| at.as_millisecond())
}

fn recorded_ms(at: &Recorded<'_>) -> Option<i64> {
    let part = |whole: &Option<Whole>| whole.map_or(0, |whole| whole.0);
    let nanos = part(&at.microsecond).checked_mul(1000)?;
    utc_ms(
        civil::DateTime::new(
            at.year?.0.try_into().ok()?,
            at.month?.0.try_into().ok()?,
            at.day?.0.try_into().ok()?,
            part(&at.hour).try_into().ok()?,
            part(&at.minute).try_into().ok()?,
            part(&at.second).try_into().ok()?,
            nanos.try_into().ok()?,
        )
        .ok()?,
    )
}

/// `YYYYMMDDThhmmssZ`, as delivered files are named.
pub(in crate::inventory) fn file_name_ms(text: &str) -> Option<i64> {
    let basic = text.len() == 16 && text.ends_with('Z') && text.as_bytes().get(8) == Some(&b'T');
    basic.then(|| text.parse::<Timestamp>().ok()).flatten().map(|at| at.as_millisecond())
}

fn utc_ms(at: DateTime) -> Option<i64> {
    Offset::UTC.to_timestamp(at).ok().map(|at| at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_config_writes() {
        for (raw, ms) in [
            (r#""2016-12-11T06:04:03.800Z""#, Some(1_481_436_243_800)),
            (r#""2017-02-04T06:10:33.880000-05:00""#, Some(1_486_206_633_880)),
            (r#""2014-03-07T23:46:28.0000+0000""#, Some(1_394_235_988_000)),
            (r#""2016-12-11T06:04:03.800""#, Some(1_481_436_243_800)),
            ("1486206633.88", Some(1_486_206_633_880)),
            ("1486206633", Some(1_486_206_633_000)),
            ("1.486206633880E12", Some(1_486_206_633_880)),
            ("1486206633880", Some(1_486_206_633_880)),
            (r#""1486206633880""#, Some(1_486_206_633_880)),
            (
                r#"{"__class__":"datetime","year":2017,"month":2,"day":4,"hour":11,"minute":10,"second":33,"microsecond":880000}"#,
                Some(1_486_206_633_880),
            ),
            (r#"{"year":2017,"month":13,"day":4}"#, None),
            (r#""yesterday""#, None),
            (r#""""#, None),
            ("true", None),
            ("1e300", None),
            ("[]", None),
        ] {
            assert_eq!(moment_ms(raw), ms, "{raw}");
        }
    }

    #[test]
    fn the_usual_form_is_read_as_any_other() {
        let (mut taken, mut left) = (0, 0);
        for day in (0..8_000 * 365).step_by(29) {
            let at = Timestamp::from_second(day * 86_400 + (day * 7_919) % 86_400).unwrap();
            let text = format!("\"{at:.3}\"");
            match usual_ms(text.as_bytes()) {
                Some(ms) => assert_eq!(ms, at.as_millisecond(), "{text}"),
                None => left += 1,
            }
            taken += 1;
        }
        assert!(left * 1000 < taken, "{left} of {taken}: leap days are left");
        let ms = usual_ms(br#""1970-01-01T00:00:00.001Z""#);
        assert_eq!(ms, Some(1));
        assert_eq!(usual_ms(br#""2024-03-01T00:00:00.000Z""#), Some(1_709_251_200_000));
        for unusual in [
            r#""2026-02-03T04:05:06.78Z""#,
            r#""2026-02-03T04:05:06.789z""#,
            r#""2026-02-03 04:05:06.789Z""#,
            r#""2026-02-03T24:05:06.789Z""#,
            r#""2026-02-03T04:60:06.789Z""#,
            r#""2026-02-03T04:05:60.789Z""#,
            r#""2026-13-03T04:05:06.789Z""#,
            r#""2026-00-03T04:05:06.789Z""#,
            r#""2026-01-00T04:05:06.789Z""#,
            r#""2026-01-32T04:05:06.789Z""#,
            r#""2026-02-29T04:05:06.789Z""#,
            r#""2026-04-31T04:05:06.789Z""#,
            r#""2024-02-29T04:05:06.789Z""#,
            r#""2026-01-03T04:05:06.78/Z""#,
            r#""2026-01-03T04:05:06./89Z""#,
            r#""2026-01-03T04:05:06.789Z "#,
            r#""20é6-01-03T04:05:06.78Z""#,
            r#""2026-0:-03T04:05:06.789Z""#,
            r#""2026-01-03T04:05:06.789+"#,
            r#""1969-12-28T04:05:06.789Z""#,
        ] {
            assert_eq!(usual_ms(unusual.as_bytes()), None, "{unusual}");
        }
    }

    #[test]
    fn only_plausible_state_ids_are_moments() {
        assert_eq!(plausible_ms(58), None);
        assert_eq!(plausible_ms(1_486_206_633_880), Some(1_486_206_633_880));
        assert_eq!(plausible_ms(u64::MAX), None);
    }

    #[test]
    fn file_names_carry_a_basic_timestamp() {
        assert_eq!(file_name_ms("20170204T111033Z"), Some(1_486_206_633_000));
        assert_eq!(file_name_ms("20170204T111033"), None);
        assert_eq!(file_name_ms("2017-02-04T11:10Z"), None);
    }
}
