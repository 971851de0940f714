//! What was answered at earlier moments: which moment a write is noted at, what of the control state is
//! kept, and how it is put together again.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::AccountId;
use palisade_core::organization::Organization;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ControlChange, ControlState, Result, Span, StoreError, Version, Versioned};

use super::{Rows, damaged};

/// The moment at which this transaction's writes are noted. The first of a store begins the past: what is
/// decided then is kept with it.
///
/// INVARIANT: never earlier than the one before, though the clock may be a little behind it. When it was
/// set back farther, [`set_back`] brings all moments back first.
pub fn note(rows: &impl Rows, sequence: u64, now_ms: i64) -> Result<i64> {
    let span = rows.span()?;
    let noted_ms = span.noted_ms.map_or(now_ms, |noted_ms| noted_ms.max(now_ms));
    if span.noted_ms != Some(noted_ms) {
        rows.put_span(Span { noted_ms: Some(noted_ms), ..span })?;
    }
    if span.from_ms.is_none() {
        begin(rows, sequence, noted_ms)?;
    }
    Ok(noted_ms)
}

/// Begins the past as soon as what is decided can be read.
fn begin(rows: &impl Rows, sequence: u64, noted_ms: i64) -> Result<()> {
    let control = match rows.control(None) {
        Ok(control) => control,
        Err(StoreError::Damaged { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    for (object, record) in versions(&control)? {
        rows.put_version(&object, Some(&record), sequence, noted_ms)?;
    }
    rows.put_span(Span { from_ms: Some(noted_ms), noted_ms: Some(noted_ms) })
}

/// Every object whose versions are kept, with its JSON.
fn versions(control: &ControlState) -> Result<BTreeMap<Versioned, String>> {
    let mut all = BTreeMap::new();
    if let Some(organization) = &control.organization {
        all.extend(of_organization(organization)?);
    }
    for (account, administrator) in &control.administrators {
        all.insert(Versioned::Administrator(account.clone()), to_json(administrator)?);
    }
    for (id, policy) in &control.policies {
        all.insert(Versioned::Policy(id.clone()), to_json(&**policy)?);
    }
    for (id, waiver) in &control.waivers {
        all.insert(Versioned::Waiver(id.clone()), to_json(&**waiver)?);
    }
    Ok(all)
}

fn of_organization(organization: &Organization) -> Result<BTreeMap<Versioned, String>> {
    let head = Organization { accounts: BTreeMap::new(), ..organization.clone() };
    let mut all = BTreeMap::from([(Versioned::Organization, to_json(&head)?)]);
    for (id, account) in &organization.accounts {
        all.insert(Versioned::Account(id.clone()), to_json(account)?);
    }
    Ok(all)
}

/// Keeps the version that a change makes, before it is applied.
pub fn keep(rows: &impl Rows, change: &ControlChange, sequence: u64, noted_ms: i64) -> Result<()> {
    let put = |object: Versioned, record: Option<String>| {
        rows.put_version(&object, record.as_deref(), sequence, noted_ms)
    };
    match change {
        ControlChange::PutOrganization(organization) => {
            let before = rows.control(None)?.organization;
            let before = before.map(|it| of_organization(&it)).transpose()?.unwrap_or_default();
            let mut after = of_organization(organization)?;
            for (object, was) in before {
                match after.remove(&object) {
                    Some(is) if is == was => {}
                    is => put(object, is)?,
                }
            }
            after.into_iter().try_for_each(|(object, is)| put(object, Some(is)))
        }
        ControlChange::PutAdministrator(account, new) => {
            put(Versioned::Administrator(account.clone()), Some(to_json(new)?))
        }
        ControlChange::RemoveAdministrator(account) => {
            put(Versioned::Administrator(account.clone()), None)
        }
        ControlChange::PutPolicy(policy) => {
            put(Versioned::Policy(policy.id.clone()), Some(to_json(&**policy)?))
        }
        ControlChange::RemovePolicy(policy) => put(Versioned::Policy(policy.clone()), None),
        ControlChange::PutWaiver(waiver) => {
            put(Versioned::Waiver(waiver.id.clone()), Some(to_json(&**waiver)?))
        }
        ControlChange::RemoveWaiver(waiver) => put(Versioned::Waiver(waiver.clone()), None),
        ControlChange::PutOffboarded(_)
        | ControlChange::FanOut(_)
        | ControlChange::PutList(_)
        | ControlChange::RemoveList(_)
        | ControlChange::PutResourceSet(_)
        | ControlChange::RemoveResourceSet(_)
        | ControlChange::PutChannel(..)
        | ControlChange::PutAssociation(..)
        | ControlChange::Mark(_)
        | ControlChange::Audit(_) => Ok(()),
    }
}

/// What was decided at a moment, as far as versions of it are kept: lists, resource sets and what else
/// changes nobody's scope is absent.
pub fn control_at(rows: &impl Rows, at_ms: i64) -> Result<ControlState> {
    let mut state = ControlState::default();
    let mut head: Option<Organization> = None;
    let mut accounts: BTreeMap<AccountId, _> = BTreeMap::new();
    for Version { object, record, .. } in rows.versions_at(at_ms)? {
        let Some(record) = record else { continue };
        match object {
            Versioned::Organization => head = Some(from_json(&record, "past organization")?),
            Versioned::Account(id) => {
                accounts.insert(id, from_json(&record, "past account")?);
            }
            Versioned::Administrator(id) => {
                state.administrators.insert(id, from_json(&record, "past administrator")?);
            }
            Versioned::Policy(id) => {
                state.policies.insert(id, Arc::new(from_json(&record, "past policy")?));
            }
            Versioned::Waiver(id) => {
                state.waivers.insert(id, Arc::new(from_json(&record, "past waiver")?));
            }
        }
    }
    state.organization = head.map(|head| Arc::new(Organization { accounts, ..head }));
    Ok(state)
}

/// The clock was set back: what was noted later counts as noted now.
pub fn set_back(rows: &impl Rows, now_ms: i64) -> Result<()> {
    let Span { from_ms, noted_ms } = rows.span()?;
    let cap = |moment: Option<i64>| moment.map(|moment| moment.min(now_ms));
    rows.put_span(Span { from_ms: cap(from_ms), noted_ms: cap(noted_ms) })?;
    rows.cap_noted(now_ms)
}

/// Drops what ended before a moment: nothing is told of earlier ones any more.
pub fn expire(rows: &impl Rows, before_ms: i64) -> Result<u64> {
    let dropped = [
        rows.drop_history(before_ms)?,
        rows.drop_past_violators(before_ms)?,
        rows.drop_versions(before_ms)?,
    ];
    let span = rows.span()?;
    let reached_ms = span.noted_ms.map_or(before_ms, |noted_ms| noted_ms.min(before_ms));
    if span.from_ms.is_some_and(|from_ms| from_ms < reached_ms) {
        rows.put_span(Span { from_ms: Some(reached_ms), ..span })?;
    }
    Ok(dropped.into_iter().sum())
}

fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.into()))
}

fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}
