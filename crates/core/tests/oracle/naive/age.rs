//! How old what is held of a shard is (semantics §11 row 40).

use serde_json::Value;

use super::held::Held;
use super::told::State;
use super::{Mutation, World};

/// Whether what another shard tells of a resource may be otherwise by now: the shard is stale, or
/// something untold may be of it. Nothing is worth more than the shard that tells it (row 40).
pub fn may_be_otherwise(world: &World<'_>, there: &Held<'_>, kind: &str, id: &str) -> bool {
    let hole = there.has_hole_about(world, kind, id)
        && there.broken != Some(Mutation::HolesOfOtherShardsPass);
    hole || is_stale_elsewhere(world, there)
}

/// Whether another shard is stale.
pub fn is_stale_elsewhere(world: &World<'_>, there: &Held<'_>) -> bool {
    is_stale(world.case, there) && there.broken != Some(Mutation::StaleShardsTellOthers)
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
    moments.extend(here.all.iter().filter(regional).map(|state| state.captured_ms));
    if moments.is_empty() {
        moments.extend(here.all.iter().map(|state| state.captured_ms));
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
