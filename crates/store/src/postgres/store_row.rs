//! The one row of the store.

use tokio_postgres::Row;

use crate::clock::Noted;
use crate::rules::rows::{Kind, StoreRow};
use crate::{Fence, Result};

use super::columns::{damaged, get, number, with};
use super::turn::Turn;

const STORE: &str = "store row";

impl Turn<'_> {
    /// The one row, of which the statement asks for some columns.
    fn of_store(&self, sql: &'static str) -> Result<Row> {
        self.one(sql, with![])?.ok_or_else(|| damaged(STORE, "it is missing"))
    }

    /// How large the store is, bytes.
    pub(super) fn size(&self) -> Result<u64> {
        let row = self.of_store(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
        )?;
        number(&row, 0, STORE)
    }
}

impl StoreRow for Turn<'_> {
    fn next_sequence(&self) -> Result<u64> {
        self.next_number()
    }

    fn next_fence(&self) -> Result<Fence> {
        // What is committed: a writer that is under way has a later number, whatever it wrote is judged as
        // written after this lease.
        let row = self.of_store("SELECT nextval('fences'), sequence FROM store")?;
        Ok(Fence { number: number(&row, 0, STORE)?, after: number(&row, 1, STORE)? })
    }

    fn changed(&self, kind: Kind) -> Result<u64> {
        let row = self.of_store(match kind {
            Kind::Lists => "SELECT lists_changed FROM store",
            Kind::CommonPolicies => "SELECT common_policies_changed FROM store",
            Kind::Groups => "SELECT groups_changed FROM store",
            Kind::Vpcs => "SELECT vpcs_changed FROM store",
        })?;
        number(&row, 0, STORE)
    }

    fn put_changed(&self, kind: Kind, sequence: u64) -> Result<()> {
        let update = match kind {
            Kind::Lists => "UPDATE store SET lists_changed = $1",
            Kind::CommonPolicies => "UPDATE store SET common_policies_changed = $1",
            Kind::Groups => "UPDATE store SET groups_changed = $1",
            Kind::Vpcs => "UPDATE store SET vpcs_changed = $1",
        };
        self.send(update, with![sequence])
    }

    fn control_revision(&self) -> Result<u64> {
        number(&self.of_store("SELECT control_revision FROM store")?, 0, STORE)
    }

    fn put_control_revision(&self, revision: u64) -> Result<()> {
        self.send("UPDATE store SET control_revision = $1", with![revision])
    }

    fn keys_revision(&self) -> Result<u64> {
        number(&self.of_store("SELECT keys_revision FROM store")?, 0, STORE)
    }

    fn put_keys_revision(&self, revision: u64) -> Result<()> {
        self.send("UPDATE store SET keys_revision = $1", with![revision])
    }

    fn sealed_under(&self) -> Result<Option<String>> {
        get(&self.of_store("SELECT sealed_under FROM store")?, 0, STORE)
    }

    fn sealing_key(&self) -> Result<[u8; 32]> {
        const KEY: &str = "sealing key";
        let row = self.of_store("SELECT sealing_key FROM store")?;
        let key: &[u8] = get(&row, 0, KEY)?;
        key.try_into().map_err(|error| damaged(KEY, error))
    }

    fn judged_by(&self) -> Result<(u32, String)> {
        let row = self.of_store("SELECT rules, assumed FROM store")?;
        let rules = u32::try_from(get::<i64>(&row, 0, STORE)?);
        Ok((rules.map_err(|error| damaged(STORE, error))?, get(&row, 1, STORE)?))
    }

    fn put_judged_by(&self, rules: u32, assumed: &str) -> Result<()> {
        let update = "UPDATE store SET rules = $1, assumed = $2";
        self.send(update, with![i64::from(rules), assumed])
    }

    fn clock(&self) -> Result<Noted> {
        let row = self.of_store("SELECT clock_ms, wall_ms, told_ms FROM store")?;
        Ok(Noted {
            clock_ms: get(&row, 0, STORE)?,
            wall_ms: get(&row, 1, STORE)?,
            told_ms: get(&row, 2, STORE)?,
        })
    }

    fn put_clock(&self, believed_ms: i64, wall_ms: i64) -> Result<()> {
        let update = "UPDATE store SET clock_ms = $1, wall_ms = $2";
        self.send(update, with![believed_ms, wall_ms])
    }

    fn raise_told_ms(&self, moment_ms: i64) -> Result<()> {
        self.send(
            "UPDATE store SET told_ms = $1 WHERE told_ms IS NULL OR told_ms < $1",
            with![moment_ms],
        )
    }

    fn stale_after_ms(&self) -> Result<Option<i64>> {
        get(&self.of_store("SELECT stale_after_ms FROM store")?, 0, STORE)
    }

    fn put_stale_after_ms(&self, stale_after_ms: i64) -> Result<()> {
        self.send("UPDATE store SET stale_after_ms = $1", with![stale_after_ms])
    }

    fn newest_of_all_ms(&self) -> Result<Option<i64>> {
        let row = self.of_store(
            "SELECT max(at_ms) FROM (
               SELECT max(at_ms) AS at_ms FROM audit
               UNION ALL SELECT max(at_ms) FROM history
               UNION ALL SELECT max(evaluated_ms) FROM judged
               UNION ALL SELECT max(newest_ms) FROM shards) AS newest",
        )?;
        get(&row, 0, STORE)
    }
}
