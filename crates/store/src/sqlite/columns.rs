//! Reading columns back into the types they were written from; what does not fit is damage.

use palisade_core::ident::{IdentError, ShardId};
use rusqlite::Row;
use rusqlite::types::FromSql;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Result, StoreError};

pub(super) use crate::rules::damaged;

/// A plain column of a row of kind `what`.
pub(super) fn get<T: FromSql>(row: &Row<'_>, column: usize, what: &'static str) -> Result<T> {
    row.get(column).map_err(|error| damaged(what, error))
}

/// A column that holds text or NULL, as it lies in the row.
pub(super) fn text_or_null<'r>(
    row: &'r Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<Option<&'r str>> {
    let value = row.get_ref(column).map_err(|error| damaged(what, error))?;
    value.as_str_or_null().map_err(|error| damaged(what, error))
}

/// A column that holds an identifier.
pub(super) fn ident<T>(row: &Row<'_>, column: usize, what: &'static str) -> Result<T>
where
    T: for<'a> TryFrom<&'a str, Error = IdentError>,
{
    let value = row.get_ref(column).map_err(|error| damaged(what, error))?;
    let text = value.as_str().map_err(|error| damaged(what, error))?;
    T::try_from(text).map_err(|error| damaged(what, error))
}

/// A column that holds an identifier or NULL.
pub(super) fn ident_or_null<T>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<Option<T>>
where
    T: for<'a> TryFrom<&'a str, Error = IdentError>,
{
    match get::<Option<String>>(row, column, what)? {
        None => Ok(None),
        Some(text) => Ok(Some(T::try_from(&text).map_err(|error| damaged(what, error))?)),
    }
}

/// Account and Region in two neighbouring columns.
pub(super) fn shard(row: &Row<'_>, column: usize, what: &'static str) -> Result<ShardId> {
    Ok(ShardId { account: ident(row, column, what)?, region: ident(row, column + 1, what)? })
}

/// A column that holds JSON.
pub(super) fn json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<T> {
    let value = row.get_ref(column).map_err(|error| damaged(what, error))?;
    let text = value.as_str().map_err(|error| damaged(what, error))?;
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}

/// A column that holds JSON or NULL.
pub(super) fn json_or_null<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<Option<T>> {
    match get::<Option<String>>(row, column, what)? {
        None => Ok(None),
        Some(text) => serde_json::from_str(&text).map(Some).map_err(|error| damaged(what, error)),
    }
}

/// The JSON to keep in a column.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.into()))
}

/// A page size as SQLite takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// How many rows a statement dropped.
pub(super) fn dropped(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
