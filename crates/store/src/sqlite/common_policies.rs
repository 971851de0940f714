//! The policies by whose ids Firewall Manager's own security groups are told (semantics §11 row 57):
//! every `SECURITY_GROUPS_COMMON` policy that this store ever held, and those that a setting names.

use std::collections::BTreeSet;

use palisade_core::evaluate::Reference;
use palisade_core::ident::PolicyId;

use crate::{PolicyRecord, Result};

use super::columns::ident;
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::sound;
use super::{readers, sequence};

const KNOWN: &str = "known policy of common groups";

/// All of them.
pub(super) fn all(tx: &Transaction<'_>) -> Result<BTreeSet<PolicyId>> {
    let mut statement = tx.prepare_cached(
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

/// Sequence at which one of them was last learnt or forgotten.
pub(super) fn changed(tx: &Transaction<'_>) -> Result<u64> {
    of_store(tx, "common_policies_changed")
}

/// A policy is put: if it is of common groups, it is known from now on, even when it is gone.
pub(super) fn see(
    tx: &Transaction<'_>,
    policy: &PolicyRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let policy_type = policy.document.policy_type();
    if !policy_type.is_ok_and(|policy_type| policy_type.facts().makes_security_groups) {
        return Ok(());
    }
    let was_known = all(tx)?.contains(&policy.id);
    tx.execute(
        "INSERT INTO common_policies (policy, seen, named) VALUES (?1, 1, 0)
         ON CONFLICT (policy) DO UPDATE SET seen = 1",
        [policy.id.as_str()],
    )?;
    if was_known { Ok(()) } else { tell(tx, sequence, now_ms) }
}

/// The setting names these and no others. Answers whether that changes which are known.
pub(super) fn name(tx: &Transaction<'_>, named: &BTreeSet<PolicyId>, now_ms: i64) -> Result<bool> {
    let before = all(tx)?;
    tx.execute("UPDATE common_policies SET named = 0", [])?;
    for policy in named {
        tx.execute(
            "INSERT INTO common_policies (policy, seen, named) VALUES (?1, 0, 1)
             ON CONFLICT (policy) DO UPDATE SET named = 1",
            [policy.as_str()],
        )?;
    }
    tx.execute("DELETE FROM common_policies WHERE seen = 0 AND named = 0", [])?;
    if all(tx)? == before {
        return Ok(false);
    }
    tell(tx, sequence::next(tx)?, now_ms)?;
    Ok(true)
}

fn tell(tx: &Transaction<'_>, sequence: u64, now_ms: i64) -> Result<()> {
    tx.execute("UPDATE store SET common_policies_changed = ?1", [sequence])?;
    readers::mark(tx, &Reference::CommonPolicies, sequence, now_ms)
}
