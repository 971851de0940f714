//! What changed between two moments.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::{Frame, Link};
use crate::sheet::Sheet;
use crate::shown::{Count, Moment, Words};

/// The changes of a Region.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "changes.html")]
pub struct Changes {
    #[serde(skip)]
    pub frame: Frame,
    pub from: Moment,
    pub to: Moment,
    /// Since when the past is kept.
    pub kept_from: Option<Moment>,
    /// The policy asked for, by its id; empty is every one.
    pub policy: String,
    /// What is wrong with the moments; empty where nothing is.
    pub error: String,
    pub tally: ChangeTally,
    pub days: Vec<Day>,
    /// Whether these are all changes between the two moments.
    pub is_all: bool,
    #[serde(skip)]
    pub next: Option<String>,
    #[serde(skip)]
    pub spans: Vec<Link>,
    /// The moments as their fields have them.
    #[serde(skip)]
    pub typed: [String; 2],
    /// Id, name, and whether it is the one asked for.
    #[serde(skip)]
    pub policies: Vec<(String, Words, bool)>,
    #[serde(skip)]
    pub hidden: Vec<(&'static str, String)>,
}

/// How many changes are of which kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeTally {
    /// Violators that are none before.
    pub gained: Count,
    /// Violators that are none any more.
    pub ended: Count,
    /// Violators that nothing is known of any more: they did not end.
    pub lost_sight: Count,
    /// Violators in another way.
    pub altered: Count,
    /// Accounts under a policy that stand otherwise.
    pub accounts: Count,
    /// Policies made, changed or removed.
    pub policies: Count,
}

/// The changes of a day.
#[derive(Debug, Serialize)]
pub struct Day {
    /// The day; none of changes whose moment is not noted.
    pub day: Option<String>,
    pub changes: Vec<ChangeRow>,
}

/// What was told of something before and after.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRow {
    pub what: What,
    pub mark: &'static str,
    pub word: &'static str,
    pub policy: Words,
    #[serde(skip)]
    pub policy_page: String,
    pub account: Option<String>,
    pub account_name: Words,
    /// What it is of: a resource, an account or the policy.
    pub subject: Words,
    #[serde(skip)]
    pub href: String,
    pub before: Words,
    pub after: Words,
    pub at: Option<Moment>,
    /// Why, as far as that is known.
    pub cause: String,
}

/// Of what something is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Policy,
    Account,
    Violator,
}

impl ChangeRow {
    /// Whether the state before says anything: of a violator that is new, there is none.
    pub fn shows_before(&self) -> bool {
        !self.before.is_empty() && (self.what != What::Violator || self.mark != "+")
    }

    /// Whether the state after says anything that the one before does not.
    pub fn shows_after(&self) -> bool {
        !self.after.is_empty() && self.after != self.before
    }

    /// The class of its mark.
    pub fn class(&self) -> &'static str {
        match (self.what, self.mark) {
            (What::Violator, "+") => "violates",
            (What::Violator, "-") => "complies",
            (_, "◌") => "not-known",
            _ => "other",
        }
    }
}

impl ChangeTally {
    /// In words; what there is none of is left out.
    pub fn words(&self) -> Vec<(&'static str, &'static str, String)> {
        let all = [
            ("violates", "+", self.gained, "new violator", "new violators"),
            ("complies", "-", self.ended, "violator ended", "violators ended"),
            (
                "not-known",
                "◌",
                self.lost_sight,
                "violator not known any more",
                "violators not known any more",
            ),
            ("other", "~", self.altered, "violator in another way", "violators in another way"),
            ("other", "~", self.accounts, "account stands otherwise", "accounts stand otherwise"),
            ("other", "~", self.policies, "policy", "policies"),
        ];
        let some = all.into_iter().filter(|(_, _, count, _, _)| count.0 > 0);
        some.map(|(class, mark, count, one, many)| {
            (class, mark, format!("{count} {}", if count.0 == 1 { one } else { many }))
        })
        .collect()
    }
}

impl View for Changes {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "At",
            "Change",
            "Of",
            "PolicyName",
            "MemberAccount",
            "AccountName",
            "Subject",
            "Before",
            "After",
            "Cause",
        ]);
        for row in self.days.iter().flat_map(|day| &day.changes) {
            let of = match row.what {
                What::Policy => "policy",
                What::Account => "account",
                What::Violator => "violator",
            };
            sheet.row([
                row.at.map(Moment::iso).unwrap_or_default(),
                row.word.to_owned(),
                of.to_owned(),
                row.policy.0.clone(),
                row.account.clone().unwrap_or_default(),
                row.account_name.0.clone(),
                row.subject.0.clone(),
                row.before.0.clone(),
                row.after.0.clone(),
                row.cause.clone(),
            ]);
        }
        Some(sheet)
    }
}
