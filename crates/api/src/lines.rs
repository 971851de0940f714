//! CSV (RFC 4180), one line a row, as spreadsheets may open it.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use crate::printable::escaped;

/// Writes lines of CSV. A cell that a spreadsheet would take for a formula is defused, and hidden
/// characters are escaped: a cell is one line.
pub struct Lines<W: Write>(csv::Writer<W>);

impl<W: Write> Lines<W> {
    /// Lines that go to `to`, all of them once [`Lines::finish`] was called.
    pub fn to(to: W) -> Lines<W> {
        Lines(WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(to))
    }

    /// Writes one line, of as many cells as the first had.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(&*shown(cell.as_ref())).map_err(io::Error::from)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(io::Error::from)
    }

    /// Hands on what is still held.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes all these lines.
///
/// # Errors
/// When they cannot be written.
pub fn write<R, C>(rows: impl IntoIterator<Item = R>, to: &mut dyn Write) -> io::Result<()>
where
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let mut lines = Lines::to(to);
    rows.into_iter().try_for_each(|row| lines.line(row))?;
    lines.finish()
}

fn shown(cell: &str) -> Cow<'_, str> {
    let cell = escaped(cell);
    let formula = cell.starts_with(['=', '+', '@']) || (cell.starts_with('-') && cell.len() > 1);
    if formula { Cow::Owned(format!("'{cell}")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_no_formula_gets_through() {
        let row = ["=1+1", "-", "-1", "+1", "@a", "a\"b", "c,d", "", "e\nf\u{202e}", "'", " g "];
        let mut text = Vec::new();
        write([row, row], &mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "'=1+1,-,'-1,'+1,'@a,\"a\"\"b\",\"c,d\",,e\\nf\\u{202e},', g \n".repeat(2)
        );
    }
}
