//! Organization, administrators, policies and lists: read whole, changed at one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{AccountId, ListId, PolicyId};
use palisade_core::organization::{Account, AccountStatus, Organization};
use rusqlite::{Connection, params};

use crate::{
    Administrator, ControlChange, ControlState, ListRecord, Mark, Offboarded, PolicyRecord, Result,
    StoreError,
};

use super::columns::{get, ident, json, json_or_null, to_json};
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;
use super::{audit, common_policies, ledger, readers, sequence, support, work};

pub(super) fn revision(connection: &Connection) -> Result<u64> {
    of_store(connection, "control_revision")
}

pub(super) fn read(tx: &Transaction<'_>) -> Result<ControlState> {
    Ok(ControlState {
        revision: revision(tx)?,
        organization: organization(tx)?.map(Arc::new),
        administrators: administrators(tx)?,
        policies: policies(tx)?,
        lists: lists(tx)?,
        resource_sets: support::resource_sets(tx)?,
        channels: support::channels(tx)?,
        associations: support::associations(tx)?,
        offboarded: offboarded(tx)?,
    })
}

pub(super) fn commit(
    tx: &Transaction<'_>,
    expected_revision: u64,
    changes: &[ControlChange],
    now_ms: i64,
) -> Result<u64> {
    let found = revision(tx)?;
    if found != expected_revision {
        return Err(StoreError::Conflict);
    }
    let sequence = sequence::next(tx)?;
    for change in changes {
        apply(tx, change, sequence, now_ms)?;
    }
    // Who asked for nothing new is told in the log, and nobody need read the state again.
    let is_audit = |change: &ControlChange| matches!(change, ControlChange::Audit(_));
    if !changes.is_empty() && changes.iter().all(is_audit) {
        return Ok(found);
    }
    let next = found.saturating_add(1);
    tx.execute("UPDATE store SET control_revision = ?1", [next])?;
    Ok(next)
}

fn apply(tx: &Transaction<'_>, change: &ControlChange, sequence: u64, now_ms: i64) -> Result<()> {
    match change {
        ControlChange::PutOrganization(organization) => put_organization(tx, organization),
        ControlChange::PutAdministrator(account, administrator) => {
            put_administrator(tx, account, administrator)
        }
        ControlChange::RemoveAdministrator(account) => {
            tx.execute("DELETE FROM administrators WHERE account = ?1", [account.as_str()])?;
            Ok(())
        }
        ControlChange::PutOffboarded(offboarded) => put_offboarded(tx, offboarded.as_ref()),
        ControlChange::PutPolicy(policy) => put_policy(tx, policy, sequence, now_ms),
        ControlChange::RemovePolicy(policy) => remove_policy(tx, policy, sequence, now_ms),
        ControlChange::FanOut(policy) => match policy_revision(tx, policy)? {
            Some(revision) => work::put_fan_out(tx, policy, revision, now_ms),
            None => Ok(()),
        },
        ControlChange::PutList(list) => put_list(tx, list, sequence, now_ms),
        ControlChange::RemoveList(list) => remove_list(tx, list, sequence, now_ms),
        ControlChange::PutResourceSet(set) => support::put_resource_set(tx, set),
        ControlChange::RemoveResourceSet(set) => support::remove_resource_set(tx, set),
        ControlChange::PutChannel(account, region, channel) => {
            support::put_channel(tx, account, region, channel.as_ref())
        }
        ControlChange::PutAssociation(account, region, firewall, state) => {
            support::put_association(tx, account, region, firewall, *state)
        }
        ControlChange::Mark(Mark { shard, policy }) => {
            work::mark(tx, shard, policy.as_ref(), sequence, now_ms)
        }
        ControlChange::Audit(event) => audit::append(tx, event),
    }
}

// Organization: accounts in rows of their own, so that intake can ask for one.

fn put_organization(tx: &Transaction<'_>, organization: &Organization) -> Result<()> {
    let head = Organization { accounts: BTreeMap::new(), ..organization.clone() };
    tx.execute(
        "INSERT INTO organization (one, head) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET head = excluded.head",
        [to_json(&head)?],
    )?;
    tx.execute("DELETE FROM accounts", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO accounts (account, name, status, parent) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (id, account) in &organization.accounts {
        let status = to_json(&account.status)?;
        insert.execute(params![id.as_str(), account.name, status, account.parent])?;
    }
    Ok(())
}

fn organization(tx: &Transaction<'_>) -> Result<Option<Organization>> {
    let mut statement =
        tx.prepare_cached("SELECT head, sum IS row_sum(one, head) FROM organization")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 1, "organization")?;
    let mut organization: Organization = json(row, 0, "organization")?;
    let mut statement = tx.prepare_cached(
        "SELECT account, name, status, parent, sum IS row_sum(account, name, status, parent)
         FROM accounts",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        const ACCOUNT: &str = "account of the organization";
        sound(row, 4, ACCOUNT)?;
        let status: AccountStatus = json(row, 2, ACCOUNT)?;
        let account =
            Account { name: get(row, 1, ACCOUNT)?, status, parent: get(row, 3, ACCOUNT)? };
        organization.accounts.insert(ident(row, 0, ACCOUNT)?, account);
    }
    Ok(Some(organization))
}

/// Whether the account is one of the organization's.
pub(super) fn is_member(tx: &Transaction<'_>, account: &AccountId) -> Result<bool> {
    let mut statement = tx.prepare_cached("SELECT 1 FROM accounts WHERE account = ?1")?;
    Ok(statement.exists([account.as_str()])?)
}

// Administrators.

fn put_administrator(
    tx: &Transaction<'_>,
    account: &AccountId,
    administrator: &Administrator,
) -> Result<()> {
    tx.execute(
        "INSERT INTO administrators (account, is_default, created_ms, scope) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account) DO UPDATE
         SET is_default = excluded.is_default, created_ms = excluded.created_ms,
             scope = excluded.scope",
        params![
            account.as_str(),
            administrator.default,
            administrator.created_ms,
            administrator.scope.as_ref().map(to_json).transpose()?
        ],
    )?;
    Ok(())
}

fn administrators(tx: &Transaction<'_>) -> Result<BTreeMap<AccountId, Administrator>> {
    const ADMINISTRATOR: &str = "administrator";
    let mut statement = tx.prepare_cached(
        "SELECT account, is_default, created_ms, scope,
           sum IS row_sum(account, is_default, created_ms, scope)
         FROM administrators",
    )?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 4, ADMINISTRATOR)?;
        let administrator = Administrator {
            default: get(row, 1, ADMINISTRATOR)?,
            created_ms: get(row, 2, ADMINISTRATOR)?,
            scope: json_or_null(row, 3, ADMINISTRATOR)?,
        };
        all.insert(ident(row, 0, ADMINISTRATOR)?, administrator);
    }
    Ok(all)
}

fn put_offboarded(tx: &Transaction<'_>, offboarded: Option<&Offboarded>) -> Result<()> {
    match offboarded {
        None => tx.execute("DELETE FROM offboarded", [])?,
        Some(Offboarded { account, at_ms }) => tx.execute(
            "INSERT OR REPLACE INTO offboarded (one, account, at_ms) VALUES (1, ?1, ?2)",
            params![account.as_str(), at_ms],
        )?,
    };
    Ok(())
}

fn offboarded(tx: &Transaction<'_>) -> Result<Option<Offboarded>> {
    const OFFBOARDED: &str = "revoked administrator";
    let mut statement = tx.prepare_cached(
        "SELECT account, at_ms, sum IS row_sum(one, account, at_ms) FROM offboarded",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 2, OFFBOARDED)?;
    Ok(Some(Offboarded { account: ident(row, 0, OFFBOARDED)?, at_ms: get(row, 1, OFFBOARDED)? }))
}

// Policies.

fn put_policy(
    tx: &Transaction<'_>,
    policy: &PolicyRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    // Tags of the policy itself change nothing of what is judged.
    let judged_as_before = policy_revision(tx, &policy.id)? == Some(policy.revision);
    tx.execute(
        "INSERT INTO policies (policy, region, revision, record) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (policy) DO UPDATE SET
           region = excluded.region, revision = excluded.revision, record = excluded.record",
        params![policy.id.as_str(), policy.region.as_str(), policy.revision, to_json(policy)?],
    )?;
    if judged_as_before {
        return Ok(());
    }
    common_policies::see(tx, policy, sequence, now_ms)?;
    work::put_fan_out(tx, &policy.id, policy.revision, now_ms)
}

fn remove_policy(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    tx.execute("DELETE FROM policies WHERE policy = ?1", [policy.as_str()])?;
    ledger::remove_policy(tx, policy, sequence, now_ms)?;
    readers::remove_policy(tx, policy)?;
    work::remove_policy(tx, policy)
}

fn policies(tx: &Transaction<'_>) -> Result<BTreeMap<PolicyId, Arc<PolicyRecord>>> {
    let mut statement = tx.prepare_cached(
        "SELECT record, sum IS row_sum(policy, region, revision, record) FROM policies",
    )?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 1, "policy")?;
        let policy: PolicyRecord = json(row, 0, "policy")?;
        all.insert(policy.id.clone(), Arc::new(policy));
    }
    Ok(all)
}

/// The revision of a policy, `None` when there is no such policy.
pub(super) fn policy_revision(tx: &Transaction<'_>, policy: &PolicyId) -> Result<Option<u64>> {
    let mut statement = tx.prepare_cached(
        "SELECT revision, sum IS row_sum(policy, region, revision, record)
         FROM policies WHERE policy = ?1",
    )?;
    let mut rows = statement.query([policy.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 1, "policy")?;
    get(row, 0, "policy").map(Some)
}

// Lists.

fn put_list(tx: &Transaction<'_>, list: &ListRecord, sequence: u64, now_ms: i64) -> Result<()> {
    let before = self::list(tx, &list.id)?;
    tx.execute(
        "INSERT INTO lists (list, record) VALUES (?1, ?2)
         ON CONFLICT (list) DO UPDATE SET record = excluded.record",
        params![list.id.as_str(), to_json(list)?],
    )?;
    // Name and tags are nothing that readers read.
    if before.is_some_and(|before| before.content == list.content) {
        return Ok(());
    }
    mark_readers_of(tx, list, sequence, now_ms)
}

fn remove_list(tx: &Transaction<'_>, list: &ListId, sequence: u64, now_ms: i64) -> Result<()> {
    let Some(list) = self::list(tx, list)? else { return Ok(()) };
    tx.execute("DELETE FROM lists WHERE list = ?1", [list.id.as_str()])?;
    mark_readers_of(tx, &list, sequence, now_ms)
}

fn mark_readers_of(
    tx: &Transaction<'_>,
    list: &ListRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    tx.execute("UPDATE store SET lists_changed = ?1", [sequence])?;
    readers::mark(tx, &list.reference(), sequence, now_ms)
}

/// One list by its id.
pub(super) fn list(tx: &Transaction<'_>, list: &ListId) -> Result<Option<ListRecord>> {
    let mut statement = tx
        .prepare_cached("SELECT record, sum IS row_sum(list, record) FROM lists WHERE list = ?1")?;
    let mut rows = statement.query([list.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 1, "list")?;
    json(row, 0, "list").map(Some)
}

fn lists(tx: &Transaction<'_>) -> Result<BTreeMap<ListId, Arc<ListRecord>>> {
    let mut statement =
        tx.prepare_cached("SELECT record, sum IS row_sum(list, record) FROM lists")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        sound(row, 1, "list")?;
        let list: ListRecord = json(row, 0, "list")?;
        all.insert(list.id.clone(), Arc::new(list));
    }
    Ok(all)
}

/// Sequence of the last change of any list.
pub(super) fn lists_changed(tx: &Transaction<'_>) -> Result<u64> {
    of_store(tx, "lists_changed")
}
