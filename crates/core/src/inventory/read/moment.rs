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
fn usual_ms(raw: &[u8]) -> Option<i64> {
    let raw: &[u8; 26] = raw.try_into().ok()?;
    let mut digits = *raw;
    // Each byte less that of the form: digits become their values, all else has to become 0.
    for (byte, form) in digits.iter_mut().zip(*b"\"0000-00-00T00:00:00.000Z\"") {
        *byte = byte.wrapping_sub(form);
    }
    let [
        a,
        y1,
        y2,
        y3,
        y4,
        b,
        m1,
        m2,
        c,
        d1,
        d2,
        d,
        h1,
        h2,
        e,
        n1,
        n2,
        f,
        s1,
        s2,
        g,
        f1,
        f2,
        f3,
        h,
        i,
    ] = digits;
    let wrong = digits.iter().fold(false, |wrong, digit| wrong | (*digit > 9));
    if wrong || a | b | c | d | e | f | g | h | i != 0 {
        return None;
    }
    let two = |tens: u8, ones: u8| i64::from(tens) * 10 + i64::from(ones);
    let (year, month, day) = (two(y1, y2) * 100 + two(y3, y4), two(m1, m2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    let usual = (1970..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
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
    Some(seconds * 1000 + i64::from(f1) * 100 + two(f2, f3))
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
        assert!(left * 8 < taken, "{left} of {taken}: the last days of months are left");
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
