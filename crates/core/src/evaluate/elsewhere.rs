//! What stands in the way of relying on facts of other shards: a fact is worth no more than the shard
//! that holds it (semantics §11 rows 37, 39 and 40).

use std::collections::BTreeSet;

use crate::ident::{AccountId, ResourceType, ShardId};
use crate::inventory::Item;
use crate::policy::Policy;

use super::coverage::{current_until, missed, missed_text, stale_text};
use super::{DependentService, Evaluator, Evidence, Fact, Freshness, Gap, Judgement, Reference};

/// Adds to a judgement what stands in the way of relying on the items that the policy names, and says
/// when the first of all facts it may read from other shards will be stale. Of those that the shard's own
/// items name the evaluators note what they read.
pub(super) fn note(
    judgement: &mut Judgement,
    policy: &Policy,
    evaluator: &dyn Evaluator,
    evidence: &Evidence<'_>,
) {
    for reference in evaluator.references(policy) {
        let Reference::Item { account, region, resource_type, .. } = &reference else { continue };
        let Some(Fact::Item(item, freshness)) = evidence.references.get(&reference) else {
            continue;
        };
        // Of one that was not recorded nothing is relied on: that is a gap of its own.
        if item.body.is_unseen() {
            continue;
        }
        let shard = ShardId { account: account.clone(), region: region.clone() };
        judgement.gaps.extend(doubts(&shard, resource_type, freshness, evidence));
        wake(judgement, &shard, freshness.newest_ms, evidence);
    }
    let (account, region) = (&evidence.shard.id.account, &evidence.shard.id.region);
    for (region, newest_ms) in &evidence.account.protection_ages {
        let shard = ShardId { account: account.clone(), region: region.clone() };
        wake(judgement, &shard, *newest_ms, evidence);
    }
    let network = &evidence.account.network;
    let groups = network.groups.iter().filter_map(|(id, group)| {
        Some((&group.key.account, network.group_freshness.get(id)?.newest_ms))
    });
    let sharers = network.sharer_ages.values().flatten().chain(&network.user_ages);
    for (account, newest_ms) in groups.chain(sharers.map(|(account, age_ms)| (account, *age_ms))) {
        let shard = ShardId { account: account.clone(), region: region.clone() };
        wake(judgement, &shard, newest_ms, evidence);
    }
}

/// Why a group of [`NetworkFacts`](super::NetworkFacts), or one of the shard judged, may be another by
/// now.
pub(super) fn group_doubt(group: &Item, evidence: &Evidence<'_>) -> Option<Gap> {
    let freshness = evidence.account.network.group_freshness.get(&group.key.id)?;
    let shard = group.key.shard();
    doubts(&shard, &group.key.resource_type, freshness, evidence).next()
}

/// Why one of the account's protections may protect something else by now: its shard is stale, or
/// something was missed there that may be a later state of it, whichever kind a resource needs.
pub(super) fn protection_doubt(protection: &Item, evidence: &Evidence<'_>) -> Option<Gap> {
    let (shard, key) = (evidence.shard, &protection.key);
    let open = match key.region == shard.id.region {
        true => shard.open_gaps.get(&key.resource_type),
        false => {
            let missed = evidence.account.missed_protections.get(&key.resource_type);
            missed.and_then(|by_region| by_region.get(&key.region))
        }
    };
    let (nothing, ages) = (BTreeSet::new(), &evidence.account.protection_ages);
    let newest_ms = ages.get(&key.region).copied().flatten();
    let told = Freshness::by(newest_ms, open.unwrap_or(&nothing), &key.id);
    let is_here = key.region == shard.id.region;
    let here = told.missed.first().filter(|_| is_here);
    let here = here.map(|open| missed(&key.resource_type, open));
    here.or_else(|| doubts(&key.shard(), &key.resource_type, &told, evidence).next())
}

/// Why what an account told of the shard's Region may be otherwise by now.
pub(super) fn account_doubt(
    account: &AccountId,
    newest_ms: Option<i64>,
    evidence: &Evidence<'_>,
) -> Option<Gap> {
    let region = evidence.shard.id.region.clone();
    stale(&ShardId { account: account.clone(), region }, newest_ms, evidence)
}

/// What the shard judged tells is [`coverage`](super::coverage)'s to note.
fn doubts(
    shard: &ShardId,
    resource_type: &ResourceType,
    freshness: &Freshness,
    evidence: &Evidence<'_>,
) -> impl Iterator<Item = Gap> {
    let whose = format!("It concerns account {}, Region {}.", shard.account, shard.region);
    let missed = freshness.missed.iter().map(move |open| {
        let text = missed_text(resource_type, open);
        Gap::new(DependentService::Config, &format!("{text} {whose}"))
    });
    let is_elsewhere = *shard != evidence.shard.id;
    missed.filter(move |_| is_elsewhere).chain(stale(shard, freshness.newest_ms, evidence))
}

/// That nothing new was told of another shard for too long.
fn stale(shard: &ShardId, newest_ms: Option<i64>, evidence: &Evidence<'_>) -> Option<Gap> {
    let after_ms = evidence.stale_after_ms?;
    let is_current = current_until(newest_ms, evidence.evaluated_ms, after_ms).is_some();
    let whose = format!(" of account {}, Region {}", shard.account, shard.region);
    (*shard != evidence.shard.id && !is_current)
        .then(|| Gap::new(DependentService::Config, &stale_text(newest_ms, &whose, after_ms)))
}

fn wake(
    judgement: &mut Judgement,
    shard: &ShardId,
    newest_ms: Option<i64>,
    evidence: &Evidence<'_>,
) {
    let Some(after_ms) = evidence.stale_after_ms else { return };
    let until_ms = current_until(newest_ms, evidence.evaluated_ms, after_ms);
    if let Some(until_ms) = until_ms.filter(|_| *shard != evidence.shard.id) {
        judgement.wake_at(until_ms);
    }
}

#[cfg(test)]
mod tests;
