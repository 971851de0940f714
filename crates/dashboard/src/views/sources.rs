//! What is not known, since when, and why.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::coverage::Coverage;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Count, Moment, Words};
use crate::state::AccountState;
use crate::views::Paging;

/// Gaps, what nothing was ever told of first, then the oldest.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "sources.html")]
pub struct Sources {
    #[serde(skip)]
    pub frame: Frame,
    pub region: String,
    pub coverage: Coverage,
    pub gaps: Vec<Gap>,
    pub paging: Paging,
    /// Account-Regions that are due to be judged; told the operator.
    pub due: Option<Count>,
    /// For how long the first of them has been.
    pub waits_seconds: Option<Ago>,
    pub has_policies: bool,
    pub has_organization: bool,
}

/// Something that is not known of an account, for one reason.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    pub account: String,
    pub account_name: Words,
    #[serde(skip)]
    pub href: String,
    pub state: AccountState,
    /// Why, in AWS's or Palisade's words.
    pub why: Words,
    /// The service that it is of.
    pub service: String,
    /// Policies under which it stands in the way.
    pub policies: Vec<Words>,
    /// Since when the first of them says so.
    pub since: Option<Moment>,
    /// The age of the account's inventory.
    pub age_seconds: Option<Ago>,
}

impl Gap {
    /// The policies in words: all, up to three.
    pub fn policy_words(&self) -> String {
        const NAMES_MAX: usize = 3;
        let names: Vec<String> =
            self.policies.iter().take(NAMES_MAX).map(ToString::to_string).collect();
        match self.policies.len().saturating_sub(NAMES_MAX) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

impl View for Sources {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "MemberAccount",
            "AccountName",
            "Region",
            "State",
            "Service",
            "Why",
            "Policies",
            "Since",
            "AgeSeconds",
        ]);
        for gap in &self.gaps {
            let policies: Vec<&str> = gap.policies.iter().map(|name| name.0.as_str()).collect();
            sheet.row([
                gap.account.clone(),
                gap.account_name.0.clone(),
                self.region.clone(),
                gap.state.name().to_owned(),
                gap.service.clone(),
                gap.why.0.clone(),
                policies.join("; "),
                gap.since.map(Moment::iso).unwrap_or_default(),
                gap.age_seconds.map(|age| age.0.to_string()).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}
