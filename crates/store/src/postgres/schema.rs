//! Which tables there are, how they are made, and how those of an older Palisade become ours. Two nodes may
//! start at once: one makes the tables, the other waits for it.

use std::thread;
use std::time::Duration;

use tokio_postgres::Row;

use crate::StoreError;

use super::columns::with;
use super::fault::{Fault, FaultKind};
use super::session::{Server, Session};

/// Migrations in order: the first makes version 1 from nothing. Never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
];

/// The oldest server that is used: it keeps others out of `public`, and its statements are those of the tests.
const SERVER_VERSION_MIN: i64 = 150_000;

/// How often it is tried to make the first row, which others may be making too, and the pause between.
const TRIES_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Makes the tables what this Palisade knows. A store that is not there is made only if `is_made`.
///
/// # Errors
/// There is none, a newer Palisade made it, or the server does not allow or fit it.
pub(super) fn prepare(
    server: &Server,
    session: &Session,
    is_made: bool,
    sealing_key: &[u8; 32],
) -> Result<(), StoreError> {
    fits(server, session)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let is_there = found(server, session)?.is_some();
    if !is_there && !is_made {
        return Err(Fault::last(&server.place, "there is no store of Palisade's there").into());
    }
    if !is_there {
        make(server, session)?;
    }
    if found(server, session)? == Some(known) {
        return Ok(());
    }
    session.batch("BEGIN")?;
    let migrated = migrate(server, session, known, sealing_key);
    match migrated {
        Ok(()) => Ok(session.batch("COMMIT")?),
        Err(error) => {
            session.batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// Whether the server can hold a store.
fn fits(server: &Server, session: &Session) -> Result<(), StoreError> {
    let rows = session.query(
        "SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'),
           current_setting('data_checksums'), current_setting('fsync'),
           current_setting('full_page_writes')",
        &[],
    )?;
    let row = rows.first();
    let text = |column: usize| row.and_then(|row| row.try_get::<_, String>(column).ok());
    let version = row.and_then(|row| row.try_get::<_, i64>(0).ok()).unwrap_or(0);
    if version < SERVER_VERSION_MIN {
        let why = format!(
            "it is version {}, and Palisade needs {} or newer",
            version / 10_000,
            SERVER_VERSION_MIN / 10_000
        );
        return Err(Fault::last(&server.place, why).into());
    }
    let encoding = text(1).unwrap_or_default();
    if encoding != "UTF8" {
        let why = format!("its database has encoding {encoding}; make one with ENCODING 'UTF8'");
        return Err(Fault::last(&server.place, why).into());
    }
    for (column, setting, what) in [
        (2, "data_checksums", "a page that its disk damaged would be answered from"),
        (3, "fsync", "what was acknowledged does not survive power loss"),
        (4, "full_page_writes", "power loss may damage what was acknowledged"),
    ] {
        if text(column).as_deref() == Some("off") {
            tracing::warn!(database = %server.place, "{setting} is off: {what}");
        }
    }
    Ok(())
}

/// The version of the tables; `None` when there are none.
fn found(server: &Server, session: &Session) -> Result<Option<u32>, StoreError> {
    let name = format!("{}.palisade_schema", server.address.schema);
    let there = session.query("SELECT to_regclass($1::text) IS NOT NULL", &with![name])?;
    if there.first().and_then(|row| row.try_get(0).ok()) != Some(true) {
        return Ok(None);
    }
    let rows = session.query("SELECT version FROM palisade_schema WHERE one = 1", &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    version(server, row).map(Some)
}

fn version(server: &Server, row: &Row) -> Result<u32, StoreError> {
    let found = row.try_get::<_, i64>(0).ok().and_then(|found| u32::try_from(found).ok());
    let found = found.ok_or_else(|| Fault::last(&server.place, "its schema has no version"))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    match found > known {
        true => Err(StoreError::TooNew { path: server.place.to_string(), found, known }),
        false => Ok(found),
    }
}

/// Makes the schema with the row by which migrations are run one after the other.
fn make(server: &Server, session: &Session) -> Result<(), StoreError> {
    let schema = &server.address.schema;
    // A schema that somebody made for us may be there, and we not be allowed to make any.
    let is_there =
        session.query("SELECT 1 FROM pg_namespace WHERE nspname = $1::text", &with![schema])?;
    let schema = match is_there.is_empty() {
        true => format!("CREATE SCHEMA IF NOT EXISTS {schema};"),
        false => String::new(),
    };
    let sql = format!(
        "{schema}
         CREATE TABLE IF NOT EXISTS palisade_schema (
           one smallint NOT NULL PRIMARY KEY CHECK (one = 1), version bigint NOT NULL);
         INSERT INTO palisade_schema (one, version) VALUES (1, 0) ON CONFLICT DO NOTHING"
    );
    let mut tries: u32 = 0;
    loop {
        // `IF NOT EXISTS` fails where another node makes the same at the same time.
        match session.batch(&sql) {
            Ok(()) => return Ok(()),
            Err(fault) if fault.kind == FaultKind::Lost || tries >= TRIES_MAX => {
                return Err(fault.into());
            }
            Err(fault) if !is_of_another_maker(&fault) => return Err(fault.into()),
            Err(_) => {
                tries = tries.saturating_add(1);
                thread::sleep(PAUSE);
            }
        }
    }
}

fn is_of_another_maker(fault: &Fault) -> bool {
    // Taken names and rows, and a catalogue row that another one changes.
    ["23505", "42P06", "42P07", "42710", "XX000", "40001"]
        .iter()
        .any(|state| fault.why.contains(&format!("SQLSTATE {state}")))
}

/// Runs the migrations that are lacking, within a transaction and alone.
fn migrate(
    server: &Server,
    session: &Session,
    known: u32,
    sealing_key: &[u8; 32],
) -> Result<(), StoreError> {
    let rows =
        session.query("SELECT version FROM palisade_schema WHERE one = 1 FOR UPDATE", &[])?;
    let row =
        rows.first().ok_or_else(|| Fault::last(&server.place, "its schema has no version"))?;
    let behind = usize::try_from(version(server, row)?).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(behind) {
        session.batch(migration)?;
    }
    let key: &[u8] = sealing_key;
    session.query(
        "INSERT INTO store (one, sequence, control_revision, keys_revision, sealing_key, rules, assumed,
           lists_changed, common_policies_changed, groups_changed, vpcs_changed)
         VALUES (1, 0, 0, 0, $1, 0, '', 0, 0, 0, 0) ON CONFLICT (one) DO NOTHING",
        &with![key],
    )?;
    session
        .query("UPDATE palisade_schema SET version = $1 WHERE one = 1", &with![i64::from(known)])?;
    Ok(())
}
