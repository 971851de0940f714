//! What is found of the VPCs of a shard, by resource.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::{FirewallFinding, Gap, Judgement, Violation, Violator, outdated};
use crate::ident::{ResourceId, ResourceType};
use crate::inventory::Item;

/// Violations by resource, in the order of finding, and what stood in the way.
#[derive(Default)]
pub(in crate::evaluate) struct Found {
    violations: BTreeMap<(ResourceType, ResourceId), Vec<Violation>>,
    gaps: BTreeSet<Gap>,
}

impl Found {
    /// A resource breaks the policy.
    pub fn violates(&mut self, item: &Item, finding: FirewallFinding) {
        let key = (item.key.resource_type.clone(), item.key.id.clone());
        let violation = Violation::from(finding.reasoned());
        let all = self.violations.entry(key).or_default();
        if !all.contains(&violation) {
            all.push(violation);
        }
    }

    /// Something stood in the way.
    pub fn gap(&mut self, gap: Gap) {
        self.gaps.insert(gap);
    }

    /// Something was judged by a resource; it may have changed since.
    pub fn reads(&mut self, item: &Item) {
        self.gaps.extend(outdated(item));
    }

    /// What is told, the rest being a gap.
    pub fn told<T>(&mut self, told: Result<T, Gap>) -> Option<T> {
        told.map_err(|gap| self.gap(gap)).ok()
    }

    /// Hands all of it over.
    pub fn into(self, judgement: &mut Judgement) {
        judgement.gaps.extend(self.gaps);
        let violators = self.violations.into_iter();
        judgement.violators.extend(violators.map(|((resource_type, id), violations)| Violator {
            resource_type,
            id,
            violations,
        }));
    }
}
