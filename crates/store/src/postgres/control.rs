//! Rows of the organization, administrators, policies and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::ident::{AccountId, ListId, PolicyId, ResourceSetId};
use palisade_core::organization::Organization;

use crate::rules::organization;
use crate::rules::rows::{ControlRows, StoreRow};
use crate::{
    Administrator, ControlChange, ControlState, ListRecord, Offboarded, PolicyRecord,
    ResourceSetRecord, Result,
};

use super::columns::{get, ident, json, number, to_json, with};
use super::support;
use super::turn::Turn;

/// Accounts of an organization that are written by one statement.
const ACCOUNTS_AT_ONCE_MAX: usize = 1_000;

impl ControlRows for Turn<'_> {
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
            ControlChange::PutAdministrator(account, administrator) => self.send(
                "INSERT INTO administrators (account, record) VALUES ($1, $2)
                 ON CONFLICT (account) DO UPDATE SET record = excluded.record",
                with![account.as_str(), to_json(administrator)?],
            ),
            ControlChange::RemoveAdministrator(account) => {
                self.send("DELETE FROM administrators WHERE account = $1", with![account.as_str()])
            }
            ControlChange::PutOffboarded(None) => self.send("DELETE FROM offboarded", with![]),
            ControlChange::PutOffboarded(Some(offboarded)) => self.send(
                "INSERT INTO offboarded (one, record) VALUES (1, $1)
                 ON CONFLICT (one) DO UPDATE SET record = excluded.record",
                with![to_json(offboarded)?],
            ),
            ControlChange::PutPolicy(policy) => put_policy(self, policy),
            ControlChange::RemovePolicy(policy) => {
                self.send("DELETE FROM policies WHERE policy = $1", with![policy.as_str()])
            }
            ControlChange::PutList(list) => self.send(
                "INSERT INTO lists (list, record) VALUES ($1, $2)
                 ON CONFLICT (list) DO UPDATE SET record = excluded.record",
                with![list.id.as_str(), to_json(&**list)?],
            ),
            ControlChange::RemoveList(list) => {
                self.send("DELETE FROM lists WHERE list = $1", with![list.as_str()])
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
        self.exists("SELECT 1 FROM accounts WHERE account = $1", with![account.as_str()])
    }

    fn policy_revision(&self, policy: &PolicyId) -> Result<Option<u64>> {
        let row =
            self.one("SELECT revision FROM policies WHERE policy = $1", with![policy.as_str()])?;
        row.map(|row| number(&row, 0, "policy")).transpose()
    }

    fn list(&self, list: &ListId) -> Result<Option<ListRecord>> {
        let row = self.one("SELECT record FROM lists WHERE list = $1", with![list.as_str()])?;
        row.map(|row| json(&row, 0, "list")).transpose()
    }

    fn resource_set(&self, set: &ResourceSetId) -> Result<Option<ResourceSetRecord>> {
        support::resource_set(self, set)
    }

    fn common_policies(&self) -> Result<BTreeSet<PolicyId>> {
        let rows = self.rows("SELECT policy FROM common_policies", with![])?;
        rows.iter().map(|row| ident(row, 0, "known policy of common groups")).collect()
    }

    fn see_common_policy(&self, policy: &PolicyId) -> Result<()> {
        self.send(
            "INSERT INTO common_policies (policy, seen, named) VALUES ($1, true, false)
             ON CONFLICT (policy) DO UPDATE SET seen = true",
            with![policy.as_str()],
        )
    }

    fn name_common_policies(&self, named: &BTreeSet<PolicyId>) -> Result<()> {
        self.send("UPDATE common_policies SET named = false", with![])?;
        for policy in named {
            self.send(
                "INSERT INTO common_policies (policy, seen, named) VALUES ($1, false, true)
                 ON CONFLICT (policy) DO UPDATE SET named = true",
                with![policy.as_str()],
            )?;
        }
        self.send("DELETE FROM common_policies WHERE NOT seen AND NOT named", with![])
    }
}

// Organization: accounts in rows of their own, so that intake can ask for one.

fn put_organization(turn: &Turn<'_>, organization: &Organization) -> Result<()> {
    let head = organization::head(organization, turn.control_revision()?)?;
    turn.send(
        "INSERT INTO organization (one, head) VALUES (1, $1)
         ON CONFLICT (one) DO UPDATE SET head = excluded.head",
        with![head],
    )?;
    turn.send("DELETE FROM accounts", with![])?;
    let accounts: Vec<_> = organization.accounts.iter().collect();
    for some in accounts.chunks(ACCOUNTS_AT_ONCE_MAX) {
        let ids: Vec<String> = some.iter().map(|(id, _)| id.to_string()).collect();
        let records = some.iter().map(|(_, account)| to_json(account));
        turn.send(
            "INSERT INTO accounts (account, record)
             SELECT * FROM unnest($1::text[], $2::text[])",
            with![ids, records.collect::<Result<Vec<String>>>()?],
        )?;
    }
    Ok(())
}

/// The organization, and at which revision it was put.
fn organization(
    turn: &Turn<'_>,
    known: Option<&ControlState>,
) -> Result<Option<(Arc<Organization>, Option<u64>)>> {
    let Some(row) = turn.one("SELECT head FROM organization", with![])? else { return Ok(None) };
    let head: &str = get(&row, 0, "organization")?;
    let revision = organization::revision(head)?;
    if let Some(kept) = organization::kept(known, revision) {
        return Ok(Some((kept, revision)));
    }
    let mut organization = organization::without_accounts(head)?;
    for row in turn.rows("SELECT account, record FROM accounts", with![])? {
        const ACCOUNT: &str = "account of the organization";
        organization.accounts.insert(ident(&row, 0, ACCOUNT)?, json(&row, 1, ACCOUNT)?);
    }
    Ok(Some((Arc::new(organization), revision)))
}

fn administrators(turn: &Turn<'_>) -> Result<BTreeMap<AccountId, Administrator>> {
    const ADMINISTRATOR: &str = "administrator";
    let rows = turn.rows("SELECT account, record FROM administrators", with![])?;
    let one = |row| Ok((ident(row, 0, ADMINISTRATOR)?, json(row, 1, ADMINISTRATOR)?));
    rows.iter().map(one).collect()
}

fn offboarded(turn: &Turn<'_>) -> Result<Option<Offboarded>> {
    let row = turn.one("SELECT record FROM offboarded", with![])?;
    row.map(|row| json(&row, 0, "revoked administrator")).transpose()
}

fn put_policy(turn: &Turn<'_>, policy: &PolicyRecord) -> Result<()> {
    turn.send(
        "INSERT INTO policies (policy, region, revision, record) VALUES ($1, $2, $3, $4)
         ON CONFLICT (policy) DO UPDATE SET
           region = excluded.region, revision = excluded.revision, record = excluded.record",
        with![policy.id.as_str(), policy.region.as_str(), policy.revision, to_json(policy)?],
    )
}

fn policies(turn: &Turn<'_>) -> Result<BTreeMap<PolicyId, Arc<PolicyRecord>>> {
    let rows = turn.rows("SELECT record FROM policies", with![])?;
    let one = |row| {
        let policy: PolicyRecord = json(row, 0, "policy")?;
        Ok((policy.id.clone(), Arc::new(policy)))
    };
    rows.iter().map(one).collect()
}

fn lists(turn: &Turn<'_>) -> Result<BTreeMap<ListId, Arc<ListRecord>>> {
    let rows = turn.rows("SELECT record FROM lists", with![])?;
    let one = |row| {
        let list: ListRecord = json(row, 0, "list")?;
        Ok((list.id.clone(), Arc::new(list)))
    };
    rows.iter().map(one).collect()
}
