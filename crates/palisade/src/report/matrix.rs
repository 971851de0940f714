//! Accounts by policies: how each stands.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_core::evaluate::Status;

use super::lines::Lines;
use super::row::{StatusRow, color, counted};
use super::table::{Cell, CellAlignment, finished, table};

/// One column for each policy, by its title; `-` where the policy is not about the account.
pub fn matrix(accounts: &[(&str, String)], columns: &[(String, Vec<StatusRow>)]) -> String {
    let columns = by_account(columns);
    let mut table = table();
    let mut header = vec!["Account", "Name"];
    header.extend(columns.iter().map(|(title, _)| *title));
    table.set_header(header);
    for (id, name) in accounts {
        let mut cells = vec![Cell::new(id), Cell::new(name)];
        cells.extend(columns.iter().map(|(_, rows)| cell(rows.get(id).copied())));
        table.add_row(cells);
    }
    finished(&table)
}

/// The same for spreadsheets.
///
/// # Errors
/// When it cannot be written.
pub fn matrix_csv(
    accounts: &[(&str, String)],
    columns: &[(String, Vec<StatusRow>)],
    to: &mut dyn Write,
) -> io::Result<()> {
    let columns = by_account(columns);
    let mut csv = Lines::to(to);
    csv.line(["MemberAccount", "AccountName"].into_iter().chain(columns.iter().map(|c| c.0)))?;
    for (id, name) in accounts {
        let cells = columns.iter().map(|(_, rows)| standing(rows.get(id).copied()));
        csv.line([(*id).to_owned(), name.clone()].into_iter().chain(cells))?;
    }
    csv.finish()
}

/// A policy's title, and its rows by account.
type Column<'c> = (&'c str, BTreeMap<&'c str, &'c StatusRow>);

fn by_account(columns: &[(String, Vec<StatusRow>)]) -> Vec<Column<'_>> {
    columns
        .iter()
        .map(|(title, rows)| {
            (title.as_str(), rows.iter().map(|row| (row.account.as_str(), row)).collect())
        })
        .collect()
}

fn cell(row: Option<&StatusRow>) -> Cell {
    let cell = Cell::new(standing(row)).set_alignment(CellAlignment::Right);
    match row {
        Some(row) => cell.fg(color(row.status)),
        None => cell,
    }
}

fn standing(row: Option<&StatusRow>) -> String {
    let Some(row) = row else { return "-".to_owned() };
    match row.status {
        Some(Status::Compliant) => "complies".to_owned(),
        Some(Status::NonCompliant) => counted(row.violator_count, "violator"),
        None => row.status_text().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_a_cell_for_each_policy() {
        let row = |account: &str, status, violator_count| StatusRow {
            account: account.into(),
            status,
            violator_count,
            ..StatusRow::default()
        };
        let columns = [
            ("one".to_owned(), vec![row("1", Some(Status::NonCompliant), 1), row("2", None, 0)]),
            ("two".to_owned(), vec![row("2", Some(Status::Compliant), 0)]),
        ];
        let accounts = [("1", "a".to_owned()), ("2", "=b".to_owned())];
        let mut csv = Vec::new();
        matrix_csv(&accounts, &columns, &mut csv).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "MemberAccount,AccountName,one,two\n1,a,1 violator,-\n2,'=b,no result,complies\n"
        );
        let table = matrix(&accounts, &columns);
        let lines: Vec<&str> = table.lines().filter(|line| line.contains(['1', '2'])).collect();
        assert!(lines[0].ends_with('-') && lines[1].ends_with("complies"), "{table}");
    }
}
