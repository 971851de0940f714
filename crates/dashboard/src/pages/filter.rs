//! The query of the violations page: words and `name:value` terms, all of which a violator must fit.

use palisade_core::ident::AccountId;
use palisade_core::ledger::ViolatorRow;
use palisade_store::PolicyRecord;

use crate::pages::policy::unit;
use crate::pages::standing::reason;
use crate::reader::Reader;

/// Characters of a query.
pub const FILTER_LEN_MAX: usize = 500;
/// Terms of a query.
pub const TERMS_MAX: usize = 20;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Names of terms, each with what it looks at.
pub const TERMS: [(&str, &str); 6] = [
    ("policy", "name or id of the policy"),
    ("account", "name or id of the account"),
    ("unit", "name of a unit above the account"),
    ("type", "resource type"),
    ("reason", "violation reason"),
    ("since", "age: since:>30d or since:<7d"),
];

/// A query as parsed.
#[derive(Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Eq, PartialEq)]
enum Term {
    Policy(String),
    Account(String),
    Unit(String),
    Type(String),
    Reason(String),
    OlderThan(i64),
    YoungerThan(i64),
    /// In an id, a name or the evidence.
    Word(String),
}

impl Filter {
    /// Reads a query. Text in quotes is one word; `*` stands for anything.
    ///
    /// # Errors
    /// What is wrong with it, and what may be written.
    pub fn parse(text: &str) -> Result<Filter, String> {
        if text.chars().count() > FILTER_LEN_MAX {
            return Err(format!("the query is longer than {FILTER_LEN_MAX} characters"));
        }
        let words = words(text)?;
        if words.len() > TERMS_MAX {
            return Err(format!("the query has more than {TERMS_MAX} terms"));
        }
        let terms = words.into_iter().map(term).collect::<Result<_, _>>()?;
        Ok(Filter { terms })
    }

    /// Whether a policy can have violators that fit.
    pub fn fits_policy(&self, record: &PolicyRecord) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Policy(wanted) => {
                fits(wanted, &record.document.policy_name) || fits(wanted, record.id.as_str())
            }
            _ => true,
        })
    }

    /// Whether an account can have violators that fit.
    pub fn fits_account(&self, reader: &Reader<'_>, account: &AccountId) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Account(wanted) => {
                fits(wanted, account.as_str()) || fits(wanted, &reader.name_of(account).0)
            }
            Term::Unit(wanted) => {
                let units = unit(reader, account);
                units.0.split(" / ").any(|name| fits(wanted, name))
            }
            _ => true,
        })
    }

    /// Whether a violator of a policy and account that fit does as well.
    pub fn fits_violator(
        &self,
        reader: &Reader<'_>,
        record: &PolicyRecord,
        account: &AccountId,
        violator: &ViolatorRow,
    ) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Type(wanted) => fits(wanted, violator.resource_type.as_str()),
            Term::Reason(wanted) => {
                violator.violations.iter().any(|found| fits(wanted, &reason(found)))
            }
            Term::OlderThan(ms) => violator.began_ms() < reader.now_ms.saturating_sub(*ms),
            Term::YoungerThan(ms) => violator.began_ms() >= reader.now_ms.saturating_sub(*ms),
            Term::Word(wanted) => {
                let wanted = format!("*{wanted}*");
                fits(&wanted, violator.id.as_str())
                    || fits(&wanted, &reader.name_of(account).0)
                    || fits(&wanted, &record.document.policy_name)
                    || violator
                        .violations
                        .iter()
                        .any(|found| fits(&wanted, &found.finding.summary()))
            }
            Term::Policy(_) | Term::Account(_) | Term::Unit(_) => true,
        })
    }
}

/// The text of a query with one more term, unless it has that already.
pub fn with_term(text: &str, name: &str, value: &str) -> String {
    let plain = value.chars().all(|c| c.is_alphanumeric() || "-_.:*".contains(c));
    let term = match plain {
        true => format!("{name}:{value}"),
        false => format!("{name}:\"{}\"", value.replace('"', "*")),
    };
    match text.trim() {
        "" => term,
        text if text.split_whitespace().any(|word| word == term) => text.to_owned(),
        text => format!("{text} {term}"),
    }
}

/// The words of a text; what is in quotes is one.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if quoted {
        return Err("a quote is open; close it with `\"`".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn term(word: String) -> Result<Term, String> {
    let Some((name, value)) = word.split_once(':') else { return Ok(Term::Word(word)) };
    let value = value.to_owned();
    match name {
        "policy" => Ok(Term::Policy(value)),
        "account" => Ok(Term::Account(value)),
        "unit" => Ok(Term::Unit(value)),
        "type" => Ok(Term::Type(value)),
        "reason" => Ok(Term::Reason(value)),
        "since" => since(&value),
        // An ARN, or `AWS::EC2::SecurityGroup`: no term of a query.
        _ if word.starts_with("arn:") || word.contains("::") => Ok(Term::Word(word)),
        other => {
            let names: Vec<&str> = TERMS.iter().map(|(name, _)| *name).collect();
            Err(format!("`{other}:` is no term; the terms are {}", names.join(", ")))
        }
    }
}

fn since(value: &str) -> Result<Term, String> {
    let unread = || format!("`since:{value}` is no age; write since:>30d or since:<7d");
    let (older, days) = match (value.strip_prefix('>'), value.strip_prefix('<')) {
        (Some(days), _) => (true, days),
        (_, Some(days)) => (false, days),
        _ => return Err(unread()),
    };
    let days: i64 = days.strip_suffix('d').and_then(|days| days.parse().ok()).ok_or_else(unread)?;
    let ms = days.checked_mul(DAY_MS).filter(|ms| *ms >= 0).ok_or_else(unread)?;
    Ok(if older { Term::OlderThan(ms) } else { Term::YoungerThan(ms) })
}

/// Whether a text is what a pattern says, in any letter case; `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_words_and_terms() {
        let filter =
            Filter::parse("policy:no-* unit:\"Retail Prod\" since:>30d sg-1 AWS::EC2::VPC")
                .unwrap();
        assert_eq!(
            filter.terms,
            [
                Term::Policy("no-*".into()),
                Term::Unit("Retail Prod".into()),
                Term::OlderThan(30 * DAY_MS),
                Term::Word("sg-1".into()),
                Term::Word("AWS::EC2::VPC".into()),
            ]
        );
        for (text, why) in [
            ("colour:red", "`colour:` is no term; the terms are policy, account"),
            ("since:30d", "is no age"),
            ("since:>99999999999999999d", "is no age"),
            ("\"a", "a quote is open"),
        ] {
            let refused = Filter::parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        assert!(Filter::parse(&"x".repeat(FILTER_LEN_MAX)).is_ok());
        assert!(Filter::parse(&"x".repeat(FILTER_LEN_MAX + 1)).is_err());
        assert!(Filter::parse(&"x ".repeat(TERMS_MAX)).is_ok());
        assert!(Filter::parse(&"x ".repeat(TERMS_MAX + 1)).is_err());
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, is_fit) in [
            ("no-*", "no-remote", true),
            ("no-*", "a-no-remote", false),
            ("*remote*", "no-remote-admin", true),
            ("NO-remote", "no-REMOTE", true),
            ("no", "no-remote", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), is_fit, "{pattern} {text}");
        }
    }

    #[test]
    fn a_facet_adds_its_term_once() {
        assert_eq!(with_term("", "policy", "no-x"), "policy:no-x");
        assert_eq!(with_term("a", "unit", "Retail Prod"), "a unit:\"Retail Prod\"");
        assert_eq!(with_term("policy:no-x", "policy", "no-x"), "policy:no-x");
    }
}
