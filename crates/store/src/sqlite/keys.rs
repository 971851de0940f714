//! Access keys, and the key under which page tokens are sealed.

use rusqlite::{Connection, Row, params};

use crate::{AuditEvent, KeyChange, KeyRecord, Result, StoreError, StoredSecret};

use super::audit;
use super::columns::{damaged, get, ident_or_null};
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;

const KEY: &str = "key";

pub(super) fn revision(tx: &Transaction<'_>) -> Result<u64> {
    of_store(tx, "keys_revision")
}

pub(super) fn sealed_under(tx: &Transaction<'_>) -> Result<Option<String>> {
    of_store(tx, "sealed_under")
}

pub(super) fn commit(
    tx: &Transaction<'_>,
    expected_revision: u64,
    changes: &[KeyChange],
    event: &AuditEvent,
) -> Result<u64> {
    let found = revision(tx)?;
    if found != expected_revision {
        return Err(StoreError::Conflict);
    }
    // What is deleted or replaced here may be a secret: its bytes are not left in the file.
    tx.pragma_update(None, "secure_delete", true)?;
    let applied = changes.iter().try_for_each(|change| apply(tx, change));
    tx.pragma_update(None, "secure_delete", false)?;
    applied?;
    audit::append(tx, event)?;
    let next = found.saturating_add(1);
    tx.execute("UPDATE store SET keys_revision = ?1", [next])?;
    Ok(next)
}

fn apply(tx: &Transaction<'_>, change: &KeyChange) -> Result<()> {
    let changed = match change {
        KeyChange::Create(key) => create(tx, key)?,
        KeyChange::Enable { access_key_id, enabled } => tx.execute(
            "UPDATE keys SET enabled = ?2 WHERE access_key_id = ?1",
            params![access_key_id, enabled],
        )?,
        KeyChange::Seal { access_key_id, secret } => {
            let (text, under) = columns(secret);
            tx.execute(
                "UPDATE keys SET secret = ?2, sealed_under = ?3 WHERE access_key_id = ?1",
                params![access_key_id, text, under],
            )?
        }
        KeyChange::Remove(access_key_id) => {
            tx.execute("DELETE FROM keys WHERE access_key_id = ?1", [access_key_id])?
        }
        KeyChange::SealUnder(name) => tx.execute("UPDATE store SET sealed_under = ?1", [name])?,
    };
    // At the revision it was decided on, a key that is to be changed is there, and a new id is free.
    if changed == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

fn create(tx: &Transaction<'_>, key: &KeyRecord) -> Result<usize> {
    let (secret, sealed_under) = columns(&key.secret);
    Ok(tx.execute(
        "INSERT INTO keys (access_key_id, secret, sealed_under, account, enabled, replaces,
           created_ms, last_used_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (access_key_id) DO NOTHING",
        params![
            key.access_key_id,
            secret,
            sealed_under,
            key.account.as_ref().map(|account| account.as_str()),
            key.enabled,
            key.replaces,
            key.created_ms,
            key.last_used_ms
        ],
    )?)
}

fn columns(secret: &StoredSecret) -> (&str, Option<&str>) {
    match secret {
        StoredSecret::Plain(text) => (text, None),
        StoredSecret::Sealed { under, text } => (text, Some(under)),
    }
}

/// Moves the last uses of keys forward. Keys that are gone are passed over.
pub(super) fn used(tx: &Transaction<'_>, uses: &[(String, i64)]) -> Result<()> {
    let mut update = tx.prepare_cached(
        "UPDATE keys SET last_used_ms = max(coalesce(last_used_ms, ?2), ?2)
         WHERE access_key_id = ?1",
    )?;
    for (access_key_id, at_ms) in uses {
        update.execute(params![access_key_id, at_ms])?;
    }
    Ok(())
}

pub(super) fn one(connection: &Connection, access_key_id: &str) -> Result<Option<KeyRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
           last_used_ms, sum IS row_sum(access_key_id, secret, account, created_ms, sealed_under, enabled,
             replaces, last_used_ms)
         FROM keys WHERE access_key_id = ?1",
    )?;
    let mut rows = statement.query([access_key_id])?;
    rows.next()?.map(record).transpose()
}

pub(super) fn all(tx: &Transaction<'_>) -> Result<Vec<KeyRecord>> {
    let mut statement = tx.prepare_cached(
        "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
           last_used_ms, sum IS row_sum(access_key_id, secret, account, created_ms, sealed_under, enabled,
             replaces, last_used_ms)
         FROM keys
         ORDER BY created_ms, access_key_id",
    )?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(record(row)?);
    }
    Ok(keys)
}

fn record(row: &Row<'_>) -> Result<KeyRecord> {
    sound(row, 8, KEY)?;
    let text = get(row, 1, KEY)?;
    Ok(KeyRecord {
        access_key_id: get(row, 0, KEY)?,
        secret: match get(row, 2, KEY)? {
            Some(under) => StoredSecret::Sealed { under, text },
            None => StoredSecret::Plain(text),
        },
        account: ident_or_null(row, 3, KEY)?,
        enabled: get(row, 4, KEY)?,
        replaces: get(row, 5, KEY)?,
        created_ms: get(row, 6, KEY)?,
        last_used_ms: get(row, 7, KEY)?,
    })
}

pub(super) fn sealing(tx: &Transaction<'_>) -> Result<[u8; 32]> {
    of_store(tx, "sealing_key").map_err(|error| match error {
        StoreError::Damaged { why, .. } => damaged("sealing key", why),
        other => other,
    })
}
