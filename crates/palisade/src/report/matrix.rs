//! Accounts by policies: how each stands.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_core::evaluate::Status;

use super::known::Reason;
use super::lines::Lines;
use super::row::{StatusRow, color};
use super::table::{Cell, Side, Table, fits, laid_out_in as laid_out, table};
use crate::printable::escaped;
use crate::terminal::width;

/// One column for each policy, by its title; `-` where the policy is not about the account. Where titles leave no
/// room they are numbers, and told below.
pub fn matrix(accounts: &[(&str, String)], columns: &[(String, Vec<StatusRow>)]) -> String {
    matrix_in(accounts, columns, width())
}

pub(super) fn matrix_in(
    accounts: &[(&str, String)],
    columns: &[(String, Vec<StatusRow>)],
    width: Option<usize>,
) -> String {
    let columns = by_account(columns);
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let whole = laid(accounts, &columns, &titles, standing);
    if fits(&whole, width) {
        return laid_out(&whole, width);
    }
    let numbers: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
    let mut text = laid_out(&laid(accounts, &columns, &numbers, mark), width);
    for (number, title) in numbers.iter().zip(&titles) {
        text.push_str(&format!(" {number:>2}  {}\n", escaped(title)));
    }
    text.push_str(" ok complies   3 violators   ? no result   … not judged yet   - out of scope\n");
    text
}

fn laid(
    accounts: &[(&str, String)],
    columns: &[Column<'_>],
    titles: &[String],
    word: fn(Option<&StatusRow>) -> String,
) -> Table {
    let mut table = table();
    let head = ["Account", "Name"].map(Cell::new);
    table.set_header(head.into_iter().chain(titles.iter().map(Cell::new)));
    for (id, name) in accounts {
        let mut cells = vec![Cell::new(id), Cell::name(name)];
        cells.extend(columns.iter().map(|(_, rows)| {
            let row = rows.get(id).copied();
            let cell = Cell::new(word(row)).on(Side::Right);
            row.map_or(cell.clone(), |row| cell.fg(color(row.status)))
        }));
        table.add_row(cells);
    }
    table
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

fn standing(row: Option<&StatusRow>) -> String {
    row.map_or_else(|| "-".to_owned(), StatusRow::standing)
}

/// The same in a few columns.
fn mark(row: Option<&StatusRow>) -> String {
    match row {
        None => "-".to_owned(),
        Some(row) => match (row.status, row.reason) {
            (Some(Status::Compliant), _) => "ok".to_owned(),
            (Some(Status::NonCompliant), _) => row.violator_count.to_string(),
            (None, Reason::OutOfScope) => "-".to_owned(),
            (None, Reason::NotJudgedYet) => "…".to_owned(),
            (None, Reason::Judged | Reason::NoResult) => "?".to_owned(),
        },
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
        let narrow = matrix_in(&accounts, &columns, Some(20));
        assert!(narrow.contains("  1  one\n  2  two\n ok complies"), "{narrow}");
        let lines: Vec<&str> = table.lines().filter(|line| line.contains(['1', '2'])).collect();
        assert!(lines[0].ends_with('-') && lines[1].ends_with("complies"), "{table}");
    }
}
