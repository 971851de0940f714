//! What we recorded: one entry per (policy, account), its violators, and its history, written only
//! when something changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evaluate::{DependentService, Gap, Judgement, Status, Violation, Violator};
use crate::ident::{ResourceId, ResourceType};

mod partial;

pub use partial::{Doubt, advance_by, holds, stands, tell_of_age};

/// The state of one (policy, account). A policy has one Region, so that is implied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `None`: in scope, and nothing can be claimed.
    pub status: Option<Status>,
    /// True count of violators, uncapped.
    pub violator_count: u64,
    /// Resources in scope.
    pub in_scope: u64,
    /// Issues by service, the texts of all gaps joined.
    pub issues: BTreeMap<DependentService, String>,
    /// When status, count or issues last became what they are, milliseconds since the epoch.
    pub since_ms: i64,
    /// Revision of the policy that was judged.
    pub policy_revision: u64,
}

/// A violator as recorded: since when it is one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ViolatorRow {
    /// `ResourceType`
    pub resource_type: ResourceType,
    /// `ResourceId`
    pub id: ResourceId,
    /// Never empty; the first is reported.
    pub violations: Vec<Violation>,
    /// First judged a violator, milliseconds since the epoch.
    pub since_ms: i64,
    /// Capture time of the state that it was first judged a violator by, milliseconds since the epoch; `None`
    /// in ledgers that did not record it.
    pub captured_ms: Option<i64>,
}

impl ViolatorRow {
    /// Since when it breaks the policy, milliseconds since the epoch: the capture time of the state that did,
    /// else when that was judged.
    pub fn began_ms(&self) -> i64 {
        self.captured_ms.unwrap_or(self.since_ms)
    }
}

/// What was recorded for a (policy, account) before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// The entry, if there is one.
    pub entry: Option<Entry>,
    /// Its violators, ascending by type and id.
    pub violators: Vec<ViolatorRow>,
}

/// What to write; nothing at all when [`advance`] answers `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The new entry.
    pub entry: Entry,
    /// Whether status, count or issues changed, so that a history row is due.
    pub history: bool,
    /// Violators that are new or whose violations changed.
    pub put: Vec<ViolatorRow>,
    /// Violators that are none any more.
    pub removed: Vec<(ResourceType, ResourceId)>,
}

impl Change {
    /// Records of each violator that is found at `evaluated_ms` for the first time when the state was captured
    /// that it was found by.
    pub fn date(
        &mut self,
        evaluated_ms: i64,
        captured_ms: impl Fn(&ResourceType, &ResourceId) -> Option<i64>,
    ) {
        for row in &mut self.put {
            if row.since_ms == evaluated_ms && row.captured_ms.is_none() {
                row.captured_ms = captured_ms(&row.resource_type, &row.id);
            }
        }
    }
}

/// Longest text of one issue (model `DetailedInfo`), in UTF-16 units.
pub const ISSUE_TEXT_MAX: usize = 4096;

/// Sets a judgement beside what was recorded and says what changed, if anything.
pub fn advance(
    before: &Record,
    judgement: &Judgement,
    policy_revision: u64,
    evaluated_ms: i64,
) -> Option<Change> {
    let issues = issues(judgement);
    let status = judgement.status();
    let violator_count = judgement.violators.len() as u64;
    let old = before.entry.as_ref();
    let history = old.is_none_or(|old| {
        old.status != status || old.violator_count != violator_count || old.issues != issues
    });
    let entry = Entry {
        status,
        violator_count,
        in_scope: judgement.in_scope,
        issues,
        since_ms: match old {
            Some(old) if !history => old.since_ms,
            _ => evaluated_ms,
        },
        policy_revision,
    };
    let (put, removed) = difference(&before.violators, &judgement.violators, evaluated_ms);
    let same = old == Some(&entry) && put.is_empty() && removed.is_empty();
    (!same).then_some(Change { entry, history, put, removed })
}

/// Why there is no judgement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The stored inventory could not be read.
    Unreadable,
    /// Judging it, or writing what was found, failed.
    Failed,
}

impl Obstacle {
    const ALL: [Obstacle; 2] = [Obstacle::Unreadable, Obstacle::Failed];

    /// The issue of what [`hold`] records.
    fn text(self) -> &'static str {
        match self {
            Obstacle::Unreadable => "The stored inventory of the account could not be read.",
            Obstacle::Failed => {
                "The account could not be judged: Palisade failed, and tries again."
            }
        }
    }
}

/// Sets beside what was recorded that something stood in the way of a judgement. Older results of the
/// same policy stand with the issue (semantics §3.4); of another revision nothing is claimed.
pub fn hold(
    before: &Record,
    obstacle: Obstacle,
    policy_revision: u64,
    evaluated_ms: i64,
) -> Option<Change> {
    let entry = before.entry.as_ref().filter(|entry| entry.policy_revision == policy_revision);
    let stands = |row: &ViolatorRow| Violator {
        resource_type: row.resource_type.clone(),
        id: row.id.clone(),
        violations: row.violations.clone(),
    };
    let judgement = Judgement {
        violators: entry.map_or(Vec::new(), |_| before.violators.iter().map(stands).collect()),
        gaps: [Gap::new(DependentService::Config, obstacle.text())].into(),
        in_scope: entry.map_or(0, |entry| entry.in_scope),
        ..Judgement::default()
    };
    advance(before, &judgement, policy_revision, evaluated_ms)
}

fn difference(
    before: &[ViolatorRow],
    now: &[Violator],
    evaluated_ms: i64,
) -> (Vec<ViolatorRow>, Vec<(ResourceType, ResourceId)>) {
    let mut old: BTreeMap<_, _> =
        before.iter().map(|row| ((&row.resource_type, &row.id), row)).collect();
    let mut put = Vec::new();
    for violator in now {
        let was = old.remove(&(&violator.resource_type, &violator.id));
        if was.is_some_and(|was| was.violations == violator.violations) {
            continue;
        }
        put.push(ViolatorRow {
            resource_type: violator.resource_type.clone(),
            id: violator.id.clone(),
            violations: violator.violations.clone(),
            since_ms: was.map_or(evaluated_ms, |was| was.since_ms),
            captured_ms: was.and_then(|was| was.captured_ms),
        });
    }
    let removed = old.into_keys().map(|(kind, id)| (kind.clone(), id.clone())).collect();
    (put, removed)
}

/// Ends an issue that tells not all of its gaps.
const MORE: &str = " more.";

/// Room kept at the end of an issue for ` And n more.`, with as many as 64 bits can count.
const MORE_TEXT_MAX: usize = 32;

/// Texts of all gaps by service, in order, cut between texts so that none is longer than
/// [`ISSUE_TEXT_MAX`]. Bytes are counted, of which a text has no fewer than UTF-16 units.
fn issues(judgement: &Judgement) -> BTreeMap<DependentService, String> {
    let mut texts: BTreeMap<DependentService, (String, u64)> = BTreeMap::new();
    for gap in &judgement.gaps {
        let (issue, left_out) = texts.entry(gap.service).or_default();
        let space = usize::from(!issue.is_empty());
        let length = issue.len().saturating_add(space).saturating_add(gap.text.len());
        if *left_out > 0 || length > ISSUE_TEXT_MAX - MORE_TEXT_MAX {
            *left_out = left_out.saturating_add(1);
        } else {
            append(issue, &gap.text);
        }
    }
    let closed = |(service, (mut issue, left_out)): (DependentService, (String, u64))| {
        if left_out > 0 {
            append(&mut issue, &format!("And {left_out}{MORE}"));
        }
        (service, issue)
    };
    texts.into_iter().map(closed).collect()
}

fn append(issue: &mut String, text: &str) {
    if !issue.is_empty() {
        issue.push(' ');
    }
    issue.push_str(text);
}

#[cfg(test)]
mod tests;
