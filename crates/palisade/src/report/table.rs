//! Tables for people. What their cells hold may come from anybody's files: it is escaped here, where
//! every cell passes.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
pub use comfy_table::{CellAlignment, Color};
use comfy_table::{ContentArrangement, TableComponent};

use crate::printable::escaped;

/// A table in the style of all of ours.
pub struct Table(comfy_table::Table);

/// One cell, of one line.
pub struct Cell(comfy_table::Cell);

/// A table as wide as the terminal, or as its content when piped.
pub fn table() -> Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    for lines_between_rows in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(lines_between_rows);
    }
    table.set_content_arrangement(match table.width() {
        Some(_) => ContentArrangement::Dynamic,
        None => ContentArrangement::Disabled,
    });
    Table(table)
}

impl Table {
    /// Names the columns.
    pub fn set_header(&mut self, names: impl IntoIterator<Item = impl Into<Cell>>) {
        self.0.set_header(names.into_iter().map(|name| name.into().0));
    }

    /// Adds a row.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.into().0));
    }
}

impl Cell {
    /// A cell with hidden characters escaped.
    pub fn new(text: impl ToString) -> Cell {
        Cell(comfy_table::Cell::new(escaped(&text.to_string())))
    }

    /// In a color, on terminals.
    #[must_use]
    pub fn fg(self, color: Color) -> Cell {
        Cell(self.0.fg(color))
    }

    /// On this side of its column.
    #[must_use]
    pub fn set_alignment(self, side: CellAlignment) -> Cell {
        Cell(self.0.set_alignment(side))
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

/// A table's text without the blanks that fill its last column.
pub fn finished(table: &Table) -> String {
    let mut text = String::new();
    for line in table.0.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
