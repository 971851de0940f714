//! What is held of one (account, Region): the newest states of what is there by now.

use std::cmp::Ordering;

use serde_json::Value;

use super::contradiction::is_of_one_version;
use super::item::{self, is_deleted, is_unseen};
use super::told::{State, Told, Whole};
use super::{Mutation, World, list, text};
use crate::world::DOUBTS;

/// The newest live states of one (account, Region).
pub struct Held<'a> {
    pub account: String,
    pub region: String,
    pub live: Vec<&'a Value>,
    /// Of those that a newer state without a body follows: that state.
    later: Vec<(&'a Value, &'a Value)>,
    /// Every state that belongs here, deletions too.
    pub all: Vec<&'a State>,
    pub told: &'a Told,
    /// What is recorded by the operator's word: types, or `true`.
    pub assumed: &'a Value,
    pub broken: Option<Mutation>,
}

/// What is held of the case's account in one of its Regions.
pub fn of_account<'a>(world: &'a World<'_>, region: &str, broken: Option<Mutation>) -> Held<'a> {
    of(world, text(&world.case["account"]), region, broken)
}

/// What is held of the administrator, whose account may be the case's.
pub fn of_administrator<'a>(world: &'a World<'_>, broken: Option<Mutation>) -> Held<'a> {
    of(world, text(&world.case["administrator"]), text(&world.case["region"]), broken)
}

/// What is held of each other account in the case's Region.
pub fn of_others<'a>(world: &'a World<'_>, broken: Option<Mutation>) -> Vec<Held<'a>> {
    let own = text(&world.case["account"]);
    let mut others: Vec<&str> =
        world.told.states.iter().map(|state| state.account.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|account| *account != own);
    others.into_iter().map(|other| of(world, other, text(&world.case["region"]), broken)).collect()
}

pub fn of<'a>(
    world: &'a World<'_>,
    account: &str,
    region: &str,
    broken: Option<Mutation>,
) -> Held<'a> {
    let told = &world.told;
    let of_it = |state: &&State| state.account == account && state.region == region;
    let all: Vec<&State> = told.states.iter().filter(of_it).collect();
    let wholes: Vec<&Whole> = told.wholes.iter().filter(|whole| whole.account == account).collect();
    let (mut live, mut later) = (vec![], vec![]);
    for (at, first) in all.iter().enumerate() {
        if all.iter().take(at).any(|other| same(&first.item, &other.item)) {
            continue;
        }
        let states: Vec<&State> =
            all.iter().copied().filter(|other| same(&first.item, &other.item)).collect();
        let items: Vec<&Value> = states.iter().map(|state| &state.item).collect();
        let Some((item, unseen)) = newest(&items, broken) else { continue };
        let seen_ms = states.iter().map(|state| state.seen_ms).max().unwrap_or(0);
        let gone = wholes
            .iter()
            .any(|whole| seen_ms < whole.moment_ms && lacks(whole, region, item, broken));
        if !gone || broken == Some(Mutation::AbsenceFromSnapshotIgnored) {
            live.push(item);
            later.extend(unseen.map(|unseen| (item, unseen)));
        }
    }
    let assumed = match broken {
        Some(Mutation::AssumptionIgnored) => &Value::Null,
        _ => &world.case["assumeRecorded"],
    };
    let (account, region) = (account.to_owned(), region.to_owned());
    Held { account, region, live, later, all, told, assumed, broken }
}

/// Whether a whole snapshot is the whole truth about the type of what it does not show (row 3).
pub fn lacks(whole: &Whole, region: &str, item: &Value, broken: Option<Mutation>) -> bool {
    let kind = text(&item["resourceType"]);
    covers(whole, region, kind, broken)
        && (!may_hide(whole, region, kind) || broken == Some(Mutation::UnreadableInSnapshotIsGone))
}

/// Whether what a whole snapshot holds and could not be read may be of any type: it tells of no type that
/// it shows all there is, also when that is mended later (row 36).
pub fn may_hide_any(whole: &Whole, region: &str) -> bool {
    whole.unread.iter().any(|(account, regions, kind)| {
        account.as_deref().is_none_or(|of| of == whole.account)
            && (regions.is_empty() || regions.iter().any(|of| of == region))
            && kind.is_none()
    })
}

/// Whether something of a type may be what a whole snapshot holds and could not be read, as far as that
/// tells what it is (row 39).
pub fn may_hide(whole: &Whole, region: &str, kind: &str) -> bool {
    whole.unread.iter().any(|(account, regions, unread)| {
        account.as_deref().is_none_or(|of| of == whole.account)
            && (regions.is_empty() || regions.iter().any(|of| of == region))
            && unread.as_deref().is_none_or(|unread| unread == kind)
    })
}

/// Whether a whole snapshot is the whole truth about a type in a Region.
pub fn covers(whole: &Whole, region: &str, kind: &str, broken: Option<Mutation>) -> bool {
    let shown = whole.shown.iter().any(|(home, shown, _)| home == region && shown == kind);
    let listed = whole.region == region
        && broken != Some(Mutation::SnapshotCoversContainedTypesOnly)
        && whole
            .recorders
            .iter()
            .any(|recorder| !is_internal(recorder, broken) && lists(recorder, kind));
    shown || listed
}

/// What of a resource's states is to be looked at: the newest, but that one without a body takes
/// nothing away from an older one with it, which is kept and marked (formats §6, semantics §10
/// row 1). What was before a deletion never comes back.
fn newest<'a>(
    states: &[&'a Value],
    broken: Option<Mutation>,
) -> Option<(&'a Value, Option<&'a Value>)> {
    let (mut told, mut unseen): (Option<&Value>, Option<&Value>) = (None, None);
    let gone = |state: &Value| {
        is_deleted(state) && *DOUBTS && broken != Some(Mutation::PresencesGoBeforeDeletions)
    };
    for state in states {
        let kind = if is_deleted(state) {
            if broken == Some(Mutation::DeletionIgnored) {
                continue;
            }
            &mut told
        } else if (is_unseen(state) || state["partial"] == true)
            && broken != Some(Mutation::LaterUnseenHidesBody)
        {
            &mut unseen
        } else {
            &mut told
        };
        let newer = kind.is_none_or(|other| match broken {
            Some(Mutation::OlderStateWins) => order(state, other) == Ordering::Less,
            // Of one version a deletion goes before a presence (row 67), and what tells more before less.
            _ if gone(state) != gone(other) && is_of_one_version(state, other) => gone(state),
            _ => order(state, other).then_with(|| telling(state).cmp(&telling(other))).is_gt(),
        });
        if newer {
            *kind = Some(state);
        }
    }
    // Of one version, what tells something wins.
    let later = unseen.filter(|unseen| {
        let same = broken == Some(Mutation::UnseenOfOneVersionIsLater);
        told.is_none_or(|told| match order(unseen, told) {
            Ordering::Greater => true,
            Ordering::Equal => same,
            Ordering::Less => false,
        })
    });
    match told {
        Some(gone) if is_deleted(gone) => {
            let before = states.iter().filter(|s| !is_deleted(s) && !is_unseen(s));
            let before = before.max_by(|a, b| order(a, b)).copied();
            match (later, before) {
                (Some(later), Some(before))
                    if broken == Some(Mutation::UnseenRevivesWhatWasDeleted) =>
                {
                    Some((before, Some(later)))
                }
                (later, _) => later.map(|later| (later, None)),
            }
        }
        Some(told) => Some((told, later)),
        None => later.map(|later| (later, None)),
    }
}

/// By the state's number, which is its moment since version 1.3 (formats §3): where a state has
/// none its moment stands for it, so that of three states one is the newest.
pub fn order(a: &Value, b: &Value) -> Ordering {
    version(a).cmp(&version(b)).then_with(|| item::captured_ms(a).cmp(&item::captured_ms(b)))
}

pub fn version(item: &Value) -> u64 {
    item["configurationStateId"].as_u64().unwrap_or(item::captured_ms(item) as u64)
}

/// How much a state tells. That it is gone most: nothing that is no newer brings it back (formats §11
/// rule 5).
fn telling(item: &Value) -> (usize, String) {
    if is_deleted(item) {
        return (usize::MAX, String::new());
    }
    let members = ["tags", "relationships", "supplementaryConfiguration"];
    let told = members.iter().filter(|member| !item[**member].is_null()).count();
    let body = item["configuration"].as_object().map_or(0, |body| body.len());
    (told + body, item["tags"].to_string())
}

pub fn same(a: &Value, b: &Value) -> bool {
    a["resourceType"] == b["resourceType"] && a["resourceId"] == b["resourceId"]
}

pub fn body(item: &Value) -> &Value {
    &item["configuration"]
}

/// The tags that a state tells.
fn tags_of(item: &Value) -> Option<Vec<(String, String)>> {
    let map = item["tags"].as_object()?;
    Some(map.iter().map(|(key, value)| (key.clone(), text(value).to_owned())).collect())
}

impl<'h> Held<'h> {
    /// The newest state of a live item, if that shows no body and an older one does.
    pub fn later(&self, item: &Value) -> Option<&'h Value> {
        self.later.iter().find(|(told, _)| std::ptr::eq(*told, item)).map(|(_, later)| *later)
    }

    /// Whether what a live item shows may have changed since.
    pub fn is_outdated(&self, item: &Value) -> bool {
        self.later(item).is_some() && self.broken != Some(Mutation::LaterUnseenForgotten)
    }

    /// The tags that were told last; nothing where none were told (row 38).
    pub fn tags(&self, item: &Value) -> Option<Vec<(String, String)>> {
        let later = self.later(item).and_then(tags_of).filter(|tags| !tags.is_empty());
        let later = later.filter(|_| self.broken != Some(Mutation::LaterTagsIgnored));
        later.or_else(|| tags_of(item))
    }

    /// Whether what a live item shows, tags alone, may have changed since and was not told.
    pub fn has_untold_tags(&self, item: &Value) -> bool {
        let later = self.later(item).map(|later| tags_of(later).unwrap_or_default());
        self.is_outdated(item) && later.is_some_and(|tags| tags.is_empty())
    }

    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &'h Value> {
        self.live.iter().copied().filter(move |item| text(&item["resourceType"]) == kind)
    }

    pub fn item(&self, kind: &str, id: &str) -> Option<&'h Value> {
        self.live
            .iter()
            .copied()
            .find(|item| text(&item["resourceType"]) == kind && text(&item["resourceId"]) == id)
    }
}

/// Whether a recorder's item lists a type.
pub fn lists(recorder: &Value, kind: &str) -> bool {
    let group = either(body(recorder), "RecordingGroup", "recordingGroup");
    let named = |types: &Value| list(types).iter().any(|t| text(t).eq_ignore_ascii_case(kind));
    let but = either(&group, "ExclusionByResourceTypes", "exclusionByResourceTypes");
    let but = either(&but, "ResourceTypes", "resourceTypes");
    let strategy = either(&group, "RecordingStrategy", "recordingStrategy");
    let strategy = either(&strategy, "UseOnly", "useOnly");
    let is_all = either(&group, "AllSupported", "allSupported") == true;
    if strategy == "ALL_SUPPORTED_RESOURCE_TYPES" {
        // What contradicts itself is not told.
        let denied = either(&group, "AllSupported", "allSupported") == false;
        return !denied && list(&but).is_empty();
    }
    if !list(&but).is_empty() || strategy == "EXCLUSION_BY_RESOURCE_TYPES" {
        return but.is_array() && !named(&but);
    }
    if is_all {
        return true;
    }
    named(&either(&group, "ResourceTypes", "resourceTypes"))
}

/// Whether a recorder delivers nothing to its account (row 36).
pub fn is_internal(recorder: &Value, broken: Option<Mutation>) -> bool {
    let scope = either(body(recorder), "RecordingScope", "recordingScope");
    scope == "INTERNAL" && broken != Some(Mutation::InternalRecordersCount)
}

pub fn either(value: &Value, upper: &str, lower: &str) -> Value {
    match &value[upper] {
        Value::Null => value[lower].clone(),
        found => found.clone(),
    }
}
