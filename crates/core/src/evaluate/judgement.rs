//! What a judgement depends on, and what it comes to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Item, Shard};

use super::account::AccountFacts;
use super::finding::Violation;
use super::gap::Gap;
use super::listener::{Listener, Told};
use super::reference::References;
use super::unrecorded::{outdated, unseen_gap};

/// All that a judgement may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The resources judged.
    pub shard: &'a Shard,
    /// The facts that [`references`](super::references) asked for.
    pub references: &'a References,
    /// What other shards of the account say of this one's resources.
    pub account: &'a AccountFacts,
    /// The moment of judging, milliseconds since the epoch.
    pub evaluated_ms: i64,
    /// Age of what the newest delivery says at which inventory counts as stale (semantics §11
    /// row 40), in
    /// milliseconds; `None` turns the rule off.
    pub stale_after_ms: Option<i64>,
}

/// What was found about one resource in scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is as the policy wants it.
    Comply,
    /// It is not; the first is the one to report.
    Violate(Violation, Vec<Violation>),
    /// A needed fact was not seen: claim nothing, show why.
    Undecided(Gap),
}

impl Verdict {
    /// It breaks the policy in one way.
    pub(super) fn violate(violation: impl Into<Violation>) -> Verdict {
        Verdict::Violate(violation.into(), Vec::new())
    }
}

/// Whether what a verdict is of is as wanted; `None`: that was not told.
pub(super) fn fits(verdict: &Verdict) -> Option<bool> {
    match verdict {
        Verdict::Comply => Some(true),
        Verdict::Violate(..) => Some(false),
        Verdict::Undecided(_) => None,
    }
}

/// What is said of a resource whose configuration was not recorded.
pub(super) fn unseen(item: &Item) -> Verdict {
    Verdict::Undecided(unseen_gap(item))
}

/// A judged resource that breaks the policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Violator {
    /// `ResourceType`
    pub resource_type: ResourceType,
    /// `ResourceId`
    pub id: ResourceId,
    /// Never empty; the first is the one that `GetComplianceDetail` reports.
    pub violations: Vec<Violation>,
}

/// What judging one policy over one shard found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Judgement {
    /// Ascending by type, then id. Uncapped.
    pub violators: Vec<Violator>,
    /// What stood in the way.
    pub gaps: BTreeSet<Gap>,
    /// Resources in scope, judged or not.
    pub in_scope: u64,
    /// When time alone will change this judgement (staleness, delays), milliseconds since the epoch.
    pub not_before_ms: Option<i64>,
    /// Keeps what is said of one resource, where somebody asks.
    pub(crate) listener: Option<Box<Listener>>,
}

impl Judgement {
    /// Counts a resource in scope and keeps what was found about it, with a gap beside it if that
    /// was found by a configuration that may have changed since.
    pub(super) fn record(&mut self, item: &Item, verdict: Verdict) {
        self.doubt(item, outdated(item));
        self.record_told(item, verdict);
    }

    /// Something stands in the way of knowing of a resource, in scope or not.
    pub(super) fn doubt(&mut self, item: &Item, gaps: impl IntoIterator<Item = Gap>) {
        let Some(listener) = &mut self.listener else { return self.gaps.extend(gaps) };
        // What is said of others alone is not kept.
        if listener.is_asked_of(item) {
            for gap in gaps {
                listener.doubt(&gap);
                self.gaps.insert(gap);
            }
        }
    }

    /// What a resource was held against, for whoever listens.
    pub(super) fn tell(&mut self, item: &Item, tell: impl FnOnce(&mut Told)) {
        if let Some(listener) = self.listener.as_mut().filter(|one| one.is_asked_of(item)) {
            tell(listener.told());
        }
    }

    /// As [`Judgement::record`], of a resource that was judged by what others tell of it as well.
    pub(super) fn record_told(&mut self, item: &Item, verdict: Verdict) {
        self.in_scope = self.in_scope.saturating_add(1);
        if let Some(listener) = &mut self.listener {
            listener.counted(item, matches!(verdict, Verdict::Undecided(_)));
        }
        match verdict {
            Verdict::Comply => {}
            Verdict::Violate(first, mut rest) => {
                rest.insert(0, first);
                self.violators.push(Violator {
                    resource_type: item.key.resource_type.clone(),
                    id: item.key.id.clone(),
                    violations: rest,
                });
            }
            Verdict::Undecided(gap) => self.doubt(item, [gap]),
        }
    }

    /// This judgement does not hold beyond a moment.
    pub(super) fn wake_at(&mut self, at_ms: i64) {
        self.not_before_ms = Some(self.not_before_ms.map_or(at_ms, |sooner| sooner.min(at_ms)));
    }

    /// NON_COMPLIANT with any violator; without one COMPLIANT only if nothing stood in the way;
    /// otherwise no result (semantics §10 rows 1, 27).
    pub fn status(&self) -> Option<Status> {
        if !self.violators.is_empty() {
            Some(Status::NonCompliant)
        } else if self.gaps.is_empty() {
            Some(Status::Compliant)
        } else {
            None
        }
    }
}

/// `PolicyComplianceStatusType` of the model.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Nothing breaks the policy, and nothing stood in the way of knowing.
    Compliant,
    /// Something does.
    NonCompliant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_moment_wakes() {
        let mut judgement = Judgement::default();
        judgement.wake_at(5);
        judgement.wake_at(7);
        assert_eq!(judgement.not_before_ms, Some(5));
        judgement.wake_at(3);
        assert_eq!(judgement.not_before_ms, Some(3));
    }
}
