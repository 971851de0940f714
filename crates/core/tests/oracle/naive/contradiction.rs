//! States of one version that contradict each other (semantics §11 row 67; formats §3).

use serde_json::Value;

use super::held;
use super::item::{is_deleted, is_unseen};
use super::told::{Hole, State, Told, Whole};
use super::{Mutation, list, read, text};
use crate::world::DOUBTS;

/// The resources of which two states of the greatest version contradict each other: each is a gap that only a
/// state of a greater version ends.
pub fn gaps(told: &Told, broken: Option<Mutation>) -> Vec<Hole> {
    let mut gaps = vec![];
    if broken == Some(Mutation::ContradictionsPass) || !*DOUBTS {
        return gaps;
    }
    for (at, first) in told.states.iter().enumerate() {
        let same = |other: &&State| {
            other.account == first.account
                && other.region == first.region
                && held::same(&other.item, &first.item)
        };
        if told.states.iter().take(at).any(|other| same(&other)) {
            continue;
        }
        let states: Vec<&State> = told.states.iter().filter(same).collect();
        if is_open(&states, broken) && !is_gone(&states, &told.wholes, broken) {
            gaps.push(Hole {
                account: Some(first.account.clone()),
                regions: vec![first.region.clone()],
                kind: Some(text(&first.item["resourceType"]).to_owned()),
                id: Some(text(&first.item["resourceId"]).to_owned()),
                since_ms: i64::MAX,
                of_file: None,
                anywhere: false,
                within: false,
                unreadable: true,
                item: true,
            });
        }
    }
    gaps
}

/// Whether two states contradict each other and none is of a greater version.
fn is_open(states: &[&State], broken: Option<Mutation>) -> bool {
    states.iter().enumerate().any(|(at, one)| {
        states.iter().skip(at + 1).any(|other| {
            is_of_one_version(&one.item, &other.item)
                && contradict(&one.item, &other.item, broken)
                && (broken == Some(Mutation::ContradictionsNeverEnd)
                    || !states.iter().any(|later| is_greater(&later.item, &one.item)))
        })
    })
}

/// By their numbers; the moment of capture stands for one that is not told, so that of three states one is
/// the greatest.
fn is_of_one_version(one: &Value, other: &Value) -> bool {
    held::version(one) == held::version(other)
}

fn is_greater(later: &Value, than: &Value) -> bool {
    held::version(later) > held::version(than)
}

fn contradict(one: &Value, other: &Value, broken: Option<Mutation>) -> bool {
    if is_deleted(one) || is_deleted(other) {
        return is_deleted(one) != is_deleted(other);
    }
    if is_unseen(one) != is_unseen(other) {
        return false;
    }
    let facts = (read::facts(one, broken), read::facts(other, broken));
    let differ = facts.0.iter().any(|(member, one)| {
        let other = facts.1.get(member);
        match broken {
            Some(Mutation::WhatIsNotToldContradicts) => other != Some(one),
            _ => other.is_some_and(|other| read::differ(one, other)),
        }
    });
    let relations = |item: &Value| -> Option<Vec<String>> {
        item["relationships"].as_array()?;
        let mut all: Vec<String> = list(&item["relationships"])
            .iter()
            .map(|one| format!("{} {}", text(&one["resourceType"]), text(&one["resourceId"])))
            .collect();
        all.sort();
        all.dedup();
        Some(all)
    };
    let claims = text(&one["resourceType"]) == super::acl::WEB_ACL
        && matches!((relations(one), relations(other)), (Some(one), Some(other)) if one != other);
    let tags = match (read::tags(one), read::tags(other)) {
        // Where nothing was recorded the tags were not either (formats, quirk 20).
        (Some(some), Some(others)) if is_unseen(one) => {
            !some.is_empty() && !others.is_empty() && some != others
        }
        (Some(some), Some(others)) => some != others,
        _ => false,
    };
    differ || claims || tags && broken != Some(Mutation::TagsNeverContradict)
}

/// Whether a later whole snapshot lacks the resource, whichever of its states held.
fn is_gone(states: &[&State], wholes: &[Whole], broken: Option<Mutation>) -> bool {
    let Some(first) = states.first() else { return true };
    let seen_ms = states.iter().map(|state| state.seen_ms).max().unwrap_or(0);
    wholes.iter().any(|whole| {
        whole.account == first.account
            && seen_ms < whole.moment_ms
            && held::lacks(whole, &first.region, &first.item, broken)
    })
}
