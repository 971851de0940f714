//! Statuses and issues as columns.

use std::collections::BTreeMap;

use palisade_core::evaluate::{DependentService, Status};
use rusqlite::Row;

use crate::Result;

use super::super::columns::{damaged, text_or_null, to_json};

pub(super) fn status_text(status: Option<Status>) -> Option<&'static str> {
    status.map(|status| match status {
        Status::Compliant => "COMPLIANT",
        Status::NonCompliant => "NON_COMPLIANT",
    })
}

pub(super) fn status(row: &Row<'_>, column: usize, what: &'static str) -> Result<Option<Status>> {
    match text_or_null(row, column, what)? {
        None => Ok(None),
        Some("COMPLIANT") => Ok(Some(Status::Compliant)),
        Some("NON_COMPLIANT") => Ok(Some(Status::NonCompliant)),
        Some(other) => Err(damaged(what, format!("`{other}` is no status"))),
    }
}

pub(super) fn issues_text(issues: &BTreeMap<DependentService, String>) -> Result<Option<String>> {
    if issues.is_empty() { Ok(None) } else { to_json(issues).map(Some) }
}

pub(super) fn issues(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<BTreeMap<DependentService, String>> {
    match text_or_null(row, column, what)? {
        None => Ok(BTreeMap::new()),
        Some(text) => serde_json::from_str(text).map_err(|error| damaged(what, error)),
    }
}
