//! One account under every policy.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Count, Moment, Words};
use crate::state::AccountState;
use crate::views::Paging;
use crate::views::standing::Issue;

/// An account.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "account.html")]
pub struct Account {
    #[serde(skip)]
    pub frame: Frame,
    pub account: String,
    pub name: Words,
    /// The units above it, the outermost first.
    pub unit: Words,
    /// As AWS Organizations has it.
    pub status: String,
    /// Whether policies are about accounts of this status.
    pub is_judged: bool,
    pub is_administrator: bool,
    /// Over all policies of the Region.
    pub state: AccountState,
    pub policies: Vec<PolicyRow>,
    pub paging: Paging,
    /// Policies of the Region that are not about it.
    pub out_of_scope: Count,
    pub regions: Vec<RegionRow>,
    #[serde(skip)]
    pub violations: String,
    /// Where its figures over time are; none for who is not told the past.
    #[serde(skip)]
    pub history: Option<String>,
}

/// A policy that is about the account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRow {
    pub name: Words,
    pub policy: String,
    #[serde(skip)]
    pub href: String,
    pub state: AccountState,
    pub issues: Vec<Issue>,
    pub judged: Option<Moment>,
}

/// The inventory of a Region.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionRow {
    pub region: String,
    #[serde(skip)]
    pub href: String,
    pub newest: Option<Moment>,
    pub age_seconds: Option<Ago>,
    pub is_stale: bool,
}

impl View for Account {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "MemberAccount",
            "AccountName",
            "PolicyName",
            "PolicyId",
            "State",
            "ViolatorCount",
            "LastJudged",
            "Issues",
        ]);
        for row in &self.policies {
            let count = match row.state {
                AccountState::Violates(count) => count.to_string(),
                AccountState::Complies => "0".to_owned(),
                _ => String::new(),
            };
            let issues: Vec<&str> = row.issues.iter().map(|issue| issue.text.0.as_str()).collect();
            sheet.row([
                self.account.clone(),
                self.name.0.clone(),
                row.name.0.clone(),
                row.policy.clone(),
                row.state.name().to_owned(),
                count,
                row.judged.map(Moment::iso).unwrap_or_default(),
                issues.join(" "),
            ]);
        }
        Some(sheet)
    }
}
