//! One policy: who breaks it, and what it says.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Words};
use crate::state::AccountState;
use crate::views::Paging;
use crate::views::policies::PolicyRow;

/// A policy.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "policy.html")]
pub struct Policy {
    #[serde(skip)]
    pub frame: Frame,
    #[serde(flatten)]
    pub policy: PolicyRow,
    pub owner: String,
    pub description: Words,
    /// Accounts in its scope, those with the most violators first.
    #[serde(rename = "accountList")]
    pub accounts: Vec<AccountRow>,
    pub paging: Paging,
    /// What was put, as JSON in lines.
    #[serde(skip)]
    pub definition: String,
    #[serde(skip)]
    pub violations: String,
    #[serde(skip)]
    pub links: PolicyLinks,
}

/// Where the policy leads.
#[derive(Debug)]
pub struct PolicyLinks {
    pub history: String,
    pub changes: String,
    pub waive: String,
    pub edit: String,
    pub delete: String,
}

/// An account under the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    pub name: Words,
    pub account: String,
    /// The units above it, the outermost first.
    pub unit: Words,
    #[serde(skip)]
    pub href: String,
    pub state: AccountState,
    /// The age of what is known of it.
    pub age_seconds: Option<Ago>,
}

impl View for Policy {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "PolicyName",
            "MemberAccount",
            "AccountName",
            "Unit",
            "State",
            "ViolatorCount",
            "AgeSeconds",
        ]);
        for row in &self.accounts {
            let count = match row.state {
                AccountState::Violates(count) => count.to_string(),
                AccountState::Complies => "0".to_owned(),
                _ => String::new(),
            };
            sheet.row([
                self.policy.name.0.clone(),
                row.account.clone(),
                row.name.0.clone(),
                row.unit.0.clone(),
                row.state.name().to_owned(),
                count,
                row.age_seconds.map(|age| age.0.to_string()).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}
