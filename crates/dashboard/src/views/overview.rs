//! Where an organization stands.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Count, Moment, Words};
use crate::state::{AccountState, Tally};
use crate::views::changes::{ChangeRow, ChangeTally};
use crate::views::history::{Look, Trend};
use crate::views::policies::PolicyRow;

/// The overview.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "overview.html")]
pub struct Overview {
    #[serde(skip)]
    pub frame: Frame,
    /// Whether an organization was applied.
    pub has_organization: bool,
    /// Policies of the Region that the caller reads.
    pub policy_count: Count,
    /// Whether the caller reads any policies anywhere.
    pub reads_policies: bool,
    /// Accounts by the worst that is known of each.
    pub accounts: Tally,
    /// How many accounts that is of.
    pub account_count: Count,
    /// Those with the most violators.
    pub worst_accounts: Vec<AccountRow>,
    /// Those with the most violators.
    pub worst_policies: Vec<PolicyRow>,
    /// What is not known for longest.
    pub gaps: Vec<GapRow>,
    /// How many accounts have a gap.
    pub gap_count: Count,
    /// Account-Regions that are due to be judged; told the operator.
    pub due: Option<Count>,
    /// How it was a week ago, and what changed since; none for who is not told the past, and before there is one.
    pub week: Option<Week>,
    /// The figures of the last 90 days, the earliest first; none where they cost much.
    pub looks: Vec<Look>,
    /// The same as lines.
    #[serde(skip)]
    pub trends: Vec<Trend>,
    /// Where to go.
    #[serde(skip)]
    pub links: OverviewLinks,
}

impl Overview {
    /// The line of a figure.
    fn trend(&self, name: &str) -> Option<&Trend> {
        self.trends.iter().find(|trend| trend.name == name)
    }
}

/// Where the figures lead.
#[derive(Debug)]
pub struct OverviewLinks {
    pub heatmap: String,
    pub sources: String,
    pub violations: String,
    pub policies: String,
    pub history: String,
    pub changes: String,
}

/// The last week, or as much of it as is kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Week {
    pub since: Moment,
    /// The figures of then.
    pub accounts: Tally,
    /// None where no policy was about any account then.
    #[serde(skip)]
    pub moved: Option<Moved>,
    pub tally: ChangeTally,
    /// Whether all changes were counted.
    pub is_all: bool,
    /// The latest that a moment is noted of.
    pub newest: Vec<ChangeRow>,
}

/// How the figures moved, in words.
#[derive(Debug)]
pub struct Moved {
    pub violate: String,
    pub not_known: String,
    pub comply: String,
    pub out_of_scope: String,
}

/// One account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    pub name: Words,
    pub account: String,
    #[serde(skip)]
    pub href: String,
    pub state: AccountState,
    /// Policies that it breaks.
    pub policies_broken: Count,
    /// Policies under which nothing is known.
    pub policies_unknown: Count,
    /// The age of its inventory.
    pub age_seconds: Option<Ago>,
}

/// One account of which something is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GapRow {
    pub name: Words,
    pub account: String,
    #[serde(skip)]
    pub href: String,
    pub state: AccountState,
    pub policies_unknown: Count,
    pub age_seconds: Option<Ago>,
}

impl View for Overview {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "Account",
            "AccountName",
            "State",
            "ViolatorCount",
            "PoliciesBroken",
            "PoliciesUnknown",
            "AgeSeconds",
        ]);
        for row in &self.worst_accounts {
            let known = matches!(row.state, AccountState::Violates(_));
            sheet.row([
                row.account.clone(),
                row.name.0.clone(),
                row.state.name().to_owned(),
                if known { row.state.violators().to_string() } else { String::new() },
                row.policies_broken.0.to_string(),
                row.policies_unknown.0.to_string(),
                row.age_seconds.map(|age| age.0.to_string()).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}
