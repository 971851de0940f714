//! Columns to and from the types that they are written from; what does not fit is damage.

use palisade_core::ident::{IdentError, ShardId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::{Result, StoreError};

pub(super) use crate::rules::damaged;

/// A value that goes with a statement. It is owned, so that the statement may be on its way while its
/// caller goes on.
pub(super) type Param = Box<dyn ToSql + Send + Sync>;

/// What a statement takes.
pub(super) trait IntoParam {
    fn into_param(self) -> Param;
}

macro_rules! owned_params {
    ($($given:ty => |$value:ident| $owned:expr;)+) => {
        $(impl IntoParam for $given {
            fn into_param(self) -> Param {
                let $value = self;
                Box::new($owned)
            }
        })+
    };
}

owned_params! {
    i16 => |value| value;
    i64 => |value| value;
    bool => |value| value;
    Option<i64> => |value| value;
    u64 => |value| value.cast_signed();
    &str => |value| value.to_owned();
    &String => |value| value.clone();
    String => |value| value;
    Option<&str> => |value| value.map(str::to_owned);
    &Option<String> => |value| value.clone();
    Option<String> => |value| value;
    &[u8] => |value| value.to_vec();
    Vec<i16> => |value| value;
    Vec<i64> => |value| value;
    Vec<Option<i64>> => |value| value;
    Vec<String> => |value| value;
    Vec<Vec<u8>> => |value| value;
    Vec<Option<Vec<u8>>> => |value| value;
}

/// The values of a statement, in order.
macro_rules! with {
    ($($value:expr),* $(,)?) => {
        <Vec<$crate::postgres::columns::Param>>::from([
            $($crate::postgres::columns::IntoParam::into_param($value)),*
        ])
    };
}
pub(super) use with;

/// A plain column of a row of kind `what`.
pub(super) fn get<'r, T: FromSql<'r>>(
    row: &'r Row,
    column: usize,
    what: &'static str,
) -> Result<T> {
    row.try_get(column).map_err(|error| damaged(what, error))
}

/// A column that holds a number without a sign.
pub(super) fn number(row: &Row, column: usize, what: &'static str) -> Result<u64> {
    get::<i64>(row, column, what).map(i64::cast_unsigned)
}

/// A column that holds an identifier.
pub(super) fn ident<T>(row: &Row, column: usize, what: &'static str) -> Result<T>
where
    T: for<'a> TryFrom<&'a str, Error = IdentError>,
{
    let text: &str = get(row, column, what)?;
    T::try_from(text).map_err(|error| damaged(what, error))
}

/// A column that holds an identifier or NULL.
pub(super) fn ident_or_null<T>(row: &Row, column: usize, what: &'static str) -> Result<Option<T>>
where
    T: for<'a> TryFrom<&'a str, Error = IdentError>,
{
    let text: Option<&str> = get(row, column, what)?;
    text.map(T::try_from).transpose().map_err(|error| damaged(what, error))
}

/// Account and Region in two neighbouring columns.
pub(super) fn shard_id(row: &Row, column: usize, what: &'static str) -> Result<ShardId> {
    Ok(ShardId { account: ident(row, column, what)?, region: ident(row, column + 1, what)? })
}

/// A column that holds JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row, column: usize, what: &'static str) -> Result<T> {
    let text: &str = get(row, column, what)?;
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}

/// The JSON to keep in a column. It holds no character that PostgreSQL's text cannot hold.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.into()))
}

/// A page size as PostgreSQL takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Text that others chose, so that PostgreSQL, whose text has no NUL, keeps it: [`unescaped`] brings it
/// back. Text without control characters stays as it is.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0")
}

/// As it was before [`escaped`].
pub(super) fn unescaped(text: &str) -> String {
    text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_others_chose_is_kept_whatever_it_holds() {
        for text in ["", "sg-1", "\0", "a\0b", "\u{1}", "\u{1}0", "\0\u{1}1\u{1}\0", "\u{1}\u{1}0"]
        {
            let kept = escaped(text);
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(unescaped(&kept), text, "{text:?}: {kept:?}");
        }
        assert_eq!(escaped("i-0 ü"), "i-0 ü");
    }
}
