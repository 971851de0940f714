//! A view as a spreadsheet reads it.

use std::io;

use palisade_api::lines::Lines;

/// Rows of cells below a header, all of one length.
#[derive(Debug)]
pub struct Sheet {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A sheet with these columns.
    pub fn new<const N: usize>(header: [&'static str; N]) -> Sheet {
        Sheet { header: header.into(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As CSV: formulas defused, hidden characters escaped.
    ///
    /// # Errors
    /// Rows of different lengths.
    pub fn csv(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut lines = Lines::to(&mut text);
        lines.line(&self.header)?;
        self.rows.iter().try_for_each(|row| lines.line(row))?;
        lines.finish()?;
        Ok(text)
    }
}
