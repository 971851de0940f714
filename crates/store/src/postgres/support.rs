//! What stands beside policies: resource sets, waivers, notification channels, third-party firewalls.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{AccountId, Region, ResourceSetId, WaiverId};
use palisade_core::waiver::Waiver;

use crate::{Association, Channel, ResourceSetRecord, Result};

use super::columns::{get, ident, json, to_json, with};
use super::turn::Turn;

pub(super) fn put_resource_set(turn: &Turn<'_>, set: &ResourceSetRecord) -> Result<()> {
    turn.send(
        "INSERT INTO resource_sets (resource_set, record) VALUES ($1, $2)
         ON CONFLICT (resource_set) DO UPDATE SET record = excluded.record",
        with![set.id.as_str(), to_json(set)?],
    )
}

pub(super) fn remove_resource_set(turn: &Turn<'_>, set: &ResourceSetId) -> Result<()> {
    turn.send("DELETE FROM resource_sets WHERE resource_set = $1", with![set.as_str()])
}

pub(super) fn resource_set(
    turn: &Turn<'_>,
    set: &ResourceSetId,
) -> Result<Option<ResourceSetRecord>> {
    let row =
        turn.one("SELECT record FROM resource_sets WHERE resource_set = $1", with![set.as_str()])?;
    row.map(|row| json(&row, 0, "resource set")).transpose()
}

pub(super) fn resource_sets(
    turn: &Turn<'_>,
) -> Result<BTreeMap<ResourceSetId, Arc<ResourceSetRecord>>> {
    let rows = turn.rows("SELECT record FROM resource_sets", with![])?;
    let one = |row| {
        let set: ResourceSetRecord = json(row, 0, "resource set")?;
        Ok((set.id.clone(), Arc::new(set)))
    };
    rows.iter().map(one).collect()
}

pub(super) fn put_waiver(turn: &Turn<'_>, waiver: &Waiver) -> Result<()> {
    turn.send(
        "INSERT INTO waivers (waiver, record) VALUES ($1, $2)
         ON CONFLICT (waiver) DO UPDATE SET record = excluded.record",
        with![waiver.id.as_str(), to_json(waiver)?],
    )
}

pub(super) fn remove_waiver(turn: &Turn<'_>, waiver: &WaiverId) -> Result<()> {
    turn.send("DELETE FROM waivers WHERE waiver = $1", with![waiver.as_str()])
}

pub(super) fn waivers(turn: &Turn<'_>) -> Result<BTreeMap<WaiverId, Arc<Waiver>>> {
    let rows = turn.rows("SELECT record FROM waivers", with![])?;
    let one = |row| {
        let waiver: Waiver = json(row, 0, "waiver")?;
        Ok((waiver.id.clone(), Arc::new(waiver)))
    };
    rows.iter().map(one).collect()
}

pub(super) fn put_channel(
    turn: &Turn<'_>,
    account: &AccountId,
    region: &Region,
    channel: Option<&Channel>,
) -> Result<()> {
    match channel {
        None => turn.send(
            "DELETE FROM channels WHERE account = $1 AND region = $2",
            with![account.as_str(), region.as_str()],
        ),
        Some(channel) => turn.send(
            "INSERT INTO channels (account, region, record) VALUES ($1, $2, $3)
             ON CONFLICT (account, region) DO UPDATE SET record = excluded.record",
            with![account.as_str(), region.as_str(), to_json(channel)?],
        ),
    }
}

pub(super) fn channels(turn: &Turn<'_>) -> Result<BTreeMap<(AccountId, Region), Channel>> {
    const CHANNEL: &str = "notification channel";
    let rows = turn.rows("SELECT account, region, record FROM channels", with![])?;
    let one =
        |row| Ok(((ident(row, 0, CHANNEL)?, ident(row, 1, CHANNEL)?), json(row, 2, CHANNEL)?));
    rows.iter().map(one).collect()
}

pub(super) fn put_association(
    turn: &Turn<'_>,
    account: &AccountId,
    region: &Region,
    firewall: &str,
    state: Association,
) -> Result<()> {
    turn.send(
        "INSERT INTO associations (account, region, firewall, record) VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, region, firewall) DO UPDATE SET record = excluded.record",
        with![account.as_str(), region.as_str(), firewall, to_json(&state)?],
    )
}

/// Associations with third-party firewalls by administrator, Region and vendor.
type Associations = BTreeMap<(AccountId, Region, Box<str>), Association>;

pub(super) fn associations(turn: &Turn<'_>) -> Result<Associations> {
    const ASSOCIATION: &str = "association with a third-party firewall";
    let rows = turn.rows("SELECT account, region, firewall, record FROM associations", with![])?;
    let one = |row| {
        let firewall: Box<str> = get::<&str>(row, 2, ASSOCIATION)?.into();
        let key = (ident(row, 0, ASSOCIATION)?, ident(row, 1, ASSOCIATION)?, firewall);
        Ok((key, json(row, 3, ASSOCIATION)?))
    };
    rows.iter().map(one).collect()
}
