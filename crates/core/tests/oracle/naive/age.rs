//! How old what is held of a shard is (semantics §11 row 40).

use serde_json::Value;

use super::held::Held;
use super::told::State;
use super::{Mutation, World};

/// Whether something that a verdict rests on, and that another shard tells, may be otherwise by now. It
/// is as old as that shard, and what was missed there of it is missed here (row 40). Of the verdict's own
/// shard its own age and its own gaps speak.
pub fn may_be_otherwise(
    world: &World<'_>,
    here: &Held<'_>,
    there: &Held<'_>,
    (kind, id): (&str, &str),
) -> bool {
    let elsewhere = there.account != here.account || there.region != here.region;
    let missed = there.has_hole_about(world, kind, id)
        && here.broken != Some(Mutation::HolesOfOtherShardsPass);
    elsewhere && missed || is_stale_elsewhere(world, here, there)
}

/// Whether another shard is stale, and so whatever a verdict rests on there.
pub fn is_stale_elsewhere(world: &World<'_>, here: &Held<'_>, there: &Held<'_>) -> bool {
    let elsewhere = there.account != here.account || there.region != here.region;
    elsewhere
        && is_stale(world.case, there)
        && there.broken != Some(Mutation::StaleShardsTellOthers)
}

/// Whether the newest that was told of a shard is older than the limit.
pub fn is_stale(case: &Value, here: &Held<'_>) -> bool {
    let Some(after_ms) = case["staleAfterMs"].as_i64() else { return false };
    let now_ms = case["evaluatedMs"].as_i64().unwrap_or(0);
    // Whole snapshots speak of their moment, everything else of when it was captured.
    let wholes = here
        .told
        .wholes
        .iter()
        .filter(|whole| whole.account == here.account && whole.region == here.region);
    let mut moments: Vec<i64> = wholes.map(|whole| whole.moment_ms).collect();
    if here.broken == Some(Mutation::SnapshotsAreAsOldAsTheirItems) {
        moments.clear();
    }
    // Items of `global` come from anywhere: they tell of the Region where nothing else does.
    let regional = |state: &&&State| state.item["awsRegion"] != "global";
    // Nor is what is dated ahead of its receipt any age (row 68).
    let dated = |state: &&&State| state.item["no age"] != true;
    let all = || here.all.iter().filter(dated);
    moments.extend(all().filter(regional).map(|state| state.captured_ms));
    if moments.is_empty() {
        moments.extend(all().map(|state| state.seen_ms));
    }
    // The future counts as now.
    let ahead = here.broken == Some(Mutation::FutureMomentsAreForgotten);
    moments.retain(|moment| !ahead || *moment <= now_ms);
    let newest_ms = match here.broken {
        Some(Mutation::OldestDeliveryDecides) => moments.into_iter().min(),
        _ => moments.into_iter().max(),
    };
    newest_ms.is_some_and(|newest_ms| now_ms - newest_ms.min(now_ms) >= after_ms)
}
