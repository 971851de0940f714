//! `WAF`, the Classic one: each resource in scope carries a web ACL of Firewall Manager's that begins with
//! the policy's rule groups (semantics §5.2, §10 rows 1, 4, 16, 18, §11 rows 38, 56, 63).
//!
//! Readings where the text leaves two: the default action of a web ACL is not compared, as under §5.1. A
//! group of which a rule is excluded is altered (§11 row 33). A resource that tells its web ACL by no
//! attribute has the one that lists it, of either generation; where several do, which is not known (§10 row 16).

mod groups;

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ResourceType;
use crate::inventory::{Body, ClassicAcl, Item, Shard, WafAssociation};
use crate::policy::Policy;
use crate::policy::waf::Waf;

use super::evaluator::Evaluator;
use super::judgement::fits;
use super::listener::Told;
use super::web_acls::{Acls, Found, association, is_protectable, several_acls_gap, unseen_acl_gap};
use super::{
    DependentService, Evidence, Gap, Judgement, Verdict, WafFinding, outdated, selected, unseen,
    unseen_gap,
};

use groups::{Comparison, compare};

/// Types that a WAF policy can be about, each with the type of the classic web ACLs that it can have.
const PROTECTED: [(ResourceType, ResourceType); 3] = [
    (ResourceType::API_GATEWAY_STAGE, ResourceType::WAF_REGIONAL_WEB_ACL),
    (ResourceType::CLOUDFRONT_DISTRIBUTION, ResourceType::WAF_WEB_ACL),
    (ResourceType::LOAD_BALANCER, ResourceType::WAF_REGIONAL_WEB_ACL),
];

/// Begins the names of web ACLs that Firewall Manager made (semantics §11 row 56).
const MANAGED: &str = "FMManagedWebACL";

impl Evaluator for Waf {
    /// Types that a verdict reads: what is listed, and the classic web ACLs that it can have (semantics
    /// §10 row 1).
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let listed = PROTECTED.into_iter().filter(|(kind, _)| policy.scope.lists(kind));
        listed.flat_map(|(kind, acls)| [kind, acls]).collect()
    }

    /// Of a resource that does not tell its web ACL, those of the newer generation may tell it.
    fn reads(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut reads = self.needed(policy);
        reads.insert(ResourceType::WAFV2_WEB_ACL);
        reads
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let judge = Judge { rule: self, classic: Classic::of(shard), newer: Acls::of(shard) };
        for (resource_type, _) in &PROTECTED {
            let items = selected(policy, shard, resource_type).into_iter();
            for item in items.filter(|item| is_protectable(item)) {
                judgement.doubt(item, judge.outdated(item));
                judgement.tell(item, |told| judge.tell(item, told));
                judgement.record(item, judge.resource(item));
            }
        }
    }
}

/// The classic web ACLs of a shard.
struct Classic<'a> {
    by_id: BTreeMap<&'a str, &'a Item>,
    /// By the ARN of a resource those that list it, ascending by id.
    by_resource: BTreeMap<&'a str, Vec<&'a Item>>,
    /// Every regional one is held, with what it is on.
    all_seen: bool,
    /// Of one that is held, what it is on may have changed since.
    outdated: Option<Gap>,
}

impl<'a> Classic<'a> {
    fn of(shard: &'a Shard) -> Classic<'a> {
        let regional = &ResourceType::WAF_REGIONAL_WEB_ACL;
        let mut classic = Classic {
            by_id: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            all_seen: shard.sees_all(regional),
            outdated: None,
        };
        for item in shard.of_type(&ResourceType::WAF_WEB_ACL) {
            classic.by_id.insert(item.key.id.as_str(), item);
        }
        for item in shard.of_type(regional) {
            classic.by_id.insert(item.key.id.as_str(), item);
            let Body::ClassicAcl(acl) = &item.body else {
                classic.all_seen = false;
                continue;
            };
            classic.outdated = classic.outdated.take().or_else(|| outdated(item));
            classic.all_seen &= acl.resources.is_some();
            for resource in acl.resources.iter().flatten() {
                classic.by_resource.entry(resource).or_default().push(item);
            }
        }
        classic
    }

    /// Those that list a resource.
    fn listing(&self, item: &Item) -> &[&'a Item] {
        let by = |name: &str| self.by_resource.get(name);
        let listing = by(item.key.id.as_str()).or_else(|| by(item.arn.as_deref()?));
        listing.map_or(&[], Vec::as_slice)
    }
}

/// The id of a classic web ACL that an attribute names: bare, or in an ARN of `waf` or `waf-regional`.
/// `None` for a web ACL of the newer generation.
fn classic_id(named: &str) -> Option<&str> {
    match named.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "waf" | "waf-regional", _, _, resource] => resource.strip_prefix("webacl/"),
        ["arn", ..] => None,
        _ => Some(named),
    }
}

struct Judge<'a> {
    rule: &'a Waf,
    classic: Classic<'a>,
    newer: Acls<'a>,
}

impl<'a> Judge<'a> {
    fn resource(&self, item: &'a Item) -> Verdict {
        match association(item) {
            None => unseen(item),
            Some(WafAssociation::Bare) => Verdict::violate(WafFinding::missing(self.wanted())),
            Some(WafAssociation::Acl(named)) => self.named(item, named),
            Some(WafAssociation::Unsaid) => self.claimed(item),
        }
    }

    /// What a resource is judged by that may have changed since: its web ACL, or whether it has one.
    fn outdated(&self, item: &'a Item) -> Option<Gap> {
        match association(item)? {
            WafAssociation::Bare => None,
            WafAssociation::Acl(named) => outdated(self.classic.by_id.get(classic_id(named)?)?),
            WafAssociation::Unsaid => {
                let newer = self.newer.found(item)?;
                let gap = self.classic.outdated.clone();
                gap.or_else(|| self.newer.outdated(item, &newer))
            }
        }
    }

    /// What a resource is held against: the web ACLs that it names, or that name it.
    fn tell(&self, item: &'a Item, told: &mut Told) {
        let listed = || -> Vec<&str> {
            self.classic.listing(item).iter().map(|acl| acl.key.id.as_str()).collect()
        };
        let (found, fits) = match association(item) {
            None => ("not recorded".to_owned(), None),
            Some(WafAssociation::Bare) => ("none".to_owned(), Some(false)),
            Some(WafAssociation::Acl(named)) => {
                let held = classic_id(named).and_then(|id| self.classic.by_id.get(id));
                held.iter().for_each(|acl| told.reads(acl));
                (named.to_string(), held.and_then(|acl| fits(&self.by(acl))))
            }
            Some(WafAssociation::Unsaid) => {
                self.classic.listing(item).iter().for_each(|acl| told.reads(acl));
                (listed().join(", "), fits(&self.claimed(item)))
            }
        };
        told.holds("web ACL", self.wanted(), found, fits);
    }

    fn named(&self, item: &Item, named: &str) -> Verdict {
        let Some(id) = classic_id(named) else { return self.incorrect(named) };
        match self.classic.by_id.get(id) {
            Some(acl) => self.by(acl),
            None => {
                let text = format!("Web ACL {named} of {} was not recorded.", item.key.id);
                Verdict::Undecided(Gap::new(DependentService::Config, &text))
            }
        }
    }

    /// By the web ACLs that list the resource, of either generation.
    fn claimed(&self, item: &'a Item) -> Verdict {
        let newer = self.newer.found(item);
        let mut verdicts: Vec<Verdict> =
            self.classic.listing(item).iter().map(|acl| self.by(acl)).collect();
        if let Some(Found::Acl(arn, _)) = newer {
            verdicts.push(self.incorrect(arn));
        }
        if verdicts.len() > 1 || matches!(newer, Some(Found::Several)) {
            return Verdict::Undecided(several_acls_gap(item));
        }
        let all_seen = self.classic.all_seen && matches!(newer, Some(Found::None));
        match verdicts.into_iter().next() {
            Some(verdict) => verdict,
            // Distributions are in no web ACL's list.
            None if all_seen && item.key.resource_type != ResourceType::CLOUDFRONT_DISTRIBUTION => {
                Verdict::violate(WafFinding::missing(self.wanted()))
            }
            None => Verdict::Undecided(unseen_acl_gap(item)),
        }
    }

    /// By a classic web ACL that is held: Firewall Manager's own, by its name, or another one.
    fn by(&self, item: &Item) -> Verdict {
        let Body::ClassicAcl(acl) = &item.body else { return Verdict::Undecided(unseen_gap(item)) };
        match &acl.name {
            Some(name) if name.starts_with(MANAGED) => self.carries_groups(item, acl),
            Some(name) => self.incorrect(&format!("{} ({name})", item.key.id)),
            None => {
                let text = format!("The name of web ACL {} was not recorded.", item.key.id);
                Verdict::Undecided(Gap::new(DependentService::Config, &text))
            }
        }
    }

    fn carries_groups(&self, item: &Item, acl: &ClassicAcl) -> Verdict {
        let mut comparison = Comparison::default();
        match &acl.rules {
            Some(rules) => compare(rules, &self.rule.groups, &mut comparison),
            None => comparison.is_untold = true,
        }
        if !comparison.differences.is_empty() {
            let found = format!("{} ({})", item.key.id, acl.name.as_deref().unwrap_or_default());
            let differences = comparison.differences;
            return Verdict::violate(WafFinding::without_groups(
                &found,
                self.wanted(),
                differences,
            ));
        }
        if comparison.is_untold {
            let text = format!("The rule groups of web ACL {} were not recorded.", item.key.id);
            return Verdict::Undecided(Gap::new(DependentService::Config, &text));
        }
        Verdict::Comply
    }

    fn incorrect(&self, found: &str) -> Verdict {
        Verdict::violate(WafFinding::incorrect(found, self.wanted()))
    }

    /// The policy's own web ACL as people read it.
    fn wanted(&self) -> String {
        let groups = self.rule.groups.iter().map(|group| {
            let count = if group.count { " counting" } else { "" };
            format!("{}{count}", group.id)
        });
        let groups: Vec<String> = groups.collect();
        format!("a classic web ACL {MANAGED}... that begins with [{}]", groups.join(", "))
    }
}

#[cfg(test)]
mod tests;
