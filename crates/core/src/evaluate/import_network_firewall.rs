//! `IMPORT_NETWORK_FIREWALL`: every firewall that the policy's resource sets name filters by what the policy
//! wants, beside what its owner adds (semantics §4.4, §5.8, §6.2, §11 row 59).
//!
//! Readings of what the text leaves open:
//!
//! - A set's ARNs are the resources, whichever of the two resource types the policy lists; tags filter
//!   them.
//! - An ARN tells its account and Region. Where none is of the shard, nothing is in scope and no type has
//!   to be known; one that is not held of a type that is known is gone, or not there yet.
//! - A firewall without an ARN may be any that is named.
//! - A firewall in a set of an older policy that judges the account is that policy's. A set of an older
//!   policy that cannot be found may name any.

use std::collections::BTreeSet;

use crate::ident::{AccountId, ResourceSetId, ResourceType};
use crate::inventory::{Body, Item, Shard};
use crate::policy::Policy;
use crate::policy::import_network_firewall::ImportNetworkFirewall;

use super::evaluator::Evaluator;
use super::filter::Special;
use super::network_firewall::filtering;
use super::network_firewall::found::Found;
use super::network_firewall::places::{Firewall, untold};
use super::selection::{Membership, is_certain, membership, membership_by, untagged_gap};
use super::{
    DependentService, Evidence, Fact, Gap, Judgement, Reference, Verdict, outdated, unseen_gap,
};

impl Evaluator for ImportNetworkFirewall {
    /// Types that a verdict reads (semantics §1.5, §10 row 1).
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        [ResourceType::NETWORK_FIREWALL, ResourceType::NETWORK_FIREWALL_POLICY].into()
    }

    /// The policy's resource sets, and those of older policies.
    fn references(&self, policy: &Policy) -> BTreeSet<Reference> {
        let own = references(policy, &policy.owner, &self.resource_sets);
        let elders = policy.elders.iter();
        let elders =
            elders.flat_map(|elder| references(policy, &elder.owner, &elder.resource_sets));
        own.chain(elders).collect()
    }

    /// Whether a set names anything of the account and Region, or may: one that cannot be found.
    fn is_concerned(&self, policy: &Policy, evidence: &Evidence<'_>) -> bool {
        let sets = Sets::of(references(policy, &policy.owner, &self.resource_sets), evidence);
        sets.missing || sets.arns.iter().any(|arn| is_of(arn, evidence.shard))
    }

    fn leaves_out(&self, _policy: &Policy, _shard: &Shard, item: &Item) -> Option<Special> {
        let is_firewall = item.key.resource_type == ResourceType::NETWORK_FIREWALL;
        is_firewall.then_some(Special::NotInResourceSets)
    }

    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let own = Sets::of(references(policy, &policy.owner, &self.resource_sets), evidence);
        // Until all are seen there is no result (semantics §10 row 27).
        let missing = own.gaps.first().cloned();
        judgement.gaps.extend(own.gaps);
        let mut found = Found::default();
        for item in shard.of_type(&ResourceType::NETWORK_FIREWALL) {
            match standing(policy, item, &own.arns, evidence) {
                Standing::Out => {}
                Standing::Undecided(gap) => judgement.doubt(item, [gap]),
                Standing::In(firewall) => match &missing {
                    Some(gap) => judgement.record(item, Verdict::Undecided(gap.clone())),
                    // What it filters by is counted with its firewall policy.
                    None => {
                        judgement.record(item, Verdict::Comply);
                        filtering::judge(firewall, &self.rules, shard, &mut found);
                    }
                },
            }
        }
        found.into(judgement);
    }
}

fn references(
    policy: &Policy,
    owner: &AccountId,
    sets: &[ResourceSetId],
) -> impl Iterator<Item = Reference> {
    sets.iter().map(|id| Reference::ResourceSet {
        owner: owner.clone(),
        region: policy.region.clone(),
        id: id.clone(),
    })
}

/// What resource sets name.
struct Sets<'a> {
    arns: BTreeSet<&'a str>,
    /// Those that cannot be found (semantics §10 row 27).
    gaps: BTreeSet<Gap>,
    missing: bool,
}

impl<'a> Sets<'a> {
    fn of(named: impl Iterator<Item = Reference>, evidence: &Evidence<'a>) -> Sets<'a> {
        let mut sets = Sets { arns: BTreeSet::new(), gaps: BTreeSet::new(), missing: false };
        for reference in named {
            match evidence.references.get(&reference) {
                Some(Fact::Resources(arns)) => sets.arns.extend(arns.iter().map(|arn| &**arn)),
                _ => {
                    sets.missing = true;
                    sets.gaps.extend(missing(&reference));
                }
            }
        }
        sets
    }
}

fn missing(reference: &Reference) -> Option<Gap> {
    let Reference::ResourceSet { owner, region, id } = reference else { return None };
    let text =
        format!("Resource set {id} of account {owner} in Region {region} could not be found.");
    Some(Gap::new(DependentService::Vpc, &text))
}

/// Whether an ARN is of a shard's account and Region.
fn is_of(arn: &str, shard: &Shard) -> bool {
    let mut parts = arn.split(':').skip(3);
    parts.next() == Some(shard.id.region.as_str())
        && parts.next() == Some(shard.id.account.as_str())
}

/// Whether a policy judges a firewall.
enum Standing<'a> {
    In(Firewall<'a>),
    Out,
    Undecided(Gap),
}

fn standing<'a>(
    policy: &Policy,
    item: &'a Item,
    named: &BTreeSet<&str>,
    evidence: &Evidence<'_>,
) -> Standing<'a> {
    if !named.iter().any(|arn| is_of(arn, evidence.shard)) {
        return Standing::Out;
    }
    let Body::NetworkFirewall(firewall) = &item.body else {
        let is_other = item.arn.as_deref().is_some_and(|arn| !named.contains(arn));
        let is_out = is_other || membership(policy, item) == Membership::Out;
        return if is_out { Standing::Out } else { Standing::Undecided(unseen_gap(item)) };
    };
    let Some(arn) = firewall.arn.as_deref() else {
        return Standing::Undecided(untold(item, "ARN"));
    };
    if !named.contains(arn) {
        return Standing::Out;
    }
    match membership(policy, item) {
        Membership::In => {}
        Membership::Out => return Standing::Out,
        Membership::Undecided => return Standing::Undecided(untagged_gap(item)),
    }
    let elders = policy.elders.iter();
    for elder in elders.filter(|elder| elder.has_account(&evidence.shard.id.account)) {
        let sets = Sets::of(references(policy, &elder.owner, &elder.resource_sets), evidence);
        if sets.arns.contains(arn) {
            match membership_by(&elder.tags, item) {
                Membership::In if is_certain(elder, item) => return Standing::Out,
                Membership::Out => continue,
                Membership::In | Membership::Undecided => {
                    let gap = outdated(item).unwrap_or_else(|| untagged_gap(item));
                    return Standing::Undecided(gap);
                }
            }
        }
        if let Some(gap) = sets.gaps.into_iter().next() {
            return Standing::Undecided(gap);
        }
    }
    Standing::In(Firewall { item, firewall })
}

#[cfg(test)]
mod tests;
