//! `DNS_FIREWALL`: each rule group of the policy is associated with each VPC, at its priority (semantics
//! §5.9, §10 rows 1, 20, 28, §11 rows 38, 66).
//!
//! Readings of what the text leaves open: an association that is `UPDATING` or `DELETING` does not
//! comply, for only `COMPLETE` does. A VPC has a rule group once and a priority once, so that the first
//! of these finds says what stands in the way: the group at another priority, another group at its
//! priority, AWS's default limit. Associations that bear the policy's own name stand in nobody's way,
//! unless they are in place: remediation moves them. A rule group is not looked up: who owns it, and
//! whether it is shared, shows in its association.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{PolicyId, ResourceType};
use crate::inventory::{Body, DnsAssociation, Item, Shard};
use crate::policy::Policy;
use crate::policy::dns_firewall::{DnsFirewall, DnsRuleGroup};

use super::coverage::not_seen;
use super::evaluator::Evaluator;
use super::listener::Told;
use super::security_groups::is_own;
use super::{
    DependentService, DnsFinding, Evidence, Gap, Judgement, UNAVAILABLE_PRIORITIES_MAX, Verdict,
    outdated, selected, unseen, unseen_gap,
};

/// Rule groups that AWS lets be associated with a VPC, unless the account's quota was raised: no source
/// tells quotas.
pub const DNS_RULE_GROUPS_PER_VPC_MAX: usize = 5;

/// Begins the names of associations that Firewall Manager made (semantics §5.9, §7.2).
const MANAGED: &str = "FMManaged_";

impl Evaluator for DnsFirewall {
    /// Types that a verdict reads (semantics §1.5, §10 row 1).
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        [ResourceType::VPC, ResourceType::DNS_FIREWALL_ASSOCIATION].into()
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let associations = Associations::of(shard);
        let judge = Judge { rule: self, policy, associations };
        for item in selected(policy, shard, &ResourceType::VPC) {
            if is_own(item, &shard.id.account) {
                let near = judge.associations.near(item);
                judgement.doubt(item, near.filter_map(|held| outdated(held.item)));
                let mut gaps = BTreeSet::new();
                let verdict = judge.vpc(item, &mut gaps);
                judgement.doubt(item, gaps);
                judgement.tell(item, |told| judge.tell(item, told));
                judgement.record(item, verdict);
            }
        }
    }
}

/// An association as the item and its body tell it.
#[derive(Clone, Copy)]
struct Held<'a> {
    item: &'a Item,
    told: &'a DnsAssociation,
}

impl<'a> Held<'a> {
    fn id(&self) -> &'a str {
        self.item.key.id.as_str()
    }

    fn is_with(&self, group: &str) -> Option<bool> {
        self.told.group.as_ref().map(|told| **told == *group)
    }

    fn is_at(&self, priority: i32) -> Option<bool> {
        self.told.priority.map(|told| told == priority)
    }

    /// Whether it puts a rule group where it is wanted; `None` where a member that would tell is not
    /// told.
    fn serves(&self, vpc: &Item, wanted: &DnsRuleGroup) -> Option<bool> {
        let is_on = self.told.vpc.as_ref().map(|told| **told == *vpc.key.id.as_str());
        all([is_on, self.is_with(&wanted.id), self.is_at(wanted.priority), self.told.is_complete()])
    }

    /// That it does not tell all that it is about.
    fn untold_gap(&self) -> Gap {
        let members = [
            ("FirewallRuleGroupId", self.told.group.is_none()),
            ("VpcId", self.told.vpc.is_none()),
            ("Priority", self.told.priority.is_none()),
            ("Status", self.told.status.is_none()),
        ];
        let untold: Vec<&str> =
            members.into_iter().filter(|(_, untold)| *untold).map(|(name, _)| name).collect();
        let text = format!(
            "{} of DNS Firewall association {} {} not recorded.",
            untold.join(" and "),
            self.id(),
            if untold.len() > 1 { "were" } else { "was" }
        );
        Gap::new(DependentService::Config, &text)
    }
}

/// Whether all of these hold: one that does not decides whatever is not told.
fn all<const N: usize>(parts: [Option<bool>; N]) -> Option<bool> {
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    (!parts.contains(&None)).then_some(true)
}

/// The associations of a shard.
struct Associations<'a> {
    /// By VPC, ascending by id.
    by_vpc: BTreeMap<&'a str, Vec<Held<'a>>>,
    /// Those that do not tell their VPC.
    loose: Vec<Held<'a>>,
    /// Why there may be one that is not held.
    not_seen: Option<Gap>,
}

impl<'a> Associations<'a> {
    fn of(shard: &'a Shard) -> Associations<'a> {
        let mut associations =
            Associations { by_vpc: BTreeMap::new(), loose: Vec::new(), not_seen: None };
        let mut unseen = None;
        for item in shard.of_type(&ResourceType::DNS_FIREWALL_ASSOCIATION) {
            let Body::DnsAssociation(told) = &item.body else {
                unseen = unseen.or_else(|| Some(unseen_gap(item)));
                continue;
            };
            let held = Held { item, told };
            match told.vpc.as_deref() {
                Some(vpc) => associations.by_vpc.entry(vpc).or_default().push(held),
                None => associations.loose.push(held),
            }
        }
        associations.not_seen =
            unseen.or_else(|| not_seen(shard, &ResourceType::DNS_FIREWALL_ASSOCIATION));
        associations
    }

    /// Those of which a VPC is told.
    fn on(&self, vpc: &Item) -> &[Held<'a>] {
        self.by_vpc.get(vpc.key.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Those that may be of a VPC.
    fn near(&self, vpc: &Item) -> impl Iterator<Item = &Held<'a>> {
        self.on(vpc).iter().chain(&self.loose)
    }
}

/// How a rule group of the policy stands on a VPC.
enum Standing {
    InPlace,
    Untold(Gap),
    Missing(DnsFinding),
}

struct Judge<'a> {
    rule: &'a DnsFirewall,
    policy: &'a Policy,
    associations: Associations<'a>,
}

impl Judge<'_> {
    /// Each rule group by itself: those that are certainly missing violate, whatever is not told of the
    /// others.
    fn vpc(&self, item: &Item, gaps: &mut BTreeSet<Gap>) -> Verdict {
        if !matches!(&item.body, Body::Vpc(_)) {
            return unseen(item);
        }
        let (mut missing, mut untold) = (Vec::new(), Vec::new());
        for wanted in &self.rule.groups {
            match self.standing(item, wanted) {
                Standing::InPlace => {}
                Standing::Untold(gap) => untold.push(gap),
                Standing::Missing(finding) => missing.push(finding.reasoned().into()),
            }
        }
        let mut missing = missing.into_iter();
        match (missing.next(), untold.pop()) {
            (None, None) => Verdict::Comply,
            (None, Some(gap)) => {
                gaps.extend(untold);
                Verdict::Undecided(gap)
            }
            (Some(first), last) => {
                gaps.extend(untold.into_iter().chain(last));
                Verdict::Violate(first, missing.collect())
            }
        }
    }

    /// What a VPC is held against: each rule group of the policy, and the associations there are.
    fn tell(&self, vpc: &Item, told: &mut Told) {
        for wanted in &self.rule.groups {
            let (found, fits) = match self.standing(vpc, wanted) {
                Standing::InPlace => ("associated".to_owned(), Some(true)),
                Standing::Untold(gap) => (gap.text.into(), None),
                Standing::Missing(finding) => (finding.found(), Some(false)),
            };
            let what = format!("rule group {}", wanted.id);
            told.holds(what, format!("associated at priority {}", wanted.priority), found, fits);
        }
        self.associations.near(vpc).for_each(|held| told.reads(held.item));
    }

    /// Claims what holds whatever the facts not seen are, and nothing else.
    fn standing(&self, vpc: &Item, wanted: &DnsRuleGroup) -> Standing {
        let near = || self.associations.near(vpc);
        if near().any(|held| held.serves(vpc, wanted) == Some(true)) {
            return Standing::InPlace;
        }
        let unsure = near().find(|held| held.serves(vpc, wanted).is_none());
        let gap = unsure.map(Held::untold_gap).or_else(|| self.associations.not_seen.clone());
        gap.map_or_else(|| Standing::Missing(self.missing(vpc, wanted)), Standing::Untold)
    }

    /// What is there instead, or stands in the way.
    fn missing(&self, vpc: &Item, wanted: &DnsRuleGroup) -> DnsFinding {
        let here = self.associations.on(vpc);
        let (group, priority) = (wanted.id.clone(), wanted.priority);
        let find = |is_it: &dyn Fn(&Held<'_>) -> bool| here.iter().find(|held| is_it(held));
        let is_with = |held: &Held<'_>| held.is_with(&wanted.id) == Some(true);
        let is_there = |held: &Held<'_>| held.is_at(priority) == Some(true);
        if let Some(held) = find(&|held| is_with(held) && is_there(held)) {
            let status = held.told.status.clone().unwrap_or_default();
            let association = held.id().into();
            return DnsFinding::DnsRuleGroupUnfinished { group, priority, association, status };
        }
        let elsewhere = |held: &Held<'_>| is_with(held) && !is_there(held);
        if let Some(held) = find(&|held| elsewhere(held) && !self.is_movable(held)) {
            let association = held.id().into();
            let at = held.told.priority.unwrap_or_default();
            return DnsFinding::DnsDuplicateRuleGroup { group, priority, association, at };
        }
        if let Some(held) = find(&|held| is_there(held) && !self.is_movable(held)) {
            return self.conflict(wanted, held, here);
        }
        if let Some(held) = find(&elsewhere) {
            let association = held.id().into();
            let at = held.told.priority.unwrap_or_default();
            return DnsFinding::DnsRuleGroupMisplaced { group, priority, association, at };
        }
        match here.len() {
            associated if associated >= DNS_RULE_GROUPS_PER_VPC_MAX => {
                DnsFinding::DnsRuleGroupLimit { group, priority, associated: associated as u64 }
            }
            _ => DnsFinding::DnsRuleGroupMissing { group, priority },
        }
    }

    fn conflict(&self, wanted: &DnsRuleGroup, held: &Held<'_>, here: &[Held<'_>]) -> DnsFinding {
        let mut unavailable: Vec<i32> = here.iter().filter_map(|held| held.told.priority).collect();
        unavailable.sort_unstable();
        unavailable.dedup();
        unavailable.truncate(UNAVAILABLE_PRIORITIES_MAX);
        DnsFinding::DnsPriorityConflict {
            group: wanted.id.clone(),
            priority: wanted.priority,
            association: held.id().into(),
            holder: held.told.group.clone(),
            policy: maker(held),
            unavailable,
        }
    }

    /// Whether remediation would move it: the policy's own by its name, and not where the policy wants
    /// a rule group of its own to be.
    fn is_movable(&self, held: &Held<'_>) -> bool {
        let is_wanted = |wanted: &DnsRuleGroup| {
            held.is_with(&wanted.id) == Some(true) && held.is_at(wanted.priority) == Some(true)
        };
        maker(held).is_some_and(|policy| policy == self.policy.id)
            && !self.rule.groups.iter().any(is_wanted)
    }
}

/// The policy for which Firewall Manager made an association, by its name.
fn maker(held: &Held<'_>) -> Option<PolicyId> {
    let name = held.told.name.as_deref()?;
    PolicyId::try_from(name.strip_prefix(MANAGED)?).ok()
}

#[cfg(test)]
mod tests;
