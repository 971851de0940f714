//! Tables for people. They are as wide as the terminal: ids are never broken across lines, and a table whose
//! columns do not fit becomes a list. What cells hold may come from anybody's files: it is escaped here, where
//! every cell passes.

use crate::printable::escaped;
use crate::terminal::{WIDTH_MIN, is_colored, width};
use crate::wrapping::{pieces, width_of, wrapped};

/// A table in the style of all of ours.
#[derive(Debug, Default)]
pub struct Table {
    header: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    color: Option<Color>,
    side: Side,
    is_name: bool,
}

/// A color that goes with a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Color {
    /// As it should be.
    Green,
    /// Not so.
    Red,
    /// Not known.
    Yellow,
}

/// On which side of its column a cell's text is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Side {
    /// Where words begin.
    #[default]
    Left,
    /// Where numbers end.
    Right,
}

/// Fewest columns for a text that wants more: a table with less for it is harder to read than a list.
const TEXT_MIN: usize = 24;
/// Widest piece of a text that is not broken, in columns of the terminal; longer ones are no ids of AWS's.
const PIECE_MAX: usize = 48;
/// Columns between those of a table that has room, and of one that has not.
const GAPS: [usize; 2] = [3, 2];

/// An empty table.
pub fn table() -> Table {
    Table::default()
}

/// A table's text, as wide as the terminal.
pub fn finished(table: &Table) -> String {
    laid_out_in(table, width())
}

/// A table's text, so wide at most.
pub fn laid_out_in(table: &Table, width: Option<usize>) -> String {
    laid_out(table, width, is_colored())
}

/// Whether a table's cells all fit in one line each.
pub fn fits(table: &Table, width: Option<usize>) -> bool {
    let [gap, _] = GAPS;
    width.is_none_or(|width| table.line_width(&table.natural(), gap) <= width)
}

fn laid_out(table: &Table, width: Option<usize>, is_colored: bool) -> String {
    let [roomy, narrow] = GAPS;
    let natural = table.natural();
    let Some(width) = width.filter(|_| !fits(table, width)) else {
        return table.drawn(&natural, roomy, is_colored);
    };
    let least = table.least();
    let Some(spare) = width.checked_sub(table.line_width(&least, narrow)) else {
        return table.listed(width, is_colored);
    };
    table.drawn(&widened(least, &natural, spare), narrow, is_colored)
}

/// Column widths with what is to spare: short columns are made whole first, and what makes none whole goes to the
/// one that lacks most.
fn widened(mut widths: Vec<usize>, natural: &[usize], mut spare: usize) -> Vec<usize> {
    loop {
        let lacking = widths.iter_mut().zip(natural);
        let lacking = lacking.map(|(width, natural)| (natural.saturating_sub(*width), width));
        let mut lacking: Vec<(usize, &mut usize)> = lacking.filter(|(lack, _)| *lack > 0).collect();
        lacking.sort_by_key(|(lack, _)| *lack);
        let is_whole = lacking.first().is_some_and(|(lack, _)| *lack <= spare);
        let next = if is_whole { lacking.into_iter().next() } else { lacking.pop() };
        let Some((lack, width)) = next else { return widths };
        let more = lack.min(spare);
        *width = width.saturating_add(more);
        spare = spare.saturating_sub(more);
        if !is_whole {
            return widths;
        }
    }
}

impl Table {
    /// Names the columns.
    pub fn set_header(&mut self, names: impl IntoIterator<Item = impl Into<Cell>>) {
        self.header = names.into_iter().map(Into::into).collect();
    }

    /// Adds a row.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<Cell>> {
        std::iter::once(&self.header).chain(&self.rows)
    }

    /// The names of the columns, each on the side of what is below it.
    fn head(&self) -> Vec<Cell> {
        let sides = self.rows.first().into_iter().flatten().map(|cell| cell.side);
        let sides = sides.chain(std::iter::repeat(Side::Left));
        self.header.iter().zip(sides).map(|(name, side)| name.clone().on(side)).collect()
    }

    fn columns(&self, of: impl Fn(&Cell) -> usize) -> Vec<usize> {
        let mut widths = vec![0; self.header.len()];
        for line in self.lines() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = of(cell).max(*width);
            }
        }
        widths
    }

    fn natural(&self) -> Vec<usize> {
        self.columns(|cell| width_of(&cell.text))
    }

    /// What each column needs so that no id is broken, and no text too narrow.
    fn least(&self) -> Vec<usize> {
        self.columns(|cell| {
            let pieces = pieces(&cell.text, cell.is_name);
            let piece = pieces.map(|piece| width_of(piece.trim_end())).max().unwrap_or(0);
            let text = if cell.is_name { 0 } else { width_of(&cell.text).min(TEXT_MIN) };
            piece.min(PIECE_MAX).max(text)
        })
    }

    /// Columns of a line: a blank on either side, and what is between.
    fn line_width(&self, widths: &[usize], gap: usize) -> usize {
        let gaps = gap.saturating_mul(widths.len().saturating_sub(1));
        widths.iter().sum::<usize>().saturating_add(gaps).saturating_add(2)
    }

    fn drawn(&self, widths: &[usize], gap: usize, is_colored: bool) -> String {
        let width = self.line_width(widths, gap);
        let rule = |line: &str| format!("{}\n", line.repeat(width));
        let mut text = rule("─");
        draw(&self.head(), widths, gap, is_colored, &mut text);
        text.push_str(&rule("═"));
        for row in &self.rows {
            draw(row, widths, gap, is_colored, &mut text);
        }
        text.push_str(&rule("─"));
        text
    }

    /// Each row as lines of its own, a name and what it is.
    fn listed(&self, width: usize, is_colored: bool) -> String {
        let names = self.header.iter().map(|name| width_of(&name.text)).max().unwrap_or(0);
        let indent = names.saturating_add(2);
        let beside = width.saturating_sub(indent).max(WIDTH_MIN);
        let mut text = String::new();
        for row in &self.rows {
            if !text.is_empty() {
                text.push('\n');
            }
            for (name, cell) in self.header.iter().zip(row).filter(|(_, it)| !it.text.is_empty()) {
                let room = width.saturating_sub(2);
                if cell.longest() > beside && cell.longest() <= room {
                    // An id is copied from the screen: it has a line of its own.
                    text.push_str(&format!("{}\n", name.text));
                    for line in wrapped(&cell.text, room, cell.is_name) {
                        text.push_str(&format!("  {}\n", cell.painted(&line, is_colored)));
                    }
                    continue;
                }
                let mut lines = wrapped(&cell.text, beside, cell.is_name).into_iter();
                let first = cell.painted(&lines.next().unwrap_or_default(), is_colored);
                let pad = " ".repeat(names.saturating_sub(width_of(&name.text)));
                text.push_str(&format!("{}{pad}  {first}\n", name.text));
                for line in lines {
                    let line = cell.painted(&line, is_colored);
                    text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
                }
            }
        }
        text
    }
}

/// Writes a row, in as many lines as its longest cell needs.
fn draw(row: &[Cell], widths: &[usize], gap: usize, is_colored: bool, text: &mut String) {
    let cells: Vec<Vec<String>> = row
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrapped(&cell.text, *width, cell.is_name))
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
    for at in 0..height {
        let mut line = " ".to_owned();
        let mut before = 0;
        for ((cell, lines), width) in row.iter().zip(&cells).zip(widths) {
            let part = lines.get(at).map(String::as_str).unwrap_or_default();
            let room = width.saturating_sub(width_of(part));
            let (left, right) = match cell.side {
                Side::Left => (0, room),
                Side::Right => (room, 0),
            };
            line.push_str(&" ".repeat(before + left));
            line.push_str(&cell.painted(part, is_colored));
            before = gap.saturating_add(right);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

impl Cell {
    /// A cell with hidden characters escaped.
    pub fn new(text: impl ToString) -> Cell {
        let text = escaped(&text.to_string()).into_owned();
        Cell { text, color: None, side: Side::Left, is_name: false }
    }

    /// A name that somebody gave: where there is little room it is broken behind hyphens and the like.
    pub fn name(text: impl ToString) -> Cell {
        Cell { is_name: true, ..Cell::new(text) }
    }

    /// In a color, on terminals.
    #[must_use]
    pub fn fg(self, color: Color) -> Cell {
        Cell { color: Some(color), ..self }
    }

    /// On this side of its column.
    #[must_use]
    pub fn on(self, side: Side) -> Cell {
        Cell { side, ..self }
    }

    /// Columns of its longest piece.
    fn longest(&self) -> usize {
        let pieces = pieces(&self.text, self.is_name);
        pieces.map(|piece| width_of(piece.trim_end())).max().unwrap_or(0)
    }

    fn painted(&self, part: &str, is_colored: bool) -> String {
        let code = match self.color.filter(|_| is_colored && !part.is_empty()) {
            None => return part.to_owned(),
            Some(Color::Red) => 31,
            Some(Color::Green) => 32,
            Some(Color::Yellow) => 33,
        };
        format!("\u{1b}[{code}m{part}\u{1b}[39m")
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::new(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn violators(name: &str) -> Table {
        let mut table = table();
        table.set_header(["Account", "Name", "Resource", "Evidence"]);
        table.add_row([
            Cell::new(ACCOUNT),
            Cell::name(name),
            Cell::new("sg-0123456789abcdef0"),
            Cell::new("ingress rule `tcp 22 from 0.0.0.0/0` lets everybody in").fg(Color::Red),
        ]);
        table
    }

    #[test]
    fn a_table_is_no_wider_than_the_terminal_and_breaks_no_id() {
        let long = "x".repeat(10_000);
        for name in ["payments-production", "two words", long.as_str()] {
            for width in WIDTH_MIN + 12..200 {
                let text = laid_out(&violators(name), Some(width), false);
                for line in text.lines() {
                    assert!(width_of(line) <= width, "{width}: {line}");
                }
                for whole in [ACCOUNT, "sg-0123456789abcdef0"] {
                    assert!(text.contains(whole), "{width}\n{text}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_wrapped_and_then_listed() {
        let table = violators("payments-production");
        let text = laid_out(&table, Some(80), false);
        let first = " 111122223333  payments-   sg-0123456789abcdef0  ingress rule `tcp 22 from";
        assert!(text.contains(first), "{text}");
        assert!(text.contains("\n               production"), "{text}");
        let text = laid_out(&table, Some(40), false);
        assert!(
            text.starts_with("Account   111122223333\nName      payments-production\n"),
            "{text}"
        );
    }

    #[test]
    fn colors_are_for_terminals() {
        let table = violators("a");
        assert!(!laid_out(&table, None, false).contains('\u{1b}'));
        assert!(laid_out(&table, None, true).contains("\u{1b}[31mingress rule"));
    }

    #[test]
    fn numbers_end_where_their_column_does() {
        let mut table = table();
        table.set_header(["n"]);
        for number in ["7", "1000"] {
            table.add_row([Cell::new(number).on(Side::Right)]);
        }
        assert_eq!(laid_out(&table, None, false), "──────\n    n\n══════\n    7\n 1000\n──────\n");
    }
}
