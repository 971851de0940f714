//! The one row of the store.

use rusqlite::Connection;
use rusqlite::types::FromSql;

use crate::Result;

use super::columns::damaged;
use super::sums::{OTHER_SUM, STORE_SOUND};

/// A column of the one row of the store. What the engine fails at is no damage of the row.
pub(super) fn of_store<T: FromSql>(connection: &Connection, column: &str) -> Result<T> {
    const STORE: &str = "store row";
    let select = format!("SELECT {column}, {STORE_SOUND} FROM store");
    let mut statement = connection.prepare_cached(&select)?;
    let told = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    match told {
        Ok((value, true)) => Ok(value),
        Ok((_, false)) => Err(damaged(STORE, OTHER_SUM)),
        Err(error @ rusqlite::Error::SqliteFailure(..)) => Err(error.into()),
        Err(error) => Err(damaged(STORE, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    #[test]
    fn a_store_whose_row_is_unreadable_is_damaged_and_an_engine_that_fails_is_not() {
        let mut connection = Connection::open_in_memory().unwrap();
        super::super::schema::migrate(&mut connection, "memory", &[7; 32]).unwrap();
        let ask = || of_store::<u64>(&connection, "keys_revision");
        assert_eq!(ask().unwrap(), 0);
        connection.execute("UPDATE store SET rules = 9", []).unwrap();
        assert!(matches!(ask(), Err(StoreError::Damaged { .. })), "whatever column it is");
        super::super::sums::sum_rows(&connection).unwrap();
        assert_eq!(ask().unwrap(), 0);
        connection.execute("DELETE FROM store", []).unwrap();
        assert!(matches!(ask(), Err(StoreError::Damaged { .. })));
        connection.progress_handler(1, Some(|| true)).unwrap();
        let failed = of_store::<u64>(&connection, "keys_revision");
        assert!(matches!(failed, Err(StoreError::Engine(_))));
    }
}
