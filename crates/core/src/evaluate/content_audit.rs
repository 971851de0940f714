//! `SECURITY_GROUPS_CONTENT_AUDIT`: each rule of each group in scope is held against the audit
//! group or the managed options; interfaces and instances answer for the groups on them
//! (semantics §5.5, §10 rows 7 to 13, 27, 28).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Instance, Item, SecurityGroup, Shard};
use crate::policy::Policy;
use crate::policy::content_audit::ContentAudit;

use super::audit_lists;
use super::opening::{Opening, openings};
use super::security_groups::{is_own, is_replica, is_terminated};
use super::yardstick::{Yardstick, audit_group};
use super::{
    Changed, DependentService, Evidence, Finding, Footprint, Gap, Judgement, Reference, Verdict,
    Violation, ViolationReason, outdated, selected, unseen,
};

/// Violations told of one group: one rule may be written of a hundred thousand parts, and each
/// would carry its evidence and what would end it.
pub const VIOLATIONS_MAX: usize = 100;

/// The audit groups and custom lists that a policy names.
pub(super) fn references(policy: &Policy, audit: &ContentAudit) -> BTreeSet<Reference> {
    let groups = audit.audit.iter().flat_map(|groups| &groups.ids);
    let mut references: BTreeSet<_> = groups.map(|id| audit_group(policy, id)).collect();
    if let Some(options) = &audit.managed {
        references.extend(audit_lists::references(policy, options));
    }
    references
}

/// Types that a verdict reads: groups always, and what else is listed (semantics §10 row 1).
pub(super) fn needed(policy: &Policy) -> BTreeSet<ResourceType> {
    let mut needed: BTreeSet<_> = policy.resource_types().iter().cloned().collect();
    needed.insert(ResourceType::SECURITY_GROUP);
    needed
}

/// What a change of a resource can do. A group answers for all that carry it; what carries groups
/// brings them into scope where their own tags do not.
pub(super) fn footprint(policy: &Policy, changed: &Changed) -> Footprint {
    let resource_type = &changed.key.resource_type;
    let scope = &policy.scope;
    let is_shared = if CARRIERS.contains(resource_type) {
        scope.lists(&ResourceType::SECURITY_GROUP) && !scope.tags.tags.is_empty()
    } else if *resource_type == ResourceType::SECURITY_GROUP {
        CARRIERS.iter().any(|carrier| scope.lists(carrier))
    } else {
        true
    };
    if is_shared { Footprint::Shard } else { Footprint::Resource }
}

/// Whether a resource shows the same to this audit: of what carries groups, which ones.
pub(super) fn shows_same(before: &Item, after: &Item) -> bool {
    if CARRIERS.contains(&before.key.resource_type) {
        carried(before) == carried(after) && is_terminated(before) == is_terminated(after)
    } else {
        before.body == after.body
    }
}

/// The groups that a resource is judged by.
pub(super) fn judged_by(item: &Item) -> BTreeSet<ResourceId> {
    let carried = carried(item);
    let ids = carried.iter().flat_map(Carried::all);
    // What is no id is no group's: it stays unseen.
    ids.filter_map(|id| ResourceId::try_from(id).ok()).collect()
}

/// Types whose resources carry groups.
const CARRIERS: [ResourceType; 2] = [ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE];

/// Judges what is in scope.
pub(super) fn judge(
    policy: &Policy,
    audit: &ContentAudit,
    evidence: &Evidence<'_>,
    judgement: &mut Judgement,
) {
    let yardstick = Yardstick::find(policy, audit, evidence, &mut judgement.gaps);
    let mut auditor = Auditor {
        shard: evidence.shard,
        audit_groups: match &audit.audit {
            Some(groups) if evidence.shard.id.account == policy.owner => &groups.ids,
            _ => &[],
        },
        yardstick,
        standings: BTreeMap::new(),
        outdated: BTreeSet::new(),
    };
    let mut attached = BTreeSet::new();
    for item in selected(policy, evidence.shard, &ResourceType::NETWORK_INTERFACE) {
        let carried = carried_by_interface(item);
        attached.extend(carried.iter().flat_map(|carried| carried.all()));
        judgement.record(item, auditor.carrier(item, carried));
    }
    for item in selected(policy, evidence.shard, &ResourceType::INSTANCE) {
        if is_terminated(item) {
            continue;
        }
        let carried = carried_by_instance(item);
        attached.extend(carried.iter().flat_map(|carried| carried.all()));
        judgement.record(item, auditor.carrier(item, carried));
    }
    if policy.scope.lists(&ResourceType::SECURITY_GROUP) {
        for item in auditor.groups_in_scope(policy, &attached) {
            judgement.record(item, auditor.group(item));
        }
    }
    judgement.gaps.append(&mut auditor.outdated);
}

/// How a group stands to the policy, found once for all that carry it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// No rule of it breaks the policy, or it is one that is not audited.
    Complies,
    /// Some rule does.
    Violates,
    /// It is not held, or its rules are not.
    Unseen,
}

struct Auditor<'a> {
    shard: &'a Shard,
    /// Audit groups that live in this shard.
    audit_groups: &'a [ResourceId],
    yardstick: Yardstick<'a>,
    standings: BTreeMap<&'a str, Standing>,
    /// What was read that may have changed since.
    outdated: BTreeSet<Gap>,
}

impl<'a> Auditor<'a> {
    /// Groups in scope themselves, and those attached to an interface or instance in scope.
    fn groups_in_scope(&self, policy: &Policy, attached: &BTreeSet<&'a str>) -> Vec<&'a Item> {
        let shard = self.shard;
        let mut selected = selected(policy, shard, &ResourceType::SECURITY_GROUP);
        if attached.is_empty() {
            selected.retain(|item| is_own(item, &shard.id.account));
            return selected;
        }
        let itself: BTreeSet<_> = selected.iter().map(|item| item.key.id.as_str()).collect();
        itself
            .union(attached)
            .filter_map(|id| shard.item(&ResourceType::SECURITY_GROUP, id))
            .filter(|item| is_own(item, &shard.id.account))
            .collect()
    }

    fn group(&mut self, item: &Item) -> Verdict {
        let Body::SecurityGroup(group) = &item.body else {
            return unseen(item);
        };
        if !self.is_audited(item, group) || self.yardstick.passes(group) {
            return Verdict::Comply;
        }
        let openings = openings(group);
        self.read(&openings);
        let broken = openings.into_iter().filter_map(|opening| {
            let against = self.yardstick.broken_by(&opening)?;
            Some((opening, against))
        });
        let mut violations = broken.take(VIOLATIONS_MAX).map(|(opening, against)| {
            violation(Finding::SecurityGroupRule {
                group: item.key.id.as_str().into(),
                direction: opening.direction,
                rule: opening.to_string().into(),
                against: against.into(),
                near_misses: self.yardstick.near_misses(&opening),
                remedies: self.yardstick.remedies(&opening),
            })
        });
        match violations.next() {
            None => Verdict::Comply,
            Some(first) => Verdict::Violate(first, violations.collect()),
        }
    }

    /// An interface or instance: it violates with any group on it that does, and without one it
    /// complies only if all of them were seen.
    fn carrier(&mut self, item: &Item, carried: Option<Carried<'a>>) -> Verdict {
        let Some(carried) = carried else {
            return unseen(item);
        };
        let mut unseen_group = None;
        let mut interfaces = Vec::new();
        for (interface, groups) in carried.interfaces {
            let mut violating = Vec::new();
            for group in groups {
                match self.standing(group) {
                    Standing::Complies => {}
                    Standing::Violates => violating.push(group.into()),
                    Standing::Unseen => unseen_group = unseen_group.or(Some(group)),
                }
            }
            if !violating.is_empty() {
                interfaces.push((interface.into(), violating));
            }
        }
        if !interfaces.is_empty() {
            return Verdict::Violate(violation(Finding::AttachedGroups { interfaces }), Vec::new());
        }
        match unseen_group {
            None => Verdict::Comply,
            Some(group) => {
                let text = format!("Security group {group} of {} was not recorded.", item.key.id);
                Verdict::Undecided(Gap::new(DependentService::Config, &text))
            }
        }
    }

    fn standing(&mut self, id: &'a str) -> Standing {
        if let Some(known) = self.standings.get(id) {
            return *known;
        }
        let standing = match self.shard.item(&ResourceType::SECURITY_GROUP, id) {
            None => Standing::Unseen,
            Some(item) => match &item.body {
                Body::SecurityGroup(group) if self.is_audited(item, group) => {
                    self.outdated.extend(outdated(item));
                    if self.breaks(group) { Standing::Violates } else { Standing::Complies }
                }
                Body::SecurityGroup(_) => Standing::Complies,
                _ => Standing::Unseen,
            },
        };
        self.standings.insert(id, standing);
        standing
    }

    /// Whether any rule of a group breaks the policy.
    fn breaks(&mut self, group: &SecurityGroup) -> bool {
        if self.yardstick.passes(group) {
            return false;
        }
        let openings = openings(group);
        self.read(&openings);
        openings.iter().any(|opening| self.yardstick.broken_by(opening).is_some())
    }

    fn read(&mut self, openings: &[Opening<'_>]) {
        self.outdated
            .extend(openings.iter().filter_map(|opening| self.yardstick.outdated(opening)));
    }

    /// Replicas are not audited, groups of another account are not this shard's, and the audit
    /// group is not held against itself, nor against the options beside it (semantics §10 rows 8
    /// and 28). `default` groups are audited like any other.
    fn is_audited(&self, item: &Item, group: &SecurityGroup) -> bool {
        is_own(item, &self.shard.id.account)
            && !is_replica(group)
            && !self.audit_groups.contains(&item.key.id)
    }
}

fn violation(finding: Finding) -> Violation {
    Violation { reason: ViolationReason::ResourceViolatesAuditSecurityGroup, finding }
}

/// The groups on an interface or instance, interface by interface.
#[derive(Eq, PartialEq)]
struct Carried<'a> {
    interfaces: Vec<(&'a str, BTreeSet<&'a str>)>,
}

impl<'a> Carried<'a> {
    fn all(&self) -> impl Iterator<Item = &'a str> {
        self.interfaces.iter().flat_map(|(_, groups)| groups.iter().copied())
    }
}

fn carried(item: &Item) -> Option<Carried<'_>> {
    carried_by_interface(item).or_else(|| carried_by_instance(item))
}

fn carried_by_interface(item: &Item) -> Option<Carried<'_>> {
    let Body::NetworkInterface(interface) = &item.body else {
        return None;
    };
    let groups = interface.groups.iter().map(Box::as_ref).collect();
    Some(Carried { interfaces: vec![(item.key.id.as_str(), groups)] })
}

/// Groups that an instance lists for itself and for none of its interfaces are shown under the
/// instance's own id.
fn carried_by_instance(item: &Item) -> Option<Carried<'_>> {
    let Body::Instance(Instance { groups, interfaces, .. }) = &item.body else {
        return None;
    };
    let mut by_interface: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for interface in interfaces {
        let groups = interface.groups.iter().map(Box::as_ref);
        by_interface.entry(&interface.id).or_default().extend(groups);
    }
    let on_interfaces: BTreeSet<_> = by_interface.values().flatten().copied().collect();
    let own: BTreeSet<_> =
        groups.iter().map(Box::as_ref).filter(|id| !on_interfaces.contains(id)).collect();
    if !own.is_empty() {
        by_interface.entry(item.key.id.as_str()).or_default().extend(own);
    }
    Some(Carried { interfaces: by_interface.into_iter().collect() })
}

#[cfg(test)]
mod tests;
