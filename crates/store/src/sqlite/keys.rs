//! Access keys, and the key under which page tokens are sealed.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::{KeyRecord, Result, StoreError};

use super::columns::{get, ident_or_null};

const KEY: &str = "key";

pub(super) fn create(tx: &Transaction<'_>, key: &KeyRecord) -> Result<()> {
    let kept = tx.execute(
        "INSERT INTO keys (access_key_id, secret, account, created_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (access_key_id) DO NOTHING",
        params![
            key.access_key_id,
            key.secret,
            key.account.as_ref().map(|account| account.as_str()),
            key.created_ms
        ],
    )?;
    if kept == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

pub(super) fn one(tx: &Transaction<'_>, access_key_id: &str) -> Result<Option<KeyRecord>> {
    let mut statement = tx.prepare_cached(
        "SELECT access_key_id, secret, account, created_ms FROM keys WHERE access_key_id = ?1",
    )?;
    let mut rows = statement.query([access_key_id])?;
    rows.next()?.map(record).transpose()
}

pub(super) fn all(tx: &Transaction<'_>) -> Result<Vec<KeyRecord>> {
    let mut statement = tx.prepare_cached(
        "SELECT access_key_id, secret, account, created_ms FROM keys
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
    Ok(KeyRecord {
        access_key_id: get(row, 0, KEY)?,
        secret: get(row, 1, KEY)?,
        account: ident_or_null(row, 2, KEY)?,
        created_ms: get(row, 3, KEY)?,
    })
}

pub(super) fn sealing(tx: &Transaction<'_>) -> Result<[u8; 32]> {
    let key = tx
        .prepare_cached("SELECT sealing_key FROM store")?
        .query_row([], |row| row.get::<_, [u8; 32]>(0))
        .optional();
    match key {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(super::columns::damaged("sealing key", "it is missing")),
        Err(error) => Err(super::columns::damaged("sealing key", error)),
    }
}
