//! Rows of access keys.

use tokio_postgres::Row;

use crate::rules::keys::role;
use crate::rules::rows::KeyRows;
use crate::{AuditEvent, AuditFilter, AuditRow, KeyChange, KeyRecord, Result, StoredSecret};

use super::audit;
use super::columns::{get, ident_or_null, with};
use super::turn::Turn;

const KEY: &str = "key";

impl KeyRows for Turn<'_> {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        let row = self.one(
            "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
               last_used_ms, name, role, expires_ms, signed_out_ms
             FROM keys WHERE access_key_id = $1",
            with![access_key_id],
        )?;
        row.as_ref().map(record).transpose()
    }

    fn keys(&self) -> Result<Vec<KeyRecord>> {
        let rows = self.rows(
            "SELECT access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
               last_used_ms, name, role, expires_ms, signed_out_ms
             FROM keys ORDER BY created_ms, access_key_id",
            with![],
        )?;
        rows.iter().map(record).collect()
    }

    fn change_key(&self, change: &KeyChange) -> Result<bool> {
        let changed = match change {
            KeyChange::Create(key) => create(self, key)?,
            KeyChange::Enable { access_key_id, enabled } => self.count(
                "UPDATE keys SET enabled = $2 WHERE access_key_id = $1",
                with![access_key_id, *enabled],
            )?,
            KeyChange::Seal { access_key_id, secret } => {
                let (text, under) = columns(secret);
                self.count(
                    "UPDATE keys SET secret = $2, sealed_under = $3 WHERE access_key_id = $1",
                    with![access_key_id, text, under],
                )?
            }
            KeyChange::SignOut { access_key_id, at_ms } => self.count(
                "UPDATE keys SET signed_out_ms = greatest(signed_out_ms, $2) WHERE access_key_id = $1",
                with![access_key_id, *at_ms],
            )?,
            KeyChange::Remove(access_key_id) => {
                self.count("DELETE FROM keys WHERE access_key_id = $1", with![access_key_id])?
            }
            KeyChange::SealUnder(name) => {
                self.count("UPDATE store SET sealed_under = $1", with![name])?
            }
        };
        Ok(changed > 0)
    }

    fn raise_key_use(&self, access_key_id: &str, at_ms: i64) -> Result<()> {
        self.send(
            "UPDATE keys SET last_used_ms = greatest(last_used_ms, $2) WHERE access_key_id = $1",
            with![access_key_id, at_ms],
        )
    }

    fn cap_key_uses(&self, now_ms: i64) -> Result<()> {
        let update = "UPDATE keys SET last_used_ms = $1 WHERE last_used_ms > $1";
        self.send(update, with![now_ms])
    }

    fn append_event(&self, sequence: u64, event: &AuditEvent) -> Result<()> {
        audit::append(self, sequence, event)
    }

    fn events(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        audit::page(self, filter, limit)
    }

    fn drop_events(&self, before_ms: i64) -> Result<u64> {
        self.count("DELETE FROM audit WHERE at_ms < $1", with![before_ms])
    }
}

fn create(turn: &Turn<'_>, key: &KeyRecord) -> Result<u64> {
    let (secret, sealed_under) = columns(&key.secret);
    turn.count(
        "INSERT INTO keys (access_key_id, secret, sealed_under, account, enabled, replaces, created_ms,
           last_used_ms, name, role, expires_ms, signed_out_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (access_key_id) DO NOTHING",
        with![
            &key.access_key_id,
            secret,
            sealed_under,
            key.account.as_ref().map(|account| account.as_str()),
            key.enabled,
            &key.replaces,
            key.created_ms,
            key.last_used_ms,
            &key.name,
            key.role.word(),
            key.expires_ms,
            key.signed_out_ms
        ],
    )
}

fn columns(secret: &StoredSecret) -> (&str, Option<&str>) {
    match secret {
        StoredSecret::Plain(text) => (text, None),
        StoredSecret::Sealed { under, text } => (text, Some(under)),
    }
}

fn record(row: &Row) -> Result<KeyRecord> {
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
        role: role(get(row, 9, KEY)?)?,
        expires_ms: get(row, 10, KEY)?,
        signed_out_ms: get(row, 11, KEY)?,
    })
}
