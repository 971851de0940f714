//! How figures went: the trend of an organization, a policy or an account, and the states of an account under a
//! policy.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::{Frame, Link};
use crate::sheet::Sheet;
use crate::shown::{Count, Moment, Words};
use crate::state::{AccountState, Tally};
use crate::views::Paging;

/// A trend, and the same as a table.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "history.html")]
pub struct History {
    #[serde(skip)]
    pub frame: Frame,
    /// What the figures are of, in words.
    pub of: Words,
    pub kept_from: Option<Moment>,
    /// Whether the caller is told the past.
    pub is_told: bool,
    #[serde(skip)]
    pub trends: Vec<Trend>,
    /// The moments looked at, the latest first.
    pub moments: Vec<Look>,
    #[serde(skip)]
    pub spans: Vec<Link>,
}

/// One figure over time.
#[derive(Debug)]
pub struct Trend {
    pub state: &'static str,
    pub mark: &'static str,
    pub name: &'static str,
    pub now: Count,
    /// How it moved, in words.
    pub moved: String,
    pub svg: String,
    pub highest: Count,
}

/// The figures of a moment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    pub at: Moment,
    pub accounts: Tally,
    /// How it stood then.
    #[serde(skip)]
    pub page: String,
    /// What changed since the moment before.
    #[serde(skip)]
    pub changes: Option<String>,
}

impl View for History {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "At",
            "Violators",
            "AccountsWithViolators",
            "AccountsNotKnown",
            "AccountsNotJudgedYet",
            "AccountsComplying",
        ]);
        for look in &self.moments {
            let tally = &look.accounts;
            let counts =
                [tally.violators, tally.violate, tally.not_known, tally.not_judged, tally.comply];
            let counts = counts.into_iter().map(|count| count.0.to_string());
            sheet.row(std::iter::once(look.at.iso()).chain(counts));
        }
        Some(sheet)
    }
}

/// The states of an account under a policy, and the violators that ended.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "standing_history.html")]
pub struct StandingHistory {
    #[serde(skip)]
    pub frame: Frame,
    pub policy: Words,
    pub account: String,
    pub account_name: Words,
    /// The latest first.
    pub states: Vec<PastState>,
    /// The last to end first.
    pub ended: Vec<Ended>,
    pub paging: Paging,
}

/// How the account stood for a time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastState {
    pub from: Moment,
    pub until: Option<Moment>,
    pub state: AccountState,
    pub issues: Vec<Words>,
    pub policy_revision: u64,
    pub cause: String,
}

/// A violator that ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub resource: Words,
    pub resource_type: Words,
    #[serde(skip)]
    pub href: String,
    pub evidence: Words,
    pub since: Option<Moment>,
    pub ended: Option<Moment>,
}

impl View for StandingHistory {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "From",
            "Until",
            "State",
            "ViolatorCount",
            "Issues",
            "PolicyRevision",
            "Cause",
        ]);
        for row in &self.states {
            let count = match row.state {
                AccountState::Violates(count) => count.to_string(),
                AccountState::Complies => "0".to_owned(),
                _ => String::new(),
            };
            let issues: Vec<&str> = row.issues.iter().map(|issue| issue.0.as_str()).collect();
            sheet.row([
                row.from.iso(),
                row.until.map(Moment::iso).unwrap_or_default(),
                row.state.name().to_owned(),
                count,
                issues.join(" "),
                row.policy_revision.to_string(),
                row.cause.clone(),
            ]);
        }
        Some(sheet)
    }
}
