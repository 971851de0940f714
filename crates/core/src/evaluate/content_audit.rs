//! `SECURITY_GROUPS_CONTENT_AUDIT`: each rule of each group in scope is held against the audit
//! group or the managed options; interfaces and instances answer for the groups on them
//! (semantics §5.5, §10 rows 7 to 13, 27, 28, §11 rows 35, 41, 42, 51, 57).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Item, SecurityGroup, Shard};
use crate::policy::Policy;
use crate::policy::content_audit::ContentAudit;

use super::audit_lists;
use super::elsewhere::group_doubt;
use super::evaluator::Evaluator;
use super::interfaces::{self, Groups, Interfaces};
use super::listener::Told;
use super::network;
use super::opening::Opening;
use super::security_groups::{
    Maker, Replicas, administrators_group, is_own, is_terminated, untold_rules_gap,
};
use super::yardstick::Yardstick;
use super::{
    ATTACHED_RULES_MAX, AttachedGroup, BrokenRule, Changed, DependentService, Direction, Evidence,
    Footprint, Gap, Judgement, Reference, SecurityGroupFinding, Verdict, Violation, selected,
    unseen,
};

/// Violations told of one group: one rule may be written of a hundred thousand parts, and each
/// would carry its evidence and what would end it.
pub const VIOLATIONS_MAX: usize = 100;

impl Evaluator for ContentAudit {
    /// The audit groups and custom lists that a policy names, and what tells Firewall Manager's own
    /// groups from others.
    fn references(&self, policy: &Policy) -> BTreeSet<Reference> {
        let groups = self.audit.iter().flat_map(|groups| &groups.ids);
        let mut references: BTreeSet<_> =
            groups.map(|id| administrators_group(policy, id)).collect();
        if let Some(options) = &self.managed {
            references.extend(audit_lists::references(policy, options));
        }
        references.insert(Reference::CommonPolicies);
        references
    }

    /// Types whose items a judgement reads. What is on an instance is told by its interfaces as well,
    /// and the other way round (semantics §11 row 42).
    fn reads(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut reads = BTreeSet::from([ResourceType::SECURITY_GROUP, ResourceType::PREFIX_LIST]);
        if CARRIERS.iter().any(|carrier| policy.scope.lists(carrier)) {
            reads.extend(CARRIERS);
        }
        reads
    }

    /// Types that a verdict reads: groups always, and what else is listed (semantics §10 row 1).
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut needed: BTreeSet<_> = policy.resource_types().iter().cloned().collect();
        needed.insert(ResourceType::SECURITY_GROUP);
        needed
    }

    /// What is read though it is not listed may hold what breaks the policy, too.
    fn must_not_be_missed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut types = self.reads(policy);
        types.extend(self.needed(policy));
        types
    }

    /// What a change of a resource can do. A group answers for all that carry it, and so does what
    /// carries groups: an instance for its interfaces, and they for it (semantics §11 row 42).
    fn footprint(&self, policy: &Policy, changed: &Changed) -> Footprint {
        let resource_type = &changed.key.resource_type;
        let is_group = *resource_type == ResourceType::SECURITY_GROUP;
        let is_carried = || CARRIERS.iter().any(|carrier| policy.scope.lists(carrier));
        if is_group && !is_carried() { Footprint::Resource } else { Footprint::Shard }
    }

    fn shard_references(&self, policy: &Policy, shard: &Shard) -> BTreeSet<Reference> {
        match CARRIERS.iter().any(|carrier| policy.scope.lists(carrier)) {
            true => network::groups_listed(shard),
            false => BTreeSet::new(),
        }
    }

    fn judged_with(&self) -> BTreeSet<ResourceType> {
        [ResourceType::PREFIX_LIST].into()
    }

    /// Whether a resource shows the same to this audit.
    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        if CARRIERS.contains(&before.key.resource_type) {
            interfaces::shows_same(before, after)
        } else {
            before.body == after.body
        }
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let yardstick = Yardstick::find(policy, self, evidence, &mut judgement.gaps);
        let shard = evidence.shard;
        let mut auditor = Auditor {
            evidence,
            policy,
            audit_groups: self.audit.as_ref().map_or(&[], |groups| &groups.ids),
            replicas: Replicas::of(evidence.references),
            yardstick,
            standings: BTreeMap::new(),
            gaps: BTreeSet::new(),
        };
        let interfaces = Interfaces::of(shard);
        let mut attached = BTreeSet::new();
        for item in selected(policy, shard, &ResourceType::NETWORK_INTERFACE) {
            if !is_own(item, &shard.id.account) {
                continue;
            }
            let groups = interfaces.on_interface(item);
            let carried = groups.map(|groups| BTreeMap::from([(item.key.id.as_str(), groups)]));
            attached.extend(carried.iter().flat_map(all));
            judgement.tell(item, |told| auditor.tell_carried(carried.as_ref(), told));
            let verdict = auditor.carrier(item, carried);
            judgement.record_told(item, verdict);
        }
        for item in selected(policy, shard, &ResourceType::INSTANCE) {
            if is_terminated(item) {
                continue;
            }
            let carried = interfaces.on_instance(item);
            attached.extend(carried.iter().flat_map(all));
            judgement.tell(item, |told| auditor.tell_carried(carried.as_ref(), told));
            judgement.record(item, auditor.carrier(item, carried));
        }
        if policy.scope.lists(&ResourceType::SECURITY_GROUP) {
            for item in auditor.groups_in_scope(&attached) {
                judgement.tell(item, |told| auditor.tell(item, told));
                judgement.record(item, auditor.group(item));
            }
        }
        judgement.gaps.append(&mut auditor.gaps);
    }
}

/// Types whose resources carry groups.
const CARRIERS: [ResourceType; 2] = [ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE];

/// How a group stands to the policy, found once for all that carry it.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Standing {
    /// No rule of it breaks the policy, or it is one that is not audited.
    Complies,
    /// Some rule does.
    Violates(AttachedGroup),
    /// It is not held, or its rules are not.
    Unseen,
}

/// The groups on an interface or instance, interface by interface.
type Carried<'a> = BTreeMap<&'a str, Groups<'a>>;

fn all<'a, 'c>(carried: &'c Carried<'a>) -> impl Iterator<Item = &'a str> + use<'a, 'c> {
    carried.values().flat_map(|groups| groups.ids.iter().copied())
}

struct Auditor<'a> {
    evidence: &'a Evidence<'a>,
    policy: &'a Policy,
    audit_groups: &'a [ResourceId],
    replicas: Replicas<'a>,
    yardstick: Yardstick<'a>,
    standings: BTreeMap<&'a str, Standing>,
    /// What was read that may have changed since, and what was to be told by what is not known.
    gaps: BTreeSet<Gap>,
}

impl<'a> Auditor<'a> {
    fn shard(&self) -> &'a Shard {
        self.evidence.shard
    }

    /// Groups in scope themselves, and those attached to an interface or instance in scope.
    fn groups_in_scope(&self, attached: &BTreeSet<&'a str>) -> Vec<&'a Item> {
        let shard = self.shard();
        let mut selected = selected(self.policy, shard, &ResourceType::SECURITY_GROUP);
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

    fn group(&mut self, item: &'a Item) -> Verdict {
        let Body::SecurityGroup(group) = &item.body else {
            return unseen(item);
        };
        if !self.is_audited(item, group) {
            return Verdict::Comply;
        }
        if self.yardstick.passes(group) {
            return self.untold(item, group).map_or(Verdict::Comply, Verdict::Undecided);
        }
        let lookalike = self.replicas.maker(group) == Maker::Lookalike;
        let openings = self.yardstick.openings(group);
        self.read(&openings);
        let mut violations =
            self.broken(openings).take(VIOLATIONS_MAX).map(|(opening, against)| {
                let finding = SecurityGroupFinding::SecurityGroupRule {
                    group: item.key.id.as_str().into(),
                    direction: opening.direction,
                    rule: opening.to_string().into(),
                    against: against.into(),
                    near_misses: self.yardstick.near_misses(&opening),
                    remedies: self.yardstick.remedies(&opening),
                    lookalike,
                };
                Violation::from(finding.reasoned())
            });
        match violations.next() {
            None => self.untold(item, group).map_or(Verdict::Comply, Verdict::Undecided),
            Some(first) => Verdict::Violate(first, violations.collect()),
        }
    }

    /// What a group is held against: each of its rules, in turn.
    fn tell(&self, item: &'a Item, told: &mut Told) {
        let Body::SecurityGroup(group) = &item.body else { return };
        if !self.is_audited(item, group) {
            let why = "groups that Firewall Manager made, and the audit groups, are not audited";
            return told.holds("group", why, item.key.id.as_str(), Some(true));
        }
        for opening in self.yardstick.openings(group) {
            let broken = self.yardstick.broken_by(&opening);
            let is_known = broken.is_some() || self.yardstick.gaps(&opening).is_empty();
            let fits = is_known.then_some(broken.is_none());
            let what = format!("{} rule", opening.direction.word());
            let found = match broken {
                Some(broken) => format!("{opening}: {broken}"),
                None => opening.to_string(),
            };
            told.holds(what, self.yardstick.summary(), found, fits);
        }
        if let Some(gap) = self.untold(item, group) {
            told.holds("rules", self.yardstick.summary(), gap.text, None);
        }
    }

    /// What an interface or instance is held against: the groups on it, in turn.
    fn tell_carried(&mut self, carried: Option<&Carried<'a>>, told: &mut Told) {
        for (interface, groups) in carried.into_iter().flatten() {
            for id in &groups.ids {
                let standing = self.standing(id);
                let (found, fits) = match &standing {
                    Standing::Complies => ("no rule breaks the policy".to_owned(), Some(true)),
                    Standing::Violates(group) => {
                        (group.rules().collect::<Vec<_>>().join("; "), Some(false))
                    }
                    Standing::Unseen => ("not recorded".to_owned(), None),
                };
                let what = format!("group {id} on {interface}");
                told.holds(what, self.yardstick.summary(), found, fits);
                let held = self.evidence.account.network.group(self.shard(), id);
                held.iter().for_each(|(group, _)| told.reads(group));
            }
        }
    }

    /// That rules of a group may be untold which this looks at: what is told of it says nothing of
    /// those (semantics §11 row 38).
    fn untold(&self, item: &Item, group: &SecurityGroup) -> Option<Gap> {
        let is_untold = (group.untold.ingress && self.yardstick.looks_at(Direction::Ingress))
            || (group.untold.egress && self.yardstick.looks_at(Direction::Egress));
        is_untold.then(|| untold_rules_gap(item))
    }

    /// An interface or instance: it violates with any group on it that does, whoever's it is
    /// (semantics §11 row 41), and without one it complies only if all of them were seen.
    fn carrier(&mut self, item: &Item, carried: Option<Carried<'a>>) -> Verdict {
        let Some(carried) = carried else {
            return unseen(item);
        };
        let mut unseen_group = None;
        let mut interfaces = Vec::new();
        let mut groups = BTreeMap::new();
        for (interface, on_it) in carried {
            self.gaps.extend(on_it.outdated.into_iter().chain(on_it.untold));
            let mut violating = Vec::new();
            for group in on_it.ids {
                match self.standing(group) {
                    Standing::Complies => {}
                    Standing::Violates(told) => {
                        violating.push(group.into());
                        groups.insert(group, told);
                    }
                    Standing::Unseen => unseen_group = unseen_group.or(Some(group)),
                }
            }
            if !violating.is_empty() {
                interfaces.push((interface.into(), violating));
            }
        }
        if !interfaces.is_empty() {
            let groups = groups.into_values().collect();
            let finding = SecurityGroupFinding::AttachedGroups { interfaces, groups };
            return Verdict::violate(finding.reasoned());
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
            return known.clone();
        }
        let standing = match self.evidence.account.network.group(self.shard(), id) {
            None => Standing::Unseen,
            Some((item, later)) => match &item.body {
                Body::SecurityGroup(group) if self.is_audited(item, group) => {
                    self.gaps.extend(later.or_else(|| group_doubt(item, self.evidence)));
                    match self.attached(item, group) {
                        Some(told) => Standing::Violates(told),
                        None if self.untold(item, group).is_some() => Standing::Unseen,
                        None => Standing::Complies,
                    }
                }
                Body::SecurityGroup(_) => Standing::Complies,
                _ => Standing::Unseen,
            },
        };
        self.standings.insert(id, standing.clone());
        standing
    }

    /// What is told of a group to all that carry it, if any rule of it breaks the policy.
    fn attached(&mut self, item: &Item, group: &'a SecurityGroup) -> Option<AttachedGroup> {
        if self.yardstick.passes(group) {
            return None;
        }
        let openings = self.yardstick.openings(group);
        self.read(&openings);
        let mut broken = self.broken(openings);
        let told = broken.by_ref().take(ATTACHED_RULES_MAX).map(|(opening, against)| BrokenRule {
            direction: opening.direction,
            rule: opening.to_string().into(),
            against: against.into(),
        });
        let rules: Vec<BrokenRule> = told.collect();
        let owner = group.owner.as_ref().unwrap_or(&item.key.account);
        (!rules.is_empty()).then(|| AttachedGroup {
            group: item.key.id.as_str().into(),
            owner: (*owner != self.shard().id.account).then(|| owner.clone()),
            lookalike: self.replicas.maker(group) == Maker::Lookalike,
            rules,
            more: broken.next().is_some(),
        })
    }

    /// Openings that break the policy, with what they break.
    fn broken<'s>(
        &'s self,
        openings: Vec<Opening<'a>>,
    ) -> impl Iterator<Item = (Opening<'a>, String)> + use<'s, 'a> {
        openings.into_iter().filter_map(|opening| {
            let against = self.yardstick.broken_by(&opening)?;
            Some((opening, against))
        })
    }

    fn read(&mut self, openings: &[Opening<'_>]) {
        self.gaps.extend(openings.iter().flat_map(|opening| self.yardstick.gaps(opening)));
    }

    /// Firewall Manager's own groups are not audited, and the audit group is not held against itself,
    /// nor against the options beside it (semantics §10 row 8). `default` groups are audited like any
    /// other.
    fn is_audited(&self, item: &Item, group: &SecurityGroup) -> bool {
        let owner = group.owner.as_ref().unwrap_or(&item.key.account);
        let is_audit_group =
            *owner == self.policy.owner && self.audit_groups.contains(&item.key.id);
        self.replicas.maker(group) != Maker::FirewallManager && !is_audit_group
    }
}

#[cfg(test)]
mod tests;
