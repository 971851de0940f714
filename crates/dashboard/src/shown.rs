//! Texts, counts, moments and ages as pages show them. Programs get the same values whole: each is written
//! to JSON as what it is.

use std::fmt::{self, Display, Formatter};

use palisade_api::own::moment;
use palisade_api::printable::escaped;
use serde::{Serialize, Serializer};

/// Characters of somebody's text that a page shows; what is longer is cut, and says so.
pub const WORDS_SHOWN_MAX: usize = 160;
/// The same of a sentence of evidence.
pub const SENTENCE_SHOWN_MAX: usize = 600;

/// Text that others wrote: a name, an issue, evidence. A page shows it in one line, with hidden characters
/// written as escapes.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Words(pub String);

impl Words {
    /// All of the text in one line, for what must be read whole.
    pub fn whole(&self) -> String {
        escaped(&self.0).into_owned()
    }

    /// As a page shows it where sentences stand: up to [`SENTENCE_SHOWN_MAX`] characters.
    pub fn sentence(&self) -> String {
        self.cut(SENTENCE_SHOWN_MAX)
    }

    fn cut(&self, characters_max: usize) -> String {
        let Some((end, _)) = self.0.char_indices().nth(characters_max) else {
            return escaped(&self.0).into_owned();
        };
        let shown = self.0.get(..end).unwrap_or_default();
        let characters = Count(self.0.chars().count() as u64);
        format!("{}… ({characters} characters)", escaped(shown))
    }

    /// Whether there is anything to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: AsRef<str>> From<T> for Words {
    fn from(text: T) -> Words {
        Words(text.as_ref().to_owned())
    }
}

impl Display for Words {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cut(WORDS_SHOWN_MAX))
    }
}

/// A number, its thousands apart.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Count(pub u64);

impl Count {
    /// With the noun, which is a plural unless there is one.
    pub fn of(self, noun: &str) -> String {
        match noun.strip_suffix('y') {
            _ if self.0 == 1 => format!("{self} {noun}"),
            Some(stem) => format!("{self} {stem}ies"),
            None => format!("{self} {noun}s"),
        }
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Count {
        Count(count as u64)
    }
}

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len().saturating_sub(at)).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A moment, milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Moment(pub i64);

impl Moment {
    /// As machines read it.
    pub fn iso(self) -> String {
        moment(self.0)
    }

    /// How long before `now_ms` it was; what has not come counts as now.
    pub fn ago(self, now_ms: i64) -> Ago {
        Ago(now_ms.saturating_sub(self.0).max(0) / 1_000)
    }

    /// The time of the day alone.
    pub fn clock(self) -> String {
        let text = self.iso();
        format!("{} UTC", text.get(11..19).unwrap_or_default())
    }

    /// The day alone.
    pub fn day(self) -> String {
        self.iso().chars().take(10).collect()
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        write!(f, "{} UTC", at.strftime("%Y-%m-%d %H:%M:%S"))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso())
    }
}

/// An age, seconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Ago(pub i64);

impl Display for Ago {
    /// In the largest unit of which there are two, as `palisade compliance` tells it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 3] = [(24 * 60 * 60, "days"), (60 * 60, "h"), (60, "min")];
        match UNITS.into_iter().find(|(size, _)| self.0 >= size.saturating_mul(2)) {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{} s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebodys_text_stays_one_line_of_some_length() {
        let shown = |text: &str| Words::from(text).to_string();
        for (text, expected) in [
            ("plain, mit Umläuten", "plain, mit Umläuten"),
            ("a\u{1b}[2Jb\n\u{202e}c", "a\\u{1b}[2Jb\\n\\u{202e}c"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"ä".repeat(WORDS_SHOWN_MAX)), "ä".repeat(WORDS_SHOWN_MAX));
        let sentence = "x".repeat(SENTENCE_SHOWN_MAX);
        assert_eq!(Words::from(&sentence).sentence(), sentence);
        assert!(Words(sentence + "x").sentence().ends_with("x… (601 characters)"));
        let cut = shown(&"ä".repeat(WORDS_SHOWN_MAX + 1));
        assert_eq!(cut, format!("{}… (161 characters)", "ä".repeat(WORDS_SHOWN_MAX)));
        assert!(shown(&"x".repeat(10_000)).ends_with("… (10,000 characters)"));
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(Count(count).to_string(), text);
        }
        assert_eq!(Count(1).of("violator"), "1 violator");
        assert_eq!(Count(1_200).of("violator"), "1,200 violators");
        assert_eq!(Count(1).of("policy"), "1 policy");
        assert_eq!(Count(2).of("policy"), "2 policies");
    }

    #[test]
    fn ages_are_words_and_moments_say_their_zone() {
        for (seconds, text) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h")] {
            assert_eq!(Ago(seconds).to_string(), text);
        }
        assert_eq!(Ago(3 * 24 * 60 * 60).to_string(), "3 days");
        assert_eq!(Moment(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Moment(5_000).ago(1_000), Ago(0), "what has not come counts as now");
    }
}
