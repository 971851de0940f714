//! Advancing a record by what changed in a judgement, where the rest of it was not judged again.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::{DependentService, Difference, STALE, Status, Violator};
use crate::ident::{ResourceId, ResourceType};

use super::{Change, Entry, MORE, Obstacle, Record, ViolatorRow};

/// Why a record cannot be advanced by a difference: judge the whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Doubt {
    /// The gaps are others, and of an issue's text it cannot be told which part was whose.
    Gaps,
    /// The record does not tell of these resources what is found of them as they were.
    Record,
}

/// Whether what was recorded holds until something changes: by this revision of the policy, and not
/// for a moment only.
pub fn holds(entry: Option<&Entry>, policy_revision: u64) -> bool {
    let is_held = |text: &String| Obstacle::ALL.iter().any(|one| text.contains(one.text()));
    let for_now = |text: &String| text.contains(STALE) || is_held(text);
    entry.is_some_and(|entry| {
        entry.policy_revision == policy_revision && !entry.issues.values().any(for_now)
    })
}

/// Whether issues tell that the inventory is too old, which comes with time alone.
pub fn tell_of_age(issues: &BTreeMap<DependentService, String>) -> bool {
    issues.values().any(|text| text.contains(STALE))
}

/// Whether what was recorded can be advanced by a difference: it [`holds`], and its issues tell all
/// of their gaps.
pub fn stands(entry: Option<&Entry>, policy_revision: u64) -> bool {
    let is_cut = |entry: &Entry| entry.issues.values().any(|text| text.ends_with(MORE));
    holds(entry, policy_revision) && !entry.is_some_and(is_cut)
}

/// As [`super::advance`] by the judgement of the whole shard, from what changed in it. `before` has
/// an entry that [`stands`], and of its violators at least those of the changed resources.
///
/// # Errors
/// A [`Doubt`] when the difference does not tell what the judgement of the whole would.
pub fn advance_by(
    before: &Record,
    difference: &Difference,
    evaluated_ms: i64,
) -> Result<Option<Change>, Doubt> {
    let old = before.entry.as_ref().ok_or(Doubt::Record)?;
    if difference.before.gaps != difference.after.gaps {
        return Err(Doubt::Gaps);
    }
    let (put, removed) = violators(before, difference, evaluated_ms)?;
    let moved = |total: u64, was: u64, is: u64| {
        total.checked_sub(was).and_then(|rest| rest.checked_add(is)).ok_or(Doubt::Record)
    };
    let Difference { before: was, after: is } = difference;
    let violator_count =
        moved(old.violator_count, was.violators.len() as u64, is.violators.len() as u64)?;
    let status = match (violator_count, old.issues.is_empty()) {
        (1.., _) => Some(Status::NonCompliant),
        (0, true) => Some(Status::Compliant),
        (0, false) => None,
    };
    let history = (old.status, old.violator_count) != (status, violator_count);
    let entry = Entry {
        status,
        violator_count,
        in_scope: moved(old.in_scope, was.in_scope, is.in_scope)?,
        since_ms: if history { evaluated_ms } else { old.since_ms },
        ..old.clone()
    };
    let same = *old == entry && put.is_empty() && removed.is_empty();
    Ok((!same).then_some(Change { entry, history, put, removed }))
}

type Rows = (Vec<ViolatorRow>, Vec<(ResourceType, ResourceId)>);

/// The rows that change, each of which must be recorded as it was found before.
fn violators(before: &Record, difference: &Difference, evaluated_ms: i64) -> Result<Rows, Doubt> {
    let rows: BTreeMap<_, _> =
        before.violators.iter().map(|row| ((&row.resource_type, &row.id), row)).collect();
    let (was, is) = (by_key(&difference.before.violators), by_key(&difference.after.violators));
    let (mut put, mut removed) = (Vec::new(), Vec::new());
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    for key in keys {
        let (was, is) = (was.get(key), is.get(key));
        if was == is {
            continue;
        }
        let row = rows.get(key);
        if row.map(|row| &row.violations) != was.map(|was| &was.violations) {
            return Err(Doubt::Record);
        }
        match is {
            Some(is) => put.push(ViolatorRow {
                resource_type: is.resource_type.clone(),
                id: is.id.clone(),
                violations: is.violations.clone(),
                since_ms: row.map_or(evaluated_ms, |row| row.since_ms),
                captured_ms: row.and_then(|row| row.captured_ms),
            }),
            None => removed.push((key.0.clone(), key.1.clone())),
        }
    }
    Ok((put, removed))
}

fn by_key(violators: &[Violator]) -> BTreeMap<(&ResourceType, &ResourceId), &Violator> {
    violators.iter().map(|found| ((&found.resource_type, &found.id), found)).collect()
}

#[cfg(test)]
mod tests;
