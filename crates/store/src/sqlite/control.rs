//! Rows of the organization, administrators, policies and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::ident::{AccountId, ListId, PolicyId, ResourceSetId};
use palisade_core::organization::{Account, AccountStatus, Organization};
use rusqlite::params;

use crate::rules::organization;
use crate::rules::rows::{ControlRows, StoreRow};
use crate::{
    Administrator, ControlChange, ControlState, ListRecord, Offboarded, PolicyRecord,
    ResourceSetRecord, Result,
};

use super::columns::{get, ident, json, json_or_null, to_json};
use super::log::Transaction;
use super::sums::sound;
use super::support;

impl ControlRows for Transaction<'_> {
    fn control(&self, known: Option<&ControlState>) -> Result<ControlState> {
        let (organization, organization_revision) = organization(self, known)?.unzip();
        Ok(ControlState {
            revision: self.control_revision()?,
            organization,
            organization_revision: organization_revision.flatten(),
            administrators: administrators(self)?,
            policies: policies(self)?,
            lists: lists(self)?,
            resource_sets: support::resource_sets(self)?,
            channels: support::channels(self)?,
            associations: support::associations(self)?,
            waivers: support::waivers(self)?,
            offboarded: offboarded(self)?,
        })
    }

    fn put_object(&self, change: &ControlChange) -> Result<()> {
        match change {
            ControlChange::PutOrganization(organization) => put_organization(self, organization),
            ControlChange::PutAdministrator(account, administrator) => {
                put_administrator(self, account, administrator)
            }
            ControlChange::RemoveAdministrator(account) => {
                let delete = "DELETE FROM administrators WHERE account = ?1";
                self.execute(delete, [account.as_str()])?;
                Ok(())
            }
            ControlChange::PutOffboarded(offboarded) => put_offboarded(self, offboarded.as_ref()),
            ControlChange::PutPolicy(policy) => put_policy(self, policy),
            ControlChange::RemovePolicy(policy) => {
                self.execute("DELETE FROM policies WHERE policy = ?1", [policy.as_str()])?;
                Ok(())
            }
            ControlChange::PutList(list) => put_list(self, list),
            ControlChange::RemoveList(list) => {
                self.execute("DELETE FROM lists WHERE list = ?1", [list.as_str()])?;
                Ok(())
            }
            ControlChange::PutResourceSet(set) => support::put_resource_set(self, set),
            ControlChange::RemoveResourceSet(set) => support::remove_resource_set(self, set),
            ControlChange::PutChannel(account, region, channel) => {
                support::put_channel(self, account, region, channel.as_ref())
            }
            ControlChange::PutAssociation(account, region, firewall, state) => {
                support::put_association(self, account, region, firewall, *state)
            }
            ControlChange::PutWaiver(waiver) => support::put_waiver(self, waiver),
            ControlChange::RemoveWaiver(waiver) => support::remove_waiver(self, waiver),
            ControlChange::FanOut(_) | ControlChange::Mark(_) | ControlChange::Audit(_) => Ok(()),
        }
    }

    fn is_member(&self, account: &AccountId) -> Result<bool> {
        let mut statement = self.prepare_cached("SELECT 1 FROM accounts WHERE account = ?1")?;
        Ok(statement.exists([account.as_str()])?)
    }

    fn policy_revision(&self, policy: &PolicyId) -> Result<Option<u64>> {
        let mut statement = self.prepare_cached(
            "SELECT revision, sum IS row_sum(policy, region, revision, record)
             FROM policies WHERE policy = ?1",
        )?;
        let mut rows = statement.query([policy.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        sound(row, 1, "policy")?;
        get(row, 0, "policy").map(Some)
    }

    fn list(&self, list: &ListId) -> Result<Option<ListRecord>> {
        let mut statement = self.prepare_cached(
            "SELECT record, sum IS row_sum(list, record) FROM lists WHERE list = ?1",
        )?;
        let mut rows = statement.query([list.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        sound(row, 1, "list")?;
        json(row, 0, "list").map(Some)
    }

    fn resource_set(&self, set: &ResourceSetId) -> Result<Option<ResourceSetRecord>> {
        support::resource_set(self, set)
    }

    fn common_policies(&self) -> Result<BTreeSet<PolicyId>> {
        const KNOWN: &str = "known policy of common groups";
        let mut statement = self.prepare_cached(
            "SELECT policy, sum IS row_sum(policy, seen, named) FROM common_policies",
        )?;
        let mut rows = statement.query([])?;
        let mut ids = BTreeSet::new();
        while let Some(row) = rows.next()? {
            sound(row, 1, KNOWN)?;
            ids.insert(ident(row, 0, KNOWN)?);
        }
        Ok(ids)
    }

    fn see_common_policy(&self, policy: &PolicyId) -> Result<()> {
        self.execute(
            "INSERT INTO common_policies (policy, seen, named) VALUES (?1, 1, 0)
             ON CONFLICT (policy) DO UPDATE SET seen = 1",
            [policy.as_str()],
        )?;
        Ok(())
    }

    fn name_common_policies(&self, named: &BTreeSet<PolicyId>) -> Result<()> {
        self.execute("UPDATE common_policies SET named = 0", [])?;
        for policy in named {
            self.execute(
                "INSERT INTO common_policies (policy, seen, named) VALUES (?1, 0, 1)
                 ON CONFLICT (policy) DO UPDATE SET named = 1",
                [policy.as_str()],
            )?;
        }
        self.execute("DELETE FROM common_policies WHERE seen = 0 AND named = 0", [])?;
        Ok(())
    }
}

// Organization: accounts in rows of their own, so that intake can ask for one.

fn put_organization(tx: &Transaction<'_>, organization: &Organization) -> Result<()> {
    let head = organization::head(organization, tx.control_revision()?)?;
    tx.execute(
        "INSERT INTO organization (one, head) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET head = excluded.head",
        [head],
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

/// The organization, and at which revision it was put.
fn organization(
    tx: &Transaction<'_>,
    known: Option<&ControlState>,
) -> Result<Option<(Arc<Organization>, Option<u64>)>> {
    let mut statement =
        tx.prepare_cached("SELECT head, sum IS row_sum(one, head) FROM organization")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 1, "organization")?;
    let head: String = get(row, 0, "organization")?;
    let revision = organization::revision(&head)?;
    if let Some(kept) = organization::kept(known, revision) {
        return Ok(Some((kept, revision)));
    }
    let mut organization = organization::without_accounts(&head)?;
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
    Ok(Some((Arc::new(organization), revision)))
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

fn put_policy(tx: &Transaction<'_>, policy: &PolicyRecord) -> Result<()> {
    tx.execute(
        "INSERT INTO policies (policy, region, revision, record) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (policy) DO UPDATE SET
           region = excluded.region, revision = excluded.revision, record = excluded.record",
        params![policy.id.as_str(), policy.region.as_str(), policy.revision, to_json(policy)?],
    )?;
    Ok(())
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

// Lists.

fn put_list(tx: &Transaction<'_>, list: &ListRecord) -> Result<()> {
    tx.execute(
        "INSERT INTO lists (list, record) VALUES (?1, ?2)
         ON CONFLICT (list) DO UPDATE SET record = excluded.record",
        params![list.id.as_str(), to_json(list)?],
    )?;
    Ok(())
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
