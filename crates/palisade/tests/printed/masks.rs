//! What differs from run to run, replaced by something as long that keeps what can be wrong: one id stays one and
//! two stay two, a moment keeps its distance from now, and what has another form is left as it is and seen.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

/// Minutes that a command may take until its moments are looked at.
const MINUTES_MAX: i64 = 10;
const DAY_SECS: i64 = 86_400;
/// What a secret stands behind.
const SECRET: &str = "AWS_SECRET_ACCESS_KEY=";

/// A text with everything that differs masked.
pub fn masked(text: &str) -> String {
    let mut masks = Masks::default();
    let mut told = String::new();
    let words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
    for (nth, word) in words.iter().enumerate() {
        let next = words.get(nth + 1).copied().unwrap_or_default();
        let bare = word.trim_end();
        told.push_str(&masks.word(bare, next));
        told.push_str(&word[bare.len()..]);
    }
    told
}

#[derive(Default)]
struct Masks {
    seen: HashMap<String, usize>,
}

impl Masks {
    fn word(&mut self, word: &str, next: &str) -> String {
        let is_figure =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let unit = next.trim_end().trim_end_matches([',', ';']);
        let (before, last) = word
            .rsplit_once(',')
            .map_or(("", word), |(before, last)| (&word[..=before.len()], last));
        if is_figure(last) && (["KiB", "GiB"].contains(&unit) || unit == "s" && last.contains('.'))
        {
            return format!("{before}N");
        }
        if let Some((name, secret)) = word.split_once(SECRET) {
            return format!("{name}{SECRET}{}", self.secret(secret));
        }
        let parts = word.split_inclusive(|c: char| !is_of_token(c));
        let mut told = String::new();
        for part in parts {
            let token = part.trim_end_matches(|c| !is_of_token(c));
            told.push_str(&self.token(token));
            told.push_str(&part[token.len()..]);
        }
        port(&told)
    }

    fn token(&mut self, token: &str) -> String {
        let is_hex = |text: &str| text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        let is_key = |text: &str| {
            text.len() == 20
                && text.starts_with("AKIA")
                && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        };
        match token {
            id if is_key(id) => self.numbered("AKIA", id),
            link if link.len() == 64 && is_hex(link) => self.numbered("link", link),
            name if name.len() == 8 && is_hex(name) => self.numbered("key", name),
            id if id.len() == 36 && id.split('-').map(str::len).eq([8, 4, 4, 4, 12]) => {
                self.numbered("id", id)
            }
            moment => at(moment).unwrap_or_else(|| moment.to_owned()),
        }
    }

    fn secret(&mut self, text: &str) -> String {
        let is_base64 = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/');
        match text.len() == 40 && text.bytes().all(is_base64) {
            true => self.numbered("secret", text),
            false => text.to_owned(),
        }
    }

    /// The same for the same, and as long.
    fn numbered(&mut self, kind: &str, text: &str) -> String {
        let next = self.seen.len() + 1;
        let number = *self.seen.entry(text.to_owned()).or_insert(next);
        format!("{kind}{number:.>width$}", width = text.len() - kind.len())
    }
}

/// What an id or a moment consists of.
fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || ['-', ':', '.'].contains(&c)
}

/// A moment, or a day, by its days from now.
fn at(text: &str) -> Option<String> {
    let now = Timestamp::now();
    let told = |days: i64| {
        Some(format!(
            "now{days:+}d{:.<width$}",
            "",
            width = text.len().checked_sub(format!("now{days:+}d").len())?
        ))
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        let secs = moment.as_second() - now.as_second();
        let days = (secs + MINUTES_MAX * 60).div_euclid(DAY_SECS);
        let rest = secs - days * DAY_SECS;
        return if rest.abs() <= MINUTES_MAX * 60 { told(days) } else { None };
    }
    let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    told(i64::from(today.until(day).ok()?.get_days()))
}

/// A port of this machine's that was free.
fn port(word: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    match word.split_once(HOST) {
        Some((before, rest)) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            assert!(digits >= 4, "no port: {word}");
            format!("{before}{HOST}PORT{}", &rest[digits..])
        }
        None => word.to_owned(),
    }
}

#[test]
fn masks_keep_what_can_be_wrong() {
    let now = Timestamp::now().as_second();
    let moment = |secs: i64| Timestamp::from_second(now + secs).unwrap().to_string();
    let [one, two] = ["AKIAJAGSCVNRZPAMNUDH", "AKIA4COFUOPTF5XITCWI"];
    for (text, is) in [
        (
            format!("{one} {two} `{one}`"),
            "AKIA...............1 AKIA...............2 `AKIA...............1`".to_owned(),
        ),
        (format!("{}x", one), format!("{one}x")),
        (moment(90 * DAY_SECS), "now+90d.............".to_owned()),
        (moment(90 * DAY_SECS + 3_600), moment(90 * DAY_SECS + 3_600)),
        ("196 KiB, 3 keys".to_owned(), "N KiB, 3 keys".to_owned()),
        ("http://127.0.0.1:34567/x".to_owned(), "http://127.0.0.1:PORT/x".to_owned()),
        ("key `9f09e9b6`".to_owned(), "key `key....1`".to_owned()),
        ("a b\nc".to_owned(), "a b\nc".to_owned()),
    ] {
        assert_eq!(masked(&text), is);
    }
}
