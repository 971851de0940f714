//! How an account stands under a policy, as mark and word: never a colour alone, and never a number that
//! stands for what is not known.

use palisade_api::known::{Known, Reason};
use palisade_core::evaluate::Status;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::shown::Count;

/// One account under one policy, or the worst of several policies. Ascending: the worst comes last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum AccountState {
    /// The policy is not about it.
    OutOfScope,
    /// Nothing in it breaks the policy.
    Complies,
    /// It was not judged, or not since the policy was changed.
    NotJudged,
    /// It was judged, and nothing can be claimed.
    NotKnown,
    /// So many resources break the policy.
    Violates(u64),
}

impl AccountState {
    /// What is known of an account.
    pub fn of(known: &Known<'_>) -> AccountState {
        match (known.status, known.reason) {
            (Some(Status::Compliant), _) => AccountState::Complies,
            (Some(Status::NonCompliant), _) => {
                AccountState::Violates(known.result().map_or(0, |(_, entry)| entry.violator_count))
            }
            (None, Reason::NotJudgedYet) => AccountState::NotJudged,
            (None, Reason::OutOfScope) => AccountState::OutOfScope,
            (None, Reason::Judged | Reason::NoResult) => AccountState::NotKnown,
        }
    }

    /// Violators, where the account is known to have some.
    pub fn violators(self) -> u64 {
        match self {
            AccountState::Violates(count) => count,
            _ => 0,
        }
    }

    /// For style sheets and programs.
    pub fn name(self) -> &'static str {
        match self {
            AccountState::OutOfScope => "out-of-scope",
            AccountState::Complies => "complies",
            AccountState::NotJudged => "not-judged",
            AccountState::NotKnown => "not-known",
            AccountState::Violates(_) => "violates",
        }
    }

    /// The mark, which tells states apart without colour.
    pub fn mark(self) -> &'static str {
        match self {
            AccountState::OutOfScope => "–",
            AccountState::Complies => "●",
            AccountState::NotJudged => "…",
            AccountState::NotKnown => "◌",
            AccountState::Violates(_) => "▲",
        }
    }

    /// The word beside it.
    pub fn words(self) -> String {
        match self {
            AccountState::OutOfScope => "out of scope".to_owned(),
            AccountState::Complies => "complies".to_owned(),
            AccountState::NotJudged => "not judged yet".to_owned(),
            AccountState::NotKnown => "not known".to_owned(),
            AccountState::Violates(count) => Count(count).of("violator"),
        }
    }

    /// Both as HTML, made of nothing that others wrote.
    pub fn html(self) -> String {
        format!(
            "<span class=\"state {}\"><span class=\"mark\" aria-hidden=\"true\">{}</span> {}</span>",
            self.name(),
            self.mark(),
            self.words()
        )
    }
}

impl Serialize for AccountState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = match self {
            AccountState::Violates(count) => json!({ "name": self.name(), "violators": count }),
            _ => json!({ "name": self.name() }),
        };
        told.serialize(serializer)
    }
}

/// How many accounts stand how.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// With violators.
    pub violate: Count,
    /// Not known.
    pub not_known: Count,
    /// Not judged yet.
    pub not_judged: Count,
    /// That comply.
    pub comply: Count,
    /// Out of scope.
    pub out_of_scope: Count,
    /// Violators of them all.
    pub violators: Count,
}

impl Tally {
    /// Of these states.
    pub fn of(states: impl IntoIterator<Item = AccountState>) -> Tally {
        let mut tally = Tally::default();
        for state in states {
            let count = match state {
                AccountState::Violates(_) => &mut tally.violate,
                AccountState::NotKnown => &mut tally.not_known,
                AccountState::NotJudged => &mut tally.not_judged,
                AccountState::Complies => &mut tally.comply,
                AccountState::OutOfScope => &mut tally.out_of_scope,
            };
            count.0 = count.0.saturating_add(1);
            tally.violators.0 = tally.violators.0.saturating_add(state.violators());
        }
        tally
    }

    /// How many there are in scope.
    pub fn in_scope(&self) -> Count {
        let parts = [self.violate, self.not_known, self.not_judged, self.comply];
        Count(parts.iter().map(|part| part.0).sum())
    }

    /// In words, the worst first; what there is none of is left out.
    pub fn words(&self) -> String {
        let parts = [
            (self.violate, "with violators"),
            (self.not_known, "not known"),
            (self.not_judged, "not judged yet"),
            (self.comply, "complying"),
        ];
        let some: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| count.0 > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if some.is_empty() { "no account in scope".to_owned() } else { some.join(", ") }
    }

    /// The states as parts of a bar that is 1,000 wide: class, begin and width. What there is any of has
    /// some width.
    pub fn bar(&self) -> Vec<(&'static str, u64, u64)> {
        const WIDTH: u64 = 1_000;
        const WIDTH_MIN: u64 = 12;
        let parts = [
            (AccountState::Violates(0), self.violate),
            (AccountState::NotKnown, self.not_known),
            (AccountState::NotJudged, self.not_judged),
            (AccountState::Complies, self.comply),
        ];
        let all = self.in_scope().0.max(1);
        let mut begin = 0;
        let mut bar = Vec::new();
        for (state, count) in parts.into_iter().filter(|(_, count)| count.0 > 0) {
            let width = (count.0.saturating_mul(WIDTH) / all).max(WIDTH_MIN);
            let width = width.min(WIDTH.saturating_sub(begin));
            bar.push((state.name(), begin, width));
            begin = begin.saturating_add(width);
        }
        // What rounding leaves is the last part's.
        if let Some((_, at, width)) = bar.last_mut() {
            *width = WIDTH.saturating_sub(*at);
        }
        bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_is_what_is_told() {
        use AccountState::*;
        for (states, worst) in [
            (vec![Complies, NotKnown, Violates(1)], Violates(1)),
            (vec![Complies, NotKnown], NotKnown),
            (vec![OutOfScope, Complies], Complies),
            (vec![NotJudged, Complies], NotJudged),
            (vec![OutOfScope], OutOfScope),
        ] {
            assert_eq!(states.iter().copied().max(), Some(worst), "{states:?}");
        }
    }

    #[test]
    fn a_bar_shows_every_part_and_ends_where_it_must() {
        let states = [AccountState::Complies; 9_999].into_iter().chain([AccountState::NotKnown]);
        let bar = Tally::of(states).bar();
        assert_eq!(bar, [("not-known", 0, 12), ("complies", 12, 988)]);
        assert_eq!(Tally::default().bar(), []);
        assert_eq!(Tally::default().words(), "no account in scope");
    }
}
