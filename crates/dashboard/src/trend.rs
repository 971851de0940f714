//! Figures at several moments of the past, each read as `compliance?at=` reads it.

use std::collections::BTreeMap;

use palisade_api::own::readers::{self, AsOf};
use palisade_api::own::{Refused, moment};
use palisade_core::ident::{AccountId, PolicyId};

use crate::chart;
use crate::place::Place;
use crate::reader::Reader;
use crate::shown::{Count, Moment};
use crate::state::{AccountState, Tally};
use crate::survey::Sum;
use crate::views::history::{Look, Trend};

/// Moments of a trend.
pub const LOOKS_MAX: usize = 24;
/// Accounts under policies that all moments of a trend together may ask for.
pub const CELLS_MAX: usize = 100_000;

/// Of what a trend is.
#[derive(Clone, Debug, Default)]
pub struct Of {
    /// One policy; else all of the Region.
    pub policy: Option<PolicyId>,
    /// One account; else all.
    pub account: Option<AccountId>,
}

/// Accounts under policies of the Region.
pub fn cells(reader: &Reader<'_>) -> usize {
    reader.policies().iter().map(|record| reader.view.in_scope(&record.id).len()).sum()
}

/// The figures of evenly spread moments between two, the earliest first; as many as may be asked for.
///
/// # Errors
/// What the store says.
pub fn looks(reader: &Reader<'_>, of: &Of, from_ms: i64, to_ms: i64) -> Result<Vec<Look>, Refused> {
    let affordable = (CELLS_MAX / cells(reader).max(1)).clamp(2, LOOKS_MAX);
    let count = i64::try_from(affordable).unwrap_or(2);
    let span_ms = to_ms.saturating_sub(from_ms).max(0);
    let mut moments: Vec<i64> = (0..count)
        .map(|nth| {
            from_ms.saturating_add(span_ms.saturating_mul(nth) / count.saturating_sub(1).max(1))
        })
        .collect();
    moments.dedup();
    let mut looks: Vec<Look> = Vec::new();
    for at_ms in moments {
        let accounts = tally(reader, of, at_ms)?;
        let changes = looks.last().map(|before: &Look| {
            let policy = of.policy.as_ref().map(PolicyId::as_str).unwrap_or_default();
            let (from, to) = (before.at.iso(), moment(at_ms));
            reader.place.with("/changes", &[("from", &from), ("to", &to), ("policy", policy)])
        });
        let page = page_at(reader, of, at_ms);
        looks.push(Look { at: Moment(at_ms), accounts, page, changes });
    }
    // Before a policy was about any account there was no figure; a zero would look like one.
    let first = looks.iter().position(|look| look.accounts.in_scope().0 > 0);
    looks.drain(..first.unwrap_or(looks.len()));
    Ok(looks)
}

/// The page of what the trend is of, at a moment.
fn page_at(reader: &Reader<'_>, of: &Of, at_ms: i64) -> String {
    let place = Place { at_ms: Some(at_ms), ..reader.place.clone() };
    match (&of.policy, &of.account) {
        (Some(policy), _) => place.to(&format!("/policies/{policy}")),
        (None, Some(account)) => place.to(&format!("/accounts/{account}")),
        (None, None) => place.to("/"),
    }
}

/// Accounts by the worst that was known of each at a moment.
///
/// # Errors
/// What the store says; AccessDenied for who is not told the past.
pub fn tally(reader: &Reader<'_>, of: &Of, at_ms: i64) -> Result<Tally, Refused> {
    let as_of = AsOf::past(reader.app, reader.caller(), at_ms)?;
    let mut sums: BTreeMap<AccountId, Sum> = BTreeMap::new();
    let is_asked = |id: &PolicyId| of.policy.as_ref().is_none_or(|policy| policy == id);
    let policies = readers::policies(&as_of.view, reader.caller())
        .filter(|record| record.region == reader.place.region && is_asked(&record.id));
    for record in policies {
        let all = as_of.view.in_scope(&record.id);
        let one = of.account.as_ref().map(|account| all.binary_search(account));
        let (before, accounts) = match one {
            None => (None, all),
            Some(Ok(at)) => {
                (at.checked_sub(1).and_then(|at| all.get(at)), all.get(at..=at).unwrap_or_default())
            }
            Some(Err(_)) => continue,
        };
        readers::known_of(reader.app, Some(at_ms), record, before, accounts, |account, known| {
            sums.entry(account.clone()).or_default().add(AccountState::of(known));
        })?;
    }
    Ok(Tally::of(sums.values().map(Sum::state)))
}

/// The charts of these looks.
pub fn trends(looks: &[Look]) -> Vec<Trend> {
    type Figure = fn(&Tally) -> Count;
    let all: [(&str, &str, &str, Figure); 4] = [
        ("violates", "▲", "violators", |tally| tally.violators),
        ("violates", "▲", "accounts with violators", |tally| tally.violate),
        ("not-known", "◌", "accounts not known", |tally| {
            Count(tally.not_known.0.saturating_add(tally.not_judged.0))
        }),
        ("complies", "●", "accounts complying", |tally| tally.comply),
    ];
    let of = |(state, mark, name, figure): (&'static str, &'static str, &'static str, Figure)| {
        let points: Vec<chart::Point> =
            looks.iter().map(|look| (look.at.0, figure(&look.accounts).0)).collect();
        let (first, last) = (points.first().copied(), points.last().copied());
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        let since = looks.first().map(|look| look.at.day()).unwrap_or_default();
        let moved = format!("{} since {since}", difference(first.1, last.1));
        let words = format!("{name}: {} at {since}, {} now", Count(first.1), Count(last.1));
        Trend {
            state,
            mark,
            name,
            now: Count(last.1),
            moved,
            svg: chart::line(&points, &words),
            highest: Count(points.iter().map(|point| point.1).max().unwrap_or_default()),
        }
    };
    all.into_iter().map(of).collect()
}

/// How a figure moved, with its sign.
pub fn difference(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Equal => "unchanged".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", Count(after.saturating_sub(before))),
        std::cmp::Ordering::Less => format!("−{}", Count(before.saturating_sub(after))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_sign() {
        assert_eq!(difference(3, 1_003), "+1,000");
        assert_eq!(difference(3, 1), "−2");
        assert_eq!(difference(3, 3), "unchanged");
    }
}
