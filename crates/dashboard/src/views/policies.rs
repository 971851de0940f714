//! Which policies there are, and how they do.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Moment, Words};
use crate::state::Tally;
use crate::views::Paging;

/// The policies of a Region.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "policies.html")]
pub struct Policies {
    #[serde(skip)]
    pub frame: Frame,
    #[serde(skip)]
    pub new: String,
    /// Those with the most violators first.
    pub policies: Vec<PolicyRow>,
    /// Where in the list.
    pub paging: Paging,
    /// Whether others than the operator and administrators look, who read none.
    pub is_member: bool,
}

/// One policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRow {
    pub name: Words,
    pub policy: String,
    #[serde(skip)]
    pub href: String,
    pub policy_type: Words,
    /// What it is about, in words.
    pub scope: Words,
    pub resources: Words,
    /// Whether this edition can parse it; else nothing is judged by it.
    pub is_parsed: bool,
    #[serde(rename = "accounts")]
    pub tally: Tally,
    pub edited: Moment,
    pub remediation: bool,
}

impl View for Policies {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "PolicyName",
            "PolicyId",
            "Type",
            "Scope",
            "ViolatorCount",
            "AccountsWithViolators",
            "AccountsNotKnown",
            "AccountsNotJudgedYet",
            "AccountsComplying",
            "LastEdited",
            "RemediationEnabled",
        ]);
        for row in &self.policies {
            let tally = &row.tally;
            let counts =
                [tally.violators, tally.violate, tally.not_known, tally.not_judged, tally.comply];
            // Nothing is judged by what cannot be parsed: no number stands for that.
            let counts = counts.map(|count| match row.is_parsed {
                true => count.0.to_string(),
                false => String::new(),
            });
            let words = [
                row.name.0.clone(),
                row.policy.clone(),
                row.policy_type.0.clone(),
                row.scope.0.clone(),
            ];
            let end = [row.edited.iso(), row.remediation.to_string()];
            sheet.row(words.into_iter().chain(counts).chain(end));
        }
        Some(sheet)
    }
}
