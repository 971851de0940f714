//! What a change of a few resources can do to a judgement: nothing, something about just these
//! resources, or anything.
//!
//! Where it is about these resources alone, the shard need not be judged again. They are judged
//! twice, as they were and as they are, each time beside nothing but what they are judged with; what
//! differs is what changed in the judgement of the whole. That holds because such a judgement is a
//! sum over resources: each adds itself to what is in scope, its violations and its gaps, and reads
//! of other resources only the support. Each evaluator says in its own file where that is so.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Item, ItemKey, Shard};
use crate::policy::Policy;

use super::change::{Changed, Footprint};
use super::selection::membership;
use super::{Evidence, Judgement, evaluator, judge, reads};

/// How far changes reach under one policy, if nothing else changed: not the moment, as far as it
/// matters, nor what tells how complete the shard is, nor a referenced fact.
pub fn footprint(policy: &Policy, changed: &[Changed]) -> Footprint {
    let reads = reads(policy);
    let reach = |changed: &Changed| {
        let resource_type = &changed.key.resource_type;
        // A deleted recorder is known by its tombstone, which is no live item.
        if *resource_type == ResourceType::CONFIGURATION_RECORDER {
            return Footprint::Shard;
        }
        if !reads.contains(resource_type) || is_same(policy, changed) {
            return Footprint::Nothing;
        }
        evaluator(&policy.rule).footprint(policy, changed)
    };
    changed.iter().map(reach).max().unwrap_or(Footprint::Nothing)
}

/// Whether a resource shows an evaluator what it showed before.
fn is_same(policy: &Policy, changed: &Changed) -> bool {
    let (before, after) = match (&changed.before, &changed.after) {
        (None, None) => return true,
        (Some(before), Some(after)) => (before, after),
        (Some(_), None) | (None, Some(_)) => return false,
    };
    let is_named_alike = (&before.name, &before.arn) == (&after.name, &after.arn);
    let certainty = |item: &Item| (item.unseen_since.is_some(), item.is_contradicted());
    let is_as_certain = certainty(before) == certainty(after);
    is_named_alike
        && is_as_certain
        && is_selected_alike(policy, before, after)
        && evaluator(&policy.rule).shows_same(before, after)
}

/// Tags decide who is in scope, and nothing else.
fn is_selected_alike(policy: &Policy, before: &Item, after: &Item) -> bool {
    !policy.scope.lists(&before.key.resource_type)
        || membership(policy, before) == membership(policy, after)
}

/// What changed resources are judged with.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Support {
    /// All resources of these types.
    pub types: BTreeSet<ResourceType>,
    /// These resources, as far as they are there.
    pub items: BTreeSet<(ResourceType, ResourceId)>,
}

/// What [`judge_changed`] reads of a shard besides the changed resources.
pub fn support(policy: &Policy, changed: &[Changed]) -> Support {
    // No evaluator needs single resources by now.
    let _ = changed;
    let mut support = Support::default();
    support.types.insert(ResourceType::CONFIGURATION_RECORDER);
    support.types.extend(evaluator(&policy.rule).judged_with());
    support
}

/// What was and what is found about changed resources, and about what they are judged with, which
/// is the same in both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// Of the resources as they were.
    pub before: Judgement,
    /// Of the resources as they are.
    pub after: Judgement,
}

/// Judges changes that reach no further than [`Footprint::Resource`]. Of the evidence's shard no
/// item but the support is read.
pub fn judge_changed(policy: &Policy, evidence: &Evidence<'_>, changed: &[Changed]) -> Difference {
    let support = support(policy, changed);
    let supporting = narrowed(evidence.shard, &support);
    let judged = |state: fn(&Changed) -> Option<&Item>| {
        let mut shard = supporting.clone();
        for changed in changed {
            put(&mut shard, &changed.key, state(changed));
        }
        judge(policy, &Evidence { shard: &shard, ..*evidence })
    };
    Difference {
        before: judged(|changed| changed.before.as_ref()),
        after: judged(|changed| changed.after.as_ref()),
    }
}

/// A shard that is known as well, with no items but the support.
fn narrowed(shard: &Shard, support: &Support) -> Shard {
    let mut items: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for resource_type in &support.types {
        if let Some(of_type) = shard.items.get(resource_type) {
            items.insert(resource_type.clone(), of_type.clone());
        }
    }
    for (resource_type, id) in &support.items {
        if let Some(item) = shard.item(resource_type, id.as_str()) {
            items.entry(resource_type.clone()).or_default().insert(id.clone(), item.clone());
        }
    }
    Shard {
        items,
        id: shard.id.clone(),
        held_types: shard.held_types.clone(),
        snapshot_types: shard.snapshot_types.clone(),
        listed_types: shard.listed_types.clone(),
        assumed: shard.assumed.clone(),
        open_gaps: shard.open_gaps.clone(),
        ..*shard
    }
}

fn put(shard: &mut Shard, key: &ItemKey, state: Option<&Item>) {
    let of_type = shard.items.entry(key.resource_type.clone()).or_default();
    match state {
        Some(item) => of_type.insert(key.id.clone(), item.clone()),
        None => of_type.remove(&key.id),
    };
    if of_type.is_empty() {
        shard.items.remove(&key.resource_type);
    }
}

#[cfg(test)]
mod tests;
