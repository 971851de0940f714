//! States of one version that contradict each other (semantics §11 row 67; formats §3).

use serde_json::Value;

use super::held;
use super::item::{self, captured_ms, is_deleted, is_unseen};
use super::told::{State, Told};
use super::{Mutation, list, read, text};
use crate::world::DOUBTS;

/// Of each resource of which two states of the greatest version contradict each other, that which holds is not
/// known: a state without a body, which only one of a greater version follows.
pub fn states(told: &Told, broken: Option<Mutation>) -> Vec<State> {
    let mut unknown = vec![];
    if broken == Some(Mutation::ContradictionsPass) || !*DOUBTS {
        return unknown;
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
        let Some(of) = open(&states, broken) else { continue };
        let mut item = item::without_body(&of.item, captured_ms(&of.item));
        item["configurationStateId"] = (held::version(&of.item) + 1).into();
        unknown.push(State {
            item,
            account: of.account.clone(),
            region: of.region.clone(),
            captured_ms: of.captured_ms,
            seen_ms: states.iter().map(|state| state.seen_ms).max().unwrap_or(0),
        });
    }
    unknown
}

/// One of two states that contradict each other, if none is of a greater version.
fn open<'s>(states: &[&'s State], broken: Option<Mutation>) -> Option<&'s State> {
    let found = states.iter().enumerate().find(|(at, one)| {
        states.iter().skip(at + 1).any(|other| {
            is_of_one_version(&one.item, &other.item)
                && contradict(&one.item, &other.item, broken)
                && (broken == Some(Mutation::ContradictionsNeverEnd)
                    || !states.iter().any(|later| is_greater(&later.item, &one.item)))
        })
    });
    found.map(|(_, state)| *state)
}

/// By the number of the state, or by when it was captured where it has none (formats §3).
pub fn is_of_one_version(one: &Value, other: &Value) -> bool {
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
