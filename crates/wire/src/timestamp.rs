//! Moments as the wire writes them.

use std::fmt;

use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A moment to the millisecond, between the years 1 and 9999.
///
/// JSON writes it as a number of epoch seconds (`1576283774.123`), CBOR as the same number under tag 1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    millis: i64,
}

/// The newtype name by which the CBOR encoder knows a timestamp among serde's calls.
pub(crate) const TIMESTAMP_NEWTYPE: &str = "$palisade_wire::Timestamp";

const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;

impl Timestamp {
    /// The moment this many milliseconds after 1970, brought into the years 1 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        let (first, last) = (SECONDS_MIN * 1000, SECONDS_MAX * 1000 + 999);
        let millis = if millis < first {
            first
        } else if millis > last {
            last
        } else {
            millis
        };
        Self { millis }
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.millis
    }

    /// The moment this many seconds after 1970, rounded to milliseconds; none when not a number or outside the years 1 to 9999.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "both bounds are below 2^53")]
        let range = SECONDS_MIN as f64..(SECONDS_MAX + 1) as f64;
        #[expect(clippy::cast_possible_truncation, reason = "within the range checked")]
        range.contains(&seconds).then(|| Self::from_millis((seconds * 1000.0).round() as i64))
    }

    /// Seconds since 1970 with a fraction.
    pub fn as_seconds(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds up to the year 9999 are below 2^53"
        )]
        let millis = self.millis as f64;
        millis / 1000.0
    }

    /// Reads `2019-12-16T23:48:18Z` or with a fraction: RFC 3339 without an offset, as Smithy's `date-time` says for servers.
    pub(crate) fn parse_date_time(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_at_checked(19)?;
        let fits = |letter: u8, place: u8| match place {
            b'0' => letter.is_ascii_digit(),
            mark => letter == mark,
        };
        let shape = whole.bytes().zip(*b"0000-00-00T00:00:00").all(|(l, p)| fits(l, p));
        let fraction = rest.strip_suffix('Z')?;
        let digits = fraction.strip_prefix('.').unwrap_or(fraction);
        let fine = fraction.is_empty()
            || (digits.len() + 1 == fraction.len()
                && (1..=9).contains(&digits.len())
                && digits.bytes().all(|b| b.is_ascii_digit()));
        if !(shape && fine) {
            return None;
        }
        text.parse::<jiff::Timestamp>().ok().and_then(Self::of)
    }

    /// Reads the date of an HTTP header, `Sun, 02 Jan 2000 20:34:56 GMT`; a fraction of a second is allowed.
    pub(crate) fn parse_http_date(text: &str) -> Option<Self> {
        let text = text.strip_suffix(" GMT")?;
        let (rest, fraction) = text.split_once('.').map_or((text, ""), |(r, f)| (r, f));
        let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", rest).ok()?;
        let whole = Self::of(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())?;
        if fraction.is_empty() {
            return Some(whole);
        }
        let part: f64 = format!("0.{fraction}").parse().ok()?;
        Self::from_seconds(whole.as_seconds() + part)
    }

    /// The moment of a year, month, day, hour, minute and second of UTC; none when there is no such.
    pub(crate) fn of_civil(year: i16, [month, day, hour, minute, second]: [i8; 5]) -> Option<Self> {
        let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        Self::of(jiff::tz::Offset::UTC.to_timestamp(civil).ok()?)
    }

    fn of(moment: jiff::Timestamp) -> Option<Self> {
        let millis = moment.as_millisecond();
        (Self::from_millis(millis).millis == millis).then_some(Self { millis })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(self.as_seconds())
        } else {
            serializer.serialize_newtype_struct(TIMESTAMP_NEWTYPE, &self.as_seconds())
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Seconds)
    }
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of epoch seconds")
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Timestamp::from_seconds(seconds)
            .ok_or_else(|| E::custom("a moment outside the years 1 to 9999"))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what loses precision is outside the range anyway"
    )]
    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what loses precision is outside the range anyway"
    )]
    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
        self.visit_f64(seconds as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_number_of_seconds_with_a_fraction() {
        for (millis, text) in [
            (1_576_283_774_000, "1576283774.0"),
            (1_576_283_774_123, "1576283774.123"),
            (-1, "-0.001"),
        ] {
            assert_eq!(serde_json::to_string(&Timestamp::from_millis(millis)).unwrap(), text);
            let back: Timestamp = serde_json::from_str(text).unwrap();
            assert_eq!(back.as_millis(), millis);
        }
        let whole: Timestamp = serde_json::from_str("1576283774").unwrap();
        assert_eq!(whole.as_millis(), 1_576_283_774_000);
    }

    #[test]
    fn moments_outside_the_calendar_are_refused() {
        for seconds in [f64::NAN, f64::INFINITY, -62_135_596_801.0, 253_402_300_800.0] {
            assert_eq!(Timestamp::from_seconds(seconds), None, "{seconds}");
        }
        assert!(Timestamp::from_seconds(253_402_300_799.0).is_some());
        assert!(Timestamp::from_seconds(-62_135_596_800.0).is_some());
    }

    #[test]
    fn date_texts_are_read_strictly() {
        for (text, expected) in [
            ("2000-01-02T20:34:56Z", Some(946_845_296_000)),
            ("2000-01-02T20:34:56.123Z", Some(946_845_296_123)),
            ("2019-12-17T00:48:18+01:00", None),
            ("2000-01-02T20:34:56,5Z", None),
            ("2000-01-02T20:34:56.Z", None),
            ("2000-13-02T20:34:56Z", None),
            ("2000-01-02T20:34:56z", None),
            ("1996-12-19T16:39Z", None),
            ("1996-12-19T163957", None),
            ("19961219T163957Z", None),
            ("1996-12-19 16:39:57Z", None),
            ("1996-12-19T16:39:57+00", None),
            ("1996-12-19T16:39:57", None),
        ] {
            assert_eq!(
                Timestamp::parse_date_time(text).map(Timestamp::as_millis),
                expected,
                "{text}"
            );
        }
        for (text, expected) in [
            ("Sun, 02 Jan 2000 20:34:56 GMT", Some(946_845_296_000)),
            ("Sun, 02 Jan 2000 20:34:56.456 GMT", Some(946_845_296_456)),
            ("Mon, 02 Jan 2000 20:34:56 GMT", None),
            ("2000-01-02T20:34:56Z", None),
        ] {
            assert_eq!(
                Timestamp::parse_http_date(text).map(Timestamp::as_millis),
                expected,
                "{text}"
            );
        }
    }
}
