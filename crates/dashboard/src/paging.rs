//! Lists by pages, which links lead through.

use palisade_api::own::Refused;

use crate::reader::{ROWS_MAX, Reader};
use crate::views::Paging;

/// The rows of the page that is asked for, out of all of them, and where they are.
///
/// # Errors
/// A page beyond the last.
pub fn page<T>(reader: &Reader<'_>, all: Vec<T>) -> Result<(Vec<T>, Paging), Refused> {
    let page = reader.page()?;
    let count = all.len();
    let start = page.saturating_sub(1).saturating_mul(ROWS_MAX);
    if start >= count && page > 1 {
        return Err(Refused::invalid(format!(
            "page {page} is beyond the last: there are {count} rows, {ROWS_MAX} on a page"
        )));
    }
    let rows: Vec<T> = all.into_iter().skip(start).take(ROWS_MAX).collect();
    let end = start.saturating_add(rows.len());
    let to =
        |page: usize| reader.place.again(reader.path, reader.query, &[("page", &page.to_string())]);
    let paging = Paging {
        first: (if rows.is_empty() { 0 } else { start.saturating_add(1) }).into(),
        last: end.into(),
        all: Some(count.into()),
        before: (page > 1).then(|| to(page.saturating_sub(1))),
        next: (end < count).then(|| to(page.saturating_add(1))),
    };
    Ok((rows, paging))
}
