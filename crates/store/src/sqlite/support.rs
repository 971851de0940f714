//! What stands beside policies: resource sets, waivers, notification channels, third-party firewalls.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{AccountId, Region, ResourceSetId, WaiverId};
use palisade_core::waiver::Waiver;
use rusqlite::params;

use crate::{Association, Channel, ResourceSetRecord, Result};

use super::columns::{get, ident, json, to_json};
use super::log::Transaction;
use super::sums::sound;

// Resource sets.

pub(super) fn put_resource_set(tx: &Transaction<'_>, set: &ResourceSetRecord) -> Result<()> {
    tx.execute(
        "INSERT INTO resource_sets (resource_set, record) VALUES (?1, ?2)
         ON CONFLICT (resource_set) DO UPDATE SET record = excluded.record",
        params![set.id.as_str(), to_json(set)?],
    )?;
    Ok(())
}

pub(super) fn remove_resource_set(tx: &Transaction<'_>, set: &ResourceSetId) -> Result<()> {
    tx.execute("DELETE FROM resource_sets WHERE resource_set = ?1", [set.as_str()])?;
    Ok(())
}

pub(super) fn resource_set(
    tx: &Transaction<'_>,
    set: &ResourceSetId,
) -> Result<Option<ResourceSetRecord>> {
    let mut statement = tx.prepare_cached(
        "SELECT record, sum IS row_sum(resource_set, record) FROM resource_sets
         WHERE resource_set = ?1",
    )?;
    let mut rows = statement.query([set.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 1, "resource set")?;
    json(row, 0, "resource set").map(Some)
}

pub(super) fn resource_sets(
    tx: &Transaction<'_>,
) -> Result<BTreeMap<ResourceSetId, Arc<ResourceSetRecord>>> {
    let mut statement = tx
        .prepare_cached("SELECT record, sum IS row_sum(resource_set, record) FROM resource_sets")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 1, "resource set")?;
        let set: ResourceSetRecord = json(row, 0, "resource set")?;
        all.insert(set.id.clone(), Arc::new(set));
    }
    Ok(all)
}

// Waivers.

pub(super) fn put_waiver(tx: &Transaction<'_>, waiver: &Waiver) -> Result<()> {
    tx.execute(
        "INSERT INTO waivers (waiver, record) VALUES (?1, ?2)
         ON CONFLICT (waiver) DO UPDATE SET record = excluded.record",
        params![waiver.id.as_str(), to_json(waiver)?],
    )?;
    Ok(())
}

pub(super) fn remove_waiver(tx: &Transaction<'_>, waiver: &WaiverId) -> Result<()> {
    tx.execute("DELETE FROM waivers WHERE waiver = ?1", [waiver.as_str()])?;
    Ok(())
}

pub(super) fn waivers(tx: &Transaction<'_>) -> Result<BTreeMap<WaiverId, Arc<Waiver>>> {
    let mut statement =
        tx.prepare_cached("SELECT record, sum IS row_sum(waiver, record) FROM waivers")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 1, "waiver")?;
        let waiver: Waiver = json(row, 0, "waiver")?;
        all.insert(waiver.id.clone(), Arc::new(waiver));
    }
    Ok(all)
}

// Notification channels.

pub(super) fn put_channel(
    tx: &Transaction<'_>,
    account: &AccountId,
    region: &Region,
    channel: Option<&Channel>,
) -> Result<()> {
    match channel {
        None => tx.execute(
            "DELETE FROM channels WHERE account = ?1 AND region = ?2",
            [account.as_str(), region.as_str()],
        )?,
        Some(Channel { topic, role }) => tx.execute(
            "INSERT OR REPLACE INTO channels (account, region, topic, role) VALUES (?1, ?2, ?3, ?4)",
            [account.as_str(), region.as_str(), topic, role],
        )?,
    };
    Ok(())
}

pub(super) fn channels(tx: &Transaction<'_>) -> Result<BTreeMap<(AccountId, Region), Channel>> {
    const CHANNEL: &str = "notification channel";
    let mut statement = tx.prepare_cached(
        "SELECT account, region, topic, role, sum IS row_sum(account, region, topic, role)
         FROM channels",
    )?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 4, CHANNEL)?;
        let channel = Channel { topic: get(row, 2, CHANNEL)?, role: get(row, 3, CHANNEL)? };
        all.insert((ident(row, 0, CHANNEL)?, ident(row, 1, CHANNEL)?), channel);
    }
    Ok(all)
}

// Third-party firewalls.

pub(super) fn put_association(
    tx: &Transaction<'_>,
    account: &AccountId,
    region: &Region,
    firewall: &str,
    state: Association,
) -> Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO associations (account, region, firewall, state)
         VALUES (?1, ?2, ?3, ?4)",
        [account.as_str(), region.as_str(), firewall, &to_json(&state)?],
    )?;
    Ok(())
}

/// Associations with third-party firewalls by administrator, Region and vendor.
type Associations = BTreeMap<(AccountId, Region, Box<str>), Association>;

pub(super) fn associations(tx: &Transaction<'_>) -> Result<Associations> {
    const ASSOCIATION: &str = "association with a third-party firewall";
    let mut statement = tx.prepare_cached(
        "SELECT account, region, firewall, state, sum IS row_sum(account, region, firewall, state)
         FROM associations",
    )?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 4, ASSOCIATION)?;
        let firewall: Box<str> = get(row, 2, ASSOCIATION)?;
        let key = (ident(row, 0, ASSOCIATION)?, ident(row, 1, ASSOCIATION)?, firewall);
        all.insert(key, json(row, 3, ASSOCIATION)?);
    }
    Ok(all)
}
