//! Rows of access keys and of the audit log.

use rusqlite::{Row, params};

use crate::rules::keys::role;
use crate::rules::rows::KeyRows;
use crate::{AuditEvent, AuditFilter, AuditRow, KeyChange, KeyRecord, Result, StoredSecret};

use super::audit;
use super::columns::{get, ident_or_null};
use super::log::Transaction;
use super::sums::sound;

const KEY: &str = "key";

impl KeyRows for Transaction<'_> {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        let mut statement = self.prepare_cached(
            "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
               last_used_ms, name, role, expires_ms, signed_out_ms, sum IS row_sum(access_key_id, secret,
                 account, created_ms, sealed_under, enabled, replaces, last_used_ms, name, role,
                 expires_ms, signed_out_ms)
             FROM keys WHERE access_key_id = ?1",
        )?;
        let mut rows = statement.query([access_key_id])?;
        rows.next()?.map(record).transpose()
    }

    fn keys(&self) -> Result<Vec<KeyRecord>> {
        let mut statement = self.prepare_cached(
            "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
               last_used_ms, name, role, expires_ms, signed_out_ms, sum IS row_sum(access_key_id, secret,
                 account, created_ms, sealed_under, enabled, replaces, last_used_ms, name, role,
                 expires_ms, signed_out_ms)
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

    fn change_key(&self, change: &KeyChange) -> Result<bool> {
        let changed = match change {
            KeyChange::Create(key) => create(self, key)?,
            KeyChange::Enable { access_key_id, enabled } => self.execute(
                "UPDATE keys SET enabled = ?2 WHERE access_key_id = ?1",
                params![access_key_id, enabled],
            )?,
            KeyChange::Seal { access_key_id, secret } => {
                let (text, under) = columns(secret);
                self.execute(
                    "UPDATE keys SET secret = ?2, sealed_under = ?3 WHERE access_key_id = ?1",
                    params![access_key_id, text, under],
                )?
            }
            KeyChange::SignOut { access_key_id, at_ms } => self.execute(
                "UPDATE keys SET signed_out_ms = max(coalesce(signed_out_ms, ?2), ?2)
                 WHERE access_key_id = ?1",
                params![access_key_id, at_ms],
            )?,
            KeyChange::Remove(access_key_id) => {
                self.execute("DELETE FROM keys WHERE access_key_id = ?1", [access_key_id])?
            }
            KeyChange::SealUnder(name) => {
                self.execute("UPDATE store SET sealed_under = ?1", [name])?
            }
        };
        Ok(changed > 0)
    }

    fn raise_key_use(&self, access_key_id: &str, at_ms: i64) -> Result<()> {
        let mut update = self.prepare_cached(
            "UPDATE keys SET last_used_ms = max(coalesce(last_used_ms, ?2), ?2)
             WHERE access_key_id = ?1",
        )?;
        update.execute(params![access_key_id, at_ms])?;
        Ok(())
    }

    fn cap_key_uses(&self, now_ms: i64) -> Result<()> {
        self.execute("UPDATE keys SET last_used_ms = ?1 WHERE last_used_ms > ?1", [now_ms])?;
        Ok(())
    }

    fn append_event(&self, sequence: u64, event: &AuditEvent) -> Result<()> {
        audit::append(self, sequence, event)
    }

    fn events(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        audit::page(self, filter, limit)
    }

    fn drop_events(&self, before_ms: i64) -> Result<u64> {
        audit::expire(self, before_ms)
    }
}

fn create(tx: &Transaction<'_>, key: &KeyRecord) -> Result<usize> {
    let (secret, sealed_under) = columns(&key.secret);
    Ok(tx.execute(
        "INSERT INTO keys (access_key_id, secret, sealed_under, account, enabled, replaces,
           created_ms, last_used_ms, name, role, expires_ms, signed_out_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (access_key_id) DO NOTHING",
        params![
            key.access_key_id,
            secret,
            sealed_under,
            key.account.as_ref().map(|account| account.as_str()),
            key.enabled,
            key.replaces,
            key.created_ms,
            key.last_used_ms,
            key.name,
            key.role.word(),
            key.expires_ms,
            key.signed_out_ms
        ],
    )?)
}

fn columns(secret: &StoredSecret) -> (&str, Option<&str>) {
    match secret {
        StoredSecret::Plain(text) => (text, None),
        StoredSecret::Sealed { under, text } => (text, Some(under)),
    }
}

fn record(row: &Row<'_>) -> Result<KeyRecord> {
    sound(row, 12, KEY)?;
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
        name: get(row, 8, KEY)?,
        role: role(&get::<String>(row, 9, KEY)?)?,
        expires_ms: get(row, 10, KEY)?,
        signed_out_ms: get(row, 11, KEY)?,
    })
}
