//! The one row of the store.

use rusqlite::types::FromSql;
use rusqlite::{Connection, params};

use crate::clock::Noted;
use crate::rules::rows::{Kind, StoreRow};
use crate::{Result, StoreError};

use super::columns::damaged;
use super::log::Transaction;
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

/// The column that notes when a kind of facts last changed.
fn column(kind: Kind) -> &'static str {
    match kind {
        Kind::Lists => "lists_changed",
        Kind::CommonPolicies => "common_policies_changed",
        Kind::Groups => "groups_changed",
        Kind::Vpcs => "vpcs_changed",
    }
}

impl StoreRow for Transaction<'_> {
    fn next_sequence(&self) -> Result<u64> {
        // Two statements, since RETURNING makes a table of its own each time.
        self.prepare_cached("UPDATE store SET sequence = sequence + 1")?.execute([])?;
        of_store(self, "sequence")
    }

    fn changed(&self, kind: Kind) -> Result<u64> {
        of_store(self, column(kind))
    }

    fn put_changed(&self, kind: Kind, sequence: u64) -> Result<()> {
        let update = format!("UPDATE store SET {} = ?1", column(kind));
        self.prepare_cached(&update)?.execute([sequence])?;
        Ok(())
    }

    fn control_revision(&self) -> Result<u64> {
        of_store(self, "control_revision")
    }

    fn put_control_revision(&self, revision: u64) -> Result<()> {
        self.execute("UPDATE store SET control_revision = ?1", [revision])?;
        Ok(())
    }

    fn keys_revision(&self) -> Result<u64> {
        of_store(self, "keys_revision")
    }

    fn put_keys_revision(&self, revision: u64) -> Result<()> {
        self.execute("UPDATE store SET keys_revision = ?1", [revision])?;
        Ok(())
    }

    fn sealed_under(&self) -> Result<Option<String>> {
        of_store(self, "sealed_under")
    }

    fn sealing_key(&self) -> Result<[u8; 32]> {
        of_store(self, "sealing_key").map_err(|error| match error {
            StoreError::Damaged { why, .. } => damaged("sealing key", why),
            other => other,
        })
    }

    fn judged_by(&self) -> Result<(u32, String)> {
        Ok((of_store(self, "rules")?, of_store(self, "assumed")?))
    }

    fn put_judged_by(&self, rules: u32, assumed: &str) -> Result<()> {
        self.execute("UPDATE store SET rules = ?1, assumed = ?2", params![rules, assumed])?;
        Ok(())
    }

    fn clock(&self) -> Result<Noted> {
        Ok(Noted {
            clock_ms: of_store(self, "clock_ms")?,
            wall_ms: of_store(self, "wall_ms")?,
            told_ms: of_store(self, "told_ms")?,
        })
    }

    fn put_clock(&self, believed_ms: i64, wall_ms: i64) -> Result<()> {
        self.execute("UPDATE store SET clock_ms = ?1, wall_ms = ?2", [believed_ms, wall_ms])?;
        Ok(())
    }

    fn raise_told_ms(&self, moment_ms: i64) -> Result<()> {
        let mut statement = self.prepare_cached(
            "UPDATE store SET told_ms = ?1 WHERE told_ms IS NULL OR told_ms < ?1",
        )?;
        statement.execute([moment_ms])?;
        Ok(())
    }

    fn stale_after_ms(&self) -> Result<Option<i64>> {
        of_store(self, "stale_after_ms")
    }

    fn put_stale_after_ms(&self, stale_after_ms: i64) -> Result<()> {
        self.execute("UPDATE store SET stale_after_ms = ?1", [stale_after_ms])?;
        Ok(())
    }

    fn newest_of_all_ms(&self) -> Result<Option<i64>> {
        Ok(self.query_row(
            "SELECT max(at_ms) FROM (
               SELECT max(at_ms) AS at_ms FROM audit
               UNION ALL SELECT max(at_ms) FROM history
               UNION ALL SELECT max(evaluated_ms) FROM judged
               UNION ALL SELECT max(newest_ms) FROM shards)",
            [],
            |row| row.get(0),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
