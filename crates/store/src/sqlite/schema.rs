//! Which tables there are, and how a store written by an older Palisade becomes one of this.
//!
//! `PRAGMA user_version` counts the migrations that were run; `PRAGMA application_id` tells a
//! store from another program's database.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use crate::{Result, StoreError};

use super::sums;
use super::unusable::engine;

/// Migrations in order: the first makes version 1 from nothing. Never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
    include_str!("schema/0009.sql"),
    include_str!("schema/0010.sql"),
    include_str!("schema/0011.sql"),
    include_str!("schema/0012.sql"),
    include_str!("schema/0013.sql"),
    include_str!("schema/0014.sql"),
    include_str!("schema/0015.sql"),
    include_str!("schema/0016.sql"),
    include_str!("schema/0017.sql"),
    include_str!("schema/0018.sql"),
];

/// "PALI", so that `file` and we can tell the store from other SQLite databases.
const APPLICATION_ID: i32 = 0x5041_4c49;

/// Why a database is not opened though it says that it is a store.
#[derive(Debug, thiserror::Error)]
#[error(
    "it says that its schema has version {said}, but {unlike}: its version was set, or somebody \
     changed its tables. Nothing was changed; bring back a copy of it"
)]
struct NotAsSaid {
    said: u32,
    unlike: String,
}

/// The schema version of a database, 0 for an empty one. Refuses what is not a store, what a
/// newer Palisade wrote, and what does not have the tables of the version that it says.
pub(super) fn version(connection: &Connection, path: &str) -> Result<u32> {
    version_among(connection, path, MIGRATIONS)
}

fn version_among(connection: &Connection, path: &str, migrations: &[&str]) -> Result<u32> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let found = pragma("user_version").map_err(|error| engine(path, error))?;
    let application = pragma("application_id").map_err(|error| engine(path, error))?;
    let foreign = || engine(path, "it is another program's database; name another file");
    if application != i64::from(APPLICATION_ID) {
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        return if application == 0 && found == 0 && tables == 0 { Ok(0) } else { Err(foreign()) };
    }
    let found = u32::try_from(found).map_err(|_| foreign())?;
    let known = known(migrations);
    if found > known {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known });
    }
    match unlike(connection, found, migrations).map_err(|error| engine(path, error))? {
        Some(unlike) => Err(engine(path, NotAsSaid { said: found, unlike })),
        None => Ok(found),
    }
}

/// In what a database differs from one that these many migrations made, if in anything.
fn unlike(
    connection: &Connection,
    version: u32,
    migrations: &[&str],
) -> rusqlite::Result<Option<String>> {
    let model = Connection::open_in_memory()?;
    let run = usize::try_from(version).unwrap_or(usize::MAX);
    for migration in migrations.iter().take(run) {
        model.execute_batch(migration)?;
    }
    let (found, expected) = (shape(connection)?, shape(&model)?);
    let more = found.difference(&expected).next().map(|name| format!("has {name}"));
    let less = || expected.difference(&found).next().map(|name| format!("lacks {name}"));
    Ok(more.or_else(less))
}

/// Tables with their columns, and indexes, by name: what migrations make. How SQLite writes down that
/// a column was added depends on its release.
fn shape(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let ask = "SELECT schema.type || ' `' || schema.name || '`'
                   || coalesce(' with column `' || field.name || '`', '')
               FROM sqlite_schema schema LEFT JOIN pragma_table_xinfo(schema.name) field
               ON schema.type = 'table'
               WHERE schema.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    connection.prepare(ask)?.query_map([], |row| row.get(0))?.collect()
}

/// Whether a database of this version needs [`migrate`].
pub(super) fn is_current(version: u32) -> bool {
    version == known(MIGRATIONS)
}

/// Runs the migrations that a database lacks, all or none. A new store keeps `sealing_key`.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &str,
    sealing_key: &[u8; 32],
) -> Result<()> {
    run(connection, path, MIGRATIONS, sealing_key)
}

/// A store as an older Palisade made it.
#[cfg(test)]
pub(super) fn migrate_to(
    connection: &mut Connection,
    version: usize,
    sealing_key: &[u8; 32],
) -> Result<()> {
    run(connection, "older", MIGRATIONS.get(..version).unwrap_or(MIGRATIONS), sealing_key)
}

/// The version that this Palisade knows.
#[cfg(test)]
pub(super) fn known_version() -> u32 {
    known(MIGRATIONS)
}

fn known(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

fn run(
    connection: &mut Connection,
    path: &str,
    migrations: &[&str],
    sealing_key: &[u8; 32],
) -> Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again inside the transaction: another process may have been faster.
    let found = version_among(&tx, path, migrations)?;
    let behind = usize::try_from(found).unwrap_or(usize::MAX);
    sums::register(&tx)?;
    let damaged: Vec<_> = sums::SUMMED
        .into_iter()
        .map(|table| sums::unsound(&tx, table))
        .collect::<rusqlite::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    for migration in migrations.iter().skip(behind) {
        tx.execute_batch(migration)?;
    }
    tx.execute(
        "INSERT INTO store (one, control_revision, sequence, lists_changed, sealing_key)
         VALUES (1, 0, 0, 0, ?1) ON CONFLICT (one) DO NOTHING",
        [sealing_key],
    )?;
    // What else is here counts as it is: columns may have come to its rows.
    sums::sum_rows_but(&tx, &damaged)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", known(migrations))?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_store_gets_the_migrations_it_lacks_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, "here", &MIGRATIONS[..1], &[1; 32]).unwrap();
        connection.execute("UPDATE store SET sequence = 41", []).unwrap();
        let added = "ALTER TABLE store ADD COLUMN extra INTEGER NOT NULL DEFAULT 7;";
        run(&mut connection, "here", &[MIGRATIONS[0], added], &[2; 32]).unwrap();
        let row: (i64, i64, Vec<u8>) = connection
            .query_row("SELECT sequence, extra, sealing_key FROM store", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(row, (41, 7, vec![1; 32]));
        assert_eq!(version_of(&connection), 2);
    }

    #[test]
    fn a_migration_that_fails_leaves_the_store_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, "here", &MIGRATIONS[..1], &[1; 32]).unwrap();
        let broken =
            "ALTER TABLE store ADD COLUMN extra INTEGER; ALTER TABLE no_such ADD COLUMN x;";
        assert!(run(&mut connection, "here", &[MIGRATIONS[0], broken], &[1; 32]).is_err());
        assert_eq!(version_of(&connection), 1);
        assert!(connection.prepare("SELECT extra FROM store").is_err());
    }

    /// Set back, it would be migrated over what it holds; set on, it would lack what is asked for.
    #[test]
    fn a_store_that_is_not_of_the_version_it_says_is_refused_in_words() {
        let known = known_version();
        for really in 1..=known {
            for said in 0..=known {
                let mut connection = Connection::open_in_memory().unwrap();
                let until = usize::try_from(really).unwrap();
                run(&mut connection, "here", &MIGRATIONS[..until], &[1; 32]).unwrap();
                connection.pragma_update(None, "user_version", said).unwrap();
                let migrated = migrate(&mut connection, "here", &[2; 32]);
                assert_eq!(migrated.is_ok(), said == really, "{said} for {really}");
                let Err(error) = migrated else { continue };
                let told = error.to_string();
                assert!(told.contains("its version was set") && told.contains("`here`"), "{told}");
                assert_eq!(version_of(&connection), i64::from(said), "left as it was");
            }
        }
    }

    #[test]
    fn what_was_damaged_before_a_migration_is_so_after_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "here", &[1; 32]).unwrap();
        let insert = "INSERT INTO lists (list, record, sum) VALUES (?1, 'r', row_sum(?1, ?2))";
        for (list, record) in [("whole", "r"), ("damaged", "s")] {
            connection.execute(insert, [list, record]).unwrap();
        }
        let added: Vec<&str> =
            [MIGRATIONS, &["ALTER TABLE lists ADD COLUMN extra INTEGER NOT NULL DEFAULT 7;"]]
                .concat();
        run(&mut connection, "here", &added, &[2; 32]).unwrap();
        let damaged = sums::unsound(&connection, "lists").unwrap();
        assert_eq!(damaged.iter().map(ToString::to_string).collect::<Vec<_>>(), ["lists damaged"]);
        assert!(sums::unsound(&connection, "store").unwrap().is_empty());
    }

    #[test]
    fn running_the_migrations_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, "here", &[1; 32]).unwrap();
        migrate(&mut connection, "here", &[2; 32]).unwrap();
        let key: Vec<u8> =
            connection.query_row("SELECT sealing_key FROM store", [], |row| row.get(0)).unwrap();
        assert_eq!(key, vec![1; 32]);
    }

    /// Semantics §11 row 36: what an earlier edition knew by one item, or by a snapshot of whatever
    /// types, is known again when a snapshot or a listing says so.
    #[test]
    fn what_an_older_store_knew_by_one_item_is_judged_and_not_known() {
        use crate::Inventory as _;
        use crate::contract::facts::{GROUP, delivery, group, loaded, shard, snapshot};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut connection = Connection::open(&path).unwrap();
        run(&mut connection, "here", &MIGRATIONS[..6], &[1; 32]).unwrap();
        let insert = |sql: &str, n: u32| {
            let shard = shard(n);
            connection.execute(sql, [shard.account.as_str(), shard.region.as_str()]).unwrap();
        };
        for (n, has_snapshot) in [(1, 0), (2, 1)] {
            let sql = format!("INSERT INTO shards VALUES (?1, ?2, {has_snapshot}, 5, NULL, 1)");
            insert(&sql, n);
            insert(&format!("INSERT INTO coverage VALUES (?1, ?2, '{GROUP}', 1, 7)"), n);
        }
        drop(connection);
        let store =
            crate::sqlite::SqliteStore::open(&path, crate::sqlite::tests::beds::serving()).unwrap();
        for n in [1, 2] {
            let found = loaded(&store, &shard(n)).shard;
            assert!(found.held_types.contains(&GROUP) && !found.knows(&GROUP), "{n}");
        }
        store.accept(&delivery(&[group(&shard(1), "sg-1", 5)]), 10, None).unwrap();
        assert!(!loaded(&store, &shard(1)).shard.knows(&GROUP));
        store.accept(&snapshot(&shard(2), 9, &[group(&shard(2), "sg-1", 5)]), 10, None).unwrap();
        assert!(loaded(&store, &shard(2)).shard.knows(&GROUP));
    }

    #[test]
    fn an_older_store_begins_its_past_with_what_it_holds() {
        use crate::contract::facts::{GROUP, account, policy_id, violator};
        use crate::{Ledger as _, Premises as _};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut connection = Connection::open(&path).unwrap();
        run(&mut connection, "here", &MIGRATIONS[..13], &[1; 32]).unwrap();
        let one = account(1);
        let found = serde_json::to_string(&violator(GROUP, "sg-1", "acl").violations).unwrap();
        let rows: [(&str, &[&str]); 3] = [
            (
                "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues,
                   policy_revision, closed)
                 VALUES ('p', ?1, 0, 50, 'NON_COMPLIANT', 1, NULL, 2, 0)",
                &[one.as_str()],
            ),
            (
                "INSERT INTO entries (policy, account, status, violator_count, in_scope, issues, since_ms,
                   policy_revision, evaluated_ms)
                 VALUES ('p', ?1, 'NON_COMPLIANT', 1, 7, NULL, 50, 3, 60)",
                &[one.as_str()],
            ),
            (
                "INSERT INTO violators (policy, account, type, id, violations, since_ms)
                 VALUES ('p', ?1, 'AWS::EC2::SecurityGroup', 'sg-1', ?2, 50)",
                &[one.as_str(), &found],
            ),
        ];
        for (sql, values) in rows {
            connection.execute(sql, rusqlite::params_from_iter(values)).unwrap();
        }
        sums::sum_rows(&connection).unwrap();
        drop(connection);
        let store =
            crate::sqlite::SqliteStore::open(&path, crate::sqlite::tests::beds::serving()).unwrap();
        assert_eq!(store.span().unwrap().from_ms, None, "until it is served");
        store.look_at_clock(1_000, 0).unwrap();
        assert_eq!(store.span().unwrap().from_ms, Some(1_000));
        let state = store.entry_at(&policy_id("p"), &one, 1_000).unwrap().unwrap();
        assert_eq!((state.policy_revision, state.violator_count, state.at_ms), (3, 1, 50));
        let violators = store.violators_at(&policy_id("p"), &one, None, 9, 1_000).unwrap();
        assert_eq!(violators, store.violators(&policy_id("p"), &one, None, 9).unwrap());
        assert_eq!(violators.len(), 1);
    }
}
