//! The row of an organization, without its accounts, which are rows of their own. It notes at which revision of
//! the control state it was put: whoever knows the organization of that revision need not read it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::organization::Organization;
use serde::{Deserialize, Serialize};

use crate::{ControlState, Result, StoreError};

use super::damaged;

/// What such a row begins with.
#[derive(Deserialize)]
struct Stamp {
    /// Earlier editions wrote none.
    revision: Option<u64>,
}

#[derive(Serialize)]
struct Head {
    revision: u64,
    #[serde(flatten)]
    organization: Organization,
}

/// The row of an organization that is put by the commit which makes the revision after `revision`.
pub fn head(organization: &Organization, revision: u64) -> Result<String> {
    let organization = Organization { accounts: BTreeMap::new(), ..organization.clone() };
    let head = Head { revision: revision.saturating_add(1), organization };
    serde_json::to_string(&head).map_err(|error| StoreError::Engine(error.into()))
}

/// The revision at which the organization of a row was put.
pub fn revision(head: &str) -> Result<Option<u64>> {
    let stamp: Stamp = read(head)?;
    Ok(stamp.revision)
}

/// The organization of a row, to which `accounts` are to be added.
pub fn without_accounts(head: &str) -> Result<Organization> {
    read(head)
}

fn read<'t, T: Deserialize<'t>>(head: &'t str) -> Result<T> {
    serde_json::from_str(head).map_err(|error| damaged("organization", error))
}

/// The organization that is known, if it is the one that was put at `revision`.
pub fn kept(known: Option<&ControlState>, revision: Option<u64>) -> Option<Arc<Organization>> {
    let known = known.filter(|known| revision.is_some() && known.organization_revision == revision);
    known.and_then(|known| known.organization.clone())
}
