//! What stands in the way of relying on facts of other shards: a fact is worth no more than the shard
//! that holds it (semantics §11 rows 37, 39 and 40).

use std::collections::BTreeSet;

use crate::ident::{AccountId, ResourceType, ShardId};
use crate::policy::Policy;

use super::coverage::missed_text;
use super::{
    AccountFacts, DependentService, Evaluator, Evidence, Fact, Gap, Judgement, Reference, Standing,
    coverage,
};

/// Adds to a judgement what stands in the way of relying on the facts it read from other shards, and
/// says when the first of these will be stale. What the shard judged tells itself is
/// [`coverage`](super::coverage)'s to note.
pub(super) fn note(
    judgement: &mut Judgement,
    policy: &Policy,
    evaluator: &dyn Evaluator,
    evidence: &Evidence<'_>,
) {
    for reference in evaluator.references(policy) {
        note_item(judgement, &reference, evidence);
    }
    if judgement.in_scope == 0 || evidence.shard.is_unheard_of() {
        return;
    }
    let is_read = |kind| evaluator.reads(policy).contains(kind);
    if AccountFacts::PROTECTIONS.iter().any(is_read) {
        for (region, newest_ms) in &evidence.account.protection_ages {
            let account = evidence.shard.id.account.clone();
            note_age(judgement, &ShardId { account, region: region.clone() }, *newest_ms, evidence);
        }
    }
    note_networks(judgement, &evaluator.shard_references(policy, evidence.shard), evidence);
}

fn note_item(judgement: &mut Judgement, reference: &Reference, evidence: &Evidence<'_>) {
    let Reference::Item { account, region, resource_type, .. } = reference else { return };
    let Some(Fact::Item(_, standing)) = evidence.references.get(reference) else { return };
    let shard = ShardId { account: account.clone(), region: region.clone() };
    note_standing(judgement, &shard, resource_type, standing, evidence);
}

/// Groups of other accounts on the shard's interfaces, and who uses its own.
fn note_networks(
    judgement: &mut Judgement,
    references: &BTreeSet<Reference>,
    evidence: &Evidence<'_>,
) {
    let network = &evidence.account.network;
    let beside = |account: &AccountId| ShardId {
        account: account.clone(),
        region: evidence.shard.id.region.clone(),
    };
    for reference in references {
        let Reference::Group { id, .. } = reference else { continue };
        if let (Some(group), Some(standing)) =
            (network.groups.get(id), network.group_standings.get(id))
        {
            let shard = beside(&group.key.account);
            note_standing(judgement, &shard, &ResourceType::SECURITY_GROUP, standing, evidence);
        }
    }
    if references.iter().any(|one| matches!(one, Reference::Vpc { .. })) {
        for (account, newest_ms) in &network.sharer_ages {
            note_age(judgement, &beside(account), *newest_ms, evidence);
        }
    }
}

fn note_standing(
    judgement: &mut Judgement,
    shard: &ShardId,
    resource_type: &ResourceType,
    standing: &Standing,
    evidence: &Evidence<'_>,
) {
    if *shard == evidence.shard.id {
        return;
    }
    for open in &standing.missed {
        let text = missed_text(resource_type, open);
        let whose = format!("It concerns account {}, Region {}.", shard.account, shard.region);
        judgement.gaps.insert(Gap::new(DependentService::Config, &format!("{text} {whose}")));
    }
    note_age(judgement, shard, standing.newest_ms, evidence);
}

fn note_age(
    judgement: &mut Judgement,
    shard: &ShardId,
    newest_ms: Option<i64>,
    evidence: &Evidence<'_>,
) {
    let Some(after_ms) = evidence.stale_after_ms else { return };
    if *shard == evidence.shard.id {
        return;
    }
    let whose = format!(" of account {}, Region {}", shard.account, shard.region);
    coverage::note_age(judgement, newest_ms, &whose, after_ms, evidence.evaluated_ms);
}

#[cfg(test)]
mod tests;
