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

/// What numbers of violators are written with: the first stand for themselves, each of the last [`LEADS`] begins
/// one of two characters.
const DIGITS: &[u8; 84] =
    b"123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&*+,/:;<=>@[]^_`{|}";
const LEADS: usize = 9;

/// A number of violators: up to 75 in one character, up to 831 in two, and in brackets what is more.
fn number(count: u64) -> String {
    let short = || {
        let nth = usize::try_from(count).ok()?.checked_sub(1)?;
        let ones = DIGITS.len().checked_sub(LEADS)?;
        let digit = |nth: usize| DIGITS.get(nth).copied().map(char::from);
        if nth < ones {
            return Some(digit(nth)?.to_string());
        }
        let rest = nth.checked_sub(ones)?;
        let lead = digit(ones.checked_add(rest / DIGITS.len())?)?;
        Some(format!("{lead}{}", digit(rest % DIGITS.len())?))
    };
    short().unwrap_or_else(|| format!("({count})"))
}

/// A cell of a row: `.` complies, `?` is not known, `~` not judged yet, `-` out of scope; all else is a number of
/// violators.
pub fn cell(state: AccountState) -> String {
    match state {
        AccountState::Complies => ".".to_owned(),
        AccountState::Violates(count) => number(count),
        AccountState::NotKnown => "?".to_owned(),
        AccountState::NotJudged => "~".to_owned(),
        AccountState::OutOfScope => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_each_is_another() {
        for (count, text) in [
            (0, "(0)"),
            (1, "1"),
            (10, "a"),
            (75, ">"),
            (76, "@1"),
            (159, "@}"),
            (160, "[1"),
            (831, "}}"),
            (832, "(832)"),
            (u64::MAX, "(18446744073709551615)"),
        ] {
            assert_eq!(number(count), text, "{count}");
        }
        let all: std::collections::BTreeSet<String> = (0..1_000).map(number).collect();
        assert_eq!(all.len(), 1_000);
        assert!(!all.iter().any(|text| text.contains([' ', '"', '\\', '.', '?', '~', '-'])));
    }

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
