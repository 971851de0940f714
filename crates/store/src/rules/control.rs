//! The control state, changed at one revision, and what each change causes.

use palisade_core::evaluate::Reference;
use palisade_core::ident::{ListId, PolicyId, ResourceSetId};

use crate::{
    ControlChange, ListRecord, Mark, Occasion, PolicyRecord, ResourceSetRecord, Result, StoreError,
};

use super::rows::Kind;
use super::rows::Noting;
use super::{Rows, common_policies, keys, marks, past, readers};

/// Applies all changes at the revision they were decided on.
pub fn commit(
    rows: &impl Rows,
    expected_revision: u64,
    changes: &[ControlChange],
    now_ms: i64,
) -> Result<u64> {
    let found = rows.control_revision()?;
    if found != expected_revision {
        return Err(StoreError::Conflict);
    }
    let sequence = rows.next_sequence()?;
    let noted_ms = past::note(rows, sequence, now_ms)?;
    for change in changes {
        past::keep(rows, change, sequence, noted_ms)?;
        apply(rows, change, At { sequence, now_ms, noted_ms })?;
    }
    // Who asked for nothing new is told in the log, and nobody need read the state again.
    let is_audit = |change: &ControlChange| matches!(change, ControlChange::Audit(_));
    if !changes.is_empty() && changes.iter().all(is_audit) {
        return Ok(found);
    }
    let next = found.saturating_add(1);
    rows.put_control_revision(next)?;
    Ok(next)
}

/// When a commit is.
#[derive(Clone, Copy)]
struct At {
    sequence: u64,
    now_ms: i64,
    /// [`past::note`]
    noted_ms: i64,
}

fn apply(rows: &impl Rows, change: &ControlChange, at: At) -> Result<()> {
    let At { sequence, now_ms, .. } = at;
    match change {
        ControlChange::PutPolicy(policy) => put_policy(rows, change, policy, sequence, now_ms),
        ControlChange::RemovePolicy(policy) => {
            rows.put_object(change)?;
            remove_policy(rows, policy, at)
        }
        ControlChange::FanOut(policy) => match rows.policy_revision(policy)? {
            Some(revision) => rows.put_fan_out(policy, revision, now_ms),
            None => Ok(()),
        },
        ControlChange::PutList(list) => put_list(rows, change, list, sequence, now_ms),
        ControlChange::RemoveList(list) => remove_list(rows, change, list, sequence, now_ms),
        ControlChange::PutResourceSet(set) => put_set(rows, change, set, sequence, now_ms),
        ControlChange::RemoveResourceSet(set) => remove_set(rows, change, set, sequence, now_ms),
        ControlChange::Mark(Mark { shard, policy }) => {
            marks::mark(rows, shard, policy.as_ref(), sequence, now_ms)
        }
        ControlChange::Audit(event) => keys::append(rows, event),
        ControlChange::PutOrganization(_)
        | ControlChange::PutAdministrator(..)
        | ControlChange::RemoveAdministrator(_)
        | ControlChange::PutOffboarded(_)
        | ControlChange::PutChannel(..)
        | ControlChange::PutAssociation(..)
        | ControlChange::PutWaiver(_)
        | ControlChange::RemoveWaiver(_) => rows.put_object(change),
    }
}

fn put_policy(
    rows: &impl Rows,
    change: &ControlChange,
    policy: &PolicyRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    // Tags of the policy itself change nothing of what is judged.
    let judged_as_before = rows.policy_revision(&policy.id)? == Some(policy.revision);
    rows.put_object(change)?;
    if judged_as_before {
        return Ok(());
    }
    common_policies::see(rows, policy, sequence, now_ms)?;
    rows.put_fan_out(&policy.id, policy.revision, now_ms)
}

fn remove_policy(rows: &impl Rows, policy: &PolicyId, at: At) -> Result<()> {
    let At { sequence, now_ms, noted_ms } = at;
    let noting = Noting { sequence, noted_ms, occasion: Occasion::Removed };
    rows.close_entries(policy, None, now_ms, noting)?;
    rows.drop_readers(policy, None)?;
    rows.drop_fan_out(policy)?;
    rows.drop_marks(policy)
}

fn put_list(
    rows: &impl Rows,
    change: &ControlChange,
    list: &ListRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let before = rows.list(&list.id)?;
    rows.put_object(change)?;
    // Name and tags are nothing that readers read.
    if before.is_some_and(|before| before.content == list.content) {
        return Ok(());
    }
    mark_readers_of(rows, &list.reference(), sequence, now_ms)
}

fn remove_list(
    rows: &impl Rows,
    change: &ControlChange,
    list: &ListId,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let Some(list) = rows.list(list)? else { return Ok(()) };
    rows.put_object(change)?;
    mark_readers_of(rows, &list.reference(), sequence, now_ms)
}

fn put_set(
    rows: &impl Rows,
    change: &ControlChange,
    set: &ResourceSetRecord,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let before = rows.resource_set(&set.id)?;
    rows.put_object(change)?;
    // Which resources it names is all that readers read.
    if before.is_some_and(|before| before.resources.keys().eq(set.resources.keys())) {
        return Ok(());
    }
    mark_readers_of(rows, &set.reference(), sequence, now_ms)
}

fn remove_set(
    rows: &impl Rows,
    change: &ControlChange,
    set: &ResourceSetId,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let Some(set) = rows.resource_set(set)? else { return Ok(()) };
    rows.put_object(change)?;
    mark_readers_of(rows, &set.reference(), sequence, now_ms)
}

fn mark_readers_of(
    rows: &impl Rows,
    reference: &Reference,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    rows.put_changed(Kind::Lists, sequence)?;
    readers::mark(rows, reference, sequence, now_ms)
}
