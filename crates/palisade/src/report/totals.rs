//! Sums over rows.

use std::collections::BTreeSet;

use palisade_core::evaluate::Status;
use serde_json::{Value, json};

use super::row::{StatusRow, counted};

/// How many rows stand how. A row is an account under a policy.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    policies: usize,
    accounts: usize,
    rows: u64,
    compliant: u64,
    non_compliant: u64,
    unknown: u64,
    violators: u64,
}

impl Totals {
    /// Of rows of so many policies.
    pub fn of(rows: &[StatusRow], policies: usize) -> Totals {
        let accounts: BTreeSet<&str> = rows.iter().map(|row| row.account.as_str()).collect();
        let accounts = accounts.len();
        let mut totals =
            Totals { policies, accounts, rows: rows.len() as u64, ..Totals::default() };
        for row in rows {
            match row.status {
                Some(Status::Compliant) => totals.compliant += 1,
                Some(Status::NonCompliant) => {
                    totals.non_compliant += 1;
                    totals.violators = totals.violators.saturating_add(row.violator_count);
                }
                None => totals.unknown += 1,
            }
        }
        totals
    }

    /// In one line.
    pub fn text(&self) -> String {
        let what = match self.policies {
            0 | 1 => counted(self.rows, "account"),
            policies => format!(
                "{policies} policies, {}, {}",
                counted(self.accounts as u64, "account"),
                counted(self.rows, "row")
            ),
        };
        format!(
            "{what}: {} compliant, {} not ({}), {} unknown",
            self.compliant,
            self.non_compliant,
            counted(self.violators, "violator"),
            self.unknown
        )
    }

    /// As an object.
    pub fn json(&self) -> Value {
        json!({
            "Policies": self.policies,
            "Accounts": self.accounts,
            "Rows": self.rows,
            "Compliant": self.compliant,
            "NonCompliant": self.non_compliant,
            "Unknown": self.unknown,
            "ViolatorCount": self.violators,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_how_they_stand() {
        let row =
            |status, violator_count| StatusRow { status, violator_count, ..StatusRow::default() };
        let rows = [
            row(Some(Status::Compliant), 0),
            row(Some(Status::NonCompliant), 3),
            row(Some(Status::NonCompliant), 137),
            row(None, 0),
        ];
        let one = Totals::of(&rows, 1);
        assert_eq!(one.text(), "4 accounts: 1 compliant, 2 not (140 violators), 1 unknown");
        assert_eq!(
            Totals::of(&rows, 2).text(),
            "2 policies, 1 account, 4 rows: 1 compliant, 2 not (140 violators), 1 unknown"
        );
        assert_eq!(one.json()["ViolatorCount"], 140);
        let none = Totals::of(&[], 1);
        assert_eq!(none.text(), "0 accounts: 0 compliant, 0 not (0 violators), 0 unknown");
    }
}
