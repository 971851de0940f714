//! The policies by whose ids Firewall Manager's own security groups are told (semantics §11 row 57):
//! every `SECURITY_GROUPS_COMMON` policy that this store ever held, and those that a setting names.

use std::collections::BTreeSet;

use palisade_core::evaluate::Reference;
use palisade_core::ident::PolicyId;

use crate::{PolicyRecord, Result};

use super::rows::Kind;
use super::{Rows, readers};

/// A policy is put: if it is of common groups, it is known from now on, even when it is gone.
pub fn see(rows: &impl Rows, policy: &PolicyRecord, sequence: u64, now_ms: i64) -> Result<()> {
    let policy_type = policy.document.policy_type();
    if !policy_type.is_ok_and(|policy_type| policy_type.facts().makes_security_groups) {
        return Ok(());
    }
    let was_known = rows.common_policies()?.contains(&policy.id);
    rows.see_common_policy(&policy.id)?;
    if was_known { Ok(()) } else { changed(rows, sequence, now_ms) }
}

/// The setting names these and no others. Answers whether that changes which are known.
pub fn name(rows: &impl Rows, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool> {
    let before = rows.common_policies()?;
    rows.name_common_policies(named)?;
    if rows.common_policies()? == before {
        return Ok(false);
    }
    changed(rows, rows.next_sequence()?, now_ms)?;
    Ok(true)
}

fn changed(rows: &impl Rows, sequence: u64, now_ms: i64) -> Result<()> {
    rows.put_changed(Kind::CommonPolicies, sequence)?;
    readers::mark(rows, &Reference::CommonPolicies, sequence, now_ms)
}
