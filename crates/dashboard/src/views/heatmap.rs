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

/// What the script draws, in few bytes: 500,000 cells are less than 1 MiB.
#[derive(Serialize)]
pub struct Cells {
    /// Id and name of each policy.
    pub policies: Vec<(String, String)>,
    /// The units above accounts, in words.
    pub units: Vec<String>,
    /// One text an account, see [`row`].
    pub accounts: Vec<String>,
}

/// An account of the picture, between blanks: its id, its unit's place in the list of units, its cells, and
/// its name, which may have blanks.
pub fn row(id: &str, unit: usize, cells: &str, name: &str) -> String {
    format!("{id} {unit} {cells} {name}")
}

/// A cell of a row: `.` complies, a digit or a number in brackets is of violators, `?` is not known, `~` not
/// judged yet, `-` out of scope.
pub fn cell(state: AccountState) -> String {
    match state {
        AccountState::Complies => ".".to_owned(),
        AccountState::Violates(count) if count <= 9 => count.to_string(),
        AccountState::Violates(count) => format!("({count})"),
        AccountState::NotKnown => "?".to_owned(),
        AccountState::NotJudged => "~".to_owned(),
        AccountState::OutOfScope => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_accounts_under_fifty_policies_are_less_than_a_mebibyte() {
        let state = |n: usize| match n % 20 {
            0 => AccountState::NotKnown,
            1 => AccountState::Violates(137),
            2..5 => AccountState::Violates(3),
            _ => AccountState::Complies,
        };
        let account = |n: usize| {
            let cells: String = (0..50).map(|column| cell(state(n + column))).collect();
            row(&format!("{n:012}"), n % 300, &cells, &format!("workload-number-{n}"))
        };
        let cells = Cells {
            policies: (0..50).map(|n| (format!("{n:036}"), format!("policy-{n}"))).collect(),
            units: (0..300).map(|n| format!("Workloads / Production / Team {n}")).collect(),
            accounts: (0..10_000).map(account).collect(),
        };
        let size = serde_json::to_vec(&cells).unwrap().len();
        assert!(size <= 1024 * 1024, "{size}");
    }
}
