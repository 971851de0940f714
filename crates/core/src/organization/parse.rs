//! The organization file: read, then checked as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::file::{AccountRow, File, Head, Root, UnitRow};
use super::{Account, AccountStatus, Organization, Unit};
use crate::ident::{AccountId, OuId};
use crate::utf8;

/// Why an organization file is refused: what, where, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the organization file is refused: {0}")]
pub struct OrganizationError(String);

impl Organization {
    /// Reads an organization file (`Organization`, `Roots`, `OrganizationalUnits`, `Accounts` and
    /// an optional `DefaultAdministrator`, as AWS Organizations answers them; of what is left out,
    /// `Paths` and ARNs of accounts tell what they do; other keys are ignored) and checks that it hangs together: ids occur once, every parent exists, no unit is
    /// above itself, the management account and the administrator are among the accounts. A listing
    /// that says that more follows is refused: whoever is missing would be judged by nobody
    /// (semantics §11 row 37).
    pub fn parse(text: &[u8]) -> Result<Organization, OrganizationError> {
        let text = &*utf8::decoded(text);
        let mut file: File = serde_json::from_slice(text).map_err(|error| unreadable(&error))?;
        if let Some(key) = goes_on(text) {
            return refuse(format!(
                "its `{key}` says that more accounts, units or roots follow; list every page and \
                 give them all in one file, without a token"
            ));
        }
        file.complete();
        let head = told(file.organization, "Organization", "describe-organization")?;
        let organization = Organization {
            id: id(&head.id, "Organization.Id")?,
            management: management(&head)?,
            default_administrator: file
                .default_administrator
                .as_deref()
                .map(|text| account_id(text, "DefaultAdministrator"))
                .transpose()?,
            roots: roots(&told(file.roots, "Roots", "list-roots")?)?,
            units: units(file.organizational_units.unwrap_or_default())?,
            accounts: accounts(file.accounts)?,
        };
        check(&organization)?;
        Ok(organization)
    }
}

/// The key of a token, in any letter case, that says that a listing goes on.
fn goes_on(text: &[u8]) -> Option<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(text).ok()?;
    let is_token = |key: &str, value: &RawValue| {
        key.to_ascii_lowercase().ends_with("nexttoken") && !matches!(value.get(), "null" | "\"\"")
    };
    members.into_iter().find(|(key, value)| is_token(key, value)).map(|(key, _)| key)
}

fn told<T>(member: Option<T>, name: &str, call: &str) -> Result<T, OrganizationError> {
    member.ok_or_else(|| {
        OrganizationError(format!(
            "`{name}` is missing; add the answer of `aws organizations {call}`, or let `palisade collect` \
             write the file"
        ))
    })
}

fn refuse<T>(message: String) -> Result<T, OrganizationError> {
    Err(OrganizationError(message))
}

fn unreadable(error: &serde_json::Error) -> OrganizationError {
    OrganizationError(if error.is_eof() {
        format!("it is cut off ({error}); write the whole file again and retry")
    } else if error.is_data() {
        format!(
            "{error}; it must be \
             {{\"Organization\":{{\"Id\",\"ManagementAccountId\"}},\"Roots\":[{{\"Id\"}}],\
             \"OrganizationalUnits\":[{{\"Id\",\"Name\",\"ParentId\"}}],\
             \"Accounts\":[{{\"Id\",\"Name\",\"Status\",\"ParentId\"}}]}}"
        )
    } else {
        format!("it is not JSON: {error}; correct it there and retry")
    })
}

fn id(text: &str, place: &str) -> Result<Box<str>, OrganizationError> {
    match OuId::try_from(text) {
        Ok(_) => Ok(text.into()),
        Err(error) => refuse(format!("{place}: {error}")),
    }
}

fn account_id(text: &str, place: &str) -> Result<AccountId, OrganizationError> {
    AccountId::try_from(text).map_err(|error| OrganizationError(format!("{place}: {error}")))
}

fn management(head: &Head) -> Result<AccountId, OrganizationError> {
    match head.management_account_id.as_deref().or(head.master_account_id.as_deref()) {
        Some(text) => account_id(text, "Organization.ManagementAccountId"),
        None => refuse(
            "Organization.ManagementAccountId is missing; give the id of the management account"
                .into(),
        ),
    }
}

fn roots(rows: &[Root]) -> Result<BTreeSet<Box<str>>, OrganizationError> {
    let mut roots = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        if !roots.insert(id(&row.id, &format!("Roots[{index}].Id"))?) {
            return refuse(format!("Roots[{index}]: `{}` occurs twice; remove one", row.id));
        }
    }
    Ok(roots)
}

fn units(rows: Vec<UnitRow>) -> Result<BTreeMap<OuId, Unit>, OrganizationError> {
    let mut units = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        let place = format!("OrganizationalUnits[{index}]");
        let id = OuId::try_from(row.id.as_str())
            .map_err(|error| OrganizationError(format!("{place}.Id: {error}")))?;
        let Some(parent) = row.parent_id else {
            return refuse(format!(
                "{place}: unit `{id}` does not tell its ParentId; add the id that `aws organizations \
                 list-organizational-units-for-parent` was asked with"
            ));
        };
        let unit = Unit { name: row.name.unwrap_or_default().into(), parent: parent.into() };
        if units.insert(id, unit).is_some() {
            return refuse(format!("{place}: `{}` occurs twice; remove one", row.id));
        }
    }
    Ok(units)
}

fn accounts(rows: Vec<AccountRow>) -> Result<BTreeMap<AccountId, Account>, OrganizationError> {
    let mut accounts = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        let place = format!("Accounts[{index}]");
        let id = account_id(&row.id, &format!("{place}.Id"))?;
        let status = status(&row, &place)?;
        let Some(parent) = row.parent_id else {
            return refuse(format!(
                "{place}: account `{id}` does not tell where it is: give `Paths`, which `aws organizations \
                 list-accounts` answers, or the id that `aws organizations list-parents --child-id {id}` \
                 answers as its `ParentId`; `palisade collect` writes the whole file"
            ));
        };
        let account =
            Account { status, name: row.name.unwrap_or_default().into(), parent: parent.into() };
        if accounts.insert(id, account).is_some() {
            return refuse(format!("{place}: account `{}` occurs twice; remove one", row.id));
        }
    }
    Ok(accounts)
}

fn status(row: &AccountRow, place: &str) -> Result<AccountStatus, OrganizationError> {
    const KNOWN: &str = "PENDING_ACTIVATION, ACTIVE, PENDING_CLOSURE, SUSPENDED or CLOSED";
    match row.status.as_deref().or(row.state.as_deref()) {
        Some("ACTIVE") => Ok(AccountStatus::Active),
        Some("PENDING_ACTIVATION") => Ok(AccountStatus::PendingActivation),
        Some("PENDING_CLOSURE") => Ok(AccountStatus::PendingClosure),
        Some("SUSPENDED") => Ok(AccountStatus::Suspended),
        Some("CLOSED") => Ok(AccountStatus::Closed),
        Some(other) => refuse(format!(
            "{place}.Status: `{other}` of account `{}` is not known; it is {KNOWN}",
            row.id
        )),
        None => refuse(format!("{place}.Status of account `{}` is missing; give {KNOWN}", row.id)),
    }
}

/// What no row shows by itself.
fn check(organization: &Organization) -> Result<(), OrganizationError> {
    if organization.roots.is_empty() {
        return refuse("Roots is empty; give the root's id".into());
    }
    let parent_exists =
        |id: &str| organization.roots.contains(id) || organization.units.contains_key(id);
    for (id, unit) in &organization.units {
        if organization.roots.contains(id.as_str()) {
            return refuse(format!("`{id}` is both in Roots and OrganizationalUnits; keep one"));
        }
        if !parent_exists(&unit.parent) {
            return refuse(unknown_parent("unit", id.as_str(), &unit.parent));
        }
    }
    for (id, account) in &organization.accounts {
        if !parent_exists(&account.parent) {
            return refuse(unknown_parent("account", id.as_str(), &account.parent));
        }
    }
    if let Some(unit) = unit_above_itself(organization) {
        return refuse(format!(
            "organizational unit `{unit}` is above itself; correct the ParentId of one unit of the \
             circle"
        ));
    }
    for (role, id) in std::iter::once(("the management account", &organization.management))
        .chain(organization.default_administrator.iter().map(|id| ("DefaultAdministrator", id)))
    {
        if !organization.accounts.contains_key(id) {
            return refuse(format!("{role} `{id}` is not in Accounts; add it"));
        }
    }
    Ok(())
}

fn unknown_parent(what: &str, id: &str, parent: &str) -> String {
    format!(
        "{what} `{id}` has ParentId `{parent}`, which is in neither Roots nor \
         OrganizationalUnits; add it or correct ParentId"
    )
}

/// A unit that is part of a circle, if there is one. Each unit is walked once.
fn unit_above_itself(organization: &Organization) -> Option<&OuId> {
    let mut grounded: BTreeSet<&OuId> = BTreeSet::new();
    for start in organization.units.keys() {
        let mut path: BTreeSet<&OuId> = BTreeSet::new();
        let mut at = organization.units.get_key_value(start);
        while let Some((unit, held)) = at {
            if grounded.contains(unit) {
                break;
            }
            if !path.insert(unit) {
                return Some(unit);
            }
            at = organization.units.get_key_value(&*held.parent);
        }
        grounded.extend(path);
    }
    None
}
