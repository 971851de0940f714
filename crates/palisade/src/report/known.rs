//! Why an account's numbers are what they are, and how old what they rest on is: the same in every
//! table, object and line.

use serde_json::{Map, Value};

/// Why there is a result, or none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reason {
    /// There is one.
    Judged,
    /// Something stood in the way of knowing: the issues say what.
    #[default]
    NoResult,
    /// The account is in scope and was not judged under the policy as it is.
    NotJudgedYet,
    /// The policy is not about the account.
    OutOfScope,
}

impl Reason {
    /// As the server and our own output name it.
    pub const ALL: [(Reason, &str); 4] = [
        (Reason::Judged, "judged"),
        (Reason::NoResult, "no-result"),
        (Reason::NotJudgedYet, "not-judged-yet"),
        (Reason::OutOfScope, "out-of-scope"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(reason, _)| *reason == self).map_or("", |(_, name)| name)
    }

    /// The reason of this name. One that a newer server tells claims nothing.
    pub fn named(name: &str) -> Reason {
        let known = Self::ALL.iter().find(|(_, known)| *known == name);
        known.map_or(Reason::NoResult, |(reason, _)| *reason)
    }

    /// What stands for the status where there is none.
    pub fn text(self) -> &'static str {
        match self {
            Reason::Judged | Reason::NoResult => "no result",
            Reason::NotJudgedYet => "not judged yet",
            Reason::OutOfScope => "out of scope",
        }
    }
}

/// How old what is known of an account is: the newest moment that AWS Config told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Age {
    /// That moment, RFC 3339 in UTC.
    pub as_of: String,
    /// How long ago it is.
    pub seconds: i64,
}

impl Age {
    /// Of a moment, at another, both in milliseconds since the epoch. What has not come counts as now.
    pub fn of(newest_ms: i64, now_ms: i64) -> Age {
        let newest_ms = newest_ms.min(now_ms);
        let as_of = jiff::Timestamp::from_millisecond(newest_ms).unwrap_or_default().to_string();
        Age { as_of, seconds: now_ms.saturating_sub(newest_ms) / 1_000 }
    }

    /// So many seconds, as [`Age::text`] tells them.
    pub fn words(seconds: f64) -> String {
        // A moment's age is a whole number that both hold.
        Age { as_of: String::new(), seconds: seconds as i64 }.text()
    }

    /// In the largest unit of which there are two, for a narrow column.
    pub fn text(&self) -> String {
        const UNITS: [(i64, &str); 3] = [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "min")];
        let unit = UNITS.into_iter().find(|(size, _)| self.seconds >= 2 * size);
        unit.map_or_else(
            || format!("{} s", self.seconds),
            |(size, unit)| format!("{} {unit}", self.seconds / size),
        )
    }

    /// As members of an object.
    pub fn put(age: Option<&Age>, members: &mut Map<String, Value>) {
        if let Some(age) = age {
            members.insert("AsOf".to_owned(), Value::from(age.as_of.as_str()));
            members.insert("AgeSeconds".to_owned(), Value::from(age.seconds));
        }
    }

    /// As the last two cells of a line; none told is empty.
    pub fn cells(age: Option<&Age>) -> [String; 2] {
        age.map_or_else(Default::default, |age| [age.as_of.clone(), age.seconds.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_largest_unit_of_which_there_are_two() {
        const HOUR: i64 = 60 * 60;
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (2 * HOUR - 1, "119 min"),
            (2 * HOUR, "2 h"),
            (48 * HOUR - 1, "47 h"),
            (48 * HOUR, "2 d"),
            (40_000 * HOUR, "1666 d"),
        ] {
            assert_eq!(Age::of(0, seconds * 1_000).text(), text);
        }
        let ahead = Age::of(9_000, 1_000);
        assert_eq!((ahead.as_of.as_str(), ahead.seconds), ("1970-01-01T00:00:01Z", 0));
    }

    #[test]
    fn a_reason_is_read_by_its_name_and_an_unknown_one_claims_nothing() {
        for (reason, name) in Reason::ALL {
            assert_eq!((Reason::named(name), reason.name()), (reason, name));
        }
        assert_eq!(Reason::named("as-never-before"), Reason::NoResult);
    }
}
