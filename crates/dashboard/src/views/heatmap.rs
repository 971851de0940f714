//! Accounts by policies: a picture, and the same as a table.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Count, Words};
use crate::state::AccountState;
use crate::views::Paging;

/// The heatmap.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "heatmap.html")]
pub struct Heatmap {
    #[serde(skip)]
    pub frame: Frame,
    /// Whether the table is shown, and not the picture.
    #[serde(skip)]
    pub is_table: bool,
    pub policies: Vec<PolicyHead>,
    /// Policies to the left and to the right of those in the table.
    #[serde(skip)]
    pub left: Option<String>,
    #[serde(skip)]
    pub right: Option<String>,
    pub policy_count: Count,
    pub accounts: Vec<HeatRow>,
    pub paging: Paging,
    #[serde(skip)]
    pub picture: String,
    #[serde(skip)]
    pub table: String,
    /// Where the script gets the cells.
    #[serde(skip)]
    pub cells: String,
    pub account_count: Count,
}

/// A column.
#[derive(Debug, Serialize)]
pub struct PolicyHead {
    pub name: Words,
    pub policy: String,
    #[serde(skip)]
    pub href: String,
}

/// A row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeatRow {
    pub name: Words,
    pub account: String,
    pub unit: Words,
    #[serde(skip)]
    pub href: String,
    pub states: Vec<HeatCell>,
}

/// A cell.
#[derive(Debug, Serialize)]
pub struct HeatCell {
    #[serde(flatten)]
    pub state: StateShape,
    #[serde(skip)]
    pub href: String,
}

/// A state as a member.
#[derive(Debug, Serialize)]
pub struct StateShape {
    pub state: AccountState,
}

impl View for Heatmap {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "MemberAccount",
            "AccountName",
            "Unit",
            "PolicyName",
            "PolicyId",
            "State",
            "ViolatorCount",
        ]);
        for row in &self.accounts {
            for (policy, cell) in self.policies.iter().zip(&row.states) {
                let state = cell.state.state;
                let count = match state {
                    AccountState::Violates(count) => count.to_string(),
                    AccountState::Complies => "0".to_owned(),
                    _ => String::new(),
                };
                sheet.row([
                    row.account.clone(),
                    row.name.0.clone(),
                    row.unit.0.clone(),
                    policy.name.0.clone(),
                    policy.policy.clone(),
                    state.name().to_owned(),
                    count,
                ]);
            }
        }
        Some(sheet)
    }
}

/// What the script draws. A row is a text of cells between commas: nothing complies, a number is of
/// violators, `?` is not known, `~` not judged yet, `-` out of scope.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cells {
    pub policies: Vec<CellHead>,
    pub accounts: Vec<CellHead>,
    pub rows: Vec<String>,
}

/// A policy or an account of the picture.
#[derive(Serialize)]
pub struct CellHead {
    pub name: String,
    pub id: String,
    /// The units above an account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
}
